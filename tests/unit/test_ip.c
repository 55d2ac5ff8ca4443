/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct ip_addr addr(const char *text)
{
	struct ip_addr value;

	if (ip_addr_parse(text, &value))
		fail_msg("not an address: %s", text);
	return value;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix value;

	if (ip_prefix_parse(text, &value))
		fail_msg("not a prefix: %s", text);
	return value;
}

static void addr_text_round_trips(void **state)
{
	static const struct {
		const char *text;
		uint8_t family;
		const char *why;
	} cases[] = {
		{"0.0.0.0", AF_INET, "lowest"},
		{"255.255.255.255", AF_INET, "highest"},
		{"192.0.2.7", AF_INET, "common"},
		{"::", AF_INET6, "lowest"},
		{"2001:db8::1", AF_INET6, "zeros shortened"},
		{"::ffff:192.0.2.7", AF_INET6, "an IPv4 address mapped"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", AF_INET6,
		 "longest"},
	};
	char text[IP_TEXT_MAX];
	struct ip_addr value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		value = addr(cases[i].text);
		if (strcmp(ip_addr_format(&value, text), cases[i].text) != 0 ||
		    value.family != cases[i].family)
			fail_msg("'%s' reads '%s' (%s)", cases[i].text, text,
				 cases[i].why);
	}
}

static void no_address_reads_none(void **state)
{
	const struct ip_addr unset = {0};
	const struct ip_prefix no_prefix = {0};
	char text[IP_TEXT_MAX];

	(void)state;
	assert_false(ip_addr_is_set(&unset));
	assert_string_equal(ip_addr_format(&unset, text), "none");
	assert_string_equal(ip_prefix_format(&no_prefix, text), "none");
}

static void addr_rejects_bad_text(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{"", "nothing"},
		{"192.0.2", "three numbers"},
		{"192.0.2.256", "number above 255"},
		{"192.0.2.1 ", "blank behind"},
		{" 192.0.2.1", "blank before"},
		{"192.0.2.1/32", "a prefix"},
		{"2001:db8:::1", "three colons"},
		{"fe80::1%eth0", "zone"},
		{"1:2:3:4:5:6:7:8:9", "nine groups"},
		{"default", "a word"},
	};
	const struct ip_addr before = addr("192.0.2.99");
	struct ip_addr value = before;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		if (ip_addr_parse(cases[i].text, &value) != -EINVAL)
			fail_msg("accepted '%s' (%s)", cases[i].text,
				 cases[i].why);
		assert_true(ip_addr_equal(&value, &before));
	}
}

static void prefix_text_round_trips(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{"0.0.0.0/0", "shortest"},
		{"128.0.0.0/1", "one bit"},
		{"192.0.2.0/24", "whole bytes"},
		{"192.0.2.64/27", "part of a byte"},
		{"192.0.2.1/32", "host"},
		{"::/0", "shortest"},
		{"2001:db8::/33", "part of a byte"},
		{"2001:db8::1/128", "host"},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "longest"},
	};
	char text[IP_TEXT_MAX];
	struct ip_prefix value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		value = prefix(cases[i].text);
		if (strcmp(ip_prefix_format(&value, text), cases[i].text) != 0)
			fail_msg("'%s' reads '%s' (%s)", cases[i].text, text,
				 cases[i].why);
	}
}

static void prefix_rejects_bad_text(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{"", "nothing"},
		{"default", "a word of ip(8), not a prefix"},
		{"192.0.2.0", "no length"},
		{"192.0.2.0/", "empty length"},
		{"/24", "no address"},
		{"192.0.2.1/24", "host bits set"},
		{"192.0.2.0/33", "length above 32"},
		{"2001:db8::/129", "length above 128"},
		{"192.0.2.0/24 ", "blank behind"},
		{"192.0.2.0/ 24", "blank in the length"},
		{"192.0.2.0/+24", "sign"},
		{"192.0.2.0/-1", "negative"},
		{"192.0.2.0/024", "leading zero"},
		{"192.0.2.0/0x18", "hexadecimal"},
		{"192.0.2.0/280", "length that wraps to 24 in 8 bits"},
		{"192.0.2.0/4294967320", "length that wraps to 24 in 32 bits"},
		{"192.0.2.0/24/24", "two lengths"},
		{"192.0.2.0/255.255.255.0", "netmask"},
		{"11111111111111111111111111111111"
		 "11111111111111111111111111111111/1",
		 "an address of exactly IP_TEXT_MAX"},
		{"11111111111111111111111111111111"
		 "111111111111111111111111111111111/1",
		 "longer than any address"},
	};
	const struct ip_prefix before = prefix("192.0.2.96/27");
	struct ip_prefix value = before;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		if (ip_prefix_parse(cases[i].text, &value) != -EINVAL)
			fail_msg("accepted '%s' (%s)", cases[i].text,
				 cases[i].why);
		assert_true(ip_prefix_equal(&value, &before));
	}
}

