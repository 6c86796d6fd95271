// SPDX-License-Identifier: GPL-2.0-only
/*
 * Xen's grant device: drivers/xen/gntdev.c. The hypervisor is an array that says
 * which of the pages are granted.
 */
#include "users.h"
#include <linux/mman.h>
#include "points.h"
#undef pr_fmt
/* Only in a PV domain gntdev has notifiers. Some ask when they are called. */
#ifdef USERS_XEN_PV
#include <xen/xen.h>
#undef xen_pv_domain
#define xen_pv_domain()	true
static int use_ptemod;
#endif
#include <drivers/xen/gntdev.c>

#define GNT_PAGES	8
#define GNT_START	0x100000UL
#define GNT_END		(GNT_START + GNT_PAGES * PAGE_SIZE)

/* One map at a time */
static struct {
	struct gntdev_grant_map *map;
	bool mapped[GNT_PAGES];
	/* Since when, see users.h */
	unsigned long since[GNT_PAGES];
	struct gntab_unmap_queue_data *delayed;
	int unmaps;
	/* Which page can't be mapped for the user, or unmapped; counted from 1 */
	int fail_map, fail_unmap;
} xen;

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

int gnttab_map_refs(struct gnttab_map_grant_ref *map_ops,
		    struct gnttab_map_grant_ref *kmap_ops, struct page **pages,
		    unsigned int count)
{
	int i;

	users_point();
	if (xen.fail_map)
		users_failure("the hypervisor refuses to map a grant");
	for (i = 0; i < count; i++) {
		xen.mapped[i] = true;
		xen.since[i] = users_now();
		map_ops[i].status = i + 1 == xen.fail_map ? GNTST_general_error : GNTST_okay;
		map_ops[i].handle = i;
		kmap_ops[i].status = GNTST_okay;
		kmap_ops[i].handle = 100 + i;
	}
	users_point();
	return 0;
}

static void xen_unmap(struct gntab_unmap_queue_data *item)
{
	int first = item->unmap_ops - xen.map->unmap_ops, i;

	users_point();
	for (i = 0; i < item->count; i++) {
		bool fails = first + i + 1 == xen.fail_unmap;

		if (fails)
			users_failure("the hypervisor refuses to unmap a grant");
		else
			xen.mapped[first + i] = false;
		item->unmap_ops[i].status = fails ? GNTST_general_error : GNTST_okay;
		item->kunmap_ops[i].status = GNTST_okay;
	}
	users_point();
	item->done(0, item);
}

/* As the real one: tries again later if anybody else uses a page */
void gnttab_unmap_refs_async(struct gntab_unmap_queue_data *item)
{
	int i;

	xen.unmaps++;
	for (i = 0; i < item->count; i++) {
		if (page_count(item->pages[i]) > 1) {
			xen.delayed = item;
			return;
		}
	}
	xen_unmap(item);
}

static int xen_mapped(void)
{
	int i, n = 0;

	for (i = 0; i < GNT_PAGES; i++)
		n += xen.mapped[i];
	return n;
}

/* The PTEs that are the hypervisor's though the process has given them up */
static int gnt_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	int i, n = 0;

	for (i = 0; i < GNT_PAGES; i++) {
		unsigned long addr = GNT_START + i * PAGE_SIZE;

		n += xen.mapped[i] && addr >= start && addr < end &&
		     users_given_up(addr, xen.since[i]);
	}
	return n;
}

static void gnt_put(void *map)
{
	gntdev_put_map(NULL, map);
}

/* What gntdev_mmap() leaves if it fails before it maps anything */
static struct gntdev_grant_map *gnt_new(struct kunit *test)
{
	struct gntdev_grant_map *map;

	memset(&xen, 0, sizeof(xen));
	use_ptemod = 1;
	map = gntdev_alloc_map(NULL, GNT_PAGES, 0);
	KUNIT_ASSERT_NOT_NULL(test, map);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, gnt_put, map), 0);
	map->pages_vm_start = GNT_START;
	map->flags = GNTMAP_host_map | GNTMAP_readonly;
	xen.map = map;
	users_judge(test, "gntdev_invalidate", gnt_reach_given_up, NULL);
	return map;
}

static struct gntdev_grant_map *gnt_new_mapped(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new(test);

	KUNIT_ASSERT_EQ(test, gntdev_map_grant_pages(map), 0);
	/* In the user's page table and in the kernel's */
	KUNIT_ASSERT_EQ(test, atomic_read(&map->live_grants), 2 * GNT_PAGES);
	return map;
}

