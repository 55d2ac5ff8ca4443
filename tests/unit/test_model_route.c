/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model: routes, as messages tell of them; settle time, expiry, the
 * config's. Reading a table again: test_model_read.c.
 */
#include "core/model.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/row_text.h"
#include "tests/unit/scene.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define LINKS                                                                  \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"

struct message_case {
	const char *messages; /* the last one is judged */
	int err;
	const char *row;
	const char *why;
};

static void try_messages(const struct message_case *c, const char *prefix)
{
	struct scene scene;
	char text[ROW_TEXT_MAX];
	char line[200];
	const char *at = c->messages;
	int err = 0;

	scene_make(&scene, LINKS);
	while (*at) {
		size_t len = strcspn(at, ";");

		(void)snprintf(line, sizeof(line), "%.*s", (int)len, at);
		err = scene_line(&scene, line);
		at += len + (at[len] == ';');
	}
	row_text(&scene.model, prefix, text);
	if (err != c->err || (!err && strcmp(text, c->row) != 0))
		fail_msg("%s (%s): %d, %s instead of %s", c->messages, c->why,
			 err, text, c->row);
	scene_done(&scene);
}

#define P  "10.0.0.0/8 "
#define GW "via 192.0.2.1 dev a "

static const struct message_case v4_cases[] = {
	{"route " P "via 192.0.2.1 dev a", 0, "1a", "one"},
	{"route " P "via 192.0.2.1 dev a;route " P "via 192.0.2.1 dev a", 0,
	 "1a", "said again"},
	{"route " P "via 192.0.2.1 dev a metric 9;"
	 "route " P "via 192.0.2.2 dev b metric 5",
	 0, "2b 5, 1a 9", "by metric"},
	{"route " P "via 192.0.2.1 dev a;route " P "via 192.0.2.2 dev a", 0,
	 "1a, 2a", "append: behind"},
	{"route " P "via 192.0.2.1 dev a;prepend route " P
	 "via 192.0.2.2 dev a",
	 0, "2a, 1a", "prepend: before"},
	{"route " P "via 192.0.2.1 dev a;replace route " P
	 "via 192.0.2.2 dev a",
	 0, "2a", "replace: instead"},
	{"replace route " P "via 192.0.2.2 dev a", 0, "2a",
	 "replace of nothing"},
	{"route " P "via 192.0.2.1 dev a;route " P
	 "via 192.0.2.2 dev a metric 5;"
	 "replace route " P "via 192.0.2.3 dev a metric 5",
	 0, "1a, 3a 5", "replace: only of its key"},
	{"route " P "via 192.0.2.1 dev a;route " P "via 192.0.2.2 dev a;"
	 "replace route " P "via 192.0.2.3 dev a",
	 -EAGAIN, "", "replace among several does not say which"},
	{"route " P "via 192.0.2.1 dev a;route unreachable " P "metric 5", 0,
	 "1a, x 5", "rejects, too"},
	{"route " P "via 192.0.2.1 dev a;replace route unreachable " P, 0, "x",
	 "in exchange"},
	{"route " P "via 192.0.2.1 dev a;route " P
	 "via 192.0.2.1 dev a mtu 1400",
	 0, "1a, 1a", "other attributes are another route"},
	{"route " P "via 192.0.2.1 dev a;del route " P "via 192.0.2.1 dev a", 0,
	 "", "deleted"},
	{"del route " P "via 192.0.2.1 dev a", 0, "", "nothing to delete"},
	{"route " P "via 192.0.2.1 dev a;route " P "via 192.0.2.2 dev a;"
	 "del route " P "via 192.0.2.1 dev a",
	 0, "2a", "just the one"},
	{"route " P "via 192.0.2.1 dev a;"
	 "del route " P "via 192.0.2.1 dev a mtu 1400",
	 0, "", "the only one, with other details"},
	{"route " P "via 192.0.2.1 dev a;del route " P "via 192.0.2.9 dev a",
	 -EAGAIN, "1a", "the only one has another next hop"},
	{"route " P "via 192.0.2.1 dev a;route " P "via 192.0.2.2 dev a;"
	 "del route " P "via 192.0.2.9 dev a",
	 -EAGAIN, "", "one of several, and none fits"},
	{"route " P "via 192.0.2.1 dev a tos 0x10;del route " P
	 "via 192.0.2.1 dev a",
	 0, "1a", "another TOS is another key"},
};

