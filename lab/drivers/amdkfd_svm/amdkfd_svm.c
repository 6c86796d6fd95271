// SPDX-License-Identifier: GPL-2.0-only
/*
 * amdkfd's SVM notifier: drivers/gpu/drm/amd/amdkfd/kfd_svm.c
 *
 * Mapping, splitting, evicting and the deferred work are the driver's. The GPUs
 * are two arrays of page table entries, and two of what their TLBs may hold.
 */
#include "drivers.h"
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include "points.h"

static void svm_unlocks(struct mutex *lock);

static __always_inline void svm_mutex_unlock(struct mutex *lock)
{
	svm_unlocks(lock);
	drivers_mutex_unlock(lock);
}

#undef mutex_unlock
#define mutex_unlock(lock)	svm_mutex_unlock(lock)

static void svm_takes_off(struct list_head *entry);

static __always_inline void svm_list_del_init(struct list_head *entry)
{
	svm_takes_off(entry);
	list_del_init(entry);
}

#define list_del_init(entry)	svm_list_del_init(entry)

/* The restore worker looks for the mm of the process; the test thread has none. */
static struct mm_struct *svm_get_task_mm(struct task_struct *task);
#define get_task_mm svm_get_task_mm
#include <drivers/gpu/drm/amd/amdkfd/kfd_svm.c>
#undef get_task_mm
#undef list_del_init

#define SVM_GPUS	2
#define SVM_FIRST	0x40000UL	/* a page number; where three VMAs begin */
#define SVM_PAGES	128UL		/* in all of them */
#define SVM_SECOND	(SVM_FIRST + SVM_PAGES / 2)	/* where the second one begins */
#define SVM_THIRD	(SVM_FIRST + 3 * SVM_PAGES / 4)	/* and the third one */

struct svm_gpu {
	struct kfd_node node;
	struct kfd_process_device pdd;
	struct amdgpu_device *adev;
	struct pci_dev pdev;
	struct amdgpu_fpriv fpriv;
	struct drm_file file;
	bool pte[SVM_PAGES];
	bool tlb[SVM_PAGES];
	/* since when the process has had the pages in there, see drivers.h */
	unsigned long pte_since[SVM_PAGES], tlb_since[SVM_PAGES];
};

struct svm_lab {
	struct kunit *test;
	struct kfd_process p;
	struct mm_struct *mm;
	struct page *page;
	struct amdgpu_reset_domain reset;
	struct svm_gpu gpus[SVM_GPUS];
	/* what was asked of the GPUs */
	int updates, flushes, quiesces, resumes, faults;
	/* the queues of the process do not run */
	bool stopped;
	/* of the pages that were looked up last */
	unsigned long since;
	struct amdkfd_process_info info;
	struct task_struct *task;
	/* the n-th update fails half way if mapping, at once if unmapping */
	int fail_update;
	int fail_flush, fail_quiesce;
	/* a flush returns 0, and has not been done: GPU in reset, another CPU at it */
	bool no_flush;
	/* the job that clears page table entries is cancelled; its fence has an error */
	bool cancel_unmap;
	/* in the n-th call of amdgpu_hmm_range_get_pages(), behind its work */
	int hook_at;
	/* there, and in kgd2kfd_quiesce_mm() before it has done anything */
	void (*hook)(struct svm_lab *lab);
	struct svm_range *hook_range;
	int hooked;
	/* whether this one counted as mapped when its lock was released last */
	struct svm_range *watched;
	bool mapped_at_unlock;
	/* how many children this one has lost, and how many of them with its lock free */
	struct svm_range *parent;
	int taken_off, unlocked;
};

static struct svm_lab *svm_lab;

/* What the driver calls of its other files */
unsigned int amdgpu_svm_default_granularity = 9;
int amdgpu_mtype_local;
int amdgpu_use_xgmi_p2p;

static struct svm_gpu *svm_gpu_of(struct amdgpu_device *adev)
{
	return adev == svm_lab->gpus[0].adev ? &svm_lab->gpus[0] : &svm_lab->gpus[1];
}

int amdgpu_vm_update_range(struct amdgpu_device *adev, struct amdgpu_vm *vm,
			   bool immediate, bool unlocked, bool flush_tlb,
			   bool allow_override, struct amdgpu_sync *sync,
			   uint64_t start, uint64_t last, uint64_t flags,
			   uint64_t offset, uint64_t vram_base,
			   struct ttm_resource *res, dma_addr_t *pages_addr,
			   struct dma_fence **fence)
{
	struct svm_gpu *gpu = svm_gpu_of(adev);
	bool valid = flags & AMDGPU_PTE_VALID, fail = ++svm_lab->updates == svm_lab->fail_update;
	uint64_t page, end = last;

	might_sleep();
	drivers_point();
	if (fail)
		drivers_failure("no memory for a page table update");
	if (fail && !valid)
		return -ENOMEM;
	if (fail)
		end = start + (last - start) / 2;
	if (!valid && svm_lab->cancel_unmap) {
		struct dma_fence *job = drivers_fence(svm_lab->test);

		drivers_failure("job cancelled by a reset");
		dma_fence_set_error(job, -ECANCELED);
		dma_fence_signal(job);
		*fence = dma_fence_get(job);
		return 0;
	}
	for (page = start; page <= end; page++) {
		unsigned long i = page - SVM_FIRST;

		gpu->pte[i] = valid;
		gpu->pte_since[i] = svm_lab->since;
		/* The GPU has used what was mapped. */
		if (valid && !gpu->tlb[i]) {
			gpu->tlb[i] = true;
			gpu->tlb_since[i] = svm_lab->since;
		}
	}
	drivers_point();
	if (fence) {
		dma_fence_put(*fence);
		*fence = dma_fence_get_stub();
	}
	return fail ? -ENOMEM : 0;
}

int amdgpu_vm_update_pdes(struct amdgpu_device *adev, struct amdgpu_vm *vm, bool immediate)
{
	return 0;
}

int amdgpu_vm_flush_compute_tlb(struct amdgpu_device *adev, struct amdgpu_vm *vm,
				uint32_t flush_type, uint32_t xcc_mask)
{
	struct svm_gpu *gpu = svm_gpu_of(adev);

	might_sleep();
	drivers_point();
	svm_lab->flushes++;
	if (svm_lab->fail_flush) {
		drivers_failure("TLB flush timed out");
	} else if (svm_lab->no_flush) {
		drivers_failure("TLB flush skipped, and 0 returned");
	} else {
		memcpy(gpu->tlb, gpu->pte, sizeof(gpu->tlb));
		memcpy(gpu->tlb_since, gpu->pte_since, sizeof(gpu->tlb_since));
	}
	drivers_point();
	return svm_lab->fail_flush;
}

int amdgpu_vm_lock_pd(struct amdgpu_vm *vm, struct drm_exec *exec, unsigned int num_fences)
{
	return 0;
}

int amdgpu_vm_validate(struct amdgpu_device *adev, struct amdgpu_vm *vm,
		       struct ww_acquire_ctx *ticket,
		       int (*callback)(void *p, struct amdgpu_bo *bo), void *param)
{
	return 0;
}

void drm_exec_init(struct drm_exec *exec, u32 flags, unsigned int nr)
{
	exec->num_objects = 1;
}

/* Makes drm_exec_until_all_locked() go round once */
bool drm_exec_cleanup(struct drm_exec *exec)
{
	bool again = exec->num_objects;

	exec->num_objects = 0;
	return again;
}

void drm_exec_fini(struct drm_exec *exec)
{
}

int amdgpu_amdkfd_reserve_mem_limit(struct amdgpu_device *adev, uint64_t size,
				    u32 alloc_flag, int8_t xcp_id)
{
	return 0;
}

