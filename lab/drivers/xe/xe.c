// SPDX-License-Identifier: GPL-2.0-only
/*
 * xe's userptr notifier, with what repins (the rebind worker, and
 * xe_vm_userptr_pin() for exec), the preempt fences, what binds and unbinds commit,
 * the page fault handler, and what is zapped when a BO is moved. sources.h says in
 * which files this version has them.
 */
#include "drivers.h"
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/mmu_notifier.h>
#include <linux/oom.h>
#include "points.h"

#include "sources.h"

#define LAB_START	0x10000UL
#define LAB_END		0x20000UL
#define LAB_VA		0x100000UL

/*
 * What the GPU can reach by a tile: since when the process has had the pages in there,
 * see drivers.h
 */
struct lab_tile {
	bool pte, tlb;
	unsigned long pte_since, tlb_since;
};

/* What the GPU was told to do */
static struct {
	struct kunit *test;
	struct xe_vm *vm;
	int unmapped;		/* DMA mappings that were removed */
	int unmapped_live;	/* while PTEs were there and something may run */
	int zapped;		/* PTEs */
	int zapped_busy;	/* before the fences of the VM were signaled */
	int flushed;		/* TLBs */
	int flush_error;	/* of the fence: it timed out */
	int send_error;		/* nothing was flushed */
	int next_error;		/* in place of it in all behind the first one, if not 0 */
	int fail_at;		/* only the n-th one of these fails, if not 0 */
	int flushes;		/* that were wanted */
	union {
		struct {
			bool pte, tlb;
			unsigned long pte_since, tlb_since;
		};
		struct lab_tile first;
	};
	/* the second one, in cases that say so */
	struct lab_tile other;
	/* since when it has had those that were pinned last */
	unsigned long pinned_since;
	/* A call in a path has succeeded. */
	bool invalidated;
	/* Fences are signaled, and something runs all the same. */
	bool runaway;
	int suspended, resumed;	/* the queue */
	int suspend_result;
	int reset_status;	/* the queue was killed or reset */
	bool gone;		/* the process has nothing mapped there */
	struct xe_vma *evicted;	/* zapped by who had the reservation of its BO before */
	int waited;		/* for the unbind, with the queue suspended */
} lab;

/* Either of two that has page tables of its own */
static struct lab_tile *lab_tile_of(struct xe_ptw *root)
{
	struct xe_pt *other = lab.vm->pt_root[1];

	return other && root == &other->base ? &lab.other : &lab.first;
}

static bool lab_idle(void)
{
	return dma_resv_test_signaled(xe_vm_resv(lab.vm), DMA_RESV_USAGE_BOOKKEEP);
}

/* The page table: its walk finds something to zap. */
int xe_pt_walk_shared(struct xe_ptw *parent, unsigned int level,
		      u64 addr, u64 end, struct xe_pt_walk *walk)
{
	container_of(walk, struct xe_pt_zap_ptes_walk, base)->needs_invalidate = true;
	drivers_point();
	lab.zapped++;
	lab_tile_of(parent)->pte = false;
	if (!lab_idle())
		lab.zapped_busy++;
	return 0;
}

void xe_device_wmb(struct xe_device *xe)
{
}

static const char *lab_fence_name(struct dma_fence *fence)
{
	return "lab";
}

static const struct dma_fence_ops lab_fence_ops = {
	.get_driver_name = lab_fence_name,
	.get_timeline_name = lab_fence_name,
};

/* A VM with one userptr, which is pinned and bound */
struct lab_vm {
	struct kunit *test;
	struct mm_struct *mm;
	struct xe_device *xe;
	struct xe_gt gt, media;
	struct drm_gem_object obj;
	struct xe_pt root, other_root;
	struct xe_vm *vm;
	struct xe_userptr_vma *uvma;
	struct xe_exec_queue queue;
	void *held;		/* by the test: the notifier lock or a mutex */
	/* In front of the rebind worker, see lab_hold_worker() */
	struct work_struct gate;
	struct completion opened;
	struct drivers_call call;
};

#include "fakes.h"

/* A bind has written PTEs, and the GPU has used them. */
static void lab_bound(void)
{
	lab.pte = true;
	lab.pte_since = lab.pinned_since;
	if (!lab.tlb) {
		lab.tlb = true;
		lab.tlb_since = lab.pte_since;
	}
}

/* The queue of a compute VM has something to run all the time, one for binds has not. */
bool xe_exec_queue_is_idle(struct xe_exec_queue *q)
{
	return q->flags & EXEC_QUEUE_FLAG_KERNEL;
}

/* No update of the page table is under way. */
struct xe_range_fence *xe_range_fence_tree_first(struct xe_range_fence_tree *tree,
						 u64 start, u64 last)
{
	return NULL;
}

static int lab_suspend(struct xe_exec_queue *q)
{
	lab.suspended++;
	if (lab.suspend_result) {
		drivers_failure("the queue could not be suspended");
		lab.runaway = true;
	}
	return lab.suspend_result;
}

static int lab_suspend_wait(struct xe_exec_queue *q)
{
	return 0;
}

static void lab_resume(struct xe_exec_queue *q)
{
	lab.resumed++;
}

static bool lab_reset_status(struct xe_exec_queue *q)
{
	return lab.reset_status;
}

/* Because the rebind worker failed: lab_expect_zapped() finds the VM banned. */
static void lab_kill(struct xe_exec_queue *q)
{
	lab.reset_status = 1;
}

static const struct xe_exec_queue_ops lab_queue_ops = {
	.kill = lab_kill,
	.suspend = lab_suspend,
	.suspend_wait = lab_suspend_wait,
	.resume = lab_resume,
	.reset_status = lab_reset_status,
};

/* drm_gpuvm, for a VM without external BOs */
int drm_gpuvm_prepare_vm(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
			 unsigned int num_fences)
{
	return num_fences ? drm_exec_prepare_obj(exec, gpuvm->r_obj, num_fences) :
		drm_exec_lock_obj(exec, gpuvm->r_obj);
}

int drm_gpuvm_prepare_objects(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
			      unsigned int num_fences)
{
	return 0;
}

int drm_gpuvm_validate(struct drm_gpuvm *gpuvm, struct drm_exec *exec)
{
	return 0;
}

void drm_gpuvm_resv_add_fence(struct drm_gpuvm *gpuvm, struct drm_exec *exec,
			      struct dma_fence *fence,
			      enum dma_resv_usage private_usage,
			      enum dma_resv_usage extobj_usage)
{
	dma_resv_add_fence(drm_gpuvm_resv(gpuvm), fence, private_usage);
}

int drm_gpuvm_exec_lock(struct drm_gpuvm_exec *vm_exec)
{
	struct drm_exec *exec = &vm_exec->exec;
	int err = 0;

	drm_exec_init(exec, vm_exec->flags, 0);
	drm_exec_until_all_locked(exec) {
		err = drm_gpuvm_prepare_vm(vm_exec->vm, exec, vm_exec->num_fences);
		drm_exec_retry_on_contention(exec);
	}
	KUNIT_EXPECT_EQ(lab.test, err, 0);
	return err;
}

int drm_gpuva_insert(struct drm_gpuvm *gpuvm, struct drm_gpuva *va)
{
	return 0;
}

void drm_gpuva_remove(struct drm_gpuva *va)
{
}

int xe_bo_lock(struct xe_bo *bo, bool intr)
{
	/* Nobody looks at its result. */
	KUNIT_EXPECT_FALSE(lab.test, intr);
	if (lab.evicted)
		lab.evicted->tile_invalidated = lab.evicted->tile_mask;
	return dma_resv_lock(bo->ttm.base.resv, NULL);
}

void xe_bo_unlock(struct xe_bo *bo)
{
	dma_resv_unlock(bo->ttm.base.resv);
}

void drm_gem_object_free(struct kref *kref)
{
}

void ttm_lru_bulk_move_tail(struct ttm_lru_bulk_move *bulk)
{
}

static void lab_destroy_wq(void *wq)
{
	destroy_workqueue(wq);
}

static struct workqueue_struct *lab_wq(struct kunit *test)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("lab", 0);

	KUNIT_ASSERT_NOT_NULL(test, wq);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_destroy_wq, wq), 0);
	return wq;
}

static void lab_fini_resv(void *resv)
{
	dma_resv_fini(resv);
}

static void lab_remove(void *notifier)
{
	mmu_interval_notifier_remove(notifier);
}

/*
 * With page faults the GPU uses whatever is mapped, at any time. Without, it does
 * while anything runs.
 */
static bool lab_reaches(const struct lab_tile *tile, unsigned long addr)
{
	return (tile->pte && drivers_given_up(addr, tile->pte_since)) ||
	       (tile->tlb && drivers_given_up(addr, tile->tlb_since));
}

static int lab_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	struct lab_vm *l = arg;
	unsigned long addr;
	int n = 0;

	if (!xe_vm_in_fault_mode(l->vm) && lab_idle() && !lab.runaway)
		return 0;
	for (addr = max(start, LAB_START); addr < min(end, LAB_END); addr += PAGE_SIZE)
		n += lab_reaches(&lab.first, addr) || lab_reaches(&lab.other, addr);
	return n;
}

