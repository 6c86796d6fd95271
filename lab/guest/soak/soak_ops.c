// SPDX-License-Identifier: GPL-2.0
/* What the movers and the victims' threads do to their memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#define READ_MS		30000

void ops_plan(struct rng *r, struct op *ops, unsigned int nr)
{
	static const unsigned int weights[OP_KINDS + 1] = {
		[OP_TOUCH] = 16, [OP_READ] = 4, [OP_UNMAP] = 8,
		[OP_PROTECT] = 10, [OP_REMAP] = 8, [OP_DONTNEED] = 6,
		[OP_FREE] = 3, [OP_PAGEOUT] = 6, [OP_COLD] = 3, [OP_HUGE] = 6,
		[OP_COLLAPSE] = 6, [OP_SPLIT] = 6, [OP_MLOCK] = 4,
		[OP_FORK] = 4, [OP_UFFD] = 6, [OP_ADD] = 8, [OP_ADD_LIST] = 2,
		[OP_REMOVE] = 6, [OP_SET] = 6, [OP_READ_BEGIN] = 3,
	};

	for (; nr--; ops++) {
		ops->kind = rng_pick(r, weights);
		ops->where = rng_below(r, 1000);
		ops->length = rng_below(r, rng_percent(r, 70) ? 100 : 1000);
		ops->flags = rng_percent(r, 50) ? TEST_MMU_NOTIFIER_REFUSE : 0;
		ops->refusals = rng_below(r, 4);
	}
}

bool arena_start(struct arena *a, char *base, size_t size, int dev)
{
	unsigned int i;

	a->base = base;
	a->size = size;
	a->dev = dev;
	a->next = 0;
	for (i = 0; i < ARENA_IDS; i++)
		a->id[i] = 0;
	/* Nothing else gets mapped to where OP_REMAP moves things. */
	a->spare = mmap(NULL, size, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return a->spare != MAP_FAILED;
}

static void touch(char *p, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += PAGE)
		__atomic_fetch_add(&p[i], 1, __ATOMIC_RELAXED);
}

static bool map_here(char *p, size_t size, int prot)
{
	return mmap(p, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
		    MAP_NORESERVE, -1, 0) == p;
}

/* A hole in a mapping that others read would be their death: close it. */
static bool op_unmap(char *p, size_t size)
{
	return !munmap(p, size) && map_here(p, size, PROT_READ | PROT_WRITE);
}

static bool op_remap(struct arena *a, char *p, size_t size)
{
	char *to = a->spare + (p - a->base);

	/* Fails where @p is more than one VMA, which is as good. */
	if (mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) != to)
		return false;
	touch(to, PAGE);
	if (mremap(to, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, p) != p)
		map_here(p, size, PROT_READ | PROT_WRITE);
	return map_here(to, size, PROT_NONE);
}

static bool op_protect(char *p, size_t size)
{
	bool good = !mprotect(p, size, PROT_READ);

	return !mprotect(p, size, PROT_READ | PROT_WRITE) && good;
}

/* A huge page, of which a small one in the middle is taken out */
static bool op_split(struct arena *a, char *p, unsigned int how)
{
	p = (char *)((uintptr_t)p & ~(HUGE_PAGE - 1));
	if (p < a->base || p + HUGE_PAGE > a->base + a->size)
		return false;
	madvise(p, HUGE_PAGE, MADV_HUGEPAGE);
	touch(p, PAGE);
	p += (how % 511 + 1) * PAGE;
	switch (how % 3) {
	case 0:
		return op_unmap(p, PAGE);
	case 1:
		return op_protect(p, PAGE);
	default:
		return !madvise(p, PAGE, MADV_DONTNEED);
	}
}

static bool op_fork(char *p, size_t size)
{
	pid_t pid = fork_into(NULL);

	if (pid < 0)
		return false;
	if (!pid) {
		touch(p, size);
		_exit(0);
	}
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return true;
}

/*
 * Take the memory away and fill it again as a handler of page faults does. Whoever
 * touches it in between waits until it is not registered any more.
 */
