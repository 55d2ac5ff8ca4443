/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of one connection: subflows, ways that failed, addresses, numbers. */
#include "core/manager_state.h"

#include <errno.h>

#include "core/backoff.h"

#define PEER_MAX   32  /* addresses of one connection's peer */
#define FAILED_MAX 256 /* ways of it: from eight uplinks to all of them */

struct managed_subflow *connection_subflow(struct managed_connection *of,
					   const struct mptcp_ends *ends)
{
	struct managed_subflow *it;

	vec_foreach(&of->subflows, it)
		if (ip_addr_equal(&it->ends.src, &ends->src) &&
		    ip_addr_equal(&it->ends.dst, &ends->dst) &&
		    it->ends.dport == ends->dport &&
		    (it->ends.sport == ends->sport || !it->ends.sport ||
		     !ends->sport))
			return it;
	return NULL;
}

void connection_remove_subflow(struct managed_connection *of,
			       const struct managed_subflow *subflow)
{
	vec_remove(&of->subflows, (size_t)(subflow - of->subflows.items));
}

struct failed_way *connection_failed(struct managed_connection *of,
				     const struct ip_addr *src,
				     const struct ip_addr *dst)
{
	struct failed_way *it;

	vec_foreach(&of->failed, it)
		if (ip_addr_equal(&it->src, src) &&
		    ip_addr_equal(&it->dst, dst))
			return it;
	return NULL;
}

/* One more is one too many: the first that would be tried again gives way. */
static void make_room(struct failed_way_vec *failed)
{
	size_t first = 0;

	if (failed->n < FAILED_MAX)
		return;
	for (size_t i = 1; i < failed->n; i++)
		if (failed->items[i].next_ms < failed->items[first].next_ms)
			first = i;
	vec_remove(failed, first);
}

/* It is tried again, later each time. */
void connection_fail(struct managed_connection *connection,
		     const struct mptcp_ends *ends, int error, uint64_t now_ms)
{
	struct failed_way *way =
		connection_failed(connection, &ends->src, &ends->dst);

	if (!way) {
		struct failed_way fresh = {
			.src = ends->src,
			.dst = ends->dst,
			.has_path = true,
		};

		make_room(&connection->failed);
		vec_push(&connection->failed, fresh);
		way = &connection->failed.items[connection->failed.n - 1];
	}
	way->failures++;
	way->error = error;
	way->next_ms = now_ms + backoff_ms(MANAGER_RETRY_MS,
					   MANAGER_RETRY_MAX_MS, way->failures);
}

void connection_forgive(struct managed_connection *connection,
			const struct mptcp_ends *ends)
{
	struct failed_way *way =
		connection_failed(connection, &ends->src, &ends->dst);

	if (way)
		vec_remove(&connection->failed,
			   (size_t)(way - connection->failed.items));
}

struct numbered_address *
connection_number(struct managed_connection *connection,
		  const struct ip_addr *addr)
{
	struct numbered_address fresh = {.id = 1, .addr = *addr};
	struct numbered_address *it;
	bool is_taken = true;

	vec_foreach(&connection->own, it)
		if (ip_addr_equal(&it->addr, addr))
			return it;
	while (is_taken) {
		is_taken = false;
		vec_foreach(&connection->own, it)
			is_taken |= it->id == fresh.id;
		if (is_taken && fresh.id == UINT8_MAX)
			return NULL;
		fresh.id = (uint8_t)(fresh.id + is_taken);
	}
	vec_push(&connection->own, fresh);
	return &connection->own.items[connection->own.n - 1];
}

/* What has the number without the kernel's knowing gets another one in time. */
static void release_number(struct managed_connection *connection, uint8_t id)
{
	for (size_t i = connection->own.n; i-- > 0;)
		if (connection->own.items[i].id == id)
			vec_remove(&connection->own, i);
}

void connection_set_number(struct managed_connection *connection,
			   const struct ip_addr *addr, uint8_t id)
{
	struct numbered_address fresh = {.id = id, .addr = *addr};
	struct numbered_address *it;

	vec_foreach(&connection->own, it) {
		if (!ip_addr_equal(&it->addr, addr))
			continue;
		if (it->id == id)
			return;
		fresh = *it;
		fresh.id = id;
		it->id = id; /* released with the others */
	}
	release_number(connection, id);
	vec_push(&connection->own, fresh);
}

void connection_told(struct managed_connection *connection,
		     const struct manager_action *action, int error,
		     uint64_t now_ms)
{
	bool withdraws = action->what == MANAGER_WITHDRAW;
	struct numbered_address *it;

	/* What the kernel does not know of is withdrawn. */
	if (withdraws && error == -EINVAL)
		error = 0;
	vec_foreach(&connection->own, it) {
		if (!ip_addr_equal(&it->addr, &action->ends.src))
			continue;
		it->failures = error ? it->failures + 1 : 0;
		it->next_ms = error ? now_ms + backoff_ms(MANAGER_RETRY_MS,
							  MANAGER_RETRY_MAX_MS,
							  it->failures)
				    : 0;
		if (error)
			it->announced = withdraws;
	}
}

void connection_unset_peer(struct managed_connection *connection, uint8_t id)
{
	for (size_t i = connection->peer.n; i-- > 0;)
		if (connection->peer.items[i].id == id)
			vec_remove(&connection->peer, i);
}

static struct peer_address *peer_find(struct managed_connection *connection,
				      const struct ip_addr *addr)
{
	struct peer_address *it;

	vec_foreach(&connection->peer, it)
		if (ip_addr_equal(&it->addr, addr))
			return it;
	return NULL;
}

void connection_set_peer(struct managed_connection *connection, uint8_t id,
			 const struct ip_addr *addr, uint16_t port)
{
	struct peer_address *known = peer_find(connection, addr);

	if (!port)
		port = connection->first.dport;
	if (known && (known->id == id || known->id == 0)) {
		known->port = port;
		return;
	}
	/* The number was another address's, or the address had another one. */
	connection_unset_peer(connection, id);
	known = peer_find(connection, addr);
	if (known)
		*known = (struct peer_address){
			.id = id, .addr = *addr, .port = port};
	else if (connection->peer.n < PEER_MAX)
		vec_push(&connection->peer,
			 ((struct peer_address){
				 .id = id, .addr = *addr, .port = port}));
}

/* What is denied is an address and a port: with another one it is another. */
bool manager_may_join(const struct managed_connection *connection,
		      const struct peer_address *peer)
{
	bool is_first = peer->port == connection->first.dport &&
			ip_addr_equal(&peer->addr, &connection->first.dst);

	return !peer->refused && !(is_first && connection->denies_first);
}
