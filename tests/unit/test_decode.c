/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct decode_context context = {
	.table_first = 7100,
	.table_last = 7999,
	.now_ms = 1000500,
};

/* --- messages by hand --- */

static struct nl_msg *begin(int type, int flags, const void *body, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(msg);
	assert_non_null(nlmsg_put(msg, 4711, 1, type, 0, flags));
	assert_int_equal(nlmsg_append(msg, (void *)(uintptr_t)body, len,
				      NLMSG_ALIGNTO),
			 0);
	return msg;
}

static struct nl_msg *begin_route(uint8_t family, uint8_t dst_len)
{
	struct rtmsg info = {
		.rtm_family = family,
		.rtm_dst_len = dst_len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_type = RTN_UNICAST,
	};

	return begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, &info,
		     sizeof(info));
}

static struct rtmsg *route_body(struct nl_msg *msg)
{
	return nlmsg_data(nlmsg_hdr(msg));
}

static void add_addr(struct nl_msg *msg, int type, const char *text)
{
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(text, &addr), 0);
	assert_int_equal(
		nla_put(msg, type, ip_bits(addr.family) / 8, addr.bytes), 0);
}

static void add_u32(struct nl_msg *msg, int type, uint32_t value)
{
	assert_int_equal(nla_put_u32(msg, type, value), 0);
}

static void add_via(struct nl_msg *msg, const char *text)
{
	uint8_t bytes[18] = {0};
	struct ip_addr addr;
	struct rtvia via;

	assert_int_equal(ip_addr_parse(text, &addr), 0);
	via.rtvia_family = addr.family;
	memcpy(bytes, &via, sizeof(via));
	memcpy(bytes + sizeof(via), addr.bytes, sizeof(addr.bytes));
	assert_int_equal(
		nla_put(msg, RTA_VIA, 2 + ip_bits(addr.family) / 8, bytes), 0);
}

/* A hop without attributes, or the start of one: see end_leg(). */
static uint32_t add_leg(struct nl_msg *msg, uint32_t ifindex, uint8_t flags,
			uint8_t hops)
{
	struct rtnexthop rtnh = {
		.rtnh_len = sizeof(rtnh),
		.rtnh_flags = flags,
		.rtnh_hops = hops,
		.rtnh_ifindex = (int)ifindex,
	};
	uint32_t at = nlmsg_hdr(msg)->nlmsg_len;

	assert_int_equal(nlmsg_append(msg, &rtnh, sizeof(rtnh), NLMSG_ALIGNTO),
			 0);
	return at;
}

static void end_leg(struct nl_msg *msg, uint32_t at)
{
	struct rtnexthop *rtnh =
		(struct rtnexthop *)((uint8_t *)nlmsg_hdr(msg) + at);

	rtnh->rtnh_len = (unsigned short)(nlmsg_hdr(msg)->nlmsg_len - at);
}

static void assert_addr(const struct ip_addr *got, const char *want)
{
	char text[IP_TEXT_MAX];

	assert_string_equal(ip_addr_format(got, text), want);
}

static void assert_prefix(const struct ip_prefix *got, const char *want)
{
	char text[IP_TEXT_MAX];

	assert_string_equal(ip_prefix_format(got, text), want);
}

/* Decodes and frees @msg. */
static bool decode_in(struct nl_msg *msg, const struct decode_context *within,
		      struct kernel_event *ret)
{
	bool said = decode_message(nlmsg_hdr(msg), within, ret);

	nlmsg_free(msg);
	return said;
}

static void decode_as(struct nl_msg *msg, enum kernel_event_kind kind,
		      struct kernel_event *ret)
{
	if (!decode_in(msg, &context, ret))
		fail_msg("nothing was decoded");
	if (ret->kind == KERNEL_BAD && kind != KERNEL_BAD)
		fail_msg("bad: %s", ret->bad);
	assert_int_equal(ret->kind, kind);
}

static void assert_nothing(struct nl_msg *msg)
{
	struct kernel_event event;

	assert_false(decode_in(msg, &context, &event));
}

/* --- routes --- */

static void route_has_its_key(void **state)
{
	struct nl_msg *msg = begin_route(AF_INET, 24);
	struct kernel_event event;

	(void)state;
	route_body(msg)->rtm_tos = 0x10;
	route_body(msg)->rtm_table = RT_TABLE_COMPAT;
	add_u32(msg, RTA_TABLE, 7105);
	add_addr(msg, RTA_DST, "203.0.113.0");
	add_u32(msg, RTA_PRIORITY, 4294967295);
	add_addr(msg, RTA_GATEWAY, "192.0.2.1");
	add_u32(msg, RTA_OIF, 7);
	decode_as(msg, KERNEL_ROUTE, &event);

	assert_false(event.deleted);
	assert_int_equal(event.port, 4711);
	assert_prefix(&event.route.prefix, "203.0.113.0/24");
	assert_int_equal(event.route.route.table, 7105);
	assert_int_equal(event.route.route.tos, 0x10);
	assert_int_equal(event.route.route.metric, 4294967295);
	assert_int_equal(event.route.route.protocol, RTPROT_STATIC);
	assert_int_equal(event.route.route.expires_s, ROUTE_EXPIRES_NEVER);
	assert_int_equal(event.route.set.hops.n, 1);
	assert_int_equal(event.route.set.hops.items[0].ifindex, 7);
	assert_addr(&event.route.set.hops.items[0].gateway, "192.0.2.1");
	decode_done(&event);
}

