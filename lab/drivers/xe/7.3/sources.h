/* SPDX-License-Identifier: GPL-2.0-only */
/* The sources of this version of the driver that xe.c tests, and what they are built with */

#include <linux/hmm.h>

/* The pages of the tests are not there, so their DMA mapping isn't, either. */
#undef dma_unmap_page
#define dma_unmap_page	lab_unmap
static void lab_unmap(struct device *dev, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir);
#undef dma_map_page
#define dma_map_page(dev, page, offset, size, dir)	((dma_addr_t)PAGE_SIZE)
#undef dma_mapping_error
#define dma_mapping_error(dev, addr)			0
#define dma_iova_try_alloc(dev, state, phys, size)	((void)(dev))

/* A TLB invalidation is over when somebody waits for it. */
#undef dma_fence_wait
#define dma_fence_wait	lab_wait
static signed long lab_wait(struct dma_fence *fence, bool intr);

#include <drivers/gpu/drm/drm_gpusvm.c>
#include <drivers/gpu/drm/xe/xe_tlb_inval.c>
#include <drivers/gpu/drm/xe/xe_preempt_fence.c>
#include <drivers/gpu/drm/xe/xe_pt.c>
#include <drivers/gpu/drm/xe/xe_trace_bo.h>
/* How often the trace says that an invalidation is complete */
static int lab_completed;
#define trace_xe_vma_userptr_invalidate_complete(vma)	((void)(vma), lab_completed++)
/* With what is there to test userptrs, under another name as its callers are without it */
#define CONFIG_DRM_XE_USERPTR_INVAL_INJECT	1
#define xe_vma_userptr_force_invalidate		lab_force_invalidate
#include <drivers/gpu/drm/xe/xe_userptr.c>
#undef xe_vma_userptr_force_invalidate
#undef CONFIG_DRM_XE_USERPTR_INVAL_INJECT
#undef trace_xe_vma_userptr_invalidate_complete
#include <drivers/gpu/drm/xe/xe_validation.c>
#include <drivers/gpu/drm/xe/xe_vm.c>
#include <drivers/gpu/drm/drm_exec.c>

/* A page fault binds what the test says */
static struct dma_fence *lab_rebind(struct xe_vm *vm, struct xe_vma *vma, u8 tile_mask);
#define xe_vma_rebind	lab_rebind
#include <drivers/gpu/drm/xe/xe_pagefault.c>
#undef xe_vma_rebind

#include "bo.h"
