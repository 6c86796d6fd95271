// SPDX-License-Identifier: GPL-2.0-only
/*
 * Soft-RoCE's on-demand paging: drivers/infiniband/sw/rxe/rxe_odp.c, with the real
 * drivers/infiniband/core/umem_odp.c below it. Pages of a real address space are
 * faulted in by the real page fault path, and are read and written by what packets
 * are handled with. The device reaches a page as long as its entry in the list of
 * pages is valid, and while it has it mapped.
 */
#include "drivers.h"
#include <kunit/test-bug.h>
#include <linux/highmem.h>
#include <linux/hmm.h>
#include <linux/hmm-dma.h>
#include <linux/kthread.h>
#include <linux/libnvdimm.h>
#include <linux/mman.h>
#include <linux/uaccess.h>
/* Of the tree that the driver's source comes from */
#include <include/rdma/ib_umem_odp.h>
#include "points.h"
#undef mmu_interval_set_seq

static int rxe_look_up(struct hmm_range *range, unsigned long timeout);
static void rxe_set_seq(struct mmu_interval_notifier *notifier, unsigned long seq);
static void *rxe_kmap(struct page *page);
static void rxe_kunmap(const void *addr);

/* A macro, which is something else below */
static void rxe_real_kunmap(const void *addr)
{
	kunmap_local(addr);
}

/* How often there would be a warning if there was no memory */
static int rxe_may_warn;

static void *rxe_kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	rxe_may_warn += !(gfp & __GFP_NOWARN);
	return kvcalloc(n, size, gfp);
}

#define hmm_range_fault_unlocked_timeout	rxe_look_up
#define mmu_interval_set_seq			rxe_set_seq
#undef kvcalloc
#define kvcalloc				rxe_kvcalloc
#include <drivers/infiniband/core/umem_odp.c>
#undef kvcalloc
#define kmap_local_page				rxe_kmap
#undef kunmap_local
#define kunmap_local				rxe_kunmap
#include <drivers/infiniband/sw/rxe/rxe_odp.c>
#undef kmap_local_page
#undef mmu_interval_set_seq
#undef hmm_range_fault_unlocked_timeout

#define RXE_PAGES	32

struct rxe_nic {
	struct rxe_dev rxe;
	struct rxe_mr mr;
	struct ib_umem_odp *odp;
	unsigned long start, end;
	/* Since when the process has had the pages in the list, see drivers.h */
	unsigned long list_since[RXE_PAGES], since;
	bool known[RXE_PAGES];
	/* The page that is being read or written, and since when it was had */
	int used;
	unsigned long used_since;
	int lookups, uses;
	struct completion held;
	struct task_struct *holder;
	/* Called once, when a page fault has looked up the pages */
	void (*in_fault)(struct kunit *test, struct rxe_nic *nic);
	/* Called once, when it has read the page tables and not yet said what is there */
	void (*in_walk)(struct kunit *test, struct rxe_nic *nic);
	/* The process has nothing mapped there. */
	bool gone;
};

/* The one of the case that runs */
static struct rxe_nic *rxe_nic;

DEFINE_SPINLOCK(atomic_ops_lock);
/* Nothing is queued here. */
struct workqueue_struct *rxe_wq;

static bool rxe_valid(struct rxe_nic *nic, int page)
{
	return nic->odp->map.pfn_list[page] & HMM_PFN_VALID;
}

/* Which entries of the list are new, and of what was looked up last */
static void rxe_note_pages(struct rxe_nic *nic)
{
	int i;

	for (i = 0; i < RXE_PAGES; i++) {
		if (rxe_valid(nic, i) && !nic->known[i])
			nic->list_since[i] = nic->since;
		nic->known[i] = rxe_valid(nic, i);
	}
}

