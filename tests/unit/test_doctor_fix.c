/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor says to do, word for word: it is there to be copied.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/patient.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define A                                                                      \
	"link 2 a up\naddr 192.0.2.2/24 dev a\nroute 192.0.2.0/24 dev a\n"     \
	"route 0.0.0.0/0 via 192.0.2.1 dev a metric 100\n"
#define B                                                                      \
	"link 3 b up\naddr 198.51.100.2/24 dev b\n"                            \
	"route 198.51.100.0/24 dev b\n"
#define B_DEFAULT "route 0.0.0.0/0 via 198.51.100.1 dev b metric 200\n"
#define P	  "route 203.0.113.0/24 via 198.51.100.1 dev b\n"
#define CONF	  "/etc/multihomed.conf: "
#define SYSCTL	  "/etc/sysctl.d/90-multihomed.conf: "

static const struct {
	const char *scene;
	const char *facts;
	const char *id;
	const char *fix[FINDING_FIXES]; /* the first NULL ends it */
	const char *why;
} cases[] = {
	{A B B_DEFAULT P,
	 "a rp_filter=1\nall rp_filter=0\n",
	 "rp-filter",
	 {"sysctl -w net.ipv4.conf.a.rp_filter=2",
	  SYSCTL "net.ipv4.conf.a.rp_filter = 2"},
	 "loose"},
	{A B B_DEFAULT P "policy model strong\n",
	 "a rp_filter=1\nall rp_filter=0\n",
	 "rp-filter",
	 {CONF "routes = ( { to = \"203.0.113.0/24\"; via = \"192.0.2.1\"; "
	       "dev = \"a\"; metric = 300; } );",
	  "multihomectl reload"},
	 "strong: a route of its own"},
	{"link 2 a.5 up\naddr 2001:db8::2/64 dev a.5\n"
	 "route ::/0 via fe80::1 dev a.5 proto 9\n",
	 "a.5 forwarding6=1\n",
	 "forwarding-ra",
	 {"sysctl -w net/ipv6/conf/a.5/accept_ra=2",
	  SYSCTL "net/ipv6/conf/a.5/accept_ra = 2"},
	 "a VLAN's name has a dot"},
	{A "link 3 b up\naddr 192.0.2.3/24 dev b\n"
	   "route 0.0.0.0/0 via 192.0.2.1 dev b metric 200\n",
	 "b arp_ignore=1 arp_announce=2\n",
	 "arp-flux",
	 {"sysctl -w net.ipv4.conf.a.arp_ignore=1",
	  SYSCTL "net.ipv4.conf.a.arp_ignore = 1",
	  "sysctl -w net.ipv4.conf.a.arp_announce=2",
	  SYSCTL "net.ipv4.conf.a.arp_announce = 2"},
	 "both, on that link"},
	{A B,
	 "lease 198.51.100.1 dev b\n",
	 "no-default",
	 {CONF "routes = ( { to = \"default\"; via = \"198.51.100.1\"; dev = "
	       "\"b\"; metric = 200; } );",
	  "multihomectl reload"},
	 "the lease's router, behind the other default"},
	{A B P,
	 "",
	 "no-default",
	 {CONF "routes = ( { to = \"default\"; via = \"198.51.100.1\"; dev = "
	       "\"b\"; metric = 200; } );",
	  "multihomectl reload"},
	 "the router of another route"},
	{A "link 3 b up\naddr 192.0.2.3/24 dev b\n",
	 "",
	 "no-default",
	 {CONF "routes = ( { to = \"default\"; via = \"192.0.2.1\"; dev = "
	       "\"b\"; metric = 200; } );",
	  "multihomectl reload"},
	 "the router of the same prefix on another link"},
	{A B,
	 "",
	 "no-default",
	 {CONF "routes = ( { to = \"default\"; via = \"GATEWAY\"; dev = "
	       "\"b\"; metric = 200; } );",
	  "multihomectl reload",
	  "ip neigh show dev b # GATEWAY is one of them, if there is a router: "
	  "the DHCP lease or whoever runs the network says which"},
	 "nobody knows"},
	{A B "policy route 203.0.113.0/24 via 192.0.2.1 dev a\n",
	 "lease 198.51.100.1 dev b\n",
	 "no-default",
	 {CONF "{ to = \"default\"; via = \"198.51.100.1\"; dev = \"b\"; "
	       "metric = 200; }, # first in routes = ( ... )",
	  "multihomectl reload"},
	 "the config has routes already"},
	{A B B_DEFAULT "link 2 a up no-carrier\n",
	 "",
	 "dead-default",
	 {CONF "ignore_linkdown = true;", "multihomectl reload"},
	 "a managed link"},
	{A B B_DEFAULT "link 2 a up no-carrier\npolicy interface a never\n",
	 "",
	 "dead-default",
	 {"sysctl -w net.ipv4.conf.a.ignore_routes_with_linkdown=1",
	  SYSCTL "net.ipv4.conf.a.ignore_routes_with_linkdown = 1"},
	 "one that the config's setting does not reach"},
	{A B B_DEFAULT "rule 7000 from 198.51.100.0/24 lookup 99 proto 3\n",
	 "",
	 "foreign-rules",
	 {"ip -4 rule del priority 7000 from 198.51.100.0/24 lookup 99 "
	  "protocol 3"},
	 "that rule and no other"},
	{A B B_DEFAULT "rule 70 tos 16 lookup main\n",
	 "",
	 "foreign-rules",
	 {"ip -4 rule show priority 70 # delete it with all the words that it "
	  "has here, if it is to go"},
	 "nobody here knows all its words"},
	{A "link 4 w up\nroute 0.0.0.0/0 dev w table 5\nrule 9 lookup 5\n",
	 "w local=1\n",
	 "foreign-rules",
	 {CONF "vpn = \"override\";", "multihomectl reload"},
	 "a full tunnel"},
	{A B B_DEFAULT,
	 "router 192.0.2.1 dev a mac r\nrouter 198.51.100.1 dev b mac r\n",
	 "shared-router",
	 {CONF "bindings = ( { dev = \"TUNNEL\"; prefixes = ( "
	       "\"198.51.100.0/24\" ); } );",
	  CONF "routes = ( { to = \"0.0.0.0/0\"; dev = \"TUNNEL\"; } );",
	  "multihomectl reload"},
	 "a tunnel to somewhere else"},
	{A B B_DEFAULT,
	 "mptcp 0\n",
	 "mptcp-off",
	 {"sysctl -w net.mptcp.enabled=1", SYSCTL "net.mptcp.enabled = 1"},
	 "on"},
	{A B B_DEFAULT "policy path_manager userspace\n",
	 "manager 1\nlistener 7\n",
	 "mptcp-manager",
	 {"systemctl disable --now mptcp.service"},
	 "mptcpd"},
	{A B B_DEFAULT,
	 "limit 0\n",
	 "mptcp-limits",
	 {"ip mptcp limits set subflow 1", "multihomectl reload"},
	 "one more"},
	{A B B_DEFAULT,
	 "other 192.0.2.2 id 3 dev 0\n",
	 "mptcp-endpoints",
	 {"ip mptcp endpoint delete id 3", "multihomectl reload"},
	 "nobody knows whose it is"},
	{A B B_DEFAULT,
	 "networkmanager\nother 192.0.2.2 id 3 dev 2\n"
	 "other 198.51.100.2 id 255 dev 3\n",
	 "mptcp-endpoints",
	 {"mkdir -p /etc/NetworkManager/conf.d && printf "
	  "'[connection-multihomed]\\nconnection.mptcp-flags=1\\n' >> "
	  "/etc/NetworkManager/conf.d/multihomed.conf",
	  "systemctl restart NetworkManager",
	  "for id in 3 255; do ip mptcp endpoint delete id $id; done",
	  "multihomectl reload"},
	 "NetworkManager's"},
	{A B B_DEFAULT,
	 "networkmanager\nlistener 77\nother 192.0.2.2 id 3 dev 2\n",
	 "mptcp-endpoints",
	 {"mkdir -p /etc/NetworkManager/conf.d && printf "
	  "'[connection-multihomed]\\nconnection.mptcp-flags=1\\n' >> "
	  "/etc/NetworkManager/conf.d/multihomed.conf",
	  "systemctl restart NetworkManager",
	  "systemctl disable --now mptcp.service",
	  "ip mptcp endpoint delete id 3", "multihomectl reload"},
	 "either may have made it"},
	{A B B_DEFAULT P "route 203.0.114.0/24 nhid 7\n",
	 "compat 0\n",
	 "nexthop-compat",
	 {"sysctl -w net.ipv4.nexthop_compat_mode=1",
	  SYSCTL "net.ipv4.nexthop_compat_mode = 1",
	  "systemctl restart multihomed"},
	 "and read everything again"},
	{A B B_DEFAULT "addr 192.0.2.2/25 dev b\n",
	 "",
	 "address-twice",
	 {"ip addr del 192.0.2.2/25 dev b"},
	 "one of the two"},
	{A "link 3 b up\naddr 192.0.2.3/24 dev b\n",
	 "",
	 "prefix-twice",
	 {CONF "interfaces = ( { match = \"b\"; manage = \"always\"; } );",
	  "multihomectl reload"},
	 "manage both"},
	{A "link 3 x[1] up\naddr 192.0.2.3/24 dev x[1]\n",
	 "",
	 "prefix-twice",
	 {CONF "interfaces = ( { match = \"x\\\\[1]\"; manage = \"always\"; } "
	       ");",
	  "multihomectl reload"},
	 "a name that is no pattern"},
	{A "link 3 br$(id) up\naddr 192.0.2.2/25 dev br$(id)\n",
	 "",
	 "address-twice",
	 {"ip addr del 192.0.2.2/25 dev 'br$(id)'"},
	 "a name that is no command"},
	{A "link 3 a'\"\\ up\naddr 198.51.100.2/24 dev a'\"\\\n",
	 "",
	 "no-default",
	 {CONF "routes = ( { to = \"default\"; via = \"GATEWAY\"; dev = "
	       "\"a'\\\"\\\\\"; metric = 200; } );",
	  "multihomectl reload",
	  "ip neigh show dev 'a'\\''\"\\' # GATEWAY is one of them, if there "
	  "is "
	  "a router: the DHCP lease or whoever runs the network says which"},
	 "quotes in a name"},
	{"link 2 a&b up\naddr 2001:db8::2/64 dev a&b\n"
	 "route ::/0 via fe80::1 dev a&b proto 9\n",
	 "a&b forwarding6=1\n",
	 "forwarding-ra",
	 {"sysctl -w 'net.ipv6.conf.a&b.accept_ra=2'",
	  SYSCTL "net.ipv6.conf.a&b.accept_ra = 2"},
	 "quoted for the shell, not in the file"},
	{A,
	 "networkd running\n",
	 "networkd-rules",
	 {"mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\\n"
	  "ManageForeignRoutingPolicyRules=no\\nManageForeignRoutes=no\\n' > "
	  "/etc/systemd/networkd.conf.d/multihomed.conf",
	  "systemctl restart systemd-networkd"},
	 "a drop-in for both"},
	{A,
	 "networkd running\n"
	 "networkd-rules yes /etc/systemd/networkd.conf.d/zz.conf\n",
	 "networkd-rules",
	 {"sed -i 's/^ *ManageForeignRoutingPolicyRules *=.*/"
	  "ManageForeignRoutingPolicyRules=no/' "
	  "/etc/systemd/networkd.conf.d/zz.conf",
	  "systemctl restart systemd-networkd"},
	 "a later drop-in would win over ours"},
	{A,
	 "networkd running\n"
	 "networkd-routes yes /run/systemd/networkd.conf.d/10-x.conf\n",
	 "networkd-routes",
	 {"mkdir -p /etc/systemd/networkd.conf.d && printf '[Network]\\n"
	  "ManageForeignRoutingPolicyRules=no\\nManageForeignRoutes=no\\n' > "
	  "/etc/systemd/networkd.conf.d/multihomed.conf",
	  "systemctl restart systemd-networkd"},
	 "an earlier one would not"},
};

