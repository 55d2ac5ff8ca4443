/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reverse path filtering (IPv4). The kernel asks where a packet's answer would
 * go, by our rules and tables, and drops the packet if that is not the link it
 * came in by (1, strict) or if there is no answer at all (1 and 2). So what is
 * congruent passes. What is not is dropped where the answer leaves by another
 * link (weak: with 1) or is unreachable (strong: with 1 and 2; with 0 it would
 * arrive, and its answer fail).
 */
#include <netinet/in.h>
#include <stdio.h>

#include "core/cell.h"
#include "core/plan.h"
#include "doctor/check.h"

/* A prefix to which a subnet's packets do not leave by its own link. */
struct detour {
	bool found;
	bool gateway; /* through a router, not a neighbouring link's prefix */
	bool strong;
	struct ip_prefix prefix;
	uint32_t ifindex; /* weak: the link they leave by */
};

VEC(flag_vec, bool); /* one per attribute set */

/* Which sets have a usable hop on the subnet; the rows with one are fine. */
static void find_own(const struct view *view, const struct subnet *subnet,
		     struct flag_vec *ret)
{
	const struct attrset_store *attrs = &view->model->rib.attrs;

	vec_clear(ret);
	for (uint32_t id = 0; id < attrs->n; id++) {
		const struct attrset *set;
		const struct next_hop *hop;
		bool own = false;

		vec_push(ret, false);
		if (!attrset_is_live(attrs, id))
			continue;
		set = attrset_get(attrs, id);
		vec_foreach(&set->hops, hop)
			own |= model_is_usable(view->model, hop) &&
			       subnet_has_next_hop(view, subnet, set, hop).yes;
		ret->items[id] = own;
	}
}

static bool may_detour(const struct view *view, const struct row *row,
		       const struct flag_vec *own, bool *ret_gateway)
{
	bool found = false;

	*ret_gateway = false;
	for (size_t i = 0; i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct next_hop *hop;

		if (!check_is_candidate(view, route))
			continue;
		if (route->attrs < own->n && own->items[route->attrs])
			return false;
		found = true;
		vec_foreach(&check_attrs(view, route)->hops, hop)
			*ret_gateway |= ip_addr_is_set(&hop->gateway);
	}
	return found;
}

/* Whether the cell leads elsewhere, and by which link. */
static bool leads_away(const struct view *view, const struct subnet *subnet,
		       const struct row *row, struct detour *ret)
{
	struct cell cell = {0};
	bool away = false;

	cell_pick(view, subnet, row, 0, &cell);
	if (cell.kind == CELL_STRONG) {
		away = ret->strong = true;
	} else if (cell.kind == CELL_WEAK) {
		const struct attrset *set = check_attrs(view, cell.route);

		/* The filter is content if any of the hops is over the link. */
		for (size_t i = 0; i < cell.keep.n; i++) {
			if (!cell.keep.items[i])
				continue;
			ret->ifindex = set->hops.items[i].ifindex;
			away = ret->ifindex != subnet->ifindex;
			if (!away)
				break;
		}
	}
	cell_done(&cell);
	return away;
}

/* The first through a gateway; else the first at all. */
static struct detour find_detour(const struct view *view,
				 const struct subnet *subnet)
{
	const struct rib *rib = &view->model->rib;
	struct ip_prefix all = ip_prefix_default(AF_INET);
	struct ip_prefix prefix;
	struct detour first = {0};
	struct flag_vec own = {0};
	struct trie_walk walk;
	uint32_t at;

	find_own(view, subnet, &own);
	trie_walk_start(&walk, rib_trie(rib, AF_INET), &all);
	while (trie_walk_next(&walk, &prefix, &at)) {
		const struct row *row = rib_row_at(rib, at);
		struct detour detour = {.prefix = prefix};

		if (!cell_wanted_at(&prefix) ||
		    !may_detour(view, row, &own, &detour.gateway) ||
		    (first.found && !detour.gateway) ||
		    !leads_away(view, subnet, row, &detour))
			continue;
		first = detour;
		first.found = true;
		if (detour.gateway)
			break;
	}
	vec_done(&own);
	return first;
}

static void name_prefix(const struct ip_prefix *prefix, char *ret)
{
	if (prefix->len)
		(void)ip_prefix_format(prefix, ret);
	else
		(void)snprintf(ret, IP_TEXT_MAX, "everywhere");
}

static void report_weak(const struct view *view, const struct subnet *subnet,
			const struct detour *detour, struct finding_vec *ret)
{
	const char *link = check_link_name(view, subnet->ifindex);
	struct link_sysctl fix = {AF_INET, link, "rp_filter", 2};
	struct finding *finding = finding_add(
		ret, detour->gateway ? SEVERITY_ERROR : SEVERITY_HINT, "%s",
		link);
	char from[IP_TEXT_MAX];
	char to[IP_TEXT_MAX];

	(void)ip_prefix_format(&subnet->prefix, from);
	name_prefix(&detour->prefix, to);
	finding_what(finding,
		     "%s has strict reverse path filtering (rp_filter is 1, "
		     "the larger of all and %s), and packets from %s to %s "
		     "leave by %s: no route on their own subnet leads there.",
		     link, link, from, to,
		     check_link_name(view, detour->ifindex));
	finding_breaks(finding,
		       "Packets from %s to addresses of %s that arrive on %s "
		       "are dropped without a word.",
		       to, from, link);
	finding_fix_link(finding, &fix);
}

/* A route through the subnet's own router makes it congruent. */
static void report_strong(const struct view *view, const struct facts *facts,
			  const struct subnet *subnet,
			  const struct detour *detour, struct finding_vec *ret)
{
	const char *link = check_link_name(view, subnet->ifindex);
	const struct next_hop *hop = check_own_default(view, subnet);
	struct finding *finding = finding_add(ret, SEVERITY_HINT, "%s", link);
	struct route_fix fix = {
		.to = detour->prefix,
		.dev = link,
		.metric = check_next_metric(view, AF_INET),
		.another = view->policy->routes.n > 0,
	};
	char from[IP_TEXT_MAX];
	char to[IP_TEXT_MAX];

	(void)ip_prefix_format(&subnet->prefix, from);
	name_prefix(&detour->prefix, to);
	finding_what(finding,
		     "No route to %s is on %s, so the strong model answers "
		     "unreachable, and reverse path filtering is on (rp_filter "
		     "of %s).",
		     to, from, link);
	finding_breaks(finding,
		       "Packets from %s to addresses of %s are dropped before "
		       "a program sees them. Answers could not leave either.",
		       to, from);
	if (hop)
		fix.via = hop->gateway;
	finding_fix_route(finding, facts, &fix);
}

void check_rp_filter(const struct view *view, const struct facts *facts,
		     struct finding_vec *ret)
{
	const struct link_facts *all = facts_link(facts, 0);
	const struct subnet *it;

	if (!all || plan_yields(view, AF_INET))
		return;
	vec_foreach(&view->subnets->subnets, it) {
		const struct link_facts *link = facts_link(facts, it->ifindex);
		struct detour detour;
		int value;

		if (!it->managed || it->prefix.addr.family != AF_INET || !link)
			continue;
		value = link->rp_filter > all->rp_filter ? link->rp_filter
							 : all->rp_filter;
		/* Loose filtering drops nothing of the weak model. */
		if (value < 1 || (value > 1 && !it->strong))
			continue;
		detour = find_detour(view, it);
		if (!detour.found)
			continue;
		if (!detour.strong)
			report_weak(view, it, &detour, ret);
		else if (detour.gateway)
			report_strong(view, facts, it, &detour, ret);
	}
}
