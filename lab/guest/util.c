// SPDX-License-Identifier: GPL-2.0
/*
 * Make an OOM victim whose MMU notifiers do as told, see util.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif
#ifndef __NR_pidfd_open
#define __NR_pidfd_open		434
#endif
#ifndef __NR_process_mrelease
#define __NR_process_mrelease	448
#endif

#define HUGE	(2 * ON_MIB)
#define POLL_MS	10
/* What a process has besides the mapping, and the error of its counters */
#define ESTIMATE_KIB	8192

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/*
 * Time and files
 */

long long on_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void on_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

int on_read_file(const char *path, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t ret;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		ret = read(fd, buf + len, size - 1 - len);
		if (ret > 0)
			len += ret;
	} while (ret > 0 && len < size - 1);
	ret = ret < 0 ? -errno : 0;
	close(fd);
	buf[len] = '\0';
	return ret;
}

int on_write_file(const char *path, const char *text)
{
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * Memory cgroups
 */

static char cgroup_root[ON_PATH_MAX / 2];

int on_cgroup_supported(const char **why)
{
	char type[64], dir[ON_PATH_MAX / 2], path[ON_PATH_MAX], buf[4096];
	FILE *mounts;

	*why = "no cgroup v2 is mounted";
	mounts = fopen("/proc/self/mounts", "re");
	if (!mounts)
		return -errno;
	cgroup_root[0] = '\0';
	while (fgets(buf, sizeof(buf), mounts)) {
		if (sscanf(buf, "%*s %127s %63s", dir, type) == 2 &&
		    !strcmp(type, "cgroup2")) {
			memcpy(cgroup_root, dir, sizeof(dir));
			break;
		}
	}
	fclose(mounts);
	if (!cgroup_root[0])
		return -ENOENT;

	*why = "no memory controller in cgroup v2";
	snprintf(path, sizeof(path), "%s/cgroup.controllers", cgroup_root);
	if (on_read_file(path, buf, sizeof(buf)) || !strstr(buf, "memory"))
		return -ENOENT;

	*why = "the memory controller cannot be enabled";
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", cgroup_root);
	if (on_read_file(path, buf, sizeof(buf)))
		return -ENOENT;
	if (!strstr(buf, "memory"))
		return on_write_file(path, "+memory");
	return 0;
}

int on_cgroup_create(struct on_cgroup *cg, const char *name)
{
	snprintf(cg->path, sizeof(cg->path), "%s/oom_notifier.%d.%s",
		 cgroup_root, (int)getpid(), name);
	return mkdir(cg->path, 0755) ? -errno : 0;
}

int on_cgroup_remove(struct on_cgroup *cg, unsigned int ms)
{
	long long until = on_now_ms() + ms;

	while (rmdir(cg->path)) {
		if (errno != EBUSY)
			return -errno;
		if (on_now_ms() > until)
			return -EBUSY;
		on_sleep_ms(POLL_MS);
	}
	return 0;
}

static void cgroup_file(struct on_cgroup *cg, const char *file, char *path)
{
	snprintf(path, ON_PATH_MAX + 64, "%s/%s", cg->path, file);
}

int on_cgroup_write(struct on_cgroup *cg, const char *file, const char *text)
{
	char path[ON_PATH_MAX + 64];

	cgroup_file(cg, file, path);
	return on_write_file(path, text);
}

int on_cgroup_write_bytes(struct on_cgroup *cg, const char *file,
			  unsigned long long bytes)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", bytes);
	return on_cgroup_write(cg, file, text);
}

long long on_cgroup_read(struct on_cgroup *cg, const char *file)
{
	char path[ON_PATH_MAX + 64], buf[64];
	int ret;

	cgroup_file(cg, file, path);
	ret = on_read_file(path, buf, sizeof(buf));
	if (ret)
		return ret;
	return strncmp(buf, "max", 3) ? atoll(buf) : LLONG_MAX;
}

