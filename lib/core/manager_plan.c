/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be done for each connection, by the draft's section 5. */
#include "core/manager.h"
#include "core/manager_state.h"

/* One connection that is being looked at. */
struct look {
	struct managed_connection *connection;
	const struct view *view;
	uint64_t now_ms;
	struct manager_action_vec *ret;
};

static void come_by(struct look *look, uint64_t at_ms)
{
	uint64_t *next = &look->connection->next_ms;

	if (!*next || at_ms < *next)
		*next = at_ms;
}

static void act(struct look *look, const struct manager_action *action)
{
	struct manager_action copy = *action;

	copy.token = look->connection->token;
	vec_push(look->ret, copy);
}

static bool is_open(const struct managed_subflow *subflow)
{
	return !subflow->opening && !subflow->closing;
}

static bool has_other_open(const struct look *look,
			   const struct managed_subflow *than)
{
	const struct managed_subflow *it;

	vec_foreach(&look->connection->subflows, it)
		if (it != than && is_open(it) && !it->lost_ms &&
		    subflow_gets_out(look->view, &it->ends.src, &it->ends.dst))
			return true;
	return false;
}

static void close_subflow(struct look *look, struct managed_subflow *subflow,
			  const char *why)
{
	subflow->closing = true;
	subflow->close_ms = 0;
	act(look, &(struct manager_action){
			  .what = MANAGER_CLOSE,
			  .ends = subflow->ends,
			  .id_local = subflow->id_local,
			  .rejects = subflow->by_peer,
			  .why = why,
		  });
}

/* --- paths --- */

static bool is_congruent(const struct look *look,
			 const struct managed_subflow *subflow)
{
	return subflow_is_congruent(look->view, &subflow->ends.src,
				    &subflow->ends.dst);
}

static void follow_paths(struct look *look)
{
	struct managed_subflow *it;

	vec_foreach(&look->connection->subflows, it) {
		bool congruent = is_congruent(look, it);

		it->had_path |= congruent;
		if (congruent)
			it->lost_ms = 0;
		else if ((it->had_path || !model_has_address(look->view->model,
							     &it->ends.src)) &&
			 !it->lost_ms)
			it->lost_ms = look->now_ms;
	}
}

/*
 * What waited for its path long enough, or has lost its address, is closed: a
 * fresh subflow is at work the moment the path returns, one that retransmits
 * may wait for minutes. But none that is the last: TCP may outlive the outage.
 */
static void close_lost(struct look *look)
{
	uint64_t hold_ms = look->view->policy->pinning.hold_ms;
	struct managed_subflow *it;

	vec_foreach(&look->connection->subflows, it) {
		bool has_address =
			model_has_address(look->view->model, &it->ends.src);

		if (!is_open(it) || !it->lost_ms || !has_other_open(look, it))
			continue;
		if (!has_address)
			close_subflow(look, it, "its address is gone");
		else if (look->now_ms - it->lost_ms >= hold_ms)
			close_subflow(look, it, "its path is gone");
		else
			come_by(look, it->lost_ms + hold_ms);
	}
}

/* Those that could not be; should others have ended since, it stays. */
static void close_again(struct look *look)
{
	struct managed_subflow *it;

	vec_foreach(&look->connection->subflows, it) {
		if (!it->closing || !it->close_ms)
			continue;
		if (!has_other_open(look, it))
			it->closing = false;
		else if (it->close_ms <= look->now_ms)
			close_subflow(look, it, "it could not be closed");
		else
			come_by(look, it->close_ms);
	}
}

/* The end of most is told long before; but events can be lost. */
static void give_up_opening(struct look *look)
{
	for (size_t i = look->connection->subflows.n; i-- > 0;) {
		const struct managed_subflow it =
			look->connection->subflows.items[i];
		uint64_t until_ms = it.open_ms + MANAGER_OPENING_MS;

		if (!it.opening)
			continue;
		if (until_ms > look->now_ms) {
			come_by(look, until_ms);
			continue;
		}
		vec_remove(&look->connection->subflows, i);
		connection_fail(look->connection, &it.ends, 0, look->now_ms);
	}
}

/* A way that was without a path and has one again is tried at once. */
static void forgive_returned(struct look *look)
{
	struct failed_way *it;

	vec_foreach(&look->connection->failed, it) {
		bool has_path =
			subflow_is_congruent(look->view, &it->src, &it->dst);

		if (has_path && !it->has_path) {
			it->failures = 0;
			it->next_ms = look->now_ms;
		}
		it->has_path = has_path;
	}
}

