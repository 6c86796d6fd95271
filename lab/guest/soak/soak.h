/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Endurance: workers that make OOM victims, and whatever else calls MMU
 * notifiers, at random from a seed.
 *
 * What a worker does in a round depends on the seed, the worker's number and the
 * round's, and on nothing that happens: it is decided before it is done.
 */
#ifndef LAB_SOAK_H
#define LAB_SOAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util.h"

#define __noreturn	__attribute__((noreturn))
#define __printf(a, b)	__attribute__((format(printf, a, b)))

#define PAGE		4096UL
#define HUGE_PAGE	(2 * ON_MIB)

/* Worker 0 is the weather, then come the killers and the movers. */
#define KILLERS		8
#define MOVERS		2
#define FIRST_KILLER	1
#define FIRST_MOVER	(FIRST_KILLER + KILLERS)
#define WORKERS		(FIRST_MOVER + MOVERS)

/* Patience, for a machine that is emulated and busy */
#define READY_MS	60000
#define KILL_MS		60000
#define GONE_MS		60000
#define ROUND_MS	240000
/* Between two operations on memory, which would keep a processor busy */
#define OP_PAUSE_MS	20

/*
 * Random numbers
 */
struct rng {
	uint64_t state;
};

void rng_start(struct rng *r, uint64_t seed, unsigned int worker,
	       unsigned int round, unsigned int stream);
uint64_t rng_next(struct rng *r);
unsigned int rng_below(struct rng *r, unsigned int n);
bool rng_percent(struct rng *r, unsigned int percent);
unsigned int rng_between(struct rng *r, unsigned int low, unsigned int high);
/* An index into @weights, the last of which is 0 */
unsigned int rng_pick(struct rng *r, const unsigned int *weights);

/*
 * Operations on an address space
 */
enum op_kind {
	OP_TOUCH, OP_READ, OP_UNMAP, OP_PROTECT, OP_REMAP, OP_DONTNEED, OP_FREE,
	OP_PAGEOUT, OP_COLD, OP_HUGE, OP_COLLAPSE, OP_SPLIT, OP_MLOCK, OP_FORK,
	OP_UFFD, OP_ADD, OP_ADD_LIST, OP_REMOVE, OP_SET, OP_READ_BEGIN,
	OP_KINDS
};

struct op {
	uint32_t kind;
	uint32_t where;		/* all in per mille of the arena */
	uint32_t length;
	uint32_t flags;		/* of a notifier */
	uint32_t refusals;
};

/* The part of an address space that belongs to one thread. */
#define ARENA_IDS	4
struct arena {
	char *base;
	char *spare;		/* as large; where OP_REMAP moves things to */
	size_t size;
	int dev;
	unsigned int id[ARENA_IDS];
	unsigned int next;
};

void ops_plan(struct rng *r, struct op *ops, unsigned int nr);
bool arena_start(struct arena *a, char *base, size_t size, int dev);
void op_do(struct arena *a, const struct op *op);

/*
 * A round of a killer
 */
enum kill_kind { KILL_SELF, KILL_GROUP, KILL_OTHER, KILL_SHRINK, KILL_SIGNAL };
enum backing {
	BACK_SMALL,
	BACK_LARGE,		/* what a fault gets, see run-soak */
	BACK_HUGE,
	BACK_MLOCKED,
	BACK_FILE,
	BACK_SWAPPED,
};

enum hang {
	HANG_NONE,
	HANG_STICK,
	HANG_CHURN,
	HANG_HELD,		/* in munmap(), by an interval */
	HANG_EXIT,		/* in its exit, by an interval */
};
/* What who refuses does in blocking mode; the reaper's worker is such a caller */
enum worker_kind {
	WORKER_SERVED,
	WORKER_SLOW,		/* after a while */
	WORKER_HELD,		/* the worker not at all, before the victim leaves */
};
enum list_kind { LIST_NONE, LIST_PLAIN, LIST_END, LIST_REFUSE };
enum release {
	RELEASE_SOON,		/* after release_ms */
	RELEASE_FALLING,	/* when the reaper is at work */
	RELEASE_REAPED,		/* when it is done, which must come */
};

