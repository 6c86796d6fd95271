// SPDX-License-Identifier: GPL-2.0-only
/*
 * radeon's userptr notifier: drivers/gpu/drm/radeon/radeon_mn.c. What it rests on,
 * that a bound BO holds a reference on its pages, is in radeon_ttm.c.
 */
#include "drivers.h"
#include <linux/dma-mapping.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include "points.h"

/* Which references on pages it has, and what goes wrong on the way */
static struct {
	int validated;		/* moves to system memory */
	int gart_binds;
	bool in_gart;
	int held;
	bool no_table, no_mapping, no_gart;
	int errors;		/* in the log */
} lab;

static long lab_get_user_pages(unsigned long start, unsigned long nr,
			       unsigned int flags, struct page **pages)
{
	long r;

	drivers_point();
	r = get_user_pages(start, nr, flags, pages);
	drivers_point();
	if (r > 0)
		lab.held += r;
	return r;
}

static void lab_put_page(struct page *page)
{
	drivers_point();
	lab.held--;
	put_page(page);
}

static void lab_release_pages(struct page **pages, int nr)
{
	drivers_point();
	lab.held -= nr;
	release_pages(pages, nr);
}

static int lab_sg_alloc(struct sg_table *sgt, struct page **pages,
			unsigned int nr, unsigned int offset,
			unsigned long size, gfp_t gfp)
{
	if (lab.no_table) {
		drivers_failure("no memory for the scatterlist");
		return -ENOMEM;
	}
	return sg_alloc_table_from_pages(sgt, pages, nr, offset, size, gfp);
}

static int lab_dma_map(struct device *dev, struct sg_table *sgt,
		       enum dma_data_direction dir, unsigned long attrs)
{
	if (lab.no_mapping) {
		drivers_failure("no DMA address");
		return -EIO;
	}
	return dma_map_sgtable(dev, sgt, dir, attrs);
}

#define get_user_pages			lab_get_user_pages
#define put_page			lab_put_page
#define release_pages			lab_release_pages
#define sg_alloc_table_from_pages	lab_sg_alloc
#define dma_map_sgtable			lab_dma_map

#include <drivers/gpu/drm/radeon/radeon_mn.c>
#include <drivers/gpu/drm/radeon/radeon_ttm.c>

#define LAB_PAGES	2

/* A BO of two pages of anonymous memory, and the device it is for */
struct lab_bo {
	struct kunit *test;
	struct radeon_device *rdev;
	struct radeon_bo *bo;
	struct radeon_ttm_tt *gtt;
	struct ttm_resource resource;
	unsigned long addr;
	struct page *pages[LAB_PAGES];
	dma_addr_t dma[LAB_PAGES];
	struct drivers_call call;
};

/* The GART, and TTM */
int radeon_gart_bind(struct radeon_device *rdev, unsigned int offset, int pages,
		     struct page **pagelist, dma_addr_t *dma_addr,
		     uint32_t flags)
{
	drivers_point();
	if (lab.no_gart) {
		drivers_failure("the GART is not ready");
		return -EINVAL;
	}
	lab.gart_binds++;
	lab.in_gart = true;
	drivers_point();
	return 0;
}

void __drm_err(const char *format, ...)
{
	lab.errors++;
}

int drm_prime_sg_to_dma_addr_array(struct sg_table *sgt, dma_addr_t *addrs,
				   int max_entries)
{
	return 0;
}

void radeon_gart_unbind(struct radeon_device *rdev, unsigned int offset,
			int pages)
{
	drivers_point();
	lab.in_gart = false;
	drivers_point();
}

void radeon_ttm_placement_from_domain(struct radeon_bo *rbo, u32 domain)
{
}

int ttm_bo_validate(struct ttm_buffer_object *bo,
		    struct ttm_placement *placement,
		    struct ttm_operation_ctx *ctx)
{
	/* Allocates, and waits */
	might_sleep();
	dma_resv_assert_held(bo->base.resv);
	lab.validated++;
	radeon_ttm_tt_unbind(bo->bdev, bo->ttm);
	return 0;
}

void ttm_bo_move_to_lru_tail(struct ttm_buffer_object *bo)
{
}

/* A job of the GPU that uses the BO */
static struct dma_fence *lab_job(struct lab_bo *l, enum dma_resv_usage usage)
{
	struct dma_resv *resv = l->bo->tbo.base.resv;
	struct dma_fence *fence = drivers_fence(l->test);

	KUNIT_ASSERT_EQ(l->test, dma_resv_lock(resv, NULL), 0);
	KUNIT_ASSERT_EQ(l->test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, fence, usage);
	dma_resv_unlock(resv);
	return fence;
}

static void lab_signal(void *fence)
{
	dma_fence_signal(fence);
}

