/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine on a kernel that refuses its writes and breaks off its reads: on
 * the fake one, which does so when it is told to.
 */
#include "engine/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

#define LONG_MS 10000 /* longer than the engine waits between two tries */
#define N_MAX	1000  /* calls of one kind in the longest story */

static void fail_op(uint64_t nth, int error)
{
	const struct fake_fault fault = {
		.call = FAKE_OP,
		.nth = nth,
		.error = error,
	};

	fake_fail(world_fake(), &fault);
}

/* --- writes and reads that fail --- */

/* Everything that a host goes through; in the end it is what it was. */
static void live(struct world *world)
{
	world_do(STORY);
	world_start(world);
	world_pass(world, LONG_MS);
	world_do("link set d2 down");
	world_pass(world, LONG_MS);
	world_do("link set d2 up\n"
		 "address add 2001:db8:2::2/64 dev d2\n"
		 "route add 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200\n"
		 "route add ::/0 via fe80::2 dev d2 metric 200");
	world_pass(world, LONG_MS);
	world_do("route add 203.0.113.0/24 via 192.0.2.9 dev d1\n"
		 "address add 203.0.113.7/25 dev d2");
	world_pass(world, LONG_MS);
	(void)fake_do(world_fake(), 0, STORY_FAILED);
	world_pass(world, LONG_MS);
	(void)fake_do(world_fake(), 0, STORY_RECOVERED);
	world_do("route del 203.0.113.0/24 via 192.0.2.9 dev d1\n"
		 "address del 203.0.113.7/25 dev d2");
	world_pass(world, LONG_MS);
	/* With other numbers, after a failed read, there is no such rule. */
	(void)fake_do(world_fake(), FAKE_SOMEBODY,
		      "rule del priority 7109 from 192.0.2.0/24 iif lo "
		      "lookup 7100");
	world_pass(world, LONG_MS);
	world_stop(world);
	world_start(world);
	world_pass(world, LONG_MS);
	world_do("route append 0.0.0.0/0 via 192.0.2.9 dev d1 metric 100\n"
		 "route del 0.0.0.0/0 via 192.0.2.9 dev d1 metric 100");
	world_pass(world, LONG_MS);
}

