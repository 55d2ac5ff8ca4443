/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one round of work was, from events and ops made up for an engine that
 * has no kernel.
 */
#include "round/round.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/scene.h"

#define HOST                                                                   \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 1\n"                        \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 2\n"                        \
	"route 192.0.2.0/25 via 10.1.0.9 dev a\n"                              \
	"neigh 10.1.0.9 dev a failed\n"

/* An engine whose model, policy and subnets are the scene's. */
struct stage {
	struct scene scene;
	struct engine engine;
	struct round round;
	uint64_t us;
};

static void look(struct stage *stage)
{
	scene_manage(&stage->scene);
	stage->engine.model = stage->scene.model;
	stage->engine.subnets = stage->scene.subnets;
	/* Nothing waits: the engine is steady unless a test says otherwise. */
	memset(&stage->engine.model.changes, 0,
	       sizeof(stage->engine.model.changes));
	stage->engine.model.rib.dirty.n = 0;
}

static void set_up(struct stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	scene_make(&stage->scene, HOST);
	stage->engine.policy = &stage->scene.policy;
	stage->us = 1000000;
	look(stage);
	round_init(&stage->round, &stage->engine, stage->us);
}

static void take_down(struct stage *stage)
{
	round_done(&stage->round);
	scene_done(&stage->scene);
}

static void hear(struct stage *stage, const struct kernel_event *event)
{
	stage->engine.observer.heard(&stage->engine, event,
				     stage->engine.observer.data);
}

static void write_op(struct stage *stage, const struct op *op)
{
	stage->engine.observer.wrote(&stage->engine, op,
				     stage->engine.observer.data);
}

static void subnets_changed(struct stage *stage)
{
	stage->engine.observer.subnets(&stage->engine, &stage->scene.subnets,
				       stage->engine.observer.data);
}

static bool end(struct stage *stage)
{
	return round_end(&stage->round, &stage->engine, stage->us);
}

/* The round of the start is over. */
static void start(struct stage *stage)
{
	subnets_changed(stage);
	(void)end(stage);
	round_begin(&stage->round, stage->us);
}

static struct op rule_op(enum op_kind kind)
{
	struct op op = {.kind = kind};

	op.rule = (struct rule){
		.family = AF_INET,
		.priority = 7109,
		.src = scene_prefix("10.1.0.0/24"),
		.dst = scene_prefix("0.0.0.0/0"),
		.table = 7100,
		.action = RULE_ACTION_LOOKUP,
		.protocol = 109,
		.iif_lo = true,
		.suppress_len = -1,
	};
	return op;
}

static struct kernel_event link_event(const char *name, uint32_t ifindex,
				      bool up, bool carrier)
{
	struct kernel_event event = {.kind = KERNEL_LINK};

	event.link =
		(struct link){.ifindex = ifindex, .up = up, .carrier = carrier};
	(void)snprintf(event.link.name, sizeof(event.link.name), "%s", name);
	return event;
}

static struct kernel_event address_event(const char *addr, bool deleted)
{
	struct kernel_event event = {.kind = KERNEL_ADDRESS,
				     .deleted = deleted};

	event.address = (struct address){
		.ifindex = 2,
		.local = scene_addr(addr),
		.peer = scene_addr(addr),
		.prefix_len = 24,
	};
	return event;
}

static struct kernel_event neighbour_event(const char *addr, bool failed)
{
	struct kernel_event event = {.kind = KERNEL_NEIGHBOUR};

	event.neighbour = (struct neighbour){
		.ifindex = 2, .addr = scene_addr(addr), .failed = failed};
	return event;
}

/* Frees with attrset_done(&event.route.set). */
static struct kernel_event route_event(const char *prefix, uint32_t table,
				       uint32_t port)
{
	const struct next_hop hop = {.ifindex = 2,
				     .gateway = scene_addr("10.1.0.1")};
	struct kernel_event event = {.kind = KERNEL_ROUTE, .port = port};

	event.route.prefix = scene_prefix(prefix);
	event.route.route.table = table;
	event.route.route.protocol = table == 254 ? 3 : 109;
	attrset_init(&event.route.set, AF_INET, ATTRSET_UNICAST);
	attrset_add_hop(&event.route.set, &hop, NULL, 0);
	return event;
}

