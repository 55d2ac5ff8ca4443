/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ra/ra.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/advert_bytes.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A copy of no byte too many, so that the sanitizers see one read behind. */
static int parse(const uint8_t *bytes, size_t len, struct ra *ret)
{
	uint8_t *exact = malloc(len ? len : 1);
	int r;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	r = ra_parse(exact, len, ret);
	free(exact);
	return r;
}

static int parse_prefix(const uint8_t *bytes, size_t len, struct ra_prefix *ret)
{
	uint8_t *exact = malloc(len ? len : 1);
	int r;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	r = ra_parse_prefix(exact, len, ret);
	free(exact);
	return r;
}

static void must_parse(const struct advert_bytes *bytes, struct ra *ret)
{
	assert_int_equal(parse(bytes->at, bytes->n, ret), 0);
}

static void assert_prefix(const struct ra_prefix *got, const char *want)
{
	char text[IP_TEXT_MAX];

	assert_string_equal(ip_prefix_format(&got->prefix, text), want);
}

/* --- whole messages --- */

static void a_message_is_parsed(void **state)
{
	struct advert_bytes bytes;
	struct ra ra;

	(void)state;
	advert_begin(&bytes, 1800);
	memcpy(advert_add(&bytes, 1, 1) + 2, "\2\0\0\0\0\1", 6);
	advert_add_prefix(&bytes, "2001:db8:1::/64", 86400);
	advert_add(&bytes, 5, 1)[6] = 5; /* MTU 1280 */
	advert_add_prefix(&bytes, "2001:db8:2::/56", RA_FOREVER);
	advert_add_route(&bytes, "2001:db8:9::/48", 600);
	must_parse(&bytes, &ra);
	assert_int_equal(ra.router_lifetime_s, 1800);
	assert_int_equal(ra.n_prefixes, 2);
	assert_false(ra.cut);
	assert_prefix(&ra.prefixes[0], "2001:db8:1::/64");
	assert_int_equal(ra.prefixes[0].valid_s, 86400);
	assert_prefix(&ra.prefixes[1], "2001:db8:2::/56");
	assert_int_equal(ra.prefixes[1].valid_s, RA_FOREVER);
}

static void a_message_without_options_is_one(void **state)
{
	struct advert_bytes bytes;
	struct ra ra;

	(void)state;
	advert_begin(&bytes, 65535);
	must_parse(&bytes, &ra);
	assert_int_equal(ra.router_lifetime_s, 65535);
	assert_int_equal(ra.n_prefixes, 0);
	advert_begin(&bytes, 0);
	must_parse(&bytes, &ra);
	assert_int_equal(ra.router_lifetime_s, 0);
}

static void bad_messages_are_refused(void **state)
{
	static const struct {
		const char *why;
		size_t len;
		uint8_t bytes[40];
	} cases[] = {
		{"nothing at all", 0, {0}},
		{"a type alone", 1, {134}},
		{"a header without its last byte", 15, {134}},
		{"a solicitation", 16, {133}},
		{"an echo request", 16, {128}},
		{"another code", 16, {134, 1}},
		{"one byte of an option", 17, {134, [16] = 1}},
		{"an option of length zero", 24, {134, [16] = 1, 0}},
		{"length zero in the last two bytes", 18, {134, [16] = 1, 0}},
		{"an option without its last byte", 23, {134, [16] = 1, 1}},
		{"an option of two bytes", 18, {134, [16] = 1, 1}},
		{"an option beyond the end", 24, {134, [16] = 1, 2}},
		{"the longest option beyond the end",
		 24,
		 {134, [16] = 99, 255}},
		{"a second option of length zero",
		 32,
		 {134, [16] = 1, 1, [24] = 1, 0}},
		{"a second option beyond the end",
		 32,
		 {134, [16] = 1, 1, [24] = 1, 2}},
		{"one byte behind an option", 25, {134, [16] = 1, 1}},
		{"a prefix beyond the end", 40, {134, [16] = 3, 4, 64}},
		{"an unknown option of length zero", 24, {134, [16] = 254, 0}},
	};
	struct ra ra;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (parse(cases[i].bytes, cases[i].len, &ra) != -EBADMSG)
			fail_msg("accepted: %s", cases[i].why);
}

