// SPDX-License-Identifier: GPL-2.0-only
/*
 * amdgpu's two userptr notifiers, for graphics and for KFD ("hsa"):
 * drivers/gpu/drm/amd/amdgpu/amdgpu_hmm.c and amdgpu_amdkfd_gpuvm.c, with the
 * restore worker; the VM (amdgpu_vm.c), page table updates by the CPU
 * (amdgpu_vm_cpu.c), and what creates and frees a userptr BO (amdgpu_gem.c,
 * amdgpu_object.c).
 */
#include "drivers.h"
#include <linux/sched/mm.h>
#include "points.h"

/* The worker looks for the mm of a process; the test thread has none. */
static struct mm_struct *lab_get_task_mm(struct task_struct *task);
#define get_task_mm lab_get_task_mm

/* When memory is short */
static bool lab_no_workqueue;
#ifdef alloc_workqueue
#define lab_alloc_workqueue	alloc_workqueue_noprof
#else
#define lab_alloc_workqueue	alloc_workqueue
#endif
static struct workqueue_struct *(*lab_new_workqueue)(const char *fmt, unsigned int flags,
						     int max_active, ...) = lab_alloc_workqueue;
/* What the last one was to be like */
static unsigned int lab_wq_flags;
static int lab_wq_active;
#undef alloc_workqueue
#define alloc_workqueue(fmt, flags, active, ...)				\
	(lab_no_workqueue ? NULL :						\
	 lab_new_workqueue(fmt, lab_wq_flags = (flags), lab_wq_active = (active),	\
			   ##__VA_ARGS__))

static int lab_wqs_destroyed;
#define destroy_workqueue(wq)	(lab_wqs_destroyed++, destroy_workqueue(wq))

#include <drivers/gpu/drm/amd/amdgpu/amdgpu_hmm.c>
#include <drivers/gpu/drm/amd/amdgpu/amdgpu_amdkfd_fence.c>
#include <drivers/gpu/drm/amd/amdgpu/amdgpu_amdkfd_gpuvm.c>
#include <drivers/gpu/drm/amd/amdgpu/amdgpu_vm.c>
#include <drivers/gpu/drm/amd/amdgpu/amdgpu_vm_cpu.c>
#include <drivers/gpu/drm/amd/amdgpu/amdgpu_gem.c>
#include <drivers/gpu/drm/amd/amdgpu/amdgpu_object.c>
#include <drivers/gpu/drm/drm_exec.c>

/* What the GPU's queues and the process are doing */
static struct {
	struct task_struct *test;	/* who may see @mm as that of the process */
	struct mm_struct *mm;
	int quiesce_result;
	int quiesced, resumed;		/* calls */
	int faulted;			/* calls of amdgpu_ttm_tt_get_user_pages() */
	/* userptr BOs as such */
	struct ttm_resource resource;
	struct ttm_tt ttm;
	struct amdgpu_bo *created;
	int gem_freed, released, put;
	/* To release one takes its time. */
	int slow;
	/* TTM can't be set up */
	int ttm_error;
	/* How many were released when TTM was taken down, -1 if it was not */
	int released_at_fini;
	/* Jobs that run, and since when the process has had what they use */
	struct {
		struct dma_fence *fence;
		unsigned long since;
	} jobs[16];
	int nr_jobs;
	/* The queues run, on pages that were had since; those that were had last */
	bool running;
	unsigned long queues_since, since;
} lab;

#define LAB_START	0x10000UL
#define LAB_END		0x20000UL

/* Of the BO, which is in the page tables for as long as it lives */
static int lab_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	unsigned long addr;
	int i, n = 0;

	for (addr = max(start, LAB_START); addr < min(end, LAB_END); addr += PAGE_SIZE) {
		for (i = 0; i < lab.nr_jobs; i++)
			n += lab.jobs[i].fence && drivers_given_up(addr, lab.jobs[i].since);
		n += lab.running && drivers_given_up(addr, lab.queues_since);
	}
	return n;
}

/* The job is through. A fence that is signaled in another way does not say that. */
static void lab_signal(void *fence)
{
	int i;

	for (i = 0; i < lab.nr_jobs; i++)
		if (lab.jobs[i].fence == fence)
			lab.jobs[i].fence = NULL;
	dma_fence_signal(fence);
}

static struct mm_struct *lab_get_task_mm(struct task_struct *task)
{
	if (current != lab.test || !lab.mm || !mmget_not_zero(lab.mm))
		return NULL;
	return lab.mm;
}

/* KFD */
int kgd2kfd_quiesce_mm(struct mm_struct *mm, uint32_t trigger)
{
	/* Takes mutexes and waits */
	might_sleep();
	drivers_point();
	if (mm == lab.mm)
		lab.quiesced++;
	if (lab.quiesce_result)
		drivers_failure("queues could not be stopped");
	else
		lab.running = false;
	drivers_point();
	return lab.quiesce_result;
}

int kgd2kfd_resume_mm(struct mm_struct *mm)
{
	drivers_point();
	lab.resumed++;
	lab.running = true;
	lab.queues_since = lab.since;
	drivers_point();
	return 0;
}

void kfd_smi_event_queue_restore_rescheduled(struct mm_struct *mm)
{
}

static unsigned int lab_errors;

void __drm_err(const char *format, ...)
{
	lab_errors++;
}

#include "fakes.h"

/* TTM, and what belongs to the other parts of the driver */
int ttm_bo_validate(struct ttm_buffer_object *bo,
		    struct ttm_placement *placement,
		    struct ttm_operation_ctx *ctx)
{
	return 0;
}

void ttm_bo_move_to_lru_tail(struct ttm_buffer_object *bo)
{
}

void ttm_bo_set_bulk_move(struct ttm_buffer_object *bo,
			  struct ttm_lru_bulk_move *bulk)
{
}

/* Frees a BO that nobody uses any more when it is idle; see lab_ttm_release(). */
void ttm_bo_put(struct ttm_buffer_object *bo)
{
	lab.put++;
}

void drm_gem_object_release(struct drm_gem_object *obj)
{
	msleep(lab.slow);
	lab.released++;
	dma_resv_fini(&obj->_resv);
}

int ttm_bo_init_reserved(struct ttm_device *bdev, struct ttm_buffer_object *bo,
			 enum ttm_bo_type type, struct ttm_placement *placement,
			 uint32_t alignment, struct ttm_operation_ctx *ctx,
			 struct sg_table *sg, struct dma_resv *resv,
			 void (*destroy)(struct ttm_buffer_object *))
{
	kref_init(&bo->kref);
	bo->bdev = bdev;
	bo->type = type;
	bo->destroy = destroy;
	bo->resource = &lab.resource;
	bo->ttm = &lab.ttm;
	bo->base.resv = &bo->base._resv;
	dma_resv_init(bo->base.resv);
	return dma_resv_lock(bo->base.resv, NULL);
}

void drm_gem_private_object_init(struct drm_device *dev, struct drm_gem_object *obj,
				 size_t size)
{
	kref_init(&obj->refcount);
	obj->size = size;
}

int drm_gem_handle_create(struct drm_file *file, struct drm_gem_object *obj,
			  u32 *handle)
{
	/* The reference of the handle is the test's. */
	drm_gem_object_get(obj);
	lab.created = gem_to_amdgpu_bo(obj);
	*handle = 1;
	return 0;
}

void drm_gem_object_free(struct kref *kref)
{
	lab.gem_freed++;
}

int amdgpu_ttm_tt_set_userptr(struct ttm_buffer_object *bo, uint64_t addr,
			      uint32_t flags)
{
	return 0;
}

struct mm_struct *amdgpu_ttm_tt_get_usermm(struct ttm_tt *ttm)
{
	return NULL;
}

void amdgpu_cs_report_moved_bytes(struct amdgpu_device *adev, u64 num_bytes,
				  u64 num_vis_bytes)
{
}

int amdgpu_sync_resv(struct amdgpu_device *adev, struct amdgpu_sync *sync,
		     struct dma_resv *resv, enum amdgpu_sync_mode mode, void *owner)
{
	return 0;
}

uint64_t amdgpu_gmc_pd_addr(struct amdgpu_bo *bo)
{
	return 0;
}

void amdgpu_sync_create(struct amdgpu_sync *sync)
{
}

void amdgpu_sync_free(struct amdgpu_sync *sync)
{
}

int amdgpu_sync_wait(struct amdgpu_sync *sync, bool intr)
{
	return 0;
}

int amdgpu_sync_fence(struct amdgpu_sync *sync, struct dma_fence *f,
		      gfp_t flags)
{
	return 0;
}

int drm_sched_entity_error(struct drm_sched_entity *entity)
{
	return 0;
}

int amdgpu_ttm_init(struct amdgpu_device *adev)
{
	if (lab.ttm_error)
		return lab.ttm_error;
	adev->mman.initialized = true;
	return 0;
}

/* VRAM goes, and TTM's workqueue. */
void amdgpu_ttm_fini(struct amdgpu_device *adev)
{
	if (lab.released_at_fini < 0)
		WRITE_ONCE(lab.released_at_fini, lab.released);
}

/* Nobody goes on where the device has to be there. */
bool drm_dev_enter(struct drm_device *dev, int *idx)
{
	return false;
}

const struct amdgpu_vm_update_funcs amdgpu_vm_sdma_funcs;
int amdgpu_vm_update_mode;

static struct dma_fence *lab_job(struct kunit *test, struct amdgpu_bo *bo,
				 enum dma_resv_usage usage)
{
	struct dma_resv *resv = bo->tbo.base.resv;
	struct dma_fence *fence = drivers_fence(test);

	KUNIT_ASSERT_EQ(test, dma_resv_lock(resv, NULL), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, fence, usage);
	dma_resv_unlock(resv);
	/* What has bookkeep usage is no job, see lab_blocking_waits_for(). */
	if (usage != DMA_RESV_USAGE_BOOKKEEP) {
		KUNIT_ASSERT_LT(test, lab.nr_jobs, (int)ARRAY_SIZE(lab.jobs));
		lab.jobs[lab.nr_jobs].since = drivers_now();
		lab.jobs[lab.nr_jobs++].fence = fence;
	}
	return fence;
}

/* A BO, its VM, and an open file that the VM belongs to */
struct lab_bo {
	struct kunit *test;
	struct mm_struct *mm;
	struct amdgpu_device *adev;
	struct amdgpu_fpriv *fpriv;
	struct amdgpu_vm *vm;
	struct amdgpu_bo *root, *bo;
	struct amdgpu_bo_va *bo_va;
	struct amdgpu_reset_domain reset;
	struct drm_file filp;
	struct drivers_call call;
	struct dma_fence *job;
	/* KFD */
	struct kgd_mem mem;
	struct amdkfd_process_info *info;
	struct kfd_mem_attachment attachment;
	struct ttm_tt ttm;
	struct ttm_resource resource;
	struct page *page;
};

static void lab_fini_resv(void *resv)
{
	dma_resv_fini(resv);
}

static struct amdgpu_bo *lab_new_bo(struct kunit *test, struct amdgpu_device *adev)
{
	struct amdgpu_bo_vm *bo = kunit_kzalloc(test, sizeof(*bo), GFP_KERNEL);
	struct drm_gem_object *obj;

	KUNIT_ASSERT_NOT_NULL(test, bo);
	bo->bo.tbo.bdev = &adev->mman.bdev;
	obj = &bo->bo.tbo.base;
	kref_init(&obj->refcount);
	obj->resv = &obj->_resv;
	dma_resv_init(obj->resv);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_fini_resv,
							obj->resv), 0);
	return &bo->bo;
}

