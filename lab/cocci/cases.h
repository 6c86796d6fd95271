/* SPDX-License-Identifier: GPL-2.0 */
static inline void lock_in_header(struct dev *dev)
{
	mutex_lock(&dev->lock);
}

static inline bool lock_as_range_allows(struct dev *dev, const struct mmu_notifier_range *range)
{
	return mmu_notifier_range_mutex_lock(range, &dev->lock);
}