/*
 * The pages that the GPU can reach without a reference. (While a BO is unbound the
 * references go first, as jobs were waited for: hole R1 if they were not.)
 */
static int lab_reach_unheld(void *arg, unsigned long start, unsigned long end)
{
	struct lab_bo *l = arg;

	return lab.in_gart && l->gtt->bound ? max(LAB_PAGES - lab.held, 0) : 0;
}

static void lab_fini(void *data)
{
	struct lab_bo *l = data;

	radeon_ttm_tt_unbind(&l->rdev->mman.bdev, &l->gtt->ttm);
	kfree(l->gtt->ttm.sg);
	dma_resv_fini(l->bo->tbo.base.resv);
}

KUNIT_DEFINE_ACTION_WRAPPER(lab_unregister, platform_device_unregister,
			    struct platform_device *);

static struct lab_bo *lab_bo(struct kunit *test)
{
	struct lab_bo *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct platform_device *pdev;
	struct radeon_ttm_tt *gtt;
	struct radeon_bo *bo;

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->test = test;
	l->rdev = kunit_kzalloc(test, sizeof(*l->rdev), GFP_KERNEL);
	l->bo = kunit_kzalloc(test, sizeof(*l->bo), GFP_KERNEL);
	l->gtt = kunit_kzalloc(test, sizeof(*l->gtt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l->rdev);
	KUNIT_ASSERT_NOT_NULL(test, l->bo);
	KUNIT_ASSERT_NOT_NULL(test, l->gtt);
	bo = l->bo;
	gtt = l->gtt;

	pdev = platform_device_register_simple("lab-radeon", PLATFORM_DEVID_AUTO,
					       NULL, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(pdev));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_unregister,
							pdev), 0);
	KUNIT_ASSERT_EQ(test, dma_coerce_mask_and_coherent(&pdev->dev,
							   DMA_BIT_MASK(64)), 0);
	l->rdev->dev = &pdev->dev;
	spin_lock_init(&l->rdev->mman.bdev.lru_lock);

	l->addr = kunit_vm_mmap(test, NULL, 0, LAB_PAGES * PAGE_SIZE,
				PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, l->addr, 0);

	bo->tbo.bdev = &l->rdev->mman.bdev;
	bo->tbo.base.resv = &bo->tbo.base._resv;
	dma_resv_init(bo->tbo.base.resv);
	bo->tbo.ttm = &gtt->ttm;
	gtt->ttm.pages = l->pages;
	gtt->ttm.dma_address = l->dma;
	gtt->ttm.num_pages = LAB_PAGES;
	gtt->userptr = l->addr;
	gtt->usermm = current->mm;
	/* As radeon_ttm_tt_populate() does */
	gtt->ttm.sg = kzalloc(sizeof(*gtt->ttm.sg), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, gtt->ttm.sg);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_fini, l), 0);

	l->call = (struct drivers_call) {
		.callback = "radeon_mn_invalidate",
		.interval = &bo->notifier, .interval_ops = &radeon_mn_ops,
		.mm = drivers_mm(test), .start = l->addr,
		.end = l->addr + LAB_PAGES * PAGE_SIZE,
		.no_seq = true,
	};
	memset(&lab, 0, sizeof(lab));
	drivers_judge(test, "radeon_mn_invalidate", lab_reach_unheld, l);
	return l;
}

static int lab_bind(struct lab_bo *l)
{
	int r;

	mmap_read_lock(current->mm);
	r = radeon_ttm_tt_bind(&l->rdev->mman.bdev, &l->gtt->ttm, &l->resource);
	mmap_read_unlock(current->mm);
	return r;
}

static void lab_expect_held(struct lab_bo *l)
{
	KUNIT_EXPECT_TRUE(l->test, l->gtt->bound);
	KUNIT_EXPECT_EQ(l->test, lab.held, LAB_PAGES);
}

static void lab_expect_unbound(struct lab_bo *l)
{
	KUNIT_EXPECT_FALSE(l->test, l->gtt->bound);
	KUNIT_EXPECT_EQ(l->test, lab.held, 0);
}

static void lab_refuses(struct lab_bo *l)
{
	l->call.state = DRIVERS_BUSY;
	drivers_refuses(l->test, &l->call);
	KUNIT_EXPECT_TRUE(l->test, l->gtt->bound);
	KUNIT_EXPECT_EQ(l->test, lab.validated, 0);
}

static void lab_succeeds(struct lab_bo *l)
{
	l->call.state = DRIVERS_IDLE;
	drivers_succeeds(l->test, &l->call, false);
	KUNIT_EXPECT_EQ(l->test, lab.validated, 0);
}

