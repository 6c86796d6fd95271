// SPDX-License-Identifier: GPL-2.0
/*
 * An OOM victim that cannot exit, whose memory is an on-demand paging MR of
 * soft-RoCE. A peer reads and writes it all the time, prefetches of it are under
 * way, and page faults of the device bring in a part of it. When it was reaped,
 * the peer may not reach what were its pages: a bystander has got them, and some
 * of what the peer then tries is aimed at just these.
 *
 * The cases are one scene, in order. See rxe.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "rxe.h"

#define NETDEV		"dummy0"
#define CALLBACK	"rxe_ib_invalidate_range"
#define REHEARSAL	"/sys/kernel/debug/fail_mmu_notifier_rehearse/probability"
#define EVENT		"/sys/kernel/tracing/events/mmu_notifier/mmu_notifier_nonblock/"
#define FAULTS		"/sys/kernel/tracing/events/kprobes/rxe_fault/"
#define HISTOGRAM	"hist:keys=callback.sym,refused,rehearsal"
/* Of each kind, while the victim is alive */
#define ENOUGH		20
#define SOLID_KIB	((long)(RXE_SOLID / ON_KIB))
#define ALL_KIB		((long)(RXE_SIZE / ON_KIB))

static struct rxe_stage *st;
static struct scene scene;
static struct rxe_end end;
static pid_t peer, other;
static bool killed, reaped;
/* The page frames of the victim, before it was killed */
static uint64_t frames[RXE_SIZE / RXE_PAGE];

/*
 * The victim
 */

static void *drop_main(void *arg)
{
	size_t i;

	/*
	 * In pieces: a page fault of the device gives up, with -EBUSY, if other
	 * pages of the MR are being invalidated for a second. To the peer that
	 * is an access error, too.
	 */
	(void)arg;
	for (i = 0; ; i = (i + ON_MIB) % RXE_TAIL) {
		madvise((void *)(st->addr + RXE_SOLID + i), ON_MIB, MADV_DONTNEED);
		atomic_fetch_add(&st->dropped, 1);
		on_sleep_ms(50);
	}
	return NULL;
}

static void *queue_main(void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; ; i = (i + RXE_ADVICE) % RXE_SIZE) {
		if (!rxe_advise(st->uverbs, st->pd, st->lkey, st->addr + i,
				RXE_ADVICE, false))
			atomic_fetch_add(&st->async, 1);
		on_sleep_ms(10);
	}
	return NULL;
}

static int victim_prepare(struct on_victim *v, void *arg)
{
	uint64_t *words = (void *)v->addr;
	pthread_t thread;
	struct ibv_mr *mr;
	size_t i;
	int ret;

	(void)arg;
	for (i = 0; i < RXE_SOLID / 8; i++)
		words[i] = RXE_OF_VICTIM + 8 * i;
	if (madvise((char *)v->addr + RXE_SOLID, RXE_TAIL, MADV_DONTNEED))
		return -errno;

	ret = rxe_end_open(&end);
	if (ret)
		return ret;
	mr = ibv_reg_mr(end.pd, words, RXE_SIZE,
			IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ |
			IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_ON_DEMAND);
	if (!mr)
		return -errno;
	ret = rxe_end_connect(&end, st->peer_qpn);
	if (ret)
		return ret;

	for (i = 0; i < RXE_PAIRS; i++)
		st->victim_qpn[i] = end.qp[i]->qp_num;
	st->addr = v->addr;
	st->rkey = mr->rkey;
	st->lkey = mr->lkey;
	st->pd = end.pd->handle;
	st->uverbs = end.ctx->cmd_fd;
	st->victim = getpid();
	if (pthread_create(&thread, NULL, drop_main, NULL) ||
	    pthread_create(&thread, NULL, queue_main, NULL))
		return -EAGAIN;
	atomic_store(&st->victim_there, 1);
	return 0;
}

/*
 * The others
 */

static pid_t start(void (*child)(struct rxe_stage *st))
{
	pid_t pid = fork();

	if (!pid)
		child(st);
	return pid;
}

