// SPDX-License-Identifier: GPL-2.0
/* A mover: works on memory with notifiers, and is not killed. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

#define OPS		40
#define MOVER_SIZE	(8 * ON_MIB)
#define MOVER_LIMIT	(48 * ON_MIB)
#define MOVER_MS	120000

static void plan_ops(struct op *ops, uint64_t seed, unsigned int worker,
		     unsigned int round)
{
	struct rng r;

	memset(ops, 0, OPS * sizeof(*ops));
	rng_start(&r, seed, worker, round, 0);
	ops_plan(&r, ops, OPS);
	/* Something to begin with */
	ops[0].kind = OP_ADD;
	ops[1].kind = OP_TOUCH;
}

uint64_t mover_plan(uint64_t seed, unsigned int worker, unsigned int round)
{
	struct op ops[OPS];

	plan_ops(ops, seed, worker, round);
	return digest(0, ops, sizeof(ops));
}

void mover_print(uint64_t seed, unsigned int worker, unsigned int round)
{
	struct op ops[OPS];
	unsigned int i;

	plan_ops(ops, seed, worker, round);
	for (i = 0; i < OPS; i++)
		printf("%s at %u, %u long (per mille)%s\n",
		       op_names[ops[i].kind], ops[i].where, ops[i].length,
		       ops[i].flags ? ", refusing" : "");
}

static void __noreturn move(struct op *ops, int dev)
{
	struct arena arena;
	unsigned int i;
	char *p;

	prctl(PR_SET_NAME, "soak-mover");
	p = mmap(NULL, MOVER_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || !arena_start(&arena, p, MOVER_SIZE, dev))
		_exit(1);
	for (i = 0; i < OPS; i++) {
		op_do(&arena, &ops[i]);
		on_sleep_ms(OP_PAUSE_MS);
	}
	_exit(0);
}

void mover_round(unsigned int worker, unsigned int round)
{
	long long until = on_now_ms() + MOVER_MS;
	struct op ops[OPS];
	struct on_cgroup cg;
	int status = 0, dev;
	pid_t pid;

	worker_cgroup(&cg, worker);
	plan_ops(ops, soak->seed, worker, round);
	on_cgroup_write_bytes(&cg, "memory.max", MOVER_LIMIT);
	dev = on_dev_open();
	pid = dev < 0 ? -1 : fork_into(&cg);
	if (!pid)
		move(ops, dev);
	if (pid < 0) {
		bad(BAD_START, worker, round, "a mover does not start");
		return;
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		if (on_now_ms() > until) {
			bad(BAD_HANG, worker, round, "a mover does not exit");
			show_tasks(&cg);
			kill(pid, SIGKILL);
			break;
		}
		on_sleep_ms(20);
	}
	/* Nobody reaps it, so a signal is a page that should have been there. */
	if (status)
		bad(BAD_HANG, worker, round, "a mover ended with status %#x",
		    status);
	if (!empty_cgroup(&cg, GONE_MS))
		bad(BAD_HANG, worker, round, "what a mover forked does not exit");
	close(dev);
}
