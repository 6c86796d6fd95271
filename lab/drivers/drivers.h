/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the drivers' notifiers share: they call a driver's
 * callback as the OOM reaper and as munmap() would, and note what it did.
 *
 * A driver's test file includes the driver's source, so that its static functions
 * can be called. What the driver calls of its own other files is either defined
 * in the test file or a generated stub, which fails the case that reaches it.
 */
#ifndef LAB_DRIVERS_H
#define LAB_DRIVERS_H

#include <kunit/test.h>
#include <linux/dma-fence.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/version.h>

/*
 * What the bases spell differently; nothing but this block knows their versions.
 * drivers_invalidate() calls an interval notifier as the core does: the second pass
 * behind the first one, if that wants it.
 */
void drivers_point(void);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define DRIVERS_PARAMS	struct kunit *test, const void *prev, char *desc
#define DRIVERS_XEN_PV
#define DRIVERS_HVA_PARAMS		struct kvm_follow_pfn *kfp
#define DRIVERS_HVA_ARGS		kfp
#define DRIVERS_IMPORT_NS(ns)		MODULE_IMPORT_NS(#ns)
#define drivers_mm_test(flag, mm)	mm_flags_test(flag, mm)
#define drivers_mm_set(flag, mm)	mm_flags_set(flag, mm)
#define drivers_mm_clear(flag, mm)	mm_flags_clear(flag, mm)
/* Of hfi1's struct tid_user_buf, with room for them behind it */
#define drivers_set_psets(buf, sets)	memcpy((buf)->psets, sets, sizeof(sets))

static inline bool drivers_invalidate(const struct mmu_interval_notifier_ops *ops,
				      struct mmu_interval_notifier *interval,
				      const struct mmu_notifier_range *range, unsigned long seq)
{
	struct mmu_interval_notifier_finish *finish = NULL;

	if (!ops->invalidate_start)
		return ops->invalidate(interval, range, seq);
	if (!ops->invalidate_start(interval, range, seq, &finish))
		return false;
	if (finish) {
		finish->notifier = interval;
		drivers_point();
		ops->invalidate_finish(finish);
	}
	return true;
}
#else
#define DRIVERS_PARAMS	const void *prev, char *desc
#define DRIVERS_HVA_PARAMS		unsigned long addr, bool atomic, bool interruptible, \
					bool *async, bool write_fault, bool *writable
#define DRIVERS_HVA_ARGS		addr, atomic, interruptible, async, write_fault, writable
#define DRIVERS_IMPORT_NS(ns)		MODULE_IMPORT_NS(ns)
#define drivers_mm_test(flag, mm)	test_bit(flag, &(mm)->flags)
#define drivers_mm_set(flag, mm)	set_bit(flag, &(mm)->flags)
#define drivers_mm_clear(flag, mm)	clear_bit(flag, &(mm)->flags)
#define drivers_set_psets(buf, sets)	((buf)->psets = (sets))
#define kthread_run_worker		kthread_create_worker
#define zap_vma_range(vma, addr, size)	zap_page_range_single(vma, addr, size, NULL)

static inline bool drivers_invalidate(const struct mmu_interval_notifier_ops *ops,
				      struct mmu_interval_notifier *interval,
				      const struct mmu_notifier_range *range, unsigned long seq)
{
	return ops->invalidate(interval, range, seq);
}
#endif

#ifndef LAB_DRIVERS_CALLER
/* A driver's own entry and exit are not run. */
#undef module_init
#define module_init(fn) static void *drivers_unused_##fn __maybe_unused = fn
#undef module_exit
#define module_exit(fn) static void *drivers_unused_##fn __maybe_unused = fn
#endif

/**
 * enum drivers_state - what the device is doing when the callback is called
 * @DRIVERS_HELD: non-blocking, a lock that the callback needs is held by somebody
 *	else: it has to refuse, and not to wait
 * @DRIVERS_IDLE: non-blocking, nothing stands in the way of success
 * @DRIVERS_BUSY: non-blocking, the device can reach pages of the range, and that
 *	can't be changed without sleeping: it has to refuse
 * @DRIVERS_BLOCKING: blocking mode; it succeeds whatever it takes
 */
enum drivers_state {
	DRIVERS_HELD,
	DRIVERS_IDLE,
	DRIVERS_BUSY,
	DRIVERS_BLOCKING,
};

