// SPDX-License-Identifier: GPL-2.0
/*
 * The weather: what happens to all workers. Injected refusals and rehearsals,
 * reclaim, compaction, swap that goes away and comes back, cgroups that are frozen
 * for a moment, a processor that goes offline and comes back.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "soak.h"

#define REFUSE		"/sys/kernel/debug/fail_mmu_notifier_refuse"
#define REHEARSE	"/sys/kernel/debug/fail_mmu_notifier_rehearse"
#define EVENTS		8

struct weather {
	uint32_t refuse;
	uint32_t rehearse;
	uint32_t percent;	/* of the calls */
	uint32_t step_ms;	/* from one event to the next */
	struct {
		uint32_t what;
		uint32_t worker;
		uint32_t mib;
	} event[EVENTS];
};

enum {
	EVENT_NONE, EVENT_RECLAIM, EVENT_COMPACT, EVENT_SWAPOFF, EVENT_FREEZE,
	EVENT_HOTPLUG
};

#define PROCESSOR	"/sys/devices/system/cpu/cpu1/online"

static void plan(struct weather *w, uint64_t seed, unsigned int worker,
		 unsigned int round)
{
	static const unsigned int events[] = {
		[EVENT_NONE] = 36, [EVENT_RECLAIM] = 40, [EVENT_COMPACT] = 4,
		[EVENT_SWAPOFF] = 2, [EVENT_FREEZE] = 14, [EVENT_HOTPLUG] = 4, 0
	};
	struct rng r;
	unsigned int i;

	memset(w, 0, sizeof(*w));
	rng_start(&r, seed, worker, round, 0);
	w->refuse = rng_percent(&r, 40);
	w->rehearse = rng_percent(&r, 35);
	/*
	 * Ten refusals one after the other make the reaper give up, which is
	 * right, but then it cannot be told from a reaper that is wrong.
	 */
	w->percent = rng_between(&r, 5, w->refuse ? 25 : 100);
	w->step_ms = rng_between(&r, 200, 700);
	for (i = 0; i < EVENTS; i++) {
		w->event[i].what = rng_pick(&r, events);
		w->event[i].worker = rng_between(&r, FIRST_KILLER, WORKERS - 1);
		w->event[i].mib = rng_between(&r, 1, 6);
	}
}

uint64_t weather_plan(uint64_t seed, unsigned int worker, unsigned int round)
{
	struct weather w;

	plan(&w, seed, worker, round);
	return digest(0, &w, sizeof(w));
}

void weather_print(uint64_t seed, unsigned int worker, unsigned int round)
{
	static const char *const names[] = {
		"nothing", "reclaim", "compact", "swapoff", "freeze", "hotplug"
	};
	struct weather w;
	unsigned int i;

	plan(&w, seed, worker, round);
	printf("%s%s in %u %% of the calls; each %u ms:",
	       w.refuse ? "refusals " : "", w.rehearse ? "rehearsals " : "",
	       w.refuse || w.rehearse ? w.percent : 0, w.step_ms);
	for (i = 0; i < EVENTS; i++)
		printf(" %s (worker %u, %u MiB)", names[w.event[i].what],
		       w.event[i].worker, w.event[i].mib);
	printf("\n");
}

static bool inject_set(const char *what, const char *file, int value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), "%s/%s", what, file);
	snprintf(text, sizeof(text), "%d", value);
	return !on_write_file(path, text);
}

/* In so many percent of the calls, and without a word */
static bool inject(const char *what, unsigned int percent)
{
	return inject_set(what, "verbose", 0) &&
	       inject_set(what, "times", -1) &&
	       inject_set(what, "probability", percent);
}

void weather_calm(void)
{
	inject(REFUSE, 0);
	inject(REHEARSE, 0);
}

static void reclaim_from(unsigned int worker, unsigned int mib)
{
	struct on_cgroup cg;

	worker_cgroup(&cg, worker);
	/* It says EAGAIN if it got less. */
	on_cgroup_write_bytes(&cg, "memory.reclaim", mib * ON_MIB);
	count(COUNT_RECLAIMS, 1);
}

static void freeze(unsigned int worker, unsigned int ms)
{
	struct on_cgroup cg;

	worker_cgroup(&cg, worker);
	if (on_cgroup_write(&cg, "cgroup.freeze", "1"))
		return;
	on_sleep_ms(ms);
	on_cgroup_write(&cg, "cgroup.freeze", "0");
	count(COUNT_FREEZES, 1);
}

static void hotplug(unsigned int ms)
{
	if (on_write_file(PROCESSOR, "0"))
		return;
	on_sleep_ms(ms);
	while (on_write_file(PROCESSOR, "1"))
		on_sleep_ms(ms);
	count(COUNT_HOTPLUGS, 1);
}

void weather_round(unsigned int worker, unsigned int round)
{
	struct weather w;
	unsigned int i;

	plan(&w, soak->seed, worker, round);
	if (inject(REFUSE, w.refuse ? w.percent : 0))
		count(COUNT_REFUSE_PHASES, w.refuse);
	if (inject(REHEARSE, w.rehearse ? w.percent : 0))
		count(COUNT_REHEARSE_PHASES, w.rehearse);
	for (i = 0; i < EVENTS && on_now_ms() < soak->until_ms; i++) {
		on_sleep_ms(w.step_ms);
		switch (w.event[i].what) {
		case EVENT_RECLAIM:
			reclaim_from(w.event[i].worker, w.event[i].mib);
			break;
		case EVENT_COMPACT:
			on_write_file("/proc/sys/vm/compact_memory", "1");
			count(COUNT_COMPACTIONS, 1);
			break;
		case EVENT_SWAPOFF:
			if (!swap_cycle())
				count(COUNT_SWAPOFFS, 1);
			break;
		case EVENT_FREEZE:
			freeze(w.event[i].worker, w.step_ms);
			break;
		case EVENT_HOTPLUG:
			hotplug(w.step_ms);
			break;
		}
	}
}
