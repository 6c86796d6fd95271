// SPDX-License-Identifier: GPL-2.0-only
/*
 * nouveau's two notifiers for SVM: drivers/gpu/drm/nouveau/nouveau_svm.c. The GPU
 * is an array of page table entries, which PFNMAP sets and PFNCLR clears.
 */
#include "drivers.h"
#include <linux/hmm.h>
#include <linux/mman.h>
#include <linux/rmap.h>
#include <linux/srcu.h>
#include "points.h"

/* Where a fault has a notifier, and looks a page up */
static void lab_look_up(void);
static int lab_insert(struct mmu_interval_notifier *notifier, struct mm_struct *mm,
		      unsigned long start, unsigned long length,
		      const struct mmu_interval_notifier_ops *ops);
static void lab_remove(struct mmu_interval_notifier *notifier);

#define LAB_LOOKS_UP(call)						\
({									\
	__auto_type lab_ret = (lab_look_up(), call);			\
									\
	drivers_point();						\
	lab_ret;							\
})
#define hmm_range_fault(range)		LAB_LOOKS_UP(hmm_range_fault(range))
#define hmm_range_fault_unlocked_timeout(range, timeout) \
	LAB_LOOKS_UP(hmm_range_fault_unlocked_timeout(range, timeout))
#define mmu_interval_notifier_insert	lab_insert
#define mmu_interval_notifier_remove	lab_remove
static void lab_put(struct mmu_notifier *notifier);
#define mmu_notifier_put	lab_put
#include <drivers/gpu/drm/nouveau/nouveau_svm.c>
#undef hmm_range_fault
#undef hmm_range_fault_unlocked_timeout
#undef mmu_interval_notifier_insert
#undef mmu_interval_notifier_remove
#undef mmu_notifier_put

#define LAB_START	0x100000UL
#define LAB_END		0x200000UL
#define LAB_PAGES	((LAB_END - LAB_START) / PAGE_SIZE)
#define LAB_UNMANAGED	0x140000UL
#define LAB_MANAGED	0x180000UL

struct lab_svm {
	struct nouveau_drm drm;
	struct nouveau_cli cli;
	struct nouveau_vmm vmm;
	struct nouveau_svmm svmm;
	struct svm_notifier interval;
	struct drm_device dev;
	struct device parent;
	struct drivers_call list, range, all;
};

/* The GPU: its page table, and since when the process has had the pages, see drivers.h */
static struct {
	bool pte[LAB_PAGES];
	unsigned long pte_since[LAB_PAGES], since;
	/* PFNCLR fails */
	int error;
} lab_gpu;

static struct {
	unsigned int calls;
	u64 addr[4], size[4];
} lab_cleared;

static void lab_set_ptes(u64 start, u64 end, bool valid)
{
	for (; start < end; start += PAGE_SIZE) {
		u64 i = (start - LAB_START) >> PAGE_SHIFT;

		if (i >= LAB_PAGES)
			continue;
		lab_gpu.pte[i] = valid;
		lab_gpu.pte_since[i] = lab_gpu.since;
	}
}

/* As if it had faulted them in */
static void lab_gpu_maps(u64 start, u64 end)
{
	lab_gpu.since = drivers_now();
	lab_set_ptes(start, end, true);
}

/* Takes the mutex of the VMM, and waits for the flush */
int nvif_object_mthd(struct nvif_object *object, u32 mthd, void *data, u32 size)
{
	struct nvif_vmm_pfnclr_v0 *args = data;
	unsigned int i = lab_cleared.calls++ % ARRAY_SIZE(lab_cleared.addr);

	might_sleep();
	drivers_point();
	lab_cleared.addr[i] = args->addr;
	lab_cleared.size[i] = args->size;
	if (lab_gpu.error)
		drivers_failure("PFNCLR failed");
	else
		lab_set_ptes(args->addr, args->addr + args->size, false);
	drivers_point();
	return lab_gpu.error;
}

int nvif_object_ioctl(struct nvif_object *object, void *data, u32 size, void **hack)
{
	struct nouveau_pfnmap_args *args = data;

	might_sleep();
	drivers_point();
	lab_set_ptes(args->p.addr, args->p.addr + args->p.size,
		     args->p.phys[0] & NVIF_VMM_PFNMAP_V0_V);
	drivers_point();
	return 0;
}

static void lab_look_up(void)
{
	drivers_point();
	drivers_settle();
	lab_gpu.since = drivers_now();
}

/* The notifier of the fault that is under way */
static struct mmu_interval_notifier *lab_inserted;
DEFINE_STATIC_SRCU(lab_srcu);

