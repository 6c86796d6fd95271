/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver's build makes this from a list of workarounds. The tests don't get
 * near those that their sources ask for.
 */
enum {
	XE_WA_OOB_14016763929,
	XE_WA_OOB_22014953428,
};
