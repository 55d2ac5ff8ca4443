/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * That connections begin is counted by the real kernel, whoever begins them.
 */
#include "kernel/flow_counts.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tests/kernel_c/netns.h"
#include "tests/kernel_c/pair.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static struct flow_counts counts;

static uint64_t begun(void)
{
	uint64_t ret;

	assert_true(flow_counts_begun(&counts, &ret));
	return ret;
}

static void both_ends_of_a_connection_count(void **state)
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
		{"2001:db8::7", "2001:db8::99", IPPROTO_MPTCP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t before = begun();
		struct pair pair =
			pair_make(cases[i].client, cases[i].server,
				  (uint16_t)(7060 + i), cases[i].protocol);

		assert_int_equal(begun(), before + 2);
		/* What they do then, and how they end, does not. */
		assert_int_equal(send(pair.client, "x", 1, 0), 1);
		assert_int_equal(shutdown(pair.client, SHUT_WR), 0);
		pair_end(&pair);
		assert_int_equal(begun(), before + 2);
	}
}

/* It is a connection as soon as the SYN is answered, which is not counted. */
static void one_that_is_not_answered_counts_at_once(void **state)
{
	int opening = pair_bound("192.0.2.7", 0, 0);
	uint64_t before = begun();

	(void)state;
	assert_int_equal(fcntl(opening, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(pair_reach(opening, "203.0.113.9", 7001),
			 -EINPROGRESS);
	assert_int_equal(begun(), before + 1);
	(void)close(opening);
	assert_int_equal(begun(), before + 1);
}

/* Two that call each other at once: neither listens. */
static void one_without_a_server_counts(void **state)
{
	int a = pair_bound("192.0.2.7", 7081, 0);
	int b = pair_bound("192.0.2.7", 7082, 0);
	uint64_t before = begun();

	(void)state;
	/* To itself: its own SYN comes to it. */
	assert_int_equal(pair_reach(a, "192.0.2.7", 7081), 0);
	assert_int_equal(pair_count("192.0.2.7/32"), 1);
	assert_int_equal(begun(), before + 1);
	assert_int_equal(pair_reach(b, "192.0.2.7", 7082), 0);
	assert_int_equal(begun(), before + 2);
	(void)close(a);
	(void)close(b);
}

/* With its data in the SYN; the server has it before the handshake is over. */
static void a_fast_open_counts(void **state)
{
	const struct sockaddr_in server = {
		.sin_family = AF_INET,
		.sin_port = htons(7091),
		.sin_addr.s_addr = htonl(0xc0000263),
	};
	const int queue = 8;
	int listener = pair_bound("192.0.2.99", 7091, 0);

	(void)state;
	assert_int_equal(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue,
				    sizeof(queue)),
			 0);
	assert_int_equal(listen(listener, 8), 0);
	/* The first one gets the cookie for the second. */
	for (int i = 0; i < 2; i++) {
		int client = pair_bound("192.0.2.7", 0, 0);
		uint64_t before = begun();
		int accepted;

		assert_int_equal(sendto(client, "x", 1, MSG_FASTOPEN,
					(const struct sockaddr *)&server,
					sizeof(server)),
				 1);
		accepted = accept(listener, NULL, NULL);
		assert_true(accepted >= 0);
		assert_int_equal(begun(), before + 2);
		(void)close(client);
		(void)close(accepted);
	}
	(void)close(listener);
}

static void others_do_not_count(void **state)
{
	uint64_t before = begun();
	int listener = pair_bound("192.0.2.99", 7071, 0);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(pair_reach(udp, "192.0.2.99", 7071), 0);
	(void)close(udp);
	(void)close(listener);
	assert_int_equal(begun(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_of_a_connection_count),
		cmocka_unit_test(one_that_is_not_answered_counts_at_once),
		cmocka_unit_test(one_without_a_server_counts),
		cmocka_unit_test(a_fast_open_counts),
		cmocka_unit_test(others_do_not_count),
	};
	int failed;

	if (!netns_enter())
		return NETNS_SKIP;
	flow_counts_init(&counts);
	failed = cmocka_run_group_tests(tests, pair_network, NULL);
	flow_counts_done(&counts);
	return failed;
}