static void stop(pid_t pid)
{
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static bool wait_for(atomic_int *what, int value, unsigned int ms)
{
	long long until = on_now_ms() + ms;

	while (atomic_load(what) < value && on_now_ms() < until)
		on_sleep_ms(10);
	return atomic_load(what) >= value;
}

/* The page frame numbers of @nr pages from @addr on, 0: not there */
static bool read_frames(pid_t pid, uint64_t addr, size_t nr, uint64_t *pfn)
{
	char path[64];
	ssize_t ret;
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	for (i = 0; i < nr; i += ret / 8) {
		ret = pread(fd, pfn + i, (nr - i) * 8, (addr / RXE_PAGE + i) * 8);
		if (ret <= 0)
			break;
	}
	close(fd);
	if (i < nr)
		return false;
	for (i = 0; i < nr; i++)
		pfn[i] = pfn[i] >> 63 ? pfn[i] & ((1UL << 55) - 1) : 0;
	return true;
}

static unsigned long count(enum rxe_phase phase, size_t offset)
{
	return atomic_load((atomic_ulong *)((char *)&st->counts[phase] + offset));
}

#define COUNT(phase, what)	count(phase, offsetof(struct rxe_counts, what))

static void note_counts(const char *when, enum rxe_phase phase)
{
	note("%s: %lu reads, %lu writes (%lu of both in the tail), %lu prefetches", when,
	     COUNT(phase, reads), COUNT(phase, writes), COUNT(phase, tail),
	     COUNT(phase, advised));
	note("%s: %lu access errors, %lu others, %lu failed prefetches", when,
	     COUNT(phase, refused), COUNT(phase, failed), COUNT(phase, unadvised));
}

/*
 * The cases
 */

/* What ib_umem_odp_map_dma_and_lock(), the page faults and prefetches, returned */
static int count_faults(void)
{
	int ret;

	if (access(FAULTS "trigger", F_OK)) {
		ret = on_write_file("/sys/kernel/tracing/kprobe_events",
				    "r:rxe_fault ib_umem_odp_map_dma_and_lock ret=$retval:s64");
		if (ret)
			return ret;
	}
	on_write_file(FAULTS "trigger", "!hist:keys=ret");
	return on_write_file(FAULTS "trigger", "hist:keys=ret");
}

/* Returns how many gave up, as pages were invalidated again and again */
static unsigned long note_faults(void)
{
	unsigned long good = 0, busy = 0, fault = 0, other = 0, *nr;
	static char text[65536];
	char *line, *save, *at, *hits;
	long long ret;

	if (!check(!on_read_file(FAULTS "hist", text, sizeof(text)), "read the faults"))
		return 0;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		at = strstr(line, "ret:");
		hits = strstr(line, "hitcount:");
		if (line[0] != '{' || !at || !hits)
			continue;
		ret = strtoull(at + strlen("ret:"), NULL, 10);
		/* An int, in a register */
		ret = (int)ret;
		nr = ret >= 0 ? &good : ret == -EBUSY ? &busy :
		     ret == -EFAULT ? &fault : &other;
		*nr += strtoul(hits + strlen("hitcount:"), NULL, 10);
	}
	note("faults and prefetches: %lu succeed, %lu -EBUSY, %lu -EFAULT, %lu other errors",
	     good, busy, fault, other);
	check(good, "the device has never faulted a page in");
	return busy;
}

static bool begin(void)
{
	int ret;

	ret = rxe_link_add(NETDEV);
	if (!check(!ret, "add soft-RoCE to " NETDEV ": %s", strerror(-ret)))
		return false;
	ret = count_faults();
	if (!check(!ret, "count the faults: %s", strerror(-ret)))
		return false;
	/* What the program may have counted before goes */
	on_write_file(EVENT "trigger", "!" HISTOGRAM);
	ret = on_write_file(EVENT "trigger", HISTOGRAM);
	if (!check(!ret, "count the calls: %s", strerror(-ret)))
		return false;
	st = mmap(NULL, sizeof(*st), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!check(st != MAP_FAILED, "no memory"))
		return false;
	memset(st, 0, sizeof(*st));

	peer = start(rxe_peer_main);
	if (!check(wait_for(&st->peer_there, 1, LONG_MS), "the peer is not there: %s",
		   strerror(-st->peer_error)))
		return false;
	scene.victim.size = RXE_SIZE;
	scene.victim.prepare = victim_prepare;
	if (!scene_begin(&scene, "rxe"))
		return false;
	other = start(rxe_other_main);
	return check(wait_for(&st->connected, 1, SOON_MS), "the peer fails: %s",
		     strerror(-st->peer_error));
}

static bool alive;