static void lab_init_vm(struct amdgpu_vm *vm, struct amdgpu_bo *root)
{
	lab_init_lists(vm);
	mutex_init(&vm->eviction_lock);
	INIT_LIST_HEAD(&vm->freed);
	vm->root.bo = root;
}

/* What removes the notifiers of BOs */
#ifdef LAB_USERPTR_WQ
#define lab_wq(adev)	((adev)->mman.userptr_wq)
#else
#define lab_wq(adev)	((adev)->mman.bdev.wq)
#endif

KUNIT_DEFINE_ACTION_WRAPPER(lab_destroy_wq, destroy_workqueue, struct workqueue_struct *);

static struct lab_bo *lab_gfx(struct kunit *test)
{
	struct lab_bo *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->test = test;
	l->mm = drivers_mm(test);
	/* Set before the OOM reaper calls anybody */
	drivers_mm_set(MMF_UNSTABLE, l->mm);
	l->adev = kunit_kzalloc(test, sizeof(*l->adev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l->adev);
	mutex_init(&l->adev->notifier_lock);
	init_rwsem(&l->reset.sem);
	l->adev->reset_domain = &l->reset;
	spin_lock_init(&l->adev->mman.bdev.lru_lock);
	lab_wq(l->adev) = alloc_ordered_workqueue("lab-amdgpu", 0);
	KUNIT_ASSERT_NOT_NULL(test, lab_wq(l->adev));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_destroy_wq,
							lab_wq(l->adev)), 0);
	l->fpriv = kunit_kzalloc(test, sizeof(*l->fpriv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l->fpriv);
	l->filp.driver_priv = l->fpriv;
	l->vm = &l->fpriv->vm;
	l->root = lab_new_bo(test, l->adev);
	lab_init_vm(l->vm, l->root);
	l->bo = lab_new_bo(test, l->adev);
	l->bo_va = kunit_kzalloc(test, sizeof(*l->bo_va), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, l->bo_va);
	KUNIT_ASSERT_EQ(test, dma_resv_lock(l->root->tbo.base.resv, NULL), 0);
	amdgpu_vm_bo_base_init(&l->bo_va->base, l->vm, l->bo);
	dma_resv_unlock(l->root->tbo.base.resv);
	/* As the ioctl does, see gfx_created() */
	l->bo->parent = l->root;

	l->call = (struct drivers_call) {
		.callback = "amdgpu_hmm_invalidate_gfx",
		.interval = &l->bo->notifier,
		.interval_ops = &amdgpu_hmm_gfx_ops,
		.mm = l->mm, .start = LAB_START, .end = LAB_END,
	};
	lab.test = current;
	lab.mm = l->mm;
	lab.quiesce_result = 0;
	lab.quiesced = 0;
	lab.resumed = 0;
	lab.faulted = 0;
	lab.gem_freed = 0;
	lab.released = 0;
	lab.put = 0;
	lab.slow = 0;
	lab.ttm_error = 0;
	lab.released_at_fini = -1;
	lab.nr_jobs = 0;
	lab.running = false;
	lab.queues_since = 0;
	lab.since = 0;
	drivers_judge(test, "amdgpu_hmm_invalidate_gfx", lab_reach_given_up, NULL);
	return l;
}

