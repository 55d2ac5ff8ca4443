/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/scene.h"

#define HOST                                                                   \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"addr 2001:db8:2::2/64 dev b\n"                                        \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 200\n"                      \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 100\n"                      \
	"route ::/0 via 2001:db8:2::1 dev b metric 300\n"

/* Addresses in the order of the endpoints, blanks between them. */
static const char *wanted_of(const struct scene *scene, char *text)
{
	const struct view view = scene_view(scene);
	struct endpoint_vec wanted = {0};
	const struct endpoint *it;
	char addr[IP_TEXT_MAX];

	text[0] = '\0';
	endpoint_build(&view, NULL, &wanted);
	vec_foreach(&wanted, it) {
		assert_int_equal(it->id, 0);
		assert_int_equal(it->ifindex, 0);
		(void)sprintf(text + strlen(text), "%s%s", text[0] ? " " : "",
			      ip_addr_format(&it->addr, addr));
		if (it->flags != ENDPOINT_SUBFLOW)
			(void)sprintf(text + strlen(text), "/%u", it->flags);
	}
	vec_done(&wanted);
	return text;
}

static void endpoints_follow_routing(void **state)
{
	static const struct {
		const char *more; /* lines of the scene */
		const char *wanted;
		const char *why;
	} cases[] = {
		{"", "10.2.0.2 10.1.0.2 2001:db8:2::2",
		 "the best metric first"},
		{"policy interface a metric_add 200\n",
		 "10.2.0.2 2001:db8:2::2 10.1.0.2", "with what a link adds"},
		{"link 3 b up no-carrier\n", "10.1.0.2", "no carrier"},
		{"neigh 10.2.0.1 dev b failed\n", "10.1.0.2 2001:db8:2::2",
		 "its router is dead"},
		{"del route 0.0.0.0/0 via 10.1.0.1 dev a metric 200\n",
		 "10.2.0.2 2001:db8:2::2", "no default of its own"},
		{"del route 0.0.0.0/0 via 10.1.0.1 dev a metric 200\n"
		 "route 192.0.2.0/24 via 10.1.0.1 dev a\n",
		 "10.2.0.2 2001:db8:2::2",
		 "an uplink, but not for every destination"},
		{"route unreachable 0.0.0.0/0 metric 5\n", "2001:db8:2::2",
		 "nothing leads out"},
		{"addr 2001:db8:2::2/64 dev b tentative\n", "10.2.0.2 10.1.0.2",
		 "not usable yet"},
		{"addr 2001:db8:2::2/64 dev b dadfailed\n", "10.2.0.2 10.1.0.2",
		 "never usable"},
		{"addr 2001:db8:2::2/64 dev b deprecated\n",
		 "10.2.0.2 10.1.0.2 2001:db8:2::2", "better than none"},
		{"addr 2001:db8:2::2/64 dev b deprecated\n"
		 "addr 2001:db8:2::3/64 dev b\n",
		 "10.2.0.2 10.1.0.2 2001:db8:2::3", "the one that stays"},
		{"addr 10.1.0.3/24 dev a secondary\n",
		 "10.2.0.2 10.1.0.2 2001:db8:2::2", "one of a subnet"},
		{"policy interface a never\n", "10.2.0.2 2001:db8:2::2",
		 "not managed"},
		{"rule 100 not fwmark 5/255 lookup 51820\n"
		 "route 0.0.0.0/0 dev b table 51820\n",
		 "2001:db8:2::2", "a full tunnel is yielded to"},
		{"policy vpn override\n"
		 "rule 7000 not fwmark 5/255 lookup 51820\n"
		 "route 0.0.0.0/0 dev b table 51820\n",
		 "10.2.0.2 10.1.0.2 2001:db8:2::2", "or overridden"},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene;

		scene_make(&scene, HOST);
		scene_steady(&scene);
		scene_read(&scene, cases[i].more);
		scene_manage(&scene);
		scene_steady(&scene);
		if (strcmp(wanted_of(&scene, text), cases[i].wanted) != 0)
			fail_msg("%s: %s", cases[i].why, text);
		scene_done(&scene);
	}
}