static int lab_insert(struct mmu_interval_notifier *notifier, struct mm_struct *mm,
		      unsigned long start, unsigned long length,
		      const struct mmu_interval_notifier_ops *ops)
{
	int ret;

	drivers_point();
	ret = mmu_interval_notifier_insert(notifier, mm, start, length, ops);
	if (!ret)
		WRITE_ONCE(lab_inserted, notifier);
	drivers_point();
	return ret;
}

/* As the core: when this returns no callback is under way. */
static void lab_remove(struct mmu_interval_notifier *notifier)
{
	drivers_point();
	WRITE_ONCE(lab_inserted, NULL);
	synchronize_srcu(&lab_srcu);
	mmu_interval_notifier_remove(notifier);
	drivers_point();
}

/* It is not registered, but for rehearsals. */
static void lab_put(struct mmu_notifier *notifier)
{
	drivers_point();
}

/* As the core: first the interval notifiers, then the list notifiers */
static bool lab_invalidate(struct mmu_interval_notifier *all,
			   const struct mmu_notifier_range *range, unsigned long seq)
{
	struct nouveau_svmm *svmm = container_of(all, struct svm_notifier, notifier)->svmm;
	struct mmu_interval_notifier *notifier;
	bool ret = true;
	int idx;

	idx = srcu_read_lock(&lab_srcu);
	notifier = READ_ONCE(lab_inserted);
	if (notifier && notifier->interval_tree.start < range->end &&
	    notifier->interval_tree.last >= range->start)
		ret = nouveau_svm_range_invalidate(notifier, range, seq);
	srcu_read_unlock(&lab_srcu, idx);
	return ret && !nouveau_svmm_invalidate_range_start(&svmm->notifier, range);
}

static const struct mmu_interval_notifier_ops lab_all_ops = {
	.invalidate = lab_invalidate,
};

/* The pages that the GPU can reach though the process has given them up */
static int lab_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	int i, n = 0;

	for (i = 0; i < LAB_PAGES; i++) {
		unsigned long addr = LAB_START + i * PAGE_SIZE;

		n += lab_gpu.pte[i] && addr >= start && addr < end &&
		     drivers_given_up(addr, lab_gpu.pte_since[i]);
	}
	return n;
}

static struct lab_svm *lab_svm(struct kunit *test)
{
	struct lab_svm *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, l);
	mutex_init(&l->svmm.mutex);
	l->dev.dev = &l->parent;
	l->drm.dev = &l->dev;
	l->drm.client.drm = &l->drm;
	l->cli.drm = &l->drm;
	l->vmm.cli = &l->cli;
	l->svmm.vmm = &l->vmm;
	l->svmm.unmanaged.start = LAB_UNMANAGED;
	l->svmm.unmanaged.limit = LAB_MANAGED;
	l->interval.svmm = &l->svmm;
	l->list = (struct drivers_call) {
		.callback = "nouveau_svmm_invalidate_range_start",
		.list = &l->svmm.notifier, .list_ops = &nouveau_mn_ops,
		.mm = drivers_mm(test), .start = LAB_START, .end = LAB_END,
	};
	l->range = (struct drivers_call) {
		.callback = "nouveau_svm_range_invalidate",
		.interval = &l->interval.notifier,
		.interval_ops = &nouveau_svm_mni_ops,
		.mm = l->list.mm, .start = LAB_START, .end = LAB_END,
	};
	l->all = l->list;
	l->all.list = NULL;
	l->all.interval = &l->interval.notifier;
	l->all.interval_ops = &lab_all_ops;
	l->all.no_seq = true;
	memset(&lab_cleared, 0, sizeof(lab_cleared));
	memset(&lab_gpu, 0, sizeof(lab_gpu));
	drivers_judge(test, "nouveau_svmm_invalidate_range_start", lab_reach_given_up, NULL);
	return l;
}

static void lab_unlock(void *lock)
{
	mutex_unlock(lock);
}

static void lab_list_refuses(struct kunit *test, struct lab_svm *l,
			     enum drivers_state state)
{
	l->list.state = state;
	drivers_refuses(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 0);
	if (state != DRIVERS_HELD)
		KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

static void lab_expect_cleared(struct kunit *test, unsigned int nr, u64 start,
			       u64 end)
{
	KUNIT_EXPECT_EQ(test, lab_cleared.addr[nr], start);
	KUNIT_EXPECT_EQ(test, lab_cleared.addr[nr] + lab_cleared.size[nr], end);
}

static void list_held_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	mutex_lock(&l->svmm.mutex);
	lab_list_refuses(test, l, DRIVERS_HELD);
	mutex_unlock(&l->svmm.mutex);
}

static void list_managed_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	lab_gpu_maps(LAB_START, LAB_UNMANAGED);
	lab_gpu_maps(LAB_MANAGED, LAB_END);
	lab_list_refuses(test, l, DRIVERS_BUSY);
	/* The parts in front of the unmanaged one and behind it */
	l->list.end = LAB_UNMANAGED;
	lab_list_refuses(test, l, DRIVERS_BUSY);
	l->list.start = LAB_MANAGED;
	l->list.end = LAB_END;
	lab_list_refuses(test, l, DRIVERS_BUSY);
}

