// SPDX-License-Identifier: GPL-2.0
/* A victim of the soak: its memory, its notifiers, its threads. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "soak.h"

/* Longer than a round may last; the victims are unstuck anyway */
#define STICK_S		300
#define STACK		(64 * ON_KIB)
/* More than any limit leaves room for */
#define OVERRUN		(96 * ON_MIB)

static struct victim_args *args;
static char *memory;
static size_t size;
static struct arena arena[MAX_MOVERS];

static void __noreturn give_up(const char *what)
{
	say("worker %u, round %u: victim %u: %s: %s", args->worker, args->round,
	    args->nr, what, strerror(errno));
	/* Not exit(): there may be threads that know nothing of the C library. */
	syscall(SYS_exit_group, 1);
	abort();
}

/*
 * A thread without what pthread_create() does for it, which is not prepared for
 * a process that clone3() has made: here they share even errno.
 */
static void start(int (*fn)(void *arg), void *arg, int flags)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (stack == MAP_FAILED ||
	    clone(fn, stack + STACK, flags, arg) < 0)
		give_up("clone");
}

#define THREAD	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
		 CLONE_THREAD | CLONE_SYSVSEM)

static int mover_thread(void *arg)
{
	unsigned int nr = (struct arena *)arg - arena, i;
	struct op ops[MOVER_OPS];
	struct rng r;

	rng_start(&r, args->seed, args->worker, args->round,
		  1 + args->nr * MAX_MOVERS + nr);
	ops_plan(&r, ops, MOVER_OPS);
	for (i = 0;; i = (i + 1) % MOVER_OPS) {
		op_do(arg, &ops[i]);
		/* There are more threads than processors. */
		on_sleep_ms(OP_PAUSE_MS);
	}
	return 0;
}

static int overrun_thread(void *p)
{
	char *c = p;
	size_t i;

	while (!__atomic_load_n(&args->shared->go, __ATOMIC_ACQUIRE))
		on_sleep_ms(5);
	for (i = 0; i < OVERRUN; i += PAGE)
		__atomic_store_n(&c[i], 1, __ATOMIC_RELAXED);
	for (;;)
		pause();
	return 0;
}

static int sharing_process(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return 0;
}