static void route_has_its_attributes(void **state)
{
	struct nl_msg *msg = begin_route(AF_INET6, 0);
	const struct attrset *set;
	struct kernel_event event;

	(void)state;
	route_body(msg)->rtm_src_len = 48;
	route_body(msg)->rtm_tos = 9; /* means nothing in IPv6 */
	route_body(msg)->rtm_flags = RTNH_F_ONLINK | RTNH_F_LINKDOWN;
	add_addr(msg, RTA_SRC, "2001:db8::");
	add_addr(msg, RTA_PREFSRC, "2001:db8::7");
	add_addr(msg, RTA_GATEWAY, "fe80::1");
	add_u32(msg, RTA_OIF, 3);
	add_u32(msg, RTA_NH_ID, 12);
	assert_int_equal(nla_put_u8(msg, RTA_PREF, 3), 0);
	decode_as(msg, KERNEL_ROUTE, &event);

	set = &event.route.set;
	assert_prefix(&event.route.prefix, "::/0");
	assert_int_equal(event.route.route.table, ROUTE_TABLE_MAIN);
	assert_int_equal(event.route.route.tos, 0);
	assert_int_equal(set->family, AF_INET6);
	assert_int_equal(set->type, ATTRSET_UNICAST);
	assert_int_equal(set->pref, 3);
	assert_int_equal(set->nh_id, 12);
	assert_prefix(&set->src, "2001:db8::/48");
	assert_addr(&set->prefsrc, "2001:db8::7");
	assert_int_equal(set->hops.items[0].flags, NEXT_HOP_ONLINK);
	assert_int_equal(set->extra.n, 0);
	decode_done(&event);
}

static void route_says_how_it_was_put(void **state)
{
	static const struct {
		uint8_t family;
		int flags;
		enum model_put put;
		const char *why;
	} cases[] = {
		{AF_INET, 0, MODEL_APPEND, "dump"},
		{AF_INET, NLM_F_MULTI | NLM_F_DUMP_FILTERED, MODEL_APPEND,
		 "dump of one table"},
		{AF_INET, NLM_F_CREATE | NLM_F_EXCL, MODEL_APPEND, "add"},
		{AF_INET, NLM_F_CREATE | NLM_F_APPEND, MODEL_APPEND, "append"},
		{AF_INET, NLM_F_CREATE, MODEL_PREPEND, "prepend"},
		{AF_INET, NLM_F_REPLACE, MODEL_REPLACE, "replace"},
		{AF_INET, NLM_F_CREATE | NLM_F_REPLACE, MODEL_REPLACE,
		 "replace or create"},
		{AF_INET6, NLM_F_CREATE, MODEL_APPEND,
		 "second router of a link; IPv6 has no prepend"},
		{AF_INET6, NLM_F_REPLACE, MODEL_REPLACE, "replace"},
	};
	struct kernel_event event;
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg = begin_route(cases[i].family, 0);
		nlmsg_hdr(msg)->nlmsg_flags = (uint16_t)cases[i].flags;
		add_u32(msg, RTA_OIF, 3);
		decode_as(msg, KERNEL_ROUTE, &event);
		if (event.put != cases[i].put)
			fail_msg("%d for %s", (int)event.put, cases[i].why);
		decode_done(&event);
	}
}

static void routes_that_concern_us_pass(void **state)
{
	static const struct {
		uint32_t table;
		uint8_t dst_len;
		uint32_t asked;
		bool passes;
		const char *why;
	} cases[] = {
		{RT_TABLE_MAIN, 24, 0, true, "main"},
		{RT_TABLE_LOCAL, 32, 0, false, "own addresses"},
		{RT_TABLE_LOCAL, 0, 0, false, "even a default there"},
		{RT_TABLE_DEFAULT, 24, 0, false, "foreign"},
		{RT_TABLE_DEFAULT, 0, 0, true, "may be a full tunnel"},
		{7099, 24, 0, false, "just below ours"},
		{7100, 24, 0, true, "our first"},
		{7999, 24, 0, true, "our last"},
		{8000, 24, 0, false, "just above ours"},
		{51820, 0, 0, true, "wg-quick's"},
		{51820, 24, 51820, true, "asked for"},
		{RT_TABLE_MAIN, 24, 51820, false, "not asked for"},
	};
	struct decode_context within = context;
	struct kernel_event event;
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg = begin_route(AF_INET, cases[i].dst_len);
		add_u32(msg, RTA_TABLE, cases[i].table);
		add_addr(msg, RTA_DST, "203.0.113.0");
		add_u32(msg, RTA_OIF, 3);
		within.table = cases[i].asked;
		if (decode_in(msg, &within, &event) != cases[i].passes)
			fail_msg("table %u (%s)", cases[i].table, cases[i].why);
		if (cases[i].passes)
			decode_done(&event);
	}
}

