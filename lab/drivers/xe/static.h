/* SPDX-License-Identifier: GPL-2.0-only */
/* Static functions of the driver; without the patches these are stubs. */
void __xe_hmm_userptr_unmap(struct xe_userptr_vma *uvma);
bool vma_userptr_try_invalidate(struct xe_vm *vm, struct xe_userptr_vma *uvma,
				unsigned long cur_seq);
