/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow_filter - which ends of connections wake us.
 *
 * The kernel tells every end of a TCP connection of this host. The filter runs
 * before one is queued, and passes those from certain subnets, and those that
 * do not tell where they came from (flow_socket_listen()).
 */
#ifndef FLOW_FILTER_H
#define FLOW_FILTER_H

#include <netlink/netlink.h>

#include "core/ip.h"

#define FLOW_FILTER_MAX 256 /* sources; of more all ends pass */

/**
 * flow_filter_attach() - in place of an earlier one, without a gap
 * @sources: of both families, in any order; IPv4 ones are also those of
 *	     IPv4-mapped addresses
 * @n:	     0: nothing passes but what tells no source
 *
 * Where the kernel has no room for the program all ends pass.
 * Return: 0 or -errno.
 */
int flow_filter_attach(struct nl_sock *sock, const struct ip_prefix *sources,
		       size_t n);

#endif
