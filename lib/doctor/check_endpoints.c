/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endpoints of the kernel's MPTCP path manager that another program made where
 * one of ours should be. NetworkManager does so, since 1.40, and mptcpd, both
 * without being asked.
 */
#include <stdio.h>

#include "core/endpoint.h"
#include "doctor/check.h"

#define IDS_TEXT_MAX (ENDPOINTS_MAX * 4 + 1)

/* Those that stand where one of ours should. */
struct taken {
	const struct endpoint *first;
	size_t n;
	bool bound; /* one of them is to a link */
	char ids[IDS_TEXT_MAX];
};

static void note(struct taken *taken, const struct endpoint *endpoint)
{
	size_t len = strlen(taken->ids);

	if (!taken->first)
		taken->first = endpoint;
	(void)snprintf(taken->ids + len, sizeof(taken->ids) - len, "%s%u",
		       len ? " " : "", endpoint->id);
	taken->bound |= endpoint->ifindex != 0;
	taken->n++;
}

static struct taken find_taken(const struct view *view,
			       const struct facts *facts)
{
	struct taken taken = {0};
	struct endpoint_vec wanted = {0};
	const struct endpoint *it;

	endpoint_build(view, NULL, &wanted);
	vec_foreach(&wanted, it) {
		const struct endpoint *other =
			endpoint_find_added(&facts->mptcp_others, &it->addr);

		if (other)
			note(&taken, other);
	}
	vec_done(&wanted);
	return taken;
}

/* A guess: the kernel does not tell whose an endpoint is. */
static const char *maker(const struct facts *facts)
{
	if (facts->network_manager && facts->mptcp_other)
		return ", NetworkManager or mptcpd most likely,";
	if (facts->network_manager)
		return ", NetworkManager most likely,";
	return facts->mptcp_other ? ", mptcpd most likely," : "";
}

static void say_what(struct finding *finding, const struct taken *taken,
		     const struct facts *facts)
{
	if (taken->n == 1)
		finding_what(finding,
			     "Another program%s made the MPTCP endpoint of "
			     "this address.",
			     maker(facts));
	else
		finding_what(finding,
			     "Another program%s made the MPTCP endpoints of "
			     "this address and of %zu more.",
			     maker(facts), taken->n - 1);
}

static void add_fixes(struct finding *finding, const struct taken *taken,
		      const struct facts *facts)
{
	if (facts->network_manager) {
		finding_fix(finding,
			    "mkdir -p /etc/NetworkManager/conf.d && printf "
			    "'[connection-multihomed]\\n"
			    "connection.mptcp-flags=1\\n' >> "
			    "/etc/NetworkManager/conf.d/multihomed.conf");
		finding_fix(finding, "systemctl restart NetworkManager");
	}
	if (facts->mptcp_other)
		finding_fix(finding, "systemctl disable --now mptcp.service");
	if (taken->n == 1)
		finding_fix(finding, "ip mptcp endpoint delete id %s",
			    taken->ids);
	else
		finding_fix(finding,
			    "for id in %s; do ip mptcp endpoint delete id $id; "
			    "done",
			    taken->ids);
	finding_fix(finding, "multihomectl reload");
}

void check_mptcp_endpoints(const struct view *view, const struct facts *facts,
			   struct finding_vec *ret)
{
	enum severity severity = SEVERITY_HINT;
	struct finding *finding;
	struct taken taken;
	char text[IP_TEXT_MAX];

	if (view->policy->mptcp.path_manager != PATH_MANAGER_KERNEL ||
	    facts->mptcp_enabled <= 0)
		return;
	taken = find_taken(view, facts);
	if (taken.n == 0)
		return;
	if (taken.bound)
		severity = SEVERITY_WARNING;
	finding = finding_add(ret, severity, "%s",
			      ip_addr_format(&taken.first->addr, text));
	say_what(finding, &taken, facts);
	finding_breaks(finding,
		       "%sIt stays when its path is gone, and connections that "
		       "run do not use a path that comes back.",
		       taken.bound ? "Subflows from an endpoint that is bound "
				     "to its link pass by their subnet's "
				     "table. "
				   : "");
	add_fixes(finding, &taken, facts);
}
