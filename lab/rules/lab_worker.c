// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notifiers that refuse the OOM reaper, and then fail when its worker calls one of
 * them in blocking mode (fails=), as they must not. The pages have to stay until one
 * that succeeds was called. Or an interval notifier never returns, and the machine has
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
static unsigned int failed;
static DECLARE_COMPLETION(lab_never);
static DECLARE_COMPLETION(lab_again);
static DECLARE_COMPLETION(lab_looked);

/* Is it to fail? If it has failed in blocking mode before, somebody looks first */
static bool lab_fails(const struct mmu_notifier_range *range)
{
	if (range->end <= lab_addr || range->start >= lab_addr + LAB_SIZE)
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

static bool lab_worker_invalidate(struct mmu_interval_notifier *interval_sub,
				  const struct mmu_notifier_range *range,
				  unsigned long cur_seq)
{
	mmu_interval_set_seq(interval_sub, cur_seq);
	return fails == LIST || !lab_fails(range);
}

static const struct mmu_notifier_ops lab_worker_ops = {
	.invalidate_range_start = lab_worker_start,
};

static const struct mmu_interval_notifier_ops lab_worker_interval_ops = {
	.invalidate = lab_worker_invalidate,
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

static int __init lab_worker_init(void)
{
	static struct mmu_notifier list = { .ops = &lab_worker_ops };
	static struct mmu_interval_notifier interval;
	int ret;

	lab_addr = vm_mmap(NULL, 0, LAB_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(lab_addr))
		return lab_addr;
	if (clear_user((void __user *)lab_addr, LAB_SIZE))
		return -EFAULT;
	ret = mmu_notifier_register(&list, current->mm);
	if (ret)
		return ret;
	ret = mmu_interval_notifier_insert(&interval, current->mm, lab_addr,
					   LAB_SIZE, &lab_worker_interval_ops);
	if (!ret) {
		lab_wait();
		mmu_interval_notifier_remove(&interval);
	}
	mmu_notifier_unregister(&list, current->mm);
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
