/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/subnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/scene.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Two uplinks; a has a subnet inside a subnet; c is local. */
#define HOST                                                                   \
	"link 1 lo up loopback\n"                                              \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"link 4 c up\n"                                                        \
	"addr 10.1.0.2/16 dev a\n"                                             \
	"addr 10.1.5.2/24 dev a\n"                                             \
	"addr 198.51.100.2/24 dev b\n"                                         \
	"addr 172.17.0.1/16 dev c\n"                                           \
	"addr 2001:db8:1::2/64 dev a\n"                                        \
	"addr 2001:db8:2::2/64 dev a\n"                                        \
	"addr 2001:db8:b::2/64 dev b\n"                                        \
	"route 0.0.0.0/0 via 10.1.0.1 dev a\n"                                 \
	"route 10.0.0.0/8 via 10.1.5.1 dev a\n"                                \
	"route 0.0.0.0/0 via 198.51.100.1 dev b\n"                             \
	"route ::/0 via 2001:db8:1::1 dev a\n"                                 \
	"route 2001:db8::/32 via 2001:db8:2::1 dev a\n"                        \
	"route ::/0 via 2001:db8:b::1 dev b\n"

struct on_case {
	const char *more; /* of the scene */
	const char *prefix;
	const char *dev;
	const char *route; /* behind the destination */
	bool yes;
	uint8_t line;
	const char *why;
};

