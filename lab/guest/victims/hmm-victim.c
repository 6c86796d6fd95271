// SPDX-License-Identifier: GPL-2.0
/*
 * An OOM victim whose memory is mirrored by lib/test_hmm.c's device. This
 * process has the victim's file of the device, too, and so reads the victim's
 * memory through the mirror, before and after the victim was killed.
 *
 * To read takes the lock that the invalidation callback needs. With lab_hmm,
 * which is the same source, a read lasts as long as it is told to, and the
 * device mirrors a part of the victim only: see lab/hmm/lab_hmm.c. Then the
 * busy cases are played.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lib/test_hmm_uapi.h>

#include "real.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define MIRROR		"/dev/hmm_dmirror0"
#define KNOBS		"/sys/module/lab_hmm/parameters/"

#define PAGE		4096UL
#define SIZE		(64 * ON_MIB)
#define ALL_KIB		((long)(SIZE / ON_KIB))
/* In the part cases all that is mirrored; the read that lasts begins there */
#define PART_OFFSET	(24 * ON_MIB)
#define PART_SIZE	(16 * ON_MIB)
#define PART_KIB	((long)(PART_SIZE / ON_KIB))
/* Little: once it goes on it has to end before the reaper gives up */
#define READ_SIZE	ON_MIB
/* What is moved into the device's memory */
#define MOVED_SIZE	(4 * ON_MIB)
#define BUF_SIZE	MOVED_SIZE

static uint64_t pattern(size_t offset)
{
	return 0x686d6d0000000000 + offset;
}

static int mirror_cmd(int fd, unsigned long cmd, unsigned long addr, void *buf,
		      size_t size)
{
	struct hmm_dmirror_cmd arg = {
		.addr = addr, .ptr = (uintptr_t)buf, .npages = size / PAGE,
	};

	if (ioctl(fd, cmd, &arg))
		return -errno;
	return arg.cpages == size / PAGE ? 0 : -EIO;
}

/* Whether that is what the victim wrote at @offset of its memory */
static bool is_right(const char *buf, size_t offset, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += PAGE)
		if (*(uint64_t *)(buf + i) != pattern(offset + i))
			return false;
	return true;
}

static int set_knob(const char *name, unsigned long value)
{
	char path[128], text[32];

	snprintf(path, sizeof(path), KNOBS "%s", name);
	snprintf(text, sizeof(text), "%lu", value);
	return on_write_file(path, text);
}

struct mirrored {
	struct scene scene;
	bool part;
	int fd;
	char *buf;
	pthread_t reader;
	int result;
};

