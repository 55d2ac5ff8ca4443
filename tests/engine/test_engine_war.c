/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A war over a large table, whose repair takes several slices: on the fake
 * kernel.
 */
#include "engine/engine.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

#define MANY 4000
#define OURS "via 198.51.100.1 dev d2 metric 1024 table 7100 proto 109"

static void many(const char *verb, const char *rest)
{
	char line[128];

	for (unsigned int i = 0; i < MANY; i++) {
		(void)snprintf(line, sizeof(line), "route %s 10.%u.%u.0/24 %s",
			       verb, i >> 8, i & 255, rest);
		(void)fake_do(world_fake(), FAKE_SOMEBODY, line);
	}
}

static void fight(struct world *world, bool meanwhile)
{
	world_do(STORY_V4);
	many("add", "via 198.51.100.1 dev d2");
	world_start(world);
	for (int n = 0; n < 30 && !world->engine.repair.hold_ms; n++) {
		int slices = 0;

		many("del", OURS);
		while (engine_listen(&world->engine, world->now_ms))
			;
		do {
			(void)engine_run(&world->engine, world->now_ms++);
			/* As a flush would that goes on all the time. */
			if (meanwhile && slices++ == 1)
				(void)fake_do(world_fake(), FAKE_SOMEBODY,
					      "route del 10.0.0.0/24 " OURS);
			while (engine_listen(&world->engine, world->now_ms))
				;
		} while (engine_is_busy(&world->engine));
	}
	assert_true(world->engine.repair.hold_ms > 0);
}

static void who_deletes_now_and_then_is_backed_off_from(void **state)
{
	fight(*state, false);
}

static void who_deletes_all_the_time_is_as_well(void **state)
{
	fight(*state, true);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_deletes_now_and_then_is_backed_off_from),
		TEST(who_deletes_all_the_time_is_as_well),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
