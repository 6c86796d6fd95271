// SPDX-License-Identifier: GPL-2.0
/*
 * The OOM reaper itself: a stuck victim in a memory cgroup of its own is
 * killed by the OOM killer, and the tracepoints of the reaper say how long its
 * first pass took.
 */
#include <stdio.h>

#include "bench.h"

#define TICK	(10 * MS)
/* What never comes is not waited for longer */
#define PATIENCE	(30 * SEC)

struct reaping {
	struct victim v;
	long long killed, started, finished;
	long left;
};

static void on_event(const struct trace_event *event, void *arg)
{
	struct reaping *r = arg;

	if (event->pid != r->v.pid)
		return;
	if (event->what == TRACE_KILL && !r->killed)
		r->killed = event->when;
	if (event->what == TRACE_START && !r->started)
		r->started = event->when;
	if (event->what == TRACE_FINISH && !r->finished) {
		r->finished = event->when;
		r->left = event->left;
	}
}

static void reap(unsigned int mib, unsigned int intervals)
{
	struct victim_spec spec = {
		.size = mib * MIB, .limit = mib * MIB + HEADROOM,
		.intervals = intervals,
	};
	struct reaping r = { 0 };
	long before, after;
	long long end;
	pid_t pusher;
	char name[32];

	snprintf(name, sizeof(name), "reaper-%s-%u",
		 intervals ? "refused" : "none", mib);
	spec.name = name;
	say("the reaper, %u MiB, %u refusing", mib, intervals);
	victim_start(&r.v, &spec);
	victim_wait_stuck(&r.v);
	before = rss_exact(r.v.pid, "\nRss:");
	pusher = member_start(&r.v, 4 * HEADROOM, -1000);
	end = now() + PATIENCE;
	while (!r.finished && now() < end) {
		pause_for(TICK);
		trace_poll(on_event, &r);
		if (r.killed && pusher) {
			member_kill(pusher);
			pusher = 0;
		}
	}
	if (!r.finished)
		die("%s: the reaper did not come", name);
	/* What the pass has left, if the kernel says it; a worker may be at it */
	after = r.left >= 0 ? r.left : rss_exact(r.v.pid, "\nRss:");
	/* A microsecond is a thousand instructions */
	data(name, "instructions", (r.finished - r.started) * 1000);
	data(name, "before_kib", before);
	data(name, "left_kib", after);
	victim_release(&r.v);
	if (!victim_gone(&r.v, 10 * SEC))
		die("%s: the victim does not leave", name);
	victim_forget(&r.v);
}

void bench_reaper(void)
{
	static const unsigned int sizes[] = { 64, 256, 1024, 4096 };
	unsigned int i;

	for (i = 0; i < (quick ? 1 : ARRAY_SIZE(sizes)); i++) {
		reap(sizes[i], 0);
		reap(sizes[i], 1);
	}
}