/* The pages that the device can reach though the process has given them up */
static int rxe_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	struct rxe_nic *nic = arg;
	int i, n = 0;

	rxe_note_pages(nic);
	for (i = 0; i < RXE_PAGES; i++) {
		unsigned long addr = nic->start + i * PAGE_SIZE;

		if (addr < start || addr >= end)
			continue;
		n += (rxe_valid(nic, i) && drivers_given_up(addr, nic->list_since[i])) ||
		     (i == nic->used && drivers_given_up(addr, nic->used_since));
	}
	return n;
}

/*
 * The real lookup, to a copy of the entries: what is called in between comes when
 * the page tables have been read and the entries are not written.
 */
static int rxe_walk(struct rxe_nic *nic, struct hmm_range *range, unsigned long timeout)
{
	const unsigned long kept = HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS;
	unsigned long n = (range->end - range->start) >> PAGE_SHIFT, i;
	void (*hook)(struct kunit *test, struct rxe_nic *nic) = nic->in_walk;
	struct hmm_range copy = *range;
	int ret;

	if (nic->gone)
		return -EFAULT;
	copy.hmm_pfns = kcalloc(n, sizeof(*copy.hmm_pfns), GFP_KERNEL);
	if (!copy.hmm_pfns)
		return -ENOMEM;
	ret = hmm_range_fault_unlocked_timeout(&copy, timeout);
	range->notifier_seq = copy.notifier_seq;

	drivers_point();
	nic->in_walk = NULL;
	if (hook)
		hook(kunit_get_current_test(), nic);

	for (i = 0; !ret && i < n; i++)
		range->hmm_pfns[i] = (range->hmm_pfns[i] & kept) | copy.hmm_pfns[i];
	kfree(copy.hmm_pfns);
	return ret;
}

static int rxe_look_up(struct hmm_range *range, unsigned long timeout)
{
	void (*hook)(struct kunit *test, struct rxe_nic *nic);
	struct rxe_nic *nic = rxe_nic;
	int ret;

	drivers_point();
	drivers_settle();
	rxe_note_pages(nic);
	nic->since = drivers_now();
	ret = rxe_walk(nic, range, timeout);
	drivers_point();

	nic->lookups++;
	hook = nic->in_fault;
	nic->in_fault = NULL;
	if (hook)
		hook(kunit_get_current_test(), nic);
	return ret;
}

/* By the callback only, and under the lock under which a page fault looks at it */
static void rxe_set_seq(struct mmu_interval_notifier *notifier, unsigned long seq)
{
	struct ib_umem_odp *odp = container_of(notifier, struct ib_umem_odp, notifier);

	lockdep_assert_held(&odp->umem_mutex);
	drivers_set_seq(notifier, seq);
}

/* The device has the page until it is unmapped again. */
static void *rxe_kmap(struct page *page)
{
	struct rxe_nic *nic = rxe_nic;
	void *addr;
	int i;

	rxe_note_pages(nic);
	for (i = 0; i < RXE_PAGES; i++) {
		if (!rxe_valid(nic, i) || hmm_pfn_to_page(nic->odp->map.pfn_list[i]) != page)
			continue;
		nic->used = i;
		nic->used_since = nic->list_since[i];
	}
	nic->uses++;
	drivers_point();
	addr = kmap_local_page(page);
	return addr;
}

static void rxe_kunmap(const void *addr)
{
	rxe_real_kunmap(addr);
	drivers_point();
	rxe_nic->used = -1;
}

/* rxe_mr.c */
void rxe_mr_init(int access, struct rxe_mr *mr)
{
	mr->access = access;
	mr->page_shift = PAGE_SHIFT;
	mr->ibmr.page_size = PAGE_SIZE;
	mr->state = RXE_MR_STATE_INVALID;
}

int mr_check_range(struct rxe_mr *mr, u64 iova, size_t length)
{
	if (iova < mr->ibmr.iova || iova + length > mr->ibmr.iova + mr->ibmr.length)
		return -EINVAL;
	return 0;
}