static void lab_refuses(struct lab_bo *l, enum drivers_state state)
{
	l->call.state = state;
	drivers_refuses(l->test, &l->call);
}

/* ------------------------------------------------------------- graphics */

/* It does not even try: what it would see under the lock proves nothing. */
static void gfx_lock_held_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	mutex_lock(&l->adev->notifier_lock);
	lab_refuses(l, DRIVERS_HELD);
	KUNIT_EXPECT_EQ(test, l->bo->notifier.invalidate_seq, 1);
	mutex_unlock(&l->adev->notifier_lock);
}

static void gfx_reservation_held_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	KUNIT_ASSERT_EQ(test, dma_resv_lock(l->bo->tbo.base.resv, NULL), 0);
	lab_refuses(l, DRIVERS_HELD);
	dma_resv_unlock(l->bo->tbo.base.resv);
}

static void gfx_idle_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	l->call.reason = "signaled fences don't prove it, and the PTEs stay";
	lab_refuses(l, DRIVERS_IDLE);
	KUNIT_EXPECT_EQ(test, l->bo->notifier.invalidate_seq, 1);
}

static void gfx_busy_refuses(struct kunit *test)
{
	static const enum dma_resv_usage usages[] = {
		DMA_RESV_USAGE_KERNEL, DMA_RESV_USAGE_WRITE,
		DMA_RESV_USAGE_READ, DMA_RESV_USAGE_BOOKKEEP,
	};
	struct lab_bo *l = lab_gfx(test);
	int i;

	for (i = 0; i < ARRAY_SIZE(usages); i++) {
		struct dma_fence *job = lab_job(test, l->bo, usages[i]);

		lab_refuses(l, DRIVERS_BUSY);
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(job));
		lab_signal(job);
	}
}

/* The BO is idle, but a job of its VM that doesn't list it is not. */
static void gfx_job_without_the_bo_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct dma_fence *leader = lab_job(test, l->root, DMA_RESV_USAGE_WRITE);
	struct dma_fence *gang = lab_job(test, l->root, DMA_RESV_USAGE_READ);

	lab_refuses(l, DRIVERS_BUSY);
	lab_signal(leader);
	lab_refuses(l, DRIVERS_BUSY);
	lab_signal(gang);
}

/* A job that a reset has cancelled may be running still. */
static void gfx_cancelled_job_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct dma_fence *job = lab_job(test, l->bo, DMA_RESV_USAGE_WRITE);

	drivers_failure("job cancelled by a reset");
	dma_fence_set_error(job, -ECANCELED);
	dma_fence_signal(job);
	lab_refuses(l, DRIVERS_BUSY);
}

static void gfx_reset_pending_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	/* The fence is signaled, the job is not through. */
	dma_fence_signal(lab_job(test, l->bo, DMA_RESV_USAGE_WRITE));
	drivers_failure("a reset is pending");
	atomic_set(&l->reset.in_gpu_reset, 1);
	lab_refuses(l, DRIVERS_BUSY);
}

/* All fences are signaled then, although the GPU goes on. */
static void gfx_failed_reset_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	/* The fence is signaled, the job is not through. */
	dma_fence_signal(lab_job(test, l->bo, DMA_RESV_USAGE_WRITE));
	drivers_failure("a reset has failed");
	atomic_set(&l->reset.reset_res, -EIO);
	lab_refuses(l, DRIVERS_BUSY);
}

static void gfx_unplugged_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	/* The fence is signaled, the job is not through. */
	dma_fence_signal(lab_job(test, l->bo, DMA_RESV_USAGE_WRITE));
	drivers_failure("device unplugged");
	l->adev->ddev.unplugged = true;
	lab_refuses(l, DRIVERS_BUSY);
}

/* Closing a handle takes the BO out of a VM before its page tables are cleared. */
static void gfx_closed_handle_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	l->bo->vm_bo = NULL;
	lab_refuses(l, DRIVERS_BUSY);
}

