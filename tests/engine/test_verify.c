/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verify on the fake kernel, where things change without a word.
 */
#include "answers/verify.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "tests/engine/story.h"
#include "tests/engine/world_fake.h"

#define QUESTIONS 100	 /* in one step */
#define STEPS_MAX 100000 /* then it is said to have no end */

/* d2 is strong; d1's IPv6 makes the third subnet. */
static void three_subnets(struct world *world, unsigned int n_routes)
{
	struct policy_interface entry = {
		.match = "d2",
		.has_model = true,
		.model = HOST_MODEL_STRONG,
	};
	char line[96];

	vec_push(&world->policy.interfaces, entry);
	world_do(STORY_V4);
	world_do("route add ::/0 via fe80::1 dev d1 metric 100\n"
		 "address del 2001:db8:2::2/64 dev d2");
	for (unsigned int i = 0; i < n_routes; i++) {
		(void)snprintf(line, sizeof(line),
			       i % 2 ? "route add 10.%u.%u.0/25 via 192.0.2.1 "
				       "dev d1"
				     : "route add 10.%u.%u.0/24 via "
				       "198.51.100.1 dev d2",
			       i / 256, i % 256);
		world_do(line);
		(void)snprintf(line, sizeof(line),
			       "route add 2001:db8:%x::/48 via fe80::%u dev d1",
			       16 + i, 1 + i % 3);
		if (i % 4 == 0)
			world_do(line);
	}
	world_start(world);
}

/* Return: its reply; the caller frees it. The engine works in between. */
static struct json_object *verified(struct world *world, uint64_t *ret_steps)
{
	struct verify *verify = verify_new(&world->engine, world->now_ms);
	struct json_object *reply;
	uint64_t steps = 0;
	int r;

	world->engine.unheard_next_ms = 0; /* however busy this machine is */
	do {
		r = verify_step(verify, QUESTIONS, world->now_ms);
		assert_true(r >= 0);
		if (engine_is_pending(&world->engine, world->now_ms))
			(void)engine_run(&world->engine, world->now_ms);
		assert_true(++steps < STEPS_MAX);
	} while (r > 0);
	if (ret_steps)
		*ret_steps = steps;
	reply = verify_json(verify, world->now_ms);
	verify_free(verify);
	return reply;
}

static int64_t number(struct json_object *object, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, key, &value));
	return json_object_get_int64(value);
}

static const char *text(struct json_object *object, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(object, key, &value));
	return json_object_get_string(value);
}

static void must_find(struct world *world, int64_t n)
{
	struct json_object *reply = verified(world, NULL);

	if (number(reply, "found") != n)
		fail_msg("not %" PRId64 " found: %s", n,
			 json_object_to_json_string_ext(
				 reply, JSON_C_TO_STRING_PRETTY));
	json_object_put(reply);
}

struct expectation {
	const char *prefix; /* of the subnet */
	const char *destination;
	const char *wanted;
	const char *kernel;
};

static bool is_expected(struct json_object *found,
			const struct expectation *expected)
{
	return strcmp(text(found, "prefix"), expected->prefix) == 0 &&
	       strcmp(text(found, "destination"), expected->destination) == 0 &&
	       strstr(text(found, "wanted"), expected->wanted) &&
	       strstr(text(found, "kernel"), expected->kernel);
}

/* One of the disagreements is this. */
static void must_find_that(struct world *world,
			   const struct expectation *expected)
{
	struct json_object *reply = verified(world, NULL);
	struct json_object *list;
	bool found = false;

	assert_true(json_object_object_get_ex(reply, "disagreements", &list));
	for (size_t i = 0; i < json_object_array_length(list); i++)
		found |= is_expected(json_object_array_get_idx(list, i),
				     expected);
	if (!found)
		fail_msg("not found: %s to %s: %s", expected->prefix,
			 expected->destination,
			 json_object_to_json_string_ext(
				 reply, JSON_C_TO_STRING_PRETTY));
	json_object_put(reply);
}

static void do_hidden(const char *lines)
{
	fake_set_news(world_fake(), FAKE_HIDE);
	world_do(lines);
	fake_set_news(world_fake(), FAKE_TELL);
}

static void read_again(struct world *world)
{
	assert_int_equal(engine_read(&world->engine, world->now_ms), 0);
	world_run(world);
}

/* --- nothing to be found --- */

