/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * More rows than are written at one go, and what happens in between: on the
 * fake kernel.
 */
#include "engine/engine.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"
#include "unit/dice.h"

#define MANY	 2000 /* routes of main: some slices */
#define LONG_MS	 10000
#define WORLDS	 6
#define RUNS_MAX 400

#define CHANGED	       "route replace 0.0.0.0/0 via 192.0.2.7 dev d1 metric 100"
#define CHANGED_IS     "7100 0.0.0.0/0 via 192.0.2.7 dev d1"
#define DEFAULT_WAS    "7100 0.0.0.0/0 via 192.0.2.1 dev d1"
#define OURS	       "metric 1024 table 7100 proto 109"
#define DELETED	       "route del 0.0.0.0/0 via 192.0.2.1 dev d1 " OURS
#define DELETED_IS     "7100 0.0.0.0/0 via 192.0.2.1 dev d1\n"
#define ENTRIES(table) (rib_table(&world->engine.model.rib, table)->n4)

static uint64_t seed;

static bool has_default(const struct world *world, const char *text)
{
	struct ip_prefix all = ip_prefix_default(AF_INET);
	const struct row *row = rib_row(&world->engine.model.rib, &all);
	const struct route *entry = path_entry(row, 7100);
	char line[ROUTE_TEXT_MAX];

	return entry &&
	       strstr(route_format(&all, entry,
				   attrset_get(&world->engine.model.rib.attrs,
					       entry->attrs),
				   &world->engine.model.links, line),
		      text);
}

