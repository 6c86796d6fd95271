// SPDX-License-Identifier: GPL-2.0
/*
 * Programs for oom_notifier_run that get into trouble of one kind or another.
 * usage: example-victim HOW
 *	plain		waits to be killed
 *	threads		the same, and has three threads more
 *	device		gets stuck in the test device, as --stick=device requires
 *	mmap_lock	gets stuck there with its mmap_lock held for writing
 *	quits		says that it is ready, and exits
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <lib/test_mmu_notifier_uapi.h>

#define SIZE	(32UL << 20)
#define PAGE	4096UL

static char *mem;

static void *wait_forever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* mprotect() calls the notifier, which does not return, under mmap_lock. */
static void *hold_mmap_lock(void *arg)
{
	mprotect(mem, PAGE, PROT_READ);
	return arg;
}

static void say_ready(void)
{
	printf("ready\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const char *how = argc == 2 ? argv[1] : "";
	const char *number = getenv("OOM_NOTIFIER_DEVICE");
	int dev = number ? atoi(number) : -1;
	__u32 seconds = 120;
	pthread_t thread;
	int i;

	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return 1;
	memset(mem, 'x', SIZE);

	if (!strcmp(how, "quits")) {
		say_ready();
		return 0;
	}
	if (!strcmp(how, "threads"))
		for (i = 0; i < 3; i++)
			pthread_create(&thread, NULL, wait_forever, NULL);
	if (!strcmp(how, "mmap_lock")) {
		struct test_mmu_notifier_add add = {
			.addr = (unsigned long)mem,
			.size = PAGE,
			.count = 1,
			.flags = TEST_MMU_NOTIFIER_HOLD_BLOCKING,
		};

		if (ioctl(dev, TEST_MMU_NOTIFIER_ADD_INTERVALS, &add))
			return 1;
		pthread_create(&thread, NULL, hold_mmap_lock, NULL);
		/* Nothing tells when it is there, but it is next to nothing. */
		sleep(1);
	}
	say_ready();
	if (!strcmp(how, "device") || !strcmp(how, "mmap_lock"))
		ioctl(dev, TEST_MMU_NOTIFIER_STICK, &seconds);
	wait_forever(NULL);
	return 0;
}
