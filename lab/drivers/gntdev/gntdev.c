// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen's grant device: drivers/xen/gntdev.c. Its file is mapped, and unmapped, by the
 * core. The hypervisor is two arrays that say which page table entries are its own:
 * those of the process, and those of the kernel.
 */
#include "drivers.h"
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <xen/page.h>

/* The core does not call a notifier that was removed. */
static void gnt_point(void);
#define drivers_point()	gnt_point()
#include "points.h"

/* Where the path inserts and removes its notifier, and counts what is granted */
#define mmu_interval_notifier_insert_locked(sub, mm, start, size, ops)	\
({									\
	int gnt_ret;							\
									\
	drivers_point();						\
	gnt_ret = mmu_interval_notifier_insert_locked(sub, mm, start, size, ops); \
	drivers_point();						\
	gnt_ret;							\
})
static void gnt_notifier_remove(struct mmu_interval_notifier *notifier);
#define mmu_interval_notifier_remove(notifier)	gnt_notifier_remove(notifier)
#define atomic_add(i, v)							\
do {									\
	drivers_point();						\
	atomic_add(i, v);						\
	drivers_point();						\
} while (0)
#define atomic_sub_return(i, v)						\
({									\
	int gnt_count;							\
									\
	drivers_point();						\
	gnt_count = atomic_sub_return(i, v);				\
	drivers_point();						\
	gnt_count;							\
})
/* There is no machine address: the hypervisor is told where the entry is. */
#define arbitrary_virt_to_machine(pte)	XMADDR((unsigned long)(pte))
#undef pr_fmt
/* Only in a PV domain gntdev has notifiers. Some ask when they are called. */
#ifdef DRIVERS_XEN_PV
#include <xen/xen.h>
#undef xen_pv_domain
#define xen_pv_domain()	true
static int use_ptemod;
#endif
#include <drivers/xen/gntdev.c>
#undef drivers_point
#undef mmu_interval_notifier_remove
#undef atomic_add
#undef atomic_sub_return

#define GNT_PAGES	8
#define GNT_SIZE	(GNT_PAGES * PAGE_SIZE)
#define GNT_START	0x100000UL
#define GNT_END		(GNT_START + GNT_SIZE)
/* Handles of the kernel's entries */
#define GNT_KERNEL	100

/* A page table entry that is the hypervisor's */
struct gnt_entry {
	bool mapped;
	u64 addr;
	/* Since when, see drivers.h */
	unsigned long since;
};

/* One map at a time */
static struct {
	struct kunit *test;
	struct gntdev_grant_map *map;
	struct file *file;
	struct mm_struct *mm;
	struct gnt_entry user[GNT_PAGES], kernel[GNT_PAGES];
	/* Where gntdev_mmap() is not called: it would find them in the page table. */
	pte_t ptes[GNT_PAGES];
	struct gntab_unmap_queue_data *delayed;
	int unmaps;
	/* What gntdev has put in place of what was delayed */
	int overwritten;
	/* Which page can't be mapped for the user, or unmapped; counted from 1 */
	int fail_map, fail_unmap;
	/* mmap() is under way */
	bool in_mmap;
	bool removed;
	/* Called once, when the hypervisor has been asked to unmap, and has not yet */
	void (*in_unmap)(struct kunit *test);
} xen;

static void gnt_point(void)
{
	if (!xen.removed)
		drivers_point();
}

static void gnt_notifier_remove(struct mmu_interval_notifier *notifier)
{
	gnt_point();
	mmu_interval_notifier_remove(notifier);
	xen.removed = true;
}

int gnttab_alloc_pages(int nr_pages, struct page **pages)
{
	int i;

	for (i = 0; i < nr_pages; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i])
			return -ENOMEM;
	}
	return 0;
}

void gnttab_free_pages(int nr_pages, struct page **pages)
{
	int i;

	for (i = 0; i < nr_pages; i++)
		__free_page(pages[i]);
}

static void xen_map(struct gnttab_map_grant_ref *op, struct gnt_entry *entry, int handle,
		    bool fails)
{
	gnt_point();
	op->status = fails ? GNTST_general_error : GNTST_okay;
	op->handle = handle;
	if (fails)
		return;
	entry->mapped = true;
	entry->addr = op->host_addr;
	entry->since = drivers_now();
}

