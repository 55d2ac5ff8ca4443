/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/cell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/scene.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/*
 * Subnets A on a and B on b are uplinks by routes that have nothing to do with
 * the prefix asked about; c is local, d strong.
 */
#define HOST                                                                   \
	"policy interface d strong\n"                                          \
	"policy interface e metric_add 100\n"                                  \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"link 4 c up\n"                                                        \
	"link 5 d up\n"                                                        \
	"link 6 e up\n"                                                        \
	"addr 10.1.0.2/24 dev a\n"                                             \
	"addr 10.2.0.2/24 dev b\n"                                             \
	"addr 10.4.0.2/24 dev d\n"                                             \
	"addr 10.5.0.2/24 dev e\n"                                             \
	"addr 2001:db8:1::2/64 dev a\n"                                        \
	"addr 2001:db8:2::2/64 dev b\n"                                        \
	"route 0.0.0.0/0 via 10.1.0.1 dev a metric 1\n"                        \
	"route 0.0.0.0/0 via 10.2.0.1 dev b metric 2\n"                        \
	"route 0.0.0.0/0 via 10.4.0.1 dev d metric 4\n"                        \
	"route 0.0.0.0/0 via 10.5.0.1 dev e metric 5\n"                        \
	"route ::/0 via 2001:db8:1::1 dev a metric 1\n"                        \
	"route ::/0 via 2001:db8:2::1 dev b metric 2\n"

#define P  "203.0.113.0/24 "
#define P6 "2001:db8:f::/48 "

struct cell_case {
	const char *routes;
	uint8_t tos;
	const char *subnet;
	const char *dev;
	const char *cell;
	const char *why;
};

