// SPDX-License-Identifier: GPL-2.0-only
/*
 * The callers' side of the tests of MMU notifier users; see users.h.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/debug.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <trace/events/printk.h>
#define LAB_USERS_CALLER
#include "users.h"

/* Who has not returned by then, and does not run, waits; in milliseconds */
#define USERS_MOMENT	300
/* Who was let go returns within this time */
#define USERS_LIMIT	20000
/* __might_resched() reports once in this time */
#define USERS_QUIET	1100

/* Anything odd; mmu_interval_read_begin() hands out such numbers */
#define USERS_SEQ	4711UL

static const char * const users_states[] = {
	[USERS_HELD] = "held",
	[USERS_IDLE] = "idle",
	[USERS_BUSY] = "busy",
	[USERS_BLOCKING] = "blocking",
};

/*
 * A thread that makes the calls. It is there before a case takes its locks: to
 * make one, or to allocate memory, under them would be the test's own lock order.
 */
struct users_thread {
	struct kthread_worker *worker;
	struct kthread_work work;
	const struct users_call *call;
	bool rehearse;
	struct users_outcome out;
	struct mmu_notifier_range range;
	struct completion done;
};

/* The test that runs; KUnit runs one at a time. */
static struct kunit *users_test;
static bool users_slept, users_splat;
static struct users_thread *users_thread;

static void users_probe_console(void *data, const char *text, size_t len)
{
	if (strnstr(text, "BUG: sleeping function called", len))
		users_slept = true;
	else if (strnstr(text, "BUG: ", len) || strnstr(text, "WARNING: ", len) ||
		 strnstr(text, "INFO: ", len))
		users_splat = true;
}

static int users_locks(void)
{
#ifdef CONFIG_LOCKDEP
	return current->lockdep_depth;
#else
	return 0;
#endif
}

static bool users_interval(struct users_thread *t)
{
	const struct users_call *call = t->call;
	const struct mmu_interval_notifier_ops *ops = call->interval_ops;
	bool success;

	if (!ops)
		ops = call->interval->ops;
	call->interval->invalidate_seq = 1;
	success = ops->invalidate(call->interval, &t->range, USERS_SEQ);
	t->out.seq_set = call->interval->invalidate_seq == USERS_SEQ;
	return success;
}

