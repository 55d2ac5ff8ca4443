/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor finds, check by check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "doctor/check.h"
#include "tests/unit/patient.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LINKS                                                                  \
	"link 1 lo up loopback\n"                                              \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"
#define A                                                                      \
	"addr 192.0.2.2/24 dev a\nroute 192.0.2.0/24 dev a\n"                  \
	"route 0.0.0.0/0 via 192.0.2.1 dev a metric 100\n"
#define B                                                                      \
	"addr 198.51.100.2/24 dev b\nroute 198.51.100.0/24 dev b\n"            \
	"route 0.0.0.0/0 via 198.51.100.1 dev b metric 200\n"
#define B_ALONE	 "addr 198.51.100.2/24 dev b\nroute 198.51.100.0/24 dev b\n"
#define TWO	 LINKS A B
#define P	 "route 203.0.113.0/24 via 198.51.100.1 dev b\n"
#define DEFAULT6 "route ::/0 via fe80::1 dev "

struct ill {
	const char *scene;
	const char *facts;
	const char *findings;
	const char *why;
};

static const struct ill cases[] = {
	/* rp-filter: measured, see docs/kernel-notes.md. */
	{TWO P, "a rp_filter=1\nall rp_filter=0\n", "rp-filter error a",
	 "weak, strict: what comes in by a is dropped"},
	{TWO P, "a rp_filter=0\nall rp_filter=1\n", "rp-filter error a",
	 "the larger of all and the link counts"},
	{TWO P, "a rp_filter=1\nall rp_filter=2\n", "",
	 "so 2 for all makes every link loose"},
	{TWO P, "b rp_filter=1\nall rp_filter=0\n", "rp-filter hint b",
	 "b is congruent with P; a's own LAN is left"},
	{TWO, "a rp_filter=1\nall rp_filter=0\n", "rp-filter hint a",
	 "only neighbours of the other link"},
	{TWO P "policy model strong\n", "a rp_filter=1\n", "rp-filter hint a",
	 "strong: its answers fail anyway"},
	{TWO P "policy model strong\n", "a rp_filter=2\n", "rp-filter hint a",
	 "strong: loose drops as well"},
	{TWO P "policy model strong\n",
	 "all rp_filter=0\na rp_filter=0\nb rp_filter=0\n", "",
	 "strong: without a filter it arrives"},
	{LINKS A B "link 3 b up no-carrier\n",
	 "all rp_filter=0\nb rp_filter=1\n", "rp-filter error b",
	 "b's default is unusable: weak by a"},
	{TWO "route 203.0.113.0/24 metric 9 nexthop via 192.0.2.1 dev a "
	     "nexthop via 198.51.100.1 dev b\n",
	 "all rp_filter=0\nb rp_filter=1\n", "rp-filter hint b",
	 "a hop of each is congruent for each"},
	{TWO P "policy interface a never\n", "a rp_filter=1\n", "",
	 "not managed: not ours to judge"},

	/* arp-flux */
	{LINKS A "addr 192.0.2.3/24 dev b\n"
		 "route 0.0.0.0/0 via 192.0.2.1 dev b metric 200\n",
	 "", "arp-flux warning a; arp-flux warning b", "kernel defaults"},
	{LINKS A "addr 192.0.2.3/24 dev b\n"
		 "route 0.0.0.0/0 via 192.0.2.1 dev b metric 200\n",
	 "a arp_ignore=1 arp_announce=2\nb arp_ignore=1 arp_announce=1\n",
	 "arp-flux warning b", "announce 1 asks with the other's address"},
	{LINKS A "link 3 b up no-carrier\naddr 192.0.2.3/24 dev b\n"
		 "route 0.0.0.0/0 via 192.0.2.1 dev b metric 200\n",
	 "", "", "a dead link answers nobody"},

	/* networkd */
	{TWO, "networkd running\n",
	 "networkd-rules warning systemd-networkd; "
	 "networkd-routes warning systemd-networkd",
	 "both are its defaults"},
	{TWO,
	 "networkd running\nnetworkd-rules no /etc/n\n"
	 "networkd-routes yes /etc/n\n",
	 "networkd-routes warning /etc/n", "one is on, and says where"},

	/* foreign-rules */
	{TWO "rule 7000 from 198.51.100.0/24 lookup 99\n"
	     "route 0.0.0.0/0 via 198.51.100.1 dev b table 99\n",
	 "", "foreign-rules warning rule 7000",
	 "by hand, with the right router: prefixes are lost"},
	{TWO "rule 7000 from 198.51.100.2/32 lookup 99\n"
	     "route 0.0.0.0/0 via 192.0.2.1 dev a table 99\n",
	 "", "foreign-rules error rule 7000", "with the wrong router"},
	{TWO "rule 7000 from 198.51.100.2/32 lookup 99\n", "",
	 "foreign-rules warning rule 7000", "who knows what is in there"},
	{TWO "rule 7000 lookup main\n", "", "foreign-rules error rule 7000",
	 "main before us"},
	{TWO "rule 7109 from 198.51.100.2/32 lookup main\n", "",
	 "foreign-rules hint rule 7109", "as old as ours? who knows"},
	{TWO "rule 70 to 203.0.113.0/24 lookup main\n", "",
	 "foreign-rules hint rule 70", "one destination"},
	{TWO "rule 70 from 198.51.100.2/32 tos 0x10 lookup main\n", "",
	 "foreign-rules hint rule 70", "or ports, users, protocols"},
	{TWO "rule 70 oif a lookup main\n", "", "foreign-rules hint rule 70",
	 "sockets that are bound"},
	{TWO "rule 7000 lookup main suppress_prefixlength 0\n", "",
	 "foreign-rules warning rule 7000", "what wg-quick left behind"},
	{TWO "rule 7000 not from 203.0.113.0/24 lookup 99\n"
	     "route 0.0.0.0/0 via 192.0.2.1 dev a table 99\n",
	 "", "foreign-rules error rule 7000", "not from others: from us"},
	{TWO "link 4 wg0 up\nroute 0.0.0.0/0 dev wg0 table 51820\n"
	     "rule 7000 lookup main suppress_prefixlength 0\n"
	     "rule 7001 not fwmark 51820/0xffffffff lookup 51820\n",
	 "wg0 local=1\n", "foreign-rules hint rule 7001",
	 "a full tunnel that we yield to"},
	{TWO "policy vpn override\nlink 4 wg0 up\n"
	     "route 0.0.0.0/0 dev wg0 table 51820\n"
	     "rule 7001 not fwmark 51820/0xffffffff lookup 51820\n",
	 "wg0 local=1\n", "", "one that we come before, as the config wants"},
	{"link 2 a up\naddr 10.0.0.2/8 dev a\nlink 4 wg0 up\n"
	 "route 0.0.0.0/0 dev wg0 table 51820\n"
	 "rule 7001 not fwmark 51820/0xffffffff lookup 51820\n",
	 "wg0 local=1\na local=1\n", "", "nothing of ours to withdraw"},

	/* no-default */
	{LINKS A B_ALONE, "", "no-default hint b", "maybe an uplink"},
	{LINKS A B_ALONE, "b local=1\n", "", "a bridge has nobody behind it"},
	{LINKS A B_ALONE, "lease 198.51.100.1 dev b\n", "no-default warning b",
	 "a lease names its router"},
	{LINKS A B_ALONE, "b local=1\nlease 198.51.100.1 dev b\n",
	 "no-default warning b", "whatever the kind of link"},
	{LINKS A B_ALONE, "lease 203.0.113.1 dev b\n", "no-default hint b",
	 "an old lease, of another network"},
	{LINKS A B_ALONE "addr 2001:db8:b::2/64 dev b\n" DEFAULT6 "b\n", "",
	 "no-default warning b", "it is one, for IPv6"},
	{LINKS A B_ALONE "route 10.0.0.0/8 via 198.51.100.7 dev b\n", "",
	 "no-default hint b", "a router, but only for some"},
	{LINKS A B_ALONE "policy interface b always\n", "",
	 "no-default warning b", "the config says that it is managed"},
	{TWO "----\ndel route 0.0.0.0/0 via 198.51.100.1 dev b metric 200\n",
	 "", "no-default warning b", "it had one"},
	{LINKS A B_ALONE "rule 20000 from 198.51.100.2/32 lookup 99\n"
			 "route 0.0.0.0/0 via 198.51.100.1 dev b table 99\n",
	 "", "no-default warning b", "somebody's table has one"},
	{LINKS A B_ALONE
	 "policy route 0.0.0.0/0 via 198.51.100.1 dev b metric 9\n",
	 "lease 198.51.100.1 dev b\n", "", "the config has one"},
	{LINKS B_ALONE, "lease 198.51.100.1 dev b\n", "no-default warning b",
	 "the only way out of all"},
	{LINKS "addr 2001:db8:a::2/64 dev a\n" DEFAULT6
	       "a\naddr 2001:db8:b::2/64 dev b\n",
	 "", "no-default hint b", "IPv6"},

	/* dead-default */
	{TWO "link 2 a up no-carrier\n", "", "dead-default error a",
	 "unbound sockets choose it"},
	{TWO "link 2 a up no-carrier\n", "a linkdown4=1\n", "",
	 "the kernel ignores it"},
	{TWO "link 2 a up no-carrier\n", "all linkdown4=1\n", "",
	 "on every link"},
	{TWO "link 2 a up no-carrier\n", "a linkdown6=1\n",
	 "dead-default error a", "of the other family only"},
	{LINKS "link 2 a up no-carrier\naddr 2001:db8:a::2/64 dev a\n" DEFAULT6
	       "a metric 1\naddr 2001:db8:b::2/64 dev b\n" DEFAULT6
	       "b metric 2\n",
	 "all linkdown6=1\n", "dead-default error a",
	 "IPv6: all says nothing of the link"},

	/* shared-router */
	{TWO, "router 192.0.2.1 dev a mac r\nrouter 198.51.100.1 dev b mac r\n",
	 "shared-router hint 192.0.2.1", "one box, two links"},
	{LINKS A "addr 198.51.100.2/24 dev a\n"
		 "route 0.0.0.0/0 via 198.51.100.1 dev a metric 200\n",
	 "router 192.0.2.1 dev a mac r\nrouter 198.51.100.1 dev a mac r\n",
	 "shared-router hint 192.0.2.1", "one link, two gateways, one MAC"},
	{LINKS A "addr 198.51.100.2/24 dev a\n"
		 "route 0.0.0.0/0 via 198.51.100.1 dev a metric 200\n",
	 "router 192.0.2.1 dev a mac r\nrouter 198.51.100.1 dev a mac s\n", "",
	 "section 6.2.1: two routers"},
	{"link 2 a up\naddr 2001:db8:a::2/64 dev a\n"
	 "addr 2001:db8:b::2/64 dev a\n" DEFAULT6 "a\n",
	 "", "shared-router hint fe80::1", "IPv6: one link-local address"},
	{"link 2 a up\naddr 2001:db8:a::2/64 dev a\n"
	 "addr 2001:db8:b::2/64 dev a\naddr 2001:db8:c::2/64 dev a\n" DEFAULT6
	 "a\n",
	 "", "shared-router hint fe80::1; shared-router hint fe80::1",
	 "each once, not each with each"},

	/* forwarding-ra */
	{LINKS "addr 2001:db8:a::2/64 dev a\n" DEFAULT6 "a proto 9\n",
	 "a forwarding6=1\n", "forwarding-ra warning a", "it is not renewed"},
	{LINKS "addr 2001:db8:a::2/64 dev a\n" DEFAULT6 "a proto 3\n",
	 "a forwarding6=1\n", "forwarding-ra hint a", "set by hand"},
	{LINKS "addr 2001:db8:a::2/64 dev a\n" DEFAULT6
	       "a proto 9\n----\ndel " DEFAULT6 "a proto 9\n",
	 "a forwarding6=1\n", "forwarding-ra error a; no-default warning a",
	 "the kernel dropped it"},

	/* the kernel's own settings */
	{TWO, "mptcp 0\n", "mptcp-off hint net.mptcp.enabled", "off"},
	{TWO, "mptcp -1\n", "mptcp-off hint net.mptcp.enabled", "not built"},
	{TWO, "manager 1\n", "mptcp-manager warning net.mptcp.path_manager",
	 "endpoints unused"},
	{TWO "policy path_manager userspace\n", "manager 0\n",
	 "mptcp-manager warning net.mptcp.path_manager", "it may not be set"},
	{TWO "policy path_manager userspace\n", "manager 1\nlistener 77\n",
	 "mptcp-manager warning netlink port 77", "two of them"},
	{TWO "policy path_manager userspace\n", "manager 1\nforgets\n",
	 "mptcp-manager hint this kernel", "before Linux 6.10"},
	{TWO, "forgets\n", "", "the kernel's own manager needs no telling"},
	{TWO, "limit 0\n", "mptcp-limits warning mptcp limits", "too low"},
	{TWO, "other 198.51.100.2 id 4 dev 0\n",
	 "mptcp-endpoints hint 198.51.100.2", "by hand, perhaps"},
	{TWO, "other 198.51.100.2 id 4 dev 3\nother 192.0.2.2 id 3 dev 0\n",
	 "mptcp-endpoints warning 192.0.2.2", "one of them is bound"},
	{TWO "route 203.0.113.0/24 nhid 7\n", "compat 0\n",
	 "nexthop-compat error net.ipv4.nexthop_compat_mode",
	 "next hops that cannot be seen"},

	/* twice */
	{TWO "addr 192.0.2.2/25 dev b\n", "",
	 "address-twice warning 192.0.2.2; no-default hint b",
	 "one address on two links"},
	{LINKS A "addr 192.0.2.3/24 dev b\n",
	 "all arp_ignore=1 arp_announce=2\n",
	 "prefix-twice warning b; no-default hint b",
	 "only one of two is managed"},
};