static void gfx_vm_of_kfd_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	KUNIT_ASSERT_EQ(test, amdgpu_vm_make_compute(l->adev, l->vm), 0);
	KUNIT_EXPECT_TRUE(test, l->vm->is_compute_context);
	lab_refuses(l, DRIVERS_BUSY);
	dma_fence_put(l->vm->last_update);
}

static void gfx_blocking_idle(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct drivers_outcome out = drivers_blocks(test, &l->call);

	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
}

static void gfx_blocking_waits(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct drivers_outcome out;

	l->call.let_go = lab_signal;
	l->call.arg = lab_job(test, l->bo, DMA_RESV_USAGE_WRITE);
	lab_refuses(l, DRIVERS_BUSY);
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(l->call.arg));
}

/* No job is added meanwhile: command submission takes the lock. */
static bool lab_unlocked;

static void lab_let_job_go(void *data)
{
	struct lab_bo *l = data;

	lab_unlocked = !mutex_is_locked(&l->adev->notifier_lock);
	lab_signal(l->job);
}

static void lab_blocking_waits_for(struct lab_bo *l, struct dma_fence *job, bool waits)
{
	struct drivers_outcome out;

	l->job = job;
	l->call.let_go = lab_let_job_go;
	l->call.arg = l;
	lab_unlocked = false;
	lab_errors = 0;
	out = drivers_blocks(l->test, &l->call);
	KUNIT_EXPECT_FALSE(l->test, lab_unlocked);
	KUNIT_EXPECT_EQ(l->test, lab_errors, 0);
	KUNIT_EXPECT_EQ(l->test, out.waited, waits);
	KUNIT_EXPECT_TRUE(l->test, out.seq_set);
	KUNIT_EXPECT_EQ(l->test, dma_fence_is_signaled(job), waits);
	lab_signal(job);
}

/* A job that doesn't list the BO can reach it by the same page tables. */
static void gfx_blocking_waits_for_jobs_without_the_bo(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	lab_blocking_waits_for(l, lab_job(test, l->root, DMA_RESV_USAGE_WRITE), true);
	lab_blocking_waits_for(l, lab_job(test, l->root, DMA_RESV_USAGE_READ), true);
	/* In no VM, because its handle was closed */
	l->bo->vm_bo = NULL;
	lab_blocking_waits_for(l, lab_job(test, l->root, DMA_RESV_USAGE_WRITE), true);
}

/* Whatever its usage at the BO is */
static void gfx_blocking_waits_for_all_of_the_bo(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	lab_blocking_waits_for(l, lab_job(test, l->bo, DMA_RESV_USAGE_KERNEL), true);
	lab_blocking_waits_for(l, lab_job(test, l->bo, DMA_RESV_USAGE_WRITE), true);
	lab_blocking_waits_for(l, lab_job(test, l->bo, DMA_RESV_USAGE_READ), true);
	lab_blocking_waits_for(l, lab_job(test, l->bo, DMA_RESV_USAGE_BOOKKEEP), true);
}

#include "cases.h"

/* Something else that is in front of what the driver queues */
struct lab_busy {
	struct work_struct work;
	struct completion done;
};

static void lab_busy_work(struct work_struct *work)
{
	wait_for_completion(&container_of(work, struct lab_busy, work)->done);
}

static void lab_begin_busy(struct lab_bo *l, struct lab_busy *busy)
{
	init_completion(&busy->done);
	INIT_WORK_ONSTACK(&busy->work, lab_busy_work);
	queue_work(lab_wq(l->adev), &busy->work);
}

static void lab_end_busy(struct lab_bo *l, struct lab_busy *busy)
{
	complete(&busy->done);
	flush_workqueue(lab_wq(l->adev));
	destroy_work_on_stack(&busy->work);
}

/* By the ioctl */
static struct amdgpu_bo *lab_create(struct lab_bo *l)
{
	struct drm_amdgpu_gem_userptr args = {
		.addr = LAB_START, .size = LAB_END - LAB_START,
		.flags = AMDGPU_GEM_USERPTR_REGISTER,
	};
	int r;

	kref_init(&l->root->tbo.kref);
	lab.created = NULL;
	lab.resource.mem_type = TTM_PL_SYSTEM;
	kthread_use_mm(l->mm);
	r = amdgpu_gem_userptr_ioctl(&l->adev->ddev, &args, &l->filp);
	kthread_unuse_mm(l->mm);
	KUNIT_ASSERT_EQ(l->test, r, 0);
	KUNIT_ASSERT_NOT_NULL(l->test, lab.created);
	return lab.created;
}

/* What the ioctl makes knows its VM. */
static void gfx_created(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct amdgpu_bo *bo = lab_create(l);
	struct lab_busy busy;
	int mm_count;

	KUNIT_EXPECT_PTR_EQ(test, bo->notifier.mm, l->mm);
	/* The VM may be gone before it. */
	KUNIT_EXPECT_PTR_EQ(test, bo->parent, l->root);
	KUNIT_EXPECT_EQ(test, kref_read(&l->root->tbo.base.refcount), 2);

	/* Waits for the jobs of the VM that it was made for */
	l->call.interval = &bo->notifier;
	lab_blocking_waits_for(l, lab_job(test, l->root, DMA_RESV_USAGE_WRITE), true);

	/* User space closes the handle while a job uses it: TTM has to wait. */
	l->call.let_go = lab_signal;
	l->call.arg = lab_job(test, bo, DMA_RESV_USAGE_WRITE);
	amdgpu_gem_object_free(&bo->tbo.base);
	KUNIT_EXPECT_EQ(test, lab.put, 1);
	KUNIT_EXPECT_PTR_EQ(test, bo->notifier.mm, l->mm);
	if (bo->notifier.mm)
		KUNIT_EXPECT_TRUE(test, drivers_blocks(test, &l->call).waited);
	lab_signal(l->call.arg);
	/*
	 * This is what it does then, whoever puts the BO, who may hold locks that
	 * callbacks take. A notifier has a reference of its own.
	 */
	mm_count = atomic_read(&l->mm->mm_count);
	lab_begin_busy(l, &busy);
	bo->tbo.destroy(&bo->tbo);
	/* Time for any other workqueue, which nobody would wait for when the device goes */
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&l->mm->mm_count), mm_count);
	lab_end_busy(l, &busy);
	KUNIT_EXPECT_EQ(test, atomic_read(&l->mm->mm_count), mm_count - 1);
	KUNIT_EXPECT_EQ(test, kref_read(&l->root->tbo.base.refcount), 1);
}

