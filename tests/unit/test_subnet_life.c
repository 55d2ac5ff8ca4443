/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a subnet lasts: that it is an uplink, and the number of its table,
 * over changes and over a restart.
 */
#include "core/subnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/scene.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define LINKS                                                                  \
	"link 1 lo up loopback\n"                                              \
	"link 2 a up\n"                                                        \
	"link 3 b up\n"                                                        \
	"link 9 red up vrf\n"

/* --- an uplink stays one --- */

static void uplink_stays_while_it_has_its_address(void **state)
{
	struct scene scene;
	uint32_t table;

	(void)state;
	scene_make(&scene, LINKS "addr 192.0.2.7/24 dev a\n"
				 "route 0.0.0.0/0 via 192.0.2.1 dev a\n");
	table = scene_subnet(&scene, "192.0.2.0/24", "a")->table;
	assert_int_equal(table, 7100);

	scene_read(&scene, "del route 0.0.0.0/0 via 192.0.2.1 dev a\n");
	scene_manage(&scene);
	assert_true(scene_subnet(&scene, "192.0.2.0/24", "a")->managed);
	assert_int_equal(scene_subnet(&scene, "192.0.2.0/24", "a")->table,
			 table);

	scene_read(&scene, "del addr 192.0.2.7/24 dev a\n");
	scene_manage(&scene);
	assert_int_equal(scene.subnets.subnets.n, 0);

	scene_read(&scene, "addr 192.0.2.7/24 dev a\n");
	scene_manage(&scene);
	assert_false(scene_subnet(&scene, "192.0.2.0/24", "a")->managed);
	scene_done(&scene);
}

/* A DHCPv6 /128; its router withdraws itself (RA with lifetime 0). */
#define DHCP6                                                                  \
	"policy model strong\n"                                                \
	"link 2 a up\nlink 3 b up\n"                                           \
	"addr 2001:db8:1::5/128 dev a\n"                                       \
	"addr 2001:db8:2::5/64 dev b\n"                                        \
	"advert fe80::1 dev a prefix 2001:db8:1::/64\n"                        \
	"route ::/0 via fe80::1 dev a metric 100\n"                            \
	"route ::/0 via fe80::2 dev b metric 200\n"

static void a_dhcpv6_address_stays_managed_without_its_router(void **state)
{
	struct ip_addr addr = scene_addr("2001:db8:1::5");
	struct scene scene;

	(void)state;
	scene_make(&scene, DHCP6);
	assert_non_null(subnet_of_source(&scene.subnets, &addr));
	scene_steady(&scene);
	scene_read(&scene, "del advert fe80::1 dev a\n"
			   "del route ::/0 via fe80::1 dev a metric 100\n");
	scene_manage(&scene);
	assert_non_null(subnet_of_source(&scene.subnets, &addr));
	scene_done(&scene);
}

/* The same address with another length, beside an uplink that stays. */
static void another_length_makes_no_uplink(void **state)
{
	const struct ip_addr addr = scene_addr("10.1.0.0");
	const struct ip_prefix wide = ip_prefix_make(&addr, 16);
	const struct subnet *subnet;
	struct scene scene;

	(void)state;
	scene_make(&scene, "link 2 a up\naddr 10.1.0.2/24 dev a\n"
			   "route 0.0.0.0/0 via 10.1.0.1 dev a\n");
	scene_steady(&scene);
	scene_read(&scene, "addr 10.1.0.2/16 dev a\n");
	scene_manage(&scene);
	subnet = subnet_find(&scene.subnets, &wide, 2);
	assert_non_null(subnet);
	assert_false(subnet->managed);
	scene_done(&scene);
}

/* --- numbers of tables --- */

/* What a run before this one left in the kernel. */
static void recover(struct scene *scene, const char *text)
{
	struct subnet_set none = {0};

	scene_init(scene);
	scene_read(scene, LINKS);
	scene_read(scene, text);
	subnet_set_build(&scene->model, &scene->policy, &none, &scene->subnets);
	subnet_recover_tables(&scene->subnets, &scene->model, &scene->policy);
}

