// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callbacks with two passes for scripts/test-cocci.sh, see ../cases.c.
 */

static bool first_waits(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
			unsigned long seq, struct mmu_interval_notifier_finish **finish)
{
	mutex_lock(&dev->lock); /* sleeps */
	mmu_interval_set_seq(mni, seq);
	mutex_unlock(&dev->lock);
	*finish = &dev->finish;
	return true;
}

static void second(struct mmu_interval_notifier_finish *finish)
{
	dma_fence_wait(dev->fence, false);
}

static const struct mmu_interval_notifier_ops first_waits_ops = {
	.invalidate_start = first_waits,
	.invalidate_finish = second,
};

static bool first_refuses(struct mmu_interval_notifier *mni,
			  const struct mmu_notifier_range *range, unsigned long seq,
			  struct mmu_interval_notifier_finish **finish)
{
	if (!mmu_notifier_range_blockable(range)) /* refuses */
		return false;
	mutex_lock(&dev->lock);
	mmu_interval_set_seq(mni, seq);
	mutex_unlock(&dev->lock);
	*finish = &dev->finish;
	return true;
}

static const struct mmu_interval_notifier_ops first_refuses_ops = {
	.invalidate_start = first_refuses,
	.invalidate_finish = second,
};

/* Nothing to say: it does all of it in the first pass, or refuses */
static bool first_tries(struct mmu_interval_notifier *mni, const struct mmu_notifier_range *range,
			unsigned long seq, struct mmu_interval_notifier_finish **finish)
{
	bool idle;

	if (mmu_notifier_range_blockable(range))
		mutex_lock(&dev->lock);
	else if (!mutex_trylock(&dev->lock))
		return false;
	mmu_interval_set_seq(mni, seq);
	idle = dma_fence_is_signaled(dev->fence);
	mutex_unlock(&dev->lock);
	if (!mmu_notifier_range_blockable(range))
		return idle;
	*finish = &dev->finish;
	return true;
}

static const struct mmu_interval_notifier_ops first_tries_ops = {
	.invalidate_start = first_tries,
	.invalidate_finish = second,
};