/* Where each subnet's packets go, whatever the numbers of the tables are. */
static void must_forward(struct world *world)
{
	static const struct {
		const char *src;
		const char *dst;
		const char *gateway;
	} cases[] = {
		{"192.0.2.2", "203.0.113.9", "192.0.2.1"},
		{"192.0.2.2", "198.51.100.9", "none"},
		{"198.51.100.2", "203.0.113.9", "198.51.100.1"},
		{"198.51.100.2", "192.0.2.9", "none"},
		{"2001:db8:1::2", "2001:db8:9::9", "fe80::1"},
		{"2001:db8:2::2", "2001:db8:9::9", "fe80::2"},
		{"2001:db8:2::2", "2001:db8:1::9", "none"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kernel_question question = {0};
		struct kernel_answer answer;
		char text[IP_TEXT_MAX];

		assert_int_equal(ip_addr_parse(cases[i].src, &question.src), 0);
		assert_int_equal(ip_addr_parse(cases[i].dst, &question.dst), 0);
		assert_int_equal(kernel_ask(world->kernel, &question, &answer),
				 0);
		assert_int_equal(answer.error, 0);
		assert_true(policy_is_our_table(&world->policy, answer.table));
		assert_string_equal(ip_addr_format(&answer.hop.gateway, text),
				    cases[i].gateway);
	}
}

static void must_be_as_it_was(struct world *world, enum fake_call call)
{
	must_forward(world);
	/* A table that cannot be read may not be free: then it has another. */
	if (call != FAKE_READ)
		world_must_hold(world, STORY_HELD, "");
	world_must_be_steady(world);
}

/* Return: whether the story has such a call at all. */
static bool survives(void **state, const struct fake_fault *fault)
{
	struct world *world;
	uint64_t hit;

	(void)world_unmake(state);
	assert_int_equal(world_make(state), 0);
	world = *state;
	fake_set_answers(world_fake(), true);
	fake_fail(world_fake(), fault);
	live(world);
	hit = fake_faults_hit(world_fake());
	fake_mend(world_fake());
	must_be_as_it_was(world, fault->call);
	return hit > 0;
}

/* What is tried now, for whoever reads of a failure. */
static char story[96];

static int tell_story(void **state)
{
	if (story[0])
		print_error("in the story of %s\n", story);
	story[0] = '\0';
	return world_unmake(state);
}

/* The first, the second ... until the story has no more of them. */
static void survives_each(void **state, struct fake_fault fault)
{
	for (fault.nth = 1; fault.nth < N_MAX; fault.nth++) {
		(void)snprintf(story, sizeof(story),
			       "call %d number %" PRIu64 " failing with %s",
			       (int)fault.call, fault.nth,
			       strerrorname_np(-fault.error));
		if (!survives(state, &fault))
			break;
	}
	story[0] = '\0';
	assert_in_range(fault.nth, 2, N_MAX - 1);
}

static void an_op_that_fails_is_tried_again(void **state)
{
	static const int errors[] = {
		EBUSY,
		ENOBUFS,
		EAGAIN,
		ENOMEM,
		EINTR,
		EPERM,
		EEXIST,
		/* Of a link or gateway that has just gone. */
		ENETUNREACH,
		ENETDOWN,
		EHOSTUNREACH,
		EADDRNOTAVAIL,
		ENODEV,
	};

	/* Neighbours: below. */
	const uint32_t kinds = 1U << OP_ROUTE_PUT | 1U << OP_ROUTE_DELETE |
			       1U << OP_RULE_ADD | 1U << OP_RULE_DELETE;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		survives_each(state, (struct fake_fault){.call = FAKE_OP,
							 .error = -errors[i],
							 .kinds = kinds});
}

/* It stops nothing else, and yet it is not left at that. */
static void a_neighbour_that_must_wait_is_tried_again(void **state)
{
	static const int errors[] = {EBUSY, EAGAIN, ENOBUFS};
	const uint32_t kinds =
		1U << OP_NEIGHBOUR_PUT | 1U << OP_NEIGHBOUR_DELETE;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		survives_each(state, (struct fake_fault){.call = FAKE_OP,
							 .error = -errors[i],
							 .kinds = kinds});
}

/*
 * On a link that is no longer managed nobody asks whether a router is alive: it
 * counts as usable again, which may be what decides.
 */
static void a_router_that_is_given_up_is_not_dead(void **state)
{
	const struct policy_interface never = {
		.match = "d2",
		.manage = MANAGE_NEVER,
	};
	struct world *world = *state;

	world->policy.model = HOST_MODEL_STRONG;
	world_do("route add 0.0.0.0/0 via 192.0.2.1 dev d1 metric 100\n"
		 "route add 203.0.113.0/24 via 192.0.2.9 dev d1 metric 10\n"
		 "route add 203.0.113.0/24 via 198.51.100.9 dev d2 metric 20");
	world_start(world);
	(void)fake_do(world_fake(), 0,
		      "neigh replace 192.0.2.9 dev d1 nud "
		      "failed");
	(void)fake_do(world_fake(), 0,
		      "neigh replace 198.51.100.9 dev d2 nud "
		      "failed");
	world_pass(world, LONG_MS);
	vec_push(&world->policy.interfaces, never);
	engine_set_policy(&world->engine, &world->policy);
	world_pass(world, LONG_MS);
	world_must_hold(world,
			"rule 7109 from 192.0.2.0/24 iif lo lookup 7100\n"
			"7100 0.0.0.0/0 via 192.0.2.1 dev d1\n"
			"7100 unreachable 0.0.0.0/0 metric 4294967295\n"
			"7100 192.0.2.0/24 dev d1\n"
			"7100 198.51.100.0/24 dev d2\n"
			"7100 unreachable 203.0.113.0/24\n",
			"");
	world_must_be_steady(world);
}

/* Somebody else deletes what is to be deleted a moment before. */
static void what_is_gone_already_is_no_failure(void **state)
{
	static const int errors[] = {ESRCH, ENOENT};
	const uint32_t deletes = 1U << OP_ROUTE_DELETE | 1U << OP_RULE_DELETE |
				 1U << OP_NEIGHBOUR_DELETE;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		survives_each(state, (struct fake_fault){.call = FAKE_OP,
							 .error = -errors[i],
							 .kinds = deletes});
}

static void a_write_that_is_cut_off_is_made_up_for(void **state)
{
	static const size_t done[] = {0, 1, 3, SIZE_MAX};

	for (size_t i = 0; i < sizeof(done) / sizeof(done[0]); i++)
		survives_each(state, (struct fake_fault){.call = FAKE_APPLY,
							 .error = -ETIMEDOUT,
							 .done = done[i]});
}

static void a_read_that_is_cut_off_is_repeated(void **state)
{
	static const size_t done[] = {0, 1, 4};

	for (size_t i = 0; i < sizeof(done) / sizeof(done[0]); i++)
		survives_each(state, (struct fake_fault){.call = FAKE_READ,
							 .error = -EINTR,
							 .times = 3,
							 .done = done[i]});
}

/* What a dump did not get to is not gone. */
static void a_read_that_is_cut_off_removes_nothing(void **state)
{
	struct world *world = *state;
	uint64_t written;

	world_do(STORY);
	world_start(world);
	for (uint64_t nth = 1; nth < 20; nth++) {
		const struct fake_fault fault = {.call = FAKE_READ,
						 .nth = nth,
						 .error = -EINTR,
						 .done = 1};

		written = world_written(world);
		fake_fail(world_fake(), &fault);
		fake_lose(world_fake());
		world_pass(world, LONG_MS);
		assert_int_equal(world_written(world), written);
		fake_mend(world_fake());
	}
	world_must_hold(world, STORY_HELD, "");
	world_must_be_steady(world);
}

static void a_deaf_moment_is_made_up_for(void **state)
{
	survives_each(state, (struct fake_fault){.call = FAKE_LISTEN,
						 .error = -ENOMEM});
	survives_each(state, (struct fake_fault){.call = FAKE_WATCH,
						 .error = -ENOMEM});
}

/* --- how it tries again --- */

static void tries_become_rarer(void **state)
{
	struct world *world = *state;
	uint64_t before;
	uint64_t tries;

	world_do(STORY_V4);
	world_start(world);
	fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_OP,
						     .nth = 1,
						     .error = -EBUSY,
						     .times = UINT64_MAX});
	world_do("route add 203.0.113.0/24 dev d2");
	before = fake_calls(world_fake(), FAKE_OP);
	world_pass(world, 60000);
	tries = (fake_calls(world_fake(), FAKE_OP) - before) / 2;
	/* 1, 2, 4 ... ms, then every 5 s. */
	assert_in_range(tries, 20, 40);
	assert_false(engine_is_steady(&world->engine, world->now_ms));
	fake_mend(world_fake());
	world_pass(world, 5000);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 dev d2\n"
			"7101 203.0.113.0/24 dev d2");
	world_must_be_steady(world);
}

