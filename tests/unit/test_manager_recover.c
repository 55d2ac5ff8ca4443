/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections of an earlier life, or after events were lost. */
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
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 100\n"                      \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 200\n"

#define READY "ready 1 10.1.0.2 203.0.113.9\n"
#define OPEN  "open 10.2.0.2#1>203.0.113.9"

/* As the kernel lists them: the ends that asked have 2 or 8. */
enum {
	CONNECTED = 2,
	ACCEPTED = 1,
	JOINED = 8,
	WAS_JOINED = 4,
};

struct listed {
	uint32_t token;
	const char *src;
	uint8_t id;
	const char *dst;
	uint8_t id_remote;
	uint8_t flags;
	uint8_t state; /* 0: established */
};

/* Ports as in the stories. */
static void recover(struct story *story, const struct listed *listed, size_t n)
{
	struct flow_vec flows = {0};

	for (size_t i = 0; i < n; i++)
		vec_push(&flows,
			 ((struct flow){
				 .src = scene_addr(listed[i].src),
				 .dst = scene_addr(listed[i].dst),
				 .sport = (uint16_t)(1000 + listed[i].id),
				 .dport = 80,
				 .state = listed[i].state ? listed[i].state
							  : TCP_ESTABLISHED,
				 .mptcp = true,
				 .token_local = listed[i].token,
				 .id_local = listed[i].id,
				 .id_remote = listed[i].id_remote,
				 .subflow_flags = listed[i].flags,
			 }));
	connection_sort(&flows);
	manager_recover(&story->manager, &flows);
	vec_done(&flows);
}

#define RECOVER(story, listed)                                                 \
	recover(story, listed, sizeof(listed) / sizeof((listed)[0]))

static void expect(struct story *story, const char *want)
{
	assert_string_equal(story_plan(story), want);
}