/* The lock order of the driver: locks that are only tried don't show it. */
static void lab_lock_order(struct lab_vm *l)
{
	down_write(&l->vm->lock);
	mmap_read_lock(l->mm);
	mmap_read_unlock(l->mm);
	xe_vm_lock(l->vm, false);
	down_read(lab_notifier_lock(l->vm));
	lab_lock_unmap(l);
	spin_lock(&l->vm->userptr.invalidated_lock);
	spin_unlock(&l->vm->userptr.invalidated_lock);
	up_read(lab_notifier_lock(l->vm));
	xe_vm_unlock(l->vm);
	up_write(&l->vm->lock);
}

static struct lab_vm *lab_vm(struct kunit *test, unsigned long flags)
{
	struct lab_vm *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct xe_userptr *userptr;
	struct xe_tile *tile;
	struct xe_vma *vma;
	struct xe_vm *vm;

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->test = test;
	l->mm = drivers_mm(test);

	l->xe = kunit_kzalloc(test, sizeof(*l->xe), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l->xe);
	l->xe->info.tile_count = 1;
	l->xe->ordered_wq = lab_wq(test);
	l->xe->preempt_fence_wq = lab_wq(test);
	spin_lock_init(&l->xe->ttm.lru_lock);
	tile = &l->xe->tiles[0];
	tile->xe = l->xe;
	tile->primary_gt = &l->gt;
	l->gt.tile = tile;
	lab_init_device(l);

	vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, vm);
	l->vm = vm;
	vm->xe = l->xe;
	vm->flags = flags;
	vm->size = SZ_1G;
	init_rwsem(&vm->lock);
	mutex_init(&vm->snap_mutex);
	init_rwsem(lab_notifier_lock(vm));
	spin_lock_init(&vm->userptr.invalidated_lock);
	INIT_LIST_HEAD(&vm->rebind_list);
	INIT_LIST_HEAD(&vm->userptr.repin_list);
	INIT_LIST_HEAD(&vm->userptr.invalidated);
	INIT_LIST_HEAD(&vm->preempt.exec_queues);
	INIT_LIST_HEAD(&vm->gpuvm.evict.list);
	INIT_LIST_HEAD(&vm->gpuvm.extobj.list);
	INIT_WORK(&vm->preempt.rebind_work, preempt_rebind_work_func);
	vm->pt_root[0] = &l->root;
	kref_init(&l->obj.refcount);
	l->obj.resv = &l->obj._resv;
	dma_resv_init(l->obj.resv);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_fini_resv,
							l->obj.resv), 0);
	vm->gpuvm.r_obj = &l->obj;

	l->uvma = kunit_kzalloc(test, sizeof(*l->uvma), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l->uvma);
	vma = &l->uvma->vma;
	vma->gpuva.vm = &vm->gpuvm;
	vma->gpuva.va.addr = LAB_VA;
	vma->gpuva.va.range = LAB_END - LAB_START;
	vma->gpuva.gem.offset = LAB_START;
	INIT_LIST_HEAD(&vma->combined_links.rebind);
	vma->tile_mask = BIT(0);
	vma->tile_present = BIT(0);
	userptr = &l->uvma->userptr;
	INIT_LIST_HEAD(&userptr->invalidate_link);
	INIT_LIST_HEAD(&userptr->repin_link);
	userptr->initial_bind = true;
	lab_init_userptr(l);
	KUNIT_ASSERT_EQ(test,
			mmu_interval_notifier_insert(&userptr->notifier, l->mm, LAB_START,
						     LAB_END - LAB_START,
						     &vma_userptr_notifier_ops), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_remove,
							&userptr->notifier), 0);
	/* drivers_call() starts from this one. */
	userptr->notifier.invalidate_seq = 1;
	lab_seq(userptr) = 1;
	/* Set before the OOM reaper calls anybody */
	drivers_mm_set(MMF_UNSTABLE, l->mm);

	memset(&lab, 0, sizeof(lab));
	lab.test = test;
	lab.vm = vm;
	lab_bound();
	l->call = (struct drivers_call) {
		.callback = LAB_CALLBACK,
		.interval = &userptr->notifier,
		.mm = l->mm, .start = LAB_START, .end = LAB_END,
	};
	lab_lock_order(l);
	drivers_judge(test, LAB_CALLBACK, lab_reach_given_up, l);
	return l;
}

/* For graphics: jobs have fences, and exec repins. */
static struct lab_vm *lab_gfx(struct kunit *test)
{
	return lab_vm(test, 0);
}

/* With page faults */
static struct lab_vm *lab_fault(struct kunit *test)
{
	return lab_vm(test, XE_VM_FLAG_LR_MODE | XE_VM_FLAG_FAULT_MODE);
}

struct lab_fence {
	struct dma_fence base;
	spinlock_t lock;	/* of @base */
};

KUNIT_DEFINE_ACTION_WRAPPER(lab_put_fence, dma_fence_put, struct dma_fence *);

static void lab_signal(void *fence)
{
	dma_fence_signal(fence);
}

static void lab_add_fence(struct lab_vm *l, struct dma_fence *fence,
			  enum dma_resv_usage usage)
{
	KUNIT_ASSERT_EQ(l->test, xe_vm_lock(l->vm, false), 0);
	KUNIT_ASSERT_EQ(l->test, dma_resv_reserve_fences(xe_vm_resv(l->vm), 1), 0);
	dma_resv_add_fence(xe_vm_resv(l->vm), fence, usage);
	xe_vm_unlock(l->vm);
}

static struct dma_fence *lab_add_job(struct lab_vm *l, enum dma_resv_usage usage,
				     const struct dma_fence_ops *ops)
{
	struct lab_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(l->test, fence);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, ops, &fence->lock, dma_fence_context_alloc(1), 1);
	KUNIT_ASSERT_EQ(l->test, kunit_add_action_or_reset(l->test, lab_put_fence,
							   &fence->base), 0);
	lab_add_fence(l, &fence->base, usage);
	l->call.let_go = lab_signal;
	l->call.arg = &fence->base;
	return &fence->base;
}

/* A job, a bind or an unbind */
static struct dma_fence *lab_job(struct lab_vm *l, enum dma_resv_usage usage)
{
	return lab_add_job(l, usage, &lab_fence_ops);
}

static void lab_gate(struct work_struct *work)
{
	wait_for_completion(&container_of(work, struct lab_vm, gate)->opened);
}

/*
 * The rebind worker waits for invalidations when it reads the sequence; those of
 * drivers_call() are not known to the core, so it has to wait until they are through.
 */
static void lab_hold_worker(struct lab_vm *l)
{
	reinit_completion(&l->opened);
	queue_work(l->xe->ordered_wq, &l->gate);
}

/* Ends as if the queue was removed: its fence is signaled, and nothing runs. */
static void lab_stop(void *data)
{
	struct lab_vm *l = data;
	struct xe_exec_queue *q = &l->queue;

	l->vm->flags |= XE_VM_FLAG_BANNED;
	complete_all(&l->opened);
	flush_work(&l->vm->preempt.rebind_work);
	if (q->lr.pfence) {
		lab_enable_signaling(q->lr.pfence);
		dma_fence_put(q->lr.pfence);
		q->lr.pfence = NULL;
	}
	flush_workqueue(l->xe->preempt_fence_wq);
	flush_workqueue(l->xe->ordered_wq);
}

/* For compute, and no queue is there yet */
static struct lab_vm *lab_compute_vm(struct kunit *test)
{
	struct lab_vm *l = lab_vm(test, XE_VM_FLAG_LR_MODE);
	struct xe_exec_queue *q = &l->queue;

	kref_init(&q->refcount);
	q->vm = l->vm;
	q->ops = &lab_queue_ops;
	q->lr.context = dma_fence_context_alloc(1);
	INIT_LIST_HEAD(&q->lr.link);
	init_completion(&l->opened);
	INIT_WORK(&l->gate, lab_gate);
	lab_hold_worker(l);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_stop, l), 0);
	return l;
}

/* With a queue that runs until its preempt fence is to be signaled */
static struct lab_vm *lab_compute(struct kunit *test)
{
	struct lab_vm *l = lab_compute_vm(test);
	struct xe_exec_queue *q = &l->queue;

	list_add(&q->lr.link, &l->vm->preempt.exec_queues);
	l->vm->preempt.num_exec_queues = 1;
	q->lr.pfence = xe_preempt_fence_create(q, q->lr.context, ++q->lr.seqno);
	KUNIT_ASSERT_FALSE(test, IS_ERR(q->lr.pfence));
	lab_add_fence(l, q->lr.pfence, DMA_RESV_USAGE_BOOKKEEP);
	return l;
}

/* What is left to do for the fences and the rebind worker */
static void lab_settle(struct lab_vm *l)
{
	int i;

	complete_all(&l->opened);
	/* Each may queue the other. */
	for (i = 0; i < 3; i++) {
		flush_workqueue(l->xe->preempt_fence_wq);
		flush_workqueue(l->xe->ordered_wq);
	}
	lab_hold_worker(l);
}

/* What exec does before it adds its job */
static int lab_exec_pin(struct lab_vm *l)
{
	int err;

	if (!xe_vm_userptr_check_repin(l->vm))
		return 0;
	down_write(&l->vm->lock);
	err = xe_vm_userptr_pin(l->vm);
	up_write(&l->vm->lock);
	return err;
}

static bool lab_listed(struct lab_vm *l)
{
	return !list_empty(&l->uvma->userptr.invalidate_link);
}

