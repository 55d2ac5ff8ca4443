/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which TCP connections a question for them is about: the kernel's own filter.
 */
#include "kernel/flow_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/tcp.h>

#include "tests/kernel_c/netns.h"
#include "tests/kernel_c/pair.h"

#define PREFIXES_MAX 64

/* "192.0.2.0/24 2001:db8::/64" */
static size_t parse(const char *text, struct ip_prefix *ret)
{
	char word[IP_TEXT_MAX];
	size_t n = 0;
	int used;

	for (; sscanf(text, "%63s%n", word, &used) == 1; text += used) {
		assert_true(n < PREFIXES_MAX);
		assert_int_equal(ip_prefix_parse(word, &ret[n++]), 0);
	}
	return n;
}

static struct flow_vec list(const struct flow_query *query)
{
	struct flow_socket *socket;
	struct flow_vec flows = {0};

	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(flow_socket_list(socket, query, pair_keep, &flows), 0);
	flow_socket_free(socket);
	return flows;
}

static size_t count(const char *sources, const char *dests)
{
	struct ip_prefix from[PREFIXES_MAX];
	struct ip_prefix to[PREFIXES_MAX];
	const struct flow_query query = {
		.sources = from,
		.n_sources = parse(sources, from),
		.dests = to,
		.n_dests = parse(dests, to),
	};
	struct flow_vec flows = list(&query);
	size_t n = flows.n;

	vec_done(&flows);
	return n;
}

static void flows_are_listed_by_destination(void **state)
{
	static const struct {
		const char *sources;
		const char *dests;
		size_t n;
		const char *why;
	} cases[] = {
		{"192.0.2.0/24", "", 2, "wherever to"},
		{"192.0.2.0/24", "192.0.2.99/32", 1, "one way"},
		{"192.0.2.0/24", "192.0.2.7/32", 1, "the other way"},
		{"192.0.2.7/32", "192.0.2.7/32", 0, "both must be inside"},
		{"192.0.2.7/32", "192.0.2.0/24", 1, "a wider one"},
		{"192.0.2.7/32", "192.0.2.100/30", 0, "just above"},
		{"192.0.2.7/32", "192.0.2.98/31", 1, "the edge"},
		{"192.0.2.7/32", "0.0.0.0/0", 1, "the default route"},
		{"0.0.0.0/0 ::/0", "0.0.0.0/0", 4, "all of IPv4"},
		{"0.0.0.0/0 ::/0", "::/0", 4, "and the mapped, by that"},
		{"0.0.0.0/0", "198.51.100.99/32", 1, "a mapped one as IPv4"},
		{"203.0.113.0/24 192.0.2.7/32 10.0.0.0/8",
		 "10.0.0.0/8 192.0.2.99/32 203.0.113.0/24", 1,
		 "those in the middle"},
		{"203.0.113.0/24 192.0.2.7/32", "192.0.2.99/32 10.0.0.0/8", 1,
		 "the last, the first"},
		{"192.0.2.7/32 203.0.113.0/24", "10.0.0.0/8 192.0.2.99/32", 1,
		 "the first, the last"},
		{"192.0.2.7/32 203.0.113.0/24", "10.0.0.0/8 172.16.0.0/12", 0,
		 "none of the destinations"},
		{"203.0.113.0/24 10.0.0.0/8", "192.0.2.99/32 0.0.0.0/0", 0,
		 "none of the sources"},
		{"192.0.2.7/32 2001:db8::7/128",
		 "192.0.2.99/32 2001:db8::99/128", 2, "both families"},
		{"2001:db8::7/128", "192.0.2.99/32 2001:db8::/32", 1,
		 "another family's counts for nothing"},
	};
	struct pair v4 = pair_make("192.0.2.7", "192.0.2.99", 7001, 0);
	struct pair v6 = pair_make("2001:db8::7", "2001:db8::99", 7002, 0);
	struct pair mapped = pair_make("::ffff:198.51.100.7",
				       "::ffff:198.51.100.99", 7003, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = count(cases[i].sources, cases[i].dests);

		if (n != cases[i].n)
			fail_msg("%s to %s: %zu (%s)", cases[i].sources,
				 cases[i].dests, n, cases[i].why);
	}
	pair_end(&v4);
	pair_end(&v6);
	pair_end(&mapped);
}

/* The longest program there can be; each place in it may be the right one. */
static void as_many_as_there_may_be_are_one_question(void **state)
{
	struct pair v6 = pair_make("2001:db8::7", "2001:db8::99", 7002, 0);
	struct ip_prefix from[FLOW_SOURCES_MAX];
	struct ip_prefix to[FLOW_DESTS_MAX];
	const struct flow_query query = {
		.sources = from,
		.n_sources = FLOW_SOURCES_MAX,
		.dests = to,
		.n_dests = FLOW_DESTS_MAX,
	};
	struct flow_vec flows;

	(void)state;
	for (size_t at = 0; at < FLOW_SOURCES_MAX; at++) {
		for (size_t i = 0; i < FLOW_SOURCES_MAX; i++) {
			(void)parse(i == at ? "2001:db8::7/128"
					    : "2001:db8:f::/48",
				    &from[i]);
			(void)parse(i == FLOW_DESTS_MAX - 1 - at
					    ? "2001:db8::99/128"
					    : "2001:db8:e::/48",
				    &to[i]);
		}
		flows = list(&query);
		assert_int_equal(flows.n, 1);
		vec_done(&flows);
	}
	pair_end(&v6);
}

static void those_that_open_are_told_if_asked_for(void **state)
{
	struct ip_prefix source;
	struct flow_query query = {
		.sources = &source, .n_sources = 1, .opening = true};
	int opening = pair_bound("192.0.2.7", 0, 0);
	int waiting = pair_bound("192.0.2.7", 0, 0);
	struct flow_vec flows;

	(void)state;
	(void)parse("192.0.2.7/32", &source);
	assert_int_equal(listen(waiting, 1), 0);
	assert_int_equal(fcntl(opening, F_SETFL, O_NONBLOCK), 0);
	/* Nobody answers its SYN. */
	assert_int_equal(pair_reach(opening, "203.0.113.9", 7001),
			 -EINPROGRESS);
	flows = list(&query);
	assert_int_equal(flows.n, 1);
	assert_int_equal(flows.items[0].state, TCP_SYN_SENT);
	assert_true(flow_is_opening(&flows.items[0]));
	vec_done(&flows);
	query.opening = false;
	flows = list(&query);
	assert_int_equal(flows.n, 0);
	vec_done(&flows);
	(void)close(opening);
	(void)close(waiting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_listed_by_destination),
		cmocka_unit_test(as_many_as_there_may_be_are_one_question),
		cmocka_unit_test(those_that_open_are_told_if_asked_for),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, pair_network, NULL);
}