/* As the hypercall: one after the other, and all of the process come first */
int gnttab_map_refs(struct gnttab_map_grant_ref *map_ops,
		    struct gnttab_map_grant_ref *kmap_ops, struct page **pages,
		    unsigned int count)
{
	int i;

	/* That nobody may get in here is what the callback relies on. */
	if (xen.in_mmap)
		mmap_assert_write_locked(current->mm);
	if (xen.fail_map)
		drivers_failure("the hypervisor refuses to map a grant");
	for (i = 0; i < count; i++)
		xen_map(&map_ops[i], &xen.user[i], i, i + 1 == xen.fail_map);
	for (i = 0; i < count; i++)
		xen_map(&kmap_ops[i], &xen.kernel[i], GNT_KERNEL + i, false);
	gnt_point();
	return 0;
}

/* A handle is good once, and for the entry that it was got for. */
static void xen_unmap_one(struct gnttab_unmap_grant_ref *op, struct gnt_entry *entries,
			  int first, bool fails)
{
	unsigned int i = op->handle - first;

	gnt_point();
	if (i >= GNT_PAGES || !entries[i].mapped) {
		op->status = GNTST_bad_handle;
	} else if (fails || entries[i].addr != op->host_addr) {
		op->status = GNTST_general_error;
	} else {
		op->status = GNTST_okay;
		entries[i].mapped = false;
	}
}

static void xen_unmap(struct gntab_unmap_queue_data *item)
{
	struct gnttab_unmap_grant_ref *ops = item->unmap_ops, *kops = item->kunmap_ops;
	void (*hook)(struct kunit *test) = xen.in_unmap;
	int first = ops - xen.map->unmap_ops, count = item->count, i;

	gnt_point();
	xen.in_unmap = NULL;
	if (hook)
		hook(xen.test);
	for (i = 0; i < count; i++) {
		bool fails = first + i + 1 == xen.fail_unmap;

		if (fails)
			drivers_failure("the hypervisor refuses to unmap a grant");
		xen_unmap_one(&ops[i], xen.user, 0, fails);
	}
	for (i = 0; i < count; i++)
		xen_unmap_one(&kops[i], xen.kernel, GNT_KERNEL, false);
	gnt_point();
	item->done(0, item);
}

/* As the real one: tries again later if anybody else uses a page */
void gnttab_unmap_refs_async(struct gntab_unmap_queue_data *item)
{
	int i;

	xen.unmaps++;
	/* The real one would initialise a work that is queued. */
	if (item == xen.delayed)
		xen.overwritten++;
	for (i = 0; i < item->count; i++) {
		if (page_count(item->pages[i]) > 1) {
			xen.delayed = item;
			return;
		}
	}
	xen_unmap(item);
}

/* From the workqueue */
static void xen_unmap_delayed(void)
{
	struct gntab_unmap_queue_data *item = xen.delayed;

	xen.delayed = NULL;
	xen_unmap(item);
}

static int xen_mapped(void)
{
	int i, n = 0;

	for (i = 0; i < GNT_PAGES; i++)
		n += xen.user[i].mapped;
	return n;
}

/* The PTEs that are the hypervisor's though the process has given them up */
static int gnt_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	int i, n = 0;

	for (i = 0; i < GNT_PAGES; i++) {
		unsigned long addr = GNT_START + i * PAGE_SIZE;

		n += xen.user[i].mapped && addr >= start && addr < end &&
		     drivers_given_up(addr, xen.user[i].since);
	}
	return n;
}

static const struct file_operations gnt_fops = {
	.owner = THIS_MODULE,
	.mmap = gntdev_mmap,
};

/* The process closes its file, if it has not; pages in there are unmapped before. */
static void gnt_release(void)
{
	if (xen.file->private_data)
		gntdev_release(NULL, xen.file);
	xen.file->private_data = NULL;
}

/* By the case, or when its thread, and so the process, has gone */
static void gnt_close(void *unused)
{
	bool gone = !current->mm;

	if (!xen.file)
		return;
	if (gone)
		kthread_use_mm(xen.mm);
	vm_munmap(GNT_START, GNT_SIZE);
	if (gone)
		kthread_unuse_mm(xen.mm);
	mmput(xen.mm);
	gnt_release();
	fput(xen.file);
	flush_delayed_fput();
	xen.file = NULL;
}

/* What IOCTL_GNTDEV_MAP_GRANT_REF makes, and gntdev_mmap() if it maps nothing */
static struct gntdev_grant_map *gnt_new(struct kunit *test)
{
	struct gntdev_grant_map *map;
	struct gntdev_priv *priv;
	int i;

