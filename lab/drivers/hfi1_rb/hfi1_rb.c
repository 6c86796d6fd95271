// SPDX-License-Identifier: GPL-2.0-only
/*
 * hfi1's cache of pages pinned for sending: drivers/infiniband/hw/hfi1/mmu_rb.c
 * with its only user, pin_system.c. Memory, pins and the workqueue are real.
 */
#include "users.h"
#include <kunit/resource.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <drivers/infiniband/hw/hfi1/mmu_rb.c>
#include <drivers/infiniband/hw/hfi1/pin_system.c>
#include <drivers/infiniband/hw/hfi1/user_pages.c>

#define RB_PAGES	4

/* One queue of packets at a time */
static struct rb {
	struct hfi1_devdata dd;
	struct hfi1_pportdata port;
	struct hfi1_user_sdma_pkt_q pq;
	struct user_sdma_request req;
	struct mm_struct *mm;
	unsigned long buf;
	struct work_struct blocker;
	struct completion unblock;
} *rb;

void __hfi1_trace_SDMA(const char *func, char *fmt, ...)
{
}

static void rb_blocker(struct work_struct *work)
{
	wait_for_completion(&rb->unblock);
}

/* Keeps what the callback leaves to the workqueue from being done */
static void rb_block_work(void)
{
	init_completion(&rb->unblock);
	INIT_WORK(&rb->blocker, rb_blocker);
	queue_work(rb->port.hfi1_wq, &rb->blocker);
}

static void rb_let_work(void)
{
	complete(&rb->unblock);
	flush_workqueue(rb->port.hfi1_wq);
}

static void rb_close(void *unused)
{
	hfi1_free_system_pinning(&rb->pq);
	destroy_workqueue(rb->port.hfi1_wq);
	kvfree(rb);
	rb = NULL;
}

static void rb_open(struct kunit *test)
{
	rb = kvzalloc(sizeof(*rb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rb);
	rb->port.hfi1_wq = alloc_ordered_workqueue("lab-hfi1", WQ_MEM_RECLAIM);
	KUNIT_ASSERT_NOT_NULL(test, rb->port.hfi1_wq);
	rb->buf = kunit_vm_mmap(test, NULL, 0, 4 * RB_PAGES * PAGE_SIZE,
				PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE, 0);
	KUNIT_ASSERT_NE(test, rb->buf, 0);
	rb->mm = current->mm;
	rb->dd.pport = &rb->port;
	rb->dd.num_rcv_contexts = 2;
	rb->dd.first_dyn_alloc_ctxt = 1;
	rb->pq.dd = &rb->dd;
	rb->req.pq = &rb->pq;
	KUNIT_ASSERT_EQ(test, hfi1_init_system_pinning(&rb->pq), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, rb_close, NULL), 0);
}

/* The pages behind an address, pinned and in use by a request */
static struct sdma_mmu_node *rb_pin(struct kunit *test, unsigned long addr)
{
	struct sdma_mmu_node *node = NULL;

	KUNIT_ASSERT_EQ(test, get_system_cache_entry(&rb->req, &node, addr,
						     RB_PAGES * PAGE_SIZE), 0);
	KUNIT_ASSERT_NOT_NULL(test, node);
	KUNIT_ASSERT_EQ(test, node->npages, RB_PAGES);
	KUNIT_ASSERT_EQ(test, kref_read(&node->rb.refcount), 2);
	return node;
}

/* The same when all requests are through: in the cache only */
static struct sdma_mmu_node *rb_pin_idle(struct kunit *test, unsigned long addr)
{
	struct sdma_mmu_node *node = rb_pin(test, addr);

	sdma_mmu_rb_node_put(node);
	return node;
}

static bool rb_cached(unsigned long addr)
{
	struct sdma_mmu_node *node = find_system_node(rb->pq.handler, addr, addr + 1);

	if (node)
		sdma_mmu_rb_node_put(node);
	return node;
}

