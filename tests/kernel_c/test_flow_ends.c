/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ends of TCP connections as the real kernel tells them.
 */
#include "kernel/flow_socket.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/kernel_c/netns.h"
#include "tests/kernel_c/pair.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void ends_are_told(void **state)
{
	struct pair pair = pair_make("192.0.2.7", "192.0.2.99", 7001, 0);
	struct flow_vec before = pair_list_one("192.0.2.7/32");
	struct flow_vec ended = {0};
	struct flow_socket *socket;
	const struct flow *flow;
	bool found = false;

	(void)state;
	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(flow_socket_fd(socket), -1);
	assert_int_equal(flow_socket_watch(socket, true), 0);
	assert_int_equal(flow_socket_watch(socket, true), 0);
	assert_true(flow_socket_fd(socket) >= 0);
	pair_end(&pair);
	/* The kernel ends the socket before close() returns, or in a moment. */
	for (int i = 0; i < 1000 && !found; i++) {
		assert_true(flow_socket_listen(socket, 100, pair_keep,
					       &ended) >= 0);
		vec_foreach(&ended, flow)
			found |=
				flow->cookie == before.items[0].cookie &&
				ip_addr_equal(&flow->dst, &before.items[0].dst);
		(void)usleep(1000);
	}
	assert_true(found);
	assert_int_equal(flow_socket_watch(socket, false), 0);
	assert_int_equal(flow_socket_fd(socket), -1);
	vec_done(&before);
	vec_done(&ended);
	flow_socket_free(socket);
}

/* More than fits one datagram, and more ends than fit the queue. */
static void thousands_are_listed_and_lost(void **state)
{
	enum {
		FLOWS = 4000,
		FULL_MS = 60000,
	};
	int listener = pair_bound("192.0.2.99", 7001, 0);
	struct flow_vec ended = {0};
	struct flow_socket *socket;
	static int fds[2 * FLOWS];
	struct pollfd full = {0};

	(void)state;
	assert_int_equal(listen(listener, 8), 0);
	for (size_t i = 0; i < FLOWS; i++) {
		fds[2 * i] = pair_bound("192.0.2.7", 0, 0);
		pair_reach(fds[2 * i], "192.0.2.99", 7001);
		fds[2 * i + 1] = accept(listener, NULL, NULL);
		assert_true(fds[2 * i + 1] >= 0);
	}
	assert_int_equal(pair_count("192.0.2.7/32"), FLOWS);
	assert_int_equal(pair_count("192.0.2.0/24"), 2 * FLOWS);
	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(flow_socket_watch(socket, true), 0);
	full.fd = flow_socket_fd(socket);
	for (size_t i = 0; i < COUNT(fds); i++)
		(void)close(fds[i]);
	/* The kernel tells in its own time; nothing is read till it is full. */
	assert_int_equal(poll(&full, 1, FULL_MS), 1);
	assert_true(full.revents & POLLERR);
	assert_int_equal(flow_socket_listen(socket, 1, pair_keep, &ended),
			 -ENOBUFS);
	/* What was queued before is still there. */
	while (flow_socket_listen(socket, 100, pair_keep, &ended) > 0)
		;
	assert_true(ended.n > 100);
	vec_done(&ended);
	flow_socket_free(socket);
	(void)close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_told),
		cmocka_unit_test(thousands_are_listed_and_lost),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, pair_network, NULL);
}
