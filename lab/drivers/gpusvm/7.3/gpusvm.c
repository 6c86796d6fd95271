// SPDX-License-Identifier: GPL-2.0-only
/*
 * drivers/gpu/drm/drm_gpusvm.c with its page faults and its notifiers, below a driver that
 * invalidates as xe's SVM does. The GPU is an array of page table entries, which it has in
 * its TLB, too, until that is flushed.
 */
#include "drivers.h"
#include <linux/dma-mapping.h>
#include <linux/hmm.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include "points.h"

/* The pages are not mapped for DMA: nobody looks at their addresses. */
#undef dma_unmap_page
#define dma_unmap_page(dev, addr, size, dir)		((void)(dev))
#undef dma_map_page
#define dma_map_page(dev, page, offset, size, dir)	((void)(page), (dma_addr_t)PAGE_SIZE)
#undef dma_mapping_error
#define dma_mapping_error(dev, addr)			0
#define dma_iova_try_alloc(dev, state, phys, size)	((void)(dev))
/* xe's module has them, too. */
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(symbol)

static int lab_look_up(struct hmm_range *range, unsigned long timeout);

#define hmm_range_fault_unlocked_timeout		lab_look_up
#include <drivers/gpu/drm/drm_gpusvm.c>
#undef hmm_range_fault_unlocked_timeout

#define LAB_START	0x200000UL
#define LAB_END		(LAB_START + SZ_512K)
#define LAB_PAGES	((LAB_END - LAB_START) / PAGE_SIZE)

struct lab_range {
	struct drm_gpusvm_range base;
	struct drm_gpusvm_pages pages;
};

struct lab_svm {
	struct drm_gpusvm gpusvm;
	struct drm_device drm;
	struct device parent;
	struct drivers_call call;
};

/* The GPU, and since when the process has had the pages, see drivers.h */
static struct {
	struct {
		bool valid, in_tlb;
		unsigned long since;
	} pte[LAB_PAGES];
	unsigned long since;
	int invalidations, flushes;
} lab_gpu;

static int lab_look_up(struct hmm_range *range, unsigned long timeout)
{
	int ret;

	drivers_point();
	drivers_settle();
	lab_gpu.since = drivers_now();
	ret = hmm_range_fault_unlocked_timeout(range, timeout);
	drivers_point();
	return ret;
}

static struct lab_range *lab_range(struct drm_gpusvm_range *range)
{
	return container_of(range, struct lab_range, base);
}

static struct drm_gpusvm_range *lab_range_alloc(struct drm_gpusvm *gpusvm)
{
	struct lab_range *range = kzalloc(sizeof(*range), GFP_KERNEL);

	if (!range)
		return NULL;
	range->pages.drm = &container_of(gpusvm, struct lab_svm, gpusvm)->drm;
	return &range->base;
}

static void lab_range_free(struct drm_gpusvm_range *range)
{
	kvfree(lab_range(range)->pages.dma_addr);
	kfree(lab_range(range));
}

/* There is none. */
void drm_pagemap_put(struct drm_pagemap *dpagemap)
{
}

static unsigned long lab_pte(unsigned long addr)
{
	return (addr - LAB_START) >> PAGE_SHIFT;
}

/* All of each range, as xe does: page tables, then the TLB, then what was mapped for DMA */
static void lab_invalidate(struct drm_gpusvm *gpusvm, struct drm_gpusvm_notifier *notifier,
			   const struct mmu_notifier_range *mmu_range)
{
	unsigned long start = max(drm_gpusvm_notifier_start(notifier), mmu_range->start);
	unsigned long end = min(drm_gpusvm_notifier_end(notifier), mmu_range->end);
	struct drm_gpusvm_ctx ctx = { .in_notifier = true };
	struct drm_gpusvm_range *range, *first;
	unsigned long i;

	might_sleep();
	first = drm_gpusvm_range_find(notifier, start, end);
	range = first;
	lab_gpu.invalidations++;
	drivers_point();
	drm_gpusvm_for_each_range(range, notifier, start, end)
		for (i = lab_pte(drm_gpusvm_range_start(range));
		     i < lab_pte(drm_gpusvm_range_end(range)); i++)
			lab_gpu.pte[i].valid = false;
	drivers_point();
	for (i = 0; i < LAB_PAGES; i++)
		lab_gpu.pte[i].in_tlb &= lab_gpu.pte[i].valid;
	lab_gpu.flushes++;
	drivers_point();
	range = first;
	drm_gpusvm_for_each_range(range, notifier, start, end)
		drm_gpusvm_unmap_pages(gpusvm, &lab_range(range)->pages,
				       drm_gpusvm_range_size(range) >> PAGE_SHIFT, &ctx);
}

