// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5's on-demand paging: drivers/infiniband/hw/mlx5/odp.c and mr.c, with the real
 * drivers/infiniband/core/umem_odp.c below them. Pages of a real address space are
 * faulted in by the real page fault path. The HCA is the mkeys, each with its MTTs.
 */
#include "drivers.h"
#include <kunit/test-bug.h>
#include <linux/hmm.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/srcu.h>
#include "points.h"
#undef mmu_interval_set_seq

struct ib_mr;
struct ib_pd;
struct ib_umem_odp;
struct mlx5_hca;
struct mlx5_ib_dev;
struct mlx5_ib_mr;

/* What is different from base to base; defined in base.h and base-cases.h */
static int mlx5_walk(struct mlx5_hca *hca, struct hmm_range *range, unsigned long timeout);
static int mlx5_populate(void *xlt, size_t idx, size_t nr, struct mlx5_ib_mr *mr, int flags);
static int mlx5_page_fault(struct mlx5_ib_mr *mr, struct ib_umem_odp *odp, u64 addr,
			   size_t size, u32 flags);
static void mlx5_fake_entry(struct ib_umem_odp *odp, int page);
static struct ib_mr *mlx5_reg(struct ib_pd *pd, u64 start, u64 length, int access);
static int mlx5_keys_init(struct mlx5_ib_dev *dev);
static void mlx5_keys_cleanup(struct mlx5_ib_dev *dev);

/* What they call */
static int mlx5_lookup(struct hmm_range *range, unsigned long timeout);
static int mlx5_umr(struct mlx5_ib_mr *mr, u64 idx, int npages, int flags);

/*
 * The notifiers that the core would call, whosever they are: children of an implicit
 * region come and go in the middle of a path.
 */
static struct mmu_interval_notifier *mlx5_inserted[8];
DEFINE_STATIC_SRCU(mlx5_srcu);

static int mlx5_insert(struct mmu_interval_notifier *notifier, struct mm_struct *mm,
		       unsigned long start, unsigned long length,
		       const struct mmu_interval_notifier_ops *ops)
{
	int ret, i;

	drivers_point();
	ret = mmu_interval_notifier_insert(notifier, mm, start, length, ops);
	for (i = 0; !ret && i < ARRAY_SIZE(mlx5_inserted); i++)
		if (!cmpxchg(&mlx5_inserted[i], NULL, notifier))
			break;
	WARN_ON_ONCE(i == ARRAY_SIZE(mlx5_inserted));
	drivers_point();
	return ret;
}

/* Its pages are unmapped, and its list goes: nothing is left for the judge to look at. */
static void mlx5_unmapped(struct mmu_interval_notifier *notifier);

/* As the core: when this returns no callback is under way. */
static void mlx5_remove(struct mmu_interval_notifier *notifier)
{
	int i;

	drivers_point();
	for (i = 0; i < ARRAY_SIZE(mlx5_inserted); i++)
		cmpxchg(&mlx5_inserted[i], notifier, NULL);
	synchronize_srcu(&mlx5_srcu);
	mmu_interval_notifier_remove(notifier);
	drivers_point();
	mlx5_unmapped(notifier);
}

/* Children that were dropped, and prefetches: a case does that work, if it wants to. */
static LIST_HEAD(mlx5_works);
static DEFINE_SPINLOCK(mlx5_works_lock);
/* How many there were */
static int mlx5_dropped;

static bool mlx5_queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	spin_lock(&mlx5_works_lock);
	list_add_tail(&work->entry, &mlx5_works);
	mlx5_dropped++;
	spin_unlock(&mlx5_works_lock);
	return true;
}

static struct work_struct *mlx5_next_work(void)
{
	struct work_struct *work;

	spin_lock(&mlx5_works_lock);
	work = list_first_entry_or_null(&mlx5_works, struct work_struct, entry);
	if (work)
		list_del_init(&work->entry);
	spin_unlock(&mlx5_works_lock);
	return work;
}

static void mlx5_work(void)
{
	struct work_struct *work;

	while ((work = mlx5_next_work()))
		work->func(work);
}

/* At the begin of a case: what is left of the last one has gone. */
static void mlx5_no_work(void)
{
	INIT_LIST_HEAD(&mlx5_works);
	mlx5_dropped = 0;
}

#include "base.h"

static void mlx5_set_seq(struct mmu_interval_notifier *notifier, unsigned long seq);

#define mmu_interval_set_seq	mlx5_set_seq
#define mmu_interval_notifier_insert	mlx5_insert
#define mmu_interval_notifier_remove	mlx5_remove
#define queue_work		mlx5_queue_work
/* mlx5_ib_odp_init() is called by cases. */
#undef __init
#define __init
#include <drivers/infiniband/core/umem_odp.c>
#include <drivers/infiniband/hw/mlx5/odp.c>
#undef mmu_interval_set_seq
#undef mmu_interval_notifier_insert
#undef mmu_interval_notifier_remove
#undef queue_work
#undef hmm_range_fault
#undef hmm_range_fault_unlocked_timeout

/* What mr.c allocates and frees, of which a region is more than it knows */
static void *mlx5_mr_zalloc(size_t size, gfp_t gfp);
static void mlx5_mr_free(const void *p);
static void mlx5_wait_for_users(struct mlx5_ib_mkey *key);

#undef kzalloc
#undef kzalloc_obj
#define kzalloc(size, gfp)		mlx5_mr_zalloc(size, gfp)
#define kzalloc_obj(obj, ...)		((typeof(obj) *)mlx5_mr_zalloc(sizeof(obj), GFP_KERNEL))
#define kfree(p)			mlx5_mr_free(p)
#define mlx5r_deref_wait_odp_mkey(key)	mlx5_wait_for_users(key)
#include <drivers/infiniband/hw/mlx5/mr.c>
#undef kfree
#undef mlx5r_deref_wait_odp_mkey

#define MLX5_PAGES	32
/* UMR writes MTTs in units of that many */
#define MLX5_UNIT	(MLX5_UMR_FLEX_ALIGNMENT / sizeof(struct mlx5_mtt))

/*
 * What the HCA has under one mkey: the MTTs stay when it is revoked, and are written
 * anew for the region that gets it next.
 */
struct mlx5_key {
	struct list_head list;
	u32 base;
	/* If it is not, no access by the HCA, whatever the MTTs are */
	bool enabled;
	__be64 mtt[MLX5_PAGES];
	/* The addresses of these pages, and since when the process has had them, see drivers.h */
	unsigned long addr[MLX5_PAGES], size[MLX5_PAGES], since[MLX5_PAGES];
};

/*
 * A memory region: as a rule all of it is looked at, of a child of an implicit one
 * MLX5_PAGES entries, and of the implicit one the keys of two children.
 */
