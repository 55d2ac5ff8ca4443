/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/what_if.h"

#include <netinet/in.h>

static bool is_down(const struct model *model, uint32_t ifindex)
{
	const struct link *link = model_link(model, ifindex);

	return link && !link->up;
}

/* A bridge or bond has carrier as long as one of its ports has. */
static bool has_dead_ports(const struct model *model, const struct link *link)
{
	const struct link *port;
	bool any = false;

	vec_foreach(&model->links, port) {
		if (port->master == link->ifindex && port->carrier)
			return false;
		any = any || port->master == link->ifindex;
	}
	return any && !link->vrf;
}

/* Takes from @link what those below it do not have. Return: whether it did. */
static bool sink(const struct model *model, struct link *link)
{
	const struct link *lower = model_link(model, link->lower);
	const struct link before = *link;

	if (lower && !lower->carrier)
		link->carrier = false;
	if (lower && link->vlan && !lower->up)
		link->up = link->carrier = false;
	if (has_dead_ports(model, link))
		link->carrier = false;
	return link->up != before.up || link->carrier != before.carrier;
}

static void copy_links(const struct model *from, uint32_t down,
		       struct model *to)
{
	const struct link *link;
	struct link *it;
	bool again = true;

	vec_foreach(&from->links, link) {
		struct link copy = *link;

		if (link->ifindex == down)
			copy.up = copy.carrier = false;
		vec_push(&to->links, copy);
	}
	while (again) {
		again = false;
		vec_foreach(&to->links, it)
			again = sink(to, it) || again;
	}
}

static void copy_rest(const struct model *from, struct model *to)
{
	const struct neighbour *neighbour;
	const struct binding *binding;
	const struct address *address;

	vec_foreach(&from->addresses, address)
		if (!is_down(to, address->ifindex) ||
		    address->local.family != AF_INET6)
			vec_push(&to->addresses, *address);
	vec_foreach(&from->neighbours, neighbour)
		if (!is_down(to, neighbour->ifindex))
			vec_push(&to->neighbours, *neighbour);
	vec_foreach(&from->bindings, binding)
		vec_push(&to->bindings, *binding);
}

/* Without the hops over links that are down. Return: whether any is left. */
static bool copy_without(const struct attrset *set, const struct model *model,
			 struct attrset *ret)
{
	const struct next_hop *hop;

	attrset_init(ret, set->family, set->type);
	ret->scope = set->scope;
	ret->pref = set->pref;
	ret->src = set->src;
	ret->prefsrc = set->prefsrc;
	attrset_add_route_extra(ret, set->extra.items, set->route_extra_len);
	vec_foreach(&set->hops, hop)
		if (!model || !is_down(model, hop->ifindex))
			attrset_add_hop(ret, hop,
					hop->extra_len ? set->extra.items +
								 hop->extra_at
						       : NULL,
					hop->extra_len);
	if (ret->hops.n == set->hops.n)
		ret->nh_id = set->nh_id;
	return ret->hops.n > 0 || attrset_is_reject(set);
}

static void copy_row(const struct rib *from, const struct ip_prefix *prefix,
		     struct model *to)
{
	const struct row *row = rib_row(from, prefix);

	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct attrset *set =
			attrset_get(&from->attrs, route->attrs);
		struct attrset left;

		/* The config's candidates stay, with a link that is down. */
		if (copy_without(set,
				 route->table == ROUTE_TABLE_CONFIG ? NULL : to,
				 &left))
			(void)rib_put(&to->rib, prefix, route, &left,
				      RIB_APPEND);
		attrset_done(&left);
	}
}

void what_if_link_down(const struct view *view, uint32_t ifindex,
		       const struct ip_addr *dst, struct what_if *ret)
{
	const struct rule *rule;

	memset(ret, 0, sizeof(*ret));
	ret->policy = view->policy;
	model_init(&ret->model);
	copy_links(view->model, ifindex, &ret->model);
	copy_rest(view->model, &ret->model);
	vec_foreach(&view->model->rules, rule)
		vec_push(&ret->model.rules, *rule);
	for (unsigned int len = 0; len <= ip_bits(dst->family); len++) {
		struct ip_prefix prefix = ip_prefix_make(dst, (uint8_t)len);

		copy_row(&view->model->rib, &prefix, &ret->model);
	}
	subnet_set_build(&ret->model, view->policy, view->subnets,
			 &ret->subnets);
}

void what_if_done(struct what_if *what_if)
{
	subnet_set_done(&what_if->subnets);
	model_done(&what_if->model);
}

struct view what_if_view(const struct what_if *what_if)
{
	return (struct view){&what_if->model, what_if->policy,
			     &what_if->subnets, NULL};
}
