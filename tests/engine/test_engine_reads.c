/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is read from the kernel and when, on the fake one.
 */
#include "engine/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "engine/engine_advert.h"
#include "engine/engine_subnets.h"
#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

#define LONG_MS 10000 /* longer than the engine waits between two tries */

#define STORY_HELD4_9                                                          \
	"rule 7109 from 192.0.2.0/24 iif lo lookup 7100\n"                     \
	"rule 7109 from 198.51.100.0/24 iif lo lookup 7101\n"                  \
	"7100 0.0.0.0/0 via 192.0.2.9 dev d1\n"                                \
	"7100 192.0.2.0/24 dev d1\n"                                           \
	"7100 198.51.100.0/24 dev d2\n"                                        \
	"7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"                             \
	"7101 192.0.2.0/24 dev d1\n"                                           \
	"7101 198.51.100.0/24 dev d2\n"

/* Somebody's table had its default before we began; now a rule leads there. */
static void a_tunnel_whose_table_could_not_be_read(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4 "link add t0 type dummy\n"
			  "link set t0 up\n"
			  "route add 0.0.0.0/0 dev t0 table 51820");
	world_start(world);
	world_must_hold(world, STORY_HELD4, "");
	/* 1 and 2: the rules; 3: table 51820. */
	fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_READ,
						     .nth = 3,
						     .error = -ENOBUFS});
	world_do("rule add priority 7000 from 0.0.0.0/0 lookup 51820");
	world_pass(world, LONG_MS);
	assert_int_equal(fake_faults_hit(world_fake()), 1);
	/* It is yielded to: no rules of ours. */
	world_must_hold(world, STORY_HELD4,
			"-rule 7109 from 192.0.2.0/24 iif lo lookup 7100\n"
			"-rule 7109 from 198.51.100.0/24 iif lo lookup 7101");
}

/* While a table of ours is read in vain, main changes. */
static void what_is_heard_after_a_read_that_failed(void **state)
{
	for (uint64_t nth = 1; nth < 60; nth++) {
		struct world *world;
		uint64_t hit;

		(void)world_unmake(state);
		assert_int_equal(world_make(state), 0);
		world = *state;
		world->policy.settle_ms = 0;
		world_do(STORY_V4);
		world_start(world);
		world_pass(world, 1000);
		fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_READ,
							     .nth = nth,
							     .error = -ENOBUFS,
							     .times = 2});
		fake_lose(world_fake());
		world_run(world);
		world_do("route prepend 0.0.0.0/0 via 192.0.2.9 dev d1 "
			 "metric 100");
		world_pass(world, LONG_MS);
		hit = fake_faults_hit(world_fake());
		fake_mend(world_fake());
		if (!world_holds(world, STORY_HELD4_9))
			fail_msg("read number %" PRIu64, nth);
		if (!hit)
			break;
	}
}

/* A router dies, nobody hears of it, and the list of neighbours fails. */
static void neighbours_that_could_not_be_read(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4 STORY_ROUTERS);
	world_start(world);
	world_pass(world, 1000);
	world_must_hold(world, STORY_HELD4, "");
	(void)fake_do(world_fake(), 0, STORY_FAILED);
	fake_lose(world_fake());
	/* 1 to 5: links, addresses, rules; then, of each family. */
	fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_READ,
						     .nth = 6,
						     .error = -ENOBUFS,
						     .times = 3});
	world_pass(world, LONG_MS);
	assert_int_equal(fake_faults_hit(world_fake()), 3);
	world_must_hold(world, STORY_HELD4,
			"-7101 0.0.0.0/0 via 198.51.100.1 dev d2\n"
			"7101 0.0.0.0/0 via 192.0.2.1 dev d1");
	world_must_be_steady(world);
}

/* Somebody asks for it in vain, and then there is a route through it. */
static void a_router_that_failed_before_it_was_one(void **state)
{
	struct policy_interface never = {.match = "d3", .manage = MANAGE_NEVER};
	struct world *world = *state;

	vec_push(&world->policy.interfaces, never);
	world_do(STORY_V4 "link add d3 type dummy\n"
			  "link set d3 up\n"
			  "address add 203.0.113.2/24 dev d3\n");
	world_start(world);
	(void)fake_do(world_fake(), 0,
		      "neigh replace 203.0.113.1 dev d3 nud failed");
	world_run(world);
	world_do("route add 10.9.0.0/16 via 203.0.113.1 dev d3 metric 1\n"
		 "route add 10.9.0.0/16 via 192.0.2.1 dev d1 metric 2\n");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 dev d3\n"
			"7101 203.0.113.0/24 dev d3\n"
			"7100 10.9.0.0/16 via 192.0.2.1 dev d1\n"
			"7101 10.9.0.0/16 via 192.0.2.1 dev d1");
	/* Nor is it forgotten that it is well again. */
	(void)fake_do(world_fake(), 0,
		      "neigh replace 203.0.113.1 dev d3 "
		      "lladdr 02:00:00:00:00:09 nud reachable");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 dev d3\n"
			"7101 203.0.113.0/24 dev d3\n"
			"7100 10.9.0.0/16 via 192.0.2.1 dev d1\n"
			"7101 10.9.0.0/16 via 203.0.113.1 dev d3");
	world_must_be_steady(world);
	vec_clear(&world->policy.interfaces);
}

static void advertise(struct world *world, uint64_t digest)
{
	const struct ra ra = {.router_lifetime_s = 1800,
			      .routes_digest = digest};
	const struct link *link =
		model_link_by_name(&world->engine.model, "d1");
	struct advert advert = {.ifindex = link->ifindex, .ra = &ra};

	(void)ip_addr_parse("fe80::1", &advert.router);
	engine_take_advert(&world->engine, &advert, world->now_ms);
}