struct order {
	size_t routes;
	size_t routes_before_rules; /* when the first rule was written */
	bool has_rule;
};

static void note_order(const struct engine *engine, const struct op *op,
		       void *data)
{
	struct order *order = data;

	(void)engine;
	order->routes += op->kind == OP_ROUTE_PUT;
	if (op->kind != OP_RULE_ADD || order->has_rule)
		return;
	order->has_rule = true;
	order->routes_before_rules = order->routes;
}

/* Make before break: where a route is missing, no rule leads to it. */
static void no_rule_comes_before_its_routes(void **state)
{
	struct world *world = *state;
	struct order order = {0};

	world_do(STORY_V4);
	world->observer = (struct engine_observer){
		.wrote = note_order,
		.data = &order,
	};
	fail_op(1, -EBUSY);
	world_start(world);
	world_pass(world, LONG_MS);
	assert_int_equal(fake_faults_hit(world_fake()), 1);
	assert_int_equal(order.routes_before_rules, 6);
	world_must_hold(world, STORY_HELD4, "");
	world_must_be_steady(world);
}

struct failures {
	size_t n;
	enum op_kind kind;
	int error;
	char why[96];
};

static void note_failure(const struct engine *engine, const struct op *op,
			 const struct kernel_failure *failure, void *data)
{
	struct failures *failures = data;

	(void)engine;
	failures->n++;
	failures->kind = op->kind;
	failures->error = failure->error;
	(void)snprintf(failures->why, sizeof(failures->why), "%s",
		       failure->why);
}

