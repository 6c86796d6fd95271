/* SPDX-License-Identifier: GPL-2.0-only */
/* Cases of this version of the driver alone, see SVM_BASE_CASES */

/* The deferred work is run by the case. */
static void svm_not_yet(struct work_struct *work)
{
}

/*
 * munmap() of the middle, of what is in front of it, and then what is said of the
 * rest: that is a child, and the bitmap of its parent is empty by then.
 */
static void svm_child_of_an_unmapped_range(struct kunit *test, bool xnack,
					   enum mmu_notifier_event event)
{
	struct svm_lab *lab = svm_new_lab(test, xnack);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct svm_range_list *svms = &lab->p.svms;
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, SVM_FIRST + 40,
					    SVM_FIRST + 63);

	INIT_WORK(&svms->deferred_list_work, svm_not_yet);
	svm_blocks(lab, prange, MMU_NOTIFY_UNMAP, SVM_FIRST + 32, SVM_FIRST + 39);
	KUNIT_EXPECT_FALSE(test, list_empty(&prange->child_list));
	svm_blocks(lab, prange, MMU_NOTIFY_UNMAP, SVM_FIRST, SVM_FIRST + 31);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 39), 0);
	KUNIT_EXPECT_NE(test, svm_reach(lab, SVM_FIRST + 40, SVM_FIRST + 63), 0);
	drivers_refuses(test, &call);
	svm_blocks(lab, prange, event, SVM_FIRST + 40, SVM_FIRST + 63);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST + 40, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_EQ(test, svm_stale(lab, SVM_FIRST + 40, SVM_FIRST + 63), 0);
	svm_range_deferred_list_work(&svms->deferred_list_work);
}

static void svm_child_is_unmapped(struct kunit *test)
{
	svm_child_of_an_unmapped_range(test, false, MMU_NOTIFY_UNMAP);
}

static void svm_child_is_invalidated(struct kunit *test)
{
	svm_child_of_an_unmapped_range(test, true, MMU_NOTIFY_CLEAR);
}

static void svm_deny(struct svm_lab *lab, struct svm_range *prange)
{
	struct kfd_ioctl_svm_attribute attrs[SVM_GPUS] = {
		{ .type = KFD_IOCTL_SVM_ATTR_NO_ACCESS, .value = 0 },
		{ .type = KFD_IOCTL_SVM_ATTR_NO_ACCESS, .value = 1 },
	};
	bool update = false;

	svm_range_apply_attrs(&lab->p, prange, SVM_GPUS, attrs, &update);
}

/* GPUs that were denied access, before they have been unmapped */
static void svm_no_access_is_unmapped(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, true);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);

	svm_deny(lab, prange);
	svm_refuses(lab, prange, SVM_FIRST, SVM_FIRST + 63);
	svm_blocks(lab, prange, MMU_NOTIFY_CLEAR, SVM_FIRST, SVM_FIRST + 63);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	KUNIT_EXPECT_EQ(test, svm_stale(lab, SVM_FIRST, SVM_FIRST + 63), 0);
}

/* While svm_range_set_attr() unmaps it */
static void svm_no_access_interrupted(struct kunit *test)
{
	struct svm_lab *lab = svm_new_lab(test, false);
	struct svm_range *prange = svm_new_mapped(lab, SVM_FIRST, SVM_FIRST + 63);
	struct drivers_call call = svm_call(lab, prange, DRIVERS_BUSY, prange->start, prange->last);

	svm_deny(lab, prange);
	call.event = MMU_NOTIFY_CLEAR;
	drivers_path(test, "svm_range_needs_unmap", &call);
	mmap_read_lock(lab->mm);
	mutex_lock(&lab->p.svms.lock);
	svm_range_needs_unmap(&lab->p, prange);
	mutex_unlock(&lab->p.svms.lock);
	mmap_read_unlock(lab->mm);
	drivers_path_end(test);
	KUNIT_EXPECT_EQ(test, svm_reach(lab, SVM_FIRST, SVM_FIRST + 63), 0);
	flush_delayed_work(&lab->p.svms.restore_work);
}

/* Unmapping it from the second GPU has failed. The bit of the first one is back, too. */
static void svm_expect_half_unmapped(struct svm_lab *lab, struct svm_range *prange)
{
	KUNIT_EXPECT_EQ(lab->test, bitmap_weight(prange->bitmap_mapped, MAX_GPU_INSTANCE),
			SVM_GPUS);
	KUNIT_EXPECT_FALSE(lab->test, svm_is_mapping_done(lab, prange));
}

#define SVM_BASE_CASES						\
	KUNIT_CASE(svm_child_is_unmapped),			\
	KUNIT_CASE(svm_child_is_invalidated),			\
	KUNIT_CASE(svm_no_access_is_unmapped),			\
	KUNIT_CASE_PARAM(svm_no_access_interrupted, drivers_points),