/**
 * struct drivers_call - one call of a callback
 * @callback: the function's name in the driver's source; rows of the table and
 *	the lines that were covered go by it
 * @state: what the device is doing
 * @interval: the interval notifier, if it is one
 * @interval_ops: its operations; @interval->ops if NULL
 * @list: the list notifier, if it is one; its invalidate_range_end() is called
 *	after a success, if it has one
 * @list_ops: its operations; @list->ops if NULL
 * @mm: of the range; its mmap_lock is held for reading during the call
 * @start: first address of the range
 * @end: behind its last one
 * @event: MMU_NOTIFY_UNMAP is 0, and so the default; the reaper's event is
 *	MMU_NOTIFY_CLEAR, which drivers_refuses() and drivers_succeeds() set unless
 *	@event_set
 * @event_set: @event is meant as it is
 * @owner: of the range, which is who does what @event says
 * @let_go: called when the callback was found to wait, to end that: releases the
 *	lock, signals the fence. May be NULL if it can't wait.
 * @arg: for @let_go
 * @reason: why it refuses though it is idle, for the table; only for a refusal
 *	that stays, with this reason in its patch or in the driver
 * @known_lock_order: lockdep is not to look at a rehearsal, because it reports
 *	the blocking call, rehearsed or not
 * @hole: the hole of docs/drivers.md, by its number, that this blocking call goes
 *	through: the judge has to find pages that the device can still reach. While
 *	a path is interrupted it may.
 * @splat: what the kernel has to report in the call, if anything
 * @alive: no signal is pending in blocking mode. As a rule SIGKILL is, as whoever
 *	unmaps may have been killed: a wait that this ends would be a success too soon.
 * @no_seq: nobody looks at the sequence of this interval notifier, and it is not set
 */
struct drivers_call {
	const char *callback;
	enum drivers_state state;
	struct mmu_interval_notifier *interval;
	const struct mmu_interval_notifier_ops *interval_ops;
	struct mmu_notifier *list;
	const struct mmu_notifier_ops *list_ops;
	struct mm_struct *mm;
	unsigned long start, end;
	enum mmu_notifier_event event;
	bool event_set;
	void *owner;
	void (*let_go)(void *arg);
	void *arg;
	const char *reason;
	bool known_lock_order;
	const char *hole;
	const char *splat;
	bool alive;
	bool no_seq;
};

/**
 * struct drivers_outcome - what a callback did
 * @success: true or 0 was returned
 * @waited: it had not returned after a while; @let_go was called
 * @slept: the kernel reported a sleeping function in non-blocking mode
 * @splat: the kernel reported anything else (lockdep, WARNING, BUG)
 * @locks: locks that it holds on return (needs CONFIG_LOCKDEP)
 * @seq_set: it set the interval notifier's sequence; in a rehearsal, changed it
 * @seq_unlocked: it did so with no lock held that it had taken
 * @barred: it was not called at all, as the mmap_lock was held for writing at that
 *	point of a path: the OOM reaper would not have got there, either
 * @reached: the pages that the judge found reachable when it had returned success,
 *	and that were not given up before
 */
struct drivers_outcome {
	bool success;
	bool waited;
	bool slept;
	bool splat;
	int locks;
	bool seq_set;
	bool seq_unlocked;
	bool barred;
	int reached;
};

/*
 * Calls a callback in a thread of its own, notes the outcome for the table, and
 * says what came out. Does not judge.
 */
struct drivers_outcome drivers_call(struct kunit *test, const struct drivers_call *call);

/*
 * Non-blocking calls, and what the contract wants of them: neither sleeps,
 * waits, or keeps a lock. The state is DRIVERS_HELD or DRIVERS_BUSY, and DRIVERS_IDLE.
 * A driver that refuses though idle uses drivers_refuses() with DRIVERS_IDLE, and gives
 * the reason.
 */
void drivers_refuses(struct kunit *test, const struct drivers_call *call);
/* @seq: the sequence has to be set, too (interval notifiers that use it) */
void drivers_succeeds(struct kunit *test, const struct drivers_call *call, bool seq);
/*
 * A blocking call; the state is set here. It may wait until it is let go. It has to
 * set the sequence, but for @no_seq, or a release.
 */