	memset(&xen, 0, sizeof(xen));
	xen.test = test;
	use_ptemod = 1;
	/* Has the process an address space by now? */
	KUNIT_ASSERT_NE(test, kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ,
					    MAP_ANONYMOUS | MAP_PRIVATE, 0), 0);
	xen.file = anon_inode_getfile("gntdev", &gnt_fops, NULL, O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(xen.file));
	xen.mm = current->mm;
	mmget(xen.mm);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, gnt_close, NULL), 0);
	priv = kzalloc(sizeof(*priv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, priv);
	INIT_LIST_HEAD(&priv->maps);
	mutex_init(&priv->lock);
	mutex_init(&priv->batch_lock);
	xen.file->private_data = priv;
	map = gntdev_alloc_map(priv, GNT_PAGES, 0);
	KUNIT_ASSERT_NOT_NULL(test, map);
	gntdev_add_map(priv, map);
	map->pages_vm_start = GNT_START;
	map->flags = GNTMAP_host_map | GNTMAP_readonly;
	for (i = 0; i < GNT_PAGES; i++)
		find_grant_ptes(&xen.ptes[i], GNT_START + i * PAGE_SIZE, map);
	xen.map = map;
	drivers_judge(test, "gntdev_invalidate", gnt_reach_given_up, NULL);
	return map;
}

static unsigned long gnt_mmap(void)
{
	unsigned long ret;

	xen.in_mmap = true;
	ret = vm_mmap(xen.file, GNT_START, GNT_SIZE, PROT_READ,
		      MAP_PRIVATE | MAP_FIXED_NOREPLACE, xen.map->index << PAGE_SHIFT);
	xen.in_mmap = false;
	return ret;
}

static struct gntdev_grant_map *gnt_new_mapped(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new(test);

	KUNIT_ASSERT_EQ(test, gnt_mmap(), GNT_START);
	/* In the user's page table and in the kernel's */
	KUNIT_ASSERT_EQ(test, atomic_read(&map->live_grants), 2 * GNT_PAGES);
	return map;
}

/* Whatever the outcome, a non-blocking call changes nothing. */
static void gnt_asks(struct kunit *test, enum drivers_state state, unsigned long start,
		     unsigned long end, bool success)
{
	struct gntdev_grant_map *map = xen.map;
	struct drivers_call call = {
		.callback = "gntdev_invalidate", .state = state,
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = drivers_mm(test), .start = start, .end = end, .no_seq = true,
	};
	int grants = atomic_read(&map->live_grants);
	int unmaps = xen.unmaps, mapped = xen_mapped();
	int users = refcount_read(&map->users);
	bool removed[GNT_PAGES];

	memcpy(removed, map->being_removed, sizeof(removed));
	if (state == DRIVERS_IDLE && !success)
		call.reason = "grants are counted for the map, not for its parts";
	if (success)
		drivers_succeeds(test, &call, false);
	else
		drivers_refuses(test, &call);
	KUNIT_EXPECT_EQ(test, grants, atomic_read(&map->live_grants));
	KUNIT_EXPECT_EQ(test, unmaps, xen.unmaps);
	KUNIT_EXPECT_EQ(test, mapped, xen_mapped());
	KUNIT_EXPECT_EQ(test, refcount_read(&map->users), users);
	KUNIT_EXPECT_MEMEQ(test, removed, map->being_removed, sizeof(removed));
}

static void gnt_blocks(struct kunit *test, unsigned long start, unsigned long end)
{
	struct drivers_call call = {
		.callback = "gntdev_invalidate",
		.interval = &xen.map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = drivers_mm(test), .start = start, .end = end, .no_seq = true,
	};

	KUNIT_EXPECT_FALSE(test, drivers_blocks(test, &call).waited);
}

static void gntdev_granted_refuses(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	u8 *byte = page_address(map->pages[0]);

	*byte = 1;
	map->notify.flags = UNMAP_NOTIFY_CLEAR_BYTE;
	gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
	KUNIT_EXPECT_EQ(test, *byte, 1);
	KUNIT_EXPECT_EQ(test, map->notify.flags, UNMAP_NOTIFY_CLEAR_BYTE);

	/* What munmap() and exit_mmap() do is as before */
	gnt_blocks(test, GNT_START, GNT_END);
	KUNIT_EXPECT_EQ(test, *byte, 0);
	KUNIT_EXPECT_EQ(test, xen_mapped(), 0);
	KUNIT_EXPECT_EQ(test, xen.unmaps, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 0);
}