/* It comes while what an earlier one did is about to be read. */
static void a_message_the_kernel_has_not_acted_on_yet(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	world_pass(world, 1000);
	advertise(world, 1);
	world_pass(world, 49);
	advertise(world, 2);
	world_pass(world, 1);
	fake_set_news(world_fake(), FAKE_HIDE);
	world_do("route add 2001:db8:f::/48 via fe80::1 dev d1");
	fake_set_news(world_fake(), FAKE_TELL);
	world_pass(world, 1000);
	assert_true(engine_is_steady(&world->engine, world->now_ms));
	world_must_be_steady(world);
}

/* After a loss main is read at once, others one by one, and each once. */
static void a_loss_reads_each_table_once(void **state)
{
	struct world *world = *state;
	uint64_t before;
	uint64_t most = 0;
	uint64_t all;

	world_do(STORY);
	world_start(world);
	world_pass(world, LONG_MS);
	before = fake_calls(world_fake(), FAKE_READ);
	fake_lose(world_fake());
	while (engine_listen(&world->engine, world->now_ms))
		;
	while (engine_is_pending(&world->engine, world->now_ms)) {
		uint64_t n = fake_calls(world_fake(), FAKE_READ);

		(void)engine_run(&world->engine, world->now_ms);
		n = fake_calls(world_fake(), FAKE_READ) - n;
		most = n > most ? n : most;
	}
	all = fake_calls(world_fake(), FAKE_READ) - before;
	/* links, addresses, rules, neighbours: 7; 5 tables of 2 families */
	assert_in_range(all, 17, 18);
	assert_in_range(most, 9, 10);
}

static void count_one(const struct kernel_event *event, void *data)
{
	size_t *n = data;

	(void)event;
	(*n)++;
}

static void add_many_routes(void)
{
	char line[128];

	for (unsigned int i = 0; i < 20100; i++) {
		(void)snprintf(line, sizeof(line),
			       "route add 10.%u.%u.0/24 via 192.0.2.1 dev d1",
			       i >> 8, i & 255);
		world_do(line);
	}
}

/* Return: how many are managed with a table; @ret_last: with the last. */
static size_t count_tables(const struct engine *engine, size_t *ret_last)
{
	const struct subnet *it;
	size_t n = 0;

	*ret_last = 0;
	vec_foreach(&engine->subnets.subnets, it) {
		n += it->managed && it->table;
		*ret_last += it->table == UINT32_MAX;
	}
	return n;
}

/* There, each number is asked for. */
static void the_last_number_there_is(void **state)
{
	struct world *world = *state;
	size_t last;

	world->policy.table_first = UINT32_MAX - 1;
	world->policy.table_last = UINT32_MAX;
	world_do(STORY_V4);
	add_many_routes();
	world_start(world);
	world_pass(world, LONG_MS);
	assert_int_equal(count_tables(&world->engine, &last), 2);
	assert_int_equal(last, 1);
	/* A third one has none, and there is none to give. */
	world_do("address add 203.0.113.2/24 dev d1");
	world_pass(world, LONG_MS);
	assert_int_equal(count_tables(&world->engine, &last), 2);
	assert_false(engine_can_give_table(&world->engine));
}

static void other_numbers_on_a_host_with_many_routes(void **state)
{
	struct world *world = *state;
	const uint32_t first = world->policy.table_first;
	const uint32_t last = world->policy.table_last;

	world_do(STORY_V4);
	world_start(world);
	world_stop(world);
	add_many_routes();
	world->policy.table_first = 8000;
	world->policy.table_last = 8099;
	world_start(world);
	world_pass(world, LONG_MS);
	world->policy.table_first = first;
	world->policy.table_last = last;
	for (uint32_t table = first; table < first + 4; table++) {
		const struct kernel_config config = {
			.table_first = first,
			.table_last = last,
			.protocol = world->policy.protocol,
		};
		struct kernel_read what = {.what = KERNEL_ROUTE,
					   .family = AF_INET,
					   .table = table};
		struct kernel *kernel;
		size_t n = 0;

		assert_int_equal(kernel_open(&config, &kernel), 0);
		assert_int_equal(kernel_read(kernel, &what, count_one, &n), 0);
		kernel_free(kernel);
		assert_int_equal(n, 0);
	}
}

/* A VIP that moves on, a temporary address that is over. */
static void one_address_of_several_costs_no_read(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4 "address add 192.0.2.9/24 dev d1\n"
			  "address add 2001:db8:1::9/64 dev d1\n");
	world_start(world);
	world_pass(world, LONG_MS);
	fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_READ,
						     .nth = 1,
						     .error = -ENOBUFS});
	world_do("address del 192.0.2.9/24 dev d1\n"
		 "address del 2001:db8:1::9/64 dev d1");
	world_pass(world, LONG_MS);
	assert_int_equal(fake_faults_hit(world_fake()), 0);
	/* With the last one the kernel drops routes. */
	world_do("address del 192.0.2.2/24 dev d1");
	world_pass(world, LONG_MS);
	assert_int_equal(fake_faults_hit(world_fake()), 1);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tunnel_whose_table_could_not_be_read),
		TEST(what_is_heard_after_a_read_that_failed),
		TEST(neighbours_that_could_not_be_read),
		TEST(a_router_that_failed_before_it_was_one),
		TEST(a_message_the_kernel_has_not_acted_on_yet),
		TEST(a_loss_reads_each_table_once),
		TEST(the_last_number_there_is),
		TEST(other_numbers_on_a_host_with_many_routes),
		TEST(one_address_of_several_costs_no_read),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
