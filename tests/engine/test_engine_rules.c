/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of many rows, what is there when a rule comes, and what does not wait for
 * them: on the fake kernel.
 */
#include "engine/engine.h"
#include "engine/engine_advert.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

#define MANY	2000 /* routes of main: some slices */
#define LONG_MS 10000
#define TABLES	4
#define FIRST	7100
#define RULE_1	"priority 7165 from 2001:db8:1::/64 iif lo lookup 7100"

static void many6(const char *verb, unsigned int n)
{
	char line[128];

	for (unsigned int i = 0; i < n; i++) {
		(void)snprintf(line, sizeof(line),
			       "route %s 2001:db8:%x::/%u via fe80::2 dev d2",
			       verb, 0x1000 + i * 4, i % 8 ? 48 : 47);
		world_do(line);
	}
}

static void many4(const char *verb, unsigned int n)
{
	char line[128];

	for (unsigned int i = 0; i < n; i++) {
		(void)snprintf(line, sizeof(line),
			       "route %s 10.%u.%u.0/24 via 198.51.100.1 dev d2",
			       verb, i >> 8, i & 255);
		world_do(line);
	}
}

static size_t entries(const struct engine *engine, uint32_t table)
{
	const struct rib_table *it = rib_table(&engine->model.rib, table);

	return it ? it->n4 + it->n6 : 0;
}

/* What each table had when its rule came. */
struct course {
	size_t at_rule[TABLES]; /* entries */
	size_t n_rules[TABLES];
};

static void course_rule(struct course *course, const struct engine *engine,
			const struct rule *rule)
{
	uint32_t i = rule->table - FIRST;

	if (i >= TABLES)
		return;
	course->at_rule[i] = entries(engine, rule->table);
	course->n_rules[i]++;
}

static void follow(const struct engine *engine, const struct op *op, void *data)
{
	struct course *course = data;

	if (op->kind == OP_RULE_ADD)
		course_rule(course, engine, &op->rule);
}

static void watch(struct world *world, struct course *course)
{
	world->policy.settle_ms = 0;
	world->observer.wrote = follow;
	world->observer.data = course;
}

static void a_rule_comes_after_its_routes(void **state)
{
	struct world *world = *state;
	struct course course = {0};

	watch(world, &course);
	world_do(STORY);
	many4("add", MANY);
	many6("add", MANY);
	world_start(world);
	for (uint32_t i = 0; i < TABLES; i++) {
		assert_int_equal(course.n_rules[i], 1);
		assert_int_equal(course.at_rule[i], MANY + 3);
	}
	world_must_be_steady(world);
}

/* Part of a table would catch what the rest of it is to have. */
static void a_table_with_something_in_it_waits(void **state)
{
	struct world *world = *state;
	struct course course = {0};

	world_do(STORY_V6);
	watch(world, &course);
	world_start(world);
	course = (struct course){0};
	world_do("rule del " RULE_1);
	many6("add", MANY);
	world_run(world);
	assert_int_equal(course.n_rules[0], 1);
	assert_int_equal(course.at_rule[0], MANY + 3);
	assert_int_equal(course.n_rules[1], 0);
	world_must_be_steady(world);
}

static void a_rule_waits_for_what_failed(void **state)
{
	struct world *world = *state;
	struct course course = {0};
	const struct fake_fault fault = {
		.call = FAKE_OP,
		.nth = MANY,
		.error = -EBUSY,
	};

	watch(world, &course);
	world_do(STORY_V6);
	many6("add", MANY);
	fake_fail(world_fake(), &fault);
	world_start(world);
	assert_int_equal(course.n_rules[0] + course.n_rules[1], 0);
	fake_mend(world_fake());
	world_pass(world, LONG_MS);
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(course.at_rule[i], MANY + 3);
	world_must_be_steady(world);
}

/* --- what comes between two slices of the start --- */

#define TUNNEL4                                                                \
	"route add 0.0.0.0/0 dev d1 table 51820\n"                             \
	"rule add priority 100 not from 0.0.0.0/0 fwmark 0x1/0xff lookup "     \
	"51820"
#define TUNNEL6                                                                \
	"route add ::/0 dev d1 table 51820\n"                                  \
	"-6 rule add priority 100 not from ::/0 fwmark 0x1/0xff lookup 51820"

static bool has_rule(const struct world *world, uint32_t table)
{
	const struct rule *it;

	vec_foreach(&world->engine.model.rules, it)
		if (it->table == table)
			return true;
	return false;
}

/* Up to its first routes. */
static void begin(struct world *world)
{
	world->policy.settle_ms = 0;
	world_open(world);
	(void)engine_run(&world->engine, world->now_ms);
	assert_true(engine_is_busy(&world->engine));
	assert_false(has_rule(world, FIRST));
}

/* A router answers while the first routes are written. */
static void flows_of_before_are_pinned_all_the_same(void **state)
{
	struct world *world = *state;
	struct kernel_advert advert = {0};

	world_do(STORY_V6 "route add ::/0 via fe80::9 dev d1 metric 300");
	many6("add", MANY);
	(void)world_begin(world, "2001:db8:1::2", "2001:db8:f::9");
	begin(world);
	advert.ifindex =
		model_link_by_name(&world->engine.model, "d1")->ifindex;
	assert_int_equal(ip_addr_parse("fe80::9", &advert.router), 0);
	assert_int_equal(
		ip_prefix_parse("2001:db8:1::/64", &advert.prefix.prefix), 0);
	advert.prefix.valid_s = 3600;
	engine_take_prefix(&world->engine, &advert, world->now_ms);
	world_pass(world, LONG_MS);
	assert_int_equal(pin_laid(&world->engine.pins.set), 1);
	assert_int_equal(entries(&world->engine, FIRST), MANY + 3 + 1);
	world_must_be_steady(world);
}