static void routes_that_are_none_say_nothing(void **state)
{
	struct nl_msg *msg;

	(void)state;
	msg = begin_route(AF_INET6, 128);
	route_body(msg)->rtm_flags = RTM_F_CLONED; /* IPv6 cache */
	assert_nothing(msg);
	assert_nothing(begin_route(AF_MPLS, 20));
	assert_nothing(begin_route(RTNL_FAMILY_IPMR, 32));
}

static void expiry_is_absolute_and_rounded_up(void **state)
{
	static const struct {
		uint64_t now_ms;
		int32_t ticks;
		uint32_t at_s;
		const char *why;
	} cases[] = {
		{1000500, 0, ROUTE_EXPIRES_NEVER, "never"},
		{1000500, 100, 1002, "1 s from 1000.5 s on, rounded up"},
		{1000500, 50, 1001, "exact"},
		{1000500, 1, 1001, "shortest"},
		{1000500, -1, 1001, "over, but not collected yet"},
		{1000500, INT32_MIN, 1001, "long over"},
		{0, -1, 1, "over at the start of time is not never"},
		{1000000, INT32_MAX, 21475836 + 1000 + 1, "longest"},
		{UINT64_C(4294967000000), INT32_MAX, UINT32_MAX, "overflow"},
	};
	struct rta_cacheinfo cache = {0};
	struct decode_context within = context;
	struct kernel_event event;
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg = begin_route(AF_INET6, 0);
		cache.rta_expires = cases[i].ticks;
		add_u32(msg, RTA_OIF, 3);
		assert_int_equal(
			nla_put(msg, RTA_CACHEINFO, sizeof(cache), &cache), 0);
		within.now_ms = cases[i].now_ms;
		assert_true(decode_in(msg, &within, &event));
		if (event.route.route.expires_s != cases[i].at_s)
			fail_msg("%u instead of %u (%s)",
				 event.route.route.expires_s, cases[i].at_s,
				 cases[i].why);
		decode_done(&event);
	}
}

static void reject_routes_have_no_hop(void **state)
{
	static const uint8_t types[] = {RTN_BLACKHOLE, RTN_UNREACHABLE,
					RTN_PROHIBIT, RTN_THROW};
	struct kernel_event event;
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		msg = begin_route(AF_INET6, 0);
		route_body(msg)->rtm_type = types[i];
		add_u32(msg, RTA_OIF, 1); /* IPv6 shows lo */
		add_u32(msg, RTA_FLOW, 7);
		decode_as(msg, KERNEL_ROUTE, &event);
		assert_int_equal(event.route.set.type, types[i]);
		assert_int_equal(event.route.set.hops.n, 0);
		/* Without a hop the realm is the route's. */
		assert_int_equal(event.route.set.route_extra_len, 8);
		decode_done(&event);
	}
}

static void multipath_hops_keep_order_and_weight(void **state)
{
	struct nl_msg *msg = begin_route(AF_INET, 0);
	const struct next_hop *hops;
	struct kernel_event event;
	struct nlattr *nest;
	uint32_t at;

	(void)state;
	nest = nla_nest_start(msg, RTA_MULTIPATH);
	at = add_leg(msg, 9, RTNH_F_ONLINK | RTNH_F_DEAD | RTNH_F_LINKDOWN, 4);
	add_addr(msg, RTA_GATEWAY, "192.0.2.1");
	end_leg(msg, at);
	at = add_leg(msg, 8, 0, 255);
	add_via(msg, "fe80::1");
	add_u32(msg, RTA_FLOW, 7);
	end_leg(msg, at);
	(void)add_leg(msg, 7, RTNH_F_OFFLOAD, 0);
	nla_nest_end(msg, nest);
	decode_as(msg, KERNEL_ROUTE, &event);

	hops = event.route.set.hops.items;
	assert_int_equal(event.route.set.hops.n, 3);
	assert_int_equal(hops[0].ifindex, 9);
	assert_int_equal(hops[0].flags, NEXT_HOP_ONLINK);
	assert_int_equal(hops[0].weight, 4);
	assert_int_equal(hops[0].extra_len, 0);
	assert_addr(&hops[0].gateway, "192.0.2.1");
	assert_int_equal(hops[1].ifindex, 8);
	assert_int_equal(hops[1].weight, 255);
	assert_int_equal(hops[1].extra_len, 8);
	assert_addr(&hops[1].gateway, "fe80::1");
	assert_int_equal(hops[2].ifindex, 7);
	assert_int_equal(hops[2].flags, 0);
	assert_false(ip_addr_is_set(&hops[2].gateway));
	assert_int_equal(event.route.set.route_extra_len, 0);
	decode_done(&event);
}