/* As before the call: mapped, and a bind or a fault finds nothing wrong. */
static void lab_expect_untouched(struct lab_vm *l)
{
	KUNIT_EXPECT_EQ(l->test, lab.unmapped, 0);
	KUNIT_EXPECT_EQ(l->test, lab.zapped, 0);
	KUNIT_EXPECT_TRUE(l->test, lab_mapped(&l->uvma->userptr));
	KUNIT_EXPECT_FALSE(l->test, lab_listed(l));
	KUNIT_EXPECT_EQ(l->test, l->uvma->userptr.notifier.invalidate_seq, 1);
}

/* The next exec repins it, and it is not mapped until then. */
static void lab_expect_invalidated(struct lab_vm *l)
{
	KUNIT_EXPECT_EQ(l->test, lab.unmapped, 1);
	KUNIT_EXPECT_EQ(l->test, lab.unmapped_live, 0);
	KUNIT_EXPECT_FALSE(l->test, lab_mapped(&l->uvma->userptr));
	KUNIT_EXPECT_TRUE(l->test, lab_listed(l));
	KUNIT_EXPECT_NE(l->test, xe_vma_userptr_check_repin(l->uvma), 0);
}

/* Off the GPU for good: when nothing ran, and not mapped any more after that */
static void lab_expect_zapped(struct lab_vm *l)
{
	KUNIT_EXPECT_EQ(l->test, lab.zapped, 1);
	KUNIT_EXPECT_EQ(l->test, lab.zapped_busy, 0);
	KUNIT_EXPECT_EQ(l->test, lab.flushed, 1);
	KUNIT_EXPECT_EQ(l->test, lab.unmapped, 1);
	KUNIT_EXPECT_EQ(l->test, lab.unmapped_live, 0);
	KUNIT_EXPECT_FALSE(l->test, lab_mapped(&l->uvma->userptr));
	KUNIT_EXPECT_FALSE(l->test, lab_listed(l));
	KUNIT_EXPECT_TRUE(l->test, list_empty(&l->uvma->userptr.repin_link));
	KUNIT_EXPECT_TRUE(l->test, list_empty(&l->uvma->vma.combined_links.rebind));
	KUNIT_EXPECT_FALSE(l->test, l->vm->flags & XE_VM_FLAG_BANNED);
}

static void lab_refuses(struct lab_vm *l, enum drivers_state state)
{
	l->call.state = state;
	drivers_refuses(l->test, &l->call);
}

static void lab_succeeds(struct lab_vm *l)
{
	l->call.state = DRIVERS_IDLE;
	drivers_succeeds(l->test, &l->call, true);
}

#define LAB_SIGNALED "signaled fences don't prove that the GPU is idle"

/* Never bound. Until it has been mapped there is nothing to bind, either. */
static void lab_unbind(struct lab_vm *l, bool mapped)
{
	l->uvma->vma.tile_present = 0;
	lab.pte = false;
	lab.tlb = false;
	l->uvma->userptr.initial_bind = false;
	lab_mapped(&l->uvma->userptr) = mapped;
}

/* A lock that is held until the call is over, or is found to wait for it */
static void lab_let_go(void *data)
{
	struct lab_vm *l = data;

	if (l->held == lab_notifier_lock(l->vm))
		up_read(l->held);
	else if (l->held)
		mutex_unlock(l->held);
	l->held = NULL;
}

static void lab_held_refuses(struct lab_vm *l, void *lock)
{
	l->held = lock;
	if (lock == lab_notifier_lock(l->vm))
		down_read(lock);
	else
		mutex_lock(lock);
	l->call.let_go = lab_let_go;
	l->call.arg = l;
	lab_refuses(l, DRIVERS_HELD);
	lab_let_go(l);
}

/* Graphics */

static void gfx_held_lock_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	lab_held_refuses(l, lab_notifier_lock(l->vm));
	lab_expect_untouched(l);
}

static void gfx_busy_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
}

/* Whether it is, nobody knows for sure. */
static void gfx_idle_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	l->call.reason = LAB_SIGNALED;
	lab_refuses(l, DRIVERS_IDLE);
	dma_fence_signal(lab_job(l, DMA_RESV_USAGE_BOOKKEEP));
	lab_refuses(l, DRIVERS_IDLE);
	lab_expect_untouched(l);
}

/* A job was cancelled by a reset: it may be running still. */
static void gfx_cancelled_job_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);
	struct dma_fence *job = lab_job(l, DMA_RESV_USAGE_BOOKKEEP);

	dma_fence_set_error(job, -ECANCELED);
	dma_fence_signal(job);
	lab.runaway = true;
	drivers_failure("job cancelled by a reset");
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
}

/* Jobs that hang have their fences signaled, and go on. */
static void gfx_wedged_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	dma_fence_signal(lab_job(l, DMA_RESV_USAGE_BOOKKEEP));
	atomic_set(&l->xe->wedged.flag, 1);
	lab.runaway = true;
	drivers_failure("device wedged");
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
}

static void gfx_unplugged_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	dma_fence_signal(lab_job(l, DMA_RESV_USAGE_BOOKKEEP));
	l->xe->drm.unplugged = true;
	lab.runaway = true;
	drivers_failure("device unplugged");
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
}

/* The bind ioctl has the pages: it commits them, whatever the sequence is. */
static void gfx_populated_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	lab_unbind(l, true);
	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
	dma_fence_signal(l->call.arg);
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
}

/* Binds and unbinds that others wait for */
static void gfx_pending_bind_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	lab_job(l, DMA_RESV_USAGE_KERNEL);
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
}

static void gfx_destroyed_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	l->uvma->vma.gpuva.flags |= XE_VMA_DESTROYED;
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 1);
	KUNIT_EXPECT_FALSE(test, lab_listed(l));
}

static void gfx_blocking_idle(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);
	struct drivers_outcome out = drivers_blocks(test, &l->call);

	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_invalidated(l);
}

static void gfx_blocking_waits(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);
	struct drivers_outcome out;

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_invalidated(l);
}

/* Somebody binds; that the process is being killed does not end the wait. */
static void gfx_blocking_waits_for_the_lock(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);
	struct drivers_outcome out;

	l->held = lab_notifier_lock(l->vm);
	down_read(l->held);
	l->call.let_go = lab_let_go;
	l->call.arg = l;
	out = drivers_blocks(test, &l->call);
	lab_let_go(l);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_invalidated(l);
}

/* The process exits after the reaper was refused. */
static void gfx_blocking_after_a_refusal(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);
	struct drivers_outcome out;

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	lab_refuses(l, DRIVERS_BUSY);
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_invalidated(l);
}

/* Page faults */

static void fault_bound_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	l->call.reason = "its PTEs and TLBs can't be invalidated without waiting";
	lab_refuses(l, DRIVERS_IDLE);
	lab_expect_untouched(l);
}

/* That it was zapped says little: the invalidation of the TLB may have failed. */
static void fault_zapped_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	drivers_blocks(test, &l->call);
	lab_expect_zapped(l);
	l->call.reason = "its PTEs and TLBs can't be invalidated without waiting";
	lab_refuses(l, DRIVERS_IDLE);
}

/* The unbind is committed: it is not present any more, the job may run still. */
static void fault_unbound_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	l->uvma->vma.tile_present = 0;
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
	/* The entries are cleared, and the TLB is not flushed */
	lab.pte = false;
	lab_refuses(l, DRIVERS_BUSY);
}

static void fault_bound_and_wedged_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	l->xe->drm.unplugged = true;
	atomic_set(&l->xe->wedged.flag, 1);
	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
}

static void fault_held_lock_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	lab_held_refuses(l, lab_notifier_lock(l->vm));
	lab_expect_untouched(l);
}

static void fault_never_bound_succeeds(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	lab_succeeds(l);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 1);
	KUNIT_EXPECT_FALSE(test, lab_mapped(&l->uvma->userptr));
	/* The list is for VMs without page faults. */
	KUNIT_EXPECT_FALSE(test, lab_listed(l));
	KUNIT_EXPECT_NE(test, xe_vma_userptr_check_repin(l->uvma), 0);
	/* Nothing to do the next time */
	lab_succeeds(l);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 1);
}

/* That it is complete is not said of one that was refused. */
static void fault_refusal_is_not_traced(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_completed = 0;
	lab_refuses(l, DRIVERS_BUSY);
	KUNIT_EXPECT_EQ(test, lab_completed, 0);
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab_completed, 1);
	lab_unbind(l, true);
	lab_succeeds(l);
	KUNIT_EXPECT_EQ(test, lab_completed, 2);
}

/* Success while a page fault is on its way: what it has must not be bound. */
static void fault_success_is_noticed(struct kunit *test)
{
	struct xe_vm_pgtable_update_ops update = {};
	struct lab_vm *l = lab_fault(test);
	struct xe_vma_op op = {
		.base.op = DRM_GPUVA_OP_MAP,
		.map.vma = &l->uvma->vma,
		.map.immediate = true,
	};

	lab_unbind(l, true);
	down_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_EQ(test, lab_check_userptr(l->vm, &op, &update), 0);
	up_read(lab_notifier_lock(l->vm));
	lab_succeeds(l);
	down_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_EQ(test, lab_check_userptr(l->vm, &op, &update), -EAGAIN);
	up_read(lab_notifier_lock(l->vm));
}

