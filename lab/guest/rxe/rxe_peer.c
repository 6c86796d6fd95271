// SPDX-License-Identifier: GPL-2.0
/* Who reads and writes the victim's memory from afar, see rxe.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "rxe.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

/* Between one pair of a lane and the next */
#define PAUSE_MS	200

/* What is known of the content of a chunk */
enum known {
	OLD,		/* of the victim, or in the tail maybe nothing */
	EITHER,		/* a WRITE is under way, or has failed */
	NEW,		/* of the peer, or in the tail maybe nothing */
};

struct lane {
	uint64_t *buf;
	int pair;	/* -1: none is left */
	bool busy, write;
	size_t offset, size;
	enum rxe_phase phase;
	enum known before;
	long long next_ms;
};

static struct rxe_stage *st;
static struct rxe_end end;
static struct ibv_mr *mr;
static struct lane lanes[RXE_LANES];
static uint64_t *probe_buf;
static unsigned char known[RXE_CHUNKS];
static uint64_t seed = 1;

static size_t draw(size_t below)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % below;
}

static int post(int pair, bool write, uint64_t *buf, size_t offset, size_t size)
{
	struct ibv_sge sge = {
		.addr = (uintptr_t)buf, .length = size, .lkey = mr->lkey,
	};
	struct ibv_send_wr wr = {
		.wr_id = pair, .sg_list = &sge, .num_sge = 1,
		.opcode = write ? IBV_WR_RDMA_WRITE : IBV_WR_RDMA_READ,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { .remote_addr = st->addr + offset, .rkey = st->rkey },
	}, *bad;

	return -ibv_post_send(end.qp[pair], &wr, &bad);
}

static void lane_post(struct lane *l, enum rxe_lane nr)
{
	size_t chunk, i;

	l->phase = atomic_load(&st->phase);
	if (l->phase == RXE_REAPED) {
		l->pair = -1;
		return;
	}
	chunk = draw(RXE_SOLID / RXE_CHUNK);
	if (nr == RXE_TAIL_BOTH) {
		chunk = RXE_SOLID / RXE_CHUNK + draw(RXE_TAIL / RXE_CHUNK);
		l->write = !l->write;
	} else {
		l->write = nr == RXE_WRITE;
	}
	l->offset = chunk * RXE_CHUNK;
	l->size = RXE_CHUNK;
	if (l->write) {
		if (known[chunk] == OLD)
			known[chunk] = EITHER;
		for (i = 0; i < l->size / 8; i++)
			l->buf[i] = RXE_OF_PEER + l->offset + 8 * i;
	} else {
		i = 8 * draw(RXE_PAGE / 8);
		l->offset += i;
		l->size -= i;
		l->before = known[chunk];
		memset(l->buf, 0x55, l->size);
	}
	l->busy = !post(l->pair, l->write, l->buf, l->offset, l->size);
	if (!l->busy)
		atomic_fetch_add(&st->counts[l->phase].failed, 1);
}

static void lane_verify(struct lane *l)
{
	enum known after = known[l->offset / RXE_CHUNK];
	bool tail = l->offset >= RXE_SOLID;
	unsigned long wrong = 0;
	uint64_t word;
	size_t i;

	for (i = 0; i < l->size / 8; i++) {
		word = l->buf[i];
		if (after != OLD && word == RXE_OF_PEER + l->offset + 8 * i)
			continue;
		if (tail && !word)
			continue;
		if (!tail && l->before != NEW &&
		    word == RXE_OF_VICTIM + l->offset + 8 * i)
			continue;
		if (!wrong++ && !atomic_load(&st->wrong)) {
			st->wrong_word = word;
			st->wrong_offset = l->offset + 8 * i;
		}
	}
	atomic_fetch_add(&st->words, l->size / 8);
	atomic_fetch_add(&st->wrong, wrong);
}

static void lane_done(struct lane *l, enum ibv_wc_status status)
{
	struct rxe_counts *c = &st->counts[l->phase];

	l->busy = false;
	if (status == IBV_WC_SUCCESS) {
		if (l->write)
			known[l->offset / RXE_CHUNK] = NEW;
		else
			lane_verify(l);
		atomic_fetch_add(l->write ? &c->writes : &c->reads, 1);
		if (l->offset >= RXE_SOLID)
			atomic_fetch_add(&c->tail, 1);
		return;
	}
	if (status == IBV_WC_REM_ACCESS_ERR) {
		atomic_fetch_add(&c->refused, 1);
		st->lane_errors[l - lanes]++;
	} else {
		st->bad_status = status;
		atomic_fetch_add(&c->failed, 1);
	}
	l->pair = l->pair % RXE_LANE_PAIRS == RXE_LANE_PAIRS - 1 ? -1 :
		  l->pair + 1;
	l->next_ms = on_now_ms() + PAUSE_MS;
}

