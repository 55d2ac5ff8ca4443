/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns of writing that end amid a slice, and what comes then: on the fake
 * kernel.
 */
#include "engine/engine.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

#define SOME	 200  /* routes: more than a turn, less than a slice */
#define MANY	 3000 /* some slices */
#define LONG_MS	 10000
#define RUNS_MAX 40

#define CHANGED "route replace 0.0.0.0/0 via 192.0.2.7 dev d1 metric 100"
#define VIA	"via 198.51.100.1 dev d2"

#define ENTRIES(table) (rib_table(&world->engine.model.rib, table)->n4)

static bool always(void *data)
{
	(void)data;
	return true;
}

static void begin(struct world *world)
{
	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	world_start(world);
	world->engine.turn.is_over = always;
}

/* The first turn of a round of @n routes more is over. */
static void begin_amid(struct world *world, unsigned int n)
{
	begin(world);
	world_many(AF_INET, "add", 0, n, VIA);
	(void)engine_run(&world->engine, world->now_ms);
	assert_true(engine_is_busy(&world->engine));
}

/* As the loop does between two turns. */
static void hear_all(struct world *world)
{
	while (engine_listen(&world->engine, world->now_ms))
		;
}

static void must_have_all(struct world *world, unsigned int n)
{
	world_run(world);
	assert_int_equal(ENTRIES(7100), n + 3);
	assert_int_equal(ENTRIES(7101), n + 3);
	world_must_be_steady(world);
}

static bool has_new_default(const struct world *world)
{
	struct ip_prefix all = ip_prefix_default(AF_INET);
	const struct row *row = rib_row(&world->engine.model.rib, &all);
	const struct route *entry = path_entry(row, 7100);
	const struct attrset *set =
		entry ? attrset_get(&world->engine.model.rib.attrs,
				    entry->attrs)
		      : NULL;
	struct ip_addr gateway;

	assert_int_equal(ip_addr_parse("192.0.2.7", &gateway), 0);
	return set && set->hops.n == 1 &&
	       ip_addr_equal(&set->hops.items[0].gateway, &gateway);
}

static void some_ops_are_written_in_each_turn(void **state)
{
	struct world *world = *state;
	uint64_t before;
	unsigned int runs = 0;

	begin(world);
	before = world_written(world);
	world_many(AF_INET, "add", 0, SOME, VIA);
	do {
		uint64_t n = world_written(world);

		(void)engine_run(&world->engine, world->now_ms);
		assert_in_range(world_written(world) - n, 1, SOME / 2);
	} while (engine_is_busy(&world->engine) && runs++ < RUNS_MAX);
	assert_int_equal(world_written(world) - before, 2 * SOME);
	assert_true(runs >= 3);
	world_must_be_steady(world);
}

/* It comes before what else there is of a slice. */
static void a_default_does_not_wait_for_many_rows(void **state)
{
	struct world *world = *state;

	begin_amid(world, MANY);
	world_do(CHANGED);
	hear_all(world);
	(void)engine_run(&world->engine, world->now_ms);
	assert_true(has_new_default(world));
	assert_true(ENTRIES(7101) < MANY);
	must_have_all(world, MANY);
}

/* What was planned and not yet written is planned again, all of it. */
static void nothing_of_a_slice_cut_short_is_lost(void **state)
{
	struct world *world = *state;

	begin_amid(world, SOME);
	world_do(CHANGED);
	must_have_all(world, SOME);
	assert_true(has_new_default(world));
}

/* Before the turn ends, and in the turn after it. */
static void a_failure_is_made_up_for(void **state)
{
	static const uint64_t nths[] = {1, 50, 150, 2ULL * SOME};
	struct world *world = *state;

	begin(world);
	for (size_t i = 0; i < sizeof(nths) / sizeof(nths[0]); i++) {
		const struct fake_fault fault = {
			.call = FAKE_OP,
			.nth = nths[i],
			.error = -EBUSY,
		};

		fake_fail(world_fake(), &fault);
		world_many(AF_INET, "add", 0, SOME, VIA);
		world_run(world);
		world_pass(world, LONG_MS);
		assert_int_equal(fake_faults_hit(world_fake()), i + 1);
		fake_mend(world_fake());
		assert_int_equal(ENTRIES(7100), SOME + 3);
		world_must_be_steady(world);
		world_many(AF_INET, "del", 0, SOME, VIA);
		world_pass(world, LONG_MS);
		world_must_hold(world, STORY_HELD4, "");
	}
}

/* A failure in the first turn, and the second one never comes. */
static void a_failure_in_a_slice_cut_short_is_made_up_for(void **state)
{
	const struct fake_fault fault = {
		.call = FAKE_OP,
		.nth = 50,
		.error = -EBUSY,
	};
	struct world *world = *state;

	begin(world);
	fake_fail(world_fake(), &fault);
	world_many(AF_INET, "add", 0, SOME, VIA);
	(void)engine_run(&world->engine, world->now_ms);
	world_do(CHANGED);
	hear_all(world);
	world_pass(world, LONG_MS);
	assert_int_equal(fake_faults_hit(world_fake()), 1);
	fake_mend(world_fake());
	assert_true(has_new_default(world));
	assert_int_equal(ENTRIES(7100), SOME + 3);
	world_must_be_steady(world);
}

/* Nobody knows what was lost: it may be a default. */
static void a_loss_does_not_wait_for_many_rows(void **state)
{
	struct world *world = *state;

	begin_amid(world, MANY);
	fake_set_news(world_fake(), FAKE_HIDE);
	world_do(CHANGED);
	fake_set_news(world_fake(), FAKE_TELL);
	fake_lose(world_fake());
	hear_all(world);
	(void)engine_run(&world->engine, world->now_ms);
	assert_true(has_new_default(world));
	assert_true(ENTRIES(7101) < MANY);
	must_have_all(world, MANY);
}

/* A storm is heard some at a time: whoever asks waits for that as well. */
static void what_comes_amid_many_rows_is_heard_bit_by_bit(void **state)
{
	struct world *world = *state;
	unsigned int n = 1;

	begin_amid(world, MANY);
	world_many(AF_INET, "add", MANY, MANY, VIA);
	while (engine_listen(&world->engine, world->now_ms))
		n++;
	assert_in_range(n, MANY / 512, MANY / 256);
	must_have_all(world, 2 * MANY);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(some_ops_are_written_in_each_turn),
		TEST(a_default_does_not_wait_for_many_rows),
		TEST(nothing_of_a_slice_cut_short_is_lost),
		TEST(a_failure_is_made_up_for),
		TEST(a_failure_in_a_slice_cut_short_is_made_up_for),
		TEST(a_loss_does_not_wait_for_many_rows),
		TEST(what_comes_amid_many_rows_is_heard_bit_by_bit),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
