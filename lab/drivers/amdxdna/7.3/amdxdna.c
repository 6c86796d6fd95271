// SPDX-License-Identifier: GPL-2.0-only
/*
 * The notifier of amdxdna's buffer objects: drivers/accel/amdxdna/amdxdna_gem.c, and
 * what it waits in, aie2_ctx.c. The NPU is a fence: until it has signaled, a job runs.
 *
 * There is no judge. The driver has the notifier only if the IOMMU walks the page
 * tables of the process (SVA): what is not mapped there any more is out of reach, by
 * the IOMMU's own notifier, which is not in here. Without SVA buffers are pinned.
 */
#include "drivers.h"
#include <linux/dma-fence.h>
#include <linux/mman.h>
#include "points.h"

#include <drivers/accel/amdxdna/amdxdna_gem.c>
#include <drivers/accel/amdxdna/aie2_ctx.c>

#define LAB_PAGES	8

static struct {
	struct amdxdna_dev *xdna;
	struct amdxdna_gem_obj *abo;
	struct amdxdna_umap *mapp;
	struct dma_resv resv;
	struct dma_fence *job;
	unsigned long start, end;
} lab;

static const struct amdxdna_dev_ops lab_ops = { .hmm_invalidate = aie2_hmm_invalidate };
static const struct amdxdna_dev_info lab_info = { .ops = &lab_ops };

static void lab_fini(void *unused)
{
	if (lab.job)
		dma_fence_signal(lab.job);
	dma_resv_fini(&lab.resv);
}

/* With a job that uses the buffer in that way, if not NULL */
static void lab_init_busy(struct kunit *test, const enum dma_resv_usage *usage)
{
	memset(&lab, 0, sizeof(lab));
	lab.xdna = kunit_kzalloc(test, sizeof(*lab.xdna), GFP_KERNEL);
	lab.abo = kunit_kzalloc(test, sizeof(*lab.abo), GFP_KERNEL);
	lab.mapp = kunit_kzalloc(test, sizeof(*lab.mapp), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lab.xdna);
	KUNIT_ASSERT_NOT_NULL(test, lab.abo);
	KUNIT_ASSERT_NOT_NULL(test, lab.mapp);
	lab.start = kunit_vm_mmap(test, NULL, 0, LAB_PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				  MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, lab.start, 0);
	lab.end = lab.start + LAB_PAGES * PAGE_SIZE;
	lab.xdna->dev_info = &lab_info;
	init_rwsem(&lab.xdna->notifier_lock);
	dma_resv_init(&lab.resv);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_fini, NULL), 0);
	to_gobj(lab.abo)->dev = &lab.xdna->ddev;
	to_gobj(lab.abo)->resv = &lab.resv;
	lab.mapp->abo = lab.abo;
	/* Or the end of the mm would have a worker take the notifier away. */
	lab.mapp->unmapped = true;
	if (usage) {
		lab.job = drivers_fence(test);
		dma_resv_lock(&lab.resv, NULL);
		KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(&lab.resv, 1), 0);
		dma_resv_add_fence(&lab.resv, lab.job, *usage);
		dma_resv_unlock(&lab.resv);
	}
}

/* As the driver has its jobs, which write */
static void lab_init(struct kunit *test, bool busy)
{
	const enum dma_resv_usage usage = DMA_RESV_USAGE_WRITE;

	lab_init_busy(test, busy ? &usage : NULL);
}

static void lab_let_go(void *unused)
{
	if (lab.job)
		dma_fence_signal(lab.job);
}

static struct drivers_call lab_call(struct kunit *test, enum drivers_state state)
{
	return (struct drivers_call) {
		.callback = "amdxdna_hmm_invalidate", .state = state,
		.interval = &lab.mapp->notifier, .interval_ops = &amdxdna_hmm_ops,
		.mm = drivers_mm(test), .start = lab.start, .end = lab.end,
		.event = MMU_NOTIFY_CLEAR, .event_set = true,
		.let_go = lab_let_go, .alive = true,
	};
}

static void amdxdna_busy_refuses(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, true);
	call = lab_call(test, DRIVERS_BUSY);
	drivers_refuses(test, &call);
}

static void amdxdna_idle_refuses(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, false);
	call = lab_call(test, DRIVERS_IDLE);
	call.reason = "its buffers are shared or PFN mappings, which are not reaped";
	drivers_refuses(test, &call);
}

static void amdxdna_idle_blocks(struct kunit *test)
{
	struct drivers_call call;
	struct drivers_outcome out;

	lab_init(test, false);
	call = lab_call(test, DRIVERS_BLOCKING);
	out = drivers_blocks(test, &call);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_TRUE(test, lab.abo->mem.map_invalid);
	KUNIT_EXPECT_TRUE(test, lab.mapp->invalid);
}

static void amdxdna_busy_blocks(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, true);
	call = lab_call(test, DRIVERS_BLOCKING);
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &call).waited);
}

/* It waits for whoever uses the buffer, and be it in the least demanding way. */
static void amdxdna_busy_blocks_bookkeep(struct kunit *test)
{
	const enum dma_resv_usage usage = DMA_RESV_USAGE_BOOKKEEP;
	struct drivers_call call;

	lab_init_busy(test, &usage);
	call = lab_call(test, DRIVERS_BLOCKING);
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &call).waited);
}

/* AX1 of docs/drivers.md: the job goes on, and faults. */
static void amdxdna_signal_ends_the_wait(struct kunit *test)
{
	struct drivers_call call;
	struct drivers_outcome out;

	lab_init(test, true);
	call = lab_call(test, DRIVERS_BLOCKING);
	call.alive = false;
	call.hole = "AX1";
	out = drivers_blocks(test, &call);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(lab.job));
	KUNIT_EXPECT_TRUE(test, lab.abo->mem.map_invalid);
}

static void amdxdna_rehearsed(struct kunit *test)
{
	struct drivers_call call;

	lab_init(test, true);
	call = lab_call(test, DRIVERS_BLOCKING);
	call.mm = current->mm;
	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &call).waited);
}

static struct kunit_case amdxdna_cases[] = {
	KUNIT_CASE(amdxdna_busy_refuses),
	KUNIT_CASE(amdxdna_idle_refuses),
	KUNIT_CASE(amdxdna_idle_blocks),
	KUNIT_CASE(amdxdna_busy_blocks),
	KUNIT_CASE(amdxdna_busy_blocks_bookkeep),
	KUNIT_CASE(amdxdna_signal_ends_the_wait),
	KUNIT_CASE(amdxdna_rehearsed),
	{}
};

DRIVERS_SUITE(amdxdna, amdxdna_cases);
