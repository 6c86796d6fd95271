/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases of this version of the driver alone, see LAB_BASE_CASES */
#include <linux/mman.h>

/* Somebody else is between the two passes: leave it to that. */
static void fault_half_invalidated_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	l->uvma->userptr.finish_inuse = true;
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
	l->uvma->userptr.finish_inuse = false;
	lab_succeeds(l);
}

/* The second pass would have to wait: it is never wanted in non-blocking mode. */
static void fault_has_one_pass(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct mmu_interval_notifier *notifier = &l->uvma->userptr.notifier;
	struct mmu_interval_notifier_finish *finish = NULL;
	struct mmu_notifier_range range = {
		.mm = l->mm, .start = LAB_START, .end = LAB_END, .event = MMU_NOTIFY_CLEAR,
	};

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_FALSE(test, notifier->ops->invalidate_start(notifier, &range, 3, &finish));
	KUNIT_EXPECT_NULL(test, finish);
	lab_unbind(l, true);
	KUNIT_EXPECT_TRUE(test, notifier->ops->invalidate_start(notifier, &range, 3, &finish));
	KUNIT_EXPECT_NULL(test, finish);
	KUNIT_EXPECT_FALSE(test, l->uvma->userptr.finish_inuse);
}

/* All of its pages, which are mapped one by one here */
static void fault_success_unmaps_all(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct drm_gpusvm_pages *pages = &l->uvma->userptr.pages;
	int i, n = (LAB_END - LAB_START) >> PAGE_SHIFT;

	for (i = 0; i < n; i++)
		pages->dma_addr[i] = drm_pagemap_addr_encode((i + 1) << PAGE_SHIFT,
							     DRM_INTERCONNECT_SYSTEM, 0,
							     DMA_BIDIRECTIONAL);
	lab_unbind(l, true);
	lab_succeeds(l);
	KUNIT_EXPECT_EQ(test, lab.unmapped, n);
}

/* All of it is left to the second pass, and the flush times out: as in the first one */
static void fault_late_flush_that_times_out(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct drivers_outcome out;

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	lab.flush_error = -ETIME;
	l->call.hole = "X3";
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	lab_expect_no_second_pass(l);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

static void fault_late_flush_that_is_not_sent(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	lab.send_error = LAB_SEND_ERROR;
	l->call.hole = "X3";
	l->call.splat = "a TLB invalidation of the second pass that could not be sent";
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &l->call).waited);
	lab_expect_no_second_pass(l);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

/*
 * A second caller has nothing to zap, and relies on the TLB invalidation of the first
 * one, which has timed out.
 */
static void fault_flush_of_another_caller_times_out(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct mmu_interval_notifier *notifier = &l->uvma->userptr.notifier;
	struct mmu_interval_notifier_finish *finish = NULL;
	struct mmu_notifier_range range = {
		.mm = l->mm, .start = LAB_START, .end = LAB_END, .event = MMU_NOTIFY_CLEAR,
		.flags = MMU_NOTIFIER_RANGE_BLOCKABLE,
	};

	lab.flush_error = -ETIME;
	lab.fail_at = 1;
	KUNIT_EXPECT_TRUE(test, notifier->ops->invalidate_start(notifier, &range, 3, &finish));
	KUNIT_ASSERT_NOT_NULL(test, finish);
	KUNIT_EXPECT_TRUE(test, l->uvma->userptr.tlb_inval_submitted);
	lab_tlb_answer(&l->uvma->userptr.inval_batch.fence[0]);
	l->call.hole = "X3";
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab.flushes, 1);
	notifier->ops->invalidate_finish(finish);
	KUNIT_EXPECT_FALSE(test, l->uvma->userptr.tlb_inval_submitted);
	KUNIT_EXPECT_FALSE(test, l->uvma->userptr.finish_inuse);
}

/* Without page faults, on two tiles: both are zapped again. */
static void flush_of_one_tile_times_out(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	lab_second_tile(l);
	drivers_blocks(test, &l->call);
	lab.flush_error = -ETIME;
	lab.fail_at = 2;
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), -ETIME);
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, 0);
	lab.flush_error = 0;
	lab.zapped = 0;
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), 0);
	KUNIT_EXPECT_EQ(test, lab.zapped, 2);
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, BIT(0) | BIT(1));
}

/* As a bind does it with CONFIG_DRM_XE_USERPTR_INVAL_INJECT */
static void lab_inject(struct lab_vm *l)
{
	down_write(&l->vm->lock);
	KUNIT_ASSERT_EQ(l->test, xe_vm_lock(l->vm, false), 0);
	down_write(lab_notifier_lock(l->vm));
	lab_force_invalidate(l->uvma);
	up_write(lab_notifier_lock(l->vm));
	xe_vm_unlock(l->vm);
	up_write(&l->vm->lock);
	KUNIT_EXPECT_FALSE(l->test, l->uvma->userptr.tlb_inval_submitted);
	KUNIT_EXPECT_FALSE(l->test, l->uvma->userptr.finish_inuse);
	KUNIT_EXPECT_FALSE(l->test, lab_mapped(&l->uvma->userptr));
}

