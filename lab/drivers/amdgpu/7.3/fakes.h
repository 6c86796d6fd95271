/* SPDX-License-Identifier: GPL-2.0-only */
/* What amdgpu.c takes from here is different in other versions of the driver. */

/* The user pages: a range is good as long as nobody sets the sequence. */
int amdgpu_ttm_tt_get_user_pages(struct amdgpu_bo *bo, struct amdgpu_hmm_range *range)
{
	lab.faulted++;
	drivers_point();
	lab.since = drivers_now();
	range->hmm_range.notifier = &bo->notifier;
	range->hmm_range.notifier_seq = bo->notifier.invalidate_seq;
	drivers_point();
	return 0;
}

void amdgpu_ttm_tt_set_user_pages(struct ttm_tt *ttm, struct amdgpu_hmm_range *range)
{
}

static void lab_free_range(struct ttm_tt *ttm, struct amdgpu_hmm_range *range)
{
	amdgpu_hmm_range_free(range);
}

/* Frees a BO that nobody uses any more when it is idle, see gfx_created(). */
void ttm_bo_fini(struct ttm_buffer_object *bo)
{
	lab.put++;
}

static void lab_init_lists(struct amdgpu_vm *vm)
{
	spin_lock_init(&vm->individual_lock);
	spin_lock_init(&vm->stats_lock);
	amdgpu_vm_bo_status_init(&vm->kernel);
	amdgpu_vm_bo_status_init(&vm->always_valid);
	amdgpu_vm_bo_status_init(&vm->individual);
}
