// SPDX-License-Identifier: GPL-2.0-only
/*
 * i915's userptr objects: drivers/gpu/drm/i915/gem/i915_gem_userptr.c. Memory,
 * pins, notifier and reservation are real, what the GPU does is not.
 */
#include "drivers.h"
#include <kunit/resource.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include "points.h"
/* The callback takes no lock: the sequence is enough, as the pages are pinned. */
#undef mmu_interval_set_seq

/* The lock of the object, and where its pages are looked up */
static inline int i915_lock(struct dma_resv *resv, struct ww_acquire_ctx *ctx)
{
	int ret;

	drivers_point();
	ret = dma_resv_lock_interruptible(resv, ctx);
	drivers_point();
	return ret;
}

static inline void i915_resv_unlock(struct dma_resv *resv)
{
	drivers_point();
	dma_resv_unlock(resv);
	drivers_point();
}

static inline bool i915_read_retry(struct mmu_interval_notifier *notifier, unsigned long seq)
{
	bool ret;

	drivers_point();
	ret = mmu_interval_read_retry(notifier, seq);
	drivers_point();
	return ret;
}

static int i915_pin(unsigned long start, int nr, unsigned int flags, struct page **pages);
static void i915_unpin(struct page **pages, unsigned long nr);

#define dma_resv_lock_interruptible(resv, ctx)	i915_lock(resv, ctx)
#define dma_resv_unlock(resv)			i915_resv_unlock(resv)
#define mmu_interval_read_retry(notifier, seq)	i915_read_retry(notifier, seq)
#define pin_user_pages_fast			i915_pin
#define unpin_user_pages			i915_unpin
#include <drivers/gpu/drm/i915/gem/i915_gem_userptr.c>

#undef dma_resv_lock_interruptible
#undef dma_resv_unlock
#undef mmu_interval_read_retry
#undef pin_user_pages_fast
#undef unpin_user_pages

#define I915_PAGES	4

/* One object at a time */
static struct i915_test {
	struct kunit *test;
	struct drm_i915_gem_object *obj;
	struct drm_device drm;
	struct device device;
	struct mm_struct *mm;
	unsigned long buf;
	bool gpu_mapped;
	void (*in_submit)(struct kunit *test);
	/* What the GPU has; there is a reference on them, so that they can be looked at. */
	struct page *pages[I915_PAGES];
	/* Since when the process has had them, see drivers.h */
	unsigned long since, bound_since;
} *i915;

static int i915_pin(unsigned long start, int nr, unsigned int flags, struct page **pages)
{
	int ret;

	drivers_point();
	drivers_settle();
	i915->since = drivers_now();
	ret = pin_user_pages_fast(start, nr, flags, pages);
	drivers_point();
	return ret;
}

static void i915_unpin(struct page **pages, unsigned long nr)
{
	drivers_point();
	unpin_user_pages(pages, nr);
	drivers_point();
}

static void i915_gpu_unmaps(void)
{
	int i;

	if (!i915->gpu_mapped)
		return;
	i915->gpu_mapped = false;
	for (i = 0; i < I915_PAGES; i++)
		put_page(i915->pages[i]);
}

/* What the GPU can reach though the process has given it up, and that is not pinned */
static int i915_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	int i, n = 0;

	for (i = 0; i < I915_PAGES && i915->gpu_mapped; i++) {
		unsigned long addr = i915->buf + i * PAGE_SIZE;

		n += addr >= start && addr < end && drivers_given_up(addr, i915->bound_since) &&
		     !folio_maybe_dma_pinned(page_folio(i915->pages[i]));
	}
	return n;
}

/* The GPU has finished, and its page tables are as before. */
int i915_gem_object_unbind(struct drm_i915_gem_object *obj, unsigned long flags)
{
	if (i915->in_submit)
		i915->in_submit(i915->test);
	drivers_point();
	i915_gpu_unmaps();
	drivers_point();
	return 0;
}

int ____i915_gem_object_get_pages(struct drm_i915_gem_object *obj)
{
	return obj->ops->get_pages(obj);
}

int i915_gem_gtt_prepare_pages(struct drm_i915_gem_object *obj, struct sg_table *pages)
{
	struct sgt_iter iter;
	struct page *page;
	int i = 0;

	drivers_point();
	for_each_sgt_page(page, iter, pages) {
		get_page(page);
		i915->pages[i++] = page;
	}
	i915->bound_since = i915->since;
	i915->gpu_mapped = true;
	drivers_point();
	return 0;
}

