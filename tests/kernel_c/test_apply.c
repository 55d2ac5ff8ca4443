/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_apply() and kernel_ask() on the live kernel: what is put is there,
 * alone in its place, and what fails is named with the kernel's own words.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "kernel/sysctl.h"
#include "tests/kernel_c/netns.h"

#define OURS  7100
#define OWNER 109

static const struct kernel_config config = {
	.table_first = OURS,
	.table_last = OURS + 9,
	.protocol = OWNER,
};

struct desk {
	struct kernel *kernel;
	struct attrset_store store;
	struct kernel_failure_vec failures;
	/* What the last read found. */
	struct route_vec routes;
	struct rule_vec rules;
	struct neighbour_vec neighbours;
};

static int desk_open(void **state)
{
	static struct desk desk;

	desk = (struct desk){0};
	attrset_store_init(&desk.store);
	*state = &desk;
	return kernel_open(&config, &desk.kernel);
}

static int desk_close(void **state)
{
	struct desk *desk = *state;

	kernel_free(desk->kernel);
	attrset_store_done(&desk->store);
	vec_done(&desk->failures);
	vec_done(&desk->routes);
	vec_done(&desk->rules);
	vec_done(&desk->neighbours);
	return 0;
}

static void take(const struct kernel_event *event, void *data)
{
	struct desk *desk = data;
	struct route route;

	switch (event->kind) {
	case KERNEL_ROUTE:
		route = event->route.route;
		route.attrs = attrset_intern(&desk->store, &event->route.set);
		vec_push(&desk->routes, route);
		break;
	case KERNEL_RULE:
		vec_push(&desk->rules, event->rule);
		break;
	case KERNEL_NEIGHBOUR:
		vec_push(&desk->neighbours, event->neighbour);
		break;
	case KERNEL_LINK:
	case KERNEL_ADDRESS:
	case KERNEL_NEXTHOP:
	case KERNEL_ADVERT:
	case KERNEL_LOST:
	case KERNEL_BAD:
		fail_msg("kind %d", (int)event->kind);
	}
}

static void read_all(struct desk *desk, enum kernel_event_kind kind,
		     uint8_t family)
{
	struct kernel_read what = {
		.what = kind,
		.family = family,
		.table = kind == KERNEL_ROUTE ? OURS : 0,
	};

	vec_clear(&desk->routes);
	vec_clear(&desk->rules);
	vec_clear(&desk->neighbours);
	assert_int_equal(kernel_read(desk->kernel, &what, take, desk), 0);
}

static void apply(struct desk *desk, const struct op *ops, size_t n)
{
	int r = kernel_apply(desk->kernel, ops, n, &desk->store,
			     &desk->failures);

	assert_int_equal(r, 0);
}

static void apply_one(struct desk *desk, const struct op *op)
{
	apply(desk, op, 1);
	if (desk->failures.n)
		fail_msg("refused: %d %s", desk->failures.items[0].error,
			 desk->failures.items[0].why);
}

static struct op put(const char *prefix, uint32_t metric, uint32_t attrs)
{
	struct op op = {
		.kind = OP_ROUTE_PUT,
		.route.route =
			{
				.table = OURS,
				.metric = metric,
				.protocol = OWNER,
				.attrs = attrs,
			},
	};

	assert_int_equal(ip_prefix_parse(prefix, &op.route.prefix), 0);
	return op;
}

/* @gateways: "GATEWAY LINK" or "- LINK" each; none: unreachable. */
static uint32_t attrs(struct desk *desk, uint8_t family,
		      const char *const (*hops)[2], size_t n)
{
	struct next_hop hop;
	struct attrset set;
	uint32_t id;
	size_t i;

	attrset_init(&set, family, n ? ATTRSET_UNICAST : ATTRSET_UNREACHABLE);
	for (i = 0; i < n; i++) {
		hop = (struct next_hop){
			.ifindex = if_nametoindex(hops[i][1]),
		};
		if (hops[i][0])
			assert_int_equal(
				ip_addr_parse(hops[i][0], &hop.gateway), 0);
		attrset_add_hop(&set, &hop, NULL, 0);
	}
	id = attrset_intern(&desk->store, &set);
	attrset_done(&set);
	return id;
}

struct shape {
	size_t n;
	const char *hops[3][2];
};