/* What it left is parts of tables. */
static void a_kill_at_the_start_moves_no_flow(void **state)
{
	struct world *world = *state;

	world_do(STORY_V6);
	many6("add", MANY);
	/* Of the second uplink's source, but by main through the first. */
	(void)world_begin(world, "2001:db8:2::2", "2001:db8:f::9");
	begin(world);
	world_stop(world);
	world_start(world);
	assert_int_equal(pin_laid(&world->engine.pins.set), 1);
	world_must_be_steady(world);
}

/* All of many rows change with it. */
static void a_tunnel_does_not_wait_for_many_routes(void **state)
{
	struct world *world = *state;

	world->policy.settle_ms = 0;
	world_do(STORY_V4);
	many4("add", MANY);
	world_start(world);
	assert_true(has_rule(world, FIRST));
	world_do("link set d2 down\n" TUNNEL4);
	(void)engine_run(&world->engine, world->now_ms);
	assert_true(engine_is_busy(&world->engine));
	assert_false(has_rule(world, FIRST));
	world_run(world);
	world_must_be_steady(world);
}

static void a_tunnel_does_not_wait_for_a_route_that_fails(void **state)
{
	struct world *world = *state;
	const struct fake_fault fault = {
		.call = FAKE_OP,
		.nth = 1,
		.error = -ENOMEM,
		.times = UINT32_MAX,
		.kinds = 1U << OP_ROUTE_PUT,
	};

	world_do(STORY_V4);
	world_start(world);
	fake_fail(world_fake(), &fault);
	world_do("route add 203.0.113.0/24 via 192.0.2.1 dev d1\n" TUNNEL4);
	world_pass(world, LONG_MS);
	assert_false(has_rule(world, FIRST));
	fake_mend(world_fake());
	world_pass(world, LONG_MS);
	assert_int_equal(entries(&world->engine, FIRST), 4);
	world_must_be_steady(world);
}

/* It is of the next round; what is shorter must not catch its packets. */
static void a_row_that_changes_meanwhile_is_there_for_the_rule(void **state)
{
	struct world *world = *state;
	struct course course = {0};

	watch(world, &course);
	world_do(STORY "route add 10.200.0.0/20 via 198.51.100.1 dev d2\n"
		       "route add 10.200.0.0/16 via 198.51.100.1 dev d2\n"
		       "route add 2001:db8:f000::/40 via fe80::2 dev d2\n"
		       "route add 2001:db8:e000::/35 via fe80::2 dev d2");
	many4("add", MANY);
	many6("add", MANY);
	begin(world);
	world_do("route replace 10.200.0.0/20 via 192.0.2.1 dev d1\n"
		 "route replace 2001:db8:f000::/40 via fe80::1 dev d1");
	(void)engine_listen(&world->engine, world->now_ms);
	assert_true(engine_is_busy(&world->engine));
	world_run(world);
	for (uint32_t i = 0; i < TABLES; i++)
		assert_int_equal(course.at_rule[i], MANY + 5);
	world_must_be_steady(world);
}

static void a_small_round_with_a_yield_in_it(void **state)
{
	struct world *world = *state;
	struct engine *engine = &world->engine;
	struct ip_prefix prefix;
	bool has_rule = false;
	const struct row *row;

	world->policy.settle_ms = 0;
	world_do(STORY_V4 "route add ::/0 via fe80::1 dev d1 metric 100\n"
			  "link add t0 type dummy\n"
			  "link set t0 up\n"
			  "route add 0.0.0.0/0 dev t0 table 51820");
	world_start(world);
	world_pass(world, 1000);
	/* At once: an IPv4 tunnel, a new IPv6 uplink, a longer prefix. */
	world_do("rule add priority 7000 from 0.0.0.0/0 lookup 51820\n"
		 "route add 2001:db8:9::/48 via fe80::9 dev d2\n"
		 "route add ::/0 via fe80::2 dev d2 metric 200");
	(void)engine_listen(engine, world->now_ms);
	(void)engine_run(engine, world->now_ms); /* IPv4's rules go */
	assert_true(engine_is_busy(engine));
	world_do("route replace 2001:db8:9::/48 via fe80::8 dev d2");
	(void)engine_listen(engine, world->now_ms);
	(void)engine_run(engine, world->now_ms);
	for (size_t i = 0; i < engine->model.rules.n; i++)
		has_rule |= engine->model.rules.items[i].table == 7103;
	assert_int_equal(ip_prefix_parse("2001:db8:9::/48", &prefix), 0);
	row = rib_row(&engine->model.rib, &prefix);
	assert_true(!has_rule || (row && path_entry(row, 7103)));
	assert_true(has_rule);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rule_comes_after_its_routes),
		TEST(a_table_with_something_in_it_waits),
		TEST(a_rule_waits_for_what_failed),
		TEST(flows_of_before_are_pinned_all_the_same),
		TEST(a_kill_at_the_start_moves_no_flow),
		TEST(a_row_that_changes_meanwhile_is_there_for_the_rule),
		TEST(a_tunnel_does_not_wait_for_many_routes),
		TEST(a_tunnel_does_not_wait_for_a_route_that_fails),
		TEST(a_small_round_with_a_yield_in_it),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