#define P6 "2001:db8::/32 "

static const struct message_case v6_cases[] = {
	{"route " P6 "via fe80::1 dev a;route " P6
	 "via fe80::2 dev a pref high",
	 0, "1a 1024, 2a 1024", "two routers' are two routes"},
	{"route " P6 "via fe80::1 dev a;"
	 "route " P6 "nexthop via fe80::1 dev a nexthop via fe80::2 dev a",
	 -EAGAIN, "", "a sibling joined: only a dump has the kernel's order"},
	{"route " P6 "via fe80::1 dev a;"
	 "route " P6 "nexthop via fe80::3 dev a nexthop via fe80::2 dev a",
	 0, "1a 1024, 3a2a 1024", "a set without the old one is another"},
	{"route " P6 "nexthop via fe80::1 dev a nexthop via fe80::2 dev a;"
	 "del route " P6 "via fe80::2 dev a",
	 -EAGAIN, "", "one hop of a set went"},
	{"route " P6 "via fe80::1 dev a;"
	 "del route " P6 "nexthop via fe80::1 dev a nexthop via fe80::2 dev a",
	 -EAGAIN, "", "a set of which one hop is known"},
	{"route " P6 "nexthop via fe80::1 dev a nexthop via fe80::2 dev a;"
	 "del route " P6 "nexthop via fe80::1 dev a nexthop via fe80::2 dev a",
	 0, "", "the whole set went"},
	{"route " P6 "via fe80::1 dev a;route " P6
	 "via fe80::1 dev a pref high",
	 0, "1a 1024", "same hops: the same route, changed"},
	{"route " P6 "via fe80::1 dev a;del route " P6 "via fe80::2 dev a",
	 -EAGAIN, "", "a router that was not known"},
	{"route " P6 "via fe80::1 dev a;"
	 "route " P6 "from 2001:db8:1::/48 via fe80::1 dev a",
	 0, "1a 1024, 1a 1024 src48", "a source prefix is part of the key"},
	{"route " P6 "via fe80::1 dev a;"
	 "replace route " P6 "from 2001:db8:1::/48 via fe80::2 dev a",
	 0, "1a 1024, 2a 1024 src48", "also for replace"},
	{"route " P6 "via fe80::1 dev a;"
	 "route " P6 "from 2001:db8:1::/48 via fe80::1 dev a;"
	 "del route " P6 "from 2001:db8:1::/48 via fe80::1 dev a",
	 0, "1a 1024", "and for deletion"},
};

static void messages_are_entered(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(v4_cases); i++)
		try_messages(&v4_cases[i], "10.0.0.0/8");
	for (size_t i = 0; i < COUNT(v6_cases); i++)
		try_messages(&v6_cases[i], "2001:db8::/32");
}

static void what_is_known_already_makes_no_row_dirty(void **state)
{
	struct scene scene;

	(void)state;
	scene_make(&scene, LINKS "route " P "via 192.0.2.1 dev a\n"
				 "route " P "via 192.0.2.2 dev a\n");
	assert_int_equal(scene.model.rib.dirty.n, 1);
	rib_clean(&scene.model.rib);
	assert_int_equal(scene_line(&scene, "route " P "via 192.0.2.1 dev a"),
			 0);
	assert_int_equal(scene_line(&scene, "route " P "via 192.0.2.2 dev a"),
			 0);
	assert_int_equal(scene_line(&scene, "del route " P "dev b metric 7"),
			 0);
	assert_int_equal(scene.model.rib.dirty.n, 0);
	scene_done(&scene);
}

static void owner_of_a_route_is_noted(void **state)
{
	struct ip_prefix prefix = scene_prefix("10.0.0.0/8");
	struct scene scene;

	(void)state;
	scene_make(&scene, LINKS "route " P "via 192.0.2.1 dev a\n");
	rib_clean(&scene.model.rib);
	assert_int_equal(
		scene_line(&scene, "route " P "via 192.0.2.1 dev a proto 16"),
		0);
	assert_int_equal(scene.model.rib.dirty.n, 1);
	assert_int_equal(rib_row(&scene.model.rib, &prefix)->routes[0].protocol,
			 16);
	scene_done(&scene);
}