static void peer_at_work(void)
{
	long long until = on_now_ms() + 2 * LONG_MS;
	unsigned long failed, busy;
	size_t i, nr = 0;

	if (!begin())
		return;
	while ((COUNT(RXE_ALIVE, reads) < ENOUGH ||
		COUNT(RXE_ALIVE, writes) < ENOUGH ||
		COUNT(RXE_ALIVE, tail) < ENOUGH ||
		COUNT(RXE_ALIVE, advised) < ENOUGH ||
		atomic_load(&st->async) < ENOUGH ||
		atomic_load(&st->dropped) < ENOUGH) && on_now_ms() < until)
		on_sleep_ms(50);
	note_counts("alive", RXE_ALIVE);
	note("the victim has queued %lu prefetches, and dropped the tail %lu times",
	     atomic_load(&st->async), atomic_load(&st->dropped));
	failed = COUNT(RXE_ALIVE, refused) + COUNT(RXE_ALIVE, unadvised);
	busy = note_faults();
	alive = check(on_now_ms() < until, "that is too little") &&
		check(!COUNT(RXE_ALIVE, failed), "status %d", st->bad_status) &&
		check(failed <= busy, "%lu fail, and %lu only because of -EBUSY",
		      failed, busy);
	check(!atomic_load(&st->wrong), "it has read %#lx at %#lx", st->wrong_word,
	      st->wrong_offset);

	/* The tail has none but those that the device's page faults brought */
	alive = check(read_frames(scene.victim.pid, st->addr, RXE_SIZE / RXE_PAGE,
				  frames), "read the page frames") && alive;
	for (i = 0; i < RXE_SOLID / RXE_PAGE; i++)
		nr += !!frames[i];
	alive = check(nr == RXE_SOLID / RXE_PAGE, "%zu frames only", nr) && alive;
}

static void victim_reaped(void)
{
	if (!check(alive, "not to be tried") || !scene_oom(&scene))
		return;
	killed = true;
	atomic_store(&st->phase, RXE_KILLED);
	/* All this goes on at the same time, the allocator may be slow */
	on_victim_wait_held(&scene.victim, 0, LONG_MS);
	note("reaped %lld ms after the kill", on_now_ms() - scene.killed_ms);
	on_eater_wait(&scene.allocator, LONG_MS);
	scene_judge(&scene, 0, 0);
	note_counts("killed", RXE_KILLED);
	check(COUNT(RXE_KILLED, reads) && COUNT(RXE_KILLED, writes) &&
	      COUNT(RXE_KILLED, advised), "the peer was not at work in between");
	atomic_store(&st->phase, RXE_REAPED);
	reaped = true;
}

static bool field_is_set(const char *line, const char *name)
{
	const char *at = strstr(line, name);

	return at && strtoul(at + strlen(name), NULL, 10);
}

static void calls_counted(void)
{
	unsigned long nr[2][2] = { { 0 } };	/* rehearsal, refused */
	static char text[65536];
	char *line, *save, *at;

	if (!check(reaped, "not to be tried") ||
	    !check(!on_read_file(EVENT "hist", text, sizeof(text)), "read the counts"))
		return;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		at = strstr(line, "hitcount:");
		if (line[0] == '{' && strstr(line, CALLBACK) && at)
			nr[field_is_set(line, "rehearsal:")][field_is_set(line, "refused:")] +=
				strtoul(at + strlen("hitcount:"), NULL, 10);
	}
	note(CALLBACK " has succeeded %lu times, and refused %lu times", nr[0][0],
	     nr[0][1]);
	check(nr[0][0], "it has never succeeded in non-blocking mode");
	if (!on_read_file(REHEARSAL, text, sizeof(text)) && atoi(text)) {
		note("in rehearsals %lu and %lu times", nr[1][0], nr[1][1]);
		check(nr[1][0], "it was never rehearsed");
	}
}

static void peer_refused(void)
{
	long long until = on_now_ms() + REAP_MS;
	int i;

	if (!check(reaped, "not to be tried"))
		return;
	while (st->lanes_left && on_now_ms() < until)
		on_sleep_ms(10);
	note_counts("reaped", RXE_REAPED);
	note_faults();
	check(!st->lanes_left, "%d lanes are still at work", st->lanes_left);
	for (i = 0; i < RXE_LANES; i++)
		check(st->lane_errors[i], "lane %d was at work until it was told to stop", i);
	check(!COUNT(RXE_KILLED, failed) && !COUNT(RXE_REAPED, failed),
	      "errors of another kind, the last status is %d", st->bad_status);
}

/* Probes from @first up to @last */
static void judge_probes(int first, int last)
{
	unsigned int reached = 0, other_kind = 0;
	int i;

	atomic_store(&st->probes, last);
	if (!check(wait_for(&st->probes_done, last, LONG_MS), "the peer hangs"))
		return;
	for (i = first; i < last; i++) {
		if (st->probe_status[i] == IBV_WC_SUCCESS) {
			note("a %s at %#zx succeeds%s", i % 2 ? "write" : "read",
			     st->probe_offset[i], i % 2 ? "" :
			     (st->probe_word[i] & RXE_WHO) == RXE_OF_OTHER ?
			     ", and gets the bystander's" : "");
			reached++;
		} else if (st->probe_status[i] != IBV_WC_REM_ACCESS_ERR) {
			note("status %d", st->probe_status[i]);
			other_kind++;
		}
	}
	check(!reached, "%u of %d succeed", reached, last - first);
	check(!other_kind, "%u fail otherwise", other_kind);
}

