/* SPDX-License-Identifier: GPL-2.0-only */
/* The sources of this version of the driver that xe.c tests, and what they are built with */

/* The pages of the tests are not there, so their DMA mapping isn't, either. */
#undef dma_unmap_sgtable
#define dma_unmap_sgtable	lab_unmap
static void lab_unmap(struct device *dev, struct sg_table *sgt,
		      enum dma_data_direction dir, unsigned long attrs);

#include <drivers/gpu/drm/xe/xe_hmm.c>
#include <drivers/gpu/drm/xe/xe_preempt_fence.c>
#include <drivers/gpu/drm/xe/xe_pt.c>
#include <drivers/gpu/drm/xe/xe_trace_bo.h>
/* How often the trace says that an invalidation is complete */
static int lab_completed;
#define trace_xe_vma_userptr_invalidate_complete(vma)	((void)(vma), lab_completed++)
#include <drivers/gpu/drm/xe/xe_vm.c>
#undef trace_xe_vma_userptr_invalidate_complete
#include <drivers/gpu/drm/drm_exec.c>

/* A page fault binds what the test says */
static struct dma_fence *lab_rebind(struct xe_vm *vm, struct xe_vma *vma, u8 tile_mask);
#define xe_vma_rebind	lab_rebind
#include <drivers/gpu/drm/xe/xe_gt_pagefault.c>
#undef xe_vma_rebind

/* How often what moves a BO warns; its locks are those of xe.c. */
static int lab_warned;
#undef XE_WARN_ON
#define XE_WARN_ON(condition) ({		\
	bool warns = !!(condition);		\
						\
	lab_warned += warns;			\
	warns;					\
})
#define xe_bo_lock	lab_real_bo_lock
#define xe_bo_unlock	lab_real_bo_unlock
int xe_bo_lock(struct xe_bo *bo, bool intr);
void xe_bo_unlock(struct xe_bo *bo);
#include <drivers/gpu/drm/xe/xe_bo.c>
#undef xe_bo_lock
#undef xe_bo_unlock
