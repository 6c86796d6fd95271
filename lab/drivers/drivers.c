// SPDX-License-Identifier: GPL-2.0-only
/*
 * The callers' side of the tests of drivers' notifiers; see drivers.h.
 */
#include <linux/completion.h>
#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/debug.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <trace/events/printk.h>
#define LAB_DRIVERS_CALLER
#include "drivers.h"

/* Who sleeps at two looks so far apart, and was not woken between, waits; in ms */
#define DRIVERS_MOMENT	150
/* Who was let go returns within this time; of a mutant that is not expected */
#define DRIVERS_LIMIT	(lab_mutant ? 3000 : 20000)
/* __might_resched() reports once in this time */
#define DRIVERS_QUIET	1100

/* Odd, as mmu_interval_read_begin() hands them out, and another one in each call */
#define DRIVERS_SEQ	4711UL
static atomic_t drivers_calls;

static const char * const drivers_states[] = {
	[DRIVERS_HELD] = "held",
	[DRIVERS_IDLE] = "idle",
	[DRIVERS_BUSY] = "busy",
	[DRIVERS_BLOCKING] = "blocking",
};

/*
 * A thread that makes the calls. It is there before a case takes its locks: to
 * make one, or to allocate memory, under them would be the test's own lock order.
 */
struct drivers_thread {
	struct kthread_worker *worker;
	struct kthread_work work;
	const struct drivers_call *call;
	bool rehearse;
	/* at a point of a path, which may hold the mmap_lock */
	bool interrupts;
	/* the work has begun, and has not ended */
	bool busy;
	int locks;
	struct drivers_outcome out;
	struct mmu_notifier_range range;
	struct completion done;
};

int lab_mutant;
EXPORT_SYMBOL_GPL(lab_mutant);
module_param_named(mutant, lab_mutant, int, 0644);

/* The last one in which a case has failed: the others need not run. */
static int drivers_caught;

static bool drivers_is_caught(void)
{
	return lab_mutant && drivers_caught == lab_mutant;
}

/* How often a success of the callback is kept in mind in one case */
#define DRIVERS_SUCCESSES	512
/* How many places may be reached by known holes in one case */
#define DRIVERS_HOLES	8

/* What the callback has given up, in the case that runs */
static struct {
	const char *callback;
	int (*reach)(void *arg, unsigned long start, unsigned long end);
	void *arg;
	/* What went through a known hole stays reachable: so many pages, in these places. */
	unsigned int nr_holes;
	struct {
		unsigned long start, end;
		int pages;
	} holes[DRIVERS_HOLES];
	unsigned int successes;
	struct {
		unsigned long start, end;
	} given_up[DRIVERS_SUCCESSES];
} drivers_device;

/* A path of the driver that is interrupted */
static struct {
	const char *name;
	struct drivers_call call;
	struct task_struct *task;
	/* The point in question, from 0, and how many were passed */
	int armed, passed;
	bool blocking, reached, inside, bad;
	/* who makes the call, until it is through */
	struct drivers_thread *thread;
	/* of all runs of the path */
	int calls, barred, holes;
} drivers_path_now;

/* The test that runs; KUnit runs one at a time. */
static struct kunit *drivers_test;
static bool drivers_slept, drivers_splat;
static struct drivers_thread *drivers_thread;
/* Who makes calls now */
static struct drivers_thread *drivers_callers[2];

static void drivers_probe_console(void *data, const char *text, size_t len)
{
	if (strnstr(text, "BUG: sleeping function called", len))
		drivers_slept = true;
	else if (strnstr(text, "BUG: ", len) || strnstr(text, "WARNING: ", len) ||
		 strnstr(text, "INFO: ", len))
		drivers_splat = true;
}

/* Not behind a report of lockdep, or of KASAN */
static bool drivers_locks_are_counted(void)
{
#ifdef CONFIG_LOCKDEP
	return debug_locks;
#else
	return false;
#endif
}

static struct drivers_thread *drivers_thread_of(struct task_struct *task)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(drivers_callers); i++)
		if (drivers_callers[i] && drivers_callers[i]->worker->task == task)
			return drivers_callers[i];
	return NULL;
}

