// SPDX-License-Identifier: GPL-2.0-only
/*
 * nouveau's two notifiers for SVM: drivers/gpu/drm/nouveau/nouveau_svm.c. The GPU
 * is whatever gets PFNCLR.
 */
#include "users.h"
#include <drivers/gpu/drm/nouveau/nouveau_svm.c>

#define LAB_START	0x100000UL
#define LAB_END		0x200000UL
#define LAB_UNMANAGED	0x140000UL
#define LAB_MANAGED	0x180000UL

struct lab_svm {
	struct nouveau_drm drm;
	struct nouveau_cli cli;
	struct nouveau_vmm vmm;
	struct nouveau_svmm svmm;
	struct svm_notifier interval;
	struct drm_device dev;
	struct device parent;
	struct users_call list, range;
};

static struct {
	unsigned int calls;
	u64 addr[4], size[4];
} lab_cleared;

/* Takes the mutex of the VMM, and waits for the flush */
int nvif_object_mthd(struct nvif_object *object, u32 mthd, void *data, u32 size)
{
	struct nvif_vmm_pfnclr_v0 *args = data;
	unsigned int i = lab_cleared.calls++ % ARRAY_SIZE(lab_cleared.addr);

	might_sleep();
	lab_cleared.addr[i] = args->addr;
	lab_cleared.size[i] = args->size;
	return 0;
}

static struct lab_svm *lab_svm(struct kunit *test)
{
	struct lab_svm *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, l);
	mutex_init(&l->svmm.mutex);
	l->dev.dev = &l->parent;
	l->drm.dev = &l->dev;
	l->drm.client.drm = &l->drm;
	l->cli.drm = &l->drm;
	l->vmm.cli = &l->cli;
	l->svmm.vmm = &l->vmm;
	l->svmm.unmanaged.start = LAB_UNMANAGED;
	l->svmm.unmanaged.limit = LAB_MANAGED;
	l->interval.svmm = &l->svmm;
	l->list = (struct users_call) {
		.callback = "nouveau_svmm_invalidate_range_start",
		.list = &l->svmm.notifier, .list_ops = &nouveau_mn_ops,
		.mm = users_mm(test), .start = LAB_START, .end = LAB_END,
	};
	l->range = (struct users_call) {
		.callback = "nouveau_svm_range_invalidate",
		.interval = &l->interval.notifier,
		.interval_ops = &nouveau_svm_mni_ops,
		.mm = l->list.mm, .start = LAB_START, .end = LAB_END,
	};
	memset(&lab_cleared, 0, sizeof(lab_cleared));
	return l;
}

static void lab_unlock(void *lock)
{
	mutex_unlock(lock);
}

static void lab_list_refuses(struct kunit *test, struct lab_svm *l,
			     enum users_state state)
{
	l->list.state = state;
	users_refuses(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 0);
	if (state != USERS_HELD)
		KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

static void lab_expect_cleared(struct kunit *test, unsigned int nr, u64 start,
			       u64 end)
{
	KUNIT_EXPECT_EQ(test, lab_cleared.addr[nr], start);
	KUNIT_EXPECT_EQ(test, lab_cleared.addr[nr] + lab_cleared.size[nr], end);
}

static void list_held_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	mutex_lock(&l->svmm.mutex);
	lab_list_refuses(test, l, USERS_HELD);
	mutex_unlock(&l->svmm.mutex);
}

static void list_managed_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	lab_list_refuses(test, l, USERS_BUSY);
	/* The parts in front of the unmanaged one and behind it */
	l->list.end = LAB_UNMANAGED;
	lab_list_refuses(test, l, USERS_BUSY);
	l->list.start = LAB_MANAGED;
	l->list.end = LAB_END;
	lab_list_refuses(test, l, USERS_BUSY);
}

static void list_unmanaged_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->list.start = LAB_UNMANAGED;
	l->list.end = LAB_MANAGED;
	l->list.reason = "it keeps no track of what the GPU has mapped";
	lab_list_refuses(test, l, USERS_IDLE);
}

/* The page tables live on for a moment. */
static void list_dead_vmm_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->svmm.vmm = NULL;
	lab_list_refuses(test, l, USERS_BUSY);
}