#ifdef LAB_USERPTR_WQ
/* A BO that TTM deletes late, as it was busy when its handle was closed */
struct lab_late {
	struct work_struct work;
	struct amdgpu_bo *bo;
};

static void lab_delete_late(struct work_struct *work)
{
	struct amdgpu_bo *bo = container_of(work, struct lab_late, work)->bo;

	msleep(100);
	/* The workqueue of the driver is gone by then. */
	if (READ_ONCE(lab.released_at_fini) >= 0)
		amdgpu_bo_user_destroy_work(&to_amdgpu_bo_user(bo)->destroy_work);
	else
		bo->tbo.destroy(&bo->tbo);
}

static void lab_released_soon(struct kunit *test)
{
	int i;

	for (i = 0; i < 150 && !READ_ONCE(lab.released); i++)
		msleep(20);
	KUNIT_EXPECT_EQ(test, READ_ONCE(lab.released), 1);
}

/* As the device has it, with its own workqueue, and TTM's, to be destroyed by the caller */
static struct workqueue_struct *lab_bo_init(struct lab_bo *l)
{
	struct workqueue_struct *ttm = alloc_workqueue("lab-ttm", WQ_MEM_RECLAIM | WQ_UNBOUND, 16);

	KUNIT_ASSERT_NOT_NULL(l->test, ttm);
	KUNIT_ASSERT_EQ(l->test, kunit_add_action_or_reset(l->test, lab_destroy_wq, ttm), 0);
	l->adev->mman.bdev.wq = ttm;
	l->adev->mman.userptr_wq = NULL;
	/* The memory types of the aperture are not changed then. */
	l->adev->gmc.is_app_apu = true;
	lab_wq_flags = 0;
	lab_wq_active = -1;
	KUNIT_ASSERT_EQ(l->test, amdgpu_bo_init(l->adev), 0);
	KUNIT_ASSERT_NOT_NULL(l->test, l->adev->mman.userptr_wq);
	/* What is destroyed there frees memory, also when there is none for a new thread. */
	KUNIT_EXPECT_TRUE(l->test, lab_wq_flags & WQ_MEM_RECLAIM);
	/* More at a time than from TTM's: the default, or a number */
	KUNIT_EXPECT_TRUE(l->test, !lab_wq_active || lab_wq_active > 16);
	return ttm;
}

/* When the device goes nobody destroys a BO after its page directories, or its workqueue. */
static void gfx_fini_waits_for_late_deletes(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct workqueue_struct *ttm = lab_bo_init(l);
	struct lab_late late = { .bo = lab_create(l) };

	lab.slow = 100;
	INIT_WORK_ONSTACK(&late.work, lab_delete_late);
	queue_work(ttm, &late.work);
	amdgpu_bo_fini(l->adev);
	KUNIT_EXPECT_EQ(test, lab.released_at_fini, 1);
	flush_workqueue(ttm);
	destroy_work_on_stack(&late.work);
	lab_released_soon(test);
	KUNIT_EXPECT_EQ(test, kref_read(&l->root->tbo.base.refcount), 1);
}

/* The notifier of one process may not be removed for long: that is its own affair. */
static void gfx_destroyed_beside_others(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct amdgpu_bo *bo;
	struct lab_busy busy;

	lab_bo_init(l);
	bo = lab_create(l);
	lab_begin_busy(l, &busy);
	bo->tbo.destroy(&bo->tbo);
	lab_released_soon(test);
	lab_end_busy(l, &busy);
	amdgpu_bo_fini(l->adev);
}

static void gfx_init_without_a_workqueue(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	l->adev->gmc.is_app_apu = true;
	lab_no_workqueue = true;
	KUNIT_EXPECT_EQ(test, amdgpu_bo_init(l->adev), -ENOMEM);
	lab_no_workqueue = false;
	KUNIT_EXPECT_FALSE(test, l->adev->mman.initialized);
}

/* Nothing of the driver's is left then: amdgpu_bo_fini() is not called. */
static void gfx_init_without_ttm(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	l->adev->mman.userptr_wq = NULL;
	l->adev->gmc.is_app_apu = true;
	lab.ttm_error = -ENODEV;
	lab_wqs_destroyed = 0;
	KUNIT_EXPECT_EQ(test, amdgpu_bo_init(l->adev), -ENODEV);
	KUNIT_EXPECT_EQ(test, lab_wqs_destroyed, 1);
	KUNIT_EXPECT_EQ(test, lab.released_at_fini, -1);
}

/* It could not be set up. */
static void gfx_fini_without_ttm(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	l->adev->mman.userptr_wq = NULL;
	amdgpu_bo_fini(l->adev);
	KUNIT_EXPECT_EQ(test, lab.released_at_fini, 0);
}

#define LAB_USERPTR_WQ_CASES				\
	KUNIT_CASE(gfx_fini_waits_for_late_deletes),	\
	KUNIT_CASE(gfx_destroyed_beside_others),	\
	KUNIT_CASE(gfx_init_without_a_workqueue),	\
	KUNIT_CASE(gfx_init_without_ttm),		\
	KUNIT_CASE(gfx_fini_without_ttm),
#else
#define LAB_USERPTR_WQ_CASES
#endif

/* No userptr, so there is nothing to wait for: it is destroyed at once. */
static void gfx_destroyed_without_a_notifier(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct lab_busy busy;
	struct drm_gem_object *obj;
	struct amdgpu_bo *bo;

	lab.resource.mem_type = TTM_PL_SYSTEM;
	KUNIT_ASSERT_EQ(test, amdgpu_gem_object_create(l->adev, LAB_END - LAB_START, 0,
						       AMDGPU_GEM_DOMAIN_CPU, 0,
						       ttm_bo_type_device, NULL, &obj, 1), 0);
	bo = gem_to_amdgpu_bo(obj);
	KUNIT_ASSERT_NULL(test, bo->notifier.mm);
	lab_begin_busy(l, &busy);
	bo->tbo.destroy(&bo->tbo);
	KUNIT_EXPECT_EQ(test, lab.released, 1);
	lab_end_busy(l, &busy);
}

