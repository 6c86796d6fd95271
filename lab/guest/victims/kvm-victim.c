// SPDX-License-Identifier: GPL-2.0
/*
 * An OOM victim that is a virtual machine: its memory is mapped by KVM, and the
 * machine runs when the kill comes. The process cannot exit, a thread of it is
 * stuck in the test device.
 *
 * The judges are memory.current and memory.events of its cgroup, its smaps, what
 * KVM says in debugfs to have mapped, and, where the kernel has kprobes, when
 * KVM's callbacks were called and when they returned.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "real.h"

#define PAGE		4096UL
#define PAGE_KIB	4L
#define VM_SIZE		(256 * ON_MIB)
/* In page 0, where the guest counts how often it has written to all others */
#define PASSES		0x800
/* Page tables of KVM, the vCPU, and what belongs to it */
#define VM_EXTRA	(VM_SIZE / 512 + 2 * ON_MIB)
/* MN_NONBLOCK_CHUNK */
#define CHUNK		(128 * ON_MIB)

#define KVM_DEBUGFS	"/sys/kernel/debug/kvm"
#define TRACING		"/sys/kernel/tracing/"

/*
 * The guest, without paging (and with 32 bit on x86). It writes to each page the
 * page's address.
 */
extern const char guest[], guest_end[];
#ifdef __x86_64__
asm(".pushsection .rodata\n"
	".code32\n"
	"guest:\n"
	"	movl	$0x1000, %edi\n"
	"1:	movl	%edi, (%edi)\n"
	"	addl	$0x1000, %edi\n"
	"	cmpl	%ebx, %edi\n"
	"	jb	1b\n"
	"	incl	0x800\n"
	"	jmp	guest\n"
	"guest_end:\n"
	".code64\n"
	".popsection\n");
#else
/* Global: local symbols have one entry between them in the global offset table */
asm(".pushsection .rodata\n"
	".balign	4\n"
	".globl	guest, guest_end\n"
	"guest:\n"
	"	mov	x1, #0x1000\n"
	"1:	str	w1, [x1]\n"
	"	add	x1, x1, #0x1000\n"
	"	cmp	x1, x0\n"
	"	b.lo	1b\n"
	"	mov	x1, #0x800\n"
	"	ldr	w2, [x1]\n"
	"	add	w2, w2, #1\n"
	"	str	w2, [x1]\n"
	"	b	guest\n"
	"guest_end:\n"
	".popsection\n");
#endif

/**
 * struct vm - what is special about a virtual machine
 * @half: its memory is the first half of the mapping; the process has the rest to
 *	itself
 * @refused: where somebody else, who has an interval, refuses a page; 0: nowhere
 * @flags: what that one does to the reaper's worker, TEST_MMU_NOTIFIER_*
 */
struct vm {
	bool half;
	size_t refused;
	unsigned int flags;
};

static size_t vm_size(const struct vm *vm)
{
	return vm->half ? VM_SIZE / 2 : VM_SIZE;
}

/* In the victim. It goes when the process is killed. */
static void *vcpu_main(void *arg)
{
	int vcpu = (long)arg;

	while (!ioctl(vcpu, KVM_RUN, 0) || errno == EINTR)
		;
	/* Whoever waits for the passes of the guest will see that there is none */
	printf("# FAILED: KVM_RUN: %s\n", strerror(errno));
	return NULL;
}

#ifdef __x86_64__
static int vcpu_set_up(int vm, int vcpu, size_t size)
{
	struct kvm_segment flat = {
		.limit = 0xffffffff, .selector = 8, .present = 1, .type = 3,
		.db = 1, .s = 1, .g = 1,
	};
	struct kvm_regs regs = { .rflags = 2, .rbx = size };
	struct kvm_sregs sregs;

	(void)vm;
	if (ioctl(vcpu, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = flat;
	flat.type = 11;
	sregs.cs = flat;
	sregs.cr0 |= 1;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) ||
	    ioctl(vcpu, KVM_SET_REGS, &regs))
		return -errno;
	return 0;
}
#else
/* It begins at address 0, with the size in x0. */
static int vcpu_set_up(int vm, int vcpu, size_t size)
{
	__u64 value = size;
	struct kvm_one_reg x0 = {
		.id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		      KVM_REG_ARM_CORE_REG(regs.regs[0]),
		.addr = (unsigned long)&value,
	};
	struct kvm_vcpu_init init;

	if (ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(vcpu, KVM_ARM_VCPU_INIT, &init) ||
	    ioctl(vcpu, KVM_SET_ONE_REG, &x0))
		return -errno;
	return 0;
}
#endif