static const struct cell_case cases[] = {
	{"", 0, "10.1.0.0/24", "a", "none", "no candidate"},
	{"route " P "via 10.1.0.1 dev a metric 7", 0, "10.1.0.0/24", "a",
	 "congruent 7 via 10.1.0.1 dev a", "rule 4"},
	{"route " P "via 10.1.0.1 dev a metric 7", 0, "10.2.0.0/24", "b",
	 "weak 7 via 10.1.0.1 dev a", "rule 3"},
	{"route " P "via 10.1.0.1 dev a metric 7", 0, "10.4.0.0/24", "d",
	 "strong", "rule 3, alternate"},
	{"route " P "via 10.1.0.1 dev a table 100", 0, "10.1.0.0/24", "a",
	 "none", "another table's"},
	{"route " P "via 10.1.0.1 dev a table 7100 metric 1024 proto 109", 0,
	 "10.1.0.0/24", "a", "none", "our own copy"},
	{"policy route " P "via 10.1.0.1 dev a metric 3", 0, "10.1.0.0/24", "a",
	 "congruent 3 via 10.1.0.1 dev a", "the config's"},

	/* Metrics. */
	{"route " P "via 10.1.0.1 dev a metric 9\n"
	 "route " P "via 10.1.0.3 dev a metric 8\n"
	 "route " P "via 10.2.0.1 dev b metric 1",
	 0, "10.1.0.0/24", "a", "congruent 8 via 10.1.0.3 dev a",
	 "the lowest of those on the subnet"},
	{"route " P "via 10.1.0.1 dev a metric 9\n"
	 "route " P "via 10.2.0.1 dev b metric 8",
	 0, "10.5.0.0/24", "e", "weak 8 via 10.2.0.1 dev b",
	 "the lowest of all"},
	{"route " P "via 10.5.0.1 dev e metric 50\n"
	 "route " P "via 10.2.0.1 dev b metric 120",
	 0, "10.1.0.0/24", "a", "weak 120 via 10.2.0.1 dev b",
	 "metric_add counts: 150"},
	{"route " P "via 10.5.0.1 dev e metric 4294967295", 0, "10.5.0.0/24",
	 "e", "congruent 4294967395 via 10.5.0.1 dev e",
	 "and does not overflow"},
	{"policy route " P "via 10.1.0.1 dev a metric 3\n"
	 "route " P "via 10.1.0.3 dev a metric 2",
	 0, "10.1.0.0/24", "a", "congruent 2 via 10.1.0.3 dev a",
	 "the config's compete by metric"},

	/* Equal metrics. */
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "route " P "via 10.1.0.3 dev a metric 7",
	 0, "10.1.0.0/24", "a", "congruent 7 via 10.1.0.1 dev a",
	 "the kernel's order"},
	{"route " P6 "via 2001:db8:1::1 dev a pref low\n"
	 "route " P6 "via 2001:db8:1::3 dev a\n"
	 "route " P6 "via 2001:db8:1::4 dev a pref high",
	 0, "2001:db8:1::/64", "a", "congruent 1024 via 2001:db8:1::4 dev a",
	 "high before medium"},
	{"route " P6 "via 2001:db8:1::1 dev a pref low\n"
	 "route " P6 "via 2001:db8:1::3 dev a",
	 0, "2001:db8:1::/64", "a", "congruent 1024 via 2001:db8:1::3 dev a",
	 "medium before low"},
	{"route " P6 "via 2001:db8:1::1 dev a metric 5 pref low\n"
	 "route " P6 "via 2001:db8:1::3 dev a metric 6 pref high",
	 0, "2001:db8:1::/64", "a", "congruent 5 via 2001:db8:1::1 dev a",
	 "but the metric comes first"},
	{"route " P6 "via 2001:db8:1::1 dev a\n"
	 "route " P6 "via 2001:db8:2::1 dev b pref high",
	 0, "2001:db8:1::/64", "a", "congruent 1024 via 2001:db8:1::1 dev a",
	 "and the subnet before that"},

	/* Multipath. */
	{"route " P "nexthop via 10.1.0.1 dev a nexthop via 10.2.0.1 dev b "
	 "nexthop via 10.1.0.3 dev a",
	 0, "10.1.0.0/24", "a",
	 "congruent 0 via 10.1.0.1 dev a via 10.1.0.3 dev a",
	 "the legs on the subnet stay together"},
	{"route " P "nexthop via 10.1.0.1 dev a nexthop via 10.2.0.1 dev b", 0,
	 "10.5.0.0/24", "e", "weak 0 via 10.1.0.1 dev a via 10.2.0.1 dev b",
	 "none is: all stay"},
	{"route " P "nexthop via 10.1.0.1 dev a nexthop via 10.2.0.1 dev b\n"
	 "neigh 10.1.0.1 dev a failed",
	 0, "10.5.0.0/24", "e", "weak 0 via 10.2.0.1 dev b",
	 "unusable legs go"},
	{"route " P "nexthop via 10.1.0.1 dev a nexthop via 10.1.0.3 dev a\n"
	 "neigh 10.1.0.1 dev a failed",
	 0, "10.1.0.0/24", "a", "congruent 0 via 10.1.0.3 dev a",
	 "unusable legs on the subnet go"},
	{"route " P "nexthop via 10.1.0.1 dev a nexthop via 10.5.0.1 dev e", 0,
	 "10.2.0.0/24", "b", "weak 0 via 10.1.0.1 dev a",
	 "metric_add tells legs apart"},
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "route " P "metric 7 nexthop via 10.1.0.3 dev a nexthop dev a",
	 0, "10.1.0.0/24", "a", "congruent 7 via 10.1.0.1 dev a",
	 "two routes of a metric are not mixed"},

	/* Reject routes. */
	{"route blackhole " P "metric 5\n"
	 "route " P "via 10.1.0.1 dev a metric 7",
	 0, "10.1.0.0/24", "a", "congruent 5 blackhole", "beats by metric"},
	{"route blackhole " P "metric 9\n"
	 "route " P "via 10.1.0.1 dev a metric 7",
	 0, "10.1.0.0/24", "a", "congruent 7 via 10.1.0.1 dev a",
	 "and loses by it"},
	{"route unreachable " P "metric 4294967295\n"
	 "route " P "via 10.1.0.1 dev a metric 7",
	 0, "10.2.0.0/24", "b", "weak 7 via 10.1.0.1 dev a",
	 "a last resort does not switch rule 3 off"},
	{"route prohibit " P "metric 5\n"
	 "route " P "via 10.1.0.1 dev a metric 7",
	 0, "10.2.0.0/24", "b", "weak 5 prohibit", "in rule 3 as well"},
	{"route prohibit " P "metric 5\n"
	 "route " P "via 10.1.0.1 dev a metric 7",
	 0, "10.4.0.0/24", "d", "strong", "none is congruent"},
	{"route throw " P, 0, "10.1.0.0/24", "a", "weak 0 throw", "alone"},
	{"route unreachable " P "metric 5\n"
	 "route " P "via 10.1.0.1 dev a metric 7\n"
	 "neigh 10.1.0.1 dev a failed",
	 0, "10.1.0.0/24", "a", "congruent 5 unreachable",
	 "a reject route is no usable next hop, but competes with unusable"},
	{"route unreachable " P "metric 9\n"
	 "route " P "via 10.1.0.1 dev a metric 7\n"
	 "neigh 10.1.0.1 dev a failed",
	 0, "10.1.0.0/24", "a", "congruent 7 via 10.1.0.1 dev a",
	 "nor does it shorten what main has"},

	/* Usability. */
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "route " P "via 10.1.0.3 dev a metric 8\n"
	 "neigh 10.1.0.1 dev a failed",
	 0, "10.1.0.0/24", "a", "congruent 8 via 10.1.0.3 dev a",
	 "the usable one on the subnet"},
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "route " P "via 10.2.0.1 dev b metric 8\n"
	 "neigh 10.1.0.1 dev a failed",
	 0, "10.1.0.0/24", "a", "weak 8 via 10.2.0.1 dev b",
	 "the usable one elsewhere"},
	{"route " P "via 10.4.0.1 dev d metric 7\n"
	 "route " P "via 10.2.0.1 dev b metric 8\n"
	 "neigh 10.4.0.1 dev d failed",
	 0, "10.4.0.0/24", "d", "strong", "usable ones elsewhere, strong"},
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "route " P "via 10.2.0.1 dev b metric 8\n"
	 "neigh 10.1.0.1 dev a failed\nneigh 10.2.0.1 dev b failed",
	 0, "10.2.0.0/24", "b", "congruent 8 via 10.2.0.1 dev b",
	 "none is usable: as if all were"},
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "route " P "via 10.2.0.1 dev b metric 8\nlink 2 a up no-carrier",
	 0, "10.1.0.0/24", "a", "weak 8 via 10.2.0.1 dev b", "no carrier"},
	{"route " P "via inet6 fe80::1 dev a metric 7\n"
	 "route " P "via 10.2.0.1 dev b metric 8\nlink 2 a up no-ipv6",
	 0, "10.1.0.0/24", "a", "weak 8 via 10.2.0.1 dev b",
	 "an IPv6 gateway, and IPv6 is off"},
	{"route " P "dev a metric 7\nlink 2 a up no-carrier", 0, "10.1.0.0/24",
	 "a", "congruent 7 dev a", "no carrier, and nothing else"},
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "neigh 10.1.0.1 dev b failed",
	 0, "10.1.0.0/24", "a", "congruent 7 via 10.1.0.1 dev a",
	 "failed on another link is another neighbour"},

	/* TOS. */
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "route " P "tos 0x10 via 10.2.0.1 dev b metric 1",
	 0, "10.2.0.0/24", "b", "weak 7 via 10.1.0.1 dev a",
	 "the plain row knows nothing of TOS rows"},
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "route " P "tos 0x10 via 10.2.0.1 dev b metric 1",
	 0x10, "10.2.0.0/24", "b", "congruent 1 via 10.2.0.1 dev b",
	 "a TOS row is a row of its own"},
	{"route " P "via 10.1.0.1 dev a metric 7\n"
	 "route " P "tos 0x10 via 10.2.0.1 dev b metric 1",
	 0x10, "10.1.0.0/24", "a", "weak 1 via 10.2.0.1 dev b",
	 "in it, rule 3"},
	{"route " P "via 10.1.0.1 dev a metric 7", 0x10, "10.1.0.0/24", "a",
	 "none", "nothing in it"},

	/* Source prefixes. */
	{"route " P6 "from 2001:db8:1::/48 via 2001:db8:1::1 dev a", 0,
	 "2001:db8:1::/64", "a", "congruent 1024 via 2001:db8:1::1 dev a",
	 "the subnet is inside"},
	{"route " P6 "from 2001:db8:1::/48 via 2001:db8:1::1 dev a", 0,
	 "2001:db8:2::/64", "b", "none", "the subnet is not inside"},
	{"route " P6 "from 2001:db8:1::/96 via 2001:db8:1::1 dev a", 0,
	 "2001:db8:1::/64", "a", "none", "part of it is not enough"},
	{"route " P6 "from 2001:db8:1::/48 via 2001:db8:1::1 dev a metric 9\n"
	 "route " P6 "via 2001:db8:1::3 dev a metric 8",
	 0, "2001:db8:1::/64", "a", "congruent 8 via 2001:db8:1::3 dev a",
	 "then by metric"},

	{"route " P6 "via 2001:db8:1::3 dev a\n"
	 "route " P6 "from 2001:db8:1::/48 via 2001:db8:1::1 dev a",
	 0, "2001:db8:1::/64", "a", "congruent 1024 via 2001:db8:1::1 dev a",
	 "of equal metrics the longer one, as in the kernel"},
	{"route " P6 "via 2001:db8:1::3 dev a pref high\n"
	 "route " P6 "from 2001:db8:1::/48 via 2001:db8:1::1 dev a",
	 0, "2001:db8:1::/64", "a", "congruent 1024 via 2001:db8:1::3 dev a",
	 "after the preference"},

	/* Local links. */
	{"route " P "dev c metric 7\nroute " P "via 10.4.0.1 dev d metric 9", 0,
	 "10.4.0.0/24", "d", "congruent 7 dev c", "on every subnet"},
	{"route " P "via 172.16.0.1 dev c onlink", 0, "10.4.0.0/24", "d",
	 "strong", "but not through a gateway"},
};

