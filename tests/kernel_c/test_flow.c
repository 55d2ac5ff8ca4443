/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP connections as the real kernel tells them.
 */
#include "kernel/flow_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tests/kernel_c/netns.h"
#include "tests/kernel_c/pair.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void flows_are_listed_by_source(void **state)
{
	static const struct {
		const char *source;
		size_t n;
		const char *why;
	} cases[] = {
		{"192.0.2.7/32", 1, "just that address"},
		{"192.0.2.6/31", 1, "the edge above"},
		{"192.0.2.4/31", 0, "just below"},
		{"192.0.2.8/29", 0, "just above"},
		{"192.0.2.0/24", 2, "the whole subnet, both ends"},
		{"0.0.0.0/0", 4, "all of IPv4, mapped ones too"},
		{"2001:db8::/32", 2, "IPv6"},
		{"2001:db8::7/128", 1, "one of IPv6"},
		{"::/0", 4, "IPv6 sockets, mapped ones by their IPv6 address"},
		{"198.51.100.0/24", 2, "mapped"},
		{"203.0.113.0/24", 0, "nobody's"},
	};
	struct pair v4 = pair_make("192.0.2.7", "192.0.2.99", 7001, 0);
	struct pair v6 = pair_make("2001:db8::7", "2001:db8::99", 7002, 0);
	struct pair mapped = pair_make("::ffff:198.51.100.7",
				       "::ffff:198.51.100.99", 7003, 0);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = pair_count(cases[i].source);

		if (n != cases[i].n)
			fail_msg("%s: %zu (%s)", cases[i].source, n,
				 cases[i].why);
	}
	pair_end(&v4);
	pair_end(&v6);
	pair_end(&mapped);
}

static void several_sources_are_one_question(void **state)
{
	static const char *const sources[] = {"203.0.113.0/24", "192.0.2.7/32",
					      "2001:db8::99/128",
					      "198.51.100.0/30", "10.0.0.0/8"};
	struct pair v4 = pair_make("192.0.2.7", "192.0.2.99", 7001, 0);
	struct pair v6 = pair_make("2001:db8::7", "2001:db8::99", 7002, 0);
	const char *many[FLOW_SOURCES_MAX];
	struct flow_vec flows;

	(void)state;
	for (size_t n = 1; n <= COUNT(sources); n++) {
		flows = pair_list(sources, n, false);
		assert_int_equal(flows.n, (n >= 2) + (n >= 3));
		vec_done(&flows);
	}
	for (size_t i = 0; i < FLOW_SOURCES_MAX; i++)
		many[i] = i == FLOW_SOURCES_MAX - 1 ? "192.0.2.7/32"
						    : "2001:db8:f::/48";
	flows = pair_list(many, FLOW_SOURCES_MAX, false);
	assert_int_equal(flows.n, 1);
	vec_done(&flows);
	pair_end(&v4);
	pair_end(&v6);
}

static void a_flow_is_told_as_it_is(void **state)
{
	struct pair mapped = pair_make("::ffff:198.51.100.7",
				       "::ffff:198.51.100.99", 7003, 0);
	struct flow_vec flows = pair_list_one("198.51.100.7/32");
	const struct flow *flow = flows.items;
	char text[IP_TEXT_MAX];

	(void)state;
	assert_int_equal(flows.n, 1);
	assert_string_equal(ip_addr_format(&flow->src, text), "198.51.100.7");
	assert_string_equal(ip_addr_format(&flow->dst, text), "198.51.100.99");
	assert_int_equal(flow->dport, 7003);
	assert_int_not_equal(flow->sport, 0);
	assert_int_equal(flow->state, TCP_ESTABLISHED);
	assert_true(flow->cookie != 0 && flow->inode != 0);
	assert_false(flow->stalled);
	assert_false(flow->mptcp);
	vec_done(&flows);
	pair_end(&mapped);
}

