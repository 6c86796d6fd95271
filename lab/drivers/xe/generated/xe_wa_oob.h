/* SPDX-License-Identifier: GPL-2.0-only */
/* The driver's build makes a long list; only what xe_vm.c names is needed. */
enum { XE_WA_OOB_14016763929 };