void amdgpu_amdkfd_unreserve_mem_limit(struct amdgpu_device *adev, uint64_t size,
				       u32 alloc_flag, int8_t xcp_id)
{
}

int amdgpu_ih_wait_on_checkpoint_process_ts(struct amdgpu_device *adev,
					    struct amdgpu_ih_ring *ih)
{
	return 0;
}

struct kfd_process_device *kfd_bind_process_to_device(struct kfd_node *dev,
						      struct kfd_process *p)
{
	return &container_of(dev, struct svm_gpu, node)->pdd;
}

struct kfd_process *kfd_lookup_process_by_mm(const struct mm_struct *mm)
{
	return mm == svm_lab->mm ? &svm_lab->p : NULL;
}

void kfd_unref_process(struct kfd_process *p)
{
}

int kfd_process_gpuidx_from_gpuid(struct kfd_process *p, uint32_t gpu_id)
{
	return gpu_id;
}

int kgd2kfd_quiesce_mm(struct mm_struct *mm, uint32_t trigger)
{
	might_sleep();
	if (svm_lab->hook && !svm_lab->hook_at)
		svm_lab->hook(svm_lab);
	drivers_point();
	svm_lab->quiesces++;
	if (svm_lab->fail_quiesce)
		drivers_failure("queues could not be stopped");
	else
		svm_lab->stopped = true;
	drivers_point();
	return svm_lab->fail_quiesce;
}

int kgd2kfd_resume_mm(struct mm_struct *mm)
{
	drivers_point();
	svm_lab->resumes++;
	svm_lab->stopped = false;
	drivers_point();
	return 0;
}

void kfd_smi_event_queue_restore_rescheduled(struct mm_struct *mm)
{
}

/* The worker is run by the case, not by the workqueue. */
static struct mm_struct *svm_get_task_mm(struct task_struct *task)
{
	if (!svm_lab || current != svm_lab->task || !mmget_not_zero(svm_lab->mm))
		return NULL;
	return svm_lab->mm;
}

/* What the process has there, for the file that has the rest of the fake */
static void svm_look_up(struct mmu_interval_notifier *notifier, uint64_t npages,
			struct hmm_range *range)
{
	uint64_t i;

	drivers_point();
	range->notifier = notifier;
	range->notifier_seq = mmu_interval_read_begin(notifier);
	svm_lab->since = drivers_now();
	for (i = 0; i < npages; i++)
		range->hmm_pfns[i] = page_to_pfn(svm_lab->page) | HMM_PFN_VALID;
}

static void svm_looked_up(void)
{
	if (++svm_lab->faults == svm_lab->hook_at)
		svm_lab->hook(svm_lab);
	drivers_point();
}

#include "fakes.h"

static void svm_unlocks(struct mutex *lock)
{
	if (svm_lab && svm_lab->watched && lock == &svm_lab->watched->lock)
		svm_lab->mapped_at_unlock = svm_counts_as_mapped(svm_lab->watched);
}

static void svm_takes_off(struct list_head *entry)
{
	struct list_head *child;

	if (!svm_lab || !svm_lab->parent)
		return;
	list_for_each(child, &svm_lab->parent->child_list) {
		if (child != entry)
			continue;
		svm_lab->taken_off++;
		svm_lab->unlocked += !lockdep_is_held(&svm_lab->parent->lock);
	}
}

static u32 svm_get_wptr(struct amdgpu_device *adev, struct amdgpu_ih_ring *ih)
{
	return ih->rptr;
}

static const struct amdgpu_ih_funcs svm_ih_funcs = {
	.get_wptr = svm_get_wptr,
};

static void svm_exit(void *data)
{
	struct svm_lab *lab = data;
	int i;

	lab->hook = NULL;
	svm_range_list_fini(&lab->p);
	for (i = 0; i < SVM_GPUS; i++)
		dma_fence_put(lab->gpus[i].fpriv.vm.last_update);
	put_task_struct(lab->p.lead_thread);
	__free_page(lab->page);
	mmput(lab->mm);
	kvfree(lab);
	svm_lab = NULL;
}

/* The pages that the GPUs can reach though the process has given them up */
static int svm_reach_given_up(void *arg, unsigned long start, unsigned long end)
{
	struct svm_lab *lab = arg;
	int i, gpu, n = 0;

	if (lab->stopped)
		return 0;
	for (gpu = 0; gpu < SVM_GPUS; gpu++) {
		struct svm_gpu *g = &lab->gpus[gpu];

		for (i = 0; i < SVM_PAGES; i++) {
			unsigned long addr = (SVM_FIRST + i) << PAGE_SHIFT;

			if (addr < start || addr >= end)
				continue;
			n += (g->pte[i] && drivers_given_up(addr, g->pte_since[i])) ||
			     (g->tlb[i] && drivers_given_up(addr, g->tlb_since[i]));
		}
	}
	return n;
}

static struct svm_lab *svm_new_lab(struct kunit *test, bool xnack)
{
	unsigned long size = SVM_PAGES / 2 * PAGE_SIZE, at;
	struct svm_lab *lab;
	int i;

	/* Three VMAs side by side. Access differs, so that they stay three. */
	at = kunit_vm_mmap(test, NULL, SVM_FIRST << PAGE_SHIFT, size, PROT_READ | PROT_WRITE,
			   MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0);
	KUNIT_ASSERT_EQ(test, at, SVM_FIRST << PAGE_SHIFT);
	at = kunit_vm_mmap(test, NULL, SVM_SECOND << PAGE_SHIFT, size / 2, PROT_READ,
			   MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0);
	KUNIT_ASSERT_EQ(test, at, SVM_SECOND << PAGE_SHIFT);
	at = kunit_vm_mmap(test, NULL, SVM_THIRD << PAGE_SHIFT, size / 2, PROT_READ | PROT_WRITE,
			   MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0);
	KUNIT_ASSERT_EQ(test, at, SVM_THIRD << PAGE_SHIFT);

	lab = kvzalloc(sizeof(*lab), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lab);
	lab->test = test;
	lab->page = alloc_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, lab->page);
	lab->mm = current->mm;
	mmget(lab->mm);
	init_rwsem(&lab->reset.sem);
	for (i = 0; i < SVM_GPUS; i++) {
		struct svm_gpu *gpu = &lab->gpus[i];

		gpu->adev = kunit_kzalloc(test, sizeof(*gpu->adev), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, gpu->adev);
		device_initialize(&gpu->pdev.dev);
		gpu->pdev.dma_mask = DMA_BIT_MASK(64);
		gpu->pdev.dev.dma_mask = &gpu->pdev.dma_mask;
		gpu->pdev.dev.coherent_dma_mask = DMA_BIT_MASK(64);
		gpu->adev->pdev = &gpu->pdev;
		gpu->adev->dev = &gpu->pdev.dev;
		gpu->adev->reset_domain = &lab->reset;
		gpu->adev->irq.ih_funcs = &svm_ih_funcs;
		gpu->adev->kfd.pgmap.type = MEMORY_DEVICE_PRIVATE;
		svm_init_gpu(gpu->adev);
		gpu->node.adev = gpu->adev;
		gpu->file.driver_priv = &gpu->fpriv;
		gpu->pdd.dev = &gpu->node;
		gpu->pdd.drm_priv = &gpu->file;
		lab->p.pdds[lab->p.n_pdds++] = &gpu->pdd;
	}
	lab->p.mm = lab->mm;
	lab->p.lead_thread = get_task_struct(current);
	lab->p.xnack_enabled = xnack;
	lab->p.kgd_process_info = &lab->info;
	mutex_init(&lab->info.lock);
	lab->task = current;
	svm_lab = lab;
	svm_range_list_init(&lab->p);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, svm_exit, lab), 0);
	drivers_judge(test, "svm_range_cpu_invalidate_pagetables", svm_reach_given_up, lab);
	return lab;
}

