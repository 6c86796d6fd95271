/* SPDX-License-Identifier: GPL-2.0-only */
	KUNIT_CASE(migration_leaves_mapped),
	KUNIT_CASE_PARAM(migration_interrupted, drivers_points),
