// SPDX-License-Identifier: GPL-2.0-only
/*
 * hfi1's cache of pages pinned for sending: drivers/infiniband/hw/hfi1/mmu_rb.c
 * with its only user, pin_system.c. Memory, pins and the workqueue are real. The device
 * is a list of what is being sent.
 *
 * A list notifier without an end callback, which takes entries off under a spinlock and
 * leaves it to a work item to free them: the pattern of scif's, too, which kernels had
 * before. So this stands for it: it returns 0 in non-blocking mode and does not sleep,
 * nothing is freed under the lock, and nothing is left when it has been unregistered.
 */
#include "drivers.h"
#include <kunit/resource.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

/* The core does not call a notifier that was unregistered. */
static void rb_point(void);
#define drivers_point()	rb_point()
#include "points.h"

static __always_inline void rb_unlock(spinlock_t *lock, unsigned long flags)
{
	spin_unlock_irqrestore(lock, flags);
	drivers_point();
}

#define spin_unlock_irqrestore(lock, flags)	rb_unlock(lock, flags)
static void rb_unregister(struct mmu_notifier *notifier, struct mm_struct *mm);
#define mmu_notifier_unregister(mn, mm)		rb_unregister(mn, mm)
static int rb_pin_pages(unsigned long start, int nr, unsigned int flags, struct page **pages);
static void rb_unpin_pages(struct page **pages, unsigned long nr, bool dirty);
#define pin_user_pages_fast			rb_pin_pages
#define unpin_user_pages_dirty_lock		rb_unpin_pages
#include <drivers/infiniband/hw/hfi1/hfi.h>
#include <drivers/infiniband/hw/hfi1/sdma.h>
static int rb_add_page(struct hfi1_devdata *dd, struct sdma_txreq *tx, struct page *page,
		       unsigned long offset, u16 len, void *ctx, void (*get)(void *),
		       void (*put)(void *));
#define sdma_txadd_page				rb_add_page
#include <drivers/infiniband/hw/hfi1/mmu_rb.c>
#include <drivers/infiniband/hw/hfi1/pin_system.c>
#include <drivers/infiniband/hw/hfi1/user_pages.c>
#undef drivers_point
#undef spin_unlock_irqrestore
#undef mmu_notifier_unregister
#undef pin_user_pages_fast
#undef unpin_user_pages_dirty_lock

#define RB_PAGES	4
#define RB_ALL		(4 * RB_PAGES)

/* A page that is being sent. There is a reference on it, so that it can be looked at. */
struct rb_desc {
	struct page *page;
	unsigned long addr;
	/* Since when the process has had it there, see drivers.h */
	unsigned long since;
	void *ctx;
	void (*put)(void *ctx);
};

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
	struct user_sdma_txreq tx;
	struct rb_desc descs[2 * RB_ALL];
	int nr_descs;
	/* Of what was pinned last, by page of the buffer */
	unsigned long since[RB_ALL];
	/* Where the next page that is sent comes from */
	unsigned long next;
	bool closed;
	/* How often pages were freed, and how often in spite of the spinlock */
	atomic_t freed, freed_locked;
} *rb;

static void rb_point(void)
{
	if (!rb->closed)
		drivers_point();
}

static void rb_unregister(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	rb_point();
	mmu_notifier_unregister(notifier, mm);
	rb->closed = true;
}

static int rb_pin_pages(unsigned long start, int nr, unsigned int flags, struct page **pages)
{
	int ret, i;

	rb_point();
	drivers_settle();
	for (i = 0; i < nr; i++)
		rb->since[((start - rb->buf) >> PAGE_SHIFT) + i] = drivers_now();
	ret = pin_user_pages_fast(start, nr, flags, pages);
	rb_point();
	return ret;
}

static void rb_unpin_pages(struct page **pages, unsigned long nr, bool dirty)
{
	atomic_inc(&rb->freed);
	if (lockdep_is_held(&rb->pq.handler->lock))
		atomic_inc(&rb->freed_locked);
	unpin_user_pages_dirty_lock(pages, nr, dirty);
}

static void rb_send_page(struct page *page, unsigned long addr, void *ctx, void (*put)(void *))
{
	struct rb_desc *desc = &rb->descs[rb->nr_descs];

	if (WARN_ON_ONCE(rb->nr_descs == ARRAY_SIZE(rb->descs)))
		return;
	get_page(page);
	*desc = (struct rb_desc){
		.page = page, .addr = addr, .since = rb->since[(addr - rb->buf) >> PAGE_SHIFT],
		.ctx = ctx, .put = put,
	};
	rb->nr_descs++;
}