static void fault_blocking(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct drivers_outcome out;

	lab_refuses(l, DRIVERS_BUSY);
	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_zapped(l);
}

/* Compute */

static void compute_running_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_compute(test);

	lab_refuses(l, DRIVERS_BUSY);
	lab_settle(l);
	/* Neither did it stop the queue. */
	KUNIT_EXPECT_EQ(test, lab.suspended, 0);
	lab_expect_untouched(l);
	lab_refuses(l, DRIVERS_BUSY);
}

/* The queue was killed: its fence is signaled, and it may run for a while. */
static void compute_killed_queue_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_compute(test);

	lab.suspend_result = -EINVAL;
	lab.reset_status = 1;
	l->vm->flags |= XE_VM_FLAG_BANNED;
	lab_enable_signaling(l->queue.lr.pfence);
	lab_settle(l);
	KUNIT_ASSERT_TRUE(test, lab_idle());

	lab_refuses(l, DRIVERS_BUSY);
	lab_expect_untouched(l);
}

/* The queue does not stop, and the TLB invalidation times out: it runs on. */
static void compute_flush_timed_out_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_compute(test);

	lab.flush_error = -ETIME;
	lab_refuses(l, DRIVERS_BUSY);
	lab_settle(l);
	lab.runaway = true;
	lab_refuses(l, DRIVERS_BUSY);
	l->call.hole = "X4";
	drivers_blocks(test, &l->call);
	lab_settle(l);
	KUNIT_EXPECT_GE(test, lab.zapped, 1);
	KUNIT_EXPECT_EQ(test, lab.flushed, 0);
	lab_refuses(l, DRIVERS_BUSY);
}

/* Pages that a bind ioctl has are committed, whatever the sequence is. */
static void compute_never_bound_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_compute(test);

	lab_unbind(l, true);
	lab_refuses(l, DRIVERS_BUSY);
	lab_settle(l);
	KUNIT_EXPECT_EQ(test, lab.suspended, 0);
	lab_expect_untouched(l);
}

static void compute_held_lock_refuses(struct kunit *test)
{
	struct lab_vm *l = lab_compute(test);

	lab_held_refuses(l, lab_notifier_lock(l->vm));
	lab_expect_untouched(l);
}

/* munmap(): the worker would repin it, which fails here, too. */
static void compute_blocking(struct kunit *test)
{
	struct lab_vm *l = lab_compute(test);
	struct drivers_outcome out;

	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_EQ(test, lab.suspended, 1);
	KUNIT_EXPECT_EQ(test, lab.unmapped, 1);
	KUNIT_EXPECT_EQ(test, lab.unmapped_live, 0);
	lab_settle(l);
	lab_expect_zapped(l);
	KUNIT_EXPECT_EQ(test, lab.resumed, 1);
}

static void compute_blocking_after_a_refusal(struct kunit *test)
{
	struct lab_vm *l = lab_compute(test);

	lab_refuses(l, DRIVERS_BUSY);
	drivers_blocks(test, &l->call);
	lab_settle(l);
	lab_expect_zapped(l);
}

/* By a process that lives */

static void gfx_rehearsed(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);
	struct drivers_outcome out;

	drivers_mm_clear(MMF_UNSTABLE, l->mm);
	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	out = drivers_rehearses(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_invalidated(l);

	/* Idle, and nothing of it is mapped any more */
	out = drivers_rehearses(test, &l->call);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_invalidated(l);
}

static void fault_rehearsed(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	drivers_mm_clear(MMF_UNSTABLE, l->mm);
	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &l->call).waited);
	lab_expect_zapped(l);
}

/* The blocking call stops the queue, and the rebind worker finds nothing to repin. */
static void compute_rehearsed(struct kunit *test)
{
	struct lab_vm *l = lab_compute(test);

	lab.gone = true;
	drivers_mm_clear(MMF_UNSTABLE, l->mm);
	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &l->call).seq_set);
	KUNIT_EXPECT_EQ(test, lab.unmapped_live, 0);
	lab_settle(l);
	KUNIT_EXPECT_EQ(test, lab.suspended, 1);
	KUNIT_EXPECT_EQ(test, lab.resumed, 1);
	lab_expect_zapped(l);
}

/* What binds and unbinds leave behind */

/* Zapped once, bound again, and zapped: it is not there the second time, too. */
static void rebound_is_zapped_again(struct kunit *test)
{
	struct xe_vm_pgtable_update_ops update = {};
	struct lab_vm *l = lab_gfx(test);
	struct xe_vma *vma = &l->uvma->vma;

	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), 0);
	KUNIT_EXPECT_EQ(test, lab.zapped, 1);

	lab.pinned_since = drivers_now();
	down_read(lab_notifier_lock(l->vm));
	lab_bound();
	lab_bind_commit(l->vm, &l->xe->tiles[0], &update, vma, NULL, NULL);
	up_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_TRUE(test, l->uvma->userptr.initial_bind);
	KUNIT_EXPECT_EQ(test, vma->tile_present, BIT(0));
	KUNIT_EXPECT_EQ(test, vma->tile_invalidated, 0);
	lab_map(l);

	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	lab_refuses(l, DRIVERS_BUSY);
	dma_fence_signal(l->call.arg);
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), 0);
	KUNIT_EXPECT_EQ(test, lab.zapped, 2);
	KUNIT_EXPECT_EQ(test, lab.flushed, 2);
}

/* The page fault handler waits for its bind; meanwhile there is an invalidation. */
static struct lab_vm *lab_faulting;
static bool lab_fault_is_overtaken;

static signed long lab_bind_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	struct lab_vm *l = lab_faulting;

	dma_fence_signal(fence);
	if (lab_fault_is_overtaken)
		drivers_blocks(l->test, &l->call);
	return timeout;
}

static const struct dma_fence_ops lab_bind_ops = {
	.get_driver_name = lab_fence_name,
	.get_timeline_name = lab_fence_name,
	.wait = lab_bind_wait,
};

static struct dma_fence *lab_rebind(struct xe_vm *vm, struct xe_vma *vma, u8 tile_mask)
{
	struct lab_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	struct xe_vm_pgtable_update_ops update = {};
	struct xe_vma_op op = {
		.base.op = DRM_GPUVA_OP_MAP,
		.map.vma = vma,
		.map.immediate = true,
	};
	int err;

	if (!fence)
		return ERR_PTR(-ENOMEM);
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &lab_bind_ops, &fence->lock,
		       dma_fence_context_alloc(1), 1);
	drivers_point();
	/* What is checked before a bind is committed, and the commit */
	down_read(lab_notifier_lock(vm));
	err = lab_check_userptr(vm, &op, &update);
	drivers_point();
	if (!err) {
		lab_bound();
		drivers_point();
		lab_bind_commit(vm, &vm->xe->tiles[0], &update, vma, NULL, NULL);
	}
	up_read(lab_notifier_lock(vm));
	if (err) {
		dma_fence_put(&fence->base);
		return ERR_PTR(err);
	}
	return &fence->base;
}

static int lab_try_page_fault(struct lab_vm *l)
{
	int err;

	lab_faulting = l;
	down_write(&l->vm->lock);
	err = lab_handle_page_fault(l);
	up_write(&l->vm->lock);
	return err;
}

static void lab_page_fault(struct lab_vm *l)
{
	KUNIT_EXPECT_EQ(l->test, lab_try_page_fault(l), 0);
}

static void fault_binds(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	lab_fault_is_overtaken = false;
	lab_page_fault(l);
	KUNIT_EXPECT_TRUE(test, lab_valid(l, &l->uvma->vma));
	/* Zapped, and bound again: an invalidation finds it. */
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
	KUNIT_EXPECT_EQ(test, lab.zapped, 1);
	/* As if it had been pinned again */
	l->uvma->userptr.notifier.invalidate_seq = 1;
	lab.pinned_since = drivers_now();
	lab_page_fault(l);
	KUNIT_EXPECT_TRUE(test, lab_valid(l, &l->uvma->vma));
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab.zapped, 2);
}