/* --- events in words --- */

static void says(const struct stage *stage, const struct kernel_event *event,
		 const char *line, const char *news)
{
	char text[HEARD_TEXT_MAX];
	bool is_news = heard_rank(&stage->engine, event) != HEARD_NOTHING;

	assert_string_equal(heard_line(&stage->engine, event, text), line);
	assert_int_equal(is_news, news != NULL);
	if (news)
		assert_string_equal(
			heard_news(&stage->engine, event, text, sizeof(text)),
			news);
}

static void links_in_words(void **state)
{
	static const struct {
		const char *name;
		uint32_t ifindex;
		bool up;
		bool carrier;
		const char *line;
		const char *news;
	} cases[] = {
		{"a", 2, true, true, "link a up", NULL},
		{"a", 2, true, false, "link a up, no carrier",
		 "a lost its carrier"},
		{"a", 2, false, false, "link a down", "a went down"},
		{"z", 2, true, true, "link z up, was a", "a is called z now"},
		{"c", 9, false, false, "link c down, new", "c is new"},
	};
	struct stage stage;

	(void)state;
	set_up(&stage);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct kernel_event event =
			link_event(cases[i].name, cases[i].ifindex, cases[i].up,
				   cases[i].carrier);

		says(&stage, &event, cases[i].line, cases[i].news);
	}
	take_down(&stage);
}

static void links_that_go_or_have_a_master(void **state)
{
	struct kernel_event event = link_event("a", 2, true, true);
	struct stage stage;

	(void)state;
	set_up(&stage);
	event.link.master = 3;
	says(&stage, &event, "link a up, master b", "a has another master");
	event = link_event("a", 2, false, false);
	event.deleted = true;
	says(&stage, &event, "link a gone", "a is gone");
	event.link.ifindex = 77;
	says(&stage, &event, "link a gone", NULL);
	take_down(&stage);
}

static void addresses_in_words(void **state)
{
	struct kernel_event event;
	struct stage stage;

	(void)state;
	set_up(&stage);
	event = address_event("10.1.0.2", false);
	says(&stage, &event, "address 10.1.0.2/24 on a", NULL);
	event.address.deprecated = true;
	says(&stage, &event, "address 10.1.0.2/24 on a, deprecated",
	     "address 10.1.0.2/24 on a is deprecated now");
	event = address_event("10.1.0.2", true);
	says(&stage, &event, "address 10.1.0.2/24 on a gone",
	     "address 10.1.0.2/24 on a is gone");
	event = address_event("10.7.0.2", false);
	event.address.tentative = true;
	says(&stage, &event, "address 10.7.0.2/24 on a, tentative",
	     "address 10.7.0.2/24 on a is new");
	event = address_event("10.7.0.2", true);
	says(&stage, &event, "address 10.7.0.2/24 on a gone", NULL);
	take_down(&stage);
}

static void routes_in_words(void **state)
{
	static const struct {
		uint32_t table;
		uint32_t port;
		bool deleted;
		const char *line;
		const char *news;
	} cases[] = {
		{254, 0, false,
		 "route 192.0.2.0/24 via 10.1.0.1 dev a proto 3 table main: "
		 "added",
		 "the route 192.0.2.0/24 via 10.1.0.1 on a was added"},
		{254, 7, true,
		 "route 192.0.2.0/24 via 10.1.0.1 dev a proto 3 table main: "
		 "gone (port 7)",
		 "the route 192.0.2.0/24 via 10.1.0.1 on a was removed"},
		{7100, 0, true,
		 "route 192.0.2.0/24 via 10.1.0.1 dev a proto 109 table 7100: "
		 "gone",
		 "our route 192.0.2.0/24 via 10.1.0.1 on a in table 7100 was "
		 "removed by the kernel"},
		{7100, 7, true,
		 "route 192.0.2.0/24 via 10.1.0.1 dev a proto 109 table 7100: "
		 "gone (port 7)",
		 "our route 192.0.2.0/24 via 10.1.0.1 on a in table 7100 was "
		 "removed by another program (port 7)"},
	};
	struct stage stage;

	(void)state;
	set_up(&stage);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kernel_event event = route_event(
			"192.0.2.0/24", cases[i].table, cases[i].port);

		event.deleted = cases[i].deleted;
		says(&stage, &event, cases[i].line, cases[i].news);
		attrset_done(&event.route.set);
	}
	take_down(&stage);
}

