// SPDX-License-Identifier: GPL-2.0
/*
 * One pass over a victim, by process_mrelease(2), which takes the path of the
 * OOM reaper: how it grows with the number of intervals, and how much the first
 * call frees.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bench.h"
#include "test_mmu_notifier_uapi.h"

#define MOST		65536
/* Room for so many pages that are apart from each other */
#define SPARSE		(2 * MOST * PAGE)
#define PMD		(2 * MIB)
#define FULL		(256 * MIB)
/* Much address space with little in it */
#define WIDE		(64UL << 30)
#define WIDE_STEP	(64 * MIB)
#define WIDE_MOST	1000
/* A page in each page table refuses */
#define SCATTERED	(1UL << 30)

enum refusing { NONE, HALF, ALL };

static const char * const refusing_names[] = { "none", "half", "all" };

struct layout {
	unsigned int intervals;
	enum refusing refusing;
};

/*
 * A page in each page table and else nothing, so that it is the notifiers and
 * the walks between them that take the time.
 */
static void prepare_sparse(int dev, void *arg)
{
	struct layout *l = arg;
	unsigned long stride = SPARSE / l->intervals;
	char *mem = map_small(SPARSE);
	unsigned long i;
	char *at;

	for (i = 0; i < SPARSE; i += PMD)
		mem[i] = 1;
	at = mem + stride / 2;
	if (l->refusing == HALF) {
		add_intervals(dev, at, 2 * stride, (l->intervals + 1) / 2,
			      TEST_MMU_NOTIFIER_REFUSE);
		add_intervals(dev, at + stride, 2 * stride, l->intervals / 2,
			      0);
		return;
	}
	add_intervals(dev, at, stride, l->intervals,
		      l->refusing == ALL ? TEST_MMU_NOTIFIER_REFUSE : 0);
}

/* A list notifier is there, too, which is called for a chunk at a time. */
static void prepare_wide(int dev, void *arg)
{
	struct test_mmu_notifier_add list = { .count = 1 };
	unsigned int intervals = *(unsigned int *)arg;
	char *mem = map_small(WIDE);
	unsigned long i;

	for (i = 0; i < WIDE; i += WIDE_STEP)
		mem[i] = 1;
	add_intervals(dev, mem, WIDE / intervals / PAGE * PAGE, intervals, 0);
	if (ioctl(dev, TEST_MMU_NOTIFIER_ADD_LIST, &list))
		die("ADD_LIST: %s", strerror(errno));
}

static void count_calls(struct stuck *s, const char *name, unsigned int first,
			unsigned int nr, const char *all, const char *most)
{
	struct test_mmu_notifier_stat stat = { .id = first, .count = nr };

	if (ioctl(s->dev, TEST_MMU_NOTIFIER_STAT, &stat))
		die("STAT: %s", strerror(errno));
	data(name, all, stat.nonblock);
	data(name, most, stat.max_nonblock);
}

static void sweep(unsigned int intervals, enum refusing refusing)
{
	struct layout l = { intervals, refusing };
	struct stuck s;
	char name[64];
	uint64_t took;
	long before, left;
	int err;

	snprintf(name, sizeof(name), "intervals-%s-%u",
		 refusing_names[refusing], intervals);
	stuck_start(&s, prepare_sparse, &l);
	before = rss_exact(s.pid, "\nRss:");
	took = stuck_reap(&s, &err, &left);
	data(name, "instructions", took);
	data(name, "before_kib", before);
	data(name, "left_kib", left);
	count_calls(&s, name, 1, intervals, "calls", "calls_max");
	stuck_end(&s);
}

static void sweep_wide(unsigned int intervals)
{
	struct stuck s;
	char name[64];
	long left;
	int err;

	snprintf(name, sizeof(name), "wide-%u", intervals);
	stuck_start(&s, prepare_wide, &intervals);
	data(name, "instructions", stuck_reap(&s, &err, &left));
	data(name, "left_kib", left);
	count_calls(&s, name, 1, intervals, "calls", "calls_max");
	count_calls(&s, name, intervals + 1, 1, "list_calls", "list_calls_max");
	stuck_end(&s);
}

static void prepare_full(int dev, void *arg)
{
	char *mem = map_small(FULL);
	unsigned long i;

	for (i = 0; i < FULL; i += PAGE)
		mem[i] = 1;
	add_intervals(dev, mem + FULL / 2, PAGE, *(unsigned int *)arg,
		      TEST_MMU_NOTIFIER_REFUSE);
}

/* The first call, on the victim that the reaper gets as well. */
static void first_call(unsigned int intervals)
{
	long before, after;
	struct stuck s;
	char name[32];
	int err;

	snprintf(name, sizeof(name), "mrelease-%s",
		 intervals ? "refused" : "none");
	stuck_start(&s, prepare_full, &intervals);
	before = rss_exact(s.pid, "\nRss:");
	data(name, "instructions", stuck_reap(&s, &err, &after));
	data(name, "before_kib", before);
	data(name, "left_kib", after);
	data(name, "errno", err);
	stuck_end(&s);
}

static void prepare_scattered(int dev, void *arg)
{
	struct test_mmu_notifier_add over = { .count = 1 };
	unsigned long size = *(unsigned long *)arg;
	char *mem = map_small(size);
	unsigned long i;

	for (i = 0; i < size; i += PAGE)
		mem[i] = 1;
	over.addr = (uintptr_t)mem;
	over.size = size;
	if (ioctl(dev, TEST_MMU_NOTIFIER_ADD_INTERVALS, &over))
		die("ADD_INTERVALS: %s", strerror(errno));
	add_intervals(dev, mem + PMD / 2, PMD, size / PMD,
		      TEST_MMU_NOTIFIER_REFUSE);
}

/* Many small intervals refuse, and one over all of it accepts. */
void bench_scattered(void)
{
	unsigned long size = quick ? SCATTERED / 8 : SCATTERED;
	long before, left;
	struct stuck s;
	uint64_t took;
	char name[32];
	int err;

	say("process_mrelease(), %lu refusals in %lu MiB", size / PMD,
	    size / MIB);
	snprintf(name, sizeof(name), "scattered-%lu", size / PMD);
	stuck_start(&s, prepare_scattered, &size);
	before = rss_exact(s.pid, "\nRss:");
	took = stuck_reap(&s, &err, &left);
	data(name, "instructions", took);
	data(name, "before_kib", before);
	data(name, "left_kib", left);
	count_calls(&s, name, 1, 1, "calls_over_all", "calls_over_all_max");
	count_calls(&s, name, 2, size / PMD, "calls", "calls_max");
	stuck_end(&s);
}

void bench_mrelease(void)
{
	unsigned int n, most = quick ? 1024 : MOST;
	enum refusing r;

	say("process_mrelease(), 256 MiB");
	first_call(0);
	first_call(1);
	for (r = NONE; r <= ALL; r++) {
		say("process_mrelease(), 1 to %u intervals, refusing: %s", most,
		    refusing_names[r]);
		for (n = 1; n <= most; n *= 2)
			sweep(n, r);
	}
	say("process_mrelease(), %u intervals over 64 GiB", WIDE_MOST);
	sweep_wide(WIDE_MOST / 2);
	sweep_wide(WIDE_MOST);
}
