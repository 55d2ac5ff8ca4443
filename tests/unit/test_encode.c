/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/encode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "tests/unit/messages.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define OWNER	     109

/* What an op becomes, with what it refers to. */
struct desk {
	struct attrset_store store;
	struct attrset set;
	struct nl_msg *msg;
};

static void desk_open(struct desk *desk, uint8_t family, uint8_t type)
{
	attrset_store_init(&desk->store);
	attrset_init(&desk->set, family, type);
	desk->msg = nlmsg_alloc_size(8192);
	assert_non_null(desk->msg);
}

static void desk_close(struct desk *desk)
{
	attrset_done(&desk->set);
	attrset_store_done(&desk->store);
	nlmsg_free(desk->msg);
}

static void desk_add_hop(struct desk *desk, struct next_hop hop,
			 const char *gateway, const struct nlattr *extra)
{
	if (gateway)
		assert_int_equal(ip_addr_parse(gateway, &hop.gateway), 0);
	attrset_add_hop(&desk->set, &hop, extra,
			extra ? NLA_ALIGN(extra->nla_len) : 0);
}

static struct op route_op(struct desk *desk, const char *prefix)
{
	struct op op = {
		.kind = OP_ROUTE_PUT,
		.route.route =
			{
				.table = 7105,
				.metric = 77,
				.protocol = OWNER,
				.attrs = attrset_intern(&desk->store,
							&desk->set),
			},
	};

	assert_int_equal(ip_prefix_parse(prefix, &op.route.prefix), 0);
	return op;
}

static int encode(struct desk *desk, const struct op *op)
{
	return encode_op(op, &desk->store, OWNER, desk->msg);
}

static const struct nlattr *find(const struct desk *desk, size_t body, int type)
{
	return nlmsg_find_attr(nlmsg_hdr(desk->msg), (int)body, type);
}

/* Writes the set and reads the message: both must say the same. */
static void round_trip(struct desk *desk, const char *prefix)
{
	struct op op = route_op(desk, prefix);
	struct kernel_event event;
	int flags;

	op.route.route.tos = desk->set.family == AF_INET ? 0x10 : 0;
	assert_int_equal(encode(desk, &op), 0);
	flags = nlmsg_hdr(desk->msg)->nlmsg_flags;
	assert_int_equal(flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);
	assert_true(decode_message(nlmsg_hdr(desk->msg), &messages_context,
				   &event));
	if (event.kind == KERNEL_BAD)
		fail_msg("bad: %s", event.bad);
	assert_int_equal(event.kind, KERNEL_ROUTE);
	assert_prefix(&event.route.prefix, prefix);
	assert_int_equal(event.route.route.table, 7105);
	assert_int_equal(event.route.route.metric, 77);
	assert_int_equal(event.route.route.protocol, OWNER);
	assert_int_equal(event.route.route.tos, op.route.route.tos);
	assert_true(attrset_equal(&event.route.set, &desk->set));
	decode_done(&event);
	desk_close(desk);
}

static const struct {
	struct nlattr hdr;
	uint32_t value;
} realm = {{8, RTA_FLOW}, 7}, metric = {{8, 99}, 1400};

static void what_is_put_is_what_is_read(void **state)
{
	struct desk desk;

	(void)state;
	desk_open(&desk, AF_INET, ATTRSET_UNICAST);
	desk_add_hop(&desk, (struct next_hop){.ifindex = 3}, "192.0.2.1", NULL);
	round_trip(&desk, "0.0.0.0/0");

	desk_open(&desk, AF_INET, ATTRSET_UNICAST);
	desk.set.scope = RT_SCOPE_LINK;
	desk_add_hop(&desk, (struct next_hop){.ifindex = 3}, NULL, NULL);
	round_trip(&desk, "203.0.113.0/24");

	desk_open(&desk, AF_INET, ATTRSET_UNICAST);
	attrset_add_route_extra(&desk.set, &metric, sizeof(metric));
	desk_add_hop(&desk,
		     (struct next_hop){.ifindex = 3, .flags = NEXT_HOP_ONLINK},
		     "fe80::1", &realm.hdr);
	round_trip(&desk, "203.0.113.7/32");

	desk_open(&desk, AF_INET6, ATTRSET_UNICAST);
	desk.set.pref = 3;
	assert_int_equal(ip_prefix_parse("2001:db8::/48", &desk.set.src), 0);
	assert_int_equal(ip_addr_parse("2001:db8::7", &desk.set.prefsrc), 0);
	desk_add_hop(&desk, (struct next_hop){.ifindex = 3}, "fe80::1", NULL);
	round_trip(&desk, "2001:db8:9::/48");
}

