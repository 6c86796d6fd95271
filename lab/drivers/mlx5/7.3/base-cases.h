/* SPDX-License-Identifier: GPL-2.0-only */
#undef kvcalloc
#undef kvfree
#undef hmm_dma_unmap_pfn

static int mlx5_populate(void *xlt, size_t idx, size_t nr, struct mlx5_ib_mr *mr, int flags)
{
	return mlx5_odp_populate_xlt(xlt, idx, nr, mr, flags);
}

int mlx5r_umr_update_xlt(struct mlx5_ib_mr *mr, u64 idx, int npages, int page_shift,
			 int flags, u32 pdn)
{
	return mlx5_umr(mr, idx, npages, flags);
}

static int mlx5_page_fault(struct mlx5_ib_mr *mr, struct ib_umem_odp *odp, u64 addr,
			   size_t size, u32 flags)
{
	return pagefault_real_mr(mr, odp, addr, size, NULL, flags, 0);
}

static struct ib_mr *mlx5_reg(struct ib_pd *pd, u64 start, u64 length, int access)
{
	return mlx5_ib_reg_user_mr(pd, start, length, start, access, NULL, NULL);
}

static int mlx5_keys_init(struct mlx5_ib_dev *dev)
{
	return mlx5r_frmr_pools_init(&dev->ib_dev);
}

static void mlx5_keys_cleanup(struct mlx5_ib_dev *dev)
{
	mlx5r_frmr_pools_cleanup(&dev->ib_dev);
}

/* Page 512 * (@page + 1), which is only read */
static void mlx5_fake_entry(struct ib_umem_odp *odp, int page)
{
	odp->map.pfn_list[page] = HMM_PFN_VALID | (PTRS_PER_PMD * (page + 1));
}

/* As pages of 2 MiB would be found, none of which is written to */
static void mlx5_find_huge(struct mlx5_hca *hca, struct hmm_range *range,
			   unsigned long *pfns, unsigned long n)
{
	unsigned long first = hca->huge + ((range->start - hca->start) >> PAGE_SHIFT), i;
	unsigned long order = hca->small ? 0 : HUGETLB_PAGE_ORDER;

	for (i = 0; i < n; i++)
		pfns[i] = HMM_PFN_VALID | (first + i) | order << HMM_PFN_ORDER_SHIFT;
}

/*
 * The real lookup, to a copy of the entries: what is called in between comes when
 * the page tables have been read and the entries are not written.
 */
static int mlx5_walk(struct mlx5_hca *hca, struct hmm_range *range, unsigned long timeout)
{
	const unsigned long kept = HMM_PFN_DMA_MAPPED | HMM_PFN_P2PDMA | HMM_PFN_P2PDMA_BUS;
	unsigned long n = (range->end - range->start) >> PAGE_SHIFT, i;
	void (*hook)(struct kunit *test, struct mlx5_hca *hca) = hca->in_walk;
	struct hmm_range copy = *range;
	int ret;

	if (hca->gone)
		return -EFAULT;
	copy.hmm_pfns = kcalloc(n, sizeof(*copy.hmm_pfns), GFP_KERNEL);
	if (!copy.hmm_pfns)
		return -ENOMEM;
	if (hca->huge) {
		copy.notifier_seq = mmu_interval_read_begin(range->notifier);
		mlx5_find_huge(hca, range, copy.hmm_pfns, n);
		ret = 0;
	} else {
		ret = hmm_range_fault_unlocked_timeout(&copy, timeout);
	}
	range->notifier_seq = copy.notifier_seq;

	drivers_point();
	hca->in_walk = NULL;
	if (hook)
		hook(kunit_get_current_test(), hca);

	for (i = 0; !ret && i < n; i++)
		range->hmm_pfns[i] = (range->hmm_pfns[i] & kept) | copy.hmm_pfns[i];
	kfree(copy.hmm_pfns);
	return ret;
}

static int mlx5_try_to_map(struct mlx5_hca *hca, int page, int pages, u32 flags)
{
	return mlx5_page_fault(&hca->mr, hca->odp, mlx5_addr(hca, page),
			       (size_t)pages << hca->odp->page_shift, flags);
}

