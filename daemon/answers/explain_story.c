/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reply to Explain, from the view and the kernel's answer.
 */
#include "answers/explain.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "answers/json.h"
#include "answers/judge.h"
#include "core/plan.h"

/* All that the story is told from. */
struct story {
	const struct view *view;
	const struct explain_question *question;
	const struct explain_kernel *kernel;
	const struct subnet *subnet; /* of the source, managed or not; NULL */
	bool managed;
	bool yields; /* our rules of the family are withdrawn */
	struct forward forward;
	struct json_object *notes; /* borrowed from the reply */
};

/* --- words --- */

struct words {
	const char *yes;
	const char *no;
};

/* By the line of docs/model.md, "On-subnet". */
static const struct words line_words[] = {
	{"no next hop: it competes by its metric", NULL},
	{"the configuration binds it to this subnet's prefix",
	 "the configuration binds it to other prefixes"},
	{NULL, "its link is another one"},
	{"the gateway lies inside this subnet",
	 "the gateway lies inside another subnet of the link"},
	{"a link-local router that may serve any prefix",
	 "another router of the link is bound to this subnet's prefix"},
	{"the gateway is outside every subnet of the link",
	 "the route prefers a source of another subnet"},
	{"no gateway: the link itself", NULL},
	{"no gateway, and its link has no managed subnet: fits every source",
	 NULL},
};

static const struct {
	int rule;
	const char *kind;
	const char *why;
} rule_words[] = {
	[FORWARD_NO_ROUTE] = {2, "none", "no route matches: dropped"},
	[FORWARD_WEAK] = {3, "weak",
			  "no next hop is on the source's subnet; in the weak "
			  "model the lowest metric of all counts"},
	[FORWARD_STRONG] = {3, "strong_drop",
			    "no next hop is on the source's subnet; in the "
			    "strong model the packet is dropped"},
	[FORWARD_CONGRUENT] = {4, "congruent",
			       "the lowest metric of the next hops on the "
			       "source's subnet"},
};

static const char *type_name(uint8_t type)
{
	switch (type) {
	case ATTRSET_UNICAST:
		return "unicast";
	case ATTRSET_LOCAL:
		return "local";
	case ATTRSET_BLACKHOLE:
		return "blackhole";
	case ATTRSET_UNREACHABLE:
		return "unreachable";
	case ATTRSET_PROHIBIT:
		return "prohibit";
	case ATTRSET_THROW:
		return "throw";
	default:
		return "other";
	}
}

static const char *link_name(const struct story *story, uint32_t ifindex)
{
	const struct link *link = model_link(story->view->model, ifindex);

	return link ? link->name : "?";
}

static void add_hop(const struct story *story, const struct next_hop *hop,
		    struct json_object *ret)
{
	char text[IP_TEXT_MAX];

	if (ip_addr_is_set(&hop->gateway))
		json_add_text(ret, "via", ip_addr_format(&hop->gateway, text));
	if (hop->ifindex)
		json_add_text(ret, "dev", link_name(story, hop->ifindex));
}

__attribute__((format(printf, 2, 3))) static void
add_note(const struct story *story, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	json_push_text(story->notes, line);
}

/* --- candidates --- */

static const struct attrset *set_of(const struct story *story,
				    const struct forward_candidate *it)
{
	return attrset_get(&story->view->model->rib.attrs, it->route.attrs);
}

static const struct next_hop *hop_of(const struct story *story,
				     const struct forward_candidate *it)
{
	return it->reject ? NULL : &set_of(story, it)->hops.items[it->hop];
}

static bool is_chosen(const struct story *story,
		      const struct forward_candidate *candidate)
{
	const struct forward_candidate *it;

	vec_foreach(&story->forward.best, it)
		if (it->hop == candidate->hop &&
		    it->route.attrs == candidate->route.attrs &&
		    route_key_cmp(&it->route, &candidate->route) == 0)
			return true;
	return false;
}

static const char *why_on_subnet(const struct forward_candidate *it)
{
	const struct words *words = &line_words[it->on.line];
	const char *why = it->on.yes || it->reject ? words->yes : words->no;

	return why ? why : "?";
}

