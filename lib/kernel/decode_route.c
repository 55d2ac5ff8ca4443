/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <assert.h>
#include <errno.h>

#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "kernel/decode.h"

static_assert((int)ATTRSET_UNICAST == (int)RTN_UNICAST &&
		      (int)ATTRSET_LOCAL == (int)RTN_LOCAL &&
		      (int)ATTRSET_BLACKHOLE == (int)RTN_BLACKHOLE &&
		      (int)ATTRSET_UNREACHABLE == (int)RTN_UNREACHABLE &&
		      (int)ATTRSET_PROHIBIT == (int)RTN_PROHIBIT &&
		      (int)ATTRSET_THROW == (int)RTN_THROW,
	      "attrset.h mirrors the kernel");
static_assert(NEXT_HOP_ONLINK == RTNH_F_ONLINK, "attrset.h mirrors the kernel");
static_assert((int)ROUTE_TABLE_MAIN == (int)RT_TABLE_MAIN &&
		      (int)ROUTE_TABLE_LOCAL == (int)RT_TABLE_LOCAL,
	      "route.h mirrors the kernel");

#define TICK_MS 10 /* rta_expires counts 1/100 s (USER_HZ) */

/* What an attribute concerns, and so where it is kept. */
enum route_role {
	ROUTE_EXTRA, /* the route: its bytes are kept */
	HOP_EXTRA,   /* the next hop: its bytes are kept */
	ROUTE_KNOWN, /* decoded below, or only of this one message */
};

/* Types behind the end are unknown to us: ROUTE_EXTRA. */
// clang-format off
static const uint8_t roles[] = {
	[RTA_UNSPEC] = ROUTE_KNOWN,
	[RTA_DST] = ROUTE_KNOWN,
	[RTA_SRC] = ROUTE_KNOWN,
	[RTA_IIF] = ROUTE_KNOWN,
	[RTA_OIF] = ROUTE_KNOWN,
	[RTA_GATEWAY] = ROUTE_KNOWN,
	[RTA_PRIORITY] = ROUTE_KNOWN,
	[RTA_PREFSRC] = ROUTE_KNOWN,
	[RTA_MULTIPATH] = ROUTE_KNOWN,
	[RTA_FLOW] = HOP_EXTRA,
	[RTA_CACHEINFO] = ROUTE_KNOWN,
	[RTA_TABLE] = ROUTE_KNOWN,
	[RTA_MARK] = ROUTE_KNOWN,
	[RTA_VIA] = ROUTE_KNOWN,
	[RTA_NEWDST] = HOP_EXTRA,
	[RTA_PREF] = ROUTE_KNOWN,
	[RTA_ENCAP_TYPE] = HOP_EXTRA,
	[RTA_ENCAP] = HOP_EXTRA,
	[RTA_EXPIRES] = ROUTE_KNOWN,
	[RTA_PAD] = ROUTE_KNOWN,
	[RTA_UID] = ROUTE_KNOWN,
	[RTA_NH_ID] = ROUTE_KNOWN,
};
// clang-format on

static enum route_role role_of(const struct nlattr *attr)
{
	size_t type = (size_t)nla_type(attr);

	return type < sizeof(roles) ? roles[type] : ROUTE_EXTRA;
}

/* With its padding, so that attributes can follow one another. */
static void keep_bytes(struct byte_vec *bytes, const struct nlattr *attr)
{
	const uint8_t *byte = (const uint8_t *)attr;
	int i;

	for (i = 0; i < NLA_ALIGN(attr->nla_len); i++)
		vec_push(bytes, i < attr->nla_len ? byte[i] : 0);
}

static int decode_via(const struct nlattr *attr, struct ip_addr *ret)
{
	struct rtvia via;
	int len;

	if (!attr)
		return 0;
	len = nla_len(attr) - (int)sizeof(via);
	if (len < 0)
		return -EBADMSG;
	memcpy(&via, nla_data(attr), sizeof(via));
	if (via.rtvia_family != AF_INET && via.rtvia_family != AF_INET6)
		return -EBADMSG;
	if (len != ip_bits((uint8_t)via.rtvia_family) / 8)
		return -EBADMSG;

	*ret = ip_addr_make((uint8_t)via.rtvia_family,
			    (const uint8_t *)nla_data(attr) + sizeof(via));
	return 0;
}

static int decode_gateway(const struct nlattr *const *table, uint8_t family,
			  struct ip_addr *ret)
{
	if (attr_addr(table[RTA_GATEWAY], family, ret) ||
	    decode_via(table[RTA_VIA], ret))
		return -EBADMSG;
	return 0;
}

/*
 * The attributes of a list that are one next hop's own. In a multipath hop
 * these are all that are kept; at top level others stand beside them.
 */
static void add_hop(struct attrset *set, const struct next_hop *hop,
		    const struct nlattr *head, int len, bool top_level)
{
	struct byte_vec bytes = {0};
	const struct nlattr *attr;
	enum route_role role;
	int left;

	nla_for_each_attr(attr, head, len, left) {
		role = role_of(attr);
		if (role == HOP_EXTRA || (role == ROUTE_EXTRA && !top_level))
			keep_bytes(&bytes, attr);
	}
	attrset_add_hop(set, hop, bytes.items, bytes.n);
	vec_done(&bytes);
}

