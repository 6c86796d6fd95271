// SPDX-License-Identifier: GPL-2.0-only
/*
 * nouveau's two notifiers for SVM: drivers/gpu/drm/nouveau/nouveau_svm.c, and what
 * moves pages to the memory of the GPU and back, nouveau_dmem.c. The GPU is an array of
 * page table entries for each client, which PFNMAP sets and PFNCLR clears.
 */
#include "drivers.h"
#include <linux/hmm.h>
#include <linux/memremap.h>
#include <linux/migrate.h>
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

/* mm/migrate_device.c, and pages of the GPU's memory, which are any pages here */
static int lab_migrate_setup(struct migrate_vma *args);
static void lab_migrate_pages(struct migrate_vma *args);
static void lab_migrate_finalize(struct migrate_vma *args);
static void lab_init_device_page(struct page *page);
static void lab_put_device_page(struct page *page);

#define migrate_vma_setup(args)			lab_migrate_setup(args)
#define migrate_vma_pages(args)			lab_migrate_pages(args)
#define migrate_vma_finalize(args)		lab_migrate_finalize(args)
#define zone_device_page_init(page)		lab_init_device_page(page)
#define zone_device_folio_init(folio, ...)	lab_init_device_page(&(folio)->page)
#define put_page(page)				lab_put_device_page(page)
/* These are not where such pages are, which the kernel would report. */
#define page_pgmap(page)			(page_folio(page)->pgmap)
#define folio_zone_device_data(folio)		((folio)->page.zone_device_data)
#include <drivers/gpu/drm/nouveau/nouveau_dmem.c>
#undef put_page
#include "base.h"

#define LAB_START	0x100000UL
#define LAB_END		0x200000UL
#define LAB_PAGES	((LAB_END - LAB_START) / PAGE_SIZE)
#define LAB_UNMANAGED	0x140000UL
#define LAB_MANAGED	0x180000UL
/* How many clients of the GPU a process has, and pages of the GPU's memory there are */
#define LAB_CLIENTS	2
#define LAB_VRAM	8

struct lab_svm {
	struct nouveau_drm drm;
	struct nouveau_cli cli;
	struct nouveau_vmm vmm, other_vmm;
	struct nouveau_svmm svmm, other_svmm;
	struct nouveau_dmem dmem;
	struct nouveau_dmem_chunk chunk;
	struct nouveau_bo *bo;
	struct svm_notifier interval;
	struct drm_device dev;
	struct device parent;
	struct drivers_call list, range, all;
};

struct lab_pte {
	bool valid;
	/* Of the GPU's own memory, or NULL */
	struct page *vram;
	/* Since when the process has had the page, see drivers.h */
	unsigned long since;
};

/* The GPU: its page tables */
static struct {
	struct lab_pte pte[LAB_CLIENTS][LAB_PAGES];
	unsigned long since;
	/* PFNCLR fails */
	int error;
} lab_gpu;

/* Its memory, and which of it is in use */
static struct {
	struct page *page;
	bool used;
} lab_vram[LAB_VRAM];

/* What is being moved: pages of these addresses are not freed before the end. */
static struct {
	struct kunit *test;
	struct lab_svm *l;
	bool held[LAB_PAGES];
	unsigned long since;
	/* The pages that are found in use when all has been copied, as bits */
	unsigned int fails;
	/* The process gives all up when that is done */
	bool overtaken;
} lab_move;

static struct {
	unsigned int calls;
	u64 addr[4], size[4];
} lab_cleared;

static struct page *lab_vram_of(u64 phys)
{
	return phys & NVIF_VMM_PFNMAP_V0_VRAM ?
	       pfn_to_page(phys >> NVIF_VMM_PFNMAP_V0_ADDR_SHIFT) : NULL;
}

static void lab_set_pte(int client, u64 addr, bool valid, struct page *vram)
{
	u64 i = (addr - LAB_START) >> PAGE_SHIFT;

	if (i < LAB_PAGES)
		lab_gpu.pte[client][i] = (struct lab_pte){
			.valid = valid, .vram = vram, .since = lab_gpu.since,
		};
}

static void lab_clear_ptes(int client, u64 start, u64 end)
{
	for (; start < end; start += PAGE_SIZE)
		lab_set_pte(client, start, false, NULL);
}

