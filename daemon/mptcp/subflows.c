/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/subflows.h"

#include <netinet/in.h>

#include "kernel/flow_socket.h"

static void take(const struct flow *flow, void *data)
{
	struct flow_vec *ret = data;

	if (flow->mptcp)
		vec_push(ret, *flow);
}

int subflows_list(struct flow_vec *ret)
{
	const struct ip_prefix everywhere[] = {
		ip_prefix_default(AF_INET),
		ip_prefix_default(AF_INET6),
	};
	const struct flow_query query = {
		.sources = everywhere,
		.n_sources = sizeof(everywhere) / sizeof(everywhere[0]),
		.detailed = true,
	};
	struct flow_socket *socket;
	int error = flow_socket_open(&socket);

	if (error)
		return error;
	error = flow_socket_list(socket, &query, take, ret);
	flow_socket_free(socket);
	connection_sort(ret);
	return error;
}
