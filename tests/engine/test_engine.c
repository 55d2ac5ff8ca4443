/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine from its start on, on either kernel: routes, links, addresses.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world.h"

/* --- start and routes --- */

static void it_starts_and_comes_to_rest(void **state)
{
	struct world *world = *state;

	world_do(STORY);
	world_start(world);
	world_must_hold(world, STORY_HELD, "");
	world_must_be_steady(world);
	/* Its own writes are no news, and there is nothing to do again. */
	assert_int_equal(world->engine.counters.events[KERNEL_ROUTE], 0);
	assert_int_equal(world->engine.counters.events[KERNEL_RULE], 0);
	assert_int_equal(world->engine.counters.runs, 1);
	assert_int_equal(engine_next(&world->engine), 0);
}

static void without_uplinks_it_does_nothing(void **state)
{
	struct world *world = *state;

	world_start(world);
	world_must_hold(world, "", "");
	world_must_be_steady(world);
	assert_int_equal(world_written(world), 0);
}

static void a_new_route_is_one_row(void **state)
{
	struct world *world = *state;
	uint64_t written;
	uint64_t rows;

	world_do(STORY_V4);
	world_start(world);
	written = world_written(world);
	rows = world->engine.counters.rows;
	world_do("route add 203.0.113.0/24 via 198.51.100.9 dev d2 metric 5");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 via 198.51.100.9 dev d2\n"
			"7101 203.0.113.0/24 via 198.51.100.9 dev d2");
	assert_int_equal(world->engine.counters.rows, rows + 1);
	/* One for each table, and the new router is kept resolved. */
	assert_int_equal(world_written(world), written + 3);
	world_must_be_steady(world);
}

static void a_changed_route_is_a_replace(void **state)
{
	struct world *world = *state;
	uint64_t deleted;

	world_do(STORY);
	world_start(world);
	deleted = world->engine.counters.ops[OP_ROUTE_DELETE];
	world_do("route replace 0.0.0.0/0 via 198.51.100.9 dev d2 metric 200\n"
		 "route replace ::/0 via fe80::9 dev d2 metric 200");
	world_run(world);
	world_must_hold(world, STORY_HELD,
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 198.51.100.9 dev d2\n"
			"-7103 ::/0 via fe80::2 dev d2\n"
			"7103 ::/0 via fe80::9 dev d2");
	assert_int_equal(world->engine.counters.ops[OP_ROUTE_DELETE], deleted);
	world_must_be_steady(world);
}

static void a_removed_route_goes_everywhere(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_do("route add 203.0.113.0/24 dev d2 metric 5\n"
		 "route add unreachable 10.0.0.0/8 metric 5");
	world_start(world);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 dev d2\n"
			"7101 203.0.113.0/24 dev d2\n"
			"7100 unreachable 10.0.0.0/8\n"
			"7101 unreachable 10.0.0.0/8");
	world_do("route del 203.0.113.0/24 dev d2 metric 5\n"
		 "route del unreachable 10.0.0.0/8 metric 5");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

static void strong_drops_where_no_next_hop_is_its_own(void **state)
{
	struct world *world = *state;

	world->policy.model = HOST_MODEL_STRONG;
	world_do(STORY_V4);
	world_start(world);
	world_must_hold(world, STORY_HELD4,
			"7100 unreachable 0.0.0.0/0 metric 4294967295\n"
			"7101 unreachable 0.0.0.0/0 metric 4294967295\n"
			"-7100 198.51.100.0/24 dev d2\n"
			"7100 unreachable 198.51.100.0/24\n"
			"-7101 192.0.2.0/24 dev d1\n"
			"7101 unreachable 192.0.2.0/24");
	world_must_be_steady(world);
}

static void routes_of_one_key_follow_their_order(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	world_do("route append 0.0.0.0/0 via 192.0.2.9 dev d1 metric 100");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_do("route prepend 0.0.0.0/0 via 192.0.2.7 dev d1 metric 100");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"-7100 0.0.0.0/0 via 192.0.2.1 dev d1\n"
			"7100 0.0.0.0/0 via 192.0.2.7 dev d1");
	world_do("route del 0.0.0.0/0 via 192.0.2.7 dev d1 metric 100");
	world_pass(world, world->policy.settle_ms);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