static void a_host_in_order_has_no_findings(void **state)
{
	struct world *world = *state;
	struct json_object *reply;

	three_subnets(world, 400);
	reply = verified(world, NULL);
	assert_int_equal(number(reply, "found"), 0);
	assert_int_equal(number(reply, "subnets"), 3);
	/* The routes, two defaults, and the connected ones. */
	assert_int_equal(number(reply, "prefixes"), 400 + 1 + 2 + 100 + 1 + 1);
	assert_true(number(reply, "asked") > 1000);
	assert_int_equal(number(reply, "asked"), number(reply, "total"));
	assert_int_equal(number(reply, "asked"),
			 (int64_t)fake_calls(world_fake(), FAKE_ASK));
	json_object_put(reply);
}

/* Own and broadcast addresses are the edges of the connected prefixes. */
static void table_local_is_counted_and_not_judged(void **state)
{
	struct world *world = *state;
	struct json_object *reply;

	world_do(STORY_V4);
	world_do("route add 192.0.2.2/32 via 198.51.100.1 dev d2\n"
		 "route add 198.51.100.255/32 via 192.0.2.1 dev d1");
	world_start(world);
	reply = verified(world, NULL);
	assert_int_equal(number(reply, "found"), 0);
	/* Two subnets about 192.0.2.2, 192.0.2.255 and 198.51.100.255. */
	assert_true(number(reply, "local") >= 6);
	json_object_put(reply);
}

/* Its rule is that of one subnet; the other one has the address beside it. */
static void an_address_on_two_links_is_one_subnets(void **state)
{
	struct world *world = *state;
	struct json_object *reply;

	world_do("address add 192.0.2.2/24 dev d2\n"
		 "address add 192.0.2.3/24 dev d2\n"
		 "route add 10.0.0.0/8 via 192.0.2.9 dev d2\n" STORY_V4);
	world_start(world);
	reply = verified(world, NULL);
	assert_int_equal(number(reply, "found"), 0);
	assert_int_equal(number(reply, "subnets"), 3);
	json_object_put(reply);
}

static void a_change_under_way_is_no_finding(void **state)
{
	struct world *world = *state;
	struct verify *verify;
	int r;

	three_subnets(world, 20);
	verify = verify_new(&world->engine, world->now_ms);
	/* Queued, but not taken in: what is asked now must disagree. */
	world_do("route del 0.0.0.0/0 via 192.0.2.1 dev d1 metric 1024 "
		 "table 7100\n"
		 "rule del priority 7109 from 198.51.100.0/24 iif lo "
		 "lookup 7101");
	do {
		r = verify_step(verify, QUESTIONS, world->now_ms);
		assert_true(r >= 0);
		if (engine_is_pending(&world->engine, world->now_ms))
			(void)engine_run(&world->engine, world->now_ms);
	} while (r > 0);
	assert_int_equal(verify_count(verify).found, 0);
	assert_int_equal(world->engine.counters.repairs, 1);
	verify_free(verify);
}

static void a_family_that_yields_is_skipped(void **state)
{
	struct world *world = *state;
	struct json_object *reply;
	struct json_object *skipped;

	three_subnets(world, 20);
	world_do("route add 0.0.0.0/0 dev d1 table 51820\n"
		 "rule add priority 100 not from 0.0.0.0/0 fwmark 0x1/0xff "
		 "lookup 51820");
	world_run(world);
	reply = verified(world, NULL);
	assert_int_equal(number(reply, "found"), 0);
	assert_int_equal(number(reply, "subnets"), 1);
	assert_true(json_object_object_get_ex(reply, "skipped", &skipped));
	assert_string_equal(json_object_to_json_string(skipped),
			    "[ \"ipv4\" ]");
	json_object_put(reply);
}

/* --- changed behind our back --- */

static void a_changed_route_of_ours_is_found(void **state)
{
	static const struct expectation expected = {
		"192.0.2.0/24",
		"10.0.1.0",
		"via 192.0.2.1 dev d1, table 7100",
		"via 198.51.100.9 dev d2, table 7100",
	};
	struct world *world = *state;

	three_subnets(world, 300);
	do_hidden("route replace 10.0.1.0/25 via 198.51.100.9 dev d2 "
		  "metric 1024 table 7100 proto 109");
	/* First and last; 300 prefixes, and this one only. */
	must_find(world, 2);
	must_find_that(world, &expected);
	read_again(world);
	must_find(world, 0);
}