/*
 * Two uplinks with one metric: what a read has shown to be gone is deleted once
 * more by the message that comes late. The other one must not go for it.
 */
static void a_late_deletion_takes_no_other_route(void **state)
{
	struct scene scene;
	struct model *model = &scene.model;
	char text[ROW_TEXT_MAX];

	(void)state;
	scene_make(&scene, LINKS "route " P "via 192.0.2.2 dev b\n");
	assert_int_equal(scene_line(&scene, "del route " P GW), -EAGAIN);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "2b");
	assert_int_equal(scene_line(&scene, "del route blackhole " P), -EAGAIN);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "2b");
	/* The same one with another preferred source is meant. */
	assert_int_equal(scene_line(&scene,
				    "del route " P "via 192.0.2.2 dev b "
				    "src 192.0.2.9"),
			 0);
	assert_string_equal(row_text(model, "10.0.0.0/8", text), "");
	scene_done(&scene);
}

/* --- settle time --- */

static const struct {
	const char *scene;
	const char *row;
	const char *why;
} settle_cases[] = {
	{"route " P GW "\ndel route " P GW "settle 200", "1a!", "kept"},
	{"route " P GW "\ndel route " P GW "settle 200\nclock 199", "1a!",
	 "till then"},
	{"route " P GW "\ndel route " P GW "settle 200\nclock 200", "",
	 "and no longer"},
	{"route " P GW "\ndel route " P GW "settle 200\nroute " P GW, "1a",
	 "it came back"},
	{"route " P GW "\ndel route " P GW "settle 200\nroute " P GW
	 "\nclock 200",
	 "1a", "to stay"},
	{"route " P GW "\ndel route " P GW "settle 200\nroute " P GW
	 "\ndel route " P GW "settle 300\nclock 200",
	 "1a!", "it left again, later"},
	{"route " P GW "\ndel route " P GW "settle 200\n"
	 "route " P "via 192.0.2.9 dev a",
	 "9a", "its successor is here: no need to wait"},
	{"route " P GW "\ndel route " P GW "settle 200\n"
	 "route " P "via 192.0.2.9 dev a metric 5",
	 "1a!, 9a 5", "another metric is no successor"},
	{"route " P "dev a\ndel route " P "dev a settle 200", "",
	 "not without a gateway"},
	{"route unreachable " P "\ndel route unreachable " P "settle 200", "",
	 "nor a reject"},
	{"route " P GW "table 99\ndel route " P GW "table 99 settle 200", "",
	 "nor in other tables"},
	{"link 2 a up no-carrier\nroute " P GW "\ndel route " P GW "settle 200",
	 "", "not if the carrier was lost"},
	{"link 2 a down\nroute " P GW "\ndel route " P GW "settle 200", "",
	 "nor if the link is down"},
	{"route " P GW "\nneigh 192.0.2.1 dev a failed\ndel route " P GW
	 "settle 200",
	 "", "nor if the router is dead"},
	{"route " P GW "\ndel route " P GW "settle 200\nlink 2 a up no-carrier",
	 "", "carrier loss ends it at once"},
	{"route " P GW "\ndel route " P GW "settle 200\nlink 2 a down", "",
	 "so does link down"},
	{"route " P GW "\ndel route " P GW
	 "settle 200\nneigh 192.0.2.1 dev a failed",
	 "", "and neighbour loss"},
	{"addr 192.0.2.7/24 dev a\nroute " P GW "\ndel route " P GW
	 "settle 200\ndel addr 192.0.2.7/24 dev a",
	 "", "and the loss of an address"},
	{"route " P GW "\ndel route " P GW
	 "settle 200\ndel link 2\nlink 2 a up",
	 "", "and that of the link itself"},
	{"route " P GW "\ndel route " P GW "settle 200\nlink 3 b down", "1a!",
	 "not that of another link"},
	{"route " P "nexthop " GW "nexthop via 192.0.2.2 dev b\n"
	 "link 3 b up no-carrier\n"
	 "del route " P "nexthop " GW "nexthop via 192.0.2.2 dev b settle 200",
	 "", "a set with a dead leg does not wait"},
	{"route " P GW "\ndel route " P GW "settle 200\ndel route " P GW, "",
	 "deleted for good"},
};

