/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <string.h>

#include "core/model.h"

static bool can_expire(const struct route *route)
{
	return route->expires_s != ROUTE_EXPIRES_NEVER &&
	       route->table == ROUTE_TABLE_MAIN &&
	       !(route->flags & ROUTE_LEAVING);
}

void model_note_expiry(struct model *model, const struct route *route)
{
	uint64_t at_ms = (uint64_t)route->expires_s * 1000;

	if (can_expire(route) &&
	    (!model->expiring_ms || at_ms < model->expiring_ms))
		model->expiring_ms = at_ms;
}

uint64_t model_next_deadline(const struct model *model)
{
	uint64_t next = binding_next(&model->bindings);

	if (model->leaving.n && (!next || model->leaving.items[0].at_ms < next))
		next = model->leaving.items[0].at_ms;
	if (model->expiring_ms && (!next || model->expiring_ms < next))
		next = model->expiring_ms;
	return next;
}

static void drop_passed(struct deadline_vec *deadlines, size_t n)
{
	if (n == 0)
		return;
	memmove(deadlines->items, deadlines->items + n,
		(deadlines->n - n) * sizeof(*deadlines->items));
	deadlines->n -= n;
}

void model_settle(struct model *model, uint64_t now_ms)
{
	size_t n = 0;

	while (n < model->leaving.n &&
	       model->leaving.items[n].at_ms <= now_ms) {
		const struct deadline *it = &model->leaving.items[n++];
		const struct row *row = rib_row(&model->rib, &it->prefix);

		/* It may have come back, or left again later: then it stays. */
		for (size_t i = row ? row->n : 0; row && i-- > 0;) {
			const struct route *route = &row->routes[i];

			if (!(route->flags & ROUTE_LEAVING) ||
			    route->expires_s != (uint32_t)it->at_ms)
				continue;
			rib_remove_at(&model->rib, &it->prefix, i);
			row = rib_row(&model->rib, &it->prefix);
		}
	}
	drop_passed(&model->leaving, n);
}

void model_settle_link(struct model *model, uint32_t ifindex)
{
	const struct deadline *it;

	vec_foreach(&model->leaving, it) {
		const struct row *row = rib_row(&model->rib, &it->prefix);

		for (size_t i = row ? row->n : 0; row && i-- > 0;) {
			const struct route *route = &row->routes[i];
			const struct attrset *set =
				attrset_get(&model->rib.attrs, route->attrs);
			bool over = false;

			for (size_t h = 0; h < set->hops.n; h++)
				over |= set->hops.items[h].ifindex == ifindex;
			if (!over || !(route->flags & ROUTE_LEAVING))
				continue;
			rib_remove_at(&model->rib, &it->prefix, i);
			row = rib_row(&model->rib, &it->prefix);
		}
	}
}

bool model_is_expiring(const struct model *model, uint64_t now_ms)
{
	return model->expiring_ms && model->expiring_ms <= now_ms;
}

static bool expires_till(const struct route *route, uint64_t until_ms)
{
	return can_expire(route) &&
	       (uint64_t)route->expires_s * 1000 <= until_ms;
}

void model_find_expiring(const struct model *model, uint64_t until_ms,
			 struct prefix_vec *ret)
{
	const struct ip_prefix all = {.addr.family = AF_INET6};
	struct ip_prefix prefix;
	struct trie_walk walk;
	uint32_t at;

	if (!model_is_expiring(model, until_ms))
		return;
	trie_walk_start(&walk, rib_trie(&model->rib, AF_INET6), &all);
	while (trie_walk_next(&walk, &prefix, &at)) {
		const struct row *row = rib_row_at(&model->rib, at);
		bool found = false;

		for (size_t i = 0; i < row->n; i++)
			found |= expires_till(&row->routes[i], until_ms);
		if (found)
			vec_push(ret, prefix);
	}
}

static void expire_row(struct model *model, const struct ip_prefix *prefix,
		       uint64_t now_ms)
{
	const struct row *row = rib_row(&model->rib, prefix);

	for (size_t i = row ? row->n : 0; row && i-- > 0;) {
		if (!expires_till(&row->routes[i], now_ms))
			continue;
		rib_remove_at(&model->rib, prefix, i);
		row = rib_row(&model->rib, prefix);
	}
}

/* The first of those that are left. */
static void find_next_expiry(struct model *model)
{
	struct prefix_vec prefixes = {0};
	const struct ip_prefix *it;

	model_find_expiring(model, UINT64_MAX, &prefixes);
	model->expiring_ms = 0;
	vec_foreach(&prefixes, it) {
		const struct row *row = rib_row(&model->rib, it);

		for (size_t i = 0; i < row->n; i++)
			model_note_expiry(model, &row->routes[i]);
	}
	vec_done(&prefixes);
}

void model_expire(struct model *model, uint64_t now_ms)
{
	struct prefix_vec expired = {0};
	const struct ip_prefix *it;

	if (!model_is_expiring(model, now_ms))
		return;
	model_find_expiring(model, now_ms, &expired);
	vec_foreach(&expired, it)
		expire_row(model, it, now_ms);
	vec_done(&expired);
	find_next_expiry(model);
}
