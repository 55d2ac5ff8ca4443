/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What failed, or had to wait, is made up for with all that hangs on it: on the
 * fake kernel, which fails when it is told to.
 */
#include "engine/engine.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/endpoint.h"
#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

#define LONG_MS 10000 /* longer than the engine waits between two tries */

/* --- endpoints: who looks in wide rounds only --- */

struct looker {
	uint64_t wide;
	size_t offered;
	uint64_t told; /* of wide rounds, before they write */
};

static size_t offer(const struct world *world)
{
	const struct view view = engine_view(&world->engine);
	struct endpoint_vec all = {0};
	size_t n;

	endpoint_build(&view, NULL, &all);
	n = all.n;
	vec_done(&all);
	return n;
}

static void tell(const struct engine *engine, void *data)
{
	struct looker *looker = data;

	looker->told += engine->batch.is_wide;
}

/* As the loop does it: on_prepare(), update_mptcp(). */
static void look(struct world *world, struct looker *looker)
{
	const struct engine *engine = &world->engine;

	if (engine_is_pending(engine, world->now_ms) || engine->read_failed ||
	    looker->wide == engine->counters.wide)
		return;
	looker->wide = engine->counters.wide;
	looker->offered = offer(world);
}

static void pass(struct world *world, uint64_t ms, struct looker *looker)
{
	for (uint64_t i = 0; i < ms; i++) {
		world->now_ms++;
		world_run(world);
		look(world, looker);
	}
}

/* A second uplink comes, and the op of these kinds fails once. */
static void must_be_offered(struct world *world, uint64_t nth, uint32_t kinds)
{
	const struct fake_fault fault = {
		.call = FAKE_OP, .nth = nth, .error = -ENOBUFS, .kinds = kinds};
	struct engine *engine = &world->engine;
	struct looker looker = {0};
	uint64_t wide;

	world_do("route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100");
	world_start(world);
	pass(world, 1000, &looker);
	assert_int_equal(looker.offered, 1);
	wide = engine->counters.wide;
	engine->before_write = (struct engine_hook){tell, &looker};
	fake_fail(world_fake(), &fault);
	world_do("route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200");
	pass(world, LONG_MS, &looker);
	assert_int_equal(fake_faults_hit(world_fake()), 1);
	world_must_hold(world, STORY_HELD4, "");
	assert_int_equal(offer(world), 2);
	assert_int_equal(looker.offered, 2);
	assert_int_equal(looker.told, engine->counters.wide - wide);
	engine->before_write = (struct engine_hook){0};
}

static void a_rule_that_is_tried_again_has_its_endpoint(void **state)
{
	must_be_offered(*state, 1, 1U << OP_RULE_ADD);
}

/* Not of the default: of a longer prefix. */
static void a_route_that_is_tried_again_before_a_rule(void **state)
{
	must_be_offered(*state, 2, 1U << OP_ROUTE_PUT);
}

static void a_rule_that_was_held_back_has_its_endpoint(void **state)
{
	struct world *world = *state;
	struct looker looker = {0};

	world_do(STORY_V4);
	world_start(world);
	pass(world, 1000, &looker);
	assert_int_equal(looker.offered, 2);
	for (int i = 0; i < 12; i++) {
		(void)fake_do(world_fake(), FAKE_SOMEBODY,
			      "rule del priority 7109 from 198.51.100.0/24 "
			      "iif lo lookup 7101");
		pass(world, 15, &looker);
	}
	pass(world, 60000, &looker);
	world_must_hold(world, STORY_HELD4, "");
	assert_int_equal(offer(world), 2);
	assert_int_equal(looker.offered, 2);
}

/* --- reads --- */

static void a_table_number_is_looked_for_again(void **state)
{
	struct world *world = *state;

	world_do("route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100");
	world_start(world);
	world_pass(world, 1000);
	fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_READ,
						     .nth = 1,
						     .error = -ENOBUFS,
						     .times = UINT64_MAX});
	world_do("route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200");
	world_pass(world, 10);
	fake_mend(world_fake());
	world_pass(world, 60000);
	world_must_hold(world, STORY_HELD4, "");
}

/* A link that takes no entry, IPv6 being off on it, is not the others'. */
static void an_entry_that_is_refused_is_the_only_one(void **state)
{
	const struct fake_fault refusal = {
		.call = FAKE_OP,
		.nth = 1,
		.error = -EINVAL,
		.kinds = 1U << OP_NEIGHBOUR_PUT,
	};
	struct world *world = *state;

	world_do(STORY_V4);
	fake_fail(world_fake(), &refusal);
	world_start(world);
	world_pass(world, LONG_MS);
	assert_int_equal(fake_ops(world_fake(), OP_NEIGHBOUR_PUT), 1);
	world_do("route add 203.0.113.0/24 via 192.0.2.9 dev d1");
	world_pass(world, LONG_MS);
	assert_int_equal(fake_ops(world_fake(), OP_NEIGHBOUR_PUT), 2);
	/* It is tried again when its link may be another one. */
	world_do("address add 192.0.2.3/24 dev d1");
	world_pass(world, LONG_MS);
	assert_int_equal(fake_ops(world_fake(), OP_NEIGHBOUR_PUT), 3);
	world_must_be_steady(world);
}