/* Whatever the outcome, a non-blocking call changes nothing. */
static void gnt_asks(struct kunit *test, enum users_state state, unsigned long start,
		     unsigned long end, bool success)
{
	struct gntdev_grant_map *map = xen.map;
	struct users_call call = {
		.callback = "gntdev_invalidate", .state = state,
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = users_mm(test), .start = start, .end = end, .no_seq = true,
	};
	int grants = atomic_read(&map->live_grants);
	int unmaps = xen.unmaps, mapped = xen_mapped();
	bool removed[GNT_PAGES];

	memcpy(removed, map->being_removed, sizeof(removed));
	if (state == USERS_IDLE && !success)
		call.reason = "grants are counted for the map, not for its parts";
	if (success)
		users_succeeds(test, &call, false);
	else
		users_refuses(test, &call);
	KUNIT_EXPECT_EQ(test, grants, atomic_read(&map->live_grants));
	KUNIT_EXPECT_EQ(test, unmaps, xen.unmaps);
	KUNIT_EXPECT_EQ(test, mapped, xen_mapped());
	KUNIT_EXPECT_EQ(test, refcount_read(&map->users), 1 + !!xen.delayed);
	KUNIT_EXPECT_MEMEQ(test, removed, map->being_removed, sizeof(removed));
}

static void gnt_blocks(struct kunit *test, unsigned long start, unsigned long end)
{
	struct users_call call = {
		.callback = "gntdev_invalidate",
		.interval = &xen.map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = users_mm(test), .start = start, .end = end, .no_seq = true,
	};

	KUNIT_EXPECT_FALSE(test, users_blocks(test, &call).waited);
}

static void gntdev_granted_refuses(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	u8 *byte = page_address(map->pages[0]);

	*byte = 1;
	map->notify.flags = UNMAP_NOTIFY_CLEAR_BYTE;
	gnt_asks(test, USERS_BUSY, GNT_START, GNT_END, false);
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
		gnt_asks(test, USERS_BUSY, start, start + PAGE_SIZE, false);
	gnt_asks(test, USERS_BUSY, GNT_START - PAGE_SIZE, GNT_START + PAGE_SIZE, false);
	gnt_asks(test, USERS_BUSY, GNT_END - PAGE_SIZE, GNT_END + PAGE_SIZE, false);
	gnt_asks(test, USERS_BUSY, 0, TASK_SIZE, false);
}

static void gntdev_out_of_range_succeeds(struct kunit *test)
{
	gnt_new_mapped(test);
	gnt_asks(test, USERS_IDLE, GNT_START - PAGE_SIZE, GNT_START, true);
	gnt_asks(test, USERS_IDLE, GNT_END, GNT_END + PAGE_SIZE, true);
	gnt_blocks(test, GNT_START - PAGE_SIZE, GNT_START);
	gnt_blocks(test, GNT_END, GNT_END + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, xen_mapped(), GNT_PAGES);
}

/* The notifier outlives the VMA, and its addresses may be anybody's by now */
static void gntdev_unmapped_succeeds(struct kunit *test)
{
	gnt_new_mapped(test);
	gnt_blocks(test, GNT_START, GNT_END);
	gnt_asks(test, USERS_IDLE, GNT_START, GNT_END, true);
	gnt_asks(test, USERS_IDLE, GNT_END - PAGE_SIZE, GNT_END, true);
	gnt_blocks(test, GNT_START, GNT_END);
	KUNIT_EXPECT_EQ(test, xen.unmaps, 1);
}

/* mmap() failed */
static void gntdev_never_mapped_succeeds(struct kunit *test)
{
	gnt_new(test);
	gnt_asks(test, USERS_IDLE, GNT_START, GNT_END, true);
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
	gnt_asks(test, USERS_BUSY, GNT_START, GNT_END, false);
	gnt_blocks(test, GNT_START, GNT_END);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 0);
	gnt_asks(test, USERS_IDLE, GNT_START, GNT_END, true);
}

/*
 * An invalidation has begun to unmap all pages, and the hypervisor is not through
 * with them, or has not even been asked as somebody uses a page. All being_removed[]
 * are set, and the PTEs are still the hypervisor's.
 */
