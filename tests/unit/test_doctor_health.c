/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hosts in good health: doctor finds nothing at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/patient.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TWO                                                                    \
	"link 1 lo up loopback\n"                                              \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"addr 192.0.2.2/24 dev a\n"                                            \
	"addr 198.51.100.2/24 dev b\n"                                         \
	"addr 2001:db8:a::2/64 dev a\n"                                        \
	"addr 2001:db8:b::2/64 dev b\n"                                        \
	"route 192.0.2.0/24 dev a\n"                                           \
	"route 198.51.100.0/24 dev b\n"                                        \
	"route 2001:db8:a::/64 dev a\n"                                        \
	"route 2001:db8:b::/64 dev b\n"                                        \
	"route 0.0.0.0/0 via 192.0.2.1 dev a metric 100\n"                     \
	"route 0.0.0.0/0 via 198.51.100.1 dev b metric 200\n"                  \
	"route ::/0 via fe80::1 dev a metric 100\n"                            \
	"route ::/0 via fe80::1 dev b metric 200\n"                            \
	"rule 32766 lookup main proto 2\n"                                     \
	"rule 32766 lookup main inet6 proto 2\n"

#define ONE                                                                    \
	"link 2 a up\n"                                                        \
	"addr 192.0.2.2/24 dev a\n"                                            \
	"route 192.0.2.0/24 dev a\n"                                           \
	"route 0.0.0.0/0 via 192.0.2.1 dev a metric 100\n"

