/* SPDX-License-Identifier: GPL-2.0-only */
/* No case of this base alone */
