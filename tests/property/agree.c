/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/property/agree.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define DESTINATIONS_MAX 120

size_t agree_met[MET_KINDS];

static bool world_build(const struct line_vec *lines, struct world *world)
{
	const struct scene_row *row;
	const struct rule *rule;
	const struct want *want;
	struct op op = {0};

	memset(world, 0, sizeof(*world));
	if (!host_build(lines, &world->scene))
		return false;
	world->view = scene_view(&world->scene);
	scene_plan_build(&world->scene, &world->plan);
	kernel_read(&world->kernel, &world->scene.model);
	vec_foreach(&world->plan.rows, row) {
		op.kind = OP_ROUTE_PUT;
		op.route.prefix = row->prefix;
		vec_foreach(&row->wants, want) {
			op.route.route = (struct route){
				.table = want->table,
				.tos = want->tos,
				.metric = want->metric,
				.attrs = want->attrs,
			};
			kernel_apply(&world->kernel, &op);
		}
	}
	vec_foreach(&world->plan.rules, rule) {
		op.kind = OP_RULE_ADD;
		op.rule = *rule;
		kernel_apply(&world->kernel, &op);
	}
	return true;
}

static void world_done(struct world *world)
{
	kernel_done(&world->kernel);
	scene_plan_done(&world->scene, &world->plan);
	scene_done(&world->scene);
}

static const struct attrset *set_of(const struct world *world, uint32_t attrs)
{
	return attrset_get(&world->scene.model.rib.attrs, attrs);
}

/* --- the answer of the kernel against the answer of the draft --- */

/* Hop @i of a copy says "on the link" where the route names ourselves. */
static bool same_hop(const struct world *world, const struct attrset *copy,
		     size_t i, const struct next_hop *hop)
{
	const struct next_hop *have = &copy->hops.items[i];

	if (model_is_on_link(&world->scene.model, hop))
		return have->ifindex == hop->ifindex && have->flags == 0 &&
		       !ip_addr_is_set(&have->gateway);
	return have->ifindex == hop->ifindex && have->flags == hop->flags &&
	       ip_addr_equal(&have->gateway, &hop->gateway);
}

/* What has no gateway has that scope, though the route may have another. */
static bool same_scope(const struct attrset *copy, const struct attrset *of)
{
	const struct next_hop *hop;

	if (copy->scope == of->scope)
		return true;
	vec_foreach(&copy->hops, hop)
		if (ip_addr_is_set(&hop->gateway))
			return false;
	return copy->hops.n && copy->scope == ROUTE_SCOPE_LINK;
}

/* What a copy must keep besides its next hops. */
static bool same_forwarding(const struct attrset *copy,
			    const struct attrset *of)
{
	return copy->type == of->type && same_scope(copy, of) &&
	       copy->pref == of->pref &&
	       copy->route_extra_len == of->route_extra_len &&
	       (!of->route_extra_len ||
		memcmp(copy->extra.items, of->extra.items,
		       of->route_extra_len) == 0);
}

static bool same_hops(const struct world *world, const struct attrset *copy,
		      const struct forward *forward)
{
	if (copy->hops.n != forward->best.n)
		return false;
	for (size_t i = 0; i < copy->hops.n; i++) {
		const struct forward_candidate *best = &forward->best.items[i];
		const struct attrset *set = set_of(world, best->route.attrs);
		const struct next_hop *hop = &set->hops.items[best->hop];

		if (!same_hop(world, copy, i, hop) ||
		    !same_forwarding(copy, set))
			return false;
		if (copy->hops.n > 1 &&
		    copy->hops.items[i].weight != hop->weight)
			return false;
	}
	return true;
}

/*
 * Main may have a route for part of a subnet's sources (RTA_SRC longer than the
 * subnet): no candidate for the subnet, but what main says when our table says
 * nothing.
 */
static bool is_partial(const struct world *world, const struct subnet *subnet,
		       const struct kernel_entry *entry)
{
	(void)world;
	return entry->src.addr.family &&
	       !ip_prefix_covers(&entry->src, &subnet->prefix);
}