static void list_unmanaged_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->list.start = LAB_UNMANAGED;
	l->list.end = LAB_MANAGED;
	l->list.reason = "it keeps no track of what the GPU has mapped";
	lab_list_refuses(test, l, DRIVERS_IDLE);
}

/* The page tables live on for a moment. */
static void list_dead_vmm_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->svmm.vmm = NULL;
	lab_list_refuses(test, l, DRIVERS_BUSY);
}

static void list_blocking_clears(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	lab_gpu_maps(LAB_START, LAB_UNMANAGED);
	lab_gpu_maps(LAB_MANAGED, LAB_END);
	lab_list_refuses(test, l, DRIVERS_BUSY);
	drivers_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
	lab_expect_cleared(test, 0, LAB_START, LAB_MANAGED);
	lab_expect_cleared(test, 1, LAB_MANAGED, LAB_END);

	l->list.start = LAB_UNMANAGED;
	l->list.end = LAB_MANAGED;
	drivers_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

/* The GPU's own migration clears what it moves, and there may be no GPU left. */
static void list_blocking_leaves_out(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->list.event = MMU_NOTIFY_MIGRATE;
	l->list.event_set = true;
	l->list.owner = &l->dev;
	drivers_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 0);
	l->list.owner = NULL;
	drivers_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);

	l->svmm.vmm = NULL;
	drivers_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

static void list_blocking_waits(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);
	struct drivers_outcome out;

	lab_gpu_maps(LAB_START, LAB_UNMANAGED);
	mutex_lock(&l->svmm.mutex);
	l->list.let_go = lab_unlock;
	l->list.arg = &l->svmm.mutex;
	out = drivers_blocks(test, &l->list);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
}

static void range_held_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	mutex_lock(&l->svmm.mutex);
	l->range.state = DRIVERS_HELD;
	drivers_refuses(test, &l->range);
	KUNIT_EXPECT_EQ(test, l->interval.notifier.invalidate_seq, 1);
	mutex_unlock(&l->svmm.mutex);
}

/* The list notifier, which comes after it, does the rest. */
static void range_idle_succeeds(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->range.state = DRIVERS_IDLE;
	drivers_succeeds(test, &l->range, true);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 0);
}

/* A page of the GPU itself: it asks for that, and knows. */
static void range_own_exclusive_succeeds(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->range.state = DRIVERS_IDLE;
	l->range.event = MMU_NOTIFY_EXCLUSIVE;
	l->range.event_set = true;
	/* Of nobody, so it counts */
	drivers_succeeds(test, &l->range, true);
}

static void range_blocking_waits(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);
	struct drivers_outcome out;

	mutex_lock(&l->svmm.mutex);
	l->range.let_go = lab_unlock;
	l->range.arg = &l->svmm.mutex;
	out = drivers_blocks(test, &l->range);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

/* By a process that lives: the GPU's mappings go once, in the blocking call. */
static void list_rehearsed(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->list.let_go = lab_unlock;
	l->list.arg = &l->svmm.mutex;
	lab_gpu_maps(LAB_START, LAB_UNMANAGED);
	lab_gpu_maps(LAB_MANAGED, LAB_END);
	mutex_lock(&l->svmm.mutex);
	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &l->list).waited);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
	lab_expect_cleared(test, 0, LAB_START, LAB_MANAGED);
	lab_expect_cleared(test, 1, LAB_MANAGED, LAB_END);

	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &l->list).waited);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 4);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

static void range_rehearsed(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);
	struct drivers_outcome out;

	l->range.let_go = lab_unlock;
	l->range.arg = &l->svmm.mutex;
	mutex_lock(&l->svmm.mutex);
	out = drivers_rehearses(test, &l->range);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	out = drivers_rehearses(test, &l->range);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

/* PFNCLR fails: the pages are given up all the same. */
static void list_failed_clear(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	lab_gpu_maps(LAB_START, LAB_START + 4 * PAGE_SIZE);
	lab_gpu.error = -EIO;
	l->list.hole = "N2";
	drivers_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
	l->list.state = DRIVERS_BUSY;
	drivers_refuses(test, &l->list);
}

/* The process has gone on: svmm->vmm is no more, and its page tables are still there. */
static void list_fini_leaves_page_tables(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);
	struct nouveau_svmm *svmm = &l->svmm;

	lab_gpu_maps(LAB_START, LAB_START + 4 * PAGE_SIZE);
	nouveau_svmm_fini(&svmm);
	KUNIT_EXPECT_NULL(test, svmm);
	l->list.hole = "N1";
	drivers_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 0);
}

