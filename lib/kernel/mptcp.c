/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/mptcp.h"

#include <errno.h>
#include <netinet/in.h>

#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "kernel/decode_mptcp.h"
#include "kernel/message.h"
#include "kernel/mptcp_ask.h"
#include "kernel/nl_sock.h"

#define TIMEOUT_S 5

struct mptcp {
	struct nl_sock *sock;
	int family; /* the number of "mptcp_pm" */
	uint32_t sequence;
	void *buffer; /* NL_SOCK_BUFFER bytes */
};

static int open_socket(struct mptcp *mptcp)
{
	int error = nl_sock_open(NETLINK_GENERIC, &mptcp->sock);

	if (!error)
		error = nl_sock_set_receive_timeout(mptcp->sock, TIMEOUT_S);
	if (error)
		return error;
	mptcp->family = nl_sock_resolve(mptcp->sock, MPTCP_PM_NAME, NULL);
	return mptcp->family < 0 ? mptcp->family : 0;
}

int mptcp_open(struct mptcp **ret)
{
	struct mptcp *mptcp = xalloc(sizeof(*mptcp));
	int error = open_socket(mptcp);

	if (error) {
		mptcp_free(mptcp);
		return error;
	}
	mptcp->buffer = xalloc(NL_SOCK_BUFFER);
	*ret = mptcp;
	return 0;
}

void mptcp_free(struct mptcp *mptcp)
{
	if (!mptcp)
		return;
	nl_sock_free(mptcp->sock);
	free(mptcp->buffer);
	free(mptcp);
}

/* --- one question and its answer --- */

/* Return: 1 to go on, 0 at the end, or -errno. */
static int take(const struct mptcp *mptcp, const struct nlmsghdr *hdr,
		mptcp_answer_fn *fn, void *data)
{
	const struct nlmsgerr *failure = nlmsg_data(hdr);
	int error;

	if (hdr->nlmsg_seq != mptcp->sequence)
		return 1; /* of an earlier question that was given up */
	if (hdr->nlmsg_type == NLMSG_DONE)
		return message_end(hdr);
	if (hdr->nlmsg_type == NLMSG_ERROR) {
		if (!nlmsg_valid_hdr(hdr, sizeof(*failure)))
			return -EBADMSG;
		return failure->error;
	}
	error = fn ? fn(hdr, data) : 0;
	return error ? error : 1;
}

static int read_answer(struct mptcp *mptcp, mptcp_answer_fn *fn, void *data)
{
	int state = 1;

	while (state > 0) {
		const struct nlmsghdr *hdr = mptcp->buffer;
		int len = nl_sock_receive(mptcp->sock, mptcp->buffer, true);

		if (len <= 0)
			return len ? len : -ETIMEDOUT;
		for (; state > 0 && nlmsg_ok(hdr, len);
		     hdr = nlmsg_next((struct nlmsghdr *)hdr, &len))
			state = take(mptcp, hdr, fn, data);
	}
	return state;
}

struct nl_msg *mptcp_begin(const struct mptcp *mptcp, uint8_t command,
			   int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, 0, mptcp->family, 0,
				NLM_F_REQUEST | flags, command, MPTCP_PM_VER)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

int mptcp_ask(struct mptcp *mptcp, struct nl_msg *msg, mptcp_answer_fn *fn,
	      void *data)
{
	int error;

	if (!msg)
		return -ENOMEM;
	nlmsg_hdr(msg)->nlmsg_seq = ++mptcp->sequence;
	error = nl_sock_send(mptcp->sock, nlmsg_hdr(msg),
			     nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
	return error ? error : read_answer(mptcp, fn, data);
}

/* --- endpoints --- */

static int take_endpoint(const struct nlmsghdr *hdr, void *data)
{
	struct endpoint_vec *ret = data;
	struct endpoint endpoint;
	int error = decode_endpoint(hdr, &endpoint);

	if (error)
		return error;
	vec_push(ret, endpoint);
	return 0;
}

int mptcp_list(struct mptcp *mptcp, struct endpoint_vec *ret)
{
	return mptcp_ask(mptcp,
			 mptcp_begin(mptcp, MPTCP_PM_CMD_GET_ADDR, NLM_F_DUMP),
			 take_endpoint, ret);
}

int mptcp_put_addr(struct nl_msg *msg, const struct mptcp_put *put)
{
	bool is_v4 = put->addr->family == AF_INET;
	struct nlattr *nested = nla_nest_start(msg, put->type);

	if (!nested ||
	    nla_put_u16(msg, MPTCP_PM_ADDR_ATTR_FAMILY, put->addr->family) ||
	    nla_put(msg,
		    is_v4 ? MPTCP_PM_ADDR_ATTR_ADDR4 : MPTCP_PM_ADDR_ATTR_ADDR6,
		    is_v4 ? 4 : 16, put->addr->bytes))
		return -EMSGSIZE;
	if ((put->flags || put->has_flags) &&
	    nla_put_u32(msg, MPTCP_PM_ADDR_ATTR_FLAGS, put->flags))
		return -EMSGSIZE;
	if ((put->id || put->has_id) &&
	    nla_put_u8(msg, MPTCP_PM_ADDR_ATTR_ID, put->id))
		return -EMSGSIZE;
	if (put->port && nla_put_u16(msg, MPTCP_PM_ADDR_ATTR_PORT, put->port))
		return -EMSGSIZE;
	nla_nest_end(msg, nested);
	return 0;
}

static int change(struct mptcp *mptcp, uint8_t command,
		  const struct endpoint *endpoint)
{
	const struct mptcp_put put = {
		.type = MPTCP_PM_ATTR_ADDR,
		.addr = &endpoint->addr,
		.id = endpoint->id,
		.flags = endpoint->flags,
		.has_flags = true,
	};
	struct nl_msg *msg = mptcp_begin(mptcp, command, NLM_F_ACK);

	if (msg && mptcp_put_addr(msg, &put)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return mptcp_ask(mptcp, msg, NULL, NULL);
}

int mptcp_add(struct mptcp *mptcp, const struct endpoint *endpoint)
{
	return change(mptcp, MPTCP_PM_CMD_ADD_ADDR, endpoint);
}

int mptcp_delete(struct mptcp *mptcp, const struct endpoint *endpoint)
{
	return change(mptcp, MPTCP_PM_CMD_DEL_ADDR, endpoint);
}

/* --- limits --- */

static int take_limits(const struct nlmsghdr *hdr, void *data)
{
	return decode_limits(hdr, data);
}

int mptcp_get_limits(struct mptcp *mptcp, struct mptcp_limits *ret)
{
	struct mptcp_limits limits = {0};
	int error = mptcp_ask(
		mptcp, mptcp_begin(mptcp, MPTCP_PM_CMD_GET_LIMITS, NLM_F_ACK),
		take_limits, &limits);

	if (!error)
		*ret = limits;
	return error;
}

int mptcp_set_limits(struct mptcp *mptcp, const struct mptcp_limits *limits)
{
	struct nl_msg *msg =
		mptcp_begin(mptcp, MPTCP_PM_CMD_SET_LIMITS, NLM_F_ACK);

	if (msg &&
	    (nla_put_u32(msg, MPTCP_PM_ATTR_SUBFLOWS, limits->subflows) ||
	     nla_put_u32(msg, MPTCP_PM_ATTR_RCV_ADD_ADDRS, limits->accepted))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return mptcp_ask(mptcp, msg, NULL, NULL);
}