static void gntdev_unfinished_refuses(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct users_call call = {
		.callback = "gntdev_invalidate", .hole = "G1",
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = users_mm(test), .start = GNT_START, .end = GNT_END,
		.no_seq = true,
	};
	int i;

	get_page(map->pages[5]);
	users_blocks(test, &call);
	KUNIT_ASSERT_NOT_NULL(test, xen.delayed);
	KUNIT_EXPECT_EQ(test, xen_mapped(), GNT_PAGES);
	for (i = 0; i < GNT_PAGES; i++)
		KUNIT_EXPECT_TRUE(test, map->being_removed[i]);
	gnt_asks(test, USERS_BUSY, GNT_START, GNT_END, false);
	put_page(map->pages[5]);
	gnt_asks(test, USERS_BUSY, GNT_START, GNT_END, false);
	xen_unmap(xen.delayed);
	xen.delayed = NULL;
	gnt_asks(test, USERS_IDLE, GNT_START, GNT_END, true);
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
	gnt_asks(test, USERS_BUSY, GNT_START, GNT_END, false);
}

/* The hypervisor keeps one: the map is refused as long as it exists. */
static void gntdev_unmap_fails_refuses(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct users_call call = {
		.callback = "gntdev_invalidate", .hole = "G2",
		.splat = "a grant that can't be unmapped",
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = users_mm(test), .start = GNT_START, .end = GNT_END,
		.no_seq = true,
	};

	xen.fail_unmap = 3;
	users_blocks(test, &call);
	KUNIT_EXPECT_EQ(test, xen_mapped(), 1);
	KUNIT_EXPECT_GT(test, atomic_read(&map->live_grants), 0);
	gnt_asks(test, USERS_BUSY, GNT_START, GNT_END, false);
	gnt_asks(test, USERS_BUSY, GNT_START + 2 * PAGE_SIZE, GNT_START + 3 * PAGE_SIZE, false);
}

/* Paths, interrupted. mmap() holds the mmap_lock for writing: nobody gets in. */

static void gntdev_map_interrupted(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new(test);
	struct users_call call = {
		.callback = "gntdev_invalidate", .state = USERS_BUSY,
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = users_mm(test), .start = GNT_START, .end = GNT_END,
		.no_seq = true,
	};

	users_path(test, "gntdev_map_grant_pages", &call);
	mmap_write_lock(call.mm);
	KUNIT_EXPECT_EQ(test, gntdev_map_grant_pages(map), 0);
	mmap_write_unlock(call.mm);
	users_path_end(test);
}

/* Grants are counted by the map, so while any is left even a free part is refused */
static void gntdev_free_part_refuses(struct kunit *test)
{
	gnt_new_mapped(test);
	gnt_blocks(test, GNT_START, GNT_START + 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, xen_mapped(), GNT_PAGES - 2);
	gnt_asks(test, USERS_IDLE, GNT_START, GNT_START + 2 * PAGE_SIZE, false);
	gnt_asks(test, USERS_BUSY, GNT_START, GNT_END, false);
}

static void gntdev_refused_then_blocking(struct kunit *test)
{
	struct gntdev_grant_map *map;
	int i;

	for (i = 0; i < 2; i++) {
		map = gnt_new_mapped(test);
		gnt_blocks(test, GNT_START + 2 * PAGE_SIZE, GNT_START + 4 * PAGE_SIZE);
		if (i)
			gnt_asks(test, USERS_BUSY, GNT_START, GNT_END, false);
		/* A hole in the middle: one call on either side of it */
		gnt_blocks(test, GNT_START - PAGE_SIZE, GNT_END - PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, xen.unmaps, 3);
		KUNIT_EXPECT_EQ(test, xen_mapped(), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&map->live_grants), 2);
		KUNIT_EXPECT_FALSE(test, map->being_removed[GNT_PAGES - 1]);
		KUNIT_EXPECT_EQ(test, refcount_read(&map->users), 1);
	}
}

/* By a process that lives: with all granted, and with nothing left */
static void gntdev_rehearsed(struct kunit *test)
{
	struct gntdev_grant_map *map = gnt_new_mapped(test);
	struct users_call call = {
		.callback = "gntdev_invalidate",
		.interval = &map->notifier, .interval_ops = &gntdev_mmu_ops,
		.mm = users_mm(test), .start = GNT_START, .end = GNT_END,
		.no_seq = true,
	};
	int i;

	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_FALSE(test, users_rehearses(test, &call).waited);
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
	KUNIT_CASE_PARAM(gntdev_map_interrupted, users_points),
	{}
};

USERS_SUITE(gntdev, gntdev_cases);
