/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases of this version of the driver alone, see SVM_BASE_CASES */

/* A GPU that was denied access keeps its page table entries */
static void svm_no_access_refuses(struct kunit *test)
{
	struct kfd_ioctl_svm_attribute attrs[SVM_GPUS] = {
		{ .type = KFD_IOCTL_SVM_ATTR_NO_ACCESS, .value = 0 },
		{ .type = KFD_IOCTL_SVM_ATTR_NO_ACCESS, .value = 1 },
	};
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	bool update = false;

	svm_range_apply_attrs(&lab->p, prange, SVM_GPUS, attrs, &update);
	svm_blocks_in_vain(lab, prange, "S3");
	KUNIT_EXPECT_FALSE(test, svm_counts_as_mapped(prange));
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 64);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
}

/* The part behind what is unreadable can't be mapped: that is tried again. */
static void svm_failure_behind_unreadable(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_SECOND - 16, SVM_THIRD + 15);

	svm_protect(lab, SVM_SECOND, false);
	/* Both GPUs have the part in front of it by then. */
	lab->fail_update = 3;
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, svm_counts_as_mapped(prange));
	svm_refuses(lab, prange, SVM_SECOND - 16, SVM_THIRD + 15);
}

/* Unmapping it from the second GPU has failed. */
static void svm_expect_half_unmapped(struct svm_lab *lab, struct svm_range *prange)
{
	KUNIT_EXPECT_TRUE(lab->test, svm_counts_as_mapped(prange));
	KUNIT_EXPECT_FALSE(lab->test, svm_is_mapping_done(lab, prange));
}

/* An invalidation that waits for the lock finds that it counts as mapped. */
static void svm_unreadable_tail_counts_at_once(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new(lab, SVM_SECOND - 16, SVM_SECOND + 15);

	svm_protect(lab, SVM_SECOND, false);
	lab->watched = prange;
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), 0);
	lab->watched = NULL;
	KUNIT_EXPECT_TRUE(test, svm_counts_as_mapped(prange));
	KUNIT_EXPECT_TRUE(test, lab->mapped_at_unlock);
}

/* Unmapped before it became unreadable: nothing is left that would have to be mapped. */
static void svm_unreadable_after_unmap_is_not_mapped(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_blocks(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_EXPECT_FALSE(test, svm_counts_as_mapped(prange));
	KUNIT_EXPECT_FALSE(test, svm_is_mapping_done(lab, prange));
	svm_protect(lab, SVM_FIRST, false);
	KUNIT_EXPECT_EQ(test, svm_map(lab, prange), 0);
	KUNIT_EXPECT_FALSE(test, svm_counts_as_mapped(prange));
}

#define SVM_BASE_CASES						\
	KUNIT_CASE(svm_unreadable_after_unmap_is_not_mapped),	\
	KUNIT_CASE(svm_unreadable_tail_counts_at_once),		\
	KUNIT_CASE(svm_no_access_refuses),			\
	KUNIT_CASE(svm_failure_behind_unreadable),
