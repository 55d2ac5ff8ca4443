/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel said, in words, against what the engine knew before.
 */
#include "round/heard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/stage.h"

static struct kernel_event address_event(const char *addr, bool deleted)
{
	struct kernel_event event = {.kind = KERNEL_ADDRESS,
				     .deleted = deleted};

	event.address = (struct address){
		.ifindex = 2,
		.local = scene_addr(addr),
		.peer = scene_addr(addr),
		.prefix_len = 24,
	};
	return event;
}

static struct kernel_event neighbour_event(const char *addr, bool failed)
{
	struct kernel_event event = {.kind = KERNEL_NEIGHBOUR};

	event.neighbour = (struct neighbour){
		.ifindex = 2, .addr = scene_addr(addr), .failed = failed};
	return event;
}

static void says(const struct stage *stage, const struct kernel_event *event,
		 const char *line, const char *news)
{
	char text[HEARD_TEXT_MAX];
	bool is_news = heard_rank(&stage->engine, event) != HEARD_NOTHING;

	assert_string_equal(heard_line(&stage->engine, event, text), line);
	assert_int_equal(is_news, news != NULL);
	if (news)
		assert_string_equal(
			heard_news(&stage->engine, event, text, sizeof(text)),
			news);
}

static void links_in_words(void **state)
{
	static const struct {
		const char *name;
		uint32_t ifindex;
		bool up;
		bool carrier;
		const char *line;
		const char *news;
	} cases[] = {
		{"a", 2, true, true, "link a up", NULL},
		{"a", 2, true, false, "link a up, no carrier",
		 "a lost its carrier"},
		{"a", 2, false, false, "link a down", "a went down"},
		{"z", 2, true, true, "link z up, was a", "a is called z now"},
		{"c", 9, false, false, "link c down, new", "c is new"},
	};
	struct stage stage;

	(void)state;
	stage_init(&stage);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct kernel_event event =
			stage_link_event(cases[i].name, cases[i].ifindex,
					 cases[i].up, cases[i].carrier);

		says(&stage, &event, cases[i].line, cases[i].news);
	}
	stage_done(&stage);
}

static void links_that_go_or_have_a_master(void **state)
{
	struct kernel_event event = stage_link_event("a", 2, true, true);
	struct stage stage;

	(void)state;
	stage_init(&stage);
	event.link.master = 3;
	says(&stage, &event, "link a up, master b", "a has another master");
	event = stage_link_event("a", 2, false, false);
	event.deleted = true;
	says(&stage, &event, "link a gone", "a is gone");
	event.link.ifindex = 77;
	says(&stage, &event, "link a gone", NULL);
	stage_done(&stage);
}

static void addresses_in_words(void **state)
{
	struct kernel_event event;
	struct stage stage;

	(void)state;
	stage_init(&stage);
	event = address_event("10.1.0.2", false);
	says(&stage, &event, "address 10.1.0.2/24 on a", NULL);
	event.address.deprecated = true;
	says(&stage, &event, "address 10.1.0.2/24 on a, deprecated",
	     "address 10.1.0.2/24 on a is deprecated now");
	event = address_event("10.1.0.2", true);
	says(&stage, &event, "address 10.1.0.2/24 on a gone",
	     "address 10.1.0.2/24 on a is gone");
	event = address_event("10.7.0.2", false);
	event.address.tentative = true;
	says(&stage, &event, "address 10.7.0.2/24 on a, tentative",
	     "address 10.7.0.2/24 on a is new");
	event = address_event("10.7.0.2", true);
	says(&stage, &event, "address 10.7.0.2/24 on a gone", NULL);
	stage_done(&stage);
}

static void routes_in_words(void **state)
{
	static const struct {
		uint32_t table;
		uint32_t port;
		bool deleted;
		const char *line;
		const char *news;
	} cases[] = {
		{254, 0, false,
		 "route 192.0.2.0/24 via 10.1.0.1 dev a proto 3 table main: "
		 "added",
		 "the route 192.0.2.0/24 via 10.1.0.1 on a was added"},
		{254, 7, true,
		 "route 192.0.2.0/24 via 10.1.0.1 dev a proto 3 table main: "
		 "gone (port 7)",
		 "the route 192.0.2.0/24 via 10.1.0.1 on a was removed"},
		{7100, 0, true,
		 "route 192.0.2.0/24 via 10.1.0.1 dev a proto 109 table 7100: "
		 "gone",
		 "our route 192.0.2.0/24 via 10.1.0.1 on a in table 7100 was "
		 "removed by the kernel"},
		{7100, 7, true,
		 "route 192.0.2.0/24 via 10.1.0.1 dev a proto 109 table 7100: "
		 "gone (port 7)",
		 "our route 192.0.2.0/24 via 10.1.0.1 on a in table 7100 was "
		 "removed by another program (port 7)"},
	};
	struct stage stage;

	(void)state;
	stage_init(&stage);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kernel_event event = stage_route_event(
			"192.0.2.0/24", cases[i].table, cases[i].port);

		event.deleted = cases[i].deleted;
		says(&stage, &event, cases[i].line, cases[i].news);
		attrset_done(&event.route.set);
	}
	stage_done(&stage);
}

static void the_rest_in_words(void **state)
{
	struct kernel_event event;
	struct stage stage;

	(void)state;
	stage_init(&stage);
	event = neighbour_event("10.1.0.1", true);
	says(&stage, &event, "neighbour 10.1.0.1 on a: does not answer",
	     "router 10.1.0.1 on a does not answer");
	event.neighbour.failed = false;
	says(&stage, &event, "neighbour 10.1.0.1 on a: answers", NULL);
	event = neighbour_event("10.1.0.9", false);
	says(&stage, &event, "neighbour 10.1.0.9 on a: answers",
	     "router 10.1.0.9 on a answers again");
	event = neighbour_event("10.1.0.77", true); /* no router */
	says(&stage, &event, "neighbour 10.1.0.77 on a: does not answer", NULL);
	event = neighbour_event("10.1.0.9", false);
	event.neighbour.unresolved = true;
	says(&stage, &event, "neighbour 10.1.0.9 on a: asked", NULL);

	event = (struct kernel_event){.kind = KERNEL_RULE, .deleted = true};
	event.rule = stage_rule_op(OP_RULE_ADD).rule;
	says(&stage, &event,
	     "rule -4 priority 7109 from 10.1.0.0/24 iif lo lookup 7100 "
	     "protocol 109: gone",
	     "our rule for 10.1.0.0/24 was removed");
	event = (struct kernel_event){.kind = KERNEL_NEXTHOP, .nexthop_id = 5};
	says(&stage, &event, "nexthop 5 changed", "nexthop object 5 changed");
	event = (struct kernel_event){.kind = KERNEL_LOST};
	says(&stage, &event, "messages were lost",
	     "messages of the kernel were lost");
	event = (struct kernel_event){.kind = KERNEL_BAD, .bad = "too short"};
	says(&stage, &event, "a message that makes no sense: too short", NULL);
	stage_done(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_in_words),
		cmocka_unit_test(links_that_go_or_have_a_master),
		cmocka_unit_test(addresses_in_words),
		cmocka_unit_test(routes_in_words),
		cmocka_unit_test(the_rest_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
