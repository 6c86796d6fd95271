// SPDX-License-Identifier: GPL-2.0
/* Random numbers, messages, and processes in cgroups for the soak. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

struct soak_shared *soak;

const char *const op_names[OP_KINDS] = {
	[OP_TOUCH] = "touch", [OP_READ] = "read", [OP_UNMAP] = "munmap",
	[OP_PROTECT] = "mprotect", [OP_REMAP] = "mremap",
	[OP_DONTNEED] = "MADV_DONTNEED", [OP_FREE] = "MADV_FREE",
	[OP_PAGEOUT] = "MADV_PAGEOUT", [OP_COLD] = "MADV_COLD",
	[OP_HUGE] = "MADV_HUGEPAGE", [OP_COLLAPSE] = "MADV_COLLAPSE",
	[OP_SPLIT] = "split", [OP_MLOCK] = "mlock", [OP_FORK] = "fork",
	[OP_UFFD] = "userfaultfd",
	[OP_ADD] = "register_interval", [OP_ADD_LIST] = "register_list",
	[OP_REMOVE] = "unregister", [OP_SET] = "switch_refusals",
	[OP_READ_BEGIN] = "read_begin",
};

const char *const count_names[COUNTS] = {
	[COUNT_ROUNDS] = "rounds",
	[COUNT_VICTIMS] = "victims",
	[COUNT_SIGNALS] = "victims_of_a_signal",
	[COUNT_EARLY] = "victims_killed_early",
	[COUNT_STUCK] = "victims_stuck",
	[COUNT_REAPED] = "victims_reaped_while_stuck",
	[COUNT_FALLING] = "victims_let_go_while_reaped",
	[COUNT_INTERVALS] = "intervals_of_victims",
	[COUNT_LISTS] = "lists_of_victims",
	[COUNT_REMOVED] = "unregistered_of_victims",
	[COUNT_TOGGLES] = "refusals_switched",
	[COUNT_MRELEASE] = "process_mrelease",
	[COUNT_MRELEASE_DONE] = "process_mrelease_freed_all",
	[COUNT_MRELEASE_AGAIN] = "process_mrelease_EAGAIN",
	[COUNT_CHURNED] = "churned",
	[COUNT_NONBLOCK] = "nonblocking_calls_of_victims",
	[COUNT_REFUSED] = "refusals_of_victims",
	[COUNT_BLOCKING] = "blocking_calls",
	[COUNT_WORKER] = "blocking_calls_by_the_worker",
	[COUNT_READS] = "read_begin_of_victims",
	[COUNT_RECLAIMS] = "memory_reclaim",
	[COUNT_SWAPOFFS] = "swapoff",
	[COUNT_COMPACTIONS] = "compactions",
	[COUNT_FREEZES] = "cgroups_frozen",
	[COUNT_HOTPLUGS] = "processor_off_and_on",
	[COUNT_FRESH] = "cgroups_made_and_removed",
	[COUNT_HELD_EXIT] = "victims_held_in_their_exit",
	[COUNT_REFUSE_PHASES] = "phases_of_injected_refusals",
	[COUNT_REHEARSE_PHASES] = "phases_of_rehearsals",
	[COUNT_KILLS] = "kills",
	[COUNT_REAPINGS] = "attempts_of_the_reaper",
	[COUNT_FREED_KIB] = "freed_KiB",
	[COUNT_LOST_EVENTS] = "lost_events",
	[BAD_START] = "every victim gets ready",
	[BAD_KILL] = "every limit has its OOM kill",
	[BAD_HANG] = "every victim exits once it is released",
	[BAD_REAPED] = "a victim that is not held is reaped while stuck",
	[BAD_READ] = "mmu_interval_read_begin() returns",
	[BAD_CGROUP] = "memory.current goes back after each victim",
	[BAD_WORKER] = "no worker hangs or dies",
};

/* A counter, mixed: multiplications by odd numbers and shifts lose nothing. */
static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9fb21c651e98df25ULL;
	x ^= x >> 29;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	return x;
}

void rng_start(struct rng *r, uint64_t seed, unsigned int worker,
	       unsigned int round, unsigned int stream)
{
	r->state = mix(seed + 1);
	r->state = mix(r->state ^ (((uint64_t)worker << 32) + round));
	r->state = mix(r->state + stream);
}

uint64_t rng_next(struct rng *r)
{
	r->state += 0x9e3779b97f4a7c15ULL;
	return mix(r->state);
}

unsigned int rng_below(struct rng *r, unsigned int n)
{
	return (rng_next(r) >> 16) % n;
}