static struct users_call rb_call(unsigned long start, unsigned long end)
{
	return (struct users_call){
		.callback = "mmu_notifier_range_start", .state = USERS_IDLE,
		.list = &rb->pq.handler->mn, .list_ops = &mn_opts,
		.mm = rb->mm, .start = start, .end = end,
	};
}

static struct users_call rb_call_first(void)
{
	return rb_call(rb->buf, rb->buf + RB_PAGES * PAGE_SIZE);
}

static bool rb_pinned(struct page **pages)
{
	int i;

	for (i = 0; i < RB_PAGES; i++)
		if (!folio_maybe_dma_pinned(page_folio(pages[i])))
			return false;
	return true;
}

/* The pages stay pinned until the work is done, and the node goes with it. */
static void rb_idle(struct kunit *test, bool blocking)
{
	struct sdma_mmu_node *node;
	struct page *pages[RB_PAGES];
	struct users_call call;
	int i;

	rb_open(test);
	node = rb_pin_idle(test, rb->buf);
	memcpy(pages, node->pages, sizeof(pages));
	for (i = 0; i < RB_PAGES; i++)
		get_page(pages[i]);
	KUNIT_EXPECT_TRUE(test, rb_cached(rb->buf));
	call = rb_call_first();
	rb_block_work();
	if (blocking)
		KUNIT_EXPECT_FALSE(test, users_blocks(test, &call).waited);
	else
		users_succeeds(test, &call, false);
	KUNIT_EXPECT_FALSE(test, rb_cached(rb->buf));
	KUNIT_EXPECT_TRUE(test, rb_pinned(pages));
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), RB_PAGES);
	rb_let_work();
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&rb->mm->pinned_vm), 0);
	for (i = 0; i < RB_PAGES; i++) {
		KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(page_folio(pages[i])));
		put_page(pages[i]);
	}
}

static void rb_idle_succeeds(struct kunit *test)
{
	rb_idle(test, false);
}

static void rb_idle_blocks(struct kunit *test)
{
	rb_idle(test, true);
}

/* A request is under way: the pages are pinned until it is through. */
static void rb_in_flight_keeps_pins(struct kunit *test)
{
	struct sdma_mmu_node *node, *other;
	struct users_call call;

	rb_open(test);
	node = rb_pin(test, rb->buf);
	call = rb_call_first();
	users_succeeds(test, &call, false);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_FALSE(test, rb_cached(rb->buf));
	KUNIT_EXPECT_EQ(test, kref_read(&node->rb.refcount), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), RB_PAGES);
	KUNIT_EXPECT_TRUE(test, rb_pinned(node->pages));

	/* Another request pins anew, and does not get what is on its way out. */
	other = rb_pin(test, rb->buf);
	KUNIT_EXPECT_PTR_NE(test, other, node);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 2 * RB_PAGES);
	sdma_mmu_rb_node_put(node);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), RB_PAGES);
	KUNIT_EXPECT_TRUE(test, rb_cached(rb->buf));
	sdma_mmu_rb_node_put(other);
}

static void rb_empty_succeeds(struct kunit *test)
{
	struct users_call call;

	rb_open(test);
	call = rb_call_first();
	users_succeeds(test, &call, false);
	users_blocks(test, &call);
}

static void rb_edges(struct kunit *test)
{
	unsigned long start, end;
	struct users_call call;
	int i;

	rb_open(test);
	start = rb->buf + RB_PAGES * PAGE_SIZE;
	end = start + RB_PAGES * PAGE_SIZE;
	rb_pin_idle(test, start);
	call = rb_call(start - PAGE_SIZE, start);
	users_succeeds(test, &call, false);
	call = rb_call(end, end + PAGE_SIZE);
	users_succeeds(test, &call, false);
	KUNIT_EXPECT_TRUE(test, rb_cached(start));

	for (i = 0; i < RB_PAGES; i++) {
		call = rb_call(start + i * PAGE_SIZE, start + (i + 1) * PAGE_SIZE);
		users_succeeds(test, &call, false);
		KUNIT_EXPECT_FALSE(test, rb_cached(start));
		flush_workqueue(rb->port.hfi1_wq);
		KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
		rb_pin_idle(test, start);
	}
}

