/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows on the legs of a multipath route, which go and come one by one. On the
 * fake kernel, which says by the ports which leg a flow is on.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/pin_story.h"
#include "tests/engine/world_fake.h"

// clang-format off
#define BOTH "nexthop " VIA_1 " weight 1 nexthop " VIA_OTHER " weight 1"
#define ROUTE "203.0.113.0/24 "
#define LEGS "7100 " ROUTE BOTH "\n7101 " ROUTE BOTH "\n"
#define LEG_1 "7100 " ROUTE VIA_1 "\n7101 " ROUTE VIA_1 "\n"
#define ELSEWHERE "7100 " ROUTE VIA_3 "\n7101 " ROUTE VIA_3 "\n"
#define VIA_3 "via 192.0.2.77 dev d1"
#define ON_1 "7100 203.0.113.77/32 " VIA_1 "\n"
#define ON_2 "7100 203.0.113.9/32 " VIA_OTHER "\n"
#define HELD_2 "7100 unreachable 203.0.113.9/32\n"
#define FIRST_DIES "neigh replace 192.0.2.1 dev d1 nud failed"
#define FIRST_LIVES "neigh replace 192.0.2.1 dev d1 " \
	"lladdr 02:00:00:00:00:01 nud reachable"
#define SECOND_DIES "neigh replace 192.0.2.9 dev d1 nud failed"
#define SECOND_LIVES "neigh replace 192.0.2.9 dev d1 " \
	"lladdr 02:00:00:00:00:09 nud reachable"
// clang-format on

static void happens(struct world *world, const char *line)
{
	assert_int_equal(fake_do(world_fake(), 0, line), 0);
	world_run(world);
}

static void begin_on_leg(struct world *world, const char *dst, uint16_t leg)
{
	world_flow(world, world_begin(world, A, dst))->sport = leg;
}

/* C is on the first leg, B on the second one. */
static void begin_on_both(struct world *world)
{
	world_do(ROUTERS);
	begin(world);
	world_do("route add " ROUTE "metric 5 " BOTH);
	world_run(world);
	begin_on_leg(world, C, 0);
	begin_on_leg(world, B, 1);
	world_must_hold(world, STORY_HELD4, LEGS);
}

static void a_flow_waits_for_its_own_leg(void **state)
{
	struct world *world = *state;

	begin_on_both(world);
	happens(world, SECOND_DIES);
	world_must_hold(world, STORY_HELD4, LEG_1 HELD_2);
	world_must_be_steady(world);
	happens(world, SECOND_LIVES);
	world_must_hold(world, STORY_HELD4, LEGS ON_1 ON_2);
	world_must_be_steady(world);
}

static void so_does_one_that_was_pinned_to_all_legs(void **state)
{
	struct world *world = *state;

	begin_on_both(world);
	world_do("route add " ROUTE "metric 4 " VIA_3);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			ELSEWHERE "7100 203.0.113.9/32 " BOTH
				  "\n7100 203.0.113.77/32 " BOTH);
	happens(world, SECOND_DIES);
	world_must_hold(world, STORY_HELD4, ELSEWHERE ON_1 HELD_2);
	happens(world, SECOND_LIVES);
	world_must_hold(world, STORY_HELD4, ELSEWHERE ON_1 ON_2);
	world_must_be_steady(world);
}

static void each_goes_home_to_its_own_leg(void **state)
{
	struct world *world = *state;

	begin_on_both(world);
	happens(world, SECOND_DIES);
	happens(world, FIRST_DIES);
	/* With none that works, the plan has them all. */
	assert_int_equal(world_pin_kind(world, C), PIN_HOLD);
	assert_int_equal(world_pin_kind(world, B), PIN_HOLD);
	happens(world, FIRST_LIVES);
	world_must_hold(world, STORY_HELD4, LEG_1 HELD_2);
	world_pass(world, 6000);
	assert_int_equal(world_pin_kind(world, B), PIN_AWAY);
	happens(world, SECOND_LIVES);
	world_must_hold(world, STORY_HELD4, LEGS ON_1 ON_2);
	world_must_be_steady(world);
}

/* The kernel has taken the route away by itself: who was where is not known. */
static void what_was_on_any_leg_waits_for_all(void **state)
{
	struct world *world = *state;

	begin_on_both(world);
	world_do("link set d1 down");
	world_run(world);
	world_do("link set d1 up\nroute add " ROUTE "metric 5 " VIA_1);
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_HOLD);
	assert_int_equal(world_pin_kind(world, C), PIN_HOLD);
	world_do("route replace " ROUTE "metric 5 " BOTH);
	world_run(world);
	assert_int_equal(world->engine.pins.set.pins.n, 0);
	world_must_be_steady(world);
}

static void and_not_longer_than_others(void **state)
{
	struct world *world = *state;

	begin_on_both(world);
	world_do("link set d1 down");
	world_run(world);
	world_pass(world, 6000);
	world_do("link set d1 up\nroute add " ROUTE "metric 5 " VIA_1);
	world_run(world);
	/* It is on the one that is there by the plan, and by no pin. */
	assert_int_equal(world_pin_kind(world, B), PIN_AWAY);
	world_do("route replace " ROUTE "metric 5 " BOTH);
	world_run(world);
	assert_int_equal(world->engine.pins.set.pins.n, 0);
}

static void flows_on_several_legs_share_what_is_left(void **state)
{
	struct world *world = *state;

	begin_on_both(world);
	begin_on_leg(world, B, 0);
	happens(world, SECOND_DIES);
	world_must_hold(world, STORY_HELD4, LEG_1);
	world_must_be_steady(world);
}

static void of_very_many_flows_legs_are_not_asked(void **state)
{
	struct world *world = *state;

	begin_on_both(world);
	for (int i = 0; i < 64; i++)
		begin_on_leg(world, B, 1);
	happens(world, SECOND_DIES);
	world_must_hold(world, STORY_HELD4, LEG_1);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_flow_waits_for_its_own_leg),
		TEST(so_does_one_that_was_pinned_to_all_legs),
		TEST(each_goes_home_to_its_own_leg),
		TEST(what_was_on_any_leg_waits_for_all),
		TEST(and_not_longer_than_others),
		TEST(flows_on_several_legs_share_what_is_left),
		TEST(of_very_many_flows_legs_are_not_asked),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