static bool users_list(struct users_thread *t)
{
	const struct users_call *call = t->call;
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
static void users_do_call(struct users_thread *t)
{
	bool blockable = mmu_notifier_range_blockable(&t->range);
	int locks;

	if (t->range.mm)
		mmap_read_lock(t->range.mm);
	locks = users_locks();
	if (!blockable)
		non_block_start();
	t->out.success = t->call->interval ? users_interval(t) : users_list(t);
	if (!blockable)
		non_block_end();
	t->out.locks = users_locks() - locks;
	if (t->range.mm)
		mmap_read_unlock(t->range.mm);
}

KUNIT_DEFINE_ACTION_WRAPPER(users_remove_interval, mmu_interval_notifier_remove,
			    struct mmu_interval_notifier *);

static void users_remove_list(void *notifier)
{
	struct mmu_notifier *list = notifier;

	mmu_notifier_unregister(list, list->mm);
}

/* Until the case ends, and before what was there before is taken down */
static int users_insert(struct users_thread *t)
{
	const struct users_call *call = t->call;
	int ret;

	if (call->interval) {
		ret = mmu_interval_notifier_insert(call->interval, call->mm, call->start,
						   call->end - call->start,
						   call->interval_ops);
		return ret ?: kunit_add_action_or_reset(users_test, users_remove_interval,
							call->interval);
	}
	call->list->ops = call->list_ops;
	ret = mmu_notifier_register(call->list, call->mm);
	return ret ?: kunit_add_action_or_reset(users_test, users_remove_list,
						call->list);
}

/* What there is to be unmapped; most of the devices here need no memory. */
static bool users_map(const struct users_call *call)
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
static bool users_zap(const struct users_call *call)
{
	struct vm_area_struct *vma;

	mmap_read_lock(call->mm);
	vma = find_vma(call->mm, call->start);
	if (vma && vma->vm_start <= call->start && vma->vm_end >= call->end)
		zap_page_range_single(vma, call->start, call->end - call->start, NULL);
	else
		vma = NULL;
	mmap_read_unlock(call->mm);
	return vma;
}

/*
 * The core's start and end are not for modules, so memory of the process is
 * unmapped or zapped. Which invalidations are rehearsed is what lab/guest/run-users
 * has set: those of a thread with make_it_fail.
 */
static void users_do_rehearse(struct users_thread *t)
{
	const struct users_call *call = t->call;
	int locks = users_locks();
	unsigned long seq = 0;

	if (!call->mm->notifier_subscriptions && users_insert(t))
		return;
	if (call->interval)
		seq = call->interval->invalidate_seq;
	kthread_use_mm(call->mm);
	if (users_map(call)) {
		if (call->known_lock_order)
			lockdep_off();
		current->make_it_fail = 1;
		t->out.success = call->event == MMU_NOTIFY_UNMAP ?
				 !vm_munmap(call->start, call->end - call->start) :
				 users_zap(call);
		current->make_it_fail = 0;
		if (call->known_lock_order)
			lockdep_on();
	}
	kthread_unuse_mm(call->mm);
	t->out.seq_set = call->interval && call->interval->invalidate_seq != seq;
	t->out.locks = users_locks() - locks;
}

static void users_work(struct kthread_work *work)
{
	struct users_thread *t = container_of(work, struct users_thread, work);

	if (t->rehearse)
		users_do_rehearse(t);
	else
		users_do_call(t);
	complete(&t->done);
}

static struct users_thread *users_new_thread(void)
{
	struct users_thread *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	t->worker = kthread_create_worker(0, "lab-users");
	if (IS_ERR(t->worker)) {
		kfree(t);
		return NULL;
	}
	kthread_init_work(&t->work, users_work);
	init_completion(&t->done);
	return t;
}

static const char *users_result(const struct users_outcome *out, bool blocking)
{
	if (!blocking && (out->slept || out->waited))
		return "slept";
	return out->success ? "succeeded" : "refused";
}

/* On a busy machine it may only have had no processor yet. */
static bool users_returns(struct users_thread *t)
{
	int i;

	for (i = 0; i < USERS_LIMIT / USERS_MOMENT; i++) {
		if (wait_for_completion_timeout(&t->done,
						msecs_to_jiffies(USERS_MOMENT)))
			return true;
		if (!task_is_running(t->worker->task))
			break;
	}
	return completion_done(&t->done);
}

/* Has the thread do it, and lets go of what it waits for */
static struct users_outcome users_run(struct kunit *test, const struct users_call *call,
				      bool rehearse)
{
	bool blocking = call->state == USERS_BLOCKING;
	struct users_thread *t = users_thread;
	struct users_outcome out;

	/* The one before hangs. */
	if (!t)
		t = users_new_thread();
	KUNIT_ASSERT_NOT_NULL(test, t);
	users_thread = NULL;

	t->call = call;
	t->rehearse = rehearse;
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

	users_test = test;
	users_slept = false;
	users_splat = false;
	kthread_queue_work(t->worker, &t->work);
	if (!users_returns(t)) {
		t->out.waited = true;
		if (call->let_go)
			call->let_go(call->arg);
		if (!wait_for_completion_timeout(&t->done,
						 msecs_to_jiffies(USERS_LIMIT))) {
			sched_show_task(t->worker->task);
			KUNIT_FAIL_AND_ABORT(test, "%s() does not return", call->callback);
		}
	}
	out = t->out;
	users_thread = t;
	out.slept = users_slept;
	out.splat = users_splat;
	if (rehearse)
		pr_info("LAB-REHEARSED %s %s\n", call->callback,
			out.slept ? "slept" : "silent");
	else
		pr_info("LAB-USER %s %s %s %s\n", call->callback,
			users_states[call->state], users_result(&out, blocking),
			call->reason ?: "");
	if (out.slept)
		msleep(USERS_QUIET);

	KUNIT_EXPECT_EQ_MSG(test, out.locks, 0, "%s() returned with locks held",
			    call->callback);
	KUNIT_EXPECT_FALSE_MSG(test, out.splat, "the kernel reported something");
	return out;
}

struct users_outcome users_call(struct kunit *test, const struct users_call *call)
{
	return users_run(test, call, false);
}
EXPORT_SYMBOL_GPL(users_call);

static void users_does_not_sleep(struct kunit *test, const struct users_call *call,
				 const struct users_outcome *out)
{
	KUNIT_EXPECT_FALSE_MSG(test, out->slept, "%s() slept in non-blocking mode",
			       call->callback);
	KUNIT_EXPECT_FALSE_MSG(test, out->waited, "%s() waited in non-blocking mode",
			       call->callback);
}

void users_refuses(struct kunit *test, const struct users_call *call)
{
	struct users_outcome out = users_call(test, call);

	users_does_not_sleep(test, call, &out);
	KUNIT_EXPECT_FALSE_MSG(test, out.success, "%s() did not refuse (%s)",
			       call->callback, users_states[call->state]);
}
EXPORT_SYMBOL_GPL(users_refuses);

void users_succeeds(struct kunit *test, const struct users_call *call, bool seq)
{
	struct users_outcome out = users_call(test, call);

	users_does_not_sleep(test, call, &out);
	KUNIT_EXPECT_TRUE_MSG(test, out.success, "%s() refused (%s)",
			      call->callback, users_states[call->state]);
	if (seq)
		KUNIT_EXPECT_TRUE_MSG(test, out.seq_set,
				      "%s() did not set the sequence", call->callback);
}
EXPORT_SYMBOL_GPL(users_succeeds);

struct users_outcome users_blocks(struct kunit *test, const struct users_call *call)
{
	struct users_call blocking = *call;
	struct users_outcome out;

	blocking.state = USERS_BLOCKING;
	out = users_call(test, &blocking);
	KUNIT_EXPECT_TRUE_MSG(test, out.success, "%s() refused in blocking mode",
			      call->callback);
	return out;
}
EXPORT_SYMBOL_GPL(users_blocks);

struct users_outcome users_rehearses(struct kunit *test, const struct users_call *call)
{
	struct users_call blocking = *call;
	struct users_outcome out;

	KUNIT_EXPECT_TRUE_MSG(test, call->event == MMU_NOTIFY_UNMAP ||
			      call->event == MMU_NOTIFY_CLEAR,
			      "only munmap() and MADV_DONTNEED are rehearsed");
	KUNIT_EXPECT_FALSE_MSG(test, test_bit(MMF_UNSTABLE, &call->mm->flags),
			       "the process is being reaped, which is no rehearsal");
	blocking.state = USERS_BLOCKING;
	out = users_run(test, &blocking, true);
	KUNIT_EXPECT_FALSE_MSG(test, out.slept, "%s() slept in a rehearsal",
			       call->callback);
	KUNIT_EXPECT_TRUE_MSG(test, out.success, "%s() could not be rehearsed",
			      call->callback);
	return out;
}
EXPORT_SYMBOL_GPL(users_rehearses);

KUNIT_DEFINE_ACTION_WRAPPER(users_put_mm, mmput, struct mm_struct *);

struct mm_struct *users_mm(struct kunit *test)
{
	struct mm_struct *mm = mm_alloc();

	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, users_put_mm, mm), 0);
	return mm;
}
EXPORT_SYMBOL_GPL(users_mm);

