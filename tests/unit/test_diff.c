/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ops between what is there and what is wanted, one situation at a time;
 * tests/property/prop_diff tries them all together.
 */
#include "core/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/scene.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* One managed subnet, table 7100, all as planned. */
#define HOST                                                                   \
	"link 2 a up\n"                                                        \
	"addr 192.0.2.2/24 dev a\n"                                            \
	"addr 2001:db8:a::2/64 dev a\n"                                        \
	"route 0.0.0.0/0 via 192.0.2.1 dev a\n"                                \
	"route 10.0.0.0/8 via 192.0.2.1 dev a\n"                               \
	"route ::/0 via 2001:db8:a::1 dev a\n"

struct diff_case {
	const char *event;
	const char *ops; /* each line ends in a newline */
	const char *why;
};

static const struct diff_case cases[] = {
	{"", "", "as planned"},
	{"route 10.1.0.0/16 via 192.0.2.1 dev a\n",
	 "new -4 route replace 10.1.0.0/16 via 192.0.2.1 dev a proto 109 "
	 "metric 1024 table 7100\n",
	 "new"},
	{"del route 10.0.0.0/8 via 192.0.2.1 dev a\n",
	 "-4 route del 10.0.0.0/8 via 192.0.2.1 dev a proto 109 metric 1024 "
	 "table 7100\n",
	 "gone"},
	{"route 10.0.0.0/8 dev a table 7100 metric 5 proto 3\n", "",
	 "somebody else's entry in our table stays"},
	{"route 10.9.0.0/16 dev a table 7100 metric 1024 proto 3\n", "",
	 "of a prefix we have nothing for, too"},
	{"route 10.9.0.0/16 dev a table 7100 metric 1024 proto 109\n",
	 "-4 route del 10.9.0.0/16 dev a proto 109 metric 1024 table 7100\n",
	 "one with our mark that is not planned goes"},
	{"route 10.9.0.0/16 dev a table 99 metric 1024 proto 109\n",
	 "-4 route del 10.9.0.0/16 dev a proto 109 metric 1024 table 99\n",
	 "from every table (the config's range may have changed)"},
	{"route 10.9.0.0/16 via 192.0.2.1 dev a table main proto 109\n",
	 "new -4 route replace 10.9.0.0/16 via 192.0.2.1 dev a proto 109 "
	 "metric 1024 table 7100\n",
	 "but main is nobody's of ours, whatever the mark"},
	{"del route 10.0.0.0/8 via 192.0.2.1 dev a table 7100 metric 1024\n",
	 "new -4 route replace 10.0.0.0/8 via 192.0.2.1 dev a proto 109 "
	 "metric 1024 table 7100\n",
	 "deleted by others"},
	{"del route 10.0.0.0/8 via 192.0.2.1 dev a table 7100 metric 1024\n"
	 "route 10.0.0.0/8 dev a table 7100 metric 1024 proto 109\n",
	 "-4 route replace 10.0.0.0/8 via 192.0.2.1 dev a proto 109 "
	 "metric 1024 table 7100\n",
	 "altered by others: one replace"},
	{"del route 10.0.0.0/8 via 192.0.2.1 dev a table 7100 metric 1024\n"
	 "route 10.0.0.0/8 via 192.0.2.1 dev a table 7100 metric 1024 "
	 "proto 3\n",
	 "-4 route replace 10.0.0.0/8 via 192.0.2.1 dev a proto 109 "
	 "metric 1024 table 7100\n",
	 "robbed of its mark"},
	{"route 10.0.0.0/8 dev a table 7100 metric 1024 proto 109\n",
	 "-4 route del 10.0.0.0/8 dev a proto 109 metric 1024 table 7100\n",
	 "a second of the same key goes"},
	{"route 10.0.0.0/8 dev a table 7100 tos 0x10 metric 1024 proto 109\n",
	 "-4 route del 10.0.0.0/8 tos 0x10 dev a proto 109 metric 1024 "
	 "table 7100\n",
	 "another TOS is another key"},
	{"del rule 7109 from 192.0.2.0/24 iif lo lookup 7100 proto 109\n",
	 "-4 rule add priority 7109 from 192.0.2.0/24 iif lo lookup 7100 "
	 "protocol 109\n",
	 "a rule deleted by others"},
	{"rule 7109 from 192.0.2.0/24 iif lo lookup 7100 proto 109\n"
	 "rule 7109 from 192.0.2.0/24 iif lo lookup 7100 proto 109\n",
	 "-4 rule del priority 7109 from 192.0.2.0/24 iif lo lookup 7100 "
	 "protocol 109\n"
	 "-4 rule del priority 7109 from 192.0.2.0/24 iif lo lookup 7100 "
	 "protocol 109\n",
	 "copies of our rule go"},
	{"rule 7109 from 192.0.2.0/24 iif lo lookup 7100 proto 3\n", "",
	 "somebody else's twin of it stays"},
	{"rule 7150 from 10.0.0.0/8 iif eth9 lookup 99 proto 109\n", "",
	 "one that we could not have made stays, whatever its mark"},
	{"rule 7150 from 10.0.0.0/8 lookup 99 proto 109\n",
	 "-4 rule del priority 7150 from 10.0.0.0/8 lookup 99 protocol 109\n",
	 "a rule with our mark that is not planned goes"},
	{"del rule 7109 from 192.0.2.0/24 iif lo lookup 7100 proto 109\n"
	 "rule 7109 from 192.0.2.0/24 lookup 7100 proto 109\n",
	 "-4 rule add priority 7109 from 192.0.2.0/24 iif lo lookup 7100 "
	 "protocol 109\n"
	 "-4 rule del priority 7109 from 192.0.2.0/24 lookup 7100 "
	 "protocol 109\n",
	 "an altered rule: the right one first"},
	{"neigh 192.0.2.1 dev a\n",
	 "-4 neigh replace 192.0.2.1 dev a proto 109 managed\n",
	 "a router that is no longer managed"},
	{"neigh 192.0.2.1 dev a permanent\n", "",
	 "one that somebody made permanent needs nothing"},
	{"neigh 192.0.2.99 dev a managed proto 109\n",
	 "-4 neigh del 192.0.2.99 dev a proto 109\n",
	 "an entry with our mark that no route uses"},
	{"neigh 192.0.2.99 dev a managed proto 3\n", "",
	 "somebody else's stays"},
};

