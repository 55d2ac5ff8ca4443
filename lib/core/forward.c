/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/forward.h"

#include <netinet/in.h>

/* A packet on its way out, and what it is judged by. */
struct packet {
	const struct view *view;
	const struct subnet *subnet; /* of its source */
	const struct ip_addr *dst;
	uint8_t tos;
};

void forward_done(struct forward *forward)
{
	vec_done(&forward->candidates);
	vec_done(&forward->best);
}

static bool is_host_route(const struct packet *packet,
			  const struct route *route, const struct attrset *set)
{
	if (route->table != ROUTE_TABLE_MAIN &&
	    route->table != ROUTE_TABLE_CONFIG)
		return false;
	if (route->tos != 0 && route->tos != packet->tos)
		return false;
	return !set->src.addr.family || set->src.len == 0 ||
	       ip_prefix_covers(&set->src, &packet->subnet->prefix);
}

static void add_hop(const struct packet *packet,
		    const struct forward_candidate *of, size_t hop,
		    struct forward_candidate_vec *ret)
{
	const struct model *model = packet->view->model;
	const struct attrset *set =
		attrset_get(&model->rib.attrs, of->route.attrs);
	const struct next_hop *next = &set->hops.items[hop];
	const struct link *link = model_link(model, next->ifindex);
	const struct policy_interface *entry =
		link ? policy_interface_find(packet->view->policy, link) : NULL;
	struct forward_candidate candidate = *of;

	candidate.hop = hop;
	candidate.metric += entry ? entry->metric_add : 0;
	candidate.usable = model_is_usable(model, next);
	candidate.on =
		subnet_has_next_hop(packet->view, packet->subnet, set, next);
	vec_push(ret, candidate);
}

/* All candidates of one prefix that match the packet. */
static void add_row(const struct packet *packet, const struct ip_prefix *prefix,
		    struct forward_candidate_vec *ret)
{
	const struct rib *rib = &packet->view->model->rib;
	const struct row *row = rib_row(rib, prefix);

	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct attrset *set =
			attrset_get(&rib->attrs, route->attrs);
		struct forward_candidate candidate = {
			.prefix = *prefix,
			.route = *route,
			.reject = attrset_is_reject(set),
			.metric = route->metric,
		};

		if (!is_host_route(packet, route, set))
			continue;
		if (candidate.reject)
			vec_push(ret, candidate);
		for (size_t hop = 0; hop < set->hops.n && !candidate.reject;
		     hop++)
			add_hop(packet, &candidate, hop, ret);
	}
}

/* Rule 1: only those with the longest matching prefix stay. */
static void match_longest(const struct packet *packet,
			  struct forward_candidate_vec *ret)
{
	for (int len = ip_bits(packet->dst->family); len >= 0; len--) {
		struct ip_prefix prefix =
			ip_prefix_make(packet->dst, (uint8_t)len);

		add_row(packet, &prefix, ret);
		if (ret->n)
			return;
	}
}

/* RFC 4191's order, then the longer source prefix, as the kernel has it. */
static int tie_rank(const struct packet *packet,
		    const struct forward_candidate *candidate)
{
	const struct attrset *set = attrset_get(&packet->view->model->rib.attrs,
						candidate->route.attrs);
	int pref = set->pref == 1 ? 0 : (set->pref == 3 ? 2 : 1);

	return pref * 256 + 128 - (set->src.addr.family ? set->src.len : 0);
}

static bool in_pool(const struct forward_candidate *it, uint8_t tos,
		    bool usable_only, bool on_subnet_only)
{
	if (it->route.tos != tos)
		return false;
	if (it->reject)
		return false;
	return (!usable_only || it->usable) && (!on_subnet_only || it->on.yes);
}

/* The lowest metric of the pool and the reject routes beside it. */
static bool pick_lowest(const struct packet *packet, uint8_t tos,
			bool usable_only, bool on_subnet_only,
			struct forward *ret)
{
	const struct forward_candidate *best = NULL;
	const struct forward_candidate *it;

	vec_foreach(&ret->candidates, it) {
		if (!in_pool(it, tos, usable_only, on_subnet_only) &&
		    !(it->reject && it->route.tos == tos))
			continue;
		if (!best || it->metric < best->metric ||
		    (it->metric == best->metric &&
		     tie_rank(packet, it) < tie_rank(packet, best)))
			best = it;
	}
	if (!best)
		return false;
	/* The legs of one multipath route stay together. */
	vec_foreach(&ret->candidates, it)
		if (it == best ||
		    (!best->reject && it->route.attrs == best->route.attrs &&
		     route_key_cmp(&it->route, &best->route) == 0 &&
		     it->metric == best->metric &&
		     in_pool(it, tos, usable_only, on_subnet_only)))
			vec_push(&ret->best, *it);
	return true;
}

static bool has_any(const struct forward *forward, uint8_t tos,
		    bool usable_only, bool on_subnet_only)
{
	const struct forward_candidate *it;

	vec_foreach(&forward->candidates, it)
		if (in_pool(it, tos, usable_only, on_subnet_only))
			return true;
	return false;
}

static bool has_tos(const struct forward *forward, uint8_t tos)
{
	const struct forward_candidate *it;

	vec_foreach(&forward->candidates, it)
		if (it->route.tos == tos)
			return true;
	return false;
}

void forward_pick(const struct view *view, const struct subnet *subnet,
		  const struct ip_addr *dst, uint8_t tos, struct forward *ret)
{
	const struct packet packet = {view, subnet, dst, tos};
	uint8_t rows[2] = {tos, 0}; /* a TOS row goes before the plain one */
	size_t n_rows = tos ? 2 : 1;

	match_longest(&packet, &ret->candidates);

	/* Rule 2: no route matches. */
	ret->rule = FORWARD_NO_ROUTE;
	if (ret->candidates.n == 0)
		return;

	/* Rule 4: next hops on the source's subnet, usable ones first. */
	for (size_t i = 0; i < n_rows; i++) {
		bool usable = has_any(ret, rows[i], true, false);

		if (!has_any(ret, rows[i], usable, true))
			continue;
		ret->rule = FORWARD_CONGRUENT;
		pick_lowest(&packet, rows[i], usable, true, ret);
		return;
	}

	/* Rule 3, alternate: drop and tell. */
	if (subnet->strong) {
		ret->rule = FORWARD_STRONG;
		return;
	}

	/* Rule 3: the lowest metric of all. */
	ret->rule = FORWARD_WEAK;
	for (size_t i = 0; i < n_rows; i++) {
		if (!has_tos(ret, rows[i]))
			continue;
		pick_lowest(&packet, rows[i],
			    has_any(ret, rows[i], true, false), false, ret);
		return;
	}
}