/* Killed processes unmap, too: it must not end because of a signal. */
static bool lab_interruptible;

static const char *lab_fence_name(struct dma_fence *fence);

static signed long lab_move_wait(struct dma_fence *fence, bool intr, signed long timeout)
{
	lab_interruptible = intr;
	dma_fence_signal(fence);
	return timeout;
}

static const struct dma_fence_ops lab_move_ops = {
	.get_driver_name = lab_fence_name,
	.get_timeline_name = lab_fence_name,
	.wait = lab_move_wait,
};

static struct dma_fence *lab_new_fence(struct kunit *test, const struct dma_fence_ops *ops)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence) + sizeof(spinlock_t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fence);
	spin_lock_init((spinlock_t *)(fence + 1));
	dma_fence_init(fence, ops, (spinlock_t *)(fence + 1), dma_fence_context_alloc(1), 1);
	return fence;
}

/* One that says whether a signal would end the wait, once */
static void lab_expect_uninterrupted(struct lab_bo *l, struct amdgpu_bo *bo)
{
	struct dma_fence *move = lab_new_fence(l->test, &lab_move_ops);
	struct dma_resv *resv = bo->tbo.base.resv;

	KUNIT_ASSERT_EQ(l->test, dma_resv_lock(resv, NULL), 0);
	KUNIT_ASSERT_EQ(l->test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, move, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(resv);
	lab_interruptible = true;
	drivers_blocks(l->test, &l->call);
	KUNIT_EXPECT_TRUE(l->test, dma_fence_is_signaled(move));
	KUNIT_EXPECT_FALSE(l->test, lab_interruptible);
	dma_fence_put(move);
}

static void gfx_blocking_is_not_interrupted(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	lab_expect_uninterrupted(l, l->bo);
	lab_expect_uninterrupted(l, l->root);
}

static void cpu_update_is_not_interrupted(struct kunit *test)
{
	static struct dma_fence move;
	static DEFINE_SPINLOCK(lock);
	struct lab_bo *l = lab_gfx(test);
	struct dma_resv *resv = l->root->tbo.base.resv;
	struct amdgpu_vm_update_params params = { .adev = l->adev, .vm = l->vm };

	dma_fence_init(&move, &lab_move_ops, &lock, dma_fence_context_alloc(1), 1);
	/* It is static. */
	dma_fence_get(&move);
	KUNIT_ASSERT_EQ(test, dma_resv_lock(resv, NULL), 0);
	KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, &move, DMA_RESV_USAGE_KERNEL);
	dma_resv_unlock(resv);

	lab_interruptible = false;
	KUNIT_EXPECT_EQ(test, amdgpu_vm_cpu_update(&params, to_amdgpu_bo_vm(l->root),
						   0, 0, 0, 0, 0), 0);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(&move));
	KUNIT_EXPECT_FALSE(test, lab_interruptible);
}

/* Moves and clearing only: to wait for KFD's eviction fence would stop its queues. */
static void cpu_update_waits_for_moves_only(struct kunit *test)
{
	static const enum dma_resv_usage usages[] = {
		DMA_RESV_USAGE_WRITE, DMA_RESV_USAGE_READ, DMA_RESV_USAGE_BOOKKEEP,
	};
	struct lab_bo *l = lab_gfx(test);
	struct dma_resv *resv = l->root->tbo.base.resv;
	struct amdgpu_vm_update_params params = { .adev = l->adev, .vm = l->vm };
	int i;

	for (i = 0; i < ARRAY_SIZE(usages); i++) {
		/* It is signaled if somebody waits for it. */
		struct dma_fence *other = lab_new_fence(test, &lab_move_ops);

		KUNIT_ASSERT_EQ(test, dma_resv_lock(resv, NULL), 0);
		KUNIT_ASSERT_EQ(test, dma_resv_reserve_fences(resv, 1), 0);
		dma_resv_add_fence(resv, other, usages[i]);
		dma_resv_unlock(resv);
		KUNIT_EXPECT_EQ(test, amdgpu_vm_cpu_update(&params, to_amdgpu_bo_vm(l->root),
							   0, 0, 0, 0, 0), 0);
		KUNIT_EXPECT_FALSE(test, dma_fence_is_signaled(other));
		dma_fence_signal(other);
		dma_fence_put(other);
	}
}

static const char *lab_fence_name(struct dma_fence *fence)
{
	return "lab";
}

static signed long lab_fence_wait(struct dma_fence *fence, bool intr,
				  signed long timeout)
{
	return -EIO;
}

static const struct dma_fence_ops lab_fence_ops = {
	.get_driver_name = lab_fence_name,
	.get_timeline_name = lab_fence_name,
	.wait = lab_fence_wait,
};