static void gntdev_each_page_refuses(struct kunit *test)
{
	unsigned long start;

	gnt_new_mapped(test);
	for (start = GNT_START; start < GNT_END; start += PAGE_SIZE)
		gnt_asks(test, DRIVERS_BUSY, start, start + PAGE_SIZE, false);
	gnt_asks(test, DRIVERS_BUSY, GNT_START - PAGE_SIZE, GNT_START + PAGE_SIZE, false);
	gnt_asks(test, DRIVERS_BUSY, GNT_END - PAGE_SIZE, GNT_END + PAGE_SIZE, false);
	gnt_asks(test, DRIVERS_BUSY, 0, TASK_SIZE, false);
}

static void gntdev_out_of_range_succeeds(struct kunit *test)
{
	gnt_new_mapped(test);
	gnt_asks(test, DRIVERS_IDLE, GNT_START - PAGE_SIZE, GNT_START, true);
	gnt_asks(test, DRIVERS_IDLE, GNT_END, GNT_END + PAGE_SIZE, true);
	gnt_blocks(test, GNT_START - PAGE_SIZE, GNT_START);
	gnt_blocks(test, GNT_END, GNT_END + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, xen_mapped(), GNT_PAGES);
}

/* The notifier outlives the VMA, and its addresses may be anybody's by now */
static void gntdev_unmapped_succeeds(struct kunit *test)
{
	gnt_new_mapped(test);
	gnt_blocks(test, GNT_START, GNT_END);
	gnt_asks(test, DRIVERS_IDLE, GNT_START, GNT_END, true);
	gnt_asks(test, DRIVERS_IDLE, GNT_END - PAGE_SIZE, GNT_END, true);
	gnt_blocks(test, GNT_START, GNT_END);
	KUNIT_EXPECT_EQ(test, xen.unmaps, 1);
}

/* mmap() failed */
static void gntdev_never_mapped_succeeds(struct kunit *test)
{
	gnt_new(test);
	gnt_asks(test, DRIVERS_IDLE, GNT_START, GNT_END, true);
	gnt_blocks(test, GNT_START, GNT_END);
	KUNIT_EXPECT_EQ(test, xen.unmaps, 0);
}

/* The hypervisor refused one of the pages: mmap() fails, the others are mapped. */
static void gntdev_half_mapped_refuses(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new(test);

	xen.fail_map = 4;
	KUNIT_EXPECT_EQ(test, gntdev_map_grant_pages(map), -EINVAL);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 2 * GNT_PAGES - 1);
	gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
	gnt_blocks(test, GNT_START, GNT_END);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 0);
	gnt_asks(test, DRIVERS_IDLE, GNT_START, GNT_END, true);
}

/*
 * An invalidation has begun to unmap all pages, and the hypervisor is not through
 * with them, or has not even been asked as somebody uses a page. All being_removed[]
 * are set, and the PTEs are still the hypervisor's.
 */
static void gntdev_unfinished_refuses(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct drivers_call call = {
		.callback = "gntdev_invalidate", .hole = "G1",
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = drivers_mm(test), .start = GNT_START, .end = GNT_END,
		.no_seq = true,
	};
	int i;

	get_page(map->pages[5]);
	drivers_blocks(test, &call);
	KUNIT_ASSERT_NOT_NULL(test, xen.delayed);
	KUNIT_EXPECT_EQ(test, xen_mapped(), GNT_PAGES);
	for (i = 0; i < GNT_PAGES; i++)
		KUNIT_EXPECT_TRUE(test, map->being_removed[i]);
	gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
	put_page(map->pages[5]);
	gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
	xen_unmap_delayed();
	gnt_asks(test, DRIVERS_IDLE, GNT_START, GNT_END, true);
}

/* The handle is gone, the mapping is not: it is no measure of what is mapped */
static void gntdev_failed_unmap_refuses(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	int i;

	for (i = 0; i < GNT_PAGES; i++) {
		map->unmap_ops[i].handle = INVALID_GRANT_HANDLE;
		map->kunmap_ops[i].handle = INVALID_GRANT_HANDLE;
		map->being_removed[i] = true;
	}
	gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
}

/* Counted wrong, by a bug: it is not known what is mapped. */
static void gntdev_negative_refuses(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new(test);

	atomic_set(&map->live_grants, -1);
	gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
	atomic_set(&map->live_grants, 0);
	gnt_asks(test, DRIVERS_IDLE, GNT_START, GNT_END, true);
}

