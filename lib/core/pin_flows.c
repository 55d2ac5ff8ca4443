/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows by subnet and destination.
 */
#include "core/pin_spot.h"

int pin_spot_cmp(const struct pin_flow *a, const struct pin_flow *b)
{
	int order = ip_addr_cmp(&a->dst, &b->dst);

	if (order != 0)
		return order;
	return (a->table > b->table) - (a->table < b->table);
}

static int flow_cmp(const struct pin_flow *a, const struct pin_flow *b)
{
	int order = pin_spot_cmp(a, b);

	if (order != 0)
		return order;
	return (a->cookie > b->cookie) - (a->cookie < b->cookie);
}

static int flow_order(const void *a, const void *b)
{
	return flow_cmp(a, b);
}

void pin_flows_sort(struct pin_flow_vec *flows)
{
	vec_sort(flows, flow_order);
}

/* Of those that are not before the key: by its destination and table alone, or
 * by its cookie as well. */
static size_t
first_flow(const struct pin_flow_vec *flows, const struct pin_flow *key,
	   int (*cmp)(const struct pin_flow *a, const struct pin_flow *b))
{
	size_t low = 0;
	size_t high = flows->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (cmp(&flows->items[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct pin_spot pin_spot_find(const struct pin_flow_vec *flows,
			      const struct ip_addr *dst, uint32_t table)
{
	const struct pin_flow key = {.dst = *dst, .table = table};
	size_t at = first_flow(flows, &key, pin_spot_cmp);
	struct pin_spot spot = {0};

	if (at < flows->n)
		spot.flows = &flows->items[at];
	while (at + spot.n < flows->n &&
	       pin_spot_cmp(&flows->items[at + spot.n], &key) == 0)
		spot.n++;
	return spot;
}

bool pin_is_listed(const struct pin_flow_vec *flows,
		   const struct pin_member *member)
{
	const struct pin_flow key = {.dst = member->dst,
				     .table = member->table,
				     .cookie = member->cookie};
	size_t at = first_flow(flows, &key, flow_cmp);

	return at < flows->n && flow_cmp(&flows->items[at], &key) == 0;
}

void pin_count(const struct pin_flow_vec *flows, const struct table_vec *listed,
	       struct pin_set *set, struct model *model)
{
	struct pin *pin;

	vec_foreach(&set->pins, pin) {
		struct ip_prefix host = ip_prefix_host(&pin->dst);
		struct pin_spot spot;

		if (!table_vec_has(listed, pin->table))
			continue;
		spot = pin_spot_find(flows, &pin->dst, pin->table);
		pin->flows = 0;
		pin->stalled = 0;
		for (size_t i = 0; i < spot.n; i++) {
			const struct pin_flow *flow = &spot.flows[i];

			if (pin->kind == PIN_AWAY &&
			    !pin_is_member(set, flow->cookie))
				continue;
			pin->flows++;
			pin->stalled += flow->stalled;
		}
		if (pin->flows == pin->stalled && pin->kind != PIN_HOLD)
			rib_touch(&model->rib, &host);
		if (pin->flows == 0)
			rib_touch(&model->rib, &host);
	}
}
