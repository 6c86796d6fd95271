// SPDX-License-Identifier: GPL-2.0
/* What a killer does in a round. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "soak.h"

/* OOM_REAPER_DELAY, and ten attempts each 100 ms */
#define DELAY_MS	ON_REAPER_DELAY_MS
#define ATTEMPTS_MS	1000

static unsigned int plan_release_ms(struct rng *r)
{
	static const unsigned int weights[] = { 2, 3, 5, 6, 3, 0 };

	switch (rng_pick(r, weights)) {
	case 0:
		return 0;
	case 1:
		return rng_below(r, DELAY_MS);
	case 2:	/* when the reaper wakes up */
		return rng_between(r, DELAY_MS - 50, DELAY_MS + 200);
	case 3:	/* when it comes back for what was refused */
		return rng_between(r, DELAY_MS, DELAY_MS + ATTEMPTS_MS);
	default:	/* when it has given up */
		return rng_between(r, DELAY_MS + ATTEMPTS_MS,
				   DELAY_MS + 2 * ATTEMPTS_MS);
	}
}

bool plan_is_held(const struct plan *p)
{
	return p->hang == HANG_HELD || p->hang == HANG_EXIT;
}

/* What would wait for itself, or cost too much to be done often */
static void plan_mend(struct plan *p, struct rng *r)
{
	bool cheap = rng_percent(r, 15);

	/* Both keep a processor busy until the memory is there. */
	if ((p->kind == KILL_SHRINK || p->kind == KILL_OTHER) &&
	    p->hang != HANG_NONE && !cheap)
		p->kind = KILL_SELF;
	/* The limit is the worker's own, which could not release anything any more. */
	if (p->kind == KILL_SHRINK && plan_is_held(p))
		p->hang = HANG_STICK;
	/* To run into a limit is to reclaim, which would be held as well. */
	if (plan_is_held(p) &&
	    (p->kind == KILL_SELF || p->kind == KILL_GROUP))
		p->kind = KILL_OTHER;
	if (p->kind != KILL_GROUP)
		p->victims = 1;
	if (p->kind == KILL_GROUP && p->mib > 4)
		p->mib = 4;
	if (p->backing == BACK_HUGE)
		p->mib = (p->mib + 1) & ~1U;
	/* A held task unmaps something that an interval covers. */
	if (plan_is_held(p) && !p->accepting)
		p->accepting = 1;
	/*
	 * A task that is held with mmap_lock, in khugepaged or another thread, must not
	 * hold up what the kill waits for, and neither must reclaim.
	 */
	if (plan_is_held(p)) {
		p->movers = 0;
		/* It waits for mmap_lock, and the worker in it. */
		p->mrelease_ms = 0;
		/* To split a large folio is reclaim. */
		if (p->backing == BACK_HUGE || p->backing == BACK_LARGE ||
		    p->backing == BACK_SWAPPED)
			p->backing = BACK_SMALL;
	}
	/* What another one wants is more than is left, and no thread gives any back. */
	if (p->kind == KILL_OTHER) {
		p->movers = 0;
		if (p->mib < 4)
			p->mib = 4;
	}
	if (plan_is_held(p) || p->kind == KILL_OTHER ||
	    (p->backing != BACK_SWAPPED && !cheap))
		p->swap_mib = 0;
	if (p->backing == BACK_SWAPPED && !p->swap_mib)
		p->backing = BACK_SMALL;
	if (!p->refusing)
		p->worker = WORKER_SERVED;
	/* Each of them takes that long, for each who unmaps. */
	if (p->worker == WORKER_SLOW && p->refusing > 4)
		p->refusing = 4;
	if (p->worker == WORKER_SLOW)
		p->movers = 0;
	/* Removing a notifier waits for its callback to return. */
	if (p->worker == WORKER_HELD && p->remove == 1)
		p->remove = 2;
	/*
	 * Nothing holds mmap_lock for writing. Whether a notifier refuses does not
	 * matter, forever or not: the reaper's worker unmaps it.
	 */
	if (p->release == RELEASE_REAPED &&
	    (p->hang != HANG_STICK || p->movers || p->kind == KILL_SIGNAL ||
	     p->worker == WORKER_HELD))
		p->release = RELEASE_SOON;
}

