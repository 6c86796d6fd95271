// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to reap a process: process_mrelease(2), which takes the path of
 * the OOM reaper, is called on stuck victims and timed. Run it under QEMU's
 * -icount, where the clock counts instructions: a nanosecond is one.
 *
 * Prints LAB-DATA <victim> instructions <n>, and for victims with notifiers
 * also <victim> calls <the most that one notifier got>.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test_mmu_notifier_uapi.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

#define MIB	(1UL << 20)
#define PAGE	4096UL
#define ROUNDS	3

static const struct {
	const char *name;
	unsigned long size;
	unsigned int intervals;
	unsigned int flags;
} victims[] = {
	{ "none-64", 64 * MIB, 0, 0 },
	{ "none-256", 256 * MIB, 0, 0 },
	{ "none-1024", 1024 * MIB, 0, 0 },
	{ "one-accepts-256", 256 * MIB, 1, 0 },
	{ "one-refuses-256", 256 * MIB, 1, TEST_MMU_NOTIFIER_REFUSE },
	{ "4096-accept-1024", 1024 * MIB, 4096, 0 },
	{ "4096-refuse-1024", 1024 * MIB, 4096, TEST_MMU_NOTIFIER_REFUSE },
};

static void fail(const char *what)
{
	printf("LAB: cost: %s failed\n", what);
	exit(1);
}

/* What the call leaves to a worker is not a part of it: keep others out. */
static void set_alone(bool alone)
{
	struct sched_param param = { .sched_priority = alone };

	if (sched_setscheduler(0, alone ? SCHED_FIFO : SCHED_OTHER, &param))
		fail("sched_setscheduler");
}

static void be_victim(int dev, int ready, unsigned long size,
		      unsigned int intervals, unsigned int flags)
{
	struct test_mmu_notifier_add add = {
		.size = PAGE, .count = intervals, .flags = flags,
	};
	unsigned int seconds = 60;
	unsigned long i;
	char *mem;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		fail("mmap");
	madvise(mem, size, MADV_NOHUGEPAGE);
	for (i = 0; i < size; i += PAGE)
		mem[i] = 1;
	if (intervals) {
		add.stride = size / intervals;
		add.addr = (unsigned long)mem + add.stride / 2 / PAGE * PAGE;
		if (ioctl(dev, TEST_MMU_NOTIFIER_ADD_INTERVALS, &add))
			fail("ADD_INTERVALS");
	}
	if (write(ready, &add.id, sizeof(add.id)) != sizeof(add.id))
		fail("write");
	ioctl(dev, TEST_MMU_NOTIFIER_STICK, &seconds);
	_exit(0);
}

static void reap(const char *name, unsigned long size, unsigned int intervals,
		 unsigned int flags)
{
	struct test_mmu_notifier_stat stat = { .count = intervals };
	struct timespec a, b;
	unsigned int stuck = 0;
	int dev, pidfd, ready[2];
	pid_t pid;

	dev = open(TEST_MMU_NOTIFIER_DEVICE, O_RDWR | O_CLOEXEC);
	if (dev < 0)
		fail("open " TEST_MMU_NOTIFIER_DEVICE);
	if (pipe(ready))
		fail("pipe");
	pid = fork();
	if (!pid)
		be_victim(dev, ready[1], size, intervals, flags);
	if (read(ready[0], &stat.id, sizeof(stat.id)) != sizeof(stat.id))
		fail("victim");
	while (!stuck) {
		usleep(1000);
		if (ioctl(dev, TEST_MMU_NOTIFIER_NR_STUCK, &stuck))
			fail("NR_STUCK");
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 || kill(pid, SIGKILL))
		fail("kill");
	usleep(1000);

	set_alone(true);
	clock_gettime(CLOCK_MONOTONIC, &a);
	syscall(SYS_process_mrelease, pidfd, 0);
	clock_gettime(CLOCK_MONOTONIC, &b);
	set_alone(false);
	printf("LAB-DATA %s instructions %lld\n", name,
	       (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec);
	if (intervals && !ioctl(dev, TEST_MMU_NOTIFIER_STAT, &stat))
		printf("LAB-DATA %s calls %llu\n", name,
		       (unsigned long long)stat.max_nonblock);

	ioctl(dev, TEST_MMU_NOTIFIER_UNSTICK);
	waitpid(pid, NULL, 0);
	close(pidfd);
	close(ready[0]);
	close(ready[1]);
	close(dev);
}

int main(void)
{
	unsigned int i, round;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (round = 0; round < ROUNDS; round++)
		for (i = 0; i < sizeof(victims) / sizeof(victims[0]); i++)
			reap(victims[i].name, victims[i].size,
			     victims[i].intervals, victims[i].flags);
	return 0;
}
