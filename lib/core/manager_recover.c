/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an earlier life, or lost events, left behind. */
#include "core/connection.h"
#include "core/manager.h"
#include "core/manager_state.h"

/* The kernel's MPTCP_SUBFLOW_FLAG_: who asked for it. */
#define FLAG_CAPABLE_LOCAL 2U
#define FLAG_JOIN_LOCAL	   8U
#define FLAG_BACKUP	   (16U | 32U)

/* --- what is there --- */

static struct mptcp_ends ends_of(const struct flow *flow)
{
	return (struct mptcp_ends){
		.src = flow->src,
		.dst = flow->dst,
		.sport = flow->sport,
		.dport = flow->dport,
	};
}

/* Return: a new one if it is not known. */
static struct managed_subflow *
recover_ends(struct managed_connection *connection,
	     const struct mptcp_ends *ends)
{
	struct managed_subflow *known = connection_subflow(connection, ends);

	if (known)
		return known;
	vec_push(&connection->subflows, ((struct managed_subflow){
						.ends = *ends,
						.by_peer = connection->passive,
						.judged = true,
					}));
	return &connection->subflows.items[connection->subflows.n - 1];
}

static void recover_subflow(struct managed_connection *connection,
			    const struct flow *flow)
{
	const struct mptcp_ends ends = ends_of(flow);
	struct managed_subflow *subflow = recover_ends(connection, &ends);

	subflow->ends = ends;
	subflow->id_local = flow->id_local;
	subflow->id_remote = flow->id_remote;
	subflow->backup = flow->subflow_flags & FLAG_BACKUP;
	subflow->opening = false;
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

static bool has_open(const struct flow_vec *flows, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++)
		if (connection_is_open(&flows->items[i]))
			return true;
	return false;
}

/* One that is ending needs no path manager any more. */
static void recover(struct manager *manager, const struct flow_vec *flows,
		    size_t first, size_t end)
{
	const struct flow *flow = first_of(flows, first, end);
	const struct mptcp_ends ends = ends_of(flow);
	bool active =
		flow->subflow_flags & (FLAG_CAPABLE_LOCAL | FLAG_JOIN_LOCAL);
	struct managed_connection *connection;

	if (!has_open(flows, first, end))
		return;
	connection = manager_begin(manager, flow->token_local, &ends, !active);
	for (size_t i = first; i < end; i++)
		if (connection_is_open(&flows->items[i]))
			recover_subflow(connection, &flows->items[i]);
	connection->ready = true;
	connection->changed = true;
}

/* --- what has ended --- */

/* Index of the first flow of @token, or where it would be. */
static size_t run_of(const struct flow_vec *flows, uint32_t token)
{
	size_t low = 0;
	size_t high = flows->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (flows->items[mid].token_local < token)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_listed(const struct flow_vec *flows, uint32_t token,
		      const struct mptcp_ends *ends)
{
	for (size_t i = run_of(flows, token);
	     i < flows->n && flows->items[i].token_local == token; i++) {
		const struct flow *flow = &flows->items[i];

		if (flow->sport == ends->sport && flow->dport == ends->dport &&
		    ip_addr_equal(&flow->src, &ends->src) &&
		    ip_addr_equal(&flow->dst, &ends->dst))
			return true;
	}
	return false;
}

/* Subflows that nobody told the end of; what is opening is not listed. */
static void drop_ended(struct managed_connection *connection,
		       const struct flow_vec *flows)
{
	for (size_t i = connection->subflows.n; i-- > 0;) {
		struct managed_subflow *it = &connection->subflows.items[i];

		if (!it->opening &&
		    !is_listed(flows, connection->token, &it->ends))
			vec_remove(&connection->subflows, i);
	}
}

static bool is_dead(const struct managed_connection *connection)
{
	const struct managed_subflow *it;

	vec_foreach(&connection->subflows, it)
		if (!it->opening)
			return false;
	return true;
}

void manager_recover(struct manager *manager, const struct flow_vec *subflows)
{
	size_t end;

	for (size_t first = 0; first < subflows->n; first = end) {
		end = connection_end(subflows, first);
		recover(manager, subflows, first, end);
	}
	for (size_t i = manager->connections.n; i-- > 0;) {
		struct managed_connection *it = &manager->connections.items[i];

		drop_ended(it, subflows);
		if (is_dead(it))
			manager_forget(manager, it->token);
	}
}

/* --- numbers --- */

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
