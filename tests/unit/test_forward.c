/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/forward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/scene.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A on a, B on b, D on d (strong); c is local. */
#define HOST                                                                   \
	"policy interface d strong\n"                                          \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"link 4 c up\n"                                                        \
	"link 5 d up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"addr 10.4.0.2/24 dev d\n"                                             \
	"addr 2001:db8:1::2/64 dev a\n"                                        \
	"route 192.168.0.0/16 via 10.1.0.1 dev a metric 1\n"                   \
	"route 192.168.0.0/16 via 10.2.0.1 dev b metric 2\n"                   \
	"route 192.168.0.0/16 via 10.4.0.1 dev d metric 4\n"                   \
	"route 2001:db8:1::/48 via 2001:db8:1::1 dev a\n"

struct forward_case {
	const char *routes;
	const char *src;
	const char *dst;
	uint8_t tos;
	/* RULE; best next hops; of how many candidates */
	const char *answer;
	const char *why;
};

static const struct forward_case cases[] = {
	{"", "10.1.0.2", "203.0.113.9", 0, "2; of 0", "no route at all"},
	{"route 203.0.114.0/24 via 10.1.0.1 dev a", "10.1.0.2", "203.0.113.9",
	 0, "2; of 0", "none that matches"},
	{"route 0.0.0.0/0 via 10.1.0.1 dev a", "10.4.0.2", "203.0.113.9", 0,
	 "3s; of 1", "strong: none on the subnet"},
	{"route 0.0.0.0/0 via 10.1.0.1 dev a", "10.2.0.2", "203.0.113.9", 0,
	 "3; via 10.1.0.1 dev a; of 1", "weak: none on the subnet"},
	{"route 0.0.0.0/0 via 10.1.0.1 dev a metric 1\n"
	 "route 0.0.0.0/0 via 10.2.0.1 dev b metric 2",
	 "10.2.0.2", "203.0.113.9", 0, "4; via 10.2.0.1 dev b; of 2", "one is"},
	{"route 0.0.0.0/0 via 10.2.0.1 dev b metric 1\n"
	 "route 203.0.0.0/8 via 10.2.0.1 dev b metric 1\n"
	 "route 203.0.113.0/24 via 10.1.0.1 dev a metric 9",
	 "10.2.0.2", "203.0.113.9", 0, "3; via 10.1.0.1 dev a; of 1",
	 "rule 1: shorter prefixes are out, whoever they would fit"},
	{"route 203.0.113.9/32 via 10.1.0.1 dev a", "10.2.0.2", "203.0.113.9",
	 0, "3; via 10.1.0.1 dev a; of 1", "a host route"},
	{"route 203.0.113.9/32 via 10.1.0.1 dev a", "10.2.0.2", "203.0.113.8",
	 0, "2; of 0", "of another host"},
	{"route 0.0.0.0/0 nexthop via 10.1.0.1 dev a nexthop via 10.2.0.1 dev "
	 "b "
	 "nexthop via 10.1.0.3 dev a",
	 "10.1.0.2", "203.0.113.9", 0,
	 "4; via 10.1.0.1 dev a; via 10.1.0.3 dev a; of 3",
	 "multipath: every hop is a candidate"},
	{"route 203.0.113.0/24 dev c", "10.4.0.2", "203.0.113.9", 0,
	 "4; dev c; of 1", "a local link is on every subnet"},
	{"route unreachable 203.0.113.0/24 metric 5\n"
	 "route 203.0.113.0/24 via 10.1.0.1 dev a metric 7",
	 "10.1.0.2", "203.0.113.9", 0, "4; reject; of 2", "beats by metric"},
	{"route unreachable 203.0.113.0/24 metric 9\n"
	 "route 203.0.113.0/24 via 10.1.0.1 dev a metric 7",
	 "10.2.0.2", "203.0.113.9", 0, "3; via 10.1.0.1 dev a; of 2",
	 "loses by it"},
	{"route unreachable 203.0.113.0/24", "10.4.0.2", "203.0.113.9", 0,
	 "3s; of 1", "no next hop is on no subnet"},
	{"route 0.0.0.0/0 via 10.1.0.1 dev a\n"
	 "route 203.0.113.0/24 tos 0x10 via 10.2.0.1 dev b",
	 "10.1.0.2", "203.0.113.9", 0, "4; via 10.1.0.1 dev a; of 1",
	 "a longer prefix of another TOS does not match"},
	{"route 0.0.0.0/0 via 10.1.0.1 dev a\n"
	 "route 203.0.113.0/24 tos 0x10 via 10.2.0.1 dev b",
	 "10.1.0.2", "203.0.113.9", 0x10, "3; via 10.2.0.1 dev b; of 1",
	 "of its own it does"},
	{"route 203.0.113.0/24 via 10.1.0.1 dev a\n"
	 "route 203.0.113.0/24 tos 0x10 via 10.2.0.1 dev b",
	 "10.1.0.2", "203.0.113.9", 0x10, "4; via 10.1.0.1 dev a; of 2",
	 "on-subnet in the plain row before off-subnet in the TOS row"},
	{"route ::/0 via 2001:db8:1::1 dev a from 2001:db8:1::/48",
	 "2001:db8:1::2", "2001:db8:f::9", 0,
	 "4; via 2001:db8:1::1 dev a; of 1", "a source prefix that fits"},
	{"route ::/0 via 2001:db8:1::1 dev a from 2001:db8:2::/48",
	 "2001:db8:1::2", "2001:db8:f::9", 0, "2; of 0",
	 "and one that does not"},
	{"route 203.0.113.0/24 via 10.1.0.1 dev a metric 7\n"
	 "route 203.0.113.0/24 via 10.2.0.1 dev b metric 8\n"
	 "neigh 10.1.0.1 dev a failed",
	 "10.1.0.2", "203.0.113.9", 0, "3; via 10.2.0.1 dev b; of 2",
	 "usable ones first"},
	{"route 203.0.113.0/24 via 10.1.0.1 dev a\n"
	 "route 0.0.0.0/0 via 10.2.0.1 dev b\nneigh 10.1.0.1 dev a failed",
	 "10.1.0.2", "203.0.113.9", 0, "4; via 10.1.0.1 dev a; of 1",
	 "but never a shorter prefix"},
};

