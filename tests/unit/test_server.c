/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: calls and their answers, through a real Unix socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/field.h"
#include "control/interface.h"
#include "server_host.h"

static void answers_a_call(void **state)
{
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":2}}");
	(void)close(fd);
	wait_for_clients(0);
	assert_string_equal(host.log, "");
}

/* Others of the loop take long turns, so each round of it counts. */
static void answers_who_comes_in_two_rounds(void **state)
{
	int fd;

	(void)state;
	server_host_start(NULL);
	assert_false(server_is_asked(host.server));
	fd = client_connect();
	assert_true(fd >= 0);
	client_send(fd, STATUS);
	(void)server_host_turn(0);
	assert_true(server_is_asked(host.server));
	assert_int_equal(host.handled, 0);
	(void)server_host_turn(0);
	assert_int_equal(host.handled, 1);
	assert_false(server_is_asked(host.server));
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	(void)close(fd);
}

static void joins_the_pieces_of_a_call(void **state)
{
	static const char text[] = STATUS;
	size_t i;
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	for (i = 0; i < sizeof(text); i++) {
		client_send_bytes(fd, text + i, 1);
		(void)server_host_turn(0);
	}
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	(void)close(fd);
}

static void answers_pipelined_calls_one_at_a_time(void **state)
{
	static const char text[] =
		WAIT "\0" STATUS "\0" WAIT "\0" STATUS "\0{\"met";
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send_bytes(fd, text, sizeof(text) - 1);
	wait_for(&host.deferred, 1);
	/* Another read must not start the next call either. */
	client_send_bytes(fd, "hod\":\"test.Echo", 15);
	(void)server_host_turn(0);
	(void)server_host_turn(0);
	assert_int_equal(host.handled, 0);

	server_call_reply(host.calls[0], NULL);
	expect(fd, "{\"parameters\":{}}");
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	wait_for(&host.deferred, 2);
	server_call_error(host.calls[1], INTERFACE_ERROR_TIMEOUT, NULL);
	expect(fd, "{\"error\":\"io.multihomed.Timeout\",\"parameters\":{}}");
	expect(fd, "{\"parameters\":{\"handled\":2}}");
	client_send(fd, "\",\"parameters\":{\"a\":[]}}");
	expect(fd, "{\"parameters\":{\"a\":[]}}");
	(void)close(fd);
}

static void names_what_it_refuses(void **state)
{
	static const struct {
		const char *call;
		const char *answer;
	} cases[] = {
		{"{\"method\":\"io.nobody.Status\"}",
		 "{\"error\":\"org.varlink.service.InterfaceNotFound\","
		 "\"parameters\":{\"interface\":\"io.nobody\"}}"},
		{"{\"method\":\"io.multihomed.Dance\"}",
		 "{\"error\":\"org.varlink.service.MethodNotFound\","
		 "\"parameters\":{\"method\":\"io.multihomed.Dance\"}}"},
		{RELOAD,
		 "{\"error\":\"org.varlink.service.MethodNotImplemented\","
		 "\"parameters\":{\"method\":\"io.multihomed.Reload\"}}"},
		{"{\"method\":\"io.multihomed.Wait\","
		 "\"parameters\":{\"timeout_ms\":-1}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\","
		 "\"parameters\":{\"parameter\":\"timeout_ms\"}}"},
		{"{\"method\":\"io.multihomed.Status\","
		 "\"parameters\":{\"verbose\":true}}",
		 "{\"error\":\"org.varlink.service.InvalidParameter\","
		 "\"parameters\":{\"parameter\":\"verbose\"}}"},
	};
	size_t i;
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		client_send(fd, cases[i].call);
		expect(fd, cases[i].answer);
	}
	assert_int_equal(host.deferred, 0);
	assert_int_equal(host.handled, 0);
	(void)close(fd);
}

static void refuses_an_upgrade_and_hangs_up(void **state)
{
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, "{\"method\":\"test.Echo\",\"upgrade\":true}");
	client_send(fd, STATUS);
	expect(fd, "{\"error\":\"org.varlink.service.InvalidParameter\","
		   "\"parameters\":{\"parameter\":\"upgrade\"}}");
	expect_hangup(fd);
	assert_int_equal(host.handled, 0);
}

