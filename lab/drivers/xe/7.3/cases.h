/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases of this version of the driver alone, see LAB_BASE_CASES */

/* Somebody else is between the two passes: leave it to that. */
static void fault_half_invalidated_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	l->uvma->userptr.finish_inuse = true;
	lab_refuses(l, USERS_BUSY);
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

#define LAB_BASE_CASES					\
	KUNIT_CASE(fault_half_invalidated_refuses),	\
	KUNIT_CASE(fault_has_one_pass),
