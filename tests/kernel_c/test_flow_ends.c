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
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/kernel_c/end.h"
#include "tests/kernel_c/netns.h"
#include "tests/kernel_c/pair.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void ends_are_told(void **state)
{
	struct pair pair = pair_make("192.0.2.7", "192.0.2.99", 7001, 0);
	struct flow_vec before = pair_list_one("192.0.2.7/32");
	struct flow_socket *socket;
	struct flow end;

	(void)state;
	assert_int_equal(before.items[0].cookie, end_cookie(pair.client));
	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(flow_socket_fd(socket), -1);
	assert_true(end_watch(socket, "0.0.0.0/0 ::/0"));
	assert_false(end_watch(socket, "0.0.0.0/0 ::/0"));
	assert_true(flow_socket_fd(socket) >= 0);
	pair_end(&pair);
	end = end_wait(socket, before.items[0].cookie);
	assert_true(ip_addr_equal(&end.src, &before.items[0].src));
	assert_true(ip_addr_equal(&end.dst, &before.items[0].dst));
	assert_int_equal(end.dport, 7001);
	assert_false(end_watch(socket, ""));
	assert_int_equal(flow_socket_fd(socket), -1);
	vec_done(&before);
	flow_socket_free(socket);
}

/* One that is aborted by its owner has given its address back. */
static void what_was_aborted_tells_no_source(void **state)
{
	static const struct {
		const char *client; /* where it is bound; NULL: nowhere */
		const char *server;
		const char *src;
		const char *why;
	} cases[] = {
		{"192.0.2.7", "192.0.2.99", "192.0.2.7", "IPv4, bound"},
		{NULL, "192.0.2.99", "0.0.0.0", "IPv4"},
		{"2001:db8::7", "2001:db8::99", "2001:db8::7", "IPv6, bound"},
		{NULL, "2001:db8::99", "::", "IPv6"},
		{"::ffff:192.0.2.7", "::ffff:192.0.2.99", "192.0.2.7",
		 "mapped, bound"},
		{NULL, "::ffff:192.0.2.99", "0.0.0.0", "mapped"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct pair pair =
			pair_make(cases[i].client, cases[i].server, 7001, 0);
		uint64_t cookie = end_cookie(pair.client);
		struct flow_socket *socket;
		char text[IP_TEXT_MAX];
		struct flow end;

		assert_int_equal(flow_socket_open(&socket), 0);
		(void)end_watch(socket, "0.0.0.0/0 ::/0");
		pair_abort(pair.client);
		end = end_wait(socket, cookie);
		assert_int_equal(end.dport, 0);
		(void)ip_addr_format(&end.src, text);
		if (strcmp(text, cases[i].src) != 0)
			fail_msg("%s: %s", cases[i].why, text);
		flow_socket_free(socket);
		(void)close(pair.server);
		(void)close(pair.listener);
	}
}

/* More than fits one datagram, and more ends than fit the queue. */
static void thousands_are_listed_and_lost(void **state)
{
	enum {
		FLOWS = 4000,
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
	(void)end_watch(socket, "0.0.0.0/0 ::/0");
	full.fd = flow_socket_fd(socket);
	for (size_t i = 0; i < COUNT(fds); i++)
		(void)close(fds[i]);
	/* Nothing is read till it is full. */
	assert_int_equal(poll(&full, 1, END_WAIT_MS), 1);
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
		cmocka_unit_test(what_was_aborted_tells_no_source),
		cmocka_unit_test(thousands_are_listed_and_lost),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, pair_network, NULL);
}
