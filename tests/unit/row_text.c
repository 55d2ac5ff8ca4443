/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/row_text.h"

#include <stdio.h>

#include "tests/unit/scene.h"

const char *row_text(const struct model *model, const char *prefix, char *ret)
{
	struct ip_prefix key = scene_prefix(prefix);
	const struct row *row = rib_row(&model->rib, &key);
	char *at = ret;

	*at = '\0';
	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct attrset *set =
			attrset_get(&model->rib.attrs, route->attrs);
		const struct next_hop *hop;

		at += sprintf(at, "%s", i ? ", " : "");
		vec_foreach(&set->hops, hop)
			at += sprintf(
				at, "%u%s",
				hop->gateway
					.bytes[ip_bits(set->family) / 8 - 1],
				model_link(model, hop->ifindex)->name);
		if (!set->hops.n)
			at += sprintf(at, "x");
		if (route->metric)
			at += sprintf(at, " %u", route->metric);
		if (set->src.addr.family)
			at += sprintf(at, " src%u", set->src.len);
		if (route->flags & ROUTE_LEAVING)
			at += sprintf(at, "!");
	}
	return ret;
}
