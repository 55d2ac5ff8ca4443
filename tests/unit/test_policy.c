/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void add_interface(struct policy *policy, const char *match)
{
	struct policy_interface interface = {0};

	(void)snprintf(interface.match, sizeof(interface.match), "%s", match);
	vec_push(&policy->interfaces, interface);
}

/* Return: the match of the entry that applies; "" if none does. */
static const char *found(const struct policy *policy, const char *name)
{
	struct link link = {.ifindex = 7};
	const struct policy_interface *interface;

	(void)snprintf(link.name, sizeof(link.name), "%s", name);
	link.loopback = strcmp(name, "lo") == 0;
	interface = policy_interface_find(policy, &link);
	return interface ? interface->match : "";
}

static void policy_starts_with_the_defaults(void **state)
{
	struct policy policy;

	(void)state;
	policy_init(&policy);
	assert_int_equal(policy.model, HOST_MODEL_WEAK);
	assert_int_equal(policy.vpn, VPN_YIELD);
	assert_int_equal(policy.table_first, 7100);
	assert_int_equal(policy.table_last, 7999);
	assert_int_equal(policy.rule_priority, 7100);
	assert_int_equal(policy.protocol, 109);
	assert_int_equal(policy.settle_ms, 200);
	assert_false(policy.ignore_linkdown);
	assert_int_equal(policy.interfaces.n, 0);
	assert_int_equal(policy.routes.n, 0);
	assert_int_equal(policy.bindings.n, 0);
	policy_done(&policy);
}

static void policy_done_may_run_twice(void **state)
{
	struct policy policy;

	(void)state;
	policy_init(&policy);
	add_interface(&policy, "eth0");
	policy_done(&policy);
	policy_done(&policy);
	assert_int_equal(policy.interfaces.n, 0);
}

static void interface_matches_as_in_the_shell(void **state)
{
	static const struct {
		const char *match;
		const char *name;
		bool fits;
		const char *why;
	} cases[] = {
		{"eth0", "eth0", true, "a name"},
		{"eth0", "eth01", false, "a name is not a beginning"},
		{"eth", "eth0", false, "no pattern, no match"},
		{"docker*", "docker0", true, "any end"},
		{"docker*", "docker", true, "an empty end"},
		{"*", "wlan0", true, "everything"},
		{"*", "veth.7", true, "a dot is nothing special"},
		{"eth?", "eth1", true, "one character"},
		{"eth?", "eth10", false, "not two"},
		{"eth[01]", "eth1", true, "a set"},
		{"eth[01]", "eth2", false, "not in the set"},
		{"eth[!01]", "eth2", true, "a set inverted"},
		{"ETH0", "eth0", false, "upper case is another name"},
		{"*", "lo", false, "a wildcard never means lo"},
		{"l?", "lo", false, "whatever the wildcard"},
		{"l[o]", "lo", false, "even if it says lo"},
		{"lo", "lo", true, "lo is meant by its name"},
		{"lo*", "lo1", true, "other links may begin so"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct policy policy;

		policy_init(&policy);
		add_interface(&policy, cases[i].match);
		if (cases[i].fits != (*found(&policy, cases[i].name) != 0))
			fail_msg("'%s' for '%s': %s", cases[i].match,
				 cases[i].name, cases[i].why);
		policy_done(&policy);
	}
}

static void first_interface_that_matches_applies(void **state)
{
	struct policy policy;

	(void)state;
	policy_init(&policy);
	add_interface(&policy, "eth1");
	add_interface(&policy, "eth*");
	add_interface(&policy, "*");
	add_interface(&policy, "eth2");
	assert_string_equal(found(&policy, "eth1"), "eth1");
	assert_string_equal(found(&policy, "eth2"), "eth*");
	assert_string_equal(found(&policy, "wlan0"), "*");
	assert_string_equal(found(&policy, "lo"), "");
	policy_done(&policy);
}

static void no_interface_applies_without_entries(void **state)
{
	struct policy policy;

	(void)state;
	policy_init(&policy);
	assert_string_equal(found(&policy, "eth0"), "");
	policy_done(&policy);
}

static void our_tables_are_those_of_the_range(void **state)
{
	struct policy policy;

	(void)state;
	policy_init(&policy);
	assert_false(policy_is_our_table(&policy, 7099));
	assert_true(policy_is_our_table(&policy, 7100));
	assert_true(policy_is_our_table(&policy, 7999));
	assert_false(policy_is_our_table(&policy, 8000));
	assert_false(policy_is_our_table(&policy, 254));
	policy.table_last = UINT32_MAX;
	assert_true(policy_is_our_table(&policy, UINT32_MAX));
	policy_done(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_starts_with_the_defaults),
		cmocka_unit_test(policy_done_may_run_twice),
		cmocka_unit_test(interface_matches_as_in_the_shell),
		cmocka_unit_test(first_interface_that_matches_applies),
		cmocka_unit_test(no_interface_applies_without_entries),
		cmocka_unit_test(our_tables_are_those_of_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