static int drivers_locks(void)
{
#ifdef CONFIG_LOCKDEP
	return current->lockdep_depth;
#else
	return 0;
#endif
}

unsigned long drivers_now(void)
{
	return READ_ONCE(drivers_device.successes);
}
EXPORT_SYMBOL_GPL(drivers_now);

bool drivers_given_up(unsigned long addr, unsigned long stamp)
{
	unsigned long i;

	for (i = stamp; i < drivers_device.successes; i++)
		if (addr >= drivers_device.given_up[i].start &&
		    addr < drivers_device.given_up[i].end)
			return true;
	return false;
}
EXPORT_SYMBOL_GPL(drivers_given_up);

/* How many pages can the device reach, but for what went through known holes? */
static int drivers_reached(void)
{
	int i, n = drivers_device.reach(drivers_device.arg, 0, ULONG_MAX);

	for (i = 0; i < drivers_device.nr_holes; i++)
		n -= min(drivers_device.holes[i].pages,
			 drivers_device.reach(drivers_device.arg, drivers_device.holes[i].start,
					      drivers_device.holes[i].end));
	return n;
}

/* From now on, what it can reach in [start, end) is known. */
static void drivers_tolerate(unsigned long start, unsigned long end)
{
	int i, pages = 0;

	/* With what is known around it */
	for (i = 0; i < drivers_device.nr_holes; i++) {
		if (start >= drivers_device.holes[i].end || end <= drivers_device.holes[i].start)
			continue;
		start = min(start, drivers_device.holes[i].start);
		end = max(end, drivers_device.holes[i].end);
		pages = max(pages, drivers_device.holes[i].pages);
		drivers_device.holes[i--] = drivers_device.holes[--drivers_device.nr_holes];
	}
	if (WARN_ON_ONCE(drivers_device.nr_holes == DRIVERS_HOLES))
		return;
	i = drivers_device.nr_holes++;
	drivers_device.holes[i].start = start;
	drivers_device.holes[i].end = end;
	drivers_device.holes[i].pages = max(pages,
					    drivers_device.reach(drivers_device.arg, start, end));
}

/* Behind a success: how many pages can the device reach all the same? */
static int drivers_give_up(unsigned long start, unsigned long end)
{
	int before;

	if (!drivers_device.reach)
		return 0;
	if (WARN_ON_ONCE(drivers_device.successes == DRIVERS_SUCCESSES))
		return -1;
	/* What was given up before, and is reached since, is somebody else's fault. */
	before = drivers_device.reach(drivers_device.arg, start, end);
	drivers_device.given_up[drivers_device.successes].start = start;
	drivers_device.given_up[drivers_device.successes].end = end;
	WRITE_ONCE(drivers_device.successes, drivers_device.successes + 1);
	/* A judge that looks for pins alone finds the same before: nothing is right, then. */
	return max(drivers_device.reach(drivers_device.arg, start, end) - before,
		   drivers_reached());
}

void drivers_look(struct kunit *test)
{
	KUNIT_EXPECT_LE_MSG(test, drivers_reached(), 0,
			    "the device can reach pages that were given up");
}
EXPORT_SYMBOL_GPL(drivers_look);

static void drivers_judge_ends(void *data)
{
	struct kunit *test = data;

	if (drivers_device.reach)
		drivers_look(test);
	if (test->status == KUNIT_FAILURE)
		drivers_caught = lab_mutant;
	memset(&drivers_device, 0, sizeof(drivers_device));
}

void drivers_judge(struct kunit *test, const char *callback,
		   int (*reach)(void *arg, unsigned long start, unsigned long end), void *arg)
{
	if (drivers_is_caught())
		kunit_skip(test, "this mutant is caught");
	memset(&drivers_device, 0, sizeof(drivers_device));
	drivers_device.callback = callback;
	drivers_device.reach = reach;
	drivers_device.arg = arg;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, drivers_judge_ends, test), 0);
}
EXPORT_SYMBOL_GPL(drivers_judge);