static void text_answer(const struct scene *scene,
			const struct forward *forward, char *ret)
{
	static const char *const rules[] = {
		[FORWARD_NO_ROUTE] = "2",
		[FORWARD_WEAK] = "3",
		[FORWARD_STRONG] = "3s",
		[FORWARD_CONGRUENT] = "4",
	};
	const struct forward_candidate *it;
	char text[IP_TEXT_MAX];

	ret += sprintf(ret, "%s;", rules[forward->rule]);
	vec_foreach(&forward->best, it) {
		const struct attrset *set =
			attrset_get(&scene->model.rib.attrs, it->route.attrs);
		const struct next_hop *hop;

		if (it->reject) {
			ret += sprintf(ret, " reject;");
			continue;
		}
		hop = &set->hops.items[it->hop];
		if (ip_addr_is_set(&hop->gateway))
			ret += sprintf(ret, " via %s",
				       ip_addr_format(&hop->gateway, text));
		ret += sprintf(ret, " dev %s;",
			       model_link(&scene->model, hop->ifindex)->name);
	}
	(void)sprintf(ret, " of %zu", forward->candidates.n);
}

static void packets_follow_the_draft(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct forward_case *c = &cases[i];
		struct ip_addr src = scene_addr(c->src);
		struct ip_addr dst = scene_addr(c->dst);
		struct forward forward = {0};
		struct scene scene;
		struct view view;
		char text[300];

		scene_init(&scene);
		scene_read(&scene, HOST);
		scene_read(&scene, c->routes);
		scene_manage(&scene);
		view = scene_view(&scene);
		forward_pick(&view, subnet_of_source(&scene.subnets, &src),
			     &dst, c->tos, &forward);
		text_answer(&scene, &forward, text);
		if (strcmp(text, c->answer) != 0)
			fail_msg("%s\n%s -> %s (%s)\n%s\ninstead of\n%s",
				 c->routes, c->src, c->dst, c->why, text,
				 c->answer);
		forward_done(&forward);
		scene_done(&scene);
	}
}

/* What explain shows of each candidate. */
static void candidates_say_why(void **state)
{
	struct ip_addr src = scene_addr("10.1.0.2");
	struct ip_addr dst = scene_addr("203.0.113.9");
	const struct forward_candidate *it;
	struct forward forward = {0};
	struct scene scene;
	struct view view;

	(void)state;
	scene_make(&scene, "policy interface b metric_add 30\n" HOST
			   "route 203.0.113.0/24 via 10.1.0.1 dev a metric 10\n"
			   "route 203.0.113.0/24 via 10.2.0.1 dev b metric 20\n"
			   "neigh 10.2.0.1 dev b failed\n");
	view = scene_view(&scene);
	forward_pick(&view, subnet_of_source(&scene.subnets, &src), &dst, 0,
		     &forward);
	assert_int_equal(forward.candidates.n, 2);
	it = &forward.candidates.items[0];
	assert_true(it->usable);
	assert_true(it->on.yes);
	assert_int_equal(it->on.line, 3);
	assert_int_equal(it->metric, 10);
	it = &forward.candidates.items[1];
	assert_false(it->usable);
	assert_false(it->on.yes);
	assert_int_equal(it->on.line, 2);
	assert_int_equal(it->metric, 50);
	assert_int_equal(it->prefix.len, 24);
	forward_done(&forward);
	forward_done(&forward);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_follow_the_draft),
		cmocka_unit_test(candidates_say_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