long long on_cgroup_key(struct on_cgroup *cg, const char *file,
			const char *key)
{
	char path[ON_PATH_MAX + 64], buf[8192], *line, *save;
	size_t len = strlen(key);
	int ret;

	cgroup_file(cg, file, path);
	ret = on_read_file(path, buf, sizeof(buf));
	if (ret)
		return ret;
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, len) && line[len] == ' ')
			return atoll(line + len);
	return -ENOENT;
}

long long on_cgroup_wait(struct on_cgroup *cg, const char *file,
			 long long limit, unsigned int ms)
{
	long long until = on_now_ms() + ms, now;

	for (;;) {
		now = on_cgroup_read(cg, file);
		if (now <= limit || on_now_ms() > until)
			return now;
		on_sleep_ms(POLL_MS);
	}
}

int on_cgroup_wait_kill(struct on_cgroup *cg, unsigned int ms)
{
	long long until = on_now_ms() + ms;

	while (on_cgroup_key(cg, "memory.events", "oom_kill") <= 0) {
		if (on_now_ms() > until)
			return -ETIMEDOUT;
		on_sleep_ms(POLL_MS);
	}
	return 0;
}

/*
 * The device
 */

int on_dev_open(void)
{
	int fd = open(TEST_MMU_NOTIFIER_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int dev_add(int dev, unsigned long cmd,
		   struct test_mmu_notifier_add *add, unsigned int *id)
{
	if (ioctl(dev, cmd, add))
		return -errno;
	if (id)
		*id = add->id;
	return 0;
}

int on_dev_add(int dev, unsigned long addr, size_t size, size_t stride,
	       unsigned int count, unsigned int flags, unsigned int refusals,
	       unsigned int *id)
{
	struct test_mmu_notifier_add add = {
		.addr = addr,
		.size = size,
		.stride = stride,
		.count = count,
		.flags = flags,
		.refusals = refusals,
	};

	return dev_add(dev, TEST_MMU_NOTIFIER_ADD_INTERVALS, &add, id);
}

int on_dev_add_list(int dev, unsigned int flags, unsigned int refusals,
		    unsigned int *id)
{
	struct test_mmu_notifier_add add = {
		.count = 1,
		.flags = flags,
		.refusals = refusals,
	};

	return dev_add(dev, TEST_MMU_NOTIFIER_ADD_LIST, &add, id);
}

int on_dev_set(int dev, unsigned int id, unsigned int count,
	       unsigned int flags, unsigned int refusals)
{
	struct test_mmu_notifier_select sel = {
		.id = id,
		.count = count,
		.flags = flags,
		.refusals = refusals,
	};

	return ioctl(dev, TEST_MMU_NOTIFIER_SET, &sel) ? -errno : 0;
}

int on_dev_remove(int dev, unsigned int id, unsigned int count)
{
	struct test_mmu_notifier_select sel = { .id = id, .count = count };

	return ioctl(dev, TEST_MMU_NOTIFIER_REMOVE, &sel) ? -errno : 0;
}

static int wait_pid(pid_t pid, int *status, unsigned int ms)
{
	long long until = on_now_ms() + ms;
	int dummy;
	pid_t ret;

	for (;;) {
		ret = waitpid(pid, status ? status : &dummy, WNOHANG);
		if (ret == pid)
			return 0;
		if (ret < 0)
			return -errno;
		if (on_now_ms() > until)
			return -ETIMEDOUT;
		on_sleep_ms(POLL_MS);
	}
}

int on_dev_stat(int dev, unsigned int id, unsigned int count,
		struct test_mmu_notifier_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->id = id;
	stat->count = count;
	return ioctl(dev, TEST_MMU_NOTIFIER_STAT, stat) ? -errno : 0;
}

int on_dev_read_begin(int dev, unsigned int id, unsigned int ms)
{
	struct test_mmu_notifier_read rd = { .id = id, .timeout_ms = ms };

	if (ioctl(dev, TEST_MMU_NOTIFIER_READ_BEGIN, &rd))
		return -errno;
	return rd.done;
}

int on_dev_unstick(int dev)
{
	return ioctl(dev, TEST_MMU_NOTIFIER_UNSTICK) ? -errno : 0;
}

int on_dev_release_hold(int dev)
{
	return ioctl(dev, TEST_MMU_NOTIFIER_RELEASE_HOLD) ? -errno : 0;
}

int on_dev_nr_stuck(int dev)
{
	__u32 nr;

	return ioctl(dev, TEST_MMU_NOTIFIER_NR_STUCK, &nr) ? -errno : (int)nr;
}

long long on_dev_nr_churned(int dev)
{
	__u64 nr;

	return ioctl(dev, TEST_MMU_NOTIFIER_NR_CHURNED, &nr) ? -errno :
							      (long long)nr;
}

/*
 * Children
 */

static struct on_shared *shared_alloc(void)
{
	struct on_shared *s;

	s = mmap(NULL, page_size(), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return NULL;
	/* Touch it here, so that it is not charged to the child's cgroup. */
	memset(s, 0, sizeof(*s));
	return s;
}

static void shared_free(struct on_shared *s)
{
	munmap(s, page_size());
}

/* The first steps of each child. */
static int child_begin(struct on_cgroup *cg, const char *name)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, name);
	return cg ? on_cgroup_write(cg, "cgroup.procs", "0") : 0;
}

static int wait_ready(pid_t pid, struct on_shared *s, unsigned int ms)
{
	long long until = on_now_ms() + ms;

	while (!__atomic_load_n(&s->ready, __ATOMIC_ACQUIRE)) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return s->error ? s->error : -ECHILD;
		if (on_now_ms() > until)
			return -ETIMEDOUT;
		on_sleep_ms(POLL_MS);
	}
	return 0;
}

