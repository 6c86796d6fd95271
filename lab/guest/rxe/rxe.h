/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A victim whose memory is an on-demand paging MR of soft-RoCE, a peer that
 * reads and writes it over the (looped back) network, and a bystander that gets
 * the pages once they are freed: rxe-victim.
 *
 * Functions return 0 or a negative errno unless said otherwise.
 */
#ifndef LAB_RXE_H
#define LAB_RXE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <infiniband/verbs.h>

#include "real.h"

#define RXE_PAGE	4096UL
/* Filled before it is registered; and behind it what only page faults bring in */
#define RXE_SOLID	(112 * ON_MIB)
#define RXE_TAIL	(16 * ON_MIB)
#define RXE_SIZE	(RXE_SOLID + RXE_TAIL)
/* An RDMA READ or WRITE has up to so much */
#define RXE_CHUNK	(16 * ON_KIB)
#define RXE_CHUNKS	(RXE_SIZE / RXE_CHUNK)
#define RXE_ADVICE	(2 * ON_MIB)

/*
 * A queue pair is of no use after its first error, so there are many. A lane
 * goes on with its next one, so that it meets the reaped memory more than once.
 */
enum rxe_lane {
	RXE_READ_ONE,
	RXE_READ_TWO,
	RXE_WRITE,
	RXE_TAIL_BOTH,		/* in the tail, in turns */
	RXE_LANES,
};

#define RXE_LANE_PAIRS	4
#define RXE_PROBES	32	/* while the victim is stuck and reaped */
#define RXE_LATE	4	/* when it is gone */
#define RXE_PAIRS	(RXE_LANES * RXE_LANE_PAIRS + RXE_PROBES + RXE_LATE)

/* Each word says who wrote it, and where it belongs */
#define RXE_OF_VICTIM	(0x7663UL << 48)
#define RXE_OF_PEER	(0x7065UL << 48)
#define RXE_OF_OTHER	(0x6f74UL << 48)
#define RXE_WHO		(0xffffUL << 48)

enum rxe_phase {
	RXE_ALIVE,		/* all have to succeed */
	RXE_KILLED,		/* by the OOM killer, maybe reaped */
	RXE_REAPED,		/* none may succeed */
	RXE_PHASES,
};

struct rxe_counts {
	atomic_ulong reads, writes, advised;	/* that succeeded */
	atomic_ulong tail;			/* of the reads and writes */
	atomic_ulong refused;			/* IBV_WC_REM_ACCESS_ERR */
	atomic_ulong failed;			/* otherwise */
	atomic_ulong unadvised;			/* prefetches that failed */
};

/* Of a victim, its peer and its bystander; in shared memory */
struct rxe_stage {
	atomic_int phase;

	/* The two ends of each pair */
	uint32_t peer_qpn[RXE_PAIRS], victim_qpn[RXE_PAIRS];
	atomic_int peer_there, victim_there, connected;
	int peer_error;
	/* The memory, and how prefetches of it are asked for */
	uint64_t addr;
	uint32_t rkey, lkey, pd;
	int uverbs;
	pid_t victim;

	struct rxe_counts counts[RXE_PHASES];	/* by when it was posted */
	atomic_ulong async;			/* prefetches that the victim queued */
	atomic_ulong dropped;			/* times that it dropped the tail */
	atomic_ulong words, wrong;		/* that were read */
	uint64_t wrong_word, wrong_offset;	/* the first of these */
	int bad_status;				/* of what "failed", the last one */
	int lanes_left;
	unsigned int lane_errors[RXE_LANES];	/* IBV_WC_REM_ACCESS_ERR */

	/* The peer does them when told to */
	atomic_int probes, probes_done;
	size_t probe_offset[RXE_PROBES + RXE_LATE];
	/* An enum ibv_wc_status, or -1 */
	int probe_status[RXE_PROBES + RXE_LATE];
	uint64_t probe_word[RXE_PROBES + RXE_LATE];

	/* The bystander: how many steps it is to have, and has */
	atomic_int steps, steps_there;
	uint64_t big_addr;
	atomic_ulong passes, spoilt;
	uint64_t spoilt_word;
};

/* An open device, and the queue pairs of one process */
struct rxe_end {
	struct ibv_context *ctx;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *qp[RXE_PAIRS];
	union ibv_gid gid;
	int gid_index;
};

/* Make soft-RoCE's device on the network device @name, if there is none yet */
int rxe_link_add(const char *name);
int rxe_end_open(struct rxe_end *e);
int rxe_end_connect(struct rxe_end *e, const uint32_t *qpn);
/* ibv_advise_mr(), which the library has not for soft-RoCE; write access */
int rxe_advise(int uverbs, uint32_t pd, uint32_t lkey, uint64_t addr,
	       uint32_t size, bool wait);

/* Processes; they never return, and end when they are killed */
void rxe_peer_main(struct rxe_stage *st);
void rxe_other_main(struct rxe_stage *st);
#define RXE_STEP	(32 * ON_MIB)
#define RXE_STEPS	24

#endif /* LAB_RXE_H */