/* It must not count as bound: the GPU would fault again and again. */
static void fault_overtaken_by_an_invalidation(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	lab_fault_is_overtaken = true;
	lab_page_fault(l);
	KUNIT_EXPECT_EQ(test, lab.zapped, 1);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

/* The same, when it was zapped before: it has to be zapped again. */
static void fault_rebind_overtaken_by_an_invalidation(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	l->uvma->vma.tile_invalidated = BIT(0);
	lab_fault_is_overtaken = true;
	lab_page_fault(l);
	KUNIT_EXPECT_EQ(test, lab.zapped, 1);
	KUNIT_EXPECT_EQ(test, lab.flushed, 1);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

/* The TLB may still have it: exec fails until it was flushed. */
static void lab_flush_fails(struct lab_vm *l, int *error, int value)
{
	drivers_blocks(l->test, &l->call);
	*error = value;
	KUNIT_EXPECT_EQ(l->test, lab_exec_pin(l), value);
	KUNIT_EXPECT_EQ(l->test, lab.zapped, 1);
	KUNIT_EXPECT_TRUE(l->test, lab_listed(l));
	KUNIT_EXPECT_EQ(l->test, lab_exec_pin(l), value);
	KUNIT_EXPECT_EQ(l->test, lab.zapped, 2);
	*error = 0;
	KUNIT_EXPECT_EQ(l->test, lab_exec_pin(l), 0);
	KUNIT_EXPECT_EQ(l->test, lab.zapped, 3);
	KUNIT_EXPECT_EQ(l->test, lab.flushed, 1);
	KUNIT_EXPECT_FALSE(l->test, lab_listed(l));
	KUNIT_EXPECT_TRUE(l->test, list_empty(&l->uvma->userptr.repin_link));
}

static void flush_that_times_out_is_repeated(struct kunit *test)
{
	lab_flush_fails(lab_gfx(test), &lab.flush_error, -ETIME);
}

static void flush_that_is_not_sent_is_repeated(struct kunit *test)
{
	lab_flush_fails(lab_gfx(test), &lab.send_error, LAB_SEND_ERROR);
}

/* Of two GTs. What the other one says must not hide it. */
static void lab_one_flush_fails(struct kunit *test, int *error, int value, int at)
{
	struct lab_vm *l = lab_gfx(test);

	l->media.tile = &l->xe->tiles[0];
	l->xe->tiles[0].media_gt = &l->media;
	drivers_blocks(test, &l->call);
	*error = value;
	lab.fail_at = at;
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), value);
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, 0);
	KUNIT_EXPECT_TRUE(test, lab_listed(l));
	/* Both the next time */
	lab.flushed = 0;
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), 0);
	KUNIT_EXPECT_EQ(test, lab.flushed, 2);
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, BIT(0));
	KUNIT_EXPECT_FALSE(test, lab_listed(l));
}

static void flush_of_one_gt_times_out(struct kunit *test)
{
	lab_one_flush_fails(test, &lab.flush_error, -ETIME, 1);
}

static void flush_of_the_other_gt_times_out(struct kunit *test)
{
	lab_one_flush_fails(test, &lab.flush_error, -ETIME, 2);
}

static void flush_of_one_gt_is_not_sent(struct kunit *test)
{
	lab_one_flush_fails(test, &lab.send_error, LAB_SEND_ERROR, 1);
}

static void flush_of_the_other_gt_is_not_sent(struct kunit *test)
{
	lab_one_flush_fails(test, &lab.send_error, LAB_SEND_ERROR, 2);
}

static void flush_that_times_out_kills_a_compute_vm(struct kunit *test)
{
	struct lab_vm *l = lab_compute(test);

	lab.flush_error = -ETIME;
	drivers_blocks(test, &l->call);
	lab_settle(l);
	KUNIT_EXPECT_TRUE(test, l->vm->flags & XE_VM_FLAG_BANNED);
	KUNIT_EXPECT_EQ(test, lab.resumed, 0);
	/* Who looks at it again must not take it for flushed. */
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, 0);
}

static int lab_invalidate_vma(struct lab_vm *l)
{
	int ret;

	lab_seq(&l->uvma->userptr) = 3;
	down_write(lab_notifier_lock(l->vm));
	ret = xe_vm_invalidate_vma(&l->uvma->vma);
	up_write(lab_notifier_lock(l->vm));
	return ret;
}

/* With page faults, the handler has to bind it again nevertheless. */
static void lab_fault_flush_fails(struct kunit *test, int *error, int ret)
{
	struct lab_vm *l = lab_fault(test);

	*error = ret;
	KUNIT_EXPECT_EQ(test, lab_invalidate_vma(l), ret);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

static void fault_flush_that_times_out(struct kunit *test)
{
	lab_fault_flush_fails(test, &lab.flush_error, -ETIME);
}

static void fault_flush_that_is_not_sent(struct kunit *test)
{
	lab_fault_flush_fails(test, &lab.send_error, LAB_SEND_ERROR);
}

/* In the callback, which can't fail. It is not a bug: no warning that may panic */
static void fault_callback_with_a_flush_that_times_out(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab.flush_error = -ETIME;
	l->call.hole = "X3";
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_GE(test, lab.flushes, 1);
	KUNIT_EXPECT_EQ(test, lab.flushed, 0);
	lab_expect_no_second_pass(l);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

/* It could not be sent: that is one. */
static void fault_callback_with_a_flush_that_is_not_sent(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab.send_error = LAB_SEND_ERROR;
	l->call.hole = "X3";
	l->call.splat = "a TLB invalidation that could not be sent";
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_EQ(test, lab.flushes, 1);
	KUNIT_EXPECT_EQ(test, lab.flushed, 0);
	lab_expect_no_second_pass(l);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, &l->uvma->vma));
}

/* A second tile, on which it is bound as well */
static void lab_second_tile(struct lab_vm *l)
{
	struct xe_tile *tile = &l->xe->tiles[1];

	l->xe->info.tile_count = 2;
	tile->xe = l->xe;
	tile->id = 1;
	tile->primary_gt = &l->media;
	l->media.tile = tile;
	l->vm->pt_root[1] = &l->other_root;
	l->uvma->vma.tile_mask = BIT(0) | BIT(1);
	l->uvma->vma.tile_present = BIT(0) | BIT(1);
}

/* Each tile has to fault again. */
static void fault_both_tiles_are_zapped(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_second_tile(l);
	KUNIT_EXPECT_EQ(test, lab_invalidate_vma(l), 0);
	KUNIT_EXPECT_EQ(test, lab.zapped, 2);
	KUNIT_EXPECT_EQ(test, lab.flushed, 2);
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, BIT(0) | BIT(1));
}

/* The PTEs of the other tile are as valid, and nobody looks at them again. */
static void fault_flush_of_one_tile_is_not_sent(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_second_tile(l);
	lab.send_error = LAB_SEND_ERROR;
	lab.fail_at = 1;
	KUNIT_EXPECT_EQ(test, lab_invalidate_vma(l), LAB_SEND_ERROR);
	KUNIT_EXPECT_EQ(test, lab.zapped, 2);
	KUNIT_EXPECT_EQ(test, lab.flushes, 2);
	KUNIT_EXPECT_EQ(test, lab.flushed, 1);
	KUNIT_EXPECT_EQ(test, l->uvma->vma.tile_invalidated, BIT(0) | BIT(1));
}

/* Of several errors the first one is returned. */
static void lab_two_errors(struct lab_vm *l)
{
	lab.send_error = LAB_SEND_ERROR;
	lab.next_error = -ENODEV;
	KUNIT_EXPECT_EQ(l->test, lab_invalidate_vma(l), LAB_SEND_ERROR);
	KUNIT_EXPECT_EQ(l->test, lab.flushes, 2);
}

static void first_of_two_errors(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_second_tile(l);
	lab_two_errors(l);
}

static void first_of_two_errors_of_a_tile(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	l->media.tile = &l->xe->tiles[0];
	l->xe->tiles[0].media_gt = &l->media;
	lab_two_errors(l);
}

/* The TLBs of a userptr that is unbound are somebody else's matter. */
static void unbind_clears_present(struct kunit *test)
{
	struct xe_vm_pgtable_update_ops update = {};
	struct lab_vm *l = lab_gfx(test);
	struct xe_vma *vma = &l->uvma->vma;

	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, lab_listed(l));
	vma->tile_present = BIT(0) | BIT(1);
	down_read(lab_notifier_lock(l->vm));
	unbind_op_commit(l->vm, &l->xe->tiles[0], &update, vma, NULL, NULL);
	up_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_EQ(test, vma->tile_present, BIT(1));
	KUNIT_EXPECT_TRUE(test, lab_listed(l));
	vma->tile_present = BIT(0);
	down_read(lab_notifier_lock(l->vm));
	unbind_op_commit(l->vm, &l->xe->tiles[0], &update, vma, NULL, NULL);
	up_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_EQ(test, vma->tile_present, 0);
	KUNIT_EXPECT_FALSE(test, lab_listed(l));
}

/* A bind of one tile says nothing about the other. */
static void bind_of_one_tile(struct kunit *test)
{
	struct xe_vm_pgtable_update_ops update = {};
	struct lab_vm *l = lab_fault(test);
	struct xe_vma *vma = &l->uvma->vma;

	vma->tile_present = BIT(1);
	vma->tile_invalidated = BIT(0) | BIT(1);
	down_read(lab_notifier_lock(l->vm));
	lab_bind_commit(l->vm, &l->xe->tiles[0], &update, vma, NULL, NULL);
	up_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_EQ(test, vma->tile_present, BIT(0) | BIT(1));
	KUNIT_EXPECT_EQ(test, vma->tile_invalidated, BIT(1));
	KUNIT_EXPECT_TRUE(test, lab_valid(l, vma));
	vma->tile_present = BIT(1);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, vma));
	vma->tile_present = BIT(0);
	vma->tile_invalidated = BIT(0);
	KUNIT_EXPECT_FALSE(test, lab_valid(l, vma));
}

#include "cases.h"

/* What the driver asserts about its locks */

static void lab_zap(void *data)
{
	struct lab_vm *l = data;

	xe_pt_zap_ptes(&l->xe->tiles[0], &l->uvma->vma);
}

static void lab_invalidate(void *data)
{
	struct lab_vm *l = data;

	xe_vm_invalidate_vma(&l->uvma->vma);
}

static void lab_invalidate_for_reading(void *data)
{
	struct lab_vm *l = data;

	down_read(lab_notifier_lock(l->vm));
	lab_invalidate(data);
	up_read(lab_notifier_lock(l->vm));
}