static void unknown_attributes_are_kept_as_bytes(void **state)
{
	static const uint8_t five[] = {1, 2, 3, 4, 5};
	struct nl_msg *msg = begin_route(AF_INET, 0);
	const struct attrset *set;
	const struct nlattr *attr;
	struct kernel_event event;

	(void)state;
	assert_int_equal(nla_put(msg, 4000, sizeof(five), five), 0);
	add_u32(msg, RTA_OIF, 3);
	add_u32(msg, RTA_FLOW, 0x40007);
	add_u32(msg, RTA_MARK, 1);
	add_u32(msg, RTA_UID, 1);
	add_u32(msg, RTA_IIF, 1);
	add_u32(msg, RTA_EXPIRES, 1);
	assert_int_equal(nla_put(msg, RTA_METRICS, 0, NULL), 0);
	decode_as(msg, KERNEL_ROUTE, &event);

	set = &event.route.set;
	assert_int_equal(set->route_extra_len, 12 + 4);
	attr = (const struct nlattr *)set->extra.items;
	assert_int_equal(nla_type(attr), 4000);
	assert_int_equal(nla_len(attr), 5);
	assert_memory_equal(nla_data(attr), five, sizeof(five));
	assert_memory_equal(set->extra.items + 9, "\0\0\0", 3);
	attr = (const struct nlattr *)(set->extra.items + 12);
	assert_int_equal(nla_type(attr), RTA_METRICS);
	/* The realm is the one hop's. */
	assert_int_equal(set->hops.items[0].extra_at, 16);
	assert_int_equal(set->hops.items[0].extra_len, 8);
	attr = (const struct nlattr *)(set->extra.items + 16);
	assert_int_equal(nla_type(attr), RTA_FLOW);
	decode_done(&event);
}

static void deleted_routes_are_decoded_too(void **state)
{
	struct nl_msg *msg = begin_route(AF_INET, 0);
	struct kernel_event event;

	(void)state;
	nlmsg_hdr(msg)->nlmsg_type = RTM_DELROUTE;
	add_u32(msg, RTA_OIF, 3);
	decode_as(msg, KERNEL_ROUTE, &event);
	assert_true(event.deleted);
	decode_done(&event);
}

/* --- what is not a route --- */

static struct nl_msg *begin_link(uint8_t family, unsigned int flags,
				 const char *name)
{
	struct ifinfomsg info = {
		.ifi_family = family,
		.ifi_index = 5,
		.ifi_flags = flags,
	};
	struct nl_msg *msg = begin(RTM_NEWLINK, 0, &info, sizeof(info));

	if (name)
		assert_int_equal(nla_put_string(msg, IFLA_IFNAME, name), 0);
	return msg;
}

static void links_are_decoded(void **state)
{
	struct kernel_event event;
	struct nlattr *nest;
	struct nl_msg *msg;

	(void)state;
	msg = begin_link(AF_UNSPEC, IFF_UP | IFF_LOWER_UP, "eth0");
	add_u32(msg, IFLA_MASTER, 77);
	nest = nla_nest_start(msg, IFLA_LINKINFO);
	assert_int_equal(nla_put_string(msg, IFLA_INFO_KIND, "vrf"), 0);
	nla_nest_end(msg, nest);
	decode_as(msg, KERNEL_LINK, &event);
	assert_int_equal(event.link.ifindex, 5);
	assert_string_equal(event.link.name, "eth0");
	assert_int_equal(event.link.master, 77);
	assert_true(event.link.up && event.link.carrier && event.link.vrf);
	assert_false(event.link.loopback);

	decode_as(begin_link(AF_UNSPEC, IFF_LOOPBACK, "lo"), KERNEL_LINK,
		  &event);
	assert_true(event.link.loopback);
	assert_false(event.link.up || event.link.carrier || event.link.vrf);
	assert_int_equal(event.link.master, 0);
}

static void link_messages_that_are_none_say_nothing(void **state)
{
	struct nl_msg *msg;

	(void)state;
	assert_nothing(begin_link(AF_BRIDGE, IFF_UP, "port1"));
	/* A wireless event has no master: it would free a bridge's port. */
	msg = begin_link(AF_UNSPEC, IFF_UP, "wlan0");
	assert_int_equal(nla_put(msg, IFLA_WIRELESS, 4, "\1\2\3\4"), 0);
	assert_nothing(msg);
}

