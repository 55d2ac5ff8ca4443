/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flows keep their path while routes change, on either kernel. What becomes of
 * them when the path itself goes: test_engine_holds.c; when they end:
 * test_engine_pin_ends.c.
 */
#include "engine/engine.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "tests/engine/pin_story.h"

static void a_better_route_is_for_new_flows(void **state)
{
	struct world *world = *state;
	uint64_t flow;

	begin(world);
	flow = world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
	/* Its last flow ends, and the pin with it. */
	world_end(world, flow);
	world_pass(world, 300);
	world_must_hold(world, STORY_HELD4, MOVED);
	world_must_be_steady(world);
}

static void without_a_list_nothing_is_pinned(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world->engine.pins.flows.list = NULL;
	world_do(BETTER);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED);
}

static void a_longer_prefix_is_for_new_flows(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	(void)world_begin(world, A, "198.18.0.1");
	world_do("route add 203.0.113.0/24 " VIA_2 " metric 5");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 " VIA_2 "\n"
			"7101 203.0.113.0/24 " VIA_2 "\n"
			"7100 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
	/* It goes again: the plan is the pin's path, which is not needed. */
	world_do("route del 203.0.113.0/24 " VIA_2 " metric 5");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

static void a_route_for_just_that_host_is_for_new_flows(void **state)
{
	struct world *world = *state;
	uint64_t flow;

	begin(world);
	flow = world_begin(world, A, B);
	world_do("route add 203.0.113.9/32 " VIA_2 " metric 5");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7101 203.0.113.9/32 " VIA_2 "\n"
			"7100 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
	world_end(world, flow);
	world_pass(world, 300);
	world_must_hold(world, STORY_HELD4,
			"7101 203.0.113.9/32 " VIA_2 "\n"
			"7100 203.0.113.9/32 " VIA_2);
	world_must_be_steady(world);
}

static void one_pin_serves_all_flows_to_a_destination(void **state)
{
	struct world *world = *state;
	uint64_t one;
	uint64_t two;

	begin(world);
	one = world_begin(world, A, B);
	two = world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	assert_int_equal(world->engine.pins.set.pins.n, 1);
	world_end(world, one);
	world_pass(world, 300);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
	/* A new one shares it. */
	(void)world_begin(world, A, B);
	world_end(world, two);
	world_pass(world, 300);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
}

static void one_destination_from_two_subnets_is_two_pins(void **state)
{
	struct world *world = *state;
	uint64_t from_a;

	begin(world);
	from_a = world_begin(world, A, B);
	(void)world_begin(world, "198.51.100.2", B);
	world_do("route add 203.0.113.0/24 " VIA_OTHER " metric 5");
	world_run(world);
	/* Of the second subnet it is the weak path, and a longer prefix. */
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 " VIA_OTHER "\n"
			"7101 203.0.113.0/24 " VIA_OTHER "\n"
			"7100 203.0.113.9/32 " VIA_1 "\n"
			"7101 203.0.113.9/32 " VIA_2);
	world_end(world, from_a);
	world_pass(world, 300);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 " VIA_OTHER "\n"
			"7101 203.0.113.0/24 " VIA_OTHER "\n"
			"7101 203.0.113.9/32 " VIA_2);
	world_must_be_steady(world);
}

/* All flows of a subnet to as many destinations, in more ops than one slice. */
static void thousands_stay_and_go(void **state)
{
	enum {
		FLOWS = 3000
	};
	struct world *world = *state;
	char dst[32];

	begin(world);
	for (int i = 0; i < FLOWS; i++) {
		(void)snprintf(dst, sizeof(dst), "198.18.%d.%d", i >> 8,
			       i & 255);
		(void)world_begin(world, A, dst);
	}
	world_do(BETTER);
	(void)engine_run(&world->engine, world->now_ms);
	assert_true(engine_is_busy(&world->engine));
	/* What is asked for meanwhile is done afterwards. */
	assert_int_equal(
		engine_pins_unpin(&world->engine, &world->flows.items[7].dst),
		1);
	world_run(world);
	assert_int_equal(pin_laid(&world->engine.pins.set), FLOWS - 1);
	assert_int_equal(rib_table(&world->engine.model.rib, 7100)->n4,
			 FLOWS - 1 + 3);
	assert_int_equal(world->engine.pins.counters.saved, FLOWS);
	world_must_be_steady(world);
	vec_clear(&world->flows);
	world_pass(world, 16000);
	world_must_hold(world, STORY_HELD4, MOVED);
	world_must_be_steady(world);
}

