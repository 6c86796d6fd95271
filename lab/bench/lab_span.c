// SPDX-License-Identifier: GPL-2.0
/*
 * How long the list notifiers of a process take to answer in non-blocking mode.
 *
 * Each write to /dev/lab_span registers a notifier on the memory of the caller.
 * Of list notifiers, the one that came last is called first, so a write before
 * and one behind the registration of somebody else has his callback between the
 * two. A read gives the calls, the cycles of the longest one and the bytes of
 * the largest one.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/msr.h>

struct span;

struct span_end {
	struct mmu_notifier subscription;
	struct span *span;
	bool registered;
};

/* Nothing runs at the same time: the bench reaps when all is set up. */
struct span {
	struct span_end inner;
	struct span_end outer;
	u64 begin;
	u64 calls;
	u64 longest;
	u64 largest;
};

static int span_outer(struct mmu_notifier *subscription,
		      const struct mmu_notifier_range *range)
{
	struct span_end *e = container_of(subscription, struct span_end,
					  subscription);

	if (!mmu_notifier_range_blockable(range))
		e->span->begin = rdtsc_ordered();
	return 0;
}

static int span_inner(struct mmu_notifier *subscription,
		      const struct mmu_notifier_range *range)
{
	struct span_end *e = container_of(subscription, struct span_end,
					  subscription);
	struct span *s = e->span;
	u64 took;

	if (mmu_notifier_range_blockable(range) || !s->begin)
		return 0;
	took = rdtsc_ordered() - s->begin;
	s->calls++;
	s->longest = max(s->longest, took);
	s->largest = max_t(u64, s->largest, range->end - range->start);
	return 0;
}

static const struct mmu_notifier_ops span_outer_ops = {
	.invalidate_range_start = span_outer,
};

static const struct mmu_notifier_ops span_inner_ops = {
	.invalidate_range_start = span_inner,
};

static ssize_t span_write(struct file *file, const char __user *buf,
			  size_t len, loff_t *pos)
{
	struct span *s = file->private_data;
	struct span_end *e = s->inner.registered ? &s->outer : &s->inner;
	int ret;

	if (e->registered)
		return -EBUSY;
	e->span = s;
	e->subscription.ops = e == &s->inner ? &span_inner_ops :
					       &span_outer_ops;
	ret = mmu_notifier_register(&e->subscription, current->mm);
	if (ret)
		return ret;
	e->registered = true;
	return len;
}

static ssize_t span_read(struct file *file, char __user *buf, size_t len,
			 loff_t *pos)
{
	struct span *s = file->private_data;
	char text[80];
	int size;

	size = scnprintf(text, sizeof(text), "%llu %llu %llu\n", s->calls,
			 s->longest, s->largest);
	return simple_read_from_buffer(buf, len, pos, text, size);
}

static int span_open(struct inode *inode, struct file *file)
{
	struct span *s = kzalloc(sizeof(*s), GFP_KERNEL);

	file->private_data = s;
	return s ? 0 : -ENOMEM;
}

static void span_leave(struct span_end *e)
{
	if (e->registered)
		mmu_notifier_unregister(&e->subscription, e->subscription.mm);
}

static int span_release(struct inode *inode, struct file *file)
{
	struct span *s = file->private_data;

	span_leave(&s->outer);
	span_leave(&s->inner);
	kfree(s);
	return 0;
}

static const struct file_operations span_fops = {
	.owner = THIS_MODULE,
	.open = span_open,
	.release = span_release,
	.read = span_read,
	.write = span_write,
};

static struct miscdevice span_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lab_span",
	.fops = &span_fops,
};
module_misc_device(span_device);

MODULE_DESCRIPTION("How long list notifiers take to answer");
MODULE_LICENSE("GPL");