/* As if it had faulted them in */
static void lab_gpu_maps(u64 start, u64 end)
{
	lab_gpu.since = drivers_now();
	for (; start < end; start += PAGE_SIZE)
		lab_set_pte(0, start, true, NULL);
}

static int lab_client(struct nvif_object *object)
{
	return lab_move.l && object == &lab_move.l->other_vmm.vmm.object;
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
		lab_clear_ptes(lab_client(object), args->addr, args->addr + args->size);
	drivers_point();
	return lab_gpu.error;
}

int nvif_object_ioctl(struct nvif_object *object, void *data, u32 size, void **hack)
{
	struct nouveau_pfnmap_args *args = data;
	u64 i;

	might_sleep();
	drivers_point();
	/* As the MMU code, which knows no other that is this small */
	if (args->p.page != PAGE_SHIFT) {
		drivers_failure("PFNMAP refused the size of the pages");
		return -EINVAL;
	}
	for (i = 0; i < args->p.size >> PAGE_SHIFT; i++)
		lab_set_pte(lab_client(object), args->p.addr + i * PAGE_SIZE,
			    args->p.phys[i] & NVIF_VMM_PFNMAP_V0_V,
			    lab_vram_of(args->p.phys[i]));
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

static bool lab_vram_is_used(struct page *page)
{
	int i;

	for (i = 0; i < LAB_VRAM; i++)
		if (lab_vram[i].page == page)
			return lab_vram[i].used;
	return false;
}

static bool lab_reaches(const struct lab_pte *pte, int i)
{
	if (!pte->valid || lab_move.held[i])
		return false;
	return (pte->vram && !lab_vram_is_used(pte->vram)) ||
	       drivers_given_up(LAB_START + i * PAGE_SIZE, pte->since);
}

/*
 * The pages that the GPU can reach though the process has given them up, and those of
 * its own that are free
 */
static int lab_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	int client, i, n = 0;

	for (i = 0; i < LAB_PAGES; i++) {
		unsigned long addr = LAB_START + i * PAGE_SIZE;

		for (client = 0; addr >= start && addr < end && client < LAB_CLIENTS; client++)
			n += lab_reaches(&lab_gpu.pte[client][i], i);
	}
	return n;
}

static void lab_free_vram(void *unused)
{
	int i;

	for (i = 0; i < LAB_VRAM; i++) {
		if (!lab_vram[i].page)
			continue;
		lab_disown_page(lab_vram[i].page);
		__free_page(lab_vram[i].page);
		lab_vram[i].page = NULL;
		lab_vram[i].used = false;
	}
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
	memset(&lab_move, 0, sizeof(lab_move));
	/* The judge's last look comes before it. */
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_free_vram, NULL), 0);
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
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[0][(LAB_UNMANAGED - LAB_START) / PAGE_SIZE].valid);
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
	KUNIT_EXPECT_FALSE(test, lab_gpu.pte[0][0].valid);
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
	lab_clear_ptes(0, LAB_START, LAB_END);
	drivers_path_end(test);
}

/* Pages that move to the memory of the GPU, and back */

int nouveau_fence_new(struct nouveau_fence **fence, struct nouveau_channel *chan)
{
	drivers_point();
	return 0;
}

/* Behind migrate_vma_pages(), before the GPU gets what was copied */
int nouveau_fence_wait(struct nouveau_fence *fence, bool lazy, bool intr)
{
	drivers_point();
	if (lab_move.overtaken)
		drivers_blocks_here(lab_move.test, &lab_move.l->all);
	return 0;
}

void nouveau_fence_unref(struct nouveau_fence **fence)
{
}

static int lab_copy(struct nouveau_drm *drm, u64 npages, enum nouveau_aper dst_aper,
		    u64 dst_addr, enum nouveau_aper src_aper, u64 src_addr)
{
	drivers_point();
	return 0;
}

static int lab_clear(struct nouveau_drm *drm, u32 length, enum nouveau_aper dst_aper,
		     u64 dst_addr)
{
	drivers_point();
	return 0;
}

static void lab_use_vram(struct page *page, bool used)
{
	int i;

	for (i = 0; i < LAB_VRAM; i++)
		if (lab_vram[i].page == page)
			lab_vram[i].used = used;
}

static void lab_init_device_page(struct page *page)
{
	lab_use_vram(page, true);
	lock_page(page);
}

static void lab_put_device_page(struct page *page)
{
	lab_use_vram(page, false);
	lab_free_device_page(page);
}