/* Nothing can be done about it, but it is not silent, and the lock is released. */
static void lab_wait_fails(struct lab_bo *l, struct amdgpu_bo *bo)
{
	struct dma_fence *fence = lab_new_fence(l->test, &lab_fence_ops);
	struct dma_resv *resv = bo->tbo.base.resv;

	KUNIT_ASSERT_EQ(l->test, dma_resv_lock(resv, NULL), 0);
	KUNIT_ASSERT_EQ(l->test, dma_resv_reserve_fences(resv, 1), 0);
	dma_resv_add_fence(resv, fence, DMA_RESV_USAGE_WRITE);
	dma_resv_unlock(resv);

	lab_errors = 0;
	drivers_blocks(l->test, &l->call);
	KUNIT_EXPECT_EQ(l->test, lab_errors, 1);
	KUNIT_EXPECT_FALSE(l->test, mutex_is_locked(&l->adev->notifier_lock));
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

/* Of the BO, and of the VM */
static void gfx_blocking_wait_fails(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	lab_wait_fails(l, l->bo);
	lab_wait_fails(l, l->root);
}

/* ------------------------------------------------------------------ hsa */

static void lab_destroy_vm(void *data)
{
	struct lab_bo *l = data;

	lab.mm = NULL;
	l->vm->is_compute_context = false;
	list_del(&l->mem.validate_list);
	lab_free_range(&l->ttm, l->mem.range);
	amdgpu_amdkfd_gpuvm_destroy_cb(l->adev, l->vm);
	dma_fence_put(l->vm->last_update);
}

static struct lab_bo *lab_hsa(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct dma_fence *ef = NULL;
	struct kfd_process *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	int r;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, amdgpu_vm_make_compute(l->adev, l->vm), 0);
	kthread_use_mm(l->mm);
	r = init_kfd_vm(l->vm, &p->kgd_process_info, &ef);
	kthread_unuse_mm(l->mm);
	KUNIT_ASSERT_EQ(test, r, 0);
	l->info = p->kgd_process_info;
	dma_fence_put(ef);

	l->ttm.pages = &l->page;
	l->ttm.num_pages = 1;
	l->resource.mem_type = TTM_PL_SYSTEM;
	l->bo->tbo.ttm = &l->ttm;
	l->bo->tbo.resource = &l->resource;
	l->bo->kfd_bo = &l->mem;
	mutex_init(&l->mem.lock);
	l->mem.bo = l->bo;
	l->mem.process_info = l->info;
	l->mem.domain = AMDGPU_GEM_DOMAIN_GTT;
	INIT_LIST_HEAD(&l->mem.attachments);
	l->attachment.adev = l->adev;
	l->attachment.bo_va = l->bo_va;
	list_add(&l->attachment.list, &l->mem.attachments);
	list_add(&l->mem.validate_list, &l->info->userptr_valid_list);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, lab_destroy_vm, l), 0);

	l->bo->notifier.mm = l->mm;
	/* Bound, and the queues run */
	lab.running = true;
	drivers_judge(test, "amdgpu_hmm_invalidate_hsa", lab_reach_given_up, NULL);
	l->call.callback = "amdgpu_hmm_invalidate_hsa";
	l->call.interval_ops = &amdgpu_hmm_hsa_ops;
	return l;
}

/* The restore worker, which an eviction queues, may have it for a moment. */
static bool lab_unlocked_soon(struct mutex *lock)
{
	int i;

	for (i = 0; i < 1000 && mutex_is_locked(lock); i++)
		usleep_range(1000, 2000);
	return i < 1000;
}

static void lab_expect_evictions(struct lab_bo *l, int evicted, int invalid)
{
	KUNIT_EXPECT_EQ(l->test, l->info->evicted_bos, evicted);
	KUNIT_EXPECT_EQ(l->test, l->mem.invalid, invalid);
	KUNIT_EXPECT_TRUE(l->test, lab_unlocked_soon(&l->info->notifier_lock));
	KUNIT_EXPECT_TRUE(l->test, lab_unlocked_soon(&l->mem.lock));
}

/* The state after it has refused has to be that before, all of it. */
static void lab_hsa_refuses(struct lab_bo *l, enum drivers_state state)
{
	uint32_t evicted = l->info->evicted_bos, invalid = l->mem.invalid;

	lab_refuses(l, state);
	KUNIT_EXPECT_EQ(l->test, l->bo->notifier.invalidate_seq, 1);
	lab_expect_evictions(l, evicted, invalid);
}

static void hsa_lock_held_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);

	mutex_lock(&l->info->notifier_lock);
	lab_refuses(l, DRIVERS_HELD);
	mutex_unlock(&l->info->notifier_lock);
	lab_expect_evictions(l, 0, 0);
}

static void hsa_running_queues_refuse(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);

	lab_hsa_refuses(l, DRIVERS_BUSY);
	KUNIT_EXPECT_EQ(test, lab.quiesced, 0);
}

/* Nobody knows for sure that they are. */
static void hsa_stopped_queues_refuse(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);

	drivers_blocks(test, &l->call);
	lab_expect_evictions(l, 1, 1);
	l->call.reason = "KFD can't tell for sure that the queues are stopped";
	lab_hsa_refuses(l, DRIVERS_IDLE);
	KUNIT_EXPECT_EQ(test, lab.quiesced, 1);
}

static void hsa_failed_stop_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);

	lab.quiesce_result = -ETIME;
	l->call.hole = "H1";
	drivers_blocks(test, &l->call);
	lab_hsa_refuses(l, DRIVERS_BUSY);
	KUNIT_EXPECT_EQ(test, lab.quiesced, 1);
}

static void hsa_criu_refuses(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);

	amdgpu_amdkfd_block_mmu_notifications(l->info);
	lab_hsa_refuses(l, DRIVERS_BUSY);
}

static void hsa_blocking(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);
	struct drivers_outcome out = drivers_blocks(test, &l->call);

	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_evictions(l, 1, 1);
	KUNIT_EXPECT_EQ(test, lab.quiesced, 1);
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	lab_expect_evictions(l, 2, 2);
	KUNIT_EXPECT_EQ(test, lab.quiesced, 1);
}

static void lab_unlock(void *lock)
{
	mutex_unlock(lock);
}

static void hsa_blocking_waits_for_the_lock(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);
	struct drivers_outcome out;

	mutex_lock(&l->info->notifier_lock);
	l->call.let_go = lab_unlock;
	l->call.arg = &l->info->notifier_lock;
	out = drivers_blocks(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	lab_expect_evictions(l, 1, 1);
}

static void hsa_blocking_after_a_refusal(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);

	lab_hsa_refuses(l, DRIVERS_BUSY);
	drivers_blocks(test, &l->call);
	lab_expect_evictions(l, 1, 1);
	KUNIT_EXPECT_EQ(test, lab.quiesced, 1);
	/* The restore worker brings it all back, in a process that lives. */
	drivers_mm_clear(MMF_UNSTABLE, l->mm);
	flush_delayed_work(&l->info->restore_userptr_work);
	amdgpu_amdkfd_restore_userptr_worker(&l->info->restore_userptr_work.work);
	flush_delayed_work(&l->info->restore_userptr_work);
	lab_expect_evictions(l, 0, 0);
	KUNIT_EXPECT_EQ(test, lab.resumed, 1);
}

