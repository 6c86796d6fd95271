// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notifiers that refuse the OOM reaper, and then fail when its worker calls one of
 * them in blocking mode (fails=), as they must not. The pages have to stay until one
 * that succeeds was called. Beside them there are a list notifier whose starts and
 * ends have to be pairs, and an interval behind the one that fails, which has to be
 * called as well. Or an interval notifier never returns, and the machine has
 * to shut down beside it. The pages are those of who loads the module, who does not
 * come back before that, so that it has to be reaped; somebody has to run the OOM
 * killer.
 */
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#define LAB_PAGES 4
#define LAB_SIZE (LAB_PAGES * PAGE_SIZE)
/* A victim of the OOM killer is reaped after two seconds, then every tenth of one */
#define LAB_LIMIT msecs_to_jiffies(30000)

/* In the order of lab/guest/run/run-rules */
enum {
	INTERVAL,
	LIST,
	HANGS,
};

static unsigned int fails;
module_param(fails, uint, 0444);

static unsigned long lab_addr;
static unsigned int failed, behind;
static atomic_t starts, ends;
static DECLARE_COMPLETION(lab_never);
static DECLARE_COMPLETION(lab_again);
static DECLARE_COMPLETION(lab_looked);

static bool lab_concerned(const struct mmu_notifier_range *range)
{
	return range->end > lab_addr && range->start < lab_addr + LAB_SIZE;
}

/* Is it to fail? If it has failed in blocking mode before, somebody looks first */
static bool lab_fails(const struct mmu_notifier_range *range)
{
	if (!lab_concerned(range))
		return false;
	if (!mmu_notifier_range_blockable(range))
		return true;
	while (fails == HANGS) {
		pr_info("LAB: a worker hangs\n");
		wait_for_completion(&lab_never);
	}
	if (!failed++)
		return true;
	complete(&lab_again);
	wait_for_completion_timeout(&lab_looked, LAB_LIMIT);
	return false;
}

static int lab_worker_start(struct mmu_notifier *subscription,
			    const struct mmu_notifier_range *range)
{
	return fails == LIST && lab_fails(range) ? -EAGAIN : 0;
}

static int lab_worker_start_of_a_pair(struct mmu_notifier *subscription,
				      const struct mmu_notifier_range *range)
{
	if (lab_concerned(range))
		atomic_inc(&starts);
	return 0;
}

static void lab_worker_end_of_a_pair(struct mmu_notifier *subscription,
				     const struct mmu_notifier_range *range)
{
	if (lab_concerned(range))
		atomic_inc(&ends);
}

static bool lab_worker_invalidate(struct mmu_interval_notifier *interval_sub,
				  const struct mmu_notifier_range *range,
				  unsigned long cur_seq)
{
	mmu_interval_set_seq(interval_sub, cur_seq);
	return fails == LIST || !lab_fails(range);
}

static bool lab_worker_invalidate_behind(struct mmu_interval_notifier *interval_sub,
					 const struct mmu_notifier_range *range,
					 unsigned long cur_seq)
{
	mmu_interval_set_seq(interval_sub, cur_seq);
	if (mmu_notifier_range_blockable(range))
		behind++;
	return true;
}

static const struct mmu_notifier_ops lab_worker_ops = {
	.invalidate_range_start = lab_worker_start,
};

static const struct mmu_notifier_ops lab_worker_pair_ops = {
	.invalidate_range_start = lab_worker_start_of_a_pair,
	.invalidate_range_end = lab_worker_end_of_a_pair,
};

static const struct mmu_interval_notifier_ops lab_worker_interval_ops = {
	.invalidate = lab_worker_invalidate,
};

static const struct mmu_interval_notifier_ops lab_worker_behind_ops = {
	.invalidate = lab_worker_invalidate_behind,
};

/* How many are mapped */
static unsigned int lab_pages(void)
{
	const void __user *page = (void __user *)lab_addr;
	unsigned int i, nr = 0;
	char byte;

	for (i = 0; i < LAB_PAGES; i++)
		nr += !copy_from_user_nofault(&byte, page + i * PAGE_SIZE, 1);
	return nr;
}

static void lab_wait(void)
{
	unsigned long end = jiffies + LAB_LIMIT;
	unsigned int kept;

	pr_info("LAB: waiting for the OOM killer\n");
	if (fails == HANGS)
		wait_for_completion(&lab_never);
	wait_for_completion_timeout(&lab_again, LAB_LIMIT);
	kept = lab_pages();
	complete_all(&lab_looked);
	while (lab_pages() && time_before(jiffies, end))
		schedule_timeout_uninterruptible(HZ / 100);
	pr_info("LAB: fails=%u: %u times blocking, %u pages were kept, %u are left\n",
		fails, failed, kept, lab_pages());
}

static int lab_with_intervals(void)
{
	static struct mmu_interval_notifier interval, another;
	int ret;

	ret = mmu_interval_notifier_insert(&interval, current->mm, lab_addr,
					   LAB_SIZE, &lab_worker_interval_ops);
	if (ret)
		return ret;
	/* They are called in the order of their first address */
	ret = mmu_interval_notifier_insert(&another, current->mm, lab_addr + 1,
					   LAB_SIZE - 1, &lab_worker_behind_ops);
	if (!ret) {
		lab_wait();
		mmu_interval_notifier_remove(&another);
	}
	mmu_interval_notifier_remove(&interval);
	return ret;
}

static int __init lab_worker_init(void)
{
	static struct mmu_notifier pair = { .ops = &lab_worker_pair_ops };
	static struct mmu_notifier list = { .ops = &lab_worker_ops };
	int ret;

	lab_addr = vm_mmap(NULL, 0, LAB_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(lab_addr))
		return lab_addr;
	if (clear_user((void __user *)lab_addr, LAB_SIZE))
		return -EFAULT;
	ret = mmu_notifier_register(&pair, current->mm);
	if (ret)
		return ret;
	ret = mmu_notifier_register(&list, current->mm);
	if (ret)
		goto out_pair;
	ret = lab_with_intervals();
	/* Nobody is between a start and its end who holds it for reading there */
	mmap_write_lock(current->mm);
	pr_info("LAB: fails=%u: %d starts, %d ends, %u behind\n", fails,
		atomic_read(&starts), atomic_read(&ends), behind);
	mmap_write_unlock(current->mm);
	mmu_notifier_unregister(&list, current->mm);
out_pair:
	mmu_notifier_unregister(&pair, current->mm);
	return ret;
}
module_init(lab_worker_init);

static void __exit lab_worker_exit(void)
{
	mmu_notifier_synchronize();
}
module_exit(lab_worker_exit);

MODULE_DESCRIPTION("Notifiers that fail when the OOM reaper's worker calls them");
MODULE_LICENSE("GPL");
