// SPDX-License-Identifier: GPL-2.0
/* Soft-RoCE's device and queue pairs, see rxe.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/netlink.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_netlink.h>
#include <rdma/rdma_user_ioctl_cmds.h>

/* Of all drivers only this one gets into a static program */
#define RDMA_STATIC_PROVIDERS	rxe
#include "rxe.h"

static void add_string(struct nlmsghdr *msg, int type, const char *text)
{
	struct nlattr *attr = (void *)((char *)msg + NLMSG_ALIGN(msg->nlmsg_len));

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + strlen(text) + 1;
	memcpy((char *)attr + NLA_HDRLEN, text, strlen(text) + 1);
	msg->nlmsg_len = NLMSG_ALIGN(msg->nlmsg_len) + NLA_ALIGN(attr->nla_len);
}

int rxe_link_add(const char *name)
{
	union {
		struct nlmsghdr msg;
		char space[512];
	} u = { .msg = {
		.nlmsg_len = NLMSG_HDRLEN,
		.nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_NEWLINK),
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
	} };
	int fd, ret = 0;

	if (!access("/sys/class/infiniband/rxe0", F_OK))
		return 0;
	add_string(&u.msg, RDMA_NLDEV_ATTR_DEV_NAME, "rxe0");
	add_string(&u.msg, RDMA_NLDEV_ATTR_LINK_TYPE, "rxe");
	add_string(&u.msg, RDMA_NLDEV_ATTR_NDEV_NAME, name);

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_RDMA);
	if (fd < 0)
		return -errno;
	if (send(fd, &u.msg, u.msg.nlmsg_len, 0) < 0 ||
	    recv(fd, &u, sizeof(u), 0) < (ssize_t)NLMSG_LENGTH(sizeof(int)))
		ret = errno ? -errno : -EIO;
	else
		ret = ((struct nlmsgerr *)NLMSG_DATA(&u.msg))->error;
	close(fd);
	return ret;
}

/* That of the network device's IPv4 address comes a bit later */
static int find_gid(struct rxe_end *e)
{
	static const uint8_t v4[12] = { [10] = 0xff, [11] = 0xff };
	long long end = on_now_ms() + SOON_MS;
	int i;

	do {
		for (i = 0; i < 16; i++) {
			if (ibv_query_gid(e->ctx, 1, i, &e->gid))
				continue;
			if (!memcmp(e->gid.raw, v4, sizeof(v4))) {
				e->gid_index = i;
				return 0;
			}
		}
		on_sleep_ms(50);
	} while (on_now_ms() < end);
	return -EADDRNOTAVAIL;
}

int rxe_end_open(struct rxe_end *e)
{
	struct ibv_qp_init_attr init = {
		.cap = {
			.max_send_wr = 4, .max_recv_wr = 1,
			.max_send_sge = 1, .max_recv_sge = 1,
		},
		.qp_type = IBV_QPT_RC,
	};
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE,
	};
	struct ibv_device **list;
	int i, ret;

	list = ibv_get_device_list(NULL);
	if (!list || !list[0])
		return -ENODEV;
	e->ctx = ibv_open_device(list[0]);
	ibv_free_device_list(list);
	if (!e->ctx)
		return -ENXIO;
	ret = find_gid(e);
	if (ret)
		return ret;
	e->pd = ibv_alloc_pd(e->ctx);
	e->cq = ibv_create_cq(e->ctx, 4 * RXE_PAIRS, NULL, NULL, 0);
	if (!e->pd || !e->cq)
		return -ENOMEM;

	init.send_cq = e->cq;
	init.recv_cq = e->cq;
	for (i = 0; i < RXE_PAIRS; i++) {
		e->qp[i] = ibv_create_qp(e->pd, &init);
		if (!e->qp[i])
			return -errno;
		ret = ibv_modify_qp(e->qp[i], &attr,
				    IBV_QP_STATE | IBV_QP_PKEY_INDEX |
				    IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
		if (ret)
			return -ret;
	}
	return 0;
}

int rxe_end_connect(struct rxe_end *e, const uint32_t *qpn)
{
	struct ibv_qp_attr attr = {
		.path_mtu = IBV_MTU_4096,
		.max_dest_rd_atomic = 4, .max_rd_atomic = 4,
		.min_rnr_timer = 12, .rnr_retry = 7, .retry_cnt = 7,
		/* 4 s: a page fault may wait for the reaper */
		.timeout = 20,
		.ah_attr = {
			.is_global = 1, .port_num = 1,
			.grh = {
				.dgid = e->gid, .hop_limit = 64,
				.sgid_index = e->gid_index,
			},
		},
	};
	int i, ret;

	for (i = 0; i < RXE_PAIRS; i++) {
		attr.qp_state = IBV_QPS_RTR;
		attr.dest_qp_num = qpn[i];
		ret = ibv_modify_qp(e->qp[i], &attr,
				    IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
				    IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
				    IBV_QP_MAX_DEST_RD_ATOMIC |
				    IBV_QP_MIN_RNR_TIMER);
		if (ret)
			return -ret;
		attr.qp_state = IBV_QPS_RTS;
		ret = ibv_modify_qp(e->qp[i], &attr,
				    IBV_QP_STATE | IBV_QP_TIMEOUT |
				    IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
				    IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC);
		if (ret)
			return -ret;
	}
	return 0;
}

int rxe_advise(int uverbs, uint32_t pd, uint32_t lkey, uint64_t addr,
	       uint32_t size, bool wait)
{
	struct ib_uverbs_sge sge = { .addr = addr, .length = size, .lkey = lkey };
	struct {
		struct ib_uverbs_ioctl_hdr hdr;
		struct ib_uverbs_attr attr[4];
	} cmd = {
		.hdr = {
			.length = sizeof(cmd), .object_id = UVERBS_OBJECT_MR,
			.method_id = UVERBS_METHOD_ADVISE_MR, .num_attrs = 4,
			.driver_id = RDMA_DRIVER_RXE,
		},
		.attr = {
			{ .attr_id = UVERBS_ATTR_ADVISE_MR_PD_HANDLE, .data = pd },
			{ .attr_id = UVERBS_ATTR_ADVISE_MR_ADVICE, .len = 8,
			  .data = IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH_WRITE },
			{ .attr_id = UVERBS_ATTR_ADVISE_MR_FLAGS, .len = 4,
			  .data = wait ? IB_UVERBS_ADVISE_MR_FLAG_FLUSH : 0 },
			{ .attr_id = UVERBS_ATTR_ADVISE_MR_SGE_LIST,
			  .len = sizeof(sge), .data = (uintptr_t)&sge },
		},
	};
	int i;

	for (i = 0; i < 4; i++)
		cmd.attr[i].flags = UVERBS_ATTR_F_MANDATORY;
	return ioctl(uverbs, RDMA_VERBS_IOCTL, &cmd) ? -errno : 0;
}
