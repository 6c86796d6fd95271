/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the bench share. */
#ifndef LAB_BENCH_H
#define LAB_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <x86intrin.h>

#include "demo.h"

#define PAGE	4096UL

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

/* Less of everything, for a test of the bench itself. */
extern bool quick;

/*
 * Under QEMU's -icount shift=0 the time stamp counter counts the instructions
 * that the guest has executed.
 */
static inline uint64_t instructions(void)
{
	return __rdtsc();
}

/* bench.c */

/**
 * struct stuck - a process that can be killed but does not leave
 * @dev: its test device, open in both of us
 * @pid: itself
 * @fd: a pidfd
 */
struct stuck {
	int dev;
	pid_t pid;
	int fd;
};

/* Runs in the child: makes the memory and what is attached to it. */
typedef void (*stuck_fn)(int dev, void *arg);

void stuck_start(struct stuck *s, stuck_fn prepare, void *arg);
uint64_t stuck_reap(struct stuck *s, int *err, long *left);
void stuck_end(struct stuck *s);
void hold_pages(unsigned int nr);
void *map_small(unsigned long size);
void add_intervals(int dev, void *start, unsigned long stride,
		   unsigned int count, unsigned int flags);

/* One for each family of scenarios */

void bench_reaper(void);
void bench_mrelease(void);
void bench_scattered(void);
void bench_calls(void);
void bench_kvm(void);
void bench_bystanders(unsigned int seed, unsigned int first, unsigned int nr);

#endif /* LAB_BENCH_H */
