/* SPDX-License-Identifier: GPL-2.0-only */
/* What amdkfd_svm.c takes from here is different in other versions of the driver. */

/* No two of these GPUs are linked. */
bool amdgpu_xgmi_same_hive(struct amdgpu_device *adev, struct amdgpu_device *bo_adev)
{
	return false;
}

bool amdgpu_vm_ready(struct amdgpu_vm *vm)
{
	return true;
}

struct amdgpu_hmm_range *amdgpu_hmm_range_alloc(struct amdgpu_bo *bo)
{
	return kzalloc(sizeof(struct amdgpu_hmm_range), GFP_KERNEL);
}

int amdgpu_hmm_range_get_pages(struct mmu_interval_notifier *notifier, uint64_t start,
			       uint64_t npages, bool readonly, void *owner,
			       struct amdgpu_hmm_range *range)
{
	range->hmm_range.hmm_pfns = kvcalloc(npages, sizeof(*range->hmm_range.hmm_pfns),
					     GFP_KERNEL);
	if (!range->hmm_range.hmm_pfns)
		return -ENOMEM;
	svm_look_up(notifier, npages, &range->hmm_range);
	svm_looked_up();
	return 0;
}

bool amdgpu_hmm_range_valid(struct amdgpu_hmm_range *range)
{
	return range && !mmu_interval_read_retry(range->hmm_range.notifier,
						 range->hmm_range.notifier_seq);
}

void amdgpu_hmm_range_free(struct amdgpu_hmm_range *range)
{
	if (!range)
		return;
	kvfree(range->hmm_range.hmm_pfns);
	kfree(range);
}

void kfd_smi_event_unmap_from_gpu(struct kfd_node *node, struct task_struct *task,
				  unsigned long address, unsigned long last,
				  uint32_t trigger)
{
}

/* All of it, and the driver thinks so, too */
static bool svm_counts_as_mapped(struct svm_range *prange)
{
	return prange->mapping_done && !bitmap_empty(prange->bitmap_mapped, MAX_GPU_INSTANCE);
}

static void svm_unmap_from_gpus(struct svm_range *prange, unsigned long start,
				unsigned long last)
{
	svm_range_unmap_from_gpus(prange, start, last, prange->bitmap_mapped, 0);
}

/* bitmap_mapped knows about each half of it. */
#define SVM_HALF_MAPPED	NULL

static void svm_get_vm_pte(struct amdgpu_device *adev, struct amdgpu_vm *vm,
			   struct amdgpu_bo *bo, uint32_t vm_flags, uint64_t *pte_flags)
{
}

static const struct amdgpu_gmc_funcs svm_gmc_funcs = {
	.get_vm_pte = svm_get_vm_pte,
};

static void svm_init_gpu(struct amdgpu_device *adev)
{
	adev->gmc.gmc_funcs = &svm_gmc_funcs;
}