static void map_memory(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS, fd = -1;
	size_t i;
	char *p;

	/* Aligned to what a huge page needs */
	p = mmap(NULL, size + HUGE_PAGE, PROT_NONE, flags, -1, 0);
	if (p == MAP_FAILED)
		give_up("mmap");
	p = (char *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	if (args->plan->backing == BACK_FILE) {
		fd = memfd_create("soak", MFD_CLOEXEC);
		if (fd < 0 || ftruncate(fd, size))
			give_up("memfd");
		flags = MAP_PRIVATE;
	}
	memory = mmap(p, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
	if (memory != p)
		give_up("mmap");
	if (args->plan->backing == BACK_HUGE)
		madvise(p, size, MADV_HUGEPAGE);
	else if (args->plan->backing == BACK_SMALL)
		madvise(p, size, MADV_NOHUGEPAGE);
	for (i = 0; i < size; i += PAGE)
		p[i] = 1;
	if (args->plan->backing == BACK_MLOCKED && mlock(p, size))
		give_up("mlock");
	if (args->plan->backing == BACK_SWAPPED)
		madvise(p, size / 4, MADV_PAGEOUT);
}

/* @nr separate intervals, from @offset pages on */
static unsigned int attach(unsigned int nr, size_t offset, size_t pages,
			   unsigned int flags)
{
	size_t stride = size / nr / PAGE * PAGE;
	unsigned int id = 0;
	int ret;

	if (pages * PAGE > stride)
		pages = stride / PAGE;
	if (offset * PAGE + pages * PAGE > stride)
		offset = 0;
	ret = on_dev_add(args->dev, (unsigned long)memory + offset * PAGE,
			 pages * PAGE, stride, nr, flags, args->plan->refusals,
			 &id);
	if (ret) {
		errno = -ret;
		give_up("register intervals");
	}
	count(COUNT_INTERVALS, nr);
	return id;
}

static void attach_all(void)
{
	static const unsigned int list[] = {
		[LIST_END] = TEST_MMU_NOTIFIER_END,
		[LIST_REFUSE] = TEST_MMU_NOTIFIER_REFUSE,
	};
	struct victim_shared *shared = args->shared;
	const struct plan *p = args->plan;
	unsigned int flags = 0;
	int ret;

	if (plan_is_held(p))
		flags = TEST_MMU_NOTIFIER_HOLD_BLOCKING;
	if (p->refusing)
		shared->refuse_id[args->nr] =
			attach(p->refusing, 3, 1 + p->refusing % 8,
			       plan_refuse(p));
	if (p->list != LIST_NONE) {
		ret = on_dev_add_list(args->dev, list[p->list],
				      p->list == LIST_REFUSE ? p->refusals : 0,
				      &shared->list_id[args->nr]);
		if (ret) {
			errno = -ret;
			give_up("register a list notifier");
		}
		count(COUNT_LISTS, 1);
	}
	/* Last, for from now on who unmaps is held. */
	if (p->accepting)
		shared->first_id[args->nr] =
			attach(p->accepting, 0, size / PAGE, flags);
}

static void __noreturn get_stuck(void)
{
	struct test_mmu_notifier_churn churn = {
		.addr = (unsigned long)memory,
		.size = size / 2,
		.seconds = STICK_S,
		.flags = args->plan->refusing ? TEST_MMU_NOTIFIER_REFUSE : 0,
	};
	__u32 seconds = STICK_S;

	switch (args->plan->hang) {
	case HANG_STICK:
		ioctl(args->dev, TEST_MMU_NOTIFIER_STICK, &seconds);
		break;
	case HANG_CHURN:
		ioctl(args->dev, TEST_MMU_NOTIFIER_CHURN, &churn);
		break;
	case HANG_HELD:
		/*
		 * Not less: where a huge page could be that is cut, notifiers
		 * are called under the lock of the anon_vma, and compaction,
		 * which everybody waits for, would wait for that.
		 */
		munmap(memory, HUGE_PAGE);
		break;
	}
	for (;;)
		pause();
}

void __noreturn victim_main(struct victim_args *victim)
{
	const struct plan *p = victim->plan;
	unsigned int i;
	char *overrun;

	args = victim;
	prctl(PR_SET_NAME, "soak-victim");
	size = p->mib * ON_MIB;
	map_memory();
	/* Before there is a notifier that is told to hold who maps. */
	overrun = mmap(NULL, OVERRUN, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (overrun == MAP_FAILED)
		give_up("mmap");
	/* A fault of more than a page may compact, which calls notifiers that are held. */
	if (plan_is_held(p))
		madvise(overrun, OVERRUN, MADV_NOHUGEPAGE);
	/*
	 * khugepaged holds mmap_lock for as long as it waits for a processor or for
	 * notifiers, and after a second of that the reaper gives up.
	 */
	if (p->release == RELEASE_REAPED) {
		madvise(memory, size, MADV_NOHUGEPAGE);
		madvise(overrun, OVERRUN, MADV_NOHUGEPAGE);
	}
	/* From the second page on, a fault does not need mmap_lock. */
	overrun[0] = 1;
	attach_all();
	for (i = 0; i < p->movers; i++) {
		size_t part = size / p->movers / PAGE * PAGE;

		if (!arena_start(&arena[i], memory + i * part, part, args->dev))
			give_up("mmap");
		start(mover_thread, &arena[i], THREAD);
	}
	if (p->shared_mm)
		start(sharing_process, NULL, CLONE_VM | SIGCHLD);
	/* Of a group, one does it for all. */
	if (!args->nr && (p->kind == KILL_SELF || p->kind == KILL_GROUP))
		start(overrun_thread, overrun, THREAD);
	__atomic_store_n(&args->shared->ready[args->nr], 1, __ATOMIC_RELEASE);
	get_stuck();
}
