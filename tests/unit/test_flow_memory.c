/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/flow_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <netinet/in.h>

static struct flow to(const char *dst)
{
	struct flow flow = {0};

	assert_int_equal(ip_addr_parse(dst, &flow.dst), 0);
	return flow;
}

static struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix prefix;

	assert_int_equal(ip_prefix_parse(text, &prefix), 0);
	return prefix;
}

static void remember(struct flow_memory *memory, const char *const *dsts,
		     size_t n)
{
	flow_memory_begin(memory, 7);
	for (size_t i = 0; i < n; i++) {
		struct flow flow = to(dsts[i]);

		flow_memory_add(memory, &flow);
	}
	assert_true(flow_memory_end(memory));
}

static void it_is_known_where_they_lead(void **state)
{
	static const char *const dsts[] = {"203.0.113.9", "192.0.2.255",
					   "203.0.113.9", "2001:db8:9::9",
					   "10.0.0.0",	  "2001:db8::"};
	static const struct {
		const char *prefix;
		bool leads;
		const char *why;
	} cases[] = {
		{"203.0.113.9/32", true, "the very host"},
		{"203.0.113.8/32", false, "just below"},
		{"203.0.113.10/32", false, "just above"},
		{"203.0.113.8/31", true, "its last address"},
		{"203.0.113.10/31", false, "the next pair"},
		{"192.0.2.0/24", true, "the last address of all"},
		{"192.0.3.0/24", false, "the next one"},
		{"10.0.0.0/8", true, "the first address"},
		{"0.0.0.0/0", true, "anything"},
		{"224.0.0.0/4", false, "behind the last of its family"},
		{"1.0.0.0/8", false, "before the first"},
		{"::/0", true, "anything of IPv6"},
		{"2001:db8::/48", true, "the first of IPv6"},
		{"2001:db8:9::/64", true, "IPv6"},
		{"2001:db8:a::/48", false, "behind all"},
		{"::/8", false, "before the first of IPv6"},
	};
	struct flow_memory memory = {0};

	(void)state;
	remember(&memory, dsts, 6);
	assert_int_equal(memory.dests.n, 5);
	assert_int_equal(memory.begun, 7);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_prefix prefix = prefix_of(cases[i].prefix);

		if (flow_memory_leads_into(&memory, &prefix) != cases[i].leads)
			fail_msg("%s: %s", cases[i].prefix, cases[i].why);
	}
	flow_memory_done(&memory);
	assert_false(memory.known);
}

static void where_there_are_none_none_leads(void **state)
{
	struct ip_prefix all = ip_prefix_default(AF_INET);
	struct flow_memory memory = {0};

	(void)state;
	assert_false(memory.known);
	remember(&memory, NULL, 0);
	assert_true(memory.known);
	assert_false(flow_memory_leads_into(&memory, &all));
	flow_memory_forget(&memory);
	assert_false(memory.known);
	flow_memory_done(&memory);
}

static void too_many_are_not_remembered(void **state)
{
	static const char *const one[] = {"192.0.2.1"};
	struct flow flow = to("203.0.113.9");
	struct flow_memory memory = {0};

	(void)state;
	for (int more = 0; more < 3; more++) {
		flow_memory_begin(&memory, 0);
		for (int i = 0; i < FLOW_MEMORY_MAX + more; i++)
			flow_memory_add(&memory, &flow);
		assert_int_equal(flow_memory_end(&memory), more == 0);
		assert_int_equal(memory.known, more == 0);
	}
	/* Nor is anything left of them. */
	remember(&memory, one, 1);
	assert_int_equal(memory.dests.n, 1);
	flow_memory_done(&memory);
}

static void a_new_list_makes_a_new_memory(void **state)
{
	struct ip_prefix source = prefix_of("192.0.2.0/24");
	struct flow_memory memory = {0};

	(void)state;
	flow_memory_begin(&memory, 1);
	flow_memory_add_source(&memory, &source);
	assert_true(flow_memory_end(&memory));
	flow_memory_begin(&memory, 2);
	assert_false(memory.known);
	assert_true(flow_memory_end(&memory));
	assert_false(flow_memory_has_source(&memory, &source));
	flow_memory_done(&memory);
}

static void sources_are_those_that_were_listed(void **state)
{
	static const struct {
		const char *source;
		bool listed;
	} cases[] = {
		{"192.0.2.0/24", true},	     {"192.0.2.7/32", true},
		{"192.0.0.0/16", false},     {"198.51.100.0/24", false},
		{"2001:db8:1::/64", true},   {"2001:db8:2::/64", false},
		{"2001:db8:1::2/128", true},
	};
	struct ip_prefix v4 = prefix_of("192.0.2.0/24");
	struct ip_prefix v6 = prefix_of("2001:db8:1::/64");
	struct flow_memory memory = {0};

	(void)state;
	flow_memory_begin(&memory, 0);
	flow_memory_add_source(&memory, &v4);
	flow_memory_add_source(&memory, &v6);
	assert_true(flow_memory_end(&memory));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_prefix source = prefix_of(cases[i].source);

		if (flow_memory_has_source(&memory, &source) != cases[i].listed)
			fail_msg("%s", cases[i].source);
	}
	flow_memory_done(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_known_where_they_lead),
		cmocka_unit_test(where_there_are_none_none_leads),
		cmocka_unit_test(too_many_are_not_remembered),
		cmocka_unit_test(a_new_list_makes_a_new_memory),
		cmocka_unit_test(sources_are_those_that_were_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