/* Memory of the process, all of it, for faults */
static struct lab_svm *lab_svm_of_process(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	KUNIT_ASSERT_EQ(test, kunit_vm_mmap(test, NULL, LAB_START, LAB_END - LAB_START,
					    PROT_READ | PROT_WRITE,
					    MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0),
			LAB_START);
	l->svmm.notifier.mm = current->mm;
	return l;
}

/* What nouveau_svm_fault() does for one fault of the GPU that writes */
static void lab_fault(struct kunit *test, struct lab_svm *l, u64 addr, bool atomic)
{
	u64 *pfns = nouveau_pfns_alloc(1);
	struct svm_notifier notifier = { .svmm = &l->svmm };
	struct nouveau_pfnmap_args *args;
	u32 size;

	KUNIT_ASSERT_NOT_NULL(test, pfns);
	args = nouveau_pfns_to_args(pfns);
	size = struct_size(args, p.phys, 1);
	args->p.addr = addr;
	args->p.size = PAGE_SIZE;
	if (atomic)
		KUNIT_EXPECT_EQ(test, 0, nouveau_atomic_range_fault(&l->svmm, &l->drm, args, size,
								    &notifier));
	else
		KUNIT_EXPECT_EQ(test, 0, nouveau_range_fault(&l->svmm, &l->drm, args, size,
							     HMM_PFN_REQ_FAULT |
							     HMM_PFN_REQ_WRITE, &notifier));
	nouveau_pfns_free(pfns);
}

/* The fault handler maps in the part that the callback leaves out. */
static void list_unmanaged_stays_mapped(struct kunit *test)
{
	struct lab_svm *l = lab_svm_of_process(test);

	lab_fault(test, l, LAB_UNMANAGED, false);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[(LAB_UNMANAGED - LAB_START) / PAGE_SIZE]);
	l->list.start = LAB_UNMANAGED;
	l->list.end = LAB_MANAGED;
	l->list.hole = "N3";
	drivers_blocks(test, &l->list);
}

/* Paths, interrupted */

static void fault_interrupted(struct kunit *test)
{
	struct lab_svm *l = lab_svm_of_process(test);

	lab_fault(test, l, LAB_START, false);
	drivers_path(test, "nouveau_range_fault", &l->all);
	lab_fault(test, l, LAB_START + PAGE_SIZE, false);
	lab_fault(test, l, LAB_MANAGED, false);
	drivers_path_end(test);
}

/* munmap() of another thread */
static void invalidation_interrupted(struct kunit *test)
{
	struct lab_svm *l = lab_svm_of_process(test);

	lab_fault(test, l, LAB_START, false);
	lab_fault(test, l, LAB_MANAGED, false);
	drivers_path(test, "nouveau_svmm_invalidate_range_start", &l->all);
	drivers_blocks_here(test, &l->all);
	drivers_path_end(test);
	KUNIT_EXPECT_FALSE(test, lab_gpu.pte[0]);
}

/* As nouveau_vmm_fini(): the page tables go last. */
static void fini_interrupted(struct kunit *test)
{
	struct lab_svm *l = lab_svm_of_process(test);
	struct nouveau_svmm *svmm = &l->svmm;

	lab_fault(test, l, LAB_START, false);
	l->all.hole = "N1";
	drivers_path(test, "nouveau_svmm_fini", &l->all);
	nouveau_svmm_fini(&svmm);
	drivers_point();
	lab_set_ptes(LAB_START, LAB_END, false);
	drivers_path_end(test);
}

static struct kunit_case nouveau_cases[] = {
	KUNIT_CASE(list_held_refuses),
	KUNIT_CASE(list_managed_refuses),
	KUNIT_CASE(list_unmanaged_refuses),
	KUNIT_CASE(list_dead_vmm_refuses),
	KUNIT_CASE(list_blocking_clears),
	KUNIT_CASE(list_blocking_leaves_out),
	KUNIT_CASE(list_blocking_waits),
	KUNIT_CASE(range_held_refuses),
	KUNIT_CASE(range_idle_succeeds),
	KUNIT_CASE(range_own_exclusive_succeeds),
	KUNIT_CASE(range_blocking_waits),
	KUNIT_CASE(list_rehearsed),
	KUNIT_CASE(range_rehearsed),
	KUNIT_CASE(list_failed_clear),
	KUNIT_CASE(list_fini_leaves_page_tables),
	KUNIT_CASE(list_unmanaged_stays_mapped),
	KUNIT_CASE_PARAM(fault_interrupted, drivers_points),
	KUNIT_CASE_PARAM(invalidation_interrupted, drivers_points),
	KUNIT_CASE_PARAM(fini_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(nouveau, nouveau_cases);
