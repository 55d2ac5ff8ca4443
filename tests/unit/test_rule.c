/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/rule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix value;

	if (ip_prefix_parse(text, &value))
		fail_msg("not a prefix: %s", text);
	return value;
}

/* As the kernel has it at start: from all lookup main. */
static struct rule plain(uint8_t family)
{
	return (struct rule){
		.family = family,
		.priority = RULE_PRIORITY_MAIN,
		.src = ip_prefix_default(family),
		.dst = ip_prefix_default(family),
		.table = 254,
		.action = RULE_ACTION_LOOKUP,
		.suppress_len = -1,
	};
}

/* One more than all before it in one field, the least significant first. */
static void rules_have_a_total_order_over_all_fields(void **state)
{
	struct rule sorted[18];
	size_t n = 0;
	size_t i;
	size_t j;

	(void)state;
#define NEXT(field, value)                                                     \
	do {                                                                   \
		sorted[n] = plain(AF_INET);                                    \
		sorted[n++].field = (value);                                   \
	} while (0)

	sorted[n++] = plain(AF_INET);
	NEXT(suppress_len, 0);
	NEXT(suppress_len, 1);
	NEXT(fwmask, UINT32_MAX);
	NEXT(fwmark, UINT32_MAX);
	NEXT(invert, true);
	NEXT(selective, true);
	NEXT(oif, true);
	NEXT(other_iif, true);
	NEXT(iif_lo, true);
	NEXT(protocol, 109);
	NEXT(action, 7);
	NEXT(table, UINT32_MAX);
	NEXT(dst, prefix("192.0.2.0/24"));
	NEXT(src, prefix("192.0.2.0/24"));
	NEXT(priority, 32767);
	NEXT(priority, UINT32_MAX);
	sorted[n++] = plain(AF_INET6);
#undef NEXT

	assert_int_equal(n, COUNT(sorted));
	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			int order = rule_cmp(&sorted[i], &sorted[j]);

			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
		}
	}
}

static void key_decides_before_the_rest(void **state)
{
	struct rule a = plain(AF_INET);
	struct rule b = plain(AF_INET);

	(void)state;
	a.suppress_len = 32;
	a.fwmark = 1;
	b.iif_lo = true;
	assert_true(rule_cmp(&a, &b) < 0);
}

static void expect(const struct rule *rule, const char *text)
{
	char line[RULE_TEXT_MAX];

	assert_string_equal(rule_format(rule, line), text);
}

static void our_rules_read_as_ip_takes_them(void **state)
{
	struct rule rule = plain(AF_INET);

	(void)state;
	rule.priority = 7109;
	rule.src = prefix("192.0.2.0/24");
	rule.iif_lo = true;
	rule.table = 7100;
	rule.protocol = 109;
	expect(&rule, "priority 7109 from 192.0.2.0/24 iif lo lookup 7100 "
		      "protocol 109");

	rule = plain(AF_INET6);
	rule.priority = 7100;
	rule.dst = prefix("fe80::/10");
	rule.iif_lo = true;
	rule.protocol = 109;
	expect(&rule, "priority 7100 from all to fe80::/10 iif lo lookup main "
		      "protocol 109");
}

static void foreign_rules_show_whom_they_catch(void **state)
{
	struct rule rule = plain(AF_INET);

	(void)state;
	expect(&rule, "priority 32766 from all lookup main");

	rule.suppress_len = 0;
	expect(&rule, "priority 32766 from all lookup main "
		      "suppress_prefixlength 0");

	rule = plain(AF_INET);
	rule.invert = true;
	rule.fwmark = 0xca6c;
	rule.fwmask = UINT32_MAX;
	rule.table = 51820;
	expect(&rule, "priority 32766 not from all fwmark 0xca6c/0xffffffff "
		      "lookup 51820");

	/* Mark 0 under a mask is a selector too. */
	rule = plain(AF_INET);
	rule.fwmask = 1;
	expect(&rule, "priority 32766 from all fwmark 0x0/0x1 lookup main");

	rule = plain(AF_INET);
	rule.other_iif = true;
	rule.oif = true;
	rule.selective = true;
	expect(&rule, "priority 32766 from all [iif] [oif] [more] lookup main");
}

static void actions_have_their_words(void **state)
{
	static const struct {
		uint8_t action;
		const char *text;
	} cases[] = {
		{0, "priority 32766 from all [action 0]"},
		{2, "priority 32766 from all [goto]"},
		{3, "priority 32766 from all nop"},
		{6, "priority 32766 from all blackhole"},
		{7, "priority 32766 from all unreachable"},
		{8, "priority 32766 from all prohibit"},
		{9, "priority 32766 from all [action 9]"},
		{255, "priority 32766 from all [action 255]"},
	};
	struct rule rule = plain(AF_INET);
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		rule.action = cases[i].action;
		expect(&rule, cases[i].text);
	}
}

static void longest_rule_fits(void **state)
{
	const struct ip_prefix longest =
		prefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	const struct rule rule = {
		.family = AF_INET6,
		.priority = UINT32_MAX,
		.src = longest,
		.dst = longest,
		.table = UINT32_MAX,
		.action = RULE_ACTION_LOOKUP,
		.protocol = 255,
		.iif_lo = true,
		.other_iif = true,
		.oif = true,
		.selective = true,
		.invert = true,
		.fwmark = UINT32_MAX,
		.fwmask = UINT32_MAX,
		.suppress_len = INT32_MAX,
	};

	(void)state;
	expect(&rule,
	       "priority 4294967295 not from "
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128 to "
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128 fwmark "
	       "0xffffffff/0xffffffff iif lo [iif] [oif] [more] lookup "
	       "4294967295 protocol 255 suppress_prefixlength 2147483647");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_have_a_total_order_over_all_fields),
		cmocka_unit_test(key_decides_before_the_rest),
		cmocka_unit_test(our_rules_read_as_ip_takes_them),
		cmocka_unit_test(foreign_rules_show_whom_they_catch),
		cmocka_unit_test(actions_have_their_words),
		cmocka_unit_test(longest_rule_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