static void deleted_gateway_route_waits_for_its_return(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(settle_cases); i++) {
		struct scene scene;
		char text[ROW_TEXT_MAX];

		scene_make(&scene, LINKS);
		scene_read(&scene, settle_cases[i].scene);
		row_text(&scene.model, "10.0.0.0/8", text);
		if (strcmp(text, settle_cases[i].row) != 0)
			fail_msg("%s (%s): %s instead of %s",
				 settle_cases[i].scene, settle_cases[i].why,
				 text, settle_cases[i].row);
		scene_done(&scene);
	}
}

static void deadlines_are_told(void **state)
{
	struct scene scene;
	struct model *model = &scene.model;

	(void)state;
	scene_make(&scene, LINKS);
	assert_int_equal(model_next_deadline(model), 0);
	scene_read(&scene, "route " P GW "\ndel route " P GW "settle 700\n"
			   "route 10.2.0.0/16 " GW "\n"
			   "del route 10.2.0.0/16 " GW "settle 800\n"
			   "route 10.1.0.0/16 " GW "\n"
			   "del route 10.1.0.0/16 " GW "settle 600\n"
			   "route 2001:db8::/32 via fe80::1 dev a expires 5\n");
	assert_int_equal(model_next_deadline(model), 600);
	model_settle(model, 600);
	assert_int_equal(model_next_deadline(model), 700);
	model_settle(model, 700);
	assert_int_equal(model_next_deadline(model), 800);
	model_settle(model, 9000);
	assert_int_equal(model_next_deadline(model), 5000);
	assert_false(model_is_expiring(model, 4999));
	assert_true(model_is_expiring(model, 5000));
	model_expire(model, 5000);
	assert_int_equal(model_next_deadline(model), 0);
	scene_done(&scene);
}

/* --- expiry --- */

static void route_expires_unless_it_was_refreshed(void **state)
{
	struct scene scene;
	char text[ROW_TEXT_MAX];

	(void)state;
	scene_make(&scene,
		   LINKS "route 2001:db8::/32 via fe80::1 dev a expires 5\n"
			 "route 2001:db8:1::/48 via fe80::1 dev a expires 5\n"
			 "route 2001:db8:1::/48 via fe80::1 dev a expires 60\n"
			 "route 2001:db8:2::/48 via fe80::1 dev a expires 5\n"
			 "route 2001:db8:2::/48 via fe80::1 dev a\n"
			 "route 2001:db8:3::/48 via fe80::1 dev a expires 5 "
			 "table 99\n"
			 "route 2001:db8::/32 via fe80::2 dev a table 99 "
			 "expires 5\n"
			 "route 2001:db8::/32 via fe80::2 dev a\n");
	rib_clean(&scene.model.rib);
	model_expire(&scene.model, 5000);
	assert_string_equal(row_text(&scene.model, "2001:db8::/32", text),
			    "2a 1024, 2a 1024");
	assert_string_equal(row_text(&scene.model, "2001:db8:1::/48", text),
			    "1a 1024");
	assert_string_equal(row_text(&scene.model, "2001:db8:2::/48", text),
			    "1a 1024");
	assert_string_equal(row_text(&scene.model, "2001:db8:3::/48", text),
			    "1a 1024");
	assert_int_equal(scene.model.rib.dirty.n, 1);
	assert_int_equal(model_next_deadline(&scene.model), 60000);
	model_expire(&scene.model, 60000);
	assert_string_equal(row_text(&scene.model, "2001:db8:1::/48", text),
			    "");
	scene_done(&scene);
}

/* A router that advertises each ten seconds is no work each ten seconds. */
static void renewed_lifetimes_leave_nothing_behind(void **state)
{
	struct scene scene;
	struct model_route in = {
		.prefix = scene_prefix("2001:db8::/32"),
		.route = {.table = ROUTE_TABLE_MAIN, .metric = 1024},
	};
	struct next_hop hop = {.ifindex = 2, .gateway = scene_addr("fe80::1")};
	char text[ROW_TEXT_MAX];

	(void)state;
	scene_make(&scene, LINKS);
	attrset_init(&in.set, AF_INET6, ATTRSET_UNICAST);
	attrset_add_hop(&in.set, &hop, NULL, 0);
	for (uint32_t i = 0; i < 10; i++) {
		in.route.expires_s = 1800 + 10 * i;
		assert_int_equal(
			model_put_route(&scene.model, &in,
					i % 2 ? MODEL_REPLACE : MODEL_APPEND),
			0);
	}
	attrset_done(&in.set);
	/* It lives on, which is seen once, and not each ten seconds. */
	assert_int_equal(model_next_deadline(&scene.model), 1800000);
	model_expire(&scene.model, 1800000);
	assert_int_equal(model_next_deadline(&scene.model), 1890000);
	model_expire(&scene.model, 1890000);
	assert_string_equal(row_text(&scene.model, "2001:db8::/32", text), "");
	assert_int_equal(model_next_deadline(&scene.model), 0);
	scene_done(&scene);
}