static void addresses_are_decoded(void **state)
{
	static const struct {
		uint8_t family;
		const char *local; /* NULL: not in the message */
		const char *address;
		uint32_t flags;
		const char *want_local;
		const char *want_peer;
		const char *want; /* t tentative, f failed, d deprecated */
	} cases[] = {
		{AF_INET, "192.0.2.7", "192.0.2.7", IFA_F_PERMANENT,
		 "192.0.2.7", "192.0.2.7", ""},
		{AF_INET, "192.0.2.7", "198.51.100.1", 0, "192.0.2.7",
		 "198.51.100.1", ""},
		{AF_INET, "192.0.2.7", NULL, 0, "192.0.2.7", "192.0.2.7", ""},
		{AF_INET6, NULL, "2001:db8::1", IFA_F_TENTATIVE, "2001:db8::1",
		 "2001:db8::1", "t"},
		{AF_INET6, NULL, "2001:db8::1",
		 IFA_F_TENTATIVE | IFA_F_OPTIMISTIC, "2001:db8::1",
		 "2001:db8::1", ""},
		{AF_INET6, NULL, "2001:db8::1",
		 IFA_F_TENTATIVE | IFA_F_DADFAILED, "2001:db8::1",
		 "2001:db8::1", "tf"},
		{AF_INET6, "2001:db8::1", "2001:db8::2", IFA_F_DEPRECATED,
		 "2001:db8::1", "2001:db8::2", "d"},
		{AF_INET6, NULL, "2001:db8::1",
		 IFA_F_TEMPORARY | IFA_F_STABLE_PRIVACY, "2001:db8::1",
		 "2001:db8::1", "y"},
	};
	struct ifaddrmsg info = {
		.ifa_prefixlen = 24,
		.ifa_flags = IFA_F_TENTATIVE, /* IFA_FLAGS overrides */
		.ifa_scope = RT_SCOPE_LINK,
		.ifa_index = 6,
	};
	const struct address *got;
	struct kernel_event event;
	struct nl_msg *msg;
	char flags[5];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		info.ifa_family = cases[i].family;
		msg = begin(RTM_NEWADDR, 0, &info, sizeof(info));
		if (cases[i].local)
			add_addr(msg, IFA_LOCAL, cases[i].local);
		if (cases[i].address)
			add_addr(msg, IFA_ADDRESS, cases[i].address);
		add_u32(msg, IFA_FLAGS, cases[i].flags);
		decode_as(msg, KERNEL_ADDRESS, &event);
		got = &event.address;
		assert_int_equal(got->ifindex, 6);
		assert_int_equal(got->prefix_len, 24);
		assert_int_equal(got->scope, RT_SCOPE_LINK);
		assert_addr(&got->local, cases[i].want_local);
		assert_addr(&got->peer, cases[i].want_peer);
		(void)snprintf(flags, sizeof(flags), "%s%s%s%s",
			       got->tentative ? "t" : "",
			       got->dad_failed ? "f" : "",
			       got->deprecated ? "d" : "",
			       got->temporary ? "y" : "");
		assert_string_equal(flags, cases[i].want);
	}
}

static void neighbours_are_decoded(void **state)
{
	static const struct {
		uint16_t nud;
		bool said;
		bool failed;
		bool permanent;
		const char *why;
	} cases[] = {
		{NUD_FAILED, true, true, false, "failed"},
		{NUD_REACHABLE, true, false, false, "valid"},
		{NUD_STALE, true, false, false, "valid"},
		{NUD_DELAY, true, false, false, "valid"},
		{NUD_PROBE, true, false, false, "valid"},
		{NUD_PERMANENT, true, false, true, "valid"},
		{NUD_NOARP, true, false, true, "valid"},
		{NUD_INCOMPLETE, false, false, false, "says neither"},
		{NUD_NONE, false, false, false, "says neither"},
	};
	struct ndmsg info = {.ndm_family = AF_INET6, .ndm_ifindex = 4};
	struct kernel_event event;
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		info.ndm_state = cases[i].nud;
		msg = begin(RTM_NEWNEIGH, 0, &info, sizeof(info));
		add_addr(msg, NDA_DST, "fe80::1");
		add_u32(msg, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
		assert_int_equal(nla_put_u8(msg, NDA_PROTOCOL, 109), 0);
		if (decode_in(msg, &context, &event) != cases[i].said)
			fail_msg("state %#x (%s)", cases[i].nud, cases[i].why);
		if (!cases[i].said)
			continue;
		assert_int_equal(event.kind, KERNEL_NEIGHBOUR);
		assert_int_equal(event.neighbour.ifindex, 4);
		assert_addr(&event.neighbour.addr, "fe80::1");
		assert_int_equal(event.neighbour.failed, cases[i].failed);
		assert_int_equal(event.neighbour.permanent, cases[i].permanent);
		assert_true(event.neighbour.managed);
		assert_int_equal(event.neighbour.protocol, 109);
	}
}

static void neighbours_that_are_none_say_nothing(void **state)
{
	struct ndmsg info = {
		.ndm_family = AF_BRIDGE,
		.ndm_ifindex = 4,
		.ndm_state = NUD_REACHABLE,
	};
	struct nl_msg *msg;

	(void)state;
	assert_nothing(begin(RTM_NEWNEIGH, 0, &info, sizeof(info)));
	info.ndm_family = AF_INET;
	info.ndm_flags = NTF_PROXY;
	msg = begin(RTM_NEWNEIGH, 0, &info, sizeof(info));
	add_addr(msg, NDA_DST, "192.0.2.1");
	assert_nothing(msg);
}

static void nexthop_objects_are_decoded(void **state)
{
	struct nhmsg info = {.nh_family = AF_INET};
	struct kernel_event event;
	struct nl_msg *msg = begin(RTM_DELNEXTHOP, 0, &info, sizeof(info));

	(void)state;
	add_u32(msg, NHA_ID, 99);
	decode_as(msg, KERNEL_NEXTHOP, &event);
	assert_true(event.deleted);
	assert_int_equal(event.nexthop_id, 99);
}

/* --- rules --- */

static struct nl_msg *begin_rule(uint8_t src_len, uint8_t tos, uint32_t flags)
{
	struct fib_rule_hdr info = {
		.family = AF_INET,
		.src_len = src_len,
		.tos = tos,
		.table = RT_TABLE_COMPAT,
		.action = FR_ACT_TO_TBL,
		.flags = flags,
	};
	struct nl_msg *msg = begin(RTM_NEWRULE, 0, &info, sizeof(info));