static int fault_in(char *p, size_t size)
{
	size_t i;

	if (!madvise(p, size, MADV_POPULATE_WRITE))
		return 0;
	if (errno != EINVAL)
		return -errno;
	for (i = 0; i < size; i += page_size())
		__atomic_store_n(p + i, 1, __ATOMIC_RELAXED);
	return 0;
}

/*
 * The mapping starts at a multiple of 2 MiB and has inaccessible memory on
 * both sides: it has a VMA of its own, and smaps an entry of its own for it.
 */
static int victim_map(struct on_victim *v, char **addr)
{
	uintptr_t base;
	char *p;

	p = mmap(NULL, v->size + 3 * HUGE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	base = ((uintptr_t)p + 2 * HUGE - 1) & ~(HUGE - 1);

	p = mmap((void *)base, v->size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (p == MAP_FAILED)
		return -errno;

	if (v->backing == ON_HUGE) {
		if (madvise(p, v->size, MADV_HUGEPAGE))
			return -errno;
	} else {
		/* Without CONFIG_TRANSPARENT_HUGEPAGE there is none anyway */
		madvise(p, v->size, MADV_NOHUGEPAGE);
	}
	*addr = p;
	return 0;
}

/* Only ever returns with an error. */
static int victim_main(struct on_victim *v)
{
	char *p = NULL;
	int ret;

	ret = child_begin(v->cg, "on-victim");
	if (ret)
		return ret;
	ret = victim_map(v, &p);
	if (ret)
		return ret;
	ret = fault_in(p, v->size);
	if (ret)
		return ret;

	v->addr = (unsigned long)p;
	v->shared->addr = v->addr;
	if (v->prepare) {
		ret = v->prepare(v, v->arg);
		if (ret < 0)
			return ret;
	}

	__atomic_store_n(&v->shared->ready, 1, __ATOMIC_RELEASE);
	if (v->stick_s) {
		__u32 seconds = v->stick_s;

		if (ioctl(v->dev, TEST_MMU_NOTIFIER_STICK, &seconds))
			return -errno;
	}
	for (;;)
		pause();
}

int on_victim_start(struct on_victim *v, unsigned int ms)
{
	long long until = on_now_ms() + ms;
	int ret;

	if (!v->size || v->size % HUGE)
		return -EINVAL;
	v->pid = -1;
	v->shared = shared_alloc();
	if (!v->shared)
		return -ENOMEM;

	v->pid = fork();
	if (v->pid < 0) {
		ret = -errno;
		goto fail;
	}
	if (!v->pid) {
		v->shared->error = victim_main(v);
		_exit(1);
	}

	ret = wait_ready(v->pid, v->shared, ms);
	if (ret)
		goto fail_kill;
	v->addr = v->shared->addr;
	if (!v->stick_s)
		return 0;

	while (on_dev_nr_stuck(v->dev) < 1) {
		if (waitpid(v->pid, NULL, WNOHANG) == v->pid) {
			ret = v->shared->error ? v->shared->error : -ECHILD;
			goto fail;
		}
		ret = -ETIMEDOUT;
		if (on_now_ms() > until)
			goto fail_kill;
		on_sleep_ms(POLL_MS);
	}
	return 0;

fail_kill:
	if (v->dev >= 0)
		on_dev_unstick(v->dev);
	kill(v->pid, SIGKILL);
	wait_pid(v->pid, NULL, 5000);
fail:
	shared_free(v->shared);
	v->shared = NULL;
	v->pid = -1;
	return ret;
}

static int victim_wait(struct on_victim *v, unsigned int ms)
{
	int ret;

	if (v->pid < 0)
		return 0;
	ret = wait_pid(v->pid, NULL, ms);
	if (!ret)
		v->pid = -1;
	return ret;
}

int on_victim_end(struct on_victim *v, unsigned int ms)
{
	int ret;

	if (!v->shared)
		return 0;
	if (v->pid > 0)
		kill(v->pid, SIGKILL);
	if (v->dev >= 0) {
		on_dev_unstick(v->dev);
		on_dev_release_hold(v->dev);
	}
	ret = victim_wait(v, ms);
	shared_free(v->shared);
	v->shared = NULL;
	return ret;
}

static long victim_smaps(struct on_victim *v, const char *key)
{
	unsigned long start, end;
	char path[64], line[512];
	size_t len = strlen(key);
	bool here = false;
	long ret = -ENOENT;
	FILE *f;

	if (v->pid < 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)v->pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
			here = start >= v->addr && end <= v->addr + v->size;
			/* A VMA may have been split, then add up. */
			if (here && ret < 0)
				ret = 0;
		} else if (here && !strncmp(line, key, len) &&
			   line[len] == ':') {
			ret += atol(line + len + 1);
		}
	}
	fclose(f);
	return ret;
}

