/* SPDX-License-Identifier: GPL-2.0-only */
/* The umem has a list of DMA addresses, with flags. */
/* Of the tree that the driver's source comes from */
#include <include/rdma/ib_umem_odp.h>

struct ib_device;

static int mlx5_look_up(struct hmm_range *range)
{
	return mlx5_lookup(range, 0);
}

static void mlx5_base_init(struct kunit *test, struct ib_device *ibdev)
{
}

#define hmm_range_fault			mlx5_look_up
#define mlx5_xlt_entry			mlx5_klm
#define mlx5_child_size			MLX5_IMR_MTT_SIZE
#define mlx5_list(odp)			((odp)->dma_list)
#define mlx5_present(odp, i)		((odp)->dma_list[i])