static void assert_fixes(const struct finding *finding, size_t i)
{
	if (!finding) {
		fail_msg("%s (%s): not found", cases[i].id, cases[i].why);
		return;
	}
	for (size_t n = 0; n < FINDING_FIXES; n++) {
		const char *want = cases[i].fix[n] ? cases[i].fix[n] : "";

		if (strcmp(finding->fix[n], want) != 0)
			fail_msg("%s (%s):\n%s\ninstead of\n%s", cases[i].id,
				 cases[i].why, finding->fix[n], want);
	}
}

static void fixes_are_word_for_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct patient patient;

		patient_examine(&patient, cases[i].scene, cases[i].facts);
		assert_fixes(patient_find(&patient, cases[i].id), i);
		patient_done(&patient);
	}
}

/* A check that nobody says how to mend would not be in the table above. */
static void every_check_has_a_fix(void **state)
{
	/* In test_doctor.c, as they need more than a scene. */
	static const char *const others[] = {"no-table", "no-rules",
					     "refused-routes", "shared-router"};

	(void)state;
	for (const struct check *it = doctor_checks; it->id; it++) {
		bool found = false;

		for (size_t i = 0; i < COUNT(cases); i++)
			found |= strcmp(cases[i].id, it->id) == 0;
		for (size_t i = 0; i < COUNT(others); i++)
			found |= strcmp(others[i], it->id) == 0;
		if (!found)
			fail_msg("%s is in no case", it->id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixes_are_word_for_word),
		cmocka_unit_test(every_check_has_a_fix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
