/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reply to Explain, from the view and the kernel's answer.
 */
#include "answers/explain_story.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "answers/json.h"
#include "answers/judge.h"
#include "answers/pins.h"
#include "core/plan.h"

static const struct {
	int rule;
	const char *kind;
	const char *head; /* "usable" may come behind it */
	const char *tail;
} rule_words[] = {
	[FORWARD_NO_ROUTE] = {2, "none", "no route matches", ""},
	[FORWARD_WEAK] = {3, "weak", "no ",
			  "next hop is on the source's subnet; in the weak "
			  "model the lowest metric of all counts"},
	[FORWARD_STRONG] = {3, "strong_drop", "no ",
			    "next hop is on the source's subnet; in the strong "
			    "model the packet is dropped"},
	[FORWARD_CONGRUENT] = {4, "congruent", "the lowest metric of the ",
			       "next hops on the source's subnet"},
};

/* --- what decided, and the answer --- */

/* Some next hop on the subnet was passed over. */
static bool has_unusable(const struct story *story)
{
	const struct forward_candidate *best =
		story->forward.best.n ? &story->forward.best.items[0] : NULL;
	const struct forward_candidate *it;

	/* Where none is usable, usability does not count. */
	if (best && !best->reject && !best->usable)
		return false;
	vec_foreach(&story->forward.candidates, it)
		if (it->on.yes && !it->usable && !it->reject)
			return true;
	return false;
}

static void format_why(const struct story *story, char *why, size_t size)
{
	const struct forward *forward = &story->forward;
	const struct forward_candidate *best =
		forward->best.n ? &forward->best.items[0] : NULL;
	int n = snprintf(why, size, "%s%s%s", rule_words[forward->rule].head,
			 has_unusable(story) ? "usable " : "",
			 rule_words[forward->rule].tail);

	if (best && best->reject)
		n += snprintf(why + n, size - (size_t)n, "; it is of type %s",
			      story_type_name(story_set(story, best)->type));
	if (story->others)
		(void)snprintf(why + n, size - (size_t)n,
			       ": the rules of others decide");
	else if (forward->rule == FORWARD_NO_ROUTE || (best && best->reject))
		(void)snprintf(why + n, size - (size_t)n, ": dropped");
}

static struct judge_case story_case(const struct story *story)
{
	return (struct judge_case){
		.src = &story->question->source,
		.dst = &story->question->destination,
		.subnet = story->subnet,
		.forward = &story->forward,
		.answer = story->kernel->answer,
		.sourceless = story->sourceless,
	};
}

static const char *why_not_ours(const struct story *story)
{
	if (story->local)
		return "table local answers before any table of ours: an "
		       "address of this host, a broadcast or a multicast";
	if (!ip_addr_is_set(&story->question->source))
		return "without a source there is no subnet to decide by";
	return "the source is not of a managed subnet: the kernel's other "
	       "rules and table main decide";
}

static void add_rule(const struct story *story, struct json_object *ret)
{
	const struct forward *forward = &story->forward;
	const bool rejects = forward->best.n && forward->best.items[0].reject;
	char why[256];

	if (!story->managed || story->local) {
		json_add_int(ret, "rule", 0);
		json_add_text(ret, "kind", "none");
		json_add_text(ret, "why", why_not_ours(story));
		return;
	}
	format_why(story, why, sizeof(why));
	json_add_int(ret, "rule", rule_words[forward->rule].rule);
	json_add_text(ret, "kind",
		      rejects ? "reject" : rule_words[forward->rule].kind);
	json_add_text(ret, "why", why);
}

static void push_hop(const struct story *story, const struct next_hop *hop,
		     struct json_object *array)
{
	struct json_object *object = json_object_new_object();

	story_add_hop(story, hop, object);
	json_object_array_add(array, object);
}

static const struct attrset *story_pin_set(const struct story *story)
{
	return attrset_get(&story->view->model->rib.attrs, story->pin->attrs);
}