static int add_leg(struct attrset *set, const struct rtnexthop *rtnh,
		   const struct nlattr *head)
{
	struct next_hop hop = {
		.ifindex = (uint32_t)rtnh->rtnh_ifindex,
		.flags = rtnh->rtnh_flags & NEXT_HOP_ONLINK,
		.weight = rtnh->rtnh_hops,
	};
	const struct nlattr *table[MESSAGE_ATTRS];
	int len = rtnh->rtnh_len - (int)sizeof(*rtnh);

	if (hop.ifindex == 0 || message_index(head, len, table) ||
	    decode_gateway(table, set->family, &hop.gateway))
		return -EBADMSG;

	add_hop(set, &hop, head, len, false);
	return 0;
}

static int add_legs(struct attrset *set, const struct nlattr *multipath)
{
	const uint8_t *at = nla_data(multipath);
	int left = nla_len(multipath);
	struct rtnexthop rtnh;

	while (left >= (int)sizeof(rtnh)) {
		memcpy(&rtnh, at, sizeof(rtnh));
		if (rtnh.rtnh_len < sizeof(rtnh) || rtnh.rtnh_len > left)
			return -EBADMSG;
		if (add_leg(set, &rtnh,
			    (const struct nlattr *)(at + sizeof(rtnh))))
			return -EBADMSG;
		at += RTNH_ALIGN(rtnh.rtnh_len);
		left -= RTNH_ALIGN(rtnh.rtnh_len);
	}
	return left > 0 ? -EBADMSG : 0;
}

static int add_hops(struct attrset *set, const struct message *message)
{
	const struct rtmsg *info = message->body;
	struct next_hop hop = {.flags = info->rtm_flags & NEXT_HOP_ONLINK};

	/* IPv6 shows a reject route as one through lo; it has no next hop. */
	if (attrset_is_reject(set))
		return 0;
	if (message->attr[RTA_MULTIPATH])
		return add_legs(set, message->attr[RTA_MULTIPATH]);
	if (attr_u32(message->attr[RTA_OIF], &hop.ifindex) ||
	    decode_gateway(message->attr, set->family, &hop.gateway))
		return -EBADMSG;
	if (hop.ifindex == 0)
		return ip_addr_is_set(&hop.gateway) ? -EBADMSG : 0;

	add_hop(set, &hop, message->head, message->len, true);
	return 0;
}

static void add_route_extra(struct attrset *set, const struct message *message)
{
	struct byte_vec bytes = {0};
	const struct nlattr *attr;
	enum route_role role;
	int left;

	nla_for_each_attr(attr, message->head, message->len, left) {
		role = role_of(attr);
		/* A realm or encap without a hop is written back as it came. */
		if (role == ROUTE_EXTRA ||
		    (role == HOP_EXTRA && attrset_is_reject(set)))
			keep_bytes(&bytes, attr);
	}
	attrset_add_route_extra(set, bytes.items, bytes.n);
	vec_done(&bytes);
}

/* Return: NULL, or what is wrong. */
static const char *decode_attrs(const struct message *message,
				struct attrset *set)
{
	const struct rtmsg *info = message->body;

	set->scope = info->rtm_scope;
	if (info->rtm_src_len &&
	    attr_prefix(message->attr[RTA_SRC], info->rtm_family,
			info->rtm_src_len, &set->src))
		return "route with a senseless source prefix";
	if (attr_addr(message->attr[RTA_PREFSRC], info->rtm_family,
		      &set->prefsrc) ||
	    attr_u8(message->attr[RTA_PREF], &set->pref) ||
	    attr_u32(message->attr[RTA_NH_ID], &set->nh_id))
		return "route attribute of wrong length";

	add_route_extra(set, message);
	if (add_hops(set, message))
		return "route with a senseless next hop";
	/* With net.ipv4.nexthop_compat_mode=0 an object's hops are not sent. */
	if (!attrset_is_reject(set) && set->hops.n == 0 && set->nh_id == 0)
		return "route without a next hop";
	return NULL;
}

/* Seconds on the clock of @now_ms, rounded up; never the value for "never". */
static uint32_t expiry(int32_t ticks, uint64_t now_ms)
{
	uint64_t at_ms = now_ms;
	uint64_t at_s;

	if (ticks == 0)
		return ROUTE_EXPIRES_NEVER;
	if (ticks > 0)
		at_ms += (uint64_t)ticks * TICK_MS;
	at_s = at_ms / 1000 + (at_ms % 1000 != 0);
	if (at_s == ROUTE_EXPIRES_NEVER)
		return 1;
	return at_s > UINT32_MAX ? UINT32_MAX : (uint32_t)at_s;
}

