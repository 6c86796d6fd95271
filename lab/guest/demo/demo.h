/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the demo share. Times are CLOCK_MONOTONIC microseconds. */
#ifndef LAB_DEMO_H
#define LAB_DEMO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define KIB	1024UL
#define MIB	(1024 * KIB)
#define MS	1000LL
#define SEC	(1000 * MS)

/* demo_util.c */

void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
long long now(void);
void pause_for(long long us);
ssize_t read_file(const char *path, char *buf, size_t size);
bool write_file(const char *path, const char *text);

/* demo_trace.c */

enum trace_what { TRACE_KILL, TRACE_START, TRACE_FINISH };

/**
 * struct trace_event - what the OOM killer or the reaper did
 * @what: of the two
 * @pid: with whom
 * @when: on the clock of now()
 * @left: KiB that an attempt of the reaper has left; -1 if the kernel does not
 *	say it
 */
struct trace_event {
	enum trace_what what;
	pid_t pid;
	long long when;
	long left;
};

typedef void (*trace_fn)(const struct trace_event *event, void *arg);

void trace_open(void);
void trace_poll(trace_fn fn, void *arg);

/* demo_victim.c */

/**
 * struct victim_spec - a process that is to be killed
 * @name: of the scenario, and of its memory cgroup
 * @size: how much memory it fills
 * @limit: memory.max of its cgroup; 0: none, see cgroup_close()
 * @score: its oom_score_adj
 * @huge: with transparent huge pages
 * @intervals: how many refusing 4 KiB interval notifiers, spread evenly
 * @whole: instead, one interval over all of its memory that refuses
 * @slow: instead, so many intervals over all of its memory, of which the first
 *	one refuses once, the second one twice...
 * @flags: what else the refusing notifiers do, TEST_MMU_NOTIFIER_*
 * @list: instead, a refusing list notifier beside two interval notifiers that
 *	accept; a thread waits for the removal of the first one
 * @exits: it can leave when it is killed; the others can't
 */
struct victim_spec {
	const char *name;
	unsigned long size;
	unsigned long limit;
	int score;
	bool huge;
	unsigned int intervals;
	bool whole;
	unsigned int slow;
	unsigned int flags;
	bool list;
	bool exits;
};

struct victim {
	const struct victim_spec *spec;
	char cgroup[64];
	bool joined;
	int dev;
	pid_t pid;
	int *ready;
};

/* The ids of a victim's notifiers: the device counts from 1 on each file. */
#define FIRST_INTERVAL	1
/* With a list notifier the second interval is left to look at. */
#define PROBE_INTERVAL	2

void cgroup_init(void);
void victim_start(struct victim *v, const struct victim_spec *spec);
void victim_join(struct victim *v, const struct victim_spec *spec,
		 const struct victim *first);
void victim_wait_ready(struct victim *v);
void victim_wait_stuck(struct victim *v);
void victim_release(struct victim *v);
bool victim_gone(struct victim *v, long long timeout);
void victim_forget(struct victim *v);
pid_t member_start(struct victim *v, unsigned long size, int score);
pid_t member_start_then(struct victim *v, unsigned long size, int score,
			void (*then)(struct victim *v));
bool member_filled(pid_t pid, unsigned long size, long long timeout);
void member_kill(pid_t pid);
long rss_exact(pid_t pid, const char *field);
long rss_fast(pid_t pid);
void cgroup_close(struct victim *v, unsigned long room);
void cgroup_kill_together(struct victim *v);
long cgroup_current(struct victim *v);
long cgroup_oom_kills(struct victim *v);

/* demo_scene.c */

/* Room for the process that pushes the cgroup over its limit */
#define HEADROOM	(16 * MIB)

#define BYSTANDERS	3
#define BYSTANDER_SIZE	(20 * MIB)
#define MAX_SAMPLES	200
/* The seconds after the reaper begins that are looked at, see held_at */
#define NR_HELD		3

struct sample {
	long long when;
	long rss;
	long current;
};

/**
 * struct scene - one victim, what happens to it, and what is seen of it
 * @spec: the victim
 * @allocator: what the process wants that drives the cgroup over its limit; if
 *	0, it is stopped as soon as it has caused the kill
 * @bystanders: how many other processes are in the cgroup
 * @brief: look at the first pass only
 *
 * The rest is for demo_scene.c.
 */
struct scene {
	const struct victim_spec *spec;
	unsigned long allocator;
	int bystanders;
	bool brief;

	struct victim v;
	pid_t pusher;
	pid_t bystander[BYSTANDERS];
	int dead;
	long long pushed, killed, started, finished, allocated;
	int passes;
	long before, huge, after_first, left_first, held[NR_HELD];
	bool first_taken, first_alone;
	uint64_t calls_first;
	long long sample_due;
	struct sample sample[MAX_SAMPLES];
	unsigned int nr_samples, nr_held;
	bool over;
};

void data(const char *scenario, const char *key, long value);
void play(struct scene *scene, int nr);
void kill_until_given_up(struct scene *s);

/* demo_exits.c, demo_queue.c, demo_hang.c */

void play_exits(void);
void play_queue(void);
void play_slow(void);
void play_hang(void);

#endif /* LAB_DEMO_H */