static void add_next_hops(const struct story *story, struct json_object *ret)
{
	struct json_object *array = json_object_new_array();
	const struct kernel_answer *answer = story->kernel->answer;
	const struct forward_candidate *it;
	const struct next_hop *hop;

	if (story->guessed) {
		hop = story_bound_hop(story);
		if (hop)
			push_hop(story, hop, array);
	} else if (story->pin) {
		if (story->pin->kind == PIN_PATH)
			vec_foreach(&story_pin_set(story)->hops, hop)
				push_hop(story, hop, array);
	} else if (story->managed && !story->local && !story->others &&
		   !story->down) {
		vec_foreach(&story->forward.best, it)
			if (!it->reject)
				push_hop(story, story_hop(story, it), array);
	} else if ((!story->managed || story->others || story->down) &&
		   answer && !answer->error) {
		push_hop(story, &answer->hop, array);
	}
	json_object_object_add(ret, "next_hops", array);
}

static void add_subnet(const struct story *story, struct json_object *ret)
{
	struct json_object *object;
	char text[IP_TEXT_MAX];

	if (!story->subnet)
		return;
	object = json_object_new_object();
	json_add_text(object, "link",
		      story_link_name(story, story->subnet->ifindex));
	json_add_text(object, "prefix",
		      ip_prefix_format(&story->subnet->prefix, text));
	if (story->subnet->table)
		json_add_int(object, "table", story->subnet->table);
	json_add_text(object, "model",
		      story->subnet->strong ? "strong" : "weak");
	json_object_object_add(ret, "subnet", object);
}

/* --- flows that are kept off the plan --- */

static const struct pin *find_pin(const struct story *story)
{
	const struct pin_set *pins = story->view->pins;
	const struct pin *pin = NULL;

	if (pins && story->managed && story->subnet->table && !story->local)
		pin = pin_find(pins, &story->question->destination,
			       story->subnet->table);
	return pin && pin->kind != PIN_AWAY ? pin : NULL;
}

static void add_pin(const struct story *story, struct json_object *ret)
{
	if (story->pin)
		json_object_object_add(ret, "pin",
				       pins_json(story->view, story->pin,
						 story->question->now_ms));
}

/* --- the kernel --- */

static void add_kernel(const struct story *story, struct json_object *ret)
{
	const struct kernel_answer *answer = story->kernel->answer;
	const struct ip_addr none = {0};
	struct json_object *object;
	const struct rule *rule;
	char text[RULE_TEXT_MAX];
	const char *name;

	if (!answer)
		return;
	object = json_object_new_object();
	if (answer->error) {
		name = strerrorname_np(-answer->error);
		json_add_text(object, "error", name ? name : "?");
	} else {
		story_add_hop(story, &answer->hop, object);
	}
	if (answer->table)
		json_add_int(object, "table", answer->table);
	if (ip_addr_is_set(&answer->src))
		json_add_text(object, "source",
			      ip_addr_format(&answer->src, text));
	rule = judge_rule(story->view,
			  story->sourceless ? &none : &story->question->source,
			  &story->question->destination, answer);
	if (rule)
		json_add_text(object, "rule", rule_format(rule, text));
	json_add_bool(object, "ours",
		      answer->table && policy_is_our_table(story->view->policy,
							   answer->table));
	json_object_object_add(ret, "kernel", object);
}

static void add_agreement(const struct story *story, struct json_object *ret)
{
	const struct judge_case it = story_case(story);
	const struct ip_prefix host =
		ip_prefix_host(&story->question->destination);
	char text[JUDGE_TEXT_MAX];
	enum judgement judgement;

	if (!it.answer || !story->managed || story->local ||
	    story->question->dev || story->yields)
		return;
	judgement = judge_packet(story->view, &it);
	if (!cell_wanted_at(&host)) {
		story_add_note(story,
			       "table main answers for this destination, not "
			       "the subnet's table");
		return;
	}
	json_add_bool(ret, "agrees", judgement == JUDGE_AGREES);
	if (judgement == JUDGE_DISAGREES)
		story_add_note(story, "%s", judge_hint(story->view, &it, text));
}

