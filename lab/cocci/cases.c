// SPDX-License-Identifier: GPL-2.0
/*
 * What scripts/coccinelle/api/mmu_notifier_nonblock.cocci has to find, and what
 * not. A line that it has to flag ends in a comment: "sleeps", "killed" (a signal
 * ends the wait) or "refuses". Never compiled.
 */
#include "cases.h"

/* Plain ways to do it right */

static bool if_else(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
		    unsigned long seq)
{
	if (mmu_notifier_range_blockable(range))
		mutex_lock(&lock);
	else if (!mutex_trylock(&lock))
		return false;
	cond_resched();
	mutex_unlock(&lock);
	return true;
}

static const struct mmu_interval_notifier_ops if_else_ops = { .invalidate = if_else, };

static bool flags(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
		  unsigned long seq)
{
	if (idle())
		return true;
	if (!(range->flags & MMU_NOTIFIER_RANGE_BLOCKABLE))
		return false;
	msleep(20);
	return true;
}

static const struct mmu_interval_notifier_ops flags_ops = { .invalidate = flags, };

static bool helper_then_test(struct mmu_interval_notifier *mni,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	bool ret = true;

	if (!mmu_notifier_range_mutex_lock(range, &lock))
		return false;
	if (!mmu_notifier_range_blockable(range)) {
		ret = idle();
		goto out;
	}
	dma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, false, MAX_SCHEDULE_TIMEOUT);
out:
	mutex_unlock(&lock);
	return ret;
}

static const struct mmu_interval_notifier_ops helper_then_test_ops = {
	.invalidate = helper_then_test,
};

static bool helper_in_header(struct mmu_interval_notifier *mni,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	if (!lock_as_range_allows(dev, range))
		return false;
	mutex_unlock(&lock);
	return true;
}

static const struct mmu_interval_notifier_ops helper_in_header_ops = {
	.invalidate = helper_in_header,
};

static bool conditions(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
		       unsigned long seq)
{
	if (range->event == MMU_NOTIFY_UNMAP && mmu_notifier_range_blockable(range))
		msleep(20);
	if (mmu_notifier_range_blockable(range) && busy() &&
	    !wait_for_completion_timeout(&done, HZ))
		count();
	if (busy() && mmu_notifier_range_blockable(range) && again())
		msleep(21);
	if (idle() || !mmu_notifier_range_blockable(range) || again())
		count();
	else
		msleep(22);
	if (unlikely(!mmu_notifier_range_blockable(range)))
		return idle();
	msleep(23);
	return true;
}

static const struct mmu_interval_notifier_ops conditions_ops = {
	.invalidate = conditions,
};

static bool expressions(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
			unsigned long seq)
{
	bool got = mmu_notifier_range_blockable(range) ? dma_resv_lock(resv, NULL) == 0 :
							 dma_resv_trylock(resv);

	return !mmu_notifier_range_blockable(range) || wait_event_timeout(wq, idle(), HZ) > 0;
}

static const struct mmu_interval_notifier_ops expressions_ops = {
	.invalidate = expressions,
};

static bool variable(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
		     unsigned long seq)
{
	bool blockable = mmu_notifier_range_blockable(range);
	void *p = kmalloc(10, blockable ? GFP_KERNEL : GFP_NOWAIT);

	if (blockable)
		mutex_lock(&lock);
	if (blockable && !wait_for_completion_timeout(&done, HZ))
		count();
	if (!blockable || !p)
		return idle();
	msleep(20);
	return true;
}

static const struct mmu_interval_notifier_ops variable_ops = { .invalidate = variable, };

static void wait_for_it(struct dev *dev)
{
	wait_for_completion(&dev->done);
}

static void wait_deeper(struct dev *dev)
{
	wait_for_it(dev);
}

static void wait_at_the_end(struct dev *dev)
{
	wait_deeper(dev);
}

static bool guarded_call(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
			 unsigned long seq)
{
	if (idle())
		return true;
	if (!mmu_notifier_range_blockable(range))
		return false;
	wait_at_the_end(dev);
	lock_in_header(dev);
	return true;
}