/* As svm_range_set_attr() adds one to which all GPUs are given access */
static void svm_insert(struct svm_lab *lab, struct svm_range *prange)
{
	mmap_write_lock(lab->mm);
	mutex_lock(&lab->p.svms.lock);
	svm_range_add_to_svms(prange);
	svm_range_add_notifier_locked(lab->mm, prange);
	mutex_unlock(&lab->p.svms.lock);
	mmap_write_unlock(lab->mm);
}

static struct svm_range *svm_new(struct svm_lab *lab, unsigned long start, unsigned long last)
{
	struct svm_range *prange = svm_range_new(&lab->p.svms, start, last, false);

	KUNIT_ASSERT_NOT_NULL(lab->test, prange);
	bitmap_set(prange->bitmap_access, 0, SVM_GPUS);
	svm_insert(lab, prange);
	return prange;
}

static int svm_map_on(struct svm_lab *lab, struct svm_range *prange, unsigned long start,
		      unsigned long last, int gpuidx)
{
	int r;

	mmap_read_lock(lab->mm);
	mutex_lock(&lab->p.svms.lock);
	mutex_lock(&prange->migrate_mutex);
	/* A fault does not wait for its page tables, see svm_range_restore_pages(). */
	r = svm_range_validate_and_map(lab->mm, start, last, prange, gpuidx, false,
				       !lab->p.xnack_enabled, false);
	mutex_unlock(&prange->migrate_mutex);
	mutex_unlock(&lab->p.svms.lock);
	mmap_read_unlock(lab->mm);
	return r;
}

static int svm_map_part(struct svm_lab *lab, struct svm_range *prange, unsigned long start,
			unsigned long last)
{
	/* with retry faults it is mapped on the GPU that faults */
	return svm_map_on(lab, prange, start, last, lab->p.xnack_enabled ? 0 : MAX_GPU_INSTANCE);
}

static int svm_map(struct svm_lab *lab, struct svm_range *prange)
{
	return svm_map_part(lab, prange, prange->start, prange->last);
}

static struct svm_range *svm_new_mapped(struct svm_lab *lab, unsigned long start,
					unsigned long last)
{
	struct svm_range *prange = svm_new(lab, start, last);

	KUNIT_ASSERT_EQ(lab->test, svm_map(lab, prange), 0);
	KUNIT_ASSERT_TRUE(lab->test, svm_counts_as_mapped(prange));
	lab->updates = 0;
	lab->flushes = 0;
	lab->faults = 0;
	return prange;
}

/* As svm_range_set_attr() asks: need the range not be mapped again? */
static bool svm_attrs_do_nothing(struct svm_lab *lab, struct svm_range *prange, int nattr,
				 struct kfd_ioctl_svm_attribute *attrs)
{
	LIST_HEAD(update);
	LIST_HEAD(insert);
	LIST_HEAD(remove);
	LIST_HEAD(remap);

	lockdep_assert_held(&lab->p.svms.lock);
	KUNIT_ASSERT_EQ(lab->test, svm_range_add(&lab->p, prange->start, prange->npages, nattr,
						 attrs, &update, &insert, &remove, &remap), 0);
	KUNIT_ASSERT_TRUE(lab->test, list_empty(&insert));
	if (list_empty(&update))
		return true;
	KUNIT_EXPECT_PTR_EQ(lab->test, list_first_entry(&update, struct svm_range, update_list),
			    prange);
	list_del_init(&prange->update_list);
	return false;
}

/* With the attributes that it has */
static bool svm_is_mapping_done(struct svm_lab *lab, struct svm_range *prange)
{
	bool done;

	mutex_lock(&lab->p.svms.lock);
	done = svm_attrs_do_nothing(lab, prange, 0, NULL);
	mutex_unlock(&lab->p.svms.lock);
	return done;
}

static void svm_set_same_attrs(struct svm_lab *lab, struct svm_range *prange)
{
	if (!svm_is_mapping_done(lab, prange))
		KUNIT_EXPECT_EQ(lab->test, svm_map(lab, prange), 0);
}

/* How many pages of [start, last] the GPUs can reach */
static int svm_reach(struct svm_lab *lab, unsigned long start, unsigned long last)
{
	unsigned long page;
	int i, n = 0;

	for (i = 0; i < SVM_GPUS; i++)
		for (page = start; page <= last; page++)
			n += lab->gpus[i].pte[page - SVM_FIRST];
	return n;
}

/* How many of them the TLBs may hold */
static int svm_stale(struct svm_lab *lab, unsigned long start, unsigned long last)
{
	unsigned long page;
	int i, n = 0;

	for (i = 0; i < SVM_GPUS; i++)
		for (page = max(start, SVM_FIRST);
		     page <= min(last, SVM_FIRST + SVM_PAGES - 1); page++)
			n += lab->gpus[i].tlb[page - SVM_FIRST];
	return n;
}

static struct drivers_call svm_call(struct svm_lab *lab, struct svm_range *prange,
				    enum drivers_state state, unsigned long start,
				    unsigned long last)
{
	return (struct drivers_call) {
		.callback = "svm_range_cpu_invalidate_pagetables",
		.state = state,
		.interval = &prange->notifier,
		.interval_ops = &svm_range_mn_ops,
		.mm = lab->mm,
		.start = start << PAGE_SHIFT,
		.end = (last + 1) << PAGE_SHIFT,
	};
}

/*
 * Non-blocking calls that are refused, or not, and leave nothing behind. The
 * deferred work may free the range if one does; svms->lock, which is taken before
 * the range's, keeps it from that meanwhile.
 */
static void svm_nonblock(struct svm_lab *lab, struct svm_range *prange,
			 const struct drivers_call *call)
{
	struct svm_range_list *svms = &lab->p.svms;
	int mm_users = atomic_read(&lab->mm->mm_users);
	int reach = svm_reach(lab, SVM_FIRST, SVM_FIRST + SVM_PAGES - 1);
	int evicted = atomic_read(&svms->evicted_ranges);
	int invalid = atomic_read(&prange->invalid);
	int updates = lab->updates, flushes = lab->flushes, quiesces = lab->quiesces;
	bool mapped = svm_counts_as_mapped(prange);
	bool restoring = delayed_work_pending(&svms->restore_work);

	if (call->state != DRIVERS_HELD)
		mutex_lock(&svms->lock);
	/* svm_range_unlock() restores what was saved when it was locked */
	prange->saved_flags = 0;
	if (call->state == DRIVERS_IDLE)
		drivers_succeeds(lab->test, call, true);
	else
		drivers_refuses(lab->test, call);
	if (call->state != DRIVERS_HELD)
		KUNIT_EXPECT_EQ(lab->test, prange->saved_flags, PF_MEMALLOC);

	KUNIT_EXPECT_EQ(lab->test, atomic_read(&lab->mm->mm_users), mm_users);
	KUNIT_EXPECT_TRUE(lab->test, list_empty(&svms->deferred_range_list));
	KUNIT_EXPECT_EQ(lab->test, delayed_work_pending(&svms->restore_work), restoring);
	KUNIT_EXPECT_EQ(lab->test, atomic_read(&svms->evicted_ranges), evicted);
	KUNIT_EXPECT_EQ(lab->test, atomic_read(&prange->invalid), invalid);
	KUNIT_EXPECT_EQ(lab->test, svm_counts_as_mapped(prange), mapped);
	KUNIT_EXPECT_EQ(lab->test, lab->updates, updates);
	KUNIT_EXPECT_EQ(lab->test, lab->flushes, flushes);
	KUNIT_EXPECT_EQ(lab->test, lab->quiesces, quiesces);
	KUNIT_EXPECT_EQ(lab->test, svm_reach(lab, SVM_FIRST, SVM_FIRST + SVM_PAGES - 1), reach);
	if (call->state != DRIVERS_HELD)
		mutex_unlock(&svms->lock);
	flush_work(&svms->deferred_list_work);
}

