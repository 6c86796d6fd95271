/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The umem has a list of page numbers, with flags of hmm_range_fault() and of DMA
 * mapping. The mapping is that of a device without an IOMMU.
 */
#include <kunit/device.h>
#include <linux/dma-mapping.h>
#include <linux/hmm-dma.h>
#include <linux/slab.h>
/* Of the tree that the driver's source comes from */
#include <include/rdma/ib_umem_odp.h>
#include <rdma/ib_verbs.h>
/* The pools that mkeys come from */
#include <drivers/infiniband/core/frmr_pools.c>

static int mlx5_look_up(struct hmm_range *range, unsigned long timeout)
{
	return mlx5_lookup(range, timeout);
}

#define mlx5_list(odp)		((odp)->map.pfn_list)
#define mlx5_xlt_entry		mlx5_ksm
#define mlx5_child_size		mlx5_imr_mtt_size
#define mlx5_present(odp, i) \
	((odp)->map.pfn_list[i] & (HMM_PFN_VALID | HMM_PFN_DMA_MAPPED))

/* The arrays that lookups have, and whether there is memory for one */
static DEFINE_SPINLOCK(mlx5_arrays_lock);
static const void *mlx5_array[8];
static int mlx5_arrays;
static bool mlx5_no_memory;
/* How often there would be a warning if there was none */
static int mlx5_may_warn;

static void *mlx5_kvcalloc(size_t n, size_t size, gfp_t gfp)
{
	void *p = mlx5_no_memory ? NULL : kvcalloc(n, size, gfp);
	int i;

	mlx5_may_warn += !(gfp & __GFP_NOWARN);
	if (mlx5_no_memory)
		drivers_failure("no memory for a lookup");
	spin_lock(&mlx5_arrays_lock);
	for (i = 0; p && i < ARRAY_SIZE(mlx5_array); i++) {
		if (mlx5_array[i])
			continue;
		mlx5_array[i] = p;
		mlx5_arrays++;
		break;
	}
	spin_unlock(&mlx5_arrays_lock);
	return p;
}

static void mlx5_kvfree(const void *p)
{
	int i;

	spin_lock(&mlx5_arrays_lock);
	for (i = 0; p && i < ARRAY_SIZE(mlx5_array); i++) {
		if (mlx5_array[i] != p)
			continue;
		mlx5_array[i] = NULL;
		mlx5_arrays--;
	}
	spin_unlock(&mlx5_arrays_lock);
	kvfree(p);
}

/* How many entries of the list were looked at in order to unmap them */
static int mlx5_entries;

static bool mlx5_unmap_pfn(struct device *dev, struct hmm_dma_map *map, size_t idx)
{
	mlx5_entries++;
	return hmm_dma_unmap_pfn(dev, map, idx);
}

static void mlx5_base_init(struct kunit *test, struct ib_device *ibdev)
{
	static atomic_t count;
	char *name = kunit_kzalloc(test, 32, GFP_KERNEL);
	struct device *dev;

	memset(mlx5_array, 0, sizeof(mlx5_array));
	mlx5_arrays = 0;
	mlx5_no_memory = false;
	mlx5_may_warn = 0;
	mlx5_entries = 0;
	KUNIT_ASSERT_NOT_NULL(test, name);
	snprintf(name, 32, "lab-mlx5-%d", atomic_inc_return(&count));
	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	dev->dma_mask = &dev->coherent_dma_mask;
	KUNIT_ASSERT_EQ(test, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	ibdev->dma_device = dev;
}

#define hmm_range_fault_unlocked_timeout	mlx5_look_up
#undef kvcalloc
#define kvcalloc				mlx5_kvcalloc
#define kvfree					mlx5_kvfree
#define hmm_dma_unmap_pfn			mlx5_unmap_pfn
