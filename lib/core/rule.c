/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/rule.h"

#include "core/route.h"
#include "core/text.h"

#define RULE_ACTION_GOTO 2 /* FR_ACT_GOTO; its target is not kept */

/* FR_ACT_ values that are words of their own to ip(8). */
static const char *const action_words[] = {
	[3] = "nop",
	[6] = "blackhole",
	[7] = "unreachable",
	[8] = "prohibit",
};

static int cmp_u32(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int cmp_key(const struct rule *a, const struct rule *b)
{
	int order = cmp_u32(a->family, b->family);

	if (!order)
		order = cmp_u32(a->priority, b->priority);
	if (!order)
		order = ip_prefix_cmp(&a->src, &b->src);
	if (!order)
		order = ip_prefix_cmp(&a->dst, &b->dst);
	if (!order)
		order = cmp_u32(a->table, b->table);
	if (!order)
		order = cmp_u32(a->action, b->action);
	if (!order)
		order = cmp_u32(a->protocol, b->protocol);
	if (!order)
		order = cmp_u32(a->iif_lo, b->iif_lo);
	return order;
}

int rule_cmp(const struct rule *a, const struct rule *b)
{
	int order = cmp_key(a, b);

	if (!order)
		order = cmp_u32(a->other_iif, b->other_iif);
	if (!order)
		order = cmp_u32(a->oif, b->oif);
	if (!order)
		order = cmp_u32(a->selective, b->selective);
	if (!order)
		order = cmp_u32(a->invert, b->invert);
	if (!order)
		order = cmp_u32(a->fwmark, b->fwmark);
	if (!order)
		order = cmp_u32(a->fwmask, b->fwmask);
	if (!order)
		order = (a->suppress_len > b->suppress_len) -
			(a->suppress_len < b->suppress_len);
	return order;
}

static void put_selectors(struct text *text, const struct rule *rule)
{
	char prefix[IP_TEXT_MAX];

	if (rule->invert)
		text_put(text, " not");
	text_put(text, " from %s",
		 rule->src.len ? ip_prefix_format(&rule->src, prefix) : "all");
	if (rule->dst.len)
		text_put(text, " to %s", ip_prefix_format(&rule->dst, prefix));
	if (rule->fwmark || rule->fwmask)
		text_put(text, " fwmark 0x%x/0x%x", rule->fwmark, rule->fwmask);
	if (rule->iif_lo)
		text_put(text, " iif lo");
	if (rule->other_iif)
		text_put(text, " [iif]");
	if (rule->oif)
		text_put(text, " [oif]");
	if (rule->selective)
		text_put(text, " [more]");
}

static void put_action(struct text *text, const struct rule *rule)
{
	const size_t n = sizeof(action_words) / sizeof(action_words[0]);

	if (rule->action == RULE_ACTION_LOOKUP) {
		if (rule->table == ROUTE_TABLE_MAIN)
			text_put(text, " lookup main");
		else
			text_put(text, " lookup %u", rule->table);
	} else if (rule->action == RULE_ACTION_GOTO) {
		text_put(text, " [goto]");
	} else if (rule->action < n && action_words[rule->action]) {
		text_put(text, " %s", action_words[rule->action]);
	} else {
		text_put(text, " [action %u]", rule->action);
	}
}

const char *rule_format(const struct rule *rule, char *text)
{
	struct text line;

	text_init(&line, text, RULE_TEXT_MAX);
	text_put(&line, "priority %u", rule->priority);
	put_selectors(&line, rule);
	put_action(&line, rule);
	if (rule->protocol)
		text_put(&line, " protocol %u", rule->protocol);
	if (rule->suppress_len >= 0)
		text_put(&line, " suppress_prefixlength %d",
			 rule->suppress_len);
	return text;
}

bool rule_is_plain(const struct rule *rule)
{
	return rule->action == RULE_ACTION_LOOKUP && !rule->other_iif &&
	       !rule->oif && !rule->selective && !rule->invert &&
	       rule->fwmark == 0 && rule->fwmask == 0 && rule->suppress_len < 0;
}
