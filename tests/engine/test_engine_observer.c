/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who watches the engine sees everything, and sees it before it takes effect in
 * the model. On either kernel.
 */
#include "engine/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world.h"

struct seen {
	uint64_t heard[KERNEL_EVENTS];
	uint64_t early[KERNEL_EVENTS]; /* of them: not in the model yet */
	uint64_t wrote[OP_KINDS];
	uint64_t wrote_early;
	uint64_t subnets; /* calls */
	size_t managed_before;
	size_t managed_after;
};

static const struct route *find_route(const struct engine *engine,
				      const struct ip_prefix *prefix,
				      const struct route *route)
{
	const struct row *row = rib_row(&engine->model.rib, prefix);

	for (size_t i = 0; row && i < row->n; i++)
		if (route_key_cmp(&row->routes[i], route) == 0)
			return &row->routes[i];
	return NULL;
}

/* Deleted: it is still there; new: it is not. */
static bool is_early(const struct engine *engine,
		     const struct kernel_event *event)
{
	const struct link *link;

	if (event->kind == KERNEL_ROUTE)
		return (find_route(engine, &event->route.prefix,
				   &event->route.route) != NULL) ==
		       event->deleted;
	if (event->kind != KERNEL_LINK)
		return false;
	link = model_link(&engine->model, event->link.ifindex);
	return link && link->up != event->link.up;
}

static void heard(const struct engine *engine, const struct kernel_event *event,
		  void *data)
{
	struct seen *seen = data;

	seen->heard[event->kind]++;
	seen->early[event->kind] += is_early(engine, event);
}

static void wrote(const struct engine *engine, const struct op *op, void *data)
{
	struct seen *seen = data;

	seen->wrote[op->kind]++;
	if (op->kind == OP_ROUTE_PUT)
		seen->wrote_early += find_route(engine, &op->route.prefix,
						&op->route.route) == NULL;
}

static size_t count_managed(const struct subnet_set *set)
{
	const struct subnet *it;
	size_t n = 0;

	vec_foreach(&set->subnets, it)
		n += it->managed;
	return n;
}

static void subnets(const struct engine *engine,
		    const struct subnet_set *before, void *data)
{
	struct seen *seen = data;

	seen->subnets++;
	seen->managed_before = count_managed(before);
	seen->managed_after = count_managed(&engine->subnets);
}

static void watch(struct world *world, struct seen *seen)
{
	world->observer = (struct engine_observer){
		.heard = heard,
		.wrote = wrote,
		.subnets = subnets,
		.data = seen,
	};
}

static void dumps_are_not_heard_but_writes_are_seen(void **state)
{
	struct world *world = *state;
	struct seen seen = {0};

	world_do(STORY);
	watch(world, &seen);
	world_start(world);
	for (size_t kind = 0; kind < KERNEL_EVENTS; kind++)
		assert_int_equal(seen.heard[kind], 0);
	assert_int_equal(seen.wrote[OP_ROUTE_PUT], 12);
	assert_int_equal(seen.wrote_early, 12);
	assert_int_equal(seen.wrote[OP_RULE_ADD], 5);
	assert_int_equal(seen.wrote[OP_NEIGHBOUR_PUT], 4);
	for (size_t kind = 0; kind < OP_KINDS; kind++)
		assert_int_equal(seen.wrote[kind],
				 world->engine.counters.ops[kind]);
	assert_int_equal(seen.subnets, 1);
	assert_int_equal(seen.managed_before, 0);
	assert_int_equal(seen.managed_after, 4);
}

