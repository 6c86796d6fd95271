/* SPDX-License-Identifier: GPL-2.0-only */

/* The pages that the GPU had are freed, and PFNMAP was told a size that there is not. */
static void migration_leaves_mapped(struct kunit *test)
{
	struct lab_svm *l = lab_svm_with_vram(test);

	lab_fault(test, l, LAB_START, false);
	lab_migrate(test, l, 2);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[0][0].valid);
	KUNIT_EXPECT_NULL(test, lab_gpu.pte[0][0].vram);
	lab_expect_hole(test, l, "N5", 1);
}

/* The GPU has none of these pages, or N5 would keep them, but one beside. */
static void migration_interrupted(struct kunit *test)
{
	struct lab_svm *l = lab_svm_with_vram(test);

	lab_fault(test, l, LAB_START + 3 * PAGE_SIZE, false);
	drivers_path(test, "nouveau_dmem_migrate_vma", &l->all);
	lab_migrate(test, l, 3);
	drivers_path_end(test);
}
