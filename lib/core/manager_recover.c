/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an earlier life, or lost events, left behind. */
#include "core/connection.h"
#include "core/manager.h"
#include "core/manager_state.h"

/* The kernel's MPTCP_SUBFLOW_FLAG_: who asked for it. */
#define FLAG_CAPABLE_LOCAL 2U
#define FLAG_JOIN_LOCAL	   8U
#define FLAG_BACKUP	   (16U | 32U)

static struct mptcp_ends ends_of(const struct flow *flow)
{
	return (struct mptcp_ends){
		.src = flow->src,
		.dst = flow->dst,
		.sport = flow->sport,
		.dport = flow->dport,
	};
}

static void recover_subflow(struct managed_connection *connection,
			    const struct flow *flow)
{
	const struct mptcp_ends ends = ends_of(flow);
	const struct managed_subflow fresh = {
		.ends = ends,
		.id_local = flow->id_local,
		.id_remote = flow->id_remote,
		.backup = flow->subflow_flags & FLAG_BACKUP,
		.by_peer = connection->passive,
		.judged = true,
	};

	if (connection_subflow(connection, &ends))
		return;
	vec_push(&connection->subflows, fresh);
	connection_set_number(connection, &ends.src, flow->id_local);
	connection_set_peer(connection, flow->id_remote, &ends.dst, ends.dport);
}

/* The first subflow has no numbers; it may be gone. */
static const struct flow *first_of(const struct flow_vec *flows, size_t first,
				   size_t end)
{
	for (size_t i = first; i < end; i++)
		if (flows->items[i].id_local == 0)
			return &flows->items[i];
	return &flows->items[first];
}

static void recover(struct manager *manager, const struct flow_vec *flows,
		    size_t first, size_t end)
{
	const struct flow *flow = first_of(flows, first, end);
	const struct mptcp_ends ends = ends_of(flow);
	bool active =
		flow->subflow_flags & (FLAG_CAPABLE_LOCAL | FLAG_JOIN_LOCAL);
	struct managed_connection *connection =
		manager_begin(manager, flow->token_local, &ends, !active);

	for (size_t i = first; i < end; i++)
		if (connection_is_open(&flows->items[i]))
			recover_subflow(connection, &flows->items[i]);
	connection->ready = true;
	connection->changed = true;
}

/* A subflow that nobody told the end of. */
static void drop_ended(struct managed_connection *connection,
		       const struct flow_vec *flows)
{
	for (size_t i = connection->subflows.n; i-- > 0;) {
		struct managed_subflow *it = &connection->subflows.items[i];
		bool is_there = it->opening;
		const struct flow *flow;

		vec_foreach(flows, flow)
			is_there |= flow->sport == it->ends.sport &&
				    flow->dport == it->ends.dport &&
				    ip_addr_equal(&flow->src, &it->ends.src) &&
				    ip_addr_equal(&flow->dst, &it->ends.dst);
		if (!is_there)
			vec_remove(&connection->subflows, i);
	}
}

void manager_recover(struct manager *manager, const struct flow_vec *subflows)
{
	size_t end;

	for (size_t i = manager->connections.n; i-- > 0;) {
		struct managed_connection *it = &manager->connections.items[i];

		drop_ended(it, subflows);
		if (it->subflows.n == 0)
			manager_forget(manager, it->token);
	}
	for (size_t first = 0; first < subflows->n; first = end) {
		end = connection_end(subflows, first);
		recover(manager, subflows, first, end);
	}
}

void manager_number(struct managed_connection *connection,
		    const struct endpoint_vec *known)
{
	const struct endpoint *it;

	vec_foreach(known, it) {
		const struct numbered_address *own;
		bool has_one = false;

		vec_foreach(&connection->own, own)
			has_one |= ip_addr_equal(&own->addr, &it->addr);
		if (!has_one)
			connection_set_number(connection, &it->addr, it->id);
	}
}
