// SPDX-License-Identifier: GPL-2.0
/*
 * swapoff() beside threads that fault memory in as large folios.
 *
 * A page fault puts a large folio into the swap cache (swap on zram) before it maps
 * it. swapoff() finds it there, and must not map one page of it alone.
 *
 * Each round fills memory with folios of 64 KiB and swaps them out. The threads leave
 * every other block of that size to swapoff(); they touch the block after it when
 * swapoff() is 1 to 16 pages away, as it is not known how fast either is.
 *
 * usage: swapoff-large SECONDS
 * Needs root, zram and CONFIG_TRANSPARENT_HUGEPAGE. It changes settings of the machine,
 * and there must be no other swap.
 * Ends with the first round that fails. Exit code: 0 only if the memory has the content
 * that was written, the kernel has not tainted itself, and large folios were read.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <time.h>
#include <unistd.h>

#define KIB		1024UL
#define MIB		(1024 * KIB)
#define SIZE		(32 * MIB)
#define SWAP_SIZE	(64 * MIB)
#define BLOCK		(64 * KIB)
#define THREADS		2

#define THP		"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/"

static char *memory;
static size_t page;
static bool stop;			/* swapoff() is done */
static pthread_barrier_t start;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static unsigned long read_number(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		err(1, "%s", path);
	close(fd);
	return strtoul(text, NULL, 10);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* What mkswap(8) writes: the version, the last page, and the signature. */
static void make_swap(const char *dev)
{
	uint32_t *header = calloc(1, page);
	int fd = open(dev, O_RDWR);

	if (!header || fd < 0)
		err(1, "%s", dev);
	header[1024 / sizeof(*header)] = 1;
	header[1024 / sizeof(*header) + 1] = SWAP_SIZE / page - 1;
	memcpy((char *)header + page - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, header, page, 0) != (ssize_t)page || fsync(fd))
		err(1, "%s", dev);
	close(fd);
	free(header);
}

static bool resident(const char *addr)
{
	unsigned char vec;

	return !mincore((void *)addr, page, &vec) && (vec & 1);
}

/* Never 0, so that no page is one of zeroes only, which are not on the device. */
static uint64_t content(size_t word, unsigned int round)
{
	return ((uint64_t)round << 32) + word + 1;
}

/* Each thread touches another page of the same block. */
static void *toucher(void *arg)
{
	size_t nr = (size_t)arg, at, away;

	for (;;) {
		pthread_barrier_wait(&start);
		for (at = BLOCK; at < SIZE; at += 2 * BLOCK) {
			away = page + at / (2 * BLOCK) * page % BLOCK;
			while (!resident(memory + at - away) &&
			       !__atomic_load_n(&stop, __ATOMIC_RELAXED))
				;
			*(volatile char *)(memory + at + nr * page);
		}
		pthread_barrier_wait(&start);
	}
	return NULL;
}

static size_t swapped(void)
{
	size_t at, n = 0;

	for (at = 0; at < SIZE; at += page)
		n += !resident(memory + at);
	return n;
}

/* Returns whether the content is right. */
static bool one_round(const char *dev, unsigned int round)
{
	uint64_t *words;
	bool good = true;
	void *mapped;
	size_t i;

	mapped = mmap(NULL, SIZE + BLOCK, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapped == MAP_FAILED)
		err(1, "mmap");
	/* The rest is for the alignment. */
	memory = (char *)(((uintptr_t)mapped + BLOCK - 1) & -BLOCK);
	words = (uint64_t *)memory;
	for (i = 0; i < SIZE / sizeof(*words); i++)
		words[i] = content(i, round);

	if (swapon(dev, 0))
		err(1, "swapon");
	if (madvise(memory, SIZE, MADV_PAGEOUT))
		err(1, "MADV_PAGEOUT");
	/* What is still there had a reference that is gone the second time. */
	if (swapped() < SIZE / page && madvise(memory, SIZE, MADV_PAGEOUT))
		err(1, "MADV_PAGEOUT");
	if (swapped() < SIZE / page / 2)
		errx(1, "%zu pages are swapped out", swapped());

	stop = false;
	pthread_barrier_wait(&start);
	if (swapoff(dev))
		err(1, "swapoff");
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_barrier_wait(&start);

	for (i = 0; i < SIZE / sizeof(*words); i++) {
		if (words[i] != content(i, round)) {
			good = false;
			break;
		}
	}
	munmap(mapped, SIZE + BLOCK);
	return good;
}

int main(int argc, char *argv[])
{
	unsigned int round = 0, limit = argc == 2 ? atoi(argv[1]) : 0;
	unsigned long taint, after, large;
	char dev[32], text[64], size[32];
	bool good = true;
	pthread_t thread;
	double began;
	size_t i;

	if (!limit) {
		fprintf(stderr, "usage: %s SECONDS\n", argv[0]);
		return 2;
	}
	page = sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IOLBF, 0);

	write_file(THP "enabled", "always");
	/* What swapoff() reads ahead, in small folios, is in the threads' way. */
	write_file("/proc/sys/vm/page-cluster", "0");
	snprintf(dev, sizeof(dev), "/dev/zram%lu",
		 read_number("/sys/class/zram-control/hot_add"));
	snprintf(text, sizeof(text), "/sys/block/%s/disksize", dev + 5);
	snprintf(size, sizeof(size), "%lu", SWAP_SIZE);
	write_file(text, size);
	make_swap(dev);

	pthread_barrier_init(&start, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++) {
		if (pthread_create(&thread, NULL, toucher, (void *)i))
			errx(1, "pthread_create");
	}

	taint = read_number("/proc/sys/kernel/tainted");
	after = taint;
	large = read_number(THP "stats/swpin");
	began = seconds();
	while (good && after == taint && seconds() - began < limit) {
		good = one_round(dev, ++round);
		after = read_number("/proc/sys/kernel/tainted");
	}
	large = read_number(THP "stats/swpin") - large;

	printf("LAB: %u rounds in %.1f s, %lu large folios read\n", round,
	       seconds() - began, large);
	if (!good)
		printf("LAB: FAIL: the memory does not have the content that was written\n");
	if (after != taint)
		printf("LAB: FAIL: the kernel is tainted: %lu -> %lu\n", taint, after);
	if (!large)
		printf("LAB: FAIL: no large folio was read, nothing is tested\n");
	return !good || after != taint || !large;
}
