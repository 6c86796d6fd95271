// SPDX-License-Identifier: GPL-2.0
/*
 * What "make bench" measures, played in the VM. Uses nothing but the test
 * device, KVM and interfaces that any kernel has. Prints
 *
 *	LAB-DATA <scenario> <figure> <value>
 *
 * Arguments: "quick", "round=", and which scenarios to play (default: all but
 * the bystanders); "bystanders" takes seed=, first= and runs=.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "test_mmu_notifier_uapi.h"

#define SYSLOG_CONSOLE_LEVEL	8
/* Longer than any scenario lasts; UNSTICK ends it before */
#define STICK_S			300
/*
 * Under -icount a boot is the same as the one before, to the last instruction.
 * Where the allocator is in its batches is different in each round, so that the
 * samples show how much depends on that.
 */
#define PAGES_A_ROUND		13

bool quick;

static unsigned int held_by_round;

void data(const char *scenario, const char *key, long value)
{
	printf("LAB-DATA %s %s %ld\n", scenario, key, value);
	fflush(stdout);
}

/*
 * Keeps @nr pages from the allocator, and some that are those of the round. They
 * are a file's, so that no process is different for them.
 */
void hold_pages(unsigned int nr)
{
	static int file = -1;
	off_t size, wanted = (off_t)(held_by_round + nr) * PAGE;

	if (file < 0)
		file = open("/held", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	size = lseek(file, 0, SEEK_END);
	if (size < 0 || (size > wanted && ftruncate(file, wanted)))
		die("/held: %s", strerror(errno));
	for (; size < wanted; size += PAGE)
		if (pwrite(file, "", 1, size + PAGE - 1) != 1)
			die("/held: %s", strerror(errno));
}

/* At the same place each time: how many page tables it has must not change. */
void *map_small(unsigned long size)
{
	void *mem = mmap((void *)(1UL << 32), size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			 MAP_FIXED_NOREPLACE, -1, 0);

	if (mem == MAP_FAILED || madvise(mem, size, MADV_NOHUGEPAGE))
		die("no address space: %s", strerror(errno));
	return mem;
}

void add_intervals(int dev, void *start, unsigned long stride,
		   unsigned int count, unsigned int flags)
{
	struct test_mmu_notifier_add add = {
		.addr = (uintptr_t)start, .size = PAGE, .stride = stride,
		.count = count, .flags = flags,
	};

	if (count && ioctl(dev, TEST_MMU_NOTIFIER_ADD_INTERVALS, &add))
		die("ADD_INTERVALS: %s", strerror(errno));
}

void stuck_start(struct stuck *s, stuck_fn prepare, void *arg)
{
	uint32_t seconds = STICK_S, stuck = 0;

	s->dev = open(TEST_MMU_NOTIFIER_DEVICE, O_RDWR | O_CLOEXEC);
	if (s->dev < 0)
		die("open " TEST_MMU_NOTIFIER_DEVICE ": %s", strerror(errno));
	fflush(stdout);
	s->pid = fork();
	if (s->pid < 0)
		die("fork: %s", strerror(errno));
	if (!s->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prepare(s->dev, arg);
		ioctl(s->dev, TEST_MMU_NOTIFIER_STICK, &seconds);
		_exit(0);
	}
	while (!stuck) {
		pause_for(5 * MS);
		if (ioctl(s->dev, TEST_MMU_NOTIFIER_NR_STUCK, &stuck))
			die("NR_STUCK: %s", strerror(errno));
		if (waitpid(s->pid, NULL, WNOHANG) == s->pid)
			die("the victim died too early");
	}
	s->fd = syscall(SYS_pidfd_open, s->pid, 0);
	if (s->fd < 0)
		die("pidfd_open: %s", strerror(errno));
}

/* What the call leaves to a worker is not a part of it: keep others out. */
static void set_alone(bool alone)
{
	struct sched_param param = { .sched_priority = alone };

	if (sched_setscheduler(0, alone ? SCHED_FIFO : SCHED_OTHER, &param))
		die("sched_setscheduler: %s", strerror(errno));
}

/* Instructions of a process_mrelease() on it, and the KiB that it has left. */
uint64_t stuck_reap(struct stuck *s, int *err, long *left)
{
	uint64_t begin, end;
	long ret;

	if (kill(s->pid, SIGKILL))
		die("kill: %s", strerror(errno));
	pause_for(MS);
	set_alone(true);
	begin = instructions();
	ret = syscall(SYS_process_mrelease, s->fd, 0);
	end = instructions();
	*err = ret ? errno : 0;
	*left = rss_exact(s->pid, "\nRss:");
	set_alone(false);
	return end - begin;
}

void stuck_end(struct stuck *s)
{
	kill(s->pid, SIGKILL);
	ioctl(s->dev, TEST_MMU_NOTIFIER_UNSTICK);
	waitpid(s->pid, NULL, 0);
	close(s->fd);
	close(s->dev);
}

static const struct {
	const char *name;
	void (*play)(void);
} acts[] = {
	{ "calls", bench_calls },
	{ "mrelease", bench_mrelease },
	{ "scattered", bench_scattered },
	{ "kvm", bench_kvm },
	{ "reaper", bench_reaper },
};

int main(int argc, char **argv)
{
	unsigned int seed = 1, first = 0, runs = 50, round, i;
	bool all = true, bystanders = false;
	struct utsname name;
	int arg;

	/* Keep the kernel's reports from cutting our lines in two. */
	klogctl(SYSLOG_CONSOLE_LEVEL, NULL, 3);
	uname(&name);
	printf("LAB-KERNEL Linux %s %s\n", name.release, name.version);
	fflush(stdout);
	cgroup_init();
	trace_open();
	/*
	 * The allocator's lists of free pages grow and shrink with what was
	 * done before; whether freed pages stay there makes a difference of some
	 * percent. Keep them short.
	 */
	if (!write_file("/proc/sys/vm/percpu_pagelist_high_fraction", "100000"))
		die("cannot set percpu_pagelist_high_fraction");

	for (arg = 1; arg < argc; arg++) {
		if (sscanf(argv[arg], "round=%u", &round) == 1)
			held_by_round = round * PAGES_A_ROUND;
		else if (!strcmp(argv[arg], "quick"))
			quick = true;
		else if (!strcmp(argv[arg], "bystanders"))
			bystanders = true;
		else if (sscanf(argv[arg], "seed=%u", &seed) != 1 &&
			 sscanf(argv[arg], "first=%u", &first) != 1 &&
			 sscanf(argv[arg], "runs=%u", &runs) != 1)
			all = false;
	}
	hold_pages(0);
	if (bystanders) {
		bench_bystanders(seed, first, runs);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(acts); i++) {
		bool wanted = all;

		for (arg = 1; arg < argc; arg++)
			wanted = wanted || !strcmp(argv[arg], acts[i].name);
		if (wanted)
			acts[i].play();
	}
	return 0;
}
