/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/path.h"

/* --- what the kernel has --- */

static bool is_entry_of(const struct route *route, uint32_t table)
{
	return route->table == table && route->tos == 0 &&
	       route->metric == PLAN_METRIC;
}

const struct route *path_entry(const struct row *row, uint32_t table)
{
	for (size_t i = 0; i < row->n; i++)
		if (is_entry_of(&row->routes[i], table))
			return &row->routes[i];
	return NULL;
}

/* The rows that cover a destination, the shortest prefix first. */
struct cover {
	const struct model *model;
	const struct ip_prefix *dst;
	size_t n;
	uint32_t rows[TRIE_DEPTH_MAX];
	uint8_t len[TRIE_DEPTH_MAX];
};

static void find_cover(const struct model *model, const struct ip_prefix *dst,
		       struct cover *ret)
{
	ret->model = model;
	ret->dst = dst;
	ret->n = trie_cover_len(rib_trie(&model->rib, dst->addr.family), dst,
				ret->rows, ret->len);
}

static const struct row *row_at(const struct cover *cover, size_t i)
{
	return rib_row_at(&cover->model->rib, cover->rows[i]);
}

static struct path in_use_at(const struct cover *cover, size_t i,
			     uint32_t table)
{
	struct ip_prefix prefix =
		ip_prefix_make(&cover->dst->addr, cover->len[i]);
	const struct route *entry = path_entry(row_at(cover, i), table);
	const struct lost_entry *lost =
		model_lost(cover->model, &prefix, table);

	if (lost)
		return (struct path){true, lost->attrs, prefix.len};
	if (entry)
		return (struct path){true, entry->attrs, prefix.len};
	return (struct path){0};
}

struct path path_in_use(const struct model *model, uint32_t table,
			const struct ip_prefix *dst)
{
	struct path path = {0};
	struct cover cover;

	find_cover(model, dst, &cover);
	for (size_t i = cover.n; i-- > 0 && !path.found;)
		path = in_use_at(&cover, i, table);
	return path;
}

/* --- what is planned --- */

const struct want *path_want(const struct planned *planned,
			     struct planned_row row, uint32_t table)
{
	for (size_t i = row.first; i < row.first + row.n; i++) {
		const struct want *want = &planned->wants.items[i];

		if (want->table == table && want->tos == 0 &&
		    want->metric == PLAN_METRIC)
			return want;
	}
	return NULL;
}

static struct path planned_at(const struct cover *cover, size_t i,
			      struct planned *planned, uint32_t table)
{
	struct ip_prefix prefix =
		ip_prefix_make(&cover->dst->addr, cover->len[i]);
	const struct route *entry;
	const struct want *want;

	if (rib_is_dirty(&cover->model->rib, &prefix)) {
		want = path_want(planned, planned_row(planned, &prefix), table);
		if (want)
			return (struct path){true, want->attrs, prefix.len};
		return (struct path){0};
	}
	entry = path_entry(row_at(cover, i), table);
	if (entry)
		return (struct path){true, entry->attrs, prefix.len};
	return (struct path){0};
}

struct path path_planned(struct planned *planned, uint32_t table,
			 const struct ip_prefix *dst)
{
	struct path path = {0};
	struct cover cover;

	find_cover(planned->view.model, dst, &cover);
	for (size_t i = cover.n; i-- > 0 && !path.found;)
		path = planned_at(&cover, i, planned, table);
	return path;
}

/* --- paths --- */

bool path_is_same(const struct attrset_store *attrs, const struct path *a,
		  const struct path *b)
{
	const struct attrset *x;
	const struct attrset *y;

	if (!a->found || !b->found)
		return a->found == b->found;
	if (a->attrs == b->attrs)
		return true;
	x = attrset_get(attrs, a->attrs);
	y = attrset_get(attrs, b->attrs);
	return attrset_is_reject(x) ? attrset_is_reject(y)
				    : attrset_same_hops(x, y);
}

bool path_is_congruent(const struct view *view, const struct subnet *subnet,
		       uint32_t attrs)
{
	const struct attrset *set = attrset_get(&view->model->rib.attrs, attrs);
	const struct next_hop *hop;

	vec_foreach(&set->hops, hop)
		if (!subnet_has_next_hop(view, subnet, set, hop).yes)
			return false;
	return set->hops.n > 0;
}

/* A usable candidate of @row over @hop; or NULL. */
static const struct route *candidate_through(const struct cover *cover,
					     const struct row *row,
					     const struct next_hop *hop)
{
	const struct attrset_store *attrs = &cover->model->rib.attrs;

	for (size_t i = 0; i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct next_hop *it;

		if (route->table != ROUTE_TABLE_MAIN &&
		    route->table != ROUTE_TABLE_CONFIG)
			continue;
		vec_foreach(&attrset_get(attrs, route->attrs)->hops, it)
			if (model_leads_by(cover->model, it, hop) &&
			    model_is_usable(cover->model, it))
				return route;
	}
	return NULL;
}

static const struct route *find_candidate(const struct cover *cover,
					  const struct next_hop *hop)
{
	const struct route *route = NULL;

	for (size_t i = cover->n; i-- > 0 && !route;)
		route = candidate_through(cover, row_at(cover, i), hop);
	return route;
}

size_t path_available(const struct view *view, uint32_t attrs,
		      const struct ip_addr *dst, bool *keep)
{
	const struct attrset *set = attrset_get(&view->model->rib.attrs, attrs);
	const struct ip_prefix host = ip_prefix_host(dst);
	struct cover cover;
	size_t n = 0;

	if (set->hops.n == 0)
		return 0;
	find_cover(view->model, &host, &cover);
	for (size_t i = 0; i < set->hops.n && i < PATH_HOPS_MAX; i++) {
		keep[i] = find_candidate(&cover, &set->hops.items[i]) != NULL;
		n += keep[i];
	}
	return n;
}

bool path_is_whole(const struct view *view, uint32_t attrs,
		   const struct ip_addr *dst)
{
	size_t hops = attrset_get(&view->model->rib.attrs, attrs)->hops.n;
	bool keep[PATH_HOPS_MAX];
	size_t n = path_available(view, attrs, dst, keep);

	return n > 0 && (n == hops || n == PATH_HOPS_MAX);
}

bool path_through(const struct view *view, struct attrset_store *attrs,
		  const struct ip_addr *dst, const struct next_hop *hop,
		  uint32_t *ret_attrs)
{
	const struct ip_prefix host = ip_prefix_host(dst);
	bool keep[PATH_HOPS_MAX] = {0};
	const struct attrset *set;
	const struct route *route;
	struct attrset copy;
	struct cover cover;

	find_cover(view->model, &host, &cover);
	route = find_candidate(&cover, hop);
	if (!route)
		return false;
	set = attrset_get(attrs, route->attrs);
	if (set->hops.n > PATH_HOPS_MAX)
		return false;
	for (size_t i = 0; i < set->hops.n; i++)
		keep[i] = model_leads_by(view->model, &set->hops.items[i], hop);
	attrset_copy_for_table(set, keep, &copy);
	*ret_attrs = attrset_intern(attrs, &copy);
	attrset_done(&copy);
	return true;
}
