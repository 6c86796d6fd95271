// SPDX-License-Identifier: GPL-2.0
/* A killer: makes victims, has them killed, lets them go, and looks after them. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

#define STEP_MS		20
/* Page tables, stacks, and the rest of a victim; what its notifiers do not cost */
#define EXTRA		(ON_MIB + ON_MIB / 2)
/* What a process has that is no victim's memory, and the counters' error */
#define REAPED_PAGES	(ON_MIB / PAGE)
/* What a CPU has charged in advance, and what is freed late */
#define LEFT_BYTES	(2 * ON_MIB)

struct round {
	struct plan plan;
	struct on_cgroup cg;
	struct victim_shared *shared;
	struct victim_args args[MAX_VICTIMS];
	pid_t pid[MAX_VICTIMS];
	pid_t other;
	pid_t caller[MAX_CALLERS - 1];
	int dev;
	long long kills;	/* of the cgroup, before */
	unsigned int worker, nr;
	unsigned int switched, called;
};

static void complain(struct round *r, enum count what, const char *text)
{
	char plan[400];

	plan_print(&r->plan, plan, sizeof(plan));
	bad(what, r->worker, r->nr, "%s: %s", text, plan);
	show_tasks(&r->cg);
}

static bool has_exited(pid_t pid)
{
	siginfo_t info = {};

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
	       info.si_pid == pid;
}

/* Not by a signal: see give_up() */
static bool gave_up(pid_t pid)
{
	siginfo_t info = {};

	return !waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid == pid && info.si_code == CLD_EXITED;
}

static bool victims_exited(struct round *r)
{
	unsigned int i;

	for (i = 0; i < r->plan.victims; i++)
		if (!has_exited(r->pid[i]))
			return false;
	return true;
}

/* Pages of all victims together; those that have exited have none. */
static long victims_rss(struct round *r)
{
	char path[64], buf[128];
	long rss, sum = 0;
	unsigned int i;

	for (i = 0; i < r->plan.victims; i++) {
		snprintf(path, sizeof(path), "/proc/%d/statm", (int)r->pid[i]);
		if (!on_read_file(path, buf, sizeof(buf)) &&
		    sscanf(buf, "%*s %ld", &rss) == 1)
			sum += rss;
	}
	return sum;
}

static long long cgroup_kills(struct round *r)
{
	return on_cgroup_key(&r->cg, "memory.events", "oom_kill");
}

static bool start_victims(struct round *r)
{
	const struct plan *p = &r->plan;
	unsigned int i;

	on_cgroup_write_bytes(&r->cg, "memory.max",
			      p->kind == KILL_SIGNAL ? 1ULL << 40 :
			      p->victims * (p->mib * ON_MIB + EXTRA));
	on_cgroup_write_bytes(&r->cg, "memory.swap.max", p->swap_mib * ON_MIB);
	on_cgroup_write(&r->cg, "memory.oom.group",
			p->kind == KILL_GROUP ? "1" : "0");

	for (i = 0; i < p->victims; i++) {
		r->args[i] = (struct victim_args){
			.plan = p, .shared = r->shared, .nr = i, .dev = r->dev,
			.seed = soak->seed, .worker = r->worker, .round = r->nr,
		};
		r->pid[i] = fork_into(&r->cg);
		if (!r->pid[i])
			victim_main(&r->args[i]);
		if (r->pid[i] < 0)
			return false;
		count(COUNT_VICTIMS, 1);
	}
	return true;
}

/*
 * One that is killed earlier is a valid victim, only a less interesting one. Its
 * own threads may have crashed it, too.
 */
