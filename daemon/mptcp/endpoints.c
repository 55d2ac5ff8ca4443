/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/endpoints.h"

#include <errno.h>
#include <stdio.h>

#include "log.h"
#include "mptcp/endpoints_file.h"
#include "mptcp/ours.h"
#include "mptcp/subflows.h"

#define RETRY_MS 5000

void endpoints_wanted(const struct endpoints *endpoints,
		      const struct engine *engine, struct endpoint_vec *ret)
{
	const struct view view = engine_view(engine);
	const struct own_endpoint *own;
	struct endpoint_vec ours = {0};

	vec_foreach(&endpoints->ours, own)
		vec_push(&ours, own->endpoint);
	endpoint_build(&view, &ours, ret);
	vec_done(&ours);
}

/* Till then the file is not touched. */
static int begin(struct endpoints *endpoints, uint64_t now_ms)
{
	struct endpoint_vec all = {0};
	int error = mptcp_open(&endpoints->mptcp);
	bool is_news = attempt_note(&endpoints->opening, error, now_ms);

	if (error && error != -ENOENT && is_news)
		log_warn("mptcp: the kernel cannot be asked for endpoints: %s",
			 strerror(-error));
	if (error)
		return error;
	endpoints_file_load(endpoints);
	/* With the ids of those that were about to be added. */
	if (ours_refresh(endpoints, &all) == 0)
		endpoints_file_save(endpoints, now_ms);
	vec_done(&all);
	return 0;
}

static bool is_on(const struct endpoints *endpoints,
		  const struct engine *engine)
{
	return endpoints->mptcp &&
	       engine->policy->mptcp.path_manager == PATH_MANAGER_KERNEL;
}

static void come_by(uint64_t *when_ms, uint64_t at_ms)
{
	if (!*when_ms || at_ms < *when_ms)
		*when_ms = at_ms;
}

/* Return: NULL: it may stay; or why it goes. */
static const char *judge(struct endpoints *endpoints,
			 const struct engine *engine,
			 const struct endpoint_vec *wanted,
			 struct own_endpoint *own, uint64_t now_ms)
{
	const struct view view = engine_view(engine);
	uint64_t hold_ms = engine->policy->pinning.hold_ms;
	const struct endpoint *new = endpoint_find(wanted, &own->endpoint.addr);

	switch (endpoint_judge(&view, wanted, &own->endpoint)) {
	case ENDPOINT_STAYS:
		own->lost_ms = 0;
		if (new->flags != own->endpoint.flags)
			return "its flags change";
		own->kept = false;
		return NULL;
	case ENDPOINT_WAITS:
		if (!own->lost_ms)
			own->lost_ms = now_ms;
		if (now_ms - own->lost_ms >= hold_ms)
			return "its path is gone";
		own->kept = false;
		come_by(&endpoints->next_ms, own->lost_ms + hold_ms);
		return NULL;
	case ENDPOINT_GOES:
		return "its address or its rule goes";
	}
	return NULL;
}

void endpoints_withdraw(struct endpoints *endpoints,
			const struct engine *engine, uint64_t now_ms)
{
	struct endpoint_vec wanted = {0};
	size_t before = endpoints->ours.n;

	endpoints->next_ms = 0;
	if (before == 0)
		return;
	ours_number(endpoints);
	if (is_on(endpoints, engine))
		endpoints_wanted(endpoints, engine, &wanted);
	for (size_t i = endpoints->ours.n; i-- > 0;) {
		const char *why =
			is_on(endpoints, engine)
				? judge(endpoints, engine, &wanted,
					&endpoints->ours.items[i], now_ms)
				: "path_manager is off";

		if (why && !ours_dismiss(endpoints, i, why, now_ms))
			come_by(&endpoints->next_ms, now_ms + RETRY_MS);
	}
	if (endpoints->ours.n != before)
		endpoints_file_save(endpoints, now_ms);
	vec_done(&wanted);
}

static bool is_missing(const struct endpoints *endpoints,
		       const struct endpoint_vec *wanted)
{
	const struct endpoint *it;

	vec_foreach(wanted, it) {
		bool found = false;

		for (size_t i = 0; i < endpoints->ours.n; i++)
			found |=
				endpoints->ours.items[i].endpoint.id &&
				ip_addr_equal(
					&endpoints->ours.items[i].endpoint.addr,
					&it->addr);
		if (!found)
			return true;
	}
	return false;
}

