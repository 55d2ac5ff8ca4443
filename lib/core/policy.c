/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/policy.h"

#include <fnmatch.h>
#include <string.h>

void policy_init(struct policy *policy)
{
	*policy = (struct policy){
		.model = HOST_MODEL_WEAK,
		.vpn = VPN_YIELD,
		.table_first = 7100,
		.table_last = 7999,
		.rule_priority = 7100,
		.protocol = 109,
		.settle_ms = 200,
		.ignore_linkdown = false,
		.pinning = {PIN_SCOPE_TCP, 5000, 100000},
		.mptcp = {PATH_MANAGER_KERNEL, 8, false, true},
	};
}

void policy_done(struct policy *policy)
{
	vec_done(&policy->interfaces);
	vec_done(&policy->routes);
	vec_done(&policy->bindings);
}

static bool is_match(const char *pattern, const struct link *link)
{
	/* Whoever writes "*" means the ways out; lo is not one of them. */
	if (link->loopback)
		return strcmp(pattern, link->name) == 0;
	return fnmatch(pattern, link->name, 0) == 0;
}

const struct policy_interface *
policy_interface_find(const struct policy *policy, const struct link *link)
{
	const struct policy_interface *interface;

	vec_foreach(&policy->interfaces, interface) {
		if (is_match(interface->match, link))
			return interface;
	}
	return NULL;
}

bool policy_is_our_table(const struct policy *policy, uint32_t table)
{
	return table >= policy->table_first && table <= policy->table_last;
}
