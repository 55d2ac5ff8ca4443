/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_apply_begin() and kernel_apply_end() on the live kernel: what is begun
 * is done, what fails is named, in whichever thread, and nobody hears of it.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/kernel_c/ear.h"
#include "tests/kernel_c/netns.h"

#define MANY	2000
#define TABLES	3
#define LONG_MS 60000

/* Attributes of a route over a link. */
static uint32_t over(struct ear *ear, uint8_t family, uint32_t ifindex)
{
	const struct next_hop hop = {.ifindex = ifindex};
	struct attrset set;
	uint32_t id;

	attrset_init(&set, family, ATTRSET_UNICAST);
	attrset_add_hop(&set, &hop, NULL, 0);
	id = attrset_intern(&ear->store, &set);
	attrset_done(&set);
	return id;
}

/* Number @i of many, for IPv6 each third for another table. */
static struct op route(struct ear *ear, uint8_t family, uint32_t i)
{
	struct op op = {.kind = OP_ROUTE_PUT};
	char text[IP_TEXT_MAX];

	(void)snprintf(text, sizeof(text),
		       family == AF_INET ? "10.%u.%u.0/24"
					 : "2001:db8:%x:%x::/64",
		       i >> 8, i & 255);
	assert_int_equal(ip_prefix_parse(text, &op.route.prefix), 0);
	op.route.insert = true;
	op.route.route = (struct route){
		.table = EAR_TABLE + (family == AF_INET6 ? i % TABLES : 0),
		.metric = 10,
		.protocol = EAR_PROTOCOL,
		.attrs = over(ear, family, if_nametoindex("d1")),
	};
	return op;
}

static struct op *routes(struct ear *ear, uint8_t family)
{
	struct op *ops = xalloc(MANY * sizeof(*ops));

	for (uint32_t i = 0; i < MANY; i++)
		ops[i] = route(ear, family, i);
	return ops;
}

/* Return: how many were begun; failures: appended. */
static size_t apply(struct ear *ear, const struct op *ops, size_t n,
		    unsigned int max_ms, bool *begun,
		    struct kernel_failure_vec *failures)
{
	struct pollfd wait = {.events = POLLIN};
	size_t n_begun = 0;

	assert_int_equal(
		kernel_apply_begin(ear->kernel, ops, n, &ear->store, max_ms),
		0);
	wait.fd = kernel_apply_fd(ear->kernel);
	assert_int_equal(poll(&wait, 1, LONG_MS), 1);
	assert_true(kernel_apply_is_over(ear->kernel));
	assert_int_equal(kernel_apply_end(ear->kernel, begun, failures), 0);
	assert_int_equal(poll(&wait, 1, 0), 0);
	for (size_t i = 0; i < n; i++)
		n_begun += begun[i];
	return n_begun;
}

static size_t count(struct ear *ear, uint8_t family, uint32_t table)
{
	const struct kernel_read what = {
		.what = KERNEL_ROUTE, .family = family, .table = table};

	ear_forget(ear);
	assert_int_equal(kernel_read(ear->kernel, &what, ear_hear, ear), 0);
	return ear->n[KERNEL_ROUTE];
}

static size_t count_all(struct ear *ear, uint8_t family)
{
	size_t n = 0;

	for (uint32_t i = 0; i < TABLES; i++)
		n += count(ear, family, EAR_TABLE + i);
	return n;
}

static const uint8_t families[] = {AF_INET, AF_INET6};

static void all_of_it_is_done_unheard(void **state)
{
	struct ear *ear = *state;
	struct kernel_failure_vec failures = {0};
	bool begun[MANY];

	assert_int_equal(kernel_apply_fd(ear->kernel), -1);
	for (size_t f = 0; f < 2; f++) {
		struct op *ops = routes(ear, families[f]);

		assert_int_equal(
			apply(ear, ops, MANY, LONG_MS, begun, &failures), MANY);
		assert_int_equal(failures.n, 0);
		ear_must_hear(ear, "");
		assert_int_equal(count_all(ear, families[f]), MANY);
		for (size_t i = 0; i < MANY; i++)
			ops[i].kind = OP_ROUTE_DELETE;
		assert_int_equal(
			apply(ear, ops, MANY, LONG_MS, begun, &failures), MANY);
		assert_int_equal(failures.n, 0);
		ear_must_hear(ear, "");
		assert_int_equal(count_all(ear, families[f]), 0);
		free(ops);
	}
}