static void addr_kinds_are_told_apart(void **state)
{
	enum {
		LINK_LOCAL = 1,
		LOOPBACK = 2,
		MULTICAST = 4,
		ANY = 8,
		MAPPED = 16,
	};
	static const struct {
		const char *text;
		int kinds;
		const char *why;
	} cases[] = {
		{"0.0.0.0", ANY, "all zero"},
		{"::", ANY, "all zero"},
		{"::1", LOOPBACK, "the one"},
		{"::2", 0, "not the one"},
		{"126.255.255.255", 0, "before 127/8"},
		{"127.0.0.0", LOOPBACK, "first of 127/8"},
		{"127.255.255.255", LOOPBACK, "last of 127/8"},
		{"169.253.255.255", 0, "before 169.254/16"},
		{"169.254.0.1", LINK_LOCAL, "169.254/16"},
		{"169.255.0.0", 0, "behind 169.254/16"},
		{"223.255.255.255", 0, "before 224/4"},
		{"224.0.0.1", MULTICAST, "first of 224/4"},
		{"239.255.255.255", MULTICAST, "last of 224/4"},
		{"240.0.0.0", 0, "behind 224/4"},
		{"255.255.255.255", 0, "broadcast is not multicast"},
		{"fe7f:ffff::", 0, "before fe80::/10"},
		{"fe80::1", LINK_LOCAL, "fe80::/10"},
		{"febf::1", LINK_LOCAL, "end of fe80::/10"},
		{"fec0::1", 0, "site local, behind fe80::/10"},
		{"feff::1", 0, "before ff00::/8"},
		{"ff02::1", MULTICAST, "ff00::/8"},
		{"7f00::1", 0, "IPv6 whose first byte is 127"},
		{"e000::1", 0, "IPv6 whose first byte is 224"},
		{"254.128.0.1", 0, "IPv4 whose first bytes are fe80"},
		{"::ffff:0.0.0.0", MAPPED, "first of ::ffff:0:0/96"},
		{"::ffff:255.255.255.255", MAPPED, "last of it"},
		{"::fffe:ffff:ffff", 0, "before it"},
		{"::1:0:0:0", 0, "behind it"},
	};
	struct ip_addr value;
	int kinds;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		value = addr(cases[i].text);
		kinds = (ip_addr_is_link_local(&value) ? LINK_LOCAL : 0) |
			(ip_addr_is_loopback(&value) ? LOOPBACK : 0) |
			(ip_addr_is_multicast(&value) ? MULTICAST : 0) |
			(ip_addr_is_any(&value) ? ANY : 0) |
			(ip_addr_is_mapped(&value) ? MAPPED : 0);
		if (kinds != cases[i].kinds)
			fail_msg("%s is %d, expected %d (%s)", cases[i].text,
				 kinds, cases[i].kinds, cases[i].why);
	}
}

static void no_address_is_of_no_kind(void **state)
{
	const struct ip_addr unset = {0};

	(void)state;
	assert_false(ip_addr_is_link_local(&unset));
	assert_false(ip_addr_is_loopback(&unset));
	assert_false(ip_addr_is_multicast(&unset));
	assert_false(ip_addr_is_any(&unset));
	assert_false(ip_addr_is_mapped(&unset));
}

static void addr_bits_count_from_the_left(void **state)
{
	const struct ip_addr v4 = addr("128.0.0.1");
	const struct ip_addr v6 = addr("4000::8000");
	unsigned int i;

	(void)state;
	for (i = 0; i < 32; i++)
		assert_int_equal(ip_addr_bit(&v4, i), i == 0 || i == 31);
	for (i = 0; i < 128; i++)
		assert_int_equal(ip_addr_bit(&v6, i), i == 1 || i == 112);
}

