/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the engine asks for flows at all, and for which. On either kernel.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <netinet/tcp.h>

#include "tests/engine/pin_story.h"

enum {
	MANY = FLOW_MEMORY_MAX + 1,
	MINUTE_MS = 60000,
};

/* Where no flow leads but those to E. */
#define ELSEWHERE "10.9.0.0/16"
#define E	  "10.9.0.9"

static uint64_t listings(const struct world *world)
{
	return world->engine.pins.counters.listings;
}

/* ELSEWHERE, led over one router of d1 or the other. */
static void lead_elsewhere(struct world *world, int router)
{
	char line[80];

	(void)snprintf(line, sizeof(line),
		       "route replace " ELSEWHERE " via 192.0.2.%d dev d1",
		       router);
	world_do(line);
	world_run(world);
}

/* Either router of d1 is one for all destinations. */
static void begin_with_routers(struct world *world)
{
	world_do(ROUTERS "\nroute add 0.0.0.0/0 " VIA_OTHER " metric 150");
	begin(world);
}

/* The route is new, so that flows are known then. */
static void begin_with_flow(struct world *world)
{
	begin_with_routers(world);
	(void)world_begin(world, A, B);
	lead_elsewhere(world, 1);
}

static void what_leads_elsewhere_is_not_listed_again(void **state)
{
	struct world *world = *state;
	uint64_t before;

	begin_with_flow(world);
	before = listings(world);
	assert_int_not_equal(before, 0);
	for (int i = 0; i < 6; i++)
		lead_elsewhere(world, i % 2 ? 1 : 9);
	assert_int_equal(listings(world), before);
	/* Ends of flows are no reason either. */
	world_end(world, world->flows.items[0].cookie);
	lead_elsewhere(world, 9);
	assert_int_equal(listings(world), before);
	world_must_be_steady(world);
}

static void where_a_flow_leads_it_is_listed(void **state)
{
	struct world *world = *state;
	uint64_t before;

	begin_with_flow(world);
	before = listings(world);
	world_do(BETTER);
	world_run(world);
	assert_int_equal(listings(world), before + 1);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	/* Nor does a pin make one for what is not about it. */
	lead_elsewhere(world, 9);
	assert_int_equal(listings(world), before + 1);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
}

static void one_that_began_since_is_found(void **state)
{
	struct world *world = *state;

	begin_with_flow(world);
	lead_elsewhere(world, 9);
	lead_elsewhere(world, 1);
	(void)world_begin(world, A, E);
	lead_elsewhere(world, 9);
	assert_int_equal(world_pin_kind(world, E), PIN_PATH);
	world_must_be_steady(world);
}

/* It was counted when it began to connect, and is not counted again. */
static void one_that_was_opening_is_found(void **state)
{
	static const uint8_t states[] = {TCP_SYN_SENT, TCP_SYN_RECV};
	struct world *world = *state;

	begin_with_flow(world);
	for (size_t i = 0; i < 2; i++) {
		uint64_t cookie = world_begin(world, A, E);

		world_flow(world, cookie)->state = states[i];
		lead_elsewhere(world, 9);
		assert_int_equal(world_pin_kind(world, E), PIN_NONE);
		world_flow(world, cookie)->state = TCP_ESTABLISHED;
		lead_elsewhere(world, 1);
		assert_int_equal(world_pin_kind(world, E), PIN_PATH);
		world_end(world, cookie);
		world_pass(world, 300);
		assert_int_equal(world_pin_kind(world, E), PIN_NONE);
	}
	world_must_be_steady(world);
}

static void without_a_count_each_change_is_listed(void **state)
{
	struct world *world = *state;
	uint64_t before;

	world->counts_bad = true;
	begin_with_flow(world);
	before = listings(world);
	lead_elsewhere(world, 9);
	lead_elsewhere(world, 1);
	assert_int_equal(listings(world), before + 2);
	/* One that fails all at once is as bad. */
	world->counts_bad = false;
	lead_elsewhere(world, 9);
	lead_elsewhere(world, 1);
	assert_int_equal(listings(world), before + 3);
	world->counts_bad = true;
	lead_elsewhere(world, 9);
	assert_int_equal(listings(world), before + 4);
}