static void hops_are_put_in_order(void **state)
{
	struct desk desk;

	(void)state;
	desk_open(&desk, AF_INET, ATTRSET_UNICAST);
	attrset_add_route_extra(&desk.set, &metric, sizeof(metric));
	desk_add_hop(&desk, (struct next_hop){.ifindex = 9, .weight = 255},
		     "192.0.2.1", NULL);
	desk_add_hop(&desk,
		     (struct next_hop){.ifindex = 8, .flags = NEXT_HOP_ONLINK},
		     "fe80::1", &realm.hdr);
	desk_add_hop(&desk, (struct next_hop){.ifindex = 7, .weight = 1}, NULL,
		     NULL);
	round_trip(&desk, "203.0.113.0/24");
}

static void reject_routes_are_put_without_hop(void **state)
{
	static const uint8_t types[] = {ATTRSET_UNREACHABLE, ATTRSET_BLACKHOLE,
					ATTRSET_PROHIBIT, ATTRSET_THROW};
	struct desk desk;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		desk_open(&desk, AF_INET, types[i]);
		attrset_add_route_extra(&desk.set, &realm, sizeof(realm));
		round_trip(&desk, "203.0.113.0/24");
		desk_open(&desk, AF_INET6, types[i]);
		round_trip(&desk, "::/0");
	}
}

/* A blackhole object's route shows as a blackhole. */
static void nexthop_objects_are_put_alone(void **state)
{
	static const uint8_t types[] = {ATTRSET_UNICAST, ATTRSET_BLACKHOLE};
	const size_t body = sizeof(struct rtmsg);
	const struct rtmsg *info;
	struct desk desk;
	struct op op;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		desk_open(&desk, AF_INET, types[i]);
		desk.set.nh_id = 12;
		attrset_add_route_extra(&desk.set, &metric, sizeof(metric));
		if (types[i] == ATTRSET_UNICAST)
			desk_add_hop(&desk,
				     (struct next_hop){
					     .ifindex = 3,
					     .flags = NEXT_HOP_ONLINK,
				     },
				     "192.0.2.1", &realm.hdr);
		op = route_op(&desk, "203.0.113.0/24");
		assert_int_equal(encode(&desk, &op), 0);
		info = nlmsg_data(nlmsg_hdr(desk.msg));
		assert_int_equal(info->rtm_type, RTN_UNICAST);
		assert_int_equal(info->rtm_flags, 0);
		assert_int_equal(nla_get_u32(find(&desk, body, RTA_NH_ID)), 12);
		assert_non_null(find(&desk, body, 99));
		assert_null(find(&desk, body, RTA_OIF));
		assert_null(find(&desk, body, RTA_GATEWAY));
		assert_null(find(&desk, body, RTA_FLOW));
		desk_close(&desk);
	}
}

static void small_and_large_tables_are_said(void **state)
{
	static const struct {
		uint32_t table;
		uint8_t byte;
	} cases[] = {{RT_TABLE_MAIN, RT_TABLE_MAIN}, {255, 255}, {256, 0}};
	const struct rtmsg *info;
	struct desk desk;
	struct op op;
	size_t i;

	(void)state;
	desk_open(&desk, AF_INET, ATTRSET_UNREACHABLE);
	for (i = 0; i < COUNT(cases); i++) {
		op = route_op(&desk, "0.0.0.0/0");
		op.route.route.table = cases[i].table;
		assert_int_equal(encode(&desk, &op), 0);
		info = nlmsg_data(nlmsg_hdr(desk.msg));
		assert_int_equal(info->rtm_table, cases[i].byte);
		assert_int_equal(
			nla_get_u32(find(&desk, sizeof(*info), RTA_TABLE)),
			cases[i].table);
	}
	desk_close(&desk);
}

/* In IPv6 it would be turned into 1024, and never be found again. */
static void metric_zero_is_not_said(void **state)
{
	struct desk desk;
	struct op op;

	(void)state;
	desk_open(&desk, AF_INET6, ATTRSET_UNREACHABLE);
	op = route_op(&desk, "::/0");
	op.route.route.metric = 0;
	assert_int_equal(encode(&desk, &op), 0);
	assert_null(find(&desk, sizeof(struct rtmsg), RTA_PRIORITY));
	desk_close(&desk);
}

/* Of an IPv4 route through a gateway; opens the desk. */
static struct op deletion(struct desk *desk)
{
	struct op op;

	desk_open(desk, AF_INET, ATTRSET_UNICAST);
	desk_add_hop(desk, (struct next_hop){.ifindex = 3}, "192.0.2.1", NULL);
	op = route_op(desk, "203.0.113.0/24");
	op.kind = OP_ROUTE_DELETE;
	return op;
}