static void flows_of_before_the_start_stay(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	/* Of the second uplink's source, but by main through the first. */
	(void)world_begin(world, "198.51.100.2", B);
	(void)world_begin(world, A, C);
	world_start(world);
	world_must_hold(world, STORY_HELD4, "7101 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
}

/* Where no rule of ours comes, no flow can move. */
static void while_a_tunnel_is_yielded_to_nobody_lists_flows(void **state)
{
	struct world *world = *state;
	uint64_t listings;

	world->policy.settle_ms = 0;
	world_do(STORY_V4
		 "route add 0.0.0.0/0 dev d1 table 51820\n"
		 "rule add priority 100 not from 0.0.0.0/0 fwmark 0x1/0xff "
		 "lookup 51820");
	(void)world_begin(world, "198.51.100.2", B);
	world_start(world);
	listings = world->engine.pins.counters.listings;
	world_do(UNRELATED);
	world_run(world);
	assert_int_equal(world->engine.pins.counters.listings, listings);
	/* It goes, and they are pinned to what leads them then. */
	world_do("route del 0.0.0.0/0 dev d1 table 51820");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "7101 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
}

/* As in a trial of a configuration that goes back. */
static void a_subnet_that_was_let_alone_gets_its_flows_back(void **state)
{
	struct policy_interface alone = {.match = "d2", .manage = MANAGE_NEVER};
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, "198.51.100.2", B);
	vec_push(&world->policy.interfaces, alone);
	engine_set_policy(&world->engine, &world->policy);
	world_run(world);
	vec_clear(&world->policy.interfaces);
	engine_set_policy(&world->engine, &world->policy);
	world_run(world);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

static void a_restart_keeps_pins(void **state)
{
	struct world *world = *state;
	uint64_t flow;

	begin(world);
	flow = world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	world_do(ROUTERS);
	world_stop(world);
	world_start(world);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	assert_int_equal(world->engine.counters.ops[OP_ROUTE_PUT], 0);
	assert_int_equal(world->engine.counters.ops[OP_ROUTE_DELETE], 0);
	world_stop(world);
	/* Nothing is left of a flow that ended meanwhile. */
	vec_clear(&world->flows);
	(void)flow;
	world_start(world);
	world_must_hold(world, STORY_HELD4, MOVED);
}

static void what_changed_while_we_were_away_moves_no_flow(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_stop(world);
	world_do(BETTER "\n" ROUTERS);
	world_start(world);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
}

static void unpin_lets_flows_go(void **state)
{
	struct world *world = *state;
	struct ip_addr all = {0};

	begin(world);
	(void)world_begin(world, A, B);
	(void)world_begin(world, A, C);
	world_do(BETTER);
	world_run(world);
	assert_int_equal(engine_pins_unpin(&world->engine, &all), 2);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED);
	assert_int_equal(world->engine.pins.counters.moved[PIN_MOVED_ASKED], 2);
	world_must_be_steady(world);
}

static void over_the_cap_the_oldest_stay(void **state)
{
	struct world *world = *state;

	world->policy.pinning.max = 1;
	begin(world);
	(void)world_begin(world, A, C);
	(void)world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			MOVED "7100 203.0.113.77/32 " VIA_1);
	assert_int_equal(world->engine.pins.counters.moved[PIN_MOVED_CAP], 1);
	world_must_be_steady(world);
}

