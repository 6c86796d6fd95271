// SPDX-License-Identifier: GPL-2.0
/* Killing a stuck victim by the limit of its memory cgroup, and TAP. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "real.h"

/* As in the selftest: the limit is so much above what is used at the start */
#define HEADROOM	(16 * ON_MIB)
/* It needs some of the victim's memory to finish */
#define ALLOCATOR_SIZE	(36 * ON_MIB)

bool real_base;
static bool failed;

bool check(bool cond, const char *fmt, ...)
{
	va_list ap;

	if (cond)
		return true;
	failed = true;
	printf("# FAILED: ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	return false;
}

void note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

int real_main(int argc, char **argv, const struct real_case *cases, int nr)
{
	const char *why, *name;
	bool any = false;
	int i, ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2 || (strcmp(argv[1], "series") && strcmp(argv[1], "base"))) {
		note("usage: %s series|base", argv[0]);
		return 1;
	}
	real_base = !strcmp(argv[1], "base");
	ret = on_cgroup_supported(&why);
	if (ret) {
		note("no memory cgroups: %s: %s", why, strerror(-ret));
		return 1;
	}

	printf("1..%d\n", nr);
	for (i = 0; i < nr; i++) {
		failed = false;
		cases[i].run();
		any |= failed;
		name = cases[i].name;
		if (real_base && cases[i].unpatched)
			name = cases[i].unpatched;
		printf("%sok %d %s\n", failed ? "not " : "", i + 1, name);
	}
	return any;
}

bool scene_begin(struct scene *s, const char *name)
{
	struct on_victim *v = &s->victim;
	int ret;

	v->dev = s->traced ? -1 : on_dev_open();
	if (!check(s->traced || v->dev >= 0, "open the test device: %s",
		   strerror(-v->dev)))
		return false;
	ret = on_cgroup_create(&s->cg, name);
	if (!check(!ret, "create a cgroup: %s", strerror(-ret)))
		return false;
	s->has_cgroup = true;
	on_cgroup_write(&s->cg, "memory.swap.max", "0");
	v->cg = &s->cg;
	v->stick_s = s->traced ? 0 : STICK_S;
	ret = on_victim_start(v, 2 * LONG_MS);
	if (!check(!ret, "start the victim: %s", strerror(-ret)))
		return false;
	return !s->traced ||
	       check(!ptrace(PTRACE_SEIZE, v->pid, NULL, PTRACE_O_TRACEEXIT),
		     "trace the victim: %s", strerror(errno));
}

bool scene_stuck(struct scene *s)
{
	int status;

	if (!s->traced)
		return on_dev_nr_stuck(s->victim.dev) == 1;
	/* There is nothing to wait for as long as it stays where it is. */
	if (s->victim.pid > 0 &&
	    waitpid(s->victim.pid, &status, WNOHANG) == s->victim.pid)
		s->held = status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8);
	return s->held;
}

bool scene_oom(struct scene *s)
{
	long long current = on_cgroup_read(&s->cg, "memory.current");
	int ret;

	note("memory.current of the stuck victim is %lld KiB", current / 1024);
	ret = on_cgroup_write_bytes(&s->cg, "memory.max", current + HEADROOM);
	if (!check(!ret, "set memory.max: %s", strerror(-ret)))
		return false;
	ret = on_eater_start(&s->allocator, &s->cg, ALLOCATOR_SIZE);
	if (!check(!ret, "start the allocator: %s", strerror(-ret)))
		return false;
	s->has_allocator = true;
	ret = on_cgroup_wait_kill(&s->cg, LONG_MS);
	s->killed_ms = on_now_ms();
	return check(!ret, "wait for the OOM killer: %s", strerror(-ret));
}

static void sleep_until(long long ms)
{
	long long now = on_now_ms();

	if (now < ms)
		on_sleep_ms(ms - now);
}

void scene_judge(struct scene *s, long held_kib, long extra)
{
	long all_kib = s->victim.size / ON_KIB;
	long long current, limit, kills, given_up;
	long held;
	int ret;

	/* Wait for what goes, if anything is to go, and then for the retries */
	given_up = s->killed_ms + ON_REAPER_GIVES_UP_MS;
	if (held_kib < all_kib) {
		on_victim_wait_held(&s->victim, held_kib, REAP_MS);
		note("it took %lld ms from the kill", on_now_ms() - s->killed_ms);
		given_up = on_now_ms() + ON_REAPER_GIVES_UP_MS -
			   ON_REAPER_DELAY_MS;
	}
	sleep_until(given_up);
	held = on_victim_held(&s->victim);
	note("%ld of %ld KiB are held", held, all_kib);
	check(held == held_kib, "%ld KiB are held, not %ld", held, held_kib);
	check(scene_stuck(s), "the victim is not stuck");
	if (held_kib < all_kib) {
		ret = on_eater_wait(&s->allocator, SOON_MS);
		check(!ret, "the allocator is not through: %s", strerror(-ret));
		kills = on_cgroup_key(&s->cg, "memory.events", "oom_kill");
		check(kills == 1, "oom_kill is %lld", kills);
	}

	/*
	 * What else may be charged: page tables of the mapping, what each CPU
	 * has charged in advance, and a bit for the rest of the victim.
	 */
	on_eater_stop(&s->allocator, SOON_MS);
	limit = held_kib * ON_KIB + s->victim.size / 512 + extra +
		sysconf(_SC_NPROCESSORS_ONLN) * 256 * ON_KIB + ON_MIB;
	current = on_cgroup_wait(&s->cg, "memory.current", limit, 1000);
	note("memory.current is %lld KiB, without the allocator", current / 1024);
	check(current <= limit, "memory.current is %lld KiB, not %lld",
	      current / 1024, limit / 1024);
	if (held_kib)
		check(current >= (long long)(held_kib * ON_KIB),
		      "memory.current is %lld KiB only", current / 1024);
}

void scene_end(struct scene *s)
{
	long long until = on_now_ms() + SOON_MS;
	int ret;

	if (s->traced && s->victim.shared && s->victim.pid > 0) {
		kill(s->victim.pid, SIGKILL);
		while (!scene_stuck(s) && on_now_ms() < until)
			on_sleep_ms(10);
		ptrace(PTRACE_DETACH, s->victim.pid, NULL, NULL);
	}
	ret = on_victim_end(&s->victim, SOON_MS);
	check(!ret, "the victim does not exit: %s", strerror(-ret));
	if (s->has_allocator)
		on_eater_stop(&s->allocator, SOON_MS);
	if (s->victim.dev >= 0)
		close(s->victim.dev);
	if (s->has_cgroup) {
		ret = on_cgroup_remove(&s->cg, SOON_MS);
		check(!ret, "remove the cgroup: %s", strerror(-ret));
	}
}