/* In the victim: when this returns, the guest has written to all its memory. */
static int vm_prepare(struct on_victim *v, void *arg)
{
	const struct vm *opts = arg;
	struct kvm_userspace_memory_region slot = {
		.memory_size = vm_size(opts), .userspace_addr = v->addr,
	};
	volatile uint32_t *passes = (uint32_t *)(v->addr + PASSES);
	long long end = on_now_ms() + LONG_MS;
	int kvm, vm, vcpu, ret;
	pthread_t thread;
	size_t i;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return -errno;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot))
		return -errno;
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return -errno;
	ret = vcpu_set_up(vm, vcpu, vm_size(opts));
	if (ret)
		return ret;
	v->shared->id[0] = vm;

	memcpy((char *)v->addr, guest, guest_end - guest);
	*passes = 0;
	ret = pthread_create(&thread, NULL, vcpu_main, (void *)(long)vcpu);
	if (ret)
		return -ret;
	while (!*passes) {
		if (on_now_ms() > end)
			return -ETIMEDOUT;
		on_sleep_ms(10);
	}
	for (i = PAGE; i < vm_size(opts); i += PAGE)
		if (*(uint32_t *)(v->addr + i) != i)
			return -EILSEQ;
	for (; i < v->size; i += PAGE)
		*(volatile uint32_t *)(v->addr + i) = i;
	if (!opts->refused)
		return 0;
	return on_dev_add(v->dev, v->addr + opts->refused, PAGE, 0, 1,
			  TEST_MMU_NOTIFIER_REFUSE | opts->flags, 0, NULL);
}

static void vm_file(struct on_victim *v, const char *what, char *path, size_t size)
{
	snprintf(path, size, KVM_DEBUGFS "/%d-%u/%s", (int)v->pid,
		 v->shared->id[0], what);
}

#ifdef __x86_64__
/* KVM's statistics of the victim's VM; -errno when there is no VM any more. */
static long vm_stat(struct on_victim *v, const char *what)
{
	char path[128], buf[64];
	int ret;

	vm_file(v, what, path, sizeof(path));
	ret = on_read_file(path, buf, sizeof(buf));
	return ret ? ret : atol(buf);
}

static long vm_huge(struct on_victim *v)
{
	return vm_stat(v, "pages_2m");
}

/* In pages of 4 KiB. */
static long vm_mapped(struct on_victim *v)
{
	return vm_stat(v, "pages_4k") + 512 * vm_huge(v) +
	       512 * 512 * vm_stat(v, "pages_1g");
}
#else
/*
 * Pages of 4 KiB that are mapped, or of those only what is in blocks; from the stage 2
 * page tables, -errno when there is no VM any more.
 * "0x0000000000000000-0x0000000000200000           2M 2   R W X AF BLK"
 */
static long vm_pages(struct on_victim *v, bool in_blocks)
{
	unsigned long start, end;
	char path[128], line[256];
	long pages = 0;
	FILE *f;

	vm_file(v, "stage2_page_tables", path, sizeof(path));
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "0x%lx-0x%lx", &start, &end) == 2 &&
		    strstr(line, " AF") && (!in_blocks || strstr(line, " BLK")))
			pages += (end - start) / PAGE;
	}
	fclose(f);
	return pages;
}

static long vm_huge(struct on_victim *v)
{
	return vm_pages(v, true) / 512;
}

static long vm_mapped(struct on_victim *v)
{
	return vm_pages(v, false);
}
#endif

/*
 * KVM's callbacks, by kprobes
 */

static bool tracing;

static void calls_begin(void)
{
	/* Where start, end and flags are in struct mmu_notifier_range */
	static const char probes[] =
		"p:lab/kvm_start kvm_mmu_notifier_invalidate_range_start start=+8($arg2):u64 end=+16($arg2):u64 flags=+24($arg2):u32\n"
		"r:lab/kvm_return kvm_mmu_notifier_invalidate_range_start\n"
		"p:lab/kvm_end kvm_mmu_notifier_invalidate_range_end start=+8($arg2):u64 end=+16($arg2):u64 flags=+24($arg2):u32\n";

	tracing = !on_write_file(TRACING "trace_clock", "mono") &&
		  (!access(TRACING "events/lab", F_OK) ||
		   !on_write_file(TRACING "kprobe_events", probes)) &&
		  !on_write_file(TRACING "trace", "\n") &&
		  !on_write_file(TRACING "events/lab/enable", "1");
}

