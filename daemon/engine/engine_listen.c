/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel tells, on its way into the model, and what is to be read anew
 * because it does not tell the whole story.
 */
#include <errno.h>
#include <netinet/in.h>

#include "core/cell.h"
#include "engine/engine_advert.h"
#include "engine/engine_apply.h"
#include "engine/engine_intake.h"
#include "engine/engine_read.h"
#include "log.h"

#define LISTEN_MAX	 1024 /* messages at one go: some milliseconds */
#define LISTEN_BUSY_MAX	 512  /* amid a round: others wait as well */
#define REFUSED_RETRY_MS 2000

static const uint8_t families[] = {AF_INET, AF_INET6};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

/* --- what to read again --- */

static void mark(struct engine *engine, const struct reread *what)
{
	const struct reread *it;

	vec_foreach(&engine->rereads, it)
		if (it->family == what->family && it->table == what->table &&
		    (it->ifindex == what->ifindex || it->ifindex == 0))
			return;
	vec_push(&engine->rereads, *what);
}

void engine_mark_routes(struct engine *engine, uint8_t family, uint32_t table,
			uint32_t ifindex)
{
	const struct reread what = {family, table, ifindex};

	mark(engine, &what);
}

static void mark_all_tables(struct engine *engine, uint8_t family,
			    uint32_t ifindex)
{
	struct reread what = {family, ROUTE_TABLE_MAIN, ifindex};

	mark(engine, &what);
	for (size_t i = 0; i < engine->tables.n; i++) {
		what.table = engine->tables.items[i];
		mark(engine, &what);
	}
}

/* A tunnel's default can go without a word as well. */
static void mark_tunnels(struct engine *engine)
{
	const struct rule *rule;

	vec_foreach(&engine->model.rules, rule)
		if (plan_rule_may_tunnel(engine->policy, rule))
			engine->read_rules = true; /* and their tables */
}

void engine_mark_link(struct engine *engine, uint32_t ifindex)
{
	bool found = false;

	for (size_t f = 0; f < N_FAMILIES; f++) {
		if (!model_uses_link(&engine->model, families[f], ifindex))
			continue;
		mark_all_tables(engine, families[f], ifindex);
		found = true;
	}
	if (found)
		mark_tunnels(engine);
}

/* IPv4 routes go with their object without a word. */
static void mark_nexthop(struct engine *engine, uint32_t nh_id)
{
	if (!model_uses_nexthop(&engine->model, nh_id))
		return;
	for (size_t f = 0; f < N_FAMILIES; f++)
		mark_all_tables(engine, families[f], 0);
	mark_tunnels(engine);
}

/* IPv6 strips a preferred source that is gone without a word. */
static void mark_prefsrc(struct engine *engine, const struct ip_addr *addr)
{
	const struct attrset_store *attrs = &engine->model.rib.attrs;

	for (uint32_t id = 0; id < attrs->n; id++) {
		const struct attrset *set;

		if (!attrset_is_live(attrs, id))
			continue;
		set = attrset_get(attrs, id);
		for (size_t i = 0; i < set->hops.n; i++)
			if (ip_addr_equal(&set->prefsrc, addr))
				engine_mark_link(engine,
						 set->hops.items[i].ifindex);
	}
}

void engine_add_table(struct engine *engine, uint32_t table)
{
	if (policy_is_our_table(engine->policy, table) &&
	    !table_vec_has(&engine->tables, table))
		vec_push(&engine->tables, table);
}

/* --- events --- */

/* The kernel drops no route with a carrier, and adds none. */
static bool is_carrier_only(const struct link *old, const struct link *new)
{
	return old && old->up && new->up && old->master == new->master &&
	       old->vrf == new->vrf && old->loopback == new->loopback &&
	       old->carrier != new->carrier;
}

static void take_link(const struct intake *intake,
		      const struct kernel_event *event)
{
	struct engine *engine = intake->engine;
	bool routes_stay = is_carrier_only(
		model_link(&engine->model, event->link.ifindex), &event->link);

	if (event->deleted) {
		if (model_remove_link(&engine->model, event->link.ifindex))
			engine_mark_link(engine, event->link.ifindex);
		return;
	}
	/* Who reads all links reads all tables behind them. */
	if (model_put_link(&engine->model, &event->link) && !routes_stay &&
	    !intake->is_dump)
		engine_mark_link(engine, event->link.ifindex);
}

static bool has_address(const struct model *model, uint32_t ifindex,
			uint8_t family)
{
	const struct address *it;

	vec_foreach(&model->addresses, it)
		if (it->ifindex == ifindex && it->local.family == family)
			return true;
	return false;
}

