/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/address.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct address make(uint32_t ifindex, const char *local,
			   const char *peer, uint8_t prefix_len)
{
	struct address address = {.ifindex = ifindex, .prefix_len = prefix_len};

	if (ip_addr_parse(local, &address.local) ||
	    ip_addr_parse(peer, &address.peer))
		fail_msg("not an address: %s, %s", local, peer);
	return address;
}

static void addresses_sort_by_their_key(void **state)
{
	/* Ascending. */
	const struct address sorted[] = {
		make(1, "127.0.0.1", "127.0.0.1", 8),
		make(2, "10.0.0.1", "10.0.0.1", 24),
		make(2, "10.0.0.1", "10.0.0.2", 32),
		make(2, "10.0.0.2", "10.0.0.2", 24),
		make(2, "10.0.0.2", "10.0.0.2", 25),
		make(2, "2001:db8::1", "2001:db8::1", 64),
		make(10, "10.0.0.1", "10.0.0.1", 24),
	};
	size_t i;
	size_t j;

	(void)state;
	for (i = 0; i < COUNT(sorted); i++) {
		for (j = 0; j < COUNT(sorted); j++) {
			int order = address_cmp(&sorted[i], &sorted[j]);

			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
		}
	}
}

static void state_of_an_address_is_no_part_of_its_key(void **state)
{
	struct address a = make(2, "10.0.0.1", "10.0.0.1", 24);
	struct address b = a;

	(void)state;
	b.scope = 253;
	b.tentative = true;
	b.dad_failed = true;
	b.deprecated = true;
	b.temporary = true;
	assert_int_equal(address_cmp(&a, &b), 0);
}

/* `ip -6 address change ... peer ...` tells of the same address again. */
static void a_link_has_an_ipv6_address_once(void **state)
{
	struct address a = make(2, "2001:db8::1", "2001:db8::1", 64);
	struct address b = make(2, "2001:db8::1", "2001:db8:7::1", 64);

	(void)state;
	assert_int_equal(address_cmp(&a, &b), 0);
	assert_false(address_same(&a, &b));
	b = a;
	assert_true(address_same(&a, &b));
	b.prefix_len = 128;
	assert_int_equal(address_cmp(&a, &b), 0);
	assert_false(address_same(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_sort_by_their_key),
		cmocka_unit_test(state_of_an_address_is_no_part_of_its_key),
		cmocka_unit_test(a_link_has_an_ipv6_address_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