/* --- announced addresses --- */

static bool is_announced(const struct look *look, const struct ip_addr *addr)
{
	const struct numbered_address *it;

	vec_foreach(&look->connection->own, it)
		if (ip_addr_equal(&it->addr, addr))
			return it->announced || it->id == 0;
	return false;
}

/* What was told of it failed, and is not told again yet. */
static bool waits(struct look *look, const struct numbered_address *number)
{
	if (number->next_ms <= look->now_ms)
		return false;
	come_by(look, number->next_ms);
	return true;
}

static void announce(struct look *look, const struct ip_addr *addr,
		     const char *why)
{
	struct numbered_address *number;

	if (is_announced(look, addr))
		return;
	number = connection_number(look->connection, addr);
	if (!number || waits(look, number))
		return;
	number->announced = true;
	act(look, &(struct manager_action){
			  .what = MANAGER_ANNOUNCE,
			  .ends.src = *addr,
			  .id_local = number->id,
			  .why = why,
		  });
}

static void announce_wanted(struct look *look)
{
	struct endpoint_vec wanted = {0};
	const struct endpoint *it;

	endpoint_build(look->view, NULL, &wanted);
	vec_foreach(&wanted, it)
		if (it->flags & ENDPOINT_SIGNAL)
			announce(look, &it->addr, "the config announces it");
	vec_done(&wanted);
}

static bool has_subflow_from(const struct look *look, const struct ip_addr *src)
{
	const struct managed_subflow *it;

	vec_foreach(&look->connection->subflows, it)
		if (ip_addr_equal(&it->ends.src, src))
			return true;
	return false;
}

/* Only the peer can open subflows to us; so it is told of the right source. */
static void announce_right_source(struct look *look,
				  const struct managed_subflow *subflow)
{
	struct ip_addr_vec used = {0};
	struct subflow_choice choice = {0};

	vec_push(&used, subflow->ends.src);
	subflow_pick(look->view, &subflow->ends.dst, &used, &choice);
	if (choice.step == SUBFLOW_PICKED &&
	    !has_subflow_from(look, &choice.source.addr))
		announce(look, &choice.source.addr,
			 "the peer came to an address without a path");
	subflow_choice_done(&choice);
	vec_done(&used);
}

/* What was announced for a reason, whether or not that still holds. */
static void announce_again(struct look *look)
{
	struct numbered_address_vec *own = &look->connection->own;

	for (size_t i = 0; i < own->n; i++) {
		struct numbered_address *it = &own->items[i];

		if (!it->next_ms || it->announced ||
		    has_subflow_from(look, &it->addr))
			continue;
		if (model_has_address(look->view->model, &it->addr)) {
			announce(look, &it->addr, "the peer was not told");
			continue;
		}
		it->failures = 0;
		it->next_ms = 0;
	}
}

static void withdraw_gone(struct look *look)
{
	struct numbered_address *it;

	vec_foreach(&look->connection->own, it) {
		if (!it->announced ||
		    model_has_address(look->view->model, &it->addr) ||
		    waits(look, it))
			continue;
		it->announced = false;
		act(look, &(struct manager_action){
				  .what = MANAGER_WITHDRAW,
				  .ends.src = it->addr,
				  .id_local = it->id,
				  .why = "the address is gone",
			  });
	}
}

/* --- section 5.2 --- */

/* The draft: the connection already has one. What came later does not count. */
static bool had_congruent(const struct look *look,
			  const struct managed_subflow *before)
{
	const struct managed_subflow *it;

	for (it = look->connection->subflows.items; it < before; it++)
		if (is_open(it) && is_congruent(look, it))
			return true;
	return false;
}

static void judge_passive(struct look *look)
{
	bool reject = look->view->policy->mptcp.reject_incongruent;
	struct managed_subflow *it;

	vec_foreach(&look->connection->subflows, it) {
		if (!it->by_peer || it->judged || !is_open(it))
			continue;
		it->judged = true;
		switch (subflow_judge(is_congruent(look, it),
				      had_congruent(look, it), reject)) {
		case SUBFLOW_ACCEPT:
			break;
		case SUBFLOW_REJECT:
			close_subflow(look, it,
				      "incongruent, and another one is not");
			break;
		case SUBFLOW_ACCEPT_ALONE:
			announce_right_source(look, it);
			break;
		}
	}
}