static struct json_object *candidate_json(const struct story *story,
					  const struct forward_candidate *it)
{
	struct json_object *object = json_object_new_object();
	const struct next_hop *hop = hop_of(story, it);
	bool config = it->route.table == ROUTE_TABLE_CONFIG;
	char text[IP_TEXT_MAX];

	json_add_text(object, "prefix", ip_prefix_format(&it->prefix, text));
	json_add_text(object, "type", type_name(set_of(story, it)->type));
	if (hop)
		add_hop(story, hop, object);
	json_add_int(object, "metric", (int64_t)it->metric);
	json_add_text(object, "origin", config ? "config" : "main");
	json_add_bool(object, "usable", it->reject || it->usable);
	json_add_bool(object, "on_subnet", it->on.yes);
	json_add_int(object, "line", it->on.line);
	json_add_text(object, "why",
		      story->subnet ? why_on_subnet(it)
				    : "the source is of no subnet");
	json_add_bool(object, "chosen", story->managed && is_chosen(story, it));
	return object;
}

static void note_unusable(const struct story *story,
			  const struct forward_candidate *it)
{
	const struct next_hop *hop = hop_of(story, it);
	const struct link *link;
	char text[IP_TEXT_MAX];

	if (!hop || it->usable)
		return;
	link = model_link(story->view->model, hop->ifindex);
	if (!link || !link->up)
		add_note(story, "not usable: link %s is down",
			 link_name(story, hop->ifindex));
	else if (!link->carrier)
		add_note(story, "not usable: link %s has no carrier",
			 link->name);
	else
		add_note(story,
			 "not usable: %s on %s does not answer (its "
			 "neighbour entry has failed)",
			 ip_addr_format(&hop->gateway, text), link->name);
}

static void add_candidates(const struct story *story, struct json_object *ret)
{
	struct json_object *array = json_object_new_array();
	const struct forward_candidate *it;

	vec_foreach(&story->forward.candidates, it) {
		json_object_array_add(array, candidate_json(story, it));
		note_unusable(story, it);
		if (it->route.flags & ROUTE_LEAVING)
			add_note(story, "a route of main was deleted a moment "
					"ago and stays for the settle time");
	}
	json_object_object_add(ret, "candidates", array);
}

/* --- what decided, and the answer --- */

static void add_rule(const struct story *story, struct json_object *ret)
{
	const struct forward *forward = &story->forward;
	const bool rejects = forward->best.n && forward->best.items[0].reject;
	char why[256];

	if (!story->managed) {
		json_add_int(ret, "rule", 0);
		json_add_text(ret, "kind", "none");
		json_add_text(ret, "why",
			      "the source is not of a managed subnet: the "
			      "kernel's other rules and table main decide");
		return;
	}
	(void)snprintf(
		why, sizeof(why), "%s%s%s%s", rule_words[forward->rule].why,
		rejects ? "; it is of type " : "",
		rejects ? type_name(
				  set_of(story, &forward->best.items[0])->type)
			: "",
		rejects ? ": dropped" : "");
	json_add_int(ret, "rule", rule_words[forward->rule].rule);
	json_add_text(ret, "kind", rule_words[forward->rule].kind);
	json_add_text(ret, "why", why);
}

static void push_hop(const struct story *story, const struct next_hop *hop,
		     struct json_object *array)
{
	struct json_object *object = json_object_new_object();

	add_hop(story, hop, object);
	json_object_array_add(array, object);
}

static void add_next_hops(const struct story *story, struct json_object *ret)
{
	struct json_object *array = json_object_new_array();
	const struct kernel_answer *answer = story->kernel->answer;
	const struct forward_candidate *it;

	if (story->managed) {
		vec_foreach(&story->forward.best, it)
			if (!it->reject)
				push_hop(story, hop_of(story, it), array);
	} else if (answer && !answer->error) {
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
	json_add_text(object, "link", link_name(story, story->subnet->ifindex));
	json_add_text(object, "prefix",
		      ip_prefix_format(&story->subnet->prefix, text));
	if (story->subnet->table)
		json_add_int(object, "table", story->subnet->table);
	json_add_text(object, "model",
		      story->subnet->strong ? "strong" : "weak");
	json_object_object_add(ret, "subnet", object);
}

/* --- the kernel --- */

static void add_kernel(const struct story *story, struct json_object *ret)
{
	const struct kernel_answer *answer = story->kernel->answer;
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
		add_hop(story, &answer->hop, object);
	}
	if (answer->table)
		json_add_int(object, "table", answer->table);
	if (ip_addr_is_set(&answer->src))
		json_add_text(object, "source",
			      ip_addr_format(&answer->src, text));
	rule = judge_rule(story->view, &story->question->source,
			  &story->question->destination, answer->table);
	if (rule)
		json_add_text(object, "rule", rule_format(rule, text));
	json_add_bool(object, "ours",
		      answer->table && policy_is_our_table(story->view->policy,
							   answer->table));
	json_object_object_add(ret, "kernel", object);
}