static void several_next_hops_of_its_own_stay_together(void **state)
{
	struct world *world = *state;

	world_do(STORY_V6);
	world_do("route append ::/0 via fe80::9 dev d1 metric 100");
	world_start(world);
	world_must_hold(world, "",
			"rule 7100 from all to fe80::/10 iif lo lookup main\n"
			"rule 7165 from 2001:db8:1::/64 iif lo lookup 7100\n"
			"rule 7165 from 2001:db8:2::/64 iif lo lookup 7101\n"
			"7100 ::/0 nexthop via fe80::1 dev d1 weight 1 "
			"nexthop via fe80::9 dev d1 weight 1\n"
			"7100 2001:db8:1::/64 dev d1\n"
			"7100 2001:db8:2::/64 dev d2\n"
			"7101 ::/0 via fe80::2 dev d2\n"
			"7101 2001:db8:1::/64 dev d1\n"
			"7101 2001:db8:2::/64 dev d2");
	world_must_be_steady(world);
}

/* --- links and addresses --- */

static void a_link_goes_down_and_returns(void **state)
{
	struct world *world = *state;

	world_do(STORY);
	world_start(world);
	world_do("link set d2 down");
	world_run(world);
	/* IPv4 keeps the address, IPv6 loses it and with it the subnet. */
	world_must_hold(world, STORY_HELD,
			"-7100 198.51.100.0/24 dev d2\n"
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 192.0.2.1 dev d1\n"
			"-7101 198.51.100.0/24 dev d2\n"
			"-7102 2001:db8:2::/64 dev d2\n"
			"-7103 ::/0 via fe80::2 dev d2\n"
			"-7103 2001:db8:1::/64 dev d1\n"
			"-7103 2001:db8:2::/64 dev d2\n"
			"-rule 7165 from 2001:db8:2::/64 iif lo lookup 7103");
	world_must_be_steady(world);

	world_do("link set d2 up\n"
		 "address add 2001:db8:2::2/64 dev d2\n"
		 "route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200\n"
		 "route add ::/0 via fe80::2 dev d2 metric 200");
	world_run(world);
	world_must_hold(world, STORY_HELD, "");
	world_must_be_steady(world);
}

