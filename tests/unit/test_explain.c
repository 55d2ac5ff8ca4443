/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reply to Explain, from a scene and an answer made up for the kernel.
 */
#include "answers/explain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "answers/json.h"
#include "control/field.h"
#include "tests/unit/scene.h"

/* A on a, B on b, C strong on c; d is not managed. */
#define HOST                                                                   \
	"policy interface c strong\n"                                          \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"link 4 c up\n"                                                        \
	"link 5 d up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"addr 10.3.0.2/24 dev c\n"                                             \
	"addr 10.4.0.2/24 dev d\n"                                             \
	"addr 2001:db8:1::2/64 dev a\n"                                        \
	"route 10.1.0.0/24 dev a\n"                                            \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 1\n"                        \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 2\n"                        \
	"route 198.51.100.0/24 via 10.3.0.1 dev c\n"                           \
	"route 203.0.113.0/24 via 10.2.0.1 dev b metric 7\n"                   \
	"route prohibit 192.0.2.0/24\n"                                        \
	"route ::/0 via 2001:db8:1::1 dev a\n"

/* The kernel's answer as text: "TABLE GATEWAY IFINDEX", "errno", or "". */
static const struct kernel_answer *answer_from(const char *text,
					       struct kernel_answer *ret)
{
	unsigned int ifindex = 0;
	char gateway[64];

	*ret = (struct kernel_answer){.type = 1};
	if (text[0] == '\0')
		return NULL;
	if (text[0] == '-') {
		ret->error = -atoi(text + 1);
		return ret;
	}
	assert_int_equal(
		sscanf(text, "%u %63s %u", &ret->table, gateway, &ifindex), 3);
	ret->hop.ifindex = ifindex;
	if (strcmp(gateway, "local") == 0)
		ret->type = 2;
	else if (strcmp(gateway, "none") != 0)
		assert_int_equal(ip_addr_parse(gateway, &ret->hop.gateway), 0);
	return ret;
}

static struct json_object *explain(const struct scene *scene,
				   const char *source, const char *destination,
				   const char *kernel)
{
	const struct view view = scene_view(scene);
	struct explain_question question = {0};
	struct kernel_answer answer;
	struct explain_kernel says = {.answer = answer_from(kernel, &answer)};

	assert_int_equal(ip_addr_parse(destination, &question.destination), 0);
	if (source)
		assert_int_equal(ip_addr_parse(source, &question.source), 0);
	return explain_json(&view, &question, &says, !source);
}

/* "RULE KIND SOURCE_IS hops=N candidates=N lines=... agrees=..." */
static void describe(struct json_object *reply, char *text)
{
	size_t n = field_count(reply, "candidates");
	struct json_object *agrees;

	(void)sprintf(text, "%d %s %s hops=%zu lines=",
		      (int)field_int(reply, "rule", -1),
		      field_text(reply, "kind", "?"),
		      field_text(reply, "source_is", "?"),
		      field_count(reply, "next_hops"));
	for (size_t i = 0; i < n; i++) {
		struct json_object *it = field_at(reply, "candidates", i);

		(void)sprintf(text + strlen(text), "%d%s%s",
			      (int)field_int(it, "line", -1),
			      field_bool(it, "on_subnet", false) ? "y" : "n",
			      field_bool(it, "chosen", false) ? "*" : "");
	}
	if (json_object_object_get_ex(reply, "agrees", &agrees))
		(void)sprintf(text + strlen(text), " agrees=%s",
			      json_object_get_boolean(agrees) ? "yes" : "no");
}