/* Verify judges by what the daemon knows of main: is that still right? */
static void a_main_that_changed_unheard_is_found_and_mended(void **state)
{
	static const struct {
		const char *change;
		const char *prefix;
	} cases[] = {
		{"route add 203.0.113.0/24 via 198.51.100.1 dev d2",
		 "[ \"203.0.113.0\\/24\" ]"},
		{"route del 10.0.1.0/25 via 192.0.2.1 dev d1",
		 "[ \"10.0.1.0\\/25\" ]"},
		{"route replace 10.0.1.0/25 via 192.0.2.9 dev d1",
		 "[ \"10.0.1.0\\/25\" ]"},
		{"route add 2001:db8:f::/48 via fe80::1 dev d1",
		 "[ \"2001:db8:f::\\/48\" ]"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world *world = *state;
		struct json_object *reply;
		struct json_object *unheard;

		if (i == 0)
			three_subnets(world, 20);
		do_hidden(cases[i].change);
		reply = verified(world, NULL);
		assert_int_equal(number(reply, "found"), 1);
		assert_true(
			json_object_object_get_ex(reply, "unheard", &unheard));
		assert_string_equal(json_object_to_json_string(unheard),
				    cases[i].prefix);
		json_object_put(reply);
		world_run(world);
		world_must_be_steady(world);
		must_find(world, 0);
		if (i == 1)
			world_do("route add 10.0.1.0/25 via 192.0.2.1 dev d1");
		world_run(world);
	}
}

/* Or whoever repeats it keeps the daemon reading a large table. */
static void main_is_not_read_again_at_once(void **state)
{
	struct world *world = *state;
	struct json_object *reply;
	struct json_object *unheard;
	struct verify *verify;

	three_subnets(world, 20);
	do_hidden("route add 203.0.113.0/24 via 198.51.100.1 dev d2");
	verify = verify_new(&world->engine, world->now_ms);
	world->engine.unheard_next_ms = world->now_ms + 1;
	while (verify_step(verify, QUESTIONS, world->now_ms) > 0)
		;
	reply = verify_json(verify, world->now_ms);
	assert_int_equal(number(reply, "found"), 0);
	assert_false(json_object_object_get_ex(reply, "unheard", &unheard));
	json_object_put(reply);
	verify_free(verify);
}

static void a_main_that_changes_meanwhile_is_no_finding(void **state)
{
	struct world *world = *state;
	struct verify *verify;
	int r;

	three_subnets(world, 20);
	verify = verify_new(&world->engine, world->now_ms);
	do {
		world_do(
			"route replace 203.0.113.0/24 via 198.51.100.1 dev d2\n"
			"route del 203.0.113.0/24 via 198.51.100.1 dev d2");
		r = verify_step(verify, QUESTIONS, world->now_ms);
		assert_true(r >= 0);
		if (engine_is_pending(&world->engine, world->now_ms))
			(void)engine_run(&world->engine, world->now_ms);
	} while (r > 0);
	assert_int_equal(verify_count(verify).found, 0);
	verify_free(verify);
}

/* Seen already, and not yet told: whoever makes it is in between. */
static void a_change_that_is_not_yet_told_is_no_finding(void **state)
{
	static const char ours[] =
		"route replace 10.0.1.0/25 via 198.51.100.9 dev d2 "
		"metric 1024 table 7100 proto 109";
	static const char *const changes[] = {
		"route add 203.0.113.0/24 via 198.51.100.1 dev d2",
		"route replace 203.0.113.0/24 via 192.0.2.1 dev d1",
		"route del 203.0.113.0/24 via 192.0.2.1 dev d1",
		ours,
		"rule del priority 7109 from 192.0.2.0/24 iif lo lookup 7100",
	};
	struct world *world = *state;

	three_subnets(world, 20);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		fake_set_news(world_fake(), FAKE_DELAY);
		world_do(changes[i]);
		/* From here on at once: the engine's own work is no matter. */
		fake_set_news(world_fake(), FAKE_TELL);
		world->engine.unheard_next_ms = 0; /* main may be read */
		must_find(world, 0);
		world_run(world);
		world_must_be_steady(world);
	}
}

static void a_missing_route_of_ours_is_found(void **state)
{
	static const struct expectation expected = {
		"2001:db8:1::/64",
		"2001:db8:14:ffff:ffff:ffff:ffff:ffff",
		"via fe80::2 dev d1, table 7102",
		"via fe80::1 dev d1, table 7102",
	};
	struct world *world = *state;

	three_subnets(world, 40);
	do_hidden("route del 2001:db8:14::/48 via fe80::2 dev d1 metric 1024 "
		  "table 7102");
	must_find(world, 2);
	must_find_that(world, &expected);
	read_again(world);
	must_find(world, 0);
}