struct drivers_outcome drivers_blocks(struct kunit *test, const struct drivers_call *call);

/*
 * A blocking call by the caller itself, which may be a path that is interrupted;
 * it must not have to wait.
 */
void drivers_blocks_here(struct kunit *test, const struct drivers_call *call);

/*
 * An invalidation by the process itself, which lives, with the callback in the
 * core's hands: munmap() of the range if the event is MMU_NOTIFY_UNMAP, as if
 * nothing is set, or MADV_DONTNEED if it is MMU_NOTIFY_CLEAR. The core rehearses
 * it: it asks in non-blocking mode first. That must not sleep; the blocking call
 * that follows may wait until it is let go. If nobody has registered a notifier
 * with @call->mm the one of @call is, until the case ends. In the table it does
 * not count as a non-blocking call.
 */
struct drivers_outcome drivers_rehearses(struct kunit *test, const struct drivers_call *call);

/* A new, empty address space, which lives as long as the test case */
struct mm_struct *drivers_mm(struct kunit *test);

/* A job of the device: a fence that lives as long as the test case */
struct dma_fence *drivers_fence(struct kunit *test);

/*
 * The judge. The fakes of a device know what it can reach at each moment: page
 * table entries, entries in TLBs that were not flushed, jobs that run. When they
 * hand a page of the process to the driver they take drivers_now() with it, and
 * keep that with whatever lets the device reach the page. After each success of
 * the callback, whatever the case is about, the device must not be able to reach
 * what was given up by it, unless somebody holds a reference on the page: neither
 * at once, nor by what is put together afterwards from pages that were had before.
 */
unsigned long drivers_now(void);
/* Was the page at @addr given up by a success of the callback since @stamp? */
bool drivers_given_up(unsigned long addr, unsigned long stamp);

/*
 * From now on, until the case ends. @reach says how many pages in [start, end) the
 * device can reach that were given up, and on which it holds no reference. @callback
 * is for the table.
 */
void drivers_judge(struct kunit *test, const char *callback,
		   int (*reach)(void *arg, unsigned long start, unsigned long end), void *arg);
/* The judge looks, also at what was mapped since; a case may do so at any time. */
void drivers_look(struct kunit *test);

/*
 * An assertion of the driver, whose locks are not held in @fn, or whose devices are
 * busy: the kernel has to report that.
 */
void drivers_reports(struct kunit *test, const char *what, void (*fn)(void *arg), void *arg);

/* By a fake, when something fails, is late or is skipped because a case wants it */
void drivers_failure(const char *what);

/*
 * Interruptions. A case with KUNIT_CASE_PARAM(name, drivers_points) runs one path of
 * the driver, between drivers_path() and drivers_path_end(): bind, page fault, release.
 * At a point of it, another one each time, the callback of @call is called, once as
 * by the OOM reaper, once in blocking mode by a thread that may be through only
 * after the path; the judge looks then, and at the end. Points are wherever
 * points.h or a fake calls drivers_point(): where the path takes or releases a lock,
 * waits, or looks pages up. The case ends with a run that is not interrupted.
 */
const void *drivers_points(DRIVERS_PARAMS);
void drivers_path(struct kunit *test, const char *path, const struct drivers_call *call);
void drivers_path_end(struct kunit *test);

/*
 * In a path whose lookups take no lock before, a fake calls this in front of
 * drivers_now(): the callback that has released a lock a moment ago is through then.
 */
void drivers_settle(void);

/* What the callback gets for mmu_interval_set_seq(), see points.h */
void drivers_set_seq(struct mmu_interval_notifier *notifier, unsigned long seq);

/* Which mutant of lab/mutate.py the driver is, none if it is 0 */
extern int lab_mutant;

/* For the generated stubs */
long drivers_stub_called(const char *name);

/* At the end of a driver's test file: its cases, under its name */
#define DRIVERS_SUITE(driver, cases)					\
	static struct kunit_suite drivers_suite_##driver = {		\
		.name = #driver,					\
		.test_cases = cases,					\
	};								\
	kunit_test_suite(drivers_suite_##driver);			\
	MODULE_DESCRIPTION("KUnit tests of a driver's notifiers");	\
	DRIVERS_IMPORT_NS(DMA_BUF);					\
	MODULE_LICENSE("GPL")

#endif
