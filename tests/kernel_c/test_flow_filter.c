/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which ends of TCP connections reach us.
 */
#include "kernel/flow_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/text.h"
#include "tests/kernel_c/end.h"
#include "tests/kernel_c/netns.h"
#include "tests/kernel_c/pair.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define SOURCES_SIZE ((size_t)(FLOW_FILTER_MAX + 2) * IP_TEXT_MAX)

/* IPv6 ones, each as long in the program as one can be, then @last. */
static void many(size_t n, const char *last, char *ret)
{
	struct text text;

	text_init(&text, ret, SOURCES_SIZE);
	for (size_t i = 1; i < n; i++)
		text_put(&text, "2001:db8:ff::%zx:0/127 ", i);
	text_put(&text, "%s", last);
}

/* Two that listen: to all ends, and through the filter that is tested. */
struct ears {
	struct flow_socket *all;
	struct flow_socket *some;
};

static struct ears ears_open(const char *sources)
{
	char all[SOURCES_SIZE];
	struct ears ears;

	many(FLOW_FILTER_MAX + 1, "192.0.2.0/24", all);
	assert_int_equal(flow_socket_open(&ears.all), 0);
	assert_int_equal(flow_socket_open(&ears.some), 0);
	(void)end_watch(ears.all, all);
	(void)end_watch(ears.some, sources);
	return ears;
}

static void ears_close(struct ears *ears)
{
	flow_socket_free(ears->all);
	flow_socket_free(ears->some);
}

/* Once one has been told, what the other has to hear is there. */
static bool is_told(struct ears *ears, uint64_t cookie)
{
	struct flow_vec ended = {0};
	const struct flow *flow;
	bool told = false;

	(void)end_wait(ears->all, cookie);
	(void)usleep(2000); /* they are served one after the other */
	assert_true(flow_socket_listen(ears->some, 1000, pair_keep, &ended) >=
		    0);
	vec_foreach(&ended, flow)
		told |= flow->cookie == cookie;
	vec_done(&ended);
	return told;
}

/* Whether the end of the connecting side is told. */
static bool tells(struct ears *ears, const char *client, const char *server)
{
	struct pair pair = pair_make(client, server, 7001, 0);
	uint64_t cookie = end_cookie(pair.client);

	pair_end(&pair);
	return is_told(ears, cookie);
}

