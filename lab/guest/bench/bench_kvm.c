// SPDX-License-Identifier: GPL-2.0
/*
 * How long KVM's callback takes when a virtual machine is reaped: lab_span.ko
 * has a notifier before and one behind KVM's. KVM maps all the memory of the
 * guest by KVM_PRE_FAULT_MEMORY, as if it had been used.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

#ifndef KVM_PRE_FAULT_MEMORY
struct kvm_pre_fault_memory {
	__u64 gpa;
	__u64 size;
	__u64 flags;
	__u64 padding[5];
};

#define KVM_PRE_FAULT_MEMORY _IOWR(KVMIO, 0xd5, struct kvm_pre_fault_memory)
#endif

#define SPAN	"/dev/lab_span"

static int span;

static void span_attach(void)
{
	if (write(span, "", 1) != 1)
		die("cannot attach to " SPAN ": %s", strerror(errno));
}

static void prepare(int dev, void *arg)
{
	struct kvm_userspace_memory_region slot = {
		.memory_size = *(unsigned long *)arg,
	};
	struct kvm_pre_fault_memory fault = { .size = slot.memory_size };
	char *mem = map_small(slot.memory_size);
	int kvm, vm, vcpu;
	unsigned long i;

	(void)dev;
	slot.userspace_addr = (uintptr_t)mem;
	for (i = 0; i < slot.memory_size; i += PAGE)
		mem[i] = 1;
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	/* The one that is registered last is called first */
	span_attach();
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	span_attach();
	if (vm < 0 || ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot))
		die("no virtual machine: %s", strerror(errno));
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	while (fault.size)
		if (ioctl(vcpu, KVM_PRE_FAULT_MEMORY, &fault) &&
		    errno != EINTR && errno != EAGAIN)
			die("KVM_PRE_FAULT_MEMORY: %s", strerror(errno));
}

static void reap_vm(unsigned long mib)
{
	unsigned long size = mib * MIB;
	long calls, longest, largest;
	char name[32], text[128];
	long before, after;
	struct stuck s;
	uint64_t took;
	ssize_t len;
	int err;

	snprintf(name, sizeof(name), "kvm-%lu", mib);
	say("a virtual machine of %lu MiB", mib);
	span = open(SPAN, O_RDWR);
	if (span < 0)
		die("open " SPAN ": %s", strerror(errno));
	stuck_start(&s, prepare, &size);
	before = rss_exact(s.pid, "\nRss:");
	took = stuck_reap(&s, &err, &after);
	len = read(span, text, sizeof(text) - 1);
	if (len <= 0)
		die("read " SPAN);
	text[len] = '\0';
	if (sscanf(text, "%ld %ld %ld", &calls, &longest, &largest) != 3)
		die(SPAN " says %s", text);
	data(name, "instructions", took);
	data(name, "section", longest);
	data(name, "section_kib", largest / KIB);
	data(name, "calls", calls);
	data(name, "before_kib", before);
	data(name, "left_kib", after);
	stuck_end(&s);
	close(span);
}

void bench_kvm(void)
{
	static const unsigned long sizes[] = { 256, 512, 1024, 2048 };
	unsigned int i;

	if (access("/dev/kvm", F_OK)) {
		say("no KVM in this kernel, or none that works here");
		return;
	}
	for (i = 0; i < (quick ? 2 : ARRAY_SIZE(sizes)); i++)
		reap_vm(sizes[i]);
}