/* VmRSS and VmSwap of the whole victim, off by a little, but cheap. */
static long victim_estimate(struct on_victim *v)
{
	char path[64], buf[4096], *p;
	long sum = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)v->pid);
	if (v->pid < 0 || on_read_file(path, buf, sizeof(buf)))
		return 0;
	p = strstr(buf, "VmRSS:");
	if (p)
		sum += atol(p + strlen("VmRSS:"));
	p = strstr(buf, "VmSwap:");
	if (p)
		sum += atol(p + strlen("VmSwap:"));
	return sum;
}

long on_victim_held(struct on_victim *v)
{
	long rss, swap;

	rss = victim_smaps(v, "Rss");
	if (rss < 0)
		return 0;	/* no memory, nothing held */
	swap = victim_smaps(v, "Swap");
	return rss + (swap > 0 ? swap : 0);
}

long on_victim_wait_held(struct on_victim *v, long kib, unsigned int ms)
{
	long long until = on_now_ms() + ms;
	long held;

	for (;;) {
		/*
		 * smaps walks the page tables, which takes a while, and should
		 * not get into the way of whoever is to free them.
		 */
		if (on_now_ms() >= until ||
		    victim_estimate(v) < kib + ESTIMATE_KIB) {
			held = on_victim_held(v);
			if (held <= kib || on_now_ms() >= until)
				return held;
		}
		if (v->cg && on_cgroup_key(v->cg, "memory.events",
					   "oom_kill") > 1)
			until = 0;
		on_sleep_ms(POLL_MS);
	}
}

