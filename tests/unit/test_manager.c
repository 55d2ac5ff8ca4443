/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What connections that this host opened come to. */
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
	"addr 2001:db8:2::2/64 dev b\n"                                        \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 100\n"                      \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 200\n"                      \
	"route 0.0.0.0/0 via 10.3.0.1 dev c metric 300\n"                      \
	"route ::/0 via 2001:db8:2::1 dev b metric 300\n"

#define READY                                                                  \
	"opened 1 10.1.0.2 203.0.113.9\n"                                      \
	"ready 1 10.1.0.2 203.0.113.9\n"
#define BOTH	 "open 10.2.0.2#1>203.0.113.9; open 10.3.0.2#2>203.0.113.9"
#define JOINED_B "joined 1 10.2.0.2 203.0.113.9 1\n"
#define JOINED_C "joined 1 10.3.0.2 203.0.113.9 2\n"

#define TELL(rows) story_test(HOST, rows, sizeof(rows) / sizeof((rows)[0]))

/* --- opening --- */

static void subflows_are_opened_once_the_connection_is_ready(void **state)
{
	static const struct story_row rows[] = {
		{"opened 1 10.1.0.2 203.0.113.9", "",
		 "the peer has not confirmed MPTCP yet"},
		{"ready 1 10.1.0.2 203.0.113.9", BOTH,
		 "one for each unused path, the better first"},
		{"", "", "they are on their way"},
		{JOINED_B, "", "one is open"},
		{JOINED_C, "", "both are"},
		{"ready 2 10.2.0.2 203.0.113.9",
		 "2:open 10.1.0.2#1>203.0.113.9; "
		 "2:open 10.3.0.2#2>203.0.113.9",
		 "another one, bound; nobody told that it began"},
	};

	(void)state;
	TELL(rows);
}