static void off_is_off(void **state)
{
	struct world *world = *state;

	world->policy.pinning.scope = PIN_SCOPE_OFF;
	begin(world);
	(void)world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED);
	assert_int_equal(world->engine.pins.counters.listings, 0);
}

static void mptcp_alone_can_be_pinned(void **state)
{
	struct world *world = *state;
	uint64_t subflow;

	world->policy.pinning.scope = PIN_SCOPE_MPTCP;
	begin(world);
	(void)world_begin(world, A, B);
	subflow = world_begin(world, A, C);
	world_flow(world, subflow)->mptcp = true;
	world_do(BETTER);
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			MOVED "7100 203.0.113.77/32 " VIA_1);
}

static void what_moves_nobody_lists_nothing(void **state)
{
	struct world *world = *state;
	uint64_t listings;

	begin(world);
	(void)world_begin(world, A, B);
	listings = world->engine.pins.counters.listings;
	/* The same way as the default, for each of the two. */
	world_do("route add 203.0.113.0/24 " VIA_1 " metric 5\n"
		 "route add 203.0.113.0/24 " VIA_2 " metric 7");
	world_run(world);
	world_do("route del 203.0.113.0/24 " VIA_1 " metric 5\n"
		 "route del 203.0.113.0/24 " VIA_2 " metric 7");
	world_run(world);
	assert_int_equal(world->engine.pins.counters.listings, listings);
	world_must_hold(world, STORY_HELD4, "");
}

static void where_there_is_no_flow_nobody_lists_any(void **state)
{
	struct world *world = *state;
	const struct engine_pins *pins = &world->engine.pins;

	begin(world);
	world_do(BETTER);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED);
	assert_int_equal(pins->counters.listings, 0);
	/* The first flow counts. */
	(void)world_begin(world, A, B);
	world_do("route add 0.0.0.0/0 " VIA_1 " metric 40");
	world_run(world);
	world_must_hold(world, STORY_HELD4, "7100 203.0.113.9/32 " VIA_OTHER);
}

static void meddling_moves_no_pin(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(BETTER);
	world_run(world);
	world_do("route del 203.0.113.9/32 " VIA_1
		 " table 7100 metric 1024 proto 109");
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
	/* And a cell that somebody deletes is not a lost path. */
	world_do("route del 0.0.0.0/0 " VIA_OTHER
		 " table 7100 metric 1024 proto 109");
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
	world_must_be_steady(world);
}

/* Each is looked for among the others when they are listed again. */
static void very_many_flows_to_one_destination_wait(void **state)
{
	enum {
		FLOWS = 60000
	};
	struct world *world = *state;
	clock_t began;

	begin(world);
	for (int i = 0; i < FLOWS; i++)
		(void)world_begin(world, A, B);
	world_do(LOSE);
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_HOLD);
	world_do("route add 0.0.0.0/0 " VIA_OTHER " metric 900");
	began = clock();
	world_run(world);
	assert_true((clock() - began) / CLOCKS_PER_SEC < 10);
	assert_int_equal(world_pin_kind(world, B), PIN_HOLD);
	assert_int_equal(world->engine.pins.set.members.n, FLOWS);
}

/* In the order of their cookies, which is no order of their destinations. */
static void very_many_that_are_away_outlive_a_restart(void **state)
{
	enum {
		FLOWS = 100000
	};
	struct world *world = *state;
	struct pin_member member = {.table = 7100};
	struct pin pin = {.kind = PIN_AWAY, .table = 7100, .flows = 1};
	struct next_hop hop = {0};
	clock_t began = clock();

	begin(world);
	hop.ifindex = model_link_by_name(&world->engine.model, "d1")->ifindex;
	assert_int_equal(ip_addr_parse("192.0.2.9", &hop.gateway), 0);
	assert_int_equal(ip_addr_parse("203.0.113.0", &pin.dst), 0);
	for (uint32_t i = 0; i < FLOWS; i++) {
		uint32_t bits = htonl(0x40000000 | (i * 2654435761U) >> 2);

		memcpy(pin.dst.bytes, &bits, sizeof(bits));
		member.dst = pin.dst;
		member.cookie = i + 1;
		engine_pins_restore(&world->engine, &pin, &hop, &member);
	}
	engine_pins_restored(&world->engine);
	assert_true((clock() - began) / CLOCKS_PER_SEC < 10);
	assert_int_equal(world->engine.pins.set.members.n, FLOWS);
	assert_int_equal(world->engine.pins.set.pins.n, FLOWS);
	assert_int_equal(world->engine.pins.set.count[PIN_AWAY], FLOWS);
}

