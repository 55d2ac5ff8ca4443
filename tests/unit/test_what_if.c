/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/what_if.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/forward.h"
#include "tests/unit/scene.h"

#define HOST                                                                   \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"addr 2001:db8:1::2/64 dev a\n"                                        \
	"addr 2001:db8:2::2/64 dev b\n"                                        \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 1\n"                        \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 2\n"                        \
	"route ::/0 via 2001:db8:1::1 dev a metric 1\n"                        \
	"route ::/0 via 2001:db8:2::1 dev b metric 2\n"

/* A subnet on a link on top of another, with the best route. */
#define ON_TOP(dev)                                                            \
	"addr 10.4.0.2/24 dev " dev "\n"                                       \
	"route 203.0.113.0/24 via 10.4.0.1 dev " dev " metric 1\n"             \
	"route 203.0.113.0/24 via 10.1.0.1 dev a metric 2\n"

static const char *answer_of(const struct view *view, const char *subnet,
			     const char *dev, const char *dst, char *text)
{
	const struct link *link = model_link_by_name(view->model, dev);
	const struct forward_candidate *it;
	struct forward forward = {0};
	struct ip_prefix prefix;
	struct ip_addr addr;

	assert_int_equal(ip_prefix_parse(subnet, &prefix), 0);
	assert_int_equal(ip_addr_parse(dst, &addr), 0);
	assert_non_null(link);
	if (!subnet_find(view->subnets, &prefix, link->ifindex))
		return "no subnet";
	forward_pick(view, subnet_find(view->subnets, &prefix, link->ifindex),
		     &addr, 0, &forward);
	(void)sprintf(text, "%d", (int)forward.rule);
	vec_foreach(&forward.best, it) {
		const struct attrset *set =
			attrset_get(&view->model->rib.attrs, it->route.attrs);
		char gateway[IP_TEXT_MAX];

		if (it->reject)
			continue;
		(void)sprintf(text + strlen(text), " %s",
			      ip_addr_format(&set->hops.items[it->hop].gateway,
					     gateway));
	}
	forward_done(&forward);
	return text;
}

static void a_link_that_is_down_takes_its_routes_along(void **state)
{
	static const struct {
		const char *more; /* lines of the scene */
		const char *down;
		const char *subnet;
		const char *dev;
		const char *dst;
		const char *answer; /* enum forward_rule, gateways */
		const char *why;
	} cases[] = {
		{"", "b", "10.1.0.0/24", "a", "203.0.113.9", "3 10.1.0.1",
		 "the other link's routes are none of its business"},
		{"", "a", "10.1.0.0/24", "a", "203.0.113.9", "1 10.2.0.1",
		 "IPv4 keeps the address: weak fallback"},
		{"policy model strong\n", "a", "10.1.0.0/24", "a",
		 "203.0.113.9", "2", "strong drops"},
		{"", "a", "2001:db8:1::/64", "a", "2001:db8:9::9", "no subnet",
		 "IPv6 loses the address"},
		{"", "a", "2001:db8:2::/64", "b", "2001:db8:9::9",
		 "3 2001:db8:2::1", "the other IPv6 subnet goes on"},
		{"route 203.0.113.0/24 via 10.2.0.1 dev b\n", "b",
		 "10.1.0.0/24", "a", "203.0.113.9", "3 10.1.0.1",
		 "the longer prefix is gone, the shorter one answers"},
		{"route 203.0.113.0/24 nexthop via 10.1.0.1 dev a "
		 "nexthop via 10.2.0.1 dev b\n",
		 "b", "10.2.0.0/24", "b", "203.0.113.9", "1 10.1.0.1",
		 "a multipath route loses a leg"},
		{"route unreachable 203.0.113.0/24\n", "b", "10.1.0.0/24", "a",
		 "203.0.113.9", "1", "a reject route is on no link"},
		{"policy route 203.0.113.0/24 via 10.2.0.1 dev b\n", "b",
		 "10.2.0.0/24", "b", "203.0.113.9", "3 10.2.0.1",
		 "what the config names stays, unusable"},
		{"link 4 v up lower 3 vlan\n" ON_TOP("v"), "b", "10.4.0.0/24",
		 "v", "203.0.113.9", "1 10.1.0.1", "a VLAN goes down with it"},
		{"link 4 v up lower 3 vlan\n"
		 "addr 2001:db8:4::2/64 dev v\n"
		 "route 2001:db8:9::/48 via 2001:db8:4::1 dev v\n",
		 "b", "2001:db8:4::/64", "v", "2001:db8:9::9", "no subnet",
		 "and loses its IPv6 addresses"},
		{"link 4 m up lower 3\n" ON_TOP("m"), "b", "10.4.0.0/24", "m",
		 "203.0.113.9", "1 10.1.0.1", "a macvlan has no carrier then"},
		{"link 4 w up lower 5\nlink 5 v up lower 3 vlan\n" ON_TOP("w"),
		 "b", "10.4.0.0/24", "w", "203.0.113.9", "1 10.1.0.1",
		 "nor has one on a VLAN on it"},
		{"link 3 b up master 4\nlink 4 r up\n" ON_TOP("r"), "b",
		 "10.4.0.0/24", "r", "203.0.113.9", "1 10.1.0.1",
		 "nor a bridge that has no other port"},
		{"link 3 b up master 4\nlink 5 p up master 4\n"
		 "link 4 r up\n" ON_TOP("r"),
		 "b", "10.4.0.0/24", "r", "203.0.113.9", "3 10.4.0.1",
		 "with another port it has"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene;
		struct what_if what_if;
		struct view view;
		struct ip_addr dst;
		char text[256];
		char lines[1024];
		const char *answer;

		(void)snprintf(lines, sizeof(lines), HOST "%s", cases[i].more);
		scene_make(&scene, lines);
		view = scene_view(&scene);
		assert_int_equal(ip_addr_parse(cases[i].dst, &dst), 0);
		what_if_link_down(
			&view,
			model_link_by_name(&scene.model, cases[i].down)
				->ifindex,
			&dst, &what_if);
		view = what_if_view(&what_if);
		answer = answer_of(&view, cases[i].subnet, cases[i].dev,
				   cases[i].dst, text);
		if (strcmp(answer, cases[i].answer) != 0)
			fail_msg("case %zu: %s (%s)", i, answer, cases[i].why);
		what_if_done(&what_if);
		scene_done(&scene);
	}
}

static void asking_changes_nothing(void **state)
{
	struct what_if what_if;
	struct scene scene;
	struct view view;
	struct ip_addr dst;
	char text[256];

	(void)state;
	scene_make(&scene, HOST);
	view = scene_view(&scene);
	assert_int_equal(ip_addr_parse("203.0.113.9", &dst), 0);
	what_if_link_down(&view, 2, &dst, &what_if);
	assert_string_equal(
		answer_of(&view, "10.1.0.0/24", "a", "203.0.113.9", text),
		"3 10.1.0.1");
	assert_true(model_link(&scene.model, 2)->carrier);
	assert_int_equal(rib_count(&scene.model.rib, 2), 1);
	what_if_done(&what_if);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_that_is_down_takes_its_routes_along),
		cmocka_unit_test(asking_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
