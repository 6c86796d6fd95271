// SPDX-License-Identifier: GPL-2.0-only
/*
 * xe's userptr notifier: drivers/gpu/drm/xe/xe_vm.c and xe_hmm.c. The GPU is the
 * fences at the reservation of the VM.
 */
#include "users.h"
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>

static int lab_unmapped;

static void lab_dma_unmap(struct device *dev, struct sg_table *sgt,
			  enum dma_data_direction dir, unsigned long attrs)
{
	lab_unmapped++;
}

#define dma_unmap_sgtable lab_dma_unmap

#include <drivers/gpu/drm/xe/xe_hmm.c>
#include <drivers/gpu/drm/xe/xe_vm.c>

struct lab_userptr {
	struct kunit *test;
	struct xe_device *xe;
	struct xe_vm *vm;
	struct xe_userptr_vma *uvma;
	struct drm_gem_object obj;
	struct sg_table sg;
	struct users_call call;
};

/* A fence of the VM */
struct lab_fence {
	struct dma_fence base;
	/* protects base */
	spinlock_t lock;
};

static const char *lab_fence_name(struct dma_fence *fence)
{
	return "lab";
}

static const struct dma_fence_ops lab_fence_ops = {
	.get_driver_name = lab_fence_name,
	.get_timeline_name = lab_fence_name,
};

KUNIT_DEFINE_ACTION_WRAPPER(lab_put_fence, dma_fence_put, struct dma_fence *);

static struct lab_fence *lab_job(struct lab_userptr *l, enum dma_resv_usage usage)
{
	struct lab_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	struct dma_resv *resv = l->obj.resv;
	struct kunit *test = l->test;

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &lab_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_put_fence,
							&fence->base), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_lock(resv, NULL), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &fence->base, usage);
	dma_resv_unlock(resv);
	return fence;
}

static void lab_signal(void *fence)
{
	dma_fence_signal(&((struct lab_fence *)fence)->base);
}

static void lab_fini(void *resv)
{
	dma_resv_fini(resv);
}

static struct lab_userptr *lab_userptr(struct kunit *test)
{
	struct lab_userptr *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct xe_userptr *userptr;
	struct xe_vm *vm;

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->test = test;
	l->xe = kunit_kzalloc(test, sizeof(*l->xe), GFP_KERNEL);
	l->vm = kunit_kzalloc(test, sizeof(*l->vm), GFP_KERNEL);
	l->uvma = kunit_kzalloc(test, sizeof(*l->uvma), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l->xe);
	KUNIT_ASSERT_NOT_NULL(test, l->vm);
	KUNIT_ASSERT_NOT_NULL(test, l->uvma);
	vm = l->vm;
	userptr = &l->uvma->userptr;

	l->obj.resv = &l->obj._resv;
	dma_resv_init(l->obj.resv);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_fini,
							l->obj.resv), 0);
	vm->xe = l->xe;
	vm->gpuvm.r_obj = &l->obj;
	init_rwsem(&vm->lock);
	init_rwsem(&vm->userptr.notifier_lock);
	spin_lock_init(&vm->userptr.invalidated_lock);
	INIT_LIST_HEAD(&vm->userptr.invalidated);
	l->uvma->vma.gpuva.vm = &vm->gpuvm;
	mutex_init(&userptr->unmap_mutex);
	INIT_LIST_HEAD(&userptr->invalidate_link);
	userptr->sg = &l->sg;
	userptr->mapped = true;
	lab_unmapped = 0;

	l->call = (struct users_call) {
		.callback = "vma_userptr_invalidate",
		.interval = &userptr->notifier,
		.interval_ops = &vma_userptr_notifier_ops,
		.mm = users_mm(test), .start = 0x10000, .end = 0x20000,
	};
	return l;
}

/* Who wants to submit a job has to get the pages anew. */
static bool lab_needs_repin(struct lab_userptr *l)
{
	return !list_empty(&l->vm->userptr.invalidated);
}

static void lab_refuses(struct lab_userptr *l, enum users_state state)
{
	l->call.state = state;
	users_refuses(l->test, &l->call);
	KUNIT_EXPECT_TRUE(l->test, l->uvma->userptr.mapped);
	KUNIT_EXPECT_EQ(l->test, lab_unmapped, 0);
	/* Whoever repins it would unmap pages that the GPU still uses. */
	KUNIT_EXPECT_EQ(l->test, l->uvma->userptr.notifier.invalidate_seq, 1);
	KUNIT_EXPECT_FALSE(l->test, lab_needs_repin(l));
	if (state == USERS_BUSY)
		KUNIT_EXPECT_FALSE(l->test,
				   rwsem_is_locked(&l->vm->userptr.notifier_lock));
}

static void lab_expect_unmapped(struct lab_userptr *l)
{
	KUNIT_EXPECT_FALSE(l->test, l->uvma->userptr.mapped);
	KUNIT_EXPECT_EQ(l->test, lab_unmapped, 1);
	KUNIT_EXPECT_FALSE(l->test, mutex_is_locked(&l->uvma->userptr.unmap_mutex));
	KUNIT_EXPECT_FALSE(l->test, rwsem_is_locked(&l->vm->userptr.notifier_lock));
}