/*
 * That IPv6 is switched off or on nobody says, but a link without it has no
 * address and no route of it.
 */
static void mark_ipv6(struct engine *engine, uint32_t ifindex, bool has)
{
	const struct link *old = model_link(&engine->model, ifindex);
	struct link link;

	if (!old || old->no_ipv6 != has)
		return;
	if (has) {
		link = *old;
		link.no_ipv6 = false;
		model_put_link(&engine->model, &link);
		return;
	}
	/* Nothing of it is left; whether it is off only the kernel knows. */
	for (size_t i = 0; i < engine->ipv6_links.n; i++)
		if (engine->ipv6_links.items[i] == ifindex)
			return;
	vec_push(&engine->ipv6_links, ifindex);
}

static void take_address(const struct intake *intake,
			 const struct kernel_event *event)
{
	struct engine *engine = intake->engine;
	const struct address *address = &event->address;
	uint8_t family = address->local.family;
	bool is_left = true;

	if (event->deleted) {
		if (!model_remove_address(&engine->model, address))
			return;
		is_left = has_address(&engine->model, address->ifindex, family);
		/* With the last one go all IPv4 routes over the link. */
		if (!is_left)
			engine_mark_link(engine, address->ifindex);
		mark_prefsrc(engine, &address->local);
	} else {
		model_put_address(&engine->model, address);
	}
	if (!intake->is_dump && family == AF_INET6)
		mark_ipv6(engine, address->ifindex, is_left);
}

/* Somebody other than we or the kernel itself touched a table of ours. */
static void note_meddling(struct intake *intake,
			  const struct kernel_event *event)
{
	struct engine *engine = intake->engine;
	const struct route *route = &event->route.route;
	const struct subnet *it;
	bool is_ours = false;

	vec_foreach(&engine->subnets.subnets, it)
		is_ours |= it->table && it->table == route->table;
	if (!is_ours || event->port == 0)
		return;
	if (route->protocol == engine->policy->protocol ||
	    route->metric == PLAN_METRIC)
		repair_note_route(&engine->repair,
				  &(struct repair_entry){route->table,
							 event->route.prefix},
				  event->deleted, event->port);
	else
		log_limited(LOG_KIND_FOREIGN_ROUTE, intake->now_ms, LOG_WARNING,
			    "somebody keeps a route of its own in our table "
			    "%u (metric %u, protocol %u); it is left alone",
			    route->table, route->metric, route->protocol);
}

/* A router that says so itself is gone; nobody is about to add it again. */
static bool is_withdrawn(const struct kernel_event *event)
{
	return event->port == 0 &&
	       event->route.route.protocol == ROUTE_PROTOCOL_RA;
}

/*
 * The message of a new RA route comes before the kernel has set its metrics
 * (hop limit, MTU), and nothing is said of these.
 */
static void mark_ra_route(struct engine *engine,
			  const struct kernel_event *event)
{
	const struct model_route *route = &event->route;

	if (event->deleted || event->port ||
	    route->route.table != ROUTE_TABLE_MAIN ||
	    route->route.protocol != ROUTE_PROTOCOL_RA || !route->set.hops.n)
		return;
	engine_mark_routes(engine, AF_INET6, ROUTE_TABLE_MAIN,
			   route->set.hops.items[0].ifindex);
}

/* After IPv6 was switched on, its routes come before its addresses. */
static void mark_ipv6_of(struct engine *engine,
			 const struct kernel_event *event)
{
	const struct model_route *route = &event->route;
	const struct next_hop *hop;

	if (event->deleted || route->prefix.addr.family != AF_INET6)
		return;
	vec_foreach(&route->set.hops, hop)
		mark_ipv6(engine, hop->ifindex, true);
}

/*
 * Where we hear single prefixes only, this tells that a router is none any
 * more: the kernel deletes its default route.
 */
static void end_router(struct intake *intake, const struct kernel_event *event)
{
	const struct model_route *route = &event->route;
	const struct next_hop *hop;

	if (intake->engine->hears_routers || !event->deleted ||
	    !is_withdrawn(event) || route->prefix.len != 0)
		return;
	vec_foreach(&route->set.hops, hop)
		engine_end_router(intake->engine, hop->ifindex, &hop->gateway,
				  intake->now_ms);
}

/*
 * A gateway is looked up among the routes: other ones may make a copy possible
 * that was refused. Once for many, as it costs a look at every row.
 */
static void retry_refused(struct intake *intake)
{
	struct engine *engine = intake->engine;

	if (engine->refused.n && !engine->refused_ms)
		engine->refused_ms = intake->now_ms + REFUSED_RETRY_MS;
}

