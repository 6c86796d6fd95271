// SPDX-License-Identifier: GPL-2.0
/* Follows the OOM killer and the reaper through tracepoints of both kernels. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "demo.h"

#define TRACING "/sys/kernel/tracing/"

static const char * const event_names[] = {
	[TRACE_KILL]	= "mark_victim",
	[TRACE_START]	= "start_task_reaping",
	[TRACE_FINISH]	= "finish_task_reaping",
};

static int pipe_fd = -1;

void trace_open(void)
{
	char path[128];
	unsigned int i;

	/* The clock of now(), so that events and samples share one time */
	if (!write_file(TRACING "trace_clock", "mono"))
		die("no tracing: is " TRACING " mounted?");
	for (i = 0; i < ARRAY_SIZE(event_names); i++) {
		snprintf(path, sizeof(path), TRACING "events/oom/%s/enable",
			 event_names[i]);
		if (!write_file(path, "1"))
			die("no tracepoint oom:%s", event_names[i]);
	}
	pipe_fd = open(TRACING "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (pipe_fd < 0)
		die("cannot open " TRACING "trace_pipe");
}

/* oom_reaper-31  [000] .....    12.345678: start_task_reaping: pid=77 */
static void parse(char *line, trace_fn fn, void *arg)
{
	struct trace_event event = { .left = -1 };
	char mark[64], *hit, *time, *left;
	long long sec, usec;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(event_names); i++) {
		snprintf(mark, sizeof(mark), ": %s: pid=", event_names[i]);
		hit = strstr(line, mark);
		if (!hit || sscanf(hit + strlen(mark), "%d", &event.pid) != 1)
			continue;
		left = strstr(hit, " left=");
		if (left)
			event.left = atol(left + strlen(" left="));
		*hit = '\0';
		time = strrchr(line, ' ');
		if (!time || sscanf(time, "%lld.%lld", &sec, &usec) != 2)
			return;
		event.what = i;
		event.when = sec * SEC + usec;
		fn(&event, arg);
		return;
	}
}

/* Calls @fn for what happened since the last call; does not wait. */
void trace_poll(trace_fn fn, void *arg)
{
	static char buf[8192];
	static size_t len;
	char *line, *end;
	ssize_t ret;

	while ((ret = read(pipe_fd, buf + len, sizeof(buf) - 1 - len)) > 0) {
		len += ret;
		buf[len] = '\0';
		for (line = buf; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			parse(line, fn, arg);
		}
		len = strlen(line);
		/* A line longer than the buffer is none of ours */
		if (len == sizeof(buf) - 1)
			len = 0;
		memmove(buf, line, len);
	}
}