static void all_of_many_rows_arrive(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_many(AF_INET, "add", 0, MANY, "via 198.51.100.1 dev d2");
	world_start(world);
	assert_int_equal(ENTRIES(7100), MANY + 3);
	assert_int_equal(ENTRIES(7101), MANY + 3);
	world_must_be_steady(world);
	world_many(AF_INET, "del", 0, MANY, "via 198.51.100.1 dev d2");
	world_pass(world, LONG_MS);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

/* Which kinds of ops came in which order. */
struct order {
	size_t puts_after_delete;
	size_t deletes;
	size_t rules_before;
};

static void note(const struct engine *engine, const struct op *op, void *data)
{
	struct order *order = data;

	(void)engine;
	if (op->kind == OP_ROUTE_DELETE)
		order->deletes++;
	else if (op->kind == OP_ROUTE_PUT)
		order->puts_after_delete += order->deletes > 0;
	if (op->kind == OP_RULE_ADD)
		order->rules_before += order->deletes > 0;
}

static void what_goes_goes_last(void **state)
{
	struct world *world = *state;
	struct order order = {0};

	world->policy.settle_ms = 0;
	world->observer.wrote = note;
	world->observer.data = &order;
	world_do(STORY_V4);
	world_many(AF_INET, "add", 0, MANY, "via 198.51.100.1 dev d2");
	world_start(world);
	assert_int_equal(order.deletes, 0);
	world_many(AF_INET, "del", 0, MANY, "via 198.51.100.1 dev d2");
	world_many(AF_INET, "add", MANY, MANY, "via 192.0.2.1 dev d1");
	world_run(world);
	assert_int_equal(order.deletes, 2 * MANY);
	assert_int_equal(order.puts_after_delete, 0);
	assert_int_equal(ENTRIES(7100), MANY + 3);
	world_must_be_steady(world);
}

/* How many routes had come before each rule. */
struct rule_order {
	size_t routes;
	size_t before_main;
	size_t before_ours;
};

static void note_rule(const struct engine *engine, const struct op *op,
		      void *data)
{
	struct rule_order *order = data;

	(void)engine;
	order->routes += op->kind == OP_ROUTE_PUT;
	if (op->kind != OP_RULE_ADD)
		return;
	if (op->rule.table == ROUTE_TABLE_MAIN)
		order->before_main = order->routes;
	else
		order->before_ours = order->routes;
}

/* The kernel walks all IPv6 routes for each rule of that family. */
static void the_rule_to_main_comes_before_many_rows(void **state)
{
	struct world *world = *state;
	struct rule_order order = {.before_main = SIZE_MAX};

	world->observer.wrote = note_rule;
	world->observer.data = &order;
	world_do(STORY_V6);
	world_many(AF_INET6, "add", 0, MANY, "via fe80::2 dev d2");
	world_start(world);
	assert_int_equal(order.before_main, 0);
	assert_int_equal(order.before_ours, 2 * (MANY + 3));
	world_must_be_steady(world);
}

/* It came early, and failed: others must not wait for it time and again. */
static void a_rule_that_fails_early_stops_no_others(void **state)
{
	struct world *world = *state;
	const struct fake_fault fault = {
		.call = FAKE_OP,
		.nth = 1,
		.error = -EBUSY,
		.times = 3,
		.kinds = 1U << OP_RULE_ADD,
	};

	world_do(STORY);
	/* Left by somebody, and to be removed: many in each round. */
	world_many(AF_INET6, "add", 0, MANY,
		   "via fe80::2 dev d2 metric 1024 table 7102 "
		   "proto 109");
	fake_fail(world_fake(), &fault);
	world_start(world);
	assert_int_equal(fake_faults_hit(world_fake()), 3);
	assert_int_equal(fake_ops(world_fake(), OP_RULE_ADD), 3);
	world_pass(world, LONG_MS);
	world_must_be_steady(world);
}

/* The rest of many rows has to wait for it, whatever they are. */
static void a_default_is_not_stuck_behind_many_rows(void **state)
{
	struct world *world = *state;
	unsigned int runs = 0;

	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_start(world);
	world_many(AF_INET, "add", 0, MANY, "via 198.51.100.1 dev d2");
	(void)engine_run(&world->engine, world->now_ms);
	assert_true(engine_is_busy(&world->engine));
	world_do(CHANGED);
	(void)engine_listen(&world->engine, world->now_ms);
	while (!has_default(world, "192.0.2.7") && runs++ < RUNS_MAX)
		(void)engine_run(&world->engine, world->now_ms);
	assert_int_equal(runs, 1);
	assert_true(ENTRIES(7100) < MANY);
	world_run(world);
	assert_int_equal(ENTRIES(7101), MANY + 3);
	world_must_be_steady(world);
}

/* The first slice fails, one in the middle, the last. */
static void a_failure_is_made_up_for(void **state)
{
	struct world *world = *state;
	static const uint64_t nths[] = {1, 700, 1500, 2ULL * MANY};

	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_start(world);
	for (size_t i = 0; i < sizeof(nths) / sizeof(nths[0]); i++) {
		const struct fake_fault fault = {
			.call = FAKE_OP,
			.nth = nths[i],
			.error = -EBUSY,
		};

		fake_fail(world_fake(), &fault);
		world_many(AF_INET, "add", 0, MANY, "via 198.51.100.1 dev d2");
		world_run(world);
		world_pass(world, LONG_MS);
		assert_int_equal(fake_faults_hit(world_fake()), i + 1);
		fake_mend(world_fake());
		assert_int_equal(ENTRIES(7100), MANY + 3);
		world_must_be_steady(world);
		world_many(AF_INET, "del", 0, MANY, "via 198.51.100.1 dev d2");
		world_pass(world, LONG_MS);
		world_must_hold(world, STORY_HELD4, "");
	}
}

static void keep_deleting(struct world *world, int times)
{
	for (int i = 0; i < times; i++) {
		world_do(DELETED);
		world_run(world);
	}
}

/* Its time comes while a batch is under way that began before, without it. */
static void what_is_held_back_is_not_forgotten(void **state)
{
	struct world *world = *state;

	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_start(world);
	keep_deleting(world, 7);
	world_must_hold(world, STORY_HELD4, "-" DELETED_IS);
	world_many(AF_INET, "add", 0, MANY, "via 198.51.100.1 dev d2");
	(void)engine_run(&world->engine, world->now_ms);
	assert_true(engine_is_busy(&world->engine));
	world->now_ms += LONG_MS;
	world_run(world);
	assert_int_equal(ENTRIES(7100), MANY + 3);
	world_must_be_steady(world);
}

/* More than are listed one by one, half of them after it began. */
static void many_that_are_held_back_are_not_forgotten(void **state)
{
	struct world *world = *state;

	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_many(AF_INET, "add", 0, MANY, "via 198.51.100.1 dev d2");
	world_start(world);
	keep_deleting(world, 6);
	world_many(AF_INET, "del", 0, MANY / 2,
		   "via 198.51.100.1 dev d2 " OURS);
	world_many(AF_INET, "add", MANY, MANY, "via 198.51.100.1 dev d2");
	(void)engine_run(&world->engine, world->now_ms);
	world_many(AF_INET, "del", MANY / 2, MANY / 2,
		   "via 198.51.100.1 dev d2 " OURS);
	(void)engine_listen(&world->engine, world->now_ms);
	assert_true(engine_is_busy(&world->engine));
	world->now_ms += LONG_MS;
	world_run(world);
	assert_int_equal(ENTRIES(7100), 2 * MANY + 3);
	world_must_be_steady(world);
}

static void happen(struct dice *dice)
{
	static const char *const lines[] = {
		"link set d2 down",
		"link set d2 up",
		"address add 203.0.113.2/24 dev d2",
		"address del 203.0.113.2/24 dev d2",
		"route replace 0.0.0.0/0 via 192.0.2.9 dev d1 metric 100",
		"route replace 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100",
		"rule del priority 7109 from 192.0.2.0/24 iif lo lookup 7100",
		"address add 2001:db8:3::2/64 dev d2",
		"address del 2001:db8:3::2/64 dev d2",
		"route replace ::/0 via fe80::9 dev d1 metric 100",
		"route replace ::/0 via fe80::1 dev d1 metric 100",
		("rule del priority 7165 from 2001:db8:1::/64 iif lo lookup "
		 "7102"),
	};
	const uint32_t n_lines = sizeof(lines) / sizeof(lines[0]);
	unsigned int from = dice_roll(dice, MANY);
	unsigned int n = 1 + dice_roll(dice, 400);
	bool v6 = dice_roll(dice, 2);
	const char *via = v6 ? "via fe80::1 dev d1 metric 5"
			     : "via 192.0.2.1 dev d1 metric 5";
	const char *link = dice_roll(dice, 2) ? via : "dev d1 metric 6";

	switch (dice_roll(dice, 4)) {
	case 0:
		(void)fake_do(world_fake(), FAKE_SOMEBODY,
			      lines[dice_roll(dice, n_lines)]);
		break;
	case 1:
		fake_lose(world_fake());
		break;
	default:
		for (unsigned int i = from; i < from + n; i++) {
			char line[128];

			(void)snprintf(line, sizeof(line),
				       v6 ? "route %s 2001:db8:%x:%x::/64 %s"
					  : "route %s 10.%u.%u.0/24 %s",
				       dice_roll(dice, 2) ? "replace" : "del",
				       i >> 8, i & 255, link);
			(void)fake_do(world_fake(), FAKE_SOMEBODY, line);
		}
		break;
	}
}

/* Whatever comes between two slices: in the end all is as planned. */
static void anything_may_happen_in_between(void **state)
{
	struct world *world = *state;
	struct dice dice = {seed};

	world_do(STORY);
	world_many(AF_INET, "add", 0, MANY, "via 198.51.100.1 dev d2 metric 9");
	world_many(AF_INET6, "add", 0, MANY, "via fe80::2 dev d2 metric 9");
	world_start(world);
	for (int step = 0; step < 60; step++) {
		happen(&dice);
		(void)engine_listen(&world->engine, world->now_ms);
		for (uint32_t i = dice_roll(&dice, 4); i > 0; i--)
			if (engine_is_pending(&world->engine, world->now_ms))
				(void)engine_run(&world->engine, world->now_ms);
		world->now_ms += dice_roll(&dice, 100);
	}
	world_pass(world, LONG_MS);
	/* Someone kept deleting our rule: that is put back after a while. */
	world_pass(world, 60000);
	world_must_be_steady(world);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_of_many_rows_arrive,
						world_make, world_unmake),
		cmocka_unit_test_setup_teardown(
			the_rule_to_main_comes_before_many_rows, world_make,
			world_unmake),
		cmocka_unit_test_setup_teardown(
			a_rule_that_fails_early_stops_no_others, world_make,
			world_unmake),
		cmocka_unit_test_setup_teardown(what_goes_goes_last, world_make,
						world_unmake),
		cmocka_unit_test_setup_teardown(
			a_default_is_not_stuck_behind_many_rows, world_make,
			world_unmake),
		cmocka_unit_test_setup_teardown(a_failure_is_made_up_for,
						world_make, world_unmake),
		cmocka_unit_test_setup_teardown(
			what_is_held_back_is_not_forgotten, world_make,
			world_unmake),
		cmocka_unit_test_setup_teardown(
			many_that_are_held_back_are_not_forgotten, world_make,
			world_unmake),
		cmocka_unit_test_setup_teardown(anything_may_happen_in_between,
						world_make, world_unmake),
	};

	seed = dice_seed(argc, argv);
	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
