/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases of this version of the driver alone, see LAB_BASE_CASES */

/* Somebody unmaps it, too. */
static void fault_held_unmap_mutex_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	lab_held_refuses(l, &l->uvma->userptr.unmap_mutex);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 0);
	KUNIT_EXPECT_TRUE(test, l->uvma->userptr.mapped);
	lab_succeeds(l);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 1);
}

static void lab_unmap_userptr(void *data)
{
	struct lab_vm *l = data;

	down_write(&l->vm->userptr.notifier_lock);
	__xe_hmm_userptr_unmap(l->uvma);
	up_write(&l->vm->userptr.notifier_lock);
}

static void unmapped_under_the_mutex(struct kunit *test)
{
	users_reports(test, "unmaps without unmap_mutex", lab_unmap_userptr, lab_gfx(test));
}

#define LAB_BASE_CASES					\
	KUNIT_CASE(fault_held_unmap_mutex_refuses),	\
	KUNIT_CASE(unmapped_under_the_mutex),