static void lab_idle_refuses(struct lab_bo *l)
{
	l->call.state = DRIVERS_IDLE;
	l->call.reason = "its pages are held until it is unbound, nothing would be freed";
	drivers_refuses(l->test, &l->call);
	l->call.reason = NULL;
	KUNIT_EXPECT_EQ(l->test, lab.validated, 0);
}

static void unbound_succeeds(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	lab_succeeds(l);
	l->bo->tbo.ttm = NULL;
	lab_succeeds(l);
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab.validated, 0);
}

/* They would not be freed; in blocking mode the BO is unbound first. */
static void idle_refuses_and_pages_are_held(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	KUNIT_ASSERT_EQ(test, lab_bind(l), 0);
	lab_expect_held(l);
	lab_idle_refuses(l);
	lab_expect_held(l);
	drivers_blocks(test, &l->call);
	lab_expect_unbound(l);
}

static void busy_refuses(struct kunit *test)
{
	static const enum dma_resv_usage usages[] = {
		DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_WRITE,
		DMA_RESV_USAGE_READ, DMA_RESV_USAGE_BOOKKEEP,
	};
	struct lab_bo *l = lab_bo(test);
	int i;

	KUNIT_ASSERT_EQ(test, lab_bind(l), 0);
	for (i = 0; i < ARRAY_SIZE(usages); i++) {
		struct dma_fence *job = lab_job(l, usages[i]);

		lab_refuses(l);
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(job));
		lab_signal(job);
	}
	lab_idle_refuses(l);
	lab_expect_held(l);
}

static void reserved_by_another_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	KUNIT_ASSERT_EQ(test, lab_bind(l), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_lock(l->bo->tbo.base.resv, NULL), 0);
	l->call.state = DRIVERS_HELD;
	drivers_refuses(test, &l->call);
	dma_resv_unlock(l->bo->tbo.base.resv);
	lab_expect_held(l);
}

static void blocking_unbinds(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	KUNIT_ASSERT_EQ(test, lab_bind(l), 0);
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab.validated, 1);
	lab_expect_unbound(l);
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(l->bo->tbo.base.resv));
	lab.validated = 0;
	lab_succeeds(l);
}

static void blocking_waits_after_a_refusal(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);
	struct drivers_outcome out;

	KUNIT_ASSERT_EQ(test, lab_bind(l), 0);
	l->call.let_go = lab_signal;
	l->call.arg = lab_job(l, DMA_RESV_USAGE_WRITE);
	lab_refuses(l);
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_EQ(test, lab.validated, 1);
	lab_expect_unbound(l);
}

/* The GPU must not get at what it was given the time before. */
static void lab_expect_bind_fails(struct lab_bo *l, int err)
{
	KUNIT_EXPECT_EQ(l->test, lab_bind(l), err);
	/* User space can have that as often as it likes. */
	KUNIT_EXPECT_EQ(l->test, lab.errors, 0);
	KUNIT_EXPECT_EQ(l->test, lab.gart_binds, 0);
	lab_expect_unbound(l);
	/* Unpatched, the table is freed by now. */
	if (l->gtt->bound && (lab.no_table || lab.no_mapping))
		l->gtt->ttm.sg = NULL;
}

static void failed_pin_does_not_bind(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	/* The second page is not mapped */
	l->gtt->userptr += PAGE_SIZE;
	lab_expect_bind_fails(l, -EFAULT);
	lab_succeeds(l);
}

static void failed_table_does_not_bind(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	lab.no_table = true;
	lab_expect_bind_fails(l, -ENOMEM);
}

static void failed_mapping_does_not_bind(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	lab.no_mapping = true;
	lab_expect_bind_fails(l, -EIO);
	/* Nothing of the table is left, but itself */
	KUNIT_ASSERT_NOT_NULL(test, l->gtt->ttm.sg);
	KUNIT_EXPECT_NULL(test, l->gtt->ttm.sg->sgl);
	/* and the next time it works */
	lab.no_mapping = false;
	KUNIT_EXPECT_EQ(test, lab_bind(l), 0);
	lab_expect_held(l);
}

/* The pages were pinned for nothing: each bind that succeeds holds one reference. */
static void failed_gart_unpins(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	lab.no_gart = true;
	KUNIT_EXPECT_EQ(test, lab_bind(l), -EINVAL);
	lab_expect_unbound(l);
	KUNIT_EXPECT_NULL(test, l->gtt->ttm.sg->sgl);
	lab_succeeds(l);

	lab.no_gart = false;
	KUNIT_ASSERT_EQ(test, lab_bind(l), 0);
	lab_expect_held(l);
	radeon_ttm_tt_unbind(&l->rdev->mman.bdev, &l->gtt->ttm);
	lab_expect_unbound(l);
}