static const struct drm_gpusvm_ops lab_ops = {
	.range_alloc = lab_range_alloc,
	.range_free = lab_range_free,
	.invalidate = lab_invalidate,
};

static const unsigned long lab_chunks[] = { SZ_64K, SZ_4K };

/* The pages that the GPU can reach though the process has given them up */
static int lab_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	int i, n = 0;

	for (i = 0; i < LAB_PAGES; i++) {
		unsigned long addr = LAB_START + i * PAGE_SIZE;

		n += (lab_gpu.pte[i].valid || lab_gpu.pte[i].in_tlb) && addr >= start &&
		     addr < end && drivers_given_up(addr, lab_gpu.pte[i].since);
	}
	return n;
}

/* What a driver does for a fault of the GPU that writes */
static struct lab_range *lab_fault(struct kunit *test, struct lab_svm *l, unsigned long addr)
{
	struct drm_gpusvm_ctx ctx = {};
	struct drm_gpusvm_range *range;
	struct drm_gpusvm_pages *pages;
	unsigned long i;
	bool valid;

	range = drm_gpusvm_range_find_or_insert(&l->gpusvm, addr, LAB_START, LAB_END, &ctx);
	KUNIT_ASSERT_FALSE(test, IS_ERR(range));
	pages = &lab_range(range)->pages;
	do {
		KUNIT_ASSERT_EQ(test, 0, drm_gpusvm_get_pages(&l->gpusvm, pages, l->gpusvm.mm,
							      &range->notifier->notifier,
							      drm_gpusvm_range_start(range),
							      drm_gpusvm_range_end(range), &ctx));
		drm_gpusvm_notifier_lock(&l->gpusvm);
		valid = drm_gpusvm_pages_valid(&l->gpusvm, pages);
		for (i = lab_pte(drm_gpusvm_range_start(range));
		     valid && i < lab_pte(drm_gpusvm_range_end(range)); i++) {
			lab_gpu.pte[i].valid = true;
			lab_gpu.pte[i].in_tlb = true;
			lab_gpu.pte[i].since = lab_gpu.since;
		}
		drm_gpusvm_notifier_unlock(&l->gpusvm);
	} while (!valid);
	return lab_range(range);
}

static void lab_fini(void *data)
{
	struct lab_svm *l = data;

	drm_gpusvm_fini(&l->gpusvm);
}

/* A process with some memory, and one range of it that the GPU has */
static struct lab_svm *lab_svm(struct kunit *test)
{
	struct lab_svm *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct lab_range *range;

	KUNIT_ASSERT_NOT_NULL(test, l);
	KUNIT_ASSERT_EQ(test, kunit_vm_mmap(test, NULL, LAB_START, LAB_END - LAB_START,
					    PROT_READ | PROT_WRITE,
					    MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0),
			LAB_START);
	l->drm.dev = &l->parent;
	KUNIT_ASSERT_EQ(test, drm_gpusvm_init(&l->gpusvm, "lab", current->mm, 0, TASK_SIZE,
					      SZ_512K, &lab_ops, lab_chunks,
					      ARRAY_SIZE(lab_chunks)), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_fini, l), 0);
	memset(&lab_gpu, 0, sizeof(lab_gpu));
	drivers_judge(test, "drm_gpusvm_notifier_invalidate", lab_reach_given_up, NULL);
	range = lab_fault(test, l, LAB_START);
	l->call = (struct drivers_call) {
		.callback = "drm_gpusvm_notifier_invalidate",
		.interval = &range->base.notifier->notifier, .mm = current->mm,
		.start = LAB_START, .end = LAB_END, .event = MMU_NOTIFY_CLEAR, .event_set = true,
	};
	return l;
}

