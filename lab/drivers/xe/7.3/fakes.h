/* SPDX-License-Identifier: GPL-2.0-only */
/* What xe.c takes from here is different in other versions of the driver. */

/* The GT that has what the GPU has used, and whose invalidation will time out */
static struct xe_gt *lab_gt;
static bool lab_times_out[2];

/* Of the process */
static struct page *lab_page;

static void lab_unmap(struct device *dev, dma_addr_t addr, size_t size,
		      enum dma_data_direction dir)
{
	lab.unmapped++;
	if (!lab_idle())
		lab.unmapped_live++;
}

/* The TLBs: it takes a moment, and can't be done without sleeping. */
static int lab_tlb_send(struct xe_tlb_inval *tlb, u32 seqno, u64 start, u64 end, u32 asid,
			struct drm_suballoc *prl_sa)
{
	bool fails = ++lab.flushes == lab.fail_at || !lab.fail_at;

	might_sleep();
	drivers_point();
	if (fails && lab.send_error) {
		drivers_failure("TLB invalidation could not be sent");
		return lab.flushes > 1 && lab.next_error ? lab.next_error : lab.send_error;
	}
	lab_times_out[tlb != &lab_gt->tlb_inval] = fails && lab.flush_error;
	drivers_point();
	return 0;
}

static void lab_tlb_flush(struct xe_tlb_inval *tlb)
{
}

static long lab_tlb_timeout(struct xe_tlb_inval *tlb)
{
	return HZ;
}

static const struct xe_tlb_inval_ops lab_tlb_ops = {
	.ppgtt = lab_tlb_send,
	.flush = lab_tlb_flush,
	.timeout_delay = lab_tlb_timeout,
};

/* The answer, or there is none, and time is up. */
static void lab_tlb_answer(struct xe_tlb_inval_fence *fence)
{
	struct xe_tlb_inval *tlb = fence->tlb_inval;
	bool media = tlb != &lab_gt->tlb_inval;

	if (lab_times_out[media]) {
		drivers_failure("TLB invalidation timed out");
		fence->inval_time = 0;
		xe_tlb_inval_fence_timeout(&tlb->fence_tdr.work);
		return;
	}
	lab.flushed++;
	/* of the GT that has what the GPU has used */
	if (!media) {
		lab.tlb = lab.pte;
		lab.tlb_since = lab.pte_since;
	}
	xe_tlb_inval_done_handler(tlb, fence->seqno);
}

static signed long lab_wait(struct dma_fence *fence, bool intr)
{
	signed long ret;

	drivers_point();
	if (fence->ops == &inval_fence_ops && !dma_fence_is_signaled(fence))
		lab_tlb_answer(container_of(fence, struct xe_tlb_inval_fence, base));
	ret = dma_fence_wait_timeout(fence, intr, MAX_SCHEDULE_TIMEOUT);
	drivers_point();
	return ret < 0 ? ret : 0;
}

static void lab_init_tlb(struct xe_device *xe, struct xe_gt *gt, struct workqueue_struct *wq)
{
	struct xe_tlb_inval *tlb = &gt->tlb_inval;

	tlb->xe = xe;
	tlb->seqno = 1;
	tlb->ops = &lab_tlb_ops;
	tlb->timeout_wq = wq;
	INIT_LIST_HEAD(&tlb->pending_fences);
	spin_lock_init(&tlb->pending_lock);
	spin_lock_init(&tlb->lock);
	mutex_init(&tlb->seqno_lock);
	INIT_DELAYED_WORK(&tlb->fence_tdr, xe_tlb_inval_fence_timeout);
}

void xe_pm_runtime_get_noresume(struct xe_device *xe)
{
}

void xe_pm_runtime_put(struct xe_device *xe)
{
}

void xe_gt_stats_incr(struct xe_gt *gt, const enum xe_gt_stats_id id, int incr)
{
}

/* There is no device memory. */
void drm_pagemap_put(struct drm_pagemap *dpagemap)
{
}