/* Not a userptr: the table is the exporter's, who frees it. */
static void failed_gart_of_an_import_keeps_its_table(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);
	struct sg_table *table = l->gtt->ttm.sg;
	struct scatterlist *first;
	struct page *page = alloc_page(GFP_KERNEL);
	struct page *pages[LAB_PAGES] = { page, page };

	KUNIT_ASSERT_NOT_NULL(test, page);
	page_ref_add(page, LAB_PAGES);
	KUNIT_ASSERT_EQ(test, sg_alloc_table_from_pages(table, pages, LAB_PAGES, 0,
							LAB_PAGES * PAGE_SIZE, GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, dma_map_sgtable(l->rdev->dev, table, DMA_BIDIRECTIONAL, 0), 0);
	first = table->sgl;
	l->gtt->userptr = 0;
	lab.no_gart = true;
	KUNIT_EXPECT_EQ(test, lab_bind(l), -EINVAL);
	lab_expect_unbound(l);
	KUNIT_EXPECT_PTR_EQ(test, l->gtt->ttm.sg, table);
	KUNIT_EXPECT_PTR_EQ(test, table->sgl, first);
	KUNIT_EXPECT_EQ(test, table->orig_nents, LAB_PAGES);
	KUNIT_EXPECT_EQ(test, page_count(page), 1 + LAB_PAGES);
	if (table->sgl) {
		dma_unmap_sgtable(l->rdev->dev, table, DMA_BIDIRECTIONAL, 0);
		sg_free_table(table);
	}
	while (page_count(page) > 1)
		put_page(page);
	__free_page(page);
}

/* Another process may not bind it. */
static void bind_by_another_process_fails(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	l->gtt->usermm = l->call.mm;
	drivers_failure("another process binds");
	lab_expect_bind_fails(l, -EPERM);
}

/* As a command submission does it, with the BO reserved */
static void bind_interrupted(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	l->call.state = DRIVERS_BUSY;
	drivers_path(test, "radeon_ttm_tt_bind", &l->call);
	mmap_read_lock(current->mm);
	KUNIT_EXPECT_EQ(test, dma_resv_lock(l->bo->tbo.base.resv, NULL), 0);
	KUNIT_EXPECT_EQ(test, radeon_ttm_tt_bind(&l->rdev->mman.bdev, &l->gtt->ttm,
						 &l->resource), 0);
	dma_resv_unlock(l->bo->tbo.base.resv);
	mmap_read_unlock(current->mm);
	drivers_path_end(test);
}

/* munmap() by a thread of the process */
static void invalidation_interrupted(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	KUNIT_ASSERT_EQ(test, lab_bind(l), 0);
	l->call.state = DRIVERS_BUSY;
	drivers_path(test, "radeon_mn_invalidate", &l->call);
	drivers_blocks_here(test, &l->call);
	drivers_path_end(test);
	lab_expect_unbound(l);
}

/*
 * By a process that lives: while the GPU is at work, and when nothing is bound.
 * Any munmap() of a bound BO takes its reservation in an invalidation. Memory is
 * allocated under reservations, which may invalidate, so lockdep reports that.
 */
static void rehearsed(struct kunit *test)
{
	struct lab_bo *l = lab_bo(test);

	KUNIT_ASSERT_EQ(test, lab_bind(l), 0);
	l->call.mm = current->mm;
	l->call.known_lock_order = true;
	l->call.let_go = lab_signal;
	l->call.arg = lab_job(l, DMA_RESV_USAGE_WRITE);
	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &l->call).waited);
	KUNIT_EXPECT_EQ(test, lab.validated, 1);
	lab_expect_unbound(l);
	l->call.known_lock_order = false;
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &l->call).waited);
	KUNIT_EXPECT_EQ(test, lab.validated, 1);
}

static struct kunit_case radeon_cases[] = {
	KUNIT_CASE(unbound_succeeds),
	KUNIT_CASE(idle_refuses_and_pages_are_held),
	KUNIT_CASE(busy_refuses),
	KUNIT_CASE(reserved_by_another_refuses),
	KUNIT_CASE(blocking_unbinds),
	KUNIT_CASE(blocking_waits_after_a_refusal),
	KUNIT_CASE(failed_pin_does_not_bind),
	KUNIT_CASE(failed_table_does_not_bind),
	KUNIT_CASE(failed_mapping_does_not_bind),
	KUNIT_CASE(failed_gart_unpins),
	KUNIT_CASE(failed_gart_of_an_import_keeps_its_table),
	KUNIT_CASE(rehearsed),
	KUNIT_CASE(bind_by_another_process_fails),
	KUNIT_CASE_PARAM(bind_interrupted, drivers_points),
	KUNIT_CASE_PARAM(invalidation_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(radeon, radeon_cases);
