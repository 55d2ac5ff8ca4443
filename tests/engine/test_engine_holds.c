/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The path of flows goes: they wait for it, move when it does not return in
 * time, and go home when it does. On either kernel.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/engine/pin_story.h"

static void a_path_that_returns_in_time_is_gone_back_to(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(LOSE);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			LOST "7100 unreachable 203.0.113.9/32");
	world_pass(world, 4000);
	world_do(RETURN);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

static void a_path_that_does_not_return_is_given_up(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(LOSE);
	world_run(world);
	world_pass(world, 4999);
	world_must_hold(world, STORY_HELD4,
			LOST "7100 unreachable 203.0.113.9/32");
	world_pass(world, 1);
	world_must_hold(world, STORY_HELD4, LOST);
	assert_int_equal(world_pin_kind(world, B), PIN_AWAY);
	world_must_be_steady(world);
}

static void displaced_flows_go_home(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(LOSE);
	world_run(world);
	world_pass(world, 6000);
	world_do(RETURN);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	assert_int_equal(world_pin_kind(world, B), PIN_NONE);
	world_must_be_steady(world);
}

static void flows_that_began_on_the_weak_path_stay(void **state)
{
	struct world *world = *state;
	uint64_t young;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(LOSE);
	world_run(world);
	world_pass(world, 6000);
	(void)world_begin(world, A, C);
	young = world_begin(world, A, B);
	world_do(RETURN);
	world_run(world);
	/* To B there are both: the one that is well where it is counts. */
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.77/32 " VIA_2 "\n"
			"7100 203.0.113.9/32 " VIA_2);
	world_must_be_steady(world);
	world_flow(world, young)->stalled = true;
	world_end(world, young);
	world_pass(world, 60000);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.77/32 " VIA_2 "\n"
			"7100 203.0.113.9/32 " VIA_2);
}

static void a_pinned_path_goes(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	world_do(LOSE);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			MOVED "7100 unreachable 203.0.113.9/32");
	world_do(RETURN);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
}

static void a_link_that_goes_down_is_a_lost_path(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do("link set d1 down");
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_HOLD);
	world_must_be_steady(world);
	world_do("link set d1 up\n" RETURN);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
}

/* A flow is pinned, and its address goes. */
static void lose_address(struct world *world)
{
	begin(world);
	(void)world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	world_do("address del 192.0.2.2/24 dev d1");
	world_run(world);
}

static void an_address_that_goes_takes_its_pins_along(void **state)
{
	struct world *world = *state;

	lose_address(world);
	assert_int_equal(world->engine.pins.set.pins.n, 0);
	world_must_be_steady(world);
}

/* Their sockets outlive it: with it they are back on their path. */
static void an_address_that_returns_brings_its_pins_along(void **state)
{
	struct world *world = *state;

	lose_address(world);
	world_pass(world, 60000);
	world_must_be_steady(world);
	world_do("address add 192.0.2.2/24 dev d1\n" RETURN "\n" BETTER);
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	world_must_be_steady(world);
}

/* As long as TCP would try. */
static void pins_wait_a_while_for_their_address(void **state)
{
	struct world *world = *state;

	lose_address(world);
	assert_int_equal(world->engine.pins.strays.n, 1);
	world_pass(world, 900000);
	assert_int_equal(world->engine.pins.strays.n, 1);
	world_pass(world, 30000);
	assert_int_equal(world->engine.pins.strays.n, 0);
	assert_int_equal(engine_next(&world->engine), 0);
	world_must_be_steady(world);
}

/* Nobody can end the hold before the subnet is back. */
static void a_hold_without_its_subnet_keeps_nobody_awake(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do("link set d1 down");
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_HOLD);
	/* No other path goes with it. */
	world_do("address del 192.0.2.2/24 dev d1");
	world_run(world);
	world_pass(world, 60000);
	world_must_be_steady(world);
	world_do("link set d1 up\naddress add 192.0.2.2/24 dev d1\n" RETURN);
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_NONE);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

static void without_hold_time_flows_move_at_once(void **state)
{
	struct world *world = *state;

	world->policy.pinning.hold_ms = 0;
	begin(world);
	(void)world_begin(world, A, B);
	world_do(LOSE);
	world_run(world);
	world_must_hold(world, STORY_HELD4, LOST);
	assert_int_equal(world->engine.pins.counters.moved[PIN_MOVED_LOST], 1);
	/* They go home all the same. */
	world_do("route add 0.0.0.0/0 " VIA_1 " metric 300");
	world_run(world);
	world_must_be_steady(world);
}

static void strong_drops_new_flows_and_pins_old_ones(void **state)
{
	struct world *world = *state;

	world->policy.model = HOST_MODEL_STRONG;
	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_start(world);
	(void)world_begin(world, A, B);
	world_do("route add 203.0.113.0/24 " VIA_2 " metric 5");
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	world_do(LOSE);
	world_run(world);
	/* The plan drops, so nothing needs to be held. */
	assert_int_equal(world_pin_kind(world, B), PIN_AWAY);
	world_do(RETURN);
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	world_must_be_steady(world);
}

static void a_lost_route_with_a_rule_deleted(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(UNRULE "\n" LOSE);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			LOST "7100 unreachable 203.0.113.9/32");
}

/* A flow that began while another one was away loses its path in its turn. */
static void who_is_displaced_second_goes_home_too(void **state)
{
	struct world *world = *state;

	world_do(ROUTERS);
	begin(world);
	world_do("route add 0.0.0.0/0 " VIA_OTHER " metric 150");
	world_run(world);
	(void)world_begin(world, A, B);
	world_do(LOSE);
	world_run(world);
	world_pass(world, 6000);
	assert_int_equal(world_pin_kind(world, B), PIN_AWAY);
	(void)world_begin(world, A, B);
	world_do("route del 0.0.0.0/0 " VIA_OTHER " metric 150");
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_HOLD);
	world_pass(world, 6000);
	assert_int_equal(world_pin_kind(world, B), PIN_AWAY);
	world_do("route add 0.0.0.0/0 " VIA_OTHER " metric 150");
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_that_returns_in_time_is_gone_back_to),
		TEST(a_path_that_does_not_return_is_given_up),
		TEST(displaced_flows_go_home),
		TEST(flows_that_began_on_the_weak_path_stay),
		TEST(a_pinned_path_goes),
		TEST(a_link_that_goes_down_is_a_lost_path),
		TEST(an_address_that_goes_takes_its_pins_along),
		TEST(an_address_that_returns_brings_its_pins_along),
		TEST(pins_wait_a_while_for_their_address),
		TEST(a_hold_without_its_subnet_keeps_nobody_awake),
		TEST(without_hold_time_flows_move_at_once),
		TEST(strong_drops_new_flows_and_pins_old_ones),
		TEST(a_lost_route_with_a_rule_deleted),
		TEST(who_is_displaced_second_goes_home_too),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