/* Such an op comes early, see diff_order(). */
static bool is_insert(const struct op *op)
{
	return op->kind == OP_ROUTE_PUT && op->route.insert;
}

static void ops_of(struct scene *scene, char *ret)
{
	struct scene_plan plan = {0};
	struct op_vec ops = {0};
	size_t phase_end[DIFF_PHASES];
	const struct op *op;
	char text[OP_TEXT_MAX];

	*ret = '\0';
	scene_manage(scene);
	scene_plan_build(scene, &plan);
	scene_ops(scene, &plan, &ops, phase_end);
	vec_foreach(&ops, op)
		ret += sprintf(ret, "%s%s\n", is_insert(op) ? "new " : "",
			       op_format(op, &scene->model.rib.attrs,
					 &scene->model.links, text));
	vec_foreach(&ops, op)
		op_enter(&scene->model, op);
	vec_done(&ops);
	scene_plan_done(scene, &plan);
}

static void diff_reaches_the_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct scene scene;
		char text[2000];

		scene_make(&scene, HOST);
		scene_steady(&scene);
		scene_read(&scene, cases[i].event);
		ops_of(&scene, text);
		if (strcmp(text, cases[i].ops) != 0)
			fail_msg("%s(%s)\n%sinstead of\n%s", cases[i].event,
				 cases[i].why, text, cases[i].ops);
		ops_of(&scene, text);
		if (*text)
			fail_msg("%s(%s)\nagain: %s", cases[i].event,
				 cases[i].why, text);
		scene_done(&scene);
	}
}

/* --- order --- */

static struct op route_op(const char *prefix, uint32_t table, uint8_t tos,
			  enum op_kind kind, bool insert)
{
	struct op op = {.kind = kind};

	op.route.prefix = scene_prefix(prefix);
	op.route.route.table = table;
	op.route.route.tos = tos;
	op.route.route.metric = PLAN_METRIC;
	op.route.insert = insert;
	return op;
}

static struct op rule_op(uint32_t priority, enum op_kind kind)
{
	struct op op = {.kind = kind};

	op.rule.family = AF_INET;
	op.rule.priority = priority;
	op.rule.src = scene_prefix("192.0.2.0/24");
	op.rule.dst = ip_prefix_default(AF_INET);
	return op;
}

static struct op neighbour_op(enum op_kind kind)
{
	struct op op = {.kind = kind};

	op.neighbour.addr = scene_addr("192.0.2.1");
	return op;
}