static void making_an_address_leaves_no_stray_bytes(void **state)
{
	static const uint8_t wire[] = {192, 0, 2, 7, 0xff, 0xff};
	const struct ip_addr made = ip_addr_make(AF_INET, wire);
	const struct ip_addr parsed = addr("192.0.2.7");

	(void)state;
	assert_true(ip_addr_equal(&made, &parsed));
}

static void making_a_prefix_clears_host_bits(void **state)
{
	static const struct {
		const char *addr;
		uint8_t len;
		const char *prefix;
	} cases[] = {
		{"255.255.255.255", 0, "0.0.0.0/0"},
		{"255.255.255.255", 1, "128.0.0.0/1"},
		{"255.255.255.255", 7, "254.0.0.0/7"},
		{"255.255.255.255", 8, "255.0.0.0/8"},
		{"255.255.255.255", 9, "255.128.0.0/9"},
		{"255.255.255.255", 31, "255.255.255.254/31"},
		{"255.255.255.255", 32, "255.255.255.255/32"},
		{"2001:db8:ffff::1", 33, "2001:db8:8000::/33"},
		{"2001:db8::ffff", 127, "2001:db8::fffe/127"},
		{"2001:db8::ffff", 128, "2001:db8::ffff/128"},
	};
	struct ip_prefix expected;
	struct ip_prefix made;
	struct ip_addr value;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		value = addr(cases[i].addr);
		expected = prefix(cases[i].prefix);
		made = ip_prefix_make(&value, cases[i].len);
		if (!ip_prefix_equal(&made, &expected))
			fail_msg("%s with %u bits is not %s", cases[i].addr,
				 cases[i].len, cases[i].prefix);
	}
}

static void default_and_host_are_the_extremes(void **state)
{
	const struct ip_addr v4 = addr("192.0.2.7");
	const struct ip_addr v6 = addr("2001:db8::7");
	struct ip_prefix value;
	char text[IP_TEXT_MAX];

	(void)state;
	value = ip_prefix_default(AF_INET);
	assert_string_equal(ip_prefix_format(&value, text), "0.0.0.0/0");
	value = ip_prefix_default(AF_INET6);
	assert_string_equal(ip_prefix_format(&value, text), "::/0");
	value = ip_prefix_host(&v4);
	assert_string_equal(ip_prefix_format(&value, text), "192.0.2.7/32");
	value = ip_prefix_host(&v6);
	assert_string_equal(ip_prefix_format(&value, text), "2001:db8::7/128");
}

static void prefixes_have_a_total_order(void **state)
{
	/* By family, address, length: ascending. */
	static const char *const sorted[] = {
		"0.0.0.0/0",	   "0.0.0.0/32",
		"10.0.0.0/8",	   "10.0.0.0/9",
		"10.128.0.0/9",	   "192.0.2.0/24",
		"255.0.0.0/8",	   "::/0",
		"::/128",	   "2001:db8::/32",
		"2001:db8::/48",   "2001:db8::/128",
		"2001:db8::1/128", "2001:db8:8000::/33",
	};
	struct ip_prefix a;
	struct ip_prefix b;
	size_t i;
	size_t j;

	(void)state;
	for (i = 0; i < COUNT(sorted); i++) {
		for (j = 0; j < COUNT(sorted); j++) {
			a = prefix(sorted[i]);
			b = prefix(sorted[j]);
			assert_int_equal(ip_prefix_cmp(&a, &b) < 0, i < j);
			assert_int_equal(ip_prefix_cmp(&a, &b) > 0, i > j);
			assert_int_equal(ip_prefix_equal(&a, &b), i == j);
		}
	}
}