static void no_more_than_the_config_says(void **state)
{
	static const struct {
		uint32_t subflows;
		const char *want;
		const char *why;
	} cases[] = {
		{0, "", "the first one only"},
		{1, "open 10.2.0.2#1>203.0.113.9", "the better path"},
		{2, BOTH, "as many as there are paths"},
		{8, BOTH, "and not more than that"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct story_row rows[] = {
			{READY, cases[i].want, cases[i].why},
			{"", "", "all is said"},
		};
		struct story story;

		story_begin(&story, HOST);
		story.scene.policy.mptcp.subflows = cases[i].subflows;
		story_run(&story, rows, 2);
		story_end(&story);
	}
}

static void the_peers_other_addresses_are_tried_next(void **state)
{
	static const struct story_row rows[] = {
		{READY, BOTH, "step 4 for its first address from now on"},
		{"announced 1 7 198.51.100.9",
		 "open 10.1.0.2#0>198.51.100.9; "
		 "open 10.2.0.2#1>198.51.100.9; open 10.3.0.2#2>198.51.100.9",
		 "each source has its number for all destinations"},
		{"announced 1 7 198.51.100.9", "", "said again: nothing new"},
		{"announced 1 8 2001:db8:b::9",
		 "open 2001:db8:2::2#3>2001:db8:b::9",
		 "IPv6 paths of a connection that began with IPv4"},
		{"announced 1 9 2001:db8:b::9", "", "under another number"},
		{"del route ::/0 via 2001:db8:2::1 dev b metric 300\n"
		 "announced 1 9 2001:db8:c::9",
		 "", "step 2: no route"},
		{"withdrew 1 9\nwithdrew 1 11", "", "it had no subflow"},
	};

	(void)state;
	TELL(rows);
}

static void what_the_peer_withdrew_is_not_tried(void **state)
{
	static const struct story_row rows[] = {
		{"opened 1 10.1.0.2 203.0.113.9\n"
		 "announced 1 7 198.51.100.9\n"
		 "withdrew 1 7\n"
		 "ready 1 10.1.0.2 203.0.113.9",
		 BOTH, "the first address stays"},
		{"announced 1 7 198.51.100.8\n"
		 "announced 1 8 198.51.100.8\n"
		 "withdrew 1 7",
		 "open 10.1.0.2#0>198.51.100.8; "
		 "open 10.2.0.2#1>198.51.100.8; open 10.3.0.2#2>198.51.100.8",
		 "it has it under another number now"},
		{"announced 1 8 198.51.100.7\nannounced 1 9 198.51.100.8",
		 "open 10.1.0.2#0>198.51.100.7; "
		 "open 10.2.0.2#1>198.51.100.7; open 10.3.0.2#2>198.51.100.7",
		 "a number moves to another address"},
	};

	(void)state;
	TELL(rows);
}

static void an_announcement_without_a_port_has_the_first_ones(void **state)
{
	static const struct story_row rows[] = {
		{READY, BOTH, ""},
		{"policy interface c mptcp off\npolicy interface b mptcp off\n"
		 "announced 1 portless 7 198.51.100.9",
		 "open 10.1.0.2#0>198.51.100.9", ""},
		{"joined 1 10.1.0.2 198.51.100.9 0\n"
		 "closed 1 10.1.0.2 198.51.100.9 0",
		 "", "what the kernel tells is that subflow"},
		{"at 1000", "open 10.1.0.2#0>198.51.100.9", ""},
	};

	(void)state;
	TELL(rows);
}

static void links_say_how_they_are_used(void **state)
{
	static const struct story_row rows[] = {
		{"policy interface b mptcp backup\n"
		 "policy interface c mptcp off\n" READY,
		 "open 10.2.0.2#1>203.0.113.9 backup", "as the config says"},
		{JOINED_B, "mark 10.2.0.2>203.0.113.9",
		 "Linux 6.1 opens it without the mark"},
		{"del route 0.0.0.0/0 via 10.3.0.1 dev c metric 300", "",
		 "asked once"},
	};

	(void)state;
	TELL(rows);
}

static void what_nobody_told_of_is_left_alone(void **state)
{
	static const struct story_row rows[] = {
		{"joined 5 10.2.0.2 203.0.113.9 1\n"
		 "closed 5 10.2.0.2 203.0.113.9 1\n"
		 "announced 5 7 198.51.100.9\n"
		 "withdrew 5 7\n"
		 "ended 5",
		 "", "of unknown connections"},
		{READY JOINED_B "ended 1\n" JOINED_C
				"announced 1 7 198.51.100.9",
		 "", "and of one that has ended"},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story_run(&story, rows, 2);
	assert_int_equal(story.manager.connections.n, 0);
	assert_int_equal(manager_next(&story.manager), 0);
	story_end(&story);
}

static void connections_of_other_managers_are_left_alone(void **state)
{
	static const struct story_row rows[] = {
		{"refuse 22\n" READY, BOTH, "-EINVAL to the first commands"},
		{"at 600000\nlink 3 b up no-carrier\nlink 3 b up", "",
		 "it is not asked again"},
		{"announced 1 7 198.51.100.9", "", "whatever happens"},
		{"ready 2 10.1.0.2 203.0.113.9",
		 "2:open 10.2.0.2#1>203.0.113.9; "
		 "2:open 10.3.0.2#2>203.0.113.9",
		 "others are ours"},
		{"refuse 22\nannounced 2 7 198.51.100.9",
		 "2:open 10.1.0.2#0>198.51.100.9; "
		 "2:open 10.2.0.2#1>198.51.100.9; "
		 "2:open 10.3.0.2#2>198.51.100.9",
		 "-EINVAL to one that has obeyed"},
		{"at 601000",
		 "2:open 10.1.0.2#0>198.51.100.9; "
		 "2:open 10.2.0.2#1>198.51.100.9; "
		 "2:open 10.3.0.2#2>198.51.100.9",
		 "has another reason"},
	};

	(void)state;
	TELL(rows);
}

/* --- failures --- */

static void what_failed_is_tried_later_and_later(void **state)
{
	static const char *const open = "open 10.2.0.2#1>203.0.113.9";
	struct story story;
	uint64_t wait_ms = 1000;

	(void)state;
	story_begin(&story, HOST);
	story.scene.policy.mptcp.subflows = 1;
	story_tell(&story, "policy interface c mptcp off\n" READY);
	assert_string_equal(story_plan(&story), open);
	for (int i = 0; i < 12; i++) {
		story_tell(&story, "closed 1 10.2.0.2 203.0.113.9 1 111");
		assert_string_equal(story_plan(&story), "");
		assert_int_equal(manager_next(&story.manager),
				 story.now_ms + wait_ms);
		story.now_ms += wait_ms - 1;
		assert_string_equal(story_plan(&story), "");
		story.now_ms++;
		assert_string_equal(story_plan(&story), open);
		wait_ms = wait_ms < 256000 ? 2 * wait_ms : wait_ms;
	}
	story_end(&story);
}

static void what_the_kernel_refuses_is_tried_by_the_clock(void **state)
{
	static const struct story_row rows[] = {
		{"policy interface c mptcp off\nrefuse 113\n" READY,
		 "open 10.2.0.2#1>203.0.113.9", "-EHOSTUNREACH at once"},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story_run(&story, rows, 1);
	/* Nothing else may happen for a long time: it asks to be woken. */
	for (int i = 0; i < 2; i++) {
		assert_int_not_equal(manager_next(&story.manager), 0);
		story.now_ms = manager_next(&story.manager);
		if (i == 0)
			assert_string_equal(story_plan(&story), "");
	}
	assert_int_equal(story.now_ms, STORY_START_MS + 1000);
	assert_string_equal(story_plan(&story), "open 10.2.0.2#1>203.0.113.9");
	story_end(&story);
}

static void another_path_takes_the_place_of_one_that_failed(void **state)
{
	static const struct story_row rows[] = {
		{READY, "open 10.2.0.2#1>203.0.113.9", "the better one"},
		{"closed 1 10.2.0.2 203.0.113.9 1 111",
		 "open 10.3.0.2#2>203.0.113.9", "the other one"},
		{"at 1000", "", "the limit is reached"},
		{"closed 1 10.3.0.2 203.0.113.9 2 111",
		 "open 10.2.0.2#1>203.0.113.9", "its time has come"},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story.scene.policy.mptcp.subflows = 1;
	story_run(&story, rows, sizeof(rows) / sizeof(rows[0]));
	story_end(&story);
}

static void what_was_open_for_long_did_not_fail(void **state)
{
	static const struct story_row rows[] = {
		{"policy interface c mptcp off\n" READY,
		 "open 10.2.0.2#1>203.0.113.9", ""},
		{"closed 1 10.2.0.2 203.0.113.9 1 111", "", "once"},
		{"at 1000", "open 10.2.0.2#1>203.0.113.9", "after 1 s"},
		{JOINED_B, "", "for a moment only"},
		{"at 30999\nclosed 1 10.2.0.2 203.0.113.9 1 104", "", "twice"},
		{"at 31999", "", "1 s"},
		{"at 32999", "open 10.2.0.2#1>203.0.113.9", "2 s"},
		{JOINED_B, "", "for longer"},
		{"at 62999\nclosed 1 10.2.0.2 203.0.113.9 1 104", "",
		 "once again"},
		{"at 63999", "open 10.2.0.2#1>203.0.113.9", "1 s"},
	};

	(void)state;
	TELL(rows);
}

static void the_first_subflow_is_replaced_as_any(void **state)
{
	static const struct story_row rows[] = {
		{"policy interface b mptcp off\npolicy interface c mptcp "
		 "off\n" READY,
		 "", "one path"},
		{"at 1\nclosed 1 10.1.0.2 203.0.113.9 0 104", "", "once"},
		{"at 1001", "open 10.1.0.2#0>203.0.113.9",
		 "its number stays 0"},
	};

	(void)state;
	TELL(rows);
}

static void a_path_that_returns_is_tried_at_once(void **state)
{
	static const struct story_row rows[] = {
		{"policy interface c mptcp off\n" READY,
		 "open 10.2.0.2#1>203.0.113.9", ""},
		{"closed 1 10.2.0.2 203.0.113.9 1 111", "", "once"},
		{"at 1000", "open 10.2.0.2#1>203.0.113.9", ""},
		{"closed 1 10.2.0.2 203.0.113.9 1 111", "", "twice"},
		{"link 3 b up no-carrier", "", "its path is gone"},
		{"at 1500\nlink 3 b up", "open 10.2.0.2#1>203.0.113.9",
		 "and is back"},
		{"closed 1 10.2.0.2 203.0.113.9 1 111", "", "once, anew"},
		{"at 2500", "open 10.2.0.2#1>203.0.113.9", "1 s"},
	};

	(void)state;
	TELL(rows);
}

/* 32 addresses of a peer and three uplinks: nothing may be forgotten. */
static void many_failures_are_all_remembered(void **state)
{
	struct story story;
	char line[64];
	size_t n = 0;

	(void)state;
	story_begin(&story, HOST);
	story_tell(&story, READY);
	for (unsigned int i = 1; i < 40; i++) {
		(void)snprintf(line, sizeof(line),
			       "announced 1 %u 198.51.100.%u", i, i);
		story_tell(&story, line);
	}
	for (int i = 0; i < 100; i++) {
		story.error = -113;
		(void)story_plan(&story);
		n += story.actions.n;
	}
	/* 32 times 3, less the one that is in use. */
	assert_int_equal(n, 95);
	story_end(&story);
}

/* --- paths that go --- */

static void a_lost_path_is_waited_for(void **state)
{
	static const struct story_row rows[] = {
		{READY, BOTH, ""},
		{JOINED_B JOINED_C, "", ""},
		{"link 3 b up no-carrier", "", "it may come back"},
		{"at 4999", "", "within hold_ms"},
		{"link 3 b up", "", "it is back"},
		{"at 5000", "", "so nothing is due"},
		{"at 6000\nlink 3 b up no-carrier", "", "gone again"},
		{"at 10999", "", "counted anew"},
		{"at 11000", "close 10.2.0.2>203.0.113.9", "long enough"},
		{"at 12000", "", "told to"},
		{"closed 1 10.2.0.2 203.0.113.9 1", "", "no path"},
		{"link 3 b up", "open 10.2.0.2#1>203.0.113.9",
		 "what we closed did not fail"},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story_run(&story, rows, 3);
	assert_int_equal(manager_next(&story.manager), STORY_START_MS + 5000);
	story_run(&story, rows + 3, sizeof(rows) / sizeof(rows[0]) - 3);
	story_end(&story);
}

static void the_last_open_subflow_stays(void **state)
{
	static const struct story_row rows[] = {
		{"policy interface c mptcp off\n" READY,
		 "open 10.2.0.2#1>203.0.113.9", "still on its way"},
		{"link 2 a up no-carrier", "", ""},
		{"at 60000", "", "no other one is open"},
		{JOINED_B, "close 10.1.0.2>203.0.113.9", "now one is"},
		{"closed 1 10.1.0.2 203.0.113.9 0\nlink 3 b up no-carrier", "",
		 ""},
		{"at 120000", "", "the last one"},
		{"del addr 10.2.0.2/24 dev b", "", "even without its address"},
		{"link 2 a up", "open 10.1.0.2#0>203.0.113.9", "a path"},
		{"joined 1 10.1.0.2 203.0.113.9 0",
		 "close 10.2.0.2>203.0.113.9", "at last"},
	};

	(void)state;
	TELL(rows);
}

static void all_lost_none_closed(void **state)
{
	static const struct story_row rows[] = {
		{READY, BOTH, ""},
		{JOINED_B JOINED_C "link 2 a down\nlink 3 b down\n"
				   "link 4 c down",
		 "", "an outage"},
		{"at 60000", "", "TCP may outlive it"},
		{"link 3 b up\nroute 0.0.0.0/0 via 10.2.0.1 dev b metric 200",
		 "close 10.1.0.2>203.0.113.9; close 10.3.0.2>203.0.113.9",
		 "one is back"},
	};

	(void)state;
	TELL(rows);
}

static void an_address_that_is_gone_is_not_waited_for(void **state)
{
	static const struct story_row rows[] = {
		{READY, BOTH, ""},
		{JOINED_B JOINED_C, "", ""},
		{"del addr 10.2.0.2/24 dev b", "close 10.2.0.2>203.0.113.9",
		 "nothing can be sent from it"},
		{"closed 1 10.2.0.2 203.0.113.9 1\naddr 10.2.0.2/24 dev b\n"
		 "route 0.0.0.0/0 via 10.2.0.1 dev b metric 200",
		 "open 10.2.0.2#1>203.0.113.9", "the same number"},
	};

	(void)state;
	TELL(rows);
}

static void what_could_not_be_closed_is_not_opened_again(void **state)
{
	static const struct story_row rows[] = {
		{READY, BOTH, ""},
		{JOINED_B JOINED_C "del addr 10.2.0.2/24 dev b\nrefuse 1",
		 "close 10.2.0.2>203.0.113.9", "-EPERM"},
		{"addr 10.2.0.2/24 dev b\n"
		 "route 0.0.0.0/0 via 10.2.0.1 dev b metric 200",
		 "", "it is there"},
		{"at 999", "", "not yet"},
		{"at 1000\nrefuse 1", "close 10.2.0.2>203.0.113.9", "again"},
		{"at 2000", "close 10.2.0.2>203.0.113.9", "and again"},
		{"at 3000", "", "it was told"},
		{"closed 1 10.2.0.2 203.0.113.9 1",
		 "open 10.2.0.2#1>203.0.113.9", "now it is not"},
		{JOINED_B "del addr 10.2.0.2/24 dev b\nrefuse 3",
		 "close 10.2.0.2>203.0.113.9", "-ESRCH: it has gone by itself"},
		{"addr 10.2.0.2/24 dev b\n"
		 "route 0.0.0.0/0 via 10.2.0.1 dev b metric 200",
		 "open 10.2.0.2#1>203.0.113.9", "so there is room"},
	};

	(void)state;
	TELL(rows);
}

static void what_could_not_be_closed_stays_if_others_end(void **state)
{
	static const struct story_row rows[] = {
		{READY, BOTH, ""},
		{JOINED_B JOINED_C "del addr 10.2.0.2/24 dev b\nrefuse 1",
		 "close 10.2.0.2>203.0.113.9", "-EPERM"},
		{"addr 10.2.0.2/24 dev b\n"
		 "route 0.0.0.0/0 via 10.2.0.1 dev b metric 200\n"
		 "closed 1 10.1.0.2 203.0.113.9 0\n"
		 "closed 1 10.3.0.2 203.0.113.9 2",
		 "", "the others failed a moment ago"},
		{"at 1000",
		 "open 10.1.0.2#0>203.0.113.9; open 10.3.0.2#2>203.0.113.9",
		 "it is the last"},
	};

	(void)state;
	TELL(rows);
}

/* To the peer, to where a subflow could go, and to nowhere of it. */
static void a_longer_route_concerns_whom_it_leads_to(void **state)
{
	static const struct {
		const char *prefix;
		bool concerned[3]; /* of the tokens 1 to 3 */
	} cases[] = {
		{"203.0.113.0/24", {true, false, true}},
		{"203.0.113.9/32", {true, false, true}},
		{"192.0.2.0/25", {false, true, true}},
		{"198.18.0.0/15", {false, false, false}},
		{"2001:db8::/32", {false, false, false}},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story_tell(&story, "ready 1 10.1.0.2 203.0.113.9\n"
			   "ready 2 10.1.0.2 192.0.2.9\n"
			   "ready 3 10.1.0.2 203.0.113.9\n"
			   "announced 3 5 192.0.2.77");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix_vec rows = {0};
		struct ip_prefix prefix;

		(void)story_plan(&story);
		assert_int_equal(ip_prefix_parse(cases[i].prefix, &prefix), 0);
		vec_push(&rows, prefix);
		manager_touch_rows(&story.manager, &rows);
		for (uint32_t token = 1; token <= 3; token++)
			assert_int_equal(
				manager_find(&story.manager, token)->changed,
				cases[i].concerned[token - 1]);
		vec_done(&rows);
	}
	story_end(&story);
}

static void a_longer_route_is_followed(void **state)
{
	static const struct story_row rows[] = {
		{READY, BOTH, ""},
		{JOINED_B JOINED_C, "", ""},
		{"route unreachable 198.18.0.0/15", "", "not theirs"},
		{"route 203.0.113.0/24 via 10.1.0.1 dev a", "",
		 "both are lost, and wait"},
		{"at 5000",
		 "close 10.2.0.2>203.0.113.9; "
		 "close 10.3.0.2>203.0.113.9",
		 ""},
		{"closed 1 10.2.0.2 203.0.113.9 1\n"
		 "closed 1 10.3.0.2 203.0.113.9 2",
		 "", ""},
		{"del route 203.0.113.0/24 via 10.1.0.1 dev a", BOTH, "back"},
	};

	(void)state;
	TELL(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			subflows_are_opened_once_the_connection_is_ready),
		cmocka_unit_test(no_more_than_the_config_says),
		cmocka_unit_test(the_peers_other_addresses_are_tried_next),
		cmocka_unit_test(what_the_peer_withdrew_is_not_tried),
		cmocka_unit_test(
			an_announcement_without_a_port_has_the_first_ones),
		cmocka_unit_test(links_say_how_they_are_used),
		cmocka_unit_test(what_nobody_told_of_is_left_alone),
		cmocka_unit_test(connections_of_other_managers_are_left_alone),
		cmocka_unit_test(what_failed_is_tried_later_and_later),
		cmocka_unit_test(what_the_kernel_refuses_is_tried_by_the_clock),
		cmocka_unit_test(
			another_path_takes_the_place_of_one_that_failed),
		cmocka_unit_test(what_was_open_for_long_did_not_fail),
		cmocka_unit_test(the_first_subflow_is_replaced_as_any),
		cmocka_unit_test(a_path_that_returns_is_tried_at_once),
		cmocka_unit_test(many_failures_are_all_remembered),
		cmocka_unit_test(a_lost_path_is_waited_for),
		cmocka_unit_test(the_last_open_subflow_stays),
		cmocka_unit_test(all_lost_none_closed),
		cmocka_unit_test(an_address_that_is_gone_is_not_waited_for),
		cmocka_unit_test(what_could_not_be_closed_is_not_opened_again),
		cmocka_unit_test(what_could_not_be_closed_stays_if_others_end),
		cmocka_unit_test(a_longer_route_concerns_whom_it_leads_to),
		cmocka_unit_test(a_longer_route_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