void i915_gem_gtt_finish_pages(struct drm_i915_gem_object *obj, struct sg_table *pages)
{
	i915_gpu_unmaps();
}

bool i915_gem_object_can_bypass_llc(struct drm_i915_gem_object *obj)
{
	return false;
}

void __i915_gem_object_set_pages(struct drm_i915_gem_object *obj, struct sg_table *pages)
{
	obj->mm.pages = pages;
}

struct sg_table *__i915_gem_object_unset_pages(struct drm_i915_gem_object *obj)
{
	return fetch_and_zero(&obj->mm.pages);
}

void __i915_gem_object_release_shmem(struct drm_i915_gem_object *obj,
				     struct sg_table *pages, bool needs_clflush)
{
}

static void i915_close(void *unused)
{
	struct drm_i915_gem_object *obj = i915->obj;

	dma_resv_lock(obj->base.resv, NULL);
	i915_gem_userptr_put_pages(obj, __i915_gem_object_unset_pages(obj));
	dma_resv_unlock(obj->base.resv);
	KUNIT_EXPECT_FALSE(i915->test, i915->gpu_mapped);
	KUNIT_EXPECT_EQ(i915->test, obj->userptr.page_ref, 0);
	KUNIT_EXPECT_NULL(i915->test, obj->userptr.pvec);
	i915_gem_userptr_release(obj);
	dma_resv_fini(obj->base.resv);
}

/* What i915_gem_userptr_ioctl() makes */
static struct drm_i915_gem_object *i915_open(struct kunit *test)
{
	struct drm_i915_gem_object *obj;

	i915 = kunit_kzalloc(test, sizeof(*i915), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, i915);
	obj = kunit_kzalloc(test, sizeof(*obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	i915->test = test;
	i915->obj = obj;
	i915->drm.dev = &i915->device;
	i915->device.coherent_dma_mask = DMA_BIT_MASK(64);
	i915->device.dma_mask = &i915->device.coherent_dma_mask;
	i915->buf = kunit_vm_mmap(test, NULL, 0, I915_PAGES * PAGE_SIZE,
				  PROT_READ | PROT_WRITE,
				  MAP_ANONYMOUS | MAP_PRIVATE | MAP_POPULATE, 0);
	KUNIT_ASSERT_NE(test, i915->buf, 0);
	i915->mm = current->mm;
	obj->base.dev = &i915->drm;
	obj->base.size = I915_PAGES * PAGE_SIZE;
	obj->base.resv = &obj->base._resv;
	dma_resv_init(obj->base.resv);
	obj->ops = &i915_gem_userptr_ops;
	obj->cache_coherent = I915_BO_CACHE_COHERENT_FOR_WRITE;
	obj->userptr.ptr = i915->buf;
	obj->userptr.notifier_seq = ULONG_MAX;
	KUNIT_ASSERT_EQ(test, i915_gem_userptr_init__mmu_notifier(obj), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, i915_close, NULL), 0);
	drivers_judge(test, "i915_gem_userptr_invalidate", i915_reach_given_up, NULL);
	return obj;
}

static bool i915_pinned(void)
{
	struct page **pages = i915->obj->userptr.pvec;
	int i;

	for (i = 0; i < I915_PAGES; i++)
		if (!pages || !folio_maybe_dma_pinned(page_folio(pages[i])))
			return false;
	return true;
}

/* An object that the GPU can reach */
static struct drm_i915_gem_object *i915_open_bound(struct kunit *test)
{
	struct drm_i915_gem_object *obj = i915_open(test);

	KUNIT_ASSERT_EQ(test, i915_gem_object_userptr_submit_init(obj), 0);
	KUNIT_ASSERT_EQ(test, i915_gem_object_userptr_submit_done(obj), 0);
	KUNIT_ASSERT_TRUE(test, i915->gpu_mapped);
	KUNIT_ASSERT_TRUE(test, i915_pinned());
	return obj;
}

static struct drivers_call i915_call(void)
{
	return (struct drivers_call){
		.callback = "i915_gem_userptr_invalidate", .state = DRIVERS_IDLE,
		.interval = &i915->obj->userptr.notifier,
		.interval_ops = &i915_gem_userptr_notifier_ops,
		.mm = i915->mm, .start = i915->buf,
		.end = i915->buf + I915_PAGES * PAGE_SIZE,
	};
}

/* The next use of the object notices */
static void i915_stale(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, i915->gpu_mapped);
	KUNIT_EXPECT_TRUE(test, i915_pinned());
	KUNIT_EXPECT_EQ(test, i915_gem_object_userptr_submit_done(i915->obj), -EAGAIN);
}