/* With IPv4 alone the link's own message is all there is. */
static void a_link_takes_its_routes_along_unsaid(void **state)
{
	struct world *world = *state;

	world_do("address del 2001:db8:2::2/64 dev d2");
	world_do(STORY_V4);
	world_start(world);
	world_do("link set d2 down");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"-7100 198.51.100.0/24 dev d2\n"
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 192.0.2.1 dev d1\n"
			"-7101 198.51.100.0/24 dev d2");
	world_must_be_steady(world);
	world_do("link set d2 up");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 192.0.2.1 dev d1");
	world_do("route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

static void a_link_loses_its_carrier(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	world_do("link set p2 down");
	world_run(world);
	/* The connected route has no better one to take its place. */
	world_must_hold(world, STORY_HELD4,
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 192.0.2.1 dev d1");
	world_do("link set p2 up");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

static void a_link_is_deleted(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	world_do("link del d2");
	world_run(world);
	world_must_hold(world, "",
			"7100 0.0.0.0/0 via 192.0.2.1 dev d1\n"
			"7100 192.0.2.0/24 dev d1\n"
			"rule 7109 from 192.0.2.0/24 iif lo lookup 7100");
	world_must_be_steady(world);
}

/* The gateway routes of d2 go as well, without a word. */
static void an_address_goes(void **state)
{
	struct world *world = *state;

	world_do(STORY);
	world_do("route add 203.0.113.0/24 via 198.51.100.1 dev d2");
	world_start(world);
	world_do("address del 198.51.100.2/24 dev d2");
	world_run(world);
	world_must_hold(world, STORY_HELD,
			"-7100 198.51.100.0/24 dev d2\n"
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"-7101 192.0.2.0/24 dev d1\n"
			"-7101 198.51.100.0/24 dev d2\n"
			"-rule 7109 from 198.51.100.0/24 iif lo lookup 7101");
	world_must_be_steady(world);
	world_do("address add 198.51.100.2/24 dev d2\n"
		 "route add 203.0.113.0/24 via 198.51.100.1 dev d2\n"
		 "route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200");
	world_run(world);
	world_must_hold(world, STORY_HELD,
			"7100 203.0.113.0/24 via 198.51.100.1 dev d2\n"
			"7101 203.0.113.0/24 via 198.51.100.1 dev d2");
	world_must_be_steady(world);
}

/* The routes that named it as their source go, or forget it: untold in IPv6. */
static void a_preferred_source_goes(void **state)
{
	struct world *world = *state;

	world_do(STORY);
	/* Of the other link than the routes', too. */
	world_do("address add 192.0.2.77/32 dev d1\n"
		 "address add 2001:db8:1::77/128 dev d1\n"
		 "address add 2001:db8:2::77/128 dev d2\n");
	world_do("route add 203.0.113.0/24 via 192.0.2.1 dev d1 "
		 "src 192.0.2.77\n"
		 "route add 2001:db8:9::/48 via fe80::1 dev d1 "
		 "src 2001:db8:1::77\n"
		 "route add 2001:db8:a::/48 via fe80::1 dev d1 "
		 "src 2001:db8:2::77");
	world_start(world);
	world_do("address del 2001:db8:2::77/128 dev d2");
	world_run(world);
	world_must_be_steady(world);
	world_do("address del 192.0.2.77/32 dev d1\n"
		 "address del 2001:db8:1::77/128 dev d1");
	world_pass(world, world->policy.settle_ms);
	world_must_hold(world, STORY_HELD,
			"7102 2001:db8:9::/48 via fe80::1 dev d1\n"
			"7103 2001:db8:9::/48 via fe80::1 dev d1\n"
			"7102 2001:db8:a::/48 via fe80::1 dev d1\n"
			"7103 2001:db8:a::/48 via fe80::1 dev d1");
	world_must_be_steady(world);
}

/* Only the kernel knows whether a router answers; the entry is put again. */
static void what_others_say_of_a_router_is_no_news(void **state)
{
	struct world *world = *state;
	uint64_t put;

	world_do(STORY_V4 STORY_ROUTERS);
	world_start(world);
	put = world->engine.counters.ops[OP_NEIGHBOUR_PUT];
	world_do(STORY_FAILED);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	assert_int_equal(world->engine.counters.ops[OP_NEIGHBOUR_PUT], put + 1);
}

static void a_full_tunnel_is_yielded_to(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	world_do("route add 0.0.0.0/0 dev d1 table 51820\n"
		 "rule add priority 100 not from 0.0.0.0/0 fwmark 0x1/0xff "
		 "lookup 51820");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"-rule 7109 from 192.0.2.0/24 iif lo lookup 7100\n"
			"-rule 7109 from 198.51.100.0/24 iif lo lookup 7101");
	world_must_be_steady(world);
	world_do("route del 0.0.0.0/0 dev d1 table 51820");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
}

/* What drops stands behind it, and cannot be put in its place. */
static void an_entry_before_one_that_drops_goes(void **state)
{
	struct world *world = *state;

	world->policy.model = HOST_MODEL_STRONG;
	world_do(STORY_V4 "route add 203.0.113.0/24 via 198.51.100.1 dev d2");
	world_start(world);
	world_do("route prepend 203.0.113.0/24 via 192.0.2.1 dev d1 "
		 "table 7100 metric 1024");
	world_pass(world, 60000);
	world_must_be_steady(world);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_starts_and_comes_to_rest),
		TEST(without_uplinks_it_does_nothing),
		TEST(a_new_route_is_one_row),
		TEST(a_changed_route_is_a_replace),
		TEST(a_removed_route_goes_everywhere),
		TEST(strong_drops_where_no_next_hop_is_its_own),
		TEST(routes_of_one_key_follow_their_order),
		TEST(several_next_hops_of_its_own_stay_together),
		TEST(a_link_goes_down_and_returns),
		TEST(a_link_takes_its_routes_along_unsaid),
		TEST(a_link_loses_its_carrier),
		TEST(a_link_is_deleted),
		TEST(an_address_goes),
		TEST(a_preferred_source_goes),
		TEST(what_others_say_of_a_router_is_no_news),
		TEST(a_full_tunnel_is_yielded_to),
		TEST(an_entry_before_one_that_drops_goes),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
