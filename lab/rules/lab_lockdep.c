// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver with a list notifier whose callback takes a mutex, and which allocates
 * memory under that mutex elsewhere. If the allocation reclaims it may call the
 * notifiers, and that one waits for itself. Lockdep is to say so, without it ever
 * happening.
 *
 * wrong: the allocation may reclaim. Otherwise it must not, and all is well.
 *
 * It does all of it as it is loaded, on the memory of who loads it.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

static bool wrong;
module_param(wrong, bool, 0444);

static DEFINE_MUTEX(lab_lockdep_mutex);
static unsigned int calls;

static int lab_lockdep_start(struct mmu_notifier *subscription,
			     const struct mmu_notifier_range *range)
{
	if (mmu_notifier_range_blockable(range))
		mutex_lock(&lab_lockdep_mutex);
	else if (!mutex_trylock(&lab_lockdep_mutex))
		return -EAGAIN;
	calls++;
	mutex_unlock(&lab_lockdep_mutex);
	return 0;
}

static const struct mmu_notifier_ops lab_lockdep_ops = {
	.invalidate_range_start = lab_lockdep_start,
};

static int lab_lockdep_allocate(void)
{
	void *memory;

	mutex_lock(&lab_lockdep_mutex);
	memory = kmalloc(64, wrong ? GFP_KERNEL : GFP_NOWAIT);
	mutex_unlock(&lab_lockdep_mutex);
	kfree(memory);
	return memory ? 0 : -ENOMEM;
}

static int __init lab_lockdep_init(void)
{
	static struct mmu_notifier notifier = { .ops = &lab_lockdep_ops };
	unsigned long addr;
	int ret;

	ret = mmu_notifier_register(&notifier, current->mm);
	if (ret)
		return ret;
	addr = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr))
		ret = addr;
	else
		ret = clear_user((void __user *)addr, PAGE_SIZE) ? -EFAULT :
		      vm_munmap(addr, PAGE_SIZE);
	if (!ret)
		ret = lab_lockdep_allocate();
	mmu_notifier_unregister(&notifier, current->mm);
	if (!ret && !calls)
		ret = -ENODATA;
	return ret;
}
module_init(lab_lockdep_init);

static void __exit lab_lockdep_exit(void)
{
	mmu_notifier_synchronize();
}
module_exit(lab_lockdep_exit);

MODULE_DESCRIPTION("A list notifier's lock, and an allocation under it");
MODULE_LICENSE("GPL");
