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

static void a_new_uplink_while_all_is_held_back(void **state)
{
	struct world *world = *state;
	char line[128];

	world_do("route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100");
	for (unsigned int i = 0; i < 300; i++) {
		(void)snprintf(line, sizeof(line),
			       "route add 10.%u.%u.0/24 via 192.0.2.1 dev d1",
			       i >> 8, i & 255);
		world_do(line);
	}
	world_start(world);
	for (int k = 0; k < 14; k++) {
		for (unsigned int i = 0; i < 300; i++) {
			(void)snprintf(line, sizeof(line),
				       "route del 10.%u.%u.0/24 via 192.0.2.1 "
				       "dev d1 metric 1024 table 7100 proto "
				       "109",
				       i >> 8, i & 255);
			(void)fake_do(world_fake(), FAKE_SOMEBODY, line);
		}
		world_run(world);
		if (k < 13)
			world_pass(world, 2000);
	}
	assert_true(world->engine.repair.hold_ms > world->now_ms + 500);
	world_do("route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200");
	world_run(world);
	/* No rule leads to 7101 before its routes are there. */
	for (size_t i = 0; i < world->engine.model.rules.n; i++)
		if (world->engine.model.rules.items[i].table == 7101)
			assert_non_null(
				rib_table(&world->engine.model.rib, 7101));
}

static uint64_t rules_added(void)
{
	return fake_ops(world_fake(), OP_RULE_ADD);
}

static void delete_all_rules(const struct world *world)
{
	const struct engine *engine = &world->engine;
	struct rule_vec rules = {0};
	const struct rule *it;
	char text[RULE_TEXT_MAX];
	char line[RULE_TEXT_MAX + 16];

	vec_foreach(&engine->model.rules, it)
		if (it->protocol == engine->policy->protocol)
			vec_push(&rules, *it);
	vec_foreach(&rules, it) {
		(void)snprintf(line, sizeof(line), "rule del %s",
			       rule_format(it, text));
		*strstr(line, " protocol") = '\0';
		assert_int_equal(fake_do(world_fake(), FAKE_SOMEBODY, line), 0);
	}
	vec_done(&rules);
}

/* Somebody flushes them again and again: no ping-pong. */
static void many_rules_are_held_back_as_well(void **state)
{
	struct world *world = *state;
	char line[128];
	uint64_t before;

	world_do("route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100");
	for (unsigned int i = 0; i < 300; i++) {
		(void)snprintf(line, sizeof(line),
			       "address add 10.%u.%u.2/24 dev d1", i >> 8,
			       i & 255);
		world_do(line);
		(void)snprintf(line, sizeof(line),
			       "route add 172.16.%u.%u/32 via 10.%u.%u.1 "
			       "dev d1",
			       i >> 8, i & 255, i >> 8, i & 255);
		world_do(line);
	}
	world_start(world);
	world_pass(world, 1000);
	assert_in_range(rules_added(), 300, 302);
	for (int k = 0; k < 12; k++) {
		delete_all_rules(world);
		world_run(world);
	}
	before = rules_added();
	/* It is held back by now: at once nothing comes back. */
	for (int k = 0; k < 12; k++) {
		delete_all_rules(world);
		world_run(world);
	}
	assert_int_equal(rules_added(), before);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_deletes_now_and_then_is_backed_off_from),
		TEST(who_deletes_all_the_time_is_as_well),
		TEST(a_new_uplink_while_all_is_held_back),
		TEST(many_rules_are_held_back_as_well),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