static void i915_unbound_succeeds(struct kunit *test)
{
	struct drivers_call call;

	i915_open(test);
	call = i915_call();
	drivers_succeeds(test, &call, true);
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &call).seq_set);
	KUNIT_EXPECT_FALSE(test, i915_pinned());
}

static void i915_bound_keeps_pins(struct kunit *test)
{
	struct drivers_call call;

	i915_open_bound(test);
	call = i915_call();
	drivers_succeeds(test, &call, true);
	i915_stale(test);
}

static void i915_bound_blocks(struct kunit *test)
{
	struct drivers_outcome out;
	struct drivers_call call;

	i915_open_bound(test);
	call = i915_call();
	out = drivers_blocks(test, &call);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	i915_stale(test);
}

static void i915_unlock(void *obj)
{
	dma_resv_unlock(((struct drm_i915_gem_object *)obj)->base.resv);
}

static void i915_held_succeeds(struct kunit *test)
{
	struct drm_i915_gem_object *obj = i915_open_bound(test);
	struct drivers_call call = i915_call();
	bool waited;

	call.state = DRIVERS_HELD;
	call.let_go = i915_unlock;
	call.arg = obj;
	dma_resv_lock(obj->base.resv, NULL);
	waited = drivers_call(test, &call).waited;
	KUNIT_EXPECT_FALSE(test, waited);
	if (!waited)
		i915_unlock(obj);
	i915_stale(test);
}

static const char *i915_fence_name(struct dma_fence *fence)
{
	return "lab";
}

static const struct dma_fence_ops i915_test_fence_ops = {
	.get_driver_name = i915_fence_name,
	.get_timeline_name = i915_fence_name,
};

static void i915_signal(void *fence)
{
	dma_fence_signal(fence);
}

/* The GPU is at work, and goes on with pages that are pinned. */
static void i915_active_keeps_pins(struct kunit *test)
{
	struct drm_i915_gem_object *obj = i915_open_bound(test);
	struct drivers_call call = i915_call();
	static DEFINE_SPINLOCK(lock);
	struct dma_fence *fence;

	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, fence);
	dma_fence_init(fence, &i915_test_fence_ops, &lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(obj->base.resv, NULL);
	KUNIT_EXPECT_EQ(test, dma_resv_reserve_fences(obj->base.resv, 1), 0);
	dma_resv_add_fence(obj->base.resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(obj->base.resv);

	call.let_go = i915_signal;
	call.arg = fence;
	drivers_succeeds(test, &call, true);
	i915_stale(test);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(fence));
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/* All of it in the real order, and what is written is still there */
static void i915_unmapped_is_not_freed(struct kunit *test)
{
	struct drm_i915_gem_object *obj = i915_open_bound(test);
	struct page *page = obj->userptr.pvec[1];
	struct drivers_call call = i915_call();
	u32 *data = page_address(page);

	*data = 0xfeedf00d;
	drivers_succeeds(test, &call, true);
	KUNIT_EXPECT_EQ(test, vm_munmap(i915->buf, I915_PAGES * PAGE_SIZE), 0);
	i915_stale(test);
	KUNIT_EXPECT_FALSE(test, folio_mapped(page_folio(page)));
	KUNIT_EXPECT_EQ(test, *data, 0xfeedf00d);

	/* Now the object lets go of the old pages, and there are no new ones. */
	get_page(page);
	KUNIT_EXPECT_EQ(test, i915_gem_object_userptr_submit_init(obj), -EFAULT);
	KUNIT_EXPECT_FALSE(test, i915->gpu_mapped);
	KUNIT_EXPECT_FALSE(test, folio_maybe_dma_pinned(page_folio(page)));
	put_page(page);
}

static void i915_reap(struct kunit *test)
{
	struct drivers_call call = i915_call();

	drivers_succeeds(test, &call, true);
}

/* Between mmu_interval_read_begin() and the pins: a collision, nothing is kept */
static void i915_reaped_in_submit(struct kunit *test)
{
	struct drm_i915_gem_object *obj = i915_open(test);

	i915->in_submit = i915_reap;
	KUNIT_EXPECT_EQ(test, i915_gem_object_userptr_submit_init(obj), -EAGAIN);
	KUNIT_EXPECT_FALSE(test, i915->gpu_mapped);
	KUNIT_EXPECT_NULL(test, obj->userptr.pvec);
	i915->in_submit = NULL;
	KUNIT_EXPECT_EQ(test, i915_gem_object_userptr_submit_init(obj), 0);
	KUNIT_EXPECT_EQ(test, i915_gem_object_userptr_submit_done(obj), 0);
	KUNIT_EXPECT_TRUE(test, i915_pinned());
}

/* By a process that lives, and goes on: the object gets the new pages. */
static void i915_rehearsed(struct kunit *test)
{
	struct drm_i915_gem_object *obj = i915_open_bound(test);
	struct drivers_call call = i915_call();
	struct drivers_outcome out;

	call.event = MMU_NOTIFY_CLEAR;
	call.let_go = i915_unlock;
	call.arg = obj;
	dma_resv_lock(obj->base.resv, NULL);
	out = drivers_rehearses(test, &call);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	if (!out.waited)
		i915_unlock(obj);
	i915_stale(test);
	KUNIT_EXPECT_EQ(test, i915_gem_object_userptr_submit_init(obj), 0);
	KUNIT_EXPECT_EQ(test, i915_gem_object_userptr_submit_done(obj), 0);
	KUNIT_EXPECT_TRUE(test, i915_pinned());

	call.event = MMU_NOTIFY_UNMAP;
	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &call).seq_set);
	i915_stale(test);
}

