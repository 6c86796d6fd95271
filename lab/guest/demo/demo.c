// SPDX-License-Identifier: GPL-2.0
/*
 * The scenarios of "make demo", played in the VM on both kernels. Uses nothing
 * but the test device and interfaces that any kernel has. Prints
 *
 *	LAB-DATA <scenario> <key> <value>
 *	LAB-SAMPLE <scenario> <ms since the kill> <KiB of the victim> <KiB of its cgroup>
 *
 * for scripts/lib/report.sh. Exit code: 0 when all scenarios were played, whatever
 * came out of it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "demo.h"
#include "test_mmu_notifier_uapi.h"

/* The kernel's names for them are in no header */
#define SYSLOG_READ_ALL		3
#define SYSLOG_CONSOLE_LEVEL	8

/* What never comes is not waited for longer */
#define HANG		(2 * SEC)

static const struct victim_spec small_victims[] = {
	{ .name = "none", .size = 256 * MIB, .limit = 256 * MIB + HEADROOM },
	{ .name = "one", .size = 256 * MIB, .limit = 256 * MIB + HEADROOM,
	  .intervals = 1 },
	{ .name = "one-thp", .size = 256 * MIB, .limit = 256 * MIB + HEADROOM,
	  .intervals = 1, .huge = true },
	{ .name = "spread-64", .size = 256 * MIB,
	  .limit = 256 * MIB + HEADROOM, .intervals = 64 },
	{ .name = "whole", .size = 256 * MIB,
	  .limit = 256 * MIB + HEADROOM, .whole = true },
	/* Last: the others in this cgroup go on when the victim is dead */
	{ .name = "bystanders", .size = 160 * MIB, .limit = 256 * MIB,
	  .intervals = 1 },
};

#define NR_SMALL	ARRAY_SIZE(small_victims)

static void play_small(void)
{
	static struct scene scene[NR_SMALL];
	struct scene *bystanders = &scene[NR_SMALL - 1];
	unsigned int i;

	for (i = 0; i < NR_SMALL; i++)
		scene[i].spec = &small_victims[i];
	bystanders->bystanders = BYSTANDERS;
	/*
	 * A service that the OOM killer spares. It has its memory when the
	 * victim's is freed, or when two of the bystanders are dead.
	 */
	bystanders->allocator = 70 * MIB;
	say("256 MiB victims: no notifier, one refusing 4 KiB, with huge pages, 64, all");
	say("and a victim with bystanders in one cgroup");
	play(scene, NR_SMALL);
}

static void play_big_one(struct scene *scene, const char *name,
			 unsigned int intervals, bool brief)
{
	static struct victim_spec spec[5];
	static unsigned int nr;

	spec[nr].name = name;
	spec[nr].size = 1024 * MIB;
	spec[nr].limit = 1024 * MIB + HEADROOM;
	spec[nr].intervals = intervals;
	scene->spec = &spec[nr++];
	scene->brief = brief;
	say("1 GiB victim, refusing intervals: %u", intervals);
	play(scene, 1);
}

/* One after the other: the VM has not room for two. */
static void play_big(void)
{
	static struct scene none, one, many, none_again, many_again;

	play_big_one(&none, "none-1g", 0, true);
	play_big_one(&one, "one-1g", 1, false);
	play_big_one(&many, "spread-4096", 4096, false);

	/* A host that does something else as well spoils a time: look again */
	if (many.finished - many.started > 2 * (none.finished - none.started)) {
		play_big_one(&none_again, "none-1g-again", 0, true);
		play_big_one(&many_again, "spread-4096-again", 4096, true);
	}
}

/* process_mrelease() on a victim that was killed by hand. */
static void play_mrelease(void)
{
	static const struct victim_spec spec = {
		.name = "mrelease", .size = 256 * MIB,
		.limit = 256 * MIB + HEADROOM, .intervals = 1,
	};
	struct victim v;
	long before, after;
	int fd, err;

	say("process_mrelease() on a stuck victim, one refusing interval");
	victim_start(&v, &spec);
	victim_wait_stuck(&v);
	fd = syscall(SYS_pidfd_open, v.pid, 0);
	if (fd < 0)
		die("pidfd_open: %s", strerror(errno));
	kill(v.pid, SIGKILL);
	before = rss_exact(v.pid, "\nRss:");
	err = syscall(SYS_process_mrelease, fd, 0) ? errno : 0;
	after = rss_exact(v.pid, "\nRss:");
	close(fd);

	data(spec.name, "before_kib", before);
	data(spec.name, "freed_kib", before - after);
	data(spec.name, "left_kib", after);
	data(spec.name, "errno", err);
	victim_release(&v);
	data(spec.name, "hang", !victim_gone(&v, 10 * SEC));
	victim_forget(&v);
}