/* By another thread of the process, all of it: it is not there the next time. */
static void mlx5_unmapped_in_walk(struct kunit *test, struct mlx5_hca *hca)
{
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	hca->gone = true;
}

static void mlx5_unmapped_under_way(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	hca->in_walk = mlx5_unmapped_in_walk;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, hca->umrs, 0);
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 3));

	/* A page in the same unit */
	hca->gone = false;
	mlx5_map(test, hca, 4, 1);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 1);
}

/* The same beside a page that is mapped, so that the callback does not return early */
static void mlx5_unmapped_under_way_beside(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 20, 1);
	hca->in_walk = mlx5_unmapped_in_walk;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, 0), -EFAULT);
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 3));
	hca->gone = false;
	mlx5_map(test, hca, 4, 1);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 1);
}

/* Mapped by another fault, while a lookup that has found nothing is under way */
static void mlx5_mapped_in_walk(struct kunit *test, struct mlx5_hca *hca)
{
	mlx5_map(test, hca, 3, 2);
}

static void mlx5_mapped_under_way(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	hca->in_walk = mlx5_mapped_in_walk;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 0, MLX5_PAGES, MLX5_PF_FLAGS_SNAPSHOT),
			MLX5_PAGES);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 2);
	KUNIT_EXPECT_TRUE(test, hca->odp->map.pfn_list[3] & HMM_PFN_VALID);
	KUNIT_EXPECT_TRUE(test, hca->odp->map.pfn_list[3] & HMM_PFN_WRITE);
	mlx5_asks(test, hca, hca->start, hca->end, false);
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 3));
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
}

/* A registration, of which the last pages are written with a buffer that was used */
static void mlx5_registered_in_chunks(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 2, 2);
	mlx5_map(test, hca, 17, 1);
	hca->chunk = MLX5_UNIT;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 0, MLX5_PAGES, MLX5_PF_FLAGS_SNAPSHOT),
			MLX5_PAGES);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 3);
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
}

/* What a UMR that has failed would have mapped is invalidated as well. */
static void mlx5_looked_up_only(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	hca->umr_error = -EAGAIN;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, 0), -EAGAIN);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
	hca->umr_error = 0;
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	mlx5_map(test, hca, 4, 1);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 1);
}

static void mlx5_expect_huge(struct kunit *test, struct mlx5_hca *hca, int page)
{
	KUNIT_EXPECT_EQ(test, 1, mlx5_reached(hca));
	KUNIT_EXPECT_EQ(test, be64_to_cpu(hca->mtt[page]) & PAGE_MASK,
			PFN_PHYS(hca->huge + page * PTRS_PER_PMD));
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 1);
	mlx5_asks(test, hca, mlx5_addr(hca, page), mlx5_addr(hca, page + 1), false);
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 0);
}

static void mlx5_maps_huge_pages(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, 8, IB_ACCESS_HUGETLB);

	hca->huge = PTRS_PER_PMD;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 0, 1, MLX5_PF_FLAGS_DOWNGRADE),
			PTRS_PER_PMD);
	mlx5_expect_huge(test, hca, 0);
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, MLX5_PF_FLAGS_DOWNGRADE),
			PTRS_PER_PMD);
	mlx5_expect_huge(test, hca, 3);
	/* Another page is there by now: nothing of the first one's number is left. */
	hca->huge = 5 * PTRS_PER_PMD;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, MLX5_PF_FLAGS_DOWNGRADE),
			PTRS_PER_PMD);
	mlx5_expect_huge(test, hca, 3);
	/* Two at a time: each has its own number. */
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 4, 2, MLX5_PF_FLAGS_DOWNGRADE),
			2 * PTRS_PER_PMD);
	KUNIT_EXPECT_EQ(test, be64_to_cpu(hca->mtt[4]) & PAGE_MASK,
			PFN_PHYS(hca->huge + 4 * PTRS_PER_PMD));
	KUNIT_EXPECT_EQ(test, be64_to_cpu(hca->mtt[5]) & PAGE_MASK,
			PFN_PHYS(hca->huge + 5 * PTRS_PER_PMD));
	mlx5_blocks(test, hca, hca->start, hca->end, false);
}

