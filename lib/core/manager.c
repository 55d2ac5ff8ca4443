/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known: events and results. */
#include "core/manager.h"

#include <assert.h>
#include <errno.h>

#include "core/manager_state.h"

#define PEER_MAX   32  /* addresses of one connection's peer */
#define FAILED_MAX 256 /* ways of it: from eight uplinks to all of them */

static void connection_done(struct managed_connection *connection)
{
	vec_done(&connection->subflows);
	vec_done(&connection->peer);
	vec_done(&connection->own);
	vec_done(&connection->failed);
}

void manager_done_all(struct manager *manager)
{
	struct managed_connection *it;

	vec_foreach(&manager->connections, it)
		connection_done(it);
	vec_done(&manager->connections);
}

/* Index of @token, or where it belongs. */
static size_t place_of(const struct manager *manager, uint32_t token)
{
	size_t low = 0;
	size_t high = manager->connections.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (manager->connections.items[mid].token < token)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct managed_connection *manager_find(const struct manager *manager,
					uint32_t token)
{
	size_t at = place_of(manager, token);

	if (at == manager->connections.n ||
	    manager->connections.items[at].token != token)
		return NULL;
	return &manager->connections.items[at];
}

void manager_forget(struct manager *manager, uint32_t token)
{
	size_t at = place_of(manager, token);

	if (!manager_find(manager, token))
		return;
	connection_done(&manager->connections.items[at]);
	vec_remove(&manager->connections, at);
}

/* --- parts of a connection --- */

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

static void remove_subflow(struct managed_connection *connection,
			   struct managed_subflow *subflow)
{
	vec_remove(&connection->subflows,
		   (size_t)(subflow - connection->subflows.items));
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

static uint64_t retry_after(unsigned int failures)
{
	uint64_t ms = MANAGER_RETRY_MS;

	while (--failures && ms < MANAGER_RETRY_MAX_MS)
		ms *= 2;
	return ms;
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
	way->next_ms = now_ms + retry_after(way->failures);
}

static void forgive(struct managed_connection *connection,
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
		fresh.announced = it->announced;
		it->id = id; /* released with the others */
	}
	release_number(connection, id);
	vec_push(&connection->own, fresh);
}

static void unset_peer(struct managed_connection *connection, uint8_t id)
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
	unset_peer(connection, id);
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

/* --- events --- */

struct managed_connection *manager_begin(struct manager *manager,
					 uint32_t token,
					 const struct mptcp_ends *first,
					 bool passive)
{
	struct managed_connection *found = manager_find(manager, token);
	struct managed_connection fresh = {
		.token = token,
		.passive = passive,
		.first = *first,
	};
	size_t at = place_of(manager, token);

	if (found)
		return found;
	vec_insert(&manager->connections, at, fresh);
	return &manager->connections.items[at];
}

static void hear_begin(struct manager *manager, const struct mptcp_event *event)
{
	bool is_known = manager_find(manager, event->token);
	struct managed_connection *connection = manager_begin(
		manager, event->token, &event->ends, event->passive);
	const struct managed_subflow first = {
		.ends = event->ends,
		.backup = event->backup,
		.by_peer = event->passive,
	};

	if (!is_known) {
		connection_set_number(connection, &event->ends.src, 0);
		connection_set_peer(connection, 0, &event->ends.dst,
				    event->ends.dport);
	}
	if (!connection_subflow(connection, &event->ends))
		vec_push(&connection->subflows, first);
	connection->ready |= event->kind == MPTCP_READY;
	connection->denies_first |= event->denies_first;
	connection->changed = true;
}

static void hear_opened(struct managed_connection *connection,
			const struct mptcp_event *event, uint64_t now_ms)
{
	struct managed_subflow *subflow =
		connection_subflow(connection, &event->ends);

	if (!subflow) {
		struct managed_subflow fresh = {.by_peer = connection->passive};

		vec_push(&connection->subflows, fresh);
		subflow =
			&connection->subflows.items[connection->subflows.n - 1];
	}
	subflow->ends = event->ends;
	subflow->id_local = event->id_local;
	subflow->id_remote = event->id_remote;
	subflow->backup = event->backup;
	subflow->opening = false;
	subflow->open_ms = now_ms;
	connection_set_number(connection, &event->ends.src, event->id_local);
}

static void hear_closed(struct managed_connection *connection,
			const struct mptcp_event *event, uint64_t now_ms)
{
	struct managed_subflow *subflow =
		connection_subflow(connection, &event->ends);
	struct managed_subflow gone;

	if (!subflow)
		return;
	gone = *subflow;
	remove_subflow(connection, subflow);
	if (!gone.opening && now_ms - gone.open_ms >= MANAGER_STABLE_MS)
		forgive(connection, &gone.ends);
	if (!gone.closing && !gone.by_peer)
		connection_fail(connection, &gone.ends, event->error, now_ms);
}

void manager_hear(struct manager *manager, const struct mptcp_event *event,
		  uint64_t now_ms)
{
	struct managed_connection *connection =
		manager_find(manager, event->token);

	if (event->kind == MPTCP_OPENED || event->kind == MPTCP_READY) {
		hear_begin(manager, event);
		return;
	}
	if (!connection || event->kind == MPTCP_OTHER)
		return;
	connection->changed = true;
	switch (event->kind) {
	case MPTCP_ENDED:
		manager_forget(manager, event->token);
		break;
	case MPTCP_PEER_ANNOUNCED:
		connection_set_peer(connection, event->id_remote,
				    &event->ends.dst, event->ends.dport);
		break;
	case MPTCP_PEER_WITHDREW:
		unset_peer(connection, event->id_remote);
		break;
	case MPTCP_SUBFLOW_OPENED:
		hear_opened(connection, event, now_ms);
		break;
	case MPTCP_SUBFLOW_CLOSED:
		hear_closed(connection, event, now_ms);
		break;
	case MPTCP_SUBFLOW_CHANGED:
	case MPTCP_OPENED:
	case MPTCP_READY:
	case MPTCP_OTHER:
		break;
	}
}

void manager_touch(struct manager *manager)
{
	struct managed_connection *it;

	vec_foreach(&manager->connections, it)
		it->changed = true;
}

/* Of each connection every address is compared with each of them. */
#define TOUCH_ROWS_MAX 64

static bool has_addr(const struct prefix_vec *rows, const struct ip_addr *addr)
{
	const struct ip_prefix *it;

	vec_foreach(rows, it)
		if (ip_prefix_has(it, addr))
			return true;
	return false;
}

/* Whether the connection has, had or could have a subflow to one of them. */
static bool leads_to(const struct managed_connection *connection,
		     const struct prefix_vec *rows)
{
	const struct managed_subflow *subflow;
	const struct peer_address *peer;
	const struct failed_way *way;

	if (has_addr(rows, &connection->first.dst))
		return true;
	vec_foreach(&connection->subflows, subflow)
		if (has_addr(rows, &subflow->ends.dst))
			return true;
	vec_foreach(&connection->peer, peer)
		if (has_addr(rows, &peer->addr))
			return true;
	vec_foreach(&connection->failed, way)
		if (has_addr(rows, &way->dst))
			return true;
	return false;
}

void manager_touch_rows(struct manager *manager, const struct prefix_vec *rows)
{
	struct managed_connection *it;

	if (rows->n > TOUCH_ROWS_MAX) {
		manager_touch(manager);
		return;
	}
	vec_foreach(&manager->connections, it)
		it->changed = it->changed || leads_to(it, rows);
}

/* --- results --- */

/*
 * -EINVAL has many reasons, one of them that another path manager has the
 * connection. Only one that was never obeyed is taken for such.
 */
static bool is_refused(const struct managed_connection *connection,
		       const struct manager_action *action, int error)
{
	return error == -EINVAL && !connection->obeys &&
	       (action->what != MANAGER_OPEN ||
		action->ends.dst.family == connection->first.dst.family);
}

/*
 * A socket of one family has no subflows of the other, and nobody tells which
 * sort a connection is. Return: whether the peer's address is out for good.
 */
static bool refuse_peer(struct managed_connection *connection,
			const struct ip_addr *dst)
{
	struct peer_address *it;

	if (dst->family == connection->first.dst.family)
		return false;
	vec_foreach(&connection->peer, it)
		if (ip_addr_equal(&it->addr, dst))
			it->refused = true;
	return true;
}

static void opening_failed(struct managed_connection *connection,
			   const struct manager_action *action, int error,
			   uint64_t now_ms)
{
	struct managed_subflow *subflow =
		connection_subflow(connection, &action->ends);

	if (subflow && subflow->opening)
		remove_subflow(connection, subflow);
	if (error == -EINVAL && refuse_peer(connection, &action->ends.dst))
		return;
	connection_fail(connection, &action->ends, -error, now_ms);
}

void manager_done(struct manager *manager, const struct manager_action *action,
		  int error, uint64_t now_ms)
{
	struct managed_connection *connection =
		manager_find(manager, action->token);
	struct managed_subflow *subflow;

	assert(error <= 0);
	if (!connection)
		return;
	subflow = connection_subflow(connection, &action->ends);
	if (!error) {
		connection->obeys = true;
		if (subflow && action->what == MANAGER_MARK)
			subflow->backup = true;
		return;
	}
	connection->ignored |= is_refused(connection, action, error);
	/* Something else may do; if not, the look tells when to try again. */
	connection->next_ms = now_ms;
	switch (action->what) {
	case MANAGER_OPEN:
		opening_failed(connection, action, error, now_ms);
		break;
	case MANAGER_CLOSE:
		/* Others are still there: no second one beside them. */
		if (subflow && error == -ESRCH)
			remove_subflow(connection, subflow);
		else if (subflow)
			subflow->close_ms = now_ms + MANAGER_RETRY_MS;
		break;
	case MANAGER_MARK:
	case MANAGER_ANNOUNCE:
	case MANAGER_WITHDRAW:
		break;
	}
}
