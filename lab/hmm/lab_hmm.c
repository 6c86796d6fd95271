// SPDX-License-Identifier: GPL-2.0
/*
 * lib/test_hmm.c with two knobs. All else, the callback and its lock above all,
 * is the tree's own source.
 *
 * start, size: what a file of the device mirrors from when it is opened. If size
 * is 0, that is the whole address space, as in the original.
 * hold: as long as it is set, the device is slow: a read through the mirror,
 * which holds the lock that the callback needs, does not end. holding says that
 * one is waiting; it is meant for one reader at a time.
 */
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>

static unsigned long start;
module_param(start, ulong, 0644);
static unsigned long size;
module_param(size, ulong, 0644);
static bool hold;
module_param(hold, bool, 0644);
static bool holding;
module_param(holding, bool, 0444);

/* The device's own interval is the one that begins at 0. */
static int lab_insert(struct mmu_interval_notifier *interval,
		      struct mm_struct *mm, unsigned long from,
		      unsigned long length,
		      const struct mmu_interval_notifier_ops *ops)
{
	if (!from && size) {
		from = start;
		length = size;
	}
	return mmu_interval_notifier_insert(interval, mm, from, length, ops);
}

static void lab_read(char *to, struct page *page, size_t offset, size_t len)
{
	while (READ_ONCE(hold)) {
		WRITE_ONCE(holding, true);
		msleep(20);
	}
	WRITE_ONCE(holding, false);
	memcpy_from_page(to, page, offset, len);
}

#define mmu_interval_notifier_insert lab_insert
#define memcpy_from_page lab_read
#include "test_hmm.c"
