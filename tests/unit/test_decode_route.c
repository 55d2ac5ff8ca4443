/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "tests/unit/messages.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void route_has_its_key(void **state)
{
	struct nl_msg *msg = message_begin_route(AF_INET, 24);
	struct kernel_event event;

	(void)state;
	message_route_body(msg)->rtm_tos = 0x10;
	message_route_body(msg)->rtm_table = RT_TABLE_COMPAT;
	message_add_u32(msg, RTA_TABLE, 7105);
	message_add_addr(msg, RTA_DST, "203.0.113.0");
	message_add_u32(msg, RTA_PRIORITY, 4294967295);
	message_add_addr(msg, RTA_GATEWAY, "192.0.2.1");
	message_add_u32(msg, RTA_OIF, 7);
	message_decode_as(msg, KERNEL_ROUTE, &event);

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
	struct nl_msg *msg = message_begin_route(AF_INET6, 0);
	const struct attrset *set;
	struct kernel_event event;

	(void)state;
	message_route_body(msg)->rtm_src_len = 48;
	message_route_body(msg)->rtm_tos = 9; /* means nothing in IPv6 */
	message_route_body(msg)->rtm_flags = RTNH_F_ONLINK | RTNH_F_LINKDOWN;
	message_add_addr(msg, RTA_SRC, "2001:db8::");
	message_add_addr(msg, RTA_PREFSRC, "2001:db8::7");
	message_add_addr(msg, RTA_GATEWAY, "fe80::1");
	message_add_u32(msg, RTA_OIF, 3);
	message_add_u32(msg, RTA_NH_ID, 12);
	message_add_u8(msg, RTA_PREF, 3);
	message_decode_as(msg, KERNEL_ROUTE, &event);

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
		msg = message_begin_route(cases[i].family, 0);
		nlmsg_hdr(msg)->nlmsg_flags = (uint16_t)cases[i].flags;
		message_add_u32(msg, RTA_OIF, 3);
		message_decode_as(msg, KERNEL_ROUTE, &event);
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
	struct decode_context within = messages_context;
	struct kernel_event event;
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg = message_begin_route(AF_INET, cases[i].dst_len);
		message_add_u32(msg, RTA_TABLE, cases[i].table);
		message_add_addr(msg, RTA_DST, "203.0.113.0");
		message_add_u32(msg, RTA_OIF, 3);
		within.table = cases[i].asked;
		if (message_decode(msg, &within, &event) != cases[i].passes)
			fail_msg("table %u (%s)", cases[i].table, cases[i].why);
		if (cases[i].passes)
			decode_done(&event);
	}
}

static void routes_that_are_none_say_nothing(void **state)
{
	struct nl_msg *msg;

	(void)state;
	msg = message_begin_route(AF_INET6, 128);
	message_route_body(msg)->rtm_flags = RTM_F_CLONED; /* IPv6 cache */
	message_says_nothing(msg);
	message_says_nothing(message_begin_route(AF_MPLS, 20));
	message_says_nothing(message_begin_route(RTNL_FAMILY_IPMR, 32));
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
		{0, 1, 1, "at the start of time"},
		{1000000, INT32_MAX, 21475837, "longest"},
		{UINT64_C(4294967000000), INT32_MAX, UINT32_MAX, "overflow"},
	};
	struct rta_cacheinfo cache = {0};
	struct decode_context within = messages_context;
	struct kernel_event event;
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg = message_begin_route(AF_INET6, 0);
		cache.rta_expires = cases[i].ticks;
		message_add_u32(msg, RTA_OIF, 3);
		message_add(msg, RTA_CACHEINFO, &cache, sizeof(cache));
		within.now_ms = cases[i].now_ms;
		assert_true(message_decode(msg, &within, &event));
		if (event.route.route.expires_s != cases[i].at_s)
			fail_msg("%u instead of %u (%s)",
				 event.route.route.expires_s, cases[i].at_s,
				 cases[i].why);
		decode_done(&event);
	}
}

static void what_has_expired_is_not_there(void **state)
{
	static const int32_t ticks[] = {-1, -1000, INT32_MIN};
	struct rta_cacheinfo cache = {0};
	struct kernel_event event;
	struct nl_msg *msg;

	(void)state;
	for (size_t i = 0; i < COUNT(ticks); i++) {
		msg = message_begin_route(AF_INET6, 0);
		cache.rta_expires = ticks[i];
		message_add_u32(msg, RTA_OIF, 3);
		message_add(msg, RTA_CACHEINFO, &cache, sizeof(cache));
		assert_false(message_decode(msg, &messages_context, &event));
	}
}

