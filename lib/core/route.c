/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/route.h"

#include <sys/socket.h>

#include "core/link.h"
#include "core/text.h"

/* RT_SCOPE_ values. */
#define SCOPE_UNIVERSE 0
#define SCOPE_LINK     253
#define SCOPE_HOST     254

/* RFC 4191, 2.1. */
#define PREF_HIGH 1
#define PREF_LOW  3

/* An attribute in netlink's form: length, type, value, padding. */
#define ATTR_HEADER    4
#define ATTR_TYPE_MASK 0x3fff /* less the flags for "nested" and byte order */

#define ATTR_METRICS 8 /* RTA_METRICS: metrics are attributes in it */
#define METRIC_LOCK  1 /* RTAX_LOCK: one bit for each metric that is locked */

#define FEATURE_ECN 1 /* RTAX_FEATURE_ECN */

struct attr {
	uint16_t type;
	const uint8_t *value;
	size_t len;
};

struct attr_list {
	const uint8_t *bytes;
	size_t len;
};

/* How a value is written. */
enum value_kind {
	VALUE_NUMBER,
	VALUE_MS,
	VALUE_MS_4TH, /* a number of quarters */
	VALUE_MS_8TH,
	VALUE_ECN,
	VALUE_REALMS, /* the source's in the high half, 0: none */
	VALUE_TEXT,
};

struct attr_word {
	const char *word;
	enum value_kind kind;
	uint16_t type;
	bool has_lock; /* ip(8) takes "lock" before the value */
};

/* Of the route or a hop, RTA_ values. Of encapsulations ip(8) has the words. */
static const struct attr_word route_words[] = {
	{"realms", VALUE_REALMS, 11, false},
};

/* RTAX_ values. For ip(8), rto_min is always locked. */
static const struct attr_word metric_words[] = {
	{"mtu", VALUE_NUMBER, 2, true},
	{"window", VALUE_NUMBER, 3, true},
	{"rtt", VALUE_MS_8TH, 4, true},
	{"rttvar", VALUE_MS_4TH, 5, true},
	{"ssthresh", VALUE_NUMBER, 6, true},
	{"cwnd", VALUE_NUMBER, 7, true},
	{"advmss", VALUE_NUMBER, 8, true},
	{"reordering", VALUE_NUMBER, 9, true},
	{"hoplimit", VALUE_NUMBER, 10, true},
	{"initcwnd", VALUE_NUMBER, 11, true},
	{"features", VALUE_ECN, 12, false},
	{"rto_min", VALUE_MS, 13, false},
	{"initrwnd", VALUE_NUMBER, 14, true},
	{"quickack", VALUE_NUMBER, 15, false},
	{"congctl", VALUE_TEXT, 16, true},
	{"fastopen_no_cookie", VALUE_NUMBER, 17, false},
};