static void lab_invalidate_for_writing(void *data)
{
	struct lab_vm *l = data;

	down_write(lab_notifier_lock(l->vm));
	lab_invalidate(data);
	up_write(lab_notifier_lock(l->vm));
}

static void lab_try(void *data)
{
	struct lab_vm *l = data;

	down_read(lab_notifier_lock(l->vm));
	lab_try_invalidate(l->vm, l->uvma, 5);
	up_read(lab_notifier_lock(l->vm));
}

static void zapped_under_the_lock(struct kunit *test)
{
	drivers_reports(test, "zaps without notifier_lock", lab_zap, lab_gfx(test));
}

/* With the VM's reservation, which is missing, or for writing */
static void invalidated_under_the_locks(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	lab_seq(&l->uvma->userptr) = 3;
	/* Nothing to zap */
	l->uvma->vma.tile_present = 0;
	drivers_reports(test, "invalidates without notifier_lock", lab_invalidate, l);
	drivers_reports(test, "invalidates without the reservation", lab_invalidate_for_reading, l);
}

static void invalidated_when_idle(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_seq(&l->uvma->userptr) = 3;
	l->uvma->vma.tile_present = 0;
	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	drivers_reports(test, "invalidates with a bind under way", lab_invalidate_for_writing, l);
}

static void tried_under_the_lock(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	drivers_reports(test, "tries without notifier_lock for writing", lab_try, l);
}

/* Of a BO it is the reservation, and not the lock of userptrs. */
static void bo_is_zapped_under_its_reservation(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);
	struct xe_bo *bo = kunit_kzalloc(test, sizeof(*bo), GFP_KERNEL);
	struct xe_vma *vma = &l->uvma->vma;

	KUNIT_ASSERT_NOT_NULL(test, bo);
	bo->ttm.base.resv = xe_vm_resv(l->vm);
	vma->gpuva.gem.obj = &bo->ttm.base;
	vma->tile_present = 0;
	KUNIT_ASSERT_FALSE(test, xe_vma_is_userptr(vma));
	drivers_reports(test, "zaps without the reservation", lab_zap, l);
	KUNIT_ASSERT_EQ(test, xe_vm_lock(l->vm, false), 0);
	/* No report: the console is looked at */
	lab_zap(l);
	xe_vm_unlock(l->vm);
	vma->gpuva.gem.obj = NULL;
}

/* Paths, interrupted */

static bool lab_note_success(struct mmu_interval_notifier *notifier,
			     const struct mmu_notifier_range *range, unsigned long seq)
{
	bool success = drivers_invalidate(notifier->ops, notifier, range, seq);

	if (success)
		lab.invalidated = true;
	return success;
}

static const struct mmu_interval_notifier_ops lab_path_ops = {
	.invalidate = lab_note_success,
};

static void lab_path(struct lab_vm *l, const char *path)
{
	l->call.state = DRIVERS_BUSY;
	l->call.interval_ops = &lab_path_ops;
	drivers_path(l->test, path, &l->call);
}

/* Nothing but an invalidation makes it fail, and not one that was refused. */
static void lab_path_end(struct lab_vm *l, int err)
{
	drivers_path_end(l->test);
	l->call.interval_ops = NULL;
	if (!lab.invalidated)
		KUNIT_EXPECT_EQ(l->test, err, 0);
}

static void page_fault_interrupted(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_unbind(l, true);
	lab_fault_is_overtaken = false;
	lab_path(l, LAB_PAGE_FAULT);
	lab_path_end(l, lab_try_page_fault(l));
}

static void second_page_fault_interrupted(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab_fault_is_overtaken = false;
	/* It was zapped. */
	l->uvma->vma.tile_invalidated = BIT(0);
	lab.pte = false;
	lab.tlb = false;
	lab_path(l, LAB_PAGE_FAULT " of what was bound");
	lab_path_end(l, lab_try_page_fault(l));
}

static void exec_interrupted(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	drivers_blocks(test, &l->call);
	lab_path(l, "xe_vm_userptr_pin");
	lab_path_end(l, lab_exec_pin(l));
	/* If it is listed again the next exec does it again. */
	KUNIT_EXPECT_EQ(test, lab_exec_pin(l), 0);
	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);
	drivers_look(test);
}

/* munmap() by a thread of the process */
static void invalidation_interrupted(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	l->call.state = DRIVERS_BUSY;
	drivers_path(test, LAB_CALLBACK ", page faults", &l->call);
	drivers_blocks_here(test, &l->call);
	drivers_path_end(test);
}

static void lab_check_unbind(struct lab_vm *l, struct xe_vm_pgtable_update_ops *update)
{
	struct xe_vma_op op = {
		.base.op = DRM_GPUVA_OP_UNMAP,
		.base.unmap.va = &l->uvma->vma.gpuva,
	};
	int err;

	down_read(lab_notifier_lock(l->vm));
	err = lab_check_userptr(l->vm, &op, update);
	up_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_EQ(l->test, err, 0);
}

/* Pinned again, and not bound. The pages of the tests can't be pinned in all versions. */
static void lab_repin(struct lab_vm *l)
{
	lab_seq(&l->uvma->userptr) = l->uvma->userptr.notifier.invalidate_seq;
}

/* As xe_vm_userptr_pin() leaves it */
static void lab_to_rebind(struct lab_vm *l)
{
	lab_repin(l);
	list_del_init(&l->uvma->userptr.invalidate_link);
	list_move_tail(&l->uvma->vma.combined_links.rebind, &l->vm->rebind_list);
}

/* Whether exec waits for the unbind */
static bool lab_unbind_is_waited_for(struct lab_vm *l)
{
	struct xe_vm_pgtable_update_ops update = {};

	lab_check_unbind(l, &update);
	return update.wait_vm_bookkeep;
}

static void unbind_of_an_invalid_one_is_waited_for(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	KUNIT_EXPECT_FALSE(test, lab_unbind_is_waited_for(l));
	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, lab_unbind_is_waited_for(l));

	/* Not a userptr */
	l->uvma->vma.gpuva.flags |= DRM_GPUVA_SPARSE;
	KUNIT_EXPECT_FALSE(test, lab_unbind_is_waited_for(l));
	l->uvma->vma.gpuva.flags &= ~DRM_GPUVA_SPARSE;
}

/* One job unbinds them all: that a later one is valid does not change that. */
static void unbind_of_several_is_waited_for(struct kunit *test)
{
	struct xe_vm_pgtable_update_ops update = {};
	struct lab_vm *l = lab_gfx(test);

	drivers_blocks(test, &l->call);
	lab_check_unbind(l, &update);
	KUNIT_EXPECT_TRUE(test, update.wait_vm_bookkeep);
	/* As if it had been pinned and bound again */
	lab_repin(l);
	list_del_init(&l->uvma->userptr.invalidate_link);
	KUNIT_EXPECT_FALSE(test, lab_unbind_is_waited_for(l));
	lab_check_unbind(l, &update);
	KUNIT_EXPECT_TRUE(test, update.wait_vm_bookkeep);
}

/* It is valid, but its PTEs are those from before until it is bound again. */
static void unbind_of_a_repinned_one_is_waited_for(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);

	drivers_blocks(test, &l->call);
	/* As by a prefetch that fails: nobody takes it off the list. */
	lab_repin(l);
	KUNIT_EXPECT_EQ(test, xe_vma_userptr_check_repin(l->uvma), 0);
	KUNIT_EXPECT_TRUE(test, lab_listed(l));
	KUNIT_EXPECT_TRUE(test, lab_unbind_is_waited_for(l));
	/* As by an exec that ends before it rebinds */
	lab_to_rebind(l);
	KUNIT_EXPECT_TRUE(test, lab_unbind_is_waited_for(l));
	/* Bound again */
	list_del_init(&l->uvma->vma.combined_links.rebind);
	KUNIT_EXPECT_FALSE(test, lab_unbind_is_waited_for(l));
}

/* Another one is to be rebound, the PTEs of this one are good. */
static void unbind_of_a_good_one_is_not_waited_for(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);
	struct list_head other;

	list_add(&other, &l->vm->rebind_list);
	KUNIT_EXPECT_FALSE(test, lab_unbind_is_waited_for(l));
	list_del(&other);
}

/* The unbind itself does not wait for others: if it needs no job it is done at once. */
static void unbind_of_an_invalid_one_does_not_wait(struct kunit *test)
{
	struct lab_vm *l = lab_gfx(test);
	struct xe_vma_ops *vops = kunit_kzalloc(test, sizeof(*vops), GFP_KERNEL);
	struct xe_exec_queue *q = kunit_kzalloc(test, sizeof(*q), GFP_KERNEL);
	struct xe_vma_op op = {
		.base.op = DRM_GPUVA_OP_UNMAP,
		.base.unmap.va = &l->uvma->vma.gpuva,
	};
	struct xe_migrate_pt_update update = { .vops = vops };
	int err;

	KUNIT_ASSERT_NOT_NULL(test, vops);
	KUNIT_ASSERT_NOT_NULL(test, q);
	vops->vm = l->vm;
	INIT_LIST_HEAD(&vops->list);
	list_add(&op.link, &vops->list);
	q->flags = EXEC_QUEUE_FLAG_KERNEL;
	vops->pt_update_ops[0].q = q;
	drivers_blocks(test, &l->call);
	/* An unbind of something else is under way, and nothing runs. */
	lab.pte = false;
	lab.tlb = false;
	lab_job(l, DMA_RESV_USAGE_BOOKKEEP);

	KUNIT_ASSERT_EQ(test, xe_vm_lock(l->vm, false), 0);
	err = lab_pre_commit(&update);
	if (!err)
		up_read(lab_notifier_lock(l->vm));
	xe_vm_unlock(l->vm);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_TRUE(test, vops->pt_update_ops[0].wait_vm_bookkeep);
}