struct mlx5_hca {
	/* First: mr.c frees it by that. */
	struct mlx5_ib_mr mr;
	struct list_head list;
	struct mlx5_key *key;
	/* How many entries of it are looked at */
	int pages;
	/* Its first entry that is looked at, and its first child */
	unsigned long first;
	u32 ksm[2];
	struct ib_device ibdev;
	struct ib_umem_odp *odp;
	unsigned long start, end;
	/* Of the mkey */
	__be64 *mtt;
	/* Since when the process has had the pages in the list, see drivers.h */
	unsigned long dma_since[MLX5_PAGES], since;
	bool dma_known[MLX5_PAGES];
	int umrs, lookups;
	/* Entries that the last UMR was to zap, and UMRs that allocate as if no lock was held */
	int zapped, reclaims;
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

/* What the HCA fails at, whichever region it is for; or has done, and says it has not */
static struct {
	int umr, revoke, destroy;
	bool late;
	/* It has broken down, and nothing is asked of it any more. */
	bool dead;
} mlx5_fails;

static void mlx5_bind(struct mlx5_hca *hca);

static struct mlx5_hca *mlx5_hca_of(struct mmu_interval_notifier *notifier)
{
	struct ib_umem_odp *odp = container_of(notifier, struct ib_umem_odp, notifier);

	return container_of((struct mlx5_ib_mr *)odp->private, struct mlx5_hca, mr);
}

/* The regions and the mkeys that there are */
static LIST_HEAD(mlx5_mrs);
static LIST_HEAD(mlx5_keys);
static DEFINE_SPINLOCK(mlx5_mrs_lock);

static void mlx5_add_mr(struct mlx5_hca *hca)
{
	spin_lock(&mlx5_mrs_lock);
	list_add_tail(&hca->list, &mlx5_mrs);
	spin_unlock(&mlx5_mrs_lock);
}

static void mlx5_del_mr(struct mlx5_hca *hca)
{
	spin_lock(&mlx5_mrs_lock);
	list_del_init(&hca->list);
	spin_unlock(&mlx5_mrs_lock);
}

static void mlx5_unmapped(struct mmu_interval_notifier *notifier)
{
	struct mlx5_hca *hca;

	spin_lock(&mlx5_mrs_lock);
	list_for_each_entry(hca, &mlx5_mrs, list) {
		if (!hca->odp || notifier != &hca->odp->notifier)
			continue;
		list_del_init(&hca->list);
		break;
	}
	spin_unlock(&mlx5_mrs_lock);
}

static void *mlx5_mr_zalloc(size_t size, gfp_t gfp)
{
	struct mlx5_hca *hca;

	if (size != sizeof(hca->mr))
		return kmalloc(size, gfp | __GFP_ZERO);
	hca = kmalloc(sizeof(*hca), gfp | __GFP_ZERO);
	if (!hca)
		return NULL;
	init_completion(&hca->done);
	mlx5_add_mr(hca);
	drivers_point();
	return &hca->mr;
}

static void mlx5_mr_free(const void *p)
{
	struct mlx5_hca *hca;

	spin_lock(&mlx5_mrs_lock);
	list_for_each_entry(hca, &mlx5_mrs, list) {
		if (hca != p)
			continue;
		list_del(&hca->list);
		break;
	}
	spin_unlock(&mlx5_mrs_lock);
	kfree(p);
}

static struct mlx5_key *mlx5_new_key(u32 mkey)
{
	struct mlx5_key *key = kmalloc(sizeof(*key), GFP_KERNEL | __GFP_ZERO);

	if (!key)
		return NULL;
	key->base = mlx5_base_mkey(mkey);
	spin_lock(&mlx5_mrs_lock);
	list_add_tail(&key->list, &mlx5_keys);
	spin_unlock(&mlx5_mrs_lock);
	return key;
}

static struct mlx5_key *mlx5_find_key(u32 mkey)
{
	struct mlx5_key *key, *found = NULL;

	spin_lock(&mlx5_mrs_lock);
	list_for_each_entry(key, &mlx5_keys, list)
		if (key->base == mlx5_base_mkey(mkey))
			found = key;
	spin_unlock(&mlx5_mrs_lock);
	return found;
}

static void mlx5_drop_key(struct mlx5_key *key)
{
	spin_lock(&mlx5_mrs_lock);
	list_del(&key->list);
	spin_unlock(&mlx5_mrs_lock);
	kfree(key);
}

/* Which entries of the list are new, and of what was looked up last */
static void mlx5_note_pages(struct mlx5_hca *hca)
{
	int i;

	for (i = 0; i < hca->pages; i++) {
		bool present = mlx5_present(hca->odp, hca->first + i);

		if (present && !hca->dma_known[i])
			hca->dma_since[i] = hca->since;
		hca->dma_known[i] = present;
	}
}

/* Of @size bytes at @addr, those in [@start, @end) that were given up, in pages */
static int mlx5_given_up(unsigned long addr, unsigned long size, unsigned long since,
			 unsigned long start, unsigned long end)
{
	unsigned long at;
	int n = 0;

	for (at = max(addr, start); at < min(addr + size, end); at += PAGE_SIZE)
		n += drivers_given_up(at, since);
	return n;
}

/* By the HCA */
static int mlx5_key_reaches(struct mlx5_key *key, unsigned long start, unsigned long end)
{
	int i, n = 0;

	for (i = 0; key->enabled && i < MLX5_PAGES; i++)
		if (key->mtt[i])
			n += mlx5_given_up(key->addr[i], key->size[i], key->since[i], start, end);
	return n;
}

/* By the driver, which marks what is in its list dirty later */
static int mlx5_list_reaches(struct mlx5_hca *hca, unsigned long start, unsigned long end)
{
	unsigned long size = BIT(hca->odp->page_shift), since;
	int i, n = 0;

	for (i = 0; i < hca->pages; i++) {
		if (!mlx5_present(hca->odp, hca->first + i))
			continue;
		since = hca->dma_known[i] ? hca->dma_since[i] : hca->since;
		n += mlx5_given_up(hca->start + i * size, size, since, start, end);
	}
	return n;
}

/* The pages that can be reached though the process has given them up */
static int mlx5_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	struct mlx5_hca *hca;
	struct mlx5_key *key;
	int n = 0;

	spin_lock(&mlx5_mrs_lock);
	list_for_each_entry(key, &mlx5_keys, list)
		n += mlx5_key_reaches(key, start, end);
	list_for_each_entry(hca, &mlx5_mrs, list)
		if (hca->odp && !hca->odp->is_implicit_odp)
			n += mlx5_list_reaches(hca, start, end);
	spin_unlock(&mlx5_mrs_lock);
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

	drivers_point();
	drivers_settle();
	mlx5_bind(hca);
	mlx5_note_pages(hca);
	hca->since = drivers_now();
	ret = mlx5_walk(hca, range, timeout);
	drivers_point();
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
	drivers_set_seq(notifier, seq);
}