static void each_rule_and_line_is_named(void **state)
{
	static const struct {
		const char *more;
		const char *source;
		const char *destination;
		const char *kernel;
		const char *reply;
		const char *why;
	} cases[] = {
		{"", "10.1.0.2", "9.9.9.9", "7100 10.1.0.1 2",
		 "4 congruent managed hops=1 lines=3y*2n agrees=yes",
		 "the plain case"},
		{"", "10.1.0.2", "9.9.9.9", "7100 10.2.0.1 3",
		 "4 congruent managed hops=1 lines=3y*2n agrees=no",
		 "another next hop"},
		{"", "10.1.0.2", "9.9.9.9", "254 10.1.0.1 2",
		 "4 congruent managed hops=1 lines=3y*2n agrees=no",
		 "the right next hop out of table main is luck"},
		{"", "10.1.0.2", "203.0.113.9", "7100 10.2.0.1 3",
		 "3 weak managed hops=1 lines=2n* agrees=yes", "weak"},
		{"", "10.3.0.2", "203.0.113.9", "-113",
		 "3 strong_drop managed hops=0 lines=2n agrees=yes", "strong"},
		{"", "10.3.0.2", "203.0.113.9", "7102 10.2.0.1 3",
		 "3 strong_drop managed hops=0 lines=2n agrees=no",
		 "strong leaks"},
		{"", "10.1.0.2", "192.0.2.1", "-13",
		 "3 reject managed hops=0 lines=0n* agrees=yes",
		 "a prohibit route wins"},
		{"del route 0.0.0.0/0 via 10.1.0.1 dev a metric 1\n"
		 "del route 0.0.0.0/0 via 10.2.0.1 dev b metric 2\n"
		 "policy interface a always\n",
		 "10.1.0.2", "9.9.9.9", "-101",
		 "2 none managed hops=0 lines= agrees=yes", "no route"},
		{"del route 0.0.0.0/0 via 10.1.0.1 dev a metric 1\n"
		 "del route 0.0.0.0/0 via 10.2.0.1 dev b metric 2\n"
		 "policy interface a always\n",
		 "10.1.0.2", "9.9.9.9", "253 10.2.0.1 3",
		 "2 none managed hops=1 lines= agrees=yes",
		 "none of ours, but a rule of others leads there"},
		{"route throw 192.0.2.128/25\n", "10.1.0.2", "192.0.2.129",
		 "253 10.2.0.1 3",
		 "3 reject managed hops=1 lines=0n* agrees=yes",
		 "the same where main throws"},
		{"del route 0.0.0.0/0 via 10.1.0.1 dev a metric 1\n"
		 "del route 0.0.0.0/0 via 10.2.0.1 dev b metric 2\n"
		 "policy interface c always\n",
		 "10.3.0.2", "9.9.9.9", "253 10.2.0.1 3",
		 "2 none managed hops=0 lines= agrees=no",
		 "strong leaves nothing to others"},
		{"", "10.4.0.2", "9.9.9.9", "254 10.1.0.1 2",
		 "0 none not_managed hops=1 lines=2n2n",
		 "of a subnet that is not managed: the kernel's answer stands"},
		{"", "192.0.2.77", "9.9.9.9", "-101",
		 "0 none foreign hops=0 lines=2n2n", "not of this host"},
		{"", "2001:db8:1::2", "2001:db8:9::9", "7103 2001:db8:1::1 2",
		 "4 congruent managed hops=1 lines=3y* agrees=yes", "IPv6"},
		{"", "10.1.0.2", "10.2.0.2", "255 local 1",
		 "0 none managed hops=0 lines=3y2n",
		 "an address of this host is table local's"},
		{"", "10.1.0.2", "10.2.0.2", "",
		 "0 none managed hops=0 lines=3y2n",
		 "the same where the kernel cannot be asked"},
		{"", "10.1.0.2", "10.2.0.255", "",
		 "0 none managed hops=0 lines=3y2n", "a broadcast"},
		{"", "10.1.0.2", "224.0.0.5", "",
		 "0 none managed hops=0 lines=3y2n", "a multicast"},
		{"", "10.1.0.2", "9.9.9.9", "",
		 "4 congruent managed hops=1 lines=3y*2n",
		 "the kernel was not asked"},
		{"link 2 a up no-carrier\n", "10.1.0.2", "9.9.9.9",
		 "7100 10.2.0.1 3",
		 "3 weak managed hops=1 lines=3y2n* agrees=yes",
		 "the usable ones are taken first"},
		{"rule 100 not fwmark 51820/0xffffffff lookup 51820\n"
		 "route 0.0.0.0/0 dev d table 51820\n",
		 "10.1.0.2", "9.9.9.9", "51820 none 5",
		 "4 congruent managed hops=1 lines=3y*2n",
		 "yielded to a tunnel: no judgement"},
		{"policy vpn override\n"
		 "rule 100 not fwmark 51820/0xffffffff lookup 51820\n"
		 "route 0.0.0.0/0 dev d table 51820\n",
		 "10.1.0.2", "9.9.9.9", "51820 none 5",
		 "4 congruent managed hops=1 lines=3y*2n agrees=no",
		 "a tunnel that should have been overridden"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_object *reply;
		struct scene scene;
		char lines[2048];
		char text[512];

		(void)snprintf(lines, sizeof(lines), HOST "%s", cases[i].more);
		scene_make(&scene, lines);
		reply = explain(&scene, cases[i].source, cases[i].destination,
				cases[i].kernel);
		describe(reply, text);
		if (strcmp(text, cases[i].reply) != 0)
			fail_msg("case %zu: %s (%s)", i, text, cases[i].why);
		json_object_put(reply);
		scene_done(&scene);
	}
}

static bool has_note(struct json_object *reply, const char *words)
{
	for (size_t i = 0; i < field_count(reply, "notes"); i++) {
		struct json_object *note = field_at(reply, "notes", i);

		if (strstr(json_object_get_string(note), words))
			return true;
	}
	return false;
}

/* The rule of the source has no say in a lookup without one. */
static void an_unbound_ipv6_socket_keeps_its_first_route(void **state)
{
	static const struct {
		const char *kernel;
		bool agrees;
	} cases[] = {
		{"254 2001:db8:1::1 2", true},
		{"254 2001:db8:2::1 3", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct explain_question question = {0};
		struct kernel_answer first;
		struct explain_kernel says;
		struct json_object *reply;
		struct scene scene;
		struct view view;

		scene_make(&scene, HOST);
		view = scene_view(&scene);
		says.answer = answer_from(cases[i].kernel, &first);
		says.unbound = says.answer;
		assert_int_equal(
			ip_addr_parse("2001:db8:9::9", &question.destination),
			0);
		assert_int_equal(
			ip_addr_parse("2001:db8:1::2", &question.source), 0);
		reply = explain_json(&view, &question, &says, true);
		assert_int_equal(field_bool(reply, "agrees", !cases[i].agrees),
				 cases[i].agrees);
		assert_int_equal(has_note(reply, "bound to 2001:db8:1::2"),
				 !cases[i].agrees);
		json_object_put(reply);
		scene_done(&scene);
	}
}

static void notes_say_what_is_odd(void **state)
{
	static const struct {
		const char *more;
		const char *source;
		const char *kernel;
		const char *note;
		const char *later; /* somebody else, once we are steady */
	} cases[] = {
		{"link 2 a up no-carrier\n", "10.1.0.2", "7100 10.2.0.1 3",
		 "link a has no carrier", ""},
		{"link 2 a up no-ipv6\n"
		 "route 9.9.9.0/24 via inet6 fe80::9 dev a metric 7\n",
		 "10.1.0.2", "7100 10.2.0.1 3",
		 "IPv6 is switched off on link a", ""},
		{"neigh 10.1.0.1 dev a failed\n", "10.1.0.2", "7100 10.2.0.1 3",
		 "10.1.0.1 on a does not answer", ""},
		{"", "10.1.0.2", "254 10.1.0.1 2", "table main answered", ""},
		{"", "10.1.0.2", "7100 10.2.0.1 3", "multihomectl reload", ""},
		{"rule 100 from 10.1.0.2/32 lookup 52\n", "10.1.0.2",
		 "52 10.2.0.1 3", "somebody else comes before", ""},
		{"rule 100 from 10.1.0.2/32 lookup main\n", "10.1.0.2",
		 "254 10.2.0.1 3", "somebody else comes before", ""},
		{"", "10.1.0.2", "7100 10.2.0.1 3", "route 9.9.9.0/24 is",
		 "route 9.9.9.0/24 via 10.2.0.1 dev b table 7100 proto 4"},
		{"rule 100 not fwmark 51820/0xffffffff lookup 51820\n"
		 "route 0.0.0.0/0 dev d table 51820\n",
		 "10.1.0.2", "51820 none 5", "full tunnel is up", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct json_object *reply;
		struct scene scene;
		char lines[2048];

		(void)snprintf(lines, sizeof(lines), HOST "%s", cases[i].more);
		scene_make(&scene, lines);
		scene_steady(&scene);
		assert_int_equal(scene_line(&scene, cases[i].later), 0);
		reply = explain(&scene, cases[i].source, "9.9.9.9",
				cases[i].kernel);
		if (!has_note(reply, cases[i].note))
			fail_msg("case %zu: no note of '%s' in %s", i,
				 cases[i].note,
				 json_object_to_json_string(reply));
		json_object_put(reply);
		scene_done(&scene);
	}
}

static void an_unbound_source_is_guessed_from_main(void **state)
{
	static const struct {
		const char *more;
		const char *destination;
		const char *source; /* NULL: none */
		const char *why;
	} cases[] = {
		{"", "9.9.9.9", "10.1.0.2", "on the subnet of the gateway"},
		{"route 9.0.0.0/8 via 10.2.0.1 dev b src 10.3.0.2\n", "9.9.9.9",
		 "10.3.0.2", "the route prefers it"},
		{"", "2001:db8:9::9", "2001:db8:1::2", "IPv6"},
		{"addr 10.1.0.1/24 dev a secondary\n", "9.9.9.9", "10.1.0.2",
		 "the primary one, not the lowest"},
		{"addr 10.1.0.1/24 dev a deprecated\n", "9.9.9.9", "10.1.0.2",
		 "not a deprecated one"},
		{"addr 2001:db8:1::1/64 dev a deprecated\n", "2001:db8:9::9",
		 "2001:db8:1::2", "the same in IPv6"},
		{"addr 2001:db8:1::2/64 dev a deprecated\n", "2001:db8:9::9",
		 NULL, "IPv6 takes another link's then"},
		{"addr 10.1.0.9/24 dev a\n", "9.9.9.9", NULL,
		 "it depends on which was there first"},
		{"", "192.0.2.1", NULL, "a reject route has no link"},
		{"addr 10.1.9.2/24 dev a\n"
		 "route 9.0.0.0/8 via 10.1.9.1 dev a\n",
		 "9.9.9.9", "10.1.9.2", "of two subnets on the link"},
		{"route 9.0.0.0/8 dev b\n", "9.9.9.9", "10.2.0.2",
		 "the link itself"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_addr destination;
		struct ip_addr source = {0};
		struct scene scene;
		struct view view;
		char lines[2048];
		char text[IP_TEXT_MAX];
		bool found;

		(void)snprintf(lines, sizeof(lines), HOST "%s", cases[i].more);
		scene_make(&scene, lines);
		view = scene_view(&scene);
		assert_int_equal(
			ip_addr_parse(cases[i].destination, &destination), 0);
		found = explain_source(&view, &destination, &source);
		if (found != !!cases[i].source ||
		    (found && strcmp(ip_addr_format(&source, text),
				     cases[i].source) != 0))
			fail_msg("case %zu: %s (%s)", i, found ? text : "none",
				 cases[i].why);
		scene_done(&scene);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_and_line_is_named),
		cmocka_unit_test(an_unbound_ipv6_socket_keeps_its_first_route),
		cmocka_unit_test(notes_say_what_is_odd),
		cmocka_unit_test(an_unbound_source_is_guessed_from_main),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