static void introspects(void **state)
{
	struct json_object *reply;
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, "{\"method\":\"org.varlink.service.GetInfo\"}");
	expect(fd, "{\"parameters\":{\"vendor\":\"multihomed\","
		   "\"product\":\"multihomed\",\"version\":\"1.2.3\","
		   "\"url\":\"\",\"interfaces\":[\"org.varlink.service\","
		   "\"io.multihomed\"]}}");

	client_send(fd, "{\"method\":\"org.varlink.service."
			"GetInterfaceDescription\","
			"\"parameters\":{\"interface\":\"io.multihomed\"}}");
	reply = json_tokener_parse(client_read(fd));
	assert_string_equal(
		field_text(field_get(reply, "parameters", json_type_object),
			   "description", ""),
		interface_description(INTERFACE_NAME));
	json_object_put(reply);

	client_send(fd, "{\"method\":\"org.varlink.service."
			"GetInterfaceDescription\","
			"\"parameters\":{\"interface\":\"io.nobody\"}}");
	expect(fd, "{\"error\":\"org.varlink.service.InterfaceNotFound\","
		   "\"parameters\":{\"interface\":\"io.nobody\"}}");
	(void)close(fd);
}

static void leaves_a_oneway_call_unanswered(void **state)
{
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, "{\"method\":\"io.multihomed.Status\","
			"\"oneway\":true}");
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":2}}");
	(void)close(fd);
}

static void answers_more_than_once(void **state)
{
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, "{\"method\":\"io.multihomed.Wait\",\"more\":true}");
	wait_for(&host.deferred, 1);
	assert_true(server_call_more(host.calls[0]));
	server_call_continue(host.calls[0], NULL);
	server_call_continue(host.calls[0], json_object_new_object());
	server_call_reply(host.calls[0], NULL);
	expect(fd, "{\"parameters\":{},\"continues\":true}");
	expect(fd, "{\"parameters\":{},\"continues\":true}");
	expect(fd, "{\"parameters\":{}}");
	client_send(fd, STATUS);
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	(void)close(fd);
}

static void cancels_the_call_of_a_client_that_leaves(void **state)
{
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, WAIT);
	wait_for(&host.deferred, 1);
	(void)close(fd);
	wait_for(&host.cancelled, 1);
	assert_null(host.calls[0]);
	wait_for_clients(0);

	/* Answered before: nothing is left to cancel. */
	fd = client_new();
	client_send(fd, WAIT);
	wait_for(&host.deferred, 2);
	server_call_reply(host.calls[1], NULL);
	(void)close(fd);
	wait_for_clients(0);
	assert_int_equal(host.cancelled, 1);
}

static void cancels_all_calls_at_the_end(void **state)
{
	int one;
	int two;

	(void)state;
	server_host_start(NULL);
	one = client_new();
	two = client_new();
	client_send(one, WAIT);
	client_send(two, WAIT);
	wait_for(&host.deferred, 2);
	server_free(host.server);
	host.server = NULL;
	assert_int_equal(host.cancelled, 2);
	expect_hangup(one);
	expect_hangup(two);
	assert_int_equal(access(host.path, F_OK), -1);
}

/* The answer to a client that is gone is a no-op, not a surprise. */
static void answers_a_client_that_is_gone(void **state)
{
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, "{\"method\":\"io.multihomed.Wait\",\"more\":true}");
	wait_for(&host.deferred, 1);
	(void)close(fd);
	server_call_continue(host.calls[0], NULL);
	server_call_continue(host.calls[0], NULL);
	assert_int_equal(host.cancelled, 0);
	server_call_reply(host.calls[0], NULL);
	wait_for_clients(0);
	assert_int_equal(host.cancelled, 0);
}

static void reports_a_handler_that_forgets_to_answer(void **state)
{
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, "{\"method\":\"test.Wrong\"}");
	expect_hangup(fd);
	expect_logged("not answered");
}

static void answers_a_half_closed_client(void **state)
{
	static const char text[] = STATUS "\0" STATUS "\0" STATUS "\0" STATUS;
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send_bytes(fd, text, sizeof(text));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect(fd, "{\"parameters\":{\"handled\":1}}");
	expect(fd, "{\"parameters\":{\"handled\":2}}");
	expect(fd, "{\"parameters\":{\"handled\":3}}");
	expect(fd, "{\"parameters\":{\"handled\":4}}");
	expect_hangup(fd);
	wait_for_clients(0);
}