/* The lines of docs/model.md, "On-subnet"; 7 is the local link. */
static const struct on_case on_cases[] = {
	{"binding router 10.1.0.1 dev a prefix 10.1.0.0/16\n", "10.1.0.0/16",
	 "a", "via 10.1.0.1 dev a", true, 1, "bound to the subnet"},
	{"binding router 10.1.0.1 dev a prefix 10.1.0.0/20\n", "10.1.0.0/16",
	 "a", "via 10.1.0.1 dev a", true, 1, "bound to a part of it"},
	{"binding router 10.1.0.1 dev a prefix 10.0.0.0/8\n", "10.1.5.0/24",
	 "a", "via 10.1.0.1 dev a", true, 1, "bound to more than it"},
	{"binding router 10.1.0.1 dev a prefix 10.2.0.0/16\n", "10.1.0.0/16",
	 "a", "via 10.1.0.1 dev a", false, 1, "bound elsewhere"},
	{"binding router 10.1.0.1 dev a prefix 198.51.100.0/24\n",
	 "198.51.100.0/24", "b", "via 10.1.0.1 dev a", true, 1,
	 "bound to a subnet of another link"},
	{"binding dev a prefix 198.51.100.0/24\n", "198.51.100.0/24", "b",
	 "via 10.1.0.1 dev a", true, 1, "the whole link is bound"},
	{"binding dev a prefix 198.51.100.0/24\n", "198.51.100.0/24", "b",
	 "dev a", true, 1, "so it is without a gateway (tunnels)"},
	{"binding dev a prefix 198.51.100.0/24\n", "10.1.0.0/16", "a",
	 "via 10.1.0.1 dev a", false, 1, "and no longer its own"},
	{"binding router 10.1.0.1 dev a prefix 10.2.0.0/16\n"
	 "binding router 10.1.0.1 dev a prefix 10.1.0.0/16\n",
	 "10.1.0.0/16", "a", "via 10.1.0.1 dev a", true, 1,
	 "one of several bindings is enough"},
	{"binding router 10.1.0.9 dev a prefix 198.51.100.0/24\n",
	 "10.1.0.0/16", "a", "via 10.1.0.1 dev a", true, 3,
	 "another router's binding says nothing"},
	{"binding router 10.1.0.1 dev b prefix 198.51.100.0/24\n",
	 "10.1.0.0/16", "a", "via 10.1.0.1 dev a", true, 3,
	 "the same address on another link is another router"},
	{"binding router 10.1.0.1 prefix 198.51.100.0/24\n", "198.51.100.0/24",
	 "b", "via 10.1.0.1 dev b onlink", true, 1,
	 "a binding without link: on any"},
	{"binding dev a prefix 2001:db8:7::/48\n", "10.1.0.0/16", "a",
	 "via 10.1.0.1 dev a", true, 3,
	 "a binding of the other family says nothing"},
	{"", "10.1.0.0/16", "a", "via 10.1.0.1 dev b onlink", false, 2,
	 "inside the prefix, but on another link"},
	{"", "10.1.0.0/16", "a", "dev b", false, 2,
	 "no gateway, on another link"},
	{"", "10.1.0.0/16", "a", "via 10.1.0.1 dev a", true, 3, "inside"},
	{"", "10.1.5.0/24", "a", "via 10.1.0.1 dev a", false, 3,
	 "inside the wider subnet only"},
	{"", "10.1.5.0/24", "a", "via 10.1.5.1 dev a", true, 3,
	 "inside the longest"},
	{"", "10.1.0.0/16", "a", "via 10.1.5.1 dev a", false, 3,
	 "inside, but a longer one has it"},
	{"", "2001:db8:1::/64", "a", "via 2001:db8:1::1 dev a", true, 3,
	 "inside, IPv6"},
	{"", "2001:db8:2::/64", "a", "via 2001:db8:1::1 dev a", false, 3,
	 "inside the other prefix of the link"},
	{"", "2001:db8:1::/64", "a", "via fe80::1 dev a", true, 4,
	 "link-local, nobody claims anything"},
	{"", "2001:db8:1::/64", "a", "via fe80::1 dev b", false, 2,
	 "link-local of another link"},
	{"binding router fe80::1 dev a prefix 2001:db8:1::/48\n",
	 "2001:db8:1::/64", "a", "via fe80::1 dev a", true, 1,
	 "link-local, bound"},
	{"binding router fe80::1 dev a prefix 2001:db8:1::/48\n",
	 "2001:db8:2::/64", "a", "via fe80::1 dev a", false, 1,
	 "link-local, bound to another prefix"},
	{"binding router fe80::2 dev a prefix 2001:db8:1::/48\n",
	 "2001:db8:1::/64", "a", "via fe80::1 dev a", false, 4,
	 "link-local, but another router has the prefix"},
	{"binding router fe80::2 dev a prefix 2001:db8:1::/48\n",
	 "2001:db8:2::/64", "a", "via fe80::1 dev a", true, 4,
	 "link-local, and another router has another prefix"},
	{"binding router fe80::2 dev b prefix 2001:db8:1::/48\n",
	 "2001:db8:1::/64", "a", "via fe80::1 dev a", true, 4,
	 "link-local, and a router of another link has the prefix"},
	{"binding dev b prefix 2001:db8:1::/48\n", "2001:db8:1::/64", "a",
	 "via fe80::1 dev a", true, 4,
	 "link-local, and another link (a tunnel) has the prefix"},
	{"", "10.1.0.0/16", "a", "via inet6 fe80::1 dev a", true, 4,
	 "IPv4 through a link-local IPv6 gateway"},
	{"", "10.1.0.0/16", "a", "via 172.31.1.1 dev a onlink", true, 5,
	 "outside every subnet of the link"},
	{"", "198.51.100.0/24", "b", "via 172.31.1.1 dev a onlink", false, 2,
	 "outside, but on another link"},
	{"", "10.1.0.0/16", "a", "via 172.31.1.1 dev a onlink src 10.1.0.2",
	 true, 5, "outside, with our prefsrc"},
	{"", "10.1.0.0/16", "a", "via 172.31.1.1 dev a onlink src 10.1.5.2",
	 false, 5, "outside, with the prefsrc of the link's other subnet"},
	{"", "10.1.0.0/16", "a", "via 172.31.1.1 dev a onlink src 198.51.100.2",
	 true, 5, "a prefsrc of another link says nothing"},
	{"", "10.1.0.0/16", "a", "via inet6 2001:db8:f::1 dev a", true, 5,
	 "IPv4 through a global IPv6 gateway outside"},
	{"", "10.1.0.0/16", "a", "dev a", true, 6, "no gateway"},
	{"", "10.1.5.0/24", "a", "dev a", true, 6,
	 "no gateway: every subnet of the link"},
	{"", "10.1.0.0/16", "a", "dev c", true, 7, "a local link is for all"},
	{"", "198.51.100.0/24", "b", "dev c", true, 7, "for every source"},
	{"policy interface c always\n", "10.1.0.0/16", "a", "dev c", false, 2,
	 "a managed link is not local"},
	{"", "10.1.0.0/16", "a", "via 203.0.113.1 dev c onlink", false, 2,
	 "through a gateway it is not local"},
};