/* In either thread, at the ends of batches and between them. */
static void what_fails_is_named(void **state)
{
	static const size_t bad[] = {0, 1, 299, 300, 301, 1000, MANY - 1};
	const size_t n_bad = sizeof(bad) / sizeof(bad[0]);
	struct ear *ear = *state;
	bool begun[MANY];

	for (size_t f = 0; f < 2; f++) {
		struct op *ops = routes(ear, families[f]);
		struct kernel_failure_vec failures = {0};

		for (size_t i = 0; i < n_bad; i++)
			ops[bad[i]].route.route.attrs =
				over(ear, families[f], 9999);
		assert_int_equal(
			apply(ear, ops, MANY, LONG_MS, begun, &failures), MANY);
		assert_int_equal(failures.n, n_bad);
		for (size_t i = 0; i < n_bad; i++) {
			assert_int_equal(failures.items[i].op, bad[i]);
			assert_int_equal(failures.items[i].error, -ENODEV);
		}
		assert_int_equal(count_all(ear, families[f]), MANY - n_bad);
		/* What is gone already is no failure. */
		vec_clear(&failures);
		for (size_t i = 0; i < MANY; i++)
			ops[i].kind = OP_ROUTE_DELETE;
		assert_int_equal(
			apply(ear, ops, MANY, LONG_MS, begun, &failures), MANY);
		assert_int_equal(failures.n, 0);
		assert_int_equal(count_all(ear, families[f]), 0);
		vec_done(&failures);
		free(ops);
	}
}

/* No time at all: one batch of each thread. */
static void what_was_not_begun_is_not_there(void **state)
{
	struct ear *ear = *state;
	struct kernel_failure_vec failures = {0};
	bool begun[MANY];

	for (size_t f = 0; f < 2; f++) {
		struct op *ops = routes(ear, families[f]);
		size_t n = apply(ear, ops, MANY, 0, begun, &failures);

		assert_in_range(n, 100, 200);
		assert_int_equal(failures.n, 0);
		assert_int_equal(count_all(ear, families[f]), n);
		assert_true(begun[0]);
		for (size_t i = 0; i < MANY; i++) {
			ops[i].kind = OP_ROUTE_DELETE;
			/* Of each table the first ones. */
			if (i + TABLES < MANY && begun[i + TABLES] &&
			    families[f] == AF_INET6)
				assert_true(begun[i]);
			if (i + 1 < MANY && begun[i + 1] &&
			    families[f] == AF_INET)
				assert_true(begun[i]);
		}
		(void)apply(ear, ops, MANY, LONG_MS, begun, &failures);
		assert_int_equal(failures.n, 0);
		free(ops);
	}
}

/* Meanwhile we ask, and what others do is heard. */
static void others_have_their_say(void **state)
{
	struct ear *ear = *state;
	struct op *ops = routes(ear, AF_INET6);
	struct kernel_failure_vec failures = {0};
	struct kernel_question question = {0};
	struct kernel_answer answer;
	bool begun[MANY];

	assert_int_equal(ip_addr_parse("192.0.2.9", &question.dst), 0);
	assert_int_equal(kernel_apply_begin(ear->kernel, ops, MANY, &ear->store,
					    LONG_MS),
			 0);
	assert_int_equal(kernel_ask(ear->kernel, &question, &answer), 0);
	assert_int_equal(answer.hop.ifindex, if_nametoindex("d1"));
	netns_ip("route add 10.9.0.0/16 dev d1");
	ear_must_hear(ear, "+10.9.0.0/16 ");
	assert_int_equal(kernel_apply_end(ear->kernel, begun, &failures), 0);
	assert_int_equal(failures.n, 0);
	assert_int_equal(count_all(ear, AF_INET6), MANY);
	netns_ip("route del 10.9.0.0/16 dev d1");
	free(ops);
}

/* Its socket is closed only when the threads have ended. */
static void it_can_be_left_at_any_time(void **state)
{
	struct ear *ear = *state;

	for (size_t i = 0; i < 20; i++) {
		struct op *ops = routes(ear, families[i % 2]);
		struct kernel *kernel;

		assert_int_equal(kernel_open(&ear_config, &kernel), 0);
		assert_int_equal(kernel_apply_begin(kernel, ops, MANY,
						    &ear->store, LONG_MS),
				 0);
		kernel_free(kernel);
		free(ops);
		assert_int_equal(count_all(ear, families[i % 2]), MANY);
	}
}

static int make_network(void **state)
{
	(void)state;
	netns_links();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ear_open, ear_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_it_is_done_unheard),
		TEST(what_fails_is_named),
		TEST(what_was_not_begun_is_not_there),
		TEST(others_have_their_say),
		TEST(it_can_be_left_at_any_time),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
