/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel goes on using routes over a link without carrier. Our tables do
 * not, but table main, which decides for sockets without a source, is not ours.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "doctor/check.h"

static bool has_carrier(const struct view *view, uint32_t ifindex)
{
	const struct link *link = model_link(view->model, ifindex);

	return link && link->carrier;
}

/* IPv4: of all or of the link; IPv6: of the link. */
static bool is_ignored(const struct facts *facts, uint8_t family,
		       uint32_t ifindex)
{
	const struct link_facts *all = facts_link(facts, 0);
	const struct link_facts *link = facts_link(facts, ifindex);

	if (!link)
		return false;
	if (family == AF_INET6)
		return link->ignore_linkdown6 > 0;
	return link->ignore_linkdown4 > 0 || (all && all->ignore_linkdown4 > 0);
}

/* A hop over a link with carrier; NULL: it has none. */
static const struct next_hop *live_hop(const struct view *view,
				       const struct attrset *set)
{
	const struct next_hop *hop;

	vec_foreach(&set->hops, hop)
		if (has_carrier(view, hop->ifindex))
			return hop;
	return NULL;
}

static bool is_of_main(const struct view *view, const struct route *route)
{
	return route->table == ROUTE_TABLE_MAIN && route->tos == 0 &&
	       !(route->flags & ROUTE_LEAVING) &&
	       check_is_candidate(view, route);
}

static void report(const struct view *view, const struct facts *facts,
		   const struct route *dead, const struct next_hop *live,
		   struct finding_vec *ret)
{
	const struct attrset *set = check_attrs(view, dead);
	uint32_t ifindex = set->hops.items[0].ifindex;
	const char *link = check_link_name(view, ifindex);
	const char *ip = check_family_name(set->family);
	struct link_sysctl fix = {set->family, link,
				  "ignore_routes_with_linkdown", 1};
	struct finding *finding = finding_add(ret, SEVERITY_ERROR, "%s", link);

	finding_what(finding,
		     "%s has no carrier, and the %s default route of table "
		     "main over it (metric %u) is still the first choice.",
		     link, ip, dead->metric);
	finding_breaks(finding,
		       "Programs that do not choose a source address get the "
		       "one of %s and send into the dead link, although %s "
		       "works.",
		       link, check_link_name(view, live->ifindex));
	/* The config's setting is for managed links. */
	if (!view->policy->ignore_linkdown &&
	    !subnet_link_is_local(view->subnets, ifindex)) {
		finding_fix(finding, "%s: ignore_linkdown = true;",
			    facts->config);
		finding_fix(finding, "multihomectl reload");
	} else {
		finding_fix_link(finding, &fix);
	}
}

static void check_family(const struct view *view, const struct facts *facts,
			 uint8_t family, struct finding_vec *ret)
{
	const struct row *row = check_default_row(view, family);
	const struct route *dead = NULL;
	const struct next_hop *live = NULL;

	/* In the order of the kernel's choice. */
	for (size_t i = 0; row && i < row->n && !live; i++) {
		const struct route *route = &row->routes[i];
		const struct attrset *set = check_attrs(view, route);

		if (!is_of_main(view, route))
			continue;
		live = live_hop(view, set);
		if (!live && !dead &&
		    !is_ignored(facts, family, set->hops.items[0].ifindex))
			dead = route;
	}
	if (dead && live)
		report(view, facts, dead, live, ret);
}

void check_dead_default(const struct view *view, const struct facts *facts,
			struct finding_vec *ret)
{
	check_family(view, facts, AF_INET, ret);
	check_family(view, facts, AF_INET6, ret);
}