	add_u32(msg, FRA_PRIORITY, 7109);
	add_u32(msg, FRA_TABLE, 7100);
	add_u32(msg, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	assert_int_equal(nla_put_u8(msg, FRA_PROTOCOL, 109), 0);
	return msg;
}

static void our_rules_are_decoded(void **state)
{
	struct nl_msg *msg = begin_rule(24, 0, 0);
	struct rule want = {
		.family = AF_INET,
		.priority = 7109,
		.table = 7100,
		.action = RULE_ACTION_LOOKUP,
		.protocol = 109,
		.iif_lo = true,
		.suppress_len = -1,
	};
	struct kernel_event event;

	(void)state;
	assert_int_equal(ip_prefix_parse("192.0.2.0/24", &want.src), 0);
	want.dst = ip_prefix_default(AF_INET);
	assert_int_equal(nla_put_string(msg, FRA_IIFNAME, "lo"), 0);
	add_addr(msg, FRA_SRC, "192.0.2.0");
	decode_as(msg, KERNEL_RULE, &event);
	assert_int_equal(rule_cmp(&event.rule, &want), 0);
}

static void foreign_rules_tell_whom_they_catch(void **state)
{
	static const struct {
		int type;	/* of an attribute besides; 0: none */
		const char *text; /* its value; NULL: the number */
		uint32_t number;
		uint8_t tos;
		uint32_t flags;
		const char *want; /* i iif, o oif, s selective, ! not, m mark,
				     p suppress */
	} cases[] = {
		{0, NULL, 0, 0, 0, ""},
		{FRA_IIFNAME, "eth0", 0, 0, 0, "i"},
		{FRA_IIFNAME, "lo", 0, 0, 0, ""},
		{FRA_IIFNAME, "lo2", 0, 0, 0, "i"},
		{FRA_OIFNAME, "eth0", 0, 0, 0, "o"},
		{FRA_FWMARK, NULL, 51820, 0, 0, "m"},
		{FRA_FWMARK, NULL, 51820, 0, FIB_RULE_INVERT, "!m"},
		{FRA_FWMASK, NULL, 255, 0, 0, "m"},
		{FRA_SUPPRESS_PREFIXLEN, NULL, 0, 0, 0, "p"},
		{FRA_SUPPRESS_IFGROUP, NULL, 0, 0, 0, "s"},
		{FRA_L3MDEV, NULL, 1, 0, 0, "s"},
		{FRA_IP_PROTO, NULL, 6, 0, 0, "s"},
		{FRA_UID_RANGE, NULL, 0, 0, 0, "s"},
		{FRA_SPORT_RANGE, NULL, 0, 0, 0, "s"},
		{FRA_TUN_ID, NULL, 0, 0, 0, "s"},
		{FRA_FLOW, NULL, 7, 0, 0, ""},
		{250, NULL, 7, 0, 0, "s"},
		{0, NULL, 0, 0x10, 0, "s"},
		{0, NULL, 0, 0, FIB_RULE_INVERT, "!"},
		{0, NULL, 0, 0, FIB_RULE_PERMANENT, ""},
	};
	struct kernel_event event;
	struct nl_msg *msg;
	char got[8];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg = begin_rule(0, cases[i].tos, cases[i].flags);
		if (cases[i].text)
			assert_int_equal(nla_put_string(msg, cases[i].type,
							cases[i].text),
					 0);
		else if (cases[i].type)
			add_u32(msg, cases[i].type, cases[i].number);
		decode_as(msg, KERNEL_RULE, &event);
		(void)snprintf(got, sizeof(got), "%s%s%s%s%s%s",
			       event.rule.other_iif ? "i" : "",
			       event.rule.oif ? "o" : "",
			       event.rule.selective ? "s" : "",
			       event.rule.invert ? "!" : "",
			       event.rule.fwmark || event.rule.fwmask ? "m" : "",
			       event.rule.suppress_len >= 0 ? "p" : "");
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("attribute %d reads '%s', not '%s'",
				 cases[i].type, got, cases[i].want);
	}
}

static void foreign_rule_families_say_nothing(void **state)
{
	struct fib_rule_hdr info = {.family = RTNL_FAMILY_IPMR};

	(void)state;
	assert_nothing(begin(RTM_NEWRULE, 0, &info, sizeof(info)));
	assert_nothing(begin(RTM_NEWNETCONF, 0, &info, sizeof(info)));
}

/* --- messages that make no sense --- */

static struct nl_msg *sample_link(void)
{
	struct nl_msg *msg = begin_link(AF_UNSPEC, IFF_UP, "eth0");
	struct nlattr *nest = nla_nest_start(msg, IFLA_LINKINFO);

	assert_int_equal(nla_put_string(msg, IFLA_INFO_KIND, "vrf"), 0);
	nla_nest_end(msg, nest);
	add_u32(msg, IFLA_MASTER, 77);
	return msg;
}

