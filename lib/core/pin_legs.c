/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which legs of a multipath route flows are on: only the kernel knows.
 */
#include "core/pin_spot.h"

/* More flows than that to one destination are taken to be on all legs. */
#define FLOWS_MAX 64

static size_t leg_of(const struct attrset *set, const struct next_hop *hop)
{
	size_t i = 0;

	while (i < set->hops.n &&
	       (set->hops.items[i].ifindex != hop->ifindex ||
		!ip_addr_equal(&set->hops.items[i].gateway, &hop->gateway)))
		i++;
	return i;
}

size_t pin_legs_used(const struct pin_input *input, const struct pin_spot *spot,
		     uint32_t attrs, bool *used)
{
	const struct attrset *set = attrset_get(input->attrs, attrs);
	struct pin_way way;
	size_t n = 0;

	if (!input->ask || spot->n > FLOWS_MAX || set->hops.n < 2 ||
	    set->hops.n > PATH_HOPS_MAX)
		return 0;
	for (size_t i = 0; i < spot->n && n < set->hops.n; i++) {
		size_t leg;

		if (!input->ask(input->data, &spot->flows[i], &way) ||
		    !way.exact || way.table != spot->flows[i].table)
			return 0;
		leg = leg_of(set, &way.hop);
		if (leg == set->hops.n)
			return 0;
		n += !used[leg];
		used[leg] = true;
	}
	return n;
}