static void before_its_rule_there_is_none(void **state)
{
	struct scene scene;
	char text[512];

	(void)state;
	scene_make(&scene, HOST);
	assert_string_equal(wanted_of(&scene, text), "");
	scene_steady(&scene);
	assert_string_not_equal(wanted_of(&scene, text), "");
	scene_done(&scene);
}

static void links_say_what_they_are_for(void **state)
{
	static const struct {
		enum mptcp_link how;
		bool announce;
		const char *wanted;
	} cases[] = {
		{MPTCP_LINK_SUBFLOW, false, "10.1.0.2"},
		{MPTCP_LINK_SUBFLOW, true, "10.1.0.2/3"},
		{MPTCP_LINK_BACKUP, false, "10.1.0.2/6"},
		{MPTCP_LINK_FULLMESH, true, "10.1.0.2/10"},
		{MPTCP_LINK_SIGNAL, false, "10.1.0.2/1"},
		{MPTCP_LINK_OFF, true, ""},
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_interface entry = {.match = "a",
						 .mptcp = cases[i].how};
		struct scene scene;

		scene_make(&scene, "link 2 a up\naddr 10.1.0.2/24 dev a\n"
				   "route 0.0.0.0/0 via 10.1.0.1 dev a\n");
		scene.policy.mptcp.announce = cases[i].announce;
		vec_push(&scene.policy.interfaces, entry);
		scene_steady(&scene);
		assert_string_equal(wanted_of(&scene, text), cases[i].wanted);
		scene_done(&scene);
	}
}

static void what_is_lost_waits_or_goes(void **state)
{
	static const struct {
		const char *more;
		enum endpoint_fate fate;
		const char *why;
	} cases[] = {
		{"", ENDPOINT_STAYS, "wanted"},
		{"link 2 a up no-carrier\n", ENDPOINT_WAITS, "a cable"},
		{"del route 0.0.0.0/0 via 10.1.0.1 dev a metric 200\n",
		 ENDPOINT_WAITS, "a renewal"},
		{"del addr 10.1.0.2/24 dev a\n", ENDPOINT_GOES, "no address"},
		{"policy interface a never\n", ENDPOINT_GOES, "not managed"},
		{"rule 100 not fwmark 5/255 lookup 51820\n"
		 "route 0.0.0.0/0 dev b table 51820\n",
		 ENDPOINT_GOES, "a tunnel"},
	};
	const struct endpoint ours = {.addr = scene_addr("10.1.0.2"), .id = 1};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct endpoint_vec wanted = {0};
		struct scene scene;
		struct view view;

		scene_make(&scene, HOST);
		scene_steady(&scene);
		scene_read(&scene, cases[i].more);
		scene_manage(&scene);
		view = scene_view(&scene);
		endpoint_build(&view, NULL, &wanted);
		if (endpoint_judge(&view, &wanted, &ours) != cases[i].fate)
			fail_msg("%s", cases[i].why);
		vec_done(&wanted);
		scene_done(&scene);
	}
}

/* A VIP with a lower number comes (keepalived adds them as /32). */
static void a_vip_is_no_reason_to_move_an_endpoint(void **state)
{
	const struct endpoint ours = {.addr = scene_addr("10.1.0.10"), .id = 1};
	struct endpoint_vec wanted = {0};
	struct scene scene;
	struct view view;

	(void)state;
	scene_make(&scene, "link 2 a up\naddr 10.1.0.10/24 dev a\n"
			   "route 0.0.0.0/0 via 10.1.0.1 dev a\n");
	scene_steady(&scene);
	scene_read(&scene, "addr 10.1.0.2/32 dev a\n");
	scene_manage(&scene);
	scene_steady(&scene);
	view = scene_view(&scene);
	endpoint_build(&view, NULL, &wanted);
	assert_int_equal(endpoint_judge(&view, &wanted, &ours), ENDPOINT_STAYS);
	vec_done(&wanted);
	scene_done(&scene);
}

