/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gateways, by whether somebody keeps their neighbour entries resolved.
 */
#include <netinet/in.h>

#include "core/plan.h"

#define ROUTERS_MAX 256 /* more are not kept resolved; they still forward */

static int router_order(const void *a, const void *b)
{
	const struct neighbour *x = a;
	const struct neighbour *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return ip_addr_cmp(&x->addr, &y->addr);
}

/* @kept: over links of managed subnets; else over all others. */
static void add_router(const struct view *view, const struct next_hop *hop,
		       bool kept, struct neighbour_vec *ret)
{
	struct neighbour router = {
		.ifindex = hop->ifindex,
		.addr = hop->gateway,
		.managed = true,
		.protocol = view->policy->protocol,
	};
	const struct link *link = model_link(view->model, hop->ifindex);
	const struct neighbour *it;

	if (!ip_addr_is_set(&hop->gateway) || !link || !link->carrier ||
	    model_is_on_link(view->model, hop) ||
	    (hop->gateway.family == AF_INET6 && link->no_ipv6) ||
	    ret->n == ROUTERS_MAX ||
	    subnet_link_is_local(view->subnets, hop->ifindex) == kept)
		return;
	vec_foreach(ret, it)
		if (router_order(it, &router) == 0)
			return;
	vec_push(ret, router);
}

static void build_routers(const struct view *view, bool kept,
			  struct neighbour_vec *ret)
{
	const struct attrset_store *attrs = &view->model->rib.attrs;

	for (uint32_t id = 0; id < attrs->n; id++) {
		const struct attrset *set;
		const struct next_hop *hop;

		if (!attrset_is_live(attrs, id))
			continue;
		set = attrset_get(attrs, id);
		vec_foreach(&set->hops, hop)
			add_router(view, hop, kept, ret);
	}
	vec_sort(ret, router_order);
}

void plan_routers_build(const struct view *view, struct neighbour_vec *ret)
{
	build_routers(view, true, ret);
}

void plan_other_routers_build(const struct view *view,
			      struct neighbour_vec *ret)
{
	build_routers(view, false, ret);
}