/* Entries [@idx, @end) of those that are looked at, which begin and end with a unit */
static int mlx5_write_mtts(struct mlx5_hca *hca, u64 idx, u64 end, int flags)
{
	__be64 xlt[MLX5_PAGES] = {};
	int err, n, i;

	/* As the real one: with one buffer, which is cleared once */
	for (; idx < end; idx += n) {
		n = min_t(u64, end - idx, hca->chunk ?: MLX5_PAGES);
		err = mlx5_populate(xlt, hca->first + idx, n, &hca->mr, flags);
		if (err)
			return err;
		memcpy(&hca->mtt[idx], xlt, n * sizeof(hca->mtt[0]));
		mlx5_note_pages(hca);
		for (i = idx; i < idx + n; i++) {
			hca->key->addr[i] = hca->start + (i << hca->odp->page_shift);
			hca->key->size[i] = BIT(hca->odp->page_shift);
			hca->key->since[i] = hca->dma_since[i];
		}
	}
	return 0;
}

/* The children of an implicit region */
static int mlx5_write_ksms(struct mlx5_hca *hca, u64 idx, u64 end, int flags)
{
	struct mlx5_xlt_entry entry;
	int err;

	for (; idx < end; idx++) {
		err = mlx5_populate(&entry, hca->first + idx, 1, &hca->mr, flags);
		if (err)
			return err;
		hca->ksm[idx] = be32_to_cpu(entry.key);
	}
	return 0;
}

/* Sleeps as the real one does, and for as long as the HCA is busy. */
static int mlx5_umr(struct mlx5_ib_mr *mr, u64 idx, int npages, int flags)
{
	struct mlx5_hca *hca = container_of(mr, struct mlx5_hca, mr);
	bool indirect = flags & MLX5_IB_UPD_XLT_INDIRECT;
	int err, error = hca->umr_error ?: mlx5_fails.umr;
	u64 end, size;

	might_sleep();
	if (flags & MLX5_IB_UPD_XLT_ZAP)
		hca->zapped = npages;
	/* A region is not known to anybody else before it is enabled. */
	if (flags & MLX5_IB_UPD_XLT_ENABLE) {
		mlx5_bind(hca);
	} else {
		lockdep_assert_held(&hca->odp->umem_mutex);
		/* Reclaim may call the callback, which takes it. */
		hca->reclaims += !(flags & MLX5_IB_UPD_XLT_ATOMIC);
	}
	drivers_point();
	if (hca->busy)
		wait_for_completion(&hca->done);
	if (error)
		drivers_failure(mlx5_fails.late ? "UMR failed at last" : "UMR failed");
	if (error && !mlx5_fails.late)
		return error;

	end = idx + npages;
	if (!indirect) {
		idx = ALIGN_DOWN(idx, MLX5_UNIT);
		end = ALIGN(end, MLX5_UNIT);
	}
	size = indirect ? ARRAY_SIZE(hca->ksm) : hca->pages;
	idx = clamp_t(u64, idx, hca->first, hca->first + size) - hca->first;
	end = clamp_t(u64, end, hca->first, hca->first + size) - hca->first;
	if (indirect)
		err = mlx5_write_ksms(hca, idx, end, flags);
	else
		err = mlx5_write_mtts(hca, idx, end, flags);
	if (err)
		return err;
	if (flags & MLX5_IB_UPD_XLT_ENABLE)
		hca->key->enabled = true;
	hca->umrs++;
	drivers_point();
	return error;
}

static void mlx5_let_go(void *arg)
{
	struct mlx5_hca *hca = arg;

	complete_all(&hca->done);
}

/*
 * Holds umem_mutex until it is told to let go. A thread of its own, as the caller
 * of drivers_call() must not hold the mutex: that one allocates memory, and would
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
	struct mlx5_hca *hca = arg;

	ib_umem_odp_release(hca->odp);
	mlx5_del_mr(hca);
	mlx5_drop_key(hca->key);
}

/* A memory region of @pages pages of a new mapping, of which none is mapped */
static struct mlx5_hca *mlx5_hca_new(struct kunit *test, int pages, int access)
{
	struct mlx5_hca *hca = kunit_kzalloc(test, sizeof(*hca), GFP_KERNEL);
	size_t size = PAGE_SIZE;

	KUNIT_ASSERT_NOT_NULL(test, hca);
	if (access & IB_ACCESS_HUGETLB)
		size = HPAGE_SIZE;
	drivers_mm(test);
	/* Room to align it in */
	hca->start = kunit_vm_mmap(test, NULL, 0, (pages + 1) * size,
				   PROT_READ | PROT_WRITE,
				   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, hca->start, 0);
	hca->start = ALIGN(hca->start, size);
	mlx5_base_init(test, &hca->ibdev);
	mlx5_no_work();
	hca->end = hca->start + pages * size;
	hca->odp = ib_umem_odp_get(&hca->ibdev, hca->start, pages * size,
				   access | IB_ACCESS_ON_DEMAND | IB_ACCESS_LOCAL_WRITE,
				   &mlx5_mn_ops);
	KUNIT_ASSERT_FALSE(test, IS_ERR(hca->odp));
	KUNIT_ASSERT_EQ(test, ib_umem_odp_num_pages(hca->odp), pages);
	hca->pages = pages;
	hca->key = mlx5_new_key(0);
	KUNIT_ASSERT_NOT_NULL(test, hca->key);
	hca->mtt = hca->key->mtt;
	hca->key->enabled = true;
	mlx5_add_mr(hca);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mlx5_release, hca), 0);
	hca->mr.umem = &hca->odp->umem;
	hca->odp->private = &hca->mr;
	init_completion(&hca->done);
	if (list_is_singular(&mlx5_mrs))
		drivers_judge(test, "mlx5_ib_invalidate_range", mlx5_reach_given_up, NULL);
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

	for (i = 0; hca->key && i < hca->pages; i++)
		n += !!hca->mtt[i];
	return n;
}

static struct drivers_call mlx5_call(struct kunit *test, struct mlx5_hca *hca,
				     enum drivers_state state, unsigned long start,
				     unsigned long end)
{
	return (struct drivers_call) {
		.callback = "mlx5_ib_invalidate_range", .state = state,
		.interval = &hca->odp->notifier, .mm = drivers_mm(test),
		.start = start, .end = end,
	};
}

/* Whatever the outcome, a non-blocking call changes nothing but the sequence. */
static void mlx5_asks(struct kunit *test, struct mlx5_hca *hca, unsigned long start,
		      unsigned long end, bool success)
{
	struct drivers_call call = mlx5_call(test, hca, success ? DRIVERS_IDLE : DRIVERS_BUSY,
					     start, end);
	size_t size = ib_umem_odp_num_pages(hca->odp) * sizeof(*mlx5_list(hca->odp));
	void *list = kunit_kmalloc(test, size, GFP_KERNEL);
	int npages = hca->odp->npages, umrs = hca->umrs;
	__be64 mtt[MLX5_PAGES];

	KUNIT_ASSERT_NOT_NULL(test, list);
	memcpy(list, mlx5_list(hca->odp), size);
	memcpy(mtt, hca->mtt, sizeof(mtt));
	if (success) {
		drivers_succeeds(test, &call, true);
	} else {
		drivers_refuses(test, &call);
		/* drivers_call() sets it to 1 before */
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
	struct drivers_call call = mlx5_call(test, hca, DRIVERS_BLOCKING, start, end);
	struct drivers_outcome out;

	call.let_go = mlx5_let_go;
	call.arg = hca;
	out = drivers_blocks(test, &call);
	KUNIT_EXPECT_EQ(test, out.waited, waits);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_EQ(test, hca->reclaims, 0);
}

static void mlx5_held_refuses(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct drivers_call call = mlx5_call(test, hca, DRIVERS_HELD, hca->start, hca->end);

	/* The page fault path holds it while it writes MTTs */
	call.let_go = mlx5_unhold;
	call.arg = hca;
	mlx5_hold(test, hca);
	drivers_refuses(test, &call);
	mlx5_unhold(hca);

	mlx5_map(test, hca, 3, 1);
	mlx5_hold(test, hca);
	drivers_refuses(test, &call);
	mlx5_unhold(hca);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 1);
}