/* From each shape to each other: nothing of the old one may stay. */
static void replace_by_all(struct desk *desk, uint8_t family,
			   const struct shape *shapes, size_t n)
{
	const char *prefix = family == AF_INET ? "0.0.0.0/0" : "::/0";
	uint32_t from;
	uint32_t to;
	struct op op;
	size_t i;

	for (i = 0; i < n * n; i++) {
		from = attrs(desk, family, shapes[i / n].hops, shapes[i / n].n);
		to = attrs(desk, family, shapes[i % n].hops, shapes[i % n].n);
		op = put(prefix, 10, from);
		apply_one(desk, &op);
		op = put(prefix, 10, to);
		apply_one(desk, &op);
		read_all(desk, KERNEL_ROUTE, family);
		assert_int_equal(desk->routes.n, 1);
		if (desk->routes.items[0].attrs != to)
			fail_msg("shape %zu after %zu", i % n, i / n);
	}
	op.kind = OP_ROUTE_DELETE;
	apply_one(desk, &op);
	read_all(desk, KERNEL_ROUTE, family);
	assert_int_equal(desk->routes.n, 0);
}

static void a_replaced_route_leaves_nothing(void **state)
{
	static const struct shape v4[] = {
		{1, {{"192.0.2.1", "d1"}}},
		{1, {{"198.51.100.1", "d2"}}},
		{1, {{NULL, "d1"}}},
		{0, {{NULL}}},
		{2, {{"192.0.2.1", "d1"}, {"198.51.100.1", "d2"}}},
		{3, {{"192.0.2.9", "d1"}, {NULL, "d2"}, {"192.0.2.1", "d1"}}},
	};
	static const struct shape v6[] = {
		{1, {{"2001:db8:1::1", "d1"}}},
		{1, {{"fe80::1", "d2"}}},
		{1, {{NULL, "d1"}}},
		{0, {{NULL}}},
		{2, {{"fe80::1", "d1"}, {"fe80::1", "d2"}}},
		{3, {{"fe80::9", "d1"}, {"fe80::7", "d2"}, {"fe80::8", "d1"}}},
	};

	replace_by_all(*state, AF_INET, v4, 6);
	replace_by_all(*state, AF_INET6, v6, 6);
}

/* Strong mode has a second default behind the first. */
static void a_deletion_hits_one_metric_only(void **state)
{
	static const char *const hop[1][2] = {{"fe80::1", "d1"}};
	struct desk *desk = *state;
	struct op ops[2];

	ops[0] = put("::/0", 10, attrs(desk, AF_INET6, hop, 1));
	ops[1] = put("::/0", UINT32_MAX, attrs(desk, AF_INET6, NULL, 0));
	apply(desk, ops, 2);
	ops[0].kind = OP_ROUTE_DELETE;
	apply(desk, ops, 1);
	read_all(desk, KERNEL_ROUTE, AF_INET6);
	assert_int_equal(desk->routes.n, 1);
	assert_int_equal(desk->routes.items[0].metric, UINT32_MAX);
	assert_int_equal(desk->routes.items[0].attrs, ops[1].route.route.attrs);
	ops[1].kind = OP_ROUTE_DELETE;
	apply(desk, &ops[1], 1);
	read_all(desk, KERNEL_ROUTE, AF_INET6);
	assert_int_equal(desk->routes.n, 0);
	assert_int_equal(desk->failures.n, 0);
}

/* What others put into our table is not ours to delete. */
static void a_deletion_hits_our_own_only(void **state)
{
	static const char *const hop[1][2] = {{"192.0.2.1", "d1"}};
	struct desk *desk = *state;
	struct op op = put("203.0.113.0/24", 10, attrs(desk, AF_INET, hop, 1));

	netns_ip("route add 203.0.113.0/24 via 192.0.2.1 metric 10 proto 50 "
		 "table 7100");
	op.kind = OP_ROUTE_DELETE;
	apply_one(desk, &op);
	read_all(desk, KERNEL_ROUTE, AF_INET);
	assert_int_equal(desk->routes.n, 1);
	netns_ip("route del 203.0.113.0/24 table 7100");
}

#define MANY 450