struct calls {
	unsigned int nr, ends;
	unsigned int unpaired;		/* ends of what has not been started */
	unsigned int nr_open;		/* started, not ended */
	unsigned long open[16][2];
	double longest, sum;		/* ms */
	unsigned long longest_size;	/* of the call that took longest */
	unsigned long largest;
};

static void calls_start(struct calls *c, unsigned long start, unsigned long end)
{
	c->nr++;
	if (end - start > c->largest)
		c->largest = end - start;
	if (!check(c->nr_open < 16, "too many calls without an end"))
		return;
	c->open[c->nr_open][0] = start;
	c->open[c->nr_open++][1] = end;
}

/* Whoever makes it: the reaper and process_mrelease() may be at it at a time. */
static void calls_stop(struct calls *c, unsigned long start, unsigned long end)
{
	unsigned int i;

	c->ends++;
	for (i = 0; i < c->nr_open; i++) {
		if (c->open[i][0] != start || c->open[i][1] != end)
			continue;
		memmove(c->open[i], c->open[i + 1],
			(--c->nr_open - i) * sizeof(c->open[0]));
		return;
	}
	c->unpaired++;
}

/* "  oom_reaper-31  [000] .....  12.345678: kvm_start: (...) start=1 end=2 flags=0" */
static void calls_parse(struct calls *c, FILE *f)
{
	unsigned long start = 0, end = 0;
	char line[512], task[24], *at, *event;
	double begun = 0, when;
	unsigned int flags;

	while (fgets(line, sizeof(line), f)) {
		event = strstr(line, ": kvm_");
		if (line[0] == '#' || !event)
			continue;
		*event = '\0';
		event += 2;
		at = strrchr(line, ' ');
		if (!at)
			continue;
		when = atof(at) * 1000;
		at = strstr(event, "flags=");
		flags = at ? atoi(at + strlen("flags=")) : 0;
		if (!strncmp(event, "kvm_start:", 10)) {
			at = strstr(event, "start=");
			begun = 0;
			/* MMU_NOTIFIER_RANGE_BLOCKABLE */
			if (flags & 1 || !at ||
			    sscanf(at, "start=%lu end=%lu", &start, &end) != 2)
				continue;
			begun = when;
			memcpy(task, line, sizeof(task));
			calls_start(c, start, end);
		} else if (!strncmp(event, "kvm_return:", 11) && begun &&
			   !memcmp(task, line, sizeof(task))) {
			when -= begun;
			begun = 0;
			c->sum += when;
			if (when > c->longest) {
				c->longest = when;
				c->longest_size = end - start;
			}
		} else if (!strncmp(event, "kvm_end:", 8) && !(flags & 1)) {
			unsigned long from, to;

			at = strstr(event, "start=");
			if (at && sscanf(at, "start=%lu end=%lu", &from, &to) == 2)
				calls_stop(c, from, to);
		}
	}
}

static void calls_end(void)
{
	struct calls c = { 0 };
	FILE *f;

	if (!tracing) {
		note("no kprobes in this kernel, KVM's callbacks are not timed");
		return;
	}
	on_write_file(TRACING "events/lab/enable", "0");
	f = fopen(TRACING "trace", "re");
	if (!check(f, "read the trace"))
		return;
	calls_parse(&c, f);
	fclose(f);
	note("KVM was called %u times in non-blocking mode, %.1f ms in all", c.nr,
	     c.sum);
	note("the longest call took %.1f ms, for %lu KiB; the largest was for %lu KiB",
	     c.longest, c.longest_size / ON_KIB, c.largest / ON_KIB);
	check(c.nr, "KVM was not called");
	/* One may be under way when the trace is switched off */
	check(c.ends == c.nr || c.ends + 1 == c.nr,
	      "%u calls of start, %u of end", c.nr, c.ends);
	check(!c.unpaired && c.nr_open <= 1,
	      "%u ends for a range that was not started, %u starts without an end",
	      c.unpaired, c.nr_open);
	if (!real_base)
		check(c.largest <= CHUNK, "a call for %lu KiB",
		      c.largest / ON_KIB);
}

/*
 * The cases
 */

static bool vm_begin(struct scene *s, const char *name)
{
	static struct vm plain;
	struct on_victim *v = &s->victim;
	long pages;

	v->size = VM_SIZE;
	v->prepare = vm_prepare;
	if (!v->arg)
		v->arg = &plain;
	pages = vm_size(v->arg) / PAGE;
	if (!scene_begin(s, name))
		return false;
	note("KVM maps %ld pages of 4 KiB and %ld of 2 MiB",
	     vm_mapped(v) - 512 * vm_huge(v), vm_huge(v));
	if (v->backing == ON_HUGE)
		check(vm_huge(v) >= pages / 512 - 1,
		      "KVM does not map huge pages");
	calls_begin();
	return check(vm_mapped(v) == pages, "KVM maps %ld pages, not %ld",
		     vm_mapped(v), pages);
}

