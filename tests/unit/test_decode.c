/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "tests/unit/messages.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void links_are_decoded(void **state)
{
	struct kernel_event event;
	struct nlattr *nest;
	struct nl_msg *msg;

	(void)state;
	msg = message_begin_link(AF_UNSPEC, IFF_UP | IFF_LOWER_UP, "eth0");
	message_add_u32(msg, IFLA_MASTER, 77);
	nest = nla_nest_start(msg, IFLA_LINKINFO);
	message_add_text(msg, IFLA_INFO_KIND, "vrf");
	nla_nest_end(msg, nest);
	message_decode_as(msg, KERNEL_LINK, &event);
	assert_int_equal(event.link.ifindex, 5);
	assert_string_equal(event.link.name, "eth0");
	assert_int_equal(event.link.master, 77);
	assert_true(event.link.up && event.link.carrier && event.link.vrf);
	assert_false(event.link.loopback);

	message_decode_as(message_begin_link(AF_UNSPEC, IFF_LOOPBACK, "lo"),
			  KERNEL_LINK, &event);
	assert_true(event.link.loopback);
	assert_false(event.link.up || event.link.carrier || event.link.vrf);
	assert_int_equal(event.link.master, 0);
}

/* Whose carrier a link has; a tunnel has its own. */
static void lower_links_are_decoded(void **state)
{
	static const struct {
		const char *kind;
		bool elsewhere; /* the lower link is in another namespace */
		uint32_t lower;
		bool vlan;
	} cases[] = {
		{"vlan", false, 9, true},	{"macvlan", false, 9, false},
		{"ipvlan", false, 9, false},	{"macvlan", true, 0, false},
		{"wireguard", false, 0, false}, {"gre", false, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct nl_msg *msg =
			message_begin_link(AF_UNSPEC, IFF_UP, "eth0");
		struct kernel_event event;
		struct nlattr *nest;

		message_add_u32(msg, IFLA_LINK, 9);
		if (cases[i].elsewhere)
			message_add_u32(msg, IFLA_LINK_NETNSID, 0);
		nest = nla_nest_start(msg, IFLA_LINKINFO);
		message_add_text(msg, IFLA_INFO_KIND, cases[i].kind);
		nla_nest_end(msg, nest);
		message_decode_as(msg, KERNEL_LINK, &event);
		assert_int_equal(event.link.lower, cases[i].lower);
		assert_int_equal(event.link.vlan, cases[i].vlan);
	}
}

/* What the kernel tells of a link's IPv6, and how much of it. */
static void whether_a_link_has_ipv6_is_decoded(void **state)
{
	static const struct {
		const char *why;
		bool families; /* the attribute is there at all */
		bool ipv6;     /* and names IPv6 */
		size_t settings;
		int32_t off;
		bool no_ipv6;
	} cases[] = {
		{"it is on", true, true, DEVCONF_DISABLE_IPV6 + 9, 0, false},
		{"switched off", true, true, DEVCONF_DISABLE_IPV6 + 9, 1, true},
		{"the last one told", true, true, DEVCONF_DISABLE_IPV6 + 1, 1,
		 true},
		{"not told", true, true, DEVCONF_DISABLE_IPV6, 1, false},
		{"no settings", true, true, 0, 0, false},
		{"an MTU below 1280", true, false, 0, 0, true},
		{"no families", false, false, 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct nl_msg *msg =
			message_begin_link(AF_UNSPEC, IFF_UP, "eth0");
		int32_t settings[DEVCONF_DISABLE_IPV6 + 9];
		struct nlattr *nest = NULL;
		struct kernel_event event;

		for (size_t j = 0; j < COUNT(settings); j++)
			settings[j] =
				j == DEVCONF_DISABLE_IPV6 ? cases[i].off : 7;
		if (cases[i].families) {
			nest = nla_nest_start(msg, IFLA_AF_SPEC);
			message_add_u32(msg, AF_INET, 0);
		}
		if (cases[i].ipv6) {
			struct nlattr *six = nla_nest_start(msg, AF_INET6);

			message_add_u32(msg, IFLA_INET6_FLAGS, 0);
			if (cases[i].settings)
				message_add(msg, IFLA_INET6_CONF, settings,
					    cases[i].settings *
						    sizeof(settings[0]));
			nla_nest_end(msg, six);
		}
		if (nest)
			nla_nest_end(msg, nest);
		message_decode_as(msg, KERNEL_LINK, &event);
		if (event.link.no_ipv6 != cases[i].no_ipv6)
			fail_msg("%s", cases[i].why);
	}
}

static void link_messages_that_are_none_say_nothing(void **state)
{
	struct nl_msg *msg;

	(void)state;
	message_says_nothing(message_begin_link(AF_BRIDGE, IFF_UP, "port1"));
	/* A wireless event has no master: it would free a bridge's port. */
	msg = message_begin_link(AF_UNSPEC, IFF_UP, "wlan0");
	message_add(msg, IFLA_WIRELESS, "\1\2\3\4", 4);
	message_says_nothing(msg);
}

struct address_case {
	uint8_t family;
	const char *local; /* NULL: not in the message */
	const char *address;
	uint32_t flags;
	const char *want_local;
	const char *want_peer;
	const char *want; /* t tentative, f failed, d deprecated, y temporary */
};

static const struct address_case address_cases[] = {
	{AF_INET, "192.0.2.7", "192.0.2.7", IFA_F_PERMANENT, "192.0.2.7",
	 "192.0.2.7", ""},
	{AF_INET, "192.0.2.7", "198.51.100.1", 0, "192.0.2.7", "198.51.100.1",
	 ""},
	{AF_INET, "192.0.2.7", NULL, 0, "192.0.2.7", "192.0.2.7", ""},
	{AF_INET6, NULL, "2001:db8::1", IFA_F_TENTATIVE, "2001:db8::1",
	 "2001:db8::1", "t"},
	{AF_INET6, NULL, "2001:db8::1", IFA_F_TENTATIVE | IFA_F_OPTIMISTIC,
	 "2001:db8::1", "2001:db8::1", ""},
	{AF_INET6, NULL, "2001:db8::1", IFA_F_TENTATIVE | IFA_F_DADFAILED,
	 "2001:db8::1", "2001:db8::1", "tf"},
	{AF_INET6, "2001:db8::1", "2001:db8::2", IFA_F_DEPRECATED,
	 "2001:db8::1", "2001:db8::2", "d"},
	{AF_INET6, NULL, "2001:db8::1", IFA_F_TEMPORARY | IFA_F_STABLE_PRIVACY,
	 "2001:db8::1", "2001:db8::1", "y"},
};

static struct nl_msg *make_address(const struct address_case *which)
{
	struct ifaddrmsg info = {
		.ifa_family = which->family,
		.ifa_prefixlen = 24,
		.ifa_flags = IFA_F_TENTATIVE, /* IFA_FLAGS overrides */
		.ifa_scope = RT_SCOPE_LINK,
		.ifa_index = 6,
	};
	struct nl_msg *msg = message_begin(RTM_NEWADDR, 0, &info, sizeof(info));

	if (which->local)
		message_add_addr(msg, IFA_LOCAL, which->local);
	if (which->address)
		message_add_addr(msg, IFA_ADDRESS, which->address);
	message_add_u32(msg, IFA_FLAGS, which->flags);
	return msg;
}

static void addresses_are_decoded(void **state)
{
	const struct address *got;
	struct kernel_event event;
	char flags[5];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(address_cases); i++) {
		message_decode_as(make_address(&address_cases[i]),
				  KERNEL_ADDRESS, &event);
		got = &event.address;
		assert_int_equal(got->ifindex, 6);
		assert_int_equal(got->prefix_len, 24);
		assert_int_equal(got->scope, RT_SCOPE_LINK);
		assert_addr(&got->local, address_cases[i].want_local);
		assert_addr(&got->peer, address_cases[i].want_peer);
		(void)snprintf(
			flags, sizeof(flags), "%s%s%s%s",
			got->tentative ? "t" : "", got->dad_failed ? "f" : "",
			got->deprecated ? "d" : "", got->temporary ? "y" : "");
		assert_string_equal(flags, address_cases[i].want);
	}
}

static void neighbours_are_decoded(void **state)
{
	static const struct {
		uint16_t nud;
		bool unresolved;
		bool failed;
		bool permanent;
		const char *why;
	} cases[] = {
		{NUD_FAILED, false, true, false, "failed"},
		{NUD_REACHABLE, false, false, false, "valid"},
		{NUD_STALE, false, false, false, "valid"},
		{NUD_DELAY, false, false, false, "valid"},
		{NUD_PROBE, false, false, false, "valid"},
		{NUD_PERMANENT, false, false, true, "valid"},
		{NUD_NOARP, false, false, true, "valid"},
		{NUD_INCOMPLETE, true, false, false, "says neither"},
		{NUD_NONE, true, false, false, "says neither"},
	};
	struct ndmsg info = {.ndm_family = AF_INET6, .ndm_ifindex = 4};
	struct kernel_event event;
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		info.ndm_state = cases[i].nud;
		msg = message_begin(RTM_NEWNEIGH, 0, &info, sizeof(info));
		message_add_addr(msg, NDA_DST, "fe80::1");
		message_add_u32(msg, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
		message_add_u8(msg, NDA_PROTOCOL, 109);
		assert_true(message_decode(msg, &messages_context, &event));
		if (event.neighbour.unresolved != cases[i].unresolved)
			fail_msg("state %#x (%s)", cases[i].nud, cases[i].why);
		assert_int_equal(event.kind, KERNEL_NEIGHBOUR);
		assert_int_equal(event.neighbour.ifindex, 4);
		assert_addr(&event.neighbour.addr, "fe80::1");
		assert_int_equal(event.neighbour.failed, cases[i].failed);
		assert_int_equal(event.neighbour.permanent, cases[i].permanent);
		assert_true(event.neighbour.managed);
		assert_int_equal(event.neighbour.protocol, 109);
	}
}

static void neighbours_that_are_none_say_nothing(void **state)
{
	struct ndmsg info = {
		.ndm_family = AF_BRIDGE,
		.ndm_ifindex = 4,
		.ndm_state = NUD_REACHABLE,
	};
	struct nl_msg *msg;

	(void)state;
	message_says_nothing(
		message_begin(RTM_NEWNEIGH, 0, &info, sizeof(info)));
	info.ndm_family = AF_INET;
	info.ndm_flags = NTF_PROXY;
	msg = message_begin(RTM_NEWNEIGH, 0, &info, sizeof(info));
	message_add_addr(msg, NDA_DST, "192.0.2.1");
	message_says_nothing(msg);
}

static void nexthop_objects_are_decoded(void **state)
{
	struct nhmsg info = {.nh_family = AF_INET};
	struct kernel_event event;
	struct nl_msg *msg =
		message_begin(RTM_DELNEXTHOP, 0, &info, sizeof(info));

	(void)state;
	message_add_u32(msg, NHA_ID, 99);
	message_decode_as(msg, KERNEL_NEXTHOP, &event);
	assert_true(event.deleted);
	assert_int_equal(event.nexthop_id, 99);
}

/* --- rules --- */

static void our_rules_are_decoded(void **state)
{
	struct nl_msg *msg = message_begin_rule(24, 0, 0);
	struct rule want = {
		.family = AF_INET,
		.priority = 7109,
		.table = 7100,
		.action = RULE_ACTION_LOOKUP,
		.protocol = 109,
		.iif_lo = true,
		.suppress_len = -1,
	};
	struct kernel_event event;

	(void)state;
	assert_int_equal(ip_prefix_parse("192.0.2.0/24", &want.src), 0);
	want.dst = ip_prefix_default(AF_INET);
	message_add_text(msg, FRA_IIFNAME, "lo");
	message_add_addr(msg, FRA_SRC, "192.0.2.0");
	message_decode_as(msg, KERNEL_RULE, &event);
	assert_int_equal(rule_cmp(&event.rule, &want), 0);
}

static void foreign_rules_tell_whom_they_catch(void **state)
{
	static const struct {
		int type;	  /* of an attribute besides; 0: none */
		const char *text; /* its value; NULL: the number */
		uint32_t number;
		uint8_t tos;
		uint32_t flags;
		const char *want; /* i iif, o oif, s selective, ! not, m mark,
				     p suppress */
	} cases[] = {
		{0, NULL, 0, 0, 0, ""},
		{FRA_IIFNAME, "eth0", 0, 0, 0, "i"},
		{FRA_IIFNAME, "lo", 0, 0, 0, ""},
		{FRA_IIFNAME, "lo2", 0, 0, 0, "i"},
		{FRA_OIFNAME, "eth0", 0, 0, 0, "o"},
		{FRA_FWMARK, NULL, 51820, 0, 0, "m"},
		{FRA_FWMARK, NULL, 51820, 0, FIB_RULE_INVERT, "!m"},
		{FRA_FWMASK, NULL, 255, 0, 0, "m"},
		{FRA_SUPPRESS_PREFIXLEN, NULL, 0, 0, 0, "p"},
		{FRA_SUPPRESS_IFGROUP, NULL, 0, 0, 0, "s"},
		{FRA_L3MDEV, NULL, 1, 0, 0, "s"},
		{FRA_IP_PROTO, NULL, 6, 0, 0, "s"},
		{FRA_UID_RANGE, NULL, 0, 0, 0, "s"},
		{FRA_SPORT_RANGE, NULL, 0, 0, 0, "s"},
		{FRA_TUN_ID, NULL, 0, 0, 0, "s"},
		{FRA_FLOW, NULL, 7, 0, 0, ""},
		{250, NULL, 7, 0, 0, "s"},
		{0, NULL, 0, 0x10, 0, "s"},
		{0, NULL, 0, 0, FIB_RULE_INVERT, "!"},
		{0, NULL, 0, 0, FIB_RULE_PERMANENT, ""},
	};
	struct kernel_event event;
	struct nl_msg *msg;
	char got[8];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		msg = message_begin_rule(0, cases[i].tos, cases[i].flags);
		if (cases[i].text)
			message_add_text(msg, cases[i].type, cases[i].text);
		else if (cases[i].type)
			message_add_u32(msg, cases[i].type, cases[i].number);
		message_decode_as(msg, KERNEL_RULE, &event);
		(void)snprintf(got, sizeof(got), "%s%s%s%s%s%s",
			       event.rule.other_iif ? "i" : "",
			       event.rule.oif ? "o" : "",
			       event.rule.selective ? "s" : "",
			       event.rule.invert ? "!" : "",
			       event.rule.fwmark || event.rule.fwmask ? "m"
								      : "",
			       event.rule.suppress_len >= 0 ? "p" : "");
		if (strcmp(got, cases[i].want) != 0)
			fail_msg("attribute %d reads '%s', not '%s'",
				 cases[i].type, got, cases[i].want);
	}
}

static void foreign_rule_families_say_nothing(void **state)
{
	struct fib_rule_hdr info = {.family = RTNL_FAMILY_IPMR};

	(void)state;
	message_says_nothing(
		message_begin(RTM_NEWRULE, 0, &info, sizeof(info)));
	message_says_nothing(
		message_begin(RTM_NEWNETCONF, 0, &info, sizeof(info)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_are_decoded),
		cmocka_unit_test(lower_links_are_decoded),
		cmocka_unit_test(whether_a_link_has_ipv6_is_decoded),
		cmocka_unit_test(link_messages_that_are_none_say_nothing),
		cmocka_unit_test(addresses_are_decoded),
		cmocka_unit_test(neighbours_are_decoded),
		cmocka_unit_test(neighbours_that_are_none_say_nothing),
		cmocka_unit_test(nexthop_objects_are_decoded),
		cmocka_unit_test(our_rules_are_decoded),
		cmocka_unit_test(foreign_rules_tell_whom_they_catch),
		cmocka_unit_test(foreign_rule_families_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
