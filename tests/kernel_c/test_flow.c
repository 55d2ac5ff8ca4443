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
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tests/kernel_c/netns.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- connections --- */

struct pair {
	int listener;
	int client;
	int server;
};

static struct sockaddr_storage address(const char *text, uint16_t port,
				       socklen_t *ret_len)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;

	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		*ret_len = sizeof(*in6);
	} else {
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		*ret_len = sizeof(*in);
	}
	return storage;
}

static int bound(const char *text, uint16_t port, int protocol)
{
	const int on = 1;
	socklen_t len;
	struct sockaddr_storage own = address(text, port, &len);
	int fd = socket(own.ss_family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&own, len) != 0)
		fail_msg("bind to %s: %m", text);
	return fd;
}

static void reach(int fd, const char *text, uint16_t port)
{
	socklen_t len;
	struct sockaddr_storage to = address(text, port, &len);

	if (connect(fd, (struct sockaddr *)&to, len) != 0)
		fail_msg("connect to %s: %m", text);
}

/* All of it on lo, where the namespace has these addresses. */
static struct pair connected(const char *src, const char *dst, uint16_t port,
			     int protocol)
{
	struct pair pair;

	pair.listener = bound(dst, port, protocol);
	assert_int_equal(listen(pair.listener, 8), 0);
	pair.client = bound(src, 0, protocol);
	reach(pair.client, dst, port);
	pair.server = accept(pair.listener, NULL, NULL);
	assert_true(pair.server >= 0);
	return pair;
}

static void end(struct pair *pair)
{
	(void)close(pair->client);
	(void)close(pair->server);
	(void)close(pair->listener);
}

/* --- what is listed --- */

static void keep(const struct flow *flow, void *data)
{
	struct flow_vec *flows = data;

	vec_push(flows, *flow);
}

static struct flow_vec list(const char *const *sources, size_t n, bool detailed)
{
	struct ip_prefix prefixes[FLOW_SOURCES_MAX];
	const struct flow_socket_query query = {prefixes, n, detailed};
	struct flow_socket *socket;
	struct flow_vec flows = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(ip_prefix_parse(sources[i], &prefixes[i]), 0);
	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(flow_socket_list(socket, &query, keep, &flows), 0);
	flow_socket_free(socket);
	return flows;
}

static struct flow_vec list_one(const char *source)
{
	return list(&source, 1, false);
}

static size_t count(const char *source)
{
	struct flow_vec flows = list_one(source);
	size_t n = flows.n;

	vec_done(&flows);
	return n;
}

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
	struct pair v4 = connected("192.0.2.7", "192.0.2.99", 7001, 0);
	struct pair v6 = connected("2001:db8::7", "2001:db8::99", 7002, 0);
	struct pair mapped = connected("::ffff:198.51.100.7",
				       "::ffff:198.51.100.99", 7003, 0);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = count(cases[i].source);

		if (n != cases[i].n)
			fail_msg("%s: %zu (%s)", cases[i].source, n,
				 cases[i].why);
	}
	end(&v4);
	end(&v6);
	end(&mapped);
}

static void several_sources_are_one_question(void **state)
{
	static const char *const sources[] = {"203.0.113.0/24", "192.0.2.7/32",
					      "2001:db8::99/128",
					      "198.51.100.0/30", "10.0.0.0/8"};
	struct pair v4 = connected("192.0.2.7", "192.0.2.99", 7001, 0);
	struct pair v6 = connected("2001:db8::7", "2001:db8::99", 7002, 0);
	const char *many[FLOW_SOURCES_MAX];
	struct flow_vec flows;

	(void)state;
	for (size_t n = 1; n <= COUNT(sources); n++) {
		flows = list(sources, n, false);
		assert_int_equal(flows.n, (n >= 2) + (n >= 3));
		vec_done(&flows);
	}
	for (size_t i = 0; i < FLOW_SOURCES_MAX; i++)
		many[i] = i == FLOW_SOURCES_MAX - 1 ? "192.0.2.7/32"
						    : "2001:db8:f::/48";
	flows = list(many, FLOW_SOURCES_MAX, false);
	assert_int_equal(flows.n, 1);
	vec_done(&flows);
	end(&v4);
	end(&v6);
}

static void a_flow_is_told_as_it_is(void **state)
{
	struct pair mapped = connected("::ffff:198.51.100.7",
				       "::ffff:198.51.100.99", 7003, 0);
	struct flow_vec flows = list_one("198.51.100.7/32");
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
	end(&mapped);
}