static bool same_op(const struct op *a, const struct op *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case OP_ROUTE_PUT:
	case OP_ROUTE_DELETE:
		return ip_prefix_equal(&a->route.prefix, &b->route.prefix) &&
		       a->route.insert == b->route.insert &&
		       route_key_cmp(&a->route.route, &b->route.route) == 0;
	case OP_RULE_ADD:
	case OP_RULE_DELETE:
		return a->rule.priority == b->rule.priority;
	case OP_NEIGHBOUR_PUT:
	case OP_NEIGHBOUR_DELETE:
		break;
	}
	return true;
}

static void ops_are_put_in_order(void **state)
{
	const struct op ordered[] = {
		/* New hosts: pins among them. */
		route_op("10.1.1.1/32", 7100, 0, OP_ROUTE_PUT, true),
		/* Table by table; the longest first, TOS before plain. */
		route_op("10.1.1.0/24", 7100, 0, OP_ROUTE_PUT, true),
		route_op("10.1.0.0/16", 7100, 0x10, OP_ROUTE_PUT, true),
		route_op("10.1.0.0/16", 7100, 0, OP_ROUTE_PUT, true),
		route_op("10.0.0.0/8", 7100, 0, OP_ROUTE_PUT, true),
		route_op("10.1.0.0/16", 7101, 0, OP_ROUTE_PUT, true),
		/* Changed. */
		route_op("10.1.1.2/32", 7100, 0, OP_ROUTE_PUT, false),
		route_op("172.16.0.0/12", 7100, 0, OP_ROUTE_PUT, false),
		/* Rules: the first to be looked up comes first, goes last. */
		rule_op(7100, OP_RULE_ADD),
		rule_op(7109, OP_RULE_ADD),
		rule_op(7109, OP_RULE_DELETE),
		rule_op(7101, OP_RULE_DELETE),
		/* Gone: the shortest first. */
		route_op("0.0.0.0/0", 7100, 0, OP_ROUTE_DELETE, false),
		route_op("192.168.0.0/16", 7100, 0, OP_ROUTE_DELETE, false),
		route_op("192.168.0.0/16", 7100, 0x10, OP_ROUTE_DELETE, false),
		route_op("192.168.1.0/24", 7100, 0, OP_ROUTE_DELETE, false),
		neighbour_op(OP_NEIGHBOUR_PUT),
	};
	struct op_vec ops = {0};
	size_t phase_end[DIFF_PHASES];

	(void)state;
	/* From every rotation, back to front. */
	for (size_t turn = 0; turn < COUNT(ordered); turn++) {
		vec_clear(&ops);
		for (size_t i = COUNT(ordered); i-- > 0;)
			vec_push(&ops, ordered[(i + turn) % COUNT(ordered)]);
		diff_order(&ops, phase_end);
		for (size_t i = 0; i < COUNT(ordered); i++)
			if (!same_op(&ops.items[i], &ordered[i]))
				fail_msg("op %zu is out of place", i);
		assert_int_equal(phase_end[0], 1);
		assert_int_equal(phase_end[1], 8);
		assert_int_equal(phase_end[2], 12);
		assert_int_equal(phase_end[3], COUNT(ordered));
	}
	vec_done(&ops);
	diff_order(&ops, phase_end);
	assert_int_equal(phase_end[3], 0);
}

/*
 * IPv6: a source prefix is part of the kernel's key, so a put of ours does not
 * replace such an entry; whoever put it there, we must not try for ever.
 */
static void diff_leaves_source_routes_of_others(void **state)
{
	struct scene scene;
	char text[1000];

	(void)state;
	scene_make(&scene, HOST);
	assert_int_equal(scene_subnet(&scene, "2001:db8:a::/64", "a")->table,
			 7101);
	scene_steady(&scene);
	/* In the row before ours or behind it: theirs is no matter of ours. */
	scene_read(&scene, "prepend route ::/0 from 2001:db8::/32 dev a "
			   "table 7101 metric 1024 proto 3\n");
	ops_of(&scene, text);
	if (*text)
		fail_msg("before ours: %s", text);
	scene_read(&scene, "del route ::/0 from 2001:db8::/32 dev a "
			   "table 7101 metric 1024 proto 3\n"
			   "route ::/0 from 2001:db8::/32 dev a "
			   "table 7101 metric 1024 proto 3\n");
	ops_of(&scene, text);
	if (*text)
		fail_msg("behind ours: %s", text);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(diff_reaches_the_plan),
		cmocka_unit_test(ops_are_put_in_order),
		cmocka_unit_test(diff_leaves_source_routes_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