/* More than one batch; some of each fail, the others are carried out. */
static void failures_are_named_in_order(void **state)
{
	static const char *const good[1][2] = {{"192.0.2.1", "d1"}};
	static const char *const bad[1][2] = {{"10.9.9.9", "d1"}};
	struct desk *desk = *state;
	const struct kernel_failure *failure;
	struct op ops[MANY];
	char prefix[IP_TEXT_MAX];
	uint32_t id[2];
	size_t i;

	id[0] = attrs(desk, AF_INET, good, 1);
	id[1] = attrs(desk, AF_INET, bad, 1);
	for (i = 0; i < MANY; i++) {
		(void)snprintf(prefix, sizeof(prefix), "10.%zu.%zu.0/24",
			       i / 256, i % 256);
		ops[i] = put(prefix, 10, id[i % 10 == 7]);
	}
	/* This one cannot even be written: it has no next hop. */
	ops[300].kind = OP_RULE_ADD;
	ops[300].rule = (struct rule){.family = AF_INET, .oif = true};
	apply(desk, ops, MANY);

	assert_int_equal(desk->failures.n, MANY / 10 + 1);
	for (i = 0; i < desk->failures.n; i++) {
		failure = &desk->failures.items[i];
		if (failure->op == 300) {
			assert_int_equal(failure->error, -EOPNOTSUPP);
			continue;
		}
		assert_int_equal(failure->op % 10, 7);
		assert_true(i == 0 || failure[-1].op < failure->op);
		assert_int_equal(failure->error, -ENETUNREACH);
		assert_string_equal(failure->why,
				    "Nexthop has invalid gateway");
	}
	read_all(desk, KERNEL_ROUTE, AF_INET);
	assert_int_equal(desk->routes.n, MANY - MANY / 10 - 1);
	for (i = 0; i < MANY; i++)
		if (i != 300)
			ops[i].kind = OP_ROUTE_DELETE;
	ops[300] = ops[0];
	vec_clear(&desk->failures);
	apply(desk, ops, MANY); /* those that are not there are no failures */
	assert_int_equal(desk->failures.n, 0);
	read_all(desk, KERNEL_ROUTE, AF_INET);
	assert_int_equal(desk->routes.n, 0);
}

static size_t count_rules(struct desk *desk, const struct rule *rule)
{
	const struct rule *it;
	size_t n = 0;

	read_all(desk, KERNEL_RULE, rule->family);
	vec_foreach(&desk->rules, it)
		n += rule_cmp(it, rule) == 0;
	return n;
}

static void a_rule_is_there_once(void **state)
{
	static const char *const src[] = {"192.0.2.0/24", "2001:db8:1::/64",
					  "::/0"};
	static const char *const dst[] = {"0.0.0.0/0", "::/0", "fe80::/10"};
	struct desk *desk = *state;
	struct op op = {0};
	size_t i;

	for (i = 0; i < 3; i++) {
		op.rule = (struct rule){
			.priority = 7109,
			.table = i == 2 ? ROUTE_TABLE_MAIN : OURS,
			.action = RULE_ACTION_LOOKUP,
			.protocol = OWNER,
			.iif_lo = true,
			.suppress_len = -1,
		};
		assert_int_equal(ip_prefix_parse(src[i], &op.rule.src), 0);
		assert_int_equal(ip_prefix_parse(dst[i], &op.rule.dst), 0);
		op.rule.family = op.rule.src.addr.family;
		op.kind = OP_RULE_ADD;
		apply_one(desk, &op);
		apply_one(desk, &op);
		assert_int_equal(count_rules(desk, &op.rule), 1);
		op.kind = OP_RULE_DELETE;
		apply_one(desk, &op);
		apply_one(desk, &op);
		assert_int_equal(count_rules(desk, &op.rule), 0);
	}
}

static const struct neighbour *find_neighbour(struct desk *desk,
					      const struct ip_addr *addr)
{
	const struct neighbour *it;

	read_all(desk, KERNEL_NEIGHBOUR, addr->family);
	vec_foreach(&desk->neighbours, it) {
		if (ip_addr_equal(&it->addr, addr))
			return it;
	}
	return NULL;
}

static void a_neighbour_is_kept(void **state)
{
	static const char *const addrs[] = {"192.0.2.1", "2001:db8:1::1"};
	struct desk *desk = *state;
	const struct neighbour *got;
	struct op op = {0};
	size_t i;

	for (i = 0; i < 2; i++) {
		op.kind = OP_NEIGHBOUR_PUT;
		op.neighbour.ifindex = if_nametoindex("d1");
		assert_int_equal(ip_addr_parse(addrs[i], &op.neighbour.addr),
				 0);
		/* With a known address: one being resolved says nothing yet. */
		netns_ip("neigh replace %s dev d1 lladdr 02:00:00:00:00:01 "
			 "nud stale",
			 addrs[i]);
		apply_one(desk, &op);
		got = find_neighbour(desk, &op.neighbour.addr);
		assert_non_null(got);
		assert_true(got->managed);
		assert_false(got->failed || got->permanent);
		assert_int_equal(got->protocol, OWNER);
		op.kind = OP_NEIGHBOUR_DELETE;
		apply_one(desk, &op);
		assert_null(find_neighbour(desk, &op.neighbour.addr));
		apply_one(desk, &op);
	}
}

