// SPDX-License-Identifier: GPL-2.0-only
/*
 * The two notifiers of the HMM test driver: lib/test_hmm.c. What runs for real is
 * in lab/guest/victims/hmm-victim.c.
 */
#include "drivers.h"
#include <lib/test_hmm.c>

#define LAB_START	0x100000UL
#define LAB_END		0x200000UL
#define LAB_PFN(addr)	((addr) >> PAGE_SHIFT)

struct lab_mirror {
	struct dmirror dmirror;
	struct dmirror_interval snapshot;
	struct drivers_call call, range;
};

static void lab_destroy(void *pt)
{
	xa_destroy(pt);
}

/* The mirror has one page of the range, and those around it. */
static struct lab_mirror *lab_mirror(struct kunit *test)
{
	static const unsigned long mapped[] = {
		LAB_START - PAGE_SIZE, LAB_START + PAGE_SIZE, LAB_END + PAGE_SIZE,
	};
	struct lab_mirror *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct mm_struct *mm = drivers_mm(test);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, l);
	mutex_init(&l->dmirror.mutex);
	xa_init(&l->dmirror.pt);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_destroy,
							&l->dmirror.pt), 0);
	for (i = 0; i < ARRAY_SIZE(mapped); i++)
		KUNIT_ASSERT_FALSE(test, xa_is_err(xa_store(&l->dmirror.pt,
							    LAB_PFN(mapped[i]), l,
							    GFP_KERNEL)));
	l->snapshot.dmirror = &l->dmirror;
	l->call = (struct drivers_call) {
		.callback = "dmirror_interval_invalidate",
		.interval = &l->dmirror.notifier,
		.interval_ops = &dmirror_min_ops,
		.mm = mm, .start = LAB_START, .end = LAB_END,
	};
	l->range = (struct drivers_call) {
		.callback = "dmirror_snapshot_invalidate",
		.interval = &l->snapshot.notifier,
		.interval_ops = &dmirror_mrn_ops,
		.mm = mm, .start = LAB_START, .end = LAB_END,
	};
	return l;
}

static bool lab_has(struct lab_mirror *l, unsigned long addr)
{
	return xa_load(&l->dmirror.pt, LAB_PFN(addr));
}

static void lab_expect_gone(struct kunit *test, struct lab_mirror *l)
{
	KUNIT_EXPECT_FALSE(test, lab_has(l, LAB_START + PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, lab_has(l, LAB_START - PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, lab_has(l, LAB_END + PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->dmirror.mutex));
}

static void mirror_idle_succeeds(struct kunit *test)
{
	struct lab_mirror *l = lab_mirror(test);

	l->call.state = DRIVERS_IDLE;
	drivers_succeeds(test, &l->call, true);
	lab_expect_gone(test, l);
}

static void mirror_held_refuses(struct kunit *test)
{
	struct lab_mirror *l = lab_mirror(test);

	mutex_lock(&l->dmirror.mutex);
	l->call.state = DRIVERS_HELD;
	drivers_refuses(test, &l->call);
	mutex_unlock(&l->dmirror.mutex);
	KUNIT_EXPECT_TRUE(test, lab_has(l, LAB_START + PAGE_SIZE));
	drivers_blocks(test, &l->call);
	lab_expect_gone(test, l);
}

static void lab_unlock(void *lock)
{
	mutex_unlock(lock);
}

static void mirror_blocking_waits(struct kunit *test)
{
	struct lab_mirror *l = lab_mirror(test);
	struct drivers_outcome out;

	mutex_lock(&l->dmirror.mutex);
	l->call.let_go = lab_unlock;
	l->call.arg = &l->dmirror.mutex;
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_gone(test, l);
}

/* Pages on their way to the device are dealt with by the one who moves them. */
static void mirror_own_migration(struct kunit *test)
{
	struct lab_mirror *l = lab_mirror(test);

	l->call.state = DRIVERS_IDLE;
	l->call.event = MMU_NOTIFY_MIGRATE;
	l->call.event_set = true;
	mutex_lock(&l->dmirror.mutex);
	drivers_succeeds(test, &l->call, false);
	mutex_unlock(&l->dmirror.mutex);
	KUNIT_EXPECT_TRUE(test, lab_has(l, LAB_START + PAGE_SIZE));
}

static void snapshot_idle_succeeds(struct kunit *test)
{
	struct lab_mirror *l = lab_mirror(test);

	l->range.state = DRIVERS_IDLE;
	drivers_succeeds(test, &l->range, true);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->dmirror.mutex));
}

static void snapshot_held_refuses(struct kunit *test)
{
	struct lab_mirror *l = lab_mirror(test);

	mutex_lock(&l->dmirror.mutex);
	l->range.state = DRIVERS_HELD;
	drivers_refuses(test, &l->range);
	KUNIT_EXPECT_EQ(test, l->snapshot.notifier.invalidate_seq, 1);
	mutex_unlock(&l->dmirror.mutex);
}

static void snapshot_blocking_waits(struct kunit *test)
{
	struct lab_mirror *l = lab_mirror(test);
	struct drivers_outcome out;

	mutex_lock(&l->dmirror.mutex);
	l->range.let_go = lab_unlock;
	l->range.arg = &l->dmirror.mutex;
	out = drivers_blocks(test, &l->range);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
}

/* By a process that lives: first while the mirror is busy, then when it is idle */
static void lab_rehearse(struct kunit *test, struct lab_mirror *l,
			 struct drivers_call *call)
{
	struct drivers_outcome out;

	call->let_go = lab_unlock;
	call->arg = &l->dmirror.mutex;
	mutex_lock(&l->dmirror.mutex);
	out = drivers_rehearses(test, call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	out = drivers_rehearses(test, call);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&l->dmirror.mutex));
}

static void mirror_rehearsed(struct kunit *test)
{
	struct lab_mirror *l = lab_mirror(test);

	lab_rehearse(test, l, &l->call);
	lab_expect_gone(test, l);
}

static void snapshot_rehearsed(struct kunit *test)
{
	struct lab_mirror *l = lab_mirror(test);

	lab_rehearse(test, l, &l->range);
}

static struct kunit_case test_hmm_cases[] = {
	KUNIT_CASE(mirror_idle_succeeds),
	KUNIT_CASE(mirror_held_refuses),
	KUNIT_CASE(mirror_blocking_waits),
	KUNIT_CASE(mirror_own_migration),
	KUNIT_CASE(snapshot_idle_succeeds),
	KUNIT_CASE(snapshot_held_refuses),
	KUNIT_CASE(snapshot_blocking_waits),
	KUNIT_CASE(mirror_rehearsed),
	KUNIT_CASE(snapshot_rehearsed),
	{}
};

DRIVERS_SUITE(test_hmm, test_hmm_cases);