bool rng_percent(struct rng *r, unsigned int percent)
{
	return rng_below(r, 100) < percent;
}

unsigned int rng_between(struct rng *r, unsigned int low, unsigned int high)
{
	return low + rng_below(r, high - low + 1);
}

unsigned int rng_pick(struct rng *r, const unsigned int *weights)
{
	unsigned int sum = 0, i, n;

	for (i = 0; weights[i]; i++)
		sum += weights[i];
	n = rng_below(r, sum);
	for (i = 0; n >= weights[i]; i++)
		n -= weights[i];
	return i;
}

uint64_t digest(uint64_t before, const void *data, size_t size)
{
	const unsigned char *p = data;

	while (size--)
		before = mix(before + *p++ + 1);
	return before;
}

void count(enum count what, uint64_t n)
{
	__atomic_fetch_add(&soak->count[what], n, __ATOMIC_RELAXED);
}

static void put_line(const char *prefix, const char *fmt, va_list ap)
{
	char line[900];
	int fd, len;

	len = snprintf(line, sizeof(line), "%s", prefix);
	len += vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	/* The kernel's log keeps lines whole. */
	fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, len) != len)
		fwrite(line, 1, len, stdout);
	if (fd >= 0)
		close(fd);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line("LAB: ", fmt, ap);
	va_end(ap);
}

void tell(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line("LAB-SOAK ", fmt, ap);
	va_end(ap);
}

void bad(enum count what, unsigned int worker, unsigned int round,
	 const char *fmt, ...)
{
	char text[600];
	va_list ap;

	count(what, 1);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say("worker %u, round %u: %s", worker, round, text);
}

long long read_key(const char *path, const char *key)
{
	size_t len = strlen(key);
	char line[512];
	long long value = -1;
	FILE *f;

	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) ||
		    !strchr(": \t", line[len]))
			continue;
		value = atoll(line + len + 1);
		break;
	}
	fclose(f);
	return value;
}

void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/*
 * A process cannot be charged to one cgroup and end up in another this way, and
 * unlike a write to cgroup.procs it does not wait for RCU.
 */
pid_t fork_into(const struct on_cgroup *cg)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	int dir = -1;
	pid_t pid;

	if (cg) {
		dir = open(cg->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			return -1;
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = dir;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (dir >= 0)
		close(dir);
	return pid;
}

static void show_file(pid_t pid, const char *name)
{
	char path[64], buf[2048], *line, *rest;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if (on_read_file(path, buf, sizeof(buf)))
		return;
	for (line = strtok_r(buf, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (strcmp(name, "status") || !strncmp(line, "Name", 4) ||
		    !strncmp(line, "State", 5) || !strncmp(line, "VmRSS", 5))
			say("  %d %s: %s", (int)pid, name, line);
}

/* What the reaper could not do at once of late; the console has only what is worse */
static void show_reaper(void)
{
	const int console_level = 8, read_all = 3, lines = 40;
	static char buf[4 * ON_MIB];
	int len = klogctl(read_all, buf, sizeof(buf) - 1), found = 0;
	char *line;

	klogctl(console_level, NULL, 8);
	buf[len > 0 ? len : 0] = 0;
	for (line = buf + strlen(buf); line > buf && found < lines; line--) {
		if (line[-1] != '\n')
			continue;
		line[strcspn(line, "\n")] = 0;
		if (strstr(line, "oom_reaper: ") && !strstr(line, "LAB: ") &&
		    !strstr(line, ": reaped process ")) {
			say("  %s", line);
			found++;
		}
	}
}

void show_tasks(const struct on_cgroup *cg)
{
	char path[ON_PATH_MAX + 32];
	int pid;
	FILE *f;

	show_reaper();
	snprintf(path, sizeof(path), "%s/cgroup.threads", cg->path);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fscanf(f, "%d", &pid) == 1) {
		show_file(pid, "status");
		show_file(pid, "stack");
	}
	fclose(f);
	/* The stacks of all who cannot be killed */
	on_write_file("/proc/sysrq-trigger", "w");
}

bool empty_cgroup(struct on_cgroup *cg, unsigned int ms)
{
	long long until = on_now_ms() + ms;

	for (;;) {
		/* What a victim has forked is ours when the victim is gone. */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (!on_cgroup_key(cg, "cgroup.events", "populated"))
			break;
		if (on_now_ms() > until)
			return false;
		on_cgroup_write(cg, "cgroup.kill", "1");
		on_sleep_ms(20);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return true;
}
