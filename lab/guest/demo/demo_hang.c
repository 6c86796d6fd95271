// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that hangs: its notifier refuses the reaper, and does not return when
 * the victim calls it in its exit. Somebody else needs memory. That takes a
 * second kill on any kernel. The question is whether and when it comes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "demo.h"
#include "test_mmu_notifier_uapi.h"

#define TICK		(10 * MS)
/* What never comes is not waited for longer */
#define NO_KILL		(120 * SEC)
#define PATIENCE	(60 * SEC)
#define FILLED		(240 * SEC)

#define VICTIM_SIZE	(64 * MIB)
#define OTHER_SIZE	(24 * MIB)
#define WANTED		(12 * MIB)
#define ROOM		(2 * MIB)

static void on_event(const struct trace_event *event, void *arg)
{
	struct trace_event *kill = arg;

	if (event->what == TRACE_KILL && event->pid == kill->pid && !kill->when)
		kill->when = event->when;
}

/* Milliseconds from the victim's kill until @pid has all that it wants; or -1 */
static long wait_served(struct victim *v, pid_t pid, unsigned long wanted)
{
	struct trace_event kill = { .pid = v->pid };
	long long end = now() + NO_KILL;

	do {
		pause_for(TICK);
		trace_poll(on_event, &kill);
	} while (!kill.when && now() < end);
	if (!kill.when)
		return -1;
	end = kill.when + PATIENCE;
	while (rss_fast(pid) < (long)(wanted / KIB)) {
		if (now() > end)
			return -1;
		pause_for(TICK);
		trace_poll(on_event, &kill);
	}
	return (now() - kill.when) / MS;
}

static void finish(const char *name, struct victim *v, pid_t other, pid_t wants)
{
	data(name, "kills", cgroup_oom_kills(v));
	victim_release(v);
	member_kill(wants);
	member_kill(other);
	data(name, "hang", !victim_gone(v, 10 * SEC));
	victim_forget(v);
	fflush(stdout);
}

/* The task that waits for memory is the one that has to release the victim, or not. */
static void release_hold(struct victim *v)
{
	ioctl(v->dev, TEST_MMU_NOTIFIER_RELEASE_HOLD);
}

static void play_cgroup(const char *name, void (*then)(struct victim *v))
{
	const struct victim_spec spec = {
		.name = name, .size = VICTIM_SIZE, .whole = true, .exits = true,
		.flags = TEST_MMU_NOTIFIER_HOLD_BLOCKING,
	};
	pid_t other, wants;
	struct victim v;

	victim_start(&v, &spec);
	victim_wait_ready(&v);
	other = member_start(&v, OTHER_SIZE, 0);
	if (!member_filled(other, OTHER_SIZE, FILLED))
		die("%s: no memory", name);
	cgroup_close(&v, ROOM);
	wants = member_start_then(&v, WANTED, -1000, then);
	data(name, "served_ms", wait_served(&v, wants, WANTED));
	finish(name, &v, other, wants);
}

/* All of the machine's memory. */
static void play_machine(void)
{
	const struct victim_spec spec = {
		.name = "hang-machine", .size = VICTIM_SIZE, .whole = true,
		.exits = true, .score = 1000,
		.flags = TEST_MMU_NOTIFIER_HOLD_BLOCKING,
	};
	unsigned long size = 2 * VICTIM_SIZE, wanted;
	struct victim_spec all_spec = { .name = "hang-all" };
	struct victim v, all = { .spec = &all_spec };
	pid_t other, wants;
	char text[4096], *at;

	write_file("/proc/self/oom_score_adj", "-1000");
	victim_start(&v, &spec);
	victim_wait_ready(&v);
	other = member_start(&v, size, 500);
	if (!member_filled(other, size, FILLED))
		die("%s: no memory", spec.name);
	read_file("/proc/meminfo", text, sizeof(text));
	at = strstr(text, "MemAvailable:");
	if (!at)
		die("%s: no MemAvailable", spec.name);
	/*
	 * More than there is, by more than the reserves that MemAvailable leaves
	 * out, and less than there is without the second one
	 */
	wanted = atol(at + strlen("MemAvailable:")) * KIB + VICTIM_SIZE * 3 / 2;
	snprintf(all.cgroup, sizeof(all.cgroup), "/sys/fs/cgroup");
	wants = member_start(&all, wanted, -1000);
	data(spec.name, "wanted_kib", wanted / KIB);
	data(spec.name, "served_ms", wait_served(&v, wants, wanted));
	finish(spec.name, &v, other, wants);
	write_file("/proc/self/oom_score_adj", "0");
}

void play_hang(void)
{
	say("a driver that hangs in the victim's exit");
	play_cgroup("hang-exit", NULL);
	say("the same, and the task that releases it needs memory first");
	play_cgroup("hang-holder", release_hold);
	say("the same, and the whole machine is out of memory");
	play_machine();
}