/* Paths, interrupted */

/* What execbuf does, until there was no invalidation meanwhile */
static void i915_submit(struct kunit *test)
{
	int tries = 0, ret;

	do {
		ret = i915_gem_object_userptr_submit_init(i915->obj);
		if (!ret)
			ret = i915_gem_object_userptr_submit_done(i915->obj);
	} while (ret == -EAGAIN && tries++ < 3);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_TRUE(test, i915->gpu_mapped);
	KUNIT_EXPECT_TRUE(test, i915_pinned());
}

static void i915_submit_interrupted(struct kunit *test)
{
	struct drivers_call call;

	i915_open(test);
	call = i915_call();
	drivers_path(test, "i915_gem_object_userptr_submit_init", &call);
	i915_submit(test);
	drivers_path_end(test);
}

/* An invalidation was before: the old pages go, and others are pinned. */
static void i915_submit_again_interrupted(struct kunit *test)
{
	struct drivers_call call;

	i915_open_bound(test);
	call = i915_call();
	drivers_blocks(test, &call);
	/* drivers_call() has set it to what the core would not have had. */
	i915->obj->userptr.notifier_seq = ULONG_MAX;
	drivers_path(test, "i915_gem_object_userptr_submit_init, again", &call);
	i915_submit(test);
	drivers_path_end(test);
}

/* The object is closed: the GPU is stopped before its pages are unpinned. */
static void i915_release_interrupted(struct kunit *test)
{
	struct drm_i915_gem_object *obj = i915_open_bound(test);
	struct drivers_call call = i915_call();

	drivers_path(test, "i915_gem_userptr_put_pages", &call);
	dma_resv_lock(obj->base.resv, NULL);
	i915_gem_object_userptr_unbind(obj);
	dma_resv_unlock(obj->base.resv);
	drivers_path_end(test);
	KUNIT_EXPECT_FALSE(test, i915_pinned());
}

static struct kunit_case i915_cases[] = {
	KUNIT_CASE(i915_unbound_succeeds),
	KUNIT_CASE(i915_bound_keeps_pins),
	KUNIT_CASE(i915_bound_blocks),
	KUNIT_CASE(i915_held_succeeds),
	KUNIT_CASE(i915_active_keeps_pins),
	KUNIT_CASE(i915_unmapped_is_not_freed),
	KUNIT_CASE(i915_reaped_in_submit),
	KUNIT_CASE(i915_rehearsed),
	KUNIT_CASE_PARAM(i915_submit_interrupted, drivers_points),
	KUNIT_CASE_PARAM(i915_submit_again_interrupted, drivers_points),
	KUNIT_CASE_PARAM(i915_release_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(i915, i915_cases);
