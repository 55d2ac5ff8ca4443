/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The digest of what a router says about routes: the same for a refresh,
 * another for whatever changes a route.
 */
#include "ra/ra.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/advert_bytes.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static uint64_t digest(const struct advert_bytes *bytes)
{
	struct ra ra;

	assert_int_equal(ra_parse(bytes->at, bytes->n, &ra), 0);
	return ra.routes_digest;
}

/* Two routes, a prefix, an MTU. */
static void begin_full(struct advert_bytes *bytes)
{
	advert_begin(bytes, 1800);
	advert_add_prefix(bytes, "2001:db8:1::/64", 86400);
	advert_add(bytes, 5, 1)[6] = 5;
	advert_add_route(bytes, "2001:db8:9:8000::/50", 600);
	advert_add_route(bytes, "2001:db8:a::/48", 900);
}

enum {
	FULL_PREFIX = 16,
	FULL_MTU = 48,
	FULL_ROUTE = 56,
	FULL_ROUTE_2 = 80,
};

static void a_refresh_has_the_same_digest(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *why;
	} cases[] = {
		{0, 134, "nothing"},
		{2, 7, "the checksum"},
		{5, 0xc0, "managed and other configuration"},
		{5, 0x10, "the reserved preference counts as medium"},
		{8, 1, "the reachable time"},
		{12, 1, "the retransmission timer"},
		{FULL_PREFIX + 2, 48, "length of a prefix"},
		{FULL_PREFIX + 3, 0, "flags of a prefix"},
		{FULL_PREFIX + 7, 7, "lifetime of a prefix"},
		{FULL_PREFIX + 20, 7, "a prefix"},
		{FULL_MTU + 2, 7, "a reserved byte"},
		{FULL_ROUTE + 3, 0xe7, "reserved bits of a route"},
		{FULL_ROUTE + 14, 0xbf, "bits behind a route's length"},
		{FULL_ROUTE + 15, 7, "a byte behind a route's length"},
	};
	struct advert_bytes bytes;
	uint64_t before;

	(void)state;
	begin_full(&bytes);
	before = digest(&bytes);
	for (size_t i = 0; i < COUNT(cases); i++) {
		begin_full(&bytes);
		bytes.at[cases[i].at] = cases[i].value;
		if (digest(&bytes) != before)
			fail_msg("another digest: %s", cases[i].why);
	}
}

static void a_change_of_routes_has_another_digest(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		const char *why;
	} cases[] = {
		{4, 63, "the hop limit"},
		{5, 0x08, "high preference"},
		{5, 0x18, "low preference"},
		{6, 0, "a shorter router lifetime"},
		{6, 0xff, "a longer router lifetime"},
		{FULL_MTU + 7, 9, "the MTU"},
		{FULL_ROUTE + 2, 49, "a shorter route"},
		{FULL_ROUTE + 2, 51, "a longer route"},
		{FULL_ROUTE + 2, 0, "a default route"},
		{FULL_ROUTE + 3, 0x08, "high preference of a route"},
		{FULL_ROUTE + 3, 0x18, "low preference of a route"},
		{FULL_ROUTE + 3, 0x10, "reserved preference: no route at all"},
		{FULL_ROUTE + 4, 0xff, "a longer lifetime of a route"},
		{FULL_ROUTE + 6, 0, "a shorter lifetime of a route"},
		{FULL_ROUTE + 13, 7, "the prefix of a route"},
		{FULL_ROUTE_2, 99, "one route less"},
		{FULL_ROUTE_2 + 13, 9, "one route twice"},
	};
	uint64_t seen[COUNT(cases) + 1];
	struct advert_bytes bytes;

	(void)state;
	begin_full(&bytes);
	seen[COUNT(cases)] = digest(&bytes);
	for (size_t i = 0; i < COUNT(cases); i++) {
		begin_full(&bytes);
		bytes.at[cases[i].at] = cases[i].value;
		seen[i] = digest(&bytes);
		if (seen[i] == seen[COUNT(cases)])
			fail_msg("the same digest: %s", cases[i].why);
		for (size_t j = 0; j < i; j++)
			if (seen[j] == seen[i])
				fail_msg("the same digest: %s and %s",
					 cases[i].why, cases[j].why);
	}
}

static void the_preference_of_no_router_does_not_matter(void **state)
{
	struct advert_bytes bytes;
	uint64_t before;

	(void)state;
	advert_begin(&bytes, 0);
	before = digest(&bytes);
	bytes.at[5] = 0x18;
	assert_true(digest(&bytes) == before);
}