/* What the process has: nothing of it can be had when it is being reaped. */
int hmm_range_fault_unlocked_timeout(struct hmm_range *range, unsigned long timeout)
{
	unsigned long i;

	drivers_point();
	if (lab.gone || drivers_mm_test(MMF_UNSTABLE, range->notifier->mm))
		return -EFAULT;
	lab.pinned_since = drivers_now();
	for (i = 0; i < (range->end - range->start) >> PAGE_SHIFT; i++)
		range->hmm_pfns[i] = page_to_pfn(lab_page) | HMM_PFN_VALID | HMM_PFN_WRITE;
	drivers_point();
	return 0;
}

/* Where this version of the driver has what xe.c looks at */
#define LAB_CALLBACK		"xe_vma_userptr_invalidate_start"
#define LAB_PAGE_FAULT		"xe_pagefault_handle_vma"
#define LAB_SEND_ERROR		(-EPIPE)
#define lab_notifier_lock(vm)	(&(vm)->svm.gpusvm.notifier_lock)
#define lab_mapped(userptr)	((userptr)->pages.flags.has_dma_mapping)
#define lab_seq(userptr)	((userptr)->pages.notifier_seq)
#define lab_enable_signaling	dma_fence_enable_signaling
#define lab_check_userptr	op_check_svm_userptr
#define lab_bind_commit(vm, tile, update, vma, fence, invalidated) \
	bind_op_commit(vm, tile, update, vma, fence, invalidated, false)
#define lab_try_invalidate	xe_vma_userptr_try_invalidate
#define lab_pre_commit		xe_pt_svm_userptr_pre_commit

/* Without the patches this is a stub. */
bool xe_vma_userptr_try_invalidate(struct xe_vm *vm, struct xe_userptr_vma *uvma,
				   unsigned long cur_seq);

/* Nobody is between the two. */
static void lab_expect_no_second_pass(struct lab_vm *l)
{
	KUNIT_EXPECT_FALSE(l->test, l->uvma->userptr.tlb_inval_submitted);
	KUNIT_EXPECT_FALSE(l->test, l->uvma->userptr.finish_inuse);
}

static bool lab_valid(struct lab_vm *l, struct xe_vma *vma)
{
	return xe_vm_has_valid_gpu_mapping(&l->xe->tiles[0], vma->tile_present,
					   vma->tile_invalidated);
}

static int lab_handle_page_fault(struct lab_vm *l)
{
	return xe_pagefault_handle_vma(&l->gt, &l->uvma->vma, false);
}

static void lab_init_device(struct lab_vm *l)
{
	lab_init_tlb(l->xe, &l->gt, l->xe->ordered_wq);
	lab_init_tlb(l->xe, &l->media, l->xe->ordered_wq);
	lab_gt = &l->gt;
	xe_validation_device_init(&l->xe->val);
	init_completion(&l->xe->pm_block);
	complete_all(&l->xe->pm_block);
}

static void lab_free_page(void *page)
{
	__free_page(page);
}

/* As drm_gpusvm_get_pages() leaves it, in one piece */
static void lab_map(struct lab_vm *l)
{
	struct drm_gpusvm_pages *pages = &l->uvma->userptr.pages;
	unsigned long n = (LAB_END - LAB_START) >> PAGE_SHIFT;

	if (!pages->dma_addr)
		pages->dma_addr = kvcalloc(n, sizeof(*pages->dma_addr), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(l->test, pages->dma_addr);
	pages->dma_addr[0] = drm_pagemap_addr_encode(PAGE_SIZE, DRM_INTERCONNECT_SYSTEM,
						     ilog2(n), DMA_BIDIRECTIONAL);
	pages->flags.has_dma_mapping = true;
}

static void lab_free_addr(void *data)
{
	struct drm_gpusvm_pages *pages = data;

	kvfree(pages->dma_addr);
}

static void lab_init_userptr(struct lab_vm *l)
{
	struct drm_gpusvm_pages *pages = &l->uvma->userptr.pages;
	struct kunit *test = l->test;

	pages->drm = &l->xe->drm;
	lab_map(l);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_free_addr, pages), 0);
	lab_page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lab_page);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_free_page, lab_page), 0);
}

/* Nothing is locked with the notifier lock held. */
static void lab_lock_unmap(struct lab_vm *l)
{
}