static void vm_end(struct scene *s)
{
	long long until = on_now_ms() + SOON_MS;
	struct on_victim v = s->victim;
	char path[128] = "";

	if (v.shared)
		snprintf(path, sizeof(path), KVM_DEBUGFS "/%d-%u", (int)v.pid,
			 v.shared->id[0]);
	scene_end(s);
	while (path[0] && !access(path, F_OK) && on_now_ms() < until)
		on_sleep_ms(10);
	check(!path[0] || access(path, F_OK), "the virtual machine is still there");
}

static void play(struct scene *s, const char *name, long held_kib, long mapped)
{
	if (vm_begin(s, name) && scene_oom(s)) {
		scene_judge(s, held_kib, VM_EXTRA);
		check(vm_mapped(&s->victim) == mapped,
		      "KVM maps %ld pages, not %ld", vm_mapped(&s->victim), mapped);
		calls_end();
	}
	vm_end(s);
}

static void small_pages(void)
{
	struct scene s = { .victim.backing = ON_SMALL };

	play(&s, "kvm-small", 0, 0);
}

static void huge_pages(void)
{
	struct scene s = { .victim.backing = ON_HUGE };

	play(&s, "kvm-huge", 0, 0);
}

static void mrelease(void)
{
	struct scene s = { .victim.backing = ON_SMALL };
	long held;
	int ret;

	if (vm_begin(&s, "kvm-mrelease")) {
		kill(s.victim.pid, SIGKILL);
		ret = on_mrelease(s.victim.pid);
		check(!ret, "process_mrelease: %s", strerror(-ret));
		held = on_victim_held(&s.victim);
		check(!held, "%ld KiB are held", held);
		check(!vm_mapped(&s.victim), "KVM maps %ld pages",
		      vm_mapped(&s.victim));
		calls_end();
	}
	vm_end(&s);
}

/* @held, @mapped: on the series; on the base everything stays */
static void play_refused(struct vm *vm, const char *name, long held, long mapped)
{
	struct scene s = { .victim.arg = vm };

	if (real_base)
		play(&s, name, VM_SIZE / ON_KIB, vm_size(vm) / PAGE);
	else
		play(&s, name, held, mapped);
}

/*
 * Somebody else, who has an interval, refuses a page of the VM, also to a worker
 * who would wait for it. KVM keeps it.
 */
static void one_refuses(void)
{
	struct vm vm = {
		.refused = VM_SIZE / 4, .flags = TEST_MMU_NOTIFIER_HOLD_FOREIGN,
	};

	play_refused(&vm, "kvm-refused", PAGE_KIB, 1);
}

/* The same, but the worker gets it. */
static void one_refuses_the_reaper(void)
{
	struct vm vm = { .refused = VM_SIZE / 4 };

	play_refused(&vm, "kvm-worker", 0, 0);
}

/*
 * The memslot is over half of the mapping, the page is in the other half: KVM is
 * called for ranges that it has nothing in, too, and has to keep nothing.
 */
static void one_refuses_beside(void)
{
	struct vm vm = {
		.half = true, .refused = VM_SIZE / 4 * 3,
		.flags = TEST_MMU_NOTIFIER_HOLD_FOREIGN,
	};

	play_refused(&vm, "kvm-beside", PAGE_KIB, 0);
}

static const struct real_case cases[] = {
	{ "a running VM of 256 MiB is reaped", small_pages, NULL },
	{ "a running VM in huge pages is reaped", huge_pages, NULL },
	{ "process_mrelease() frees a running VM", mrelease, NULL },
	{ "a VM is reaped around a page that another notifier refuses",
	  one_refuses,
	  "a page that another notifier refuses keeps all of a VM" },
	{ "a page that another notifier refuses to the reaper only is freed, too",
	  one_refuses_the_reaper,
	  "a page that another notifier refuses to the reaper keeps all of a VM" },
	{ "a VM of half a mapping is reaped, a page in the other half is refused",
	  one_refuses_beside,
	  "a page that is refused in the other half of the mapping keeps all of a VM" },
};

int main(int argc, char **argv)
{
	char buf[16] = "?";

	/* Without it KVM has shadow page tables, on x86 */
	if (!on_read_file("/sys/module/kvm_amd/parameters/npt", buf, sizeof(buf)))
		note("nested paging: %c", buf[0]);
	return real_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
