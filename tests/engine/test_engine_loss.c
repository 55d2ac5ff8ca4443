/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine on a kernel whose events are late, lost, or never come: on the
 * fake one, which does so when it is told to.
 */
#include "engine/engine.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

#define LONG_MS 10000 /* longer than the engine waits for anything */

/* --- lost and late events --- */

static void what_was_lost_is_read_again(void **state)
{
	struct world *world = *state;

	world_do(STORY);
	world_start(world);
	world_do("link set d2 down\n"
		 "route del 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100\n"
		 "rule del priority 7109 from 192.0.2.0/24 iif lo lookup 7100");
	fake_lose(world_fake());
	world_do("link set d2 up\n"
		 "address add 2001:db8:2::2/64 dev d2\n"
		 "route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100\n"
		 "route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200\n"
		 "route add ::/0 via fe80::2 dev d2 metric 200");
	fake_lose(world_fake());
	world_run(world);
	world_must_hold(world, STORY_HELD, "");
	world_must_be_steady(world);
	assert_int_equal(world->engine.counters.resyncs, 1);
	assert_int_equal(world->engine.counters.events[KERNEL_LOST], 1);
}

static void a_queue_that_overflows_is_caught_up_with(void **state)
{
	struct world *world = *state;
	char line[80];

	world_do(STORY_V4);
	world_start(world);
	fake_set_queue(world_fake(), 10);
	for (unsigned int i = 0; i < 100; i++) {
		(void)snprintf(line, sizeof(line),
			       "route add 10.0.%u.0/24 dev d2", i);
		world_do(line);
	}
	for (unsigned int i = 0; i < 100; i++) {
		(void)snprintf(line, sizeof(line),
			       "route del 10.0.%u.0/24 dev d2", i);
		if (i != 50)
			world_do(line);
	}
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7100 10.0.50.0/24 dev d2\n7101 10.0.50.0/24 dev d2");
	world_must_be_steady(world);
	assert_int_equal(world->engine.counters.resyncs, 1);
}

static void late_events_do_no_harm(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	fake_set_news(world_fake(), FAKE_DELAY);
	world_do("route replace 0.0.0.0/0 via 198.51.100.9 dev d2 metric 200\n"
		 "rule del priority 7109 from 192.0.2.0/24 iif lo lookup 7100\n"
		 "route del 0.0.0.0/0 via 192.0.2.1 dev d1 metric 1024 "
		 "table 7100");
	world_run(world);
	assert_true(engine_is_steady(&world->engine, world->now_ms));
	/* Meanwhile all of it is read, and put right. */
	assert_int_equal(engine_read(&world->engine, world->now_ms), 0);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 198.51.100.9 dev d2");
	fake_release(world_fake());
	fake_set_news(world_fake(), FAKE_TELL);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 198.51.100.9 dev d2");
	world_must_be_steady(world);
}

/* So that the tests of what finds it are worth something. */
static void what_is_hidden_is_not_known(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	fake_set_news(world_fake(), FAKE_HIDE);
	world_do("route del 0.0.0.0/0 via 192.0.2.1 dev d1 metric 1024 "
		 "table 7100");
	fake_set_news(world_fake(), FAKE_TELL);
	world_pass(world, LONG_MS);
	world_must_hold(world, STORY_HELD4,
			"-7100 0.0.0.0/0 via 192.0.2.1 dev d1");
	assert_true(engine_is_steady(&world->engine, world->now_ms));
	assert_int_equal(engine_read(&world->engine, world->now_ms), 0);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
}

/* --- what the kernel takes away by itself --- */

static void a_nexthop_object_takes_its_routes_along(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_do("nexthop add id 7 via 198.51.100.1 dev d2\n"
		 "route add 203.0.113.0/24 nhid 7");
	world_start(world);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 via 198.51.100.1 dev d2\n"
			"7101 203.0.113.0/24 via 198.51.100.1 dev d2");
	world_do("nexthop del id 7");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
	world_do("nexthop add id 7 via 198.51.100.1 dev d2\n"
		 "route add 203.0.113.0/24 nhid 7");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 via 198.51.100.1 dev d2\n"
			"7101 203.0.113.0/24 via 198.51.100.1 dev d2");
}

