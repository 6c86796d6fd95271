/* SPDX-License-Identifier: GPL-2.0-only */
	KUNIT_CASE(mlx5_unmapped_under_way),
	KUNIT_CASE(mlx5_unmapped_under_way_beside),
	KUNIT_CASE(mlx5_mapped_under_way),
	KUNIT_CASE(mlx5_registered_in_chunks),
	KUNIT_CASE(mlx5_looked_up_only),
	KUNIT_CASE(mlx5_maps_huge_pages),