/* It may go on as soon as somebody waits for it, who has not resumed the queue then. */
static signed long lab_unbind_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	KUNIT_EXPECT_EQ(lab.test, lab.resumed, 0);
	lab.waited++;
	dma_fence_signal(fence);
	return timeout;
}

static const struct dma_fence_ops lab_unbind_ops = {
	.get_driver_name = lab_fence_name,
	.get_timeline_name = lab_fence_name,
	.wait = lab_unbind_wait,
};

/* The unbind is queued behind a fence of user space, and nobody remembers the userptr. */
static void lab_queue_unbind(struct lab_vm *l)
{
	struct xe_vm_pgtable_update_ops update = {};

	lab_check_unbind(l, &update);
	lab_add_job(l, update.wait_vm_bookkeep ? DMA_RESV_USAGE_KERNEL : DMA_RESV_USAGE_BOOKKEEP,
		    &lab_unbind_ops);
	down_read(lab_notifier_lock(l->vm));
	unbind_op_commit(l->vm, &l->xe->tiles[0], &update, &l->uvma->vma, NULL, NULL);
	up_read(lab_notifier_lock(l->vm));
	KUNIT_EXPECT_FALSE(l->test, lab_listed(l));
}

static void lab_new_queue(struct lab_vm *l)
{
	KUNIT_EXPECT_EQ(l->test, xe_vm_add_compute_exec_queue(l->vm, &l->queue), 0);
}

/* Exec does not wait for the unbind of a compute VM: the rebind worker has to. */
static void compute_new_queue_waits_for_the_unbind(struct kunit *test)
{
	struct lab_vm *l = lab_compute_vm(test);

	drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, lab_listed(l));
	lab_queue_unbind(l);
	lab_new_queue(l);
	KUNIT_EXPECT_EQ(test, lab.suspended, 1);
	lab_settle(l);
	KUNIT_EXPECT_EQ(test, lab.waited, 1);
	KUNIT_EXPECT_EQ(test, lab.resumed, 1);
}

/* Nobody waits for the unbind of one whose PTEs are good. */
static void compute_new_queue_runs(struct kunit *test)
{
	struct lab_vm *l = lab_compute_vm(test);

	lab_queue_unbind(l);
	lab_new_queue(l);
	KUNIT_EXPECT_EQ(test, lab.suspended, 0);
	lab_settle(l);
	KUNIT_EXPECT_EQ(test, lab.waited, 0);
	lab_signal(l->call.arg);
}

/* The worker has pinned it, and left the rebind for later as nothing ran. */
static void compute_new_queue_waits_for_the_rebind(struct kunit *test)
{
	struct lab_vm *l = lab_compute_vm(test);

	drivers_blocks(test, &l->call);
	lab_to_rebind(l);
	lab_new_queue(l);
	KUNIT_EXPECT_EQ(test, lab.suspended, 1);
	/* Bound again */
	list_del_init(&l->uvma->vma.combined_links.rebind);
	lab_settle(l);
	KUNIT_EXPECT_EQ(test, lab.resumed, 1);
}

/* A BO was moved while no queue was there. */
static void compute_new_queue_waits_for_the_evicted(struct kunit *test)
{
	struct lab_vm *l = lab_compute_vm(test);
	struct list_head bo;

	list_add(&bo, &l->vm->gpuvm.evict.list);
	lab_new_queue(l);
	KUNIT_EXPECT_EQ(test, lab.suspended, 1);
	list_del(&bo);
	lab_settle(l);
	KUNIT_EXPECT_EQ(test, lab.resumed, 1);
}

/* What is left of a VMA keeps its PTEs, or faults if they were zapped. */
static void lab_expect_taken(struct lab_vm *l, struct xe_vma *vma, bool skipped, bool zapped)
{
	KUNIT_EXPECT_EQ(l->test, lab_valid(l, vma), skipped && !zapped);
	KUNIT_EXPECT_EQ(l->test, vma->tile_present, skipped ? BIT(0) : 0);
	KUNIT_EXPECT_EQ(l->test, vma->tile_invalidated, skipped && zapped ? BIT(0) : 0);
}

/* Unless it is skipped, a part of it is bound later. The BO may be @private to the VM. */
static void lab_remap_bo(struct kunit *test, bool skip_prev, bool skip_next, bool zapped,
			 bool evicted, bool private)
{
	struct lab_vm *l = lab_fault(test);
	struct xe_bo *bo = kunit_kzalloc(test, sizeof(*bo), GFP_KERNEL);
	struct xe_vma *prev = kunit_kzalloc(test, sizeof(*prev), GFP_KERNEL);
	struct xe_vma *next = kunit_kzalloc(test, sizeof(*next), GFP_KERNEL);
	struct xe_vma *old = &l->uvma->vma;
	struct drm_gpuva_op_unmap unmap = { .va = &old->gpuva };
	struct xe_vma_op op = {
		.base.op = DRM_GPUVA_OP_REMAP,
		.base.remap.unmap = &unmap,
		.remap = {
			.prev = prev, .next = next,
			.skip_prev = skip_prev, .skip_next = skip_next,
		},
	};

	KUNIT_ASSERT_NOT_NULL(test, bo);
	KUNIT_ASSERT_NOT_NULL(test, prev);
	KUNIT_ASSERT_NOT_NULL(test, next);
	bo->ttm.base.resv = xe_vm_resv(l->vm);
	bo->vm = private ? l->vm : NULL;
	old->gpuva.gem.obj = &bo->ttm.base;
	prev->gpuva = old->gpuva;
	next->gpuva = old->gpuva;
	old->tile_invalidated = zapped ? BIT(0) : 0;
	lab.evicted = evicted ? old : NULL;

	down_write(&l->vm->lock);
	KUNIT_EXPECT_EQ(test, xe_vma_op_commit(l->vm, &op), 0);
	up_write(&l->vm->lock);
	lab_expect_taken(l, prev, skip_prev, zapped || evicted);
	lab_expect_taken(l, next, skip_next, zapped || evicted);
	old->gpuva.gem.obj = NULL;
}

static void lab_remap(struct kunit *test, bool skip_prev, bool skip_next, bool zapped,
		      bool evicted)
{
	lab_remap_bo(test, skip_prev, skip_next, zapped, evicted, false);
}

static void remap_keeps_the_ptes(struct kunit *test)
{
	lab_remap(test, true, true, false, false);
}

static void remap_knows_what_was_zapped(struct kunit *test)
{
	lab_remap(test, true, true, true, false);
}

/* The masks of the old one are read under the lock. */
static void remap_waits_for_an_eviction(struct kunit *test)
{
	lab_remap(test, true, true, false, true);
}

static void remap_waits_for_an_eviction_of_a_private_bo(struct kunit *test)
{
	lab_remap_bo(test, true, true, false, true, true);
}

static void remap_of_one_part(struct kunit *test)
{
	lab_remap(test, true, false, true, false);
}

static void remap_of_the_other_part(struct kunit *test)
{
	lab_remap(test, false, true, true, false);
}

/* A BO that is mapped at two places, and is to be moved */
static struct xe_bo *lab_bo(struct lab_vm *l)
{
	struct drm_gpuvm_bo *vm_bo = kunit_kzalloc(l->test, sizeof(*vm_bo), GFP_KERNEL);
	struct xe_bo *bo = kunit_kzalloc(l->test, sizeof(*bo), GFP_KERNEL);
	struct xe_vma *vma;
	int i;

	KUNIT_ASSERT_NOT_NULL(l->test, vm_bo);
	KUNIT_ASSERT_NOT_NULL(l->test, bo);
	bo->ttm.base.resv = xe_vm_resv(l->vm);
	INIT_LIST_HEAD(&bo->ttm.base.gpuva.list);
	vm_bo->vm = &l->vm->gpuvm;
	vm_bo->obj = &bo->ttm.base;
	INIT_LIST_HEAD(&vm_bo->list.gpuva);
	list_add(&vm_bo->list.entry.gem, &bo->ttm.base.gpuva.list);
	for (i = 0; i < 2; i++) {
		vma = kunit_kzalloc(l->test, sizeof(*vma), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(l->test, vma);
		vma->gpuva = l->uvma->vma.gpuva;
		vma->gpuva.gem.obj = &bo->ttm.base;
		vma->tile_mask = BIT(0);
		vma->tile_present = BIT(0);
		list_add(&vma->gpuva.gem.entry, &vm_bo->list.gpuva);
	}
	return bo;
}

/* Of its TLB invalidations the n-th one fails. */
static int lab_move(struct lab_vm *l, struct xe_bo *bo, int n)
{
	struct ttm_operation_ctx ctx = {};
	int err;

	lab.fail_at = lab.flushes + n;
	lab.zapped = 0;
	lab.flushed = 0;
	lab_warned = 0;
	KUNIT_ASSERT_EQ(l->test, xe_vm_lock(l->vm, false), 0);
	err = xe_bo_trigger_rebind(l->xe, bo, &ctx);
	xe_vm_unlock(l->vm);
	return err;
}

/* TTM goes on with other BOs, and it is no bug: no warning that may panic */
static void bo_whose_flush_times_out_is_not_moved(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab.flush_error = -ETIME;
	KUNIT_EXPECT_EQ(test, lab_move(l, lab_bo(l), 1), -EBUSY);
	KUNIT_EXPECT_EQ(test, lab_warned, 0);
	KUNIT_EXPECT_EQ(test, lab_move(l, lab_bo(l), 2), -EBUSY);
	KUNIT_EXPECT_EQ(test, lab_warned, 0);
}

/* Nor is one that others have imported: they are told when it is moved. */
static void exported_bo_whose_flush_times_out_is_not_moved(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);
	struct dma_buf exported = {};
	struct xe_bo *bo;
	int n;