static void the_rest_in_words(void **state)
{
	struct kernel_event event;
	struct stage stage;

	(void)state;
	set_up(&stage);
	event = neighbour_event("10.1.0.1", true);
	says(&stage, &event, "neighbour 10.1.0.1 on a: does not answer",
	     "router 10.1.0.1 on a does not answer");
	event.neighbour.failed = false;
	says(&stage, &event, "neighbour 10.1.0.1 on a: answers", NULL);
	event = neighbour_event("10.1.0.9", false);
	says(&stage, &event, "neighbour 10.1.0.9 on a: answers",
	     "router 10.1.0.9 on a answers again");
	event = neighbour_event("10.1.0.77", true); /* no router */
	says(&stage, &event, "neighbour 10.1.0.77 on a: does not answer", NULL);
	event = neighbour_event("10.1.0.9", false);
	event.neighbour.unresolved = true;
	says(&stage, &event, "neighbour 10.1.0.9 on a: asked", NULL);

	event = (struct kernel_event){.kind = KERNEL_RULE, .deleted = true};
	event.rule = rule_op(OP_RULE_ADD).rule;
	says(&stage, &event,
	     "rule -4 priority 7109 from 10.1.0.0/24 iif lo lookup 7100 "
	     "protocol 109: gone",
	     "our rule for 10.1.0.0/24 was removed");
	event = (struct kernel_event){.kind = KERNEL_NEXTHOP, .nexthop_id = 5};
	says(&stage, &event, "nexthop 5 changed", "nexthop object 5 changed");
	event = (struct kernel_event){.kind = KERNEL_LOST};
	says(&stage, &event, "messages were lost",
	     "messages of the kernel were lost");
	event = (struct kernel_event){.kind = KERNEL_BAD, .bad = "too short"};
	says(&stage, &event, "a message that makes no sense: too short", NULL);
	take_down(&stage);
}

/* --- rounds --- */

static void the_start_is_the_first_round(void **state)
{
	struct op op = rule_op(OP_RULE_ADD);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	set_up(&stage);
	subnets_changed(&stage);
	write_op(&stage, &op);
	assert_true(end(&stage));
	assert_int_equal(stage.round.cause, ROUND_START);
	assert_int_equal(stage.round.planned.kept.n, 2);
	assert_string_equal(stage.round.planned.kept.items[1],
			    "10.2.0.0/24 on b: managed now, table 7101, "
			    "congruent");
	assert_string_equal(
		change_format(&stage.round.last, text),
		"the daemon started: 1 rule written; "
		"10.1.0.0/24 on a is managed now, table 7100, congruent; "
		"10.2.0.0/24 on b is managed now, table 7101, congruent");
	/* Nothing was heard: no latency to count. */
	assert_int_equal(stage.round.event_to_kernel.count, 0);
	take_down(&stage);
}

static void a_quiet_round_is_not_told(void **state)
{
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	assert_false(end(&stage));
	assert_int_equal(stage.round.cause, ROUND_TIMER);
	assert_int_equal(stage.round.last.at_ms, 0);
	take_down(&stage);
}

static void lines_are_made_for_listeners_only(void **state)
{
	const struct kernel_event event = link_event("a", 2, true, false);
	struct op op = rule_op(OP_RULE_ADD);
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	hear(&stage, &event);
	write_op(&stage, &op);
	assert_true(end(&stage));
	assert_int_equal(stage.round.n_heard + stage.round.n_wrote, 2);
	assert_int_equal(stage.round.heard.kept.n, 0);
	assert_int_equal(stage.round.wrote.kept.n, 0);

	stage.round.is_listening = true;
	round_begin(&stage.round, stage.us);
	assert_int_equal(stage.round.n_heard + stage.round.n_wrote, 0);
	hear(&stage, &event);
	write_op(&stage, &op);
	assert_true(end(&stage));
	assert_int_equal(stage.round.cause, ROUND_KERNEL);
	assert_string_equal(stage.round.heard.kept.items[0],
			    "link a up, no carrier");
	assert_string_equal(stage.round.wrote.kept.items[0],
			    "-4 rule add priority 7109 from 10.1.0.0/24 iif lo "
			    "lookup 7100 protocol 109");
	take_down(&stage);
}

