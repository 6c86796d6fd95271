/* SPDX-License-Identifier: GPL-2.0-only */
/* The umem has a list of DMA addresses, with flags. */

#define hmm_range_fault			mlx5_look_up
#define MLX5_LOOKUP_PARAMS		struct hmm_range *range
#define MLX5_LOOKUP_ARGS		range
#define MLX5_UMR_PDN
#define MLX5_NO_PDN

#define mlx5_list(odp)			((odp)->dma_list)
#define mlx5_present(odp, i)		((odp)->dma_list[i])
#define mlx5_base_init(test, ibdev)	do { } while (0)
#define mlx5_walk(hca, range)		(hmm_range_fault)(range)

#define mlx5_populate(xlt, idx, n, mr, flags) \
	(mlx5_odp_populate_xlt(xlt, idx, n, mr, flags), 0)

#define mlx5_fake_entry(odp, i)						\
do {									\
	(odp)->dma_list[i] = HPAGE_SIZE | ODP_READ_ALLOWED_BIT;		\
	(odp)->npages++;						\
} while (0)