/* The hypervisor keeps one: the map is refused as long as it exists. */
static void gntdev_unmap_fails_refuses(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct drivers_call call = {
		.callback = "gntdev_invalidate", .hole = "G2",
		.splat = "a grant that can't be unmapped",
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = drivers_mm(test), .start = GNT_START, .end = GNT_END,
		.no_seq = true,
	};

	xen.fail_unmap = 3;
	drivers_blocks(test, &call);
	KUNIT_EXPECT_EQ(test, xen_mapped(), 1);
	KUNIT_EXPECT_GT(test, atomic_read(&map->live_grants), 0);
	gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
	gnt_asks(test, DRIVERS_BUSY, GNT_START + 2 * PAGE_SIZE, GNT_START + 3 * PAGE_SIZE, false);
}

/*
 * Two ranges, one of which has a page that is in use. There is one unmap_data for both,
 * so that the second one is unmapped twice, and the first one never.
 */
static void gntdev_delayed_is_overwritten(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct drivers_call call = {
		.callback = "gntdev_invalidate", .hole = "G1",
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = drivers_mm(test), .start = GNT_START, .end = GNT_START + 4 * PAGE_SIZE,
		.no_seq = true,
	};

	get_page(map->pages[2]);
	drivers_blocks(test, &call);
	KUNIT_ASSERT_NOT_NULL(test, xen.delayed);
	put_page(map->pages[2]);
	gnt_blocks(test, GNT_START + 4 * PAGE_SIZE, GNT_END);
	KUNIT_EXPECT_EQ(test, xen_mapped(), 4);
	/* Is the hole G3 gone? */
	KUNIT_EXPECT_EQ(test, xen.overwritten, 1);
	xen_unmap_delayed();
	KUNIT_EXPECT_EQ(test, xen_mapped(), 4);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 2 * 4);
	gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
}

/* Another thread of the process: it finds nothing that is left to be done. */
static void gnt_second_caller(struct kunit *test)
{
	struct drivers_call call = {
		.callback = "gntdev_invalidate", .hole = "G3",
		.interval = &xen.map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = drivers_mm(test), .start = GNT_START, .end = GNT_END, .no_seq = true,
	};

	drivers_blocks(test, &call);
}

static void gntdev_two_callers(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct drivers_call call = {
		.callback = "gntdev_invalidate",
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = drivers_mm(test), .start = GNT_START, .end = GNT_END, .no_seq = true,
	};

	xen.in_unmap = gnt_second_caller;
	drivers_blocks_here(test, &call);
	KUNIT_EXPECT_EQ(test, xen_mapped(), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 0);
}

/* Paths, interrupted */

static struct drivers_call gnt_path_call(void)
{
	return (struct drivers_call){
		.callback = "gntdev_invalidate", .state = DRIVERS_BUSY,
		.interval = &xen.map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = current->mm, .start = GNT_START, .end = GNT_END, .no_seq = true,
	};
}

/*
 * mmap() holds the mmap_lock for writing: nobody gets in, but in front of it and
 * behind it.
 */
static void gntdev_map_interrupted(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new(test);
	struct drivers_call call = gnt_path_call();

	drivers_path(test, "gntdev_mmap", &call);
	gnt_point();
	KUNIT_EXPECT_EQ(test, gnt_mmap(), GNT_START);
	gnt_point();
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 2 * xen_mapped());
}

/* mmap() fails, and unmaps what it has mapped. */
static void gntdev_failed_map_interrupted(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new(test);
	struct drivers_call call = gnt_path_call();

	xen.fail_map = 4;
	drivers_path(test, "gntdev_mmap, a grant is refused", &call);
	gnt_point();
	KUNIT_EXPECT_EQ(test, (long)gnt_mmap(), -EINVAL);
	gnt_point();
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, xen_mapped(), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 0);
}

/* MADV_DONTNEED by the path, which finds all unmapped, and by another thread meanwhile */
static void gntdev_unmap_interrupted(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct drivers_call call = gnt_path_call(), own = call;

	call.hole = "G3";
	drivers_path(test, "gntdev_invalidate", &call);
	drivers_blocks_here(test, &own);
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, xen_mapped(), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 0);
}

/* Of a part only: who comes meanwhile has something left to do. */
static void gntdev_unmap_part_interrupted(struct kunit *test)
{
	struct drivers_call call, own;

	gnt_new_mapped(test);
	call = gnt_path_call();
	own = call;
	own.start = GNT_START + 2 * PAGE_SIZE;
	own.end = GNT_START + 6 * PAGE_SIZE;
	call.hole = "G3";
	drivers_path(test, "gntdev_invalidate, a part", &call);
	drivers_blocks_here(test, &own);
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, xen_mapped() % 4, 0);
}