/* --- section 5.1 --- */

/* What is on its way counts, and what failed lately waits for its time. */
static void find_used(struct look *look, const struct ip_addr *dst,
		      struct ip_addr_vec *ret)
{
	const struct managed_subflow *subflow;
	const struct failed_way *way;

	vec_foreach(&look->connection->subflows, subflow)
		if (ip_addr_equal(&subflow->ends.dst, dst))
			vec_push(ret, subflow->ends.src);
	vec_foreach(&look->connection->failed, way)
		if (ip_addr_equal(&way->dst, dst) &&
		    way->next_ms > look->now_ms) {
			vec_push(ret, way->src);
			come_by(look, way->next_ms);
		}
}

static bool open_one(struct look *look, const struct peer_address *peer)
{
	struct subflow_choice choice = {0};
	struct managed_subflow fresh = {
		.opening = true,
		.open_ms = look->now_ms,
	};
	const struct numbered_address *number = NULL;
	struct ip_addr_vec used = {0};

	find_used(look, &peer->addr, &used);
	subflow_pick(look->view, &peer->addr, &used, &choice);
	if (choice.step == SUBFLOW_PICKED)
		number = connection_number(look->connection,
					   &choice.source.addr);
	if (number) {
		fresh.ends.src = number->addr;
		fresh.ends.dst = peer->addr;
		fresh.ends.dport = peer->port;
		fresh.id_local = number->id;
		fresh.backup = choice.source.flags & ENDPOINT_BACKUP;
		fresh.wants_backup = fresh.backup;
		fresh.had_path = true;
		vec_push(&look->connection->subflows, fresh);
		come_by(look, look->now_ms + MANAGER_OPENING_MS);
		act(look, &(struct manager_action){
				  .what = MANAGER_OPEN,
				  .ends = fresh.ends,
				  .id_local = fresh.id_local,
				  .backup = fresh.backup,
				  .why = "a path that is not used yet",
			  });
	}
	subflow_choice_done(&choice);
	vec_done(&used);
	return number != NULL;
}

/* The first one is besides the config's number. */
static bool is_full(const struct look *look)
{
	return look->connection->subflows.n >
	       look->view->policy->mptcp.subflows;
}

/*
 * Linux 6.1 opens them without the mark, and takes it afterwards. Asked once: a
 * peer may say otherwise later.
 */
static void mark_backups(struct look *look)
{
	struct managed_subflow *it;

	vec_foreach(&look->connection->subflows, it) {
		if (!is_open(it) || !it->wants_backup)
			continue;
		it->wants_backup = false;
		if (!it->backup)
			act(look, &(struct manager_action){
					  .what = MANAGER_MARK,
					  .ends = it->ends,
					  .id_local = it->id_local,
					  .backup = true,
					  .why = "its link is a backup",
				  });
	}
}

/* Steps 2 and 4: where one destination has no path left, the next is tried. */
static void open_more(struct look *look)
{
	const struct managed_connection *connection = look->connection;
	const struct peer_address *it;

	vec_foreach(&connection->peer, it)
		while (manager_may_join(connection, it) && !is_full(look) &&
		       open_one(look, it))
			;
}

/* --- all of it --- */

static void plan_connection(struct look *look)
{
	look->connection->changed = false;
	look->connection->next_ms = 0;
	give_up_opening(look);
	follow_paths(look);
	forgive_returned(look);
	judge_passive(look);
	mark_backups(look);
	close_again(look);
	close_lost(look);
	withdraw_gone(look);
	announce_wanted(look);
	announce_again(look);
	if (!look->connection->passive)
		open_more(look);
}

void manager_plan(struct manager *manager, const struct view *view,
		  uint64_t now_ms, struct manager_action_vec *ret)
{
	struct managed_connection *it;

	vec_foreach(&manager->connections, it) {
		struct look look = {it, view, now_ms, ret};
		bool is_due = it->next_ms && it->next_ms <= now_ms;

		if (it->ready && !it->ignored && (it->changed || is_due))
			plan_connection(&look);
	}
}

uint64_t manager_next(const struct manager *manager)
{
	const struct managed_connection *it;
	uint64_t next = 0;

	vec_foreach(&manager->connections, it)
		if (it->next_ms && !it->ignored &&
		    (!next || it->next_ms < next))
			next = it->next_ms;
	return next;
}