static void svm_refuses(struct svm_lab *lab, struct svm_range *prange, unsigned long start,
			unsigned long last)
{
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, start, last);

	svm_nonblock(lab, prange, &call);
}

static void svm_succeeds(struct svm_lab *lab, struct svm_range *prange, unsigned long start,
			 unsigned long last)
{
	struct drivers_call call = svm_call(lab, prange, DRIVERS_IDLE, start, last);

	KUNIT_EXPECT_EQ(lab->test, svm_reach(lab, start, last), 0);
	KUNIT_EXPECT_EQ(lab->test, svm_stale(lab, start, last), 0);
	svm_nonblock(lab, prange, &call);
}

static struct drivers_outcome svm_blocks(struct svm_lab *lab, struct svm_range *prange,
					 enum mmu_notifier_event event, unsigned long start,
					 unsigned long last)
{
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BLOCKING, start, last);

	call.event = event;
	return drivers_blocks(lab->test, &call);
}

/* MADV_DONTNEED that goes through a hole of docs/drivers.md: the GPU goes on */
static void svm_blocks_in_vain(struct svm_lab *lab, struct svm_range *prange, const char *hole)
{
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BLOCKING, prange->start,
					    prange->last);

	call.event = MMU_NOTIFY_CLEAR;
	call.hole = hole;
	drivers_blocks(lab->test, &call);
}

static void svm_unlock(void *arg)
{
	mutex_unlock(arg);
}

static void svm_held_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_HELD, SVM_FIRST, SVM_FIRST + 63);

	call.let_go = svm_unlock;
	call.arg = &prange->lock;
	mutex_lock(&prange->lock);
	svm_nonblock(lab, prange, &call);
	/* still, if the callback did not wait */
	if (mutex_is_locked(&prange->lock))
		mutex_unlock(&prange->lock);
	/* and when it is free again */
	svm_succeeds(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

static void svm_never_mapped_succeeds(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_succeeds(lab, prange, SVM_FIRST, SVM_FIRST + 63);
	/* a range that covers more, one that covers less */
	svm_succeeds(lab, prange, SVM_FIRST, SVM_FIRST + SVM_PAGES - 1);
	svm_succeeds(lab, prange, SVM_FIRST + 7, SVM_FIRST + 7);
	KUNIT_EXPECT_TRUE(test, svm_blocks(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST,
					   SVM_FIRST + 63).seq_set);
	KUNIT_EXPECT_EQ(test, lab->quiesces, 0);
}

static void svm_mapped_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 128);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST);
	svm_refuses(lab, prange, SVM_FIRST + 63, SVM_FIRST + 63);
}

static void svm_mapped_xnack_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 64);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

/* What a GPU may only read belongs to somebody else afterwards, too. */
static void svm_mapped_read_only_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_SECOND, SVM_SECOND + 15);

	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_SECOND, SVM_SECOND + 15), 16);
	svm_refuses(lab, prange, SVM_SECOND, SVM_SECOND + 15);
}

/* The reaper of older kernels says that it unmaps */
static void svm_mapped_unmap_event_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, SVM_FIRST, SVM_FIRST + 63);

	call.event = MMU_NOTIFY_UNMAP;
	call.event_set = true;
	svm_nonblock(lab, prange, &call);
}

static void svm_idle_unmap_event_succeeds(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_FIRST, SVM_FIRST + 63);
	/* would split the range */
	struct drivers_call call = svm_call(lab, prange, DRIVERS_IDLE, SVM_FIRST + 8,
					    SVM_FIRST + 9);

	call.event = MMU_NOTIFY_UNMAP;
	call.event_set = true;
	svm_nonblock(lab, prange, &call);
}

#define SVM_ONCE_MAPPED "that the TLBs were flushed is not known for sure"

static void svm_unmapped_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_IDLE, SVM_FIRST, SVM_FIRST + 63);

	/* as migration of the whole range does it */
	svm_blocks(lab, prange, MMU_NOTIFY_MIGRATE, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_EQ(test, svm_stale(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	call.reason = SVM_ONCE_MAPPED;
	drivers_refuses(test, &call);
	/* and when it is mapped again */
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), 0);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

/* The flush returns 0 at once: the GPU is in reset, or another CPU flushes. */
static void svm_skipped_flush_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	lab->no_flush = true;
	svm_blocks_in_vain(lab, prange, "S4");
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_EQ(test, svm_stale(lab, SVM_FIRST, SVM_FIRST + 63), 64);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

/* A reset cancels the job that would have cleared the page table entries. */
static void svm_cancelled_unmap_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	lab->cancel_unmap = true;
	svm_blocks_in_vain(lab, prange, "S4");
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 64);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

static void svm_partly_unmapped_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_blocks(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST + 1, SVM_FIRST + 63);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 1);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

/* Behind munmap() of the middle, before the deferred work has run */
static void svm_split(struct svm_lab *lab, struct svm_range *prange)
{
	svm_range_lock(prange);
	svm_unmap_from_gpus(prange, SVM_FIRST + 32, SVM_FIRST + 39);
	svm_range_unmap_split(prange, prange, SVM_FIRST + 32, SVM_FIRST + 39);
	svm_range_unlock(prange);
	KUNIT_EXPECT_EQ(lab->test, prange->last, SVM_FIRST + 31);
}

static struct svm_range *svm_end_split(struct svm_lab *lab, struct svm_range *prange)
{
	struct svm_range_list *svms = &lab->p.svms;
	struct svm_range *tail;

	svm_range_add_list_work(svms, prange, lab->mm, SVM_OP_UPDATE_RANGE_NOTIFIER);
	schedule_deferred_list_work(svms);
	flush_work(&svms->deferred_list_work);
	mutex_lock(&svms->lock);
	tail = svm_range_from_addr(svms, SVM_FIRST + 40, NULL);
	mutex_unlock(&svms->lock);
	KUNIT_ASSERT_NOT_NULL(lab->test, tail);
	KUNIT_ASSERT_PTR_NE(lab->test, tail, prange);
	KUNIT_EXPECT_TRUE(lab->test, list_empty(&prange->child_list));
	return tail;
}

static void svm_child_mapped_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct svm_range *tail;

	svm_split(lab, prange);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 31);
	svm_refuses(lab, prange, SVM_FIRST + 40, SVM_FIRST + 63);
	tail = svm_end_split(lab, prange);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 31);
	svm_refuses(lab, tail, SVM_FIRST + 40, SVM_FIRST + 63);
}

/* The notifier walks the list with the range's lock, and reclaim has no other. */
static void svm_children_are_taken_off_locked(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_split(lab, prange);
	/* What was unmapped, and what is behind it */
	KUNIT_EXPECT_EQ(test, list_count_nodes(&prange->child_list), 2);
	lab->parent = prange;
	svm_end_split(lab, prange);
	lab->parent = NULL;
	KUNIT_EXPECT_EQ(test, lab->taken_off, 2);
	KUNIT_EXPECT_EQ(test, lab->unlocked, 0);
}

/* Also if neither has ever been mapped: it is split in a moment. */
static void svm_child_never_mapped(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_IDLE, SVM_FIRST + 40,
					    SVM_FIRST + 63);
	struct svm_range *tail;

	svm_split(lab, prange);
	call.reason = "it is being split";
	drivers_refuses(test, &call);
	tail = svm_end_split(lab, prange);
	svm_succeeds(lab, prange, SVM_FIRST, SVM_FIRST + 31);
	svm_succeeds(lab, tail, SVM_FIRST + 40, SVM_FIRST + 63);
}

