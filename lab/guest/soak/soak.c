// SPDX-License-Identifier: GPL-2.0
/*
 * Endurance of the OOM reaper and the MMU notifiers, see soak.h.
 * usage: soak run SECONDS SEED STOCK      of how many cgroups a CPU keeps charges
 *        soak plan SEED WORKER ROUND     what it does in that round
 *        soak digest SEED WORKER ROUNDS  of all decisions in these rounds
 * Prints "LAB-SOAK check ok|bad TEXT", "figure NAME VALUE", "op NAME DONE
 * FAILED" and "decisions WORKER ROUNDS DIGEST" to the kernel's log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

#define MODULE		"test_mmu_notifier"
#define WARMUP_MS	6000
#define PROGRESS_MS	15000
#define SOON_MS		30000

/* What a worker may be */
struct kind {
	const char *name;
	uint64_t (*plan)(uint64_t seed, unsigned int worker, unsigned int round);
	void (*print)(uint64_t seed, unsigned int worker, unsigned int round);
	void (*round)(unsigned int worker, unsigned int round);
};

static const struct kind weather = {
	"weather", weather_plan, weather_print, weather_round
};

static const struct kind killer = {
	"killer", killer_plan, killer_print, killer_round
};

static const struct kind mover = {
	"mover", mover_plan, mover_print, mover_round
};

static const struct kind *kind_of(unsigned int worker)
{
	return worker < FIRST_KILLER ? &weather :
	       worker < FIRST_MOVER ? &killer : &mover;
}

static struct on_cgroup cgroups[WORKERS];

void worker_cgroup(struct on_cgroup *cg, unsigned int worker)
{
	*cg = cgroups[worker];
}

static void __noreturn worker_main(unsigned int nr)
{
	struct worker_state *me = &soak->worker[nr];
	const struct kind *kind = kind_of(nr);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What a victim has forked before it was killed becomes ours. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, kind->name);
	while (on_now_ms() < __atomic_load_n(&soak->until_ms, __ATOMIC_RELAXED)) {
		uint64_t plan = kind->plan(soak->seed, nr, me->rounds);

		__atomic_store_n(&me->since_ms, on_now_ms(), __ATOMIC_RELAXED);
		kind->round(nr, me->rounds);
		me->digest = digest(me->digest, &plan, sizeof(plan));
		me->rounds++;
		count(COUNT_ROUNDS, 1);
	}
	_exit(0);
}

/* True when the worker has ended, or will not any more */
static bool worker_over(unsigned int nr)
{
	struct worker_state *w = &soak->worker[nr];
	int64_t since = __atomic_load_n(&w->since_ms, __ATOMIC_RELAXED);
	struct on_cgroup cg;
	int status;

	if (w->pid <= 0)
		return true;
	if (waitpid(w->pid, &status, WNOHANG) == w->pid) {
		if (status)
			bad(BAD_WORKER, nr, w->rounds,
			    "the worker ended with status %#x", status);
		w->pid = 0;
		return true;
	}
	if (!since || on_now_ms() - since < ROUND_MS)
		return false;
	bad(BAD_WORKER, nr, w->rounds, "the worker hangs");
	worker_cgroup(&cg, nr);
	show_tasks(&cg);
	kill(w->pid, SIGKILL);
	w->pid = 0;
	return true;
}

static unsigned int failures(void)
{
	unsigned int i, n = 0;

	for (i = COUNT_BAD; i < COUNTS; i++)
		n += __atomic_load_n(&soak->count[i], __ATOMIC_RELAXED);
	return n;
}

static void watch_workers(int64_t start, bool show)
{
	int64_t now, next = start + PROGRESS_MS;
	unsigned int i, left;

	do {
		on_sleep_ms(500);
		for (i = left = 0; i < WORKERS; i++)
			left += !worker_over(i);
		now = on_now_ms();
		/* What is broken does not get better. */
		if (failures() && soak->until_ms > now) {
			say("a failure: ending early");
			__atomic_store_n(&soak->until_ms, now, __ATOMIC_RELAXED);
		}
		if (show && now >= next) {
			next += PROGRESS_MS;
			say("%lld s: %llu kills in %llu rounds, %llu MiB freed by the reaper",
			    (long long)(now - start) / 1000,
			    (unsigned long long)soak->count[COUNT_KILLS],
			    (unsigned long long)soak->count[COUNT_ROUNDS],
			    (unsigned long long)soak->count[COUNT_FREED_KIB] / 1024);
		}
	} while (left);
}

static void judge_cgroups(void)
{
	unsigned int i, stay = 0;
	long long most = 0;

	for (i = 0; i < WORKERS; i++) {
		struct on_cgroup cg;
		long long left;

		worker_cgroup(&cg, i);
		on_cgroup_write(&cg, "memory.reclaim", "16M");
		left = on_cgroup_wait(&cg, "memory.current", ON_MIB, SOON_MS) +
		       on_cgroup_read(&cg, "memory.swap.current");
		if (left > most)
			most = left;
		if (on_cgroup_remove(&cg, SOON_MS))
			stay++;
	}
	judge(most <= (long long)ON_MIB,
	      "no cgroup keeps memory (at most %lld KiB)", most / 1024);
	judge(!stay, "every cgroup can be removed (%u cannot)", stay);
}

