// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5's on-demand paging: drivers/infiniband/hw/mlx5/odp.c, with the real
 * drivers/infiniband/core/umem_odp.c below it. Pages of a real address space are
 * faulted in by the real page fault path. The HCA is an array of MTTs.
 */
#include "users.h"
#include <kunit/test-bug.h>
#include <linux/hmm.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include "points.h"
#undef mmu_interval_set_seq

struct ib_umem_odp;
struct mlx5_hca;
struct mlx5_ib_mr;

/* What is different from base to base; defined in base.h and base-cases.h */
static int mlx5_walk(struct mlx5_hca *hca, struct hmm_range *range, unsigned long timeout);
static int mlx5_populate(void *xlt, size_t idx, size_t nr, struct mlx5_ib_mr *mr, int flags);
static int mlx5_page_fault(struct mlx5_ib_mr *mr, struct ib_umem_odp *odp, u64 addr,
			   size_t size, u32 flags);
static void mlx5_fake_entry(struct ib_umem_odp *odp, int page);

/* What they call */
static int mlx5_lookup(struct hmm_range *range, unsigned long timeout);
static int mlx5_umr(struct mlx5_ib_mr *mr, u64 idx, int npages, int flags);

#include "base.h"

static void mlx5_set_seq(struct mmu_interval_notifier *notifier, unsigned long seq);

#define mmu_interval_set_seq	mlx5_set_seq
#include <drivers/infiniband/core/umem_odp.c>
#include <drivers/infiniband/hw/mlx5/odp.c>
#undef mmu_interval_set_seq
#undef hmm_range_fault
#undef hmm_range_fault_unlocked_timeout

#define MLX5_PAGES	32
/* UMR writes MTTs in units of that many */
#define MLX5_UNIT	(MLX5_UMR_FLEX_ALIGNMENT / sizeof(struct mlx5_mtt))

struct mlx5_hca {
	struct mlx5_ib_mr mr;
	struct ib_device ibdev;
	struct ib_umem_odp *odp;
	unsigned long start, end;
	__be64 mtt[MLX5_PAGES];
	/* Since when the process has had the pages in there, see users.h */
	unsigned long mtt_since[MLX5_PAGES], dma_since[MLX5_PAGES], since;
	bool dma_known[MLX5_PAGES];
	/* The mkey: no access by the HCA, whatever the MTTs are */
	bool revoked;
	int umrs, lookups;
	/* A UMR writes so many MTTs at a time, all at once if it is 0. */
	int chunk;
	/* UMRs fail, and leave the MTTs as they are */
	int umr_error;
	bool busy;
	struct completion done, held;
	struct task_struct *holder;
	/* Called once, when a page fault has looked up the pages */
	void (*in_fault)(struct kunit *test, struct mlx5_hca *hca);
	/* Called once, when it has read the page tables and not yet said what is there */
	void (*in_walk)(struct kunit *test, struct mlx5_hca *hca);
	/* The process has nothing mapped there. */
	bool gone;
	/* Pages of 2 MiB are there, of this number on; or of PAGE_SIZE, if they are small. */
	unsigned long huge;
	bool small;
};

static struct mlx5_hca *mlx5_hca_of(struct mmu_interval_notifier *notifier)
{
	struct ib_umem_odp *odp = container_of(notifier, struct ib_umem_odp, notifier);

	return container_of((struct mlx5_ib_mr *)odp->private, struct mlx5_hca, mr);
}

/* Which entries of the list are new, and of what was looked up last */
static void mlx5_note_pages(struct mlx5_hca *hca)
{
	int i;

	for (i = 0; i < ib_umem_odp_num_pages(hca->odp); i++) {
		bool present = mlx5_present(hca->odp, i);

		if (present && !hca->dma_known[i])
			hca->dma_since[i] = hca->since;
		hca->dma_known[i] = present;
	}
}