static bool agrees(const struct world *world, const struct subnet *subnet,
		   const struct forward *forward,
		   const struct kernel_entry *entry)
{
	const struct attrset *set = entry ? set_of(world, entry->attrs) : NULL;
	uint8_t type;

	switch (forward->rule) {
	case FORWARD_NO_ROUTE:
		if (entry && is_partial(world, subnet, entry))
			return true;
		return subnet->strong ? set && set->type == ATTRSET_UNREACHABLE
				      : !set;
	case FORWARD_STRONG:
		return set && set->type == ATTRSET_UNREACHABLE &&
		       entry->table == subnet->table;
	case FORWARD_WEAK:
	case FORWARD_CONGRUENT:
		break;
	}
	if (!forward->best.n)
		return false;
	type = set_of(world, forward->best.items[0].route.attrs)->type;
	/* A throw sends nothing, or leaves it to main; the words may differ. */
	if (type == ATTRSET_THROW)
		return !set || attrset_is_reject(set) ||
		       is_partial(world, subnet, entry);
	if (!set || entry->table != subnet->table)
		return false;
	if (forward->best.items[0].reject)
		return set->type == type;
	return same_hops(world, set, forward);
}

static const char *entry_text(const struct world *world,
			      const struct kernel_entry *entry, char *text)
{
	struct route route;

	if (!entry)
		return "no route";
	route = (struct route){
		.table = entry->table,
		.tos = entry->tos,
		.metric = entry->metric,
		.attrs = entry->attrs,
	};
	return route_format(&entry->prefix, &route, set_of(world, entry->attrs),
			    &world->scene.model.links, text);
}

static const char *forward_text(const struct world *world,
				const struct forward *forward, char *text)
{
	static const char *const rules[] = {"no route", "weak", "strong",
					    "congruent"};
	const struct forward_candidate *best = forward->best.items;
	char route[ROUTE_TEXT_MAX] = "";

	if (forward->best.n)
		(void)route_format(&best->prefix, &best->route,
				   set_of(world, best->route.attrs),
				   &world->scene.model.links, route);
	(void)snprintf(text, ROUTE_TEXT_MAX, "%s, %zu best: %.300s",
		       rules[forward->rule], forward->best.n, route);
	return text;
}

static void explain(struct world *world, const struct packet *packet,
		    const struct forward *forward,
		    const struct kernel_entry *entry)
{
	char text[2][ROUTE_TEXT_MAX];
	char addr[2][IP_TEXT_MAX];

	(void)snprintf(world->why, sizeof(world->why),
		       "%s -> %s tos 0x%02x: kernel: %.80s; forward: %.90s",
		       ip_addr_format(&packet->src, addr[0]),
		       ip_addr_format(&packet->dst, addr[1]), packet->tos,
		       entry_text(world, entry, text[0]),
		       forward_text(world, forward, text[1]));
}

static void count(const struct forward *forward)
{
	const struct forward_candidate *best = forward->best.items;

	agree_met[MET_NO_ROUTE + forward->rule]++;
	if (!forward->best.n)
		return;
	agree_met[MET_MULTIPATH] += forward->best.n > 1;
	agree_met[MET_REJECT] += best->reject;
	agree_met[MET_TOS] += best->route.tos != 0;
	agree_met[MET_UNUSABLE] += !best->reject && !best->usable;
	agree_met[MET_LOCAL_LINK] += best->on.yes && best->on.line == 7;
}

/* All own addresses of @subnet to one destination. */
static bool sources_agree(struct world *world, const struct subnet *subnet,
			  struct packet *packet)
{
	const struct subnet_address_vec *addresses =
		&world->scene.subnets.addresses;
	size_t index = (size_t)(subnet - world->scene.subnets.subnets.items);
	struct forward forward = {0};
	const struct subnet_address *source;
	const struct kernel_entry *entry;
	bool ok = true;

	forward_pick(&world->view, subnet, &packet->dst, packet->tos, &forward);
	count(&forward);
	vec_foreach(addresses, source) {
		/* One address on two links belongs to one of them. */
		if (source->subnet != index ||
		    subnet_of_source(&world->scene.subnets, &source->addr) !=
			    subnet)
			continue;
		packet->src = source->addr;
		entry = kernel_lookup(&world->kernel,
				      &world->scene.model.rib.attrs, packet,
				      NULL);
		if (agrees(world, subnet, &forward, entry))
			continue;
		explain(world, packet, &forward, entry);
		ok = false;
		break;
	}
	forward_done(&forward);
	return ok;
}

/* All destinations, with every TOS that routes have and one they have not. */
static bool subnet_agrees(struct world *world, const struct subnet *subnet,
			  const struct addr_vec *dsts)
{
	static const uint8_t tos[] = {0, 0x10, 0x08, 0x04};
	size_t n_tos = subnet->prefix.addr.family == AF_INET ? 4 : 1;
	const struct ip_addr *dst;

	vec_foreach(dsts, dst) {
		struct packet packet = {.dst = *dst};

		if (dst->family != subnet->prefix.addr.family)
			continue;
		for (size_t i = 0; i < n_tos; i++) {
			packet.tos = tos[i];
			if (!sources_agree(world, subnet, &packet))
				return false;
		}
	}
	return true;
}