void drivers_failure(const char *what)
{
	pr_info("LAB-FAILURE %s %s\n", drivers_device.callback ?: "-", what);
}
EXPORT_SYMBOL_GPL(drivers_failure);

/* The sequence means something only to who looks at it under the same lock. */
void drivers_set_seq(struct mmu_interval_notifier *notifier, unsigned long seq)
{
	struct drivers_thread *t = drivers_thread_of(current);

	if (t && drivers_locks_are_counted() && drivers_locks() <= t->locks)
		t->out.seq_unlocked = true;
	mmu_interval_set_seq(notifier, seq);
}
EXPORT_SYMBOL_GPL(drivers_set_seq);

static bool drivers_interval(struct drivers_thread *t)
{
	const struct drivers_call *call = t->call;
	const struct mmu_interval_notifier_ops *ops = call->interval_ops;
	unsigned long seq;
	bool success;

	if (!ops)
		ops = call->interval->ops;
	/* The path has read it, and has to see that it changes, and only that. */
	if (!t->interrupts)
		call->interval->invalidate_seq = 1;
	seq = DRIVERS_SEQ + 2 * atomic_inc_return(&drivers_calls);
	success = drivers_invalidate(ops, call->interval, &t->range, seq);
	t->out.seq_set = call->interval->invalidate_seq == seq;
	return success;
}

static bool drivers_list(struct drivers_thread *t)
{
	const struct drivers_call *call = t->call;
	const struct mmu_notifier_ops *ops = call->list_ops;

	if (!ops)
		ops = call->list->ops;
	if (ops->invalidate_range_start(call->list, &t->range))
		return false;
	if (ops->invalidate_range_end)
		ops->invalidate_range_end(call->list, &t->range);
	return true;
}

/* The callback alone, as the core would call it */
static void drivers_do_call(struct drivers_thread *t)
{
	bool blockable = mmu_notifier_range_blockable(&t->range), killed;

	if (t->range.mm && t->interrupts) {
		t->out.barred = !mmap_read_trylock(t->range.mm);
		if (t->out.barred)
			return;
	} else if (t->range.mm) {
		mmap_read_lock(t->range.mm);
	}
	t->locks = drivers_locks();
	killed = blockable && t->worker && !t->call->alive;
	if (!blockable)
		non_block_start();
	if (killed) {
		allow_signal(SIGKILL);
		send_sig(SIGKILL, current, 1);
	}
	t->out.success = t->call->interval ? drivers_interval(t) : drivers_list(t);
	if (killed) {
		flush_signals(current);
		disallow_signal(SIGKILL);
	}
	if (!blockable)
		non_block_end();
	t->out.locks = drivers_locks() - t->locks;
	/* Behind a release there is an UNMAP: nothing is given up. */
	if (t->out.success && t->range.event != MMU_NOTIFY_RELEASE)
		t->out.reached = drivers_give_up(t->range.start, t->range.end);
	if (t->range.mm)
		mmap_read_unlock(t->range.mm);
}

KUNIT_DEFINE_ACTION_WRAPPER(drivers_remove_interval, mmu_interval_notifier_remove,
			    struct mmu_interval_notifier *);

static void drivers_remove_list(void *notifier)
{
	struct mmu_notifier *list = notifier;

	mmu_notifier_unregister(list, list->mm);
}

/* Until the case ends, and before what was there before is taken down */
static int drivers_insert(struct drivers_thread *t)
{
	const struct drivers_call *call = t->call;
	int ret;

	if (call->interval) {
		ret = mmu_interval_notifier_insert(call->interval, call->mm, call->start,
						   call->end - call->start,
						   call->interval_ops);
		return ret ?: kunit_add_action_or_reset(drivers_test, drivers_remove_interval,
							call->interval);
	}
	call->list->ops = call->list_ops;
	ret = mmu_notifier_register(call->list, call->mm);
	return ret ?: kunit_add_action_or_reset(drivers_test, drivers_remove_list,
						call->list);
}

