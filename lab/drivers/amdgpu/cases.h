/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases of this version of the driver alone, see LAB_BASE_CASES */

/* One that was not made by the ioctl has no parent. */
static void gfx_blocking_without_a_parent(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	l->bo->parent = NULL;
	lab_blocking_waits_for(l, lab_job(test, l->bo, DMA_RESV_USAGE_WRITE), true);
}

/* To wait for the eviction fence of KFD would stop its queues. */
static void gfx_blocking_leaves_kfd_alone(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct dma_fence *eviction = lab_job(test, l->root, DMA_RESV_USAGE_BOOKKEEP);

	lab_blocking_waits_for(l, eviction, false);
}

#define LAB_BASE_CASES					\
	KUNIT_CASE(gfx_blocking_without_a_parent),	\
	KUNIT_CASE(gfx_blocking_leaves_kfd_alone),