static void mlx5_held_blocks(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct drivers_call call = mlx5_call(test, hca, DRIVERS_BLOCKING, hca->start,
					     hca->end);
	struct drivers_outcome out;

	mlx5_map(test, hca, 3, 1);
	call.let_go = mlx5_unhold;
	call.arg = hca;
	mlx5_hold(test, hca);
	out = drivers_blocks(test, &call);
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
	hca->since = drivers_now();
	mlx5_fake_entry(hca->odp, page);
	mlx5_umr(&hca->mr, page, 1, MLX5_IB_UPD_XLT_ATOMIC);
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
	hca->key->enabled = false;
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

/* One at a time */
static struct mlx5_device {
	struct mlx5_ib_dev dev;
	struct mlx5_core_dev mdev;
	struct mlx5_hca_cap odp_cap, general_cap, general_2_cap;
	struct mlx5_ib_pd pd;
	struct mm_struct *mm;
	struct kunit *test;
} *mlx5_device;

/* An implicit region is all of the address space; its children are made by page faults. */
static struct mlx5_implicit {
	struct mlx5_hca *imr;
	/* What the process has there: so many pages on either side of @middle */
	unsigned long start, middle, end;
	/* Of the children that end, and begin, at @middle */
	unsigned long idx;
} *mlx5_implicit;

/* Regions that were destroyed, while a key of theirs was still in use */
static int mlx5_stale_keys;

/* The HCA, or a lookup, meets a region for the first time. */
static void mlx5_bind(struct mlx5_hca *hca)
{
	struct mlx5_implicit *l = mlx5_implicit;

	if (hca->key)
		return;
	hca->odp = to_ib_umem_odp(hca->mr.umem);
	hca->key = mlx5_find_key(hca->mr.mmkey.key);
	hca->mtt = hca->key->mtt;
	hca->pages = MLX5_PAGES;
	if (hca->odp->is_implicit_odp) {
		hca->first = l->idx;
		return;
	}
	hca->start = ib_umem_start(hca->odp);
	hca->end = ib_umem_end(hca->odp);
	if (hca->mr.parent && hca->start < l->middle) {
		hca->first = ib_umem_odp_num_pages(hca->odp) - MLX5_PAGES;
		hca->start = l->middle - MLX5_PAGES * PAGE_SIZE;
	}
}

/* What mr.c calls of others */

int mlx5_core_create_mkey(struct mlx5_core_dev *dev, u32 *mkey, u32 *in, int inlen)
{
	static u32 index;
	u32 new = mlx5_idx_to_mkey(++index) | mlx5_mkey_variant(*mkey);

	drivers_point();
	if (!mlx5_new_key(new))
		return -ENOMEM;
	*mkey = new;
	return 0;
}

/* The HCA knows a region by its key, and by that of the region whose child it is. */
static void mlx5_key_ends(struct mlx5_key *key)
{
	struct mlx5_hca *imr = mlx5_implicit ? mlx5_implicit->imr : NULL;
	int i;

	if (!key->enabled)
		return;
	key->enabled = false;
	for (i = 0; imr && imr->key && imr->key->enabled && i < ARRAY_SIZE(imr->ksm); i++)
		mlx5_stale_keys += mlx5_base_mkey(imr->ksm[i]) == key->base;
}

int mlx5_core_destroy_mkey(struct mlx5_core_dev *dev, u32 mkey)
{
	struct mlx5_key *key = mlx5_find_key(mkey);

	might_sleep();
	drivers_point();
	if (mlx5_fails.destroy) {
		drivers_failure("an mkey was not destroyed");
		return mlx5_fails.destroy;
	}
	KUNIT_EXPECT_NOT_NULL(mlx5_device->test, key);
	if (!key)
		return -EINVAL;
	mlx5_key_ends(key);
	mlx5_drop_key(key);
	drivers_point();
	return 0;
}

int mlx5r_umr_revoke_mr(struct mlx5_ib_mr *mr)
{
	struct mlx5_key *key = mlx5_find_key(mr->mmkey.key);

	might_sleep();
	drivers_point();
	if (mlx5_fails.dead) {
		drivers_failure("the device is in an internal error");
		return 0;
	}
	if (mlx5_fails.revoke) {
		drivers_failure("an mkey was not revoked");
		return mlx5_fails.revoke;
	}
	KUNIT_EXPECT_NOT_NULL(mlx5_device->test, key);
	if (key)
		mlx5_key_ends(key);
	drivers_point();
	return 0;
}

int mlx5r_umr_resource_init(struct mlx5_ib_dev *dev)
{
	return 0;
}

/* Of a region for on-demand paging nothing is kept. */
int ib_umem_check_rereg(struct ib_umem *umem, int flags, int new_access_flags)
{
	return 0;
}

unsigned long ib_umem_find_best_pgsz(struct ib_umem *umem, unsigned long bitmap, u64 virt)
{
	return BIT(to_ib_umem_odp(umem)->page_shift);
}

void ib_umem_release(struct ib_umem *umem)
{
	struct ib_umem_odp *odp = to_ib_umem_odp(umem);
	struct mlx5_hca *hca;

	/* The one that has no notifier */
	spin_lock(&mlx5_mrs_lock);
	list_for_each_entry(hca, &mlx5_mrs, list)
		if (hca->odp == odp && odp->is_implicit_odp)
			hca->odp = NULL;
	spin_unlock(&mlx5_mrs_lock);
	ib_umem_odp_release(odp);
}

/* For who still uses it; the workqueue goes on meanwhile. */
static void mlx5_wait_for_users(struct mlx5_ib_mkey *key)
{
	mlx5r_deref_odp_mkey(key);
	while (refcount_read(&key->usecount)) {
		mlx5_work();
		schedule_timeout_uninterruptible(1);
	}
}

/* As the core does it; if one of them refuses the OOM reaper is refused. */
static bool mlx5_invalidate_all(struct mmu_interval_notifier *unused,
				const struct mmu_notifier_range *range, unsigned long seq)
{
	bool ret = true;
	int i, idx;

	idx = srcu_read_lock(&mlx5_srcu);
	for (i = 0; i < ARRAY_SIZE(mlx5_inserted); i++) {
		struct mmu_interval_notifier *notifier = READ_ONCE(mlx5_inserted[i]);

		if (notifier && notifier->interval_tree.start < range->end &&
		    notifier->interval_tree.last >= range->start)
			ret &= mlx5_ib_invalidate_range(notifier, range, seq);
	}
	srcu_read_unlock(&mlx5_srcu, idx);
	return ret;
}

static const struct mmu_interval_notifier_ops mlx5_all_ops = {
	.invalidate = mlx5_invalidate_all,
};

static struct drivers_call mlx5_call_all(struct kunit *test, unsigned long start,
					 unsigned long end)
{
	static struct mmu_interval_notifier all;

	return (struct drivers_call) {
		.callback = "mlx5_ib_invalidate_range", .state = DRIVERS_BUSY,
		.interval = &all, .interval_ops = &mlx5_all_ops, .mm = drivers_mm(test),
		.start = start, .end = end, .no_seq = true,
	};
}

static void mlx5_device_close(void *data)
{
	struct mlx5_device *d = data;

	memset(&mlx5_fails, 0, sizeof(mlx5_fails));
	mlx5_keys_cleanup(&d->dev);
	KUNIT_EXPECT_TRUE(d->test, list_empty(&mlx5_keys));
	KUNIT_EXPECT_TRUE(d->test, list_empty(&mlx5_mrs));
	xa_destroy(&d->dev.odp_mkeys);
	mlx5_device = NULL;
	kvfree(d);
}

static struct mlx5_device *mlx5_device_new(struct kunit *test)
{
	struct mlx5_device *d = kvzalloc(sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, d);
	/* Has the process an address space by now? */
	KUNIT_ASSERT_NE(test, kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ,
					    MAP_ANONYMOUS | MAP_PRIVATE, 0), 0);
	/* Its device goes last. */
	mlx5_base_init(test, &d->dev.ib_dev);
	d->test = test;
	d->mm = current->mm;
	memset(&mlx5_fails, 0, sizeof(mlx5_fails));
	mlx5_no_work();
	mlx5_stale_keys = 0;
	d->mdev.caps.hca[MLX5_CAP_ODP] = &d->odp_cap;
	d->mdev.caps.hca[MLX5_CAP_GENERAL] = &d->general_cap;
	d->mdev.caps.hca[MLX5_CAP_GENERAL_2] = &d->general_2_cap;
	MLX5_SET(cmd_hca_cap, d->general_cap.cur, umr_extended_translation_offset, 1);
	d->dev.mdev = &d->mdev;
	d->dev.umrc.pd = &d->pd.ibpd;
	d->dev.odp_caps.general_caps = IB_ODP_SUPPORT | IB_ODP_SUPPORT_IMPLICIT;
	mutex_init(&d->dev.odp_eq_mutex);
	/* It is there already. */
	d->dev.odp_pf_eq.core = (void *)d;
	xa_init(&d->dev.odp_mkeys);
	d->pd.ibpd.device = &d->dev.ib_dev;
	mlx5_device = d;
	mlx5_ib_odp_init();
	KUNIT_ASSERT_EQ(test, mlx5_keys_init(&d->dev), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mlx5_device_close, d), 0);
	return d;
}

