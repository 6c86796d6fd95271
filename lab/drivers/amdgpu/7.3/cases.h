/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases of this version of the driver alone, see LAB_BASE_CASES */

/* Of user mode queues, or of KFD: what is waited for stops them. */
static void gfx_blocking_waits_for_queues(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	lab_blocking_waits_for(l, lab_job(test, l->root, DMA_RESV_USAGE_BOOKKEEP), true);
}

/* A later job that doesn't list the BO finds it there, and its PTEs are cleared. */
static void gfx_blocking_marks_the_bo(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	list_move(&l->bo_va->base.vm_status, &l->vm->individual.idle);
	l->bo_va->base.moved = false;
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, l->bo_va->base.moved);
	KUNIT_EXPECT_PTR_EQ(test, l->vm->individual.needs_update.next,
			    &l->bo_va->base.vm_status);
}

/* The BO has a name, and the process has opened it by another file. */
static void gfx_blocking_waits_for_jobs_of_another_vm(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct dma_fence *job = lab_job(test, l->bo, DMA_RESV_USAGE_WRITE);

	/* The first one has run something, too, which is through. */
	lab_signal(lab_job(test, l->root, DMA_RESV_USAGE_WRITE));
	lab_blocking_waits_for(l, job, true);
}

#define LAB_BASE_CASES						\
	KUNIT_CASE(gfx_blocking_waits_for_queues),		\
	KUNIT_CASE(gfx_blocking_marks_the_bo),			\
	KUNIT_CASE(gfx_blocking_waits_for_jobs_of_another_vm),