static void the_order_of_options_does_not_matter(void **state)
{
	struct advert_bytes bytes;
	uint64_t before;

	(void)state;
	begin_full(&bytes);
	before = digest(&bytes);
	advert_begin(&bytes, 1800);
	advert_add_route(&bytes, "2001:db8:a::/48", 900);
	advert_add_route(&bytes, "2001:db8:9:8000::/50", 600);
	advert_add(&bytes, 5, 1)[6] = 5;
	assert_true(digest(&bytes) == before);
	/* But which lifetime is whose does. */
	advert_begin(&bytes, 1800);
	advert_add(&bytes, 5, 1)[6] = 5;
	advert_add_route(&bytes, "2001:db8:9:8000::/50", 900);
	advert_add_route(&bytes, "2001:db8:a::/48", 600);
	assert_true(digest(&bytes) != before);
}

/* RFC 4191, 2.3: the prefix may be shortened where it is zero anyway. */
static void routes_may_be_shorter(void **state)
{
	static const struct {
		uint8_t units;
		uint8_t bits;
		bool counts;
		const char *why;
	} cases[] = {
		{1, 0, true, "the default route needs no bytes"},
		{1, 1, false, "one bit without a byte"},
		{2, 0, true, "more than needed"},
		{2, 64, true, "just enough"},
		{2, 65, false, "one bit too many"},
		{3, 128, true, "all of it"},
		{3, 129, false, "more than there are"},
		{3, 255, false, "many more than there are"},
		{4, 64, true, "longer than it is today"},
		{4, 129, false, "room for more bits than there are"},
	};
	struct advert_bytes bytes;
	uint64_t without;
	uint8_t *option;

	(void)state;
	advert_begin(&bytes, 1800);
	without = digest(&bytes);
	for (size_t i = 0; i < COUNT(cases); i++) {
		advert_begin(&bytes, 1800);
		option = advert_add(&bytes, 24, cases[i].units);
		option[2] = cases[i].bits;
		option[7] = 60;
		if ((digest(&bytes) != without) != cases[i].counts)
			fail_msg("%s", cases[i].why);
	}
	/* RFC 4191, 2.3: without a preference that makes sense it is none. */
	advert_begin(&bytes, 1800);
	advert_add_route(&bytes, "2001:db8:9::/48", 60)[3] = 0x10;
	assert_true(digest(&bytes) == without);
	/* Both ways to say it are the same route. */
	advert_begin(&bytes, 1800);
	advert_add(&bytes, 24, 1)[7] = 60;
	without = digest(&bytes);
	advert_begin(&bytes, 1800);
	advert_add_route(&bytes, "::/0", 60);
	assert_true(digest(&bytes) == without);
}

/* How often a lifetime that is counted down from @high to @low is news. */
static unsigned int count_news(uint32_t high, uint32_t low)
{
	struct advert_bytes bytes;
	unsigned int n = 0;
	uint64_t before = 0;
	uint64_t now;

	for (uint32_t s = high; s > low; s--) {
		advert_begin(&bytes, 1800);
		advert_add_route(&bytes, "2001:db8:9::/48", s);
		now = digest(&bytes);
		n += s != high && now != before;
		before = now;
	}
	return n;
}

static void a_lifetime_counted_down_is_seldom_news(void **state)
{
	(void)state;
	assert_int_equal(count_news(8192, 4096), 8);
	assert_int_equal(count_news(86400, 43200), 8);
	assert_int_equal(count_news(1800, 1799), 0);
	/* The last seconds count. */
	assert_int_equal(count_news(15, 0), 14);
}

/* A drop by more than an eighth is always news, so is the end. */
static void a_drop_is_news(void **state)
{
	struct advert_bytes bytes;
	uint64_t before;

	(void)state;
	for (uint32_t s = 1; s <= UINT16_MAX; s++) {
		advert_begin(&bytes, (uint16_t)s);
		before = digest(&bytes);
		advert_begin(&bytes, (uint16_t)(s - s / 8 - 1));
		if (digest(&bytes) == before)
			fail_msg("a drop from %u s was no news", s);
		advert_begin(&bytes, 0);
		if (digest(&bytes) == before)
			fail_msg("the end of %u s was no news", s);
	}
	/* Infinite is not just very long. */
	advert_begin(&bytes, 1800);
	advert_add_route(&bytes, "::/0", RA_FOREVER);
	before = digest(&bytes);
	advert_begin(&bytes, 1800);
	advert_add_route(&bytes, "::/0", RA_FOREVER - 1);
	assert_true(digest(&bytes) != before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refresh_has_the_same_digest),
		cmocka_unit_test(a_change_of_routes_has_another_digest),
		cmocka_unit_test(the_preference_of_no_router_does_not_matter),
		cmocka_unit_test(the_order_of_options_does_not_matter),
		cmocka_unit_test(routes_may_be_shorter),
		cmocka_unit_test(a_lifetime_counted_down_is_seldom_news),
		cmocka_unit_test(a_drop_is_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
