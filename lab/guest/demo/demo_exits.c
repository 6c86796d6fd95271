// SPDX-License-Identifier: GPL-2.0
/*
 * A victim that nothing holds: it exits as soon as it is killed. Is what it had
 * free when the OOM killer looks for the next one? That is a race, so it is run
 * many times.
 */
#include "demo.h"

#define ROUNDS		50
#define WANTED		(36 * MIB)
#define PATIENCE	(10 * SEC)

void play_exits(void)
{
	/* Less than what exit_mmap() collects before it frees any of it */
	static const struct victim_spec spec = {
		.name = "exits", .size = 32 * MIB,
		.limit = 32 * MIB + BYSTANDER_SIZE + HEADROOM, .exits = true,
	};
	long kills = 0, served = 0;
	pid_t bystander, service;
	struct victim v;
	int i;

	say("a victim that can exit, %d times", ROUNDS);
	for (i = 0; i < ROUNDS; i++) {
		victim_start(&v, &spec);
		bystander = member_start(&v, BYSTANDER_SIZE, 0);
		if (!member_filled(v.pid, spec.size, PATIENCE) ||
		    !member_filled(bystander, BYSTANDER_SIZE, PATIENCE))
			die("%s: no memory", spec.name);
		service = member_start(&v, WANTED, -1000);
		served += member_filled(service, WANTED, PATIENCE);
		kills += cgroup_oom_kills(&v);
		member_kill(service);
		member_kill(bystander);
		victim_release(&v);
		if (!victim_gone(&v, PATIENCE))
			die("%s: the victim does not leave", spec.name);
		victim_forget(&v);
	}
	data(spec.name, "rounds", ROUNDS);
	data(spec.name, "served", served);
	data(spec.name, "kills", kills);
}
