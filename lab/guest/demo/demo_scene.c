// SPDX-License-Identifier: GPL-2.0
/*
 * Plays scenes: kills victims, watches the reaper and what they hold, and
 * prints the figures.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "demo.h"
#include "test_mmu_notifier_uapi.h"

#define TICK		(10 * MS)
#define SAMPLE_EVERY	(100 * MS)

/*
 * From one kill to the next when several victims wait side by side. There is
 * one reaper for all of them, it begins two seconds after a kill, and it stays
 * for one second with a victim that it cannot reap. So none waits for another.
 */
#define KILL_GAP	(1500 * MS)

/* What never comes is not waited for longer */
#define NO_KILL		(20 * SEC)
#define NO_REAPER	(6 * SEC)

/* For that long the reaper tries, if it makes no progress */
#define GIVES_UP	(1200 * MS)

/* Seconds after the reaper begins */
static const int held_at[NR_HELD] = { 1, 3, 5 };

void data(const char *scenario, const char *key, long value)
{
	printf("LAB-DATA %s %s %ld\n", scenario, key, value);
}

static void get_stat(struct victim *v, struct test_mmu_notifier_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->id = FIRST_INTERVAL;
	stat->count = v->spec->intervals;
	if (stat->count && ioctl(v->dev, TEST_MMU_NOTIFIER_STAT, stat))
		die("%s: STAT: %s", v->spec->name, strerror(errno));
}

struct stage {
	struct scene *scene;
	int nr;
};

static void on_event(const struct trace_event *event, void *arg)
{
	struct stage *stage = arg;
	struct scene *s;
	int i;

	for (i = 0; i < stage->nr; i++) {
		s = &stage->scene[i];
		if (s->v.pid != event->pid)
			continue;
		if (event->what == TRACE_KILL && !s->killed)
			s->killed = event->when;
		if (event->what == TRACE_START && !s->passes++)
			s->started = event->when;
		if (event->what == TRACE_FINISH && !s->finished) {
			s->finished = event->when;
			s->left_first = event->left;
		}
	}
}

static void take_sample(struct scene *s)
{
	struct sample *sample;

	if (now() < s->sample_due || s->nr_samples == MAX_SAMPLES)
		return;
	s->sample_due = now() + SAMPLE_EVERY;
	sample = &s->sample[s->nr_samples++];
	sample->when = now();
	sample->rss = rss_fast(s->v.pid);
	sample->current = cgroup_current(&s->v);
}

/* What the first pass did, before there is a second one. */
static void take_first_pass(struct scene *s, struct stage *stage)
{
	struct test_mmu_notifier_stat stat;

	get_stat(&s->v, &stat);
	s->after_first = rss_exact(s->v.pid, "\nRss:");
	s->calls_first = stat.max_nonblock;
	trace_poll(on_event, stage);
	s->first_alone = s->passes == 1;
	s->first_taken = true;
}

static void look_at_others(struct scene *s)
{
	int i;

	for (i = 0; i < s->bystanders; i++) {
		if (s->bystander[i] &&
		    waitpid(s->bystander[i], NULL, WNOHANG) > 0) {
			s->bystander[i] = 0;
			s->dead++;
		}
	}
	if (s->allocator && !s->allocated &&
	    rss_fast(s->pusher) >= (long)(s->allocator / KIB))
		s->allocated = now();
}

static void scene_step(struct scene *s, struct stage *stage)
{
	long long at;

	take_sample(s);
	if (!s->killed) {
		s->over = now() > s->pushed + NO_KILL;
		return;
	}
	if (!s->allocator && s->pusher) {
		member_kill(s->pusher);
		s->pusher = 0;
	}
	look_at_others(s);
	if (!s->started) {
		s->over = now() > s->killed + NO_REAPER;
		return;
	}
	if (s->finished && !s->first_taken)
		take_first_pass(s, stage);
	if (s->brief) {
		s->over = s->first_taken;
		return;
	}
	at = s->started + held_at[s->nr_held] * SEC;
	if (now() >= at) {
		s->held[s->nr_held++] = rss_exact(s->v.pid, "\nRss:");
		s->over = s->nr_held == NR_HELD;
	}
}