/* The pages that the HCA can reach though the process has given them up */
static int mlx5_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	struct mlx5_hca *hca = arg;
	int i, n = 0;

	for (i = 0; i < ib_umem_odp_num_pages(hca->odp) && !hca->revoked; i++) {
		unsigned long addr = hca->start + ((unsigned long)i << hca->odp->page_shift);
		unsigned long size = 1UL << hca->odp->page_shift, at;

		if (!hca->mtt[i])
			continue;
		for (at = max(addr, start); at < min(addr + size, end); at += PAGE_SIZE)
			n += users_given_up(at, hca->mtt_since[i]);
	}
	return n;
}

/*
 * What follows in the driver is umem_mutex, so what the hook does comes between the
 * page fault's look at the page tables and its writing of MTTs.
 */
static int mlx5_lookup(struct hmm_range *range, unsigned long timeout)
{
	struct mlx5_hca *hca = mlx5_hca_of(range->notifier);
	void (*hook)(struct kunit *test, struct mlx5_hca *hca);
	int ret;

	users_point();
	users_settle();
	mlx5_note_pages(hca);
	hca->since = users_now();
	ret = mlx5_walk(hca, range, timeout);
	users_point();
	hook = hca->in_fault;

	hca->lookups++;
	hca->in_fault = NULL;
	if (hook)
		hook(kunit_get_current_test(), hca);
	return ret;
}

/* By the callback only, and under the lock under which a page fault looks at it */
static void mlx5_set_seq(struct mmu_interval_notifier *notifier, unsigned long seq)
{
	struct ib_umem_odp *odp = container_of(notifier, struct ib_umem_odp, notifier);

	lockdep_assert_held(&odp->umem_mutex);
	users_set_seq(notifier, seq);
}

/* Sleeps as the real one does, and for as long as the HCA is busy. */
static int mlx5_umr(struct mlx5_ib_mr *mr, u64 idx, int npages, int flags)
{
	struct mlx5_hca *hca = container_of(mr, struct mlx5_hca, mr);
	int skip = idx % MLX5_UNIT, n, i;
	__be64 xlt[MLX5_PAGES] = {};
	int err;

	might_sleep();
	lockdep_assert_held(&hca->odp->umem_mutex);
	users_point();
	if (hca->busy)
		wait_for_completion(&hca->done);
	if (hca->umr_error) {
		users_failure("UMR failed");
		return hca->umr_error;
	}

	idx -= skip;
	npages = min_t(u64, ALIGN(npages + skip, MLX5_UNIT),
		       ib_umem_odp_num_pages(hca->odp) - idx);
	/* As the real one: with one buffer, which is cleared once */
	for (; npages > 0; npages -= n, idx += n) {
		n = min(npages, hca->chunk ?: npages);
		err = mlx5_populate(xlt, idx, n, mr, flags);
		if (err)
			return err;
		memcpy(&hca->mtt[idx], xlt, n * sizeof(hca->mtt[0]));
		mlx5_note_pages(hca);
		for (i = idx; i < idx + n; i++)
			hca->mtt_since[i] = hca->dma_since[i];
	}
	hca->umrs++;
	users_point();
	return 0;
}

static void mlx5_let_go(void *arg)
{
	struct mlx5_hca *hca = arg;

	complete_all(&hca->done);
}

/*
 * Holds umem_mutex until it is told to let go. A thread of its own, as the caller
 * of users_call() must not hold the mutex: that one allocates memory, and would
 * make lockdep believe that the driver does so with the mutex held.
 */
static int mlx5_holder(void *data)
{
	struct mlx5_hca *hca = data;

	mutex_lock(&hca->odp->umem_mutex);
	complete(&hca->held);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(HZ / 50);
	mutex_unlock(&hca->odp->umem_mutex);
	return 0;
}

