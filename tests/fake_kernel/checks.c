/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which new routes the kernel takes. What the two families say to the same
 * mistake differs.
 */
#include <errno.h>
#include <netinet/in.h>

#include "tests/fake_kernel/machine.h"

/* Is the gateway on its link, by a route without a gateway? */
static bool is_reachable(const struct fake *fake, uint32_t table,
			 const struct next_hop *hop)
{
	const struct rib *rib = &fake->model.rib;
	struct ip_prefix host = ip_prefix_host(&hop->gateway);
	uint32_t at[TRIE_DEPTH_MAX];
	size_t n = trie_cover(rib_trie(rib, hop->gateway.family), &host, at);

	for (size_t i = 0; i < n; i++) {
		const struct row *row = rib_row_at(rib, at[i]);

		for (size_t r = 0; r < row->n; r++) {
			const struct route *route = &row->routes[r];
			const struct attrset *set =
				attrset_get(&rib->attrs, route->attrs);

			if ((route->table == table ||
			     route->table == ROUTE_TABLE_MAIN) &&
			    set->type == ATTRSET_UNICAST && set->hops.n == 1 &&
			    set->hops.items[0].ifindex == hop->ifindex &&
			    !ip_addr_is_set(&set->hops.items[0].gateway))
				return true;
		}
	}
	return false;
}

static int check_link(const struct fake *fake, uint32_t ifindex,
		      const char *name, const char **ret_why)
{
	if (!model_link(&fake->model, ifindex))
		return -ENODEV;
	if (machine_is_up(fake, ifindex))
		return 0;
	*ret_why = name;
	return -ENETDOWN;
}

/* A gateway that is one's own address is refused with onlink only. */
static int check_hop4(const struct fake *fake, const struct machine_route *in,
		      const struct next_hop *hop, const char **ret_why)
{
	int error;

	if (!ip_addr_is_set(&hop->gateway))
		return check_link(fake, hop->ifindex,
				  "Device for nexthop is not up", ret_why);
	if (hop->flags & NEXT_HOP_ONLINK) {
		error = check_link(fake, hop->ifindex,
				   "Nexthop device is not up", ret_why);
		if (error || !machine_is_local(fake, &hop->gateway))
			return error;
		*ret_why = "Nexthop has invalid gateway";
		return -EINVAL;
	}
	if (is_reachable(fake, in->route.table, hop))
		return 0;
	*ret_why = "Nexthop has invalid gateway";
	return -ENETUNREACH;
}

static int check_hop6(const struct fake *fake, const struct machine_route *in,
		      const struct next_hop *hop, const char **ret_why)
{
	int error = check_link(fake, hop->ifindex, "Nexthop device is not up",
			       ret_why);

	if (error)
		return error;
	if (!machine_carries(fake, hop->ifindex, AF_INET6)) {
		*ret_why = "IPv6 is disabled on nexthop device";
		return -EACCES;
	}
	if (!ip_addr_is_set(&hop->gateway))
		return 0;
	if (machine_is_local(fake, &hop->gateway)) {
		*ret_why = "Gateway can not be a local address";
		return -EINVAL;
	}
	if (hop->flags & NEXT_HOP_ONLINK ||
	    ip_addr_is_link_local(&hop->gateway) ||
	    is_reachable(fake, in->route.table, hop))
		return 0;
	return -EHOSTUNREACH;
}

int machine_check_route(const struct fake *fake, const struct machine_route *in,
			const char **ret_why)
{
	bool v4 = in->prefix.addr.family == AF_INET;
	const struct next_hop *hop;
	int error = 0;

	if (!attrset_is_reject(in->set) && in->set->hops.n == 0)
		return -EINVAL;
	if (ip_addr_is_set(&in->set->prefsrc) &&
	    !machine_is_local(fake, &in->set->prefsrc)) {
		*ret_why = "Invalid prefsrc address";
		return -EINVAL;
	}
	vec_foreach(&in->set->hops, hop)
		if (!error)
			error = v4 ? check_hop4(fake, in, hop, ret_why)
				   : check_hop6(fake, in, hop, ret_why);
	return error;
}
