/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one round of work was, from events and ops made up for an engine that
 * has no kernel.
 */
#include "round/round.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/stage.h"

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

/* --- rounds --- */

static void the_start_is_the_first_round(void **state)
{
	struct op op = stage_rule_op(OP_RULE_ADD);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	stage_init(&stage);
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
	stage_done(&stage);
}

static void a_quiet_round_is_not_told(void **state)
{
	struct stage stage;

	(void)state;
	stage_init(&stage);
	start(&stage);
	assert_false(end(&stage));
	assert_int_equal(stage.round.cause, ROUND_TIMER);
	assert_int_equal(stage.round.last.at_ms, 0);
	stage_done(&stage);
}

static void lines_are_made_for_listeners_only(void **state)
{
	const struct kernel_event event = stage_link_event("a", 2, true, false);
	struct op op = stage_rule_op(OP_RULE_ADD);
	struct stage stage;

	(void)state;
	stage_init(&stage);
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
	stage_done(&stage);
}

static void long_lists_are_cut(void **state)
{
	const struct kernel_event event = stage_link_event("a", 2, true, true);
	struct stage stage;

	(void)state;
	stage_init(&stage);
	start(&stage);
	stage.round.is_listening = true;
	for (size_t i = 0; i < LINES_MAX + 7; i++)
		hear(&stage, &event);
	assert_true(end(&stage));
	assert_int_equal(stage.round.n_heard, LINES_MAX + 7);
	assert_int_equal(stage.round.heard.kept.n, LINES_MAX);
	assert_int_equal(stage.round.heard.more, 7);
	stage_done(&stage);
}

static void failures_are_told_with_the_reason(void **state)
{
	const struct kernel_failure failure = {.error = -EPERM, .why = "no"};
	struct op op = stage_rule_op(OP_RULE_DELETE);
	struct stage stage;

	(void)state;
	stage_init(&stage);
	start(&stage);
	stage.round.is_listening = true;
	stage.engine.observer.failed(&stage.engine, &op, &failure,
				     stage.engine.observer.data);
	assert_true(end(&stage));
	assert_string_equal(stage.round.failed.kept.items[0],
			    "-4 rule del priority 7109 from 10.1.0.0/24 iif lo "
			    "lookup 7100 protocol 109: Operation not "
			    "permitted, no");
	stage_done(&stage);
}

static void the_time_is_from_waking_up_to_the_last_write(void **state)
{
	const struct kernel_event event = stage_link_event("a", 2, true, true);
	struct op op = stage_rule_op(OP_RULE_ADD);
	struct stage stage;

	(void)state;
	stage_init(&stage);
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
	stage_done(&stage);
}

/* --- changes --- */

static void carrier_loss_in_one_sentence(void **state)
{
	const struct kernel_event event = stage_link_event("b", 3, true, false);
	struct op op = stage_rule_op(OP_RULE_ADD);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	stage_init(&stage);
	start(&stage);
	hear(&stage, &event);
	scene_read(&stage.scene, "link 3 b up no-carrier\n");
	stage_look(&stage);
	write_op(&stage, &op);
	assert_true(end(&stage));
	assert_string_equal(stage.round.planned.kept.items[0],
			    "10.2.0.0/24 on b: weak now (was congruent)");
	assert_string_equal(change_format(&stage.round.last, text),
			    "b lost its carrier: 1 rule written; "
			    "10.2.0.0/24 on b is weak now");
	stage_done(&stage);
}

static void the_best_explanation_counts(void **state)
{
	struct kernel_event route = stage_route_event("192.0.2.0/24", 254, 0);
	const struct kernel_event link = stage_link_event("b", 3, false, false);
	struct op op = stage_rule_op(OP_RULE_DELETE);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	stage_init(&stage);
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
	stage_done(&stage);
}

static void a_change_grows_until_the_daemon_is_steady(void **state)
{
	const struct kernel_event event =
		stage_link_event("b", 3, false, false);
	struct op add = stage_rule_op(OP_RULE_ADD);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	stage_init(&stage);
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
	stage_done(&stage);
}

static void a_change_does_not_grow_for_ever(void **state)
{
	const struct kernel_event event =
		stage_link_event("b", 3, false, false);
	struct op add = stage_rule_op(OP_RULE_ADD);
	struct stage stage;

	(void)state;
	stage_init(&stage);
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
	stage_done(&stage);
}

static void a_new_configuration_is_a_cause(void **state)
{
	struct op add = stage_rule_op(OP_RULE_ADD);
	char text[CHANGE_TEXT_MAX];
	struct stage stage;

	(void)state;
	stage_init(&stage);
	start(&stage);
	round_led(&stage.round, "the configuration was read again");
	scene_read(&stage.scene, "policy model strong\n");
	stage_look(&stage);
	subnets_changed(&stage);
	write_op(&stage, &add);
	assert_true(end(&stage));
	assert_int_equal(stage.round.cause, ROUND_CONFIG);
	assert_string_equal(change_format(&stage.round.last, text),
			    "the configuration was read again: 1 rule written; "
			    "10.1.0.0/24 on a is in the strong model now; "
			    "10.2.0.0/24 on b is in the strong model now");
	stage_done(&stage);
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