/* The message comes first: who reads at once reads too early. */
static void what_goes_after_its_message_is_gone(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4 "address add 2001:db8:2::9/64 dev d2\n"
			  "route add 203.0.113.0/24 via 198.51.100.9 dev d2\n"
			  "route add 2001:db8:f::/48 via fe80::2 dev d2 "
			  "src 2001:db8:2::9");
	world_start(world);
	fake_set_lags(world_fake(), true);
	world_do("address del 2001:db8:2::9/64 dev d2");
	world_run(world);
	fake_release(world_fake());
	world_must_be_steady(world);
	world_do("link set d2 down");
	world_run(world);
	fake_release(world_fake());
	world_must_be_steady(world);
}

/* And a full tunnel's default, which ends it. */
static void a_nexthop_object_takes_a_tunnel_along(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4 "nexthop add id 7 via 198.51.100.9 dev d2\n"
			  "route add 0.0.0.0/0 nhid 7 table 51820\n"
			  "rule add priority 7000 from 0.0.0.0/0 lookup 51820");
	world_start(world);
	world_must_hold(world, STORY_HELD4,
			"-rule 7109 from 192.0.2.0/24 iif lo lookup 7100\n"
			"-rule 7109 from 198.51.100.0/24 iif lo lookup 7101");
	world_do("nexthop del id 7");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

static void an_expired_route_is_gone_unsaid(void **state)
{
	struct world *world = *state;
	char line[80];

	world_do(STORY_V6);
	(void)snprintf(line, sizeof(line),
		       "route add 2001:db8:9::/48 via fe80::1 dev d1 expires "
		       "%u",
		       (unsigned int)(world->now_ms / 1000 + 5));
	world_do(line);
	world_start(world);
	fake_set_news(world_fake(), FAKE_HIDE);
	world_do("route del 2001:db8:9::/48 via fe80::1 dev d1");
	fake_set_news(world_fake(), FAKE_TELL);
	world_pass(world, 4999);
	assert_int_equal(world->engine.counters.ops[OP_ROUTE_DELETE], 0);
	assert_false(engine_is_pending(&world->engine, world->now_ms));
	world_pass(world, 1);
	world_must_be_steady(world);
	assert_int_equal(world->engine.counters.ops[OP_ROUTE_DELETE], 2);
}

static void a_router_fails_and_recovers(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4 STORY_ROUTERS);
	world_start(world);
	assert_int_equal(fake_do(world_fake(), 0, STORY_FAILED), 0);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 192.0.2.1 dev d1");
	assert_int_equal(fake_do(world_fake(), 0, STORY_RECOVERED), 0);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

/* Nobody has told the kernel yet that recoveries are news as well. */
static void a_recovery_is_not_missed(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4 STORY_ROUTERS);
	world_start(world);
	assert_int_equal(fake_do(world_fake(), 0, STORY_FAILED), 0);
	assert_int_equal(fake_do(world_fake(), 0, STORY_RECOVERED), 0);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

/* What others delete is put again; that it failed then says nothing. */
static void a_flushed_neighbour_is_put_again(void **state)
{
	struct world *world = *state;
	uint64_t put;

	world_do(STORY_V4 STORY_ROUTERS);
	world_start(world);
	put = fake_ops(world_fake(), OP_NEIGHBOUR_PUT);
	world_do("neigh del 198.51.100.1 dev d2");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	assert_int_equal(fake_ops(world_fake(), OP_NEIGHBOUR_PUT), put + 1);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_lost_is_read_again),
		TEST(a_queue_that_overflows_is_caught_up_with),
		TEST(late_events_do_no_harm),
		TEST(what_is_hidden_is_not_known),
		TEST(a_nexthop_object_takes_its_routes_along),
		TEST(what_goes_after_its_message_is_gone),
		TEST(a_nexthop_object_takes_a_tunnel_along),
		TEST(an_expired_route_is_gone_unsaid),
		TEST(a_router_fails_and_recovers),
		TEST(a_recovery_is_not_missed),
		TEST(a_flushed_neighbour_is_put_again),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
