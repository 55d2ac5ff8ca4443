/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "kernel/decode.h"

static_assert((int)RULE_ACTION_LOOKUP == (int)FR_ACT_TO_TBL,
	      "rule.h mirrors the kernel");

/* What an attribute means for whom the rule catches. */
enum rule_role {
	RULE_SELECTS, /* narrows it in a way we do not follow */
	RULE_KNOWN,   /* decoded below, or no matter */
};

/* Any other type, and those behind the end, are taken to select. */
// clang-format off
static const uint8_t roles[] = {
	[FRA_UNSPEC] = RULE_KNOWN,
	[FRA_DST] = RULE_KNOWN,
	[FRA_SRC] = RULE_KNOWN,
	[FRA_IIFNAME] = RULE_KNOWN,
	[FRA_GOTO] = RULE_KNOWN,
	[FRA_PRIORITY] = RULE_KNOWN,
	[FRA_FWMARK] = RULE_KNOWN,
	[FRA_FLOW] = RULE_KNOWN, /* a realm for the packets caught */
	[FRA_SUPPRESS_PREFIXLEN] = RULE_KNOWN,
	[FRA_TABLE] = RULE_KNOWN,
	[FRA_FWMASK] = RULE_KNOWN,
	[FRA_OIFNAME] = RULE_KNOWN,
	[FRA_PAD] = RULE_KNOWN,
	[FRA_PROTOCOL] = RULE_KNOWN,
};
// clang-format on

static bool is_selective(const struct message *message)
{
	const struct fib_rule_hdr *info = message->body;
	const struct nlattr *attr;
	int left;

	if (info->tos)
		return true;
	nla_for_each_attr(attr, message->head, message->len, left) {
		if ((size_t)nla_type(attr) >= sizeof(roles) ||
		    roles[nla_type(attr)] == RULE_SELECTS)
			return true;
	}
	return false;
}

static int decode_links(const struct message *message, struct rule *rule)
{
	char name[LINK_NAME_MAX] = "";

	if (attr_text(message->attr[FRA_IIFNAME], name, sizeof(name)))
		return -EBADMSG;
	rule->iif_lo = strcmp(name, "lo") == 0;
	rule->other_iif = name[0] != '\0' && !rule->iif_lo;
	rule->oif = message->attr[FRA_OIFNAME];
	return 0;
}

static int decode_numbers(const struct message *message, struct rule *rule)
{
	uint32_t suppress_len = UINT32_MAX;

	if (attr_u32(message->attr[FRA_PRIORITY], &rule->priority) ||
	    attr_u32(message->attr[FRA_TABLE], &rule->table) ||
	    attr_u32(message->attr[FRA_FWMARK], &rule->fwmark) ||
	    attr_u32(message->attr[FRA_FWMASK], &rule->fwmask) ||
	    attr_u8(message->attr[FRA_PROTOCOL], &rule->protocol) ||
	    attr_u32(message->attr[FRA_SUPPRESS_PREFIXLEN], &suppress_len))
		return -EBADMSG;
	/* The kernel's -1: no suppression. */
	rule->suppress_len =
		suppress_len > INT32_MAX ? -1 : (int32_t)suppress_len;
	return 0;
}

bool decode_rule(const struct message *message,
		 const struct decode_context *context, struct kernel_event *ret)
{
	const struct fib_rule_hdr *info = message->body;
	struct rule rule = {
		.family = info->family,
		.table = info->table,
		.action = info->action,
		.invert = info->flags & FIB_RULE_INVERT,
	};

	(void)context;
	if (info->family != AF_INET && info->family != AF_INET6)
		return false;
	if (attr_prefix(message->attr[FRA_SRC], info->family, info->src_len,
			&rule.src) ||
	    attr_prefix(message->attr[FRA_DST], info->family, info->dst_len,
			&rule.dst))
		return decode_bad(ret, "rule with a senseless prefix");
	if (decode_links(message, &rule) || decode_numbers(message, &rule))
		return decode_bad(ret, "rule attribute of wrong length");

	rule.selective = is_selective(message);
	ret->kind = KERNEL_RULE;
	ret->rule = rule;
	return true;
}
