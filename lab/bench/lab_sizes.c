// SPDX-License-Identifier: GPL-2.0
/* What a notifier takes of its driver's memory. Never loaded: nm -S reads it. */
#include <linux/mmu_notifier.h>
#include <linux/module.h>

char lab_size_interval[sizeof(struct mmu_interval_notifier)];
char lab_size_list[sizeof(struct mmu_notifier)];

MODULE_DESCRIPTION("The size of MMU notifiers");
MODULE_LICENSE("GPL");