static void long_lists_are_cut(void **state)
{
	const struct kernel_event event = link_event("a", 2, true, true);
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	stage.round.is_listening = true;
	for (size_t i = 0; i < LINES_MAX + 7; i++)
		hear(&stage, &event);
	assert_true(end(&stage));
	assert_int_equal(stage.round.n_heard, LINES_MAX + 7);
	assert_int_equal(stage.round.heard.kept.n, LINES_MAX);
	assert_int_equal(stage.round.heard.more, 7);
	take_down(&stage);
}

static void failures_are_told_with_the_reason(void **state)
{
	const struct kernel_failure failure = {.error = -EPERM, .why = "no"};
	struct op op = rule_op(OP_RULE_DELETE);
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	stage.round.is_listening = true;
	stage.engine.observer.failed(&stage.engine, &op, &failure,
				     stage.engine.observer.data);
	assert_true(end(&stage));
	assert_string_equal(stage.round.failed.kept.items[0],
			    "-4 rule del priority 7109 from 10.1.0.0/24 iif lo "
			    "lookup 7100 protocol 109: Operation not "
			    "permitted, no");
	take_down(&stage);
}

static void the_time_is_from_waking_up_to_the_last_write(void **state)
{
	const struct kernel_event event = link_event("a", 2, true, true);
	struct op op = rule_op(OP_RULE_ADD);
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	hear(&stage, &event);
	write_op(&stage, &op);
	stage.us += 333;
	assert_true(end(&stage));
	assert_int_equal(stage.round.took_us, 333);
	assert_int_equal(stage.round.event_to_kernel.count, 1);
	assert_int_equal(stage.round.event_to_kernel.sum_us, 333);

	/* What only waited for its time is not counted. */
	round_begin(&stage.round, stage.us);
	write_op(&stage, &op);
	assert_true(end(&stage));
	assert_int_equal(stage.round.event_to_kernel.count, 1);
	take_down(&stage);
}

/* --- changes --- */

static void carrier_loss_in_one_sentence(void **state)
{
	const struct kernel_event event = link_event("b", 3, true, false);
	struct op op = rule_op(OP_RULE_ADD);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	hear(&stage, &event);
	scene_read(&stage.scene, "link 3 b up no-carrier\n");
	look(&stage);
	write_op(&stage, &op);
	assert_true(end(&stage));
	assert_string_equal(stage.round.planned.kept.items[0],
			    "10.2.0.0/24 on b: weak now (was congruent)");
	assert_string_equal(change_format(&stage.round.last, text),
			    "b lost its carrier: 1 rule written; "
			    "10.2.0.0/24 on b is weak now");
	take_down(&stage);
}

static void the_best_explanation_counts(void **state)
{
	struct kernel_event route = route_event("192.0.2.0/24", 254, 0);
	const struct kernel_event link = link_event("b", 3, false, false);
	struct op op = rule_op(OP_RULE_DELETE);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	hear(&stage, &route);
	hear(&stage, &route);
	write_op(&stage, &op);
	assert_true(end(&stage));
	assert_string_equal(change_format(&stage.round.last, text),
			    "the route 192.0.2.0/24 via 10.1.0.1 on a was "
			    "added (and 1 more change of routes): 1 rule "
			    "removed");
	round_begin(&stage.round, stage.us);
	hear(&stage, &route);
	hear(&stage, &link);
	hear(&stage, &route);
	write_op(&stage, &op);
	assert_true(end(&stage));
	assert_string_equal(change_format(&stage.round.last, text),
			    "b went down: 1 rule removed");
	attrset_done(&route.route.set);
	take_down(&stage);
}

