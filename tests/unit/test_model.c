/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model: links, addresses, rules and neighbours. Routes:
 * test_model_route.c, test_model_read.c.
 */
#include "core/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/scene.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define HOST                                                                   \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"addr 192.0.2.2/24 dev a\n"                                            \
	"addr 198.51.100.2/24 dev b\n"                                         \
	"addr 2001:db8:a::2/64 dev a\n"                                        \
	"route 0.0.0.0/0 via 192.0.2.1 dev a metric 100\n"                     \
	"route 10.0.0.0/8 via 198.51.100.1 dev b\n"                            \
	"route 172.16.0.0/12 nexthop via 192.0.2.1 dev a "                     \
	"nexthop via 198.51.100.1 dev b\n"                                     \
	"route ::/0 via fe80::1 dev a\n"                                       \
	"route unreachable 10.9.0.0/16\n"

/* A host that has just been looked at: nothing has changed since. */
static void make_clean(struct scene *scene, const char *text)
{
	scene_init(scene);
	scene_read(scene, text);
	rib_clean(&scene->model.rib);
	memset(&scene->model.changes, 0, sizeof(scene->model.changes));
}

static int prefix_order(const void *a, const void *b)
{
	return ip_prefix_cmp(a, b);
}

/* The kinds of change and the dirty rows, as text. */
static void text_changes(struct scene *scene, char *ret)
{
	const struct model_changes *changes = &scene->model.changes;
	struct prefix_vec *dirty = &scene->model.rib.dirty;
	const struct ip_prefix *it;
	char text[IP_TEXT_MAX];

	ret += sprintf(ret, "%s%s%s%s%s|", changes->links ? "L" : "",
		       changes->names ? "M" : "", changes->addresses ? "A" : "",
		       changes->rules ? "R" : "",
		       changes->neighbours ? "N" : "");
	if (dirty->n)
		qsort(dirty->items, dirty->n, sizeof(*dirty->items),
		      prefix_order);
	vec_foreach(dirty, it)
		ret += sprintf(ret, " %s", ip_prefix_format(it, text));
}

#define OVER_A " 0.0.0.0/0 172.16.0.0/12 ::/0"
#define OVER_B " 10.0.0.0/8 172.16.0.0/12"

static const struct {
	const char *event;
	const char *changes; /* Links naMes Addresses Rules Neighbours | rows */
	const char *why;
} cases[] = {
	{"link 2 a up\n", "|", "said again"},
	{"link 2 a0 up\n", "LM|", "a name moves no packet"},
	{"link 2 a up master 9\n", "L|", "nor does a master"},
	{"link 2 a up no-carrier\n", "L|" OVER_A, "carrier does"},
	{"link 2 a down\n", "L|" OVER_A, "and so does the state"},
	{"link 2 a up no-ipv6\n", "L|" OVER_A, "and so does a family"},
	{"link 9 c up\n", "LM|", "a new link"},
	{"del link 3\n", "LMA|" OVER_B, "its addresses go with it"},
	{"del link 9\n", "|", "never heard of it"},
	{"del link 3\nlink 3 b up\n", "LMA|" OVER_B, "and back again"},
	{"addr 192.0.2.2/24 dev a\n", "|", "said again"},
	{"addr 192.0.2.3/24 dev a\n", "A|", "one more"},
	{"addr 192.0.2.2/25 dev a\n", "A|", "another length is another one"},
	{"addr 192.0.2.2 peer 192.0.2.9/32 dev a\n", "A|", "so is a peer"},
	{"addr 192.0.2.2/24 dev b\n", "A|", "and another link"},
	{"addr 192.0.2.2/24 dev a secondary\n", "A|", "its flags"},
	{"addr 2001:db8:a::2/64 dev a tentative\n", "A|", "its flags"},
	{"addr 2001:db8:a::2/64 dev a dadfailed\n", "A|", "its flags"},
	{"addr 2001:db8:a::2/64 dev a deprecated\n", "A|", "its flags"},
	{"addr 192.0.2.2/24 dev a scope link\n", "A|", "its scope"},
	{"del addr 192.0.2.2/24 dev a\n", "A|", "gone"},
	{"del addr 192.0.2.9/24 dev a\n", "|", "never heard of it"},
	{"rule 100 from 10.0.0.0/8 lookup 99\n", "R|", "a rule"},
	{"rule 100 from 10.0.0.0/8 lookup 99\n"
	 "del rule 100 from 10.0.0.0/8 lookup 99\n",
	 "R|", "that it is gone again is for the plan to see"},
	{"del rule 100 from 10.0.0.0/8 lookup 99\n", "|", "never heard of it"},
	{"neigh 192.0.2.1 dev a failed\n", "N| 0.0.0.0/0 172.16.0.0/12",
	 "the routes through it"},
	{"neigh 192.0.2.1 dev a\n", "|", "it answers, as was assumed"},
	{"neigh 192.0.2.1 dev b failed\n", "|", "another link's is another"},
	{"neigh 192.0.2.77 dev a failed\n", "|", "no router of ours"},
	{"neigh fe80::1 dev a failed\n", "N| ::/0", "IPv6"},
	{"neigh 192.0.2.1 dev a failed\nneigh 192.0.2.1 dev a failed\n",
	 "N| 0.0.0.0/0 172.16.0.0/12", "said twice"},
};