static const struct mmu_interval_notifier_ops guarded_call_ops = {
	.invalidate = guarded_call,
};

static void work_fn(struct work_struct *work)
{
	msleep(20);
}

static bool leaves_it_to_a_worker(struct mmu_interval_notifier *mni,
				  const struct mmu_notifier_range *range, unsigned long seq)
{
	INIT_WORK(&dev->work, work_fn);
	schedule_work(&dev->work);
	schedule_delayed_work(&dev->delayed, 1);
	kref_put(&dev->kref, leave);
	synchronize_hardirq(dev->irq);
	vmalloc_to_page(p);
	return true;
}

static const struct mmu_interval_notifier_ops leaves_it_ops = {
	.invalidate = leaves_it_to_a_worker,
};

/* Ways to do it wrong */

static bool no_test(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
		    unsigned long seq)
{
	mutex_lock(&lock); /* sleeps */
	wait_at_the_end(dev); /* sleeps */
	lock_in_header(dev); /* sleeps */
	kref_put(&dev->kref, wait_for_it); /* sleeps */
	buffer = kmalloc(10, GFP_KERNEL | __GFP_ZERO); /* sleeps */
	buffer = kmalloc(10, GFP_NOWAIT);
	return true;
}

static const struct mmu_interval_notifier_ops no_test_ops = { .invalidate = no_test, };

static bool wrong_branch(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
			 unsigned long seq)
{
	if (!mmu_notifier_range_blockable(range)) {
		synchronize_rcu(); /* sleeps */
		return true;
	}
	msleep(20);
	return true;
}

static const struct mmu_interval_notifier_ops wrong_branch_ops = {
	.invalidate = wrong_branch,
};

static bool one_path(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
		     unsigned long seq)
{
	if (busy() && !mmu_notifier_range_blockable(range))
		return false;
	flush_work(&dev->work); /* sleeps */
	if (busy() || mmu_notifier_range_blockable(range))
		down_read(&sem); /* sleeps */
	return true;
}

static const struct mmu_interval_notifier_ops one_path_ops = { .invalidate = one_path, };

/* The lock was got, but that does not tell the mode */
static bool helper_is_no_test(struct mmu_interval_notifier *mni,
			      const struct mmu_notifier_range *range, unsigned long seq)
{
	if (!mmu_notifier_range_down_write(range, &sem))
		return false;
	dma_fence_wait(fence, false); /* sleeps */
	up_write(&sem);
	return true;
}

static const struct mmu_interval_notifier_ops helper_is_no_test_ops = {
	.invalidate = helper_is_no_test,
};

static bool test_is_too_late(struct mmu_interval_notifier *mni,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	bool blockable;

	mutex_lock(&lock); /* sleeps */
	blockable = mmu_notifier_range_blockable(range);
	if (!blockable)
		schedule_timeout_uninterruptible(1); /* sleeps */
	mutex_unlock(&lock);
	return true;
}

static const struct mmu_interval_notifier_ops test_is_too_late_ops = {
	.invalidate = test_is_too_late,
};

static bool passed_on(struct dev *dev, const struct mmu_notifier_range *range)
{
	if (mmu_notifier_range_blockable(range))
		msleep(20);
	usleep_range(1, 2);
	return true;
}

static bool passes_on(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
		      unsigned long seq)
{
	return passed_on(dev, range); /* sleeps */
}

static const struct mmu_interval_notifier_ops passes_on_ops = {
	.invalidate = passes_on,
};

/* Whoever calls it is in another file */
bool called_from_elsewhere(struct dev *dev, const struct mmu_notifier_range *range)
{
	mutex_lock(&dev->lock); /* sleeps */
	return true;
}

static int list_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	ww_mutex_lock(&dev->ww, NULL); /* sleeps */
	return 0;
}

static void list_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	down_write(&sem); /* sleeps */
}

static void list_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	mutex_lock(&lock);
}

static const struct mmu_notifier_ops list_ops = {
	.release = list_release,
	.invalidate_range_start = list_start,
	.invalidate_range_end = list_end,
};