static void only_what_has_begun_counts(void **state)
{
	struct pair pair = pair_make("192.0.2.7", "192.0.2.99", 7001, 0);
	int waiting = pair_bound("192.0.2.7", 0, 0);
	int beginning;

	(void)state;
	assert_int_equal(listen(waiting, 1), 0);
	/* Nobody answers its SYN. */
	beginning = pair_bound("192.0.2.7", 0, 0);
	assert_int_equal(fcntl(beginning, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(pair_reach(beginning, "203.0.113.9", 7001),
			 -EINPROGRESS);
	assert_int_equal(pair_count("192.0.2.0/24"), 2);
	/* A half-closed one still is a flow, one in TIME_WAIT is none. */
	assert_int_equal(shutdown(pair.client, SHUT_WR), 0);
	assert_int_equal(pair_count("192.0.2.0/24"), 2);
	(void)close(pair.server);
	(void)close(pair.client);
	assert_int_equal(pair_count("192.0.2.0/24"), 0);
	(void)close(pair.listener);
	(void)close(waiting);
	(void)close(beginning);
}

/* The peer acknowledges a FIN when it likes. */
static void wait_for_state(const char *source, uint8_t state)
{
	uint8_t now = 0;

	for (int i = 0; i < 5000 && now != state; i++) {
		struct flow_vec flows = pair_list_one(source);

		assert_int_equal(flows.n, 1);
		now = flows.items[0].state;
		vec_done(&flows);
		(void)usleep(1000);
	}
	assert_int_equal(now, state);
}

/*
 * A socket that is closed while its peer is not waits for the peer's FIN as one
 * in TIME_WAIT does, but its state is FIN_WAIT2.
 */
static void what_is_left_of_a_closed_one_is_none(void **state)
{
	static const struct {
		const char *client;
		const char *server;
		const char *client_is;
		const char *server_is;
	} cases[] = {
		{"192.0.2.7", "192.0.2.99", "192.0.2.7/32", "192.0.2.99/32"},
		{"2001:db8::7", "2001:db8::99", "2001:db8::7/128",
		 "2001:db8::99/128"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pair pair =
			pair_make(cases[i].client, cases[i].server, 7001, 0);

		/* Half closed: whoever has it open still may receive. */
		assert_int_equal(shutdown(pair.client, SHUT_WR), 0);
		wait_for_state(cases[i].client_is, TCP_FIN_WAIT2);
		(void)close(pair.client);
		assert_int_equal(pair_count(cases[i].client_is), 0);
		assert_int_equal(pair_count(cases[i].server_is), 1);
		(void)close(pair.server);
		(void)close(pair.listener);
	}
}

static void subflows_are_told_from_tcp(void **state)
{
	static const char *const all[] = {"192.0.2.0/24"};
	struct pair tcp = pair_make("192.0.2.7", "192.0.2.99", 7001, 0);
	struct pair mptcp =
		pair_make("192.0.2.7", "192.0.2.99", 7002, IPPROTO_MPTCP);
	struct flow_vec flows = pair_list(all, 1, true);
	const struct flow *client = NULL;
	const struct flow *server = NULL;
	const struct flow *flow;

	(void)state;
	assert_int_equal(flows.n, 4);
	vec_foreach(&flows, flow) {
		bool is_mptcp = flow->dport == 7002 || flow->sport == 7002;

		assert_int_equal(flow->mptcp, is_mptcp);
		if (flow->dport == 7002)
			client = flow;
		if (flow->sport == 7002)
			server = flow;
	}
	if (!client || !server) {
		fail_msg("an end is missing");
		return;
	}
	assert_int_not_equal(client->token_local, 0);
	assert_int_not_equal(server->token_local, 0);
	assert_int_not_equal(client->token_local, server->token_local);
	vec_done(&flows);
	pair_end(&tcp);
	pair_end(&mptcp);
}

/* What MPTCP closes, a worker of the kernel closes, some time later. */
static bool is_none_in_the_end(struct flow_socket *socket)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	for (int tries = 0; tries < 500; tries++) {
		if (!flow_socket_is_any(socket))
			return true;
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

static void that_there_is_none_is_told_without_a_list(void **state)
{
	static const struct {
		const char *client;
		const char *server;
		int protocol;
	} cases[] = {
		{"192.0.2.7", "192.0.2.99", 0},
		{"2001:db8::7", "2001:db8::99", 0},
		{"::ffff:198.51.100.7", "::ffff:198.51.100.99", 0},
		{"192.0.2.7", "192.0.2.99", IPPROTO_MPTCP},
	};
	struct flow_socket *socket;

	(void)state;
	assert_int_equal(flow_socket_open(&socket), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pair pair;

		assert_true(is_none_in_the_end(socket));
		pair = pair_make(cases[i].client, cases[i].server,
				 (uint16_t)(7040 + i), cases[i].protocol);
		assert_true(flow_socket_is_any(socket));
		pair_end(&pair);
	}
	assert_true(is_none_in_the_end(socket));
	flow_socket_free(socket);
}

static void bad_questions_are_refused(void **state)
{
	struct ip_prefix prefix = ip_prefix_default(AF_INET);
	const struct flow_query none = {.sources = &prefix};
	const struct flow_query many = {.sources = &prefix,
					.n_sources = FLOW_SOURCES_MAX + 1};
	const struct flow_query far = {.sources = &prefix,
				       .n_sources = 1,
				       .dests = &prefix,
				       .n_dests = FLOW_DESTS_MAX + 1};
	struct flow_socket *socket;

	(void)state;
	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(flow_socket_list(socket, &none, pair_keep, NULL),
			 -EINVAL);
	assert_int_equal(flow_socket_list(socket, &many, pair_keep, NULL),
			 -EINVAL);
	assert_int_equal(flow_socket_list(socket, &far, pair_keep, NULL),
			 -EINVAL);
	flow_socket_free(socket);
	flow_socket_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_listed_by_source),
		cmocka_unit_test(several_sources_are_one_question),
		cmocka_unit_test(a_flow_is_told_as_it_is),
		cmocka_unit_test(only_what_has_begun_counts),
		cmocka_unit_test(that_there_is_none_is_told_without_a_list),
		cmocka_unit_test(what_is_left_of_a_closed_one_is_none),
		cmocka_unit_test(subflows_are_told_from_tcp),
		cmocka_unit_test(bad_questions_are_refused),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, pair_network, NULL);
}