static void a_list_that_failed_is_not_relied_on(void **state)
{
	struct world *world = *state;

	begin_with_flow(world);
	(void)world_begin(world, A, E);
	world->lists_bad = 2;
	lead_elsewhere(world, 9);
	assert_int_equal(world->lists_bad, 0);
	assert_int_equal(world_pin_kind(world, E), PIN_NONE);
	lead_elsewhere(world, 1);
	assert_int_equal(world_pin_kind(world, E), PIN_PATH);
}

/* What was not asked for then is not known, though nothing began since. */
static void flows_of_a_subnet_that_returns_are_found(void **state)
{
	struct world *world = *state;
	uint64_t before;

	begin_with_flow(world);
	(void)world_begin(world, "198.51.100.2", E);
	world_do("address del 198.51.100.2/24 dev d2");
	world_run(world);
	/* Of the other subnet there is none: that is what is known. */
	world_end(world, world->flows.items[0].cookie);
	world_end(world, world_begin(world, A, B));
	lead_elsewhere(world, 9);
	before = listings(world);
	lead_elsewhere(world, 1);
	assert_int_equal(listings(world), before);
	world_do("address add 198.51.100.2/24 dev d2\n"
		 "route replace 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200");
	world_run(world);
	lead_elsewhere(world, 9);
	assert_int_equal(world_pin_kind(world, E), PIN_PATH);
	world_must_be_steady(world);
}

/* --- very many --- */

static void begin_with_many(struct world *world)
{
	begin_with_routers(world);
	for (int i = 0; i < MANY; i++) {
		char dst[16];

		(void)snprintf(dst, sizeof(dst), "203.0.%d.%d", 100 + i / 250,
			       1 + i % 250);
		(void)world_begin(world, A, dst);
	}
	lead_elsewhere(world, 1);
}

static void of_many_only_those_are_told_that_move(void **state)
{
	struct world *world = *state;
	uint64_t cookie;
	uint64_t before;

	begin_with_many(world);
	cookie = world_begin(world, A, E);
	assert_true(world->told >= MANY);
	before = world->told;
	lead_elsewhere(world, 9);
	assert_int_equal(world_pin_kind(world, E), PIN_PATH);
	assert_int_equal(world->told, before + 1);
	/* So when the pin's are counted. */
	world_pass(world, 16000);
	assert_int_equal(world_pin_kind(world, E), PIN_PATH);
	assert_int_equal(world->told, before + 2);
	/* From time to time it is found out whether there still are as many. */
	world_end(world, cookie);
	world_pass(world, 300);
	assert_int_equal(world_pin_kind(world, E), PIN_NONE);
	world_pass(world, MINUTE_MS);
	vec_clear(&world->flows);
	(void)world_begin(world, A, B);
	lead_elsewhere(world, 1);
	before = listings(world);
	lead_elsewhere(world, 9);
	assert_int_equal(listings(world), before);
	world_must_be_steady(world);
}

/* A list for another change says nothing of them. */
static void of_many_displaced_flows_go_home(void **state)
{
	struct world *world = *state;

	begin_with_many(world);
	world_do("neigh replace 192.0.2.88 dev d1 lladdr 02:00:00:00:00:88 "
		 "nud permanent");
	lead_elsewhere(world, 88);
	(void)world_begin(world, A, E);
	(void)world_begin(world, A, "10.8.0.9");
	world_do("route del " ELSEWHERE " via 192.0.2.88 dev d1");
	world_run(world);
	assert_int_equal(world_pin_kind(world, E), PIN_HOLD);
	world_pass(world, 6000);
	assert_int_equal(world_pin_kind(world, E), PIN_AWAY);
	world_do("route add 10.8.0.0/16 " VIA_OTHER);
	world_run(world);
	assert_int_equal(world_pin_kind(world, "10.8.0.9"), PIN_PATH);
	lead_elsewhere(world, 88);
	assert_int_equal(world_pin_kind(world, E), PIN_NONE);
	world_must_be_steady(world);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_leads_elsewhere_is_not_listed_again),
		TEST(where_a_flow_leads_it_is_listed),
		TEST(one_that_began_since_is_found),
		TEST(one_that_was_opening_is_found),
		TEST(without_a_count_each_change_is_listed),
		TEST(a_list_that_failed_is_not_relied_on),
		TEST(flows_of_a_subnet_that_returns_are_found),
		TEST(of_many_only_those_are_told_that_move),
		TEST(of_many_displaced_flows_go_home),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
