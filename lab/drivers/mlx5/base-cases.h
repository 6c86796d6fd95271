/* SPDX-License-Identifier: GPL-2.0-only */
#define MLX5_BASE_CASES