/* It is bound again, and the next callback finds a bind under way: it has to zap it. */
static void fault_injected_invalidation_ends(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_fault_is_overtaken = false;
	lab_inject(l);
	KUNIT_EXPECT_EQ(test, lab.zapped, 1);
	KUNIT_EXPECT_EQ(test, lab.flushed, 1);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 1);

	lab_map(l);
	lab.pinned_since = drivers_now();
	lab_page_fault(l);
	KUNIT_EXPECT_TRUE(test, lab_valid(l, &l->uvma->vma));
	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &l->call).waited);
	KUNIT_EXPECT_EQ(test, lab.zapped, 2);
	KUNIT_EXPECT_EQ(test, lab.flushed, 2);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

/* The same if there was nothing to be zapped. */
static void fault_injected_before_it_is_bound(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	lab_inject(l);
	KUNIT_EXPECT_EQ(test, lab.zapped, 0);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 1);
}

/* What drm_gpuvm makes of a madvise() for the middle of a VMA */
static struct lab_split {
	struct xe_vma *vma;
	struct drm_gpuva_op_map prev, next;
	struct drm_gpuva_op_unmap unmap;
	struct xe_vma_op remap, map;
	struct drm_gpuva_ops ops;
	int freed;
} lab_split;

struct drm_gpuva_ops *drm_gpuvm_madvise_ops_create(struct drm_gpuvm *gpuvm,
						   const struct drm_gpuvm_map_req *req)
{
	struct lab_split *s = &lab_split;
	struct drm_gpuva *va = &s->vma->gpuva;

	s->prev = (struct drm_gpuva_op_map){
		.va.addr = va->va.addr, .va.range = req->map.va.addr - va->va.addr,
		.gem.offset = va->gem.offset,
	};
	s->next.va.addr = req->map.va.addr + req->map.va.range;
	s->next.va.range = va->va.addr + va->va.range - s->next.va.addr;
	s->next.gem.offset = va->gem.offset + s->next.va.addr - va->va.addr;
	s->unmap.va = va;
	s->remap.base.op = DRM_GPUVA_OP_REMAP;
	s->remap.base.remap.prev = &s->prev;
	s->remap.base.remap.next = &s->next;
	s->remap.base.remap.unmap = &s->unmap;
	s->map.base.op = DRM_GPUVA_OP_MAP;
	s->map.base.map = req->map;
	INIT_LIST_HEAD(&s->ops.list);
	list_add_tail(&s->remap.base.entry, &s->ops.list);
	list_add_tail(&s->map.base.entry, &s->ops.list);
	return &s->ops;
}

void drm_gpuva_ops_free(struct drm_gpuvm *gpuvm, struct drm_gpuva_ops *ops)
{
	lab_split.freed++;
}

/* The VM is the case's. */
void drm_gpuvm_put(struct drm_gpuvm *gpuvm)
{
}

static int lab_madvise(struct lab_vm *l, struct xe_vma *vma)
{
	int err;

	lab_split = (struct lab_split){ .vma = vma };
	kref_init(&l->vm->gpuvm.kref);
	down_write(&l->vm->lock);
	err = xe_vm_alloc_madvise_vma(l->vm, LAB_VA + SZ_16K, SZ_16K);
	up_write(&l->vm->lock);
	KUNIT_EXPECT_EQ(l->test, lab_split.freed, 1);
	return err;
}

/* Without an unbind the PTEs would stay, and no notifier would know of them. */
static void madvise_for_a_part_of_a_userptr_fails(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	/* Whoever goes on has an address space, and does not find the pages. */
	KUNIT_ASSERT_NE(test, kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ,
					    MAP_ANONYMOUS | MAP_PRIVATE, 0), 0);
	lab.gone = true;
	KUNIT_EXPECT_EQ(test, lab_madvise(l, &l->uvma->vma), -EINVAL);
	KUNIT_EXPECT_FALSE(test, l->uvma->vma.gpuva.flags & XE_VMA_DESTROYED);
	KUNIT_EXPECT_TRUE(test, lab_valid(l, &l->uvma->vma));
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab.zapped, 1);
}

/* Memory of which the GPU has what the CPU has is what madvise() is for. */
static void madvise_for_a_part_of_a_mirror(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct xe_vma *vma = kzalloc(sizeof(*vma), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, vma);
	vma->gpuva.vm = &l->vm->gpuvm;
	vma->gpuva.va = l->uvma->vma.gpuva.va;
	vma->gpuva.flags = XE_VMA_SYSTEM_ALLOCATOR;
	INIT_LIST_HEAD(&vma->combined_links.rebind);
	KUNIT_EXPECT_EQ(test, lab_madvise(l, vma), 0);
	KUNIT_EXPECT_NOT_NULL(test, lab_split.map.map.vma);
	kfree(lab_split.remap.remap.prev);
	kfree(lab_split.remap.remap.next);
	kfree(lab_split.map.map.vma);
}

#define LAB_BASE_CASES					\
	KUNIT_CASE(fault_success_unmaps_all),		\
	KUNIT_CASE(fault_flush_of_another_caller_times_out),	\
	KUNIT_CASE(fault_late_flush_that_times_out),	\
	KUNIT_CASE(fault_late_flush_that_is_not_sent),	\
	KUNIT_CASE(flush_of_one_tile_times_out),	\
	KUNIT_CASE(fault_injected_invalidation_ends),	\
	KUNIT_CASE(fault_injected_before_it_is_bound),	\
	KUNIT_CASE(madvise_for_a_part_of_a_userptr_fails),	\
	KUNIT_CASE(madvise_for_a_part_of_a_mirror),	\
	KUNIT_CASE(fault_half_invalidated_refuses),	\
	KUNIT_CASE(fault_has_one_pass),
