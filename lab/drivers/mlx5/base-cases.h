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

static struct ib_mr *mlx5_reg(struct ib_pd *pd, u64 start, u64 length, int access)
{
	return mlx5_ib_reg_user_mr(pd, start, length, start, access, NULL);
}

/* The cache of mkeys is in mr.c; it is not filled in advance. */
struct dentry *mlx5_debugfs_root;

struct dentry *mlx5_debugfs_get_dev_root(struct mlx5_core_dev *dev)
{
	return NULL;
}

void mlx5_cmd_init_async_ctx(struct mlx5_core_dev *dev, struct mlx5_async_ctx *ctx)
{
}

void mlx5_cmd_cleanup_async_ctx(struct mlx5_async_ctx *ctx)
{
}

static int mlx5_keys_init(struct mlx5_ib_dev *dev)
{
	return mlx5_mkey_cache_init(dev);
}

static void mlx5_keys_cleanup(struct mlx5_ib_dev *dev)
{
	mlx5_mkey_cache_cleanup(dev);
}