static bool op_uffd(char *p, size_t size, bool zero)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (unsigned long)p, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_zeropage zeropage = { .range = reg.range };
	static char page[PAGE] __attribute__((aligned(PAGE)));
	struct uffdio_copy copy = {
		.dst = (unsigned long)p,
		.src = (unsigned long)page,
		.len = PAGE,
	};
	bool good = false;
	int fd;

	fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (!ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &reg)) {
		madvise(p, size, MADV_DONTNEED);
		good = !(zero ? ioctl(fd, UFFDIO_ZEROPAGE, &zeropage) :
				ioctl(fd, UFFDIO_COPY, &copy));
		ioctl(fd, UFFDIO_UNREGISTER, &reg.range);
	}
	close(fd);
	return good;
}

static bool op_notifier(struct arena *a, const struct op *op, char *p,
			size_t size)
{
	unsigned int *id = &a->id[a->next % ARENA_IDS];
	int ret;

	if (a->dev < 0)
		return false;
	switch (op->kind) {
	case OP_ADD:
	case OP_ADD_LIST:
		a->next++;
		id = &a->id[a->next % ARENA_IDS];
		if (*id)
			on_dev_remove(a->dev, *id, 1);
		*id = 0;
		ret = op->kind == OP_ADD ?
			on_dev_add(a->dev, (unsigned long)p, size, 0, 1,
				   op->flags, op->refusals, id) :
			on_dev_add_list(a->dev, op->flags ? op->flags :
					TEST_MMU_NOTIFIER_END, op->refusals, id);
		return !ret;
	case OP_REMOVE:
		if (!*id || on_dev_remove(a->dev, *id, 1))
			return false;
		*id = 0;
		return true;
	case OP_SET:
		return *id && !on_dev_set(a->dev, *id, 1, op->flags,
					  op->refusals);
	default:
		if (!*id)
			return false;
		ret = on_dev_read_begin(a->dev, *id, READ_MS);
		/* An error: a list notifier, or we have been killed */
		if (!ret) {
			count(BAD_READ, 1);
			say("process %d: mmu_interval_read_begin() does not return",
			    getpid());
		}
		return ret > 0;
	}
}

static bool op_advise(const struct op *op, char *p, size_t size)
{
	static const int advice[OP_KINDS] = {
		[OP_DONTNEED] = MADV_DONTNEED, [OP_FREE] = MADV_FREE,
		[OP_PAGEOUT] = MADV_PAGEOUT, [OP_COLD] = MADV_COLD,
		[OP_HUGE] = MADV_HUGEPAGE, [OP_COLLAPSE] = MADV_COLLAPSE,
	};

	if (madvise(p, size, advice[op->kind]))
		return false;
	if (op->kind == OP_HUGE)
		touch(p, size);
	return true;
}

void op_do(struct arena *a, const struct op *op)
{
	size_t pages = a->size / PAGE;
	size_t first = pages * op->where / 1000;
	size_t size = (pages * op->length / 1000 + 1) * PAGE;
	char *p = a->base + first * PAGE;
	bool good = true;
	size_t i;

	if (size > a->size - first * PAGE)
		size = a->size - first * PAGE;

	switch (op->kind) {
	case OP_TOUCH:
		touch(p, size);
		break;
	case OP_READ:
		for (i = 0; i < size; i += PAGE)
			__atomic_load_n(&p[i], __ATOMIC_RELAXED);
		break;
	case OP_UNMAP:
		good = op_unmap(p, size);
		break;
	case OP_PROTECT:
		good = op_protect(p, size);
		break;
	case OP_REMAP:
		good = op_remap(a, p, size);
		break;
	case OP_SPLIT:
		good = op_split(a, p, op->where);
		break;
	case OP_MLOCK:
		good = !mlock(p, size);
		munlock(p, size);
		break;
	case OP_FORK:
		good = op_fork(p, size);
		break;
	case OP_UFFD:
		good = op_uffd(p, size, op->flags);
		break;
	case OP_ADD:
	case OP_ADD_LIST:
	case OP_REMOVE:
	case OP_SET:
	case OP_READ_BEGIN:
		good = op_notifier(a, op, p, size);
		break;
	default:
		good = op_advise(op, p, size);
	}
	__atomic_fetch_add(&soak->ops[op->kind], 1, __ATOMIC_RELAXED);
	if (!good)
		__atomic_fetch_add(&soak->op_errors[op->kind], 1,
				   __ATOMIC_RELAXED);
}