static void add_agreement(const struct story *story, struct json_object *ret)
{
	const struct judge_case it = {&story->question->destination,
				      story->subnet, &story->forward,
				      story->kernel->answer};
	const struct ip_prefix host =
		ip_prefix_host(&story->question->destination);
	char text[JUDGE_TEXT_MAX];
	enum judgement judgement;

	if (!it.answer || !story->managed || story->question->dev ||
	    story->yields)
		return;
	judgement = judge_packet(story->view, &it);
	if (judgement == JUDGE_LOCAL) {
		add_note(story, "table local answers before any table of "
				"ours: an address of this host, a broadcast or "
				"a multicast");
		return;
	}
	if (!cell_wanted_at(&host)) {
		add_note(story, "table main answers for this destination, not "
				"the subnet's table");
		return;
	}
	json_add_bool(ret, "agrees", judgement == JUDGE_AGREES);
	if (judgement == JUDGE_DISAGREES)
		add_note(story, "%s", judge_hint(story->view, &it, text));
}

/* --- notes --- */

static void note_unbound(const struct story *story)
{
	const struct kernel_answer *first = story->kernel->unbound;
	const struct kernel_answer *answer = story->kernel->answer;
	char text[IP_TEXT_MAX];

	if (!first || !answer || first->error || answer->error ||
	    (first->hop.ifindex == answer->hop.ifindex &&
	     ip_addr_equal(&first->hop.gateway, &answer->hop.gateway)))
		return;
	add_note(story,
		 "an unbound socket that sends without connect() follows "
		 "table %u alone: via %s dev %s",
		 first->table, ip_addr_format(&first->hop.gateway, text),
		 link_name(story, first->hop.ifindex));
}

static void add_notes(const struct story *story, bool unbound)
{
	const uint32_t dev = story->question->dev;

	if (story->yields)
		add_note(story, "a full tunnel is up: our rules are withdrawn "
				"and the kernel's answer is the tunnel's "
				"(vpn = \"yield\")");
	if (story->question->without && unbound)
		add_note(story, "the kernel cannot be asked about a change "
				"not made: the source is what table main "
				"would lead to");
	if (story->question->without && !story->managed)
		add_note(story, "the kernel cannot be asked about a change "
				"not made, and for this source the rules do "
				"not apply: the next hop is not known");
	if (dev)
		add_note(story,
			 "a socket bound to %s takes routes over %s only; "
			 "where the subnet's table has none, table main is "
			 "asked",
			 link_name(story, dev), link_name(story, dev));
	if (story->managed && story->forward.best.n &&
	    !story->forward.best.items[0].reject &&
	    !story->forward.best.items[0].usable)
		add_note(story, "no candidate is usable: they stay as they "
				"are, a shorter prefix is not tried");
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

static bool is_own(const struct view *view, const struct ip_addr *addr)
{
	const struct address *it;

	vec_foreach(&view->model->addresses, it)
		if (ip_addr_equal(&it->local, addr))
			return true;
	return false;
}

static const char *source_is(const struct story *story, bool unbound)
{
	if (unbound)
		return "unbound";
	if (story->managed)
		return "managed";
	return is_own(story->view, &story->question->source) ? "not_managed"
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
		json_add_text(ret, "dev", link_name(story, question->dev));
	if (question->without)
		json_add_text(ret, "without",
			      link_name(story, question->without));
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

	story.managed = story.subnet && story.subnet->managed;
	story.yields =
		view->policy->vpn == VPN_YIELD &&
		plan_tunnel_find(view, question->destination.family).found;
	forward_pick(view, story.subnet ? story.subnet : &none,
		     &question->destination, question->tos, &story.forward);
	add_question(&story, unbound, ret);
	add_subnet(&story, ret);
	add_rule(&story, ret);
	add_candidates(&story, ret);
	add_next_hops(&story, ret);
	add_kernel(&story, ret);
	add_agreement(&story, ret);
	add_notes(&story, unbound);
	json_object_object_add(ret, "notes", story.notes);
	forward_done(&story.forward);
	return ret;
}
