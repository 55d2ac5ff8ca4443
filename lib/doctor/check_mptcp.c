/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether MPTCP can use the paths, and who manages them.
 */
#include <netinet/in.h>

#include "core/endpoint.h"
#include "doctor/check.h"

/* With one subnet there are no paths to choose from. */
static bool has_two_uplinks(const struct view *view)
{
	const struct subnet *first = NULL;
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it) {
		if (!it->managed)
			continue;
		if (first && !ip_prefix_overlaps(&first->prefix, &it->prefix))
			return true;
		if (!first)
			first = it;
	}
	return false;
}

void check_mptcp_off(const struct view *view, const struct facts *facts,
		     struct finding_vec *ret)
{
	struct finding *finding;

	if (facts->mptcp_enabled > 0 ||
	    facts->mptcp_enabled == FACT_UNREADABLE || !has_two_uplinks(view))
		return;
	finding = finding_add(ret, SEVERITY_HINT, "net.mptcp.enabled");
	if (facts->mptcp_enabled == 0) {
		finding_what(finding, "MPTCP is switched off.");
		finding_fix_sysctl(finding, "net.mptcp.enabled", 1);
	} else {
		finding_what(finding, "This kernel has no MPTCP.");
		finding_fix(finding, "boot a kernel with CONFIG_MPTCP=y, and "
				     "CONFIG_MPTCP_IPV6=y");
	}
	finding_breaks(finding, "A connection stays on one path: it cannot use "
				"two uplinks, nor outlive the loss of one.");
}

/* The sysctl and the config say different things. */
static void report_setting(const struct facts *facts, bool userspace,
			   struct finding_vec *ret)
{
	struct finding *finding =
		finding_add(ret, SEVERITY_WARNING, "net.mptcp.path_manager");

	if (userspace) {
		finding_what(finding,
			     "The daemon is to be the path manager, and the "
			     "kernel still is.");
		finding_breaks(finding,
			       "Connections have one path: the daemon may not "
			       "manage them, and there are no endpoints.");
		finding_fix(finding,
			    "give the unit the drop-in path_manager.conf, and "
			    "restart it");
	} else {
		finding_what(finding,
			     "Connections are managed by a program in user "
			     "space, not by the kernel, as the daemon's "
			     "configuration supposes.");
		finding_breaks(finding, "The daemon's MPTCP endpoints are not "
					"used by new connections.");
	}
	finding_fix(finding, "%s: mptcp = { path_manager = \"%s\"; };",
		    facts->config, userspace ? "kernel" : "off");
	finding_fix(finding, "multihomectl reload");
}

/* What the kernel lacks for a path manager in user space. */
static void report_kernel(struct finding_vec *ret)
{
	struct finding *finding =
		finding_add(ret, SEVERITY_HINT, "this kernel");

	finding_what(finding, "The kernel does not tell which ids a connection "
			      "has given to its addresses; Linux 6.10 does.");
	finding_breaks(finding,
		       "After a restart of the daemon a connection that is "
		       "older may refuse a subflow from an address that it "
		       "used before and does not use now.");
	finding_fix(finding, "boot Linux 6.10 or newer");
}

void check_mptcp_manager(const struct view *view, const struct facts *facts,
			 struct finding_vec *ret)
{
	enum path_manager wanted = view->policy->mptcp.path_manager;
	bool userspace = wanted == PATH_MANAGER_USERSPACE;
	struct finding *finding;

	if (facts->mptcp_enabled <= 0 || wanted == PATH_MANAGER_OFF)
		return;
	if (facts->mptcp_manager >= 0 &&
	    (facts->mptcp_manager == FACT_MANAGER_USERSPACE) != userspace)
		report_setting(facts, userspace, ret);
	if (userspace && facts->mptcp_forgets)
		report_kernel(ret);
	if (!userspace || facts->mptcp_other == 0)
		return;
	finding = finding_add(ret, SEVERITY_WARNING, "netlink port %u",
			      facts->mptcp_other);
	finding_what(finding,
		     "Another program listens to the kernel's MPTCP events: "
		     "mptcpd perhaps, or a monitor.");
	finding_breaks(finding, "Two path managers in user space open and "
				"close subflows of the same connections.");
	finding_fix(finding, "systemctl disable --now mptcp.service");
}

void check_mptcp_limits(const struct view *view, const struct facts *facts,
			struct finding_vec *ret)
{
	struct endpoint_vec wanted = {0};
	const struct endpoint *it;
	struct finding *finding;
	int want = 0;

	if (view->policy->mptcp.path_manager != PATH_MANAGER_KERNEL ||
	    facts->mptcp_enabled <= 0 || facts->mptcp_subflows < 0)
		return;
	/* The first subflow of a connection does not count. */
	endpoint_build(view, NULL, &wanted);
	vec_foreach(&wanted, it)
		want += it->addr.family == AF_INET;
	if (want < (int)wanted.n - want)
		want = (int)wanted.n - want;
	vec_done(&wanted);
	if (want > (int)view->policy->mptcp.subflows + 1)
		want = (int)view->policy->mptcp.subflows + 1;
	if (facts->mptcp_subflows >= want - 1)
		return;
	finding = finding_add(ret, SEVERITY_WARNING, "mptcp limits");
	finding_what(finding,
		     "A connection may have %d additional subflows, and there "
		     "are %d addresses of one family to use.",
		     facts->mptcp_subflows, want);
	finding_breaks(finding, "Not all uplinks are used at once.");
	finding_fix(finding, "ip mptcp limits set subflow %d", want - 1);
	finding_fix(finding, "multihomectl reload");
}
