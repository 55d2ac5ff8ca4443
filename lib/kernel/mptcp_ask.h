/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mptcp_ask - one question to the kernel's MPTCP path manager, and its answer.
 *
 * For the other mptcp_ files of this folder only.
 */
#ifndef MPTCP_ASK_H
#define MPTCP_ASK_H

#include <netlink/msg.h>

#include "kernel/mptcp.h"

/* An answer on its way to its caller. Return: 0 or -errno. */
typedef int mptcp_answer_fn(const struct nlmsghdr *hdr, void *data);

/** mptcp_begin() - a message; NULL: no memory */
struct nl_msg *mptcp_begin(const struct mptcp *mptcp, uint8_t command,
			   int flags);

/**
 * mptcp_ask() - send @msg, and pass its answers on until the last one
 * @msg: taken over; NULL: it could not be built
 * @fn:  may be NULL
 *
 * Return: 0 or -errno, the kernel's among others.
 */
int mptcp_ask(struct mptcp *mptcp, struct nl_msg *msg, mptcp_answer_fn *fn,
	      void *data);

/* One address of a message: an endpoint, or an end of a subflow. */
struct mptcp_put {
	int type; /* MPTCP_PM_ATTR_ADDR or _ADDR_REMOTE */
	const struct ip_addr *addr;
	uint16_t port; /* 0: left out */
	uint8_t id;    /* 0: left out, unless has_id */
	bool has_id;
	uint32_t flags; /* 0: left out, unless has_flags */
	bool has_flags;
};

/** mptcp_put_addr() - Return: 0 or -EMSGSIZE */
int mptcp_put_addr(struct nl_msg *msg, const struct mptcp_put *put);

#endif