/* By RTN_ value; unicast is what ip(8) takes a route without a word for. */
static const char *const type_words[] = {
	[1] = "",
	[2] = "local",
	[3] = "broadcast",
	[4] = "anycast",
	[5] = "multicast",
	[6] = "blackhole",
	[7] = "unreachable",
	[8] = "prohibit",
	[9] = "throw",
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

bool table_vec_has(const struct table_vec *tables, uint32_t table)
{
	for (size_t i = 0; i < tables->n; i++)
		if (tables->items[i] == table)
			return true;
	return false;
}

int route_key_cmp(const struct route *a, const struct route *b)
{
	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	if (a->tos != b->tos)
		return a->tos < b->tos ? -1 : 1;
	if (a->metric != b->metric)
		return a->metric < b->metric ? -1 : 1;
	return 0;
}

bool route_equal(const struct route *a, const struct route *b)
{
	return a->table == b->table && a->tos == b->tos &&
	       a->metric == b->metric && a->protocol == b->protocol &&
	       a->flags == b->flags && a->attrs == b->attrs &&
	       a->expires_s == b->expires_s;
}

/* Takes the first attribute off @list; false at its end and at garbage. */
static bool attr_next(struct attr_list *list, struct attr *ret)
{
	uint16_t head[2]; /* length with header, type */
	size_t padded;

	if (list->len < ATTR_HEADER)
		return false;
	memcpy(head, list->bytes, sizeof(head));
	if (head[0] < ATTR_HEADER || head[0] > list->len)
		return false;

	ret->type = head[1] & ATTR_TYPE_MASK;
	ret->value = list->bytes + ATTR_HEADER;
	ret->len = head[0] - (size_t)ATTR_HEADER;

	padded = (head[0] + 3u) & ~(size_t)3;
	if (padded > list->len)
		padded = list->len;
	list->bytes += padded;
	list->len -= padded;
	return true;
}

static uint32_t attr_u32(const struct attr *attr)
{
	uint32_t number = 0;

	if (attr->len == sizeof(number))
		memcpy(&number, attr->value, sizeof(number));
	return number;
}

/* A name that can stand in a line of words; @ret_len is without its NUL. */
static bool is_name(const struct attr *attr, int *ret_len)
{
	size_t i;

	for (i = 0; i < attr->len && attr->value[i]; i++) {
		if (attr->value[i] <= ' ' || attr->value[i] > '~')
			return false;
	}
	*ret_len = (int)i;
	return i > 0;
}

/* ip(8) reads a number without unit as the kernel's own fraction of a ms. */
static void put_ms(struct text *text, uint32_t number, uint32_t per_ms)
{
	if (number % per_ms)
		text_put(text, " %u", number);
	else
		text_put(text, " %ums", number / per_ms);
}

static void put_realms(struct text *text, uint32_t realms)
{
	if (realms >> 16)
		text_put(text, " %u/%u", realms >> 16, realms & 0xffff);
	else
		text_put(text, " %u", realms);
}

static void put_value(struct text *text, enum value_kind kind,
		      const struct attr *attr)
{
	uint32_t number = attr_u32(attr);
	int len;

	switch (kind) {
	case VALUE_NUMBER:
		text_put(text, " %u", number);
		break;
	case VALUE_MS:
		put_ms(text, number, 1);
		break;
	case VALUE_MS_4TH:
		put_ms(text, number, 4);
		break;
	case VALUE_MS_8TH:
		put_ms(text, number, 8);
		break;
	case VALUE_ECN:
		text_put(text, " ecn");
		break;
	case VALUE_REALMS:
		put_realms(text, number);
		break;
	case VALUE_TEXT:
		if (is_name(attr, &len))
			text_put(text, " %.*s", len, (const char *)attr->value);
		break;
	}
}

/* Whether the words can say exactly this value. */
static bool has_words(const struct attr_word *word, const struct attr *attr)
{
	int len;

	if (word->kind == VALUE_TEXT)
		return is_name(attr, &len);
	if (attr->len != sizeof(uint32_t))
		return false;
	return word->kind != VALUE_ECN || attr_u32(attr) == FEATURE_ECN;
}

static const struct attr_word *word_find(const struct attr_word *words,
					 size_t n, const struct attr *attr)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (words[i].type == attr->type && has_words(&words[i], attr))
			return &words[i];
	}
	return NULL;
}

static uint32_t locked_metrics(struct attr_list list)
{
	struct attr attr;

	while (attr_next(&list, &attr)) {
		if (attr.type == METRIC_LOCK)
			return attr_u32(&attr);
	}
	return 0;
}

static void put_metrics(struct text *text, struct attr_list list)
{
	uint32_t locked = locked_metrics(list);
	const struct attr_word *word;
	struct attr attr;

	while (attr_next(&list, &attr)) {
		if (attr.type == METRIC_LOCK)
			continue;
		word = word_find(metric_words, COUNT(metric_words), &attr);
		if (!word) {
			text_put(text, " attr %d/%u (%zu bytes)", ATTR_METRICS,
				 attr.type, attr.len);
			continue;
		}
		text_put(text, " %s", word->word);
		if (word->has_lock && locked >> word->type & 1)
			text_put(text, " lock");
		put_value(text, word->kind, &attr);
	}
	if (list.len)
		text_put(text, " attr %d (%zu more bytes)", ATTR_METRICS,
			 list.len);
}

static void put_attr(struct text *text, const struct attr *attr)
{
	const struct attr_word *word;

	if (attr->type == ATTR_METRICS) {
		put_metrics(text, (struct attr_list){attr->value, attr->len});
		return;
	}
	word = word_find(route_words, COUNT(route_words), attr);
	if (!word) {
		text_put(text, " attr %u (%zu bytes)", attr->type, attr->len);
		return;
	}
	text_put(text, " %s", word->word);
	put_value(text, word->kind, attr);
}

static void put_attrs(struct text *text, const struct attrset *set, size_t at,
		      size_t len)
{
	struct attr_list list = {NULL, len};
	struct attr attr;

	if (len)
		list.bytes = set->extra.items + at;
	while (attr_next(&list, &attr))
		put_attr(text, &attr);
	if (list.len)
		text_put(text, " (%zu more bytes)", list.len);
}

