/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine among others, over time and over restarts, on either kernel.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world.h"

#define OUR_RULE "priority 7109 from 192.0.2.0/24 iif lo lookup 7100 proto 109"
#define OUR_ROUTE                                                              \
	"0.0.0.0/0 via 198.51.100.1 dev d2 metric 1024 table 7101 proto 109"
#define AT_ONCE	 6  /* repairs in a row before the first that waits */
#define HOLD_MS	 20 /* how long that one waits; then twice as long ... */
#define CALM_MS	 10001
#define ROUTE_D1 "0.0.0.0/0 via 192.0.2.1 dev d1 metric 100"

/* --- others meddle --- */

static void what_others_delete_is_put_back(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	world_do("rule del " OUR_RULE "\nroute del " OUR_ROUTE);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
	assert_int_equal(world->engine.counters.repairs, 1);
}

static void what_others_change_is_put_back(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	world_do("route replace 0.0.0.0/0 via 192.0.2.9 dev d1 metric 1024 "
		 "table 7100");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
	assert_int_equal(world->engine.counters.repairs, 1);
}

static void what_others_keep_in_our_table_is_theirs(void **state)
{
	struct world *world = *state;
	uint64_t written;

	world_do(STORY_V4);
	world_start(world);
	written = world_written(world);
	world_do("route add 10.0.0.0/8 via 192.0.2.1 dev d1 metric 5 "
		 "table 7100");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	assert_int_equal(world_written(world), written);
	world_must_be_steady(world);
}

static void whoever_never_stops_is_waited_for(void **state)
{
	struct world *world = *state;
	uint64_t hold_ms = HOLD_MS;

	world_do(STORY_V4);
	world_start(world);
	for (int i = 0; i < AT_ONCE; i++) {
		world_do("rule del " OUR_RULE);
		world_run(world);
		world_must_hold(world, STORY_HELD4, "");
	}
	for (int i = 0; i < 5; i++, hold_ms *= 2) {
		world_do("rule del " OUR_RULE);
		world_pass(world, hold_ms - 1);
		world_must_hold(world, STORY_HELD4,
				"-rule 7109 from "
				"192.0.2.0/24 iif lo "
				"lookup 7100");
		assert_false(engine_is_steady(&world->engine, world->now_ms));
		world_pass(world, 1);
		world_must_hold(world, STORY_HELD4, "");
	}
	/* After some calm it is a new story. */
	world_pass(world, hold_ms + CALM_MS);
	world_do("rule del " OUR_RULE);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

/* Held back is only what is meddled with. */
static void all_else_goes_on_meanwhile(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	for (int i = 0; i < AT_ONCE + 1; i++) {
		world_do("rule del " OUR_RULE);
		world_run(world);
	}
	world_do("route replace 0.0.0.0/0 via 198.51.100.9 dev d2 metric 200");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"-rule 7109 from 192.0.2.0/24 iif lo lookup 7100\n"
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 198.51.100.9 dev d2");
}

/* --- the settle time --- */

static void a_route_that_returns_in_time_changes_nothing(void **state)
{
	struct world *world = *state;
	uint64_t written;

	world_do(STORY_V4);
	world_start(world);
	written = world_written(world);
	world_do("route del " ROUTE_D1);
	world_run(world);
	assert_false(engine_is_steady(&world->engine, world->now_ms));
	world_pass(world, world->policy.settle_ms - 1);
	world_do("route add " ROUTE_D1);
	world_pass(world, 10ULL * world->policy.settle_ms);
	world_must_be_steady(world);
	world_must_hold(world, STORY_HELD4, "");
	assert_int_equal(world_written(world), written);
}

static void a_route_that_does_not_is_gone(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	world_do("route del " ROUTE_D1);
	world_run(world);
	assert_int_equal(engine_next(&world->engine),
			 world->now_ms + world->policy.settle_ms);
	world_pass(world, world->policy.settle_ms - 1);
	world_must_hold(world, STORY_HELD4, "");
	world_pass(world, 1);
	world_must_hold(world, STORY_HELD4,
			"-7100 0.0.0.0/0 via 192.0.2.1 dev d1\n"
			"7100 0.0.0.0/0 via 198.51.100.1 dev d2");
	world_must_be_steady(world);
}

static void without_a_settle_time_it_goes_at_once(void **state)
{
	struct world *world = *state;

	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_start(world);
	world_do("route del " ROUTE_D1);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"-7100 0.0.0.0/0 via 192.0.2.1 dev d1\n"
			"7100 0.0.0.0/0 via 198.51.100.1 dev d2");
	world_must_be_steady(world);
}

