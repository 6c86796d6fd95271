/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases of this version of the driver alone, see LAB_BASE_CASES */

/* Somebody else is between the two passes: leave it to that. */
static void fault_half_invalidated_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	l->uvma->userptr.finish_inuse = true;
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
	l->uvma->userptr.finish_inuse = false;
	lab_succeeds(l);
}

/* The second pass would have to wait: it is never wanted in non-blocking mode. */
static void fault_has_one_pass(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct mmu_interval_notifier *notifier = &l->uvma->userptr.notifier;
	struct mmu_interval_notifier_finish *finish = NULL;
	struct mmu_notifier_range range = {
		.mm = l->mm, .start = LAB_START, .end = LAB_END, .event = MMU_NOTIFY_CLEAR,
	};

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_FALSE(test, notifier->ops->invalidate_start(notifier, &range, 3, &finish));
	KUNIT_EXPECT_NULL(test, finish);
	lab_unbind(l, true);
	KUNIT_EXPECT_TRUE(test, notifier->ops->invalidate_start(notifier, &range, 3, &finish));
	KUNIT_EXPECT_NULL(test, finish);
	KUNIT_EXPECT_FALSE(test, l->uvma->userptr.finish_inuse);
}

/* All of its pages, which are mapped one by one here */
static void fault_success_unmaps_all(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct drm_gpusvm_pages *pages = &l->uvma->userptr.pages;
	int i, n = (LAB_END - LAB_START) >> PAGE_SHIFT;

	for (i = 0; i < n; i++)
		pages->dma_addr[i] = drm_pagemap_addr_encode((i + 1) << PAGE_SHIFT,
							     DRM_INTERCONNECT_SYSTEM, 0,
							     DMA_BIDIRECTIONAL);
	lab_unbind(l, true);
	lab_succeeds(l);
	KUNIT_EXPECT_EQ(test, lab.unmapped, n);
}

/* All of it is left to the second pass, and the flush times out: as in the first one */
static void fault_late_flush_that_times_out(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct drivers_outcome out;

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	lab.flush_error = -ETIME;
	l->call.hole = "X3";
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	lab_expect_no_second_pass(l);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

static void fault_late_flush_that_is_not_sent(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	lab.send_error = LAB_SEND_ERROR;
	l->call.hole = "X3";
	l->call.splat = "a TLB invalidation of the second pass that could not be sent";
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &l->call).waited);
	lab_expect_no_second_pass(l);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

/*
 * A second caller has nothing to zap, and relies on the TLB invalidation of the first
 * one, which has timed out.
 */
static void fault_flush_of_another_caller_times_out(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct mmu_interval_notifier *notifier = &l->uvma->userptr.notifier;
	struct mmu_interval_notifier_finish *finish = NULL;
	struct mmu_notifier_range range = {
		.mm = l->mm, .start = LAB_START, .end = LAB_END, .event = MMU_NOTIFY_CLEAR,
		.flags = MMU_NOTIFIER_RANGE_BLOCKABLE,
	};

	lab.flush_error = -ETIME;
	lab.fail_at = 1;
	KUNIT_EXPECT_TRUE(test, notifier->ops->invalidate_start(notifier, &range, 3, &finish));
	KUNIT_ASSERT_NOT_NULL(test, finish);
	KUNIT_EXPECT_TRUE(test, l->uvma->userptr.tlb_inval_submitted);
	lab_tlb_answer(&l->uvma->userptr.inval_batch.fence[0]);
	l->call.hole = "X3";
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab.flushes, 1);
	notifier->ops->invalidate_finish(finish);
	KUNIT_EXPECT_FALSE(test, l->uvma->userptr.tlb_inval_submitted);
	KUNIT_EXPECT_FALSE(test, l->uvma->userptr.finish_inuse);
}

/* Without page faults, on two tiles: both are zapped again. */
static void flush_of_one_tile_times_out(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	lab_second_tile(l);
	drivers_blocks(test, &l->call);
	lab.flush_error = -ETIME;
	lab.fail_at = 2;
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), -ETIME);
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, 0);
	lab.flush_error = 0;
	lab.zapped = 0;
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), 0);
	KUNIT_EXPECT_EQ(test, lab.zapped, 2);
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, BIT(0) | BIT(1));
}

/* As a bind does it with CONFIG_DRM_XE_USERPTR_INVAL_INJECT */
static void lab_inject(struct lab_vm *l)
{
	down_write(&l->vm->lock);
	KUNIT_ASSERT_EQ(l->test, xe_vm_lock(l->vm, false), 0);
	down_write(lab_notifier_lock(l->vm));
	lab_force_invalidate(l->uvma);
	up_write(lab_notifier_lock(l->vm));
	xe_vm_unlock(l->vm);
	up_write(&l->vm->lock);
	KUNIT_EXPECT_FALSE(l->test, l->uvma->userptr.tlb_inval_submitted);
	KUNIT_EXPECT_FALSE(l->test, l->uvma->userptr.finish_inuse);
	KUNIT_EXPECT_FALSE(l->test, lab_mapped(&l->uvma->userptr));
}

/* It is bound again, and the next callback finds a bind under way: it has to zap it. */
static void fault_injected_invalidation_ends(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_fault_is_overtaken = false;
	lab_inject(l);
	KUNIT_EXPECT_EQ(test, lab.zapped, 1);
	KUNIT_EXPECT_EQ(test, lab.flushed, 1);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 1);

	lab_map(l);
	lab.pinned_since = drivers_now();
	lab_page_fault(l);
	KUNIT_EXPECT_TRUE(test, lab_valid(l, &l->uvma->vma));
	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &l->call).waited);
	KUNIT_EXPECT_EQ(test, lab.zapped, 2);
	KUNIT_EXPECT_EQ(test, lab.flushed, 2);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

/* The same if there was nothing to be zapped. */
static void fault_injected_before_it_is_bound(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	lab_inject(l);
	KUNIT_EXPECT_EQ(test, lab.zapped, 0);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 1);
}

#define LAB_BASE_CASES					\
	KUNIT_CASE(fault_success_unmaps_all),		\
	KUNIT_CASE(fault_flush_of_another_caller_times_out),	\
	KUNIT_CASE(fault_late_flush_that_times_out),	\
	KUNIT_CASE(fault_late_flush_that_is_not_sent),	\
	KUNIT_CASE(flush_of_one_tile_times_out),	\
	KUNIT_CASE(fault_injected_invalidation_ends),	\
	KUNIT_CASE(fault_injected_before_it_is_bound),	\
	KUNIT_CASE(fault_half_invalidated_refuses),	\
	KUNIT_CASE(fault_has_one_pass),