static const struct {
	const char *scene;
	const char *facts;
	const char *why;
} cases[] = {
	{TWO, "", "two uplinks, both families"},
	{TWO "policy model strong\n", "", "strong"},
	{TWO, "all rp_filter=0\na rp_filter=0\nb rp_filter=0\n",
	 "no reverse path filter"},
	{TWO, "router 192.0.2.1 dev a mac a\nrouter 198.51.100.1 dev b mac b\n",
	 "two routers"},
	{TWO, "router fe80::1 dev a mac a\nrouter fe80::1 dev b mac b\n",
	 "two routers of one link-local address, as is usual"},
	{TWO, "networkd-rules yes /etc/x\n", "networkd does not run"},
	{TWO, "networkd unknown\n", "nor is it guessed that it does"},
	{TWO,
	 "networkd running\nnetworkd-rules no /etc/x\n"
	 "networkd-routes no /etc/x\n",
	 "networkd runs and leaves ours alone"},
	{TWO,
	 "all forwarding6=1\na forwarding6=1 accept_ra=2\n"
	 "b forwarding6=1 accept_ra=0\n",
	 "forwarding, with RAs taken or not wanted"},
	{TWO, "all forwarding6=1\n", "all, but no link: RAs are taken"},
	{TWO "link 4 docker0 up\naddr 172.17.0.1/16 dev docker0\n"
	     "route 172.17.0.0/16 dev docker0\n",
	 "docker0 local=1\n", "containers"},
	{TWO "link 4 docker0 up no-carrier\naddr 172.17.0.1/16 dev docker0\n"
	     "route 172.17.0.0/16 dev docker0\n",
	 "docker0 local=1\n", "no container yet"},
	{TWO "link 4 wg0 up\naddr 10.8.0.2/24 dev wg0\n"
	     "route 10.0.0.0/8 dev wg0\n",
	 "wg0 local=1\n", "a split tunnel"},
	{TWO "link 4 ppp0 up\naddr 10.8.0.2 peer 10.8.0.1/32 dev ppp0\n", "",
	 "a point-to-point link without a route"},
	{TWO "link 4 ts0 up\nroute 100.64.0.0/10 dev ts0 table 52\n"
	     "rule 5270 lookup 52\n",
	 "ts0 local=1\n", "a rule to a table without a default"},
	{TWO "rule 7000 to 203.0.113.0/24 lookup 99\n"
	     "route 203.0.113.0/24 via 192.0.2.1 dev a table 99\n",
	 "", "a rule for some destinations, to a table without a default"},
	{TWO "rule 1000 tos 0x10 lookup 0\n", "", "a rule for VRFs (l3mdev)"},
	{TWO "rule 7000 fwmark 5/0xff lookup 99\n"
	     "route 0.0.0.0/0 via 192.0.2.1 dev a table 99\n",
	 "", "a rule for marked packets"},
	{TWO "rule 7000 from 172.17.0.0/16 lookup 99\n"
	     "route 0.0.0.0/0 via 192.0.2.1 dev a table 99\n",
	 "", "a rule for sources that are not ours"},
	{TWO "rule 7000 from 192.0.2.0/24 iif b lookup 99\n", "",
	 "a rule for forwarded packets"},
	{TWO "rule 20000 from 192.0.2.0/24 lookup 99\n", "",
	 "a rule behind ours"},
	{TWO "----\nrule 7109 from 192.0.2.0/24 iif lo lookup 7100 proto 4\n",
	 "", "somebody's rule that says what ours says"},
	{TWO "rule 7000 not from 192.0.0.0/4 lookup 99\n"
	     "route 0.0.0.0/0 via 203.0.113.1 dev a table 99\n",
	 "", "a rule for all but ours"},
	{TWO "addr 10.9.0.2/24 dev b\nroute 10.0.0.0/8 via 10.9.0.1 dev b\n"
	     "policy interface b never\n",
	 "", "what is never managed"},
	{TWO "link 4 c up no-carrier\naddr 10.9.0.2/24 dev c\n", "",
	 "no default on a link without carrier"},
	{TWO "addr fd00::2/64 dev a\nlink 4 c up\naddr fd00:1::2/64 dev c\n",
	 "router fe80::1 dev a mac a\n",
	 "unique local addresses have no provider"},
	{TWO "addr 192.0.2.100/32 dev lo\n", "", "a DSR address on lo"},
	{TWO "link 4 t up\naddr 192.0.2.2 peer 10.9.9.9/32 dev t\n",
	 "t local=1\n", "a tunnel that borrows an address"},
	{ONE, "limit 0\n", "one address has no need of more"},
	{TWO, "other 192.0.2.77 id 1 dev 2\n", "an address that is not ours"},
	{TWO "policy path_manager userspace\n",
	 "manager 1\nother 192.0.2.2 id 1 dev 2\n",
	 "the kernel's manager does not look at them"},
	{TWO "policy path_manager off\n", "manager 1\n", "somebody else's"},
	{TWO, "listener 7\n", "a monitor beside the kernel's manager"},
	{TWO "policy path_manager userspace\n", "manager 1\nlimit 0\n",
	 "limits are of the kernel's manager"},
	{ONE, "mptcp 0\n", "one uplink: nothing for MPTCP to choose from"},
	{ONE, "all rp_filter=1\na rp_filter=1\n", "and nothing incongruent"},
	{ONE "link 3 b up no-carrier\naddr 198.51.100.2/24 dev b\n"
	     "route 198.51.100.0/24 dev b\n"
	     "route 0.0.0.0/0 via 198.51.100.1 dev b metric 200\n",
	 "", "a dead default that is not the first choice"},
	{"link 2 a up no-carrier\naddr 192.0.2.2/24 dev a\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev a metric 100\n",
	 "", "a dead default, and no other"},
	{"link 2 a up\nlink 3 b up\naddr 192.0.2.2/24 dev a\n"
	 "addr 198.51.100.2/24 dev b\n",
	 "", "no way out at all: no gateway is missed"},
	{TWO, "compat 0\n", "nexthop_compat_mode without nexthop objects"},
	{"link 2 a up\nlink 3 b up\n"
	 "addr 192.0.2.2/24 dev a\naddr 192.0.2.3/24 dev b\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev a metric 1\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev b metric 2\n",
	 "all arp_ignore=1\na arp_announce=2\nb arp_announce=2\n"
	 "router 192.0.2.1 dev a mac r\nrouter 192.0.2.1 dev b mac r\n",
	 "two links to one LAN, and well behaved"},
	{"link 2 a up\nlink 3 b up\n"
	 "addr 192.0.2.2/24 dev a\naddr 192.0.2.3/24 dev b\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev a metric 1\n"
	 "route 0.0.0.0/0 via 192.0.2.1 dev b metric 2\n",
	 "all arp_filter=1 arp_announce=2\n", "or by arp_filter"},
};

static void health_has_no_findings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct patient patient;
		char text[PATIENT_TEXT_MAX];

		patient_examine(&patient, cases[i].scene, cases[i].facts);
		if (patient.findings.n)
			fail_msg("%s: %s\n%s", cases[i].why,
				 patient_text(&patient, text),
				 patient.findings.items[0].what);
		patient_done(&patient);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_has_no_findings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