/* As svm_range_add() does it with a range of which a part gets other attributes */
static void svm_take_out(struct svm_lab *lab, struct svm_range *old)
{
	mutex_lock(&lab->p.svms.lock);
	svm_range_unlink(old);
	svm_range_remove_notifier(old);
	svm_range_free(old, false);
	mutex_unlock(&lab->p.svms.lock);
}

/* What it has instead then */
static void svm_clone_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *old = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct svm_range *new, *tail = NULL;

	new = svm_range_clone(old);
	KUNIT_ASSERT_NOT_NULL(test, new);
	KUNIT_ASSERT_EQ(test, svm_range_split(new, SVM_FIRST, SVM_FIRST + 31, &tail), 0);
	svm_take_out(lab, old);
	svm_insert(lab, new);
	svm_insert(lab, tail);
	svm_refuses(lab, new, SVM_FIRST, SVM_FIRST + 31);
	svm_refuses(lab, tail, SVM_FIRST + 32, SVM_FIRST + 63);
}

/* One that counts as unmapped, and whose TLB was not flushed */
static struct svm_range *svm_new_stale(struct svm_lab *lab)
{
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	lab->no_flush = true;
	svm_blocks_in_vain(lab, prange, "S4");
	KUNIT_ASSERT_FALSE(lab->test, svm_counts_as_mapped(prange));
	return prange;
}

/* Neither part of it is any better. */
static void svm_split_of_stale_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_stale(lab), *tail;

	svm_split(lab, prange);
	tail = svm_end_split(lab, prange);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 31);
	svm_refuses(lab, tail, SVM_FIRST + 40, SVM_FIRST + 63);
}

static void svm_clone_of_stale_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *old = svm_new_stale(lab), *new = svm_range_clone(old);

	KUNIT_ASSERT_NOT_NULL(test, new);
	svm_take_out(lab, old);
	svm_insert(lab, new);
	svm_refuses(lab, new, SVM_FIRST, SVM_FIRST + 63);
}

/* One that was never mapped is not made worse. */
static void svm_clone_of_never_mapped_succeeds(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *old = svm_new(lab, SVM_FIRST, SVM_FIRST + 63);
	struct svm_range *new = svm_range_clone(old);

	KUNIT_ASSERT_NOT_NULL(test, new);
	svm_take_out(lab, old);
	svm_insert(lab, new);
	svm_succeeds(lab, new, SVM_FIRST, SVM_FIRST + 63);
}

/* The second GPU fails half way, and the range counts as not mapped */
static void svm_failed_map_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_FIRST, SVM_FIRST + 63);

	lab->fail_update = 2;
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, svm_counts_as_mapped(prange));
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 96);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

static void svm_failed_first_map_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_FIRST, SVM_FIRST + 63);

	lab->fail_update = 1;
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), -ENOMEM);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 32);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

/* Page tables, or TLBs, keep what could not be unmapped */
static void svm_failed_unmap_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	lab->fail_update = 1;
	svm_blocks_in_vain(lab, prange, "S2");
	KUNIT_EXPECT_FALSE(test, svm_counts_as_mapped(prange));
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 64);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

static void svm_failed_flush_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	lab->fail_flush = -ETIME;
	svm_blocks_in_vain(lab, prange, "S4");
	KUNIT_EXPECT_FALSE(test, svm_counts_as_mapped(prange));
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

/* Of two VMAs the first one is mapped, and the second one is faulted in */
static void svm_hook_refuses(struct svm_lab *lab)
{
	struct svm_range *prange = lab->hook_range;
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, prange->start, prange->last);

	lab->hooked++;
	KUNIT_EXPECT_FALSE(lab->test, svm_counts_as_mapped(prange) && lab->hook_at);
	drivers_refuses(lab->test, &call);
}

static void svm_between_vmas_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_SECOND - 16, SVM_SECOND + 15);

	lab->hook = svm_hook_refuses;
	lab->hook_at = 2;
	lab->hook_range = prange;
	/* the callback has set the sequence, so the second part is faulted in again */
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), -EAGAIN);
	KUNIT_EXPECT_EQ(test, lab->hooked, 1);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_SECOND - 16, SVM_SECOND + 15), 32);
	/* it is left half mapped, and is not called mapped */
	KUNIT_EXPECT_FALSE(test, svm_counts_as_mapped(prange));
	svm_refuses(lab, prange, SVM_SECOND - 16, SVM_SECOND + 15);
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), 0);
	KUNIT_EXPECT_TRUE(test, svm_counts_as_mapped(prange));
}

/*
 * Before the first part is mapped: the pages are going to be mapped for DMA without
 * prange->lock, and stay so if this is tried again.
 */
static void svm_faulting_in_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_FIRST, SVM_FIRST + 63);

	lab->hook = svm_hook_refuses;
	lab->hook_at = 1;
	lab->hook_range = prange;
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), -EAGAIN);
	KUNIT_EXPECT_EQ(test, lab->hooked, 1);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

/* evicted_ranges is 1 by then, but the queues of the process still run */
static void svm_being_evicted_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *first = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 31);
	struct svm_range *second = svm_new_mapped(lab, SVM_FIRST + 32, SVM_FIRST + 63);
	struct mmu_notifier_range range = {
		.mm = lab->mm,
		.start = SVM_FIRST << PAGE_SHIFT,
		.end = (SVM_FIRST + 32) << PAGE_SHIFT,
		.flags = MMU_NOTIFIER_RANGE_BLOCKABLE,
		.event = MMU_NOTIFY_CLEAR,
	};

	lab->hook = svm_hook_refuses;
	lab->hook_range = second;
	KUNIT_EXPECT_TRUE(test, svm_range_mn_ops.invalidate(&first->notifier, &range, 1));
	KUNIT_EXPECT_EQ(test, lab->hooked, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->p.svms.evicted_ranges), 1);
}

/* Neither does it say that they were stopped */
static void svm_failed_eviction_refuses(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	lab->fail_quiesce = -ETIME;
	svm_blocks_in_vain(lab, prange, "S5");
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->p.svms.evicted_ranges), 1);
	cancel_delayed_work_sync(&lab->p.svms.restore_work);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

static void svm_blocking_waits(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BLOCKING, SVM_FIRST,
					    SVM_FIRST + 63);
	struct drivers_outcome out;

	call.event = MMU_NOTIFY_CLEAR;
	call.let_go = svm_unlock;
	call.arg = &prange->lock;
	mutex_lock(&prange->lock);
	out = drivers_blocks(test, &call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_EQ(test, lab->quiesces, 1);
}

static void svm_blocking_evicts(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	KUNIT_EXPECT_TRUE(test, svm_blocks(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST,
					   SVM_FIRST + 7).seq_set);
	KUNIT_EXPECT_EQ(test, lab->quiesces, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->p.svms.evicted_ranges), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&prange->invalid), 1);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 128);
}

static void svm_blocking_unmaps(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	mutex_lock(&lab->p.svms.lock);
	svm_blocks(lab, prange, MMU_NOTIFY_UNMAP, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_EQ(test, prange->work_item.op, SVM_OP_UNMAP_RANGE);
	mutex_unlock(&lab->p.svms.lock);
	flush_work(&lab->p.svms.deferred_list_work);
	KUNIT_EXPECT_TRUE(test, list_empty(&lab->p.svms.list));
}

static void svm_refused_then_blocking(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
	svm_blocks(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_EXPECT_EQ(test, lab->quiesces, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->p.svms.evicted_ranges), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&prange->invalid), 1);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 128);

	mutex_lock(&lab->p.svms.lock);
	svm_blocks(lab, prange, MMU_NOTIFY_UNMAP, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	mutex_unlock(&lab->p.svms.lock);
	flush_work(&lab->p.svms.deferred_list_work);
	KUNIT_EXPECT_TRUE(test, list_empty(&lab->p.svms.list));
}

