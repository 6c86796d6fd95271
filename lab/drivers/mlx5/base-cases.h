/* SPDX-License-Identifier: GPL-2.0-only */

static int mlx5_walk(struct mlx5_hca *hca, struct hmm_range *range, unsigned long timeout)
{
	return hmm_range_fault(range);
}

static int mlx5_populate(void *xlt, size_t idx, size_t nr, struct mlx5_ib_mr *mr, int flags)
{
	mlx5_odp_populate_xlt(xlt, idx, nr, mr, flags);
	return 0;
}

int mlx5r_umr_update_xlt(struct mlx5_ib_mr *mr, u64 idx, int npages, int page_shift,
			 int flags)
{
	return mlx5_umr(mr, idx, npages, flags);
}

static int mlx5_page_fault(struct mlx5_ib_mr *mr, struct ib_umem_odp *odp, u64 addr,
			   size_t size, u32 flags)
{
	return pagefault_real_mr(mr, odp, addr, size, NULL, flags);
}

static void mlx5_fake_entry(struct ib_umem_odp *odp, int page)
{
	odp->dma_list[page] = HPAGE_SIZE | ODP_READ_ALLOWED_BIT;
	odp->npages++;
}