static void mlx5_implicit_close(void *data)
{
	struct mlx5_implicit *l = data;

	/* The process goes, and so may children. */
	mmput(mlx5_device->mm);
	mlx5_work();
	if (l->imr)
		mlx5_ib_dereg_mr(&l->imr->mr.ibmr, NULL);
	mlx5_implicit = NULL;
}

static struct mlx5_implicit *mlx5_implicit_new(struct kunit *test)
{
	struct mlx5_implicit *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct mlx5_device *d = mlx5_device_new(test);
	struct ib_mr *imr;

	KUNIT_ASSERT_NOT_NULL(test, l);
	mlx5_implicit = l;
	mmget(d->mm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mlx5_implicit_close, l), 0);
	l->idx = 1;
	l->middle = (l->idx + 1) * mlx5_child_size;
	l->start = l->middle - MLX5_PAGES * PAGE_SIZE;
	l->end = l->middle + MLX5_PAGES * PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, kunit_vm_mmap(test, NULL, l->start, l->end - l->start,
					    PROT_READ | PROT_WRITE,
					    MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0),
			l->start);
	imr = mlx5_reg(&d->pd.ibpd, 0, U64_MAX, IB_ACCESS_ON_DEMAND | IB_ACCESS_LOCAL_WRITE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(imr));
	l->imr = container_of(to_mmr(imr), struct mlx5_hca, mr);
	drivers_judge(test, "mlx5_ib_invalidate_range", mlx5_reach_given_up, NULL);
	return l;
}

/* @pages from the one @page before or behind the middle on, of both children as a rule */
static void mlx5_implicit_map(struct kunit *test, struct mlx5_implicit *l, long page, int pages)
{
	KUNIT_EXPECT_EQ(test, pages, pagefault_mr(&l->imr->mr, l->middle + page * PAGE_SIZE,
						  pages * PAGE_SIZE, NULL, 0, false));
}

static struct mlx5_hca *mlx5_child(struct mlx5_implicit *l, int nr)
{
	struct mlx5_ib_mr *mr = xa_load(&l->imr->mr.implicit_children, l->idx + nr);

	return mr ? container_of(mr, struct mlx5_hca, mr) : NULL;
}

/* What the HCA has as a child is one, and each of them was told to it. */
static void mlx5_expect_children(struct kunit *test, struct mlx5_implicit *l)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(l->imr->ksm); i++) {
		struct mlx5_hca *child = mlx5_child(l, i);

		KUNIT_EXPECT_EQ(test, l->imr->ksm[i], child ? child->mr.mmkey.key : 0);
	}
	KUNIT_EXPECT_EQ(test, mlx5_stale_keys, 0);
}

/* A child that is found empty is dropped, by the workqueue, if that may block. */
static void mlx5_implicit_child(struct kunit *test)
{
	struct mlx5_implicit *l = mlx5_implicit_new(test);
	struct drivers_call call = mlx5_call_all(test, l->start, l->end);

	call.state = DRIVERS_IDLE;
	drivers_succeeds(test, &call, false);
	mlx5_implicit_map(test, l, -2, 3);
	mlx5_expect_children(test, l);
	KUNIT_ASSERT_NOT_NULL(test, mlx5_child(l, 0));
	KUNIT_ASSERT_NOT_NULL(test, mlx5_child(l, 1));
	KUNIT_EXPECT_EQ(test, mlx5_child(l, 0)->odp->npages, 2);
	KUNIT_EXPECT_EQ(test, mlx5_child(l, 1)->odp->npages, 1);
	call.end = l->middle - 2 * PAGE_SIZE;
	drivers_succeeds(test, &call, false);
	call.state = DRIVERS_BUSY;
	call.end = l->end;
	drivers_refuses(test, &call);
	KUNIT_EXPECT_EQ(test, mlx5_dropped, 0);

	/* One of the two, and a part of the other */
	call.start = l->middle - PAGE_SIZE;
	drivers_blocks(test, &call);
	KUNIT_EXPECT_EQ(test, mlx5_dropped, 1);
	KUNIT_ASSERT_NOT_NULL(test, mlx5_child(l, 0));
	KUNIT_EXPECT_EQ(test, mlx5_child(l, 0)->odp->npages, 1);
	KUNIT_EXPECT_NULL(test, mlx5_child(l, 1));
	mlx5_work();
	mlx5_expect_children(test, l);
	call.start = l->start;
	drivers_refuses(test, &call);
	drivers_blocks(test, &call);
	mlx5_work();
	mlx5_expect_children(test, l);
	KUNIT_EXPECT_EQ(test, mlx5_dropped, 2);
	call.state = DRIVERS_IDLE;
	drivers_succeeds(test, &call, false);
}