static void scene_push(struct scene *s)
{
	unsigned long size = s->allocator ? s->allocator : 4 * HEADROOM;

	s->before = rss_exact(s->v.pid, "\nRss:");
	s->huge = rss_exact(s->v.pid, "\nAnonHugePages:");
	s->pushed = now();
	s->pusher = member_start(&s->v, size, -1000);
}

static void scene_print(struct scene *s)
{
	const char *name = s->spec->name;
	struct test_mmu_notifier_stat stat;
	char key[32];
	unsigned int i;

	data(name, "size_kib", s->spec->size / KIB);
	data(name, "intervals", s->spec->intervals);
	data(name, "before_kib", s->before);
	data(name, "huge_kib", s->huge);
	data(name, "kills", cgroup_oom_kills(&s->v));
	if (!s->killed || !s->started) {
		data(name, "no_reaper", 1);
		return;
	}
	data(name, "reaper_start_ms", (s->started - s->killed) / MS);
	data(name, "passes", s->passes);
	for (i = 0; i < s->nr_held; i++) {
		snprintf(key, sizeof(key), "held_%ds_kib", held_at[i]);
		data(name, key, s->held[i]);
	}
	if (s->first_taken) {
		data(name, "first_pass_us", s->finished - s->started);
		data(name, "first_pass_alone", s->first_alone);
		data(name, "first_pass_left_kib", s->after_first);
		data(name, "first_pass_left_kib_by_trace", s->left_first);
	}
	if (s->spec->intervals) {
		get_stat(&s->v, &stat);
		data(name, "calls_first_pass", s->calls_first);
		data(name, "calls_max", stat.max_nonblock);
		data(name, "calls_sum", stat.nonblock);
	}
	if (s->bystanders)
		data(name, "bystanders_killed", s->dead);
	if (s->allocator)
		data(name, "allocated_ms", s->allocated ?
		     (s->allocated - s->killed) / MS : -1);
	for (i = 0; i < s->nr_samples; i++)
		printf("LAB-SAMPLE %s %lld %ld %ld\n", name,
		       (s->sample[i].when - s->killed) / MS,
		       s->sample[i].rss, s->sample[i].current);
	fflush(stdout);
}

static void scene_end(struct scene *s)
{
	int i;

	if (s->pusher)
		member_kill(s->pusher);
	for (i = 0; i < s->bystanders; i++)
		if (s->bystander[i])
			member_kill(s->bystander[i]);
	victim_release(&s->v);
	data(s->spec->name, "hang", !victim_gone(&s->v, 10 * SEC));
	victim_forget(&s->v);
}

/* Plays scenes side by side, each in its own cgroup. */
void play(struct scene *scene, int nr)
{
	struct stage stage = { scene, nr };
	long long begin;
	int i, j, over;

	for (i = 0; i < nr; i++) {
		victim_start(&scene[i].v, scene[i].spec);
		for (j = 0; j < scene[i].bystanders; j++)
			scene[i].bystander[j] =
				member_start(&scene[i].v, BYSTANDER_SIZE, 0);
	}
	for (i = 0; i < nr; i++)
		victim_wait_stuck(&scene[i].v);

	begin = now();
	do {
		pause_for(TICK);
		trace_poll(on_event, &stage);
		for (i = 0, over = 0; i < nr; i++) {
			if (scene[i].pushed && !scene[i].over)
				scene_step(&scene[i], &stage);
			else if (now() >= begin + i * KILL_GAP &&
				 !scene[i].pushed)
				scene_push(&scene[i]);
			over += scene[i].over;
		}
	} while (over < nr);

	for (i = 0; i < nr; i++) {
		scene_print(&scene[i]);
		scene_end(&scene[i]);
	}
}

/* Has the victim of one scene killed and waits until the reaper gives it up. */
void kill_until_given_up(struct scene *s)
{
	struct stage stage = { s, 1 };
	long long end;

	scene_push(s);
	end = s->pushed + NO_KILL;
	while (now() < end &&
	       !(s->started && now() > s->started + GIVES_UP)) {
		pause_for(TICK);
		trace_poll(on_event, &stage);
		if (s->killed && s->pusher) {
			member_kill(s->pusher);
			s->pusher = 0;
		}
	}
}