static void svm_release_ignored(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_outcome out;

	mutex_lock(&prange->lock);
	out = svm_blocks(lab, prange, MMU_NOTIFY_RELEASE, SVM_FIRST, SVM_FIRST + 63);
	mutex_unlock(&prange->lock);
	KUNIT_EXPECT_FALSE(test, out.waited);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 128);
}

/* By a process that lives: stops the queues as without a rehearsal */
static void rehearsed(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BLOCKING, SVM_FIRST,
					    SVM_FIRST + 63);
	struct drivers_outcome out;

	call.event = MMU_NOTIFY_CLEAR;
	call.let_go = svm_unlock;
	call.arg = &prange->lock;
	mutex_lock(&prange->lock);
	out = drivers_rehearses(test, &call);
	KUNIT_EXPECT_TRUE(test, out.waited);
	KUNIT_EXPECT_TRUE(test, out.seq_set);
	KUNIT_EXPECT_EQ(test, lab->quiesces, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->p.svms.evicted_ranges), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&prange->invalid), 1);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 128);
}

/* munmap(); svms->lock keeps the deferred work from freeing the range. */
static void rehearsed_unmap(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BLOCKING, SVM_FIRST,
					    SVM_FIRST + 63);

	mutex_lock(&lab->p.svms.lock);
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_EQ(test, prange->work_item.op, SVM_OP_UNMAP_RANGE);
	mutex_unlock(&lab->p.svms.lock);
	flush_work(&lab->p.svms.deferred_list_work);
	KUNIT_EXPECT_TRUE(test, list_empty(&lab->p.svms.list));
	KUNIT_EXPECT_EQ(test, lab->quiesces, 0);
}

static void rehearsed_idle(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BLOCKING, SVM_FIRST,
					    SVM_FIRST + 63);

	call.event = MMU_NOTIFY_CLEAR;
	KUNIT_EXPECT_FALSE(test, drivers_rehearses(test, &call).waited);
	KUNIT_EXPECT_EQ(test, lab->quiesces, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->p.svms.evicted_ranges), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&prange->invalid), 0);
}

/* ------------------------------------------------------ the restore worker */

static struct svm_range *svm_new_evicted(struct svm_lab *lab)
{
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_blocks(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_ASSERT_TRUE(lab->test, lab->stopped);
	/* The workqueue's does nothing, see svm_get_task_mm(). */
	flush_delayed_work(&lab->p.svms.restore_work);
	return prange;
}

static void svm_restore(struct svm_lab *lab)
{
	svm_range_restore_work(&lab->p.svms.restore_work.work);
}

static void svm_restores(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_evicted(lab);
	int mm_users = atomic_read(&lab->mm->mm_users);

	svm_restore(lab);
	KUNIT_EXPECT_EQ(test, lab->resumes, 1);
	KUNIT_EXPECT_FALSE(test, lab->stopped);
	KUNIT_EXPECT_EQ(test, lab->faults, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->p.svms.evicted_ranges), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&prange->invalid), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->mm->mm_users), mm_users);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&lab->p.svms.restore_work));
}

/* Again and again would keep the reaper out; the queues stay as they are. */
static void svm_restore_of_a_reaped_process_ends(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_evicted(lab);
	int mm_users = atomic_read(&lab->mm->mm_users);

	drivers_mm_set(MMF_UNSTABLE, lab->mm);
	svm_restore(lab);
	drivers_mm_clear(MMF_UNSTABLE, lab->mm);
	KUNIT_EXPECT_EQ(test, lab->resumes, 0);
	KUNIT_EXPECT_TRUE(test, lab->stopped);
	KUNIT_EXPECT_EQ(test, lab->faults, 0);
	KUNIT_EXPECT_EQ(test, lab->updates, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->p.svms.evicted_ranges), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&prange->invalid), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&lab->mm->mm_users), mm_users);
	KUNIT_EXPECT_FALSE(test, delayed_work_pending(&lab->p.svms.restore_work));
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&lab->info.lock));
}

/* As mprotect() does it, without the notifiers: nothing is zapped in the test. */
static void svm_protect(struct svm_lab *lab, unsigned long page, bool readable)
{
	struct vm_area_struct *vma;

	mmap_write_lock(lab->mm);
	vma = find_vma(lab->mm, page << PAGE_SHIFT);
	if (vma && readable)
		vm_flags_set(vma, VM_READ | VM_WRITE);
	else if (vma)
		vm_flags_clear(vma, VM_READ | VM_WRITE);
	mmap_write_unlock(lab->mm);
	KUNIT_ASSERT_NOT_NULL(lab->test, vma);
}

/* The notifier stops the queues, and the worker maps what it can before they run again. */
static void svm_evict_and_restore(struct svm_lab *lab, struct svm_range *prange,
				  enum mmu_notifier_event event, unsigned long start,
				  unsigned long last)
{
	svm_blocks(lab, prange, event, start, last);
	KUNIT_ASSERT_TRUE(lab->test, lab->stopped);
	flush_delayed_work(&lab->p.svms.restore_work);
	svm_restore(lab);
	KUNIT_EXPECT_FALSE(lab->test, lab->stopped);
}

/*
 * Memory that the process can't read any more can't be mapped, either. When the
 * queues are resumed it must not be mapped still.
 */
static void svm_unreadable(struct kunit *test, unsigned long page)
{
	unsigned long first = SVM_SECOND - 16, last = SVM_SECOND + 15;
	unsigned long start = page < SVM_SECOND ? first : SVM_SECOND;
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, first, last);

	svm_protect(lab, page, false);
	svm_evict_and_restore(lab, prange, MMU_NOTIFY_CLEAR, start, start + 15);
	KUNIT_EXPECT_EQ(test, lab->resumes, 1);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, start, start + 15), 0);
	KUNIT_EXPECT_EQ(test, svm_stale(lab, start, start + 15), 0);
	/* the other one is there, on both GPUs */
	KUNIT_EXPECT_EQ(test, svm_reach(lab, first, last), 32);
	KUNIT_EXPECT_FALSE(test, svm_is_mapping_done(lab, prange));
	drivers_look(test);
}

static void svm_unreadable_tail_is_unmapped(struct kunit *test)
{
	svm_unreadable(test, SVM_SECOND);
}

static void svm_unreadable_head_is_unmapped(struct kunit *test)
{
	svm_unreadable(test, SVM_FIRST);
}

/* All of the range, and then it is readable again: nobody but the notifier maps it. */
static void svm_readable_again_is_mapped(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_protect(lab, SVM_FIRST, false);
	svm_evict_and_restore(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_EQ(test, svm_stale(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_FALSE(test, svm_is_mapping_done(lab, prange));
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);

	svm_protect(lab, SVM_FIRST, true);
	svm_evict_and_restore(lab, prange, MMU_NOTIFY_PROTECTION_VMA, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_EXPECT_EQ(test, lab->resumes, 2);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 128);
	KUNIT_EXPECT_TRUE(test, svm_counts_as_mapped(prange));
}

/*
 * The second VMA is unreadable before the range is mapped: the first one is mapped
 * all the same, and has to be invalidated.
 */
static void svm_unreadable_tail_from_the_start(struct kunit *test, bool xnack,
					       enum mmu_notifier_event event)
{
	unsigned long first = SVM_SECOND - 16, last = SVM_SECOND + 15;
	struct svm_lab *lab = svm_new_lab(test, xnack);
	struct svm_range *prange = svm_new(lab, first, last);

	svm_protect(lab, SVM_SECOND, false);
	KUNIT_ASSERT_EQ(test, svm_map(lab, prange), 0);
	KUNIT_EXPECT_GE(test, svm_reach(lab, first, SVM_SECOND - 1), 16);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_SECOND, last), 0);
	svm_refuses(lab, prange, first, last);
	svm_blocks(lab, prange, event, first, SVM_SECOND - 1);
	if (!lab->stopped)
		KUNIT_EXPECT_EQ(test, svm_reach(lab, first, last), 0);
	flush_work(&lab->p.svms.deferred_list_work);
	flush_delayed_work(&lab->p.svms.restore_work);
}