static void deletions_name_key_and_owner(void **state)
{
	const size_t body = sizeof(struct rtmsg);
	const struct rtmsg *info;
	struct desk desk;
	struct op op;

	(void)state;
	op = deletion(&desk);
	op.route.route.tos = 0x10;
	assert_int_equal(encode(&desk, &op), 0);
	info = nlmsg_data(nlmsg_hdr(desk.msg));
	assert_int_equal(nlmsg_hdr(desk.msg)->nlmsg_type, RTM_DELROUTE);
	assert_int_equal(nlmsg_hdr(desk.msg)->nlmsg_flags, NLM_F_REQUEST);
	assert_int_equal(info->rtm_protocol, OWNER);
	assert_int_equal(info->rtm_dst_len, 24);
	assert_int_equal(info->rtm_tos, 0x10);
	assert_int_equal(info->rtm_scope, RT_SCOPE_NOWHERE);
	assert_int_equal(info->rtm_type, RTN_UNSPEC);
	assert_int_equal(nla_get_u32(find(&desk, body, RTA_PRIORITY)), 77);
	assert_int_equal(nla_get_u32(find(&desk, body, RTA_TABLE)), 7105);
	/* It goes whatever hops it has by now. */
	assert_null(find(&desk, body, RTA_OIF));
	assert_null(find(&desk, body, RTA_GATEWAY));
	desk_close(&desk);
}

/* IPv4: else the one before it, which is to stay, would be meant. */
static void a_hidden_one_is_deleted_by_its_hops(void **state)
{
	const size_t body = sizeof(struct rtmsg);
	const struct rtmsg *info;
	struct desk desk;
	struct op op;

	(void)state;
	op = deletion(&desk);
	op.route.hidden = true;
	assert_int_equal(encode(&desk, &op), 0);
	info = nlmsg_data(nlmsg_hdr(desk.msg));
	assert_int_equal(info->rtm_type, RTN_UNICAST);
	assert_int_equal(info->rtm_protocol, OWNER);
	assert_int_equal(nla_get_u32(find(&desk, body, RTA_OIF)), 3);
	assert_non_null(find(&desk, body, RTA_GATEWAY));
	desk_close(&desk);
}

/* To the kernel it is another entry than the one without. */
static void a_source_prefix_is_named_in_a_deletion(void **state)
{
	const size_t body = sizeof(struct rtmsg);
	const struct rtmsg *info;
	struct desk desk;
	struct op op;

	(void)state;
	desk_open(&desk, AF_INET6, ATTRSET_UNICAST);
	assert_int_equal(ip_prefix_parse("2001:db8:1::/64", &desk.set.src), 0);
	desk_add_hop(&desk, (struct next_hop){.ifindex = 3}, "fe80::1", NULL);
	op = route_op(&desk, "2001:db8:2::/48");
	op.kind = OP_ROUTE_DELETE;
	assert_int_equal(encode(&desk, &op), 0);
	info = nlmsg_data(nlmsg_hdr(desk.msg));
	assert_int_equal(info->rtm_src_len, 64);
	assert_int_equal(nla_len(find(&desk, body, RTA_SRC)), 16);
	assert_null(find(&desk, body, RTA_GATEWAY));
	desk_close(&desk);
}

static struct rule our_rule(void)
{
	struct rule rule = {
		.family = AF_INET6,
		.priority = 7100,
		.table = RT_TABLE_MAIN,
		.action = RULE_ACTION_LOOKUP,
		.protocol = OWNER,
		.iif_lo = true,
		.suppress_len = -1,
	};

	rule.src = ip_prefix_default(AF_INET6);
	assert_int_equal(ip_prefix_parse("fe80::/10", &rule.dst), 0);
	return rule;
}

static void rules_are_put_as_read(void **state)
{
	static const struct {
		enum op_kind kind;
		int type;
		int flags;
	} cases[] = {
		{OP_RULE_ADD, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL},
		{OP_RULE_DELETE, RTM_DELRULE, 0},
	};
	struct kernel_event event;
	struct desk desk;
	struct op op;
	size_t i;

	(void)state;
	desk_open(&desk, AF_INET6, ATTRSET_UNICAST);
	for (i = 0; i < COUNT(cases); i++) {
		op = (struct op){.kind = cases[i].kind, .rule = our_rule()};
		assert_int_equal(encode(&desk, &op), 0);
		assert_int_equal(nlmsg_hdr(desk.msg)->nlmsg_type,
				 cases[i].type);
		assert_int_equal(nlmsg_hdr(desk.msg)->nlmsg_flags,
				 NLM_F_REQUEST | cases[i].flags);
		assert_true(decode_message(nlmsg_hdr(desk.msg),
					   &messages_context, &event));
		assert_int_equal(event.kind, KERNEL_RULE);
		assert_int_equal(rule_cmp(&event.rule, &op.rule), 0);
	}
	desk_close(&desk);
}

