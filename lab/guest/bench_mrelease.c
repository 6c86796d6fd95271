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

static void sweep(unsigned int intervals, enum refusing refusing)
{
	struct test_mmu_notifier_stat stat = { .id = 1, .count = intervals };
	struct layout l = { intervals, refusing };
	struct stuck s;
	char name[64];
	uint64_t took;
	int err;

	snprintf(name, sizeof(name), "intervals-%s-%u",
		 refusing_names[refusing], intervals);
	stuck_start(&s, prepare_sparse, &l);
	took = stuck_reap(&s, &err);
	if (ioctl(s.dev, TEST_MMU_NOTIFIER_STAT, &stat))
		die("STAT: %s", strerror(errno));
	data(name, "instructions", took);
	data(name, "calls", stat.nonblock);
	data(name, "calls_max", stat.max_nonblock);
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
	data(name, "instructions", stuck_reap(&s, &err));
	after = rss_exact(s.pid, "\nRss:");
	data(name, "before_kib", before);
	data(name, "left_kib", after);
	data(name, "errno", err);
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
}
