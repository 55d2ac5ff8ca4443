/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mptcp - the kernel's MPTCP path manager: endpoints and limits.
 *
 * By generic netlink, synchronously: the kernel answers within the call.
 * Listing needs no rights, changing needs CAP_NET_ADMIN. docs/kernel-notes.md
 * has what the kernel does with endpoints.
 */
#ifndef MPTCP_H
#define MPTCP_H

#include "core/endpoint.h"

struct mptcp;

/**
 * mptcp_open()
 *
 * Return: 0; -ENOENT: this kernel has no MPTCP; or -errno.
 */
int mptcp_open(struct mptcp **ret);
void mptcp_free(struct mptcp *mptcp);

/**
 * mptcp_list() - all endpoints, in the order in which the kernel has them
 * @ret: appended
 */
int mptcp_list(struct mptcp *mptcp, struct endpoint_vec *ret);

/**
 * mptcp_add() - an endpoint; the kernel gives it its id
 *
 * Running connections that have room for another subflow open one at once.
 * Return: 0; -EEXIST: there is one of this address; -ERANGE: there are as many
 * as there may be; or -errno.
 */
int mptcp_add(struct mptcp *mptcp, const struct endpoint *endpoint);

/**
 * mptcp_delete() - by id; its subflows are closed
 *
 * Return: 0; -EINVAL: there is none; or -errno.
 */
int mptcp_delete(struct mptcp *mptcp, const struct endpoint *endpoint);

/* How many a connection may have. */
struct mptcp_limits {
	uint32_t subflows; /* besides the first one */
	uint32_t accepted; /* addresses announced by the peer */
};

int mptcp_get_limits(struct mptcp *mptcp, struct mptcp_limits *ret);
int mptcp_set_limits(struct mptcp *mptcp, const struct mptcp_limits *limits);

#endif
