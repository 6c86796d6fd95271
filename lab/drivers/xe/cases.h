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
	drivers_reports(test, "unmaps without unmap_mutex", lab_unmap_userptr, lab_gfx(test));
}

/* What is bound, zapped and unbound on the other tile says nothing about this one. */
static void other_tile_is_bound_and_unbound(struct kunit *test)
{
	struct xe_vm_pgtable_update_ops update = {};
	struct lab_vm *l = lab_fault(test);
	struct xe_tile *first = &l->xe->tiles[0], *other = &l->xe->tiles[1];
	struct xe_vma *vma = &l->uvma->vma;

	lab_second_tile(l);
	vma->tile_present = BIT(0);
	vma->tile_invalidated = BIT(0) | BIT(1);
	down_read(lab_notifier_lock(l->vm));
	bind_op_commit(l->vm, other, &update, vma, NULL, NULL);
	up_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_EQ(test, vma->tile_present, BIT(0) | BIT(1));
	KUNIT_EXPECT_EQ(test, vma->tile_invalidated, BIT(0));
	KUNIT_EXPECT_TRUE(test, vma_is_valid(other, vma));
	KUNIT_EXPECT_FALSE(test, vma_is_valid(first, vma));
	down_read(lab_notifier_lock(l->vm));
	unbind_op_commit(l->vm, other, &update, vma, NULL, NULL);
	up_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_EQ(test, vma->tile_present, BIT(0));
	vma->tile_invalidated = 0;
	KUNIT_EXPECT_TRUE(test, vma_is_valid(first, vma));
	KUNIT_EXPECT_FALSE(test, vma_is_valid(other, vma));
}

/* The GPU has it in both tiles, and must not reach it by either of them. */
static void fault_both_tiles_are_given_up(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_second_tile(l);
	lab.other = lab.first;
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab.zapped, 2);
	KUNIT_EXPECT_EQ(test, lab.flushed, 2);
}

/* The task that repins may have been killed: that does not end the wait for notifier_lock. */
static void exec_of_a_killed_process(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	drivers_blocks(test, &l->call);
	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), 0);
	KUNIT_EXPECT_TRUE(test, signal_pending(current));
	flush_signals(current);
	disallow_signal(SIGKILL);
	KUNIT_EXPECT_EQ(test, lab.zapped, 1);
	KUNIT_EXPECT_EQ(test, lab.flushed, 1);
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, BIT(0));
}

#define LAB_BASE_CASES					\
	KUNIT_CASE(exec_of_a_killed_process),		\
	KUNIT_CASE(other_tile_is_bound_and_unbound),	\
	KUNIT_CASE(fault_both_tiles_are_given_up),	\
	KUNIT_CASE(fault_held_unmap_mutex_refuses),	\
	KUNIT_CASE(unmapped_under_the_mutex),