/* Each shorter message is one or is refused, and reads nothing behind it. */
static void a_message_may_end_anywhere(void **state)
{
	struct advert_bytes bytes;
	struct ra ra;

	(void)state;
	advert_begin(&bytes, 1800);
	advert_add_prefix(&bytes, "2001:db8:1::/64", 86400);
	advert_add_route(&bytes, "2001:db8:9::/48", 600);
	advert_add(&bytes, 5, 1);
	for (size_t len = 0; len < bytes.n; len++) {
		bool whole = len == 16 || len == 48 || len == 72;
		int r = parse(bytes.at, len, &ra);

		if (r != (whole ? 0 : -EBADMSG))
			fail_msg("%d for the first %zu bytes", r, len);
	}
}

static void reserved_and_unknown_things_are_skipped(void **state)
{
	struct advert_bytes bytes;
	uint8_t *option;
	struct ra ra;

	(void)state;
	advert_begin(&bytes, 1800);
	memset(bytes.at + 8, 0xff, 8); /* reachable time, retransmit timer */
	bytes.at[2] = 0xff;	       /* the checksum is the kernel's */
	for (unsigned int type = 0; type < 256; type++)
		if (type != 3)
			memset(advert_add(&bytes, (uint8_t)type, 1) + 2, 0xff,
			       6);
	option = advert_add_prefix(&bytes, "2001:db8:1::/64", 9);
	memset(option + 12, 0xff, 4);
	must_parse(&bytes, &ra);
	assert_int_equal(ra.n_prefixes, 1);
	assert_prefix(&ra.prefixes[0], "2001:db8:1::/64");
	assert_int_equal(ra.prefixes[0].valid_s, 9);
}

static void hundreds_of_prefixes_are_cut(void **state)
{
	static struct advert_bytes bytes;
	char text[IP_TEXT_MAX];
	struct ra ra;

	(void)state;
	advert_begin(&bytes, 1800);
	for (int i = 1; i <= 1500; i++) {
		(void)snprintf(text, sizeof(text), "2001:db8:0:%x::/64", i);
		advert_add_prefix(&bytes, text, 60);
		if (i > RA_PREFIXES_MAX && i < 1500)
			continue;
		must_parse(&bytes, &ra);
		assert_int_equal(ra.cut, i > RA_PREFIXES_MAX);
		assert_int_equal(ra.n_prefixes,
				 i > RA_PREFIXES_MAX ? RA_PREFIXES_MAX : i);
	}
	for (size_t i = 0; i < RA_PREFIXES_MAX; i++) {
		(void)snprintf(text, sizeof(text), "2001:db8:0:%zx::/64",
			       i + 1);
		assert_prefix(&ra.prefixes[i], text);
	}
}

static void a_bad_prefix_spoils_no_other(void **state)
{
	struct advert_bytes bytes;
	struct ra ra;

	(void)state;
	advert_begin(&bytes, 1800);
	advert_add(&bytes, 3, 1);
	advert_add_prefix(&bytes, "2001:db8:1::/129", 60);
	for (int i = 0; i < 200; i++)
		advert_add_prefix(&bytes, "fe80::/64", 60);
	advert_add_prefix(&bytes, "2001:db8:2::/64", 60);
	must_parse(&bytes, &ra);
	assert_int_equal(ra.n_prefixes, 1);
	assert_false(ra.cut);
	assert_prefix(&ra.prefixes[0], "2001:db8:2::/64");
}

/* --- one prefix --- */

static void prefixes_are_parsed(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t valid_s;
		const char *want; /* NULL: left out */
		const char *why;
	} cases[] = {
		{"2001:db8:1::/64", 86400, "2001:db8:1::/64", "plain"},
		{"2001:db8:1::/64", 0, "2001:db8:1::/64", "it ends"},
		{"2001:db8:1::/64", UINT32_MAX, "2001:db8:1::/64", "for ever"},
		{"2001:db8:1::/64", UINT32_MAX - 1, "2001:db8:1::/64",
		 "almost for ever"},
		{"2001:db8:1:2:3:4:5:6/64", 1, "2001:db8:1:2::/64",
		 "bits behind the length, as of routers with the R flag"},
		{"2001:db8:1::ffff/61", 1, "2001:db8:1::/61",
		 "bits behind, in the middle of a byte"},
		{"2001:db8::7/128", 1, "2001:db8::7/128", "one address"},
		{"2001:db8::7/127", 1, "2001:db8::6/127", "two addresses"},
		{"fd00:1:2::/48", 1, "fd00:1:2::/48", "unique local"},
		{"2001:db8::/8", 1, "2000::/8", "the shortest"},
		{"2001:db8::/7", 1, NULL, "shorter"},
		{"::/0", 1, NULL, "everything"},
		{"fe80::/64", 1, NULL, "link-local"},
		{"fe80::/10", 1, NULL, "all that is link-local"},
		{"febf::1/128", 1, NULL, "the end of what is link-local"},
		{"fec0::/64", 1, "fec0::/64", "just behind link-local"},
		{"fefa::/9", 1, NULL, "around link-local"},
		{"ff02::/16", 1, NULL, "multicast"},
		{"ff00::/8", 1, NULL, "all that is multicast"},
	};
	struct advert_bytes bytes;
	struct ra_prefix got;
	struct ra ra;
	int r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		advert_begin(&bytes, 1800);
		advert_add_prefix(&bytes, cases[i].prefix, cases[i].valid_s);
		r = parse_prefix(bytes.at + 16, 32, &got);
		if (r != (cases[i].want ? 0 : -ENOENT))
			fail_msg("%d for %s (%s)", r, cases[i].prefix,
				 cases[i].why);
		must_parse(&bytes, &ra);
		assert_int_equal(ra.n_prefixes, cases[i].want ? 1 : 0);
		if (!cases[i].want)
			continue;
		assert_prefix(&got, cases[i].want);
		assert_int_equal(got.valid_s, cases[i].valid_s);
		assert_prefix(&ra.prefixes[0], cases[i].want);
		assert_int_equal(ra.prefixes[0].valid_s, cases[i].valid_s);
	}
}

