/* SPDX-License-Identifier: GPL-2.0-only */

/* A page that could not be moved: its copy is freed, and mapped. */
static void failed_migration_is_mapped(struct kunit *test)
{
	struct lab_svm *l = lab_svm_with_vram(test);

	lab_move.fails = BIT(1);
	lab_migrate(test, l, 2);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[0][0].valid);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[0][1].valid);
	lab_expect_hole(test, l, "N4", 1);
}

/* The process gives the pages up when they are copied, and the copies are mapped. */
static void overtaken_migration_is_mapped(struct kunit *test)
{
	struct lab_svm *l = lab_svm_with_vram(test);

	lab_move.overtaken = true;
	lab_migrate(test, l, 2);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[0][0].valid);
	KUNIT_EXPECT_TRUE(test, lab_gpu.pte[0][1].valid);
	lab_expect_hole(test, l, "N4", 2);
}

/* The GPU has two pages, gets others instead, and nobody looks what was given up since. */
static void migration_interrupted(struct kunit *test)
{
	struct lab_svm *l = lab_svm_with_vram(test);

	lab_fault(test, l, LAB_START, false);
	lab_fault(test, l, LAB_START + PAGE_SIZE, false);
	l->all.hole = "N4";
	drivers_path(test, "nouveau_dmem_migrate_vma", &l->all);
	lab_migrate(test, l, 3);
	drivers_path_end(test);
}
