/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host that forwards IPv6 ignores router advertisements where accept_ra is 1:
 * only 2 means "also then".
 */
#include <netinet/in.h>

#include "doctor/check.h"

#define PROTOCOL_RA 9 /* RTPROT_RA */

struct defaults {
	bool by_hand;
	bool by_ra;
};

static struct defaults defaults_over(const struct view *view, uint32_t ifindex)
{
	const struct row *row = check_default_row(view, AF_INET6);
	struct defaults found = {0};

	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct next_hop *hop;

		if (!check_is_candidate(view, route))
			continue;
		vec_foreach(&check_attrs(view, route)->hops, hop) {
			if (hop->ifindex != ifindex)
				continue;
			if (route->protocol == PROTOCOL_RA)
				found.by_ra = true;
			else
				found.by_hand = true;
		}
	}
	return found;
}

static bool has_managed(const struct view *view, uint32_t ifindex)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it)
		if (it->ifindex == ifindex && it->managed &&
		    it->prefix.addr.family == AF_INET6)
			return true;
	return false;
}

static void report(const struct view *view, uint32_t ifindex,
		   const struct defaults *defaults, struct finding_vec *ret)
{
	const char *link = check_link_name(view, ifindex);
	struct link_sysctl fix = {AF_INET6, link, "accept_ra", 2};
	enum severity severity = SEVERITY_ERROR;
	const char *breaks = "There is no default route over it, and none will "
			     "be learned: its packets leave by another link or "
			     "are dropped.";
	struct finding *finding;

	if (defaults->by_ra) {
		severity = SEVERITY_WARNING;
		breaks = "What was learned before is not renewed: its default "
			 "route ends with the router's lifetime.";
	} else if (defaults->by_hand) {
		severity = SEVERITY_HINT;
		breaks = "Its default route was set by other means and stays. "
			 "A new prefix or router will not be noticed.";
	}
	finding = finding_add(ret, severity, "%s", link);
	finding_what(finding,
		     "%s forwards IPv6 and has accept_ra 1: it ignores router "
		     "advertisements.",
		     link);
	finding_breaks(finding, "%s", breaks);
	finding_fix_link(finding, &fix);
}

void check_forwarding_ra(const struct view *view, const struct facts *facts,
			 struct finding_vec *ret)
{
	const struct link_facts *it;

	vec_foreach(&facts->links, it) {
		struct defaults defaults;

		if (it->ifindex == 0 || it->forwarding6 < 1 ||
		    it->accept_ra != 1)
			continue;
		defaults = defaults_over(view, it->ifindex);
		if (defaults.by_ra || has_managed(view, it->ifindex))
			report(view, it->ifindex, &defaults, ret);
	}
}
