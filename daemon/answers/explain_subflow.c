/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a connection from the source would open beside: the draft's section 5.1,
 * step by step.
 */
#include "answers/explain_story.h"

#include <stdio.h>

#include "answers/json.h"
#include "core/subflow.h"

static const struct {
	const char *name;
	const char *why;
} verdicts[] = {
	[SUBFLOW_CHOSEN] = {"chosen", "the lowest metric of what remains"},
	[SUBFLOW_LEFT] = {"left", "it remains; the next subflow's"},
	[SUBFLOW_USED] = {"used", "on the subnet of an address in use"},
	[SUBFLOW_PASSED] = {"passed",
			    "packets of its subnet have a better next hop"},
	[SUBFLOW_UNUSABLE] = {"unusable",
			      "no carrier, or the router does not answer"},
	[SUBFLOW_OFF] =
		{"off", "its subnet has no address for MPTCP: switched off, or "
			"not yet"},
	[SUBFLOW_FOREIGN] = {"foreign", "on no managed subnet"},
	[SUBFLOW_REJECTED] = {"rejected", "no next hop"},
};

static struct json_object *way_json(const struct story *story,
				    const struct subflow_candidate *it)
{
	struct json_object *object = json_object_new_object();
	const struct next_hop *hop = story_hop(story, &it->way);
	char text[IP_TEXT_MAX];

	json_add_text(object, "prefix",
		      ip_prefix_format(&it->way.prefix, text));
	json_add_text(object, "type",
		      story_type_name(story_set(story, &it->way)->type));
	if (hop)
		story_add_hop(story, hop, object);
	json_add_int(object, "metric", (int64_t)it->way.metric);
	if (it->subnet)
		json_add_text(object, "subnet",
			      ip_prefix_format(&it->subnet->prefix, text));
	if (ip_addr_is_set(&it->source.addr))
		json_add_text(object, "source",
			      ip_addr_format(&it->source.addr, text));
	json_add_text(object, "verdict", verdicts[it->verdict].name);
	json_add_text(object, "why", verdicts[it->verdict].why);
	return object;
}

void story_add_subflow(const struct story *story, struct json_object *ret)
{
	const struct explain_question *question = story->question;
	struct json_object *object = json_object_new_object();
	struct json_object *ways = json_object_new_array();
	struct subflow_choice choice = {0};
	const struct subflow_candidate *it;
	struct ip_addr_vec used = {0};
	char text[IP_TEXT_MAX];

	if (ip_addr_is_set(&question->source))
		vec_push(&used, question->source);
	subflow_pick(story->view, &question->destination, &used, &choice);
	json_add_int(object, "step", choice.step);
	if (choice.step == SUBFLOW_PICKED) {
		json_add_text(object, "source",
			      ip_addr_format(&choice.source.addr, text));
		json_add_bool(object, "backup",
			      choice.source.flags & ENDPOINT_BACKUP);
	}
	vec_foreach(&choice.candidates, it)
		json_object_array_add(ways, way_json(story, it));
	json_object_object_add(object, "ways", ways);
	json_object_object_add(ret, "subflow", object);
	subflow_choice_done(&choice);
	vec_done(&used);
}
