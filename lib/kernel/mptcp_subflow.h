/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mptcp_subflow - what a path manager in user space tells the kernel to do.
 *
 * Only for connections that began while net.mptcp.path_manager was "userspace";
 * for others the kernel answers -EINVAL. Needs CAP_NET_ADMIN. The commands
 * answer at once; what comes of them is told by events (mptcp_listener.h).
 */
#ifndef MPTCP_SUBFLOW_H
#define MPTCP_SUBFLOW_H

#include "core/mptcp_event.h"
#include "kernel/mptcp.h"

/* A subflow to open. */
struct mptcp_subflow {
	uint32_t token;
	struct mptcp_ends ends; /* sport 0: the kernel chooses */
	/* Of the source; it stays the same all along the connection. */
	uint8_t id_local;
	bool backup;
};

/**
 * mptcp_subflow_create() - its SYN is sent
 *
 * Return: 0; -EINVAL: no such connection, or it is not ours to manage, or the
 * address has another id there; -EHOSTUNREACH, -ENETUNREACH: no route;
 * -EADDRNOTAVAIL: the source is not this host's; or -errno.
 */
int mptcp_subflow_create(struct mptcp *mptcp,
			 const struct mptcp_subflow *subflow);

/** mptcp_subflow_destroy() - Return: 0; -ESRCH: there is none; or -errno */
int mptcp_subflow_destroy(struct mptcp *mptcp, uint32_t token,
			  const struct mptcp_ends *ends);

/**
 * mptcp_subflow_mark() - whether it is a backup; the peer is told (MP_PRIO)
 *
 * For what mptcp_subflow_create() does not do everywhere: Linux 6.1 takes the
 * flag and forgets it.
 * Return: 0; -EINVAL: there is no such subflow; or -errno.
 */
int mptcp_subflow_mark(struct mptcp *mptcp, uint32_t token,
		       const struct mptcp_ends *ends, bool backup);

/** mptcp_announce() - tell the peer of an address; @id: as above */
int mptcp_announce(struct mptcp *mptcp, uint32_t token,
		   const struct ip_addr *addr, uint8_t id);

/** mptcp_withdraw() - of an address; the peer closes its subflows to it
 *
 * Return: 0; -EINVAL: no such id; or -errno.
 */
int mptcp_withdraw(struct mptcp *mptcp, uint32_t token, uint8_t id);

/**
 * mptcp_tells_local() - whether mptcp_list_local() can be asked: since 6.10
 *
 * Older kernels do not look at the connection and list their own endpoints.
 */
bool mptcp_tells_local(struct mptcp *mptcp);

/**
 * mptcp_list_local() - addresses and their ids that a connection knows
 * @ret: appended
 *
 * Return: 0; -EOPNOTSUPP: the kernel does not tell; -EINVAL: none of ours.
 */
int mptcp_list_local(struct mptcp *mptcp, uint32_t token,
		     struct endpoint_vec *ret);

#endif