static void mlx5_hold(struct kunit *test, struct mlx5_hca *hca)
{
	struct task_struct *task;

	init_completion(&hca->held);
	task = kthread_run(mlx5_holder, hca, "lab-mlx5");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	hca->holder = task;
	wait_for_completion(&hca->held);
}

/* Also if it was let go already */
static void mlx5_unhold(void *arg)
{
	struct mlx5_hca *hca = arg;

	if (hca->holder)
		kthread_stop(hca->holder);
	hca->holder = NULL;
}

static void mlx5_release(void *arg)
{
	ib_umem_odp_release(arg);
}

/* A memory region of @pages pages of a new mapping, of which none is mapped */
static struct mlx5_hca *mlx5_hca_new(struct kunit *test, int pages, int access)
{
	struct mlx5_hca *hca = kunit_kzalloc(test, sizeof(*hca), GFP_KERNEL);
	size_t size = PAGE_SIZE;

	KUNIT_ASSERT_NOT_NULL(test, hca);
	if (access & IB_ACCESS_HUGETLB)
		size = HPAGE_SIZE;
	users_mm(test);
	/* Room to align it in */
	hca->start = kunit_vm_mmap(test, NULL, 0, (pages + 1) * size,
				   PROT_READ | PROT_WRITE,
				   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, hca->start, 0);
	hca->start = ALIGN(hca->start, size);
	mlx5_base_init(test, &hca->ibdev);
	hca->end = hca->start + pages * size;
	hca->odp = ib_umem_odp_get(&hca->ibdev, hca->start, pages * size,
				   access | IB_ACCESS_ON_DEMAND | IB_ACCESS_LOCAL_WRITE,
				   &mlx5_mn_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(hca->odp));
	KUNIT_ASSERT_EQ(test, ib_umem_odp_num_pages(hca->odp), pages);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mlx5_release, hca->odp), 0);
	hca->mr.umem = &hca->odp->umem;
	hca->odp->private = &hca->mr;
	init_completion(&hca->done);
	users_judge(test, "mlx5_ib_invalidate_range", mlx5_reach_given_up, hca);
	return hca;
}

static unsigned long mlx5_addr(struct mlx5_hca *hca, long page)
{
	return hca->start + (page << hca->odp->page_shift);
}

/* What the HCA's page faults do */
static void mlx5_map(struct kunit *test, struct mlx5_hca *hca, int page, int pages)
{
	KUNIT_ASSERT_EQ(test, pages,
			mlx5_page_fault(&hca->mr, hca->odp, mlx5_addr(hca, page),
					pages * PAGE_SIZE, 0));
}

static int mlx5_reached(struct mlx5_hca *hca)
{
	int i, n = 0;

	for (i = 0; i < ib_umem_odp_num_pages(hca->odp); i++)
		n += !!hca->mtt[i];
	return n;
}

static struct users_call mlx5_call(struct kunit *test, struct mlx5_hca *hca,
				   enum users_state state, unsigned long start,
				   unsigned long end)
{
	return (struct users_call) {
		.callback = "mlx5_ib_invalidate_range", .state = state,
		.interval = &hca->odp->notifier, .mm = users_mm(test),
		.start = start, .end = end,
	};
}

/* Whatever the outcome, a non-blocking call changes nothing but the sequence. */
static void mlx5_asks(struct kunit *test, struct mlx5_hca *hca, unsigned long start,
		      unsigned long end, bool success)
{
	struct users_call call = mlx5_call(test, hca, success ? USERS_IDLE : USERS_BUSY,
					   start, end);
	size_t size = ib_umem_odp_num_pages(hca->odp) * sizeof(*mlx5_list(hca->odp));
	void *list = kunit_kmalloc(test, size, GFP_KERNEL);
	int npages = hca->odp->npages, umrs = hca->umrs;
	__be64 mtt[MLX5_PAGES];

	KUNIT_ASSERT_NOT_NULL(test, list);
	memcpy(list, mlx5_list(hca->odp), size);
	memcpy(mtt, hca->mtt, sizeof(mtt));
	if (success) {
		users_succeeds(test, &call, true);
	} else {
		users_refuses(test, &call);
		/* users_call() sets it to 1 before */
		KUNIT_EXPECT_NE(test, hca->odp->notifier.invalidate_seq, 1);
	}
	KUNIT_EXPECT_EQ(test, npages, hca->odp->npages);
	KUNIT_EXPECT_EQ(test, umrs, hca->umrs);
	KUNIT_EXPECT_MEMEQ(test, list, mlx5_list(hca->odp), size);
	KUNIT_EXPECT_MEMEQ(test, mtt, hca->mtt, sizeof(mtt));
}