/* As the core: who moves the pages says so to all, the driver's own as well. */
static void lab_moves(struct nouveau_svmm *svmm, const struct migrate_vma *args)
{
	struct drivers_call call = {
		.callback = "nouveau_svmm_invalidate_range_start",
		.list = &svmm->notifier, .list_ops = &nouveau_mn_ops,
		.mm = lab_move.l->list.mm, .start = args->start, .end = args->end,
		.event = MMU_NOTIFY_MIGRATE, .event_set = true, .owner = args->pgmap_owner,
	};

	drivers_blocks_here(lab_move.test, &call);
}

/* All pages are there, and nobody else has a reference. */
static int lab_migrate_setup(struct migrate_vma *args)
{
	bool back = args->flags & MIGRATE_VMA_SELECT_DEVICE_PRIVATE;
	unsigned long first = (args->start - LAB_START) >> PAGE_SHIFT, i;

	args->npages = (args->end - args->start) >> PAGE_SHIFT;
	args->cpages = args->npages;
	drivers_point();
	for (i = 0; i < args->npages; i++) {
		struct page *page = back ? args->fault_page : alloc_page(GFP_KERNEL);

		if (!page)
			return -ENOMEM;
		args->src[i] = migrate_pfn(page_to_pfn(page)) | MIGRATE_PFN_MIGRATE |
			       MIGRATE_PFN_WRITE;
		args->dst[i] = 0;
		lab_move.held[first + i] = true;
	}
	lab_moves(&lab_move.l->svmm, args);
	if (lab_move.l->other_svmm.vmm)
		lab_moves(&lab_move.l->other_svmm, args);
	drivers_settle();
	lab_move.since = drivers_now();
	lab_gpu.since = lab_move.since;
	drivers_point();
	return 0;
}

/* A page that is not mapped any more is moved all the same, one that is in use is not. */
static void lab_migrate_pages(struct migrate_vma *args)
{
	unsigned long i;

	drivers_point();
	for (i = 0; i < args->npages; i++)
		if (lab_move.fails & BIT(i))
			args->src[i] &= ~MIGRATE_PFN_MIGRATE;
	drivers_point();
}

static void lab_free_either(struct page *page)
{
	int i;

	for (i = 0; i < LAB_VRAM; i++) {
		if (lab_vram[i].page != page)
			continue;
		lab_put_device_page(page);
		return;
	}
	__free_page(page);
}

/* The page that is not mapped in the end is freed, and the new one if nobody has it. */
static void lab_migrate_finalize(struct migrate_vma *args)
{
	unsigned long first = (args->start - LAB_START) >> PAGE_SHIFT, i;

	drivers_point();
	for (i = 0; i < args->npages; i++) {
		struct page *src = migrate_pfn_to_page(args->src[i]);
		struct page *dst = migrate_pfn_to_page(args->dst[i]);
		bool moved = dst && (args->src[i] & MIGRATE_PFN_MIGRATE);
		bool gone = drivers_given_up(args->start + i * PAGE_SIZE, lab_move.since);

		if (dst)
			unlock_page(dst);
		/* Memory of the process is what the fault path finds, not these. */
		if (moved || !lab_vram_is_used(src))
			lab_free_either(src);
		if (dst && (!moved || gone || !lab_vram_is_used(dst)))
			lab_free_either(dst);
		lab_move.held[first + i] = false;
	}
	drivers_point();
}

static struct lab_svm *lab_svm_with_vram(struct kunit *test)
{
	struct lab_svm *l = lab_svm_of_process(test);
	int i;

	l->bo = kunit_kzalloc(test, sizeof(*l->bo), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l->bo);
	l->parent.dma_mask = &l->parent.coherent_dma_mask;
	l->parent.coherent_dma_mask = DMA_BIT_MASK(64);
	l->dmem.drm = &l->drm;
	l->dmem.migrate.copy_func = lab_copy;
	l->dmem.migrate.clear_func = lab_clear;
	INIT_LIST_HEAD(&l->dmem.chunks);
	mutex_init(&l->dmem.mutex);
	spin_lock_init(&l->dmem.lock);
	l->drm.dmem = &l->dmem;
	l->chunk.drm = &l->drm;
	l->chunk.bo = l->bo;
	for (i = 0; i < LAB_VRAM; i++) {
		lab_vram[i].page = alloc_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, lab_vram[i].page);
		lab_own_page(lab_vram[i].page, &l->chunk.pagemap);
		lab_vram[i].page->zone_device_data = l->dmem.free_pages;
		l->dmem.free_pages = lab_vram[i].page;
	}
	lab_move.test = test;
	lab_move.l = l;
	return l;
}