static void events_are_heard_before_they_count(void **state)
{
	struct world *world = *state;
	struct seen seen = {0};

	world_do(STORY_V4);
	watch(world, &seen);
	world_start(world);
	world_do("route add 203.0.113.0/24 dev d2 metric 5");
	world_run(world);
	assert_int_equal(seen.heard[KERNEL_ROUTE], 1);
	assert_int_equal(seen.early[KERNEL_ROUTE], 1);
	world_do("route del 203.0.113.0/24 dev d2 metric 5");
	world_run(world);
	assert_int_equal(seen.heard[KERNEL_ROUTE], 2);
	assert_int_equal(seen.early[KERNEL_ROUTE], 2);
	world_do("link set d2 down");
	world_run(world);
	assert_true(seen.heard[KERNEL_LINK] > 0);
	assert_true(seen.early[KERNEL_LINK] > 0);
	for (size_t kind = 0; kind < KERNEL_EVENTS; kind++)
		assert_int_equal(seen.heard[kind],
				 world->engine.counters.events[kind]);
}

static void a_subnet_that_goes_is_told_of(void **state)
{
	struct world *world = *state;
	struct seen seen = {0};

	world_do(STORY_V4);
	watch(world, &seen);
	world_start(world);
	seen.subnets = 0;
	world_do("address del 198.51.100.2/24 dev d2");
	world_run(world);
	assert_int_equal(seen.subnets, 1);
	assert_int_equal(seen.managed_before, 2);
	assert_int_equal(seen.managed_after, 1);
	/* A route that makes no uplink does not touch them. */
	world_do("route add 203.0.113.0/24 via 192.0.2.1 dev d1");
	world_run(world);
	assert_int_equal(seen.subnets, 1);
}

static void whoever_does_not_watch_is_not_called(void **state)
{
	struct world *world = *state;

	world_do(STORY);
	world->observer = (struct engine_observer){0};
	world_start(world);
	world_do("link set d2 down");
	world_run(world);
	world_must_be_steady(world);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

static void count_call(const struct engine *engine, void *data)
{
	uint64_t *calls = data;

	*calls += engine->batch.is_wide;
}

/* What does not depend on longer routes need not look at each of them. */
static void a_longer_route_is_told_from_all_else(void **state)
{
	static const struct {
		const char *lines;
		bool is_wide;
	} rows[] = {
		{"route add 203.0.113.0/24 via 192.0.2.1 dev d1", false},
		{"route add 128.0.0.0/1 via 192.0.2.1 dev d1", false},
		{"route del 203.0.113.0/24 via 192.0.2.1 dev d1", false},
		{"route add 0.0.0.0/0 via 192.0.2.9 dev d1 metric 300", true},
		{"address add 192.0.2.3/24 dev d1", true},
		{"rule add priority 5000 from 192.0.2.77/32 lookup 99", true},
		{STORY_FAILED, true},
		{"link set d2 down", true},
	};
	struct world *world = *state;
	struct engine *engine = &world->engine;
	uint64_t calls = 0;

	world_do(STORY_V4);
	world_start(world);
	engine->before_write = (struct engine_hook){count_call, &calls};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t rounds = engine->counters.rounds;
		uint64_t wide = engine->counters.wide;

		calls = 0;
		world_do(rows[i].lines);
		world_pass(world, 1000); /* settle_ms */
		if (engine->counters.rounds == rounds ||
		    (engine->counters.wide > wide) != rows[i].is_wide)
			print_error("%s\n", rows[i].lines);
		assert_true(engine->counters.rounds > rounds);
		assert_int_equal(engine->counters.wide > wide, rows[i].is_wide);
		assert_int_equal(calls, engine->counters.wide - wide);
	}
	engine->before_write = (struct engine_hook){0};
}

/* It is no default, but a subnet is managed from now on. */
static void a_route_that_makes_an_uplink_is_told_too(void **state)
{
	struct world *world = *state;
	struct engine *engine = &world->engine;
	uint64_t wide;

	world_do("route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100");
	world_start(world);
	wide = engine->counters.wide;
	world_do("route add 203.0.113.0/24 via 198.51.100.1 dev d2");
	world_run(world);
	assert_true(engine->counters.wide > wide);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(dumps_are_not_heard_but_writes_are_seen),
		TEST(events_are_heard_before_they_count),
		TEST(a_subnet_that_goes_is_told_of),
		TEST(whoever_does_not_watch_is_not_called),
		TEST(a_longer_route_is_told_from_all_else),
		TEST(a_route_that_makes_an_uplink_is_told_too),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
