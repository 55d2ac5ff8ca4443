/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mptcp_listener - events of all MPTCP connections of this network namespace.
 *
 * While somebody listens, the kernel lets peers open subflows on connections
 * whose path manager is in user space (6.18); joining needs CAP_NET_ADMIN.
 */
#ifndef MPTCP_LISTENER_H
#define MPTCP_LISTENER_H

#include "core/mptcp_event.h"

struct mptcp_listener;

typedef void mptcp_event_fn(const struct mptcp_event *event, void *data);

/**
 * mptcp_listener_open()
 *
 * Return: 0; -ENOENT: this kernel has no MPTCP, or none of its events; -EPERM;
 * or -errno.
 */
int mptcp_listener_open(struct mptcp_listener **ret);
void mptcp_listener_free(struct mptcp_listener *listener);

/** mptcp_listener_fd() - to wait for input */
int mptcp_listener_fd(const struct mptcp_listener *listener);

/**
 * mptcp_listener_receive() - pass on what is queued, at most @max messages
 *
 * Return: how many were taken; -ENOBUFS: some were lost; or -errno.
 */
int mptcp_listener_receive(struct mptcp_listener *listener, size_t max,
			   mptcp_event_fn *fn, void *data);

/**
 * mptcp_listener_others() - netlink ports of others who listen, mostly the
 * process's number
 * @listener: that does not count; may be NULL
 * @ret:      at most @max are filled in
 *
 * Return: how many there are; 0 also where it cannot be told.
 */
size_t mptcp_listener_others(const struct mptcp_listener *listener,
			     uint32_t *ret, size_t max);

#endif