/* True if mmu_interval_read_begin() does not return. */
static bool read_begin_hangs(struct victim *v)
{
	struct test_mmu_notifier_read rd = {
		.id = PROBE_INTERVAL, .timeout_ms = HANG / MS,
	};

	if (ioctl(v->dev, TEST_MMU_NOTIFIER_READ_BEGIN, &rd))
		die("READ_BEGIN: %s", strerror(errno));
	return !rd.done;
}

/* True if mmu_interval_notifier_remove() does not return. */
static bool remove_hangs(struct victim *v)
{
	struct test_mmu_notifier_select sel = {
		.id = PROBE_INTERVAL, .count = 1,
	};
	struct victim helper = *v;

	/* It cannot be interrupted, so a process that may be lost does it */
	helper.pid = fork();
	if (helper.pid < 0)
		die("fork: %s", strerror(errno));
	if (!helper.pid)
		_exit(ioctl(v->dev, TEST_MMU_NOTIFIER_REMOVE, &sel) != 0);
	return !victim_gone(&helper, HANG);
}

/*
 * A list notifier refuses what interval notifiers have accepted. Played last:
 * on a kernel with the leak this leaves threads that nothing can end.
 */
static void play_list(void)
{
	static const struct victim_spec spec = {
		.name = "list", .size = 64 * MIB,
		.limit = 64 * MIB + HEADROOM, .list = true,
	};
	static struct scene s = { .spec = &spec };

	say("a refusing list notifier beside an interval tree");
	victim_start(&s.v, &spec);
	victim_wait_stuck(&s.v);
	kill_until_given_up(&s);
	data(spec.name, "passes", s.passes);
	data(spec.name, "kills", cgroup_oom_kills(&s.v));
	data(spec.name, "before_kib", s.before);
	victim_release(&s.v);
	data(spec.name, "read_begin_hang", read_begin_hangs(&s.v));
	data(spec.name, "remove_hang", remove_hangs(&s.v));
	data(spec.name, "victim_hang", !victim_gone(&s.v, HANG));
	data(spec.name, "left_kib", cgroup_current(&s.v));
	fflush(stdout);
}

/* The kernel's own words, for whoever reads the console log. */
static void print_kernel_log(void)
{
	static char buf[1 << 20];
	long len = klogctl(SYSLOG_READ_ALL, buf, sizeof(buf) - 1);
	long warnings = 0;
	char *line, *end;

	if (len < 0)
		return;
	buf[len] = '\0';
	for (line = buf; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		*end = '\0';
		if (strstr(line, "WARNING:") || strstr(line, "BUG:") ||
		    strstr(line, "detected stall"))
			warnings++;
		if (strstr(line, "WARNING:") || strstr(line, "BUG:") ||
		    strstr(line, "oom_reaper") || strstr(line, "Killed process") ||
		    strstr(line, "refused") || strstr(line, "blocked for more"))
			printf("LAB-KERNEL %s\n", line);
	}
	data("kernel", "warnings", warnings);
}

static const struct {
	const char *name;
	void (*play)(void);
} acts[] = {
	{ "small", play_small },
	{ "big", play_big },
	{ "mrelease", play_mrelease },
	{ "exits", play_exits },
	{ "queue", play_queue },
	{ "slow", play_slow },
	{ "hang", play_hang },
	{ "list", play_list },
};

int main(int argc, char **argv)
{
	long long begin = now();
	unsigned int i, played = 0;
	struct utsname name;
	char cmdline[512];

	/*
	 * Keep the kernel's reports from cutting our lines in two. A panic or
	 * an oops is printed all the same.
	 */
	klogctl(SYSLOG_CONSOLE_LEVEL, NULL, 3);
	uname(&name);
	read_file("/proc/cmdline", cmdline, sizeof(cmdline));
	printf("LAB-KERNEL Linux %s %s\nLAB-KERNEL command line: %s\n", name.release,
	       name.version, cmdline);
	cgroup_init();
	trace_open();

	/* All of them, or the one that was named */
	for (i = 0; i < ARRAY_SIZE(acts); i++)
		if (argc < 2 || !strcmp(argv[1], acts[i].name)) {
			acts[i].play();
			played++;
		}
	if (!played)
		die("there is no act %s", argv[1]);

	print_kernel_log();
	data("kernel", "seconds", (now() - begin) / SEC);
	fflush(stdout);
	return 0;
}