/* The only number is another subnet's, and then nobody's. */
static void a_table_that_is_given_up_goes_to_who_waits(void **state)
{
	struct world *world = *state;

	world->policy.table_last = world->policy.table_first;
	world_do("route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100");
	world_start(world);
	world_do("route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200");
	world_pass(world, LONG_MS);
	world_do("address del 192.0.2.2/24 dev d1");
	world_pass(world, LONG_MS);
	world_must_hold(world,
			"rule 7109 from 198.51.100.0/24 iif lo lookup 7100\n"
			"7100 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7100 198.51.100.0/24 dev d2\n",
			"");
	world_must_be_steady(world);
}

/* And so it is with a number that somebody else has used. */
static void a_table_that_others_leave_goes_to_who_waits(void **state)
{
	struct world *world = *state;

	world->policy.table_last = world->policy.table_first + 1;
	world_do(STORY_V4
		 "route add 10.9.0.0/16 via 192.0.2.9 dev d1 table 7101\n"
		 "rule add priority 5000 from 192.0.2.77/32 lookup 7101");
	world_start(world);
	world_pass(world, LONG_MS);
	world_do("route del 10.9.0.0/16 via 192.0.2.9 dev d1 table 7101");
	world_pass(world, LONG_MS);
	world_do("rule del priority 5000 from 192.0.2.77/32 lookup 7101");
	world_pass(world, LONG_MS);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

/* Killed, started anew while nothing can be read, and stopped. */
static void a_flush_reads_what_was_never_read(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	world_stop(world);
	fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_READ,
						     .nth = 1,
						     .error = -ENOBUFS,
						     .times = UINT64_MAX});
	world_open(world);
	world_run(world);
	fake_mend(world_fake());
	assert_int_equal(engine_flush(&world->engine, world->now_ms), 0);
	world_must_hold(world, "", "");
}

/* --- a pin that fails in the first of many slices --- */

struct pinned {
	bool moved; /* the row was written, and no pin is there */
	bool written;
};

static void note_pinned(const struct engine *engine, const struct op *op,
			void *data)
{
	struct pinned *pinned = data;
	struct ip_prefix row;
	struct ip_prefix host;
	const struct row *have;

	assert_int_equal(ip_prefix_parse("10.7.100.0/24", &row), 0);
	assert_int_equal(ip_prefix_parse("10.7.100.5/32", &host), 0);
	if (op->kind != OP_ROUTE_PUT || op->route.route.table != 7100 ||
	    !ip_prefix_equal(&op->route.prefix, &row))
		return;
	have = rib_row(&engine->model.rib, &host);
	pinned->written = true;
	pinned->moved |= !have || !path_entry(have, 7100);
}

static void a_pin_that_fails_holds_up_all_slices(void **state)
{
	struct world *world = *state;
	struct pinned pinned = {0};

	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_many(AF_INET, "add", 0, 2000, "via 192.0.2.1 dev d1");
	world_start(world);
	world_pass(world, LONG_MS);
	(void)world_begin(world, "192.0.2.2", "10.7.100.5");
	world->engine.observer.wrote = note_pinned;
	world->engine.observer.data = &pinned;
	fake_fail(world_fake(),
		  &(struct fake_fault){.call = FAKE_OP,
				       .nth = 1,
				       .error = -ENOBUFS,
				       .kinds = 1U << OP_ROUTE_PUT});
	world_many(AF_INET, "replace", 0, 2000, "via 192.0.2.9 dev d1");
	world_pass(world, LONG_MS);
	assert_int_equal(fake_faults_hit(world_fake()), 1);
	assert_true(pinned.written);
	assert_int_equal(world_pin_kind(world, "10.7.100.5"), PIN_PATH);
	assert_false(pinned.moved);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rule_that_is_tried_again_has_its_endpoint),
		TEST(a_route_that_is_tried_again_before_a_rule),
		TEST(a_rule_that_was_held_back_has_its_endpoint),
		TEST(a_table_number_is_looked_for_again),
		TEST(an_entry_that_is_refused_is_the_only_one),
		TEST(a_table_that_is_given_up_goes_to_who_waits),
		TEST(a_table_that_others_leave_goes_to_who_waits),
		TEST(a_flush_reads_what_was_never_read),
		TEST(a_pin_that_fails_holds_up_all_slices),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
