/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows are touched by what they say, however they came to say it.
 */
#include "core/rib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/dice.h"

enum {
	PREFIXES = 24,
	SETS = 5,
	STEPS = 4000,
};

static uint64_t seed;

/* Sets are told apart by the number of a nexthop object. */
static struct attrset make_set(uint8_t family, uint32_t id)
{
	struct attrset set;

	attrset_init(&set, family, ATTRSET_UNICAST);
	set.nh_id = id;
	return set;
}

/* The first half of the numbers is of IPv4, the rest of IPv6. */
static struct ip_prefix make_prefix(uint32_t i)
{
	struct ip_addr addr = {.family = i < PREFIXES / 2 ? AF_INET : AF_INET6};

	addr.bytes[0] = 10;
	addr.bytes[1] = (uint8_t)i;
	return ip_prefix_make(&addr, (uint8_t)(i % 3 ? 16 : 15));
}

static void put(struct rib *rib, uint32_t i, uint32_t table, uint32_t id)
{
	const struct ip_prefix prefix = make_prefix(i);
	const struct attrset set = make_set(prefix.addr.family, id);
	const struct route route = {.table = table};

	(void)rib_put(rib, &prefix, &route, &set, RIB_APPEND);
}

static bool has_set(const struct rib *rib, const struct row *row,
		    const void *data)
{
	const struct attrset *wanted = data;

	for (size_t i = 0; i < row->n; i++) {
		const struct attrset *set =
			attrset_get(&rib->attrs, row->routes[i].attrs);

		if (set->nh_id == wanted->nh_id &&
		    set->family == wanted->family)
			return true;
	}
	return false;
}

/* Each that is meant is dirty, and no other one is. */
static void must_touch(struct rib *rib, uint8_t family, uint32_t id)
{
	const struct attrset wanted = make_set(family, id);
	size_t n = 0;

	rib_clean(rib);
	rib_touch_kinds(rib, family, has_set, &wanted);
	for (uint32_t i = 0; i < PREFIXES; i++) {
		const struct ip_prefix prefix = make_prefix(i);
		const struct row *row = rib_row(rib, &prefix);
		bool meant = row && prefix.addr.family == family &&
			     has_set(rib, row, &wanted);

		if (rib_is_dirty(rib, &prefix) != meant)
			fail_msg("seed %llu: prefix %u, family %u, set %u",
				 (unsigned long long)seed, i, family, id);
		n += meant;
	}
	assert_int_equal(rib->dirty.n, n);
}

static void remove_one(struct rib *rib, struct dice *dice, uint32_t i)
{
	const struct ip_prefix prefix = make_prefix(i);
	const struct row *row = rib_row(rib, &prefix);

	if (row && row->n)
		rib_remove_at(rib, &prefix, dice_roll(dice, row->n));
}

/* Alike ones become different and alike again, places are given out anew. */
static void those_are_touched_that_say_so(void **state)
{
	struct dice dice = {seed};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	for (int step = 0; step < STEPS; step++) {
		uint32_t i = dice_roll(&dice, PREFIXES);

		if (dice_roll(&dice, 2))
			put(&rib, i, 1 + dice_roll(&dice, 2),
			    1 + dice_roll(&dice, SETS));
		else
			remove_one(&rib, &dice, i);
		if (dice_roll(&dice, 4) == 0)
			must_touch(&rib,
				   dice_roll(&dice, 2) ? AF_INET : AF_INET6,
				   1 + dice_roll(&dice, SETS));
	}
	rib_done(&rib);
}

static void the_only_one_is_found_by_its_place(void **state)
{
	const struct ip_prefix one = make_prefix(1);
	const struct ip_prefix two = make_prefix(2);
	struct trie trie;
	struct ip_prefix found;
	uint32_t place;

	(void)state;
	trie_init(&trie, AF_INET);
	*trie_insert(&trie, &one) = 7;
	place = trie_place(&trie, trie_entry(&trie, &one));
	assert_int_equal(trie_at(&trie, place, &found)->value, 7);
	assert_true(ip_prefix_equal(&found, &one));
	assert_null(trie_at(&trie, place + 1, &found));
	trie_remove(&trie, &one);
	assert_null(trie_at(&trie, place, &found));
	assert_null(trie_at(&trie, TRIE_NONE, &found));
	/* Another one may be there by then. */
	*trie_insert(&trie, &two) = 8;
	assert_int_equal(trie_place(&trie, trie_entry(&trie, &two)), place);
	assert_int_equal(trie_at(&trie, place, &found)->value, 8);
	assert_true(ip_prefix_equal(&found, &two));
	trie_done(&trie);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_are_touched_that_say_so),
		cmocka_unit_test(the_only_one_is_found_by_its_place),
	};

	seed = dice_seed(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