static void ills_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct ill *c = &cases[i];
		struct patient patient;
		char text[PATIENT_TEXT_MAX];

		patient_examine(&patient, c->scene, c->facts);
		if (strcmp(patient_text(&patient, text), c->findings) != 0)
			fail_msg("%s(%s)\n%s\ninstead of\n%s", c->scene, c->why,
				 text, c->findings);
		patient_done(&patient);
	}
}

/* A sentence, and not one that was cut off. */
static void assert_whole(const char *text)
{
	size_t len = strlen(text);

	if (!len || text[len - 1] != '.' || len > FINDING_TEXT_MAX - 20)
		fail_msg("not whole: \"%s\"", text);
}

static void findings_say_all_three_things(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct patient patient;
		const struct finding *it;

		patient_examine(&patient, cases[i].scene, cases[i].facts);
		vec_foreach(&patient.findings, it) {
			assert_whole(it->what);
			assert_whole(it->breaks);
			assert_true(it->fix[0][0]);
		}
		patient_done(&patient);
	}
}

/* Made by hand: what no line of a scene can say. */
static void a_jump_is_deleted_as_a_jump(void **state)
{
	struct patient patient;
	struct finding_vec findings = {0};
	struct rule rule = {
		.family = 2, /* AF_INET */
		.priority = 7000,
		.src = scene_prefix("192.0.2.0/24"),
		.dst = scene_prefix("0.0.0.0/0"),
		.action = 2, /* FR_ACT_GOTO */
		.protocol = 3,
		.suppress_len = -1,
	};
	struct view view;

	(void)state;
	patient_examine(&patient, TWO, "");
	model_add_rule(&patient.scene.model, &rule);
	view = scene_view(&patient.scene);
	doctor_examine(&view, &patient.facts, &findings);
	assert_string_equal(findings.items[0].fix[0],
			    "ip -4 rule del priority 7000 from 192.0.2.0/24 "
			    "goto 32766 protocol 3 # wherever it leads");
	vec_done(&findings);
	patient_done(&patient);
}