/* What there is to be unmapped; most of the devices here need no memory. */
static bool drivers_map(const struct drivers_call *call)
{
	unsigned long size = call->end - call->start;
	bool mapped;

	mmap_read_lock(call->mm);
	mapped = find_vma_intersection(call->mm, call->start, call->end);
	mmap_read_unlock(call->mm);
	return mapped || vm_mmap(NULL, call->start, size, PROT_READ | PROT_WRITE,
				 MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED_NOREPLACE,
				 0) == call->start;
}

/* As madvise(MADV_DONTNEED) does it */
static bool drivers_zap(const struct drivers_call *call)
{
	struct vm_area_struct *vma;

	mmap_read_lock(call->mm);
	vma = find_vma(call->mm, call->start);
	if (vma && vma->vm_start <= call->start && vma->vm_end >= call->end)
		zap_vma_range(vma, call->start, call->end - call->start);
	else
		vma = NULL;
	mmap_read_unlock(call->mm);
	return vma;
}

/*
 * The core's start and end are not for modules, so memory of the process is
 * unmapped or zapped. Which invalidations are rehearsed is what lab/guest/run/run-drivers
 * has set: those of a thread with make_it_fail.
 */
static void drivers_do_rehearse(struct drivers_thread *t)
{
	const struct drivers_call *call = t->call;
	int locks = drivers_locks();
	unsigned long seq = 0;

	if (!call->mm->notifier_subscriptions && drivers_insert(t))
		return;
	if (call->interval)
		seq = call->interval->invalidate_seq;
	kthread_use_mm(call->mm);
	if (drivers_map(call)) {
		if (call->known_lock_order)
			lockdep_off();
		current->make_it_fail = 1;
		t->out.success = call->event == MMU_NOTIFY_UNMAP ?
				 !vm_munmap(call->start, call->end - call->start) :
				 drivers_zap(call);
		current->make_it_fail = 0;
		if (call->known_lock_order)
			lockdep_on();
	}
	kthread_unuse_mm(call->mm);
	t->out.seq_set = call->interval && call->interval->invalidate_seq != seq;
	t->out.locks = drivers_locks() - locks;
	if (t->out.success)
		t->out.reached = drivers_give_up(call->start, call->end);
}

static void drivers_work(struct kthread_work *work)
{
	struct drivers_thread *t = container_of(work, struct drivers_thread, work);

	WRITE_ONCE(t->busy, true);
	if (t->rehearse)
		drivers_do_rehearse(t);
	else
		drivers_do_call(t);
	WRITE_ONCE(t->busy, false);
	complete_all(&t->done);
}

static struct drivers_thread *drivers_new_thread(void)
{
	struct drivers_thread *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	t->worker = kthread_run_worker(0, "lab-drivers");
	if (IS_ERR(t->worker)) {
		kfree(t);
		return NULL;
	}
	kthread_init_work(&t->work, drivers_work);
	init_completion(&t->done);
	return t;
}

static const char *drivers_result(const struct drivers_outcome *out, bool blocking)
{
	if (!blocking && (out->slept || out->waited))
		return "slept";
	return out->success ? "succeeded" : "refused";
}

/*
 * On a busy machine it may only have had no processor yet: until then its state is
 * that of a worker without work, TASK_WAKING, or TASK_RUNNING.
 */
static bool drivers_sleeps(struct drivers_thread *t)
{
	return READ_ONCE(t->busy) && (READ_ONCE(t->worker->task->__state) & TASK_NORMAL);
}

static bool drivers_returns(struct drivers_thread *t)
{
	struct task_struct *task = t->worker->task;
	unsigned long switches, before = 0;
	bool slept = false, sleeps;
	int i;

	for (i = 0; i < DRIVERS_LIMIT / DRIVERS_MOMENT; i++) {
		if (wait_for_completion_timeout(&t->done,
						msecs_to_jiffies(DRIVERS_MOMENT)))
			return true;
		switches = READ_ONCE(task->nvcsw);
		sleeps = drivers_sleeps(t);
		if (slept && sleeps && switches == before)
			break;
		slept = sleeps;
		before = switches;
	}
	return completion_done(&t->done);
}