static void svm_unreadable_tail_head_cleared(struct kunit *test)
{
	svm_unreadable_tail_from_the_start(test, false, MMU_NOTIFY_CLEAR);
}

static void svm_unreadable_tail_head_cleared_xnack(struct kunit *test)
{
	svm_unreadable_tail_from_the_start(test, true, MMU_NOTIFY_CLEAR);
}

static void svm_unreadable_tail_head_unmapped(struct kunit *test)
{
	svm_unreadable_tail_from_the_start(test, false, MMU_NOTIFY_UNMAP);
}

/* Nothing is mapped, and that may be tried again with the same attributes. */
static void svm_unreadable_is_not_mapped(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_SECOND, SVM_SECOND + 15);

	svm_protect(lab, SVM_SECOND, false);
	KUNIT_ASSERT_EQ(test, svm_map(lab, prange), 0);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_SECOND, SVM_SECOND + 15), 0);
	KUNIT_EXPECT_FALSE(test, svm_counts_as_mapped(prange));
	KUNIT_EXPECT_EQ(test, lab->updates, 0);
	svm_succeeds(lab, prange, SVM_SECOND, SVM_SECOND + 15);
}

/* Nobody has touched the unreadable part: mprotect() changes no PTE, and calls nobody. */
static void svm_readable_tail_is_mapped_by_the_same_attrs(struct kunit *test)
{
	unsigned long first = SVM_SECOND - 16, last = SVM_SECOND + 15;
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, first, last);

	svm_protect(lab, SVM_SECOND, false);
	KUNIT_ASSERT_EQ(test, svm_map(lab, prange), 0);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, first, last), 32);
	svm_protect(lab, SVM_SECOND, true);
	svm_set_same_attrs(lab, prange);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, first, last), 64);
	/* once */
	KUNIT_EXPECT_TRUE(test, svm_is_mapping_done(lab, prange));
}

/* The same if it was mapped, and freed while it was unreadable: S9 */
static void svm_freed_while_unreadable_is_mapped_by_the_same_attrs(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_protect(lab, SVM_FIRST, false);
	svm_evict_and_restore(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST, SVM_FIRST + 63);
	svm_protect(lab, SVM_FIRST, true);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	svm_set_same_attrs(lab, prange);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 128);
	KUNIT_EXPECT_TRUE(test, svm_is_mapping_done(lab, prange));
}

/* What comes of a range when attributes of a part of it change */
static void svm_clone_and_split(struct kunit *test, bool unreadable)
{
	unsigned long first = SVM_SECOND - 16, last = SVM_SECOND + 15;
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *old = svm_new(lab, first, last), *new, *tail = NULL;

	if (unreadable)
		svm_protect(lab, SVM_SECOND, false);
	KUNIT_ASSERT_EQ(test, svm_map(lab, old), 0);
	new = svm_range_clone(old);
	KUNIT_ASSERT_NOT_NULL(test, new);
	KUNIT_ASSERT_EQ(test, svm_range_split(new, first, SVM_SECOND - 1, &tail), 0);
	svm_take_out(lab, old);
	svm_insert(lab, new);
	svm_insert(lab, tail);
	KUNIT_EXPECT_EQ(test, svm_is_mapping_done(lab, new), !unreadable);
	KUNIT_EXPECT_EQ(test, svm_is_mapping_done(lab, tail), !unreadable);
}

static void svm_parts_of_unreadable_are_mapped_by_the_same_attrs(struct kunit *test)
{
	svm_clone_and_split(test, true);
}

static void svm_parts_of_mapped_are_not_mapped_again(struct kunit *test)
{
	svm_clone_and_split(test, false);
}

/* Mapped before, and half of it again: munmap() of a part now would copy what it says. */
static void svm_hook_is_not_done(struct svm_lab *lab)
{
	lab->hooked++;
	KUNIT_EXPECT_FALSE(lab->test, svm_attrs_do_nothing(lab, lab->hook_range, 0, NULL));
}

static void svm_half_mapped_again_is_not_done(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_SECOND - 16, SVM_SECOND + 15);

	lab->hook = svm_hook_is_not_done;
	lab->hook_at = 2;
	lab->hook_range = prange;
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), 0);
	KUNIT_EXPECT_EQ(test, lab->hooked, 1);
	KUNIT_EXPECT_TRUE(test, svm_is_mapping_done(lab, prange));
	/* Nor if it fails in the end */
	lab->fail_update = lab->updates + 3;
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, svm_is_mapping_done(lab, prange));
}

/* With others it is, mapped or not. */
static void svm_other_attrs_are_applied(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct kfd_ioctl_svm_attribute attr = {
		.type = KFD_IOCTL_SVM_ATTR_GRANULARITY, .value = prange->granularity,
	};

	mutex_lock(&lab->p.svms.lock);
	KUNIT_EXPECT_TRUE(test, svm_attrs_do_nothing(lab, prange, 1, &attr));
	attr.value++;
	KUNIT_EXPECT_FALSE(test, svm_attrs_do_nothing(lab, prange, 1, &attr));
	mutex_unlock(&lab->p.svms.lock);
}

/* A fault in a part that ends with what is unreadable: nothing behind it is unmapped. */
static void svm_unreadable_ends_with_its_vma(struct kunit *test)
{
	unsigned long first = SVM_SECOND - 16, last = SVM_SECOND + 15;
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, first, last);

	svm_protect(lab, SVM_FIRST, false);
	KUNIT_EXPECT_EQ(test, svm_map_part(lab, prange, first, SVM_SECOND - 1), 0);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, first, SVM_SECOND - 1), 0);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_SECOND, last), 16);
}

/*
 * A fault of one GPU in what is readable: the page tables of the other one are not
 * reserved, and may be evicted. The notifier has unmapped from it what is unreadable.
 */
static void svm_unreadable_is_unmapped_where_it_faults(struct kunit *test)
{
	unsigned long first = SVM_SECOND - 16, last = SVM_SECOND + 15;
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, first, last);

	KUNIT_ASSERT_EQ(test, svm_map_on(lab, prange, first, last, 1), 0);
	KUNIT_ASSERT_EQ(test, svm_reach(lab, first, last), 64);
	svm_protect(lab, SVM_SECOND, false);
	svm_blocks(lab, prange, MMU_NOTIFY_PROTECTION_VMA, SVM_SECOND, last);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_SECOND, last), 0);

	/* The first one maps, the second one unmaps. */
	lab->updates = 0;
	lab->fail_update = 3;
	KUNIT_EXPECT_EQ(test, svm_map_on(lab, prange, first, last, 0), 0);
	KUNIT_EXPECT_EQ(test, lab->updates, 2);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, first, SVM_SECOND - 1), 32);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_SECOND, last), 0);
}

/* munmap() has split it meanwhile: what is a child by now is not its own any more. */
static void svm_unreadable_beside_a_child(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_split(lab, prange);
	svm_protect(lab, SVM_FIRST, false);
	KUNIT_EXPECT_EQ(test, svm_map_part(lab, prange, SVM_FIRST, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 31), 0);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST + 40, SVM_FIRST + 63), 48);
	svm_end_split(lab, prange);
}

/* ------------------------------------- what only this version of the driver has */