/* Holds umem_mutex until it is told to let go, as in lab/drivers/mlx5 */
static int rxe_holder(void *data)
{
	struct rxe_nic *nic = data;

	mutex_lock(&nic->odp->umem_mutex);
	complete(&nic->held);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 50);
	mutex_unlock(&nic->odp->umem_mutex);
	return 0;
}

static void rxe_hold(struct kunit *test, struct rxe_nic *nic)
{
	struct task_struct *task;

	init_completion(&nic->held);
	task = kthread_run(rxe_holder, nic, "lab-rxe");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	nic->holder = task;
	wait_for_completion(&nic->held);
}

/* Also if it was let go already */
static void rxe_unhold(void *arg)
{
	struct rxe_nic *nic = arg;

	if (nic->holder)
		kthread_stop(nic->holder);
	nic->holder = NULL;
}

static void rxe_release(void *arg)
{
	ib_umem_odp_release(arg);
}

/* A memory region of RXE_PAGES pages of a new mapping, of which none is present */
static struct rxe_nic *rxe_nic_new(struct kunit *test)
{
	struct rxe_nic *nic = kunit_kzalloc(test, sizeof(*nic), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, nic);
	rxe_nic = nic;
	rxe_may_warn = 0;
	nic->used = -1;
	nic->start = kunit_vm_mmap(test, NULL, 0, RXE_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, nic->start, 0);
	nic->end = nic->start + RXE_PAGES * PAGE_SIZE;

	/* What registers it looks the pages up, and wants to know where the list is. */
	nic->odp = ib_umem_odp_get(&nic->rxe.ib_dev, nic->start, RXE_PAGES * PAGE_SIZE,
				   IB_ACCESS_ON_DEMAND | IB_ACCESS_LOCAL_WRITE |
				   IB_ACCESS_REMOTE_READ | IB_ACCESS_REMOTE_WRITE,
				   &rxe_mn_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(nic->odp));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, rxe_release, nic->odp), 0);
	nic->odp->private = &nic->mr;
	rxe_mr_init(IB_ACCESS_ON_DEMAND, &nic->mr);
	nic->mr.umem = &nic->odp->umem;
	nic->mr.ibmr.length = RXE_PAGES * PAGE_SIZE;
	nic->mr.ibmr.iova = nic->start;
	nic->mr.ibmr.type = IB_MR_TYPE_USER;
	KUNIT_ASSERT_EQ(test, rxe_odp_init_pages(&nic->mr), 0);
	nic->mr.state = RXE_MR_STATE_VALID;
	drivers_judge(test, "rxe_ib_invalidate_range", rxe_reach_given_up, nic);
	return nic;
}

static unsigned long rxe_addr(struct rxe_nic *nic, long page)
{
	return nic->start + (page << PAGE_SHIFT);
}

/* As an RDMA write and an RDMA read by a peer */
static int rxe_peer_write(struct rxe_nic *nic, int page, u64 value)
{
	return rxe_odp_mr_copy(&nic->mr, rxe_addr(nic, page) + 8, &value, sizeof(value),
			       RXE_TO_MR_OBJ);
}

static int rxe_peer_read(struct rxe_nic *nic, int page, u64 *value)
{
	return rxe_odp_mr_copy(&nic->mr, rxe_addr(nic, page) + 8, value, sizeof(*value),
			       RXE_FROM_MR_OBJ);
}

static void rxe_fill(struct kunit *test, struct rxe_nic *nic, int page, int pages)
{
	int i;

	for (i = page; i < page + pages; i++)
		KUNIT_ASSERT_EQ(test, rxe_peer_write(nic, i, i + 1), 0);
}

static int rxe_reached(struct rxe_nic *nic)
{
	int i, n = 0;

	for (i = 0; i < RXE_PAGES; i++)
		n += rxe_valid(nic, i);
	return n;
}

