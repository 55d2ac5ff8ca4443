/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ops that threads write, and what happens meanwhile: on the fake kernel.
 */
#include "engine/engine.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

#define FEW	 30   /* routes: two tables take less than what is sent */
#define SOME	 200  /* less than a slice */
#define MANY	 3000 /* some slices */
#define RUNS_MAX 100
#define LONG_MS	 10000

#define CHANGED "route replace 0.0.0.0/0 via 192.0.2.7 dev d1 metric 100"
#define VIA4	"via 198.51.100.1 dev d2"
#define VIA6	"via fe80::2 dev d2"

static size_t entries(const struct world *world, uint32_t table)
{
	const struct rib_table *it = rib_table(&world->engine.model.rib, table);

	return it->n4 + it->n6;
}

static void begin(struct world *world, const char *story)
{
	world->policy.settle_ms = 0;
	world_do(story);
	world_start(world);
	world->engine.turn.aside_ms = 10;
}

static void set_aside(size_t at_once, size_t at_most)
{
	fake_set_aside(world_fake(), &(struct fake_aside){at_once, at_most});
}

static void run(struct world *world)
{
	(void)engine_run(&world->engine, world->now_ms);
}

/* What is sent has begun, some of it is written, and we may do other things. */
static void begin_amid(struct world *world, unsigned int n)
{
	begin(world, STORY_V4);
	set_aside(SOME / 2, SIZE_MAX);
	world_many(AF_INET, "add", 0, n, VIA4);
	(void)engine_listen(&world->engine, world->now_ms);
	run(world);
	assert_true(engine_waits(&world->engine));
	assert_true(engine_is_busy(&world->engine));
	assert_true(engine_is_pending(&world->engine, world->now_ms));
	assert_false(engine_is_steady(&world->engine, world->now_ms));
}

static void must_have_all(struct world *world, unsigned int n)
{
	world_pass(world, LONG_MS);
	assert_int_equal(entries(world, 7100), n + 3);
	assert_int_equal(entries(world, 7101), n + 3);
	world_must_be_steady(world);
}

static void many_ops_are_sent(void **state)
{
	struct world *world = *state;
	uint64_t before;

	begin_amid(world, SOME);
	before = world_written(world);
	assert_int_equal(entries(world, 7100), 3); /* it is not over */
	run(world);
	assert_false(engine_waits(&world->engine));
	assert_int_equal(world_written(world) - before, 2 * SOME);
	assert_false(engine_is_busy(&world->engine));
	must_have_all(world, SOME);
}

static void few_are_not(void **state)
{
	struct world *world = *state;

	begin(world, STORY_V4);
	world_many(AF_INET, "add", 0, FEW, VIA4);
	(void)engine_listen(&world->engine, world->now_ms);
	run(world);
	assert_false(engine_is_busy(&world->engine));
	assert_int_equal(fake_calls(world_fake(), FAKE_BEGIN), 0);
	must_have_all(world, FEW);
}

/* When time is over there are ops left in the middle of what was sent. */
static void what_was_not_begun_is_sent_again(void **state)
{
	struct world *world = *state;
	unsigned int runs = 0;
	uint64_t before;

	begin(world, STORY);
	before = world_written(world);
	set_aside(50, 150);
	world_many(AF_INET6, "add", 0, SOME, VIA6);
	world_many(AF_INET, "add", 0, SOME, VIA4);
	(void)engine_listen(&world->engine, world->now_ms);
	do
		run(world);
	while (engine_is_busy(&world->engine) && runs++ < RUNS_MAX);
	assert_int_equal(world_written(world) - before, 4 * SOME);
	assert_true(fake_calls(world_fake(), FAKE_BEGIN) >= 3);
	assert_int_equal(entries(world, 7102), SOME + 3);
	assert_int_equal(entries(world, 7103), SOME + 3);
	must_have_all(world, SOME);
}

/* Wherever: the op that is planned again is the one that failed. */
static void a_failure_is_made_up_for(void **state)
{
	static const uint64_t nths[] = {1, 77, 149, 150, 151, 250, 399};
	struct world *world = *state;

	begin(world, STORY_V6);
	set_aside(100, 150);
	for (size_t i = 0; i < sizeof(nths) / sizeof(nths[0]); i++) {
		fake_fail(world_fake(), &(struct fake_fault){
						.call = FAKE_OP,
						.nth = nths[i],
						.error = -EBUSY,
					});
		world_many(AF_INET6, "add", 0, SOME, VIA6);
		world_pass(world, LONG_MS);
		assert_int_equal(fake_faults_hit(world_fake()), i + 1);
		fake_mend(world_fake());
		assert_int_equal(entries(world, 7100), SOME + 3);
		assert_int_equal(entries(world, 7101), SOME + 3);
		world_must_be_steady(world);
		world_many(AF_INET6, "del", 0, SOME, VIA6);
		world_pass(world, LONG_MS);
		world_must_be_steady(world);
	}
}