static void list_blocking_clears(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	lab_list_refuses(test, l, USERS_BUSY);
	users_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
	lab_expect_cleared(test, 0, LAB_START, LAB_MANAGED);
	lab_expect_cleared(test, 1, LAB_MANAGED, LAB_END);

	l->list.start = LAB_UNMANAGED;
	l->list.end = LAB_MANAGED;
	users_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

/* The GPU's own migration clears what it moves, and there may be no GPU left. */
static void list_blocking_leaves_out(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->list.event = MMU_NOTIFY_MIGRATE;
	l->list.event_set = true;
	l->list.owner = &l->dev;
	users_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 0);
	l->list.owner = NULL;
	users_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);

	l->svmm.vmm = NULL;
	users_blocks(test, &l->list);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

static void list_blocking_waits(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);
	struct users_outcome out;

	mutex_lock(&l->svmm.mutex);
	l->list.let_go = lab_unlock;
	l->list.arg = &l->svmm.mutex;
	out = users_blocks(test, &l->list);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
}

static void range_held_refuses(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	mutex_lock(&l->svmm.mutex);
	l->range.state = USERS_HELD;
	users_refuses(test, &l->range);
	KUNIT_EXPECT_EQ(test, l->interval.notifier.invalidate_seq, 1);
	mutex_unlock(&l->svmm.mutex);
}

/* The list notifier, which comes after it, does the rest. */
static void range_idle_succeeds(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->range.state = USERS_IDLE;
	users_succeeds(test, &l->range, true);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 0);
}

/* A page of the GPU itself: it asks for that, and knows. */
static void range_own_exclusive_succeeds(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->range.state = USERS_IDLE;
	l->range.event = MMU_NOTIFY_EXCLUSIVE;
	l->range.event_set = true;
	/* Of nobody, so it counts */
	users_succeeds(test, &l->range, true);
}

static void range_blocking_waits(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);
	struct users_outcome out;

	mutex_lock(&l->svmm.mutex);
	l->range.let_go = lab_unlock;
	l->range.arg = &l->svmm.mutex;
	out = users_blocks(test, &l->range);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

/* By a process that lives: the GPU's mappings go once, in the blocking call. */
static void list_rehearsed(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);

	l->list.let_go = lab_unlock;
	l->list.arg = &l->svmm.mutex;
	mutex_lock(&l->svmm.mutex);
	KUNIT_EXPECT_TRUE(test, users_rehearses(test, &l->list).waited);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 2);
	lab_expect_cleared(test, 0, LAB_START, LAB_MANAGED);
	lab_expect_cleared(test, 1, LAB_MANAGED, LAB_END);

	KUNIT_EXPECT_FALSE(test, users_rehearses(test, &l->list).waited);
	KUNIT_EXPECT_EQ(test, lab_cleared.calls, 4);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

static void range_rehearsed(struct kunit *test)
{
	struct lab_svm *l = lab_svm(test);
	struct users_outcome out;

	l->range.let_go = lab_unlock;
	l->range.arg = &l->svmm.mutex;
	mutex_lock(&l->svmm.mutex);
	out = users_rehearses(test, &l->range);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	out = users_rehearses(test, &l->range);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->svmm.mutex));
}

static struct kunit_case nouveau_cases[] = {
	KUNIT_CASE(list_held_refuses),
	KUNIT_CASE(list_managed_refuses),
	KUNIT_CASE(list_unmanaged_refuses),
	KUNIT_CASE(list_dead_vmm_refuses),
	KUNIT_CASE(list_blocking_clears),
	KUNIT_CASE(list_blocking_leaves_out),
	KUNIT_CASE(list_blocking_waits),
	KUNIT_CASE(range_held_refuses),
	KUNIT_CASE(range_idle_succeeds),
	KUNIT_CASE(range_own_exclusive_succeeds),
	KUNIT_CASE(range_blocking_waits),
	KUNIT_CASE(list_rehearsed),
	KUNIT_CASE(range_rehearsed),
	{}
};

USERS_SUITE(nouveau, nouveau_cases);
