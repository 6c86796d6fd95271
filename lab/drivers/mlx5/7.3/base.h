/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The umem has a list of page numbers, with flags of hmm_range_fault() and of DMA
 * mapping. The mapping is that of a device without an IOMMU.
 */
#include <kunit/device.h>
#include <linux/dma-mapping.h>
#include <linux/hmm-dma.h>
#include <rdma/ib_verbs.h>

static int mlx5_look_up(struct hmm_range *range, unsigned long timeout)
{
	return mlx5_lookup(range, timeout);
}

#define mlx5_list(odp)		((odp)->map.pfn_list)
#define mlx5_present(odp, i) \
	((odp)->map.pfn_list[i] & (HMM_PFN_VALID | HMM_PFN_DMA_MAPPED))

static void mlx5_base_init(struct kunit *test, struct ib_device *ibdev)
{
	static atomic_t count;
	char *name = kunit_kzalloc(test, 32, GFP_KERNEL);
	struct device *dev;

	KUNIT_ASSERT_NOT_NULL(test, name);
	snprintf(name, 32, "lab-mlx5-%d", atomic_inc_return(&count));
	dev = kunit_device_register(test, name);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	dev->dma_mask = &dev->coherent_dma_mask;
	KUNIT_ASSERT_EQ(test, dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64)), 0);
	ibdev->dma_device = dev;
}

#define hmm_range_fault_unlocked_timeout	mlx5_look_up