static void a_call_that_fails_is_made_up_for(void **state)
{
	static const struct fake_fault faults[] = {
		{.call = FAKE_BEGIN, .nth = 1, .error = -EAGAIN, .times = 50},
		{.call = FAKE_APPLY, .nth = 1, .error = -ETIMEDOUT, .done = 9},
		{.call = FAKE_APPLY, .nth = 2, .error = -EMSGSIZE},
	};
	struct world *world = *state;

	begin(world, STORY_V4);
	set_aside(100, 1000);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		uint64_t hit = fake_faults_hit(world_fake());

		fake_fail(world_fake(), &faults[i]);
		world_many(AF_INET, "add", 0, MANY, VIA4);
		world_pass(world, LONG_MS);
		assert_true(fake_faults_hit(world_fake()) > hit);
		fake_mend(world_fake());
		must_have_all(world, MANY);
		world_many(AF_INET, "del", 0, MANY, VIA4);
		must_have_all(world, 0);
	}
}

static bool has_default_via(const struct world *world, const char *via)
{
	struct ip_prefix all = ip_prefix_default(AF_INET);
	const struct row *row = rib_row(&world->engine.model.rib, &all);
	const struct route *entry = path_entry(row, 7100);
	struct ip_addr gateway;

	assert_int_equal(ip_addr_parse(via, &gateway), 0);
	return entry &&
	       ip_addr_equal(&attrset_get(&world->engine.model.rib.attrs,
					  entry->attrs)
				      ->hops.items[0]
				      .gateway,
			     &gateway);
}

static void a_default_comes_right_after_what_was_sent(void **state)
{
	struct world *world = *state;

	begin_amid(world, MANY);
	world_do(CHANGED);
	(void)engine_listen(&world->engine, world->now_ms);
	run(world); /* it is sent, alone */
	assert_true(engine_is_busy(&world->engine));
	run(world);
	assert_true(has_default_via(world, "192.0.2.7"));
	assert_true(entries(world, 7101) < MANY);
	must_have_all(world, MANY);
}

/* It is told before we know of our own. */
static void what_others_do_meanwhile_is_newer(void **state)
{
	struct world *world = *state;

	begin_amid(world, SOME);
	world_do("route del 10.0.1.0/24 " VIA4
		 " metric 1024 table 7100 proto 109");
	(void)engine_listen(&world->engine, world->now_ms);
	must_have_all(world, SOME);
}

static void whoever_reads_catches_up_first(void **state)
{
	struct world *world = *state;

	begin_amid(world, SOME);
	assert_int_equal(engine_read(&world->engine, world->now_ms), 0);
	assert_false(engine_waits(&world->engine));
	must_have_all(world, SOME);
}

static void what_was_sent_is_removed_as_well(void **state)
{
	struct world *world = *state;

	begin_amid(world, MANY);
	assert_int_equal(engine_flush(&world->engine, world->now_ms), 0);
	world_must_hold(world, "", "");
}

static void an_engine_that_ends_waits(void **state)
{
	struct world *world = *state;

	begin_amid(world, MANY);
	world_stop(world);
	world_start(world);
	must_have_all(world, MANY);
}

static void another_policy_waits_for_nothing(void **state)
{
	struct world *world = *state;
	struct policy strong = world->policy;

	begin_amid(world, MANY);
	strong.model = HOST_MODEL_STRONG;
	engine_set_policy(&world->engine, &strong);
	assert_true(engine_waits(&world->engine));
	world_pass(world, LONG_MS);
	/* Behind the default there is one that rejects. */
	assert_int_equal(entries(world, 7100), MANY + 4);
	engine_set_policy(&world->engine, &world->policy);
	must_have_all(world, MANY);
}

/* Nothing at all may be written. */
static void who_may_not_is_told_so(void **state)
{
	struct world *world = *state;

	begin(world, STORY_V4);
	set_aside(0, SIZE_MAX);
	fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_OP,
						     .nth = 1,
						     .error = -EPERM,
						     .times = 10000});
	world_many(AF_INET, "add", 0, SOME, VIA4);
	world_run(world);
	assert_int_equal(world->error, -EPERM);
	fake_mend(world_fake());
	must_have_all(world, SOME);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_ops_are_sent),
		TEST(few_are_not),
		TEST(what_was_not_begun_is_sent_again),
		TEST(a_failure_is_made_up_for),
		TEST(a_call_that_fails_is_made_up_for),
		TEST(a_default_comes_right_after_what_was_sent),
		TEST(what_others_do_meanwhile_is_newer),
		TEST(whoever_reads_catches_up_first),
		TEST(what_was_sent_is_removed_as_well),
		TEST(an_engine_that_ends_waits),
		TEST(another_policy_waits_for_nothing),
		TEST(who_may_not_is_told_so),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
