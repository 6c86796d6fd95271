/* SPDX-License-Identifier: GPL-2.0-only */
/* What amdkfd_svm.c takes from here is different in other versions of the driver. */

uint64_t amdgpu_gem_va_map_flags(struct amdgpu_device *adev, uint32_t flags)
{
	return 0;
}

int amdgpu_hmm_range_get_pages(struct mmu_interval_notifier *notifier, uint64_t start,
			       uint64_t npages, bool readonly, void *owner,
			       struct page **pages, struct hmm_range **phmm_range)
{
	struct hmm_range *range = kzalloc(sizeof(*range), GFP_KERNEL);

	if (!range)
		return -ENOMEM;
	range->hmm_pfns = kvcalloc(npages, sizeof(*range->hmm_pfns), GFP_KERNEL);
	if (!range->hmm_pfns) {
		kfree(range);
		return -ENOMEM;
	}
	svm_look_up(notifier, npages, range);
	*phmm_range = range;
	svm_looked_up();
	return 0;
}

bool amdgpu_hmm_range_get_pages_done(struct hmm_range *range)
{
	bool retry = mmu_interval_read_retry(range->notifier, range->notifier_seq);

	kvfree(range->hmm_pfns);
	kfree(range);
	return retry;
}

void kfd_smi_event_unmap_from_gpu(struct kfd_node *node, pid_t pid, unsigned long address,
				  unsigned long last, uint32_t trigger)
{
}

/* All of it, and the driver thinks so, too */
static bool svm_counts_as_mapped(struct svm_range *prange)
{
	return prange->mapped_to_gpu;
}

static void svm_unmap_from_gpus(struct svm_range *prange, unsigned long start,
				unsigned long last)
{
	svm_range_unmap_from_gpus(prange, start, last, 0);
}

/* The hole that a range of two VMAs goes through while it is mapped */
#define SVM_HALF_MAPPED	"S1"

static void svm_init_gpu(struct amdgpu_device *adev)
{
}
