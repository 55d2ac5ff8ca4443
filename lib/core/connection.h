/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection - MPTCP connections, as their subflows show them.
 *
 * The kernel lists subflows, each with the token of its connection on this
 * host. Sorted by token, a connection is a run of them.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "core/flow.h"

/** connection_sort() - leave out what is no subflow, the rest by connection
 *
 * Then by source, destination and ports.
 */
void connection_sort(struct flow_vec *flows);

/**
 * connection_end() - one behind the last subflow of a connection
 * @flows: after connection_sort()
 * @first: index of its first one
 */
size_t connection_end(const struct flow_vec *flows, size_t first);

/** connection_is_open() - whether data can still be sent on a subflow */
bool connection_is_open(const struct flow *subflow);

/**
 * connection_depends_on() - whether a connection has open subflows from @source
 * and from nowhere else
 * @flows: after connection_sort()
 */
bool connection_depends_on(const struct flow_vec *flows,
			   const struct ip_addr *source);

#endif