int on_mrelease(pid_t pid)
{
	int fd, ret = 0;

	fd = syscall(__NR_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	if (syscall(__NR_process_mrelease, fd, 0))
		ret = -errno;
	close(fd);
	return ret;
}

/*
 * Eaters
 */

static int eater_main(struct on_eater *e, struct on_cgroup *cg)
{
	char *p;
	size_t i;
	int ret;

	ret = child_begin(cg, "on-eater");
	if (ret)
		return ret;
	p = mmap(NULL, e->size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	madvise(p, e->size, MADV_NOHUGEPAGE);
	for (i = 0; i < e->size; i += page_size()) {
		p[i] = 1;
		__atomic_store_n(&e->shared->done, i + page_size(),
				 __ATOMIC_RELAXED);
	}
	__atomic_store_n(&e->shared->ready, 1, __ATOMIC_RELEASE);
	for (;;)
		pause();
}

int on_eater_start(struct on_eater *e, struct on_cgroup *cg, size_t size)
{
	int ret;

	e->pid = -1;
	e->size = size;
	e->shared = shared_alloc();
	if (!e->shared)
		return -ENOMEM;
	e->pid = fork();
	if (e->pid < 0) {
		ret = -errno;
		shared_free(e->shared);
		e->shared = NULL;
		return ret;
	}
	if (!e->pid) {
		e->shared->error = eater_main(e, cg);
		_exit(1);
	}
	return 0;
}

int on_eater_wait(struct on_eater *e, unsigned int ms)
{
	int ret;

	if (e->pid < 0)
		return -ECHILD;
	ret = wait_ready(e->pid, e->shared, ms);
	if (ret && ret != -ETIMEDOUT)
		e->pid = -1;	/* it is gone, and has been waited for */
	return ret;
}

int on_eater_stop(struct on_eater *e, unsigned int ms)
{
	int ret = 0;

	if (!e->shared)
		return 0;
	if (e->pid > 0) {
		kill(e->pid, SIGKILL);
		ret = wait_pid(e->pid, NULL, ms);
	}
	e->pid = -1;
	shared_free(e->shared);
	e->shared = NULL;
	return ret;
}

/*
 * Swap
 */

/* What mkswap(8) writes: the version, the last page, and the signature. */
static int make_swap(const char *dev, size_t size)
{
	size_t page = page_size();
	uint32_t *header;
	int fd, ret = 0;

	header = calloc(1, page);
	if (!header)
		return -ENOMEM;
	header[1024 / sizeof(*header)] = 1;
	header[1024 / sizeof(*header) + 1] = size / page - 1;
	memcpy((char *)header + page - 10, "SWAPSPACE2", 10);

	fd = open(dev, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
	} else {
		if (pwrite(fd, header, page, 0) != (ssize_t)page || fsync(fd))
			ret = -EIO;
		close(fd);
	}
	free(header);
	return ret;
}

static int swap_active(void)
{
	char buf[4096], *line;

	if (on_read_file("/proc/swaps", buf, sizeof(buf)))
		return -ENOENT;
	/* The first line is the heading. */
	line = strchr(buf, '\n');
	return line && line[1];
}

int on_swap_begin(struct on_swap *s, size_t size, const char **why)
{
	char path[128], text[32];
	int ret, nr;

	s->dev[0] = '\0';
	*why = "no swap in this kernel";
	ret = swap_active();
	if (ret)
		return ret < 0 ? ret : 0;

	*why = "no swap, and no zram to make some";
	ret = on_read_file("/sys/class/zram-control/hot_add", text,
			   sizeof(text));
	if (ret)
		return ret;
	nr = atoi(text);
	snprintf(s->dev, sizeof(s->dev), "/dev/zram%d", nr);

	*why = "zram cannot be set up";
	snprintf(path, sizeof(path), "/sys/block/zram%d/disksize", nr);
	snprintf(text, sizeof(text), "%zu", size);
	ret = on_write_file(path, text);
	if (!ret) {
		ret = make_swap(s->dev, size);
		if (!ret && swapon(s->dev, 0))
			ret = -errno;
	}
	if (ret)
		on_swap_end(s);
	return ret;
}

void on_swap_end(struct on_swap *s)
{
	char path[128];

	if (!s->dev[0])
		return;
	swapoff(s->dev);
	snprintf(path, sizeof(path), "/sys/block/%s/reset", s->dev + 5);
	on_write_file(path, "1");
	on_write_file("/sys/class/zram-control/hot_remove",
		      s->dev + strlen("/dev/zram"));
	s->dev[0] = '\0';
}