static void a_restart_goes_on_where_it_was(void **state)
{
	static const struct listed listed[] = {
		{1, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
		{2, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
		{2, "10.2.0.2", 7, "203.0.113.9", 0, JOINED, 0},
		{3, "10.1.0.2", 0, "203.0.113.9", 0, ACCEPTED, 0},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	RECOVER(&story, listed);
	expect(&story, OPEN);
	RECOVER(&story, listed);
	expect(&story, "");
	assert_int_equal(story.manager.connections.n, 3);
	story_tell(&story, "link 3 b up no-carrier\n"
			   "closed 2 10.2.0.2 203.0.113.9 7 110\n"
			   "link 3 b up\n"
			   "at 1000");
	expect(&story, "2:open 10.2.0.2#7>203.0.113.9");
	story_end(&story);
}

static void recovering_twice_changes_nothing(void **state)
{
	static const struct listed listed[] = {
		{1, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
		{1, "10.2.0.2", 1, "203.0.113.9", 0, JOINED, 0},
		{1, "10.1.0.2", 0, "198.51.100.9", 3, JOINED, 0},
	};
	const struct managed_connection *connection;
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	for (int i = 0; i < 3; i++) {
		RECOVER(&story, listed);
		connection = manager_find(&story.manager, 1);
		assert_int_equal(connection->subflows.n, 3);
		assert_int_equal(connection->own.n, 2);
		assert_int_equal(connection->peer.n, 2);
		assert_false(connection->passive);
		assert_true(connection->ready);
	}
	story_end(&story);
}

static void what_has_ended_is_dropped(void **state)
{
	static const struct listed all[] = {
		{1, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
		{1, "10.2.0.2", 1, "203.0.113.9", 0, JOINED, 0},
		{2, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
		{3, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
	};
	static const struct listed left[] = {
		{1, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
		{3, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story.scene.policy.mptcp.subflows = 0;
	RECOVER(&story, all);
	expect(&story, "");
	RECOVER(&story, left);
	assert_int_equal(story.manager.connections.n, 2);
	assert_null(manager_find(&story.manager, 2));
	assert_int_equal(manager_find(&story.manager, 1)->subflows.n, 1);
	recover(&story, NULL, 0);
	assert_int_equal(story.manager.connections.n, 0);
	story_end(&story);
}

static void without_the_first_one_numbers_are_as_listed(void **state)
{
	static const struct listed listed[] = {
		{1, "10.2.0.2", 5, "198.51.100.9", 3, JOINED, 0},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	RECOVER(&story, listed);
	expect(&story, "open 10.1.0.2#1>198.51.100.9");
	story_tell(&story, "withdrew 1 3\n"
			   "closed 1 10.2.0.2 198.51.100.9 5\n"
			   "closed 1 10.1.0.2 198.51.100.9 1\n"
			   "at 60000");
	expect(&story, "");
	story_end(&story);
}

static void whoever_connected_is_told_from_the_flags(void **state)
{
	static const struct listed listed[] = {
		{1, "10.1.0.2", 0, "203.0.113.9", 0, ACCEPTED, 0},
		{2, "10.1.0.2", 1, "203.0.113.9", 0, WAS_JOINED, 0},
		{3, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED | ACCEPTED, 0},
		{4, "10.1.0.2", 4, "203.0.113.9", 0, JOINED | WAS_JOINED, 0},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	RECOVER(&story, listed);
	expect(&story, "3:open 10.2.0.2#1>203.0.113.9; "
		       "4:open 10.2.0.2#1>203.0.113.9");
	story_end(&story);
}

static void a_connection_that_is_ending_is_let_go(void **state)
{
	static const struct listed listed[] = {
		{1, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, TCP_FIN_WAIT2},
		{2, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, TCP_LAST_ACK},
		{3, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, TCP_CLOSE_WAIT},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	RECOVER(&story, listed);
	expect(&story, "3:open 10.2.0.2#1>203.0.113.9");
	assert_null(manager_find(&story.manager, 1));
	story_end(&story);
}

/* Its event was lost, and the list shows it. */
static void what_was_opening_is_open(void **state)
{
	static const struct listed both[] = {
		{1, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
		{1, "10.2.0.2", 1, "203.0.113.9", 0, JOINED, 0},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story_tell(&story, READY);
	expect(&story, OPEN);
	RECOVER(&story, both);
	expect(&story, "");
	assert_int_equal(manager_find(&story.manager, 1)->subflows.n, 2);
	story_tell(&story, "link 2 a up no-carrier\nat 5000");
	expect(&story, "");
	story_tell(&story, "at 10000");
	expect(&story, "close 10.1.0.2>203.0.113.9");
	story_end(&story);
}

static void what_is_opening_is_not_listed_yet(void **state)
{
	static const struct listed first[] = {
		{1, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
	};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	story_tell(&story, READY);
	expect(&story, OPEN);
	RECOVER(&story, first);
	expect(&story, "");
	/* Whatever became of it was lost: it is not waited for for ever. */
	story_tell(&story, "at 299999");
	expect(&story, "");
	assert_int_equal(manager_next(&story.manager), STORY_START_MS + 300000);
	story_tell(&story, "at 300000");
	expect(&story, "");
	story_tell(&story, "at 301000");
	expect(&story, OPEN);
	story_end(&story);
}

static void remembered_numbers_are_kept_free(void **state)
{
	static const struct listed listed[] = {
		{1, "10.1.0.2", 0, "203.0.113.9", 0, CONNECTED, 0},
	};
	struct endpoint known[] = {
		{.addr = scene_addr("10.9.0.2"), .id = 1},
		{.addr = scene_addr("10.2.0.2"), .id = 6},
		{.addr = scene_addr("10.1.0.2"), .id = 9},
	};
	struct endpoint_vec endpoints = {known, 3, 3};
	struct story story;

	(void)state;
	story_begin(&story, HOST);
	RECOVER(&story, listed);
	for (int i = 0; i < 2; i++)
		manager_number(manager_find(&story.manager, 1), &endpoints);
	story_tell(&story, "addr 10.3.0.2/24 dev b\n"
			   "route 0.0.0.0/0 via 10.3.0.1 dev b metric 300");
	expect(&story, "open 10.2.0.2#6>203.0.113.9; "
		       "open 10.3.0.2#2>203.0.113.9");
	/* What a subflow shows stays, whatever the kernel remembers. */
	assert_int_equal(manager_find(&story.manager, 1)->own.n, 4);
	story_tell(&story, "closed 1 10.1.0.2 203.0.113.9 0\nat 1000");
	expect(&story, "open 10.1.0.2#0>203.0.113.9");
	story_end(&story);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restart_goes_on_where_it_was),
		cmocka_unit_test(recovering_twice_changes_nothing),
		cmocka_unit_test(what_has_ended_is_dropped),
		cmocka_unit_test(without_the_first_one_numbers_are_as_listed),
		cmocka_unit_test(whoever_connected_is_told_from_the_flags),
		cmocka_unit_test(a_connection_that_is_ending_is_let_go),
		cmocka_unit_test(what_was_opening_is_open),
		cmocka_unit_test(what_is_opening_is_not_listed_yet),
		cmocka_unit_test(remembered_numbers_are_kept_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
