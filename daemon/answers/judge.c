/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/judge.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define TYPE_LOCAL     2 /* RTN_LOCAL */
#define TYPE_BROADCAST 3
#define TYPE_ANYCAST   4
#define TYPE_MULTICAST 5

#define ACTION_GOTO	   2 /* FR_ACT_GOTO */
#define ACTION_BLACKHOLE   6
#define ACTION_UNREACHABLE 7
#define ACTION_PROHIBIT	   8

/* Main can have broadcast routes too: copies of these are ours. */
static bool is_local(const struct judge_case *it)
{
	const struct kernel_answer *answer = it->answer;

	return answer->error == 0 && answer->type >= TYPE_LOCAL &&
	       answer->type <= TYPE_MULTICAST &&
	       (!answer->table || answer->table != it->subnet->table);
}

static const struct next_hop *hop_of(const struct view *view,
				     const struct forward_candidate *candidate)
{
	const struct attrset *set =
		attrset_get(&view->model->rib.attrs, candidate->route.attrs);

	return &set->hops.items[candidate->hop];
}

static bool is_dropped(const struct forward *forward)
{
	return forward->best.n == 0 || forward->best.items[0].reject;
}

/* One of our entries lets main answer: the kernel refused the copy. */
static bool is_left_to_main(const struct view *view, const struct subnet *it,
			    const struct ip_prefix *prefix)
{
	const struct rib *rib = &view->model->rib;
	const struct row *row = rib_row(rib, prefix);

	for (size_t i = 0; row && i < row->n; i++)
		if (row->routes[i].table == it->table &&
		    attrset_get(&rib->attrs, row->routes[i].attrs)->type ==
			    ATTRSET_THROW)
			return true;
	return false;
}

static bool is_throw(const struct view *view, const struct forward *forward)
{
	return forward->best.n &&
	       attrset_get(&view->model->rib.attrs,
			   forward->best.items[0].route.attrs)
			       ->type == ATTRSET_THROW;
}

/* What keeps flows to this destination off the plan; NULL: nothing. */
static const struct pin *pin_of(const struct view *view,
				const struct judge_case *it)
{
	const struct pin *pin =
		view->pins && it->subnet->table
			? pin_find(view->pins, it->dst, it->subnet->table)
			: NULL;

	return pin && pin->kind != PIN_AWAY ? pin : NULL;
}

/* The answer is out of the table that the source's rule leads to. */
static bool is_from_own_table(const struct judge_case *it)
{
	return it->sourceless || it->answer->table == it->subnet->table;
}

static bool pin_agrees(const struct view *view, const struct judge_case *it,
		       const struct pin *pin)
{
	const struct kernel_answer *answer = it->answer;
	const struct next_hop *hop;

	if (pin->kind == PIN_HOLD)
		return answer->error != 0;
	vec_foreach(&attrset_get(&view->model->rib.attrs, pin->attrs)->hops,
		    hop)
		if (!answer->error && is_from_own_table(it) &&
		    model_leads_by(view->model, hop, &answer->hop))
			return true;
	return false;
}

bool judge_leaves_to_others(const struct view *view,
			    const struct judge_case *it)
{
	return !it->subnet->strong && (it->forward->rule == FORWARD_NO_ROUTE ||
				       is_throw(view, it->forward));
}

/* Nobody in our table or main takes it. */
static bool drop_agrees(const struct view *view, const struct judge_case *it)
{
	const struct kernel_answer *answer = it->answer;

	if (answer->error)
		return true;
	return judge_leaves_to_others(view, it) &&
	       answer->table != it->subnet->table &&
	       answer->table != ROUTE_TABLE_MAIN;
}

static bool hop_agrees(const struct view *view, const struct judge_case *it)
{
	const struct forward_candidate *best;

	vec_foreach(&it->forward->best, best)
		if (model_leads_by(view->model, hop_of(view, best),
				   &it->answer->hop))
			return true;
	return false;
}

/*
 * With ignore_routes_with_linkdown the kernel passes over what has no carrier,
 * in our table too; main may then have something to say.
 */
static bool may_be_passed_over(const struct view *view,
			       const struct judge_case *it)
{
	const struct next_hop *hop = hop_of(view, &it->forward->best.items[0]);
	const struct link *link = model_link(view->model, hop->ifindex);

	return it->answer->table == ROUTE_TABLE_MAIN && !it->subnet->strong &&
	       link && !link->carrier;
}

enum judgement judge_packet(const struct view *view,
			    const struct judge_case *it)
{
	const struct kernel_answer *answer = it->answer;
	const struct pin *pin = pin_of(view, it);
	const struct forward_candidate *best;

	if (is_local(it))
		return JUDGE_LOCAL;
	if (pin)
		return pin_agrees(view, it, pin) ? JUDGE_AGREES
						 : JUDGE_DISAGREES;
	if (is_dropped(it->forward))
		return drop_agrees(view, it) ? JUDGE_AGREES : JUDGE_DISAGREES;

	best = &it->forward->best.items[0];
	if (!best->usable &&
	    (answer->error || answer->table == it->subnet->table ||
	     may_be_passed_over(view, it)))
		return JUDGE_AGREES;
	if (answer->error || !hop_agrees(view, it))
		return JUDGE_DISAGREES;
	if (is_from_own_table(it) ||
	    (answer->table == ROUTE_TABLE_MAIN &&
	     is_left_to_main(view, it->subnet, &best->prefix)))
		return JUDGE_AGREES;
	return JUDGE_DISAGREES;
}

