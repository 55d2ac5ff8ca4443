/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose flows the engine asks for, on either kernel.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world.h"

enum {
	SUBNETS = 130, /* three questions */
};

static void begin_from(struct world *world, const char *src)
{
	(void)world_begin(world, src, "203.0.113.9");
}

/* However long it takes, no router is dead. */
#define ANSWERING                                                              \
	"neigh replace 192.0.2.1 dev d1 lladdr 02:00:00:00:00:01 nud "         \
	"permanent\n"                                                          \
	"neigh replace 192.0.2.9 dev d1 lladdr 02:00:00:00:00:09 nud "         \
	"permanent\n"                                                          \
	"neigh replace 198.51.100.1 dev d2 lladdr 02:00:00:00:00:02 nud "      \
	"permanent\n"

/* A host with that many managed subnets on d1, and a flow from each. */
static void begin(struct world *world)
{
	struct policy_interface all = {.match = "d1", .manage = MANAGE_ALWAYS};
	char lines[SUBNETS * 40];
	char addr[16];
	size_t len = 0;

	vec_push(&world->policy.interfaces, all);
	for (int i = 0; i < SUBNETS; i++) {
		(void)snprintf(addr, sizeof(addr), "10.0.%d.2", i);
		begin_from(world, addr);
		len += (size_t)snprintf(lines + len, sizeof(lines) - len,
					"address add %s/24 dev d1\n", addr);
	}
	world_do(lines);
	world_do(STORY_V4 ANSWERING);
	world_start(world);
}

static void all_must_be_pinned(struct world *world, size_t n)
{
	const struct pin *pin;

	world_do("route add 0.0.0.0/0 via 192.0.2.9 dev d1 metric 50");
	world_run(world);
	assert_int_equal(world->engine.pins.set.pins.n, n);
	assert_int_equal(world->engine.pins.counters.saved, n);
	vec_foreach(&world->engine.pins.set.pins, pin)
		assert_int_equal(pin->flows, 1);
	/* And when they are counted. */
	world_pass(world, 16000);
	assert_int_equal(world->engine.pins.set.pins.n, n);
	vec_foreach(&world->engine.pins.set.pins, pin)
		assert_int_equal(pin->flows, 1);
	world_must_be_steady(world);
}

static void flows_of_all_subnets_are_pinned(void **state)
{
	struct world *world = *state;

	begin(world);
	all_must_be_pinned(world, SUBNETS);
}

/* The question about that subnet lists the flows of all others, too. */
static void flows_of_nested_subnets_count_once(void **state)
{
	struct world *world = *state;

	world_do("address add 10.255.0.2/8 dev d1");
	begin_from(world, "10.255.0.2");
	begin(world);
	all_must_be_pinned(world, SUBNETS + 1);
}

/* The second of three questions; what the first one said is asked again. */
static void a_list_that_fails_once_is_repeated(void **state)
{
	struct world *world = *state;

	begin(world);
	world->lists_good = 1;
	world->lists_bad = 1;
	all_must_be_pinned(world, SUBNETS);
	assert_int_equal(world->lists_bad, 0);
}

/* The flows move with their route, and nothing waits for them. */
static void a_list_that_fails_twice_holds_nothing_up(void **state)
{
	struct world *world = *state;

	begin(world);
	world->lists_bad = 2;
	world_do("route add 0.0.0.0/0 via 192.0.2.9 dev d1 metric 50");
	world_run(world);
	assert_int_equal(world->lists_bad, 0);
	assert_int_equal(world->engine.pins.set.pins.n, 0);
	world_must_be_steady(world);
}

static void an_aborted_flow_ends_without_its_source(void **state)
{
	static const char *const ends[][2] = {
		{"0.0.0.0", "203.0.113.9"},
		{"::", "2001:db8:9::9"},
	};
	struct world *world = *state;
	struct ip_addr src;
	struct ip_addr dst;

	world_do(STORY);
	world_start(world);
	begin_from(world, "192.0.2.2");
	(void)world_begin(world, "2001:db8:1::2", ends[1][1]);
	world_do("route add 0.0.0.0/0 via 192.0.2.9 dev d1 metric 50\n"
		 "route add ::/0 via fe80::9 dev d1 metric 50");
	world_run(world);
	assert_int_equal(world->engine.pins.set.pins.n, 2);
	for (size_t i = 0; i < 2; i++) {
		vec_remove(&world->flows, 0);
		assert_int_equal(ip_addr_parse(ends[i][0], &src), 0);
		assert_int_equal(ip_addr_parse(ends[i][1], &dst), 0);
		engine_pins_flow_ended(&world->engine, &src, &dst,
				       world->now_ms);
		world_pass(world, 300);
		assert_int_equal(world->engine.pins.set.pins.n, 1 - i);
	}
	world_must_be_steady(world);
}

/* Those from where there are pins; the owner listens for no others. */
static void ends_are_wanted_from_subnets_with_pins(void **state)
{
	struct world *world = *state;
	const struct prefix_vec *sources = &world->engine.pins.sources;
	char text[IP_TEXT_MAX];
	uint64_t flow;

	world_do(STORY);
	world_start(world);
	flow = world_begin(world, "192.0.2.2", "203.0.113.9");
	assert_int_equal(sources->n, 0);
	world_do("route add 0.0.0.0/0 via 192.0.2.9 dev d1 metric 50");
	world_run(world);
	assert_int_equal(sources->n, 1);
	assert_string_equal(ip_prefix_format(&sources->items[0], text),
			    "192.0.2.0/24");
	(void)world_begin(world, "2001:db8:1::2", "2001:db8:9::9");
	world_do("route add ::/0 via fe80::9 dev d1 metric 50");
	world_run(world);
	assert_int_equal(sources->n, 2);
	world_end(world, flow);
	world_pass(world, 300);
	assert_int_equal(sources->n, 1);
	assert_string_equal(ip_prefix_format(&sources->items[0], text),
			    "2001:db8:1::/64");
	/* Off means none at all. */
	world->policy.pinning.scope = PIN_SCOPE_OFF;
	engine_set_policy(&world->engine, &world->policy);
	world_run(world);
	assert_int_equal(sources->n, 0);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(flows_of_all_subnets_are_pinned),
		TEST(flows_of_nested_subnets_count_once),
		TEST(a_list_that_fails_once_is_repeated),
		TEST(a_list_that_fails_twice_holds_nothing_up),
		TEST(an_aborted_flow_ends_without_its_source),
		TEST(ends_are_wanted_from_subnets_with_pins),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