static void next_hop_is_on_the_subnet(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(on_cases); i++) {
		const struct on_case *c = &on_cases[i];
		struct ip_prefix subnet = scene_prefix(c->prefix);
		struct ip_prefix dst = scene_prefix(
			subnet.addr.family == AF_INET ? "203.0.112.0/24"
						      : "2001:db8:ffff::/48");
		char text[IP_TEXT_MAX];
		char line[200];
		struct scene scene;
		struct view view;
		const struct attrset *set;
		struct on_subnet on;

		scene_init(&scene);
		scene_read(&scene, HOST);
		scene_read(&scene, c->more);
		scene_manage(&scene);
		(void)snprintf(line, sizeof(line), "route %s %s",
			       ip_prefix_format(&dst, text), c->route);
		scene_read(&scene, line);
		view = scene_view(&scene);
		set = attrset_get(
			&scene.model.rib.attrs,
			rib_row(&scene.model.rib, &dst)->routes[0].attrs);
		on = subnet_has_next_hop(
			&view, scene_subnet(&scene, c->prefix, c->dev), set,
			&set->hops.items[0]);
		if (on.yes != c->yes || on.line != c->line)
			fail_msg("%s%s on %s, %s (%s): %d by line %d", c->more,
				 c->prefix, c->dev, c->route, c->why, on.yes,
				 on.line);
		scene_done(&scene);
	}
}

/* --- which subnets there are, and which are managed --- */

#define LINKS                                                                  \
	"link 1 lo up loopback\n"                                              \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"link 9 red up vrf\n"

struct set_case {
	const char *scene;
	/* "PREFIX dev [managed] [uplink] [exact] [strong] addresses...; ..." */
	const char *subnets;
	const char *why;
};

