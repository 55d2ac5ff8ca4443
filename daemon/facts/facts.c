/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "facts/facts.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/plan.h"
#include "kernel/device.h"
#include "kernel/mptcp.h"
#include "kernel/mptcp_subflow.h"
#include "kernel/sysctl.h"

/* The settings of a link, and where they go. */
static const struct {
	uint8_t family;
	const char *name;
	size_t at; /* offset in struct link_facts */
} settings[] = {
	{AF_INET, "rp_filter", offsetof(struct link_facts, rp_filter)},
	{AF_INET, "arp_ignore", offsetof(struct link_facts, arp_ignore)},
	{AF_INET, "arp_announce", offsetof(struct link_facts, arp_announce)},
	{AF_INET, "arp_filter", offsetof(struct link_facts, arp_filter)},
	{AF_INET, "ignore_routes_with_linkdown",
	 offsetof(struct link_facts, ignore_linkdown4)},
	{AF_INET6, "ignore_routes_with_linkdown",
	 offsetof(struct link_facts, ignore_linkdown6)},
	{AF_INET6, "forwarding", offsetof(struct link_facts, forwarding6)},
	{AF_INET6, "accept_ra", offsetof(struct link_facts, accept_ra)},
};

/* A missing file is an old kernel, or a family switched off: no gap. */
static void read_settings(const char *name, struct link_facts *link,
			  struct facts *ret)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int value = FACT_UNKNOWN;
		int r = sysctl_read_link(settings[i].family, name,
					 settings[i].name, &value);

		memcpy((char *)link + settings[i].at, &value, sizeof(value));
		if (r && r != -ENOENT)
			facts_add_gap(ret, "%s of %s: %s", settings[i].name,
				      name, strerror(-r));
	}
}

static bool has_subnet(const struct view *view, uint32_t ifindex)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it)
		if (it->ifindex == ifindex)
			return true;
	return false;
}

/* A host can have thousands of links; those without an address do not count. */
static void read_links(const struct view *view, struct facts *ret)
{
	struct link_facts all = {0};
	const struct link *it;

	read_settings("all", &all, ret);
	vec_push(&ret->links, all);
	vec_foreach(&view->model->links, it) {
		struct link_facts link = {.ifindex = it->ifindex};

		if (it->loopback || !has_subnet(view, it->ifindex))
			continue;
		read_settings(it->name, &link, ret);
		/* If it cannot be known, rather say nothing of its subnets. */
		if (device_is_local(it->name, &link.local))
			link.local = true;
		vec_push(&ret->links, link);
	}
}

static_assert(sizeof(((struct router_facts *)NULL)->mac) == KERNEL_MAC_MAX,
	      "any link-layer address fits");

static void read_routers(const struct view *view, struct kernel *kernel,
			 struct facts *ret)
{
	struct neighbour_vec routers = {0};
	const struct neighbour *it;
	int error = 0;

	plan_routers_build(view, &routers);
	vec_foreach(&routers, it) {
		struct router_facts router = {
			.ifindex = it->ifindex,
			.addr = it->addr,
		};
		struct kernel_mac mac = {0};
		int r = kernel_ask_neighbour(kernel, it->ifindex, &it->addr,
					     &mac);

		if (r == 0) {
			memcpy(router.mac, mac.bytes, sizeof(router.mac));
			router.mac_len = mac.len;
		} else if (r != -ENOENT) {
			error = r;
		}
		vec_push(&ret->routers, router);
	}
	vec_done(&routers);
	if (error)
		facts_add_gap(ret, "link-layer addresses of routers: %s",
			      strerror(-error));
}

static int read_number(const char *key, struct facts *ret)
{
	int value;
	int r = sysctl_read(key, &value);

	if (r == 0)
		return value;
	if (r == -ENOENT)
		return FACT_UNKNOWN;
	facts_add_gap(ret, "net/%s: %s", key, strerror(-r));
	return FACT_UNREADABLE;
}

/* By either of its names. */
static int read_manager(void)
{
	char word[32];
	int value;

	if (sysctl_read_word("mptcp/path_manager", word, sizeof(word)) == 0) {
		if (strcmp(word, "userspace") == 0)
			return FACT_MANAGER_USERSPACE;
		return strcmp(word, "kernel") == 0 ? FACT_MANAGER_KERNEL
						   : FACT_UNKNOWN;
	}
	return sysctl_read("mptcp/pm_type", &value) ? FACT_UNKNOWN : value;
}

static void read_mptcp(struct facts *ret)
{
	struct mptcp_limits limits;
	struct mptcp *mptcp;

	if (mptcp_open(&mptcp))
		return;
	if (mptcp_get_limits(mptcp, &limits) == 0)
		ret->mptcp_subflows = (int)limits.subflows;
	ret->mptcp_forgets = !mptcp_tells_local(mptcp);
	mptcp_free(mptcp);
}

void facts_read(const struct view *view, struct kernel *kernel,
		const char *config, struct facts *ret)
{
	facts_init(ret);
	(void)snprintf(ret->config, sizeof(ret->config), "%s", config);
	read_links(view, ret);
	read_routers(view, kernel, ret);
	facts_read_networkd("", ret);
	facts_read_leases("", view->model, ret);
	ret->mptcp_enabled = read_number("mptcp/enabled", ret);
	ret->mptcp_manager = read_manager();
	read_mptcp(ret);
	ret->nexthop_compat_mode = read_number("ipv4/nexthop_compat_mode", ret);
	ret->network_manager = access("/run/NetworkManager/devices", F_OK) == 0;
}