/* Of so many next hops not all are looked at, and none is lost. */
static void flows_of_very_many_next_hops_stay_on_them(void **state)
{
	enum {
		HOPS = 300
	};
	struct world *world = *state;
	struct model *model = &world->engine.model;
	struct model_route route = {.route = {.table = ROUTE_TABLE_MAIN}};
	struct next_hop hop = {.weight = 0};

	begin(world);
	hop.ifindex = model_link_by_name(model, "d1")->ifindex;
	assert_int_equal(ip_addr_parse("192.0.2.1", &hop.gateway), 0);
	assert_int_equal(ip_prefix_parse("203.0.113.0/24", &route.prefix), 0);
	attrset_init(&route.set, AF_INET, ATTRSET_UNICAST);
	for (int i = 0; i < HOPS; i++) {
		hop.gateway.bytes[3] = (uint8_t)(1 + i % 250);
		attrset_add_hop(&route.set, &hop, NULL, 0);
	}
	assert_int_equal(model_put_route(model, &route, MODEL_APPEND), 0);
	attrset_done(&route.set);
	world_run(world);
	(void)world_begin(world, A, B);
	world_do("route add 203.0.113.0/25 " VIA_2 " metric 5");
	world_run(world);
	assert_int_equal(world_pin_kind(world, B), PIN_PATH);
	assert_int_equal(attrset_get(&model->rib.attrs,
				     world->engine.pins.set.pins.items[0].attrs)
				 ->hops.n,
			 HOPS);
}

/* As who reconfigures a link does; the rule is back at once. */
static void a_better_route_with_a_rule_deleted(void **state)
{
	struct world *world = *state;

	begin(world);
	(void)world_begin(world, A, B);
	world_do(UNRULE "\n" BETTER);
	world_run(world);
	world_must_hold(world, STORY_HELD4, MOVED "7100 203.0.113.9/32 " VIA_1);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_better_route_is_for_new_flows),
		TEST(without_a_list_nothing_is_pinned),
		TEST(a_longer_prefix_is_for_new_flows),
		TEST(a_route_for_just_that_host_is_for_new_flows),
		TEST(one_pin_serves_all_flows_to_a_destination),
		TEST(one_destination_from_two_subnets_is_two_pins),
		TEST(thousands_stay_and_go),
		TEST(flows_of_before_the_start_stay),
		TEST(while_a_tunnel_is_yielded_to_nobody_lists_flows),
		TEST(a_subnet_that_was_let_alone_gets_its_flows_back),
		TEST(a_restart_keeps_pins),
		TEST(what_changed_while_we_were_away_moves_no_flow),
		TEST(unpin_lets_flows_go),
		TEST(over_the_cap_the_oldest_stay),
		TEST(off_is_off),
		TEST(mptcp_alone_can_be_pinned),
		TEST(what_moves_nobody_lists_nothing),
		TEST(where_there_is_no_flow_nobody_lists_any),
		TEST(meddling_moves_no_pin),
		TEST(very_many_flows_to_one_destination_wait),
		TEST(very_many_that_are_away_outlive_a_restart),
		TEST(flows_of_very_many_next_hops_stay_on_them),
		TEST(a_better_route_with_a_rule_deleted),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
