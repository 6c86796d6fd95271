/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the victims with notifiers of real users share, kvm-victim and hmm-victim; and
 * plain-victim, on kernels without notifiers.
 */
#ifndef LAB_REAL_H
#define LAB_REAL_H

#include <stdbool.h>

/* plain-victim takes that of the kselftests, which also reads the log and the trace. */
#ifdef PLAIN_VICTIM
#include <tools/testing/selftests/mm/oom_notifier_util.h>
/* What util.h has for these */
#define on_cgroup_write(cg, file, text)		cg_write((cg)->path, file, text)
#define on_cgroup_write_bytes(cg, file, bytes)	cg_write_numeric((cg)->path, file, bytes)
#define on_cgroup_read(cg, file)		cg_read_long((cg)->path, file)
#define on_cgroup_key(cg, file, key)		cg_read_key_long((cg)->path, file, key " ")
#else
#include "util.h"
#endif

/* Patience for the reaper, for what takes next to no time, for touching memory */
#define REAP_MS		30000
#define SOON_MS		10000
#define LONG_MS		120000
/* Longer than a case lasts; the victims are unstuck anyway */
#define STICK_S		300

/**
 * struct real_case - a test
 * @name: what is shown
 * @run: does it, and says with check() what is wrong
 * @unpatched: if not NULL, the base kernel fails to do it: what is to be seen
 *	there instead. @run looks at real_base.
 */
struct real_case {
	const char *name;
	void (*run)(void);
	const char *unpatched;
};

/* The kernel is the base, not the series */
extern bool real_base;

/* True if @cond. If not, the case has failed, and says so. */
bool check(bool cond, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Plays the cases and prints TAP. Arguments of the program: series|base */
int real_main(int argc, char **argv, const struct real_case *cases, int nr);

/**
 * struct scene - a victim in a memory cgroup, and who drives it over the limit
 * @victim: the caller sets size, backing, prepare and arg
 * @traced: there is no test device: ptrace() holds it at the start of its exit
 * @held: it is held there
 */
struct scene {
	struct on_victim victim;
	struct on_cgroup cg;
	struct on_eater allocator;
	bool has_cgroup, has_allocator;
	bool traced, held;
	long long killed_ms;
};

bool scene_begin(struct scene *s, const char *name);
/* The victim is where it cannot exit. */
bool scene_stuck(struct scene *s);
/* Returns when the OOM killer has killed a process because of the hard limit */
bool scene_oom(struct scene *s);
/*
 * After scene_oom(): the victim, which is stuck, keeps @held_kib and no more. If
 * that is not all of it, the rest is enough for the allocator alone
 * is killed. @extra bytes of memory.current are charged to the victim beside
 * its mapping. Returns when the reaper has given up, or had the time to.
 */
void scene_judge(struct scene *s, long held_kib, long extra);
/* Let the victim exit. Can be called at any time. */
void scene_end(struct scene *s);

#endif /* LAB_REAL_H */