static void mlx5_blocks(struct kunit *test, struct mlx5_hca *hca, unsigned long start,
			unsigned long end, bool waits)
{
	struct users_call call = mlx5_call(test, hca, USERS_BLOCKING, start, end);
	struct users_outcome out;

	call.let_go = mlx5_let_go;
	call.arg = hca;
	out = users_blocks(test, &call);
	KUNIT_EXPECT_EQ(test, out.waited, waits);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
}

static void mlx5_held_refuses(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct users_call call = mlx5_call(test, hca, USERS_HELD, hca->start, hca->end);

	/* The page fault path holds it while it writes MTTs */
	call.let_go = mlx5_unhold;
	call.arg = hca;
	mlx5_hold(test, hca);
	users_refuses(test, &call);
	mlx5_unhold(hca);

	mlx5_map(test, hca, 3, 1);
	mlx5_hold(test, hca);
	users_refuses(test, &call);
	mlx5_unhold(hca);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 1);
}

static void mlx5_held_blocks(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct users_call call = mlx5_call(test, hca, USERS_BLOCKING, hca->start,
					   hca->end);
	struct users_outcome out;

	mlx5_map(test, hca, 3, 1);
	call.let_go = mlx5_unhold;
	call.arg = hca;
	mlx5_hold(test, hca);
	out = users_blocks(test, &call);
	mlx5_unhold(hca);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
}

static void mlx5_empty_succeeds(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_asks(test, hca, hca->start, hca->end, true);
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	KUNIT_EXPECT_EQ(test, hca->umrs, 0);

	/* Faulted in and invalidated again */
	mlx5_map(test, hca, 0, MLX5_PAGES);
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	mlx5_asks(test, hca, hca->start, hca->end, true);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
}

static void mlx5_mapped_refuses(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 0, MLX5_PAGES);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), MLX5_PAGES);
	mlx5_asks(test, hca, hca->start, hca->end, false);
	mlx5_asks(test, hca, hca->start, hca->end, false);
}

static void mlx5_other_part_succeeds(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 4, 8);
	mlx5_asks(test, hca, mlx5_addr(hca, 12), hca->end, true);
	mlx5_asks(test, hca, hca->start, mlx5_addr(hca, 4), true);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 8);
	/* Nothing that was done so far is in the way of that */
	mlx5_map(test, hca, 16, 2);
	mlx5_asks(test, hca, mlx5_addr(hca, 12), hca->end, false);
}

static void mlx5_edges(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	static const int pages[] = { 0, 13, MLX5_PAGES - 1 };
	unsigned long below, above;
	int i;

	/* The range may stick out of the region, and does as a rule */
	below = hca->start - 16 * PAGE_SIZE;
	above = hca->end + 16 * PAGE_SIZE;

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		int page = pages[i];

		mlx5_map(test, hca, page, 1);
		mlx5_asks(test, hca, mlx5_addr(hca, page), mlx5_addr(hca, page + 1), false);
		mlx5_asks(test, hca, below, mlx5_addr(hca, page + 1), false);
		mlx5_asks(test, hca, mlx5_addr(hca, page), above, false);
		mlx5_asks(test, hca, below, above, false);
		if (page)
			mlx5_asks(test, hca, below, mlx5_addr(hca, page), true);
		if (page < MLX5_PAGES - 1)
			mlx5_asks(test, hca, mlx5_addr(hca, page + 1), above, true);
		mlx5_blocks(test, hca, below, above, false);
		KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
	}
}

