// SPDX-License-Identifier: GPL-2.0
/*
 * Processes in a memory cgroup: the victim, which has notifiers on its memory
 * and is stuck in the kernel, and others beside it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "demo.h"
#include "test_mmu_notifier_uapi.h"

#define CGROUPS		"/sys/fs/cgroup/"
#define PAGE		4096UL
#define HUGE_PAGE	(2 * MIB)
/* Longer than any scenario lasts; UNSTICK ends it before */
#define STICK_S		300
/* A busy machine may take long to fill its memory */
#define READY		(240 * SEC)

void cgroup_init(void)
{
	if (!write_file(CGROUPS "cgroup.subtree_control", "+memory"))
		die("no memory cgroups in " CGROUPS);
}

static void cgroup_set(struct victim *v, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", v->cgroup, file);
	if (!write_file(path, text))
		die("cannot write %s to %s: %s", text, path, strerror(errno));
}

static long cgroup_get(struct victim *v, const char *file, const char *key)
{
	char path[128], buf[4096], *at = buf;

	snprintf(path, sizeof(path), "%s/%s", v->cgroup, file);
	if (read_file(path, buf, sizeof(buf)) < 0)
		return -1;
	if (key) {
		at = strstr(buf, key);
		if (!at)
			return -1;
		at += strlen(key);
	}
	return atol(at);
}

/* From now on there is @room in the victim's cgroup for who wants more. */
void cgroup_close(struct victim *v, unsigned long room)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu",
		 cgroup_current(v) * KIB + room);
	cgroup_set(v, "memory.max", text);
}

/* A kill in it kills all of its processes. */
void cgroup_kill_together(struct victim *v)
{
	cgroup_set(v, "memory.oom.group", "1");
}

/* In KiB. Page tables and the like are charged as well. */
long cgroup_current(struct victim *v)
{
	return cgroup_get(v, "memory.current", NULL) / 1024;
}

long cgroup_oom_kills(struct victim *v)
{
	return cgroup_get(v, "memory.events", "oom_kill ");
}

