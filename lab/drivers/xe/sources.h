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

#include "bo.h"