static struct drivers_call rxe_call(struct kunit *test, struct rxe_nic *nic,
				    enum drivers_state state, unsigned long start,
				    unsigned long end)
{
	return (struct drivers_call) {
		.callback = "rxe_ib_invalidate_range", .state = state,
		.interval = &nic->odp->notifier, .mm = drivers_mm(test),
		.start = start, .end = end,
	};
}

static void rxe_reaps(struct kunit *test, struct rxe_nic *nic, unsigned long start,
		      unsigned long end)
{
	struct drivers_call call = rxe_call(test, nic, DRIVERS_IDLE, start, end);

	drivers_succeeds(test, &call, true);
}

static void rxe_blocks(struct kunit *test, struct rxe_nic *nic, unsigned long start,
		       unsigned long end)
{
	struct drivers_call call = rxe_call(test, nic, DRIVERS_BLOCKING, start, end);
	struct drivers_outcome out = drivers_blocks(test, &call);

	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
}

static void rxe_held_refuses(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	struct drivers_call call = rxe_call(test, nic, DRIVERS_HELD, nic->start, nic->end);

	call.let_go = rxe_unhold;
	call.arg = nic;
	rxe_fill(test, nic, 3, 2);
	rxe_hold(test, nic);
	drivers_refuses(test, &call);
	rxe_unhold(nic);
	KUNIT_EXPECT_EQ(test, rxe_reached(nic), 2);
}

static void rxe_held_blocks(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	struct drivers_call call = rxe_call(test, nic, DRIVERS_BLOCKING, nic->start, nic->end);
	struct drivers_outcome out;

	call.let_go = rxe_unhold;
	call.arg = nic;
	rxe_fill(test, nic, 3, 2);
	rxe_hold(test, nic);
	out = drivers_blocks(test, &call);
	rxe_unhold(nic);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_EQ(test, rxe_reached(nic), 0);
}

static void rxe_empty_succeeds(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);

	rxe_reaps(test, nic, nic->start, nic->end);
	rxe_blocks(test, nic, nic->start, nic->end);
	KUNIT_EXPECT_EQ(test, rxe_reached(nic), 0);
}

