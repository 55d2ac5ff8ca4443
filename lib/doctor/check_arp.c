/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One IPv4 prefix on two links: out of the box, Linux answers ARP for any of
 * its addresses on every link, and asks with any of them. Neighbours then learn
 * an address of one link with the other link's MAC.
 */
#include <netinet/in.h>

#include "doctor/check.h"

/* What the kernel uses: the larger of conf/all and conf/LINK. */
static int effective(int all, int link)
{
	return all > link ? all : link;
}

static bool is_live(const struct view *view, uint32_t ifindex)
{
	const struct link *link = model_link(view->model, ifindex);

	return link && link->carrier && !link->loopback;
}

/* Another link with the prefix of @subnet; NULL: none. */
static const struct subnet *twin_of(const struct view *view,
				    const struct subnet *subnet)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it)
		if (it->ifindex != subnet->ifindex &&
		    is_live(view, it->ifindex) &&
		    ip_prefix_equal(&it->prefix, &subnet->prefix))
			return it;
	return NULL;
}

static void report(const struct view *view, const struct subnet *subnet,
		   const struct subnet *twin, const bool wrong[2],
		   struct finding_vec *ret)
{
	const char *link = check_link_name(view, subnet->ifindex);
	const char *other = check_link_name(view, twin->ifindex);
	struct link_sysctl ignore = {AF_INET, link, "arp_ignore", 1};
	struct link_sysctl announce = {AF_INET, link, "arp_announce", 2};
	struct finding *finding =
		finding_add(ret, SEVERITY_WARNING, "%s", link);
	const char *habit = "answers ARP for the other's addresses, and asks "
			    "with them";
	char prefix[IP_TEXT_MAX];

	if (!wrong[1])
		habit = "answers ARP for the other's addresses";
	else if (!wrong[0])
		habit = "asks by ARP with the other's addresses";
	finding_what(finding, "%s is on %s and on %s, and %s %s.",
		     ip_prefix_format(&subnet->prefix, prefix), link, other,
		     link, habit);
	finding_breaks(finding,
		       "Neighbours learn the addresses of one link with the "
		       "MAC of the other: packets to %s arrive on %s, where "
		       "a filter may drop them, and one dead link can take "
		       "both with it.",
		       other, link);
	if (wrong[0])
		finding_fix_link(finding, &ignore);
	if (wrong[1])
		finding_fix_link(finding, &announce);
}

void check_arp_flux(const struct view *view, const struct facts *facts,
		    struct finding_vec *ret)
{
	const struct link_facts *all = facts_link(facts, 0);
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it) {
		const struct link_facts *link = facts_link(facts, it->ifindex);
		const struct subnet *twin;
		bool wrong[2];

		if (it->prefix.addr.family != AF_INET || !all || !link ||
		    it->prefix.len == 32 || !is_live(view, it->ifindex) ||
		    link->arp_ignore == FACT_UNKNOWN)
			continue;
		twin = twin_of(view, it);
		/* arp_filter answers where a reply would leave: good too. */
		wrong[0] = effective(all->arp_ignore, link->arp_ignore) == 0 &&
			   effective(all->arp_filter, link->arp_filter) < 1;
		wrong[1] = effective(all->arp_announce, link->arp_announce) < 2;
		if (twin && (wrong[0] || wrong[1]))
			report(view, it, twin, wrong, ret);
	}
}
