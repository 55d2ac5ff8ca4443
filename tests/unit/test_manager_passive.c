/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What connections that a peer opened come to, and what is announced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/manager_story.h"

#define HOST                                                                   \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"link 4 c up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"addr 10.3.0.2/24 dev c\n"                                             \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 100\n"                      \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 200\n"                      \
	"route 203.0.113.0/24 via 10.1.0.1 dev a\n"                            \
	"route 198.51.100.0/24 via 10.3.0.1 dev c\n"

/* There is a path from a to 203.0.113.9, and none from b or c. */
#define READY_A "ready 1 10.1.0.2 203.0.113.9 passive\n"
#define READY_B "ready 1 10.2.0.2 203.0.113.9 passive\n"

#define TELL(rows) story_test(HOST, rows, sizeof(rows) / sizeof((rows)[0]))

/* --- section 5.2 --- */

static void a_passive_connection_opens_nothing(void **state)
{
	static const struct story_row rows[] = {
		{"opened 1 10.1.0.2 192.0.2.9 passive", "", "not ready"},
		{"ready 1 10.1.0.2 192.0.2.9 passive", "",
		 "b has a path too, but the peer decides"},
		{"announced 1 3 192.0.2.8", "", "whatever it announces"},
		{"closed 1 10.1.0.2 192.0.2.9 0\nat 600000", "",
		 "and it opens again, if anybody"},
	};

	(void)state;
	TELL(rows);
}

static void incongruent_ones_beside_a_congruent_one_are_rejected(void **state)
{
	static const struct story_row rows[] = {
		{READY_A, "", "congruent"},
		{"joined 1 10.2.0.2 203.0.113.9 4",
		 "close 10.2.0.2>203.0.113.9 rejects", "a is"},
		{"closed 1 10.2.0.2 203.0.113.9 4", "", "it is not missed"},
		{"joined 1 10.3.0.2 198.51.100.9 5", "",
		 "congruent, to another address"},
		{"route 203.0.113.0/24 via 10.2.0.1 dev b metric 5\n"
		 "joined 1 10.2.0.2 203.0.113.9 4",
		 "", "active is the longest prefix, whatever the metric"},
	};

	(void)state;
	TELL(rows);
}

static void without_a_congruent_one_the_right_source_is_announced(void **state)
{
	static const struct story_row rows[] = {
		{"opened 1 10.2.0.2 203.0.113.9 passive", "", "not ready"},
		{READY_B, "announce 10.1.0.2#1", "where the path is"},
		{"", "", "once"},
		{"joined 1 10.3.0.2 203.0.113.9 4", "",
		 "another one without a path: it has been told"},
		{"joined 1 10.1.0.2 203.0.113.9 1", "",
		 "the peer came; the first ones stay"},
		{"joined 1 10.3.0.2 203.0.113.8 6",
		 "close 10.3.0.2>203.0.113.8 rejects", "but no new ones"},
	};

	(void)state;
	TELL(rows);
}

/* The draft: an existing connection that already has a congruent subflow. */
static void what_was_there_first_is_not_rejected(void **state)
{
	static const struct story_row rows[] = {
		{READY_B "joined 1 10.1.0.2 203.0.113.9 1\n"
			 "joined 1 10.3.0.2 203.0.113.9 4",
		 "close 10.3.0.2>203.0.113.9 rejects",
		 "all within one look: the first one was alone"},
	};

	(void)state;
	TELL(rows);
}

static void nothing_is_announced_where_there_is_no_path(void **state)
{
	static const struct story_row rows[] = {
		{"route unreachable 203.0.113.0/24 metric 0\n"
		 "del route 203.0.113.0/24 via 10.1.0.1 dev a\n" READY_B,
		 "", "a reject route"},
	};

	(void)state;
	TELL(rows);
}

