/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rows and tables a plan concerns, as far as flows go.
 */
#include "core/pin_spot.h"

void pin_touch(struct model *model, const struct pin_set *set)
{
	size_t n = set->pins.n ? model->rib.dirty.n : 0;

	for (size_t i = 0; i < n; i++) {
		/* Touching makes the list grow: what was there counts. */
		const struct ip_prefix prefix = model->rib.dirty.items[i];
		size_t at = pin_first_in(set, &prefix);

		for (; at < set->pins.n; at++) {
			struct ip_prefix host =
				ip_prefix_host(&set->pins.items[at].dst);

			if (!ip_prefix_covers(&prefix, &host))
				break;
			rib_touch(&model->rib, &host);
		}
	}
}

/* Whether the table is about to answer otherwise for a row of the plan. */
static bool is_moving(const struct view *view, struct planned *planned,
		      const struct ip_prefix *prefix, uint32_t table)
{
	struct path old = path_in_use(view->model, table, prefix);
	struct path new = path_planned(planned, table, prefix);

	return old.found && !path_is_same(&view->model->rib.attrs, &old, &new);
}

static bool is_as_planned(const struct view *view, struct planned *planned,
			  const struct ip_prefix *prefix, uint32_t table)
{
	const struct row *have = rib_row(&view->model->rib, prefix);
	const struct route *entry = have ? path_entry(have, table) : NULL;
	const struct want *want =
		path_want(planned, planned_row(planned, prefix), table);

	return entry && want && entry->attrs == want->attrs;
}

/* A pin whose path has gone, or a leg of it, or flows whose path has come. */
static bool is_turning(const struct view *view, const struct pin *pin)
{
	bool whole = path_is_whole(view, pin->attrs, &pin->dst);

	return (pin->kind == PIN_PATH && !whole) ||
	       (pin->kind == PIN_AWAY && whole);
}

/*
 * Whether flows may be on paths of the subnet's table: there are entries, and
 * rules are to lead to them; that one was deleted a moment ago is no reason.
 */
static bool may_lead(const struct view *view, const struct subnet *subnet)
{
	return subnet->managed && subnet->table &&
	       rib_table(&view->model->rib, subnet->table) &&
	       !plan_yields(view, subnet->prefix.addr.family);
}

static void affected_by_row(const struct view *view, struct planned *planned,
			    const struct ip_prefix *prefix,
			    struct table_vec *ret)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it) {
		const struct pin *pin = NULL;

		if (it->prefix.addr.family != prefix->addr.family ||
		    table_vec_has(ret, it->table) || !may_lead(view, it))
			continue;
		if (pin_is_host(prefix))
			pin = pin_find(view->pins, &prefix->addr, it->table);
		if (pin ? is_turning(view, pin)
			: !is_as_planned(view, planned, prefix, it->table) &&
				    is_moving(view, planned, prefix, it->table))
			vec_push(ret, it->table);
	}
}

/* Whether a row may still add to @ret. */
static bool is_any_left(const struct view *view, const struct table_vec *ret)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it)
		if (!table_vec_has(ret, it->table) && may_lead(view, it))
			return true;
	return false;
}

void pin_affected(const struct view *view, struct planned *planned,
		  const struct table_vec *first, struct table_vec *ret)
{
	const struct ip_prefix *row;
	bool any_left;

	for (size_t i = 0; i < first->n; i++)
		vec_push(ret, first->items[i]);
	any_left = is_any_left(view, ret);
	vec_foreach(&view->model->rib.dirty, row) {
		size_t before = ret->n;

		if (!any_left)
			break;
		/* Entries that the kernel took away by itself are not there. */
		if (!pin_is_host(row) && view->model->lost.n == 0 &&
		    planned_is_same(planned, row))
			continue;
		affected_by_row(view, planned, row, ret);
		if (ret->n != before)
			any_left = is_any_left(view, ret);
	}
}