static const char *users_fence_name(struct dma_fence *fence)
{
	return "lab";
}

static const struct dma_fence_ops users_fence_ops = {
	.get_driver_name = users_fence_name,
	.get_timeline_name = users_fence_name,
};

struct users_fence {
	struct dma_fence base;
	/* of @base */
	spinlock_t lock;
};

KUNIT_DEFINE_ACTION_WRAPPER(users_put_fence, dma_fence_put, struct dma_fence *);

struct dma_fence *users_fence(struct kunit *test)
{
	struct users_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &users_fence_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, users_put_fence,
							&fence->base), 0);
	return &fence->base;
}
EXPORT_SYMBOL_GPL(users_fence);

long users_stub_called(const char *name)
{
	if (users_test)
		KUNIT_FAIL(users_test, "%s() was called, which the case does not expect",
			   name);
	else
		WARN(1, "%s() was called outside of a test\n", name);
	return 0;
}
EXPORT_SYMBOL_GPL(users_stub_called);

static int __init users_init(void)
{
	users_thread = users_new_thread();
	if (!users_thread)
		return -ENOMEM;
	return register_trace_console(users_probe_console, NULL);
}
module_init(users_init);

static void __exit users_exit(void)
{
	unregister_trace_console(users_probe_console, NULL);
	tracepoint_synchronize_unregister();
	if (users_thread) {
		kthread_destroy_worker(users_thread->worker);
		kfree(users_thread);
	}
}
module_exit(users_exit);

MODULE_DESCRIPTION("Calls the callbacks of users of MMU notifiers");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