/* A page fault is faster than the work that destroys the child: it makes another one. */
static void mlx5_implicit_child_replaced(struct kunit *test)
{
	struct mlx5_implicit *l = mlx5_implicit_new(test);
	struct drivers_call call = mlx5_call_all(test, l->start, l->end);
	struct mlx5_hca *old;

	mlx5_implicit_map(test, l, 0, 2);
	old = mlx5_child(l, 1);
	drivers_blocks(test, &call);
	KUNIT_EXPECT_EQ(test, mlx5_dropped, 1);
	mlx5_implicit_map(test, l, 1, 2);
	KUNIT_ASSERT_NOT_NULL(test, mlx5_child(l, 1));
	KUNIT_EXPECT_PTR_NE(test, mlx5_child(l, 1), old);
	mlx5_expect_children(test, l);
	/* Both are in the range now. */
	drivers_refuses(test, &call);
	mlx5_work();
	mlx5_expect_children(test, l);
	KUNIT_EXPECT_EQ(test, mlx5_reached(mlx5_child(l, 1)), 2);
	drivers_refuses(test, &call);
	drivers_blocks(test, &call);
	KUNIT_EXPECT_NULL(test, mlx5_child(l, 1));
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
	struct drivers_call call = mlx5_call(test, hca, DRIVERS_BLOCKING, hca->start,
					     hca->end);

	call.mm = current->mm;
	call.let_go = mlx5_let_go;
	call.arg = hca;
	mlx5_map(test, hca, 0, 4);
	hca->busy = true;
	hca->umrs = 0;
	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &call).waited);
	KUNIT_EXPECT_EQ(test, hca->umrs, 1);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 0);

	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
	KUNIT_EXPECT_EQ(test, hca->umrs, 1);
}

/*
 * The UMR fails, the pages are unmapped and given up all the same. Pages that the
 * process has had there since are another matter.
 */
static void mlx5_failed_umr(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct drivers_call call = mlx5_call(test, hca, DRIVERS_BLOCKING, hca->start, hca->end);

	mlx5_map(test, hca, 0, 4);
	hca->umr_error = -EIO;
	mlx5_asks(test, hca, hca->start, hca->end, false);
	call.hole = "M1";
	drivers_blocks(test, &call);
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
	drivers_reports(test, "looks without umem_mutex", mlx5_look_unlocked,
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

/* The two pages are not written by one UMR unit, which would hide it */
static void mlx5_cut_across_units(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, 2 * MLX5_UNIT, IB_ACCESS_HUGETLB);
	int below = MLX5_UNIT - 1, above = MLX5_UNIT;

	mlx5_fake_huge(hca, below);
	mlx5_fake_huge(hca, above);
	mlx5_blocks(test, hca, mlx5_addr(hca, below) + HPAGE_SIZE / 2,
		    mlx5_addr(hca, above) + PAGE_SIZE, false);
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, below));
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, above));
	KUNIT_EXPECT_FALSE(test, hca->mtt[below]);
	KUNIT_EXPECT_FALSE(test, hca->mtt[above]);
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
	struct drivers_call call = mlx5_call(test, hca, DRIVERS_BUSY, hca->start, hca->end);

	drivers_path(test, "pagefault_real_mr", &call);
	mlx5_map(test, hca, 3, 4);
	drivers_path_end(test);
	KUNIT_EXPECT_LE(test, mlx5_reached(hca), 4);
}

/* Beside what is mapped already: UMR writes more than what was faulted in. */
static void mlx5_second_fault_interrupted(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct drivers_call call = mlx5_call(test, hca, DRIVERS_BUSY, mlx5_addr(hca, 2),
					     mlx5_addr(hca, 6));

	mlx5_map(test, hca, 0, 2);
	drivers_path(test, "pagefault_real_mr beside others", &call);
	mlx5_map(test, hca, 3, 2);
	drivers_path_end(test);
}

/* munmap() by a thread of the process */
static void mlx5_invalidation_interrupted(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct drivers_call call = mlx5_call(test, hca, DRIVERS_BUSY, hca->start, hca->end);

	mlx5_map(test, hca, 0, 2);
	mlx5_map(test, hca, 20, 2);
	drivers_path(test, "mlx5_ib_invalidate_range", &call);
	drivers_blocks_here(test, &call);
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
}

/* Memory that is there, and is registered with the HCA or not yet */
struct mlx5_region {
	struct mlx5_device *d;
	unsigned long start;
	struct ib_mr *mr;
	struct drivers_call call;
};

static void mlx5_region_close(void *data)
{
	struct mlx5_region *r = data;

	memset(&mlx5_fails, 0, sizeof(mlx5_fails));
	mlx5_work();
	if (r->mr)
		mlx5_ib_dereg_mr(r->mr, NULL);
}

static struct mlx5_region *mlx5_region_new(struct kunit *test)
{
	struct mlx5_region *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, r);
	r->d = mlx5_device_new(test);
	r->start = kunit_vm_mmap(test, NULL, 0, MLX5_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE, 0);
	KUNIT_ASSERT_NE(test, r->start, 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, mlx5_region_close, r), 0);
	r->call = mlx5_call_all(test, r->start, r->start + MLX5_PAGES * PAGE_SIZE);
	drivers_judge(test, "mlx5_ib_invalidate_range", mlx5_reach_given_up, NULL);
	return r;
}

static struct ib_mr *mlx5_register(struct mlx5_region *r)
{
	return mlx5_reg(&r->d->pd.ibpd, r->start, MLX5_PAGES * PAGE_SIZE,
			IB_ACCESS_ON_DEMAND | IB_ACCESS_LOCAL_WRITE);
}

static int mlx5_deregister(struct mlx5_region *r)
{
	int ret = mlx5_ib_dereg_mr(r->mr, NULL);

	if (!ret)
		r->mr = NULL;
	return ret;
}

static struct mlx5_hca *mlx5_region_hca(struct mlx5_region *r)
{
	return container_of(to_mmr(r->mr), struct mlx5_hca, mr);
}

/* What is there is mapped at once. A fault and a prefetch that is still to come follow. */
static void mlx5_region_use(struct kunit *test, struct mlx5_region *r)
{
	struct ib_sge sge = { .addr = r->start + 4 * PAGE_SIZE, .length = 2 * PAGE_SIZE };

	r->mr = mlx5_register(r);
	KUNIT_ASSERT_FALSE(test, IS_ERR(r->mr));
	KUNIT_EXPECT_TRUE(test, mlx5_region_hca(r)->key->enabled);
	mlx5_map(test, mlx5_region_hca(r), 3, 4);
	sge.lkey = r->mr->lkey;
	KUNIT_EXPECT_EQ(test, 0,
			mlx5_ib_advise_mr_prefetch(&r->d->pd.ibpd,
						   IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE, 0,
						   &sge, 1));
	KUNIT_EXPECT_EQ(test, mlx5_dropped, 1);
}