static const struct set_case set_cases[] = {
	{"addr 192.0.2.7/24 dev a\n", "192.0.2.0/24 a [192.0.2.7]", "plain"},
	{"addr 192.0.2.7/24 dev a\naddr 192.0.2.8/24 dev a secondary\n",
	 "192.0.2.0/24 a [192.0.2.7 192.0.2.8]", "secondary address"},
	{"addr 192.0.2.7/24 dev a\naddr 192.0.2.8/24 dev b\n",
	 "192.0.2.0/24 a [192.0.2.7]; 192.0.2.0/24 b [192.0.2.8]",
	 "one prefix on two links is two subnets"},
	{"addr 192.0.2.7/32 dev a\n", "192.0.2.7/32 a [192.0.2.7]",
	 "a lone /32 is a subnet of its own"},
	{"addr 192.0.2.7/24 dev a\naddr 192.0.2.100/32 dev a\n",
	 "192.0.2.0/24 a [192.0.2.7 192.0.2.100]", "a VIP is not"},
	{"addr 192.0.2.7/24 dev a\naddr 192.0.2.100/32 dev b\n",
	 "192.0.2.0/24 a [192.0.2.7]; 192.0.2.100/32 b [192.0.2.100]",
	 "but only on its own link"},
	{"addr 10.0.0.9 peer 10.0.0.1/32 dev a\n", "10.0.0.9/32 a [10.0.0.9]",
	 "point-to-point: IFA_LOCAL, not the peer's"},
	{"addr 10.0.0.9 peer 10.0.0.1/24 dev a\n", "10.0.0.9/32 a [10.0.0.9]",
	 "also where the peer has a prefix"},
	{"addr 2001:db8::7/64 dev a\naddr fe80::7/64 dev a\n",
	 "2001:db8::/64 a [2001:db8::7]", "link-local makes none"},
	{"addr 169.254.3.4/16 dev a scope link\n", "", "IPv4 scope link"},
	{"addr 169.254.3.4/16 dev a scope global\n",
	 "169.254.0.0/16 a [169.254.3.4]", "which decides, in IPv4"},
	{"addr fe80::7/64 dev a scope global\n", "", "not so in IPv6"},
	{"addr 127.0.0.1/8 dev lo\naddr ::1/128 dev lo\n", "", "loopback"},
	{"addr 127.1.0.1/16 dev a scope global\n", "", "whatever its scope"},
	{"addr 192.0.2.7/24 dev a\nroute 0.0.0.0/0 via 192.0.2.1 dev a\n"
	 "addr 192.0.2.100/32 dev lo\n",
	 "192.0.2.0/24 a managed uplink [192.0.2.7 192.0.2.100]",
	 "on lo inside one managed subnet"},
	{"addr 192.0.2.7/24 dev a\naddr 192.0.2.100/32 dev lo\n",
	 "192.0.2.0/24 a [192.0.2.7]", "on lo inside an unmanaged one"},
	{"addr 192.0.2.7/24 dev a\naddr 192.0.2.8/24 dev b\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev a\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev b\naddr 192.0.2.100/32 dev lo\n",
	 "192.0.2.0/24 a managed uplink exact [192.0.2.7]; "
	 "192.0.2.0/24 b managed uplink exact [192.0.2.8]",
	 "on lo inside two: nobody's"},
	{"addr 203.0.113.5/32 dev lo\n", "", "on lo inside none"},
	{"addr 192.0.2.7/24 dev a\nroute 0.0.0.0/0 via 192.0.2.1 dev a\n"
	 "addr 192.0.2.100/32 dev lo\naddr 192.0.2.100/32 dev a\n",
	 "192.0.2.0/24 a managed uplink [192.0.2.7 192.0.2.100]",
	 "on lo and on the link: counts once"},
	{"addr 203.0.113.5/24 dev lo\nroute 0.0.0.0/0 dev lo\n",
	 "203.0.113.0/24 lo uplink [203.0.113.5]",
	 "lo is not managed by itself"},
	{"addr 192.0.2.7/24 dev a\nroute 0.0.0.0/0 via 192.0.2.1 dev a\n",
	 "192.0.2.0/24 a managed uplink [192.0.2.7]", "on-subnet default"},
	{"addr 192.0.2.7/24 dev a\nroute 0.0.0.0/0 dev a\n",
	 "192.0.2.0/24 a managed uplink [192.0.2.7]",
	 "a default without gateway"},
	{"addr 192.0.2.7/24 dev a\nroute 10.0.0.0/8 via 192.0.2.1 dev a\n",
	 "192.0.2.0/24 a managed uplink [192.0.2.7]",
	 "a gateway for something"},
	{"addr 192.0.2.7/24 dev a\nroute 10.0.0.0/8 dev a\n",
	 "192.0.2.0/24 a [192.0.2.7]", "no gateway and no default: no uplink"},
	{"addr 192.0.2.7/24 dev a\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev a table 100\n",
	 "192.0.2.0/24 a [192.0.2.7]", "other tables do not count"},
	{"addr 192.0.2.7/24 dev a\nroute 10.0.0.0/8 dev a\n"
	 "route 10.0.0.0/8 via 192.0.2.1 dev a table 100\n",
	 "192.0.2.0/24 a [192.0.2.7]", "not even by half"},
	{"addr 192.0.2.7/24 dev a\n"
	 "policy route 0.0.0.0/0 via 192.0.2.1 dev a\n",
	 "192.0.2.0/24 a managed uplink [192.0.2.7]",
	 "a candidate of the config does"},
	{"addr 2001:db8::7/64 dev a\n"
	 "route ::/0 from 2001:db8:1::/48 via fe80::1 dev a\n",
	 "2001:db8::/64 a [2001:db8::7]",
	 "a default for other sources does not"},
	{"addr 2001:db8:1::7/64 dev a\n"
	 "route ::/0 from 2001:db8:1::/48 via fe80::1 dev a\n",
	 "2001:db8:1::/64 a managed uplink [2001:db8:1::7]",
	 "one for its own does"},
	{"addr 192.0.2.7/24 dev a\nroute 0.0.0.0/0 dev b\n",
	 "192.0.2.0/24 a [192.0.2.7]", "that b is local makes a no uplink"},
	{"policy interface a always\naddr 192.0.2.7/24 dev a\n",
	 "192.0.2.0/24 a managed [192.0.2.7]", "always"},
	{"policy interface a never\naddr 192.0.2.7/24 dev a\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev a\n",
	 "192.0.2.0/24 a uplink [192.0.2.7]", "never"},
	{"policy interface a never\npolicy interface * always\n"
	 "addr 192.0.2.7/24 dev a\naddr 10.0.0.2/8 dev b\n"
	 "addr 203.0.113.5/24 dev lo\n",
	 "10.0.0.0/8 b managed [10.0.0.2]; 192.0.2.0/24 a [192.0.2.7]; "
	 "203.0.113.0/24 lo [203.0.113.5]",
	 "the first match counts, lo is not matched by a wildcard"},
	{"policy model strong\npolicy interface b weak\n"
	 "addr 192.0.2.7/24 dev a\naddr 10.0.0.2/8 dev b\n",
	 "10.0.0.0/8 b [10.0.0.2]; 192.0.2.0/24 a strong [192.0.2.7]",
	 "the model of the link, else of all"},
	{"policy interface * always\naddr 10.0.0.2/8 dev a\n"
	 "addr 10.8.0.2/24 dev b\n",
	 "10.0.0.0/8 a managed exact [10.0.0.2]; "
	 "10.8.0.0/24 b managed [10.8.0.2]",
	 "an address of another subnet inside: exact"},
	{"policy interface a always\naddr 10.0.0.2/8 dev a\n"
	 "addr 10.8.0.2 peer 10.8.0.1/32 dev b\n",
	 "10.0.0.0/8 a managed exact [10.0.0.2]; 10.8.0.2/32 b [10.8.0.2]",
	 "an unmanaged tunnel's inside: exact"},
	{"policy interface a always\naddr 192.0.2.7/24 dev a\n"
	 "addr 192.0.2.8/24 dev b scope link\n",
	 "192.0.2.0/24 a managed exact [192.0.2.7]",
	 "a scope link address inside is not its own"},
	{"link 3 b up master 9\naddr 192.0.2.7/24 dev b\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev b\n",
	 "", "enslaved to a VRF"},
	{"link 8 br0 up\nlink 3 b up master 8\naddr 192.0.2.7/24 dev br0\n",
	 "192.0.2.0/24 br0 [192.0.2.7]", "a bridge is no VRF"},
	{"addr 2001:db8::7/64 dev a dadfailed\n", "", "never usable"},
};

