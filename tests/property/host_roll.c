/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a random host comes about. Few prefixes, few addresses and few metrics,
 * so that they meet: equal prefixes on two links, addresses inside each other's
 * subnets, gateways that fail.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/property/host.h"

#define ROLL_MAX 32

struct net {
	struct ip_prefix prefix;
	struct ip_addr addr;
	uint32_t link;
};

struct gateway {
	struct ip_addr addr;
	uint32_t link;
};

struct roll {
	struct dice *dice;
	struct line_vec *lines;
	uint32_t first_link; /* 2; 1 is lo */
	uint32_t n_links;
	struct net nets[ROLL_MAX];
	size_t n_nets;
	struct gateway gateways[ROLL_MAX];
	size_t n_gateways;
};

static const char *const pool4[] = {
	"10.0.0.0/8",	   "10.1.0.0/16",	 "10.1.1.0/24",
	"10.1.1.128/25",   "10.1.2.0/24",	 "192.0.2.0/24",
	"192.0.2.64/26",   "198.51.100.0/24",	 "203.0.113.0/24",
	"169.254.0.0/16",  "169.254.169.254/32", "100.64.0.0/10",
	"198.51.100.7/32", "128.0.0.0/1",	 "10.1.1.9/32",
};

static const char *const pool6[] = {
	"2001:db8::/32",
	"2001:db8:1::/48",
	"2001:db8:1:1::/64",
	"2001:db8:2::/64",
	"2001:db8:1:1:8000::/65",
	"2001:db8:1:2::/64",
	"fd00::/8",
	"fd00:1::/64",
	"64:ff9b::/96",
	"2001:db8:2::7/128",
	"2000::/3",
	"fe80::/64",
};

/* Of the pools, what may be a subnet. */
static const char *const nets4[] = {
	"10.1.1.0/24",	 "10.1.0.0/16",	    "10.1.1.128/25",
	"192.0.2.0/24",	 "192.0.2.64/26",   "198.51.100.0/24",
	"100.64.0.0/10", "198.51.100.0/25", "10.1.2.0/24",
};

static const char *const nets6[] = {
	"2001:db8:1:1::/64", "2001:db8:2::/64", "2001:db8:1:1:8000::/65",
	"2001:db8:1:2::/64", "fd00:1::/64",	"2001:db8:1::/48",
};

static const uint32_t metrics[] = {0, 1, 10, 100, 100, 100, 200, 1024, 1024};

#define PICK(dice, array)                                                      \
	((array)[dice_below((dice), sizeof(array) / sizeof((array)[0]))])

__attribute__((format(printf, 2, 3))) static void add(struct roll *roll,
						      const char *format, ...)
{
	struct line line;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line.text, sizeof(line.text), format, args);
	va_end(args);
	vec_push(roll->lines, line);
}

static uint32_t some_link(struct roll *roll)
{
	return roll->first_link + dice_below(roll->dice, roll->n_links);
}

/* Mostly one of the first few, so that two often pick the same. */
static struct ip_addr some_address(struct dice *dice,
				   const struct ip_prefix *prefix)
{
	struct ip_addr addr = prefix->addr;
	unsigned int bits = ip_bits(addr.family);
	unsigned int room = bits - prefix->len;

	if (dice_chance(dice, 15)) {
		addr = ip_prefix_last(prefix);
		if (room > 1)
			addr.bytes[bits / 8 - 1] ^= 1;
	} else if (room > 0) {
		uint32_t low = 1 + dice_below(dice, 9);

		addr.bytes[bits / 8 - 1] |=
			(uint8_t)(low & (room >= 8 ? 255U : (1U << room) - 1));
	}
	return addr;
}

static struct ip_prefix some_prefix(struct roll *roll, uint8_t family)
{
	struct dice *dice = roll->dice;
	uint32_t what = dice_below(dice, 100);
	struct ip_prefix prefix;
	struct ip_addr addr;

	if (what < 40)
		return ip_prefix_default(family);
	prefix = scene_prefix(family == AF_INET ? PICK(dice, pool4)
						: PICK(dice, pool6));
	if (what < 90)
		return prefix;
	addr = some_address(dice, &prefix);
	return ip_prefix_make(
		&addr,
		(uint8_t)(prefix.len +
			  dice_below(dice, ip_bits(family) + 1U - prefix.len)));
}

static void roll_link(struct roll *roll, uint32_t ifindex)
{
	uint32_t state = dice_below(roll->dice, 100);

	add(roll, "link %u l%u %s", ifindex, ifindex,
	    state < 82	 ? "up"
	    : state < 95 ? "up no-carrier"
			 : "down");
}