/* The mkey was another region's before, of the same memory, with all of its MTTs. */
static void mlx5_registration_interrupted(struct kunit *test)
{
	struct mlx5_region *r = mlx5_region_new(test);
	u32 base;

	r->mr = mlx5_register(r);
	KUNIT_ASSERT_FALSE(test, IS_ERR(r->mr));
	KUNIT_EXPECT_EQ(test, mlx5_reached(mlx5_region_hca(r)), MLX5_PAGES);
	base = mlx5_region_hca(r)->key->base;
	KUNIT_ASSERT_EQ(test, mlx5_deregister(r), 0);
	drivers_path(test, "mlx5_ib_reg_user_mr", &r->call);
	r->mr = mlx5_register(r);
	drivers_path_end(test);
	KUNIT_ASSERT_FALSE(test, IS_ERR(r->mr));
	KUNIT_EXPECT_EQ(test, mlx5_region_hca(r)->key->base, base);
	KUNIT_EXPECT_TRUE(test, mlx5_region_hca(r)->key->enabled);
}

/* The UMR that enables the mkey fails, or has been at work all the same. */
static void mlx5_registration_fails(struct kunit *test, bool late)
{
	struct mlx5_region *r = mlx5_region_new(test);

	mlx5_fails.umr = -EIO;
	mlx5_fails.late = late;
	drivers_path(test, late ? "mlx5_ib_reg_user_mr, failing late" :
				"mlx5_ib_reg_user_mr, failing", &r->call);
	KUNIT_EXPECT_TRUE(test, IS_ERR(mlx5_register(r)));
	drivers_path_end(test);
	KUNIT_EXPECT_TRUE(test, list_empty(&mlx5_mrs));
}

static void mlx5_registration_fails_interrupted(struct kunit *test)
{
	mlx5_registration_fails(test, false);
}

static void mlx5_registration_fails_late_interrupted(struct kunit *test)
{
	mlx5_registration_fails(test, true);
}

/* By a UMR: the mkey is kept for others. */
static void mlx5_dereg_interrupted(struct kunit *test)
{
	struct mlx5_region *r = mlx5_region_new(test);

	mlx5_region_use(test, r);
	drivers_path(test, "mlx5_ib_dereg_mr", &r->call);
	KUNIT_EXPECT_EQ(test, mlx5_deregister(r), 0);
	drivers_path_end(test);
	KUNIT_EXPECT_TRUE(test, list_empty(&mlx5_mrs));
}

/* That UMR fails, so the mkey is destroyed. */
static void mlx5_dereg_destroys_interrupted(struct kunit *test)
{
	struct mlx5_region *r = mlx5_region_new(test);

	mlx5_region_use(test, r);
	mlx5_fails.revoke = -EIO;
	drivers_path(test, "mlx5_ib_dereg_mr, by destroying", &r->call);
	KUNIT_EXPECT_EQ(test, mlx5_deregister(r), 0);
	drivers_path_end(test);
	KUNIT_EXPECT_TRUE(test, list_empty(&mlx5_mrs));
}

/* That fails as well: the region stays as it is, until it is tried again. */
static void mlx5_dereg_fails_interrupted(struct kunit *test)
{
	struct mlx5_region *r = mlx5_region_new(test);

	mlx5_region_use(test, r);
	mlx5_fails.revoke = -EIO;
	mlx5_fails.destroy = -EIO;
	drivers_path(test, "mlx5_ib_dereg_mr, failing", &r->call);
	KUNIT_EXPECT_EQ(test, mlx5_deregister(r), -EIO);
	drivers_point();
	mlx5_fails.destroy = 0;
	KUNIT_EXPECT_EQ(test, mlx5_deregister(r), 0);
	drivers_path_end(test);
	KUNIT_EXPECT_TRUE(test, list_empty(&mlx5_mrs));
}

/* Of other rights: another region is made, and then the old one goes. */
static void mlx5_rereg_interrupted(struct kunit *test)
{
	struct mlx5_region *r = mlx5_region_new(test);
	struct ib_mr *mr;

	mlx5_region_use(test, r);
	drivers_path(test, "mlx5_ib_rereg_user_mr", &r->call);
	mr = mlx5_ib_rereg_user_mr(r->mr, IB_MR_REREG_TRANS | IB_MR_REREG_ACCESS, r->start,
				   MLX5_PAGES * PAGE_SIZE, r->start,
				   IB_ACCESS_ON_DEMAND | IB_ACCESS_REMOTE_READ, NULL, NULL);
	KUNIT_EXPECT_FALSE(test, IS_ERR_OR_NULL(mr));
	KUNIT_EXPECT_EQ(test, mlx5_deregister(r), 0);
	drivers_path_end(test);
	r->mr = IS_ERR(mr) ? NULL : mr;
}

/* The device is not asked any more, nor is it known whether it has stopped. */
static void mlx5_dereg_of_a_dead_device(struct kunit *test)
{
	struct mlx5_region *r = mlx5_region_new(test);

	mlx5_region_use(test, r);
	mlx5_fails.dead = true;
	KUNIT_EXPECT_EQ(test, mlx5_deregister(r), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&mlx5_mrs));
	r->call.hole = "M1";
	drivers_blocks(test, &r->call);
}

/* The first fault in two children, which it makes; what comes meanwhile may drop them. */
static void mlx5_implicit_fault_interrupted(struct kunit *test)
{
	struct mlx5_implicit *l = mlx5_implicit_new(test);
	struct drivers_call call = mlx5_call_all(test, l->start, l->end);

	drivers_path(test, "pagefault_implicit_mr", &call);
	mlx5_implicit_map(test, l, -2, 4);
	mlx5_work();
	drivers_path_end(test);
	mlx5_work();
	mlx5_expect_children(test, l);
}

/* MADV_DONTNEED of all that both have, and the work that destroys them */
static void mlx5_implicit_drop_interrupted(struct kunit *test)
{
	struct mlx5_implicit *l = mlx5_implicit_new(test);
	struct drivers_call call = mlx5_call_all(test, l->start, l->end);

	mlx5_implicit_map(test, l, -2, 4);
	drivers_path(test, "free_implicit_child_mr_work", &call);
	drivers_blocks_here(test, &call);
	mlx5_work();
	drivers_path_end(test);
	mlx5_work();
	KUNIT_EXPECT_NULL(test, mlx5_child(l, 0));
	KUNIT_EXPECT_NULL(test, mlx5_child(l, 1));
	KUNIT_EXPECT_EQ(test, mlx5_dropped, 2);
	mlx5_expect_children(test, l);
}