static void all_flags_of_a_prefix_are_alike(void **state)
{
	struct advert_bytes bytes;
	struct ra_prefix got;
	uint8_t *option;

	(void)state;
	for (unsigned int flags = 0; flags < 256; flags++) {
		advert_begin(&bytes, 1800);
		option = advert_add_prefix(&bytes, "2001:db8:1::/64", 7);
		option[3] = (uint8_t)flags;
		/* Preferred longer than valid: the valid one is what counts. */
		memset(option + 8, 0xff, 4);
		assert_int_equal(parse_prefix(option, 32, &got), 0);
		assert_prefix(&got, "2001:db8:1::/64");
		assert_int_equal(got.valid_s, 7);
	}
}

static void bad_prefixes_are_refused(void **state)
{
	static const struct {
		const char *why;
		size_t len;
		int error;
		uint8_t bytes[4]; /* zeros follow */
	} cases[] = {
		{"nothing at all", 0, -EBADMSG, {0}},
		{"a type alone", 1, -EBADMSG, {3}},
		{"a length of zero", 32, -EBADMSG, {3, 0, 64}},
		{"the end is missing", 31, -EBADMSG, {3, 4, 64}},
		{"shorter than a prefix", 32, -EBADMSG, {3, 3, 64}},
		{"much shorter than a prefix", 8, -EBADMSG, {3, 1, 64}},
		{"longer than it is", 32, -EBADMSG, {3, 5, 64}},
		{"more bits than there are", 32, -EBADMSG, {3, 4, 129}},
		{"many more bits", 32, -EBADMSG, {3, 4, 255}},
		{"resolvers", 32, -ENOENT, {25, 4}},
		{"resolvers, and of no length", 32, -EBADMSG, {25, 0}},
		{"a route", 24, -ENOENT, {24, 3, 64}},
	};
	struct ra_prefix got;
	uint8_t bytes[32];
	int r;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes, cases[i].bytes, sizeof(cases[i].bytes));
		r = parse_prefix(bytes, cases[i].len, &got);
		if (r != cases[i].error)
			fail_msg("%d: %s", r, cases[i].why);
	}
}

static void a_longer_option_is_still_a_prefix(void **state)
{
	struct advert_bytes bytes;
	struct ra_prefix got;
	uint8_t *option;

	(void)state;
	advert_begin(&bytes, 1800);
	option = advert_add_prefix(&bytes, "2001:db8:1::/64", 7);
	option[1] = 5;
	bytes.n += 8;
	assert_int_equal(parse_prefix(option, 40, &got), 0);
	assert_prefix(&got, "2001:db8:1::/64");
	/* And what stands behind an option does not matter. */
	option[1] = 4;
	assert_int_equal(parse_prefix(option, 40, &got), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_parsed),
		cmocka_unit_test(a_message_without_options_is_one),
		cmocka_unit_test(bad_messages_are_refused),
		cmocka_unit_test(a_message_may_end_anywhere),
		cmocka_unit_test(reserved_and_unknown_things_are_skipped),
		cmocka_unit_test(hundreds_of_prefixes_are_cut),
		cmocka_unit_test(a_bad_prefix_spoils_no_other),
		cmocka_unit_test(prefixes_are_parsed),
		cmocka_unit_test(all_flags_of_a_prefix_are_alike),
		cmocka_unit_test(bad_prefixes_are_refused),
		cmocka_unit_test(a_longer_option_is_still_a_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
