/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: clients that are too many, too fast, too slow or wicked
 * cost the others nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server_host.h"

static void on_check(struct ev_loop *loop, ev_check *watcher, int events)
{
	unsigned int *rounds = watcher->data;

	(void)loop;
	(void)events;
	(*rounds)++;
}

/* How long the loop's other watchers had to wait at most. */
struct gap {
	ev_tstamp last;
	ev_tstamp longest;
	unsigned int rounds;
};

static void on_gap(struct ev_loop *loop, ev_check *watcher, int events)
{
	struct gap *gap = watcher->data;
	ev_tstamp now = ev_time();

	(void)loop;
	(void)events;
	if (gap->rounds++ > 0 && now - gap->last > gap->longest)
		gap->longest = now - gap->last;
	gap->last = now;
}

/* A crowd with many calls must not keep the kernel's events waiting. */
static void lets_the_loop_run_between_calls(void **state)
{
	enum {
		CROWD = 20,
		CALLS = 200
	};
	static const char text[] = STATUS;
	struct gap gap = {0};
	ev_check check;
	int fds[CROWD];

	(void)state;
	server_host_start(NULL);
	for (int i = 0; i < CROWD; i++)
		fds[i] = client_new();
	for (int i = 0; i < CROWD * CALLS; i++)
		client_send_bytes(fds[i % CROWD], text, sizeof(text));
	ev_check_init(&check, on_gap);
	check.data = &gap;
	ev_check_start(host.loop, &check);
	wait_for(&host.handled, CROWD * CALLS);
	ev_check_stop(host.loop, &check);
	assert_true(gap.rounds > 2);
	/* A millisecond by design; the rest is for a busy machine. */
	assert_true(gap.longest < 0.05);
	for (int i = 0; i < CROWD; i++)
		(void)close(fds[i]);
}

static void drops_nonsense_and_nobody_else(void **state)
{
	static const struct {
		const char *text;
		const char *logged;
	} cases[] = {
		{"GET / HTTP/1.1\r\n\r\n", "no JSON object"},
		{"[]", "no JSON object"},
		{"{\"method\":7}", "no call"},
		{"{\"method\":\"Status\"}", "no call"},
	};
	size_t i;
	int good;
	int bad;

	(void)state;
	server_host_start(NULL);
	good = client_new();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		host.log[0] = '\0';
		bad = client_new();
		client_send(bad, cases[i].text);
		expect_hangup(bad);
		expect_logged(cases[i].logged);
	}
	client_send(good, STATUS);
	expect(good, "{\"parameters\":{\"handled\":1}}");
	(void)close(good);
}

static void drops_a_message_that_is_too_long(void **state)
{
	struct server_config config = server_host_config();
	char junk[100];
	int fd;

	(void)state;
	config.message_max = 64;
	server_host_start(&config);
	memset(junk, 'x', sizeof(junk));
	fd = client_new();
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	client_send_bytes(fd, junk, sizeof(junk));
	expect_hangup(fd);
	expect_logged("too long");
}

static void drops_a_monitor_that_does_not_read(void **state)
{
	struct server_config config = server_host_config();
	unsigned int i;
	int fd;

	(void)state;
	config.queue_max = 65536;
	server_host_start(&config);
	fd = client_new();
	client_send(fd, "{\"method\":\"io.multihomed.Wait\",\"more\":true}");
	wait_for(&host.deferred, 1);
	/* More than any socket buffer: it is dropped, and told to us once. */
	for (i = 0; i < 1000; i++)
		server_call_continue(host.calls[0], big_object(8192));
	assert_int_equal(host.cancelled, 0);
	wait_for(&host.cancelled, 1);
	wait_for_clients(0);
	expect_logged("does not read fast enough");
	(void)close(fd);
}

static void drops_a_client_whose_answer_is_too_long(void **state)
{
	struct server_config config = server_host_config();
	int fd;

	(void)state;
	config.queue_max = 1000;
	server_host_start(&config);
	fd = client_new();
	client_send(fd, WAIT);
	wait_for(&host.deferred, 1);
	server_call_reply(host.calls[0], big_object(1000));
	expect_hangup(fd);
	expect_logged("answer is too long");
	assert_int_equal(host.cancelled, 0);
}

/* Each of them may have so much, but all of them may not. */
static void bounds_what_waits_for_all_clients(void **state)
{
	struct server_config config = server_host_config();
	unsigned int clients = 12;
	ev_tstamp since;
	int fds[12];
	unsigned int i;

	(void)state;
	config.queue_max = BIG + 1000;
	server_host_start(&config);
	for (i = 0; i < clients; i++) {
		fds[i] = client_new();
		client_send(fds[i], WAIT);
		wait_for(&host.deferred, i + 1);
	}
	for (i = 0; i < clients; i++)
		server_call_reply(host.calls[i], big_object(BIG));
	since = ev_time();
	while (server_clients(host.server) == clients)
		assert_true(server_host_turn(since));
	assert_in_range(server_clients(host.server), 8, clients - 1);
	for (i = 0; i < clients; i++)
		(void)close(fds[i]);
}