/* One that the caller waits for, and one that the workqueue does */
static void mlx5_implicit_prefetch_interrupted(struct kunit *test)
{
	struct mlx5_implicit *l = mlx5_implicit_new(test);
	struct drivers_call call = mlx5_call_all(test, l->start, l->end);
	struct ib_sge sge[] = {
		{ .addr = l->middle - PAGE_SIZE, .length = 2 * PAGE_SIZE },
		{ .addr = l->middle + 4 * PAGE_SIZE, .length = PAGE_SIZE },
	};
	struct ib_pd *pd = &mlx5_device->pd.ibpd;
	int ret;

	sge[0].lkey = l->imr->mr.ibmr.lkey;
	sge[1].lkey = sge[0].lkey;
	drivers_path(test, "mlx5_ib_advise_mr_prefetch", &call);
	ret = mlx5_ib_advise_mr_prefetch(pd, IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE,
					 IB_UVERBS_ADVISE_MR_FLAG_FLUSH, sge, ARRAY_SIZE(sge));
	KUNIT_EXPECT_EQ(test, ret, 0);
	sge[0].addr -= PAGE_SIZE;
	ret = mlx5_ib_advise_mr_prefetch(pd, IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_NO_FAULT, 0,
					 sge, ARRAY_SIZE(sge));
	KUNIT_EXPECT_EQ(test, ret, 0);
	mlx5_work();
	drivers_path_end(test);
	mlx5_work();
	mlx5_expect_children(test, l);
}

static void mlx5_implicit_dereg_interrupted(struct kunit *test)
{
	struct mlx5_implicit *l = mlx5_implicit_new(test);
	struct drivers_call call = mlx5_call_all(test, l->start, l->end);

	mlx5_implicit_map(test, l, -2, 4);
	drivers_path(test, "mlx5_ib_free_odp_mr", &call);
	KUNIT_EXPECT_EQ(test, mlx5_ib_dereg_mr(&l->imr->mr.ibmr, NULL), 0);
	l->imr = NULL;
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, mlx5_dropped % 2, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&mlx5_mrs));
}

/*
 * An invalidation that gives nothing up, as that of mprotect(), so not by
 * drivers_blocks(): its UMR fails, and the HCA keeps what the list does not know any more.
 */
static void mlx5_fail_to_zap(struct kunit *test, struct mlx5_hca *hca, int error)
{
	struct mmu_notifier_range range = {
		.mm = drivers_mm(test), .start = ib_umem_start(hca->odp),
		.end = ib_umem_end(hca->odp), .event = MMU_NOTIFY_PROTECTION_VMA,
		.flags = MMU_NOTIFIER_RANGE_BLOCKABLE,
	};
	int reached = mlx5_reached(hca);

	hca->umr_error = error;
	KUNIT_EXPECT_TRUE(test, mlx5_ib_invalidate_range(&hca->odp->notifier, &range,
							 hca->odp->notifier.invalidate_seq));
	hca->umr_error = 0;
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), reached);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 0);
}

static void mlx5_failed_umr_refuses(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 0, 4);
	mlx5_fail_to_zap(test, hca, -EIO);
	mlx5_asks(test, hca, hca->start, hca->end, false);
	/* Nor is it known where that was, or forgotten when a page was mapped. */
	mlx5_map(test, hca, 20, 1);
	mlx5_asks(test, hca, hca->start, mlx5_addr(hca, 4), false);
	mlx5_asks(test, hca, mlx5_addr(hca, 8), mlx5_addr(hca, 16), false);
	mlx5_blocks(test, hca, mlx5_addr(hca, 20), hca->end, false);
	mlx5_asks(test, hca, mlx5_addr(hca, 20), hca->end, false);
}

/* Whatever it was that went wrong */
static void mlx5_each_failed_umr_refuses(struct kunit *test)
{
	static const int errors[] = { -ENOMEM, -EFAULT, -EAGAIN, -EINVAL, -EIO };
	int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

		mlx5_map(test, hca, 0, 4);
		mlx5_fail_to_zap(test, hca, errors[i]);
		mlx5_asks(test, hca, hca->start, hca->end, false);
	}
}

/* A child whose UMR fails refuses until it is destroyed, and the HCA has lost its key. */
static void mlx5_implicit_failed_umr_refuses(struct kunit *test)
{
	struct mlx5_implicit *l = mlx5_implicit_new(test);
	struct drivers_call call = mlx5_call_all(test, l->start, l->end);

	mlx5_implicit_map(test, l, 0, 2);
	KUNIT_ASSERT_NOT_NULL(test, mlx5_child(l, 1));
	mlx5_fail_to_zap(test, mlx5_child(l, 1), -EIO);
	KUNIT_EXPECT_NULL(test, mlx5_child(l, 1));
	drivers_refuses(test, &call);
	mlx5_work();
	mlx5_expect_children(test, l);
	call.state = DRIVERS_IDLE;
	drivers_succeeds(test, &call, false);
}

/* The static one, or without the patch a stub */
void odp_zap_mtts(struct ib_umem_odp *umem_odp, u64 idx, int npages);

/* In one go, of a region that is larger than those of the other cases */
static void mlx5_zaps_many(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mutex_lock(&hca->odp->umem_mutex);
	odp_zap_mtts(hca->odp, 0, 300);
	mutex_unlock(&hca->odp->umem_mutex);
	KUNIT_EXPECT_EQ(test, hca->zapped, 300);
	KUNIT_EXPECT_EQ(test, hca->reclaims, 0);
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
	KUNIT_CASE(mlx5_cut_across_units),
	KUNIT_CASE(mlx5_umem_cut_both_ends),
	KUNIT_CASE(mlx5_fault_under_way),
	KUNIT_CASE(mlx5_fault_under_way_beside),
	KUNIT_CASE(mlx5_fault_under_way_refused),
	KUNIT_CASE(mlx5_read_only_refuses),
	KUNIT_CASE(mlx5_zapped_neighbour_refuses),
	KUNIT_CASE(mlx5_revoked_is_unmapped),
	KUNIT_CASE(mlx5_implicit_child),
	KUNIT_CASE(mlx5_implicit_child_replaced),
	KUNIT_CASE(mlx5_busy_blocks),
	KUNIT_CASE(mlx5_refused_then_blocking),
	KUNIT_CASE(mlx5_rehearsed),
	KUNIT_CASE(mlx5_zaps_many),
	KUNIT_CASE(mlx5_failed_umr),
	KUNIT_CASE(mlx5_failed_umr_refuses),
	KUNIT_CASE(mlx5_each_failed_umr_refuses),
	KUNIT_CASE(mlx5_implicit_failed_umr_refuses),
	KUNIT_CASE(mlx5_looks_under_the_mutex),
	KUNIT_CASE_PARAM(mlx5_fault_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_second_fault_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_invalidation_interrupted, drivers_points),
	KUNIT_CASE(mlx5_dereg_of_a_dead_device),
	KUNIT_CASE_PARAM(mlx5_registration_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_registration_fails_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_registration_fails_late_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_dereg_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_dereg_destroys_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_dereg_fails_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_rereg_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_implicit_fault_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_implicit_drop_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_implicit_prefetch_interrupted, drivers_points),
	KUNIT_CASE_PARAM(mlx5_implicit_dereg_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(mlx5, mlx5_cases);
