// SPDX-License-Identifier: GPL-2.0
/*
 * There is one OOM reaper. How long does a victim that no notifier holds
 * wait for it, from its kill until it is reaped, if others are in front of it?
 *
 * The reaper begins two seconds after a kill. On an unpatched kernel it stays for
 * a second with a victim that it cannot reap, and takes the one next that came
 * last. So one victim is killed half a second before the others and keeps it
 * busy, and of the others the one that is looked at is killed first.
 */
#include <stdio.h>

#include "demo.h"
#include "test_mmu_notifier_uapi.h"

#define TICK		(10 * MS)
/* What never comes is not waited for longer */
#define NO_KILL		(60 * SEC)
#define NO_REAPER	(100 * SEC)
#define HEAD_START	(500 * MS)

#define MOST_FRONT	64
#define FRONT_SIZE	(1 * MIB)
#define LAST_SIZE	(32 * MIB)

/* The victim of which the time is taken */
struct waiting {
	pid_t pid;
	long long killed, reaped;
};

static void on_event(const struct trace_event *event, void *arg)
{
	struct waiting *w = arg;

	if (event->pid != w->pid)
		return;
	if (event->what == TRACE_KILL && !w->killed)
		w->killed = event->when;
	/* Nothing is refused, so the first attempt frees all */
	if (event->what == TRACE_FINISH && !w->reaped)
		w->reaped = event->when;
}

/* Provokes a kill in the cgroup of @v; returns when the kernel has logged it. */
static void overrun(struct victim *v, struct waiting *w)
{
	long kills = cgroup_oom_kills(v);
	long long end = now() + NO_KILL;
	pid_t pusher;

	cgroup_close(v, HEADROOM / 2);
	pusher = member_start(v, HEADROOM, -1000);
	while (cgroup_oom_kills(v) == kills && now() < end) {
		pause_for(TICK / 5);
		trace_poll(on_event, w);
	}
	member_kill(pusher);
}

static void wait_reaped(struct waiting *w)
{
	long long end = now() + NO_REAPER;

	while (!w->reaped && now() < end) {
		pause_for(TICK);
		trace_poll(on_event, w);
	}
}

static void print_waiting(const char *name, const struct waiting *w)
{
	data(name, "reaped_ms", w->killed && w->reaped ?
	     (w->reaped - w->killed) / MS : -1);
}

static void leave(const char *name, struct victim *v)
{
	victim_release(v);
	data(name, "hang", !victim_gone(v, 10 * SEC));
}

/* @front victims refuse a page, also to who would wait for it. */
static void play_behind(unsigned int front)
{
	static struct victim_spec first_spec, group_spec, last_spec;
	static struct victim first, last, group[MOST_FRONT];
	static char first_name[32], name[32];
	struct waiting w = { 0 };
	unsigned int i;

	snprintf(name, sizeof(name), "behind-%u", front);
	snprintf(first_name, sizeof(first_name), "first-%u", front);
	group_spec = (struct victim_spec){
		.name = name, .size = FRONT_SIZE, .intervals = 1,
		.flags = TEST_MMU_NOTIFIER_HOLD_FOREIGN,
	};
	first_spec = group_spec;
	first_spec.name = first_name;
	/* The largest one, so the OOM killer begins with it */
	last_spec = (struct victim_spec){ .name = name, .size = LAST_SIZE };

	say("a victim behind %u that always refuse", front);
	victim_start(&last, &last_spec);
	cgroup_kill_together(&last);
	for (i = 1; i < front; i++)
		victim_join(&group[i], &group_spec, &last);
	if (front)
		victim_start(&first, &first_spec);
	victim_wait_stuck(&last);
	for (i = 1; i < front; i++)
		victim_wait_stuck(&group[i]);
	w.pid = last.pid;
	if (front) {
		victim_wait_stuck(&first);
		overrun(&first, &w);
		pause_for(HEAD_START);
	}
	overrun(&last, &w);
	wait_reaped(&w);

	data(name, "front", front);
	data(name, "kills", cgroup_oom_kills(&last));
	print_waiting(name, &w);
	if (front) {
		leave(first_name, &first);
		victim_forget(&first);
	}
	for (i = 1; i < front; i++) {
		leave(name, &group[i]);
		victim_forget(&group[i]);
	}
	leave(name, &last);
	victim_forget(&last);
}

void play_queue(void)
{
	static const unsigned int fronts[] = { 0, 1, 8, MOST_FRONT };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fronts); i++)
		play_behind(fronts[i]);
}

/* Two containers. The device of the first one releases a buffer each time. */
void play_slow(void)
{
	static const struct victim_spec slow_spec = {
		.name = "slow", .size = 160 * MIB, .slow = 50,
	};
	static const struct victim_spec spec = {
		.name = "behind-slow", .size = LAST_SIZE,
	};
	struct victim slow, second;
	struct waiting w = { 0 };

	say("a second container's victim behind one whose device is slow");
	victim_start(&slow, &slow_spec);
	victim_start(&second, &spec);
	victim_wait_stuck(&slow);
	victim_wait_stuck(&second);
	w.pid = second.pid;
	overrun(&slow, &w);
	overrun(&second, &w);
	wait_reaped(&w);
	print_waiting(spec.name, &w);
	data(spec.name, "kills", cgroup_oom_kills(&second));
	leave(slow_spec.name, &slow);
	victim_forget(&slow);
	leave(spec.name, &second);
	victim_forget(&second);
}