/* Mapped already: what the page tables look like now does not matter. */
static void mlx5_mapped_stays_huge(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, 8, IB_ACCESS_HUGETLB);

	hca->huge = PTRS_PER_PMD;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, MLX5_PF_FLAGS_DOWNGRADE),
			PTRS_PER_PMD);
	hca->small = true;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, MLX5_PF_FLAGS_DOWNGRADE),
			PTRS_PER_PMD);
	mlx5_expect_huge(test, hca, 3);
}

/*
 * Which is nothing for the log: a prefetch may ask for as much as it likes. And what a
 * lookup had is freed, whether it has found anything or not.
 */
static void mlx5_no_memory_to_look_up(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_no_memory = true;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, 0), -ENOMEM);
	mlx5_no_memory = false;
	KUNIT_EXPECT_EQ(test, mlx5_may_warn, 0);
	KUNIT_EXPECT_FALSE(test, mutex_is_locked(&hca->odp->umem_mutex));
	KUNIT_EXPECT_EQ(test, hca->umrs, 0);
	mlx5_map(test, hca, 3, 1);
	KUNIT_EXPECT_EQ(test, mlx5_arrays, 0);
	hca->gone = true;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 5, 1, 0), -EFAULT);
	KUNIT_EXPECT_EQ(test, mlx5_arrays, 0);
}

/* The static one, or without the patch a stub */
void odp_store_pfn(struct ib_umem_odp *umem_odp, size_t idx, unsigned long pfn);

static void mlx5_store_unlocked(void *arg)
{
	struct mlx5_hca *hca = arg;

	odp_store_pfn(hca->odp, 0, 0);
}

static void mlx5_stores_under_the_mutex(struct kunit *test)
{
	drivers_reports(test, "stores without umem_mutex", mlx5_store_unlocked,
			mlx5_hca_new(test, MLX5_PAGES, 0));
}

/* Not behind its end, where KASAN may see it and others may not: something is there. */
static void mlx5_looks_at_its_own_list(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	unsigned long *list = hca->odp->map.pfn_list;
	unsigned long *both = kunit_kcalloc(test, 2 * MLX5_PAGES, sizeof(*both), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, both);
	mlx5_map(test, hca, 0, 1);
	memcpy(both, list, MLX5_PAGES * sizeof(*both));
	both[MLX5_PAGES] = HMM_PFN_VALID;
	hca->odp->map.pfn_list = both;
	mlx5_asks(test, hca, mlx5_addr(hca, 1), hca->end + 16 * PAGE_SIZE, true);
	hca->odp->map.pfn_list = list;
	mlx5_blocks(test, hca, hca->start, hca->end, false);
}

/* The list of a large region is long: it is not gone through before anything is in there. */
static void mlx5_empty_list_is_not_searched(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	/* A registration, which finds nothing, and one fault that fails */
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 0, MLX5_PAGES, MLX5_PF_FLAGS_SNAPSHOT),
			MLX5_PAGES);
	hca->gone = true;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, 0), -EFAULT);
	hca->gone = false;
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	mlx5_asks(test, hca, hca->start, hca->end, true);
	KUNIT_EXPECT_EQ(test, mlx5_entries, 0);

	/* Of what was looked up since, only the range */
	hca->umr_error = -EAGAIN;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, 0), -EAGAIN);
	hca->umr_error = 0;
	KUNIT_EXPECT_TRUE(test, mlx5_present(hca->odp, 3));
	mlx5_blocks(test, hca, mlx5_addr(hca, 2), mlx5_addr(hca, 6), false);
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 3));
	KUNIT_EXPECT_EQ(test, mlx5_entries, 4);
}

