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

/* That it is complete is not said of one that was refused. */
static void fault_refusal_is_not_traced(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_completed = 0;
	lab_refuses(l, USERS_BUSY);
	KUNIT_EXPECT_EQ(test, lab_completed, 0);
	users_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab_completed, 1);
	lab_unbind(l, true);
	lab_succeeds(l);
	KUNIT_EXPECT_EQ(test, lab_completed, 2);
}

/* In the second pass: it can only say so. */
static void fault_flush_that_times_out_is_reported(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab.flush_error = -ETIME;
	l->call.hole = "X3";
	l->call.splat = "a TLB invalidation that times out";
	users_blocks(test, &l->call);
	KUNIT_EXPECT_FALSE(test, l->uvma->userptr.finish_inuse);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

#define LAB_BASE_CASES					\
	KUNIT_CASE(fault_refusal_is_not_traced),	\
	KUNIT_CASE(fault_flush_that_times_out_is_reported),	\
	KUNIT_CASE(fault_half_invalidated_refuses),	\
	KUNIT_CASE(fault_has_one_pass),