static void drivers_start(struct drivers_thread *t, const struct drivers_call *call, bool rehearse)
{
	bool blocking = call->state == DRIVERS_BLOCKING;

	t->call = call;
	t->rehearse = rehearse;
	t->interrupts = drivers_path_now.inside;
	memset(&t->out, 0, sizeof(t->out));
	memset(&t->range, 0, sizeof(t->range));
	t->range.mm = call->mm;
	t->range.start = call->start;
	t->range.end = call->end;
	t->range.event = call->event;
	t->range.owner = call->owner;
	if (!blocking && !call->event_set)
		t->range.event = MMU_NOTIFY_CLEAR;
	if (blocking)
		t->range.flags = MMU_NOTIFIER_RANGE_BLOCKABLE;
	reinit_completion(&t->done);
	drivers_callers[blocking] = t;
	kthread_queue_work(t->worker, &t->work);
}

/* What the judge says about a call that has returned */
static void drivers_verdict(struct kunit *test, const struct drivers_call *call,
			    const struct drivers_outcome *out)
{
	bool hole = call->hole && call->state == DRIVERS_BLOCKING;

	if (!out->success || !drivers_device.reach)
		return;
	if (!hole) {
		KUNIT_EXPECT_EQ_MSG(test, out->reached, 0,
				    "%s() has succeeded (%s), and the device can reach the pages",
				    call->callback, drivers_states[call->state]);
		return;
	}
	if (!drivers_path_now.name)
		KUNIT_EXPECT_GT_MSG(test, out->reached, 0,
				    "%s(): is the hole %s gone?", call->callback, call->hole);
	if (out->reached)
		drivers_path_now.holes++;
	drivers_tolerate(call->start, call->end);
}

/* Has the thread do it, and lets go of what it waits for */
static struct drivers_outcome drivers_run(struct kunit *test, const struct drivers_call *call,
					  bool rehearse)
{
	bool blocking = call->state == DRIVERS_BLOCKING;
	struct drivers_thread *t = drivers_thread;
	struct drivers_outcome out;

	/* The one before hangs. */
	if (!t)
		t = drivers_new_thread();
	KUNIT_ASSERT_NOT_NULL(test, t);
	drivers_thread = NULL;

	drivers_test = test;
	drivers_slept = false;
	drivers_splat = false;
	if (call->splat)
		pr_info("LAB-EXPECT-SPLAT-BEGIN %s\n", call->splat);
	drivers_start(t, call, rehearse);
	if (!drivers_returns(t)) {
		t->out.waited = true;
		if (call->let_go)
			call->let_go(call->arg);
		if (!wait_for_completion_timeout(&t->done,
						 msecs_to_jiffies(DRIVERS_LIMIT))) {
			sched_show_task(t->worker->task);
			KUNIT_FAIL_AND_ABORT(test, "%s() does not return", call->callback);
		}
	}
	out = t->out;
	drivers_callers[blocking] = NULL;
	drivers_thread = t;
	out.slept = drivers_slept;
	out.splat = drivers_splat;
	if (rehearse)
		pr_info("LAB-REHEARSED %s %s\n", call->callback,
			out.slept ? "slept" : "silent");
	else
		pr_info("LAB-DRIVER %s %s %s %s\n", call->callback,
			drivers_states[call->state], drivers_result(&out, blocking),
			call->reason ?: "");
	if (out.slept)
		msleep(DRIVERS_QUIET);

	KUNIT_EXPECT_EQ_MSG(test, out.locks, 0, "%s() returned with locks held",
			    call->callback);
	if (call->splat)
		pr_info("LAB-EXPECT-SPLAT-END\n");
	KUNIT_EXPECT_EQ_MSG(test, out.splat, !!call->splat,
			    "the kernel reported something, or did not");
	drivers_verdict(test, call, &out);
	return out;
}

struct drivers_outcome drivers_call(struct kunit *test, const struct drivers_call *call)
{
	return drivers_run(test, call, false);
}
EXPORT_SYMBOL_GPL(drivers_call);

static void drivers_does_not_sleep(struct kunit *test, const struct drivers_call *call,
				   const struct drivers_outcome *out)
{
	KUNIT_EXPECT_FALSE_MSG(test, out->slept, "%s() slept in non-blocking mode",
			       call->callback);
	KUNIT_EXPECT_FALSE_MSG(test, out->waited, "%s() waited in non-blocking mode",
			       call->callback);
}