/* All of it, and a peer gets an error from then on */
static void rxe_mapped_succeeds(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	unsigned long at = rxe_addr(nic, 5);
	u64 value = 0;
	int uses;

	rxe_fill(test, nic, 0, RXE_PAGES);
	KUNIT_EXPECT_EQ(test, rxe_reached(nic), RXE_PAGES);
	KUNIT_EXPECT_EQ(test, rxe_peer_read(nic, 7, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 8);

	drivers_mm_set(MMF_UNSTABLE, current->mm);
	uses = nic->uses;
	rxe_reaps(test, nic, nic->start, nic->end);
	KUNIT_EXPECT_EQ(test, rxe_reached(nic), 0);
	KUNIT_EXPECT_LT(test, rxe_peer_read(nic, 5, &value), 0);
	KUNIT_EXPECT_LT(test, rxe_peer_write(nic, 5, 1), 0);
	KUNIT_EXPECT_EQ(test, rxe_odp_atomic_op(&nic->mr, at, IB_OPCODE_RC_FETCH_ADD, 0, 1,
						&value), RESPST_ERR_RKEY_VIOLATION);
	KUNIT_EXPECT_EQ(test, rxe_odp_do_atomic_write(&nic->mr, at, 1),
			RESPST_ERR_RKEY_VIOLATION);
	KUNIT_EXPECT_LT(test, rxe_odp_flush_pmem_iova(&nic->mr, at, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, nic->uses, uses);
	drivers_mm_clear(MMF_UNSTABLE, current->mm);
}

static void rxe_part_succeeds(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	u64 value = 0;
	int i;

	rxe_fill(test, nic, 0, RXE_PAGES);
	drivers_mm_set(MMF_UNSTABLE, current->mm);
	/* The range sticks out of the region on one side, then on the other. */
	rxe_reaps(test, nic, nic->start - 4 * PAGE_SIZE, rxe_addr(nic, 3));
	rxe_reaps(test, nic, rxe_addr(nic, 20), nic->end + 4 * PAGE_SIZE);
	for (i = 0; i < RXE_PAGES; i++)
		KUNIT_EXPECT_EQ(test, rxe_valid(nic, i), i >= 3 && i < 20);
	KUNIT_EXPECT_EQ(test, rxe_peer_read(nic, 3, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 4);
	KUNIT_EXPECT_EQ(test, rxe_peer_write(nic, 19, 1), 0);
	KUNIT_EXPECT_LT(test, rxe_peer_read(nic, 2, &value), 0);
	KUNIT_EXPECT_LT(test, rxe_peer_write(nic, 20, 1), 0);
	drivers_mm_clear(MMF_UNSTABLE, current->mm);
}

/* By the OOM reaper: the mm is marked first, which a walk under way does not see. */
static void rxe_reaped_in_walk(struct kunit *test, struct rxe_nic *nic)
{
	drivers_mm_set(MMF_UNSTABLE, current->mm);
	rxe_reaps(test, nic, nic->start, nic->end);
}

static void rxe_reaped_under_way(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	u64 value = 0;

	nic->in_walk = rxe_reaped_in_walk;
	KUNIT_EXPECT_LT(test, rxe_peer_write(nic, 3, 1), 0);
	KUNIT_EXPECT_FALSE(test, rxe_valid(nic, 3));
	/* The next packet */
	KUNIT_EXPECT_LT(test, rxe_peer_write(nic, 3, 2), 0);
	KUNIT_EXPECT_LT(test, rxe_peer_read(nic, 3, &value), 0);
	KUNIT_EXPECT_EQ(test, nic->uses, 0);
	drivers_mm_clear(MMF_UNSTABLE, current->mm);
}

/* By another thread of the process, all of it: it is not there the next time. */
static void rxe_unmapped_in_walk(struct kunit *test, struct rxe_nic *nic)
{
	rxe_blocks(test, nic, nic->start, nic->end);
	nic->gone = true;
}

static void rxe_unmapped_under_way(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	u64 value = 0;

	nic->in_walk = rxe_unmapped_in_walk;
	KUNIT_EXPECT_LT(test, rxe_peer_write(nic, 3, 1), 0);
	KUNIT_EXPECT_FALSE(test, rxe_valid(nic, 3));
	KUNIT_EXPECT_LT(test, rxe_peer_write(nic, 3, 2), 0);
	KUNIT_EXPECT_LT(test, rxe_peer_read(nic, 3, &value), 0);
	KUNIT_EXPECT_EQ(test, nic->uses, 0);
}

/* The process lives: the fault starts over, and finds what is there then. */
static void rxe_dropped_in_fault(struct kunit *test, struct rxe_nic *nic)
{
	rxe_reaps(test, nic, nic->start, nic->end);
}

static void rxe_fault_under_way(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);

	nic->lookups = 0;
	nic->in_fault = rxe_dropped_in_fault;
	KUNIT_EXPECT_EQ(test, rxe_peer_write(nic, 3, 1), 0);
	KUNIT_EXPECT_EQ(test, nic->lookups, 2);
	KUNIT_EXPECT_EQ(test, rxe_reached(nic), 1);
}

/* Mapped by another packet, while a lookup that has found nothing is under way */
static void rxe_mapped_in_walk(struct kunit *test, struct rxe_nic *nic)
{
	rxe_fill(test, nic, 3, 2);
}

static void rxe_mapped_under_way(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);

	nic->in_walk = rxe_mapped_in_walk;
	KUNIT_EXPECT_EQ(test, rxe_odp_init_pages(&nic->mr), 0);
	KUNIT_EXPECT_EQ(test, rxe_reached(nic), 2);
	KUNIT_EXPECT_TRUE(test, nic->odp->map.pfn_list[3] & HMM_PFN_WRITE);
	rxe_blocks(test, nic, nic->start, nic->end);
	KUNIT_EXPECT_EQ(test, rxe_reached(nic), 0);
}

static void rxe_rehearsed(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	struct drivers_call call = rxe_call(test, nic, DRIVERS_BLOCKING, nic->start, nic->end);

	call.mm = current->mm;
	rxe_fill(test, nic, 0, 4);
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
	KUNIT_EXPECT_EQ(test, rxe_reached(nic), 0);
}

/* The process and a peer see the same. */
static void rxe_copies_to_the_right_place(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	void __user *at = (void __user *)rxe_addr(nic, 3);
	u64 value = 0, words[3];

	KUNIT_ASSERT_EQ(test, rxe_peer_write(nic, 3, 4711), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(words, at, sizeof(words)), 0);
	KUNIT_EXPECT_EQ(test, words[0], 0);
	KUNIT_EXPECT_EQ(test, words[1], 4711);
	KUNIT_EXPECT_EQ(test, words[2], 0);

	words[0] = 1;
	words[1] = 2;
	KUNIT_ASSERT_EQ(test, copy_to_user(at, words, sizeof(words)), 0);
	KUNIT_ASSERT_EQ(test, rxe_peer_read(nic, 3, &value), 0);
	KUNIT_EXPECT_EQ(test, value, 2);
}

static void rxe_copies_across_pages(struct kunit *test)
{
	const int offset = 100, size = 2 * PAGE_SIZE + 50;
	struct rxe_nic *nic = rxe_nic_new(test);
	u8 *there = kunit_kzalloc(test, size, GFP_KERNEL);
	u8 *here = kunit_kzalloc(test, size, GFP_KERNEL);
	unsigned long at = rxe_addr(nic, 3) + offset;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, there);
	KUNIT_ASSERT_NOT_NULL(test, here);
	/* No page is like another */
	for (i = 0; i < size; i++)
		there[i] = i % 251;
	KUNIT_ASSERT_EQ(test, rxe_odp_mr_copy(&nic->mr, at, there, size, RXE_TO_MR_OBJ), 0);
	KUNIT_ASSERT_EQ(test, copy_from_user(here, (void __user *)at, size), 0);
	KUNIT_EXPECT_MEMEQ(test, here, there, size);

	for (i = 0; i < size; i++)
		here[i] = i % 241;
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)at, here, size), 0);
	KUNIT_ASSERT_EQ(test, rxe_odp_mr_copy(&nic->mr, at, there, size, RXE_FROM_MR_OBJ), 0);
	KUNIT_EXPECT_MEMEQ(test, here, there, size);
}

