/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a next hop is on a subnet, and what follows from that for uplinks.
 */
#include "core/subnet.h"

#include <netinet/in.h>

static bool is_bound(const struct model *model,
		     const struct policy_binding *binding,
		     const struct next_hop *hop)
{
	const struct link *link;

	if (ip_addr_is_set(&binding->router) &&
	    !ip_addr_equal(&binding->router, &hop->gateway))
		return false;
	if (!binding->dev[0])
		return true;
	link = model_link(model, hop->ifindex);
	return link && strcmp(link->name, binding->dev) == 0;
}

/* Line 1. A binding of the other family says nothing about this subnet. */
static bool decided_by_binding(const struct view *view,
			       const struct subnet *subnet,
			       const struct next_hop *hop, bool *ret_yes)
{
	const struct policy_binding *it;
	bool found = false;

	*ret_yes = false;
	vec_foreach(&view->policy->bindings, it) {
		if (it->prefix.addr.family != subnet->prefix.addr.family ||
		    !is_bound(view->model, it, hop))
			continue;
		found = true;
		if (ip_prefix_overlaps(&it->prefix, &subnet->prefix))
			*ret_yes = true;
	}
	return found;
}

/* Whether the config ties other routers of the subnet's link to its prefix. */
static bool others_are_bound(const struct view *view,
			     const struct subnet *subnet)
{
	const struct policy_binding *it;

	vec_foreach(&view->policy->bindings, it) {
		const struct next_hop hop = {.ifindex = subnet->ifindex,
					     .gateway = it->router};

		if (ip_addr_is_set(&it->router) &&
		    is_bound(view->model, it, &hop) &&
		    ip_prefix_overlaps(&it->prefix, &subnet->prefix))
			return true;
	}
	return false;
}

/* The config says what a router serves: what it advertises does not count. */
static bool is_overridden(const struct view *view,
			  const struct binding *learned)
{
	const struct next_hop hop = {.ifindex = learned->ifindex,
				     .gateway = learned->router};
	const struct policy_binding *it;

	vec_foreach(&view->policy->bindings, it)
		if (it->prefix.addr.family == AF_INET6 &&
		    is_bound(view->model, it, &hop))
			return true;
	return false;
}

const struct binding *subnet_claim(const struct view *view,
				   const struct subnet *subnet,
				   const struct ip_addr *router)
{
	const struct binding *it;

	vec_foreach(&view->model->bindings, it)
		if (it->ifindex == subnet->ifindex &&
		    (!router || ip_addr_equal(&it->router, router)) &&
		    ip_prefix_overlaps(&it->prefix, &subnet->prefix) &&
		    !is_overridden(view, it))
			return it;
	return NULL;
}

/*
 * Line 4. An IPv6 router's address says nothing of the prefixes that it serves;
 * a prefix that no router claims may use any (RFC 8028).
 */
static bool router_serves(const struct view *view, const struct subnet *subnet,
			  const struct next_hop *hop)
{
	if (subnet_claim(view, subnet, &hop->gateway))
		return true;
	return !others_are_bound(view, subnet) &&
	       !subnet_claim(view, subnet, NULL);
}

static bool prefsrc_allows(const struct view *view, const struct subnet *subnet,
			   const struct attrset *set)
{
	const struct subnet_address *it;

	if (!ip_addr_is_set(&set->prefsrc))
		return true;
	vec_foreach(&view->subnets->addresses, it) {
		const struct subnet *home =
			&view->subnets->subnets.items[it->subnet];

		if (home->ifindex == subnet->ifindex &&
		    ip_addr_equal(&it->addr, &set->prefsrc))
			return subnet_cmp(home, subnet) == 0;
	}
	return true; /* not an address of this link */
}

