/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random changes of a rib, against a list of all entries in the order of their
 * arrival.
 */
#include "core/rib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/dice.h"
#include "tests/unit/scene.h"

#define WORLDS 300 /* ribs that the property test fills */
#define STEPS  120 /* changes in each */

static uint64_t seed;

/* The @id tells sets apart; nothing else in them matters here. */
static struct attrset make_set(uint32_t id)
{
	struct attrset set;

	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	set.nh_id = id;
	return set;
}

struct entry {
	struct ip_prefix prefix;
	struct route route;
	uint32_t set_id;
};

VEC(entry_vec, struct entry);

/* Few of each, so that they meet. */
static struct entry roll_entry(struct dice *dice)
{
	static const char *const prefixes[] = {
		"0.0.0.0/0", "192.0.2.0/24",  "192.0.2.0/25",
		"::/0",	     "2001:db8::/32", "2001:db8::/64",
	};

	return (struct entry){
		.prefix = scene_prefix(prefixes[dice_roll(dice, 6)]),
		.route =
			{
				.table = dice_roll(dice, 2) ? 254 : 7100,
				.tos = dice_roll(dice, 4) ? 0 : 16,
				.metric = dice_roll(dice, 2),
				.expires_s = dice_roll(dice, 1000),
			},
		.set_id = dice_roll(dice, 4),
	};
}

static bool is_same_key(const struct entry *a, const struct entry *b)
{
	return ip_prefix_equal(&a->prefix, &b->prefix) &&
	       route_key_cmp(&a->route, &b->route) == 0;
}

static void naive_put(struct entry_vec *naive, const struct entry *new,
		      enum rib_place place)
{
	struct entry *entry;

	vec_foreach(naive, entry) {
		if (!is_same_key(entry, new))
			continue;
		if (entry->set_id == new->set_id) {
			*entry = *new;
			return;
		}
	}
	if (place == RIB_PREPEND)
		vec_insert(naive, 0, *new);
	else
		vec_push(naive, *new);
}

/* Where @entry stands in its row: stable, by key. */
static size_t rank(const struct entry_vec *naive, const struct entry *entry)
{
	const struct entry *other;
	size_t n = 0;
	int order;

	vec_foreach(naive, other) {
		if (!ip_prefix_equal(&other->prefix, &entry->prefix))
			continue;
		order = route_key_cmp(&other->route, &entry->route);
		n += order < 0 || (order == 0 && other < entry);
	}
	return n;
}

static void compare_counts(const struct rib *rib, const struct entry_vec *naive)
{
	static const uint32_t tables[] = {254, 7100};
	const struct entry *entry;
	size_t used = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		const struct rib_table *have = rib_table(rib, tables[i]);
		size_t n4 = 0;
		size_t n6 = 0;

		vec_foreach(naive, entry) {
			bool is_v4 = entry->prefix.addr.family == AF_INET;

			n4 += is_v4 && entry->route.table == tables[i];
			n6 += !is_v4 && entry->route.table == tables[i];
		}
		used += n4 + n6 > 0;
		assert_int_equal(have != NULL, n4 + n6 > 0);
		assert_int_equal(have ? have->n4 : 0, n4);
		assert_int_equal(have ? have->n6 : 0, n6);
	}
	assert_int_equal(rib->tables.n, used);
}

static size_t count_entries(const struct trie *trie, const struct rib *rib)
{
	const struct trie_entry *place;
	struct ip_prefix at_prefix;
	uint32_t at = 0;
	size_t n = 0;

	while ((place = trie_scan(trie, &at, &at_prefix)))
		n += rib_row_at(rib, place->value)->n;
	return n;
}

static void compare(const struct rib *rib, const struct entry_vec *naive)
{
	const struct entry *entry;
	const struct route *route;
	const struct row *row;
	size_t total = 0;

	vec_foreach(naive, entry) {
		row = rib_row(rib, &entry->prefix);
		assert_non_null(row);
		route = &row->routes[rank(naive, entry)];
		assert_int_equal(route_key_cmp(route, &entry->route), 0);
		assert_int_equal(route->expires_s, entry->route.expires_s);
		assert_int_equal(attrset_get(&rib->attrs, route->attrs)->nh_id,
				 entry->set_id);
	}
	total = count_entries(&rib->v4, rib) + count_entries(&rib->v6, rib);
	assert_int_equal(total, naive->n);
	compare_counts(rib, naive);
}

static void remove_random(struct dice *dice, struct rib *rib,
			  struct entry_vec *naive)
{
	size_t at;

	if (naive->n == 0)
		return;
	at = dice_roll(dice, (uint32_t)naive->n);
	rib_remove_at(rib, &naive->items[at].prefix,
		      rank(naive, &naive->items[at]));
	vec_remove(naive, at);
}

static void run_world(struct dice *dice)
{
	struct entry_vec naive = {0};
	struct attrset set;
	struct entry entry;
	struct rib rib;
	int step;

	rib_init(&rib);
	for (step = 0; step < STEPS; step++) {
		if (dice_roll(dice, 5) < 3) {
			enum rib_place place = dice_roll(dice, 3);

			entry = roll_entry(dice);
			set = make_set(entry.set_id);
			rib_put(&rib, &entry.prefix, &entry.route, &set, place);
			naive_put(&naive, &entry, place);
		} else {
			remove_random(dice, &rib, &naive);
		}
		compare(&rib, &naive);
		if (dice_roll(dice, 4) == 0)
			rib_clean(&rib);
	}

	while (naive.n)
		remove_random(dice, &rib, &naive);
	rib_clean(&rib);
	assert_int_equal(rib.attrs.used, 0);
	assert_int_equal(rib_count(&rib, AF_INET), 0);
	assert_int_equal(rib_count(&rib, AF_INET6), 0);
	assert_int_equal(rib.rows.used, 0);
	rib_done(&rib);
	vec_done(&naive);
}

static void rib_answers_like_a_list(void **state)
{
	struct dice dice = {seed};
	int world;

	(void)state;
	for (world = 0; world < WORLDS; world++)
		run_world(&dice);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rib_answers_like_a_list),
	};

	seed = dice_seed(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