/* As the real one; only the last page that comes from a node refers to it. */
static int rb_add_page(struct hfi1_devdata *dd, struct sdma_txreq *tx, struct page *page,
		       unsigned long offset, u16 len, void *ctx, void (*get)(void *),
		       void (*put)(void *))
{
	rb_point();
	if (ctx)
		get(ctx);
	rb_send_page(page, rb->next, ctx, put);
	rb->next += PAGE_SIZE;
	rb_point();
	return 0;
}

/* The device is through with all of it. */
static void rb_sent(void)
{
	int nr = rb->nr_descs, i;

	rb->nr_descs = 0;
	for (i = 0; i < nr; i++) {
		struct rb_desc *desc = &rb->descs[i];

		rb_point();
		put_page(desc->page);
		if (desc->ctx)
			desc->put(desc->ctx);
	}
	rb_point();
}

/* What is being sent though the process has given it up, and that is not pinned */
static int rb_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	int i, n = 0;

	for (i = 0; rb && i < rb->nr_descs; i++) {
		struct rb_desc *desc = &rb->descs[i];

		n += desc->addr >= start && desc->addr < end &&
		     drivers_given_up(desc->addr, desc->since) &&
		     !folio_maybe_dma_pinned(page_folio(desc->page));
	}
	return n;
}

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
	rb_sent();
	if (!rb->closed)
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
	drivers_judge(test, "mmu_notifier_range_start", rb_reach_given_up, NULL);
}

/* The pages behind an address, pinned and in use by a request */
static struct sdma_mmu_node *rb_pin(struct kunit *test, unsigned long addr)
{
	struct sdma_mmu_node *node = NULL;
	int i;

	KUNIT_ASSERT_EQ(test, get_system_cache_entry(&rb->req, &node, addr,
						     RB_PAGES * PAGE_SIZE), 0);
	KUNIT_ASSERT_NOT_NULL(test, node);
	KUNIT_ASSERT_EQ(test, node->npages, RB_PAGES);
	KUNIT_ASSERT_EQ(test, kref_read(&node->rb.refcount), 2);
	for (i = 0; i < RB_PAGES; i++)
		rb_send_page(node->pages[i], addr + i * PAGE_SIZE,
			     i == RB_PAGES - 1 ? node : NULL, sdma_mmu_rb_node_put);
	return node;
}

/* The request that rb_pin() made is through. */
static void rb_unpin(struct sdma_mmu_node *node)
{
	int i, j;

	for (i = 0; rb->descs[i + RB_PAGES - 1].ctx != node; i += RB_PAGES)
		;
	for (j = i; j < i + RB_PAGES; j++)
		put_page(rb->descs[j].page);
	rb->nr_descs -= RB_PAGES;
	memmove(&rb->descs[i], &rb->descs[i + RB_PAGES],
		(rb->nr_descs - i) * sizeof(rb->descs[0]));
	sdma_mmu_rb_node_put(node);
}

/* The same when all requests are through: in the cache only */
static struct sdma_mmu_node *rb_pin_idle(struct kunit *test, unsigned long addr)
{
	struct sdma_mmu_node *node = rb_pin(test, addr);

	rb_unpin(node);
	return node;
}

static bool rb_cached(unsigned long addr)
{
	struct sdma_mmu_node *node = find_system_node(rb->pq.handler, addr, addr + 1);

	if (node)
		sdma_mmu_rb_node_put(node);
	return node;
}

static struct drivers_call rb_call(unsigned long start, unsigned long end)
{
	return (struct drivers_call){
		.callback = "mmu_notifier_range_start", .state = DRIVERS_IDLE,
		.list = &rb->pq.handler->mn, .list_ops = &mn_opts,
		.mm = rb->mm, .start = start, .end = end,
	};
}