void plan_round(struct plan *p, uint64_t seed, unsigned int worker,
		unsigned int round)
{
	static const unsigned int kinds[] = {
		[KILL_SELF] = 60, [KILL_GROUP] = 14, [KILL_OTHER] = 6,
		[KILL_SHRINK] = 8, [KILL_SIGNAL] = 12, 0
	};
	static const unsigned int backings[] = {
		[BACK_SMALL] = 20, [BACK_LARGE] = 40, [BACK_HUGE] = 16,
		[BACK_MLOCKED] = 8, [BACK_FILE] = 4, [BACK_SWAPPED] = 12, 0
	};
	static const unsigned int hangs[] = {
		[HANG_NONE] = 35, [HANG_STICK] = 50, [HANG_CHURN] = 4,
		[HANG_HELD] = 6, [HANG_EXIT] = 5, 0
	};
	static const unsigned int lists[] = {
		[LIST_NONE] = 70, [LIST_PLAIN] = 8, [LIST_END] = 12,
		[LIST_REFUSE] = 10, 0
	};
	static const unsigned int workers[] = {
		[WORKER_SERVED] = 70, [WORKER_SLOW] = 15, [WORKER_HELD] = 15, 0
	};
	static const unsigned int releases[] = {
		[RELEASE_SOON] = 50, [RELEASE_FALLING] = 20,
		[RELEASE_REAPED] = 30, 0
	};
	struct rng r;

	memset(p, 0, sizeof(*p));
	rng_start(&r, seed, worker, round, 0);
	p->kind = rng_pick(&r, kinds);
	p->victims = rng_between(&r, 2, MAX_VICTIMS);
	p->mib = 2 + rng_below(&r, rng_percent(&r, 85) ? 3 : 15);
	p->backing = rng_pick(&r, backings);
	p->hang = rng_pick(&r, hangs);
	p->shared_mm = rng_percent(&r, 8);
	p->movers = rng_percent(&r, 30) ? rng_between(&r, 1, MAX_MOVERS) : 0;
	p->accepting = rng_percent(&r, 60) ? rng_between(&r, 1, 8) : 0;
	p->refusing = rng_percent(&r, 40) ? rng_between(&r, 1, 20) : 0;
	p->refusals = rng_percent(&r, 30) ? 0 : rng_between(&r, 1, 4);
	p->list = rng_pick(&r, lists);
	p->release = rng_pick(&r, releases);
	p->release_ms = plan_release_ms(&r);
	p->toggle_ms = rng_percent(&r, 25) ? rng_between(&r, 100, 900) : 0;
	p->mrelease_ms = rng_percent(&r, 25) ? rng_between(&r, 50, 1200) : 0;
	p->callers = rng_between(&r, 1, MAX_CALLERS);
	p->fresh = rng_percent(&r, 15);
	p->swap_mib = rng_between(&r, 1, 4);
	p->remove = rng_below(&r, 3);
	p->read = rng_percent(&r, 30);
	p->worker = rng_pick(&r, workers);
	plan_mend(p, &r);
}

unsigned int plan_refuse(const struct plan *p)
{
	static const unsigned int flags[] = {
		[WORKER_SLOW] = TEST_MMU_NOTIFIER_SLOW_BLOCKING,
		[WORKER_HELD] = TEST_MMU_NOTIFIER_HOLD_FOREIGN,
	};

	return TEST_MMU_NOTIFIER_REFUSE | flags[p->worker];
}

void plan_print(const struct plan *p, char *text, size_t size)
{
	static const char *const kinds[] = {
		"over its limit", "a group", "over the limit by another",
		"a lowered limit", "SIGKILL",
	};
	static const char *const backings[] = {
		"small pages", "large folios", "huge pages", "mlocked", "private file",
		"partly swapped",
	};
	static const char *const hangs[] = {
		"not stuck", "stuck", "churning", "held in munmap", "held in its exit",
	};
	static const char *const lists[] = {
		"", ", a list notifier", ", a list notifier with end",
		", a list notifier that refuses",
	};
	static const char *const workers[] = {
		"", ", slow", ", hold the worker"
	};
	char release[40];

	if (p->release == RELEASE_SOON)
		snprintf(release, sizeof(release), "after %u ms", p->release_ms);
	else
		snprintf(release, sizeof(release), "%s",
			 p->release == RELEASE_REAPED ? "when reaped" :
			 "while it is reaped");
	snprintf(text, size,
		 "%s, %u of %u MiB, %s, %s%s, %u threads; intervals: %u accept, %u refuse (%u times%s)%s; released %s, switched each %u ms, process_mrelease() each %u ms by %u, %u MiB swap%s",
		 kinds[p->kind], p->victims, p->mib, backings[p->backing],
		 hangs[p->hang], p->shared_mm ? ", shared" : "", p->movers,
		 p->accepting, p->refusing, p->refusals, workers[p->worker],
		 lists[p->list],
		 p->hang == HANG_NONE ? "at once" : release, p->toggle_ms,
		 p->mrelease_ms, p->callers, p->swap_mib,
		 p->fresh ? ", in a new cgroup" : "");
}
