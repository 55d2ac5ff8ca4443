/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/facts.h"

#include <stdarg.h>
#include <stdio.h>

void facts_init(struct facts *facts)
{
	*facts = (struct facts){
		.networkd_rules = {.value = true},
		.networkd_routes = {.value = true},
		.mptcp_enabled = FACT_UNKNOWN,
		.mptcp_manager = FACT_UNKNOWN,
		.mptcp_subflows = FACT_UNKNOWN,
		.nexthop_compat_mode = FACT_UNKNOWN,
		.config = "/etc/multihomed.conf",
	};
}

void facts_done(struct facts *facts)
{
	vec_done(&facts->links);
	vec_done(&facts->routers);
	vec_done(&facts->leases);
	vec_done(&facts->mptcp_others);
	vec_done(&facts->gaps);
}

const struct link_facts *facts_link(const struct facts *facts, uint32_t ifindex)
{
	const struct link_facts *it;

	vec_foreach(&facts->links, it)
		if (it->ifindex == ifindex)
			return it;
	return NULL;
}

const struct lease_facts *facts_lease(const struct facts *facts,
				      uint32_t ifindex,
				      const struct ip_prefix *prefix)
{
	const struct lease_facts *found = NULL;
	const struct lease_facts *it;

	vec_foreach(&facts->leases, it)
		if (it->ifindex == ifindex &&
		    ip_prefix_has(prefix, &it->router))
			found = it;
	return found;
}

const struct router_facts *facts_router(const struct facts *facts,
					uint32_t ifindex,
					const struct ip_addr *addr)
{
	const struct router_facts *it;

	vec_foreach(&facts->routers, it)
		if (it->ifindex == ifindex && ip_addr_equal(&it->addr, addr))
			return it;
	return NULL;
}

void facts_add_gap(struct facts *facts, const char *format, ...)
{
	struct fact_gap gap;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(gap.text, sizeof(gap.text), format, args);
	va_end(args);
	vec_push(&facts->gaps, gap);
}
