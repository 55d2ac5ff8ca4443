/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The config's `routes` as candidates beside those of table main.
 */
#include "core/model.h"

#include <netinet/in.h>

static void put_config_route(struct model *model,
			     const struct policy_route *from)
{
	const struct link *link = model_link_by_name(model, from->dev);
	struct model_route in = {
		.prefix = from->to,
		.route = {.table = ROUTE_TABLE_CONFIG, .metric = from->metric},
	};
	struct next_hop hop = {.gateway = from->via};

	if (!link)
		return;
	hop.ifindex = link->ifindex;
	attrset_init(&in.set, from->to.addr.family, ATTRSET_UNICAST);
	/* RT_SCOPE_LINK for IPv4 without a gateway, as ip(8) does it. */
	if (from->to.addr.family == AF_INET && !ip_addr_is_set(&from->via))
		in.set.scope = 253;
	attrset_add_hop(&in.set, &hop, NULL, 0);
	(void)model_put_route(model, &in, MODEL_APPEND);
	attrset_done(&in.set);
}

void model_set_config_routes(struct model *model, const struct policy *policy)
{
	const struct policy_route *route;

	model_read_begin(model, AF_INET, ROUTE_TABLE_CONFIG, 0);
	model_read_begin(model, AF_INET6, ROUTE_TABLE_CONFIG, 0);
	vec_foreach(&policy->routes, route)
		put_config_route(model, route);
	model_read_end(model, AF_INET, ROUTE_TABLE_CONFIG, 0);
	model_read_end(model, AF_INET6, ROUTE_TABLE_CONFIG, 0);
}
