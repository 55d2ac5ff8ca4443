/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/model.h"

#define LOST_KEEP 1024 /* the storage of a longer list is freed */

void model_note_lost(struct model *model, const struct ip_prefix *prefix,
		     const struct route *route)
{
	struct lost_entry lost = {
		.prefix = *prefix,
		.table = route->table,
		.order = (uint32_t)model->lost.n,
		.attrs = route->attrs,
	};

	if (!model->keep_lost || route->table == ROUTE_TABLE_MAIN ||
	    route->table == ROUTE_TABLE_CONFIG || route->tos != 0)
		return;
	attrset_ref(&model->rib.attrs, lost.attrs);
	vec_push(&model->lost, lost);
}

static int key_order(const void *a, const void *b)
{
	const struct lost_entry *x = a;
	const struct lost_entry *y = b;
	int order = ip_prefix_cmp(&x->prefix, &y->prefix);

	if (order != 0)
		return order;
	return (x->table > y->table) - (x->table < y->table);
}

static int lost_order(const void *a, const void *b)
{
	const struct lost_entry *x = a;
	const struct lost_entry *y = b;
	int order = key_order(x, y);

	if (order != 0)
		return order;
	return (x->order > y->order) - (x->order < y->order);
}

void model_sort_lost(struct model *model)
{
	struct lost_entry_vec *lost = &model->lost;
	size_t n = 0;

	if (lost->n)
		qsort(lost->items, lost->n, sizeof(*lost->items), lost_order);
	for (size_t i = 0; i < lost->n; i++) {
		if (n && key_order(&lost->items[n - 1], &lost->items[i]) == 0)
			attrset_unref(&model->rib.attrs, lost->items[i].attrs);
		else
			lost->items[n++] = lost->items[i];
	}
	lost->n = n;
}

void model_forget_lost(struct model *model)
{
	const struct lost_entry *it;

	vec_foreach(&model->lost, it)
		attrset_unref(&model->rib.attrs, it->attrs);
	if (model->lost.n > LOST_KEEP)
		vec_done(&model->lost);
	vec_clear(&model->lost);
}

const struct lost_entry *model_lost(const struct model *model,
				    const struct ip_prefix *prefix,
				    uint32_t table)
{
	const struct lost_entry key = {.prefix = *prefix, .table = table};

	if (model->lost.n == 0)
		return NULL;
	return bsearch(&key, model->lost.items, model->lost.n, sizeof(key),
		       key_order);
}