static void roll_links(struct roll *roll)
{
	roll->first_link = 2;
	roll->n_links = 2 + dice_below(roll->dice, 4);
	add(roll, "link 1 lo up loopback");
	if (dice_chance(roll->dice, 5)) {
		add(roll, "link 20 vrf0 up vrf");
		add(roll, "link 2 l2 up master 20");
		add(roll, "link 3 l3 up");
	} else {
		roll_link(roll, 2);
		roll_link(roll, 3);
	}
	for (uint32_t i = 4; i < 2 + roll->n_links; i++)
		roll_link(roll, i);
}

static void roll_policy(struct roll *roll)
{
	static const char *const words[] = {
		"always",	  "never",  "weak",  "strong",
		"metric_add 150", "always", "never", "always strong",
	};

	if (dice_chance(roll->dice, 40))
		add(roll, "policy model strong");
	for (uint32_t i = 0; i < roll->n_links; i++)
		if (dice_chance(roll->dice, 12))
			add(roll, "policy interface l%u %s",
			    roll->first_link + i, PICK(roll->dice, words));
}

static void remember_net(struct roll *roll, const struct net *net)
{
	if (roll->n_nets < ROLL_MAX)
		roll->nets[roll->n_nets++] = *net;
}

/* An address with a subnet, and mostly its connected route. */
static void roll_subnet(struct roll *roll, const struct net *net)
{
	char prefix[IP_TEXT_MAX];
	char addr[IP_TEXT_MAX];

	(void)ip_prefix_format(&net->prefix, prefix);
	(void)ip_addr_format(&net->addr, addr);
	add(roll, "addr %s/%u dev l%u", addr, net->prefix.len, net->link);
	if (dice_chance(roll->dice, 92))
		add(roll, "route %s dev l%u proto 2 metric %d%s%s", prefix,
		    net->link, net->addr.family == AF_INET ? 0 : 256,
		    net->addr.family == AF_INET ? " src " : "",
		    net->addr.family == AF_INET ? addr : "");
	remember_net(roll, net);
}

/* An address of its own: a VIP, on lo, point-to-point, link scope. */
static void roll_lone_address(struct roll *roll, const struct net *net)
{
	char addr[IP_TEXT_MAX];
	char peer[IP_TEXT_MAX];
	unsigned int bits = ip_bits(net->addr.family);
	struct ip_addr other = some_address(roll->dice, &net->prefix);

	(void)ip_addr_format(&net->addr, addr);
	(void)ip_addr_format(&other, peer);
	switch (dice_below(roll->dice, 4)) {
	case 0:
		add(roll, "addr %s/%u dev lo", addr, bits);
		break;
	case 1:
		add(roll, "addr %s peer %s/%u dev l%u", addr, peer, bits,
		    net->link);
		add(roll, "route %s/%u dev l%u", peer, bits, net->link);
		remember_net(roll, net);
		break;
	case 2:
		add(roll, "addr %s/%u dev l%u scope link", addr,
		    net->prefix.len, net->link);
		break;
	default:
		add(roll, "addr %s/%u dev l%u", addr, bits, net->link);
		remember_net(roll, net);
		break;
	}
}

static void roll_address(struct roll *roll, uint8_t family)
{
	struct dice *dice = roll->dice;
	struct net net = {.link = some_link(roll)};

	net.prefix = scene_prefix(family == AF_INET ? PICK(dice, nets4)
						    : PICK(dice, nets6));
	if (roll->n_nets && dice_chance(dice, 30)) {
		struct net *old =
			&roll->nets[dice_below(dice, (uint32_t)roll->n_nets)];

		if (old->prefix.addr.family == family)
			net.prefix = old->prefix;
		if (dice_chance(dice, 60))
			net.link = old->link;
	}
	net.addr = some_address(dice, &net.prefix);
	if (dice_chance(dice, 75))
		roll_subnet(roll, &net);
	else
		roll_lone_address(roll, &net);
}

