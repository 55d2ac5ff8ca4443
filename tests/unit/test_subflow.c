/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/subflow.h"

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
	"link 4 c up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"addr 10.3.0.2/24 dev c\n"                                             \
	"addr 2001:db8:2::2/64 dev b\n"                                        \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 100\n"                      \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 200\n"                      \
	"route 0.0.0.0/0 via 10.3.0.1 dev c metric 300\n"                      \
	"route ::/0 via 2001:db8:2::1 dev b metric 300\n"

#define B "203.0.113.9"

/* "STEP SOURCE", and a letter for each candidate's verdict in their order. */
static const char *pick(const struct scene *scene, const char *dst,
			const char *used, char *text)
{
	static const char letters[] = "CLupnofr";
	const struct view view = scene_view(scene);
	const struct ip_addr to = scene_addr(dst);
	struct subflow_choice choice = {0};
	const struct subflow_candidate *it;
	struct ip_addr_vec addrs = {0};
	char addr[IP_TEXT_MAX] = "-";
	char words[256];
	char *save;

	(void)snprintf(words, sizeof(words), "%s", used);
	for (char *word = strtok_r(words, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		vec_push(&addrs, scene_addr(word));
	subflow_pick(&view, &to, &addrs, &choice);
	if (choice.step == SUBFLOW_PICKED)
		ip_addr_format(&choice.source.addr, addr);
	(void)sprintf(text, "%d %s ", choice.step, addr);
	vec_foreach(&choice.candidates, it)
		(void)sprintf(text + strlen(text), "%c", letters[it->verdict]);
	subflow_choice_done(&choice);
	vec_done(&addrs);
	return text;
}

static void the_five_steps(void **state)
{
	static const struct {
		const char *more; /* lines of the scene */
		const char *dst;
		const char *used;
		const char *want;
		const char *why;
	} cases[] = {
		{"", B, "", "5 10.1.0.2 CLL", "step 5: the lowest metric"},
		{"", B, "10.1.0.2", "5 10.2.0.2 uCL",
		 "step 3: what is used goes; step 5: the next metric"},
		{"", B, "10.2.0.2", "5 10.1.0.2 CuL",
		 "a bound first subflow: the better path is new"},
		{"", B, "10.1.0.2 10.2.0.2", "5 10.3.0.2 uuC", "a third one"},
		{"", B, "10.1.0.2 10.2.0.2 10.3.0.2", "4 - uuu",
		 "step 4: none remains"},
		{"", B, "10.9.9.9", "5 10.1.0.2 CLL",
		 "an address that is not the host's uses no subnet"},
		{"", "2001:db8:b::9", "10.1.0.2", "5 2001:db8:2::2 C",
		 "the other family"},
		{"del route ::/0 via 2001:db8:2::1 dev b metric 300\n",
		 "2001:db8:b::9", "", "2 - ", "step 2: no route"},
		{"route 203.0.113.0/24 via 10.2.0.1 dev b metric 900\n", B,
		 "10.1.0.2", "5 10.2.0.2 C",
		 "step 1: only the longest prefix counts"},
		{"route 203.0.113.0/24 via 10.2.0.1 dev b metric 900\n", B,
		 "10.2.0.2", "4 - u",
		 "and shorter ones are no path for another subflow"},
		{"route 203.0.113.9/32 via 10.2.0.1 dev b\n"
		 "route 203.0.113.9/32 via 10.2.0.3 dev b metric 5\n",
		 B, "", "5 10.2.0.2 Cp",
		 "two next hops of one subnet: packets have one"},
		{"link 2 a up no-carrier\n", B, "", "5 10.2.0.2 CLn",
		 "no carrier: no path"},
		{"neigh 10.1.0.1 dev a failed\n", B, "", "5 10.2.0.2 CLn",
		 "its router is dead"},
		{"addr 10.1.0.2/24 dev a tentative\n", B, "", "5 10.2.0.2 CLo",
		 "its address is not usable yet"},
		{"policy interface a mptcp off\n", B, "", "5 10.2.0.2 CLo",
		 "not for MPTCP"},
		{"policy interface b metric_add 500\n", B, "10.1.0.2",
		 "5 10.3.0.2 uCL", "with what a link adds"},
		{"policy interface a never\n", B, "", "5 10.2.0.2 CLf",
		 "of no managed subnet"},
		{"route unreachable 203.0.113.0/24\n", B, "", "2 - r",
		 "a reject route"},
		{"route unreachable 203.0.113.0/24 metric 10\n"
		 "route 203.0.113.0/24 via 10.1.0.1 dev a metric 5\n"
		 "route 203.0.113.0/24 via 10.2.0.1 dev b metric 20\n",
		 B, "10.1.0.2", "4 - urp", "which stands before what is worse"},
		{"policy model strong\n", B, "10.1.0.2", "5 10.2.0.2 uCL",
		 "the model concerns what has no path"},
		{"route 203.0.113.0/24 nexthop via 10.1.0.1 dev a "
		 "nexthop via 10.3.0.1 dev c\n",
		 B, "10.1.0.2", "5 10.3.0.2 uC", "legs of a multipath route"},
		{"addr 10.1.0.3/24 dev a secondary\n", B, "10.1.0.3",
		 "5 10.2.0.2 uCL", "any address of the subnet uses it"},
		{"addr 10.4.0.2/24 dev a\n"
		 "route 0.0.0.0/0 via 10.4.0.1 dev a metric 150\n",
		 B, "10.1.0.2", "5 10.4.0.2 uCLL",
		 "two routers on one link (section 6.2.1)"},
		{"rule 100 not fwmark 5/255 lookup 51820\n"
		 "route 0.0.0.0/0 dev b table 51820\n",
		 B, "", "2 - ooo", "a full tunnel is yielded to"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene;

		scene_make(&scene, HOST);
		scene_steady(&scene);
		scene_read(&scene, cases[i].more);
		scene_manage(&scene);
		scene_steady(&scene);
		if (strcmp(pick(&scene, cases[i].dst, cases[i].used, text),
			   cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].why, text);
		scene_done(&scene);
	}
}

/* Section 6.2.2: whoever can use any prefix is no second path. */
static void one_router_of_two_prefixes_is_one_path(void **state)
{
	struct scene scene;
	char text[256];

	(void)state;
	scene_make(&scene, "link 2 a up\n"
			   "addr 2001:db8:1::2/64 dev a\n"
			   "addr 2001:db8:2::2/64 dev a\n"
			   "route ::/0 via fe80::1 dev a metric 100\n");
	scene_steady(&scene);
	assert_string_equal(
		pick(&scene, "2001:db8:b::9", "2001:db8:1::2", text), "4 - uu");
	scene_read(&scene, "route ::/0 via fe80::2 dev a metric 200\n"
			   "binding router fe80::1 dev a prefix "
			   "2001:db8:1::/48\n"
			   "binding router fe80::2 dev a prefix "
			   "2001:db8:2::/48\n");
	scene_manage(&scene);
	scene_steady(&scene);
	assert_string_equal(
		pick(&scene, "2001:db8:b::9", "2001:db8:1::2", text),
		"5 2001:db8:2::2 uC");
	scene_done(&scene);
}

static void congruent_sources_have_a_path(void **state)
{
	static const struct {
		const char *more;
		const char *src;
		bool yes;
	} cases[] = {
		{"", "10.1.0.2", true},
		{"", "10.9.9.9", false},
		{"", "2001:db8:2::2", false}, /* another family than B */
		{"link 2 a up no-carrier\n", "10.1.0.2", false},
		{"route 203.0.113.0/24 via 10.2.0.1 dev b\n", "10.1.0.2",
		 false},
		{"route 203.0.113.0/24 via 10.2.0.1 dev b\n", "10.2.0.2", true},
		{"route unreachable 203.0.113.0/24\n", "10.1.0.2", false},
	};
	const struct ip_addr dst = scene_addr(B);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ip_addr src = scene_addr(cases[i].src);
		struct scene scene;
		struct view view;

		scene_make(&scene, HOST);
		scene_read(&scene, cases[i].more);
		scene_manage(&scene);
		view = scene_view(&scene);
		if (subflow_is_congruent(&view, &src, &dst) != cases[i].yes)
			fail_msg("case %zu", i);
		scene_done(&scene);
	}
}

static void passive_opens_are_judged(void **state)
{
	static const struct {
		bool congruent;
		bool other;
		bool reject;
		enum subflow_answer answer;
	} cases[] = {
		{true, true, true, SUBFLOW_ACCEPT},
		{true, false, true, SUBFLOW_ACCEPT},
		{false, true, true, SUBFLOW_REJECT},
		{false, true, false, SUBFLOW_ACCEPT},
		{false, false, true, SUBFLOW_ACCEPT_ALONE},
		{false, false, false, SUBFLOW_ACCEPT_ALONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (subflow_judge(cases[i].congruent, cases[i].other,
				  cases[i].reject) != cases[i].answer)
			fail_msg("case %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_five_steps),
		cmocka_unit_test(one_router_of_two_prefixes_is_one_path),
		cmocka_unit_test(congruent_sources_have_a_path),
		cmocka_unit_test(passive_opens_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
