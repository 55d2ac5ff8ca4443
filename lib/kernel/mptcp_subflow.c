/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/mptcp_subflow.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/mptcp.h>
#include <netlink/attr.h>

#include "kernel/decode_mptcp.h"
#include "kernel/mptcp_ask.h"

/* What every command names. */
struct command {
	uint8_t code;
	uint32_t token;
	struct mptcp_put local; /* no type: none */
	struct mptcp_put remote;
};

static int put_command(struct nl_msg *msg, const struct command *command)
{
	if (nla_put_u32(msg, MPTCP_PM_ATTR_TOKEN, command->token) ||
	    (command->local.type && mptcp_put_addr(msg, &command->local)) ||
	    (command->remote.type && mptcp_put_addr(msg, &command->remote)))
		return -EMSGSIZE;
	return 0;
}

static int run(struct mptcp *mptcp, const struct command *command)
{
	struct nl_msg *msg = mptcp_begin(mptcp, command->code, NLM_F_ACK);

	if (msg && put_command(msg, command)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return mptcp_ask(mptcp, msg, NULL, NULL);
}

int mptcp_subflow_create(struct mptcp *mptcp,
			 const struct mptcp_subflow *subflow)
{
	const struct command command = {
		.code = MPTCP_PM_CMD_SUBFLOW_CREATE,
		.token = subflow->token,
		.local = {.type = MPTCP_PM_ATTR_ADDR,
			  .addr = &subflow->ends.src,
			  .id = subflow->id_local,
			  .has_id = true,
			  .flags = ENDPOINT_SUBFLOW |
				   (subflow->backup ? ENDPOINT_BACKUP : 0)},
		.remote = {.type = MPTCP_PM_ATTR_ADDR_REMOTE,
			   .addr = &subflow->ends.dst,
			   .port = subflow->ends.dport},
	};

	return run(mptcp, &command);
}

static struct ip_addr mapped(const struct ip_addr *v4)
{
	uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};

	memcpy(bytes + 12, v4->bytes, 4);
	return ip_addr_make(AF_INET6, bytes);
}

static int destroy(struct mptcp *mptcp, uint32_t token,
		   const struct mptcp_ends *ends)
{
	const struct command command = {
		.code = MPTCP_PM_CMD_SUBFLOW_DESTROY,
		.token = token,
		.local = {.type = MPTCP_PM_ATTR_ADDR,
			  .addr = &ends->src,
			  .port = ends->sport},
		.remote = {.type = MPTCP_PM_ATTR_ADDR_REMOTE,
			   .addr = &ends->dst,
			   .port = ends->dport},
	};

	return run(mptcp, &command);
}

/*
 * The kernel looks among sockets of the addresses' family, and IPv4 may run on
 * one of IPv6: what a server on [::] accepts does. It is only found by its
 * mapped addresses (6.18).
 */
int mptcp_subflow_destroy(struct mptcp *mptcp, uint32_t token,
			  const struct mptcp_ends *ends)
{
	struct mptcp_ends other = *ends;
	int error = destroy(mptcp, token, ends);

	if (error != -ESRCH || ends->src.family != AF_INET)
		return error;
	other.src = mapped(&ends->src);
	other.dst = mapped(&ends->dst);
	return destroy(mptcp, token, &other);
}

int mptcp_subflow_mark(struct mptcp *mptcp, uint32_t token,
		       const struct mptcp_ends *ends, bool backup)
{
	const struct command command = {
		.code = MPTCP_PM_CMD_SET_FLAGS,
		.token = token,
		.local = {.type = MPTCP_PM_ATTR_ADDR,
			  .addr = &ends->src,
			  .port = ends->sport,
			  .flags = backup ? ENDPOINT_BACKUP : 0,
			  .has_flags = true},
		.remote = {.type = MPTCP_PM_ATTR_ADDR_REMOTE,
			   .addr = &ends->dst,
			   .port = ends->dport},
	};

	return run(mptcp, &command);
}

int mptcp_announce(struct mptcp *mptcp, uint32_t token,
		   const struct ip_addr *addr, uint8_t id)
{
	const struct command command = {
		.code = MPTCP_PM_CMD_ANNOUNCE,
		.token = token,
		.local = {.type = MPTCP_PM_ATTR_ADDR,
			  .addr = addr,
			  .id = id,
			  .flags = ENDPOINT_SIGNAL},
	};

	return run(mptcp, &command);
}

int mptcp_withdraw(struct mptcp *mptcp, uint32_t token, uint8_t id)
{
	struct nl_msg *msg = mptcp_begin(mptcp, MPTCP_PM_CMD_REMOVE, NLM_F_ACK);

	if (msg && (nla_put_u32(msg, MPTCP_PM_ATTR_TOKEN, token) ||
		    nla_put_u8(msg, MPTCP_PM_ATTR_LOC_ID, id))) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return mptcp_ask(mptcp, msg, NULL, NULL);
}

static int take_local(const struct nlmsghdr *hdr, void *data)
{
	struct endpoint_vec *ret = data;
	struct endpoint endpoint;

	/* What cannot be read is left out: it is only a hint. */
	if (decode_endpoint(hdr, &endpoint) == 0)
		vec_push(ret, endpoint);
	return 0;
}

static int list_local(struct mptcp *mptcp, uint32_t token,
		      struct endpoint_vec *ret)
{
	struct nl_msg *msg =
		mptcp_begin(mptcp, MPTCP_PM_CMD_GET_ADDR, NLM_F_DUMP);

	if (msg && nla_put_u32(msg, MPTCP_PM_ATTR_TOKEN, token)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return mptcp_ask(mptcp, msg, take_local, ret);
}

/* No connection has token 0: who looks for it says so. */
bool mptcp_tells_local(struct mptcp *mptcp)
{
	struct endpoint_vec none = {0};
	int error = list_local(mptcp, 0, &none);

	vec_done(&none);
	return error == -EINVAL;
}

int mptcp_list_local(struct mptcp *mptcp, uint32_t token,
		     struct endpoint_vec *ret)
{
	if (!mptcp_tells_local(mptcp))
		return -EOPNOTSUPP;
	return list_local(mptcp, token, ret);
}
