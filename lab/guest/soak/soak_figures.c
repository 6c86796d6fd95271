// SPDX-License-Identifier: GPL-2.0
/* What must be after the soak as it was before: memory, tasks, swap. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "soak.h"

#define SWAP_SIZE	(256 * ON_MIB)
#define SETTLE_MS	30000
/* From linux/sched.h */
#define PF_KTHREAD	0x00200000

static struct on_swap swap;
static unsigned int nr_bad;

void judge(bool good, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!good)
		nr_bad++;
	tell("check %s %s", good ? "ok" : "bad", text);
}

unsigned int judged_bad(void)
{
	return nr_bad;
}

bool swap_begin(void)
{
	const char *why;
	int ret = on_swap_begin(&swap, SWAP_SIZE, &why);

	if (ret)
		say("%s: %s", why, strerror(-ret));
	return !ret;
}

int swap_cycle(void)
{
	int ret = swapoff(swap.dev) ? -errno : 0;

	if (!ret && swapon(swap.dev, 0))
		judge(false, "swap comes back after it was off: %s",
		      strerror(errno));
	return ret;
}

void swap_finish(void)
{
	int ret = swapoff(swap.dev) ? -errno : 0;

	judge(!ret, "swapoff works in the end%s%s", ret ? ": " : "",
	      ret ? strerror(-ret) : "");
	on_swap_end(&swap);
}

/*
 * How many there are. What a CPU keeps for the next allocation, and what KASAN
 * keeps from it, counts as well, so release both.
 */
static long long slab_objects(const char *cache)
{
	char path[128], buf[512];
	long long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	on_write_file(path, "1");
	f = fopen("/proc/slabinfo", "re");
	if (!f)
		return -1;
	while (fgets(buf, sizeof(buf), f)) {
		size_t len = strlen(cache);

		if (!strncmp(buf, cache, len) && buf[len] == ' ')
			n = atoll(buf + len);
	}
	fclose(f);
	return n;
}

static void shrink_all(void)
{
	DIR *dir = opendir("/sys/kernel/slab");
	struct dirent *entry;
	char path[512];

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		/* The others are other names of the same. */
		if (entry->d_name[0] == '.' || entry->d_type == DT_LNK)
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink",
			 entry->d_name);
		on_write_file(path, "1");
	}
	closedir(dir);
}

/* Processes; none of the kernel's, these come and go */
static long long user_tasks(bool show)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char path[512], buf[1024], *p;
	unsigned int flags;
	long long n = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (!isdigit(entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		if (on_read_file(path, buf, sizeof(buf)))
			continue;
		p = strrchr(buf, ')');
		if (p && sscanf(p, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
		    !(flags & PF_KTHREAD)) {
			n++;
			if (show)
				say("  there is process %.60s", buf);
		}
	}
	closedir(dir);
	return n;
}

static void take(struct figures *f)
{
	long long *v = f->value;

	on_write_file("/proc/sys/vm/stat_refresh", "1");
	v[FIGURE_TASKS] = user_tasks(false);
	v[FIGURE_SWAP_KIB] = read_key("/proc/meminfo", "SwapTotal") -
			     read_key("/proc/meminfo", "SwapFree");
	v[FIGURE_MLOCK] = read_key("/proc/vmstat", "nr_mlock");
	v[FIGURE_ANON] = read_key("/proc/vmstat", "nr_anon_pages");
	v[FIGURE_PAGETABLES] = read_key("/proc/vmstat", "nr_page_table_pages");
	v[FIGURE_MM] = slab_objects("mm_struct");
	v[FIGURE_VMA] = slab_objects("vm_area_struct");
	v[FIGURE_ANON_VMA] = slab_objects("anon_vma");
	v[FIGURE_TASK] = slab_objects("task_struct");
	v[FIGURE_SLAB_KIB] = read_key("/proc/meminfo", "Slab");
	v[FIGURE_USED_KIB] = read_key("/proc/meminfo", "MemTotal") -
			     read_key("/proc/meminfo", "MemAvailable");
	v[FIGURE_DYING] = read_key("/sys/fs/cgroup/cgroup.stat",
				   "nr_dying_descendants");
}

/* Until two looks in a row see the same of what is counted, not measured */
void figures_take(struct figures *f)
{
	long long until = on_now_ms() + SETTLE_MS;
	struct figures before;

	take(f);
	do {
		before = *f;
		on_write_file("/proc/sys/vm/drop_caches", "3");
		shrink_all();
		on_sleep_ms(1000);
		take(f);
	} while (memcmp(before.value, f->value,
			FIGURE_SLAB_KIB * sizeof(*f->value)) &&
		 on_now_ms() < until);
}

/* @stock: of so many cgroups a CPU keeps what it has charged in advance */
void figures_judge(const struct figures *before, const struct figures *after,
		   unsigned int stock)
{
	/*
	 * Each CPU lends an mm that is gone to its idle task, and each keeps a
	 * few pages for itself, and its stock, also of cgroups that are gone. What
	 * is measured has the stacks that the kernel's checkers have met.
	 */
	const struct {
		const char *name;
		long long more;
	} rule[FIGURES] = {
		[FIGURE_TASKS] = { "processes", 0 },
		[FIGURE_SWAP_KIB] = { "KiB of swap in use", 0 },
		[FIGURE_MLOCK] = { "mlocked pages", 0 },
		[FIGURE_ANON] = { "anonymous pages", 64 },
		[FIGURE_PAGETABLES] = { "page tables", 32 },
		[FIGURE_MM] = { "mm_struct", 4 },
		[FIGURE_VMA] = { "vm_area_struct", 64 },
		[FIGURE_ANON_VMA] = { "anon_vma", 64 },
		[FIGURE_TASK] = { "task_struct", 16 },
		[FIGURE_SLAB_KIB] = { "KiB of slab", 8192 },
		[FIGURE_USED_KIB] = { "KiB of memory not available", 16384 },
		[FIGURE_DYING] = { "cgroups that are still held",
				   sysconf(_SC_NPROCESSORS_CONF) * stock },
	};
	int i;

	if (after->value[FIGURE_TASKS] > before->value[FIGURE_TASKS])
		user_tasks(true);
	for (i = 0; i < FIGURES; i++) {
		long long a = before->value[i], b = after->value[i];

		judge(b <= a + rule[i].more && a >= 0 && b >= 0,
		      "%s: %lld before, %lld after", rule[i].name, a, b);
	}
}