static void put_type(struct text *text, uint8_t type)
{
	if (type >= COUNT(type_words) || !type_words[type])
		text_put(text, "[type %u] ", type);
	else if (type_words[type][0])
		text_put(text, "%s ", type_words[type]);
}

static void put_link(struct text *text, uint32_t ifindex,
		     const struct link_vec *names)
{
	const struct link *link;

	vec_foreach(names, link) {
		if (link->ifindex == ifindex) {
			text_put(text, " dev %s", link->name);
			return;
		}
	}
	text_put(text, " dev if%u", ifindex);
}

static void put_hop(struct text *text, const struct attrset *set,
		    const struct next_hop *hop, const struct link_vec *names)
{
	const char *family = hop->gateway.family == AF_INET ? "inet" : "inet6";
	char addr[IP_TEXT_MAX];

	ip_addr_format(&hop->gateway, addr);
	if (hop->gateway.family == set->family)
		text_put(text, " via %s", addr);
	else if (ip_addr_is_set(&hop->gateway))
		text_put(text, " via %s %s", family, addr);
	if (hop->ifindex)
		put_link(text, hop->ifindex, names);
	if (hop->flags & NEXT_HOP_ONLINK)
		text_put(text, " onlink");
	put_attrs(text, set, hop->extra_at, hop->extra_len);
}

/* What ip(8) takes if no scope is said. */
static uint8_t usual_scope(const struct attrset *set)
{
	if (set->type == ATTRSET_LOCAL)
		return SCOPE_HOST;
	if (set->type == ATTRSET_UNICAST && set->hops.n == 1 && !set->nh_id &&
	    !ip_addr_is_set(&set->hops.items[0].gateway))
		return SCOPE_LINK;
	return SCOPE_UNIVERSE;
}

static void put_scope(struct text *text, const struct attrset *set)
{
	if (set->family != AF_INET || set->scope == usual_scope(set))
		return;
	if (set->scope == SCOPE_UNIVERSE)
		text_put(text, " scope global");
	else if (set->scope == SCOPE_LINK)
		text_put(text, " scope link");
	else if (set->scope == SCOPE_HOST)
		text_put(text, " scope host");
	else
		text_put(text, " scope %u", set->scope);
}

static void put_table(struct text *text, uint32_t table)
{
	if (table == ROUTE_TABLE_CONFIG)
		text_put(text, " table config");
	else if (table == ROUTE_TABLE_MAIN)
		text_put(text, " table main");
	else if (table == ROUTE_TABLE_LOCAL)
		text_put(text, " table local");
	else
		text_put(text, " table %u", table);
}

static void put_bookkeeping(struct text *text, const struct route *route)
{
	if (route->protocol)
		text_put(text, " proto %u", route->protocol);
	if (route->metric)
		text_put(text, " metric %u", route->metric);
	put_table(text, route->table);
}

static void put_options(struct text *text, const struct attrset *set)
{
	char addr[IP_TEXT_MAX];

	put_scope(text, set);
	if (ip_addr_is_set(&set->prefsrc))
		text_put(text, " src %s", ip_addr_format(&set->prefsrc, addr));
	if (set->pref == PREF_HIGH)
		text_put(text, " pref high");
	else if (set->pref == PREF_LOW)
		text_put(text, " pref low");
	put_attrs(text, set, 0, set->route_extra_len);
}

const char *route_format(const struct ip_prefix *prefix,
			 const struct route *route, const struct attrset *set,
			 const struct link_vec *names, char *text)
{
	char prefix_text[IP_TEXT_MAX];
	const struct next_hop *hop;
	struct text line;

	text_init(&line, text, ROUTE_TEXT_MAX);
	put_type(&line, set->type);
	text_put(&line, "%s", ip_prefix_format(prefix, prefix_text));
	if (ip_addr_is_set(&set->src.addr))
		text_put(&line, " from %s",
			 ip_prefix_format(&set->src, prefix_text));
	if (route->tos)
		text_put(&line, " tos 0x%02x", route->tos);
	if (set->nh_id)
		text_put(&line, " nhid %u", set->nh_id);
	else if (set->hops.n == 1)
		put_hop(&line, set, &set->hops.items[0], names);
	put_bookkeeping(&line, route);
	put_options(&line, set);
	if (set->nh_id || set->hops.n < 2)
		return text;

	/* For ip(8), whatever follows belongs to a next hop. */
	vec_foreach(&set->hops, hop) {
		text_put(&line, " nexthop");
		put_hop(&line, set, hop, names);
		text_put(&line, " weight %u", hop->weight + 1u);
	}
	return text;
}
