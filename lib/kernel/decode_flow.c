/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode_flow.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>

#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>

/*
 * Places in struct tcp_info, which only grows at its end. Its header and that
 * of the C library, which libnl includes, exclude each other.
 */
#define BYTES_ACKED_AT	  120
#define BYTES_RECEIVED_AT 128

#define UNANSWERED_MAX 2 /* tries in a row: more is a stall */
#define TIMER_WAIT     3 /* idiag_timer; only of sockets that are no more */

/* Both ends are of one family, or the socket is not connected. */
static int decode_ends(const struct inet_diag_msg *msg, struct flow *ret)
{
	const uint8_t *src = (const uint8_t *)msg->id.idiag_src;
	const uint8_t *dst = (const uint8_t *)msg->id.idiag_dst;
	uint8_t family = msg->idiag_family;

	if (family != AF_INET && family != AF_INET6)
		return -EBADMSG;
	ret->src = ip_addr_make(family, src);
	ret->dst = ip_addr_make(family, dst);
	/* One that was aborted has given its own address back by then. */
	if (ip_addr_is_mapped(&ret->dst) &&
	    (ip_addr_is_mapped(&ret->src) || ip_addr_is_any(&ret->src))) {
		ret->src = ip_addr_make(AF_INET, src + 12);
		ret->dst = ip_addr_make(AF_INET, dst + 12);
	}
	return 0;
}

static void decode_tcp_info(const struct nlattr *attr, struct flow *ret)
{
	const uint8_t *info = attr ? nla_data(attr) : NULL;

	if (!attr || nla_len(attr) < BYTES_RECEIVED_AT + 8)
		return; /* an older kernel's ends earlier */
	memcpy(&ret->bytes_acked, info + BYTES_ACKED_AT, 8);
	memcpy(&ret->bytes_received, info + BYTES_RECEIVED_AT, 8);
}

static int index_of(const struct nlattr *attr, const struct nlattr **table)
{
	return message_index(nla_data(attr), nla_len(attr), table);
}

static int decode_subflow(const struct nlattr *attr, struct flow *ret)
{
	const struct nlattr *of[MESSAGE_ATTRS];

	if (index_of(attr, of) ||
	    attr_u32(of[MPTCP_SUBFLOW_ATTR_TOKEN_LOC], &ret->token_local) ||
	    attr_u32(of[MPTCP_SUBFLOW_ATTR_TOKEN_REM], &ret->token_remote) ||
	    attr_u32(of[MPTCP_SUBFLOW_ATTR_FLAGS], &ret->subflow_flags) ||
	    attr_u8(of[MPTCP_SUBFLOW_ATTR_ID_LOC], &ret->id_local) ||
	    attr_u8(of[MPTCP_SUBFLOW_ATTR_ID_REM], &ret->id_remote))
		return -EBADMSG;
	return 0;
}

static int decode_ulp(const struct nlattr *attr, struct flow *ret)
{
	const struct nlattr *of[MESSAGE_ATTRS];

	if (!attr)
		return 0;
	if (index_of(attr, of))
		return -EBADMSG;
	if (!of[INET_ULP_INFO_MPTCP])
		return 0; /* TLS, for example */
	ret->mptcp = true;
	return decode_subflow(of[INET_ULP_INFO_MPTCP], ret);
}

/*
 * A socket that nobody has open any more waits for its peer's FIN as for the
 * end of TIME_WAIT, in the same small form, but says FIN_WAIT2 (6.18).
 */
static uint8_t state_of(const struct inet_diag_msg *msg)
{
	return msg->idiag_timer == TIMER_WAIT ? TCP_TIME_WAIT
					      : msg->idiag_state;
}

int decode_flow(const struct nlmsghdr *hdr, struct flow *ret)
{
	const struct inet_diag_msg *msg;
	struct message message;
	struct flow flow = {0};

	if (message_parse(hdr, sizeof(*msg), &message))
		return -EBADMSG;
	msg = message.body;
	decode_tcp_info(message.attr[INET_DIAG_INFO], &flow);
	if (decode_ends(msg, &flow) ||
	    decode_ulp(message.attr[INET_DIAG_ULP_INFO], &flow))
		return -EBADMSG;
	flow.sport = ntohs(msg->id.idiag_sport);
	flow.dport = ntohs(msg->id.idiag_dport);
	flow.state = state_of(msg);
	flow.cookie = (uint64_t)msg->id.idiag_cookie[1] << 32 |
		      msg->id.idiag_cookie[0];
	flow.inode = msg->idiag_inode;
	flow.oif = msg->id.idiag_if;
	flow.stalled = msg->idiag_retrans >= UNANSWERED_MAX;
	*ret = flow;
	return 0;
}
