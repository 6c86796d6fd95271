/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the soak and the victims with real notifiers share: make an OOM victim
 * whose MMU notifiers do as told, in a memory cgroup of its own, and look at
 * what is left of it.
 *
 * Functions return 0 or a negative errno unless said otherwise, print nothing,
 * and never wait without a limit.
 *
 * Build: -I <top of the kernel tree>.
 */
#ifndef LAB_UTIL_H
#define LAB_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * This is a private UAPI to the kernel test module so it isn't exported in the
 * usual include/uapi/... directory.
 */
#include <lib/test_mmu_notifier_uapi.h>

#define ON_KIB		1024UL
#define ON_MIB		(1024UL * ON_KIB)
#define ON_PATH_MAX	256

/* What __oom_reap_task_mm() waits for before it starts, see OOM_REAPER_DELAY */
#define ON_REAPER_DELAY_MS	2000
/* Ten attempts, 100 ms apart, and something for a slow machine. */
#define ON_REAPER_GIVES_UP_MS	(ON_REAPER_DELAY_MS + 1000 + 500)

/*
 * Time and files.
 */
long long on_now_ms(void);
void on_sleep_ms(unsigned int ms);
int on_read_file(const char *path, char *buf, size_t size);
int on_write_file(const char *path, const char *text);

/*
 * Memory cgroups, version 2 only.
 */
struct on_cgroup {
	char path[ON_PATH_MAX];
};

/*
 * 0 when memory cgroups can be made, else -errno and the reason in *@why. Let
 * the memory controller down to the children of the root.
 */
int on_cgroup_supported(const char **why);
int on_cgroup_create(struct on_cgroup *cg, const char *name);
/* -EBUSY when there are still processes in it after @ms. */
int on_cgroup_remove(struct on_cgroup *cg, unsigned int ms);
int on_cgroup_write(struct on_cgroup *cg, const char *file, const char *text);
int on_cgroup_write_bytes(struct on_cgroup *cg, const char *file,
			  unsigned long long bytes);
/* The number in a file such as memory.current, or -errno. "max" is LLONG_MAX */
long long on_cgroup_read(struct on_cgroup *cg, const char *file);
/* The number behind a key of memory.events or memory.stat, or -errno */
long long on_cgroup_key(struct on_cgroup *cg, const char *file,
			const char *key);
/* Wait until @file is not above @limit; returns the last number read. */
long long on_cgroup_wait(struct on_cgroup *cg, const char *file,
			 long long limit, unsigned int ms);
/* Wait until there is an oom_kill in memory.events, or -ETIMEDOUT. */
int on_cgroup_wait_kill(struct on_cgroup *cg, unsigned int ms);

/*
 * The device: thin wrappers around the ioctls.
 */
int on_dev_open(void);
int on_dev_add(int dev, unsigned long addr, size_t size, size_t stride,
	       unsigned int count, unsigned int flags, unsigned int refusals,
	       unsigned int *id);
int on_dev_add_list(int dev, unsigned int flags, unsigned int refusals,
		    unsigned int *id);
int on_dev_set(int dev, unsigned int id, unsigned int count,
	       unsigned int flags, unsigned int refusals);
int on_dev_remove(int dev, unsigned int id, unsigned int count);
int on_dev_stat(int dev, unsigned int id, unsigned int count,
		struct test_mmu_notifier_stat *stat);
/* 1: mmu_interval_read_begin() returned, 0: it did not, in @ms */
int on_dev_read_begin(int dev, unsigned int id, unsigned int ms);
int on_dev_unstick(int dev);
int on_dev_release_hold(int dev);
/* Both are a number or -errno */
int on_dev_nr_stuck(int dev);
long long on_dev_nr_churned(int dev);

/*
 * The victim: a process with a mapping of @size bytes, all of it faulted in,
 * and notifiers attached by @prepare, that gets stuck in the kernel.
 */
enum on_backing {
	ON_SMALL,	/* anonymous, MADV_NOHUGEPAGE */
	ON_HUGE,	/* anonymous, MADV_HUGEPAGE */
};

struct on_victim {
	/* Set by the caller before on_victim_start(), 0 is a good default. */
	struct on_cgroup *cg;		/* where it lives; NULL: here */
	size_t size;			/* a multiple of 2 MiB */
	enum on_backing backing;
	int dev;			/* the device, -1: none; then not stuck */
	unsigned int stick_s;		/* how long to be stuck, 0: not at all */
	/*
	 * Called in the victim when the memory is there; attaches notifiers.
	 * What it writes to ->shared is seen by both. A negative return value
	 * is what on_victim_start() returns.
	 */
	int (*prepare)(struct on_victim *v, void *arg);
	void *arg;

	/* Set by on_victim_start(). */
	pid_t pid;
	unsigned long addr;		/* aligned to 2 MiB */
	struct on_shared *shared;
};

#define ON_MAX_IDS		16

struct on_shared {
	unsigned int id[ON_MAX_IDS];	/* for prepare() */
	unsigned long addr;
	int error;
	int ready;
	unsigned long done;		/* bytes, of an eater */
};

/* Returns when the victim is stuck, or waits in user space if not @stick_s. */
int on_victim_start(struct on_victim *v, unsigned int ms);
/*
 * Unstick, release, kill and wait. -ETIMEDOUT: it does not exit, and is left
 * behind. To be called once for each victim that was started.
 */
int on_victim_end(struct on_victim *v, unsigned int ms);
/* Rss and Swap of the mapping, in KiB; 0 when there is no memory any more */
long on_victim_held(struct on_victim *v);
/*
 * Wait until that is not above @kib, or @ms are over, or more than the victim
 * was killed in its cgroup; returns the last value.
 */
long on_victim_wait_held(struct on_victim *v, long kib, unsigned int ms);
int on_mrelease(pid_t pid);	/* process_mrelease(), 0 or -errno */

/*
 * Eaters: processes that touch @size bytes page by page, and then do nothing
 * until they are stopped. A bystander is one that has finished; an allocator
 * is one that meets the limit of the cgroup on its way.
 */
struct on_eater {
	pid_t pid;
	size_t size;
	struct on_shared *shared;
};

int on_eater_start(struct on_eater *e, struct on_cgroup *cg, size_t size);
/* 0 when all of its memory has been touched within @ms */
int on_eater_wait(struct on_eater *e, unsigned int ms);
/* Kill it and wait. */
int on_eater_stop(struct on_eater *e, unsigned int ms);

/*
 * Make sure that there is swap, in zram if there is none. 0, or -errno and the
 * reason in *@why. on_swap_end() takes away what on_swap_begin() made.
 */
struct on_swap {
	char dev[32];
};

int on_swap_begin(struct on_swap *s, size_t size, const char **why);
void on_swap_end(struct on_swap *s);

#endif /* LAB_UTIL_H */