/* As a page of 2 MiB would be mapped; that there is none does not matter here */
static void mlx5_fake_huge(struct mlx5_hca *hca, int page)
{
	mutex_lock(&hca->odp->umem_mutex);
	hca->since = users_now();
	mlx5_fake_entry(hca->odp, page);
	mlx5_umr(&hca->mr, page, 1, 0);
	mutex_unlock(&hca->odp->umem_mutex);
}

static void mlx5_cut_huge_pages(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, 8, IB_ACCESS_HUGETLB);
	unsigned long third;

	KUNIT_ASSERT_EQ(test, hca->odp->page_shift, HPAGE_SHIFT);
	third = mlx5_addr(hca, 3);
	mlx5_fake_huge(hca, 3);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 1);

	/* A part of it: first, middle and last page */
	mlx5_asks(test, hca, third, third + PAGE_SIZE, false);
	mlx5_asks(test, hca, third + 5 * PAGE_SIZE, third + 6 * PAGE_SIZE, false);
	mlx5_asks(test, hca, third + HPAGE_SIZE - PAGE_SIZE, third + HPAGE_SIZE, false);
	/* It and the neighbours, neither end aligned, the tail shorter than the head */
	mlx5_asks(test, hca, third - PAGE_SIZE, third + PAGE_SIZE, false);
	mlx5_asks(test, hca, third - HPAGE_SIZE / 2, third + PAGE_SIZE, false);
	mlx5_asks(test, hca, third + HPAGE_SIZE - PAGE_SIZE, hca->end, false);
	/* Right beside it */
	mlx5_asks(test, hca, third - PAGE_SIZE, third, true);
	mlx5_asks(test, hca, hca->start + PAGE_SIZE, third, true);
	mlx5_asks(test, hca, third + HPAGE_SIZE, third + HPAGE_SIZE + PAGE_SIZE, true);

	mlx5_blocks(test, hca, hca->start, hca->end, false);
	mlx5_asks(test, hca, hca->start, hca->end, true);
}

/* Nothing is mapped yet, so the OOM reaper may have the pages: the fault starts over. */
static void mlx5_reaped_in_fault(struct kunit *test, struct mlx5_hca *hca)
{
	mlx5_asks(test, hca, hca->start, hca->end, true);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
}

static void mlx5_fault_under_way(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	hca->in_fault = mlx5_reaped_in_fault;
	mlx5_map(test, hca, 3, 4);
	KUNIT_EXPECT_EQ(test, hca->lookups, 2);
	KUNIT_EXPECT_EQ(test, hca->umrs, 1);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 4);
	/* It is mapped now */
	mlx5_asks(test, hca, hca->start, hca->end, false);
}

/* The pages that are being faulted are in a part that has none mapped */
static void mlx5_part_reaped_in_fault(struct kunit *test, struct mlx5_hca *hca)
{
	mlx5_asks(test, hca, mlx5_addr(hca, 8), hca->end, true);
	mlx5_asks(test, hca, hca->start, mlx5_addr(hca, 8), false);
}

static void mlx5_fault_under_way_beside(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 0, 2);
	hca->lookups = 0;
	hca->umrs = 0;
	hca->in_fault = mlx5_part_reaped_in_fault;
	mlx5_map(test, hca, 10, 2);
	KUNIT_EXPECT_EQ(test, hca->lookups, 2);
	KUNIT_EXPECT_EQ(test, hca->umrs, 1);
	mlx5_asks(test, hca, mlx5_addr(hca, 8), hca->end, false);
}

