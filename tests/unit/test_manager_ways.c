/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subflows that get nowhere, and destinations that have one way only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <netinet/tcp.h>

#include "core/connection.h"
#include "tests/unit/manager_story.h"

#define HOST                                                                   \
	"link 2 a up\nlink 3 b up\nlink 5 wg0 up\n"                            \
	"addr 10.1.0.2/24 dev a\naddr 10.2.0.2/24 dev b\n"                     \
	"addr 10.9.0.2/24 dev wg0\n"                                           \
	"policy interface wg0 never\n"                                         \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 100\n"                      \
	"route 203.0.113.0/24 dev wg0\n"

/* The first subflow is bound to a tunnel's address, which is not managed. */
static void a_subflow_without_an_address_is_no_other_open_one(void **state)
{
	static const struct story_row rows[] = {
		{"ready 1 10.9.0.2 198.51.100.9",
		 "open 10.1.0.2#1>198.51.100.9", "the uplink too"},
		{"joined 1 10.1.0.2 198.51.100.9 1", "", ""},
		{"link 5 wg0 down\ndel addr 10.9.0.2/24 dev wg0",
		 "close 10.9.0.2>198.51.100.9",
		 "nothing can be sent from it any more"},
	};
	static const struct story_row more[] = {
		{"ready 1 10.9.0.2 198.51.100.9",
		 "open 10.1.0.2#1>198.51.100.9", "the uplink too"},
		{"joined 1 10.1.0.2 198.51.100.9 1", "", ""},
		{"link 5 wg0 down\ndel addr 10.9.0.2/24 dev wg0\n"
		 "link 2 a up no-carrier",
		 "", ""},
		{"at 6000", "", "the last that may live on"},
	};

	(void)state;
	story_test(HOST, rows, 3);
	story_test(HOST, more, 4);
}

#define TWO                                                                    \
	"link 2 a up\nlink 3 b up\n"                                           \
	"addr 10.1.0.2/24 dev a\naddr 10.2.0.2/24 dev b\n"                     \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 100\n"                      \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 200\n"

/* Started again (or events lost) while one uplink has no carrier. */
static void what_had_no_path_at_a_restart_is_no_other_open_one(void **state)
{
	static const struct story_row rows[] = {
		{"link 3 b up no-carrier\nlink 2 a up no-carrier", "", "both"},
		{"at 6000", "", "the last that may live on: a's or b's"},
	};
	struct flow_vec flows = {0};
	struct story story;

	(void)state;
	story_begin(&story, TWO);
	story_tell(&story, "link 2 a up no-carrier");
	for (uint8_t i = 0; i < 2; i++)
		vec_push(&flows,
			 ((struct flow){
				 .src = scene_addr(i ? "10.2.0.2" : "10.1.0.2"),
				 .dst = scene_addr("203.0.113.9"),
				 .sport = (uint16_t)(1000 + i),
				 .dport = 80,
				 .state = TCP_ESTABLISHED,
				 .mptcp = true,
				 .token_local = 1,
				 .id_local = i,
				 .subflow_flags = i ? 8 : 2,
			 }));
	connection_sort(&flows);
	manager_recover(&story.manager, &flows);
	vec_done(&flows);
	(void)story_plan(&story);
	story_run(&story, rows, 2);
	story_end(&story);
}

/* Table local leads there, whatever main says: there is one path only. */
static void a_connection_within_the_host_has_no_other_path(void **state)
{
	static const struct story_row rows[] = {
		{"ready 1 127.0.0.1 127.0.0.1", "", "over lo"},
		{"ready 2 10.2.0.2 10.2.0.2", "", "to an address of ours"},
	};

	(void)state;
	story_test(TWO, rows, 2);
}

/* fe80::9 is a neighbour on one link; nobody says which in a subflow. */
static void a_link_local_peer_has_no_other_path(void **state)
{
	static const struct story_row rows[] = {
		{"ready 1 fe80::2 fe80::9", "", "on its link only"},
	};

	(void)state;
	story_test("link 2 a up\nlink 3 b up\n"
		   "addr fe80::2/64 dev a scope link\n"
		   "addr fe80::3/64 dev b scope link\n"
		   "addr 2001:db8:1::2/64 dev a\naddr 2001:db8:2::2/64 dev b\n"
		   "route fe80::/64 dev a metric 256\n"
		   "route fe80::/64 dev b metric 256\n"
		   "route ::/0 via fe80::1 dev a metric 100\n"
		   "route ::/0 via fe80::1 dev b metric 200\n",
		   rows, 1);
}

/* RFC 8684, 3.1: the C flag, "toward this address and port". */
static void nothing_joins_a_first_address_that_is_denied(void **state)
{
	static const struct story_row rows[] = {
		{"ready 1 10.1.0.2 203.0.113.9 denies", "", "not to the first"},
		{"at 600000", "", "later neither"},
		{"announced 1 3 203.0.113.8",
		 "open 10.1.0.2#0>203.0.113.8; open 10.2.0.2#1>203.0.113.8",
		 "to one that it announces"},
		{"announced 1 4 203.0.113.9", "", "the first, once more"},
		{"ready 2 10.1.0.2 203.0.113.9",
		 "2:open 10.2.0.2#1>203.0.113.9", "another peer does not mind"},
	};

	(void)state;
	story_test("link 2 a up\nlink 3 b up\n"
		   "addr 10.1.0.2/24 dev a\naddr 10.2.0.2/24 dev b\n"
		   "route 0.0.0.0/0 via 10.1.0.1 dev a metric 100\n"
		   "route 0.0.0.0/0 via 10.2.0.1 dev b metric 200\n",
		   rows, sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_subflow_without_an_address_is_no_other_open_one),
		cmocka_unit_test(
			what_had_no_path_at_a_restart_is_no_other_open_one),
		cmocka_unit_test(
			a_connection_within_the_host_has_no_other_path),
		cmocka_unit_test(a_link_local_peer_has_no_other_path),
		cmocka_unit_test(nothing_joins_a_first_address_that_is_denied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