/* A prefetch may ask for as much as it likes: if there is no memory the log says nothing. */
static void rxe_fault_does_not_warn(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);

	rxe_fill(test, nic, 3, 1);
	KUNIT_EXPECT_EQ(test, rxe_may_warn, 0);
}

static int rxe_try_to_register(struct rxe_nic *nic, u64 iova)
{
	struct rxe_mr *mr = kunit_kzalloc(kunit_get_current_test(), sizeof(*mr), GFP_KERNEL);
	int err;

	if (!mr)
		return -ENOMEM;
	err = rxe_odp_mr_init_user(&nic->rxe, nic->start, nic->end - nic->start, iova,
				   IB_ACCESS_ON_DEMAND | IB_ACCESS_LOCAL_WRITE, mr);
	if (!err)
		ib_umem_odp_release(to_ib_umem_odp(mr->umem));
	return err;
}

/* The list of pages would be looked at out of bounds. */
static void rxe_other_iova_fails(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);

	KUNIT_EXPECT_EQ(test, rxe_try_to_register(nic, nic->start), 0);
	KUNIT_EXPECT_EQ(test, rxe_try_to_register(nic, 0), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, rxe_try_to_register(nic, nic->start + PAGE_SIZE), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, rxe_try_to_register(nic, nic->start + SZ_4G), -EOPNOTSUPP);
}