static void judge_play(const struct calls *calls)
{
	unsigned int i;

	judge(!soak->count[COUNT_LOST_EVENTS], "no event of the reaper is lost");
	for (i = COUNT_BAD; i < COUNTS; i++)
		judge(!soak->count[i], "%s%s", count_names[i],
		      soak->count[i] ? " (see the log)" : "");

	for (i = 0; i < COUNT_BAD; i++)
		tell("figure %s %llu", count_names[i],
		     (unsigned long long)soak->count[i]);
	if (calls) {
		judge(!calls->lost, "no non-blocking call is lost");
		tell("figure nonblocking_calls %lld", calls->nonblock);
		tell("figure rehearsed_calls %lld", calls->rehearsed);
		tell("figure refusals %lld", calls->refused + calls->injected);
		tell("figure refusals_by_notifiers %lld", calls->refused);
		tell("figure refusals_injected %lld", calls->injected);
	}
	for (i = 0; i < OP_KINDS; i++)
		tell("op %s %llu %llu", op_names[i],
		     (unsigned long long)soak->ops[i],
		     (unsigned long long)soak->op_errors[i]);
	for (i = 0; i < WORKERS; i++)
		tell("decisions %u %u %016llx", i, soak->worker[i].rounds,
		     (unsigned long long)soak->worker[i].digest);
}

/* How busy the processors were, in percent since the last call */
static unsigned int busy_percent(void)
{
	static long long before[2];
	long long n[8], all = 0, idle;
	char buf[256];
	unsigned int percent;
	int i;

	if (on_read_file("/proc/stat", buf, sizeof(buf)) ||
	    sscanf(buf, "cpu %lld %lld %lld %lld %lld %lld %lld %lld", &n[0],
		   &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7]) != 8)
		return 0;
	for (i = 0; i < 8; i++)
		all += n[i];
	idle = n[3] + n[4] - before[1];
	all -= before[0];
	percent = all ? 100 * (all - idle) / all : 0;
	before[0] += all;
	before[1] += idle;
	return percent;
}

static bool play(uint64_t seed, unsigned int ms, bool warmup)
{
	unsigned int i, busy;
	struct calls calls;
	bool counted;

	memset(soak, 0, sizeof(*soak));
	soak->seed = seed;
	if (!trace_begin()) {
		say("the tracepoints cannot be used (CONFIG_HIST_TRIGGERS?)");
		return false;
	}
	if (!swap_begin())
		return false;
	for (i = 0; i < WORKERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "soak-%u", i);
		if (on_cgroup_create(&cgroups[i], name)) {
			say("a cgroup cannot be made");
			return false;
		}
	}

	busy_percent();
	soak->until_ms = on_now_ms() + ms;
	for (i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (!pid)
			worker_main(i);
		/* Not in the child, it is shared. */
		soak->worker[i].pid = pid;
	}
	watch_workers(soak->until_ms - ms, !warmup);

	busy = busy_percent();
	weather_calm();
	counted = trace_calls(&calls);
	trace_end();
	if (!warmup) {
		tell("figure busy_percent %u", busy);
		judge_play(counted ? &calls : NULL);
	}
	judge_cgroups();
	swap_finish();
	return !failures();
}

/* Its works may still hold it for a moment. */
static void judge_module(void)
{
	long long until = on_now_ms() + SOON_MS;
	char users[16] = "?";
	int ret;

	while ((ret = syscall(SYS_delete_module, MODULE, O_NONBLOCK)) &&
	       on_now_ms() < until)
		on_sleep_ms(100);
	ret = ret ? errno : 0;
	on_read_file("/sys/module/" MODULE "/refcnt", users, sizeof(users));
	users[strcspn(users, "\n")] = '\0';
	judge(!ret, "the test device can be unloaded%s%s%s%s",
	      ret ? ": " : "", ret ? strerror(ret) : "",
	      ret ? ", references: " : "", ret ? users : "");
}

static int run(unsigned int seconds, uint64_t seed, unsigned int stock)
{
	struct figures before, after;
	const char *why;
	int dev;

	if (on_cgroup_supported(&why)) {
		say("no memory cgroups: %s", why);
		return 1;
	}
	dev = on_dev_open();
	if (dev < 0) {
		say("no test device: %s", strerror(-dev));
		return 1;
	}
	close(dev);
	soak = shared_memory(sizeof(*soak));
	if (!soak)
		return 1;

	/* What is allocated once for all is not to look like a leak. */
	say("warming up, then %u s from seed %llu", seconds,
	    (unsigned long long)seed);
	if (!play(~seed, WARMUP_MS, true)) {
		judge(false, "the warm-up comes to its end");
		return 1;
	}
	figures_take(&before);
	tell("begin");
	play(seed, seconds * 1000, false);
	say("looking at what is left");
	judge_module();
	figures_take(&after);
	figures_judge(&before, &after, stock);
	tell("end");
	return judged_bad() ? 1 : 0;
}

static uint64_t digest_of(uint64_t seed, unsigned int worker,
			  unsigned int rounds)
{
	uint64_t all = 0, plan;
	unsigned int i;

	for (i = 0; i < rounds; i++) {
		plan = kind_of(worker)->plan(seed, worker, i);
		all = digest(all, &plan, sizeof(plan));
	}
	return all;
}

int main(int argc, char **argv)
{
	uint64_t seed;

	if (argc == 5) {
		if (!strcmp(argv[1], "run"))
			return run(atoi(argv[2]), strtoull(argv[3], NULL, 10),
				   atoi(argv[4]));
		seed = strtoull(argv[2], NULL, 10);
		if (!strcmp(argv[1], "plan")) {
			printf("%s: ", kind_of(atoi(argv[3]))->name);
			kind_of(atoi(argv[3]))->print(seed, atoi(argv[3]),
						      atoi(argv[4]));
			return 0;
		}
		if (!strcmp(argv[1], "digest")) {
			printf("%016llx\n", (unsigned long long)
			       digest_of(seed, atoi(argv[3]), atoi(argv[4])));
			return 0;
		}
	}
	fprintf(stderr, "usage: soak run SECONDS SEED\n"
		"       soak plan SEED WORKER ROUND\n"
		"       soak digest SEED WORKER ROUNDS\n");
	return 2;
}