/* A child that is being filled has no page yet. It is dropped when it has none any more. */
static void mlx5_new_child_stays(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);
	struct mlx5_ib_mr *parent = kunit_kzalloc(test, sizeof(*parent), GFP_KERNEL);
	struct mlx5_ib_dev *dev = kunit_kzalloc(test, sizeof(*dev), GFP_KERNEL);
	struct mlx5_core_dev *mdev = kunit_kzalloc(test, sizeof(*mdev), GFP_KERNEL);
	struct mlx5_hca_cap *caps = kunit_kzalloc(test, sizeof(*caps), GFP_KERNEL);
	unsigned long idx = hca->start >> mlx5_imr_mtt_shift;

	KUNIT_ASSERT_NOT_NULL(test, parent);
	KUNIT_ASSERT_NOT_NULL(test, dev);
	KUNIT_ASSERT_NOT_NULL(test, mdev);
	KUNIT_ASSERT_NOT_NULL(test, caps);
	mdev->caps.hca[MLX5_CAP_ODP] = caps;
	dev->mdev = mdev;
	hca->mr.ibmr.device = &dev->ib_dev;
	refcount_set(&parent->mmkey.usecount, 1);
	xa_init(&parent->implicit_children);
	KUNIT_ASSERT_FALSE(test, xa_is_err(xa_store(&parent->implicit_children, idx, &hca->mr,
						    GFP_KERNEL)));
	hca->mr.parent = parent;
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&parent->implicit_children, idx), (void *)&hca->mr);
	KUNIT_EXPECT_EQ(test, mlx5_dropped, 0);

	if (!mlx5_dropped) {
		mlx5_map(test, hca, 3, 1);
		mlx5_blocks(test, hca, hca->start, hca->end, false);
		KUNIT_EXPECT_NULL(test, xa_load(&parent->implicit_children, idx));
		KUNIT_EXPECT_EQ(test, mlx5_dropped, 1);
	}
	hca->mr.parent = NULL;
	xa_destroy(&parent->implicit_children);
}

/* The second fault writes the MTT of the first one's page again, and so does a prefetch. */
static void mlx5_counted_once(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 3, 1);
	mlx5_map(test, hca, 4, 1);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 2);
	mlx5_map(test, hca, 3, 2);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 2);
	mlx5_blocks(test, hca, hca->start, hca->end, false);
	KUNIT_EXPECT_EQ(test, hca->odp->npages, 0);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
}

/* A page that was looked up for a UMR that failed: the next fault beside it maps it. */
static void mlx5_looked_up_refuses(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 20, 1);
	hca->umr_error = -EAGAIN;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, 0), -EAGAIN);
	hca->umr_error = 0;
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 1);
	mlx5_asks(test, hca, mlx5_addr(hca, 3), mlx5_addr(hca, 4), false);
	mlx5_asks(test, hca, mlx5_addr(hca, 4), mlx5_addr(hca, 20), true);
	mlx5_blocks(test, hca, mlx5_addr(hca, 3), mlx5_addr(hca, 4), false);
	mlx5_asks(test, hca, mlx5_addr(hca, 3), mlx5_addr(hca, 4), true);
}

/* An MTT of 2 MiB that begins with a page of 4 KiB would reach what is behind it. */
static void mlx5_small_page_fails(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, 8, IB_ACCESS_HUGETLB);

	hca->huge = PTRS_PER_PMD;
	hca->small = true;
	KUNIT_EXPECT_EQ(test, mlx5_try_to_map(hca, 3, 1, MLX5_PF_FLAGS_DOWNGRADE), -EINVAL);
	KUNIT_EXPECT_EQ(test, hca->umrs, 0);
	KUNIT_EXPECT_EQ(test, mlx5_reached(hca), 0);
	KUNIT_EXPECT_FALSE(test, mlx5_present(hca->odp, 3));
}

/* What was there to be read becomes writable when the HCA writes. */
static void mlx5_becomes_writable(struct kunit *test)
{
	struct mlx5_hca *hca = mlx5_hca_new(test, MLX5_PAGES, 0);

	mlx5_map(test, hca, 3, 1);
	mutex_lock(&hca->odp->umem_mutex);
	hca->odp->map.pfn_list[3] &= ~HMM_PFN_WRITE;
	mutex_unlock(&hca->odp->umem_mutex);
	mlx5_map(test, hca, 3, 1);
	KUNIT_EXPECT_TRUE(test, hca->odp->map.pfn_list[3] & HMM_PFN_WRITE);
	KUNIT_EXPECT_TRUE(test, be64_to_cpu(hca->mtt[3]) & MLX5_IB_MTT_WRITE);
}
