/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many rows a change makes the engine plan anew: its own, never all for
 * one.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world.h"

enum {
	ROUTES = 300,
	FEW = 4,
};

/* Hundreds of routes over either uplink, and some of IPv6. */
static void begin(struct world *world)
{
	char line[80];

	world->policy.settle_ms = 0;
	world_do(STORY);
	for (int i = 0; i < ROUTES; i++) {
		(void)snprintf(line, sizeof(line), "route add 10.%d.%d.0/24 %s",
			       i / 250, i % 250,
			       i % 2 ? "via 192.0.2.1 dev d1"
				     : "via 198.51.100.1 dev d2");
		world_do(line);
	}
	world_start(world);
}

static uint64_t rows_of(struct world *world, const char *lines)
{
	uint64_t before = world->engine.counters.rows;
	uint64_t n;

	world_do(lines);
	world_run(world);
	n = world->engine.counters.rows - before;
	world_must_be_steady(world);
	return n;
}

static void what_concerns_few_rows_plans_few(void **state)
{
	static const char *const changes[] = {
		/* Addresses of subnets that are there. */
		"address add 192.0.2.77/24 dev d1",
		"address del 192.0.2.77/24 dev d1",
		"address add 198.51.100.9/32 dev d2",
		"address add 192.0.2.88/32 dev lo",
		"address add 2001:db8:1::77/64 dev d1",
		"address del 2001:db8:1::77/64 dev d1",
		/* A network that is no uplink, as of containers. */
		"link add d3 type dummy",
		"link set d3 up",
		"address add 172.16.0.2/24 dev d3",
		"address add 172.17.0.2/24 dev d3",
		"address del 172.17.0.2/24 dev d3",
		"link set d3 down",
		"link set d3 up",
		"link del d3",
	};
	struct world *world = *state;

	begin(world);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint64_t n = rows_of(world, changes[i]);

		if (n > FEW)
			fail_msg("%s: %llu rows", changes[i],
				 (unsigned long long)n);
	}
}

static void what_concerns_an_uplink_plans_its_rows(void **state)
{
	static const char *const changes[] = {
		"link set p1 down",
		"link set p1 up",
		"address del 198.51.100.2/24 dev d2",
	};
	struct world *world = *state;

	begin(world);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		uint64_t n = rows_of(world, changes[i]);

		if (n < ROUTES / 2)
			fail_msg("%s: %llu rows", changes[i],
				 (unsigned long long)n);
	}
}

/* A row of thousands of entries would cost as much for each new one. */
static void link_local_routes_are_not_kept(void **state)
{
	struct world *world = *state;
	struct ip_prefix link_local;

	assert_int_equal(ip_prefix_parse("fe80::/64", &link_local), 0);
	world_do("route add fe80::/64 dev d1\nroute add fe80::/64 dev d2 "
		 "metric 9\nroute add 224.0.0.0/4 dev d1");
	begin(world);
	assert_null(rib_row(&world->engine.model.rib, &link_local));
	assert_int_equal(rows_of(world, "route del fe80::/64 dev d1"), 0);
	assert_int_equal(rows_of(world, "route add fe80::/64 dev d1"), 0);
	assert_null(rib_row(&world->engine.model.rib, &link_local));
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_concerns_few_rows_plans_few),
		TEST(what_concerns_an_uplink_plans_its_rows),
		TEST(link_local_routes_are_not_kept),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