static void probe(int nr)
{
	int pair = RXE_LANES * RXE_LANE_PAIRS + nr;
	long long until = on_now_ms() + REAP_MS;
	size_t offset = st->probe_offset[nr], i;
	bool write = nr % 2;
	struct ibv_wc wc;

	for (i = 0; i < RXE_PAGE / 8; i++)
		probe_buf[i] = write ? RXE_OF_PEER + offset + 8 * i : 0x55;
	st->probe_status[nr] = -1;
	if (post(pair, write, probe_buf, offset, RXE_PAGE))
		return;
	while (on_now_ms() < until) {
		if (ibv_poll_cq(end.cq, 1, &wc) != 1) {
			on_sleep_ms(1);
		} else if (wc.wr_id == (uint64_t)pair) {
			st->probe_status[nr] = wc.status;
			st->probe_word[nr] = probe_buf[0];
			return;
		}
	}
}

/* Through the victim's own file, also when all its other threads are gone */
static void *advise_main(void *arg)
{
	struct rxe_counts *c;
	uint64_t state = 7;
	int *fd = arg, ret;

	for (;;) {
		c = &st->counts[atomic_load(&st->phase)];
		state = state * 6364136223846793005UL + 1442695040888963407UL;
		ret = rxe_advise(*fd, st->pd, st->lkey, st->addr +
				 (state >> 33) % (RXE_SOLID / RXE_ADVICE) * RXE_ADVICE,
				 RXE_ADVICE, true);
		atomic_fetch_add(ret ? &c->unadvised : &c->advised, 1);
		on_sleep_ms(ret ? 50 : 5);
	}
	return NULL;
}

static void work(void)
{
	long long now;
	struct ibv_wc wc;
	int i, left, done;

	for (;;) {
		now = on_now_ms();
		left = 0;
		for (i = 0; i < RXE_LANES; i++) {
			struct lane *l = &lanes[i];

			if (!l->busy && l->pair >= 0 && now >= l->next_ms)
				lane_post(l, i);
			left += l->busy || l->pair >= 0;
		}
		st->lanes_left = left;
		if (left) {
			if (ibv_poll_cq(end.cq, 1, &wc) == 1) {
				i = wc.wr_id / RXE_LANE_PAIRS;
				if (i < RXE_LANES && lanes[i].busy)
					lane_done(&lanes[i], wc.status);
			} else {
				usleep(200);
			}
			continue;
		}
		done = atomic_load(&st->probes_done);
		if (done < atomic_load(&st->probes)) {
			probe(done);
			atomic_store(&st->probes_done, done + 1);
		} else {
			on_sleep_ms(5);
		}
	}
}

static int set_up(int *fd)
{
	char *p;
	int i, ret, pidfd;

	ret = rxe_end_open(&end);
	if (ret)
		return ret;
	p = mmap(NULL, RXE_LANES * RXE_CHUNK + RXE_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		return -errno;
	mr = ibv_reg_mr(end.pd, p, RXE_LANES * RXE_CHUNK + RXE_PAGE,
			IBV_ACCESS_LOCAL_WRITE);
	if (!mr)
		return -errno;
	for (i = 0; i < RXE_LANES; i++) {
		lanes[i].buf = (void *)(p + i * RXE_CHUNK);
		lanes[i].pair = i * RXE_LANE_PAIRS;
	}
	probe_buf = (void *)(p + RXE_LANES * RXE_CHUNK);

	for (i = 0; i < RXE_PAIRS; i++)
		st->peer_qpn[i] = end.qp[i]->qp_num;
	atomic_store(&st->peer_there, 1);
	while (!atomic_load(&st->victim_there))
		on_sleep_ms(5);
	ret = rxe_end_connect(&end, st->victim_qpn);
	if (ret)
		return ret;

	pidfd = syscall(SYS_pidfd_open, st->victim, 0);
	if (pidfd < 0)
		return -errno;
	*fd = syscall(SYS_pidfd_getfd, pidfd, st->uverbs, 0);
	ret = *fd < 0 ? -errno : 0;
	close(pidfd);
	return ret;
}

void rxe_peer_main(struct rxe_stage *stage)
{
	pthread_t adviser;
	int fd, ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "rxe-peer");
	st = stage;
	ret = set_up(&fd);
	if (!ret)
		ret = -pthread_create(&adviser, NULL, advise_main, &fd);
	if (ret) {
		st->peer_error = ret;
		_exit(1);
	}
	atomic_store(&st->connected, 1);
	work();
}