static void drops_a_client_that_stopped_reading(void **state)
{
	struct server_config config = server_host_config();
	int other;
	int fd;

	(void)state;
	config.stall_ms = 50;
	server_host_start(&config);
	fd = client_new();
	client_send(fd, WAIT);
	wait_for(&host.deferred, 1);
	server_call_reply(host.calls[0], big_object(BIG));

	other = client_new();
	client_send(other, STATUS);
	expect(other, "{\"parameters\":{\"handled\":1}}");
	wait_for_clients(1);
	expect_logged("does not read its answer");
	(void)close(other);
	(void)close(fd);
}

static void drops_calls_without_end_behind_one_that_waits(void **state)
{
	struct server_config config = server_host_config();
	ssize_t sent;
	int fd;

	(void)state;
	config.message_max = 4096;
	server_host_start(&config);
	fd = client_new();
	client_send(fd, WAIT);
	wait_for(&host.deferred, 1);
	do {
		sent = send(fd, STATUS, sizeof(STATUS),
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (sent > 0);
	wait_for(&host.cancelled, 1);
	expect_logged("too many calls");
	assert_int_equal(host.handled, 0);
	(void)close(fd);
}

static void makes_place_for_the_next_client(void **state)
{
	struct server_config config = server_host_config();
	ev_tstamp since = ev_time();
	int fds[6];
	int last;
	int i;

	(void)state;
	config.clients_max = 6;
	server_host_start(&config);
	for (i = 0; i < 6; i++)
		fds[i] = client_new();
	/* The first waits for an answer; the second was heard of last. */
	client_send(fds[0], WAIT);
	wait_for(&host.deferred, 1);
	client_send(fds[1], STATUS);
	expect(fds[1], "{\"parameters\":{\"handled\":1}}");

	last = client_connect();
	client_send(last, STATUS);
	expect(last, "{\"parameters\":{\"handled\":2}}");
	expect_hangup(fds[2]);
	assert_int_equal(server_clients(host.server), 6);
	client_send(fds[1], STATUS);
	expect(fds[1], "{\"parameters\":{\"handled\":3}}");
	assert_int_equal(host.cancelled, 0);

	/* Now all are busy: the next one is refused. */
	client_send(fds[1], WAIT);
	client_send(last, WAIT);
	for (i = 3; i < 6; i++)
		client_send(fds[i], WAIT);
	while (host.deferred < 6)
		assert_true(server_host_turn(since));
	i = client_connect();
	expect_hangup(i);
	expect_logged("refused");
	assert_int_equal(host.cancelled, 0);
	for (i = 3; i < 6; i++)
		(void)close(fds[i]);
	(void)close(fds[0]);
	(void)close(fds[1]);
	(void)close(last);
}

static void answers_among_many_idle_clients(void **state)
{
	enum {
		IDLE = 300
	};
	static int fds[IDLE];
	int fd;
	int i;

	(void)state;
	server_host_start(NULL);
	for (i = 0; i < IDLE; i++) {
		fds[i] = client_connect();
		assert_true(fds[i] >= 0);
		(void)server_host_turn(0);
	}
	fd = client_connect();
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	assert_int_equal(server_clients(host.server), 256);
	for (i = 0; i < IDLE; i++)
		(void)close(fds[i]);
	(void)close(fd);
	wait_for_clients(0);
	assert_true(strlen(host.log) < 4096);
}

/* No further descriptor for this process; returns the limit to put back. */
static struct rlimit exhaust_descriptors(void)
{
	struct rlimit before;
	struct rlimit none;
	int next = dup(0);

	assert_true(next >= 0);
	(void)close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return before;
}

static void out_of_descriptors_the_quiet_one_goes(void **state)
{
	struct rlimit before;
	int quiet;
	int fd;

	(void)state;
	server_host_start(NULL);
	quiet = client_new();
	fd = client_connect();
	before = exhaust_descriptors();
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	expect_hangup(quiet);
	(void)close(fd);
}

/* The newcomer waits in the kernel's queue, and the loop must not spin on it.
 */
static void out_of_descriptors_with_busy_clients_it_pauses(void **state)
{
	struct rlimit before;
	ev_tstamp since = ev_time();
	unsigned int rounds = 0;
	ev_check check;
	int busy;
	int fd;

	(void)state;
	server_host_start(NULL);
	busy = client_new();
	client_send(busy, WAIT);
	wait_for(&host.deferred, 1);
	fd = client_connect();
	before = exhaust_descriptors();
	ev_check_init(&check, on_check);
	check.data = &rounds;
	ev_check_start(host.loop, &check);
	/* Ten ticks of the test's own timer, and hardly anything else. */
	while (ev_time() - since < 0.1)
		(void)server_host_turn(0);
	assert_in_range(rounds, 1, 30);
	ev_check_stop(host.loop, &check);

	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	assert_int_equal(host.cancelled, 0);
	(void)close(fd);
	(void)close(busy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		server_host_test(lets_the_loop_run_between_calls),
		server_host_test(drops_nonsense_and_nobody_else),
		server_host_test(drops_a_message_that_is_too_long),
		server_host_test(drops_a_monitor_that_does_not_read),
		server_host_test(drops_a_client_whose_answer_is_too_long),
		server_host_test(bounds_what_waits_for_all_clients),
		server_host_test(drops_a_client_that_stopped_reading),
		server_host_test(drops_calls_without_end_behind_one_that_waits),
		server_host_test(makes_place_for_the_next_client),
		server_host_test(answers_among_many_idle_clients),
		server_host_test(out_of_descriptors_the_quiet_one_goes),
		server_host_test(
			out_of_descriptors_with_busy_clients_it_pauses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
