/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/socket.h>

#include "tests/unit/scene_text.h"

/* --- routes --- */

struct route_line {
	struct model_route route;
	struct next_hop_vec hops;
	uint32_t metrics[RTAX_MAX + 1]; /* 0: not given */
	uint32_t settle_ms;
	bool has_scope;
	bool has_metric;
};

static struct next_hop *last_hop(struct route_line *line)
{
	struct next_hop none = {0};

	if (!line->hops.n)
		vec_push(&line->hops, none);
	return &line->hops.items[line->hops.n - 1];
}

static int read_from(struct words *words, void *into)
{
	struct route_line *line = into;

	return words_prefix(words, &line->route.set.src);
}

static int read_via(struct words *words, void *into)
{
	(void)(words_take(words, "inet6") || words_take(words, "inet"));
	return words_addr(words, &last_hop(into)->gateway);
}

static int read_dev(struct words *words, void *into)
{
	return words_dev(words, &last_hop(into)->ifindex);
}

static int read_onlink(struct words *words, void *into)
{
	(void)words;
	last_hop(into)->flags |= NEXT_HOP_ONLINK;
	return 0;
}

static int read_weight(struct words *words, void *into)
{
	uint32_t weight;

	if (words_number(words, &weight) || weight < 1 || weight > 256)
		return -EINVAL;
	last_hop(into)->weight = (uint8_t)(weight - 1);
	return 0;
}

static int read_nexthop(struct words *words, void *into)
{
	struct route_line *line = into;
	struct next_hop none = {0};

	(void)words;
	vec_push(&line->hops, none);
	return 0;
}

static int read_metric(struct words *words, void *into)
{
	struct route_line *line = into;

	line->has_metric = true;
	return words_number(words, &line->route.route.metric);
}

static int read_byte(struct words *words, uint8_t *ret)
{
	uint32_t value;

	if (words_number(words, &value) || value > UINT8_MAX)
		return -EINVAL;
	*ret = (uint8_t)value;
	return 0;
}

static int read_tos(struct words *words, void *into)
{
	struct route_line *line = into;

	return read_byte(words, &line->route.route.tos);
}

static int read_proto(struct words *words, void *into)
{
	struct route_line *line = into;

	return read_byte(words, &line->route.route.protocol);
}

static int table_number(struct words *words, uint32_t *ret)
{
	if (words_take(words, "main")) {
		*ret = ROUTE_TABLE_MAIN;
		return 0;
	}
	return words_number(words, ret);
}

static int read_table(struct words *words, void *into)
{
	struct route_line *line = into;

	return table_number(words, &line->route.route.table);
}

static int read_src(struct words *words, void *into)
{
	struct route_line *line = into;

	return words_addr(words, &line->route.set.prefsrc);
}

static int read_scope(struct words *words, void *into)
{
	struct route_line *line = into;

	line->has_scope = true;
	if (words_take(words, "link"))
		line->route.set.scope = RT_SCOPE_LINK;
	else if (words_take(words, "host"))
		line->route.set.scope = RT_SCOPE_HOST;
	else if (!words_take(words, "global"))
		return -EINVAL;
	return 0;
}

static int read_pref(struct words *words, void *into)
{
	struct route_line *line = into;

	if (words_take(words, "high"))
		line->route.set.pref = 1;
	else if (words_take(words, "low"))
		line->route.set.pref = 3;
	else if (!words_take(words, "medium"))
		return -EINVAL;
	return 0;
}

static int read_nhid(struct words *words, void *into)
{
	struct route_line *line = into;

	return words_number(words, &line->route.set.nh_id);
}

static int read_mtu(struct words *words, void *into)
{
	struct route_line *line = into;

	if (words_take(words, "lock"))
		line->metrics[RTAX_LOCK] |= 1U << RTAX_MTU;
	return words_number(words, &line->metrics[RTAX_MTU]);
}

static int read_expires(struct words *words, void *into)
{
	struct route_line *line = into;

	return words_number(words, &line->route.route.expires_s);
}

static int read_settle(struct words *words, void *into)
{
	struct route_line *line = into;

	return words_number(words, &line->settle_ms);
}

static const struct keyword route_words[] = {
	{"from", read_from},
	{"via", read_via},
	{"dev", read_dev},
	{"onlink", read_onlink},
	{"weight", read_weight},
	{"nexthop", read_nexthop},
	{"metric", read_metric},
	{"tos", read_tos},
	{"proto", read_proto},
	{"table", read_table},
	{"src", read_src},
	{"prefsrc", read_src},
	{"scope", read_scope},
	{"pref", read_pref},
	{"nhid", read_nhid},
	{"mtu", read_mtu},
	{"expires", read_expires},
	{"settle", read_settle},
	{NULL, NULL},
};

static const struct {
	const char *name;
	uint8_t type;
} route_types[] = {
	{"blackhole", ATTRSET_BLACKHOLE}, {"unreachable", ATTRSET_UNREACHABLE},
	{"prohibit", ATTRSET_PROHIBIT},	  {"throw", ATTRSET_THROW},
	{"local", ATTRSET_LOCAL},	  {"unicast", ATTRSET_UNICAST},
};

static uint8_t route_type(struct words *words)
{
	size_t i;

	for (i = 0; i < sizeof(route_types) / sizeof(route_types[0]); i++)
		if (words_take(words, route_types[i].name))
			return route_types[i].type;
	return ATTRSET_UNICAST;
}