static struct nl_msg *sample_address(void)
{
	struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_index = 6};
	struct nl_msg *msg = begin(RTM_NEWADDR, 0, &info, sizeof(info));

	add_addr(msg, IFA_LOCAL, "192.0.2.7");
	add_addr(msg, IFA_ADDRESS, "192.0.2.7");
	add_u32(msg, IFA_FLAGS, 0);
	return msg;
}

static struct nl_msg *sample_rule(void)
{
	struct nl_msg *msg = begin_rule(24, 0, 0);

	add_addr(msg, FRA_SRC, "192.0.2.0");
	add_u32(msg, FRA_FWMARK, 7);
	add_u32(msg, FRA_FWMASK, 7);
	assert_int_equal(nla_put_string(msg, FRA_IIFNAME, "a name too long"),
			 0);
	return msg;
}

static struct nl_msg *sample_neighbour(void)
{
	struct ndmsg info = {
		.ndm_family = AF_INET6,
		.ndm_ifindex = 4,
		.ndm_state = NUD_FAILED,
	};
	struct nl_msg *msg = begin(RTM_NEWNEIGH, 0, &info, sizeof(info));

	add_addr(msg, NDA_DST, "fe80::1");
	add_u32(msg, NDA_FLAGS_EXT, 1);
	assert_int_equal(nla_put_u8(msg, NDA_PROTOCOL, 109), 0);
	return msg;
}

static struct nl_msg *sample_nexthop(void)
{
	struct nhmsg info = {.nh_family = AF_INET};
	struct nl_msg *msg = begin(RTM_NEWNEXTHOP, 0, &info, sizeof(info));

	add_u32(msg, NHA_ID, 7);
	return msg;
}

static struct nl_msg *sample_route(void)
{
	struct nl_msg *msg = begin_route(AF_INET, 24);
	struct rta_cacheinfo cache = {.rta_expires = 7};

	route_body(msg)->rtm_src_len = 24;
	add_addr(msg, RTA_DST, "203.0.113.0");
	add_addr(msg, RTA_SRC, "192.0.2.0");
	add_addr(msg, RTA_PREFSRC, "192.0.2.7");
	add_u32(msg, RTA_TABLE, 7100);
	add_u32(msg, RTA_PRIORITY, 7);
	add_u32(msg, RTA_OIF, 7);
	add_u32(msg, RTA_NH_ID, 7);
	assert_int_equal(nla_put_u8(msg, RTA_PREF, 1), 0);
	assert_int_equal(nla_put(msg, RTA_CACHEINFO, sizeof(cache), &cache), 0);
	add_via(msg, "fe80::1");
	return msg;
}

static struct nl_msg *sample_multipath(void)
{
	struct nl_msg *msg = begin_route(AF_INET, 0);
	struct nlattr *nest = nla_nest_start(msg, RTA_MULTIPATH);
	uint32_t at;

	at = add_leg(msg, 9, 0, 4);
	add_addr(msg, RTA_GATEWAY, "192.0.2.1");
	end_leg(msg, at);
	at = add_leg(msg, 8, 0, 255);
	add_via(msg, "fe80::1");
	end_leg(msg, at);
	nla_nest_end(msg, nest);
	return msg;
}

static struct nl_msg *(*const samples[])(void) = {
	sample_link,	  sample_address, sample_rule,	    sample_neighbour,
	sample_nexthop, sample_route,	  sample_multipath,
};

/* In memory of exactly its size, so that reading behind it is noticed. */
static void decode_exact(const void *bytes, size_t len, int *ret_kind)
{
	struct nlmsghdr *hdr = malloc(len);
	struct kernel_event event;

	assert_non_null(hdr);
	memcpy(hdr, bytes, len);
	hdr->nlmsg_len = (uint32_t)len;
	*ret_kind = -1;
	if (decode_message(hdr, &context, &event)) {
		*ret_kind = (int)event.kind;
		if (event.kind == KERNEL_BAD)
			assert_non_null(event.bad);
		decode_done(&event);
	}
	free(hdr);
}

static void truncated_messages_are_read_safely(void **state)
{
	struct nl_msg *msg;
	size_t len;
	size_t i;
	int kind;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		msg = samples[i]();
		for (len = NLMSG_HDRLEN; len < nlmsg_hdr(msg)->nlmsg_len; len++)
			decode_exact(nlmsg_hdr(msg), len, &kind);
		decode_exact(nlmsg_hdr(msg), len, &kind);
		if (kind == KERNEL_BAD || kind == -1)
			fail_msg("sample %zu is no sample", i);
		/* Without its own header no message says anything. */
		decode_exact(nlmsg_hdr(msg), NLMSG_HDRLEN + 4, &kind);
		assert_int_equal(kind, KERNEL_BAD);
		nlmsg_free(msg);
	}
}

