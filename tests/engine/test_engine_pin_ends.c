/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinned flows end or stall, and the pin ends with the last of them and not
 * before. On either kernel.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/pin_story.h"

static void what_ended_unheard_is_found_out(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	vec_clear(&world->flows);
	world_pass(world, 14000);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	world_pass(world, 2000);
	world_must_hold(world, STORY_HELD4, MOVED);
	/* And nothing is left to be looked at by the clock. */
	assert_int_equal(engine_next(&world->engine), 0);
	world_must_be_steady(world);
}

static void a_stalled_flow_is_not_pinned(void **state)
{
	struct world *world = *state;
	uint64_t flow;

	begin(world);
	flow = world_begin(world, A, B);
	world_flow(world, flow)->stalled = true;
	world_do(BETTER);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED);
	assert_int_equal(world->engine.pins.counters.moved[PIN_MOVED_STALLED],
			 1);
	world_must_be_steady(world);
}

static void a_pin_whose_flows_stall_ends(void **state)
{
	struct world *world = *state;
	uint64_t flow;

	begin(world);
	flow = world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	world_flow(world, flow)->stalled = true;
	world_pass(world, 16000);
	world_must_hold(world, STORY_HELD4, MOVED);
}

/* Which of them ended is not known before they are counted. */
static void the_end_of_a_stalled_flow_unpins_no_other(void **state)
{
	struct world *world = *state;
	uint64_t stalled;

	begin(world);
	(void)world_begin(world, A, B);
	stalled = world_begin(world, A, B);
	world_flow(world, stalled)->stalled = true;
	world_do(BETTER);
	world_run(world);
	world_end(world, stalled);
	world_do(UNRELATED);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
}

/* It shares the pin, and nobody tells of its begin. */
static void a_flow_that_began_meanwhile_keeps_the_pin(void **state)
{
	struct world *world = *state;
	uint64_t first;

	begin(world);
	first = world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	(void)world_begin(world, A, B);
	world_end(world, first);
	world_do(UNRELATED);
	world_run(world);
	world_pass(world, 300);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
}

static void the_end_of_a_later_flow_forgets_no_displaced_one(void **state)
{
	struct world *world = *state;
	uint64_t later;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(LOSE);
	world_run(world);
	world_pass(world, 6000);
	later = world_begin(world, A, B);
	world_end(world, later);
	world_do(UNRELATED);
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_AWAY);
	world_pass(world, 300);
	assert_int_equal(world_pin_kind(world, B), PIN_AWAY);
	world_must_be_steady(world);
}

/* The kernel leaves the socket as it is, and no packet of it can leave. */
static void without_its_address_a_flow_holds_no_pin(void **state)
{
	struct world *world = *state;

	begin(world);
	world_do("address add 192.0.2.3/24 dev d1");
	(void)world_begin(world, "192.0.2.3", B);
	(void)world_begin(world, A, C);
	world_do(BETTER);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			MOVED "7100 203.0.113.9/32 " VIA_1 "\n"
			      "7100 203.0.113.77/32 " VIA_1);
	world_do("address del 192.0.2.3/24 dev d1");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			MOVED "7100 203.0.113.77/32 " VIA_1);
	world_must_be_steady(world);
}

/* Two retransmissions fail (a second of bad radio); nothing else leads to B. */
static void strong_keeps_what_stalls_where_the_plan_drops(void **state)
{
	struct world *world = *state;
	uint64_t flow;

	world->policy.model = HOST_MODEL_STRONG;
	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_start(world);
	flow = world_begin(world, A, B);
	world_do("route add 203.0.113.0/24 " VIA_2 " metric 5");
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	world_flow(world, flow)->stalled = true;
	world_pass(world, 16000);
	/* A restart sees it as we do. */
	world_do(ROUTERS);
	world_run(world);
	world_stop(world);
	world_start(world);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	world_flow(world, flow)->stalled = false;
	world_pass(world, 16000);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_ended_unheard_is_found_out),
		TEST(a_stalled_flow_is_not_pinned),
		TEST(a_pin_whose_flows_stall_ends),
		TEST(the_end_of_a_stalled_flow_unpins_no_other),
		TEST(a_flow_that_began_meanwhile_keeps_the_pin),
		TEST(the_end_of_a_later_flow_forgets_no_displaced_one),
		TEST(without_its_address_a_flow_holds_no_pin),
		TEST(strong_keeps_what_stalls_where_the_plan_drops),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