/* To say such a rule by half would catch other packets. */
static void rules_of_others_are_refused(void **state)
{
	struct rule rules[7];
	struct desk desk;
	struct op op = {.kind = OP_RULE_ADD};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rules); i++)
		rules[i] = our_rule();
	rules[0].other_iif = true;
	rules[1].oif = true;
	rules[2].selective = true;
	rules[3].invert = true;
	rules[4].fwmark = 1;
	rules[5].fwmask = 1;
	rules[6].suppress_len = 0;
	desk_open(&desk, AF_INET6, ATTRSET_UNICAST);
	for (i = 0; i < COUNT(rules); i++) {
		op.rule = rules[i];
		assert_int_equal(encode(&desk, &op), -EOPNOTSUPP);
	}
	desk_close(&desk);
}

static void neighbours_are_put_managed(void **state)
{
	const size_t body = sizeof(struct ndmsg);
	struct op op = {.kind = OP_NEIGHBOUR_PUT, .neighbour.ifindex = 4};
	const struct ndmsg *info;
	const struct nlattr *attr;
	struct desk desk;

	(void)state;
	assert_int_equal(ip_addr_parse("fe80::1", &op.neighbour.addr), 0);
	desk_open(&desk, AF_INET6, ATTRSET_UNICAST);
	assert_int_equal(encode(&desk, &op), 0);
	info = nlmsg_data(nlmsg_hdr(desk.msg));
	assert_int_equal(nlmsg_hdr(desk.msg)->nlmsg_type, RTM_NEWNEIGH);
	assert_int_equal(info->ndm_family, AF_INET6);
	assert_int_equal(info->ndm_ifindex, 4);
	assert_int_equal(info->ndm_flags, NTF_EXT_LEARNED);
	attr = find(&desk, body, NDA_FLAGS_EXT);
	assert_int_equal(nla_get_u32(attr), NTF_EXT_MANAGED);
	assert_int_equal(nla_get_u8(find(&desk, body, NDA_PROTOCOL)), OWNER);
	assert_int_equal(nla_len(find(&desk, body, NDA_DST)), 16);

	op.kind = OP_NEIGHBOUR_DELETE;
	assert_int_equal(encode(&desk, &op), 0);
	assert_int_equal(nlmsg_hdr(desk.msg)->nlmsg_type, RTM_DELNEIGH);
	assert_int_equal(nla_len(find(&desk, body, NDA_DST)), 16);
	desk_close(&desk);
}

static void a_route_without_any_hop_is_refused(void **state)
{
	struct desk desk;
	struct op op;

	(void)state;
	desk_open(&desk, AF_INET, ATTRSET_UNICAST);
	op = route_op(&desk, "0.0.0.0/0");
	assert_int_equal(encode(&desk, &op), -EOPNOTSUPP);
	desk_close(&desk);
}

/* Whatever the room is: a whole message or an error, never a part. */
static void what_does_not_fit_is_refused(void **state)
{
	struct desk desk;
	struct op op;
	uint32_t whole;
	size_t room;

	(void)state;
	desk_open(&desk, AF_INET, ATTRSET_UNICAST);
	attrset_add_route_extra(&desk.set, &metric, sizeof(metric));
	desk_add_hop(&desk, (struct next_hop){.ifindex = 9}, "192.0.2.1",
		     &realm.hdr);
	desk_add_hop(&desk, (struct next_hop){.ifindex = 8}, "fe80::1", NULL);
	op = route_op(&desk, "203.0.113.0/24");
	assert_int_equal(encode(&desk, &op), 0);
	whole = nlmsg_hdr(desk.msg)->nlmsg_len;
	for (room = NLMSG_HDRLEN; room <= whole; room++) {
		nlmsg_free(desk.msg);
		desk.msg = nlmsg_alloc_size(room);
		assert_non_null(desk.msg);
		assert_int_equal(encode(&desk, &op),
				 room < whole ? -EMSGSIZE : 0);
		assert_true(nlmsg_hdr(desk.msg)->nlmsg_len <= room);
	}
	desk_close(&desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_put_is_what_is_read),
		cmocka_unit_test(hops_are_put_in_order),
		cmocka_unit_test(reject_routes_are_put_without_hop),
		cmocka_unit_test(nexthop_objects_are_put_alone),
		cmocka_unit_test(small_and_large_tables_are_said),
		cmocka_unit_test(metric_zero_is_not_said),
		cmocka_unit_test(deletions_name_key_and_owner),
		cmocka_unit_test(a_hidden_one_is_deleted_by_its_hops),
		cmocka_unit_test(a_source_prefix_is_named_in_a_deletion),
		cmocka_unit_test(rules_are_put_as_read),
		cmocka_unit_test(rules_of_others_are_refused),
		cmocka_unit_test(neighbours_are_put_managed),
		cmocka_unit_test(a_route_without_any_hop_is_refused),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