static bool victims_ready(struct round *r)
{
	const struct plan *p = &r->plan;
	long long until = on_now_ms() + READY_MS;
	bool stuck = p->hang == HANG_STICK || p->hang == HANG_CHURN;
	unsigned int i, ready, exited;

	for (;;) {
		ready = 0;
		exited = 0;
		for (i = 0; i < p->victims; i++) {
			if (gave_up(r->pid[i]))
				return false;
			if (has_exited(r->pid[i]))
				exited++;
			else
				ready += __atomic_load_n(&r->shared->ready[i],
							 __ATOMIC_ACQUIRE);
		}
		if (ready && ready + exited == p->victims &&
		    (!stuck || on_dev_nr_stuck(r->dev) >= (int)ready))
			break;
		if (cgroup_kills(r) > r->kills || victims_exited(r)) {
			count(COUNT_EARLY, 1);
			return true;
		}
		if (on_now_ms() > until)
			return false;
		on_sleep_ms(5);
	}
	if (p->hang == HANG_HELD)
		on_sleep_ms(STEP_MS);
	if (p->hang == HANG_EXIT)
		count(COUNT_HELD_EXIT, p->victims);
	else if (p->hang != HANG_NONE)
		count(COUNT_STUCK, p->victims);
	return true;
}

/* A process that wants more than there is; it is not the largest. */
static void start_other(struct round *r)
{
	char *p;
	size_t i;

	r->other = fork_into(&r->cg);
	if (r->other)
		return;
	p = malloc(r->plan.mib * ON_MIB);
	/* The victims have a quarter at least, but may have given some back. */
	for (i = 0; p && i < r->plan.mib * ON_MIB * 7 / 8; i += PAGE)
		__atomic_store_n(&p[i], 1, __ATOMIC_RELAXED);
	for (;;)
		pause();
}

static void kill_victims(struct round *r)
{
	unsigned int i;

	switch (r->plan.kind) {
	case KILL_SELF:
	case KILL_GROUP:
		__atomic_store_n(&r->shared->go, 1, __ATOMIC_RELEASE);
		break;
	case KILL_OTHER:
		start_other(r);
		break;
	case KILL_SHRINK:
		on_cgroup_write_bytes(&r->cg, "memory.max", PAGE);
		break;
	case KILL_SIGNAL:
		for (i = 0; i < r->plan.victims; i++)
			kill(r->pid[i], SIGKILL);
		count(COUNT_SIGNALS, 1);
		break;
	}
}

/*
 * Has the first victim, who runs into the limit, crashed? It was killed then, too,
 * but its first thread may be stuck.
 */
static bool has_crashed(struct round *r)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", r->pid[0]);
	return has_exited(r->pid[0]) || read_key(path, "Threads:") == 1;
}

static bool wait_kill(struct round *r)
{
	long long start = on_now_ms(), until = start + KILL_MS, hits = -1, now_hits;
	bool overruns = r->plan.kind == KILL_SELF || r->plan.kind == KILL_GROUP;

	if (r->plan.kind == KILL_SIGNAL)
		return true;
	while (cgroup_kills(r) == r->kills) {
		/* Its own threads may have crashed it: not the subject. */
		if (victims_exited(r) || (overruns && has_crashed(r)))
			return true;
		/* Who is slow to fill memory and swap on a busy machine is at the limit again. */
		now_hits = on_cgroup_key(&r->cg, "memory.events", "max");
		if (now_hits != hits && on_now_ms() < start + 5 * KILL_MS)
			until = on_now_ms() + KILL_MS;
		hits = now_hits;
		if (on_now_ms() > until)
			return false;
		on_sleep_ms(STEP_MS);
	}
	return true;
}

static void call_mrelease(struct round *r)
{
	unsigned int i;
	int ret;

	for (i = 0; i < r->plan.victims; i++) {
		ret = on_mrelease(r->pid[i]);
		count(COUNT_MRELEASE, 1);
		if (!ret)
			count(COUNT_MRELEASE_DONE, 1);
		else if (ret == -EAGAIN)
			count(COUNT_MRELEASE_AGAIN, 1);
	}
}