/* Two passes over all of it, both after now */
static void bystander_looks(void)
{
	unsigned long passes = atomic_load(&st->passes);
	long long until = on_now_ms() + LONG_MS;

	while (atomic_load(&st->passes) < passes + 2 && on_now_ms() < until)
		on_sleep_ms(10);
	check(atomic_load(&st->passes) >= passes + 2, "the bystander does not look");
	check(!atomic_load(&st->spoilt),
	      "%lu words of the bystander have changed, the first to %#lx",
	      atomic_load(&st->spoilt), st->spoilt_word);
}

/*
 * Give the bystander memory until it has enough of the victim's pages, and aim
 * the probes at them, spread over all.
 */
static bool aim(void)
{
	const size_t nr_probes = RXE_PROBES + RXE_LATE, nr = RXE_STEP / RXE_PAGE;
	static uint64_t now[RXE_STEP / RXE_PAGE];
	static size_t hit[RXE_SIZE / RXE_PAGE];
	uint64_t highest = 0, *owner;
	size_t i, same = 0;
	int step;

	for (i = 0; i < RXE_SIZE / RXE_PAGE; i++)
		highest = frames[i] > highest ? frames[i] : highest;
	owner = calloc(highest + 1, sizeof(*owner));
	if (!check(owner, "no memory"))
		return false;
	for (i = 0; i < RXE_SIZE / RXE_PAGE; i++)
		if (frames[i])
			owner[frames[i]] = i + 1;

	for (step = 0; step < RXE_STEPS && same < 8 * nr_probes; step++) {
		atomic_store(&st->steps, step + 1);
		if (!check(wait_for(&st->steps_there, step + 1, LONG_MS),
			   "the bystander gets no memory") ||
		    !check(read_frames(other, st->big_addr + step * RXE_STEP, nr, now),
			   "read the page frames"))
			break;
		for (i = 0; i < nr; i++)
			if (now[i] <= highest && owner[now[i]])
				hit[same++] = owner[now[i]] - 1;
	}
	free(owner);
	note("the bystander has %lu MiB, and in it %zu of the victim's %zu pages",
	     step * RXE_STEP / ON_MIB, same, RXE_SIZE / RXE_PAGE);
	if (!check(same >= nr_probes, "that is too little"))
		return false;
	for (i = 0; i < nr_probes; i++)
		st->probe_offset[i] = hit[i * same / nr_probes] * RXE_PAGE;
	return true;
}

static void freed_pages_unreachable(void)
{
	if (!check(reaped, "not to be tried") || !aim())
		return;
	judge_probes(0, RXE_PROBES);
	note("the victim's file: %lu prefetches succeed, %lu fail",
	     COUNT(RXE_REAPED, advised), COUNT(RXE_REAPED, unadvised));
	check(!COUNT(RXE_REAPED, reads) && !COUNT(RXE_REAPED, writes),
	      "reads or writes succeed");
	check(!COUNT(RXE_REAPED, advised), "prefetches succeed");
	check(COUNT(RXE_REAPED, unadvised), "no prefetch was tried");

	bystander_looks();
	check(on_dev_nr_stuck(scene.victim.dev) == 1, "the victim is not stuck");
}

static void content_right(void)
{
	unsigned long words;

	if (!check(killed, "not to be tried"))
		return;
	words = atomic_load(&st->words);
	note("%lu words were read", words);
	check(words, "none");
	check(!atomic_load(&st->wrong), "%lu of them are wrong, the first is %#lx at %#lx",
	      atomic_load(&st->wrong), st->wrong_word, st->wrong_offset);
}

/* The peer has the victim's file, which still has the MR */
static void victim_gone(void)
{
	scene_end(&scene);
	if (check(reaped, "not to be tried")) {
		judge_probes(RXE_PROBES, RXE_PROBES + RXE_LATE);
		if (atomic_load(&st->steps_there))
			bystander_looks();
	}
	stop(peer);
	stop(other);
}

static const struct real_case cases[] = {
	{ "a peer reads and writes a victim's memory by RDMA, and faults it in",
	  peer_at_work, NULL },
	{ "the stuck victim is reaped by one kill, the peer at work",
	  victim_reaped, NULL },
	{ "soft-RoCE's callback succeeds in non-blocking mode",
	  calls_counted, NULL },
	{ "the peer then gets access errors and nothing else",
	  peer_refused, NULL },
	{ "the peer cannot reach freed pages that a bystander has",
	  freed_pages_unreachable, NULL },
	{ "all that was read is what was written there",
	  content_right, NULL },
	{ "the victim exits, the peer still gets errors",
	  victim_gone, NULL },
};

int main(int argc, char **argv)
{
	return real_main(argc, argv, cases, 7);
}