/* Paths, interrupted */

static void rxe_write_interrupted(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	struct drivers_call call = rxe_call(test, nic, DRIVERS_BUSY, nic->start, nic->end);

	drivers_path(test, "rxe_odp_mr_copy, not present", &call);
	KUNIT_EXPECT_EQ(test, rxe_peer_write(nic, 3, 1), 0);
	drivers_path_end(test);
}

static void rxe_read_interrupted(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	struct drivers_call call = rxe_call(test, nic, DRIVERS_BUSY, nic->start, nic->end);
	u64 value = 0;

	rxe_fill(test, nic, 3, 2);
	drivers_path(test, "rxe_odp_mr_copy, present", &call);
	KUNIT_EXPECT_EQ(test, rxe_peer_read(nic, 3, &value), 0);
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, value, 4);
}

static void rxe_atomic_interrupted(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	struct drivers_call call = rxe_call(test, nic, DRIVERS_BUSY, nic->start, nic->end);
	u64 value;

	rxe_fill(test, nic, 3, 1);
	drivers_path(test, "rxe_odp_atomic_op", &call);
	KUNIT_EXPECT_EQ(test, rxe_odp_atomic_op(&nic->mr, rxe_addr(nic, 3) + 8,
						IB_OPCODE_RC_FETCH_ADD, 0, 1, &value),
			RESPST_NONE);
	drivers_path_end(test);
}

static void rxe_atomic_write_interrupted(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	struct drivers_call call = rxe_call(test, nic, DRIVERS_BUSY, nic->start, nic->end);

	rxe_fill(test, nic, 3, 1);
	drivers_path(test, "rxe_odp_do_atomic_write", &call);
	KUNIT_EXPECT_EQ(test, rxe_odp_do_atomic_write(&nic->mr, rxe_addr(nic, 3), 1),
			RESPST_NONE);
	drivers_path_end(test);
}

static void rxe_flush_interrupted(struct kunit *test)
{
	struct rxe_nic *nic = rxe_nic_new(test);
	struct drivers_call call = rxe_call(test, nic, DRIVERS_BUSY, nic->start, nic->end);

	rxe_fill(test, nic, 3, 2);
	drivers_path(test, "rxe_odp_flush_pmem_iova", &call);
	KUNIT_EXPECT_EQ(test, rxe_odp_flush_pmem_iova(&nic->mr, rxe_addr(nic, 3),
						      2 * PAGE_SIZE), 0);
	drivers_path_end(test);
}

static struct kunit_case rxe_cases[] = {
	KUNIT_CASE(rxe_held_refuses),
	KUNIT_CASE(rxe_held_blocks),
	KUNIT_CASE(rxe_empty_succeeds),
	KUNIT_CASE(rxe_mapped_succeeds),
	KUNIT_CASE(rxe_part_succeeds),
	KUNIT_CASE(rxe_reaped_under_way),
	KUNIT_CASE(rxe_unmapped_under_way),
	KUNIT_CASE(rxe_fault_under_way),
	KUNIT_CASE(rxe_mapped_under_way),
	KUNIT_CASE(rxe_rehearsed),
	KUNIT_CASE(rxe_copies_to_the_right_place),
	KUNIT_CASE(rxe_copies_across_pages),
	KUNIT_CASE(rxe_fault_does_not_warn),
	KUNIT_CASE(rxe_other_iova_fails),
	KUNIT_CASE_PARAM(rxe_write_interrupted, drivers_points),
	KUNIT_CASE_PARAM(rxe_read_interrupted, drivers_points),
	KUNIT_CASE_PARAM(rxe_atomic_interrupted, drivers_points),
	KUNIT_CASE_PARAM(rxe_atomic_write_interrupted, drivers_points),
	KUNIT_CASE_PARAM(rxe_flush_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(rxe, rxe_cases);
