// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver whose notifiers break the rules, one rule each time that it is loaded
 * (breaks=). The kernel is to name the callback, once, and to go on: beside a list
 * notifier that breaks them there is another one, whose starts and ends have to
 * be pairs, and behind an interval that fails another one, which has to be called. It
 * does all of it as it is loaded, on the memory of who loads it.
 *
 * The rules about non-blocking mode need fail_mmu_notifier_rehearse.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>

/* In the order of lab/guest/run/run-rules */
enum {
	NONE,
	LIST_FAILS_IN_BLOCKING_MODE,
	INTERVAL_FAILS_IN_BLOCKING_MODE,
	LIST_FAILS_WITH_ANOTHER_ERROR,
	LIST_WITH_AN_END_FAILS,
};

static unsigned int breaks;
module_param(breaks, uint, 0444);

static unsigned int broken, starts, ends, behind;

static int lab_rules_start(struct mmu_notifier *subscription,
			   const struct mmu_notifier_range *range)
{
	bool blockable = mmu_notifier_range_blockable(range);

	if (breaks == LIST_FAILS_IN_BLOCKING_MODE && blockable) {
		broken++;
		return -EAGAIN;
	}
	if (breaks == LIST_FAILS_WITH_ANOTHER_ERROR && !blockable) {
		broken++;
		return -EINVAL;
	}
	return 0;
}

static int lab_rules_start_of_a_pair(struct mmu_notifier *subscription,
				     const struct mmu_notifier_range *range)
{
	/* It gets its end in any case, and could not know to which start */
	starts++;
	if (breaks != LIST_WITH_AN_END_FAILS ||
	    mmu_notifier_range_blockable(range))
		return 0;
	broken++;
	return -EAGAIN;
}

static void lab_rules_end_of_a_pair(struct mmu_notifier *subscription,
				    const struct mmu_notifier_range *range)
{
	ends++;
}

static bool lab_rules_invalidate(struct mmu_interval_notifier *interval_sub,
				 const struct mmu_notifier_range *range,
				 unsigned long cur_seq)
{
	mmu_interval_set_seq(interval_sub, cur_seq);
	if (breaks == INTERVAL_FAILS_IN_BLOCKING_MODE &&
	    mmu_notifier_range_blockable(range)) {
		broken++;
		return false;
	}
	return true;
}

/* The page is freed in any case, so this has to be called before */
static bool lab_rules_invalidate_behind(struct mmu_interval_notifier *interval_sub,
					const struct mmu_notifier_range *range,
					unsigned long cur_seq)
{
	mmu_interval_set_seq(interval_sub, cur_seq);
	if (mmu_notifier_range_blockable(range))
		behind++;
	return true;
}

static const struct mmu_notifier_ops lab_rules_ops = {
	.invalidate_range_start = lab_rules_start,
};

static const struct mmu_notifier_ops lab_rules_pair_ops = {
	.invalidate_range_start = lab_rules_start_of_a_pair,
	.invalidate_range_end = lab_rules_end_of_a_pair,
};

static const struct mmu_interval_notifier_ops lab_rules_interval_ops = {
	.invalidate = lab_rules_invalidate,
};

static const struct mmu_interval_notifier_ops lab_rules_behind_ops = {
	.invalidate = lab_rules_invalidate_behind,
};

static int lab_rules_unmap(void)
{
	static struct mmu_interval_notifier interval, another;
	unsigned long addr;
	int ret;

	addr = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr))
		return addr;
	ret = mmu_interval_notifier_insert(&interval, current->mm, addr,
					   PAGE_SIZE, &lab_rules_interval_ops);
	if (ret)
		return ret;
	/* They are called in the order of their first address */
	ret = mmu_interval_notifier_insert(&another, current->mm, addr + 1,
					   PAGE_SIZE - 1,
					   &lab_rules_behind_ops);
	if (ret)
		goto out_remove;
	ret = clear_user((void __user *)addr, PAGE_SIZE) ? -EFAULT :
	      vm_munmap(addr, PAGE_SIZE);
	mmu_interval_notifier_remove(&another);
out_remove:
	mmu_interval_notifier_remove(&interval);
	return ret;
}

static int __init lab_rules_init(void)
{
	static struct mmu_notifier pair = { .ops = &lab_rules_pair_ops };
	static struct mmu_notifier list = { .ops = &lab_rules_ops };
	int ret;

	ret = mmu_notifier_register(&pair, current->mm);
	if (ret)
		return ret;
	ret = mmu_notifier_register(&list, current->mm);
	if (!ret) {
		ret = lab_rules_unmap();
		mmu_notifier_unregister(&list, current->mm);
	}
	mmu_notifier_unregister(&pair, current->mm);
	if (ret)
		return ret;
	pr_info("LAB: breaks=%u: %u broken, %u starts, %u ends, %u behind\n",
		breaks, broken, starts, ends, behind);
	return 0;
}
module_init(lab_rules_init);

static void __exit lab_rules_exit(void)
{
	mmu_notifier_synchronize();
}
module_exit(lab_rules_exit);

MODULE_DESCRIPTION("Notifiers that break the rules");
MODULE_LICENSE("GPL");