/*
 * Those that are to be added, without an id. Others' endpoints of the same
 * address will do; they are left alone. One that the kernel made by itself is
 * replaced, and takes up room like any other (6.18).
 */
static void mean(struct endpoints *endpoints, const struct endpoint_vec *all,
		 const struct endpoint_vec *wanted)
{
	size_t room = all->n < ENDPOINTS_MAX ? ENDPOINTS_MAX - all->n : 0;
	const struct endpoint *it;

	vec_foreach(wanted, it) {
		if (endpoint_find_added(all, &it->addr) || room == 0)
			continue;
		vec_push(&endpoints->ours,
			 ((struct own_endpoint){.endpoint = *it}));
		if (!endpoint_find(all, &it->addr))
			room--;
	}
}

/* Return: whether number @i is still ours: it is there, or may be. */
static bool add_one(struct endpoints *endpoints, const struct engine *engine,
		    size_t i, uint64_t now_ms)
{
	struct endpoint *it = &endpoints->ours.items[i].endpoint;
	int error = ours_add(endpoints, engine, it, now_ms);
	uint64_t again_ms;

	if (ours_is_refusal(error)) {
		again_ms =
			refusals_note(&endpoints->refusals, &it->addr, now_ms);
		come_by(&endpoints->next_ms, again_ms);
		vec_remove(&endpoints->ours, i);
		return false;
	}
	refusals_forget(&endpoints->refusals, &it->addr);
	if (error)
		come_by(&endpoints->next_ms, now_ms + RETRY_MS);
	return true;
}

/* What the kernel has refused is as if it were not wanted, for a time. */
static void leave_refused(struct endpoints *endpoints,
			  struct endpoint_vec *wanted, uint64_t now_ms)
{
	uint64_t next_ms =
		refusals_leave_out(&endpoints->refusals, wanted, now_ms);

	if (next_ms)
		come_by(&endpoints->next_ms, next_ms);
}

/* First the file: nothing may be there of which nobody knows. */
static void add_missing(struct endpoints *endpoints,
			const struct engine *engine,
			const struct endpoint_vec *wanted, uint64_t now_ms)
{
	const struct limits limits = endpoints->limits;
	struct endpoint_vec all = {0};
	size_t had = endpoints->ours.n;
	size_t first;
	bool raised;

	if (ours_refresh(endpoints, &all)) {
		vec_done(&all); /* a list that broke off */
		come_by(&endpoints->next_ms, now_ms + RETRY_MS);
		return;
	}
	first = endpoints->ours.n;
	mean(endpoints, &all, wanted);
	raised = limits_want(&endpoints->limits, endpoints->mptcp,
			     engine->policy->mptcp.subflows);
	if (endpoints->ours.n != had || raised)
		endpoints_file_save(endpoints, now_ms);
	if (raised && !limits_raise(&endpoints->limits, endpoints->mptcp))
		endpoints->limits = limits;
	had = endpoints->ours.n;
	for (size_t i = first; i < endpoints->ours.n;)
		i += add_one(endpoints, engine, i, now_ms);
	if (had != first || raised)
		endpoints_file_save(endpoints, now_ms);
	vec_done(&all);
}

/* How many of ours come in the order that is wanted. */
static size_t count_ordered(const struct endpoints *endpoints,
			    const struct endpoint_vec *wanted)
{
	const struct endpoint *last = wanted->items;
	size_t n = 0;

	for (; n < endpoints->ours.n; n++) {
		const struct endpoint *it = endpoint_find(
			wanted, &endpoints->ours.items[n].endpoint.addr);

		if (it && it < last)
			break;
		last = it ? it : last;
	}
	return n;
}

/* Whether any connection has a subflow from one of ours. */
static bool are_in_use(const struct endpoints *endpoints)
{
	struct flow_vec subflows = {0};
	bool yes = subflows_list(&subflows) != 0;
	const struct flow *flow;

	vec_foreach(&subflows, flow)
		for (size_t i = 0; i < endpoints->ours.n && !yes; i++)
			yes = ip_addr_equal(
				&flow->src,
				&endpoints->ours.items[i].endpoint.addr);
	vec_done(&subflows);
	return yes;
}

/*
 * The kernel tries them in the order in which they came. After a change of
 * metrics they are added anew, when that closes no subflow.
 */