/* Others who call it at the same time */
static void start_callers(struct round *r)
{
	unsigned int i;

	for (i = 0; r->plan.mrelease_ms && i + 1 < r->plan.callers; i++) {
		r->caller[i] = fork_into(NULL);
		if (r->caller[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			call_mrelease(r);
			on_sleep_ms(r->plan.mrelease_ms);
		}
	}
}

static void stop_callers(struct round *r)
{
	unsigned int i;

	for (i = 0; i < MAX_CALLERS - 1; i++) {
		if (r->caller[i] <= 0)
			continue;
		kill(r->caller[i], SIGKILL);
		waitpid(r->caller[i], NULL, 0);
	}
}

static void switch_refusals(struct round *r)
{
	const struct plan *p = &r->plan;
	unsigned int flags = r->switched++ % 2 ? plan_refuse(p) : 0;
	unsigned int i;

	for (i = 0; i < p->victims; i++) {
		if (p->refusing && r->shared->refuse_id[i])
			on_dev_set(r->dev, r->shared->refuse_id[i], p->refusing,
				   flags, p->refusals);
		if (p->list == LIST_REFUSE && r->shared->list_id[i])
			on_dev_set(r->dev, r->shared->list_id[i], 1,
				   flags & TEST_MMU_NOTIFIER_REFUSE, 0);
	}
	count(COUNT_TOGGLES, 1);
}

/* From the kill on until the victims may go */
static void wait_release(struct round *r)
{
	const struct plan *p = &r->plan;
	long long start = on_now_ms(), now;
	long rss = victims_rss(r), left;
	long limit = p->victims * REAPED_PAGES;

	if (p->hang == HANG_NONE)
		return;
	for (;;) {
		now = on_now_ms() - start;
		if (victims_exited(r))
			return;
		if (p->mrelease_ms && now >= p->mrelease_ms * r->called) {
			r->called++;
			call_mrelease(r);
		}
		if (p->toggle_ms && now >= p->toggle_ms * (r->switched + 1))
			switch_refusals(r);

		left = victims_rss(r);
		switch (p->release) {
		case RELEASE_SOON:
			if (now >= p->release_ms)
				return;
			break;
		case RELEASE_FALLING:
			if (left < rss - rss / 8) {
				count(COUNT_FALLING, p->victims);
				return;
			}
			/* What is refused does not fall. */
			if (now > 2 * ON_REAPER_DELAY_MS)
				return;
			break;
		case RELEASE_REAPED:
			if (left <= limit) {
				count(COUNT_REAPED, p->victims);
				return;
			}
			if (now > KILL_MS) {
				complain(r, BAD_REAPED, "is not reaped");
				return;
			}
		}
		on_sleep_ms(p->release == RELEASE_FALLING &&
			    now + 100 > ON_REAPER_DELAY_MS ? 2 : STEP_MS);
	}
}

static void remove_notifiers(struct round *r)
{
	const struct plan *p = &r->plan;
	unsigned int i;

	for (i = 0; i < p->victims; i++) {
		if (r->shared->refuse_id[i] &&
		    !on_dev_remove(r->dev, r->shared->refuse_id[i], p->refusing))
			count(COUNT_REMOVED, p->refusing);
		if (r->shared->list_id[i] &&
		    !on_dev_remove(r->dev, r->shared->list_id[i], 1))
			count(COUNT_REMOVED, 1);
	}
}

/* An invalidation without an end would make it wait forever. */
static void read_intervals(struct round *r)
{
	unsigned int i;

	for (i = 0; i < r->plan.victims; i++) {
		int ret;

		if (!r->shared->first_id[i])
			continue;
		ret = on_dev_read_begin(r->dev, r->shared->first_id[i],
					GONE_MS);
		if (ret > 0)
			count(COUNT_READS, 1);
		else if (!ret)
			complain(r, BAD_READ,
				 "mmu_interval_read_begin() does not return");
	}
}

static void let_go(struct round *r)
{
	long long until = on_now_ms() + GONE_MS;
	unsigned int i;

	on_dev_unstick(r->dev);
	on_dev_release_hold(r->dev);
	if (r->other > 0)
		kill(r->other, SIGKILL);
	for (i = 0; i < r->plan.victims; i++)
		if (r->pid[i] > 0)
			kill(r->pid[i], SIGKILL);
	while (!victims_exited(r)) {
		if (on_now_ms() > until) {
			complain(r, BAD_HANG, "does not exit");
			return;
		}
		on_sleep_ms(5);
	}
	if (!empty_cgroup(&r->cg, GONE_MS))
		complain(r, BAD_HANG, "a victim does not exit");
}

static void collect(struct round *r)
{
	struct test_mmu_notifier_stat stat;
	long long left;

	if (!on_dev_stat(r->dev, 0, UINT32_MAX, &stat)) {
		count(COUNT_NONBLOCK, stat.nonblock);
		count(COUNT_REFUSED, stat.refused);
		count(COUNT_BLOCKING, stat.blocking);
		count(COUNT_WORKER, stat.foreign);
	}
	left = on_dev_nr_churned(r->dev);
	if (left > 0)
		count(COUNT_CHURNED, left);
	count(COUNT_KILLS, cgroup_kills(r) - r->kills);

	on_cgroup_write(&r->cg, "memory.max", "max");
	left = on_cgroup_wait(&r->cg, "memory.current", LEFT_BYTES, GONE_MS);
	if (left > (long long)LEFT_BYTES)
		bad(BAD_CGROUP, r->worker, r->nr,
		    "%lld KiB are left in the cgroup", left / 1024);
}

uint64_t killer_plan(uint64_t seed, unsigned int worker, unsigned int round)
{
	struct plan plan;

	plan_round(&plan, seed, worker, round);
	return digest(0, &plan, sizeof(plan));
}

void killer_print(uint64_t seed, unsigned int worker, unsigned int round)
{
	struct plan plan;
	char text[400];

	plan_round(&plan, seed, worker, round);
	plan_print(&plan, text, sizeof(text));
	printf("%s\n", text);
}

void killer_round(unsigned int worker, unsigned int round)
{
	static struct round r;
	static struct victim_shared *shared;

	if (!shared)
		shared = shared_memory(sizeof(*shared));
	memset(&r, 0, sizeof(r));
	memset(shared, 0, sizeof(*shared));
	r.shared = shared;
	r.worker = worker;
	r.nr = round;
	plan_round(&r.plan, soak->seed, worker, round);
	worker_cgroup(&r.cg, worker);
	if (r.plan.fresh && on_cgroup_create(&r.cg, "soak-new")) {
		bad(BAD_START, worker, round, "make a cgroup: %s",
		    strerror(errno));
		return;
	}
	r.dev = on_dev_open();
	if (r.dev < 0) {
		bad(BAD_START, worker, round, "open the test device: %s",
		    strerror(-r.dev));
		return;
	}
	r.kills = cgroup_kills(&r);

	if (!start_victims(&r) || !victims_ready(&r)) {
		complain(&r, BAD_START, "does not get ready");
	} else {
		kill_victims(&r);
		start_callers(&r);
		if (wait_kill(&r))
			wait_release(&r);
		else
			complain(&r, BAD_KILL, "there is no OOM kill");
		stop_callers(&r);
	}
	/* While they are still stuck, when they are gone, or by close() */
	if (r.plan.remove == 1 && r.plan.hang == HANG_STICK)
		remove_notifiers(&r);
	let_go(&r);
	if (r.plan.read)
		read_intervals(&r);
	if (r.plan.remove == 2)
		remove_notifiers(&r);
	collect(&r);
	close(r.dev);
	if (!r.plan.fresh)
		return;
	if (on_cgroup_remove(&r.cg, GONE_MS))
		complain(&r, BAD_CGROUP, "the cgroup cannot be removed");
	count(COUNT_FRESH, 1);
}