/*
 * The process exits, which does not give up anything yet. A page is in use, so the
 * workqueue unmaps it, and the OOM reaper comes.
 */
static void gntdev_delayed_unmap_interrupted(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct drivers_call call = gnt_path_call(), own = call;

	own.event = MMU_NOTIFY_RELEASE;
	get_page(map->pages[5]);
	drivers_blocks(test, &own);
	put_page(map->pages[5]);
	KUNIT_ASSERT_NOT_NULL(test, xen.delayed);
	call.hole = "G1";
	drivers_path(test, "__unmap_grant_pages_done, workqueue", &call);
	gnt_point();
	xen_unmap_delayed();
	gnt_point();
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, xen_mapped(), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 0);
}

/* munmap(), and the file is closed: the last user frees the map. */
static void gntdev_release_interrupted(struct kunit *test)
{
	struct drivers_call call;

	gnt_new_mapped(test);
	call = gnt_path_call();
	drivers_path(test, "gntdev_release", &call);
	gnt_point();
	vm_munmap(GNT_START, GNT_SIZE);
	gnt_release();
	drivers_path_end(test);
	KUNIT_EXPECT_TRUE(test, xen.removed);
	KUNIT_EXPECT_EQ(test, xen_mapped(), 0);
}

/* Grants are counted by the map, so while any is left even a free part is refused */
static void gntdev_free_part_refuses(struct kunit *test)
{
	gnt_new_mapped(test);
	gnt_blocks(test, GNT_START, GNT_START + 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, xen_mapped(), GNT_PAGES - 2);
	gnt_asks(test, DRIVERS_IDLE, GNT_START, GNT_START + 2 * PAGE_SIZE, false);
	gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
}

static void gntdev_refused_then_blocking(struct kunit *test)
{
	struct gntdev_grant_map *map;
	int i;

	for (i = 0; i < 2; i++) {
		map = gnt_new_mapped(test);
		gnt_blocks(test, GNT_START + 2 * PAGE_SIZE, GNT_START + 4 * PAGE_SIZE);
		if (i)
			gnt_asks(test, DRIVERS_BUSY, GNT_START, GNT_END, false);
		/* A hole in the middle: one call on either side of it */
		gnt_blocks(test, GNT_START - PAGE_SIZE, GNT_END - PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, xen.unmaps, 3);
		KUNIT_EXPECT_EQ(test, xen_mapped(), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 2);
		KUNIT_EXPECT_FALSE(test, map->being_removed[GNT_PAGES - 1]);
		/* Of the file and of the VMA */
		KUNIT_EXPECT_EQ(test, refcount_read(&map->users), 2);
		gnt_close(NULL);
	}
}

/* By a process that lives: with all granted, and with nothing left */
static void gntdev_rehearsed(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct drivers_call call = {
		.callback = "gntdev_invalidate",
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = current->mm, .start = GNT_START, .end = GNT_END,
		.no_seq = true,
	};
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
		KUNIT_EXPECT_EQ(test, xen_mapped(), 0);
		KUNIT_EXPECT_EQ(test, xen.unmaps, 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 0);
	}
}

static struct kunit_case gntdev_cases[] = {
	KUNIT_CASE(gntdev_granted_refuses),
	KUNIT_CASE(gntdev_each_page_refuses),
	KUNIT_CASE(gntdev_out_of_range_succeeds),
	KUNIT_CASE(gntdev_unmapped_succeeds),
	KUNIT_CASE(gntdev_never_mapped_succeeds),
	KUNIT_CASE(gntdev_half_mapped_refuses),
	KUNIT_CASE(gntdev_unfinished_refuses),
	KUNIT_CASE(gntdev_failed_unmap_refuses),
	KUNIT_CASE(gntdev_free_part_refuses),
	KUNIT_CASE(gntdev_refused_then_blocking),
	KUNIT_CASE(gntdev_rehearsed),
	KUNIT_CASE(gntdev_unmap_fails_refuses),
	KUNIT_CASE(gntdev_negative_refuses),
	KUNIT_CASE(gntdev_delayed_is_overwritten),
	KUNIT_CASE(gntdev_two_callers),
	KUNIT_CASE_PARAM(gntdev_map_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gntdev_failed_map_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gntdev_unmap_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gntdev_unmap_part_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gntdev_delayed_unmap_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gntdev_release_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(gntdev, gntdev_cases);