static void a_missing_rule_of_ours_is_found(void **state)
{
	static const struct expectation leaks = {
		"198.51.100.0/24",
		"10.0.1.127",
		"dropped",
		"via 192.0.2.1 dev d1",
	};
	static const struct expectation luck = {
		"198.51.100.0/24",
		"10.0.0.0",
		"via 198.51.100.1 dev d2, table 7101",
		"via 198.51.100.1 dev d2",
	};
	struct world *world = *state;

	three_subnets(world, 40);
	do_hidden("rule del priority 7109 from 198.51.100.0/24 iif lo "
		  "lookup 7101");
	must_find_that(world, &leaks);
	must_find_that(world, &luck);
	read_again(world);
	must_find(world, 0);
}

static void a_rule_of_others_before_ours_is_found(void **state)
{
	static const struct expectation expected = {
		"198.51.100.0/24",
		"10.0.0.0",
		"via 198.51.100.1 dev d2, table 7101",
		"via 192.0.2.1 dev d1, table 99",
	};
	struct world *world = *state;

	three_subnets(world, 40);
	do_hidden("route add 10.0.0.0/8 via 192.0.2.1 dev d1 table 99\n"
		  "rule add priority 50 from 198.51.100.2/32 lookup 99");
	must_find_that(world, &expected);
	do_hidden("rule del priority 50 from 198.51.100.2/32 lookup 99");
	must_find(world, 0);
}

/* Beside a prefix that is known, and where no default of ours catches it. */
static void a_new_route_of_main_is_found(void **state)
{
	static const struct expectation expected = {
		"192.0.2.0/24",
		"11.0.0.0",
		"no route",
		"via 198.51.100.1 dev d2",
	};
	struct world *world = *state;

	world_do("route add 10.0.0.0/8 via 192.0.2.1 dev d1\n"
		 "route add 172.16.0.0/12 via 198.51.100.1 dev d2");
	world_start(world);
	must_find(world, 0);
	do_hidden("route add 11.0.0.0/8 via 198.51.100.1 dev d2");
	must_find_that(world, &expected);
	read_again(world);
	must_find(world, 0);
}

static void it_is_found_until_it_is_put_right(void **state)
{
	struct world *world = *state;

	three_subnets(world, 40);
	do_hidden("route replace 10.0.1.0/25 via 198.51.100.9 dev d2 "
		  "metric 1024 table 7100 proto 109");
	must_find(world, 2);
	must_find(world, 2);
	/* Whatever the kernel tells of it is enough to put it right. */
	world_do("route replace 10.0.1.0/25 via 198.51.100.8 dev d2 "
		 "metric 1024 table 7100 proto 109");
	must_find(world, 0);
}

/* --- how much work it is --- */

static void many_routes_end_in_so_many_steps(void **state)
{
	struct world *world = *state;
	struct json_object *reply;
	uint64_t steps;
	uint64_t bound;

	world_do("address add 203.0.113.2/25 dev d1\n"
		 "address add 203.0.113.130/25 dev d2\n"
		 "route add 10.0.0.0/9 via 203.0.113.1 dev d1\n"
		 "route add 10.128.0.0/9 via 203.0.113.129 dev d2");
	three_subnets(world, 10000);
	reply = verified(world, &steps);
	assert_int_equal(number(reply, "found"), 0);
	assert_int_equal(number(reply, "subnets"), 5);
	bound = (uint64_t)number(reply, "prefixes") * 5 * 4;
	assert_true((uint64_t)number(reply, "asked") <= bound);
	/* A step asks at least so much, and doubting takes a few. */
	assert_true(steps <= bound / QUESTIONS + 10);
	json_object_put(reply);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, world_make, world_unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_host_in_order_has_no_findings),
		TEST(table_local_is_counted_and_not_judged),
		TEST(an_address_on_two_links_is_one_subnets),
		TEST(a_change_under_way_is_no_finding),
		TEST(a_family_that_yields_is_skipped),
		TEST(a_changed_route_of_ours_is_found),
		TEST(a_main_that_changed_unheard_is_found_and_mended),
		TEST(main_is_not_read_again_at_once),
		TEST(a_main_that_changes_meanwhile_is_no_finding),
		TEST(a_change_that_is_not_yet_told_is_no_finding),
		TEST(a_missing_route_of_ours_is_found),
		TEST(a_missing_rule_of_ours_is_found),
		TEST(a_rule_of_others_before_ours_is_found),
		TEST(a_new_route_of_main_is_found),
		TEST(it_is_found_until_it_is_put_right),
		TEST(many_routes_end_in_so_many_steps),
	};

	if (!world_enter())
		return WORLD_SKIP;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