static struct drivers_call rb_call_first(void)
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
	struct drivers_call call;
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
		KUNIT_EXPECT_FALSE(test, drivers_blocks(test, &call).waited);
	else
		drivers_succeeds(test, &call, false);
	KUNIT_EXPECT_FALSE(test, rb_cached(rb->buf));
	KUNIT_EXPECT_TRUE(test, rb_pinned(pages));
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), RB_PAGES);
	rb_let_work();
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&rb->mm->pinned_vm), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->freed), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->freed_locked), 0);
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
	struct drivers_call call;

	rb_open(test);
	node = rb_pin(test, rb->buf);
	call = rb_call_first();
	drivers_succeeds(test, &call, false);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_FALSE(test, rb_cached(rb->buf));
	KUNIT_EXPECT_EQ(test, kref_read(&node->rb.refcount), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), RB_PAGES);
	KUNIT_EXPECT_TRUE(test, rb_pinned(node->pages));

	/* Another request pins anew, and does not get what is on its way out. */
	other = rb_pin(test, rb->buf);
	KUNIT_EXPECT_PTR_NE(test, other, node);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 2 * RB_PAGES);
	rb_unpin(node);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), RB_PAGES);
	KUNIT_EXPECT_TRUE(test, rb_cached(rb->buf));
	rb_unpin(other);
}

static void rb_empty_succeeds(struct kunit *test)
{
	struct drivers_call call;

	rb_open(test);
	call = rb_call_first();
	drivers_succeeds(test, &call, false);
	drivers_blocks(test, &call);
}

static void rb_edges(struct kunit *test)
{
	unsigned long start, end;
	struct drivers_call call;
	int i;

	rb_open(test);
	start = rb->buf + RB_PAGES * PAGE_SIZE;
	end = start + RB_PAGES * PAGE_SIZE;
	rb_pin_idle(test, start);
	call = rb_call(start - PAGE_SIZE, start);
	drivers_succeeds(test, &call, false);
	call = rb_call(end, end + PAGE_SIZE);
	drivers_succeeds(test, &call, false);
	KUNIT_EXPECT_TRUE(test, rb_cached(start));

	for (i = 0; i < RB_PAGES; i++) {
		call = rb_call(start + i * PAGE_SIZE, start + (i + 1) * PAGE_SIZE);
		drivers_succeeds(test, &call, false);
		KUNIT_EXPECT_FALSE(test, rb_cached(start));
		flush_workqueue(rb->port.hfi1_wq);
		KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
		rb_pin_idle(test, start);
	}
}

static void rb_many(struct kunit *test)
{
	struct drivers_call call;
	int i;

	rb_open(test);
	for (i = 0; i < 4; i++)
		rb_pin_idle(test, rb->buf + i * RB_PAGES * PAGE_SIZE);
	call = rb_call(rb->buf + RB_PAGES * PAGE_SIZE, rb->buf + 3 * RB_PAGES * PAGE_SIZE);
	drivers_succeeds(test, &call, false);
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
	struct drivers_call call;

	rb_open(test);
	rb_pin_idle(test, rb->buf);
	call = rb_call_first();
	call.state = DRIVERS_HELD;
	task = kthread_run(rb_holder, &held, "lab-hfi1");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&held);
	drivers_succeeds(test, &call, false);
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
	rb_unpin(node);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
}

static void rb_sleeper(struct work_struct *work)
{
	msleep(200);
}

/* What the callback has left to the work is freed when the notifier goes, and the rest. */
static void rb_closed_leaves_nothing(struct kunit *test)
{
	struct drivers_call call;

	rb_open(test);
	rb_pin_idle(test, rb->buf);
	rb_pin_idle(test, rb->buf + RB_PAGES * PAGE_SIZE);
	call = rb_call_first();
	INIT_WORK(&rb->blocker, rb_sleeper);
	queue_work(rb->port.hfi1_wq, &rb->blocker);
	drivers_succeeds(test, &call, false);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 2 * RB_PAGES);
	hfi1_free_system_pinning(&rb->pq);
	KUNIT_EXPECT_TRUE(test, rb->closed);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&rb->mm->pinned_vm), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->freed), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->freed_locked), 0);
}

/* By a process that lives: with a request under way, and with none */
static void rb_rehearsed(struct kunit *test)
{
	struct sdma_mmu_node *node;
	struct drivers_call call;

	rb_open(test);
	node = rb_pin(test, rb->buf);
	call = rb_call_first();
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_FALSE(test, rb_cached(rb->buf));
	KUNIT_EXPECT_EQ(test, kref_read(&node->rb.refcount), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), RB_PAGES);
	KUNIT_EXPECT_TRUE(test, rb_pinned(node->pages));
	rb_unpin(node);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);

	call = rb_call(rb->buf + RB_PAGES * PAGE_SIZE, rb->buf + 2 * RB_PAGES * PAGE_SIZE);
	rb_pin_idle(test, call.start);
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
	KUNIT_EXPECT_FALSE(test, rb_cached(call.start));
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&rb->mm->pinned_vm), 0);
}

