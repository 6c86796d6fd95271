// SPDX-License-Identifier: GPL-2.0
/*
 * OOM victims in a kernel without MMU notifiers, which nobody can refuse then. There
 * is no test device either: ptrace() holds each at the start of its exit.
 *
 * The judges are smaps, memory.current, memory.swap.current and memory.events, the
 * log of the OOM reaper and its trace.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "real.h"

#define SIZE		(64 * ON_MIB)
#define SIZE_KIB	((long)(SIZE / ON_KIB))
#define SWAP_SIZE	(128 * ON_MIB)
#define MAX_EVENTS	64

static struct on_log kernel_log;

/* One attempt, by which all is freed, and nothing is refused */
static void judge_trace(struct on_trace *t, pid_t pid)
{
	static struct on_event events[MAX_EVENTS];
	int nr = on_trace_read(t, events, MAX_EVENTS), i, attempts = 0;

	check(nr >= 0, "read the trace: %s", strerror(-nr));
	for (i = 0; i < nr; i++) {
		const struct on_event *e = &events[i];

		if (e->what != ON_FINISH || e->pid != pid)
			continue;
		attempts++;
		note("traced: %ld KiB freed, %ld left, %ld refused", e->freed,
		     e->left, e->refused);
		check(e->freed >= SIZE_KIB && !e->left && !e->refused,
		      "that is not all of %ld", SIZE_KIB);
	}
	check(attempts == 1, "%d attempts are traced", attempts);
}

static void judge_log(pid_t pid)
{
	long long until = on_now_ms() + SOON_MS;
	struct on_report r = { 0 };

	while (!on_log_report(&kernel_log, pid, &r) && on_now_ms() < until)
		on_sleep_ms(10);
	check(r.verdict == ON_DONE, "the log does not say that it was reaped");
	check(!r.attempts && !r.refused_by[0] && !r.waiting_in[0],
	      "the log says that the first attempt was not enough");
}

static bool begin(struct scene *s, const char *name)
{
	int ret = on_log_open(&kernel_log);

	s->traced = true;
	s->victim.size = SIZE;
	return check(!ret, "open the log: %s", strerror(-ret)) &&
	       scene_begin(s, name);
}

static void end(struct scene *s)
{
	scene_end(s);
	/* "Bad rss-counter state": when the last one drops the mm */
	on_sleep_ms(200);
	on_log_read(&kernel_log);
	check(!kernel_log.bugs, "%s", kernel_log.bug);
	on_log_close(&kernel_log);
}

static void play(struct scene *s, const char *name)
{
	struct on_trace trace = { 0 };
	const char *why = "";
	int ret;

	if (check(!on_trace_supported(&why), "%s", why)) {
		ret = on_trace_begin(&trace, false);
		check(!ret, "trace: %s", strerror(-ret));
	}
	if (begin(s, name) && scene_oom(s)) {
		scene_judge(s, 0, 0);
		judge_log(s->victim.pid);
		judge_trace(&trace, s->victim.pid);
	}
	on_trace_end(&trace);
	end(s);
}

static void anonymous(void)
{
	struct scene s = { .victim.backing = ON_SMALL };

	play(&s, "plain-small");
}

static void locked(void)
{
	struct scene s = { .victim.backing = ON_MLOCKED };

	play(&s, "plain-mlocked");
}

static void private_file(void)
{
	struct scene s = { .victim.backing = ON_FILE };
	int ret;

	/* Its own pages are here, and so are not charged to the victim. */
	s.victim.file = memfd_create("plain-victim", MFD_CLOEXEC);
	ret = posix_fallocate(s.victim.file, 0, SIZE);
	if (check(!ret, "make a file: %s", strerror(ret)))
		play(&s, "plain-file");
	close(s.victim.file);
}

/* In the victim: half of it goes to swap, and then no more. */
static int swap_out(struct on_victim *v, void *arg)
{
	long out = 0;
	int i;

	(void)arg;
	on_cgroup_write(v->cg, "memory.swap.max", "max");
	for (i = 0; i < 10 && out < SIZE_KIB / 4; i++) {
		if (madvise((void *)v->addr, SIZE / 2, MADV_PAGEOUT))
			return -errno;
		on_sleep_ms(10);
		out = on_cgroup_read(v->cg, "memory.swap.current") / 1024;
	}
	v->shared->id[0] = out;
	return on_cgroup_write(v->cg, "memory.swap.max", "0");
}

static void swapped(void)
{
	struct scene s = { .victim.prepare = swap_out };
	struct on_swap swap;
	const char *why = "";
	long long out;
	int ret;

	ret = on_swap_begin(&swap, SWAP_SIZE, &why);
	if (!check(!ret, "%s: %s", why, strerror(-ret)))
		return;
	if (begin(&s, "plain-swap")) {
		note("%u of %ld KiB are in swap", s.victim.shared->id[0], SIZE_KIB);
		check(s.victim.shared->id[0] >= SIZE_KIB / 4,
		      "too little is in swap");
		if (scene_oom(&s)) {
			scene_judge(&s, 0, 0);
			judge_log(s.victim.pid);
			out = on_cgroup_wait(&s.cg, "memory.swap.current", 0,
					     SOON_MS);
			check(!out, "%lld KiB are in swap", out / 1024);
		}
	}
	end(&s);
	on_swap_end(&swap);
}

static void mrelease(void)
{
	struct scene s = { .victim.backing = ON_SMALL };
	long long until = on_now_ms() + LONG_MS;
	long held;
	int ret;

	if (begin(&s, "plain-mrelease")) {
		held = on_victim_held(&s.victim);
		check(held == SIZE_KIB, "%ld KiB are held before the kill", held);
		kill(s.victim.pid, SIGKILL);
		while (!scene_stuck(&s) && on_now_ms() < until)
			on_sleep_ms(10);
		check(scene_stuck(&s), "the victim is not stuck");
		ret = on_mrelease(s.victim.pid);
		check(!ret, "process_mrelease: %s", strerror(-ret));
		held = on_victim_held(&s.victim);
		check(!held, "%ld KiB are held", held);
		check(scene_stuck(&s), "the victim is not stuck any more");
	}
	end(&s);
}

static const struct real_case cases[] = {
	{ "a process that cannot exit is reaped", anonymous, NULL },
	{ "locked memory is reaped", locked, NULL },
	{ "what was written to a private mapping of a file is reaped",
	  private_file, NULL },
	{ "what is in swap is freed", swapped, NULL },
	{ "process_mrelease() frees a process that cannot exit", mrelease, NULL },
};

int main(void)
{
	static char *args[] = { "plain-victim", "series", NULL };

	if (!access(TEST_MMU_NOTIFIER_DEVICE, F_OK) ||
	    !access("/sys/kernel/tracing/events/mmu_notifier", F_OK)) {
		note("this kernel has MMU notifiers");
		return 1;
	}
	return real_main(2, args, cases, sizeof(cases) / sizeof(cases[0]));
}
