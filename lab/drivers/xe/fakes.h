/* SPDX-License-Identifier: GPL-2.0-only */
/* What xe.c takes from here is different in other versions of the driver. */

static void lab_unmap(struct device *dev, struct sg_table *sgt,
		      enum dma_data_direction dir, unsigned long attrs)
{
	lab.unmapped++;
	if (!lab_idle())
		lab.unmapped_live++;
}

/* The TLBs: it takes a moment, and can't be done without sleeping. */
static DEFINE_SPINLOCK(lab_tlb_lock);

/* Of each GT of two tiles: is under way until it is waited for */
static struct lab_flush {
	struct dma_fence *fence;
	bool fails;
} lab_flush_at[4];

static signed long lab_tlb_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	struct lab_tile *tile;
	/* It was answered at once, or it could not be sent. */
	bool sent = dma_fence_is_signaled(fence);
	int gt;

	/* Or whoever unmaps and was killed takes it for flushed */
	KUNIT_EXPECT_FALSE(lab.test, intr);
	drivers_point();
	for (gt = 0; gt < ARRAY_SIZE(lab_flush_at); gt++) {
		if (lab_flush_at[gt].fence != fence)
			continue;
		sent = true;
		lab_flush_at[gt].fence = NULL;
		if (lab_flush_at[gt].fails) {
			drivers_failure("TLB invalidation timed out");
			dma_fence_set_error(fence, lab.flush_error);
		} else {
			lab.flushed++;
			/* of the GT of a tile that has what the GPU has used */
			if (gt % 2 == 0) {
				tile = gt ? &lab.other : &lab.first;
				tile->tlb = tile->pte;
				tile->tlb_since = tile->pte_since;
			}
		}
		dma_fence_signal(fence);
	}
	/* Nobody would signal it. */
	if (!sent)
		KUNIT_FAIL(lab.test, "waits for a TLB invalidation that was not sent");
	drivers_point();
	return timeout;
}

static const struct dma_fence_ops lab_tlb_ops = {
	.get_driver_name = lab_fence_name,
	.get_timeline_name = lab_fence_name,
	.wait = lab_tlb_wait,
};

void xe_gt_tlb_invalidation_fence_init(struct xe_gt *gt,
				       struct xe_gt_tlb_invalidation_fence *fence,
				       bool stack)
{
	dma_fence_init(&fence->base, &lab_tlb_ops, &lab_tlb_lock, 1, 1);
}

int xe_gt_tlb_invalidation_vma(struct xe_gt *gt,
			       struct xe_gt_tlb_invalidation_fence *fence,
			       struct xe_vma *vma)
{
	bool fails = ++lab.flushes == lab.fail_at || !lab.fail_at;

	might_sleep();
	drivers_point();
	if (fails && lab.send_error) {
		drivers_failure("TLB invalidation could not be sent");
		dma_fence_signal(&fence->base);
		return lab.flushes > 1 && lab.next_error ? lab.next_error : lab.send_error;
	}
	lab_flush_at[2 * gt->tile->id + (gt != gt->tile->primary_gt)] =
		(struct lab_flush){ .fence = &fence->base, .fails = fails && lab.flush_error };
	drivers_point();
	return 0;
}

/* Where this version of the driver has what xe.c looks at */
#define LAB_CALLBACK		"vma_userptr_invalidate"
#define LAB_PAGE_FAULT		"handle_vma_pagefault"
#define LAB_SEND_ERROR		(-ECANCELED)
#define lab_notifier_lock(vm)	(&(vm)->userptr.notifier_lock)
#define lab_mapped(userptr)	((userptr)->mapped)
#define lab_seq(userptr)	((userptr)->notifier_seq)
#define lab_enable_signaling	dma_fence_enable_sw_signaling
#define lab_check_userptr	op_check_userptr
#define lab_bind_commit		bind_op_commit
#define lab_try_invalidate	vma_userptr_try_invalidate
#define lab_pre_commit		xe_pt_userptr_pre_commit

/* Static functions of the driver; without the patches these are stubs. */
void __xe_hmm_userptr_unmap(struct xe_userptr_vma *uvma);
bool vma_userptr_try_invalidate(struct xe_vm *vm, struct xe_userptr_vma *uvma,
				unsigned long cur_seq);

/* This version has one pass. */
static void lab_expect_no_second_pass(struct lab_vm *l)
{
}

static bool lab_valid(struct lab_vm *l, struct xe_vma *vma)
{
	return vma_is_valid(&l->xe->tiles[0], vma);
}

static int lab_handle_page_fault(struct lab_vm *l)
{
	struct pagefault pf = { .access_type = ACCESS_TYPE_WRITE };

	return handle_vma_pagefault(&l->xe->tiles[0], &pf, &l->uvma->vma);
}

static void lab_init_device(struct lab_vm *l)
{
}

static void lab_map(struct lab_vm *l)
{
	l->uvma->userptr.mapped = true;
}

static void lab_init_userptr(struct lab_vm *l)
{
	struct xe_userptr *userptr = &l->uvma->userptr;

	mutex_init(&userptr->unmap_mutex);
	userptr->sg = &userptr->sgt;
	lab_map(l);
}

/* What is locked with the notifier lock held */
static void lab_lock_unmap(struct lab_vm *l)
{
	struct xe_userptr *userptr = &l->uvma->userptr;

	mutex_lock(&userptr->unmap_mutex);
	mutex_unlock(&userptr->unmap_mutex);
}