/* In the victim */
static int mirror_prepare(struct on_victim *v, void *arg)
{
	struct mirrored *m = arg;
	size_t i;
	int fd;

	for (i = 0; i < v->size; i += PAGE)
		*(uint64_t *)(v->addr + i) = pattern(i);
	if (m->part && (set_knob("start", v->addr + PART_OFFSET) ||
			set_knob("size", PART_SIZE)))
		return -ENOENT;
	fd = open(MIRROR, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	v->shared->id[0] = fd;
	return 0;
}

static bool mirrored_begin(struct mirrored *m, const char *name)
{
	struct on_victim *v = &m->scene.victim;
	int pidfd;

	m->fd = -1;
	v->size = SIZE;
	v->prepare = mirror_prepare;
	v->arg = m;
	m->buf = mmap(NULL, BUF_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!check(m->buf != MAP_FAILED, "no memory"))
		return false;
	/* Or the allocator looks bigger than the victim */
	madvise(m->buf, BUF_SIZE, MADV_DONTFORK);
	if (!scene_begin(&m->scene, name))
		return false;
	pidfd = syscall(SYS_pidfd_open, v->pid, 0);
	if (!check(pidfd >= 0, "pidfd_open: %s", strerror(errno)))
		return false;
	m->fd = syscall(SYS_pidfd_getfd, pidfd, v->shared->id[0], 0);
	close(pidfd);
	return check(m->fd >= 0, "pidfd_getfd: %s", strerror(errno));
}

static void mirrored_end(struct mirrored *m)
{
	if (m->fd >= 0)
		close(m->fd);
	scene_end(&m->scene);
	munmap(m->buf, BUF_SIZE);
	if (m->part)
		set_knob("size", 0);
}

/* Read @size bytes of the victim through the mirror and look at them. */
static int mirrored_read(struct mirrored *m, size_t offset, size_t size)
{
	unsigned long addr = m->scene.victim.addr + offset;
	size_t i;
	int ret;

	for (i = 0; i < size; i += ON_MIB) {
		ret = mirror_cmd(m->fd, HMM_DMIRROR_READ, addr + i, m->buf,
				 ON_MIB);
		if (ret)
			return ret;
		if (!is_right(m->buf, offset + i, ON_MIB))
			return -EILSEQ;
	}
	return 0;
}

static void *reader_main(void *arg)
{
	struct mirrored *m = arg;

	m->result = mirror_cmd(m->fd, HMM_DMIRROR_READ,
			       m->scene.victim.addr + PART_OFFSET, m->buf,
			       READ_SIZE);
	return NULL;
}

/* A read begins, and is held up at its first page: the mirror is busy. */
static bool read_begin(struct mirrored *m)
{
	long long end = on_now_ms() + SOON_MS;
	char text[8] = "";

	if (!check(!mirrored_read(m, PART_OFFSET, PART_SIZE), "read the mirror") ||
	    !check(!set_knob("hold", 1), "set hold") ||
	    !check(!pthread_create(&m->reader, NULL, reader_main, m),
		   "start a thread"))
		return false;
	while (text[0] != 'Y' && on_now_ms() < end) {
		on_sleep_ms(10);
		on_read_file(KNOBS "holding", text, sizeof(text));
	}
	return check(text[0] == 'Y', "the reader does not wait");
}

/* It goes on, and finds what it began to read. */
static void read_end(struct mirrored *m)
{
	set_knob("hold", 0);
	if (!m->reader)
		return;
	pthread_join(m->reader, NULL);
	check(!m->result, "the read fails: %s", strerror(-m->result));
	check(is_right(m->buf, PART_OFFSET, READ_SIZE),
	      "the mirror has read what the victim has not written");
}

/*
 * The mirror has nothing of that any more, and cannot get it either. Not each
 * page: it takes a call for each.
 */
static void expect_unreachable(struct mirrored *m, size_t offset, size_t size)
{
	unsigned int reached = 0, other = 0;
	size_t i;
	int ret;

	for (i = 0; i < size; i += 8 * PAGE) {
		ret = mirror_cmd(m->fd, HMM_DMIRROR_READ,
				 m->scene.victim.addr + offset + i, m->buf, PAGE);
		if (!ret)
			reached++;
		else if (ret != -EFAULT)
			other = -ret;
	}
	check(!reached, "the mirror still reads freed pages, %u of those tried",
	      reached);
	check(!other, "to read them fails with %s", strerror(other));
}

/*
 * The cases
 */

static void idle_mirror(void)
{
	struct mirrored m = { .part = false };

	if (mirrored_begin(&m, "hmm-idle") &&
	    check(!mirrored_read(&m, 0, SIZE), "read the mirror") &&
	    check(!mirror_cmd(m.fd, HMM_DMIRROR_MIGRATE_TO_DEV,
			      m.scene.victim.addr + PART_OFFSET, m.buf,
			      MOVED_SIZE), "move memory into the device") &&
	    check(is_right(m.buf, PART_OFFSET, MOVED_SIZE),
		  "what was moved is not what the victim wrote") &&
	    check(!mirrored_read(&m, 0, SIZE), "read the mirror again") &&
	    scene_oom(&m.scene)) {
		scene_judge(&m.scene, 0, 0);
		expect_unreachable(&m, 0, SIZE);
	}
	mirrored_end(&m);
}

static void busy_mirror(void)
{
	struct mirrored m = { .part = false };
	struct on_victim *v = &m.scene.victim;
	bool killed = false;
	long held;
	int ret;

	if (mirrored_begin(&m, "hmm-busy") && read_begin(&m)) {
		killed = true;
		kill(v->pid, SIGKILL);
		ret = on_mrelease(v->pid);
		check(ret == -EAGAIN, "process_mrelease: %s", strerror(-ret));
		/* A worker waits for the lock, too */
		on_sleep_ms(300);
		held = on_victim_held(v);
		note("%ld of %ld KiB are held while it is read", held, ALL_KIB);
		check(held == ALL_KIB, "%ld KiB are held", held);
	}
	read_end(&m);
	if (killed) {
		/* The base does not retry. */
		if (real_base) {
			ret = on_mrelease(v->pid);
			check(!ret, "process_mrelease again: %s", strerror(-ret));
		}
		held = on_victim_wait_held(v, 0, SOON_MS);
		check(!held, "%ld KiB are held", held);
		expect_unreachable(&m, 0, SIZE);
	}
	mirrored_end(&m);
}

static void busy_part(void)
{
	struct mirrored m = { .part = true };
	bool killed = false;
	long held;

	if (mirrored_begin(&m, "hmm-part") && read_begin(&m) &&
	    scene_oom(&m.scene)) {
		killed = true;
		scene_judge(&m.scene, real_base ? ALL_KIB : PART_KIB, 0);
	}
	read_end(&m);
	if (killed && real_base) {
		/* The reaper has given up: it stays until the victim exits */
		check(!mirrored_read(&m, PART_OFFSET, PART_SIZE),
		      "read what is refused");
		check(!on_victim_end(&m.scene.victim, SOON_MS),
		      "the victim does not exit");
	} else if (killed) {
		/* So has it here, but a worker waits for the mirror */
		held = on_victim_wait_held(&m.scene.victim, 0, SOON_MS);
		check(!held, "%ld KiB are held when it is idle", held);
	}
	if (killed)
		expect_unreachable(&m, PART_OFFSET, PART_SIZE);
	mirrored_end(&m);
}

static void busy_at_first(void)
{
	struct mirrored m = { .part = true };
	bool killed = false;
	long held;

	if (mirrored_begin(&m, "hmm-retry") && read_begin(&m) &&
	    scene_oom(&m.scene)) {
		killed = true;
		/* When the reaper was there once, but has not given up */
		if (real_base)
			on_sleep_ms(ON_REAPER_DELAY_MS + 300);
		else
			on_victim_wait_held(&m.scene.victim, PART_KIB, REAP_MS);
		held = on_victim_held(&m.scene.victim);
		note("%ld of %ld KiB are held while it is read", held, ALL_KIB);
		check(held == (real_base ? ALL_KIB : PART_KIB),
		      "%ld KiB are held", held);
	}
	read_end(&m);
	if (killed) {
		scene_judge(&m.scene, 0, 0);
		expect_unreachable(&m, PART_OFFSET, PART_SIZE);
	}
	mirrored_end(&m);
}

static const struct real_case idle_cases[] = {
	{ "a mirrored victim is reaped, what is in the device's memory, too",
	  idle_mirror, NULL },
};

static const struct real_case busy_cases[] = {
	{ "a mirror of all memory refuses it while it is busy, not longer",
	  busy_mirror, NULL },
	{ "a victim is reaped around the part that a busy mirror has",
	  busy_part, "a busy mirror of a part keeps all of a victim" },
	{ "what a busy mirror refused is freed when it is idle again",
	  busy_at_first, NULL },
};

int main(int argc, char **argv)
{
	if (!access(KNOBS, F_OK))
		return real_main(argc, argv, busy_cases, 3);
	return real_main(argc, argv, idle_cases, 1);
}