static void take_route(struct intake *intake, const struct kernel_event *event)
{
	struct engine *engine = intake->engine;
	const struct model_route *route = &event->route;
	struct reread again = {route->prefix.addr.family, route->route.table,
			       0};
	uint64_t until_ms = 0;
	int error;

	if (intake->defaults_only && route->prefix.len != 0)
		return;
	engine_add_table(engine, route->route.table);
	if (!intake->is_dump) {
		note_meddling(intake, event);
		retry_refused(intake);
		mark_ra_route(engine, event);
		mark_ipv6_of(engine, event);
		end_router(intake, event);
	}
	/* Each link has one for fe80::/64, and nobody plans that row. */
	if (route->route.table == ROUTE_TABLE_MAIN &&
	    !cell_wanted_at(&route->prefix))
		return;
	if (engine->policy->settle_ms && !is_withdrawn(event))
		until_ms = intake->now_ms + engine->policy->settle_ms;
	if (event->deleted)
		error = model_remove_route(&engine->model, route, until_ms);
	else
		error = model_put_route(&engine->model, route, event->put);
	if (error == -EAGAIN)
		mark(engine, &again);
}

static void take_rule(struct intake *intake, const struct kernel_event *event)
{
	struct engine *engine = intake->engine;

	if (intake->is_dump) {
		vec_push(intake->rules, event->rule);
		return;
	}
	engine->read_rules = true;
	if (event->deleted && event->port &&
	    event->rule.protocol == engine->policy->protocol &&
	    rule_is_plain(&event->rule))
		repair_note_rule(&engine->repair, &event->rule, event->port);
}

/*
 * `ip neigh flush` says FAILED of what it is about to delete: no news of the
 * gateway. A managed entry that failed stays managed, and one that somebody
 * else has made to fail is put anew, if it may be.
 */
static bool is_flushed(const struct engine *engine, const struct neighbour *it)
{
	return it->failed && !it->managed &&
	       it->protocol == engine->policy->protocol &&
	       !neighbour_vec_has(&engine->unkept, it);
}

static void take_neighbour(struct intake *intake,
			   const struct kernel_event *event)
{
	struct engine *engine = intake->engine;
	const struct neighbour *it = &event->neighbour;

	if (intake->is_dump)
		vec_push(intake->neighbours, *it);
	else if (it->unresolved)
		return; /* what was known stays */
	else if (event->deleted || is_flushed(engine, it))
		model_remove_neighbour(&engine->model, it->ifindex, &it->addr);
	else
		model_put_neighbour(&engine->model, it);
}

void engine_take(const struct kernel_event *event, void *data)
{
	struct intake *intake = data;
	struct engine *engine = intake->engine;

	/* The raw socket tells it as well, and more of it. */
	if (event->kind == KERNEL_ADVERT && engine->hears_routers)
		return;
	if (!intake->is_dump) {
		engine->counters.events[event->kind]++;
		if (engine->observer.heard)
			engine->observer.heard(engine, event,
					       engine->observer.data);
	}
	switch (event->kind) {
	case KERNEL_LINK:
		take_link(intake, event);
		break;
	case KERNEL_ADDRESS:
		take_address(intake, event);
		break;
	case KERNEL_ROUTE:
		take_route(intake, event);
		break;
	case KERNEL_RULE:
		take_rule(intake, event);
		break;
	case KERNEL_NEIGHBOUR:
		take_neighbour(intake, event);
		break;
	case KERNEL_NEXTHOP:
		mark_nexthop(engine, event->nexthop_id);
		break;
	case KERNEL_ADVERT:
		engine_take_prefix(engine, &event->advert, intake->now_ms);
		break;
	case KERNEL_LOST:
		log_limited(LOG_KIND_LOST, intake->now_ms, LOG_NOTICE,
			    "the kernel dropped messages for us; reading "
			    "everything again");
		engine_lost(engine, intake->now_ms);
		break;
	case KERNEL_BAD:
		log_limited(LOG_KIND_BAD_MESSAGE, intake->now_ms, LOG_WARNING,
			    "a message of the kernel makes no sense and was "
			    "ignored: %s",
			    event->bad);
		break;
	}
}

bool engine_listen(struct engine *engine, uint64_t now_ms)
{
	struct intake intake = {.engine = engine, .now_ms = now_ms};
	size_t max = engine->batch.active ? LISTEN_BUSY_MAX : LISTEN_MAX;
	int n;

	engine_catch_up(engine);
	n = kernel_listen(engine->kernel, max, engine_take, &intake);
	if (n < 0) {
		log_limited(LOG_KIND_LOST, now_ms, LOG_WARNING,
			    "listening to the kernel: %s", strerror(-n));
		engine->read_all = true;
	}
	return n >= 0 && (size_t)n == max;
}