	lab.flush_error = -ETIME;
	for (n = 1; n <= 2; n++) {
		bo = lab_bo(l);
		bo->ttm.base.dma_buf = &exported;
		KUNIT_EXPECT_EQ(test, lab_move(l, bo, n), -EBUSY);
		KUNIT_EXPECT_EQ(test, lab_warned, 0);
	}
}

static void bo_whose_flush_is_not_sent_is_not_moved(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	lab.send_error = LAB_SEND_ERROR;
	KUNIT_EXPECT_EQ(test, lab_move(l, lab_bo(l), 1), LAB_SEND_ERROR);
	KUNIT_EXPECT_EQ(test, lab_warned, 1);
	KUNIT_EXPECT_EQ(test, lab_move(l, lab_bo(l), 2), LAB_SEND_ERROR);
	KUNIT_EXPECT_EQ(test, lab_warned, 1);
}

/* The exporter moves it all the same: all of it is zapped, to be bound anew. */
static void lab_move_imported(struct kunit *test, int *error, int value, int warned)
{
	struct lab_vm *l = lab_fault(test);
	struct dma_buf_attachment attach = {};
	struct drm_gpuvm_bo *vm_bo;
	struct drm_gpuva *va;
	struct xe_bo *bo;
	int n;

	*error = value;
	for (n = 1; n <= 2; n++) {
		bo = lab_bo(l);
		bo->ttm.base.import_attach = &attach;
		KUNIT_EXPECT_EQ(test, lab_move(l, bo, n), 0);
		KUNIT_EXPECT_EQ(test, lab.zapped, 2);
		KUNIT_EXPECT_EQ(test, lab.flushed, 1);
		KUNIT_EXPECT_EQ(test, lab_warned, warned);
		drm_gem_for_each_gpuvm_bo(vm_bo, &bo->ttm.base)
			drm_gpuvm_bo_for_each_va(va, vm_bo)
				KUNIT_EXPECT_FALSE(test, lab_valid(l, gpuva_to_vma(va)));
	}
}

static void imported_bo_whose_flush_times_out_is_moved(struct kunit *test)
{
	lab_move_imported(test, &lab.flush_error, -ETIME, 0);
}

static void imported_bo_whose_flush_is_not_sent_is_moved(struct kunit *test)
{
	lab_move_imported(test, &lab.send_error, LAB_SEND_ERROR, 1);
}

/* With page faults it must not fail: nobody repins it. */
static void unbind_of_an_invalid_one_is_not_repeated(struct kunit *test)
{
	struct lab_vm *l = lab_fault(test);

	drivers_blocks(test, &l->call);
	/* It is on no list here. */
	KUNIT_EXPECT_FALSE(test, lab_listed(l));
	KUNIT_EXPECT_TRUE(test, lab_unbind_is_waited_for(l));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(gfx_held_lock_refuses),
	KUNIT_CASE(gfx_busy_refuses),
	KUNIT_CASE(gfx_idle_refuses),
	KUNIT_CASE(gfx_cancelled_job_refuses),
	KUNIT_CASE(gfx_wedged_refuses),
	KUNIT_CASE(gfx_unplugged_refuses),
	KUNIT_CASE(gfx_populated_refuses),
	KUNIT_CASE(gfx_pending_bind_refuses),
	KUNIT_CASE(gfx_destroyed_refuses),
	KUNIT_CASE(gfx_blocking_idle),
	KUNIT_CASE(gfx_blocking_waits),
	KUNIT_CASE(gfx_blocking_waits_for_the_lock),
	KUNIT_CASE(gfx_blocking_after_a_refusal),
	KUNIT_CASE(fault_bound_refuses),
	KUNIT_CASE(fault_zapped_refuses),
	KUNIT_CASE(fault_bound_and_wedged_refuses),
	KUNIT_CASE(fault_unbound_refuses),
	KUNIT_CASE(fault_held_lock_refuses),
	LAB_BASE_CASES
	KUNIT_CASE(fault_never_bound_succeeds),
	KUNIT_CASE(fault_refusal_is_not_traced),
	KUNIT_CASE(fault_success_is_noticed),
	KUNIT_CASE(fault_blocking),
	KUNIT_CASE(compute_running_refuses),
	KUNIT_CASE(compute_killed_queue_refuses),
	KUNIT_CASE(compute_flush_timed_out_refuses),
	KUNIT_CASE(compute_never_bound_refuses),
	KUNIT_CASE(compute_held_lock_refuses),
	KUNIT_CASE(compute_blocking),
	KUNIT_CASE(compute_blocking_after_a_refusal),
	KUNIT_CASE(gfx_rehearsed),
	KUNIT_CASE(fault_rehearsed),
	KUNIT_CASE(compute_rehearsed),
	KUNIT_CASE(rebound_is_zapped_again),
	KUNIT_CASE(fault_binds),
	KUNIT_CASE(fault_overtaken_by_an_invalidation),
	KUNIT_CASE(fault_rebind_overtaken_by_an_invalidation),
	KUNIT_CASE(flush_that_times_out_is_repeated),
	KUNIT_CASE(flush_that_is_not_sent_is_repeated),
	KUNIT_CASE(flush_that_times_out_kills_a_compute_vm),
	KUNIT_CASE(fault_flush_that_times_out),
	KUNIT_CASE(fault_flush_that_is_not_sent),
	KUNIT_CASE(fault_both_tiles_are_zapped),
	KUNIT_CASE(fault_flush_of_one_tile_is_not_sent),
	KUNIT_CASE(fault_callback_with_a_flush_that_times_out),
	KUNIT_CASE(fault_callback_with_a_flush_that_is_not_sent),
	KUNIT_CASE(first_of_two_errors),
	KUNIT_CASE(first_of_two_errors_of_a_tile),
	KUNIT_CASE(unbind_of_an_invalid_one_is_waited_for),
	KUNIT_CASE(unbind_of_an_invalid_one_is_not_repeated),
	KUNIT_CASE(unbind_of_several_is_waited_for),
	KUNIT_CASE(unbind_of_a_good_one_is_not_waited_for),
	KUNIT_CASE(unbind_of_an_invalid_one_does_not_wait),
	KUNIT_CASE(unbind_of_a_repinned_one_is_waited_for),
	KUNIT_CASE(compute_new_queue_waits_for_the_unbind),
	KUNIT_CASE(compute_new_queue_waits_for_the_rebind),
	KUNIT_CASE(compute_new_queue_waits_for_the_evicted),
	KUNIT_CASE(compute_new_queue_runs),
	KUNIT_CASE(remap_keeps_the_ptes),
	KUNIT_CASE(remap_knows_what_was_zapped),
	KUNIT_CASE(remap_waits_for_an_eviction),
	KUNIT_CASE(remap_waits_for_an_eviction_of_a_private_bo),
	KUNIT_CASE(remap_of_one_part),
	KUNIT_CASE(remap_of_the_other_part),
	KUNIT_CASE(bo_whose_flush_times_out_is_not_moved),
	KUNIT_CASE(exported_bo_whose_flush_times_out_is_not_moved),
	KUNIT_CASE(bo_whose_flush_is_not_sent_is_not_moved),
	KUNIT_CASE(imported_bo_whose_flush_times_out_is_moved),
	KUNIT_CASE(imported_bo_whose_flush_is_not_sent_is_moved),
	KUNIT_CASE(flush_of_one_gt_times_out),
	KUNIT_CASE(flush_of_the_other_gt_times_out),
	KUNIT_CASE(flush_of_one_gt_is_not_sent),
	KUNIT_CASE(flush_of_the_other_gt_is_not_sent),
	KUNIT_CASE(unbind_clears_present),
	KUNIT_CASE(bind_of_one_tile),
	KUNIT_CASE(zapped_under_the_lock),
	KUNIT_CASE(invalidated_under_the_locks),
	KUNIT_CASE(invalidated_when_idle),
	KUNIT_CASE(tried_under_the_lock),
	KUNIT_CASE(bo_is_zapped_under_its_reservation),
	KUNIT_CASE_PARAM(page_fault_interrupted, drivers_points),
	KUNIT_CASE_PARAM(second_page_fault_interrupted, drivers_points),
	KUNIT_CASE_PARAM(exec_interrupted, drivers_points),
	KUNIT_CASE_PARAM(invalidation_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(xe, cases);