/* The metrics as one RTA_METRICS attribute, the way the kernel sends them. */
static void add_metrics(struct attrset *set, const uint32_t *metrics)
{
	struct {
		struct rtattr head;
		struct {
			struct rtattr head;
			uint32_t value;
		} items[RTAX_MAX];
	} nest = {.head.rta_type = RTA_METRICS};
	size_t n = 0;

	for (unsigned int i = 1; i <= RTAX_MAX; i++) {
		if (!metrics[i])
			continue;
		nest.items[n].head.rta_type = (unsigned short)i;
		nest.items[n].head.rta_len = RTA_LENGTH(sizeof(uint32_t));
		nest.items[n++].value = metrics[i];
	}
	if (!n)
		return;
	nest.head.rta_len =
		(unsigned short)(RTA_LENGTH(0) + n * sizeof(nest.items[0]));
	attrset_add_route_extra(set, &nest, nest.head.rta_len);
}

/* What the kernel fills in where the line is silent. */
static int finish_route(struct route_line *line)
{
	struct attrset *set = &line->route.set;
	const struct next_hop *hop;
	bool v4 = set->family == AF_INET;

	if (attrset_is_reject(set) != (line->hops.n == 0 && !set->nh_id))
		return -EINVAL;
	if (!line->has_metric && !v4)
		line->route.route.metric = 1024;
	if (!line->has_scope && v4 && line->hops.n == 1 &&
	    !ip_addr_is_set(&line->hops.items[0].gateway))
		set->scope = RT_SCOPE_LINK;

	add_metrics(set, line->metrics);
	vec_foreach(&line->hops, hop) {
		if (!hop->ifindex)
			return -EINVAL;
		attrset_add_hop(set, hop, NULL, 0);
	}
	return 0;
}

int scene_text_route(struct words *words, uint64_t *ret_until_ms,
		     struct model_route *ret)
{
	struct route_line line = {
		.route.route = {.table = ROUTE_TABLE_MAIN, .protocol = 3},
	};
	uint8_t type = route_type(words);
	int err;

	err = words_prefix(words, &line.route.prefix);
	if (err)
		return err;
	attrset_init(&line.route.set, line.route.prefix.addr.family, type);
	err = words_read(words, route_words, &line);
	if (!err)
		err = finish_route(&line);
	vec_done(&line.hops);
	if (err) {
		attrset_done(&line.route.set);
		return err;
	}
	*ret_until_ms = line.settle_ms;
	*ret = line.route;
	return 0;
}

/* --- rules --- */

static int rule_from(struct words *words, void *into)
{
	struct rule *rule = into;

	return words_prefix(words, &rule->src);
}

static int rule_to(struct words *words, void *into)
{
	struct rule *rule = into;

	return words_prefix(words, &rule->dst);
}

static int rule_not(struct words *words, void *into)
{
	struct rule *rule = into;

	(void)words;
	rule->invert = true;
	return 0;
}

static int rule_iif(struct words *words, void *into)
{
	struct rule *rule = into;

	if (strcmp(words_next(words), "lo") == 0)
		rule->iif_lo = true;
	else
		rule->other_iif = true;
	return 0;
}

static int rule_oif(struct words *words, void *into)
{
	struct rule *rule = into;

	(void)words_next(words);
	rule->oif = true;
	return 0;
}

static int rule_fwmark(struct words *words, void *into)
{
	struct rule *rule = into;

	if (sscanf(words_next(words), "%i/%i", (int *)&rule->fwmark,
		   (int *)&rule->fwmask) != 2)
		return -EINVAL;
	return 0;
}

static int rule_tos(struct words *words, void *into)
{
	struct rule *rule = into;

	(void)words_next(words);
	rule->selective = true;
	return 0;
}

static int rule_lookup(struct words *words, void *into)
{
	struct rule *rule = into;

	rule->action = RULE_ACTION_LOOKUP;
	return table_number(words, &rule->table);
}

static int rule_suppress(struct words *words, void *into)
{
	struct rule *rule = into;
	uint32_t len;

	if (words_number(words, &len))
		return -EINVAL;
	rule->suppress_len = (int32_t)len;
	return 0;
}

static int rule_proto(struct words *words, void *into)
{
	struct rule *rule = into;

	return read_byte(words, &rule->protocol);
}

static int rule_inet6(struct words *words, void *into)
{
	struct rule *rule = into;

	(void)words;
	rule->family = AF_INET6;
	return 0;
}

static const struct keyword rule_words[] = {
	{"from", rule_from},   {"to", rule_to},
	{"not", rule_not},     {"iif", rule_iif},
	{"oif", rule_oif},     {"fwmark", rule_fwmark},
	{"tos", rule_tos},     {"lookup", rule_lookup},
	{"proto", rule_proto}, {"suppress_prefixlength", rule_suppress},
	{"inet6", rule_inet6}, {NULL, NULL},
};

int scene_text_rule(struct words *words, struct rule *ret)
{
	struct rule rule = {.suppress_len = -1};
	int err;

	err = words_number(words, &rule.priority);
	if (!err)
		err = words_read(words, rule_words, &rule);
	if (err)
		return err;

	if (!rule.family && rule.src.addr.family)
		rule.family = rule.src.addr.family;
	if (!rule.family)
		rule.family =
			rule.dst.addr.family ? rule.dst.addr.family : AF_INET;
	if (!rule.src.addr.family)
		rule.src = ip_prefix_default(rule.family);
	if (!rule.dst.addr.family)
		rule.dst = ip_prefix_default(rule.family);
	*ret = rule;
	return 0;
}