/* --- the config's routes --- */

static uint8_t scope_of(const struct model *model, const char *prefix)
{
	struct ip_prefix key = scene_prefix(prefix);
	const struct row *row = rib_row(&model->rib, &key);

	assert_non_null(row);
	return attrset_get(&model->rib.attrs, row->routes[0].attrs)->scope;
}

/* As the kernel would have it; an IPv4 gateway on scope link is refused. */
static void config_routes_have_the_kernels_scope(void **state)
{
	struct scene scene;

	(void)state;
	scene_make(&scene, LINKS "policy route " P "via 192.0.2.1 dev a\n"
				 "policy route 10.1.0.0/16 dev a\n"
				 "policy route 2001:db8::/32 dev a\n");
	assert_int_equal(scope_of(&scene.model, "10.0.0.0/8"), 0);
	assert_int_equal(scope_of(&scene.model, "10.1.0.0/16"), 253);
	assert_int_equal(scope_of(&scene.model, "2001:db8::/32"), 0);
	scene_done(&scene);
}

static void config_routes_wait_for_their_link(void **state)
{
	struct scene scene;
	char text[ROW_TEXT_MAX];

	(void)state;
	scene_make(&scene, "link 2 a up\n"
			   "policy route " P "via 192.0.2.1 dev b metric 7\n"
			   "policy route 10.1.0.0/16 dev a metric 7\n"
			   "policy route 2001:db8::/32 dev a metric 7\n");
	assert_string_equal(row_text(&scene.model, "10.0.0.0/8", text), "");
	assert_string_equal(row_text(&scene.model, "10.1.0.0/16", text),
			    "0a 7");
	scene_read(&scene, "link 3 b up\n");
	scene_manage(&scene);
	assert_string_equal(row_text(&scene.model, "10.0.0.0/8", text), "1b 7");

	/* A new config without them. */
	scene.policy.routes.n = 0;
	rib_clean(&scene.model.rib);
	scene_manage(&scene);
	assert_string_equal(row_text(&scene.model, "10.0.0.0/8", text), "");
	assert_string_equal(row_text(&scene.model, "2001:db8::/32", text), "");
	assert_int_equal(scene.model.rib.dirty.n, 3);
	scene_done(&scene);
}

static void uses_are_found(void **state)
{
	struct scene scene;

	(void)state;
	scene_make(&scene, LINKS "route " P GW "nhid 5\n");
	assert_true(model_uses_link(&scene.model, AF_INET, 2));
	assert_false(model_uses_link(&scene.model, AF_INET, 3));
	assert_false(model_uses_link(&scene.model, AF_INET6, 2));
	assert_true(model_uses_nexthop(&scene.model, 5));
	assert_false(model_uses_nexthop(&scene.model, 6));
	scene_read(&scene, "del route " P GW "nhid 5\n");
	assert_false(model_uses_link(&scene.model, AF_INET, 2));
	assert_false(model_uses_nexthop(&scene.model, 5));
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_entered),
		cmocka_unit_test(what_is_known_already_makes_no_row_dirty),
		cmocka_unit_test(owner_of_a_route_is_noted),
		cmocka_unit_test(a_late_deletion_takes_no_other_route),
		cmocka_unit_test(deleted_gateway_route_waits_for_its_return),
		cmocka_unit_test(deadlines_are_told),
		cmocka_unit_test(route_expires_unless_it_was_refreshed),
		cmocka_unit_test(renewed_lifetimes_leave_nothing_behind),
		cmocka_unit_test(config_routes_have_the_kernels_scope),
		cmocka_unit_test(config_routes_wait_for_their_link),
		cmocka_unit_test(uses_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