static void the_kernel_is_asked_for_one_packet(void **state)
{
	static const struct {
		const char *src;
		const char *dst;
		int error;
		uint32_t table;
		const char *gateway; /* NULL: none */
		const char *link;
	} cases[] = {
		{NULL, "192.0.2.9", 0, 254, NULL, "d1"},
		{"192.0.2.2", "203.0.113.9", 0, 50, "192.0.2.1", "d1"},
		{"198.51.100.2", "203.0.113.9", -EHOSTUNREACH, 0, NULL, NULL},
		{"192.0.2.77", "203.0.113.9", -ENETUNREACH, 0, NULL, NULL},
		{NULL, "203.0.113.9", -ENETUNREACH, 0, NULL, NULL},
		{NULL, "2001:db8:1::9", 0, 254, NULL, "d1"},
		{"2001:db8:1::2", "2001:db8:9::9", 0, 50, "fe80::1", "d1"},
		{"2001:db8:2::2", "2001:db8:9::9", -EHOSTUNREACH, 0, NULL,
		 NULL},
		{NULL, "2001:db8:9::9", -ENETUNREACH, 0, NULL, NULL},
	};
	struct desk *desk = *state;
	struct kernel_question question;
	struct kernel_answer answer;
	char text[IP_TEXT_MAX];
	size_t i;

	netns_ip("rule add iif lo from 192.0.2.2 lookup 50\n"
		 "route add default via 192.0.2.1 table 50\n"
		 "rule add iif lo from 198.51.100.2 lookup 51\n"
		 "route add unreachable default table 51");
	netns_ip6("rule add iif lo from 2001:db8:1::2 lookup 50\n"
		  "route add default via fe80::1 dev d1 table 50\n"
		  "rule add iif lo from 2001:db8:2::2 lookup 51\n"
		  "route add unreachable default table 51");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		question = (struct kernel_question){0};
		if (cases[i].src)
			assert_int_equal(
				ip_addr_parse(cases[i].src, &question.src), 0);
		assert_int_equal(ip_addr_parse(cases[i].dst, &question.dst), 0);
		assert_int_equal(kernel_ask(desk->kernel, &question, &answer),
				 0);
		if (answer.error != cases[i].error)
			fail_msg("case %zu: error %d", i, answer.error);
		if (answer.error)
			continue;
		assert_int_equal(answer.table, cases[i].table);
		assert_int_equal(answer.hop.ifindex,
				 if_nametoindex(cases[i].link));
		assert_string_equal(ip_addr_format(&answer.hop.gateway, text),
				    cases[i].gateway ? cases[i].gateway
						     : "none");
	}
}

/* How many of 64 connections leave through 192.0.2.1; the others do not. */
static size_t count_first_leg(struct desk *desk, bool tell_ports)
{
	struct kernel_question question = {0};
	struct kernel_answer answer;
	char text[IP_TEXT_MAX];
	size_t n = 0;

	assert_int_equal(ip_addr_parse("192.0.2.2", &question.src), 0);
	assert_int_equal(ip_addr_parse("203.0.113.9", &question.dst), 0);
	for (uint16_t i = 0; i < 64; i++) {
		question.sport = tell_ports ? 40000 + i : 0;
		question.dport = tell_ports ? 443 : 0;
		assert_int_equal(kernel_ask(desk->kernel, &question, &answer),
				 0);
		assert_int_equal(answer.error, 0);
		n += strcmp(ip_addr_format(&answer.hop.gateway, text),
			    "192.0.2.1") == 0;
	}
	return n;
}

static void ports_tell_legs_apart(void **state)
{
	struct desk *desk = *state;
	size_t n;

	netns_ip("rule add pref 9 iif lo to 203.0.113.9 lookup 52\n"
		 "route add default table 52 nexthop via 192.0.2.1 "
		 "nexthop via 192.0.2.9");
	assert_int_equal(
		sysctl_write_word("ipv4/fib_multipath_hash_policy", "1"), 0);
	n = count_first_leg(desk, true);
	assert_in_range(n, 1, 63);
	n = count_first_leg(desk, false);
	assert_true(n == 0 || n == 64);
	netns_ip("rule del pref 9");
}

static int make_network(void **state)
{
	(void)state;
	netns_links();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_replaced_route_leaves_nothing),
		TEST(a_deletion_hits_one_metric_only),
		TEST(a_deletion_hits_our_own_only),
		TEST(failures_are_named_in_order),
		TEST(a_rule_is_there_once),
		TEST(a_neighbour_is_kept),
		TEST(the_kernel_is_asked_for_one_packet),
		TEST(ports_tell_legs_apart),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
