/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known: events and results. */
#include "core/manager.h"

#include <assert.h>
#include <errno.h>

#include "core/manager_state.h"

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
	connection_remove_subflow(connection, subflow);
	if (!gone.opening && now_ms - gone.open_ms >= MANAGER_STABLE_MS)
		connection_forgive(connection, &gone.ends);
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
		connection_unset_peer(connection, event->id_remote);
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
		connection_remove_subflow(connection, subflow);
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
	if (action->what == MANAGER_ANNOUNCE ||
	    action->what == MANAGER_WITHDRAW)
		connection_told(connection, action, error, now_ms);
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
			connection_remove_subflow(connection, subflow);
		else if (subflow)
			subflow->close_ms = now_ms + MANAGER_RETRY_MS;
		break;
	case MANAGER_MARK:
	case MANAGER_ANNOUNCE:
	case MANAGER_WITHDRAW:
		break;
	}
}
