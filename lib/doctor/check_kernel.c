/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of the whole namespace.
 */
#include "doctor/check.h"

void check_nexthop_compat(const struct view *view, const struct facts *facts,
			  struct finding_vec *ret)
{
	const struct attrset_store *attrs = &view->model->rib.attrs;
	struct finding *finding;
	size_t n = 0;

	if (facts->nexthop_compat_mode != 0)
		return;
	for (uint32_t id = 0; id < attrs->n; id++)
		n += attrset_is_live(attrs, id) &&
		     attrset_get(attrs, id)->nh_id != 0;
	if (n == 0)
		return;
	finding = finding_add(ret, SEVERITY_ERROR,
			      "net.ipv4.nexthop_compat_mode");
	finding_what(finding,
		     "Routes lead through nexthop objects (%zu in use), and "
		     "the kernel is told not to say which next hops these are "
		     "(nexthop_compat_mode is 0).",
		     n);
	finding_breaks(finding, "Such routes have no next hop as far as we can "
				"see: no source is congruent with them, and "
				"their packets leave by another route.");
	finding_fix_sysctl(finding, "net.ipv4.nexthop_compat_mode", 1);
	finding_fix(finding, "systemctl restart multihomed");
}
