/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd-networkd deletes rules and routes that it did not make, whenever it
 * configures a link, unless it is told not to.
 */
#include <stdio.h>

#include "doctor/check.h"

#define DROP_IN_DIR  "/etc/systemd/networkd.conf.d"
#define DROP_IN_NAME "multihomed.conf"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void fix(struct finding *finding, const char *key, const char *file)
{
	/* A drop-in that is read behind ours would undo it. */
	if (strstr(file, ".conf.d/") &&
	    strcmp(base_name(file), DROP_IN_NAME) >= 0)
		finding_fix(finding, "sed -i 's/^ *%s *=.*/%s=no/' %s", key,
			    key, file);
	else
		finding_fix(finding,
			    "mkdir -p " DROP_IN_DIR " && printf '[Network]\\n"
			    "ManageForeignRoutingPolicyRules=no\\n"
			    "ManageForeignRoutes=no\\n' > " DROP_IN_DIR
			    "/" DROP_IN_NAME);
	finding_fix(finding, "systemctl restart systemd-networkd");
}

static void report(const struct facts *facts, const char *key,
		   const struct fact_setting *setting, const char *what,
		   struct finding_vec *ret)
{
	struct finding *finding;

	if (facts->networkd != NETWORKD_RUNNING || !setting->value)
		return;
	finding = finding_add(ret, SEVERITY_WARNING, "%s",
			      setting->file[0] ? setting->file
					       : "systemd-networkd");
	finding_what(finding,
		     "systemd-networkd runs and takes every %s for its own "
		     "(%s is %s).",
		     what, key, setting->file[0] ? "yes" : "yes, its default");
	finding_breaks(finding,
		       "Whenever it configures a link it deletes each %s that "
		       "multihomed made; until that is put back, a moment "
		       "later, packets leave by the wrong path.",
		       what);
	fix(finding, key, setting->file);
}

void check_networkd_rules(const struct view *view, const struct facts *facts,
			  struct finding_vec *ret)
{
	(void)view;
	report(facts, "ManageForeignRoutingPolicyRules", &facts->networkd_rules,
	       "policy rule", ret);
}

void check_networkd_routes(const struct view *view, const struct facts *facts,
			   struct finding_vec *ret)
{
	(void)view;
	report(facts, "ManageForeignRoutes", &facts->networkd_routes, "route",
	       ret);
}