static void a_change_grows_until_the_daemon_is_steady(void **state)
{
	const struct kernel_event event = link_event("b", 3, false, false);
	struct op add = rule_op(OP_RULE_ADD);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	hear(&stage, &event);
	stage.engine.retry_ms = UINT64_MAX; /* something waits */
	assert_true(end(&stage));
	assert_int_equal(stage.round.last.at_ms, 0);

	round_begin(&stage.round, stage.us);
	write_op(&stage, &add);
	assert_true(end(&stage));
	round_begin(&stage.round, stage.us);
	write_op(&stage, &add);
	stage.engine.retry_ms = 0;
	assert_true(end(&stage));
	assert_string_equal(change_format(&stage.round.last, text),
			    "b went down: 2 rules written");

	/* That story is over. */
	round_begin(&stage.round, stage.us);
	write_op(&stage, &add);
	assert_true(end(&stage));
	assert_string_equal(change_format(&stage.round.last, text),
			    "a time ran out: 1 rule written");
	take_down(&stage);
}

static void a_change_does_not_grow_for_ever(void **state)
{
	const struct kernel_event event = link_event("b", 3, false, false);
	struct op add = rule_op(OP_RULE_ADD);
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	stage.engine.retry_ms = UINT64_MAX;
	for (int i = 0; i < 100; i++) {
		hear(&stage, &event);
		write_op(&stage, &add);
		assert_true(end(&stage));
		stage.us += 1000000;
		round_begin(&stage.round, stage.us);
	}
	assert_true(stage.round.last.ops[OP_RULE_ADD] < 10);
	take_down(&stage);
}

static void a_new_configuration_is_a_cause(void **state)
{
	struct op add = rule_op(OP_RULE_ADD);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	set_up(&stage);
	start(&stage);
	round_led(&stage.round, "the configuration was read again");
	scene_read(&stage.scene, "policy model strong\n");
	look(&stage);
	subnets_changed(&stage);
	write_op(&stage, &add);
	assert_true(end(&stage));
	assert_int_equal(stage.round.cause, ROUND_CONFIG);
	assert_string_equal(change_format(&stage.round.last, text),
			    "the configuration was read again: 1 rule written; "
			    "10.1.0.0/24 on a is in the strong model now; "
			    "10.2.0.0/24 on b is in the strong model now");
	take_down(&stage);
}

static void counts_make_a_list(void **state)
{
	struct change change = {.rank = HEARD_OWN,
				.cause = "it",
				.ops = {[OP_ROUTE_PUT] = 1,
					[OP_ROUTE_DELETE] = 2,
					[OP_RULE_ADD] = 3,
					[OP_RULE_DELETE] = 1,
					[OP_NEIGHBOUR_PUT] = 1,
					[OP_NEIGHBOUR_DELETE] = 4},
				.failed = 2};
	char text[CHANGE_TEXT_MAX];

	(void)state;
	assert_string_equal(change_format(&change, text),
			    "it: 1 route, 3 rules and 1 neighbour entry "
			    "written, 2 routes, 1 rule and 4 neighbour entries "
			    "removed; 2 writes failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_in_words),
		cmocka_unit_test(links_that_go_or_have_a_master),
		cmocka_unit_test(addresses_in_words),
		cmocka_unit_test(routes_in_words),
		cmocka_unit_test(the_rest_in_words),
		cmocka_unit_test(the_start_is_the_first_round),
		cmocka_unit_test(a_quiet_round_is_not_told),
		cmocka_unit_test(lines_are_made_for_listeners_only),
		cmocka_unit_test(long_lists_are_cut),
		cmocka_unit_test(failures_are_told_with_the_reason),
		cmocka_unit_test(the_time_is_from_waking_up_to_the_last_write),
		cmocka_unit_test(carrier_loss_in_one_sentence),
		cmocka_unit_test(the_best_explanation_counts),
		cmocka_unit_test(a_change_grows_until_the_daemon_is_steady),
		cmocka_unit_test(a_change_does_not_grow_for_ever),
		cmocka_unit_test(a_new_configuration_is_a_cause),
		cmocka_unit_test(counts_make_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