/* One that is being reaped can't fault anything in, and was killed: its queues stay evicted. */
static void hsa_reaped_is_not_restored(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);
	unsigned int usage;
	int users;

	drivers_blocks(test, &l->call);
	flush_delayed_work(&l->info->restore_userptr_work);
	users = atomic_read(&l->mm->mm_users);
	usage = refcount_read(&current->usage);
	amdgpu_amdkfd_restore_userptr_worker(&l->info->restore_userptr_work.work);
	KUNIT_EXPECT_EQ(test, lab.resumed, 0);
	KUNIT_EXPECT_EQ(test, lab.faulted, 0);
	KUNIT_EXPECT_FALSE(test, lab.running);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&l->info->restore_userptr_work));
	lab_expect_evictions(l, 1, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&l->mm->mm_users), users);
	KUNIT_EXPECT_EQ(test, refcount_read(&current->usage), usage);
	/* Nothing else has kept it from that. */
	drivers_mm_clear(MMF_UNSTABLE, l->mm);
	amdgpu_amdkfd_restore_userptr_worker(&l->info->restore_userptr_work.work);
	flush_delayed_work(&l->info->restore_userptr_work);
	KUNIT_EXPECT_GT(test, lab.faulted, 0);
	KUNIT_EXPECT_EQ(test, lab.resumed, 1);
	lab_expect_evictions(l, 0, 0);
}

/* The restore worker faults in, maps, and lets the queues run. */
static void hsa_restore_interrupted(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);

	drivers_blocks(test, &l->call);
	flush_delayed_work(&l->info->restore_userptr_work);
	drivers_mm_clear(MMF_UNSTABLE, l->mm);
	l->call.state = DRIVERS_BUSY;
	drivers_path(test, "amdgpu_amdkfd_restore_userptr_worker", &l->call);
	amdgpu_amdkfd_restore_userptr_worker(&l->info->restore_userptr_work.work);
	drivers_path_end(test);
	flush_delayed_work(&l->info->restore_userptr_work);
}

/* munmap() by a thread of the process */
static void hsa_invalidation_interrupted(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);

	l->call.state = DRIVERS_BUSY;
	drivers_path(test, "amdgpu_hmm_invalidate_hsa", &l->call);
	drivers_blocks_here(test, &l->call);
	drivers_path_end(test);
	KUNIT_EXPECT_FALSE(test, lab.running);
	flush_delayed_work(&l->info->restore_userptr_work);
}

static void gfx_invalidation_interrupted(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);

	l->call.state = DRIVERS_BUSY;
	drivers_path(test, "amdgpu_hmm_invalidate_gfx", &l->call);
	drivers_blocks_here(test, &l->call);
	drivers_path_end(test);
}

/* ------------------------------------------ by a process that lives, both */

static void gfx_rehearsed(struct kunit *test)
{
	struct lab_bo *l = lab_gfx(test);
	struct drivers_outcome out;

	drivers_mm_clear(MMF_UNSTABLE, l->mm);
	l->call.let_go = lab_signal;
	l->call.arg = lab_job(test, l->bo, DMA_RESV_USAGE_WRITE);
	out = drivers_rehearses(test, &l->call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_TRUE(test, dma_fence_is_signaled(l->call.arg));

	/* Idle */
	out = drivers_rehearses(test, &l->call);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
}

static void hsa_rehearsed(struct kunit *test)
{
	struct lab_bo *l = lab_hsa(test);

	drivers_mm_clear(MMF_UNSTABLE, l->mm);
	mutex_lock(&l->info->notifier_lock);
	l->call.let_go = lab_unlock;
	l->call.arg = &l->info->notifier_lock;
	KUNIT_EXPECT_TRUE(test, drivers_rehearses(test, &l->call).waited);
	lab_expect_evictions(l, 1, 1);
	KUNIT_EXPECT_EQ(test, lab.quiesced, 1);

	/* The queues are stopped */
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &l->call).waited);
	lab_expect_evictions(l, 2, 2);
	KUNIT_EXPECT_EQ(test, lab.quiesced, 1);
}

static struct kunit_case amdgpu_cases[] = {
	KUNIT_CASE(gfx_lock_held_refuses),
	KUNIT_CASE(gfx_reservation_held_refuses),
	KUNIT_CASE(gfx_idle_refuses),
	KUNIT_CASE(gfx_busy_refuses),
	KUNIT_CASE(gfx_job_without_the_bo_refuses),
	KUNIT_CASE(gfx_cancelled_job_refuses),
	KUNIT_CASE(gfx_reset_pending_refuses),
	KUNIT_CASE(gfx_failed_reset_refuses),
	KUNIT_CASE(gfx_unplugged_refuses),
	KUNIT_CASE(gfx_closed_handle_refuses),
	KUNIT_CASE(gfx_vm_of_kfd_refuses),
	KUNIT_CASE(gfx_blocking_idle),
	KUNIT_CASE(gfx_blocking_waits),
	KUNIT_CASE(gfx_blocking_waits_for_jobs_without_the_bo),
	LAB_BASE_CASES
	KUNIT_CASE(gfx_created),
	LAB_USERPTR_WQ_CASES
	KUNIT_CASE(gfx_destroyed_without_a_notifier),
	KUNIT_CASE(cpu_update_is_not_interrupted),
	KUNIT_CASE(cpu_update_waits_for_moves_only),
	KUNIT_CASE(gfx_blocking_wait_fails),
	KUNIT_CASE(hsa_lock_held_refuses),
	KUNIT_CASE(hsa_running_queues_refuse),
	KUNIT_CASE(hsa_stopped_queues_refuse),
	KUNIT_CASE(hsa_failed_stop_refuses),
	KUNIT_CASE(hsa_criu_refuses),
	KUNIT_CASE(hsa_blocking),
	KUNIT_CASE(hsa_blocking_waits_for_the_lock),
	KUNIT_CASE(hsa_blocking_after_a_refusal),
	KUNIT_CASE(hsa_reaped_is_not_restored),
	KUNIT_CASE(gfx_rehearsed),
	KUNIT_CASE(hsa_rehearsed),
	KUNIT_CASE(gfx_blocking_waits_for_all_of_the_bo),
	KUNIT_CASE(gfx_blocking_is_not_interrupted),
	KUNIT_CASE_PARAM(hsa_restore_interrupted, drivers_points),
	KUNIT_CASE_PARAM(hsa_invalidation_interrupted, drivers_points),
	KUNIT_CASE_PARAM(gfx_invalidation_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(amdgpu, amdgpu_cases);
