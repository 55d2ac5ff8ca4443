/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/doctor.h"

#include "answers/json.h"
#include "daemon.h"
#include "doctor/doctor.h"
#include "facts/facts.h"
#include "mptcp/ours.h"

static struct json_object *finding_json(const struct finding *finding)
{
	static const char *const severities[] = {
		[SEVERITY_ERROR] = "error",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_HINT] = "hint",
	};
	struct json_object *object = json_object_new_object();
	struct json_object *fixes = json_object_new_array();

	json_add_text(object, "id", finding->id);
	json_add_text(object, "severity", severities[finding->severity]);
	if (finding->subject[0])
		json_add_text(object, "subject", finding->subject);
	json_add_text(object, "what", finding->what);
	json_add_text(object, "breaks", finding->breaks);
	for (size_t i = 0; i < FINDING_FIXES && finding->fix[i][0]; i++)
		json_push_text(fixes, finding->fix[i]);
	json_object_object_add(object, "fix", fixes);
	return object;
}

static struct json_object *doctor_json(const struct finding_vec *findings,
				       const struct facts *facts)
{
	struct json_object *object = json_object_new_object();
	struct json_object *array = json_object_new_array();
	struct json_object *ids = json_object_new_array();
	struct json_object *gaps = json_object_new_array();
	const struct finding *finding;
	const struct fact_gap *gap;

	vec_foreach(findings, finding)
		json_object_array_add(array, finding_json(finding));
	for (const struct check *it = doctor_checks; it->id; it++)
		json_push_text(ids, it->id);
	vec_foreach(&facts->gaps, gap)
		json_push_text(gaps, gap->text);
	json_object_object_add(object, "findings", array);
	json_object_object_add(object, "checks", ids);
	json_object_object_add(object, "not_checked", gaps);
	return object;
}

static void read_others(const struct endpoints *endpoints, struct facts *ret)
{
	struct endpoint_vec all = {0};
	const struct endpoint *it;
	int error = 0;

	if (endpoints->mptcp)
		error = mptcp_list(endpoints->mptcp, &all);
	if (error)
		facts_add_gap(ret, "MPTCP endpoints: %s", strerror(-error));
	vec_foreach(&all, it)
		if (!ours_find(endpoints, it))
			vec_push(&ret->mptcp_others, *it);
	vec_done(&all);
}

void doctor_handle(struct server_call *call, struct json_object *parameters,
		   void *data)
{
	const struct daemon *daemon = data;
	const struct view view = engine_view(&daemon->engine);
	struct finding_vec findings = {0};
	struct facts facts;

	(void)parameters;
	facts_read(&view, daemon->kernel,
		   daemon->config_path ? daemon->config_path
				       : CONFIG_PATH_DEFAULT,
		   &facts);
	(void)mptcp_listener_others(daemon->userspace.listener,
				    &facts.mptcp_other, 1);
	read_others(&daemon->endpoints, &facts);
	doctor_examine(&view, &facts, &findings);
	server_call_reply(call, doctor_json(&findings, &facts));
	vec_done(&findings);
	facts_done(&facts);
}
