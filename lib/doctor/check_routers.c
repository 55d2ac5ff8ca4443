/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One router behind several source prefixes (draft, section 6.2.2): the host
 * has two subnets, but one way out.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "doctor/check.h"

/* MACs that several routers share, or hand over: VRRP, HSRP, GLBP. */
static bool is_virtual(const struct router_facts *router)
{
	static const uint8_t starts[][5] = {
		{0x00, 0x00, 0x5e, 0x00, 0x01}, {0x00, 0x00, 0x5e, 0x00, 0x02},
		{0x00, 0x00, 0x0c, 0x07, 0xac}, {0x00, 0x00, 0x0c, 0x9f, 0xf0},
		{0x00, 0x07, 0xb4, 0x00, 0x01},
	};

	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (memcmp(router->mac, starts[i], sizeof(starts[i])) == 0)
			return true;
	return false;
}

static bool is_one_router(const struct facts *facts, const struct next_hop *a,
			  const struct next_hop *b)
{
	const struct router_facts *x;
	const struct router_facts *y;

	if (a->ifindex == b->ifindex && ip_addr_equal(&a->gateway, &b->gateway))
		return true;
	x = facts_router(facts, a->ifindex, &a->gateway);
	y = facts_router(facts, b->ifindex, &b->gateway);
	if (!x || !y || x->mac_len < 6 || x->mac_len != y->mac_len ||
	    memcmp(x->mac, y->mac, x->mac_len) != 0)
		return false;
	/* On two links the same number may be two groups of routers. */
	return a->ifindex == b->ifindex || !is_virtual(x);
}

/* The router of the subnet's own default route; NULL: none. */
static const struct next_hop *router_of(const struct view *view,
					const struct subnet *subnet)
{
	const struct next_hop *hop;

	if (!subnet->managed || check_is_unique_local(&subnet->prefix.addr))
		return NULL;
	hop = check_own_default(view, subnet);
	return hop && ip_addr_is_set(&hop->gateway) ? hop : NULL;
}

static bool shares_router(const struct view *view, const struct facts *facts,
			  const struct subnet *a, const struct subnet *b)
{
	const struct next_hop *one = router_of(view, a);
	const struct next_hop *other = router_of(view, b);

	return one && other && !ip_prefix_overlaps(&a->prefix, &b->prefix) &&
	       one->gateway.family == other->gateway.family &&
	       is_one_router(facts, one, other);
}

static void report(const struct view *view, const struct facts *facts,
		   const struct subnet *a, const struct subnet *b,
		   struct finding_vec *ret)
{
	const struct next_hop *hop = router_of(view, a);
	struct finding *finding;
	char one[IP_TEXT_MAX];
	char other[IP_TEXT_MAX];
	char router[IP_TEXT_MAX];
	char entry[2 * IP_TEXT_MAX];

	(void)ip_prefix_format(&a->prefix, one);
	(void)ip_prefix_format(&b->prefix, other);
	(void)ip_addr_format(&hop->gateway, router);
	finding = finding_add(ret, SEVERITY_HINT, "%s", router);
	finding_what(finding,
		     "One router, %s on %s, is the next hop of %s (%s) and of "
		     "%s (%s).",
		     router, check_link_name(view, hop->ifindex), one,
		     check_link_name(view, a->ifindex), other,
		     check_link_name(view, b->ifindex));
	finding_breaks(finding,
		       "The two subnets are not independent: they fail "
		       "together, and unless that router itself routes by "
		       "source address, packets of both leave through one "
		       "provider (draft, section 6.2.2). A tunnel to another "
		       "router of the site, bound to its prefix, parts them.");
	(void)snprintf(entry, sizeof(entry),
		       "{ dev = \"TUNNEL\"; prefixes = ( \"%s\" ); }", other);
	finding_fix_list(finding, facts, "bindings", entry,
			 view->policy->bindings.n > 0);
	(void)snprintf(entry, sizeof(entry),
		       "{ to = \"%s\"; dev = \"TUNNEL\"; }",
		       hop->gateway.family == AF_INET ? "0.0.0.0/0" : "::/0");
	finding_fix_list(finding, facts, "routes", entry,
			 view->policy->routes.n > 0);
	finding_fix(finding, "multihomectl reload");
}

void check_shared_router(const struct view *view, const struct facts *facts,
			 struct finding_vec *ret)
{
	const struct subnet_vec *all = &view->subnets->subnets;

	/* Each subnet with the first one that it shares a router with. */
	for (size_t j = 1; j < all->n; j++) {
		const struct subnet *b = &all->items[j];
		size_t i = 0;

		while (i < j && !shares_router(view, facts, &all->items[i], b))
			i++;
		if (i < j)
			report(view, facts, &all->items[i], b, ret);
	}
}