static const char *text_cell(const struct scene *scene, const struct cell *cell,
			     char *ret)
{
	static const char *const kinds[] = {"none", "congruent", "weak",
					    "strong"};
	static const char *const rejects[] = {
		[ATTRSET_BLACKHOLE] = "blackhole",
		[ATTRSET_UNREACHABLE] = "unreachable",
		[ATTRSET_PROHIBIT] = "prohibit",
		[ATTRSET_THROW] = "throw",
	};
	const struct attrset *set;
	char text[IP_TEXT_MAX];
	char *at = ret;

	at += sprintf(at, "%s", kinds[cell->kind]);
	if (cell->kind == CELL_NONE || cell->kind == CELL_STRONG)
		return ret;
	set = attrset_get(&scene->model.rib.attrs, cell->route->attrs);
	at += sprintf(at, " %llu", (unsigned long long)cell->metric);
	if (attrset_is_reject(set))
		at += sprintf(at, " %s", rejects[set->type]);
	for (size_t i = 0; i < set->hops.n; i++) {
		const struct next_hop *hop = &set->hops.items[i];

		if (!cell->keep.items[i])
			continue;
		if (ip_addr_is_set(&hop->gateway))
			at += sprintf(at, " via %s",
				      ip_addr_format(&hop->gateway, text));
		at += sprintf(at, " dev %s",
			      model_link(&scene->model, hop->ifindex)->name);
	}
	return ret;
}