/* --- notes --- */

static void note_unbound(const struct story *story)
{
	const struct kernel_answer *first = story->kernel->unbound;
	const struct kernel_answer *answer = story->kernel->answer;
	const struct judge_case it = {.answer = first};
	char text[JUDGE_TEXT_MAX];

	if (!first || !answer || first->error || answer->error ||
	    (first->hop.ifindex == answer->hop.ifindex &&
	     ip_addr_equal(&first->hop.gateway, &answer->hop.gateway)))
		return;
	story_add_note(story,
		       "an unbound socket that sends without connect() takes "
		       "the first answer: %s",
		       judge_have(story->view, &it, text));
}

static void add_notes(const struct story *story, bool unbound)
{
	const uint32_t dev = story->question->dev;
	const struct judge_case it = story_case(story);

	if (story->yields)
		story_add_note(story,
			       "a full tunnel is up: our rules are withdrawn "
			       "and the %s is the tunnel's "
			       "(vpn = \"yield\")",
			       story->kernel->answer ? "kernel's answer"
						     : "answer that counts");
	if (story->question->without && unbound)
		story_add_note(story,
			       "the kernel cannot be asked about a change "
			       "not made: %s",
			       ip_addr_is_set(&story->question->source)
				       ? "the source is what table main "
					 "would lead to"
				       : "which source it would choose, and so "
					 "the next hop, is not known");
	if (story->question->without && story->managed && !story->local &&
	    judge_leaves_to_others(story->view, &it))
		story_add_note(story,
			       "none of ours would lead there; whether a rule "
			       "of others does is not known");
	if (story->question->without && !story->managed &&
	    ip_addr_is_set(&story->question->source))
		story_add_note(story,
			       "the kernel cannot be asked about a change "
			       "not made, and for this source the rules do "
			       "not apply: the next hop is not known");
	if (dev)
		story_add_note(
			story,
			"a socket bound to %s takes routes over %s only; "
			"where the subnet's table has none, table main is "
			"asked",
			story_link_name(story, dev),
			story_link_name(story, dev));
	if (dev && !story->kernel->answer)
		story_add_note(
			story,
			"the kernel cannot be asked about an IPv6 socket "
			"that is bound to a source and to a link: the "
			"answer is %s",
			story->guessed ? "from what these two tables hold"
				       : "not known");
	if (story->managed && story->forward.best.n &&
	    !story->forward.best.items[0].reject &&
	    !story->forward.best.items[0].usable)
		story_add_note(story, "%s",
			       story->down
				       ? "the kernel takes no route over a "
					 "link that is down, and a shorter "
					 "prefix is not tried"
				       : "no candidate is usable: they stay as "
					 "they are, a shorter prefix is not "
					 "tried");
	note_unbound(story);
}

/* --- the whole --- */

static const struct subnet *find_subnet(const struct view *view,
					const struct ip_addr *source)
{
	const struct subnet *managed = subnet_of_source(view->subnets, source);
	const struct subnet_address *it;

	if (managed)
		return managed;
	vec_foreach(&view->subnets->addresses, it)
		if (ip_addr_equal(&it->addr, source))
			return &view->subnets->subnets.items[it->subnet];
	return NULL;
}

static bool is_broadcast(const struct view *view, const struct ip_addr *addr)
{
	static const uint8_t ones[4] = {255, 255, 255, 255};
	const struct subnet *it;

	if (addr->family != AF_INET)
		return false;
	if (memcmp(addr->bytes, ones, sizeof(ones)) == 0)
		return true;
	vec_foreach(&view->subnets->subnets, it) {
		const struct ip_addr last = ip_prefix_last(&it->prefix);

		if (it->prefix.len < 31 && ip_addr_equal(&last, addr))
			return true;
	}
	return false;
}

