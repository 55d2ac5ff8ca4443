/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/doctor.h"

#include "doctor/check.h"

const struct check doctor_checks[] = {
	{"no-table", check_no_table},
	{"no-rules", check_no_rules},
	{"refused-routes", check_refused_routes},
	{"foreign-rules", check_foreign_rules},
	{"no-default", check_no_default},
	{"dead-default", check_dead_default},
	{"rp-filter", check_rp_filter},
	{"arp-flux", check_arp_flux},
	{"address-twice", check_address_twice},
	{"prefix-twice", check_prefix_twice},
	{"shared-router", check_shared_router},
	{"forwarding-ra", check_forwarding_ra},
	{"networkd-rules", check_networkd_rules},
	{"networkd-routes", check_networkd_routes},
	{"nexthop-compat", check_nexthop_compat},
	{"mptcp-off", check_mptcp_off},
	{"mptcp-manager", check_mptcp_manager},
	{"mptcp-limits", check_mptcp_limits},
	{"mptcp-endpoints", check_mptcp_endpoints},
	{NULL, NULL},
};

void doctor_examine(const struct view *view, const struct facts *facts,
		    struct finding_vec *ret)
{
	static const enum severity order[] = {
		SEVERITY_ERROR,
		SEVERITY_WARNING,
		SEVERITY_HINT,
	};
	const struct check *check;
	const struct finding *it;
	struct finding_vec all = {0};

	for (check = doctor_checks; check->id; check++) {
		size_t before = all.n;

		check->run(view, facts, &all);
		for (size_t i = before; i < all.n; i++)
			all.items[i].id = check->id;
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		vec_foreach(&all, it)
			if (it->severity == order[i])
				vec_push(ret, *it);
	vec_done(&all);
}