static void cell_is_what_the_draft_says(void **state)
{
	struct cell cell = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct cell_case *c = &cases[i];
		struct ip_prefix prefix =
			scene_prefix(strchr(c->subnet, ':') ? "2001:db8:f::/48"
							    : "203.0.113.0/24");
		struct scene scene;
		struct view view;
		char text[500];

		scene_init(&scene);
		scene_read(&scene, HOST);
		scene_manage(&scene);
		scene_read(&scene, c->routes);
		model_set_config_routes(&scene.model, &scene.policy);
		view = scene_view(&scene);
		/* One cell for all: its storage is used again. */
		cell_pick(&view, scene_subnet(&scene, c->subnet, c->dev),
			  rib_row(&scene.model.rib, &prefix), c->tos, &cell);
		if (strcmp(text_cell(&scene, &cell, text), c->cell) != 0)
			fail_msg("%s\n(%s)\n%s\ninstead of\n%s", c->routes,
				 c->why, text, c->cell);
		scene_done(&scene);
	}
	cell_done(&cell);
	cell_done(&cell);
}

static void special_destinations_get_no_cells(void **state)
{
	static const struct {
		const char *prefix;
		bool wanted;
		const char *why;
	} prefixes[] = {
		{"0.0.0.0/0", true, "default"},
		{"::/0", true, "default"},
		{"203.0.113.0/24", true, "any"},
		{"169.254.0.0/16", true, "IPv4 has no rule for link-local"},
		{"169.254.169.254/32", true, "a cloud's metadata"},
		{"128.0.0.0/1", true, "covers multicast, but more than that"},
		{"fe80::/64", false, "link-local"},
		{"fe80::/10", false, "link-local"},
		{"ff00::/8", false, "multicast"},
		{"224.0.0.0/4", false, "multicast"},
		{"239.1.2.3/32", false, "multicast"},
		{"127.0.0.0/8", false, "loopback"},
		{"::1/128", false, "loopback"},
		{"fc00::/7", true, "unique local is not link-local"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		struct ip_prefix prefix = scene_prefix(prefixes[i].prefix);

		if (cell_wanted_at(&prefix) != prefixes[i].wanted)
			fail_msg("%s (%s)", prefixes[i].prefix,
				 prefixes[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cell_is_what_the_draft_says),
		cmocka_unit_test(special_destinations_get_no_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
