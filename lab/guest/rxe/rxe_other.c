// SPDX-License-Identifier: GPL-2.0
/*
 * A bystander, which has nothing to do with the victim but gets its pages: at
 * first a little memory again and again, then a lot to be kept, see rxe.h.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "rxe.h"

#define LITTLE	(4 * ON_MIB)

static void fill(uint64_t *p, size_t size)
{
	size_t i;

	for (i = 0; i < size / 8; i++)
		p[i] = RXE_OF_OTHER + 8 * i;
}

static uint64_t *mapped(size_t size)
{
	void *p;

	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		_exit(1);
	madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

static void look(struct rxe_stage *st, volatile uint64_t *p, size_t size)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < size / 8; i++) {
		word = p[i];
		if (word == RXE_OF_OTHER + 8 * i)
			continue;
		if (!atomic_fetch_add(&st->spoilt, 1))
			st->spoilt_word = word;
	}
}

void rxe_other_main(struct rxe_stage *st)
{
	uint64_t *p;
	int i, k;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "rxe-other");
	while (!atomic_load(&st->steps)) {
		p = mapped(LITTLE);
		fill(p, LITTLE);
		look(st, p, LITTLE);
		munmap(p, LITTLE);
		on_sleep_ms(20);
	}

	p = mapped(RXE_STEPS * RXE_STEP);
	st->big_addr = (uintptr_t)p;
	for (i = 0; ; ) {
		while (i < atomic_load(&st->steps)) {
			fill(p + i * RXE_STEP / 8, RXE_STEP);
			atomic_store(&st->steps_there, ++i);
		}
		for (k = 0; k < i; k++)
			look(st, p + k * RXE_STEP / 8, RXE_STEP);
		atomic_fetch_add(&st->passes, 1);
		on_sleep_ms(20);
	}
}