static void only_what_has_begun_counts(void **state)
{
	struct pair pair = connected("192.0.2.7", "192.0.2.99", 7001, 0);
	int waiting = bound("192.0.2.7", 0, 0);
	struct sockaddr_storage to;
	socklen_t len;
	int beginning;

	(void)state;
	assert_int_equal(listen(waiting, 1), 0);
	/* Its SYN goes nowhere: nobody has that address. */
	beginning = bound("192.0.2.7", 0, 0);
	assert_int_equal(fcntl(beginning, F_SETFL, O_NONBLOCK), 0);
	to = address("192.0.2.50", 7001, &len);
	assert_int_equal(connect(beginning, (struct sockaddr *)&to, len), -1);
	assert_int_equal(errno, EINPROGRESS);
	assert_int_equal(count("192.0.2.0/24"), 2);
	/* A half-closed one still is a flow, one in TIME_WAIT is none. */
	assert_int_equal(shutdown(pair.client, SHUT_WR), 0);
	assert_int_equal(count("192.0.2.0/24"), 2);
	(void)close(pair.server);
	(void)close(pair.client);
	assert_int_equal(count("192.0.2.0/24"), 0);
	(void)close(pair.listener);
	(void)close(waiting);
	(void)close(beginning);
}

static void subflows_are_told_from_tcp(void **state)
{
	static const char *const all[] = {"192.0.2.0/24"};
	struct pair tcp = connected("192.0.2.7", "192.0.2.99", 7001, 0);
	struct pair mptcp =
		connected("192.0.2.7", "192.0.2.99", 7002, IPPROTO_MPTCP);
	struct flow_vec flows = list(all, 1, true);
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
	assert_non_null(client);
	assert_non_null(server);
	assert_int_not_equal(client->token_local, 0);
	assert_int_not_equal(server->token_local, 0);
	assert_int_not_equal(client->token_local, server->token_local);
	vec_done(&flows);
	end(&tcp);
	end(&mptcp);
}

static void ends_are_told(void **state)
{
	struct pair pair = connected("192.0.2.7", "192.0.2.99", 7001, 0);
	struct flow_vec before = list_one("192.0.2.7/32");
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
	end(&pair);
	/* The kernel ends the socket before close() returns, or in a moment. */
	for (int i = 0; i < 1000 && !found; i++) {
		assert_true(flow_socket_listen(socket, 100, keep, &ended) >= 0);
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
		FLOWS = 4000
	};
	int listener = bound("192.0.2.99", 7001, 0);
	struct flow_vec ended = {0};
	struct flow_socket *socket;
	static int fds[2 * FLOWS];
	bool lost = false;

	(void)state;
	assert_int_equal(listen(listener, 8), 0);
	for (size_t i = 0; i < FLOWS; i++) {
		fds[2 * i] = bound("192.0.2.7", 0, 0);
		reach(fds[2 * i], "192.0.2.99", 7001);
		fds[2 * i + 1] = accept(listener, NULL, NULL);
		assert_true(fds[2 * i + 1] >= 0);
	}
	assert_int_equal(count("192.0.2.7/32"), FLOWS);
	assert_int_equal(count("192.0.2.0/24"), 2 * FLOWS);
	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(flow_socket_watch(socket, true), 0);
	for (size_t i = 0; i < COUNT(fds); i++)
		(void)close(fds[i]);
	/* The kernel tells in its own time, which on a busy machine is long: */
	/* hardly read until the queue is full. */
	for (int i = 0; i < 1000 && !lost; i++) {
		lost = flow_socket_listen(socket, 1, keep, &ended) == -ENOBUFS;
		(void)usleep(20000);
	}
	assert_true(lost);
	/* What was queued before is still there. */
	while (flow_socket_listen(socket, 100, keep, &ended) > 0)
		;
	assert_true(ended.n > 100);
	vec_done(&ended);
	flow_socket_free(socket);
	(void)close(listener);
}

static void bad_questions_are_refused(void **state)
{
	struct ip_prefix prefix = ip_prefix_default(AF_INET);
	const struct flow_socket_query none = {&prefix, 0, false};
	const struct flow_socket_query many = {&prefix, FLOW_SOURCES_MAX + 1,
					       false};
	struct flow_socket *socket;

	(void)state;
	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(flow_socket_list(socket, &none, keep, NULL), -EINVAL);
	assert_int_equal(flow_socket_list(socket, &many, keep, NULL), -EINVAL);
	flow_socket_free(socket);
	flow_socket_free(NULL);
}

static int make_network(void **state)
{
	(void)state;
	netns_ip("link set lo up\n"
		 "addr add 192.0.2.7/24 dev lo\n"
		 "addr add 192.0.2.99/24 dev lo\n"
		 "addr add 198.51.100.7/24 dev lo\n"
		 "addr add 198.51.100.99/24 dev lo");
	netns_ip6("addr add 2001:db8::7/64 dev lo\n"
		  "addr add 2001:db8::99/64 dev lo");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_listed_by_source),
		cmocka_unit_test(several_sources_are_one_question),
		cmocka_unit_test(a_flow_is_told_as_it_is),
		cmocka_unit_test(only_what_has_begun_counts),
		cmocka_unit_test(subflows_are_told_from_tcp),
		cmocka_unit_test(ends_are_told),
		cmocka_unit_test(thousands_are_listed_and_lost),
		cmocka_unit_test(bad_questions_are_refused),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