/* "via ... dev ..." */
static void hop_text(struct roll *roll, uint8_t family, char *text, size_t size)
{
	struct dice *dice = roll->dice;
	struct gateway hop = {.link = some_link(roll)};
	uint32_t what = dice_below(dice, 100);
	char via[IP_TEXT_MAX];
	struct net *net;

	if (what < 18 || (what < 70 && !roll->n_nets)) {
		(void)snprintf(text, size, "dev l%u", hop.link);
		return;
	}
	if (what < (family == AF_INET ? 24 : 45)) {
		hop.addr = scene_addr(dice_chance(dice, 50) ? "fe80::1"
							    : "fe80::2");
	} else if (what < 82 && roll->n_nets) {
		net = &roll->nets[dice_below(dice, (uint32_t)roll->n_nets)];
		if (net->addr.family != family)
			net = &roll->nets[0];
		hop.addr = some_address(dice, &net->prefix);
		if (dice_chance(dice, 85))
			hop.link = net->link;
	}
	if (!ip_addr_is_set(&hop.addr) ||
	    (family == AF_INET6 && hop.addr.family == AF_INET))
		hop.addr = scene_addr(family == AF_INET ? "172.16.0.1"
							: "2001:db8:f::1");
	(void)ip_addr_format(&hop.addr, via);
	(void)snprintf(text, size, "via %s%s dev l%u%s",
		       hop.addr.family != family ? "inet6 " : "", via, hop.link,
		       dice_chance(dice, 5) ? " onlink" : "");
	if (roll->n_gateways < ROLL_MAX)
		roll->gateways[roll->n_gateways++] = hop;
}

static void hops_text(struct roll *roll, uint8_t family, char *text,
		      size_t size)
{
	uint32_t n = 2 + dice_below(roll->dice, 2);
	size_t len = 0;

	if (!dice_chance(roll->dice, 15)) {
		hop_text(roll, family, text, size);
		return;
	}
	for (uint32_t i = 0; i < n && len + 100 < size; i++) {
		len += (size_t)snprintf(text + len, size - len, "nexthop ");
		hop_text(roll, family, text + len, size - len);
		len += strlen(text + len);
		if (dice_chance(roll->dice, 30))
			len += (size_t)snprintf(text + len, size - len,
						" weight 3");
		len += (size_t)snprintf(text + len, size - len, " ");
	}
}

/* What may stand behind the next hops, each rarely. */
static void option_text(struct roll *roll, uint8_t family, char *text,
			size_t size)
{
	static const char *const v4[] = {"tos 0x10", "tos 0x10", "tos 0x08",
					 "mtu 1300"};
	static const char *const v6[] = {
		"pref high", "pref low",	   "from 2001:db8:1::/48",
		"mtu 1300",  "from 2001:db8::/32", "from 2001:db8:1:1::/64",
	};
	char src[IP_TEXT_MAX];

	text[0] = '\0';
	if (dice_chance(roll->dice, 25))
		(void)snprintf(text, size, "%s",
			       family == AF_INET ? PICK(roll->dice, v4)
						 : PICK(roll->dice, v6));
	else if (roll->n_nets && dice_chance(roll->dice, 12) &&
		 roll->nets[0].addr.family == family)
		(void)snprintf(text, size, "src %s",
			       ip_addr_format(&roll->nets[0].addr, src));
}

static void roll_route(struct roll *roll, uint8_t family)
{
	static const char *const rejects[] = {"blackhole", "unreachable",
					      "prohibit", "throw"};
	struct dice *dice = roll->dice;
	struct ip_prefix prefix = some_prefix(roll, family);
	uint32_t metric = PICK(dice, metrics);
	char text[IP_TEXT_MAX];
	char hops[HOST_LINE_MAX];
	char option[40];

	(void)ip_prefix_format(&prefix, text);
	if (family == AF_INET6 && metric == 0)
		metric = 1024;
	option_text(roll, family, option, sizeof(option));
	if (dice_chance(dice, 12)) {
		if (dice_chance(dice, 30))
			metric = UINT32_MAX;
		add(roll, "route %s %s metric %u %s", PICK(dice, rejects), text,
		    metric, strncmp(option, "tos", 3) == 0 ? option : "");
		return;
	}
	if (dice_chance(dice, 4)) {
		add(roll, "policy route %s dev l%u metric %u", text,
		    some_link(roll), metric);
		return;
	}
	hops_text(roll, family, hops, sizeof(hops));
	add(roll, "route %s metric %u %s %s", text, metric, option, hops);
}

static void roll_failure(struct roll *roll, const struct gateway *gateway)
{
	char text[IP_TEXT_MAX];

	add(roll, "neigh %s dev l%u failed",
	    ip_addr_format(&gateway->addr, text), gateway->link);
}

static void roll_binding(struct roll *roll)
{
	const struct gateway *gateway = &roll->gateways[dice_below(
		roll->dice, (uint32_t)roll->n_gateways)];
	const struct net *net =
		&roll->nets[dice_below(roll->dice, (uint32_t)roll->n_nets)];
	char router[IP_TEXT_MAX];
	char prefix[IP_TEXT_MAX];

	(void)ip_addr_format(&gateway->addr, router);
	(void)ip_prefix_format(&net->prefix, prefix);
	if (dice_chance(roll->dice, 60))
		add(roll, "binding router %s dev l%u prefix %s", router,
		    gateway->link, prefix);
	else
		add(roll, "binding dev l%u prefix %s", gateway->link, prefix);
}

