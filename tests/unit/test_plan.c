/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/planned.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/scene.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define HOST                                                                   \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"link 5 wg0 up\n"                                                      \
	"addr 192.0.2.2/24 dev a\n"                                            \
	"addr 198.51.100.2/24 dev b\n"                                         \
	"addr 2001:db8:a::2/64 dev a\n"                                        \
	"route 0.0.0.0/0 via 192.0.2.1 dev a metric 100\n"                     \
	"route 0.0.0.0/0 via 198.51.100.1 dev b metric 200\n"                  \
	"route ::/0 via 2001:db8:a::1 dev a\n"

static void row_of(struct scene *scene, const char *prefix,
		   struct want_vec *ret)
{
	struct view view = scene_view(scene);
	struct ip_prefix key = scene_prefix(prefix);

	plan_row_build(&view, &key, rib_row(&scene->model.rib, &key),
		       &scene->model.rib.attrs, ret);
}

/* --- rules --- */

static void rules_of(const struct scene *scene, uint8_t family,
		     struct rule_vec *ret)
{
	struct view view = scene_view(scene);

	plan_rules_build(&view, family, ret);
}

static void priority_encodes_specificity(void **state)
{
	static const struct {
		const char *addr;
		uint32_t priority;
		const char *why;
	} cases[] = {
		{"10.0.0.2/8", 7125, "base + 1 + 32 - 8"},
		{"192.0.2.2/24", 7109, "base + 1 + 32 - 24"},
		{"192.0.2.2/31", 7102, "base + 1 + 32 - 31"},
		{"192.0.2.2/32", 7101, "base + 1"},
		{"2001:db8::2/32", 7197, "base + 1 + 128 - 32"},
		{"2001:db8::2/64", 7165, "base + 1 + 128 - 64"},
		{"2001:db8::2/128", 7101, "base + 1"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rule_vec rules = {0};
		char text[200];
		struct scene scene;
		bool v6 = strchr(cases[i].addr, ':');

		(void)snprintf(text, sizeof(text),
			       "policy interface a always\nlink 2 a up\n"
			       "addr %s dev a\n",
			       cases[i].addr);
		scene_make(&scene, text);
		rules_of(&scene, v6 ? AF_INET6 : AF_INET, &rules);
		assert_int_equal(rules.n, v6 ? 2 : 1);
		if (rules.items[v6].priority != cases[i].priority)
			fail_msg("%s: %u (%s)", cases[i].addr,
				 rules.items[v6].priority, cases[i].why);
		vec_done(&rules);
		scene_done(&scene);
	}
}

static void rules_say_who_they_are_for(void **state)
{
	struct rule_vec rules = {0};
	struct ip_prefix source = scene_prefix("2001:db8:a::/64");
	struct ip_prefix link_local = scene_prefix("fe80::/10");
	const struct rule *rule;
	struct scene scene;

	(void)state;
	scene_make(&scene, HOST);
	rules_of(&scene, AF_INET6, &rules);
	assert_int_equal(rules.n, 2);
	vec_foreach(&rules, rule) {
		assert_int_equal(rule->family, AF_INET6);
		assert_int_equal(rule->action, RULE_ACTION_LOOKUP);
		assert_int_equal(rule->protocol, 109);
		assert_true(rule->iif_lo);
		assert_int_equal(rule->suppress_len, -1);
	}
	/* Before every source. */
	assert_int_equal(rules.items[0].priority, 7100);
	assert_true(ip_prefix_equal(&rules.items[0].dst, &link_local));
	assert_int_equal(rules.items[0].src.len, 0);
	assert_int_equal(rules.items[0].table, ROUTE_TABLE_MAIN);
	assert_true(ip_prefix_equal(&rules.items[1].src, &source));
	assert_int_equal(rules.items[1].dst.len, 0);
	vec_done(&rules);
	scene_done(&scene);
}

static void no_rule_without_a_table(void **state)
{
	struct rule_vec rules = {0};
	struct want_vec wants = {0};
	struct subnet *subnet;
	struct scene scene;

	(void)state;
	scene_make(&scene, HOST);
	vec_foreach(&scene.subnets.subnets, subnet)
		subnet->table = 0;
	rules_of(&scene, AF_INET, &rules);
	rules_of(&scene, AF_INET6, &rules);
	assert_int_equal(rules.n, 0);
	/* And nothing to put there: table 0 is the config's. */
	row_of(&scene, "0.0.0.0/0", &wants);
	assert_int_equal(wants.n, 0);
	scene_done(&scene);
}

static void policy_moves_priorities_and_mark(void **state)
{
	struct rule_vec rules = {0};
	struct scene scene;

	(void)state;
	scene_init(&scene);
	scene.policy.rule_priority = 1000;
	scene.policy.protocol = 77;
	scene.policy.table_first = 500;
	scene.policy.table_last = 600;
	scene_read(&scene, HOST);
	scene_manage(&scene);
	rules_of(&scene, AF_INET, &rules);
	assert_int_equal(rules.n, 2);
	assert_int_equal(rules.items[0].priority, 1009);
	assert_int_equal(rules.items[0].protocol, 77);
	assert_int_equal(rules.items[0].table, 500);
	vec_done(&rules);
	scene_done(&scene);
}

/* --- tunnels --- */

#define WG "route 0.0.0.0/0 dev wg0 table 51820\n"

static const struct {
	const char *text;
	uint32_t priority; /* 0: no tunnel */
	const char *why;
} tunnels[] = {
	{WG "rule 5210 lookup 51820", 5210, "catches everything"},
	{WG "rule 9000 lookup 51820", 9000, "also behind our rules"},
	{WG "rule 5210 not fwmark 0xca6c/0xffffffff lookup 51820", 5210,
	 "wg-quick: catches what has no mark"},
	{WG "rule 5210 fwmark 0xca6c/0xffffffff lookup 51820", 0,
	 "catches the marked only"},
	{WG "rule 5210 fwmark 0/0xff lookup 51820", 5210, "asks for no mark"},
	{WG "rule 5210 not fwmark 0/0xff lookup 51820", 0, "asks for any mark"},
	{WG "rule 5210 from 192.0.2.0/24 lookup 51820", 0, "one source"},
	{WG "rule 5210 to 10.0.0.0/8 lookup 51820", 0, "one destination"},
	{WG "rule 5210 iif lo lookup 51820", 5210, "this host's packets"},
	{WG "rule 5210 iif eth9 lookup 51820", 0, "forwarded packets"},
	{WG "rule 5210 oif wg0 lookup 51820", 0, "bound sockets"},
	{WG "rule 5210 tos 0x10 lookup 51820", 0, "some packets"},
	{WG "rule 5210 lookup 51820 suppress_prefixlength 0", 0,
	 "does not use the default"},
	{WG "rule 5210 lookup main", 0, "table main"},
	{"route 0.0.0.0/0 dev wg0 table 253\nrule 5210 lookup 253", 0,
	 "table default"},
	{"route 0.0.0.0/0 dev wg0 table 255\nrule 5210 lookup 255", 0,
	 "table local"},
	{"route 0.0.0.0/0 dev wg0 table 7555\nrule 5210 lookup 7555", 5210,
	 "a number of our range"},
	{"route 0.0.0.0/0 dev wg0 table 7555 proto 109\n"
	 "rule 5210 lookup 7555",
	 0, "a table of ours"},
	{WG "rule 32767 lookup 51820", 0, "behind main"},
	{WG "rule 5210 lookup 51820 proto 109", 0, "our own"},
	{"rule 5210 lookup 51820", 0, "no default in it"},
	{"route 10.0.0.0/8 dev wg0 table 51820\nrule 5210 lookup 51820", 0,
	 "no default either: a split tunnel"},
	{"route unreachable 0.0.0.0/0 table 51820\nrule 5210 lookup 51820",
	 5210, "a kill switch"},
	{"route throw 0.0.0.0/0 table 51820\nrule 5210 lookup 51820", 0,
	 "throw: the lookup goes on"},
	{WG "rule 5210 lookup 51820 inet6", 0, "the other family"},
	{WG "rule 9000 lookup 51820\nrule 5210 lookup 51820", 5210,
	 "the first of two"},
};

static void full_tunnel_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tunnels); i++) {
		struct scene scene;
		struct view view;
		struct tunnel tunnel;
		uint32_t table = strstr(tunnels[i].text, "7555") ? 7555 : 51820;

		scene_init(&scene);
		scene_read(&scene, HOST);
		scene_read(&scene, tunnels[i].text);
		scene_manage(&scene);
		view = scene_view(&scene);
		tunnel = plan_tunnel_find(&view, AF_INET);
		if (tunnel.found != (tunnels[i].priority != 0) ||
		    tunnel.priority != tunnels[i].priority ||
		    (tunnel.found && tunnel.table != table))
			fail_msg("%s (%s): %d, priority %u", tunnels[i].text,
				 tunnels[i].why, tunnel.found, tunnel.priority);
		assert_false(plan_tunnel_find(&view, AF_INET6).found);
		scene_done(&scene);
	}
}

