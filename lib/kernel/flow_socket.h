/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow_socket - the TCP connections of this host, by sock_diag.
 *
 * Nobody tells of a connection that begins: they are listed when it matters.
 * The kernel walks all sockets of all network namespaces for a listing, however
 * few it returns, so one listing asks for several sources at once. Ends of
 * connections are told to who listens; those that nobody waits for are dropped
 * in the kernel (flow_filter.h).
 *
 * Two sockets, as in kernel.h: one asks and is used synchronously, one listens.
 */
#ifndef FLOW_SOCKET_H
#define FLOW_SOCKET_H

#include "core/flow.h"

struct flow_socket;

/**
 * flow_socket_open() - ready to list; it does not listen yet
 *
 * Needs no rights. Return: 0, or -EPROTONOSUPPORT: no sock_diag in this kernel.
 */
int flow_socket_open(struct flow_socket **ret);
void flow_socket_free(struct flow_socket *flows);

/** flow_socket_is_any() - as flow_counts_any() */
bool flow_socket_is_any(struct flow_socket *flows);

/** flow_socket_begun() - as flow_counts_begun() */
bool flow_socket_begun(struct flow_socket *flows, uint64_t *ret);

/**
 * flow_socket_list() - call @fn for each established or closing connection
 * @fn: may not call anything of this file
 *
 * Not those in TIME_WAIT or LISTEN, and not what is left of one that was closed
 * while its peer's end is open (FIN_WAIT2). An IPv4 prefix also finds the flows
 * of IPv6 sockets with IPv4-mapped addresses.
 *
 * The kernel leaves out those that are not asked for: they take it some 0.3
 * microseconds each, those that are told and taken in six times as long.
 *
 * Return: 0; -ENOENT or -EOPNOTSUPP: this kernel has no sock_diag for TCP; or
 * -errno: some may have been passed on already. The next one starts afresh.
 */
int flow_socket_list(struct flow_socket *flows, const struct flow_query *query,
		     flow_fn *fn, void *data);

/**
 * flow_socket_watch() - whose ends of connections are wanted
 * @sources: any of these; copied. Costs nothing where they are the same as
 *	     before
 * @n:	     0: nobody's. Above FLOW_FILTER_MAX those of others are told, too
 *
 * Return: 0: all is as it was; 1: it is told from now on, but not what has
 * ended before; or -errno: it is as it was. What was queued before still is.
 */
int flow_socket_watch(struct flow_socket *flows,
		      const struct ip_prefix *sources, size_t n);

/** flow_socket_fd() - to wait for input; -1: it does not listen */
int flow_socket_fd(const struct flow_socket *flows);

/**
 * flow_socket_listen() - pass on the ends of connections that are queued
 *
 * Of one that was aborted on this side the port of the peer is not told, nor
 * its own address, but 0.0.0.0 or ::, unless it had been bound to one (6.18):
 * these are told, whoever is watched.
 * Return: how many messages were taken; -ENOBUFS: some were lost; or -errno.
 */
int flow_socket_listen(struct flow_socket *flows, size_t max, flow_fn *fn,
		       void *data);

#endif
