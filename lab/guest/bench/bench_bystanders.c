// SPDX-License-Identifier: GPL-2.0
/*
 * Memory cgroups with a stuck victim, three bystanders and a service that wants
 * the victim's memory, in sizes drawn from a seed. Who dies?
 *
 * Not to be run under -icount: the service spins until it has what it wants.
 */
#include <stdio.h>
#include <sys/wait.h>

#include "bench.h"

#define SIDE_BY_SIDE	5
/* There is one reaper, and it stays for a second with each that it cannot reap */
#define PATIENCE	(30 * SEC)

struct run {
	struct victim_spec spec;
	struct victim v;
	char name[32];
	unsigned long bystander_size[BYSTANDERS];
	unsigned long wanted;
	pid_t bystander[BYSTANDERS];
	pid_t service;
	int dead;
	bool over;
};

/*
 * The same on every machine, from @low to @high. Each step is mixed well, as the
 * runs' states begin side by side.
 */
static unsigned int draw(uint32_t *state, unsigned int low, unsigned int high)
{
	uint32_t mixed;

	*state += 0x9e3779b9;
	mixed = (*state ^ *state >> 16) * 0x85ebca6b;
	mixed = (mixed ^ mixed >> 13) * 0xc2b2ae35;
	mixed ^= mixed >> 16;
	return low + mixed % (high - low + 1);
}

/* All but the victim fit in, all together do not. */
static void draw_run(struct run *r, unsigned int seed, unsigned int nr)
{
	uint32_t state = seed * 65537 + nr;
	unsigned long victim, limit, room;
	unsigned int i;

	limit = draw(&state, 128, 256);
	victim = limit * draw(&state, 45, 65) / 100;
	room = limit - victim;
	for (i = 0; i < BYSTANDERS; i++) {
		unsigned long size = limit * draw(&state, 5, 9) / 100;

		r->bystander_size[i] = size * MIB;
		room -= size;
	}
	r->wanted = (room + victim * draw(&state, 30, 80) / 100) * MIB;
	snprintf(r->name, sizeof(r->name), "bystanders-%u", nr);
	r->spec = (struct victim_spec){
		.name = r->name, .size = victim * MIB, .limit = limit * MIB,
		/* They are spread evenly, a whole number of pages apart */
		.intervals = 1 << draw(&state, 0, 6),
	};
}

static void look(struct run *r)
{
	unsigned int i;

	for (i = 0; i < BYSTANDERS; i++) {
		if (r->bystander[i] &&
		    waitpid(r->bystander[i], NULL, WNOHANG) > 0) {
			r->bystander[i] = 0;
			r->dead++;
		}
	}
	r->over = rss_fast(r->service) >= (long)(r->wanted / KIB) ||
		  r->dead == BYSTANDERS;
}

static void end(struct run *r)
{
	unsigned int i;

	data(r->name, "limit_mib", r->spec.limit / MIB);
	data(r->name, "victim_mib", r->spec.size / MIB);
	data(r->name, "intervals", r->spec.intervals);
	data(r->name, "wanted_mib", r->wanted / MIB);
	data(r->name, "kills", cgroup_oom_kills(&r->v));
	data(r->name, "killed", r->dead);
	data(r->name, "served", rss_fast(r->service) >= (long)(r->wanted / KIB));
	member_kill(r->service);
	for (i = 0; i < BYSTANDERS; i++)
		if (r->bystander[i])
			member_kill(r->bystander[i]);
	victim_release(&r->v);
	if (!victim_gone(&r->v, 10 * SEC))
		die("%s: the victim does not leave", r->name);
	victim_forget(&r->v);
}

static void play_runs(struct run *run, unsigned int nr)
{
	unsigned int i, j, over;
	long long until;

	for (i = 0; i < nr; i++) {
		victim_start(&run[i].v, &run[i].spec);
		for (j = 0; j < BYSTANDERS; j++)
			run[i].bystander[j] =
				member_start(&run[i].v,
					     run[i].bystander_size[j], 0);
	}
	for (i = 0; i < nr; i++)
		victim_wait_stuck(&run[i].v);
	/* The bystanders fill less than the victims and began with them */
	pause_for(500 * MS);
	for (i = 0; i < nr; i++)
		run[i].service = member_start(&run[i].v, run[i].wanted, -1000);

	until = now() + PATIENCE;
	do {
		pause_for(50 * MS);
		for (i = 0, over = 0; i < nr; i++) {
			if (!run[i].over)
				look(&run[i]);
			over += run[i].over;
		}
	} while (over < nr && now() < until);
	/* Who was killed right now needs some time to die */
	pause_for(SEC);
	for (i = 0; i < nr; i++) {
		look(&run[i]);
		end(&run[i]);
	}
}

void bench_bystanders(unsigned int seed, unsigned int first, unsigned int nr)
{
	unsigned int done, some, i;

	for (done = 0; done < nr; done += some) {
		static struct run run[SIDE_BY_SIDE];

		some = nr - done < SIDE_BY_SIDE ? nr - done : SIDE_BY_SIDE;
		for (i = 0; i < some; i++) {
			run[i] = (struct run){ 0 };
			draw_run(&run[i], seed, first + done + i);
		}
		say("bystanders, runs %u to %u", first + done + 1,
		    first + done + some);
		play_runs(run, some);
	}
}