static void a_subnet_without_a_table_is_found(void **state)
{
	struct patient patient;
	struct finding_vec findings = {0};
	struct view view;

	(void)state;
	patient_examine(&patient, TWO, "");
	assert_int_equal(patient.findings.n, 0);
	view = scene_view(&patient.scene);
	patient.scene.subnets.subnets.items[0].table = 0;
	doctor_examine(&view, &patient.facts, &findings);
	assert_int_equal(findings.n, 1);
	assert_string_equal(findings.items[0].id, "no-table");
	assert_int_equal(findings.items[0].severity, SEVERITY_ERROR);
	vec_done(&findings);
	patient_done(&patient);
}

static void more_tables_are_ones_that_the_config_takes(void **state)
{
	static const struct {
		uint32_t first;
		uint32_t last;
		const char *fix;
	} ranges[] = {
		{7100, 7101, "first = 7100; last = 8101;"},
		{200, 201, "first = 7100; last = 8100;"},
		{4294967290, 4294967291,
		 "first = 4294966290; last = 4294967295;"},
		{300, 4294967291, "first = 300; last = 4294967295;"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(ranges); i++) {
		struct finding_vec findings = {0};
		struct patient patient;
		struct view view;

		patient_examine(&patient, TWO, "");
		view = scene_view(&patient.scene);
		patient.scene.subnets.subnets.items[0].table = 0;
		patient.scene.policy.table_first = ranges[i].first;
		patient.scene.policy.table_last = ranges[i].last;
		check_no_table(&view, &patient.facts, &findings);
		assert_non_null(
			strstr(findings.items[0].fix[0], ranges[i].fix));
		vec_done(&findings);
		patient_done(&patient);
	}
}

static void a_missing_rule_is_found(void **state)
{
	struct patient patient;
	struct finding_vec findings = {0};
	struct view view;

	(void)state;
	patient_examine(&patient, TWO, "");
	assert_int_equal(scene_line(&patient.scene,
				    "del rule 7109 from 192.0.2.0/24 iif lo "
				    "lookup 7100 proto 109"),
			 0);
	view = scene_view(&patient.scene);
	doctor_examine(&view, &patient.facts, &findings);
	assert_int_equal(findings.n, 1);
	assert_string_equal(findings.items[0].id, "no-rules");
	assert_string_equal(findings.items[0].fix[0],
			    "ip -4 rule add priority 7109 from 192.0.2.0/24 "
			    "iif lo lookup 7100 protocol 109");
	vec_done(&findings);
	patient_done(&patient);
}

static void a_rule_that_drops_is_found(void **state)
{
	struct patient patient;
	struct finding_vec findings = {0};
	struct rule rule = {
		.family = 2, /* AF_INET */
		.priority = 7000,
		.src = scene_prefix("192.0.2.0/24"),
		.dst = scene_prefix("0.0.0.0/0"),
		.action = 7, /* FR_ACT_UNREACHABLE */
		.suppress_len = -1,
	};
	struct view view;

	(void)state;
	patient_examine(&patient, TWO, "");
	model_add_rule(&patient.scene.model, &rule);
	view = scene_view(&patient.scene);
	doctor_examine(&view, &patient.facts, &findings);
	assert_int_equal(findings.n, 1);
	assert_string_equal(findings.items[0].id, "foreign-rules");
	assert_int_equal(findings.items[0].severity, SEVERITY_ERROR);
	assert_string_equal(findings.items[0].fix[0],
			    "ip -4 rule del priority 7000 from 192.0.2.0/24 "
			    "unreachable");
	vec_done(&findings);
	patient_done(&patient);
}

/* The kernel refused the plain form, then the one with onlink. */
static void a_refused_route_is_found(void **state)
{
	struct patient patient;
	struct finding_vec findings = {0};
	struct attrset_store *attrs;
	struct view view;
	struct attrset set;
	struct next_hop hop = {.ifindex = 3};
	uint32_t id;

	(void)state;
	patient_examine(&patient, TWO P, "");
	attrs = &patient.scene.model.rib.attrs;
	view = scene_view(&patient.scene);
	attrset_init(&set, 2, ATTRSET_UNICAST);
	hop.gateway = scene_addr("198.51.100.1");
	hop.flags = NEXT_HOP_ONLINK;
	attrset_add_hop(&set, &hop, NULL, 0);
	id = attrset_intern(attrs, &set);
	attrset_done(&set);
	doctor_examine(&view, &patient.facts, &findings);
	assert_int_equal(findings.n, 0);
	attrset_refuse(attrs, id, true);
	doctor_examine(&view, &patient.facts, &findings);
	assert_int_equal(findings.n, 1);
	assert_string_equal(findings.items[0].id, "refused-routes");
	attrset_unref(attrs, id);
	vec_done(&findings);
	patient_done(&patient);
}

static void the_worst_comes_first(void **state)
{
	struct patient patient;
	enum severity last = SEVERITY_ERROR;
	const struct finding *it;

	(void)state;
	patient_examine(&patient, TWO P "link 2 a up no-carrier\n",
			"mptcp 0\nnetworkd running\n");
	assert_true(patient.findings.n >= 4);
	vec_foreach(&patient.findings, it) {
		assert_true(it->severity >= last);
		last = it->severity;
	}
	assert_int_equal(last, SEVERITY_HINT);
	patient_done(&patient);
}

static void ids_are_kebab_case_and_unique(void **state)
{
	const struct check *it;
	const struct check *other;

	(void)state;
	for (it = doctor_checks; it->id; it++) {
		assert_int_equal(strspn(it->id, "abcdefghijklmnopqrstuvwxyz-"),
				 strlen(it->id));
		for (other = doctor_checks; other != it; other++)
			assert_string_not_equal(it->id, other->id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ills_are_found),
		cmocka_unit_test(findings_say_all_three_things),
		cmocka_unit_test(a_subnet_without_a_table_is_found),
		cmocka_unit_test(more_tables_are_ones_that_the_config_takes),
		cmocka_unit_test(a_jump_is_deleted_as_a_jump),
		cmocka_unit_test(a_missing_rule_is_found),
		cmocka_unit_test(a_rule_that_drops_is_found),
		cmocka_unit_test(a_refused_route_is_found),
		cmocka_unit_test(the_worst_comes_first),
		cmocka_unit_test(ids_are_kebab_case_and_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