/* --- in words --- */

static const char *link_name(const struct view *view, uint32_t ifindex)
{
	const struct link *link = model_link(view->model, ifindex);

	return link ? link->name : "?";
}

static void format_hop(const struct view *view, const struct next_hop *hop,
		       char *text, size_t size)
{
	char addr[IP_TEXT_MAX];

	if (ip_addr_is_set(&hop->gateway))
		(void)snprintf(text, size, "via %s dev %s",
			       ip_addr_format(&hop->gateway, addr),
			       link_name(view, hop->ifindex));
	else
		(void)snprintf(text, size, "dev %s",
			       link_name(view, hop->ifindex));
}

const char *judge_want(const struct view *view, const struct judge_case *it,
		       char *text)
{
	const struct forward *forward = it->forward;
	const struct pin *pin = pin_of(view, it);
	char hop[128];

	if (pin && pin->kind == PIN_HOLD) {
		(void)snprintf(text, JUDGE_TEXT_MAX,
			       "dropped (held for its flows)");
	} else if (pin) {
		format_hop(view,
			   &attrset_get(&view->model->rib.attrs, pin->attrs)
				    ->hops.items[0],
			   hop, sizeof(hop));
		(void)snprintf(text, JUDGE_TEXT_MAX, "%s, table %u (pinned)",
			       hop, it->subnet->table);
	} else if (forward->rule == FORWARD_NO_ROUTE) {
		(void)snprintf(text, JUDGE_TEXT_MAX, "no route (rule 2)");
	} else if (forward->rule == FORWARD_STRONG) {
		(void)snprintf(text, JUDGE_TEXT_MAX,
			       "dropped (rule 3, strong)");
	} else if (forward->best.items[0].reject) {
		(void)snprintf(text, JUDGE_TEXT_MAX,
			       "dropped (as main's route says)");
	} else {
		format_hop(view, hop_of(view, &forward->best.items[0]), hop,
			   sizeof(hop));
		(void)snprintf(text, JUDGE_TEXT_MAX, "%s%s, table %u", hop,
			       forward->best.n > 1 ? " (or another leg)" : "",
			       it->subnet->table);
	}
	return text;
}

const char *judge_have(const struct view *view, const struct judge_case *it,
		       char *text)
{
	const struct kernel_answer *answer = it->answer;
	const char *name;
	char hop[128];

	if (answer->error) {
		name = strerrorname_np(-answer->error);
		(void)snprintf(text, JUDGE_TEXT_MAX, "dropped (%s)",
			       name ? name : "?");
		return text;
	}
	format_hop(view, &answer->hop, hop, sizeof(hop));
	if (answer->table == ROUTE_TABLE_MAIN)
		(void)snprintf(text, JUDGE_TEXT_MAX, "%s, table main", hop);
	else
		(void)snprintf(text, JUDGE_TEXT_MAX, "%s, table %u", hop,
			       answer->table);
	return text;
}

/* Whether @rule catches an unmarked packet of this host. */
enum caught {
	CAUGHT_NO,
	CAUGHT_MAYBE, /* it looks at more than we keep, or jumps */
	CAUGHT_YES,
};

static enum caught catches(const struct rule *rule, const struct ip_addr *src,
			   const struct ip_addr *dst)
{
	bool fits;

	if (rule->family != dst->family || rule->other_iif || rule->oif)
		return CAUGHT_NO;
	fits = rule->fwmark == 0 && ip_prefix_has(&rule->dst, dst) &&
	       (rule->src.len == 0 || ip_prefix_has(&rule->src, src));
	/* The selectors that we do not keep count where the others fit. */
	if (rule->selective && fits)
		return CAUGHT_MAYBE;
	if (fits == rule->invert)
		return CAUGHT_NO;
	return rule->action == ACTION_GOTO ? CAUGHT_MAYBE : CAUGHT_YES;
}

/* Whether a packet that @rule catches gets @answer. */
static bool leads_to(const struct rule *rule,
		     const struct kernel_answer *answer)
{
	switch (rule->action) {
	case RULE_ACTION_LOOKUP:
		return rule->table == answer->table;
	case ACTION_GOTO:
		return true;
	case ACTION_BLACKHOLE:
		return answer->error == -EINVAL;
	case ACTION_UNREACHABLE:
		return answer->error == -ENETUNREACH;
	case ACTION_PROHIBIT:
		return answer->error == -EACCES;
	default:
		return false;
	}
}

