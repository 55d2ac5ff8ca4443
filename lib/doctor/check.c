/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/check.h"

#include <netinet/in.h>

#include "core/plan.h"

const char *check_link_name(const struct view *view, uint32_t ifindex)
{
	const struct link *link = model_link(view->model, ifindex);

	return link && link->name[0] ? link->name : "?";
}

const char *check_family_name(uint8_t family)
{
	return family == AF_INET ? "IPv4" : "IPv6";
}

const struct attrset *check_attrs(const struct view *view,
				  const struct route *route)
{
	return attrset_get(&view->model->rib.attrs, route->attrs);
}

bool check_is_candidate(const struct view *view, const struct route *route)
{
	return (route->table == ROUTE_TABLE_MAIN ||
		route->table == ROUTE_TABLE_CONFIG) &&
	       check_attrs(view, route)->hops.n > 0;
}

const struct row *check_default_row(const struct view *view, uint8_t family)
{
	struct ip_prefix all = ip_prefix_default(family);

	return rib_row(&view->model->rib, &all);
}

/* The first hop of @set that is on @subnet, local links aside. */
static const struct next_hop *own_hop(const struct view *view,
				      const struct subnet *subnet,
				      const struct attrset *set)
{
	const struct next_hop *hop;

	if (set->src.addr.family && set->src.len &&
	    !ip_prefix_covers(&set->src, &subnet->prefix))
		return NULL;
	vec_foreach(&set->hops, hop) {
		struct on_subnet on =
			subnet_has_next_hop(view, subnet, set, hop);

		if (on.yes && on.line != 7)
			return hop;
	}
	return NULL;
}

const struct next_hop *check_own_default(const struct view *view,
					 const struct subnet *subnet)
{
	const struct row *row =
		check_default_row(view, subnet->prefix.addr.family);

	for (size_t i = 0; row && i < row->n; i++) {
		const struct next_hop *hop;

		if (!check_is_candidate(view, &row->routes[i]))
			continue;
		hop = own_hop(view, subnet, check_attrs(view, &row->routes[i]));
		if (hop)
			return hop;
	}
	return NULL;
}

#define METRIC_STEP 100 /* as people number the ways out of a host */

uint32_t check_next_metric(const struct view *view, uint8_t family)
{
	const struct row *row = check_default_row(view, family);
	uint32_t last = 0;

	for (size_t i = 0; row && i < row->n; i++)
		if (check_is_candidate(view, &row->routes[i]) &&
		    row->routes[i].metric > last)
			last = row->routes[i].metric;
	return last < UINT32_MAX - METRIC_STEP ? last + METRIC_STEP : last;
}

bool check_is_unique_local(const struct ip_addr *addr)
{
	return addr->family == AF_INET6 && (addr->bytes[0] & 0xfe) == 0xfc;
}