void drivers_refuses(struct kunit *test, const struct drivers_call *call)
{
	struct drivers_outcome out = drivers_call(test, call);

	drivers_does_not_sleep(test, call, &out);
	KUNIT_EXPECT_FALSE_MSG(test, out.success, "%s() did not refuse (%s)",
			       call->callback, drivers_states[call->state]);
}
EXPORT_SYMBOL_GPL(drivers_refuses);

static void drivers_sets_seq(struct kunit *test, const struct drivers_call *call,
			     const struct drivers_outcome *out)
{
	KUNIT_EXPECT_TRUE_MSG(test, out->seq_set, "%s() did not set the sequence",
			      call->callback);
	KUNIT_EXPECT_FALSE_MSG(test, out->seq_unlocked,
			       "%s() set the sequence without a lock", call->callback);
}

void drivers_succeeds(struct kunit *test, const struct drivers_call *call, bool seq)
{
	struct drivers_outcome out = drivers_call(test, call);

	drivers_does_not_sleep(test, call, &out);
	KUNIT_EXPECT_TRUE_MSG(test, out.success, "%s() refused (%s)",
			      call->callback, drivers_states[call->state]);
	if (seq)
		drivers_sets_seq(test, call, &out);
}
EXPORT_SYMBOL_GPL(drivers_succeeds);

struct drivers_outcome drivers_blocks(struct kunit *test, const struct drivers_call *call)
{
	struct drivers_call blocking = *call;
	struct drivers_outcome out;

	blocking.state = DRIVERS_BLOCKING;
	out = drivers_call(test, &blocking);
	KUNIT_EXPECT_TRUE_MSG(test, out.success, "%s() refused in blocking mode",
			      call->callback);
	/* What is invalidated because of a release is not looked up any more. */
	if (call->interval && !call->no_seq && call->event != MMU_NOTIFY_RELEASE)
		drivers_sets_seq(test, call, &out);
	return out;
}
EXPORT_SYMBOL_GPL(drivers_blocks);

void drivers_reports(struct kunit *test, const char *what, void (*fn)(void *arg), void *arg)
{
	drivers_splat = false;
	pr_info("LAB-EXPECT-SPLAT-BEGIN %s\n", what);
	fn(arg);
	pr_info("LAB-EXPECT-SPLAT-END\n");
	KUNIT_EXPECT_TRUE_MSG(test, drivers_splat, "%s: the kernel did not report it", what);
	drivers_splat = false;
}
EXPORT_SYMBOL_GPL(drivers_reports);

void drivers_blocks_here(struct kunit *test, const struct drivers_call *call)
{
	struct drivers_call blocking = *call;
	struct drivers_thread t = {
		.call = &blocking,
		.range = {
			.mm = call->mm,
			.start = call->start,
			.end = call->end,
			.event = call->event,
			.owner = call->owner,
			.flags = MMU_NOTIFIER_RANGE_BLOCKABLE,
		},
	};

	t.interrupts = true;
	blocking.state = DRIVERS_BLOCKING;
	drivers_do_call(&t);
	KUNIT_EXPECT_TRUE_MSG(test, t.out.success, "%s() refused in blocking mode",
			      call->callback);
	KUNIT_EXPECT_EQ_MSG(test, t.out.locks, 0, "%s() returned with locks held",
			    call->callback);
	drivers_verdict(test, &blocking, &t.out);
}
EXPORT_SYMBOL_GPL(drivers_blocks_here);

struct drivers_outcome drivers_rehearses(struct kunit *test, const struct drivers_call *call)
{
	struct drivers_call blocking = *call;
	struct drivers_outcome out;