/* Another address of its subnet comes, or the same one in another form. */
static void an_endpoint_stays_with_an_address_that_will_do(void **state)
{
	static const struct {
		const char *more;
		enum endpoint_fate fate;
		const char *why;
	} cases[] = {
		{"addr 10.1.0.2/24 dev a\n", ENDPOINT_STAYS,
		 "one with a lower number"},
		{"addr 10.1.0.2/24 dev a\naddr 10.1.0.10/32 dev lo\n",
		 ENDPOINT_STAYS, "and the same one on lo"},
		{"addr 10.1.0.20/24 dev a\naddr 10.1.0.10/32 dev a\n"
		 "del addr 10.1.0.10/24 dev a\n",
		 ENDPOINT_STAYS, "of another length"},
		{"addr 10.1.0.10/16 dev a\ndel addr 10.1.0.10/24 dev a\n",
		 ENDPOINT_STAYS, "of another subnet"},
		{"addr 10.1.0.10/24 dev b\n", ENDPOINT_STAYS,
		 "on another link"},
		{"addr 10.1.0.2/24 dev a\n"
		 "addr 10.1.0.10/24 dev a deprecated\n",
		 ENDPOINT_WAITS, "it is about to be replaced"},
		{"addr 10.1.0.2/24 dev a\ndel addr 10.1.0.10/24 dev a\n",
		 ENDPOINT_GOES, "it is gone"},
	};
	const struct endpoint ours = {.addr = scene_addr("10.1.0.10"), .id = 1};
	struct endpoint_vec all_ours = {0};

	(void)state;
	vec_push(&all_ours, ours);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct endpoint_vec wanted = {0};
		struct scene scene;
		struct view view;

		scene_make(&scene, "link 1 lo up loopback\n"
				   "link 2 a up\nlink 3 b up\n"
				   "addr 10.1.0.10/24 dev a\n"
				   "route 0.0.0.0/0 via 10.1.0.1 dev a\n");
		scene_steady(&scene);
		scene_read(&scene, cases[i].more);
		scene_manage(&scene);
		scene_steady(&scene);
		view = scene_view(&scene);
		endpoint_build(&view, &all_ours, &wanted);
		if (endpoint_judge(&view, &wanted, &ours) != cases[i].fate)
			fail_msg("%s", cases[i].why);
		vec_done(&wanted);
		scene_done(&scene);
	}
	vec_done(&all_ours);
}

/* networkd deletes foreign rules; they are put back a moment later. */
static void a_rule_that_is_put_back_costs_no_endpoint(void **state)
{
	const struct endpoint ours = {.addr = scene_addr("10.1.0.10"), .id = 1};
	struct endpoint_vec wanted = {0};
	struct rule_vec none = {0};
	struct scene scene;
	struct view view;

	(void)state;
	scene_make(&scene, "link 2 a up\naddr 10.1.0.10/24 dev a\n"
			   "route 0.0.0.0/0 via 10.1.0.1 dev a\n");
	scene_steady(&scene);
	model_set_rules(&scene.model, 2, &none);
	scene_manage(&scene);
	view = scene_view(&scene);
	endpoint_build(&view, NULL, &wanted);
	assert_int_not_equal(endpoint_judge(&view, &wanted, &ours),
			     ENDPOINT_GOES);
	vec_done(&wanted);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_follow_routing),
		cmocka_unit_test(before_its_rule_there_is_none),
		cmocka_unit_test(links_say_what_they_are_for),
		cmocka_unit_test(what_is_lost_waits_or_goes),
		cmocka_unit_test(a_vip_is_no_reason_to_move_an_endpoint),
		cmocka_unit_test(
			an_endpoint_stays_with_an_address_that_will_do),
		cmocka_unit_test(a_rule_that_is_put_back_costs_no_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