/* Paths, interrupted */

/* What user_sdma_send_pkts() has of @pages of the buffer sent */
static void rb_send(struct kunit *test, int first, int pages)
{
	struct user_sdma_iovec iovec = {
		.iov.iov_base = (void __user *)(rb->buf + first * PAGE_SIZE),
		.iov.iov_len = pages * PAGE_SIZE,
	};
	u32 left = pages * PAGE_SIZE;

	rb->next = rb->buf + first * PAGE_SIZE;
	rb->req.iov_idx = 0;
	KUNIT_EXPECT_EQ(test, hfi1_add_pages_to_sdma_packet(&rb->req, &rb->tx, &iovec, &left), 0);
	KUNIT_EXPECT_EQ(test, left, 0);
}

static struct drivers_call rb_call_all(void)
{
	return rb_call(rb->buf, rb->buf + RB_ALL * PAGE_SIZE);
}

/* One request pins, the next one finds it, the third one has to pin what is in front. */
static void rb_send_interrupted(struct kunit *test)
{
	struct drivers_call call;

	rb_open(test);
	call = rb_call_all();
	drivers_path(test, "hfi1_add_pages_to_sdma_packet", &call);
	rb_send(test, RB_PAGES, RB_PAGES);
	rb_send(test, RB_PAGES, RB_PAGES);
	rb_sent();
	rb_send(test, RB_PAGES - 1, 2);
	flush_workqueue(rb->port.hfi1_wq);
	drivers_look(test);
	rb_sent();
	drivers_path_end(test);
	drivers_blocks(test, &call);
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
}

/* The cache is full: what is not being sent makes room. */
static void rb_evict_interrupted(struct kunit *test)
{
	unsigned long size = cache_size;
	struct drivers_call call;

	rb_open(test);
	call = rb_call_all();
	rb_send(test, 0, RB_PAGES);
	rb_sent();
	rb_send(test, RB_PAGES, RB_PAGES);
	cache_size = 0;
	drivers_path(test, "hfi1_mmu_rb_evict", &call);
	rb_send(test, 2 * RB_PAGES, RB_PAGES);
	drivers_path_end(test);
	cache_size = size;
	flush_workqueue(rb->port.hfi1_wq);
	drivers_look(test);
	KUNIT_EXPECT_FALSE(test, rb_cached(rb->buf));
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 2 * RB_PAGES);
}

/* By another thread of the process, while the device sends a part of it */
static void rb_invalidation_interrupted(struct kunit *test)
{
	struct drivers_call call;

	rb_open(test);
	call = rb_call_all();
	rb_send(test, 0, RB_PAGES);
	rb_sent();
	rb_send(test, RB_PAGES, RB_PAGES);
	drivers_path(test, "mmu_notifier_range_start", &call);
	drivers_blocks_here(test, &call);
	flush_workqueue(rb->port.hfi1_wq);
	rb_point();
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), RB_PAGES);
	rb_sent();
	flush_workqueue(rb->port.hfi1_wq);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
}

static void rb_close_interrupted(struct kunit *test)
{
	struct drivers_call call;

	rb_open(test);
	call = rb_call_all();
	rb_send(test, 0, RB_PAGES);
	rb_send(test, RB_PAGES, RB_PAGES);
	drivers_path(test, "hfi1_mmu_rb_unregister", &call);
	rb_sent();
	hfi1_free_system_pinning(&rb->pq);
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&rb->pq.n_locked), 0);
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
	KUNIT_CASE(rb_closed_leaves_nothing),
	KUNIT_CASE(rb_rehearsed),
	KUNIT_CASE_PARAM(rb_send_interrupted, drivers_points),
	KUNIT_CASE_PARAM(rb_evict_interrupted, drivers_points),
	KUNIT_CASE_PARAM(rb_invalidation_interrupted, drivers_points),
	KUNIT_CASE_PARAM(rb_close_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(hfi1_rb, hfi1_rb_cases);