static void text_subnet(const struct scene *scene, size_t index, char *ret)
{
	const struct subnet *subnet = &scene->subnets.subnets.items[index];
	const struct subnet_address *it;
	char text[IP_TEXT_MAX];
	const char *space = "";

	ret += sprintf(ret, "%s%s %s%s%s%s%s [", index ? "; " : "",
		       ip_prefix_format(&subnet->prefix, text),
		       model_link(&scene->model, subnet->ifindex)->name,
		       subnet->managed ? " managed" : "",
		       subnet->uplink ? " uplink" : "",
		       subnet->exact ? " exact" : "",
		       subnet->strong ? " strong" : "");
	vec_foreach(&scene->subnets.addresses, it) {
		if (it->subnet != index)
			continue;
		ret += sprintf(ret, "%s%s", space,
			       ip_addr_format(&it->addr, text));
		space = " ";
	}
	(void)sprintf(ret, "]");
}

static const char *text_subnets(const struct scene *scene, char *ret)
{
	ret[0] = '\0';
	for (size_t i = 0; i < scene->subnets.subnets.n; i++)
		text_subnet(scene, i, ret + strlen(ret));
	return ret;
}

static void addresses_make_subnets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(set_cases); i++) {
		const struct set_case *c = &set_cases[i];
		char text[1000];
		struct scene scene;

		scene_init(&scene);
		scene_read(&scene, LINKS);
		scene_read(&scene, c->scene);
		scene_manage(&scene);
		if (strcmp(text_subnets(&scene, text), c->subnets) != 0)
			fail_msg("%s(%s)\n%s\ninstead of\n%s", c->scene, c->why,
				 text, c->subnets);
		for (size_t n = 1; n < scene.subnets.addresses.n; n++)
			assert_true(
				scene.subnets.addresses.items[n - 1].subnet <=
				scene.subnets.addresses.items[n].subnet);
		scene_done(&scene);
	}
}

static void source_belongs_to_the_longest(void **state)
{
	struct scene scene;
	struct ip_addr addr = scene_addr("10.1.5.2");
	const struct subnet *subnet;

	(void)state;
	scene_make(&scene, LINKS "policy interface * always\n"
				 "addr 10.1.5.2/16 dev a\n"
				 "addr 10.1.5.2/24 dev b\n");
	subnet = subnet_of_source(&scene.subnets, &addr);
	assert_non_null(subnet);
	assert_int_equal(subnet->prefix.len, 24);
	addr = scene_addr("10.1.5.3");
	assert_null(subnet_of_source(&scene.subnets, &addr));
	scene_done(&scene);
}

static void equal_sets_are_equal(void **state)
{
	static const char *const changes[] = {
		"addr 192.0.2.8/24 dev a\n",
		"addr 192.0.2.8/24 dev a\ndel addr 192.0.2.7/24 dev a\n",
		"addr 10.0.0.2/8 dev b\n",
		"policy model strong\n",
		"route 0.0.0.0/0 via 192.0.2.1 dev a\n",
		"addr 192.0.2.9/24 dev a\n",
	};
	struct scene a;
	struct scene b;

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		scene_make(&a, LINKS "addr 192.0.2.7/24 dev a\n");
		scene_make(&b, LINKS "addr 192.0.2.7/24 dev a\n");
		assert_true(subnet_set_equal(&a.subnets, &b.subnets));
		scene_read(&b, changes[i]);
		scene_manage(&b);
		if (subnet_set_equal(&a.subnets, &b.subnets))
			fail_msg("no difference: %s", changes[i]);
		scene_done(&a);
		scene_done(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hop_is_on_the_subnet),
		cmocka_unit_test(addresses_make_subnets),
		cmocka_unit_test(source_belongs_to_the_longest),
		cmocka_unit_test(equal_sets_are_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