/* A refusal, too, has a fault start over: who refuses has set the sequence before. */
static void mlx5_refused_in_fault(struct kunit *test, struct mlx5_hca *hca)
{
	mlx5_asks(test, hca, hca->start, hca->end, false);
}

static void mlx5_fault_under_way_refused(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 0, 1);
	hca->lookups = 0;
	hca->in_fault = mlx5_refused_in_fault;
	mlx5_map(test, hca, 1, 1);
	KUNIT_EXPECT_EQ(test, hca->lookups, 2);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 2);
}

static void mlx5_read_only_refuses(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	KUNIT_ASSERT_EQ(test, 1, mlx5_page_fault(&hca->mr, hca->odp, hca->start, PAGE_SIZE,
						 MLX5_PF_FLAGS_DOWNGRADE));
	mlx5_asks(test, hca, hca->start, hca->end, false);
	/* And if it is upgraded */
	mlx5_map(test, hca, 0, 1);
	mlx5_asks(test, hca, hca->start, hca->end, false);
}

/* An ordinary invalidation zapped more than it clears from the list, as UMR does */
static void mlx5_zapped_neighbour_refuses(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 0, 2);
	mlx5_blocks(test, hca, hca->start, mlx5_addr(hca, 1), false);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 1);
	mlx5_asks(test, hca, hca->start, mlx5_addr(hca, 1), true);
	mlx5_asks(test, hca, hca->start, hca->end, false);
}

/* Deregistering has revoked the mkey, and has yet to unmap the pages: they go before. */
static void mlx5_revoked_is_unmapped(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	int umrs;

	mlx5_map(test, hca, 0, 4);
	umrs = hca->umrs;
	mutex_lock(&hca->odp->umem_mutex);
	hca->revoked = true;
	hca->odp->private = NULL;
	mutex_unlock(&hca->odp->umem_mutex);
	mlx5_blocks(test, hca, mlx5_addr(hca, 2), hca->end, false);
	KUNIT_EXPECT_TRUE(test, mlx5_present(hca->odp, 1));
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 2));
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 3));
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 2);
	mlx5_asks(test, hca, hca->start, hca->end, false);
	mlx5_asks(test, hca, mlx5_addr(hca, 2), hca->end, true);
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 0);
	KUNIT_EXPECT_EQ(test, hca->umrs, umrs);
}

/* The child of an implicit region is dropped when it is found empty, if blocking */
static void mlx5_implicit_child(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct mlx5_ib_mr *parent = kunit_kzalloc(test, sizeof(*parent), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, parent);
	/* The parent is on its way out: nobody else destroys its children */
	refcount_set(&parent->mmkey.usecount, 0);
	hca->mr.parent = parent;
	mlx5_asks(test, hca, hca->start, hca->end, true);
	mlx5_map(test, hca, 0, 1);
	mlx5_asks(test, hca, mlx5_addr(hca, 1), hca->end, true);
	mlx5_asks(test, hca, hca->start, hca->end, false);
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 0);
}

static void mlx5_busy_blocks(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 0, 4);
	hca->busy = true;
	mlx5_asks(test, hca, hca->start, hca->end, false);
	mlx5_blocks(test, hca, hca->start, hca->end, true);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 0);
}