static void lab_succeeds(struct lab_userptr *l)
{
	l->call.state = USERS_IDLE;
	users_succeeds(l->test, &l->call, true);
	lab_expect_unmapped(l);
}

static void userptr_idle_succeeds(struct kunit *test)
{
	struct lab_userptr *l = lab_userptr(test);

	lab_succeeds(l);
	KUNIT_EXPECT_TRUE(test, lab_needs_repin(l));
	/* Once more: nothing is unmapped twice */
	lab_succeeds(l);
}

/* A submission is under way, for reading, or another notifier */
static void userptr_lock_held_refuses(struct kunit *test)
{
	struct lab_userptr *l = lab_userptr(test);

	down_read(&l->vm->userptr.notifier_lock);
	lab_refuses(l, USERS_HELD);
	up_read(&l->vm->userptr.notifier_lock);
	down_write(&l->vm->userptr.notifier_lock);
	lab_refuses(l, USERS_HELD);
	up_write(&l->vm->userptr.notifier_lock);
	lab_succeeds(l);
}

static void userptr_unmap_mutex_held_refuses(struct kunit *test)
{
	struct lab_userptr *l = lab_userptr(test);

	mutex_lock(&l->uvma->userptr.unmap_mutex);
	lab_refuses(l, USERS_HELD);
	mutex_unlock(&l->uvma->userptr.unmap_mutex);
	lab_succeeds(l);
}

static void userptr_busy_refuses(struct kunit *test)
{
	static const enum dma_resv_usage usages[] = {
		DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_WRITE,
		DMA_RESV_USAGE_READ, DMA_RESV_USAGE_BOOKKEEP,
	};
	struct lab_userptr *l = lab_userptr(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(usages); i++) {
		struct lab_fence *job = lab_job(l, usages[i]);

		lab_refuses(l, USERS_BUSY);
		lab_signal(job);
	}
	lab_succeeds(l);
}

static void userptr_fault_mode(struct kunit *test)
{
	struct lab_userptr *l = lab_userptr(test);

	l->vm->flags |= XE_VM_FLAG_LR_MODE | XE_VM_FLAG_FAULT_MODE;
	l->uvma->userptr.initial_bind = true;
	lab_refuses(l, USERS_BUSY);
	/* Nothing was bound yet */
	l->uvma->userptr.initial_bind = false;
	lab_succeeds(l);
}

/* Their fences are signaled also by a queue that could not be suspended. */
static void userptr_preempt_fence_mode_refuses(struct kunit *test)
{
	struct lab_userptr *l = lab_userptr(test);

	l->vm->flags |= XE_VM_FLAG_LR_MODE;
	l->call.reason = "a preempt fence may signal though the queue runs";
	lab_refuses(l, USERS_IDLE);
}

/* All fences are signaled then, and the GPU was not stopped. */
static void userptr_wedged_refuses(struct kunit *test)
{
	struct lab_userptr *l = lab_userptr(test);

	atomic_set(&l->xe->wedged.flag, 1);
	lab_refuses(l, USERS_BUSY);
}

static void userptr_destroyed_refuses(struct kunit *test)
{
	struct lab_userptr *l = lab_userptr(test);

	l->uvma->vma.gpuva.flags |= XE_VMA_DESTROYED;
	lab_refuses(l, USERS_BUSY);
}

static void userptr_blocking_idle(struct kunit *test)
{
	struct lab_userptr *l = lab_userptr(test);
	struct users_outcome out = users_blocks(test, &l->call);

	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_unmapped(l);
	KUNIT_EXPECT_TRUE(test, lab_needs_repin(l));
}

static void userptr_blocking_waits_after_a_refusal(struct kunit *test)
{
	struct lab_userptr *l = lab_userptr(test);
	struct users_outcome out;

	l->call.let_go = lab_signal;
	l->call.arg = lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	lab_refuses(l, USERS_BUSY);
	out = users_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_unmapped(l);
	KUNIT_EXPECT_TRUE(test, lab_needs_repin(l));
}

static struct kunit_case xe_cases[] = {
	KUNIT_CASE(userptr_idle_succeeds),
	KUNIT_CASE(userptr_lock_held_refuses),
	KUNIT_CASE(userptr_unmap_mutex_held_refuses),
	KUNIT_CASE(userptr_busy_refuses),
	KUNIT_CASE(userptr_fault_mode),
	KUNIT_CASE(userptr_preempt_fence_mode_refuses),
	KUNIT_CASE(userptr_destroyed_refuses),
	KUNIT_CASE(userptr_wedged_refuses),
	KUNIT_CASE(userptr_blocking_idle),
	KUNIT_CASE(userptr_blocking_waits_after_a_refusal),
	{}
};
USERS_SUITE(xe, xe_cases);
