/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/pin_lay.h"

#include "core/pin_spot.h"

static void lay_one(const struct pin *pin, const struct pin_layer *layer,
		    struct want_vec *row)
{
	struct attrset_store *attrs = layer->attrs;
	struct want want = {
		.table = pin->table,
		.metric = PLAN_METRIC,
		.attrs = pin->attrs,
	};
	size_t at = 0;

	if (pin->kind == PIN_HOLD)
		want.attrs = plan_intern_reject(attrs, pin->dst.family,
						ATTRSET_UNREACHABLE);
	else
		want.attrs = plan_intern_as_taken(attrs, pin->attrs);
	if (attrset_get(attrs, want.attrs)->refused) {
		attrset_unref(attrs, want.attrs);
		return; /* the kernel will not have it: the flows move */
	}
	/* The ref is the plan's to keep; the row only borrows. */
	vec_push(layer->refs, want);
	while (at < row->n && plan_want_cmp(&row->items[at], &want) < 0)
		at++;
	if (at < row->n && plan_want_cmp(&row->items[at], &want) == 0)
		row->items[at] = want;
	else
		vec_insert(row, at, want);
}

void pin_lay(const struct pin_layer *layer, const struct ip_prefix *prefix,
	     struct want_vec *row)
{
	const struct pin_set *set = layer->set;
	size_t at;

	if (!pin_is_host(prefix))
		return;
	for (at = pin_first_in(set, prefix); at < set->pins.n; at++) {
		const struct pin *pin = &set->pins.items[at];

		if (!ip_addr_equal(&pin->dst, &prefix->addr))
			break;
		if (pin_is_laid(pin->kind))
			lay_one(pin, layer, row);
	}
}