static void the_config_can_keep_what_is_incongruent(void **state)
{
	static const struct story_row rows[] = {
		{READY_A, "", ""},
		{"joined 1 10.2.0.2 203.0.113.9 4", "", "kept"},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story.scene.policy.mptcp.reject_incongruent = false;
	story_run(&story, rows, 2);
	story_end(&story);
}

static void a_subflow_is_judged_once(void **state)
{
	static const struct story_row rows[] = {
		{READY_A, "", ""},
		{"joined 1 10.3.0.2 198.51.100.9 5", "", "congruent"},
		{"link 4 c up no-carrier", "", "not any more"},
		{"at 5000", "close 10.3.0.2>198.51.100.9 rejects",
		 "as any that lost its path"},
	};

	(void)state;
	TELL(rows);
}

/* --- announcements --- */

static void links_for_signalling_are_announced_once(void **state)
{
	static const struct story_row rows[] = {
		{"policy interface b mptcp signal\n"
		 "ready 1 10.1.0.2 192.0.2.9",
		 "announce 10.2.0.2#1", "no subflow is opened from it"},
		{"", "", "once"},
		{"link 3 b up no-carrier\nlink 3 b up", "", "still known"},
		{"del addr 10.2.0.2/24 dev b", "withdraw 10.2.0.2#1",
		 "nobody can come to it"},
		{"", "", "once"},
		{"addr 10.2.0.2/24 dev b\n"
		 "route 0.0.0.0/0 via 10.2.0.1 dev b metric 200",
		 "announce 10.2.0.2#1", "under the same number"},
		{"ready 2 10.2.0.2 192.0.2.9 passive", "",
		 "the peer knows the address of the first subflow"},
	};

	(void)state;
	TELL(rows);
}

static void all_are_announced_if_the_config_says_so(void **state)
{
	static const struct story_row rows[] = {
		{"ready 1 10.1.0.2 192.0.2.9 passive", "announce 10.2.0.2#1",
		 "all that lead out"},
		{"addr 10.4.0.2/24 dev c\n"
		 "route 0.0.0.0/0 via 10.4.0.1 dev c metric 300",
		 "announce 10.4.0.2#2", "a new one too"},
		{"ready 2 10.1.0.2 192.0.2.9",
		 "2:announce 10.2.0.2#1; 2:announce 10.4.0.2#2; "
		 "2:open 10.2.0.2#1>192.0.2.9; 2:open 10.4.0.2#2>192.0.2.9",
		 "announced and opened under one number"},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story.scene.policy.mptcp.announce = true;
	story_run(&story, rows, sizeof(rows) / sizeof(rows[0]));
	story_end(&story);
}

/* 105 is ENOBUFS. */
static void an_announcement_that_failed_is_repeated(void **state)
{
	static const struct story_row rows[] = {
		{"refuse 105\n" READY_B, "announce 10.1.0.2#1", "nobody heard"},
		{"at 999", "", "not at once"},
		{"at 1000\nrefuse 105", "announce 10.1.0.2#1", "once more"},
		{"at 2999", "", "later each time"},
		{"at 3000", "announce 10.1.0.2#1", "and that did it"},
		{"at 900000", "", "once"},
		{"refuse 105\nready 2 10.2.0.2 203.0.113.9 passive",
		 "2:announce 10.1.0.2#1", "another one"},
		{"at 901000\njoined 2 10.1.0.2 203.0.113.9 1", "",
		 "the peer has found it"},
	};

	(void)state;
	TELL(rows);
}

static void so_is_one_that_the_config_asks_for(void **state)
{
	static const struct story_row rows[] = {
		{"policy interface b mptcp signal\nrefuse 105\n" READY_A,
		 "announce 10.2.0.2#1", "nobody heard"},
		{"at 999", "", "not at once"},
		{"at 1000\nrefuse 105", "announce 10.2.0.2#1", "once more"},
		{"del addr 10.2.0.2/24 dev b", "", "nothing to withdraw"},
		{"at 900000", "", "nor to announce"},
		{"addr 10.2.0.2/24 dev b\n"
		 "route 0.0.0.0/0 via 10.2.0.1 dev b metric 200",
		 "announce 10.2.0.2#1", "it is back"},
	};

	(void)state;
	TELL(rows);
}

/* 22 is EINVAL: the kernel knows of no such address. */
static void a_withdrawal_that_failed_is_repeated(void **state)
{
	static const struct story_row rows[] = {
		{READY_B, "announce 10.1.0.2#1", ""},
		{"refuse 105\ndel addr 10.1.0.2/24 dev a",
		 "withdraw 10.1.0.2#1", "nobody heard"},
		{"at 999", "", "not at once"},
		{"at 1000\nrefuse 105", "withdraw 10.1.0.2#1", "once more"},
		{"at 3000\naddr 10.1.0.2/24 dev a", "", "the peer still knows"},
		{"refuse 22\ndel addr 10.1.0.2/24 dev a", "withdraw 10.1.0.2#1",
		 "it goes again"},
		{"at 900000", "", "there was nothing to withdraw"},
	};

	(void)state;
	TELL(rows);
}

/* --- numbers --- */

static void the_kernels_numbers_win(void **state)
{
	static const struct story_row rows[] = {
		{"policy interface b mptcp signal\nrefuse 12\n" READY_A,
		 "announce 10.2.0.2#1", "it came to nothing"},
		{"joined 1 10.3.0.2 203.0.113.9 1",
		 "close 10.3.0.2>203.0.113.9 rejects; announce 10.2.0.2#2",
		 "the kernel took the number for another address"},
		{"del addr 10.2.0.2/24 dev b", "withdraw 10.2.0.2#2", ""},
	};

	(void)state;
	TELL(rows);
}

static void there_are_255_numbers(void **state)
{
	struct managed_connection *connection;
	const struct manager_action *it;
	size_t announced = 0;
	struct story story;
	char line[64];

	(void)state;
	story_begin(&story, HOST);
	story_tell(&story, READY_A);
	for (unsigned int id = 1; id <= 255; id++) {
		(void)snprintf(line, sizeof(line),
			       "joined 1 10.9.%u.1 203.0.113.9 %u", id, id);
		if (id != 100)
			story_tell(&story, line);
	}
	connection = manager_find(&story.manager, 1);
	assert_int_equal(connection->own.n, 255);
	/* The last number is found wherever it is; then there is none. */
	story_tell(&story, "policy interface b mptcp signal\n"
			   "policy interface c mptcp signal\n"
			   "route 0.0.0.0/0 via 10.3.0.1 dev c metric 300\n");
	(void)story_plan(&story);
	assert_int_equal(connection->own.n, 256);
	vec_foreach(&story.actions, it) {
		if (it->what != MANAGER_ANNOUNCE)
			continue;
		assert_int_equal(it->id_local, 100);
		announced++;
	}
	assert_int_equal(announced, 1);
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_passive_connection_opens_nothing),
		cmocka_unit_test(
			incongruent_ones_beside_a_congruent_one_are_rejected),
		cmocka_unit_test(
			without_a_congruent_one_the_right_source_is_announced),
		cmocka_unit_test(what_was_there_first_is_not_rejected),
		cmocka_unit_test(nothing_is_announced_where_there_is_no_path),
		cmocka_unit_test(the_config_can_keep_what_is_incongruent),
		cmocka_unit_test(a_subflow_is_judged_once),
		cmocka_unit_test(links_for_signalling_are_announced_once),
		cmocka_unit_test(all_are_announced_if_the_config_says_so),
		cmocka_unit_test(an_announcement_that_failed_is_repeated),
		cmocka_unit_test(so_is_one_that_the_config_asks_for),
		cmocka_unit_test(a_withdrawal_that_failed_is_repeated),
		cmocka_unit_test(the_kernels_numbers_win),
		cmocka_unit_test(there_are_255_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
