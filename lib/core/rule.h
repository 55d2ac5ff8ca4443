/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rule - one policy rule (`ip rule`).
 *
 * Ours are simple: "iif lo from PREFIX lookup TABLE", and for IPv6 "iif lo to
 * fe80::/10 lookup main". Of foreign rules we keep what tells whom they catch.
 */
#ifndef RULE_H
#define RULE_H

#include "core/ip.h"
#include "core/vec.h"

#define RULE_ACTION_LOOKUP 1 /* FR_ACT_TO_TBL */
#define RULE_PRIORITY_MAIN 32766

struct rule {
	/* Key, in sort order. */
	uint8_t family;
	uint32_t priority;
	struct ip_prefix src; /* length 0: from all; family is always set */
	struct ip_prefix dst; /* length 0: to all; family is always set */
	uint32_t table;
	uint8_t action;	  /* RULE_ACTION_LOOKUP or another FR_ACT_ value */
	uint8_t protocol; /* who owns it */
	bool iif_lo;	  /* only packets this host makes */
	/* What foreign rules can have besides; all false or 0 for ours. */
	bool other_iif; /* bound to another incoming link */
	bool oif;	/* bound to an outgoing link */
	bool selective; /* tos, ports, protocol, uid range, l3mdev, ... */
	bool invert;	/* "not": catches what the selectors do not */
	uint32_t fwmark;
	uint32_t fwmask;      /* 0 with fwmark 0: no mark selector */
	int32_t suppress_len; /* suppress_prefixlength; -1: none */
};

VEC(rule_vec, struct rule);

/** rule_is_plain() - only a source or destination, a lookup, and iif lo */
bool rule_is_plain(const struct rule *rule);

/** rule_cmp() - total order over all fields, by the key first */
int rule_cmp(const struct rule *a, const struct rule *b);

#define RULE_TEXT_MAX 256

/**
 * rule_format() - as `ip rule` would be given it: "priority 7109 from ..."
 * @text: at least RULE_TEXT_MAX bytes. Return: @text.
 *
 * What we do not keep of a foreign rule reads [iif], [oif], [more] or [goto].
 */
const char *rule_format(const struct rule *rule, char *text);

#endif
