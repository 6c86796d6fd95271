/* SPDX-License-Identifier: GPL-2.0-only */
/* What amdgpu.c takes from here is different in other versions of the driver. */

/* The user pages: a range is good as long as nobody sets the sequence. */
int amdgpu_ttm_tt_get_user_pages(struct amdgpu_bo *bo, struct page **pages,
				 struct hmm_range **range)
{
	lab.faulted++;
	drivers_point();
	lab.since = drivers_now();
	*range = kzalloc(sizeof(**range), GFP_KERNEL);
	if (!*range)
		return -ENOMEM;
	(*range)->notifier = &bo->notifier;
	(*range)->notifier_seq = bo->notifier.invalidate_seq;
	drivers_point();
	return 0;
}

bool amdgpu_ttm_tt_get_user_pages_done(struct ttm_tt *ttm,
				       struct hmm_range *range)
{
	bool valid = !mmu_interval_read_retry(range->notifier,
					      range->notifier_seq);

	kfree(range);
	return valid;
}

void amdgpu_ttm_tt_discard_user_pages(struct ttm_tt *ttm,
				      struct hmm_range *range)
{
	kfree(range);
}

#define lab_free_range	amdgpu_ttm_tt_discard_user_pages

static void lab_init_lists(struct amdgpu_vm *vm)
{
	spin_lock_init(&vm->status_lock);
	INIT_LIST_HEAD(&vm->evicted);
	INIT_LIST_HEAD(&vm->evicted_user);
	INIT_LIST_HEAD(&vm->relocated);
	INIT_LIST_HEAD(&vm->moved);
	INIT_LIST_HEAD(&vm->idle);
	INIT_LIST_HEAD(&vm->invalidated);
	INIT_LIST_HEAD(&vm->done);
}
