/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/binding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct ip_addr addr(const char *text)
{
	struct ip_addr ret;

	assert_int_equal(ip_addr_parse(text, &ret), 0);
	return ret;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix ret;

	assert_int_equal(ip_prefix_parse(text, &ret), 0);
	return ret;
}

static struct binding binding(uint32_t ifindex, const char *router,
			      const char *text, uint64_t until_ms)
{
	return (struct binding){
		.ifindex = ifindex,
		.router = addr(router),
		.prefix = prefix(text),
		.prefix_until_ms = until_ms,
		.router_until_ms = BINDING_FOREVER,
	};
}

static bool put(struct binding_vec *all, struct binding it, uint64_t now_ms)
{
	bool full;

	it.heard_ms = now_ms;
	return binding_put(all, &it, now_ms, &full);
}

/* Whether @router is bound to a prefix that overlaps @text. */
static bool ties(const struct binding_vec *all, uint32_t ifindex,
		 const char *router, const char *text)
{
	const struct ip_addr who = addr(router);
	const struct ip_prefix what = prefix(text);
	const struct binding *it;

	vec_foreach(all, it)
		if (it->ifindex == ifindex &&
		    ip_addr_equal(&it->router, &who) &&
		    ip_prefix_overlaps(&it->prefix, &what))
			return true;
	return false;
}

static void a_refresh_changes_nothing(void **state)
{
	struct binding_vec all = {0};

	(void)state;
	assert_true(put(&all, binding(2, "fe80::1", "2001:db8::/64", 100), 1));
	assert_false(put(&all, binding(2, "fe80::1", "2001:db8::/64", 900), 2));
	assert_int_equal(all.n, 1);
	assert_int_equal(binding_next(&all), 900);
	assert_true(ties(&all, 2, "fe80::1", "2001:db8::/64"));
	assert_true(ties(&all, 2, "fe80::1", "2001:db8::7/128"));
	assert_true(ties(&all, 2, "fe80::1", "2001:db8::/48"));
	assert_false(ties(&all, 2, "fe80::1", "2001:db8:0:1::/64"));
	assert_false(ties(&all, 2, "fe80::2", "2001:db8::/64"));
	assert_false(ties(&all, 3, "fe80::1", "2001:db8::/64"));
	vec_done(&all);
}

static void a_lifetime_of_zero_ends_it(void **state)
{
	struct binding_vec all = {0};

	(void)state;
	assert_false(put(&all, binding(2, "fe80::1", "2001:db8::/64", 5), 5));
	assert_true(put(&all, binding(2, "fe80::1", "2001:db8::/64", 100), 5));
	assert_true(put(&all, binding(2, "fe80::1", "2001:db8::/64", 6), 6));
	assert_int_equal(all.n, 0);
	assert_int_equal(binding_next(&all), 0);
	vec_done(&all);
}

static void a_router_ends_with_all_its_prefixes(void **state)
{
	const struct ip_addr one = addr("fe80::1");
	struct binding_vec all = {0};

	(void)state;
	put(&all, binding(2, "fe80::1", "2001:db8:1::/64", BINDING_FOREVER), 1);
	put(&all, binding(2, "fe80::1", "2001:db8:2::/64", BINDING_FOREVER), 1);
	put(&all, binding(2, "fe80::2", "2001:db8:1::/64", BINDING_FOREVER), 1);
	put(&all, binding(3, "fe80::1", "2001:db8:1::/64", BINDING_FOREVER), 1);
	assert_false(binding_set_router(&all, 2, &one, 50, 2));
	assert_int_equal(binding_next(&all), 50);
	assert_true(binding_set_router(&all, 2, &one, 50, 50));
	assert_int_equal(all.n, 2);
	assert_false(ties(&all, 2, "fe80::1", "2001:db8:1::/64"));
	assert_true(ties(&all, 2, "fe80::2", "2001:db8:1::/64"));
	assert_true(ties(&all, 3, "fe80::1", "2001:db8:1::/64"));
	assert_true(binding_forget_link(&all, 3));
	assert_false(binding_forget_link(&all, 3));
	assert_int_equal(all.n, 1);
	vec_done(&all);
}

static void the_longest_prefix_around_an_address_counts(void **state)
{
	const struct ip_addr inside = addr("2001:db8::7");
	const struct ip_addr outside = addr("2001:db9::7");
	struct ip_prefix found;
	struct binding_vec all = {0};
	char text[IP_TEXT_MAX];

	(void)state;
	put(&all, binding(2, "fe80::1", "2001:db8::/32", 100), 1);
	put(&all, binding(2, "fe80::1", "2001:db8::/64", 100), 1);
	put(&all, binding(3, "fe80::1", "2001:db8::/96", 100), 1);
	assert_true(binding_prefix_of(&all, 2, &inside, &found));
	assert_string_equal(ip_prefix_format(&found, text), "2001:db8::/64");
	assert_false(binding_prefix_of(&all, 2, &outside, &found));
	vec_done(&all);
}

/* A flood on one link costs neither memory nor another link's bindings. */
static void what_was_heard_longest_ago_makes_place(void **state)
{
	struct binding_vec all = {0};
	bool full = false;

	(void)state;
	put(&all, binding(3, "fe80::1", "2001:db8:f::/64", 1000000), 1);
	put(&all, binding(2, "fe80::1", "2001:db8:e::/64", 1000000), 2);
	for (unsigned int i = 0; i < 3 * BINDING_MAX; i++) {
		struct binding it;
		char text[IP_TEXT_MAX];

		(void)snprintf(text, sizeof(text), "2001:db8:%x:%x::/64",
			       0x100 + (i >> 8), i & 255);
		it = binding(2, "fe80::bad", text, 1000000);
		it.heard_ms = 10 + i;
		assert_true(binding_put(&all, &it, it.heard_ms, &full));
		/* It is heard again in the middle of the flood. */
		if (i == BINDING_MAX / 2)
			put(&all,
			    binding(2, "fe80::1", "2001:db8:e::/64", 1000000),
			    10 + i);
		if (i == BINDING_MAX)
			assert_true(
				ties(&all, 2, "fe80::1", "2001:db8:e::/64"));
	}
	assert_true(full);
	assert_int_equal(all.n, BINDING_MAX + 1);
	assert_true(ties(&all, 3, "fe80::1", "2001:db8:f::/64"));
	assert_false(ties(&all, 2, "fe80::1", "2001:db8:e::/64"));
	vec_done(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refresh_changes_nothing),
		cmocka_unit_test(a_lifetime_of_zero_ends_it),
		cmocka_unit_test(a_router_ends_with_all_its_prefixes),
		cmocka_unit_test(the_longest_prefix_around_an_address_counts),
		cmocka_unit_test(what_was_heard_longest_ago_makes_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