static void prefix_has_its_addresses(void **state)
{
	static const struct {
		const char *prefix;
		const char *addr;
		bool has;
		const char *why;
	} cases[] = {
		{"0.0.0.0/0", "203.0.113.9", true, "all of the family"},
		{"0.0.0.0/0", "2001:db8::1", false, "other family"},
		{"::/0", "192.0.2.1", false, "other family"},
		{"192.0.2.0/24", "192.0.2.0", true, "first"},
		{"192.0.2.0/24", "192.0.2.255", true, "last"},
		{"192.0.2.0/24", "192.0.1.255", false, "one before"},
		{"192.0.2.0/24", "192.0.3.0", false, "one behind"},
		{"192.0.2.64/27", "192.0.2.95", true, "last, inside a byte"},
		{"192.0.2.64/27", "192.0.2.96", false, "one behind, same byte"},
		{"192.0.2.7/32", "192.0.2.7", true, "itself"},
		{"192.0.2.7/32", "192.0.2.6", false, "last bit differs"},
		{"2001:db8::/33", "2001:db8:7fff::1", true, "33rd bit clear"},
		{"2001:db8::/33", "2001:db8:8000::1", false, "33rd bit set"},
		{"::1/128", "::1", true, "itself"},
		{"::1/128", "::", false, "last bit differs"},
	};
	struct ip_prefix p;
	struct ip_addr a;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		p = prefix(cases[i].prefix);
		a = addr(cases[i].addr);
		if (ip_prefix_has(&p, &a) != cases[i].has)
			fail_msg("%s in %s (%s)", cases[i].addr,
				 cases[i].prefix, cases[i].why);
	}
}

static void prefixes_cover_and_overlap(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		bool covers; /* a covers b */
		bool overlaps;
		const char *why;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0/8", true, true, "the same"},
		{"10.0.0.0/8", "10.1.0.0/16", true, true, "inside"},
		{"10.1.0.0/16", "10.0.0.0/8", false, true, "around"},
		{"10.0.0.0/16", "10.0.0.0/8", false, true,
		 "around, the same address"},
		{"10.0.0.0/8", "11.0.0.0/8", false, false, "beside"},
		{"10.0.0.0/8", "11.0.0.0/16", false, false, "longer, beside"},
		{"0.0.0.0/0", "192.0.2.1/32", true, true, "everything"},
		{"0.0.0.0/0", "::/0", false, false, "other family"},
		{"2001:db8::/32", "2001:db8::/128", true, true, "host in it"},
		{"2001:db8::/32", "2001:db9::/32", false, false, "beside"},
	};
	struct ip_prefix a;
	struct ip_prefix b;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		a = prefix(cases[i].a);
		b = prefix(cases[i].b);
		if (ip_prefix_covers(&a, &b) != cases[i].covers)
			fail_msg("%s covers %s (%s)", cases[i].a, cases[i].b,
				 cases[i].why);
		if (ip_prefix_overlaps(&a, &b) != cases[i].overlaps ||
		    ip_prefix_overlaps(&b, &a) != cases[i].overlaps)
			fail_msg("%s overlaps %s (%s)", cases[i].a, cases[i].b,
				 cases[i].why);
	}
}

static void last_address_has_all_host_bits_set(void **state)
{
	static const struct {
		const char *prefix;
		const char *last;
	} cases[] = {
		{"0.0.0.0/0", "255.255.255.255"},
		{"192.0.2.0/24", "192.0.2.255"},
		{"192.0.2.64/27", "192.0.2.95"},
		{"192.0.2.7/32", "192.0.2.7"},
		{"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
		{"2001:db8::/63", "2001:db8:0:1:ffff:ffff:ffff:ffff"},
		{"2001:db8::1/128", "2001:db8::1"},
	};
	struct ip_prefix p;
	struct ip_addr last;
	struct ip_addr expected;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		p = prefix(cases[i].prefix);
		expected = addr(cases[i].last);
		last = ip_prefix_last(&p);
		if (!ip_addr_equal(&last, &expected))
			fail_msg("last of %s is not %s", cases[i].prefix,
				 cases[i].last);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addr_text_round_trips),
		cmocka_unit_test(no_address_reads_none),
		cmocka_unit_test(addr_rejects_bad_text),
		cmocka_unit_test(prefix_text_round_trips),
		cmocka_unit_test(prefix_rejects_bad_text),
		cmocka_unit_test(addr_kinds_are_told_apart),
		cmocka_unit_test(no_address_is_of_no_kind),
		cmocka_unit_test(addr_bits_count_from_the_left),
		cmocka_unit_test(making_an_address_leaves_no_stray_bytes),
		cmocka_unit_test(making_a_prefix_clears_host_bits),
		cmocka_unit_test(default_and_host_are_the_extremes),
		cmocka_unit_test(prefixes_have_a_total_order),
		cmocka_unit_test(prefix_has_its_addresses),
		cmocka_unit_test(prefixes_cover_and_overlap),
		cmocka_unit_test(last_address_has_all_host_bits_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