	KUNIT_EXPECT_TRUE_MSG(test, call->event == MMU_NOTIFY_UNMAP ||
			      call->event == MMU_NOTIFY_CLEAR,
			      "only munmap() and MADV_DONTNEED are rehearsed");
	KUNIT_EXPECT_FALSE_MSG(test, drivers_mm_test(MMF_UNSTABLE, call->mm),
			       "the process is being reaped, which is no rehearsal");
	blocking.state = DRIVERS_BLOCKING;
	out = drivers_run(test, &blocking, true);
	KUNIT_EXPECT_FALSE_MSG(test, out.slept, "%s() slept in a rehearsal",
			       call->callback);
	KUNIT_EXPECT_TRUE_MSG(test, out.success, "%s() could not be rehearsed",
			      call->callback);
	return out;
}
EXPORT_SYMBOL_GPL(drivers_rehearses);

/* Each point twice: without blocking, and blocking */
const void *drivers_points(DRIVERS_PARAMS)
{
	long run = (long)prev;

	if (drivers_is_caught())
		return NULL;
	if (run && (!drivers_path_now.reached || drivers_path_now.bad))
		return NULL;
	drivers_path_now.bad = false;
	if (!run) {
		drivers_path_now.calls = 0;
		drivers_path_now.barred = 0;
		drivers_path_now.holes = 0;
	}
	drivers_path_now.armed = run / 2;
	drivers_path_now.blocking = run % 2;
	drivers_path_now.reached = false;
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "point %ld%s", run / 2,
		 run % 2 ? ", blocking" : "");
	return (void *)(run + 1);
}
EXPORT_SYMBOL_GPL(drivers_points);

/* If the case is given up in the middle of the path */
static void drivers_path_dropped(void *unused)
{
	drivers_path_now.name = NULL;
	drivers_path_now.task = NULL;
}

void drivers_path(struct kunit *test, const char *path, const struct drivers_call *call)
{
	KUNIT_ASSERT_NOT_NULL(test, drivers_device.reach);
	drivers_path_now.thread = drivers_new_thread();
	KUNIT_ASSERT_NOT_NULL(test, drivers_path_now.thread);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, drivers_path_dropped, NULL), 0);
	drivers_path_now.name = path;
	drivers_path_now.call = *call;
	if (drivers_path_now.blocking)
		drivers_path_now.call.state = DRIVERS_BLOCKING;
	drivers_path_now.passed = 0;
	drivers_path_now.inside = false;
	drivers_test = test;
	drivers_slept = false;
	drivers_splat = false;
	/* From here on there are points. */
	drivers_path_now.task = current;
}
EXPORT_SYMBOL_GPL(drivers_path);

/* Through, or it waits: then it is let alone until the path ends. */
static void drivers_wait_a_little(struct drivers_thread *t)
{
	int waiting = 0, i;

	for (i = 0; i < DRIVERS_LIMIT && waiting < 3; i++) {
		if (wait_for_completion_timeout(&t->done, 2))
			return;
		waiting = drivers_sleeps(t) ? waiting + 1 : 0;
	}
}

/* What has returned has been noted, too. */
void drivers_settle(void)
{
	if (drivers_path_now.task == current && drivers_path_now.reached &&
	    !drivers_path_now.inside)
		drivers_wait_a_little(drivers_path_now.thread);
}
EXPORT_SYMBOL_GPL(drivers_settle);

void drivers_point(void)
{
	struct drivers_thread *t = drivers_path_now.thread;

	if (drivers_path_now.task != current || drivers_path_now.inside || preempt_count() ||
	    irqs_disabled() || rcu_preempt_depth())
		return;
	if (drivers_path_now.passed++ != drivers_path_now.armed)
		return;
	drivers_path_now.reached = true;
	drivers_path_now.inside = true;
	drivers_start(t, &drivers_path_now.call, false);
	drivers_wait_a_little(t);
	if (!drivers_path_now.blocking && !completion_done(&t->done)) {
		KUNIT_FAIL(drivers_test, "%s() waits in non-blocking mode",
			   drivers_path_now.call.callback);
		drivers_path_now.bad = true;
	}
	drivers_path_now.inside = false;
}
EXPORT_SYMBOL_GPL(drivers_point);