static void changes_are_noted(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct scene scene;
		char text[300];

		make_clean(&scene, HOST);
		scene_read(&scene, cases[i].event);
		text_changes(&scene, text);
		if (strcmp(text, cases[i].changes) != 0)
			fail_msg("%s(%s): %s instead of %s", cases[i].event,
				 cases[i].why, text, cases[i].changes);
		scene_done(&scene);
	}
}

static void link_that_comes_after_its_routes_is_noted(void **state)
{
	struct scene scene;
	char text[300];

	(void)state;
	make_clean(&scene, HOST "del link 3\n");
	scene_read(&scene, "link 3 b up\n");
	text_changes(&scene, text);
	assert_string_equal(text, "LM|" OVER_B);
	scene_done(&scene);
}

/* What names an address is planned otherwise when that is one of ours. */
static void own_addresses_touch_what_names_them(void **state)
{
	static const struct {
		const char *event;
		const char *changes;
	} touches[] = {
		{"addr 192.0.2.9/24 dev a\n", "A| 10.6.0.0/16"},
		{"addr 192.0.2.9/32 dev b\n", "A| 10.6.0.0/16"},
		{"addr 192.0.2.3/32 dev b\n", "A| 10.7.0.0/16"},
		{"del addr 192.0.2.3/24 dev a\n", "A| 10.7.0.0/16"},
		{"addr 192.0.2.3/24 dev a secondary\n", "A| 10.7.0.0/16"},
		{"addr 2001:db8:a::9/64 dev a\n", "A| 2001:db8:f::/48"},
		{"addr 192.0.2.4/24 dev a\n", "A|"},
		{"del addr 192.0.2.2/24 dev a\n", "A|"},
		{"del link 2\n", "LMA| 0.0.0.0/0 10.6.0.0/16 10.7.0.0/16 "
				 "172.16.0.0/12 ::/0 2001:db8:f::/48"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(touches); i++) {
		struct scene scene;
		char text[300];

		make_clean(
			&scene, HOST
			"addr 192.0.2.3/24 dev a\n"
			"route 10.6.0.0/16 via 192.0.2.9 dev a\n"
			"route 10.7.0.0/16 via 192.0.2.1 dev a src 192.0.2.3\n"
			"route 2001:db8:f::/48 via fe80::1 dev a "
			"src 2001:db8:a::9\n");
		scene_read(&scene, touches[i].event);
		text_changes(&scene, text);
		if (strcmp(text, touches[i].changes) != 0)
			fail_msg("%s: %s", touches[i].event, text);
		scene_done(&scene);
	}
}

static void routers_inside_a_prefix_are_touched(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t ifindex;
		const char *rows;
	} touches[] = {
		{"198.51.100.0/24", 3, "| 10.0.0.0/8 172.16.0.0/12"},
		{"198.51.100.0/24", 2, "|"},
		{"198.51.100.2/31", 3, "|"},
		{"0.0.0.0/0", 2, "| 0.0.0.0/0 172.16.0.0/12"},
		{"fe80::/64", 2, "| ::/0"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(touches); i++) {
		struct ip_prefix prefix;
		struct scene scene;
		char text[300];

		make_clean(&scene, HOST "route 10.8.0.0/16 dev b\n");
		assert_int_equal(ip_prefix_parse(touches[i].prefix, &prefix),
				 0);
		model_touch_routers(&scene.model, touches[i].ifindex, &prefix);
		text_changes(&scene, text);
		assert_string_equal(text, touches[i].rows);
		scene_done(&scene);
	}
}

/* It is no less usable without its entry, but has to be kept resolved. */
static void loss_of_a_managed_neighbour_is_noted(void **state)
{
	struct scene scene;
	char text[300];

	(void)state;
	make_clean(&scene, HOST "neigh 192.0.2.1 dev a managed proto 109\n");
	scene_read(&scene, "del neigh 192.0.2.1 dev a\n");
	text_changes(&scene, text);
	assert_string_equal(text, "N|");
	scene_done(&scene);
}

static void return_of_a_neighbour_is_noted(void **state)
{
	static const char *const events[] = {
		"neigh 192.0.2.1 dev a\n",
		"neigh 192.0.2.1 dev a managed proto 109\n",
		"del neigh 192.0.2.1 dev a\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(events); i++) {
		struct scene scene;
		char text[300];

		make_clean(&scene, HOST "neigh 192.0.2.1 dev a failed\n");
		scene_read(&scene, events[i]);
		text_changes(&scene, text);
		if (strcmp(text, "N| 0.0.0.0/0 172.16.0.0/12") != 0)
			fail_msg("%s: %s", events[i], text);
		scene_done(&scene);
	}
}

static void only_neighbours_that_matter_are_kept(void **state)
{
	static const struct {
		const char *line;
		bool kept;
		const char *why;
	} lines[] = {
		{"neigh 192.0.2.9 dev a\n", false, "a LAN has thousands"},
		{"neigh 192.0.2.9 dev a failed\n", false, "no router"},
		{"route 10.1.0.0/16 via 192.0.2.9 dev a\n"
		 "neigh 192.0.2.9 dev a failed\n",
		 true, "a router that failed"},
		{"neigh 192.0.2.9 dev a managed\n", true, "kept resolved"},
		{"neigh 192.0.2.9 dev a proto 109\n", true, "ours"},
		{"neigh 192.0.2.9 dev a permanent\n", true, "needs no upkeep"},
		{"route 10.1.0.0/16 via 192.0.2.9 dev a\n"
		 "neigh 192.0.2.9 dev a failed\nneigh 192.0.2.9 dev a\n",
		 false, "a router that answers again"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct ip_addr addr = scene_addr("192.0.2.9");
		struct scene scene;

		make_clean(&scene, HOST);
		scene_read(&scene, lines[i].line);
		if ((model_neighbour(&scene.model, 2, &addr) != NULL) !=
		    lines[i].kept)
			fail_msg("%s(%s)", lines[i].line, lines[i].why);
		scene_done(&scene);
	}
}

static void next_hops_are_usable(void **state)
{
	static const struct {
		const char *event;
		const char *gateway; /* NULL: none */
		uint32_t ifindex;
		bool usable;
		const char *why;
	} hops[] = {
		{"", "192.0.2.1", 2, true, "nothing against it"},
		{"", NULL, 2, true, "the link alone"},
		{"", "192.0.2.1", 9, false, "no such link"},
		{"link 2 a up no-carrier\n", "192.0.2.1", 2, false,
		 "no carrier"},
		{"link 2 a up no-carrier\n", NULL, 2, false, "no carrier"},
		{"link 2 a down\n", "192.0.2.1", 2, false, "down"},
		{"link 2 a up no-ipv6\n", "fe80::1", 2, false, "no IPv6"},
		{"link 2 a up no-ipv6\n", "192.0.2.1", 2, true,
		 "which matters to IPv6 only"},
		{"link 2 a up no-carrier\n", "198.51.100.1", 3, true,
		 "another link's"},
		{"neigh 192.0.2.1 dev a failed\n", "192.0.2.1", 2, false,
		 "failed"},
		{"neigh 192.0.2.1 dev a failed\n", "192.0.2.9", 2, true,
		 "another one failed"},
		{"neigh 192.0.2.1 dev a failed\n", NULL, 2, true,
		 "nobody to fail"},
		{"neigh 192.0.2.1 dev a managed\n", "192.0.2.1", 2, true,
		 "known and well"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(hops); i++) {
		struct next_hop hop = {.ifindex = hops[i].ifindex};
		struct scene scene;

		if (hops[i].gateway)
			hop.gateway = scene_addr(hops[i].gateway);
		make_clean(&scene, HOST);
		scene_read(&scene, hops[i].event);
		if (model_is_usable(&scene.model, &hop) != hops[i].usable)
			fail_msg("%s (%s)", hops[i].event, hops[i].why);
		scene_done(&scene);
	}
}

static void links_are_found(void **state)
{
	struct scene scene;

	(void)state;
	make_clean(&scene, "link 7 c up\n" HOST "link 4 d down\n");
	for (size_t i = 1; i < scene.model.links.n; i++)
		assert_true(scene.model.links.items[i - 1].ifindex <
			    scene.model.links.items[i].ifindex);
	assert_string_equal(model_link(&scene.model, 7)->name, "c");
	assert_int_equal(model_link_by_name(&scene.model, "b")->ifindex, 3);
	assert_null(model_link(&scene.model, 5));
	assert_null(model_link_by_name(&scene.model, "e"));
	/* A rename is one link, not two. */
	scene_read(&scene, "link 7 e up\n");
	assert_null(model_link_by_name(&scene.model, "c"));
	assert_int_equal(model_link_by_name(&scene.model, "e")->ifindex, 7);
	scene_done(&scene);
}

static void link_takes_its_own_with_it(void **state)
{
	struct ip_addr addr = scene_addr("192.0.2.1");
	const struct address *it;
	struct scene scene;

	(void)state;
	make_clean(&scene, HOST "neigh 192.0.2.1 dev a failed\n");
	scene_read(&scene, "del link 2\n");
	vec_foreach(&scene.model.addresses, it)
		assert_int_equal(it->ifindex, 3);
	assert_int_equal(scene.model.addresses.n, 1);
	assert_null(model_neighbour(&scene.model, 2, &addr));
	assert_null(model_link(&scene.model, 2));
	scene_done(&scene);
}

static void puts_say_whether_anything_changed(void **state)
{
	const struct link link = {.ifindex = 5, .name = "e", .up = true};
	const struct address address = {
		.ifindex = 2,
		.local = scene_addr("192.0.2.5"),
		.peer = scene_addr("192.0.2.5"),
		.prefix_len = 24,
	};
	struct neighbour neighbour = {
		.ifindex = 2,
		.addr = scene_addr("192.0.2.1"),
		.failed = true,
	};
	struct scene scene;
	struct model *model = &scene.model;

	(void)state;
	make_clean(&scene, HOST);
	assert_true(model_put_link(model, &link));
	assert_false(model_put_link(model, &link));
	assert_true(model_remove_link(model, 5));
	assert_false(model_remove_link(model, 5));
	assert_true(model_put_address(model, &address));
	assert_false(model_put_address(model, &address));
	assert_true(model_remove_address(model, &address));
	assert_false(model_remove_address(model, &address));
	assert_true(model_put_neighbour(model, &neighbour));
	assert_false(model_put_neighbour(model, &neighbour));
	assert_true(model_remove_neighbour(model, 2, &neighbour.addr));
	assert_false(model_remove_neighbour(model, 2, &neighbour.addr));
	neighbour.failed = false;
	assert_false(model_put_neighbour(model, &neighbour));
	scene_done(&scene);
}

static void families_have_their_own_rules(void **state)
{
	struct rule_vec rules = {0};
	struct scene scene;

	(void)state;
	make_clean(&scene, HOST "rule 200 from 10.0.0.0/8 lookup 99\n"
				"rule 100 from 10.0.0.0/8 lookup 98\n"
				"rule 150 from 2001:db8::/32 lookup 97\n");
	assert_int_equal(scene.model.rules.n, 3);
	/* The same in another order: nothing new. */
	vec_push(&rules, scene.model.rules.items[1]);
	vec_push(&rules, scene.model.rules.items[0]);
	model_set_rules(&scene.model, AF_INET, &rules);
	assert_int_equal(rules.n, 0);
	assert_false(scene.model.changes.rules);

	/* Others, again in no order: sorted, and IPv6's are still there. */
	vec_push(&rules, scene.model.rules.items[1]);
	vec_push(&rules, scene.model.rules.items[0]);
	rules.items[0].priority = 300;
	model_set_rules(&scene.model, AF_INET, &rules);
	assert_true(scene.model.changes.rules);
	assert_int_equal(scene.model.rules.n, 3);
	for (size_t i = 1; i < scene.model.rules.n; i++)
		assert_true(rule_cmp(&scene.model.rules.items[i - 1],
				     &scene.model.rules.items[i]) < 0);

	model_set_rules(&scene.model, AF_INET, &rules);
	assert_int_equal(scene.model.rules.n, 1);
	assert_int_equal(scene.model.rules.items[0].family, AF_INET6);
	model_set_rules(&scene.model, AF_INET6, &rules);
	assert_int_equal(scene.model.rules.n, 0);
	scene_done(&scene);
}

static void copies_of_a_rule_are_counted(void **state)
{
	struct scene scene;

	(void)state;
	make_clean(&scene, HOST "rule 100 from 10.0.0.0/8 lookup 98\n");
	scene_read(&scene, "rule 100 from 10.0.0.0/8 lookup 98\n");
	assert_true(scene.model.changes.rules);
	assert_int_equal(scene.model.rules.n, 2);
	scene.model.changes.rules = false;
	scene_read(&scene, "del rule 100 from 10.0.0.0/8 lookup 98\n");
	assert_true(scene.model.changes.rules);
	assert_int_equal(scene.model.rules.n, 1);
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_noted),
		cmocka_unit_test(link_that_comes_after_its_routes_is_noted),
		cmocka_unit_test(own_addresses_touch_what_names_them),
		cmocka_unit_test(routers_inside_a_prefix_are_touched),
		cmocka_unit_test(loss_of_a_managed_neighbour_is_noted),
		cmocka_unit_test(return_of_a_neighbour_is_noted),
		cmocka_unit_test(only_neighbours_that_matter_are_kept),
		cmocka_unit_test(next_hops_are_usable),
		cmocka_unit_test(links_are_found),
		cmocka_unit_test(link_takes_its_own_with_it),
		cmocka_unit_test(puts_say_whether_anything_changed),
		cmocka_unit_test(families_have_their_own_rules),
		cmocka_unit_test(copies_of_a_rule_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