static void reorder(struct endpoints *endpoints,
		    const struct endpoint_vec *wanted, uint64_t now_ms)
{
	size_t ordered = count_ordered(endpoints, wanted);

	if (ordered == endpoints->ours.n)
		return;
	if (are_in_use(endpoints)) {
		come_by(&endpoints->next_ms, now_ms + RETRY_MS);
		return;
	}
	/* What is before the first that is wrong may belong behind it. */
	for (size_t i = endpoints->ours.n; i-- > 0;)
		if (ours_remove(endpoints, i,
				"the order of metrics is another one", now_ms))
			come_by(&endpoints->next_ms, now_ms + RETRY_MS);
}

/* What an earlier config wanted of the limits is no longer wanted. */
static void relax_limits(struct endpoints *endpoints,
			 const struct engine *engine, uint64_t now_ms)
{
	uint32_t want =
		is_on(endpoints, engine) ? engine->policy->mptcp.subflows : 0;

	if (endpoints->mptcp &&
	    limits_relax(&endpoints->limits, endpoints->mptcp, want))
		endpoints_file_save(endpoints, now_ms);
}

void endpoints_update(struct endpoints *endpoints, const struct engine *engine,
		      uint64_t now_ms)
{
	struct endpoint_vec wanted = {0};
	bool is_due = endpoints->next_ms && endpoints->next_ms <= now_ms;
	bool is_new = endpoints->policy != engine->policy;

	if (!endpoints->mptcp && attempt_is_due(&endpoints->opening, now_ms))
		is_new |= begin(endpoints, now_ms) == 0;
	if (endpoints->save_ms && endpoints->save_ms <= now_ms)
		endpoints_file_save(endpoints, now_ms);
	/* Nothing is new since the last time. */
	if (!is_new && !is_due && endpoints->wide == engine->counters.wide)
		return;
	endpoints_withdraw(endpoints, engine, now_ms);
	if (is_new) {
		relax_limits(endpoints, engine, now_ms);
		vec_clear(&endpoints->refusals);
	}
	endpoints->policy = engine->policy;
	endpoints->wide = engine->counters.wide;
	if (!is_on(endpoints, engine))
		return;
	endpoints_wanted(endpoints, engine, &wanted);
	reorder(endpoints, &wanted, now_ms);
	leave_refused(endpoints, &wanted, now_ms);
	if (wanted.n && (is_new || is_missing(endpoints, &wanted)))
		add_missing(endpoints, engine, &wanted, now_ms);
	vec_done(&wanted);
}

uint64_t endpoints_next(const struct endpoints *endpoints)
{
	uint64_t next = endpoints->next_ms;

	if (endpoints->save_ms)
		come_by(&next, endpoints->save_ms);
	if (endpoints->opening.next_ms)
		come_by(&next, endpoints->opening.next_ms);
	return next;
}

void endpoints_remove(struct endpoints *endpoints, uint64_t now_ms)
{
	bool lacks = endpoints->opening.error == -ENOENT;

	if (!endpoints->mptcp && (lacks || begin(endpoints, now_ms)))
		return;
	/* Once more: what failed may be a passing want. */
	for (int tries = 0; tries < 2 && endpoints->ours.n; tries++) {
		ours_number(endpoints);
		for (size_t i = endpoints->ours.n; i-- > 0;)
			(void)ours_dismiss(endpoints, i, "the daemon stops",
					   now_ms);
	}
	(void)limits_lower(&endpoints->limits, endpoints->mptcp);
	endpoints_file_save(endpoints, now_ms);
}

int endpoints_flush(struct endpoints *endpoints, uint64_t now_ms)
{
	int error;

	ours_number(endpoints);
	error = limits_lower(&endpoints->limits, endpoints->mptcp);
	for (size_t i = endpoints->ours.n; i-- > 0;) {
		int r = ours_remove(endpoints, i, "all of ours go", now_ms);

		error = error ? error : r;
	}
	/* What is left, another flush has to know. */
	endpoints_file_save(endpoints, now_ms);
	return error;
}

/* --- life --- */

int endpoints_init(struct endpoints *endpoints, const char *path,
		   uint64_t now_ms)
{
	memset(endpoints, 0, sizeof(*endpoints));
	(void)snprintf(endpoints->path, sizeof(endpoints->path), "%s", path);
	return begin(endpoints, now_ms);
}

void endpoints_done(struct endpoints *endpoints)
{
	mptcp_free(endpoints->mptcp);
	endpoints->mptcp = NULL;
	vec_done(&endpoints->ours);
	vec_done(&endpoints->refusals);
}