struct on_subnet subnet_has_next_hop(const struct view *view,
				     const struct subnet *subnet,
				     const struct attrset *set,
				     const struct next_hop *hop)
{
	const struct subnet *around;
	bool yes;

	/* Line 1: the config binds router or link to prefixes. */
	if (decided_by_binding(view, subnet, hop, &yes))
		return (struct on_subnet){yes, 1};
	/* Line 2, and a local link counts for every source. */
	if (hop->ifindex != subnet->ifindex) {
		if (!ip_addr_is_set(&hop->gateway) &&
		    subnet_link_is_local(view->subnets, hop->ifindex))
			return (struct on_subnet){true, 7};
		return (struct on_subnet){false, 2};
	}
	/* Line 6: the link itself. */
	if (!ip_addr_is_set(&hop->gateway))
		return (struct on_subnet){true, 6};
	/* Line 4: an IPv6 router, by what it advertises. */
	if (hop->gateway.family == AF_INET6 &&
	    ip_addr_is_link_local(&hop->gateway))
		return (struct on_subnet){router_serves(view, subnet, hop), 4};
	/* Line 3: the longest subnet around the gateway. */
	around = subnet_longest_on_link(view->subnets, hop->ifindex,
					&hop->gateway);
	if (around && around->prefix.addr.family == subnet->prefix.addr.family)
		return (struct on_subnet){subnet_cmp(around, subnet) == 0, 3};
	/* Line 5: a gateway outside of every subnet. */
	return (struct on_subnet){prefsrc_allows(view, subnet, set), 5};
}

/* --- uplinks --- */

static bool makes_uplink(const struct view *view, const struct subnet *subnet,
			 const struct attrset *set, bool need_gateway)
{
	const struct next_hop *hop;

	if (set->family != subnet->prefix.addr.family)
		return false;
	if (set->src.addr.family && set->src.len &&
	    !ip_prefix_covers(&set->src, &subnet->prefix))
		return false;
	vec_foreach(&set->hops, hop) {
		struct on_subnet on;

		if (need_gateway && !ip_addr_is_set(&hop->gateway))
			continue;
		on = subnet_has_next_hop(view, subnet, set, hop);
		/* That a link is local makes nobody an uplink. */
		if (on.yes && on.line != 7)
			return true;
	}
	return false;
}

static bool row_makes_uplink(const struct view *view,
			     const struct subnet *subnet, const struct row *row,
			     bool need_gateway)
{
	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];

		if (route->table != ROUTE_TABLE_MAIN &&
		    route->table != ROUTE_TABLE_CONFIG)
			continue;
		if (makes_uplink(
			    view, subnet,
			    attrset_get(&view->model->rib.attrs, route->attrs),
			    need_gateway))
			return true;
	}
	return false;
}

static bool has_gateway(const struct attrset *set)
{
	const struct next_hop *hop;

	vec_foreach(&set->hops, hop)
		if (ip_addr_is_set(&hop->gateway))
			return true;
	return false;
}

void subnet_find_routed(const struct model *model, struct attr_id_vec *ret)
{
	const struct attrset_store *attrs = &model->rib.attrs;

	for (uint32_t id = 0; id < attrs->n; id++)
		if (attrset_is_live(attrs, id) &&
		    has_gateway(attrset_get(attrs, id)))
			vec_push(ret, id);
}

bool subnet_is_uplink(const struct view *view, const struct subnet *subnet,
		      const struct attr_id_vec *routed)
{
	const struct rib *rib = &view->model->rib;
	struct ip_prefix all = ip_prefix_default(subnet->prefix.addr.family);
	bool possible = false;

	if (row_makes_uplink(view, subnet, rib_row(rib, &all), false))
		return true;
	/* Few sets, many rows: look at the rows only if a set fits. */
	for (size_t i = 0; i < routed->n && !possible; i++)
		possible = makes_uplink(
			view, subnet,
			attrset_get(&rib->attrs, routed->items[i]), true);
	if (!possible)
		return false;
	for (uint32_t id = 0; id < rib->rows.n; id++)
		if (row_is_live(&rib->rows, id) &&
		    row_makes_uplink(view, subnet, rib_row_at(rib, id), true))
			return true;
	return false;
}