static bool packets_agree(struct world *world, const struct addr_vec *dsts)
{
	const struct subnet *subnet;

	vec_foreach(&world->scene.subnets.subnets, subnet)
		if (subnet->managed && !subnet_agrees(world, subnet, dsts))
			return false;
	return true;
}

bool agree_disagrees(const struct line_vec *lines, void *context)
{
	struct world *world = context;
	struct addr_vec dsts = {0};
	struct dice dice = {.state = lines->n};
	bool ok = true;

	if (world_build(lines, world)) {
		host_destinations(&world->scene, &dice, &dsts);
		if (dsts.n > DESTINATIONS_MAX)
			dsts.n = DESTINATIONS_MAX;
		ok = packets_agree(world, &dsts);
		vec_done(&dsts);
	}
	world_done(world);
	return !ok;
}

/* --- what holds of every plan --- */

static bool complain(struct world *world, const char *why, const void *what)
{
	char text[IP_TEXT_MAX] = "";

	if (what)
		(void)ip_prefix_format(what, text);
	(void)snprintf(world->why, sizeof(world->why), "%s: %s", text, why);
	return false;
}

static int want_cmp(const struct want *a, const struct want *b)
{
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->tos != b->tos)
		return a->tos < b->tos ? -1 : 1;
	return a->metric < b->metric ? -1 : a->metric > b->metric;
}

/* Security: main or the config names it for this very prefix. */
static bool hops_are_named(const struct world *world, const struct row *row,
			   const struct attrset *copy)
{
	for (size_t h = 0; h < copy->hops.n; h++) {
		bool named = false;

		for (size_t i = 0; row && i < row->n; i++) {
			const struct attrset *set =
				set_of(world, row->routes[i].attrs);
			const struct next_hop *other;

			vec_foreach(&set->hops, other)
				named |= same_hop(world, copy, h, other);
		}
		if (!named)
			return false;
	}
	return true;
}

static bool row_holds(struct world *world, const struct scene_row *planned)
{
	const struct row *row =
		rib_row(&world->scene.model.rib, &planned->prefix);
	const struct want *want;

	vec_foreach(&planned->wants, want) {
		const struct attrset *set = set_of(world, want->attrs);

		if (want > planned->wants.items &&
		    want_cmp(want - 1, want) >= 0)
			return complain(world, "not sorted and unique",
					&planned->prefix);
		if (want->metric != PLAN_METRIC &&
		    (want->metric != PLAN_TAIL_METRIC ||
		     set->type != ATTRSET_UNREACHABLE ||
		     planned->prefix.len != 0))
			return complain(world, "metric", &planned->prefix);
		if (set->src.addr.family || ip_addr_is_set(&set->prefsrc))
			return complain(world, "a copy names sources",
					&planned->prefix);
		if (!hops_are_named(world, row, set))
			return complain(world, "next hop from nowhere",
					&planned->prefix);
	}
	return true;
}

/* A source of this host: its own table, or none of ours. */
static bool source_holds(struct world *world, const struct ip_addr *addr)
{
	const struct subnet *subnet =
		subnet_of_source(&world->scene.subnets, addr);
	struct ip_prefix host = ip_prefix_host(addr);
	uint32_t table = 0;
	const struct rule *rule;

	vec_foreach(&world->plan.rules, rule) {
		if (!rule->iif_lo || rule->protocol != 109)
			return complain(world, "not marked as ours",
					&rule->src);
		if (rule->dst.len || !ip_prefix_has(&rule->src, addr))
			continue;
		table = rule->table;
		break;
	}
	if (table != (subnet && subnet->managed ? subnet->table : 0))
		return complain(world, "looked up in the wrong table", &host);
	return true;
}

static bool invariants_hold(struct world *world)
{
	const struct scene_row *row;
	const struct address *address;
	const struct rule *rule;

	vec_foreach(&world->plan.rows, row)
		if (!row_holds(world, row))
			return false;
	vec_foreach(&world->plan.rules, rule)
		if (rule > world->plan.rules.items &&
		    rule->family == rule[-1].family &&
		    rule_cmp(rule - 1, rule) >= 0)
			return complain(world, "rules not sorted and unique",
					&rule->src);
	vec_foreach(&world->scene.model.addresses, address)
		if (!source_holds(world, &address->local))
			return false;
	return true;
}

bool agree_is_broken(const struct line_vec *lines, void *context)
{
	struct world *world = context;
	bool ok = true;

	if (world_build(lines, world))
		ok = invariants_hold(world);
	world_done(world);
	return !ok;
}