#include "cases.h"

/* What is unreadable can't be unmapped: the queues must not run, and it is tried again. */
static void svm_unreadable_is_not_unmapped(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_protect(lab, SVM_FIRST, false);
	svm_blocks(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_ASSERT_TRUE(test, lab->stopped);
	flush_delayed_work(&lab->p.svms.restore_work);
	/* On the second GPU */
	lab->fail_update = lab->updates + 2;
	svm_restore(lab);
	KUNIT_EXPECT_EQ(test, lab->resumes, 0);
	KUNIT_EXPECT_TRUE(test, lab->stopped);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 64);
	svm_expect_half_unmapped(lab, prange);
	cancel_delayed_work_sync(&lab->p.svms.restore_work);
	svm_restore(lab);
	KUNIT_EXPECT_EQ(test, lab->resumes, 1);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_EQ(test, svm_stale(lab, SVM_FIRST, SVM_FIRST + 63), 0);
}

/* ------------------------------------------------------- paths, interrupted */

/* Two VMAs; while the first one is mapped a blocking call does not see it. */
static void svm_map_interrupted(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_SECOND - 16, SVM_SECOND + 15);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, prange->start, prange->last);

	call.event = MMU_NOTIFY_CLEAR;
	call.hole = SVM_HALF_MAPPED;
	drivers_path(test, "svm_range_validate_and_map", &call);
	svm_map(lab, prange);
	drivers_path_end(test);
}

/* A fault of one GPU */
static void svm_map_xnack_interrupted(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new(lab, SVM_FIRST, SVM_FIRST + 31);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, prange->start, prange->last);

	call.event = MMU_NOTIFY_CLEAR;
	drivers_path(test, "svm_range_validate_and_map, retry faults", &call);
	svm_map(lab, prange);
	drivers_path_end(test);
}

static void svm_restore_interrupted(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_evicted(lab);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, prange->start, prange->last);

	call.event = MMU_NOTIFY_CLEAR;
	call.hole = SVM_HALF_MAPPED;
	drivers_path(test, "svm_range_restore_work", &call);
	svm_restore(lab);
	drivers_path_end(test);
	flush_delayed_work(&lab->p.svms.restore_work);
}

/* munmap() by a thread of the process */
static void svm_unmap_interrupted(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, prange->start, prange->last);

	call.event = MMU_NOTIFY_CLEAR;
	drivers_path(test, "svm_range_cpu_invalidate_pagetables, retry faults", &call);
	drivers_blocks_here(test, &call);
	drivers_path_end(test);
}

static void svm_evict_interrupted(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, prange->start, prange->last);

	call.event = MMU_NOTIFY_CLEAR;
	drivers_path(test, "svm_range_cpu_invalidate_pagetables", &call);
	drivers_blocks_here(test, &call);
	drivers_path_end(test);
	flush_delayed_work(&lab->p.svms.restore_work);
}

/* What munmap() has split off becomes ranges. */
static void svm_deferred_work_interrupted(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, SVM_FIRST, SVM_FIRST + 31);

	svm_split(lab, prange);
	svm_range_add_list_work(&lab->p.svms, prange, lab->mm, SVM_OP_UPDATE_RANGE_NOTIFIER);
	call.event = MMU_NOTIFY_CLEAR;
	drivers_path(test, "svm_range_deferred_list_work", &call);
	svm_range_deferred_list_work(&lab->p.svms.deferred_list_work);
	drivers_path_end(test);
	KUNIT_EXPECT_TRUE(test, list_empty(&prange->child_list));
}

static struct kunit_case svm_cases[] = {
	KUNIT_CASE(svm_held_refuses),
	KUNIT_CASE(svm_never_mapped_succeeds),
	KUNIT_CASE(svm_mapped_refuses),
	KUNIT_CASE(svm_mapped_xnack_refuses),
	KUNIT_CASE(svm_mapped_read_only_refuses),
	KUNIT_CASE(svm_mapped_unmap_event_refuses),
	KUNIT_CASE(svm_idle_unmap_event_succeeds),
	KUNIT_CASE(svm_unmapped_refuses),
	KUNIT_CASE(svm_skipped_flush_refuses),
	KUNIT_CASE(svm_cancelled_unmap_refuses),
	KUNIT_CASE(svm_partly_unmapped_refuses),
	KUNIT_CASE(svm_child_mapped_refuses),
	KUNIT_CASE(svm_children_are_taken_off_locked),
	KUNIT_CASE(svm_child_never_mapped),
	KUNIT_CASE(svm_clone_refuses),
	KUNIT_CASE(svm_split_of_stale_refuses),
	KUNIT_CASE(svm_clone_of_stale_refuses),
	KUNIT_CASE(svm_clone_of_never_mapped_succeeds),
	KUNIT_CASE(svm_failed_map_refuses),
	KUNIT_CASE(svm_failed_first_map_refuses),
	KUNIT_CASE(svm_failed_unmap_refuses),
	KUNIT_CASE(svm_failed_flush_refuses),
	KUNIT_CASE(svm_unreadable_is_not_unmapped),
	SVM_BASE_CASES
	KUNIT_CASE(svm_between_vmas_refuses),
	KUNIT_CASE(svm_faulting_in_refuses),
	KUNIT_CASE(svm_being_evicted_refuses),
	KUNIT_CASE(svm_failed_eviction_refuses),
	KUNIT_CASE(svm_blocking_waits),
	KUNIT_CASE(svm_blocking_evicts),
	KUNIT_CASE(svm_blocking_unmaps),
	KUNIT_CASE(svm_refused_then_blocking),
	KUNIT_CASE(svm_release_ignored),
	KUNIT_CASE(rehearsed),
	KUNIT_CASE(rehearsed_unmap),
	KUNIT_CASE(rehearsed_idle),
	KUNIT_CASE(svm_restores),
	KUNIT_CASE(svm_restore_of_a_reaped_process_ends),
	KUNIT_CASE(svm_unreadable_tail_is_unmapped),
	KUNIT_CASE(svm_unreadable_head_is_unmapped),
	KUNIT_CASE(svm_readable_again_is_mapped),
	KUNIT_CASE(svm_unreadable_tail_head_cleared),
	KUNIT_CASE(svm_unreadable_tail_head_cleared_xnack),
	KUNIT_CASE(svm_unreadable_tail_head_unmapped),
	KUNIT_CASE(svm_unreadable_is_not_mapped),
	KUNIT_CASE(svm_readable_tail_is_mapped_by_the_same_attrs),
	KUNIT_CASE(svm_freed_while_unreadable_is_mapped_by_the_same_attrs),
	KUNIT_CASE(svm_parts_of_unreadable_are_mapped_by_the_same_attrs),
	KUNIT_CASE(svm_parts_of_mapped_are_not_mapped_again),
	KUNIT_CASE(svm_half_mapped_again_is_not_done),
	KUNIT_CASE(svm_other_attrs_are_applied),
	KUNIT_CASE(svm_unreadable_ends_with_its_vma),
	KUNIT_CASE(svm_unreadable_is_unmapped_where_it_faults),
	KUNIT_CASE(svm_unreadable_beside_a_child),
	KUNIT_CASE_PARAM(svm_map_interrupted, drivers_points),
	KUNIT_CASE_PARAM(svm_map_xnack_interrupted, drivers_points),
	KUNIT_CASE_PARAM(svm_restore_interrupted, drivers_points),
	KUNIT_CASE_PARAM(svm_unmap_interrupted, drivers_points),
	KUNIT_CASE_PARAM(svm_evict_interrupted, drivers_points),
	KUNIT_CASE_PARAM(svm_deferred_work_interrupted, drivers_points),
	{}
};

DRIVERS_SUITE(amdkfd_svm, svm_cases);