/* The kernel says so, or it would if it could be asked. */
static bool is_local(const struct story *story)
{
	const struct ip_addr *dst = &story->question->destination;
	const struct judge_case it = story_case(story);

	if (it.answer)
		return judge_packet(story->view, &it) == JUDGE_LOCAL;
	return model_has_address(story->view->model, dst) ||
	       ip_addr_is_loopback(dst) || ip_addr_is_multicast(dst) ||
	       is_broadcast(story->view, dst);
}

/* Nothing of ours leads there, but some rule of somebody else does. */
static bool is_others(const struct story *story)
{
	const struct judge_case it = story_case(story);

	return story->managed && !story->local && !story->yields &&
	       !story->question->dev && it.answer && !it.answer->error &&
	       it.answer->table != ROUTE_TABLE_MAIN &&
	       it.answer->table != story->subnet->table &&
	       judge_leaves_to_others(story->view, &it);
}

/* The config can lead over a link that is down: main has no such routes. */
static bool is_down(const struct story *story)
{
	const struct model *model = story->view->model;
	const struct forward_candidate *it;

	vec_foreach(&story->forward.best, it) {
		const struct next_hop *hop = story_hop(story, it);
		const struct link *link =
			hop ? model_link(model, hop->ifindex) : NULL;

		if (!hop || (link && link->up))
			return false;
	}
	return story->forward.best.n > 0;
}

static const char *source_is(const struct story *story, bool unbound)
{
	if (unbound)
		return "unbound";
	if (story->managed)
		return "managed";
	return model_has_address(story->view->model, &story->question->source)
		       ? "not_managed"
		       : "foreign";
}

static void add_question(const struct story *story, bool unbound,
			 struct json_object *ret)
{
	const struct explain_question *question = story->question;
	char text[IP_TEXT_MAX];

	if (ip_addr_is_set(&question->source))
		json_add_text(ret, "source",
			      ip_addr_format(&question->source, text));
	json_add_text(ret, "source_is", source_is(story, unbound));
	json_add_text(ret, "destination",
		      ip_addr_format(&question->destination, text));
	if (question->dev)
		json_add_text(ret, "dev",
			      story_link_name(story, question->dev));
	if (question->without)
		json_add_text(ret, "without",
			      story_link_name(story, question->without));
}

struct json_object *explain_json(const struct view *view,
				 const struct explain_question *question,
				 const struct explain_kernel *kernel,
				 bool unbound)
{
	const struct subnet none = {
		.prefix = ip_prefix_host(ip_addr_is_set(&question->source)
						 ? &question->source
						 : &question->destination),
	};
	struct json_object *ret = json_object_new_object();
	struct story story = {
		.view = view,
		.question = question,
		.kernel = kernel,
		.subnet = find_subnet(view, &question->source),
		.notes = json_object_new_array(),
	};

	story.sourceless = kernel->answer && kernel->answer == kernel->unbound;
	story.managed = story.subnet && story.subnet->managed;
	story.yields = plan_yields(view, question->destination.family);
	forward_pick(view, story.subnet ? story.subnet : &none,
		     &question->destination, question->tos, &story.forward);
	story.local = story.managed && is_local(&story);
	story.guessed = question->dev && !kernel->answer && story.managed &&
			!story.local && !story.yields;
	story.down = is_down(&story);
	story.others = is_others(&story);
	story.pin = find_pin(&story);
	add_question(&story, unbound, ret);
	add_subnet(&story, ret);
	add_rule(&story, ret);
	story_add_candidates(&story, ret);
	add_next_hops(&story, ret);
	add_pin(&story, ret);
	if (story.yields)
		json_add_bool(ret, "yielded", true);
	add_kernel(&story, ret);
	add_agreement(&story, ret);
	if (question->mptcp)
		story_add_subflow(&story, ret);
	add_notes(&story, unbound);
	json_object_object_add(ret, "notes", story.notes);
	forward_done(&story.forward);
	return ret;
}