static void who_watches_is_told_of_failures(void **state)
{
	struct world *world = *state;
	struct failures failures = {0};

	world_do(STORY_V4);
	world->observer = (struct engine_observer){
		.failed = note_failure,
		.data = &failures,
	};
	fail_op(7, -EBUSY);
	world_start(world);
	assert_int_equal(failures.n, 1);
	assert_int_equal(failures.kind, OP_RULE_ADD);
	assert_int_equal(failures.error, -EBUSY);
	assert_string_equal(failures.why, "made to fail");
	assert_int_equal(world->engine.counters.errors, 1);
	world_pass(world, LONG_MS);
	assert_int_equal(failures.n, 1);
	world_must_hold(world, STORY_HELD4, "");
}

static void without_rights_it_says_so(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	fake_fail(world_fake(), &(struct fake_fault){.call = FAKE_OP,
						     .nth = 1,
						     .error = -EPERM,
						     .times = UINT64_MAX});
	world_start(world);
	assert_int_equal(world->error, -EPERM);
	world_must_hold(world, "", "");
	fake_mend(world_fake());
	world_pass(world, LONG_MS);
	assert_int_equal(world->error, 0);
	world_must_hold(world, STORY_HELD4, "");
}

/* Refused as it is, a copy is tried in another form. */
static void a_refused_copy_takes_another_form(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	fail_op(1, -EINVAL);
	world_do("route add 203.0.113.0/24 via 192.0.2.1 dev d1");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 via 192.0.2.1 dev d1 onlink\n"
			"7101 203.0.113.0/24 via 192.0.2.1 dev d1 onlink");
	/* It stays so while it is there; only a new one is tried again. */
	world_do("route del 203.0.113.0/24 via 192.0.2.1 dev d1\n"
		 "address add 192.0.2.200/24 dev d1");
	world_pass(world, LONG_MS);
	world_do("route add 203.0.113.0/24 via 192.0.2.1 dev d1");
	world_run(world);
	world_must_hold(world, STORY_HELD4,
			"7100 203.0.113.0/24 via 192.0.2.1 dev d1\n"
			"7101 203.0.113.0/24 via 192.0.2.1 dev d1");
	world_must_be_steady(world);
}

/* Other routes may let the kernel find the gateway. */
static void a_refused_copy_is_tried_again_when_routes_change(void **state)
{
	struct world *world = *state;

	world_do(STORY_V4);
	world_start(world);
	fail_op(1, -EINVAL); /* as it is */
	fail_op(3, -EINVAL); /* onlink */
	world_do("route add 203.0.113.0/24 via 192.0.2.1 dev d1");
	world_run(world);
	world_pass(world, LONG_MS);
	world_must_hold(world, STORY_HELD4,
			"7100 throw 203.0.113.0/24\n"
			"7101 throw 203.0.113.0/24");
	world_do("route add 192.0.2.1/32 dev d1");
	world_run(world);
	world_pass(world, LONG_MS);
	world_must_hold(world, STORY_HELD4,
			"7100 192.0.2.1/32 dev d1\n"
			"7101 192.0.2.1/32 dev d1\n"
			"7100 203.0.113.0/24 via 192.0.2.1 dev d1\n"
			"7101 203.0.113.0/24 via 192.0.2.1 dev d1");
	world_must_be_steady(world);
}

/* Of all there is to remove one by one does not go. */
static void a_flush_tries_again(void **state)
{
	struct world *world = *state;

	world_do(STORY);
	for (uint64_t nth = 1; nth <= 12; nth++) {
		const struct fake_fault fault = {
			.call = FAKE_OP,
			.nth = nth,
			.error = -EBUSY,
		};

		world_start(world);
		fake_fail(world_fake(), &fault);
		assert_int_equal(engine_flush(&world->engine, world->now_ms),
				 0);
		fake_mend(world_fake());
		world_must_hold(world, "", "");
		world_stop(world);
	}
}