static void join(struct victim *v, int score)
{
	char text[16];

	/* What the demo leaves behind must not outlive it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(text, sizeof(text), "%d", score);
	if (!write_file("/proc/self/oom_score_adj", text))
		die("cannot set oom_score_adj");
	cgroup_set(v, "cgroup.procs", "0");
}

static void fill(char *mem, unsigned long size)
{
	unsigned long i;

	for (i = 0; i < size; i += PAGE)
		((volatile char *)mem)[i] = 1;
}

static void add(struct victim *v, unsigned long cmd, uint64_t addr,
		uint64_t size, uint64_t stride, uint32_t count, uint32_t flags,
		uint32_t refusals)
{
	struct test_mmu_notifier_add add = {
		.addr = addr, .size = size, .stride = stride,
		.count = count, .flags = flags, .refusals = refusals,
	};

	if (ioctl(v->dev, cmd, &add))
		die("%s: cannot add notifiers: %s", v->spec->name,
		    strerror(errno));
}

/* A device that releases one buffer after the other, each a bit smaller. */
static void add_slow(struct victim *v, uint64_t mem)
{
	uint64_t rest = v->spec->size, len;
	unsigned int i;

	for (i = 1; i <= v->spec->slow; i++) {
		len = i < v->spec->slow ? rest / 12 & ~(PAGE - 1) : rest;
		add(v, TEST_MMU_NOTIFIER_ADD_INTERVALS, mem, len, 0, 1,
		    TEST_MMU_NOTIFIER_REFUSE | v->spec->flags, i);
		mem += len;
		rest -= len;
	}
}

static void add_notifiers(struct victim *v, uint64_t mem)
{
	const struct victim_spec *spec = v->spec;
	uint32_t refuse = TEST_MMU_NOTIFIER_REFUSE | spec->flags;
	uint64_t stride;

	if (spec->list) {
		add(v, TEST_MMU_NOTIFIER_ADD_INTERVALS, mem, spec->size, 0, 1,
		    TEST_MMU_NOTIFIER_HOLD_BLOCKING, 0);
		add(v, TEST_MMU_NOTIFIER_ADD_INTERVALS, mem, spec->size, 0, 1,
		    0, 0);
		add(v, TEST_MMU_NOTIFIER_ADD_LIST, 0, 0, 0, 1, refuse, 0);
	} else if (spec->whole) {
		add(v, TEST_MMU_NOTIFIER_ADD_INTERVALS, mem, spec->size, 0, 1,
		    refuse, 0);
	} else if (spec->slow) {
		add_slow(v, mem);
	} else if (spec->intervals) {
		stride = spec->size / spec->intervals;
		mem += stride / 2;
		/* Inside of a huge page, not at its edge */
		if (spec->huge)
			mem += HUGE_PAGE / 2;
		add(v, TEST_MMU_NOTIFIER_ADD_INTERVALS, mem, PAGE, stride,
		    spec->intervals, refuse, 0);
	}
}

static void *drop_page(void *mem)
{
	madvise(mem, PAGE, MADV_DONTNEED);
	return NULL;
}

static pid_t remover;

static void *remove_interval(void *arg)
{
	struct test_mmu_notifier_select sel = {
		.id = FIRST_INTERVAL, .count = 1,
	};
	struct test_mmu_notifier_stat stat = {};
	struct victim *v = arg;

	while (!stat.blocking) {
		pause_for(5 * MS);
		memset(&stat, 0, sizeof(stat));
		stat.id = FIRST_INTERVAL;
		stat.count = 1;
		if (ioctl(v->dev, TEST_MMU_NOTIFIER_STAT, &stat))
			die("%s: STAT: %s", v->spec->name, strerror(errno));
	}
	__atomic_store_n(&remover, gettid(), __ATOMIC_RELEASE);
	ioctl(v->dev, TEST_MMU_NOTIFIER_REMOVE, &sel);
	return NULL;
}

static bool sleeps_hard(pid_t tid)
{
	char path[64], buf[512], *at;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	read_file(path, buf, sizeof(buf));
	at = strrchr(buf, ')');
	return at && !strncmp(at, ") D", 3);
}

/*
 * What any driver may be doing when the OOM killer comes: one thread's
 * invalidation is slow, and another one takes the notifier down meanwhile,
 * which waits for the end of all invalidations that run. If the reaper leaves
 * one open, that thread and with it the process stay forever.
 */
static void start_removal(struct victim *v, void *mem)
{
	pthread_t thread;

	/* In this order: a new thread needs the lock that the other one holds */
	if (pthread_create(&thread, NULL, remove_interval, v) ||
	    pthread_create(&thread, NULL, drop_page, mem))
		die("%s: no threads", v->spec->name);
	while (!sleeps_hard(__atomic_load_n(&remover, __ATOMIC_ACQUIRE)))
		pause_for(5 * MS);
}

static void victim_main(struct victim *v)
{
	unsigned long size = v->spec->size;
	uint32_t seconds = STICK_S;
	uintptr_t start;
	char *mem;

	join(v, v->spec->score);
	mem = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		die("%s: no address space", v->spec->name);
	start = ((uintptr_t)mem + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
	if (madvise((void *)start, size,
		    v->spec->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		die("%s: madvise: %s", v->spec->name, strerror(errno));
	fill((char *)start, size);
	add_notifiers(v, start);
	if (v->spec->list)
		start_removal(v, (void *)start);
	/* The page is shared, so the reaper would leave it: not to be counted */
	__atomic_store_n(v->ready, 1, __ATOMIC_RELEASE);
	munmap(v->ready, PAGE);
	while (v->spec->exits)
		pause();
	ioctl(v->dev, TEST_MMU_NOTIFIER_STICK, &seconds);
	_exit(0);
}

static void victim_fork(struct victim *v)
{
	v->dev = open(TEST_MMU_NOTIFIER_DEVICE, O_RDWR | O_CLOEXEC);
	if (v->dev < 0)
		die("cannot open " TEST_MMU_NOTIFIER_DEVICE ": %s",
		    strerror(errno));
	v->ready = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (v->ready == MAP_FAILED)
		die("no address space");
	v->pid = fork();
	if (v->pid < 0)
		die("fork: %s", strerror(errno));
	if (!v->pid)
		victim_main(v);
}

/* A cgroup and a victim in it that begins to fill its memory. */
void victim_start(struct victim *v, const struct victim_spec *spec)
{
	char text[32];

	v->spec = spec;
	v->joined = false;
	snprintf(v->cgroup, sizeof(v->cgroup), CGROUPS "%s", spec->name);
	if (mkdir(v->cgroup, 0755))
		die("cannot make %s: %s", v->cgroup, strerror(errno));
	if (spec->limit) {
		snprintf(text, sizeof(text), "%lu", spec->limit);
		cgroup_set(v, "memory.max", text);
	}
	cgroup_set(v, "memory.swap.max", "0");
	victim_fork(v);
}

/* Another one in the cgroup of @first, which has to be removed last */
void victim_join(struct victim *v, const struct victim_spec *spec,
		 const struct victim *first)
{
	v->spec = spec;
	v->joined = true;
	memcpy(v->cgroup, first->cgroup, sizeof(v->cgroup));
	victim_fork(v);
}

static void wait_for_victim(struct victim *v, bool (*is)(struct victim *v))
{
	long long end = now() + READY;

	while (!is(v)) {
		if (waitpid(v->pid, NULL, WNOHANG) == v->pid)
			die("%s: the victim died too early", v->spec->name);
		if (now() > end)
			die("%s: the victim was not ready in time",
			    v->spec->name);
		pause_for(5 * MS);
	}
}

static bool is_ready(struct victim *v)
{
	return __atomic_load_n(v->ready, __ATOMIC_ACQUIRE);
}

static bool is_stuck(struct victim *v)
{
	uint32_t stuck = 0;

	if (ioctl(v->dev, TEST_MMU_NOTIFIER_NR_STUCK, &stuck))
		die("%s: NR_STUCK: %s", v->spec->name, strerror(errno));
	return stuck;
}

/* It has its memory and its notifiers. */
void victim_wait_ready(struct victim *v)
{
	wait_for_victim(v, is_ready);
}

void victim_wait_stuck(struct victim *v)
{
	wait_for_victim(v, is_stuck);
}

/* Waits for the end of the victim, which has been released. */
bool victim_gone(struct victim *v, long long timeout)
{
	long long end = now() + timeout;

	while (waitpid(v->pid, NULL, WNOHANG) != v->pid) {
		if (now() > end)
			return false;
		pause_for(10 * MS);
	}
	return true;
}

/* Nothing but a kernel that is wrong keeps the victim from then on. */
void victim_release(struct victim *v)
{
	kill(v->pid, SIGKILL);
	ioctl(v->dev, TEST_MMU_NOTIFIER_RELEASE_HOLD);
	ioctl(v->dev, TEST_MMU_NOTIFIER_UNSTICK);
}

void victim_forget(struct victim *v)
{
	int tries = 0;

	close(v->dev);
	munmap(v->ready, PAGE);
	while (!v->joined && rmdir(v->cgroup) && tries++ < 100)
		pause_for(10 * MS);
}

/*
 * Another process in the victim's cgroup. It touches @size bytes, one page
 * after the other, does @then, and then only exists.
 */
pid_t member_start_then(struct victim *v, unsigned long size, int score,
			void (*then)(struct victim *v))
{
	pid_t pid = fork();
	char *mem;

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return pid;

	join(v, score);
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		die("%s: no address space", v->spec->name);
	if (madvise(mem, size, MADV_NOHUGEPAGE))
		die("%s: madvise: %s", v->spec->name, strerror(errno));
	fill(mem, size);
	if (then)
		then(v);
	for (;;)
		pause();
}

pid_t member_start(struct victim *v, unsigned long size, int score)
{
	return member_start_then(v, size, score, NULL);
}

/* False if it has not touched all of it in time. */
bool member_filled(pid_t pid, unsigned long size, long long timeout)
{
	long long end = now() + timeout;

	while (rss_fast(pid) < (long)(size / KIB)) {
		if (now() > end)
			return false;
		pause_for(5 * MS);
	}
	return true;
}

void member_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/*
 * The KiB of a line of smaps_rollup, -1 if it cannot be read. It looks at each
 * page, which takes a while.
 */
long rss_exact(pid_t pid, const char *field)
{
	char path[64], buf[4096], *at;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	if (read_file(path, buf, sizeof(buf)) <= 0)
		return -1;
	at = strstr(buf, field);
	return at ? atol(at + strlen(field)) : -1;
}

/*
 * The resident set in KiB, good for a curve. The counters behind statm may be
 * some 100 KiB off, so for small values count the pages.
 */
long rss_fast(pid_t pid)
{
	char path[64], buf[256];
	long size, resident, exact;

	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	if (read_file(path, buf, sizeof(buf)) <= 0 ||
	    sscanf(buf, "%ld %ld", &size, &resident) != 2)
		return -1;
	resident *= PAGE / 1024;
	if (resident < 8192) {
		exact = rss_exact(pid, "\nRss:");
		if (exact >= 0)
			return exact;
	}
	return resident;
}
