/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows whose router dies, on the fake kernel: it takes seconds till that is
 * noticed, and the flows have stalled by then.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/pin_story.h"
#include "tests/engine/world_fake.h"

#define DIES "neigh replace 192.0.2.1 dev d1 nud failed"
#define LIVES                                                                  \
	"neigh replace 192.0.2.1 dev d1 lladdr 02:00:00:00:00:01 nud "         \
	"reachable"

static void by_itself(const char *line)
{
	assert_int_equal(fake_do(world_fake(), 0, line), 0);
}

/* It stalls, and its router is dead for two seconds. */
static void lose_router(struct world *world, uint64_t flow)
{
	world_flow(world, flow)->stalled = true;
	by_itself(DIES);
	world_run(world);
	world_pass(world, 2000);
}

static void a_pinned_flow_goes_home_to_a_router_that_was_dead(void **state)
{
	struct world *world = *state;
	uint64_t flow;

	world_do(ROUTERS);
	begin(world);
	flow = world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	lose_router(world, flow);
	by_itself(LIVES);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
}

static void so_does_one_that_was_not_pinned(void **state)
{
	struct world *world = *state;
	uint64_t flow;

	world_do(ROUTERS);
	begin(world);
	flow = world_begin(world, A, B);
	lose_router(world, flow);
	assert_int_equal(world_pin_kind(world, B), PIN_HOLD);
	by_itself(LIVES);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pinned_flow_goes_home_to_a_router_that_was_dead),
		TEST(so_does_one_that_was_not_pinned),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