/* The first rule by which the packet may have got the answer. */
static const struct rule *first_rule(const struct view *view,
				     const struct ip_addr *src,
				     const struct ip_addr *dst,
				     const struct kernel_answer *answer)
{
	const struct rule *rule;

	vec_foreach(&view->model->rules, rule)
		if (leads_to(rule, answer) && catches(rule, src, dst))
			return rule;
	return NULL;
}

const struct rule *judge_rule(const struct view *view,
			      const struct ip_addr *src,
			      const struct ip_addr *dst,
			      const struct kernel_answer *answer)
{
	const struct rule *rule = first_rule(view, src, dst, answer);

	return rule && catches(rule, src, dst) == CAUGHT_YES ? rule : NULL;
}

/* Our first rule for the subnet, as far as we know; NULL: none. */
static const struct rule *own_rule(const struct view *view,
				   const struct subnet *subnet)
{
	const struct rule *rule;

	vec_foreach(&view->model->rules, rule)
		if (rule->protocol == view->policy->protocol &&
		    rule->family == subnet->prefix.addr.family &&
		    rule->table == subnet->table)
			return rule;
	return NULL;
}

/* Somebody else's rule that took the packet, or may have, before ours could. */
static const struct rule *overtaker(const struct view *view,
				    const struct judge_case *it)
{
	const struct rule *ours = own_rule(view, it->subnet);
	const struct rule *rule =
		first_rule(view, it->src, it->dst, it->answer);

	return ours && rule && rule->protocol != view->policy->protocol &&
			       rule->priority < ours->priority
		       ? rule
		       : NULL;
}

/* Somebody else's entry of our table that matches the packet. */
static bool find_foreign(const struct view *view, const struct judge_case *it,
			 char *text)
{
	const struct rib *rib = &view->model->rib;

	for (int len = ip_bits(it->dst->family); len >= 0; len--) {
		struct ip_prefix prefix = ip_prefix_make(it->dst, (uint8_t)len);
		const struct row *row = rib_row(rib, &prefix);

		for (uint16_t i = 0; row && i < row->n; i++) {
			if (row->routes[i].table != it->subnet->table ||
			    row->routes[i].protocol == view->policy->protocol)
				continue;
			(void)ip_prefix_format(&prefix, text);
			return true;
		}
	}
	return false;
}

static const char *pick_hint(const struct view *view,
			     const struct judge_case *it)
{
	const struct kernel_answer *answer = it->answer;

	if (!own_rule(view, it->subnet))
		return "the rule for this subnet is not in place; see "
		       "'multihomectl status'";
	if (answer->error == -ENETUNREACH &&
	    it->subnet->prefix.addr.family == AF_INET)
		return "no table has a route, or the source is no address of "
		       "this host any more; try 'multihomectl reload'";
	if (!answer->error && answer->table == ROUTE_TABLE_MAIN)
		return "table main answered: our rule or our entry is missing; "
		       "'multihomectl reload' reads everything again";
	return "our table is not as planned: 'multihomectl reload' reads "
	       "everything again and mends it";
}

/* Return: false: no rule of others before ours explains the answer. */
static bool hint_overtaken(const struct view *view, const struct judge_case *it,
			   char *text)
{
	const struct rule *rule = overtaker(view, it);
	char words[RULE_TEXT_MAX];

	if (!rule)
		return false;
	if (catches(rule, it->src, it->dst) == CAUGHT_MAYBE)
		(void)snprintf(text, JUDGE_TEXT_MAX,
			       "a rule of others before ours may have taken "
			       "it: %.150s; see 'ip rule'",
			       rule_format(rule, words));
	else if (rule->action == RULE_ACTION_LOOKUP)
		(void)snprintf(text, JUDGE_TEXT_MAX,
			       "a policy rule of somebody else comes before "
			       "ours; see 'multihomectl doctor'");
	else
		(void)snprintf(text, JUDGE_TEXT_MAX,
			       "a policy rule of somebody else before ours "
			       "drops it: %.150s",
			       rule_format(rule, words));
	return true;
}

const char *judge_hint(const struct view *view, const struct judge_case *it,
		       char *text)
{
	char foreign[IP_TEXT_MAX];
	char source[IP_TEXT_MAX];

	if (it->sourceless)
		(void)snprintf(
			text, JUDGE_TEXT_MAX,
			"an IPv6 socket that names no source keeps the "
			"first route the kernel finds, before there is a "
			"source; bound to %s it goes as the rules say",
			ip_addr_format(it->src, source));
	else if (it->answer->table == it->subnet->table &&
		 find_foreign(view, it, foreign))
		(void)snprintf(text, JUDGE_TEXT_MAX,
			       "somebody else's route %s is in our table: 'ip "
			       "route del %s table %u'",
			       foreign, foreign, it->subnet->table);
	else if (!hint_overtaken(view, it, text))
		(void)snprintf(text, JUDGE_TEXT_MAX, "%s", pick_hint(view, it));
	return text;
}