static void rb_many(struct kunit *test)
{
	struct users_call call;
	int i;

	rb_open(test);
	for (i = 0; i < 4; i++)
		rb_pin_idle(test, rb->buf + i * RB_PAGES * PAGE_SIZE);
	call = rb_call(rb->buf + RB_PAGES * PAGE_SIZE, rb->buf + 3 * RB_PAGES * PAGE_SIZE);
	users_succeeds(test, &call, false);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 2 * RB_PAGES);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, rb_cached(rb->buf + i * RB_PAGES * PAGE_SIZE),
				i == 0 || i == 3);
}

static int rb_holder(void *held)
{
	unsigned long flags;

	spin_lock_irqsave(&rb->pq.handler->lock, flags);
	complete(held);
	mdelay(50);
	spin_unlock_irqrestore(&rb->pq.handler->lock, flags);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* A spinlock: who holds it does not sleep either */
static void rb_held_spins(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(held);
	struct task_struct *task;
	struct users_call call;

	rb_open(test);
	rb_pin_idle(test, rb->buf);
	call = rb_call_first();
	call.state = USERS_HELD;
	task = kthread_run(rb_holder, &held, "lab-hfi1");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&held);
	users_succeeds(test, &call, false);
	kthread_stop(task);
	KUNIT_EXPECT_FALSE(test, rb_cached(rb->buf));
}

/* The real notifier, by way of munmap(): memory that is pinned is not freed. */
static void rb_unmapped(struct kunit *test)
{
	int len = 4 * RB_PAGES * PAGE_SIZE;
	struct sdma_mmu_node *node;
	u32 *data;

	rb_open(test);
	node = rb_pin(test, rb->buf);
	data = page_address(node->pages[0]);
	*data = 0xfeedf00d;
	KUNIT_EXPECT_EQ(test, vm_munmap(rb->buf, len), 0);
	KUNIT_EXPECT_EQ(test, kref_read(&node->rb.refcount), 1);
	KUNIT_EXPECT_TRUE(test, rb_pinned(node->pages));
	KUNIT_EXPECT_EQ(test, *data, 0xfeedf00d);
	sdma_mmu_rb_node_put(node);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
}

/* By a process that lives: with a request under way, and with none */
static void rb_rehearsed(struct kunit *test)
{
	struct sdma_mmu_node *node;
	struct users_call call;

	rb_open(test);
	node = rb_pin(test, rb->buf);
	call = rb_call_first();
	KUNIT_EXPECT_FALSE(test, users_rehearses(test, &call).waited);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_FALSE(test, rb_cached(rb->buf));
	KUNIT_EXPECT_EQ(test, kref_read(&node->rb.refcount), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), RB_PAGES);
	KUNIT_EXPECT_TRUE(test, rb_pinned(node->pages));
	sdma_mmu_rb_node_put(node);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);

	call = rb_call(rb->buf + RB_PAGES * PAGE_SIZE, rb->buf + 2 * RB_PAGES * PAGE_SIZE);
	rb_pin_idle(test, call.start);
	KUNIT_EXPECT_FALSE(test, users_rehearses(test, &call).waited);
	KUNIT_EXPECT_FALSE(test, rb_cached(call.start));
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&rb->mm->pinned_vm), 0);
}

static struct kunit_case hfi1_rb_cases[] = {
	KUNIT_CASE(rb_idle_succeeds),
	KUNIT_CASE(rb_idle_blocks),
	KUNIT_CASE(rb_in_flight_keeps_pins),
	KUNIT_CASE(rb_empty_succeeds),
	KUNIT_CASE(rb_edges),
	KUNIT_CASE(rb_many),
	KUNIT_CASE(rb_held_spins),
	KUNIT_CASE(rb_unmapped),
	KUNIT_CASE(rb_rehearsed),
	{}
};

USERS_SUITE(hfi1_rb, hfi1_rb_cases);