static void tunnel_is_yielded_to_per_family(void **state)
{
	struct rule_vec rules = {0};
	struct scene scene;

	(void)state;
	scene_make(&scene, HOST WG "rule 5210 lookup 51820\n");
	rules_of(&scene, AF_INET, &rules);
	assert_int_equal(rules.n, 0);
	rules_of(&scene, AF_INET6, &rules);
	assert_int_equal(rules.n, 2);
	vec_done(&rules);
	scene_done(&scene);
}

static void overridden_tunnel_comes_after_our_rules(void **state)
{
	static const struct {
		const char *rule;
		uint32_t limit;
		const char *why;
	} cases[] = {
		{"rule 5210 lookup 51820", 5210, "before ours otherwise"},
		{"rule 7110 lookup 51820", 7110, "amidst ours otherwise"},
		{"rule 9000 lookup 51820", 7300, "behind ours anyway"},
		{"rule 300 lookup 51820", 300, "hardly room"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rule_vec rules = {0};
		const struct rule *rule;
		struct scene scene;

		scene_init(&scene);
		scene_read(&scene, "policy vpn override\n" HOST WG);
		scene_read(&scene, cases[i].rule);
		scene_manage(&scene);
		rules_of(&scene, AF_INET, &rules);
		assert_int_equal(rules.n, 2);
		vec_foreach(&rules, rule)
			if (rule->priority >= cases[i].limit)
				fail_msg("%s (%s): %u", cases[i].rule,
					 cases[i].why, rule->priority);
		vec_done(&rules);
		scene_done(&scene);
	}
}

/* --- rows --- */

/* The one entry of @table for @prefix at PLAN_METRIC. */
static const struct want *want_in(const struct want_vec *wants, uint32_t table)
{
	const struct want *found = NULL;
	const struct want *it;

	vec_foreach(wants, it) {
		if (it->table != table || it->metric != PLAN_METRIC)
			continue;
		assert_null(found);
		found = it;
	}
	return found;
}

/* The kernel refuses what is planned; @ret_id keeps that known. */
static void refuse(struct scene *scene, const char *prefix, uint32_t *ret_id)
{
	struct attrset_store *attrs = &scene->model.rib.attrs;
	struct want_vec wants = {0};

	row_of(scene, prefix, &wants);
	*ret_id = want_in(&wants, 7100)->attrs;
	attrset_ref(attrs, *ret_id);
	attrset_refuse(attrs, *ret_id, true);
	plan_row_done(attrs, &wants);
	vec_done(&wants);
}

/* "onlink" lifts the check that a gateway lies in a connected prefix. */
static void refused_copy_is_tried_onlink(void **state)
{
	struct want_vec wants = {0};
	const struct attrset *set;
	struct scene scene;
	uint32_t id;

	(void)state;
	scene_make(&scene, HOST "route 10.0.0.0/8 nhid 9 mtu 1400 "
				"nexthop via 192.0.2.1 dev a "
				"nexthop via 192.0.2.3 dev a weight 5\n");
	refuse(&scene, "10.0.0.0/8", &id);
	row_of(&scene, "10.0.0.0/8", &wants);
	set = attrset_get(&scene.model.rib.attrs, want_in(&wants, 7100)->attrs);
	assert_int_equal(set->type, ATTRSET_UNICAST);
	assert_int_equal(set->nh_id, 0);
	assert_true(set->route_extra_len > 0);
	assert_int_equal(set->hops.n, 2);
	for (size_t i = 0; i < set->hops.n; i++)
		assert_int_equal(set->hops.items[i].flags, NEXT_HOP_ONLINK);
	assert_int_equal(set->hops.items[1].weight, 4);
	plan_row_done(&scene.model.rib.attrs, &wants);
	attrset_unref(&scene.model.rib.attrs, id);
	vec_done(&wants);
	scene_done(&scene);
}

static void twice_refused_copy_is_left_to_main_or_dropped(void **state)
{
	static const struct {
		const char *policy;
		const char *route;
		uint8_t type;
		const char *why;
	} cases[] = {
		{"policy model weak",
		 "route 10.0.0.0/8 via 192.0.2.1 dev a src 192.0.2.2\n",
		 ATTRSET_THROW, "main has the route"},
		{"policy model strong",
		 "route 10.0.0.0/8 via 192.0.2.1 dev a src 192.0.2.2\n",
		 ATTRSET_UNREACHABLE, "fails closed"},
		{"policy route 10.0.0.0/8 via 192.0.2.1 dev a metric 9", "",
		 ATTRSET_UNREACHABLE, "main would take a shorter prefix"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct want_vec wants = {0};
		struct attrset_store *attrs;
		struct scene scene;
		uint32_t ids[2];

		scene_init(&scene);
		scene_read(&scene, cases[i].policy);
		scene_read(&scene, HOST);
		scene_read(&scene, cases[i].route);
		scene_manage(&scene);
		attrs = &scene.model.rib.attrs;
		refuse(&scene, "10.0.0.0/8", &ids[0]);
		refuse(&scene, "10.0.0.0/8", &ids[1]);
		assert_int_not_equal(ids[0], ids[1]);

		row_of(&scene, "10.0.0.0/8", &wants);
		if (attrset_get(attrs, want_in(&wants, 7100)->attrs)->type !=
		    cases[i].type)
			fail_msg("%s (%s)", cases[i].policy, cases[i].why);
		plan_row_done(attrs, &wants);
		attrset_unref(attrs, ids[0]);
		attrset_unref(attrs, ids[1]);
		vec_done(&wants);
		scene_done(&scene);
	}
}

static void refs_are_given_back(void **state)
{
	struct want_vec wants = {0};
	struct attrset_store *attrs;
	uint32_t used;
	struct scene scene;

	(void)state;
	scene_make(&scene, "policy interface a strong\n" HOST
			   "route 10.0.0.0/8 via 192.0.2.1 dev a "
			   "src 192.0.2.2\nroute throw 10.9.0.0/16\n");
	attrs = &scene.model.rib.attrs;
	used = attrs->used;
	row_of(&scene, "10.0.0.0/8", &wants);
	row_of(&scene, "0.0.0.0/0", &wants);
	row_of(&scene, "10.9.0.0/16", &wants);
	row_of(&scene, "::/0", &wants);
	assert_true(attrs->used > used);
	plan_row_done(attrs, &wants);
	assert_int_equal(wants.n, 0);
	assert_int_equal(attrs->used, used);
	vec_done(&wants);
	scene_done(&scene);
}

static void row_of_nothing(void **state)
{
	struct want_vec wants = {0};
	struct scene scene;

	(void)state;
	scene_make(&scene, "policy interface a strong\n" HOST);
	row_of(&scene, "203.0.113.0/24", &wants);
	assert_int_equal(wants.n, 0);
	row_of(&scene, "fe80::/64", &wants);
	assert_int_equal(wants.n, 0);
	scene_done(&scene);

	/* Strong: the default's row has a tail even so. */
	scene_make(&scene, "policy interface a always strong\nlink 2 a up\n"
			   "addr 192.0.2.2/24 dev a\n");
	row_of(&scene, "0.0.0.0/0", &wants);
	assert_int_equal(wants.n, 1);
	assert_int_equal(wants.items[0].metric, PLAN_TAIL_METRIC);
	plan_row_done(&scene.model.rib.attrs, &wants);
	row_of(&scene, "::/0", &wants);
	assert_int_equal(wants.n, 0);
	vec_done(&wants);
	scene_done(&scene);
}

/* --- routers --- */

static void routers_in_use_are_kept(void **state)
{
	static const struct {
		const char *more;
		const char *routers;
		const char *why;
	} cases[] = {
		{"", "192.0.2.1 a, 2001:db8:a::1 a, 198.51.100.1 b, ",
		 "by link, then address"},
		{"route 10.0.0.0/8 via 192.0.2.1 dev a metric 5\n"
		 "route 10.1.0.0/16 nexthop via 192.0.2.9 dev a "
		 "nexthop via inet6 fe80::1 dev b\n",
		 "192.0.2.1 a, 192.0.2.9 a, 2001:db8:a::1 a, 198.51.100.1 b, "
		 "fe80::1 b, ",
		 "each once, every leg"},
		{"route 10.0.0.0/8 dev a\nroute unreachable 10.1.0.0/16\n",
		 "192.0.2.1 a, 2001:db8:a::1 a, 198.51.100.1 b, ",
		 "no gateway, no router"},
		{"route 10.0.0.0/8 via 10.9.9.9 dev wg0 onlink\n",
		 "192.0.2.1 a, 2001:db8:a::1 a, 198.51.100.1 b, ",
		 "not on local links"},
		{"link 3 b down\n", "192.0.2.1 a, 2001:db8:a::1 a, ",
		 "not on links that are down"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct neighbour_vec routers = {0};
		const struct neighbour *it;
		struct scene scene;
		struct view view;
		char text[300] = "";
		char addr[IP_TEXT_MAX];

		scene_init(&scene);
		scene_read(&scene, HOST);
		scene_read(&scene, cases[i].more);
		scene_manage(&scene);
		view = scene_view(&scene);
		plan_routers_build(&view, &routers);
		vec_foreach(&routers, it)
			(void)sprintf(
				text + strlen(text), "%s %s, ",
				ip_addr_format(&it->addr, addr),
				model_link(&scene.model, it->ifindex)->name);
		if (strcmp(text, cases[i].routers) != 0)
			fail_msg("%s\ninstead of\n%s\n(%s)", text,
				 cases[i].routers, cases[i].why);
		vec_done(&routers);
		scene_done(&scene);
	}
}

/* However many kinds of rows there are, a round knows those it asked for. */
static void a_plan_knows_what_was_asked_of_it(void **state)
{
	enum {
		ROWS = 1000
	};
	struct planned planned;
	struct planned_row rows[ROWS];
	struct ip_prefix prefix;
	struct scene scene;
	struct view view;
	char text[96];

	(void)state;
	scene_make(&scene, HOST);
	for (unsigned int i = 0; i < ROWS; i++) {
		(void)snprintf(text, sizeof(text),
			       "route 172.%u.%u.0/24 via 192.0.2.1 dev a "
			       "metric %u",
			       i >> 8, i & 255, 7 + i);
		assert_int_equal(scene_line(&scene, text), 0);
	}
	view = scene_view(&scene);
	planned_begin(&planned, &view, &scene.model.rib);
	prefix = scene_prefix("172.3.1.0/24");
	assert_int_equal(planned_row(&planned, &prefix).n, 2);
	assert_int_equal(planned.kinds.n, 1);
	for (int again = 0; again < 2; again++)
		for (unsigned int i = 0; i < ROWS; i++) {
			struct planned_row row;

			(void)snprintf(text, sizeof(text), "172.%u.%u.0/24",
				       i >> 8, i & 255);
			prefix = scene_prefix(text);
			row = planned_row(&planned, &prefix);
			assert_int_equal(row.n, 2);
			if (again)
				assert_int_equal(row.first, rows[i].first);
			rows[i] = row;
		}
	assert_int_equal(planned.kinds.n, ROWS);
	planned_done(&planned);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priority_encodes_specificity),
		cmocka_unit_test(rules_say_who_they_are_for),
		cmocka_unit_test(no_rule_without_a_table),
		cmocka_unit_test(policy_moves_priorities_and_mark),
		cmocka_unit_test(full_tunnel_is_found),
		cmocka_unit_test(tunnel_is_yielded_to_per_family),
		cmocka_unit_test(overridden_tunnel_comes_after_our_rules),
		cmocka_unit_test(refused_copy_is_tried_onlink),
		cmocka_unit_test(twice_refused_copy_is_left_to_main_or_dropped),
		cmocka_unit_test(refs_are_given_back),
		cmocka_unit_test(row_of_nothing),
		cmocka_unit_test(routers_in_use_are_kept),
		cmocka_unit_test(a_plan_knows_what_was_asked_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
