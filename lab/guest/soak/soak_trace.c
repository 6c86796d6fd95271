// SPDX-License-Identifier: GPL-2.0
/*
 * What the tracepoints say: how much the reaper has freed is read event by
 * event. The non-blocking calls are many; the kernel counts them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

#define REAPER		"/sys/kernel/tracing/instances/soak-reaper"
#define CALLS		"/sys/kernel/tracing/instances/soak-calls"
/* Not in an unpatched kernel */
#define NONBLOCK	CALLS "/events/mmu_notifier/mmu_notifier_nonblock"
#define HISTOGRAM	"hist:keys=callback.sym,refused,rehearsal"
/* Who "refuses" what is injected */
#define INJECTOR	"should_refuse_mmu_notifier"

static pid_t reader;
/* Shared with it: there is nothing more to come */
static int *finish;

/* The sum over all CPUs of one line of their stats */
static long long sum_stats(const char *instance, const char *key)
{
	long long sum = 0, n;
	char path[256];
	int cpu;

	for (cpu = 0;; cpu++) {
		snprintf(path, sizeof(path), "%s/per_cpu/cpu%d/stats",
			 instance, cpu);
		n = read_key(path, key);
		if (n < 0)
			return sum;
		sum += n;
	}
}

static void read_line(const char *line)
{
	const char *freed = strstr(line, " freed=");

	count(COUNT_REAPINGS, 1);
	if (freed)
		count(COUNT_FREED_KIB, strtoull(freed + 7, NULL, 10));
}

static void __noreturn read_events(void)
{
	char buf[8192], *line, *end;
	size_t len = 0;
	bool last;
	ssize_t n;
	int fd;

	prctl(PR_SET_NAME, "soak-trace");
	fd = open(REAPER "/trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		_exit(1);
	for (;;) {
		/* What comes after that is not ours. */
		last = __atomic_load_n(finish, __ATOMIC_ACQUIRE);
		n = read(fd, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0) {
			if (last)
				_exit(0);
			on_sleep_ms(200);
			continue;
		}
		len += n;
		buf[len] = '\0';
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			read_line(line);
		}
		len = buf + len - line;
		memmove(buf, line, len);
	}
}

bool trace_begin(void)
{
	if (mkdir(REAPER, 0700) || mkdir(CALLS, 0700))
		return false;
	if (!access(NONBLOCK, F_OK) &&
	    on_write_file(NONBLOCK "/trigger", HISTOGRAM))
		return false;
	if (on_write_file(REAPER "/events/oom/finish_task_reaping/enable", "1"))
		return false;
	if (!finish)
		finish = shared_memory(sizeof(*finish));
	*finish = 0;
	reader = fork();
	if (!reader)
		read_events();
	return reader > 0;
}

/* The number behind @key in a line of the histogram; -1 without */
static long long hist_value(const char *line, const char *key)
{
	const char *at = strstr(line, key);

	return at ? atoll(at + strlen(key)) : -1;
}

bool trace_calls(struct calls *calls)
{
	long long refused, rehearsal, hits;
	char line[512];
	FILE *f;

	memset(calls, 0, sizeof(*calls));
	f = fopen(NONBLOCK "/hist", "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		refused = hist_value(line, " refused:");
		rehearsal = hist_value(line, " rehearsal:");
		hits = hist_value(line, " hitcount:");
		if (refused < 0 || rehearsal < 0 || hits < 0) {
			if (hist_value(line, " Dropped:") > 0)
				calls->lost += hist_value(line, " Dropped:");
			continue;
		}
		if (strstr(line, " " INJECTOR " ")) {
			calls->injected += hits;
			continue;
		}
		calls->nonblock += hits;
		if (refused)
			calls->refused += hits;
		if (rehearsal)
			calls->rehearsed += hits;
	}
	fclose(f);
	return true;
}

void trace_end(void)
{
	count(COUNT_LOST_EVENTS, sum_stats(REAPER, "overrun"));
	__atomic_store_n(finish, 1, __ATOMIC_RELEASE);
	waitpid(reader, NULL, 0);
	on_write_file(NONBLOCK "/trigger", "!" HISTOGRAM);
	rmdir(REAPER);
	rmdir(CALLS);
}