/* --- restart, reload, end --- */

static void a_restart_adopts_and_writes_nothing(void **state)
{
	struct world *world = *state;

	world_do(STORY);
	world_start(world);
	world_stop(world);
	world_must_hold(world, STORY_HELD, "");
	world_start(world);
	world_must_hold(world, STORY_HELD, "");
	assert_int_equal(world_written(world), 0);
	world_must_be_steady(world);
}

static void a_restart_catches_up(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4 STORY_ROUTERS);
	world_start(world);
	world_stop(world);
	world_do("route del " OUR_ROUTE "\n"
		 "route add 10.0.0.0/8 via 192.0.2.1 dev d1 metric 1024 "
		 "table 7101 proto 109\n"
		 "rule add priority 7150 from 10.9.9.9/32 iif lo lookup 7100 "
		 "proto 109\n"
		 "address del 192.0.2.2/24 dev d1\n"
		 "address add 192.0.2.7/24 dev d1\n"
		 "route add " ROUTE_D1);
	world_start(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

/* An uplink whose route is gone is still ours, and its table too. */
static void a_restart_knows_what_was_an_uplink(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4 STORY_ROUTERS);
	world_start(world);
	world_stop(world);
	world_do("route del " ROUTE_D1);
	world_start(world);
	world_must_hold(world, STORY_HELD4,
			"-7100 0.0.0.0/0 via 192.0.2.1 dev d1\n"
			"7100 0.0.0.0/0 via 198.51.100.1 dev d2");
	world_must_be_steady(world);
}

static void a_new_policy_is_taken_up(void **state)
{
	struct world *world = *state;
	struct policy weak = world->policy;
	struct policy strong = world->policy;

	strong.model = HOST_MODEL_STRONG;
	world_do(STORY_V4);
	world_start(world);
	engine_set_policy(&world->engine, &strong);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7100 unreachable 0.0.0.0/0 metric 4294967295\n"
			"7101 unreachable 0.0.0.0/0 metric 4294967295\n"
			"-7100 198.51.100.0/24 dev d2\n"
			"7100 unreachable 198.51.100.0/24\n"
			"-7101 192.0.2.0/24 dev d1\n"
			"7101 unreachable 192.0.2.0/24");
	engine_set_policy(&world->engine, &weak);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
	engine_set_policy(&world->engine, &world->policy);
}

static void a_flush_leaves_nothing(void **state)
{
	struct world *world = *state;

	world_do(STORY);
	world_start(world);
	world_stop(world);
	world_start(world);
	assert_int_equal(engine_flush(&world->engine, world->now_ms), 0);
	world_must_hold(world, "", "");
	assert_int_equal(world->engine.counters.ops[OP_NEIGHBOUR_DELETE], 4);
}

static void a_flush_leaves_what_is_not_ours(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_do("route add 10.0.0.0/8 via 192.0.2.9 dev d1 table 7100\n"
		 "rule add priority 7109 from 10.9.9.9/32 iif lo lookup 7100 "
		 "proto 50");
	world_start(world);
	assert_int_equal(engine_flush(&world->engine, world->now_ms), 0);
	world_must_hold(world, "", "");
	/* Or these would be refused. */
	world_do("route del 10.0.0.0/8 via 192.0.2.9 dev d1 table 7100\n"
		 "rule del priority 7109 from 10.9.9.9/32 iif lo lookup 7100 "
		 "proto 50");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_others_delete_is_put_back),
		TEST(what_others_change_is_put_back),
		TEST(what_others_keep_in_our_table_is_theirs),
		TEST(whoever_never_stops_is_waited_for),
		TEST(all_else_goes_on_meanwhile),
		TEST(a_route_that_returns_in_time_changes_nothing),
		TEST(a_route_that_does_not_is_gone),
		TEST(without_a_settle_time_it_goes_at_once),
		TEST(a_restart_adopts_and_writes_nothing),
		TEST(a_restart_catches_up),
		TEST(a_restart_knows_what_was_an_uplink),
		TEST(a_new_policy_is_taken_up),
		TEST(a_flush_leaves_nothing),
		TEST(a_flush_leaves_what_is_not_ours),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