/* Each leg has a time of its own; the one that is shown is the first's. */
static void a_route_of_several_legs_has_no_expiry(void **state)
{
	static const int32_t ticks[] = {-1, 500};

	(void)state;
	for (size_t i = 0; i < COUNT(ticks); i++) {
		struct rta_cacheinfo cache = {.rta_expires = ticks[i]};
		struct nl_msg *msg = message_begin_route(AF_INET6, 0);
		struct nlattr *nest = nla_nest_start(msg, RTA_MULTIPATH);
		struct kernel_event event;

		(void)message_add_leg(msg, 9, 0, 0);
		(void)message_add_leg(msg, 8, 0, 0);
		nla_nest_end(msg, nest);
		message_add(msg, RTA_CACHEINFO, &cache, sizeof(cache));
		message_decode_as(msg, KERNEL_ROUTE, &event);
		assert_int_equal(event.route.route.expires_s,
				 ROUTE_EXPIRES_NEVER);
		assert_int_equal(event.route.set.hops.n, 2);
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
		msg = message_begin_route(AF_INET6, 0);
		message_route_body(msg)->rtm_type = types[i];
		message_add_u32(msg, RTA_OIF, 1); /* IPv6 shows lo */
		message_add_u32(msg, RTA_FLOW, 7);
		message_decode_as(msg, KERNEL_ROUTE, &event);
		assert_int_equal(event.route.set.type, types[i]);
		assert_int_equal(event.route.set.hops.n, 0);
		/* Without a hop the realm is the route's. */
		assert_int_equal(event.route.set.route_extra_len, 8);
		decode_done(&event);
	}
}

static void multipath_hops_keep_order_and_weight(void **state)
{
	struct nl_msg *msg = message_begin_route(AF_INET, 0);
	const struct next_hop *hops;
	struct kernel_event event;
	struct nlattr *nest;
	uint32_t leg;

	(void)state;
	nest = nla_nest_start(msg, RTA_MULTIPATH);
	leg = message_add_leg(msg, 9,
			      RTNH_F_ONLINK | RTNH_F_DEAD | RTNH_F_LINKDOWN, 4);
	message_add_addr(msg, RTA_GATEWAY, "192.0.2.1");
	message_end_leg(msg, leg);
	leg = message_add_leg(msg, 8, 0, 255);
	message_add_via(msg, "fe80::1");
	message_add_u32(msg, RTA_FLOW, 7);
	message_end_leg(msg, leg);
	(void)message_add_leg(msg, 7, RTNH_F_OFFLOAD, 0);
	nla_nest_end(msg, nest);
	message_decode_as(msg, KERNEL_ROUTE, &event);

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
	struct nl_msg *msg = message_begin_route(AF_INET, 0);
	const struct attrset *set;
	const struct nlattr *attr;
	struct kernel_event event;

	(void)state;
	message_add(msg, 4000, five, sizeof(five));
	message_add_u32(msg, RTA_OIF, 3);
	message_add_u32(msg, RTA_FLOW, 0x40007);
	message_add_u32(msg, RTA_MARK, 1);
	message_add_u32(msg, RTA_UID, 1);
	message_add_u32(msg, RTA_IIF, 1);
	message_add_u32(msg, RTA_EXPIRES, 1);
	message_add(msg, RTA_METRICS, NULL, 0);
	message_decode_as(msg, KERNEL_ROUTE, &event);

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
	struct nl_msg *msg = message_begin_route(AF_INET, 0);
	struct kernel_event event;

	(void)state;
	nlmsg_hdr(msg)->nlmsg_type = RTM_DELROUTE;
	message_add_u32(msg, RTA_OIF, 3);
	message_decode_as(msg, KERNEL_ROUTE, &event);
	assert_true(event.deleted);
	decode_done(&event);
}

static void answers_are_decoded(void **state)
{
	struct nl_msg *msg = message_begin_route(AF_INET6, 128);
	struct rta_cacheinfo cache = {.rta_error = (uint32_t)-EHOSTUNREACH};
	struct kernel_answer answer;

	(void)state;
	message_route_body(msg)->rtm_flags = RTM_F_CLONED;
	message_add_u32(msg, RTA_TABLE, 7100);
	message_add_u32(msg, RTA_OIF, 3);
	message_add_addr(msg, RTA_GATEWAY, "fe80::1");
	assert_int_equal(decode_answer(nlmsg_hdr(msg), &answer), 0);
	assert_int_equal(answer.error, 0);
	assert_int_equal(answer.table, 7100);
	assert_int_equal(answer.hop.ifindex, 3);
	assert_addr(&answer.hop.gateway, "fe80::1");
	message_add(msg, RTA_CACHEINFO, &cache, sizeof(cache));
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
		cmocka_unit_test(what_has_expired_is_not_there),
		cmocka_unit_test(a_route_of_several_legs_has_no_expiry),
		cmocka_unit_test(reject_routes_have_no_hop),
		cmocka_unit_test(multipath_hops_keep_order_and_weight),
		cmocka_unit_test(unknown_attributes_are_kept_as_bytes),
		cmocka_unit_test(deleted_routes_are_decoded_too),
		cmocka_unit_test(answers_are_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