static const struct mmu_notifier_ops end_only_ops = {
	.invalidate_range_end = end_only,
};

static void end_only(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	might_sleep(); /* sleeps */
}

/* A process that was killed unmaps, too: it has not waited then, in whatever mode. */

static bool lock_is_not_had(struct mmu_interval_notifier *mni,
			    const struct mmu_notifier_range *range, unsigned long seq)
{
	if (!bound())
		return true;
	if (mmu_notifier_range_blockable(range) && mutex_lock_interruptible(&lock)) /* killed */
		return true;
	if (!mmu_notifier_range_blockable(range))
		return false;
	if (down_write_killable(&sem)) /* killed */
		return false;
	mutex_lock(&other);
	return true;
}

static const struct mmu_interval_notifier_ops lock_is_not_had_ops = {
	.invalidate = lock_is_not_had,
};

static bool goes_on_without(struct dev *dev, const struct mmu_notifier_range *range)
{
	return wait_event_killable(wq, idle()) == 0; /* killed */
}

static int waits_for_the_device(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	long left;

	if (!bound() || !mmu_notifier_range_blockable(range))
		return 0;
	goes_on_without(dev, range);
	left = dma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, true, HZ); /* killed */
	dma_fence_wait(fence, true); /* killed */
	dma_fence_wait(fence, false);
	dma_resv_wait_timeout(resv, DMA_RESV_USAGE_READ, false, HZ);
	wait_for_completion_killable_timeout(&done, HZ); /* killed */
	return 0;
}

static const struct mmu_notifier_ops waits_for_the_device_ops = {
	.invalidate_range_start = waits_for_the_device,
};

/* Refusals */

static bool refuses_at_once(struct mmu_interval_notifier *mni,
			    const struct mmu_notifier_range *range, unsigned long seq)
{
	struct dev *dev = container_of(mni, struct dev, mni);

	WARN_ON(!dev);
	trace_invalidate(dev);
	if (!mmu_notifier_range_blockable(range)) /* refuses */
		return false;
	mutex_lock(&lock);
	return true;
}

static const struct mmu_interval_notifier_ops refuses_at_once_ops = {
	.invalidate = refuses_at_once,
};

static int list_refuses(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	if (!(range->flags & MMU_NOTIFIER_RANGE_BLOCKABLE)) { /* refuses */
		count();
		return -EAGAIN;
	}
	return 0;
}

static const struct mmu_notifier_ops list_refuses_ops = {
	.invalidate_range_start = list_refuses,
};

static bool asks_for_the_event(struct mmu_interval_notifier *mni,
			       const struct mmu_notifier_range *range, unsigned long seq)
{
	if (range->event == MMU_NOTIFY_MIGRATE && range->owner == dev)
		return true;
	if (!mmu_notifier_range_blockable(range)) /* refuses */
		return false;
	return true;
}

static const struct mmu_interval_notifier_ops asks_for_the_event_ops = {
	.invalidate = asks_for_the_event,
};

static bool has_looked(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
		       unsigned long seq)
{
	if (!bound())
		return true;
	if (!mmu_notifier_range_blockable(range))
		return false;
	return true;
}

static const struct mmu_interval_notifier_ops has_looked_ops = {
	.invalidate = has_looked,
};

static bool looks_first_thing(struct mmu_interval_notifier *mni,
			      const struct mmu_notifier_range *range, unsigned long seq)
{
	if (!mmu_notifier_range_blockable(range)) {
		if (idle())
			return true;
		return false;
	}
	return true;
}

static const struct mmu_interval_notifier_ops looks_first_thing_ops = {
	.invalidate = looks_first_thing,
};

static bool accepts_at_once(struct mmu_interval_notifier *mni,
			    const struct mmu_notifier_range *range, unsigned long seq)
{
	if (!mmu_notifier_range_blockable(range))
		return true;
	mutex_lock(&lock);
	return true;
}

static const struct mmu_interval_notifier_ops accepts_at_once_ops = {
	.invalidate = accepts_at_once,
};