static void lab_refuses(struct kunit *test, struct lab_svm *l, enum drivers_state state)
{
	l->call.state = state;
	drivers_refuses(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab_gpu.invalidations, 0);
	KUNIT_EXPECT_EQ(test, l->call.interval->invalidate_seq, 1);
	if (state != DRIVERS_HELD)
		KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&l->gpusvm.notifier_lock));
}

static void lab_unlock(void *lock)
{
	up_read(lock);
}

static void gpusvm_held_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	drm_gpusvm_notifier_lock(&l->gpusvm);
	lab_refuses(test, l, DRIVERS_HELD);
	drm_gpusvm_notifier_unlock(&l->gpusvm);
}

static void gpusvm_mapped_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	lab_refuses(test, l, DRIVERS_BUSY);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[0].valid);
}

/* There is no range behind the first one. */
static void gpusvm_without_range_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->call.start = LAB_START + SZ_64K;
	l->call.reason = "the unbind of a range that was removed may be under way";
	lab_refuses(test, l, DRIVERS_IDLE);
}

static void gpusvm_blocking_unmaps(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);
	struct lab_range *other = lab_fault(test, l, LAB_START + SZ_64K);

	lab_refuses(test, l, DRIVERS_BUSY);
	l->call.end = LAB_START + SZ_64K;
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_FALSE(test, lab_gpu.pte[0].valid);
	KUNIT_EXPECT_TRUE(test, other->pages.flags.has_dma_mapping);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[lab_pte(LAB_START + SZ_64K)].valid);

	/* The other one, and what is left of this one is mapped anew. */
	lab_fault(test, l, LAB_START);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[0].valid);
	l->call.end = LAB_END;
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_FALSE(test, other->pages.flags.has_dma_mapping);
	KUNIT_EXPECT_EQ(test, lab_gpu.flushes, 2);
	KUNIT_EXPECT_FALSE(test, rwsem_is_locked(&l->gpusvm.notifier_lock));
}

static void gpusvm_blocking_waits(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	drm_gpusvm_notifier_lock(&l->gpusvm);
	l->call.let_go = lab_unlock;
	l->call.arg = &l->gpusvm.notifier_lock;
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &l->call).waited);
	KUNIT_EXPECT_EQ(test, lab_gpu.flushes, 1);
}

/* By a process that lives: the GPU's mappings go once, in the blocking call. */
static void gpusvm_rehearsed(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);
	struct drivers_outcome out;

	l->call.let_go = lab_unlock;
	l->call.arg = &l->gpusvm.notifier_lock;
	drm_gpusvm_notifier_lock(&l->gpusvm);
	out = drivers_rehearses(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_EQ(test, lab_gpu.invalidations, 1);
	KUNIT_EXPECT_FALSE(test, lab_gpu.pte[0].valid);
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &l->call).waited);
	KUNIT_EXPECT_EQ(test, lab_gpu.invalidations, 2);
}

/* Paths, interrupted */

static void gpusvm_fault_interrupted(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	drivers_path(test, "drm_gpusvm_get_pages", &l->call);
	lab_fault(test, l, LAB_START + SZ_64K);
	lab_fault(test, l, LAB_START);
	drivers_path_end(test);
}

/* MADV_DONTNEED of another thread */
static void gpusvm_invalidation_interrupted(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	drivers_path(test, "drm_gpusvm_notifier_invalidate", &l->call);
	drivers_blocks_here(test, &l->call);
	drivers_path_end(test);
	KUNIT_EXPECT_FALSE(test, lab_gpu.pte[0].valid);
}

static struct kunit_case gpusvm_cases[] = {
	KUNIT_CASE(gpusvm_held_refuses),
	KUNIT_CASE(gpusvm_mapped_refuses),
	KUNIT_CASE(gpusvm_without_range_refuses),
	KUNIT_CASE(gpusvm_blocking_unmaps),
	KUNIT_CASE(gpusvm_blocking_waits),
	KUNIT_CASE(gpusvm_rehearsed),
	KUNIT_CASE_PARAM(gpusvm_fault_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gpusvm_invalidation_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(gpusvm, gpusvm_cases);