/* Who has nothing more to say is still there to read. */
static void answers_a_half_closed_client_that_waits(void **state)
{
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, WAIT);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	wait_for(&host.deferred, 1);
	for (int i = 0; i < 10; i++)
		(void)server_host_turn(ev_time());
	assert_int_equal(host.deferred, 1);
	server_call_reply(host.calls[0], NULL);
	expect(fd, "{\"parameters\":{}}");
	expect_hangup(fd);
	wait_for_clients(0);
}

static void sends_a_long_answer_to_a_slow_reader(void **state)
{
	ev_tstamp since = ev_time();
	char chunk[4096];
	size_t total = 0;
	ssize_t got = 0;
	int fd;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, WAIT);
	client_send(fd, STATUS);
	wait_for(&host.deferred, 1);
	server_call_reply(host.calls[0], big_object(BIG));
	(void)server_host_turn(0);
	assert_int_equal(host.handled, 0);
	do {
		got = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
		total += got > 0 ? (size_t)got : 0;
		if (got < 0)
			assert_true(server_host_turn(since));
	} while (got != 0 && total < BIG);
	wait_for(&host.handled, 1);
	(void)close(fd);
}

/* Skip one message that is longer than client_read() takes. */
static size_t skip_message(int fd)
{
	ev_tstamp since = ev_time();
	char byte = 'x';
	size_t len = 0;
	ssize_t got;

	while (byte != '\0') {
		got = recv(fd, &byte, 1, MSG_DONTWAIT);
		assert_true(got > 0 || server_host_turn(since));
		len += got > 0;
	}
	return len;
}

static void keeps_answers_in_order_for_a_slow_reader(void **state)
{
	struct json_object *number;
	char chunk[4096];
	int fd;
	int i;

	(void)state;
	server_host_start(NULL);
	fd = client_new();
	client_send(fd, "{\"method\":\"io.multihomed.Wait\",\"more\":true}");
	wait_for(&host.deferred, 1);
	server_call_continue(host.calls[0], big_object(BIG));
	for (i = 0; i < 3; i++) {
		/* Some of it is on its way when the next one comes. */
		assert_int_equal(recv(fd, chunk, sizeof(chunk), 0),
				 sizeof(chunk));
		(void)server_host_turn(0);
		number = json_object_new_object();
		json_object_object_add(number, "n", json_object_new_int(i));
		server_call_continue(host.calls[0], number);
	}
	server_call_reply(host.calls[0], NULL);
	assert_int_equal(skip_message(fd) + 3 * sizeof(chunk),
			 BIG + sizeof("{\"parameters\":{\"text\":\"\"},"
				      "\"continues\":true}"));
	expect(fd, "{\"parameters\":{\"n\":0},\"continues\":true}");
	expect(fd, "{\"parameters\":{\"n\":1},\"continues\":true}");
	expect(fd, "{\"parameters\":{\"n\":2},\"continues\":true}");
	expect(fd, "{\"parameters\":{}}");
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		server_host_test(answers_a_call),
		server_host_test(answers_who_comes_in_two_rounds),
		server_host_test(joins_the_pieces_of_a_call),
		server_host_test(answers_pipelined_calls_one_at_a_time),
		server_host_test(names_what_it_refuses),
		server_host_test(refuses_an_upgrade_and_hangs_up),
		server_host_test(introspects),
		server_host_test(leaves_a_oneway_call_unanswered),
		server_host_test(answers_more_than_once),
		server_host_test(cancels_the_call_of_a_client_that_leaves),
		server_host_test(cancels_all_calls_at_the_end),
		server_host_test(answers_a_client_that_is_gone),
		server_host_test(reports_a_handler_that_forgets_to_answer),
		server_host_test(answers_a_half_closed_client),
		server_host_test(answers_a_half_closed_client_that_waits),
		server_host_test(sends_a_long_answer_to_a_slow_reader),
		server_host_test(keeps_answers_in_order_for_a_slow_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