/* The process has another client, and so another page table. */
static void lab_add_client(struct lab_svm *l)
{
	mutex_init(&l->other_svmm.mutex);
	l->other_vmm.cli = &l->cli;
	l->other_svmm.vmm = &l->other_vmm;
	l->other_svmm.unmanaged = l->svmm.unmanaged;
	l->other_svmm.notifier.mm = current->mm;
}

static void lab_migrate(struct kunit *test, struct lab_svm *l, int pages)
{
	struct vm_area_struct *vma;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, LAB_START);
	KUNIT_EXPECT_EQ(test, 0, nouveau_dmem_migrate_vma(&l->drm, &l->svmm, vma, LAB_START,
							  LAB_START + pages * PAGE_SIZE));
	mmap_read_unlock(current->mm);
}

/* A fault of the process at a page that is in the GPU's memory */
static void lab_cpu_fault(struct kunit *test, struct lab_svm *l, struct page *page)
{
	struct vm_fault vmf = {
		.vma = find_vma(current->mm, LAB_START), .address = LAB_START, .page = page,
	};

	lab_fault_by_pte(&vmf);
	KUNIT_EXPECT_EQ(test, nouveau_dmem_migrate_to_ram(&vmf), 0);
}

/*
 * So many pages are reached that are free. Another move, which the driver lets pass, makes
 * that known to the judge.
 */
static void lab_expect_hole(struct kunit *test, struct lab_svm *l, const char *hole, int pages)
{
	KUNIT_EXPECT_EQ(test, lab_reach_given_up(NULL, 0, ULONG_MAX), pages);
	l->list.event = MMU_NOTIFY_MIGRATE;
	l->list.event_set = true;
	l->list.owner = &l->dev;
	l->list.hole = hole;
	drivers_blocks(test, &l->list);
}

/* A page of the first client is moved; the second one has it mapped as well. */
static void other_client_stays_mapped(struct kunit *test)
{
	struct lab_svm *l = lab_svm_with_vram(test);

	lab_add_client(l);
	lab_gpu.since = drivers_now();
	lab_set_pte(1, LAB_START, true, NULL);
	lab_migrate(test, l, 1);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[1][0].valid);
	lab_expect_hole(test, l, "N6", 1);
}

/* A page of the GPU's memory, which the client has mapped */
static struct page *lab_vram_mapped(struct lab_svm *l, int client)
{
	struct page *page = lab_alloc_device_page(&l->drm);

	unlock_page(page);
	page->zone_device_data = &l->svmm;
	lab_gpu.since = drivers_now();
	lab_set_pte(client, LAB_START, true, page);
	return page;
}

/* The same on the way back */
static void other_client_keeps_vram(struct kunit *test)
{
	struct lab_svm *l = lab_svm_with_vram(test);
	struct page *page;

	lab_add_client(l);
	page = lab_vram_mapped(l, 1);
	mmap_read_lock(current->mm);
	lab_cpu_fault(test, l, page);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_FALSE(test, lab_vram_is_used(page));
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[1][0].valid);
	lab_expect_hole(test, l, "N6", 1);
}

/* What the GPU has of its own memory goes before that is free. */
static void to_ram_interrupted(struct kunit *test)
{
	struct lab_svm *l = lab_svm_with_vram(test);
	struct page *page = lab_vram_mapped(l, 0);

	mmap_read_lock(current->mm);
	drivers_path(test, "nouveau_dmem_migrate_to_ram", &l->all);
	lab_cpu_fault(test, l, page);
	drivers_path_end(test);
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_FALSE(test, lab_vram_is_used(page));
	KUNIT_EXPECT_FALSE(test, lab_gpu.pte[0][0].valid);
}

#include "base-cases.h"

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
	KUNIT_CASE(other_client_stays_mapped),
	KUNIT_CASE(other_client_keeps_vram),
	KUNIT_CASE_PARAM(to_ram_interrupted, drivers_points),
#include "base-list.h"
	{}
};

DRIVERS_SUITE(nouveau, nouveau_cases);