/* There is nothing simpler than what drops. */
static void a_kernel_that_takes_nothing_is_tried_rarely(void **state)
{
	struct world *world = *state;
	const struct fake_fault fault = {
		.call = FAKE_OP,
		.nth = 1,
		.error = -EINVAL,
		.times = UINT32_MAX,
		.kinds = 1U << OP_ROUTE_PUT,
	};

	world->policy.model = HOST_MODEL_STRONG;
	world_do(STORY_V4);
	world_start(world);
	fake_fail(world_fake(), &fault);
	world_do("route add 203.0.113.0/24 via 192.0.2.9 dev d1");
	world_pass(world, LONG_MS);
	assert_true(fake_faults_hit(world_fake()) < 100);
	fake_mend(world_fake());
	world_do("address add 192.0.2.3/24 dev d1");
	world_pass(world, LONG_MS);
	world_must_be_steady(world);
}

/* A route is away for a moment when nothing can be read any more. */
static void what_waits_for_its_time_waits_for_a_read(void **state)
{
	struct world *world = *state;
	const struct fake_fault fault = {
		.call = FAKE_READ,
		.nth = 1,
		.error = -ENOBUFS,
		.times = UINT32_MAX,
	};

	world_do(STORY_V4);
	world_start(world);
	world_do("route del 0.0.0.0/0 via 198.51.100.1 dev d2 metric 200");
	world_run(world);
	fake_fail(world_fake(), &fault);
	world_do("address add 192.0.2.3/24 dev d1\n"
		 "address del 192.0.2.3/24 dev d1");
	world_pass(world, LONG_MS);
	assert_true(fake_faults_hit(world_fake()) < 100);
	fake_mend(world_fake());
	world_pass(world, LONG_MS);
	world_must_be_steady(world);
}

/* After any number of objects: who asks is still told of all that was known. */
static void links_that_cannot_be_read_are_not_forgotten(void **state)
{
	struct world *world = *state;
	struct engine *engine = &world->engine;
	size_t links, addresses;

	world_do(STORY_V4);
	world_start(world);
	links = engine->model.links.n;
	addresses = engine->model.addresses.n;
	for (uint64_t nth = 1; nth <= 3; nth++)
		for (size_t done = 0; done < 3; done++) {
			const struct fake_fault fault = {.call = FAKE_READ,
							 .nth = nth,
							 .error = -ENOBUFS,
							 .done = done};

			fake_fail(world_fake(), &fault);
			assert_int_equal(engine_read(engine, world->now_ms),
					 -ENOBUFS);
			assert_int_equal(engine->model.links.n, links);
			assert_int_equal(engine->model.addresses.n, addresses);
		}
	assert_int_equal(engine_read(engine, world->now_ms), 0);
	world_pass(world, LONG_MS);
	world_must_be_steady(world);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_make, tell_story)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_op_that_fails_is_tried_again),
		TEST(a_neighbour_that_must_wait_is_tried_again),
		TEST(a_router_that_is_given_up_is_not_dead),
		TEST(what_is_gone_already_is_no_failure),
		TEST(a_write_that_is_cut_off_is_made_up_for),
		TEST(a_read_that_is_cut_off_is_repeated),
		TEST(a_read_that_is_cut_off_removes_nothing),
		TEST(a_deaf_moment_is_made_up_for),
		TEST(tries_become_rarer),
		TEST(no_rule_comes_before_its_routes),
		TEST(who_watches_is_told_of_failures),
		TEST(without_rights_it_says_so),
		TEST(a_refused_copy_takes_another_form),
		TEST(a_refused_copy_is_tried_again_when_routes_change),
		TEST(a_kernel_that_takes_nothing_is_tried_rarely),
		TEST(what_waits_for_its_time_waits_for_a_read),
		TEST(links_that_cannot_be_read_are_not_forgotten),
		TEST(a_flush_tries_again),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