/* Each attribute in turn one byte shorter and longer than it may be. */
static void wrong_attribute_lengths_are_bad(void **state)
{
	struct nlmsghdr *hdr;
	struct nl_msg *msg;
	struct nlattr *attr;
	size_t body;
	size_t i;
	int left;
	int kind;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		msg = samples[i]();
		hdr = nlmsg_hdr(msg);
		/* Every family's header is 8, 12 or 16 bytes long. */
		body = i == 0 ? 16 : (i == 1 || i == 4) ? 8 : 12;
		nla_for_each_attr(attr, nlmsg_attrdata(hdr, (int)body),
				  nlmsg_attrlen(hdr, (int)body), left) {
			/* These are as long as they like. */
			if (nla_type(attr) == IFLA_IFNAME && i == 0)
				continue;
			attr->nla_len--;
			decode_exact(hdr, hdr->nlmsg_len, &kind);
			attr->nla_len++;
			if (kind != KERNEL_BAD && nla_type(attr) != FRA_IIFNAME)
				fail_msg("sample %zu, attribute %d", i,
					 nla_type(attr));
		}
		nlmsg_free(msg);
	}
}

static void senseless_values_are_bad(void **state)
{
	struct ifaddrmsg address = {.ifa_family = AF_INET, .ifa_index = 6};
	struct ifinfomsg link = {.ifi_index = 5};
	struct kernel_event event;
	struct nl_msg *msg;

	(void)state;
	msg = begin_route(AF_INET, 33);
	add_addr(msg, RTA_DST, "203.0.113.0");
	decode_as(msg, KERNEL_BAD, &event);
	decode_as(begin_route(AF_INET, 24), KERNEL_BAD, &event); /* no dst */
	decode_as(begin_route(AF_INET, 0), KERNEL_BAD, &event);  /* no hop */
	msg = begin_route(AF_INET, 0);
	add_via(msg, "fe80::1");
	((uint8_t *)nlmsg_tail(nlmsg_hdr(msg)))[-20] = 99; /* its family */
	decode_as(msg, KERNEL_BAD, &event);

	decode_as(begin(RTM_NEWADDR, 0, &address, sizeof(address)), KERNEL_BAD,
		  &event);
	address.ifa_prefixlen = 33;
	msg = begin(RTM_NEWADDR, 0, &address, sizeof(address));
	add_addr(msg, IFA_LOCAL, "192.0.2.7");
	decode_as(msg, KERNEL_BAD, &event);
	decode_as(begin(RTM_NEWLINK, 0, &link, sizeof(link)), KERNEL_BAD,
		  &event); /* no name */
	link.ifi_index = -1;
	decode_as(begin(RTM_NEWLINK, 0, &link, sizeof(link)), KERNEL_BAD,
		  &event);
	msg = begin_link(AF_UNSPEC, 0, "a name of 16 long");
	decode_as(msg, KERNEL_BAD, &event);
}

static void answers_are_decoded(void **state)
{
	struct nl_msg *msg = begin_route(AF_INET6, 128);
	struct rta_cacheinfo cache = {.rta_error = (uint32_t)-EHOSTUNREACH};
	struct kernel_answer answer;

	(void)state;
	route_body(msg)->rtm_flags = RTM_F_CLONED;
	add_u32(msg, RTA_TABLE, 7100);
	add_u32(msg, RTA_OIF, 3);
	add_addr(msg, RTA_GATEWAY, "fe80::1");
	assert_int_equal(decode_answer(nlmsg_hdr(msg), &answer), 0);
	assert_int_equal(answer.error, 0);
	assert_int_equal(answer.table, 7100);
	assert_int_equal(answer.hop.ifindex, 3);
	assert_addr(&answer.hop.gateway, "fe80::1");
	assert_int_equal(nla_put(msg, RTA_CACHEINFO, sizeof(cache), &cache), 0);
	assert_int_equal(decode_answer(nlmsg_hdr(msg), &answer), 0);
	assert_int_equal(answer.error, -EHOSTUNREACH);
	nlmsg_hdr(msg)->nlmsg_len -= 3;
	assert_int_equal(decode_answer(nlmsg_hdr(msg), &answer), -EBADMSG);
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route_has_its_key),
		cmocka_unit_test(route_has_its_attributes),
		cmocka_unit_test(route_says_how_it_was_put),
		cmocka_unit_test(routes_that_concern_us_pass),
		cmocka_unit_test(routes_that_are_none_say_nothing),
		cmocka_unit_test(expiry_is_absolute_and_rounded_up),
		cmocka_unit_test(reject_routes_have_no_hop),
		cmocka_unit_test(multipath_hops_keep_order_and_weight),
		cmocka_unit_test(unknown_attributes_are_kept_as_bytes),
		cmocka_unit_test(deleted_routes_are_decoded_too),
		cmocka_unit_test(links_are_decoded),
		cmocka_unit_test(link_messages_that_are_none_say_nothing),
		cmocka_unit_test(addresses_are_decoded),
		cmocka_unit_test(neighbours_are_decoded),
		cmocka_unit_test(neighbours_that_are_none_say_nothing),
		cmocka_unit_test(nexthop_objects_are_decoded),
		cmocka_unit_test(our_rules_are_decoded),
		cmocka_unit_test(foreign_rules_tell_whom_they_catch),
		cmocka_unit_test(foreign_rule_families_say_nothing),
		cmocka_unit_test(truncated_messages_are_read_safely),
		cmocka_unit_test(wrong_attribute_lengths_are_bad),
		cmocka_unit_test(senseless_values_are_bad),
		cmocka_unit_test(answers_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
