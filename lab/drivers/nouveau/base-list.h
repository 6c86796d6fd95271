/* SPDX-License-Identifier: GPL-2.0-only */
	KUNIT_CASE(failed_migration_is_mapped),
	KUNIT_CASE(overtaken_migration_is_mapped),
	KUNIT_CASE_PARAM(migration_interrupted, drivers_points),
