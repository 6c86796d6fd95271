// SPDX-License-Identifier: GPL-2.0
/*
 * System calls that invalidate in blocking mode, which the series leaves as
 * they are, with and without notifiers on the memory.
 *
 * What else the kernel does adds to some calls: the page allocator hands out and
 * takes back pages in batches, RCU frees what earlier calls left. Between two
 * calls there is time for the latter, and one page more is taken, for as many
 * calls as it takes to be at each place within a batch. The least of them counts, the
 * median is printed, too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "test_mmu_notifier_uapi.h"

#define AREA		(10000 * PAGE)
#define TOUCHED		16
/* Longer than a batch of the page allocator, which is 63 pages at most */
#define CYCLE		67
#define MOST_CALLS	(3 * CYCLE)
/* Some ticks and grace periods; an idle VM skips them under -icount */
#define SETTLE		(20 * MS)

static char *area;

static void touch_area(void)
{
	unsigned long i;

	for (i = 0; i < TOUCHED; i++)
		area[i * PAGE]++;
}

static uint64_t call_munmap(void)
{
	uint64_t begin;

	begin = instructions();
	munmap(area, AREA);
	begin = instructions() - begin;
	area = map_small(AREA);
	touch_area();
	return begin;
}

static uint64_t call_mprotect(void)
{
	uint64_t begin;

	begin = instructions();
	mprotect(area, AREA, PROT_READ);
	begin = instructions() - begin;
	mprotect(area, AREA, PROT_READ | PROT_WRITE);
	touch_area();
	return begin;
}

static uint64_t call_madvise(void)
{
	uint64_t begin;

	begin = instructions();
	madvise(area, AREA, MADV_DONTNEED);
	begin = instructions() - begin;
	touch_area();
	return begin;
}

static uint64_t call_fork(void)
{
	uint64_t begin;
	pid_t pid;

	begin = instructions();
	pid = fork();
	if (!pid)
		_exit(0);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		die("fork: %s", strerror(errno));
	begin = instructions() - begin;
	touch_area();
	return begin;
}

static const struct {
	const char *name;
	uint64_t (*call)(void);
} ops[] = {
	{ "munmap", call_munmap },
	{ "mprotect", call_mprotect },
	{ "madvise", call_madvise },
	{ "fork", call_fork },
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(uint64_t *)a, y = *(uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* In a child: what is attached to its memory goes with it. */
static void measure(unsigned int intervals, unsigned int lists)
{
	struct test_mmu_notifier_add list = { .count = 1 };
	unsigned int calls = quick || intervals > 1000 ? CYCLE : MOST_CALLS;
	static uint64_t took[MOST_CALLS];
	unsigned int i, j;
	char name[64];
	int dev;

	area = map_small(AREA);
	touch_area();
	dev = open(TEST_MMU_NOTIFIER_DEVICE, O_RDWR | O_CLOEXEC);
	if (dev < 0)
		die("open " TEST_MMU_NOTIFIER_DEVICE ": %s", strerror(errno));
	add_intervals(dev, area, intervals ? AREA / intervals / PAGE * PAGE : 0,
		      intervals, 0);
	for (i = 0; i < lists; i++)
		if (ioctl(dev, TEST_MMU_NOTIFIER_ADD_LIST, &list))
			die("ADD_LIST: %s", strerror(errno));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		for (j = 0; j < calls; j++) {
			hold_pages(j % CYCLE);
			pause_for(SETTLE);
			took[j] = ops[i].call();
		}
		qsort(took, calls, sizeof(took[0]), compare);
		snprintf(name, sizeof(name), "%s-%u-%u", ops[i].name, intervals,
			 lists);
		data(name, "instructions", took[calls / 2]);
		data(name, "least", took[0]);
		data(name, "most", took[calls - 1]);
	}
	fflush(stdout);
	_exit(0);
}

void bench_calls(void)
{
	static const unsigned int intervals[] = { 0, 1, 100, 10000 };
	static const unsigned int lists[] = { 0, 1, 4 };
	unsigned int i, j;
	int status;
	pid_t pid;

	say("munmap, mprotect, madvise and fork with notifiers");
	for (i = 0; i < ARRAY_SIZE(intervals); i++) {
		for (j = 0; j < ARRAY_SIZE(lists); j++) {
			if (quick && (intervals[i] > 100 || lists[j] > 1))
				continue;
			fflush(stdout);
			pid = fork();
			if (!pid)
				measure(intervals[i], lists[j]);
			if (pid < 0 || waitpid(pid, &status, 0) != pid ||
			    status)
				die("the process with notifiers failed");
		}
	}
}