static void tables_are_recovered_from_our_rules(void **state)
{
	static const struct {
		const char *text;
		uint32_t table; /* of 192.0.2.0/24 on a; 0: not recovered */
		const char *why;
	} cases[] = {
		{"rule 7109 from 192.0.2.0/24 iif lo lookup 7105 proto 109\n",
		 7105, "a rule for its prefix"},
		{"rule 7101 from 192.0.2.7/32 iif lo lookup 7105 proto 109\n",
		 7105, "a rule for its address"},
		{"rule 7109 from 192.0.2.0/24 iif lo lookup 7105 proto 3\n", 0,
		 "somebody else's rule"},
		{"rule 7109 from 192.0.2.0/24 iif lo lookup 99 proto 109\n", 0,
		 "a table that is not ours"},
		{"rule 7109 from 10.0.0.0/8 iif lo lookup 7105 proto 109\n", 0,
		 "a subnet that is no more"},
		{"policy interface a never\n"
		 "rule 7109 from 192.0.2.0/24 iif lo lookup 7105 proto 109\n",
		 0, "the policy says never by now"},
		{"rule 7109 from 192.0.2.0/24 iif lo lookup 7105 proto 109\n"
		 "rule 7109 from 192.0.2.0/24 iif lo lookup 7106 proto 109\n",
		 7105, "two rules: the first that the kernel meets"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct scene scene;
		const struct subnet *subnet;
		char text[300];

		(void)snprintf(text, sizeof(text),
			       "addr 192.0.2.7/24 dev a\n%s", cases[i].text);
		recover(&scene, text);
		subnet = scene_subnet(&scene, "192.0.2.0/24", "a");
		if (subnet->table != cases[i].table ||
		    subnet->managed != (cases[i].table != 0))
			fail_msg("%s: table %u, managed %d", cases[i].why,
				 subnet->table, subnet->managed);
		/* It is kept like that of any subnet that was an uplink. */
		scene_manage(&scene);
		subnet = scene_subnet(&scene, "192.0.2.0/24", "a");
		assert_int_equal(subnet->table, cases[i].table);
		assert_true(subnet->uplink == (cases[i].table != 0));
		scene_done(&scene);
	}
}

static void recovered_table_is_one_subnets(void **state)
{
	struct scene scene;

	(void)state;
	recover(&scene,
		"addr 192.0.2.7/24 dev a\naddr 10.0.0.2/8 dev b\n"
		"rule 7101 from 192.0.2.7/32 iif lo lookup 7105 proto 109\n"
		"rule 7125 from 10.0.0.0/8 iif lo lookup 7105 proto 109\n");
	assert_int_equal(scene_subnet(&scene, "192.0.2.0/24", "a")->table,
			 7105);
	assert_int_equal(scene_subnet(&scene, "10.0.0.0/8", "b")->table, 0);
	scene_done(&scene);
}

static void recovered_table_of_what_is_on_two_links(void **state)
{
#define RULE	   " iif lo lookup 7105 proto 109\n"
#define RULE_FOR_7 "rule 7101 from 192.0.2.7/32" RULE
#define UPLINK_B   "route 0.0.0.0/0 via 192.0.2.1 dev b\n"
	static const struct {
		const char *text;
		const char *a; /* its prefix there */
		const char *b;
		uint32_t a_table;
		uint32_t b_table;
		bool a_managed;
		const char *why;
	} cases[] = {
		{"addr 192.0.2.7/24 dev a\naddr 192.0.2.7/24 dev b\n"
		 "addr 192.0.2.8/24 dev b\n" UPLINK_B
		 "rule 7101 from 192.0.2.7/32 iif lo lookup 7106 proto 109\n"
		 "rule 7101 from 192.0.2.8/32" RULE,
		 "192.0.2.0/24", "192.0.2.0/24", 7106, 7105, true,
		 "the first rule could be of either: the second says of which"},
		{"addr 192.0.2.7/24 dev a\n"
		 "addr 192.0.2.7/24 dev b\n" UPLINK_B RULE_FOR_7,
		 "192.0.2.0/24", "192.0.2.0/24", 0, 7105, false,
		 "neither ifindex nor order matters"},
		{"addr 192.0.2.7/32 dev a\n"
		 "addr 192.0.2.7/24 dev b\n" UPLINK_B RULE_FOR_7,
		 "192.0.2.7/32", "192.0.2.0/24", 0, 7105, false,
		 "a tunnel has no other, and makes a subnet of it"},
		{"addr 192.0.2.7/24 dev a\naddr 192.0.2.7/32 dev "
		 "b\n" RULE_FOR_7,
		 "192.0.2.0/24", "192.0.2.7/32", 0, 7105, false,
		 "without an uplink it is the longest's, as the address is"},
		{"addr 192.0.2.7/24 dev a\naddr 192.0.2.8/24 dev b\n" UPLINK_B
		 "rule 7109 from 192.0.2.0/24" RULE,
		 "192.0.2.0/24", "192.0.2.0/24", 0, 7105, false,
		 "a prefix that another link has by now"},
		{"addr 192.0.2.7/24 dev a\naddr 192.0.2.8/24 dev b\n"
		 "route 0.0.0.0/0 via 192.0.2.1 dev a metric 1\n"
		 "route 0.0.0.0/0 via 192.0.2.1 dev b metric 2\n"
		 "rule 7109 from 192.0.2.0/24" RULE,
		 "192.0.2.0/24", "192.0.2.0/24", 0, 0, true,
		 "of two uplinks nobody knows whose it was"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct subnet *a;
		const struct subnet *b;
		struct scene scene;

		recover(&scene, cases[i].text);
		a = scene_subnet(&scene, cases[i].a, "a");
		b = scene_subnet(&scene, cases[i].b, "b");
		if (a->table != cases[i].a_table ||
		    b->table != cases[i].b_table ||
		    a->managed != cases[i].a_managed)
			fail_msg("%s: tables %u and %u, a is managed: %d",
				 cases[i].why, a->table, b->table, a->managed);
		scene_done(&scene);
	}
#undef RULE
#undef RULE_FOR_7
#undef UPLINK_B
}

static void taken_tables_are_known(void **state)
{
	struct scene scene;

	(void)state;
	scene_make(&scene, LINKS "addr 192.0.2.7/24 dev a\n"
				 "route 0.0.0.0/0 via 192.0.2.1 dev a\n"
				 "route 10.0.0.0/8 dev a table 7101\n"
				 "route 2001:db8::/32 dev a table 7102\n"
				 "rule 100 from 10.0.0.0/8 lookup 7103\n"
				 "rule 100 from 2001:db8::/32 lookup 7104\n");
	for (uint32_t table = 7100; table <= 7104; table++)
		assert_true(subnet_table_is_taken(&scene.subnets, &scene.model,
						  table));
	assert_false(subnet_table_is_taken(&scene.subnets, &scene.model, 7105));
	scene_done(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uplink_stays_while_it_has_its_address),
		cmocka_unit_test(
			a_dhcpv6_address_stays_managed_without_its_router),
		cmocka_unit_test(another_length_makes_no_uplink),
		cmocka_unit_test(tables_are_recovered_from_our_rules),
		cmocka_unit_test(recovered_table_is_one_subnets),
		cmocka_unit_test(recovered_table_of_what_is_on_two_links),
		cmocka_unit_test(taken_tables_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