#define MAX_VICTIMS	3
#define MAX_MOVERS	2
#define MAX_CALLERS	3
#define MOVER_OPS	32

struct plan {
	uint32_t kind;
	uint32_t victims;
	uint32_t mib;
	uint32_t backing;
	uint32_t hang;
	uint32_t shared_mm;	/* another process has the same memory */
	uint32_t movers;	/* threads that work on the memory */
	uint32_t accepting;	/* intervals */
	uint32_t refusing;
	uint32_t refusals;	/* of each, 0: forever */
	uint32_t worker;	/* what they do to who may wait for them */
	uint32_t list;
	uint32_t release;
	uint32_t release_ms;
	uint32_t toggle_ms;	/* refusals are switched that often, 0: never */
	uint32_t mrelease_ms;	/* process_mrelease() that often, 0: never */
	uint32_t callers;	/* of it at the same time */
	uint32_t fresh;		/* the cgroup is made for the round, and removed */
	uint32_t swap_mib;
	uint32_t remove;	/* notifiers are removed before the file is closed */
	uint32_t read;		/* mmu_interval_read_begin() when it is over */
};

void plan_round(struct plan *p, uint64_t seed, unsigned int worker,
		unsigned int round);
void plan_print(const struct plan *p, char *text, size_t size);
/* TEST_MMU_NOTIFIER_* of the intervals that refuse */
unsigned int plan_refuse(const struct plan *p);
/* An interval holds whoever unmaps in blocking mode, reclaim too */
bool plan_is_held(const struct plan *p);

/*
 * A victim
 */
struct victim_shared {
	uint32_t ready[MAX_VICTIMS];
	uint32_t go;
	uint32_t first_id[MAX_VICTIMS];	/* of the intervals */
	uint32_t refuse_id[MAX_VICTIMS];
	uint32_t list_id[MAX_VICTIMS];
};

struct victim_args {
	const struct plan *plan;
	struct victim_shared *shared;
	unsigned int nr;	/* which of the round's */
	int dev;
	uint64_t seed;
	unsigned int worker, round;
};

void __noreturn victim_main(struct victim_args *args);

/*
 * What all share
 */
enum count {
	COUNT_ROUNDS, COUNT_VICTIMS, COUNT_SIGNALS, COUNT_EARLY, COUNT_STUCK,
	COUNT_REAPED, COUNT_FALLING, COUNT_INTERVALS, COUNT_LISTS,
	COUNT_REMOVED, COUNT_TOGGLES, COUNT_MRELEASE, COUNT_MRELEASE_DONE,
	COUNT_MRELEASE_AGAIN, COUNT_CHURNED, COUNT_NONBLOCK, COUNT_REFUSED,
	COUNT_BLOCKING, COUNT_WORKER, COUNT_READS, COUNT_RECLAIMS, COUNT_SWAPOFFS,
	COUNT_COMPACTIONS, COUNT_FREEZES, COUNT_HOTPLUGS, COUNT_FRESH,
	COUNT_HELD_EXIT, COUNT_REFUSE_PHASES, COUNT_REHEARSE_PHASES,
	COUNT_KILLS, COUNT_REAPINGS, COUNT_FREED_KIB, COUNT_LOST_EVENTS,
	/* Failures: each of these has to be 0 */
	COUNT_BAD, BAD_START = COUNT_BAD, BAD_KILL, BAD_HANG, BAD_REAPED,
	BAD_READ, BAD_CGROUP, BAD_WORKER,
	COUNTS
};

extern const char *const count_names[COUNTS];
extern const char *const op_names[OP_KINDS];