static int decode_cacheinfo(const struct nlattr *attr,
			    struct rta_cacheinfo *ret)
{
	if (!attr)
		return 0;
	if (nla_len(attr) < (int)sizeof(*ret))
		return -EBADMSG;
	memcpy(ret, nla_data(attr), sizeof(*ret));
	return 0;
}

/*
 * The time of an IPv6 multipath route is that of its first leg alone; a leg
 * whose time is up is told of when the kernel collects it.
 */
static bool has_legs(const struct message *message)
{
	return message->attr[RTA_MULTIPATH] != NULL;
}

/* Return: NULL, or what is wrong. */
static const char *decode_key(const struct message *message,
			      const struct decode_context *context,
			      struct model_route *route)
{
	const struct rtmsg *info = message->body;
	struct rta_cacheinfo cache = {0};

	route->route.table = info->rtm_table;
	route->route.protocol = info->rtm_protocol;
	route->route.tos = info->rtm_family == AF_INET ? info->rtm_tos : 0;
	if (attr_prefix(message->attr[RTA_DST], info->rtm_family,
			info->rtm_dst_len, &route->prefix))
		return "route with a senseless prefix";
	if (attr_u32(message->attr[RTA_TABLE], &route->route.table) ||
	    attr_u32(message->attr[RTA_PRIORITY], &route->route.metric) ||
	    decode_cacheinfo(message->attr[RTA_CACHEINFO], &cache))
		return "route attribute of wrong length";

	if (!has_legs(message))
		route->route.expires_s =
			expiry(cache.rta_expires, context->now_ms);
	return NULL;
}

/* Foreign tables concern us only by what could be a full tunnel's default. */
static bool is_wanted(const struct model_route *route,
		      const struct decode_context *context)
{
	uint32_t table = route->route.table;

	if (table == ROUTE_TABLE_LOCAL)
		return false;
	if (context->table)
		return table == context->table;
	if (context->protocol)
		return route->route.protocol == context->protocol;
	if (table == ROUTE_TABLE_MAIN || route->prefix.len == 0)
		return true;
	return table >= context->table_first && table <= context->table_last;
}

/* Lookups pass it over, though it may be half a minute till it is collected. */
static bool has_expired(const struct message *message)
{
	struct rta_cacheinfo cache = {0};

	return message->hdr->nlmsg_type == RTM_NEWROUTE && !has_legs(message) &&
	       decode_cacheinfo(message->attr[RTA_CACHEINFO], &cache) == 0 &&
	       cache.rta_expires < 0;
}

/* IPv6 has no prepend; there, create alone goes behind the others. */
static enum model_put put_of(const struct message *message)
{
	const struct rtmsg *info = message->body;
	uint16_t flags = message->hdr->nlmsg_flags;

	if (flags & NLM_F_REPLACE)
		return MODEL_REPLACE;
	if (!(flags & NLM_F_CREATE) || flags & (NLM_F_APPEND | NLM_F_EXCL))
		return MODEL_APPEND;
	return info->rtm_family == AF_INET ? MODEL_PREPEND : MODEL_APPEND;
}

bool decode_route(const struct message *message,
		  const struct decode_context *context,
		  struct kernel_event *ret)
{
	const struct rtmsg *info = message->body;
	struct model_route route = {0};
	const char *why;

	if (info->rtm_family != AF_INET && info->rtm_family != AF_INET6)
		return false;
	if (info->rtm_flags & RTM_F_CLONED)
		return false;
	why = decode_key(message, context, &route);
	if (why)
		return decode_bad(ret, why);
	if (!is_wanted(&route, context) || has_expired(message))
		return false;

	attrset_init(&route.set, info->rtm_family, info->rtm_type);
	why = decode_attrs(message, &route.set);
	if (why) {
		attrset_done(&route.set);
		return decode_bad(ret, why);
	}
	ret->kind = KERNEL_ROUTE;
	ret->put = put_of(message);
	ret->route = route;
	return true;
}

int decode_answer(const struct nlmsghdr *hdr, struct kernel_answer *ret)
{
	struct kernel_answer answer = {0};
	struct rta_cacheinfo cache = {0};
	struct message message;
	const struct rtmsg *info;

	if (message_parse(hdr, sizeof(*info), &message))
		return -EBADMSG;
	info = message.body;
	if (info->rtm_family != AF_INET && info->rtm_family != AF_INET6)
		return -EBADMSG;
	answer.table = info->rtm_table;
	answer.type = info->rtm_type;
	if (attr_addr(message.attr[RTA_PREFSRC], info->rtm_family,
		      &answer.src) ||
	    attr_u32(message.attr[RTA_TABLE], &answer.table) ||
	    attr_u32(message.attr[RTA_OIF], &answer.hop.ifindex) ||
	    decode_gateway(message.attr, info->rtm_family,
			   &answer.hop.gateway) ||
	    decode_cacheinfo(message.attr[RTA_CACHEINFO], &cache))
		return -EBADMSG;

	/* IPv6 answers with a reject route and its errno, not with an error. */
	answer.error = (int)cache.rta_error;
	*ret = answer;
	return 0;
}