/* Two blocks with a gap in between, one of which ends before the range does */
static void mlx5_refused_then_blocking(struct kunit *test)
{
	struct mlx5_hca *hca[2];
	int i;

	for (i = 0; i < 2; i++) {
		hca[i] = mlx5_hca_new(test, MLX5_PAGES, 0);
		mlx5_map(test, hca[i], 1, 4);
		mlx5_map(test, hca[i], 20, 2);
		mlx5_map(test, hca[i], 30, 2);
		hca[i]->umrs = 0;
	}
	mlx5_asks(test, hca[1], hca[1]->start, mlx5_addr(hca[1], 21), false);
	for (i = 0; i < 2; i++) {
		mlx5_blocks(test, hca[i], hca[i]->start, mlx5_addr(hca[i], 21), false);
		KUNIT_EXPECT_EQ(test, hca[i]->umrs, 2);
		KUNIT_EXPECT_EQ(test, hca[i]->odp->npages, 3);
		KUNIT_EXPECT_EQ(test, atomic64_read(&hca[i]->mr.odp_stats.invalidations),
				atomic64_read(&hca[0]->mr.odp_stats.invalidations));
		KUNIT_EXPECT_TRUE(test, mlx5_present(hca[i]->odp, 21));
		KUNIT_EXPECT_TRUE(test, mlx5_present(hca[i]->odp, 30));
		KUNIT_EXPECT_FALSE(test, mlx5_present(hca[i]->odp, 20));
		KUNIT_EXPECT_FALSE(test, hca[i]->mtt[20]);
	}
	/* Only what was invalidated is free to go */
	mlx5_asks(test, hca[1], hca[1]->start, mlx5_addr(hca[1], 21), true);
	mlx5_asks(test, hca[1], hca[1]->start, mlx5_addr(hca[1], 22), false);
}

/* By a process that lives: while the HCA is busy, and with nothing mapped */
static void mlx5_rehearsed(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct users_call call = mlx5_call(test, hca, USERS_BLOCKING, hca->start,
					   hca->end);

	call.mm = current->mm;
	call.let_go = mlx5_let_go;
	call.arg = hca;
	mlx5_map(test, hca, 0, 4);
	hca->busy = true;
	hca->umrs = 0;
	KUNIT_EXPECT_TRUE(test, users_rehearses(test, &call).waited);
	KUNIT_EXPECT_EQ(test, hca->umrs, 1);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 0);

	KUNIT_EXPECT_FALSE(test, users_rehearses(test, &call).waited);
	KUNIT_EXPECT_EQ(test, hca->umrs, 1);
}

/*
 * The UMR fails, the pages are unmapped and given up all the same. Pages that the
 * process has had there since are another matter.
 */
static void mlx5_failed_umr(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct users_call call = mlx5_call(test, hca, USERS_BLOCKING, hca->start, hca->end);

	mlx5_map(test, hca, 0, 4);
	hca->umr_error = -EIO;
	mlx5_asks(test, hca, hca->start, hca->end, false);
	call.hole = "M1";
	users_blocks(test, &call);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 4);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 0);
}

/* The static one, or without the patch a stub */
extern bool odp_range_is_mapped(struct ib_umem_odp *umem_odp,
				const struct mmu_notifier_range *range);

static void mlx5_look_unlocked(void *arg)
{
	struct mlx5_hca *hca = arg;
	struct mmu_notifier_range range = { .start = hca->start, .end = hca->end };

	odp_range_is_mapped(hca->odp, &range);
}

static void mlx5_looks_under_the_mutex(struct kunit *test)
{
	users_reports(test, "looks without umem_mutex", mlx5_look_unlocked,
		      mlx5_hca_new(test, MLX5_PAGES, 0));
}

/* A range that cuts one page in its second half, and the next one in its first half */
static void mlx5_cut_both_ends(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, 8, IB_ACCESS_HUGETLB);

	mlx5_fake_huge(hca, 3);
	mlx5_fake_huge(hca, 4);
	mlx5_fake_huge(hca, 6);
	mlx5_blocks(test, hca, mlx5_addr(hca, 3) + HPAGE_SIZE / 2,
		    mlx5_addr(hca, 4) + PAGE_SIZE, false);
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 3));
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 4));
	KUNIT_EXPECT_FALSE(test, hca->mtt[3]);
	KUNIT_EXPECT_FALSE(test, hca->mtt[4]);
	/* UMR has zapped the MTT of page 6, too, which is not given up. */
	KUNIT_EXPECT_TRUE(test, mlx5_present(hca->odp, 6));
}