struct worker_state {
	pid_t pid;
	uint32_t rounds;	/* completed */
	int64_t since_ms;	/* when the present one began */
	uint64_t digest;	/* of all decisions of the completed ones */
};

struct soak_shared {
	uint64_t seed;
	int64_t until_ms;	/* no round begins after that */
	uint64_t count[COUNTS];
	uint64_t ops[OP_KINDS];
	uint64_t op_errors[OP_KINDS];
	struct worker_state worker[WORKERS];
};

extern struct soak_shared *soak;

void count(enum count what, uint64_t n);
uint64_t digest(uint64_t before, const void *data, size_t size);
/* To the kernel's log, a line that the host shows, or one that it parses */
void say(const char *fmt, ...) __printf(1, 2);
void tell(const char *fmt, ...) __printf(1, 2);
/* Something is wrong in a round: count it, say what, who and when */
void bad(enum count what, unsigned int worker, unsigned int round,
	 const char *fmt, ...) __printf(4, 5);
/* The number behind @key, in a file of such lines; -1 without */
long long read_key(const char *path, const char *key);
void *shared_memory(size_t size);
/* fork() into a cgroup, or here with NULL */
pid_t fork_into(const struct on_cgroup *cg);
/* Where the tasks of a cgroup are */
void show_tasks(const struct on_cgroup *cg);
/* Kill what is left in @cg, and wait for it; false if it does not go */
bool empty_cgroup(struct on_cgroup *cg, unsigned int ms);

/*
 * Workers. They return the digest of what they have decided on in the round.
 */
void worker_cgroup(struct on_cgroup *cg, unsigned int worker);
uint64_t killer_plan(uint64_t seed, unsigned int worker, unsigned int round);
void killer_print(uint64_t seed, unsigned int worker, unsigned int round);
void killer_round(unsigned int worker, unsigned int round);
uint64_t mover_plan(uint64_t seed, unsigned int worker, unsigned int round);
void mover_print(uint64_t seed, unsigned int worker, unsigned int round);
void mover_round(unsigned int worker, unsigned int round);
uint64_t weather_plan(uint64_t seed, unsigned int worker, unsigned int round);
void weather_print(uint64_t seed, unsigned int worker, unsigned int round);
void weather_round(unsigned int worker, unsigned int round);
void weather_calm(void);

/*
 * What is there before, and must be there after
 */
bool swap_begin(void);
/* Off and on again; a negative errno if it did not go off */
int swap_cycle(void);
void swap_finish(void);

/* Counts what the tracepoints say until trace_end() */
bool trace_begin(void);
void trace_end(void);

/**
 * struct calls - calls in non-blocking mode
 * @nonblock: of notifiers, by the reaper and in rehearsals
 * @refused: how many of these were refused
 * @rehearsed: how many of them were rehearsals
 * @injected: refusals that no notifier was called for
 * @lost: what the kernel could not count
 */
struct calls {
	long long nonblock, refused, rehearsed, injected, lost;
};

/* Since trace_begin(); false if this kernel does not say it */
bool trace_calls(struct calls *calls);

/* All that must be after as it was before */
enum figure {
	FIGURE_TASKS, FIGURE_SWAP_KIB, FIGURE_MLOCK, FIGURE_ANON,
	FIGURE_PAGETABLES, FIGURE_MM, FIGURE_VMA, FIGURE_ANON_VMA, FIGURE_TASK,
	FIGURE_SLAB_KIB, FIGURE_USED_KIB, FIGURE_DYING,
	FIGURES
};

struct figures {
	long long value[FIGURES];
};

/* Wait until all is quiet, and write down what there is */
void figures_take(struct figures *f);
void figures_judge(const struct figures *before, const struct figures *after,
		   unsigned int stock);
void judge(bool good, const char *fmt, ...) __printf(2, 3);
/* Judgements that were bad */
unsigned int judged_bad(void);

#endif /* LAB_SOAK_H */
