/* SPDX-License-Identifier: GPL-2.0-only */
/* The umem has a list of DMA addresses, with flags. */

struct ib_device;

static int mlx5_look_up(struct hmm_range *range)
{
	return mlx5_lookup(range, 0);
}

static void mlx5_base_init(struct kunit *test, struct ib_device *ibdev)
{
}

#define hmm_range_fault			mlx5_look_up
#define mlx5_list(odp)			((odp)->dma_list)
#define mlx5_present(odp, i)		((odp)->dma_list[i])