static void only_ends_from_the_sources_are_told(void **state)
{
	static const char v4[] = "192.0.2.7";
	static const char v6[] = "2001:db8::7";
	static const char mapped[] = "::ffff:192.0.2.7";
	static const struct {
		const char *sources;
		const char *client;
		bool told;
		const char *why;
	} cases[] = {
		{"192.0.2.0/24", v4, true, "its subnet"},
		{"192.0.2.7/32", v4, true, "itself"},
		{"192.0.2.6/31", v4, true, "the edge above"},
		{"192.0.2.4/31", v4, false, "just below"},
		{"192.0.2.8/29", v4, false, "just above"},
		{"0.0.0.0/0", v4, true, "all of them"},
		{"198.51.100.0/24", v4, false, "that is where it went"},
		{"2001:db8::/64 ::/0", v4, false, "the other family"},
		{"10.0.0.0/8 192.0.2.0/24 203.0.113.0/24", v4, true, "one of"},
		{"10.0.0.0/8 192.0.3.0/24 203.0.113.0/24", v4, false, "none"},
		{"2001:db8:f::/48 192.0.2.0/24 2001:db8:e::/48", v4, true,
		 "behind IPv6 ones"},
		{"192.0.2.0/24", mapped, true, "mapped: its subnet"},
		{"198.51.100.0/24", mapped, false, "mapped: another one"},
		{"2001:db8:f::/48 192.0.2.7/32", mapped, true,
		 "mapped: behind IPv6 ones"},
		{"2001:db8::/64", v6, true, "IPv6: its subnet"},
		{"2001:db8::7/128", v6, true, "IPv6: itself"},
		{"2001:db8::6/127", v6, true, "IPv6: the edge above"},
		{"2001:db8::8/125", v6, false, "IPv6: just above"},
		{"2001:db8::/126", v6, false, "IPv6: just below"},
		{"2001:db8::/33", v6, true, "IPv6: one bit of a word"},
		{"2001:db8:8000::/33", v6, false, "IPv6: the other half"},
		{"2001:db8:0:1::/64", v6, false, "IPv6: the next subnet"},
		{"2001:db8:0:0:1::/80", v6, false, "IPv6: third word"},
		{"3000::/4 ::/0", v6, true, "IPv6: all of them"},
		{"192.0.2.0/24 0.0.0.0/0", v6, false, "IPv6: the other family"},
		{"192.0.2.0/24 2001:db8:f::/48 2001:db8::/64", v6, true,
		 "IPv6: one of"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct ears ears = ears_open(cases[i].sources);
		const char *server = cases[i].client == v4 ? "198.51.100.99"
				     : cases[i].client == v6
					     ? "2001:db8::99"
					     : "::ffff:198.51.100.99";

		if (tells(&ears, cases[i].client, server) != cases[i].told)
			fail_msg("%s from %s: %s", cases[i].sources,
				 cases[i].client, cases[i].why);
		ears_close(&ears);
	}
}

static void sources_can_change(void **state)
{
	struct ears ears = ears_open("192.0.2.0/24");

	(void)state;
	assert_true(tells(&ears, "192.0.2.7", "198.51.100.99"));
	(void)end_watch(ears.some, "198.51.100.0/24");
	assert_false(tells(&ears, "192.0.2.7", "198.51.100.99"));
	assert_true(tells(&ears, "198.51.100.7", "192.0.2.99"));
	(void)end_watch(ears.some, "198.51.100.0/24 2001:db8::/64");
	assert_true(tells(&ears, "198.51.100.7", "192.0.2.99"));
	assert_true(tells(&ears, "2001:db8::7", "2001:db8::99"));
	(void)end_watch(ears.some, "");
	assert_int_equal(flow_socket_fd(ears.some), -1);
	(void)end_watch(ears.some, "192.0.2.0/24");
	assert_true(tells(&ears, "192.0.2.7", "198.51.100.99"));
	ears_close(&ears);
}

/* Whose it was cannot be seen. */
static void what_tells_no_source_passes(void **state)
{
	static const char *const servers[] = {"192.0.2.99", "2001:db8::99",
					      "::ffff:192.0.2.99"};
	struct ears ears = ears_open("203.0.113.0/24");
	uint64_t cookie;
	int fd;

	(void)state;
	for (size_t i = 0; i < COUNT(servers); i++) {
		struct pair pair = pair_make(NULL, servers[i], 7001, 0);

		cookie = end_cookie(pair.client);
		pair_abort(pair.client);
		assert_true(is_told(&ears, cookie));
		(void)close(pair.server);
		(void)close(pair.listener);
	}
	/* But one that never had a peer was nobody's. */
	fd = pair_bound("0.0.0.0", 7001, 0);
	assert_int_equal(listen(fd, 1), 0);
	cookie = end_cookie(fd);
	(void)close(fd);
	assert_false(is_told(&ears, cookie));
	ears_close(&ears);
}

/* As much as a socket may have, of this and other things. */
static void set_room(const char *bytes)
{
	FILE *file = fopen("/proc/sys/net/core/optmem_max", "w");

	if (!file)
		skip();
	if (fputs(bytes, file) < 0 || fclose(file) != 0)
		skip();
}

/* Where there is room for them: since Linux 6.7. */
static void there_may_be_many_sources(void **state)
{
	char sources[SOURCES_SIZE];
	struct ears ears;

	(void)state;
	set_room("131072");
	many(FLOW_FILTER_MAX, "192.0.2.0/24", sources);
	ears = ears_open(sources);
	assert_true(tells(&ears, "192.0.2.7", "198.51.100.99"));
	assert_false(tells(&ears, "198.51.100.7", "192.0.2.99"));
	assert_false(tells(&ears, "2001:db8::7", "2001:db8::99"));
	many(FLOW_FILTER_MAX, "2001:db8::/64", sources);
	(void)end_watch(ears.some, sources);
	assert_false(tells(&ears, "192.0.2.7", "198.51.100.99"));
	assert_true(tells(&ears, "2001:db8::7", "2001:db8::99"));
	/* Above the limit none is left out. */
	many(FLOW_FILTER_MAX + 1, "192.0.2.0/24", sources);
	(void)end_watch(ears.some, sources);
	assert_true(tells(&ears, "192.0.2.7", "198.51.100.99"));
	assert_true(tells(&ears, "2001:db8::7", "2001:db8::99"));
	(void)end_watch(ears.some, "192.0.2.0/24");
	assert_false(tells(&ears, "2001:db8::7", "2001:db8::99"));
	ears_close(&ears);
}

static void without_room_none_is_left_out(void **state)
{
	char sources[SOURCES_SIZE];
	struct ears ears;

	(void)state;
	many(100, "192.0.2.0/24", sources);
	set_room("4000");
	ears = ears_open(sources);
	assert_true(tells(&ears, "192.0.2.7", "198.51.100.99"));
	assert_true(tells(&ears, "2001:db8::7", "2001:db8::99"));
	ears_close(&ears);
	set_room("131072");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_ends_from_the_sources_are_told),
		cmocka_unit_test(sources_can_change),
		cmocka_unit_test(what_tells_no_source_passes),
		cmocka_unit_test(there_may_be_many_sources),
		cmocka_unit_test(without_room_none_is_left_out),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, pair_network, NULL);
}
