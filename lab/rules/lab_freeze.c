// SPDX-License-Identifier: GPL-2.0-only
/*
 * Victims of the OOM killer that are not yet reaped when everything is frozen. Who
 * writes a number to /dev/lab_freeze becomes one: it gets pages with interval
 * notifiers, and sleeps until it is killed. The last one calls the OOM killer, and each
 * that has exited calls it for the next. Their address spaces stay until the module
 * goes, as the freezer waits for the victims themselves.
 *
 * In non-blocking mode the notifiers refuse, and take so long for it that the reaper
 * never has to wait for the next attempt. The first time they take until all of the
 * victims wait for the reaper. In blocking mode they are done some time after the
 * freezing has begun.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/suspend.h>
#include <linux/sysrq.h>
#include <linux/uaccess.h>

#define LAB_VICTIMS 3
/* One each for the worker, which does not go farther than a PMD at a time */
#define LAB_PIECES 4
#define LAB_SIZE (64 * PAGE_SIZE)
#define LAB_LIMIT msecs_to_jiffies(30000)
/* Timers of two seconds that are less than 8 jiffies apart may expire in any order */
#define LAB_APART_MS 200

struct lab_piece {
	struct mmu_interval_notifier interval;
	struct lab_victim *victim;
};

static struct lab_victim {
	struct mm_struct *mm;
	struct lab_piece pieces[LAB_PIECES];
	unsigned int inserted;
} lab_victims[LAB_VICTIMS];

static atomic_t lab_ready, lab_killed;
static unsigned long lab_all_wait;
static DECLARE_COMPLETION(lab_never);
static DECLARE_COMPLETION(lab_freezing);

static void lab_refuse(const struct lab_victim *victim)
{
	unsigned int tries = 500;

	pr_info("LAB: victim %zu refuses\n", victim - lab_victims);
	while ((!READ_ONCE(lab_all_wait) ||
		time_before(jiffies, READ_ONCE(lab_all_wait))) && --tries)
		mdelay(10);
	mdelay(500);
}

static bool lab_invalidate(struct mmu_interval_notifier *interval_sub,
			   const struct mmu_notifier_range *range,
			   unsigned long cur_seq)
{
	struct lab_piece *piece =
		container_of(interval_sub, struct lab_piece, interval);
	struct lab_victim *victim = piece->victim;

	mmu_interval_set_seq(interval_sub, cur_seq);
	if (!mmu_notifier_range_blockable(range)) {
		if (piece == victim->pieces)
			lab_refuse(victim);
		return false;
	}
	if (piece == victim->pieces)
		pr_info("LAB: victim %zu is with a worker\n", victim - lab_victims);
	wait_for_completion_timeout(&lab_freezing, LAB_LIMIT);
	msleep(1000);
	pr_info("LAB: victim %zu is unmapped\n", victim - lab_victims);
	return true;
}

static const struct mmu_interval_notifier_ops lab_ops = {
	.invalidate = lab_invalidate,
};

static int lab_populate(struct lab_victim *victim)
{
	unsigned long addr;

	addr = vm_mmap(NULL, 0, LAB_PIECES * PMD_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr))
		return addr;
	victim->mm = current->mm;
	mmget(victim->mm);
	for (; victim->inserted < LAB_PIECES; addr += PMD_SIZE) {
		struct lab_piece *piece = victim->pieces + victim->inserted;
		int ret;

		if (clear_user((void __user *)addr, LAB_SIZE))
			return -EFAULT;
		piece->victim = victim;
		ret = mmu_interval_notifier_insert(&piece->interval, victim->mm,
						   addr, LAB_SIZE, &lab_ops);
		if (ret)
			return ret;
		victim->inserted++;
	}
	return 0;
}

static int lab_open(struct inode *inode, struct file *file)
{
	/* That of misc_open() is the device */
	file->private_data = NULL;
	return 0;
}

static ssize_t lab_write(struct file *file, const char __user *buffer,
			 size_t count, loff_t *ppos)
{
	unsigned int number;
	int ret;

	ret = kstrtouint_from_user(buffer, count, 0, &number);
	if (ret)
		return ret;
	if (number >= LAB_VICTIMS || lab_victims[number].mm)
		return -EINVAL;
	ret = lab_populate(lab_victims + number);
	if (ret)
		return ret;
	file->private_data = lab_victims + number;
	if (atomic_inc_return(&lab_ready) == LAB_VICTIMS)
		handle_sysrq('f');
	return wait_for_completion_killable(&lab_never);
}

/* The OOM killer takes it no more: it has given up its address space */
static int lab_release(struct inode *inode, struct file *file)
{
	struct lab_victim *victim = file->private_data;

	if (!victim)
		return 0;
	pr_info("LAB: victim %zu was killed\n", victim - lab_victims);
	if (atomic_inc_return(&lab_killed) == LAB_VICTIMS) {
		/* The timer of the last one has expired by then */
		WRITE_ONCE(lab_all_wait, jiffies + 5 * HZ / 2);
	} else {
		msleep(LAB_APART_MS);
		handle_sysrq('f');
	}
	return 0;
}

static const struct file_operations lab_fops = {
	.owner = THIS_MODULE,
	.open = lab_open,
	.write = lab_write,
	.release = lab_release,
};

static struct miscdevice lab_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lab_freeze",
	.fops = &lab_fops,
};

static int lab_notify(struct notifier_block *block, unsigned long event,
		      void *data)
{
	if (event == PM_SUSPEND_PREPARE)
		complete_all(&lab_freezing);
	return NOTIFY_DONE;
}

static struct notifier_block lab_block = {
	.notifier_call = lab_notify,
};

static int __init lab_freeze_init(void)
{
	int ret;

	ret = register_pm_notifier(&lab_block);
	if (ret)
		return ret;
	ret = misc_register(&lab_device);
	if (ret)
		unregister_pm_notifier(&lab_block);
	return ret;
}
module_init(lab_freeze_init);

static void __exit lab_freeze_exit(void)
{
	struct lab_victim *victim;

	misc_deregister(&lab_device);
	unregister_pm_notifier(&lab_block);
	for (victim = lab_victims; victim < lab_victims + LAB_VICTIMS; victim++) {
		while (victim->inserted)
			mmu_interval_notifier_remove(&victim->pieces[--victim->inserted].interval);
		if (victim->mm)
			mmput(victim->mm);
	}
	mmu_notifier_synchronize();
}
module_exit(lab_freeze_exit);

MODULE_DESCRIPTION("Victims of the OOM killer while everything is frozen");
MODULE_LICENSE("GPL");