/* Whether it succeeds without blocking is up to it, what that means to the judge. */
static void drivers_path_verdict(struct kunit *test, const struct drivers_outcome *out)
{
	const struct drivers_call *call = &drivers_path_now.call;

	KUNIT_EXPECT_EQ_MSG(test, out->locks, 0, "%s() returned with locks held",
			    call->callback);
	if (drivers_path_now.blocking && !out->barred)
		KUNIT_EXPECT_TRUE_MSG(test, out->success, "%s() refused in blocking mode",
				      call->callback);
	if (!drivers_path_now.blocking && drivers_slept) {
		KUNIT_FAIL(test, "%s() slept in non-blocking mode", call->callback);
		drivers_path_now.bad = true;
	}
	drivers_verdict(test, call, out);
	drivers_path_now.calls++;
	drivers_path_now.barred += out->barred;
}

void drivers_path_end(struct kunit *test)
{
	struct drivers_thread *t = drivers_path_now.thread;
	const struct drivers_call *call = &drivers_path_now.call;

	drivers_path_now.task = NULL;
	drivers_path_now.thread = NULL;
	if (drivers_path_now.reached) {
		if (!wait_for_completion_timeout(&t->done, msecs_to_jiffies(DRIVERS_LIMIT))) {
			drivers_path_now.bad = true;
			KUNIT_FAIL_AND_ABORT(test, "%s() does not return", call->callback);
		}
		drivers_callers[drivers_path_now.blocking] = NULL;
		drivers_path_verdict(test, &t->out);
	}
	kthread_destroy_worker(t->worker);
	kfree(t);
	KUNIT_EXPECT_FALSE_MSG(test, drivers_splat, "the kernel reported something");
	drivers_look(test);
	if (!drivers_path_now.reached) {
		KUNIT_EXPECT_GT_MSG(test, drivers_path_now.passed, 0, "the path has no points");
		pr_info("LAB-POINTS %s %d %d %d %d %s\n", call->callback, drivers_path_now.passed,
			drivers_path_now.calls, drivers_path_now.barred, drivers_path_now.holes,
			drivers_path_now.name);
	}
	drivers_path_now.name = NULL;
}
EXPORT_SYMBOL_GPL(drivers_path_end);

KUNIT_DEFINE_ACTION_WRAPPER(drivers_put_mm, mmput, struct mm_struct *);

struct mm_struct *drivers_mm(struct kunit *test)
{
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, drivers_put_mm, mm), 0);
	return mm;
}
EXPORT_SYMBOL_GPL(drivers_mm);

static const char *drivers_fence_name(struct dma_fence *fence)
{
	return "lab";
}

static const struct dma_fence_ops drivers_fence_ops = {
	.get_driver_name = drivers_fence_name,
	.get_timeline_name = drivers_fence_name,
};

struct drivers_fence {
	struct dma_fence base;
	/* of @base */
	spinlock_t lock;
};

KUNIT_DEFINE_ACTION_WRAPPER(drivers_put_fence, dma_fence_put, struct dma_fence *);

struct dma_fence *drivers_fence(struct kunit *test)
{
	struct drivers_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &drivers_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, drivers_put_fence,
							&fence->base), 0);
	return &fence->base;
}
EXPORT_SYMBOL_GPL(drivers_fence);

long drivers_stub_called(const char *name)
{
	if (drivers_test)
		KUNIT_FAIL(drivers_test, "%s() was called, which the case does not expect",
			   name);
	else
		WARN(1, "%s() was called outside of a test\n", name);
	return 0;
}
EXPORT_SYMBOL_GPL(drivers_stub_called);

static int __init drivers_init(void)
{
	drivers_thread = drivers_new_thread();
	if (!drivers_thread)
		return -ENOMEM;
	return register_trace_console(drivers_probe_console, NULL);
}
module_init(drivers_init);

static void __exit drivers_exit(void)
{
	unregister_trace_console(drivers_probe_console, NULL);
	tracepoint_synchronize_unregister();
	if (drivers_thread) {
		kthread_destroy_worker(drivers_thread->worker);
		kfree(drivers_thread);
	}
}
module_exit(drivers_exit);

MODULE_DESCRIPTION("Calls the callbacks of MMU notifiers");
DRIVERS_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