/* The same by umem_odp alone, as a driver without page tables of its own calls it */
static void mlx5_umem_cut_both_ends(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, 8, IB_ACCESS_HUGETLB);

	mlx5_fake_huge(hca, 3);
	mlx5_fake_huge(hca, 4);
	mlx5_fake_huge(hca, 6);
	mutex_lock(&hca->odp->umem_mutex);
	ib_umem_odp_unmap_dma_pages(hca->odp, mlx5_addr(hca, 3) + HPAGE_SIZE / 2,
				    mlx5_addr(hca, 4) + PAGE_SIZE);
	mutex_unlock(&hca->odp->umem_mutex);
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 3));
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 4));
	KUNIT_EXPECT_TRUE(test, mlx5_present(hca->odp, 6));
	/* For the judge: nothing of that was given up. */
	mlx5_blocks(test, hca, hca->start, hca->end, false);
}

/* Paths, interrupted */

static void mlx5_fault_interrupted(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct users_call call = mlx5_call(test, hca, USERS_BUSY, hca->start, hca->end);

	users_path(test, "pagefault_real_mr", &call);
	mlx5_map(test, hca, 3, 4);
	users_path_end(test);
	KUNIT_EXPECT_LE(test, mlx5_reached(hca), 4);
}

/* Beside what is mapped already: UMR writes more than what was faulted in. */
static void mlx5_second_fault_interrupted(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct users_call call = mlx5_call(test, hca, USERS_BUSY, mlx5_addr(hca, 2),
					   mlx5_addr(hca, 6));

	mlx5_map(test, hca, 0, 2);
	users_path(test, "pagefault_real_mr beside others", &call);
	mlx5_map(test, hca, 3, 2);
	users_path_end(test);
}

/* munmap() by a thread of the process */
static void mlx5_invalidation_interrupted(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct users_call call = mlx5_call(test, hca, USERS_BUSY, hca->start, hca->end);

	mlx5_map(test, hca, 0, 2);
	mlx5_map(test, hca, 20, 2);
	users_path(test, "mlx5_ib_invalidate_range", &call);
	users_blocks_here(test, &call);
	users_path_end(test);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
}

#include "base-cases.h"

static struct kunit_case mlx5_cases[] = {
#include "base-list.h"
	KUNIT_CASE(mlx5_held_refuses),
	KUNIT_CASE(mlx5_held_blocks),
	KUNIT_CASE(mlx5_empty_succeeds),
	KUNIT_CASE(mlx5_mapped_refuses),
	KUNIT_CASE(mlx5_other_part_succeeds),
	KUNIT_CASE(mlx5_edges),
	KUNIT_CASE(mlx5_cut_huge_pages),
	KUNIT_CASE(mlx5_cut_both_ends),
	KUNIT_CASE(mlx5_umem_cut_both_ends),
	KUNIT_CASE(mlx5_fault_under_way),
	KUNIT_CASE(mlx5_fault_under_way_beside),
	KUNIT_CASE(mlx5_fault_under_way_refused),
	KUNIT_CASE(mlx5_read_only_refuses),
	KUNIT_CASE(mlx5_zapped_neighbour_refuses),
	KUNIT_CASE(mlx5_revoked_is_unmapped),
	KUNIT_CASE(mlx5_implicit_child),
	KUNIT_CASE(mlx5_busy_blocks),
	KUNIT_CASE(mlx5_refused_then_blocking),
	KUNIT_CASE(mlx5_rehearsed),
	KUNIT_CASE(mlx5_failed_umr),
	KUNIT_CASE(mlx5_looks_under_the_mutex),
	KUNIT_CASE_PARAM(mlx5_fault_interrupted, users_points),
	KUNIT_CASE_PARAM(mlx5_second_fault_interrupted, users_points),
	KUNIT_CASE_PARAM(mlx5_invalidation_interrupted, users_points),
	{}
};

USERS_SUITE(mlx5, mlx5_cases);
