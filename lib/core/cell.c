/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/cell.h"

#include <assert.h>
#include <netinet/in.h>

/* The best so far: an entry of the row and the metric it won with. */
struct best {
	const struct route *route;
	uint64_t metric;
	int rank; /* among equal metrics; lower is better */
};

/* Which hops count in one pass over the row. */
struct pass {
	const struct view *view;
	const struct subnet *subnet;
	uint8_t tos;
	bool usable_only;
	bool on_subnet_only;
};

void cell_done(struct cell *cell)
{
	vec_done(&cell->keep);
	cell->route = NULL;
	cell->kind = CELL_NONE;
}

bool cell_wanted_at(const struct ip_prefix *prefix)
{
	static const struct ip_prefix excluded[] = {
		{{AF_INET, {127}}, 8},	       {{AF_INET, {224}}, 4},
		{{AF_INET6, {[15] = 1}}, 128}, {{AF_INET6, {0xfe, 0x80}}, 10},
		{{AF_INET6, {0xff}}, 8},
	};

	for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++)
		if (ip_prefix_covers(&excluded[i], prefix))
			return false;
	return true;
}

/*
 * RFC 4191: high, medium, low; then, as in the kernel's own lookup, the longer
 * source prefix.
 */
static int tie_rank(const struct attrset *set)
{
	int pref = set->pref == 1 ? 0 : (set->pref == 3 ? 2 : 1);

	return pref * 256 + 128 - (set->src.addr.family ? set->src.len : 0);
}

static uint64_t hop_metric(const struct view *view, const struct route *route,
			   const struct next_hop *hop)
{
	const struct link *link = model_link(view->model, hop->ifindex);
	const struct policy_interface *entry =
		link ? policy_interface_find(view->policy, link) : NULL;

	return (uint64_t)route->metric + (entry ? entry->metric_add : 0);
}

/* Of main or the config, of this TOS, and open to the subnet's sources. */
static bool is_candidate(const struct pass *pass, const struct route *route,
			 const struct attrset *set)
{
	if (route->table != ROUTE_TABLE_MAIN &&
	    route->table != ROUTE_TABLE_CONFIG)
		return false;
	if (route->tos != pass->tos)
		return false;
	return !set->src.addr.family || set->src.len == 0 ||
	       ip_prefix_covers(&set->src, &pass->subnet->prefix);
}

/* The subnet first: most hops are on none but one, and that is soon told. */
static bool counts(const struct pass *pass, const struct attrset *set,
		   const struct next_hop *hop)
{
	if (pass->on_subnet_only &&
	    !subnet_has_next_hop(pass->view, pass->subnet, set, hop).yes)
		return false;
	return !pass->usable_only || model_is_usable(pass->view->model, hop);
}

static bool is_better(const struct best *best, uint64_t metric, int rank)
{
	if (!best->route || metric != best->metric)
		return !best->route || metric < best->metric;
	return rank < best->rank; /* else the kernel's own order: the first */
}

/* The lowest metric among the hops that count, and the rejects beside them. */
static struct best find_best(const struct pass *pass, const struct row *row)
{
	struct best best = {0};

	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct attrset *set = attrset_get(
			&pass->view->model->rib.attrs, route->attrs);
		const struct next_hop *hop;

		if (!is_candidate(pass, route, set))
			continue;
		if (attrset_is_reject(set)) {
			if (is_better(&best, route->metric, tie_rank(set)))
				best = (struct best){route, route->metric,
						     tie_rank(set)};
			continue;
		}
		vec_foreach(&set->hops, hop) {
			uint64_t metric;

			if (!counts(pass, set, hop))
				continue;
			metric = hop_metric(pass->view, route, hop);
			if (is_better(&best, metric, tie_rank(set)))
				best = (struct best){route, metric,
						     tie_rank(set)};
		}
	}
	return best;
}

/* Whether any hop of the row counts. */
static bool has_one(const struct pass *pass, const struct row *row)
{
	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct attrset *set = attrset_get(
			&pass->view->model->rib.attrs, route->attrs);
		const struct next_hop *hop;

		if (!is_candidate(pass, route, set) || attrset_is_reject(set))
			continue;
		vec_foreach(&set->hops, hop)
			if (counts(pass, set, hop))
				return true;
	}
	return false;
}

/* The winner's hops that count and have the winning metric stay together. */
static void take(const struct pass *pass, const struct best *best,
		 enum cell_kind kind, struct cell *ret)
{
	const struct attrset *set;
	const struct next_hop *hop;

	assert(best->route);
	set = attrset_get(&pass->view->model->rib.attrs, best->route->attrs);
	ret->kind = kind;
	ret->route = best->route;
	ret->metric = best->metric;
	vec_foreach(&set->hops, hop)
		vec_push(&ret->keep, counts(pass, set, hop) &&
					     hop_metric(pass->view, best->route,
							hop) == best->metric);
}

void cell_pick(const struct view *view, const struct subnet *subnet,
	       const struct row *row, uint8_t tos, struct cell *ret)
{
	struct pass pass = {view, subnet, tos, true, false};
	struct best best;

	vec_clear(&ret->keep);
	ret->route = NULL;
	ret->kind = CELL_NONE;
	/* Where no next hop is usable, the unusable count as main has them. */
	pass.usable_only = has_one(&pass, row);

	/* Rule 4: an on-subnet candidate; rejects compete by metric. */
	pass.on_subnet_only = true;
	if (has_one(&pass, row)) {
		best = find_best(&pass, row);
		take(&pass, &best, CELL_CONGRUENT, ret);
		return;
	}
	/* Rule 2: nothing matches. */
	pass.on_subnet_only = false;
	best = find_best(&pass, row);
	if (!best.route)
		return;
	/* Rule 3, or its alternate. */
	if (subnet->strong)
		ret->kind = CELL_STRONG;
	else
		take(&pass, &best, CELL_WEAK, ret);
}

enum cell_fate cell_fate(const struct view *view, const struct cell *cell)
{
	static const enum cell_fate fates[] = {
		[CELL_NONE] = CELL_FATE_NONE,
		[CELL_CONGRUENT] = CELL_FATE_CONGRUENT,
		[CELL_WEAK] = CELL_FATE_WEAK,
		[CELL_STRONG] = CELL_FATE_STRONG_DROP,
	};

	if (cell->route &&
	    attrset_is_reject(
		    attrset_get(&view->model->rib.attrs, cell->route->attrs)))
		return CELL_FATE_REJECT;
	return fates[cell->kind];
}