static void roll_advert(struct roll *roll)
{
	const struct gateway *gateway = &roll->gateways[dice_below(
		roll->dice, (uint32_t)roll->n_gateways)];
	const struct net *net =
		&roll->nets[dice_below(roll->dice, (uint32_t)roll->n_nets)];
	char router[IP_TEXT_MAX];
	char prefix[IP_TEXT_MAX];

	if (gateway->addr.family != AF_INET6 ||
	    net->prefix.addr.family != AF_INET6)
		return;
	add(roll, "advert %s dev l%u prefix %s",
	    ip_addr_format(&gateway->addr, router), gateway->link,
	    ip_prefix_format(&net->prefix, prefix));
}

static void roll_family(struct roll *roll, uint8_t family)
{
	uint32_t n = 1 + dice_below(roll->dice, 6);

	while (n-- > 0)
		roll_address(roll, family);
	n = 2 + dice_below(roll->dice, 14);
	while (n-- > 0)
		roll_route(roll, family);
}

void host_roll(struct dice *dice, struct line_vec *lines)
{
	struct roll roll = {.dice = dice, .lines = lines};
	uint32_t families = dice_below(dice, 3);

	roll_links(&roll);
	roll_policy(&roll);
	if (families != 1)
		roll_family(&roll, AF_INET);
	if (families != 0)
		roll_family(&roll, AF_INET6);
	for (size_t i = 0; i < roll.n_gateways; i++)
		if (dice_chance(dice, 12))
			roll_failure(&roll, &roll.gateways[i]);
	if (roll.n_gateways && roll.n_nets && dice_chance(dice, 25))
		roll_binding(&roll);
	while (roll.n_gateways && roll.n_nets && dice_chance(dice, 50))
		roll_advert(&roll);
	if (dice_chance(dice, 10))
		add(&roll, "rule 7105 from 10.9.0.0/16 iif l2 lookup 7100");
}

/* --- changes --- */

static const struct line *
some_line(struct dice *dice, const struct line_vec *lines, const char *verb)
{
	const struct line *found = NULL;
	const struct line *line;
	uint32_t n = 0;

	vec_foreach(lines, line)
		if (strncmp(line->text, verb, strlen(verb)) == 0 &&
		    dice_below(dice, ++n) == 0)
			found = line;
	return found;
}

/* A full tunnel: foreign, after our rules, with a default of its own. */
static void roll_tunnel(struct roll *roll, uint8_t family)
{
	bool v4 = family == AF_INET;

	add(roll, "route %s dev l2 table 200", v4 ? "0.0.0.0/0" : "::/0");
	add(roll, "rule 9000 lookup 200%s", v4 ? "" : " inet6");
}

static void change_once(struct roll *roll, const struct line_vec *lines,
			uint8_t family)
{
	static const char *const verbs[] = {"route", "route", "route",
					    "addr",  "addr",  "neigh"};
	struct dice *dice = roll->dice;
	const struct line *old;

	switch (dice_below(dice, 14)) {
	case 0:
	case 1:
	case 2:
	case 3:
	case 4:
		roll_route(roll, family);
		break;
	case 5:
	case 6:
		roll_address(roll, family);
		break;
	case 7:
	case 8:
		roll_link(roll, 3);
		break;
	case 9:
		roll_tunnel(roll, family);
		break;
	default:
		old = some_line(dice, lines, PICK(dice, verbs));
		if (old)
			add(roll, "del %.230s", old->text);
		break;
	}
}

void host_change(struct dice *dice, const struct line_vec *lines,
		 struct line_vec *changes)
{
	struct roll roll = {.dice = dice, .lines = changes, .first_link = 2};
	uint32_t n = 1 + dice_below(dice, 4);
	const struct line *line;
	bool v6 = false;

	vec_foreach(lines, line) {
		if (strncmp(line->text, "link ", 5) == 0)
			roll.n_links++;
		v6 |= strncmp(line->text, "addr 2", 6) == 0;
	}
	/* lo is not one to choose; a VRF stands for itself. */
	roll.n_links = roll.n_links > 3 ? roll.n_links - 2 : 2;
	while (n-- > 0)
		change_once(&roll, lines, v6 ? AF_INET6 : AF_INET);
}
