/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/trie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/vec.h"
#include "unit/dice.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define WORLDS 200 /* tries that the property test fills */
#define STEPS  120 /* inserts and removals in each */

static uint64_t seed;

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix value;

	if (ip_prefix_parse(text, &value))
		fail_msg("not a prefix: %s", text);
	return value;
}

static void put(struct trie *trie, const char *text, uint32_t value)
{
	const struct ip_prefix p = prefix(text);

	*trie_insert(trie, &p) = value;
}

static uint32_t find(const struct trie *trie, const char *text)
{
	const struct ip_prefix p = prefix(text);

	return trie_find(trie, &p);
}

static void take(struct trie *trie, const char *text)
{
	const struct ip_prefix p = prefix(text);

	trie_remove(trie, &p);
}

/* The values that cover @text, as "1 2 3". */
static const char *cover(const struct trie *trie, const char *text, char *line)
{
	const struct ip_prefix p = prefix(text);
	uint32_t values[TRIE_DEPTH_MAX];
	size_t n = trie_cover(trie, &p, values);
	size_t i;

	line[0] = '\0';
	for (i = 0; i < n; i++)
		(void)sprintf(line + strlen(line), i ? " %u" : "%u", values[i]);
	return line;
}

/* The prefixes that a walk within @text finds. */
static const char *walk(const struct trie *trie, const char *text, char *line)
{
	const struct ip_prefix within = prefix(text);
	struct trie_walk steps;
	struct ip_prefix p;
	char one[IP_TEXT_MAX];
	uint32_t value;

	line[0] = '\0';
	trie_walk_start(&steps, trie, &within);
	while (trie_walk_next(&steps, &p, &value))
		(void)sprintf(line + strlen(line), line[0] ? " %s" : "%s",
			      ip_prefix_format(&p, one));
	return line;
}

static void empty_trie_finds_nothing(void **state)
{
	struct trie trie;
	char line[64];

	(void)state;
	trie_init(&trie, AF_INET);
	assert_int_equal(find(&trie, "0.0.0.0/0"), TRIE_NONE);
	assert_string_equal(cover(&trie, "192.0.2.1/32", line), "");
	assert_string_equal(walk(&trie, "0.0.0.0/0", line), "");
	take(&trie, "192.0.2.0/24");
	assert_int_equal(trie.n, 0);
	trie_done(&trie);
	trie_done(&trie);
}

static void insert_tells_new_from_known(void **state)
{
	const struct ip_prefix p = prefix("192.0.2.0/24");
	struct trie trie;

	(void)state;
	trie_init(&trie, AF_INET);
	assert_int_equal(*trie_insert(&trie, &p), TRIE_NONE);
	*trie_insert(&trie, &p) = 7;
	trie_done(&trie);

	trie_init(&trie, AF_INET);
	*trie_insert(&trie, &p) = 7;
	assert_int_equal(*trie_insert(&trie, &p), 7);
	assert_int_equal(trie.n, 1);
	trie_done(&trie);
}

static void find_takes_no_neighbour(void **state)
{
	static const struct {
		const char *text;
		uint32_t value;
		const char *why;
	} cases[] = {
		{"10.0.0.0/8", 1, "stored"},
		{"10.0.0.0/16", 2, "same address, longer"},
		{"10.128.0.0/16", 3, "stored"},
		{"10.0.0.0/9", TRIE_NONE, "where the trie forks"},
		{"10.0.0.0/7", TRIE_NONE, "around a stored one"},
		{"10.0.0.0/24", TRIE_NONE, "inside a stored one"},
		{"11.0.0.0/8", TRIE_NONE, "beside a stored one"},
		{"0.0.0.0/0", TRIE_NONE, "the default"},
		{"10.0.0.1/32", TRIE_NONE, "a host"},
	};
	struct trie trie;
	size_t i;

	(void)state;
	trie_init(&trie, AF_INET);
	for (i = 0; i < 3; i++)
		put(&trie, cases[i].text, cases[i].value);
	for (i = 0; i < COUNT(cases); i++) {
		if (find(&trie, cases[i].text) != cases[i].value)
			fail_msg("%s (%s)", cases[i].text, cases[i].why);
	}
	assert_int_equal(trie.n, 3);
	trie_done(&trie);
}

static void cover_is_shortest_first(void **state)
{
	static const struct {
		const char *text;
		const char *values;
		const char *why;
	} cases[] = {
		{"2001:db8:1:1::9/128", "0 32 48 64", "all that contain it"},
		{"2001:db8:1:1::/64", "0 32 48 64", "itself included"},
		{"2001:db8:1:1::/65", "0 32 48 64", "not stored itself"},
		{"2001:db8:1:2::9/128", "0 32 48 164", "the sibling's branch"},
		{"2001:db8::/47", "0 32", "nothing longer than itself"},
		{"2001:db8:ffff::1/128", "0 32", "beside all longer ones"},
		{"2001:db9::/32", "0", "only the default"},
		{"::/0", "0", "the default itself"},
	};
	struct trie trie;
	char line[64];
	size_t i;

	(void)state;
	trie_init(&trie, AF_INET6);
	put(&trie, "2001:db8:1:1::/64", 64);
	put(&trie, "::/0", 0);
	put(&trie, "2001:db8:1::/48", 48);
	put(&trie, "2001:db8:1:2::/64", 164);
	put(&trie, "2001:db8::/32", 32);
	for (i = 0; i < COUNT(cases); i++) {
		cover(&trie, cases[i].text, line);
		if (strcmp(line, cases[i].values) != 0)
			fail_msg("%s: '%s' (%s)", cases[i].text, line,
				 cases[i].why);
	}
	trie_done(&trie);
}

static void walk_is_sorted_and_keeps_within(void **state)
{
	static const struct {
		const char *within;
		const char *found;
		const char *why;
	} cases[] = {
		{"0.0.0.0/0",
		 "0.0.0.0/0 10.0.0.0/8 10.0.0.0/16 10.0.0.1/32 10.1.0.0/16 "
		 "192.0.2.0/24",
		 "everything"},
		{"10.0.0.0/8", "10.0.0.0/8 10.0.0.0/16 10.0.0.1/32 10.1.0.0/16",
		 "a stored one with what it covers"},
		{"10.0.0.0/15", "10.0.0.0/16 10.0.0.1/32 10.1.0.0/16",
		 "a fork of the trie"},
		{"10.0.0.0/12", "10.0.0.0/16 10.0.0.1/32 10.1.0.0/16",
		 "between two nodes"},
		{"10.0.0.0/24", "10.0.0.1/32", "only a longer one"},
		{"10.0.0.2/32", "", "beside a host"},
		{"10.16.0.0/12", "", "a branch that is not there"},
		{"172.16.0.0/12", "", "far away"},
	};
	struct trie trie;
	char line[256];
	size_t i;

	(void)state;
	trie_init(&trie, AF_INET);
	put(&trie, "192.0.2.0/24", 1);
	put(&trie, "10.1.0.0/16", 2);
	put(&trie, "10.0.0.1/32", 3);
	put(&trie, "0.0.0.0/0", 4);
	put(&trie, "10.0.0.0/16", 5);
	put(&trie, "10.0.0.0/8", 6);
	for (i = 0; i < COUNT(cases); i++) {
		walk(&trie, cases[i].within, line);
		if (strcmp(line, cases[i].found) != 0)
			fail_msg("within %s: '%s' (%s)", cases[i].within, line,
				 cases[i].why);
	}
	trie_done(&trie);
}

static void removing_leaves_the_others(void **state)
{
	static const struct {
		const char *gone;
		const char *left;
		const char *why;
	} cases[] = {
		{"10.0.0.0/16",
		 "0.0.0.0/0 10.0.0.0/8 10.0.0.0/24 10.1.0.0/16 10.2.0.0/16",
		 "it had one child, on a fork"},
		{"10.0.0.0/12",
		 "0.0.0.0/0 10.0.0.0/8 10.0.0.0/24 10.1.0.0/16 10.2.0.0/16",
		 "it is not there"},
		{"10.0.0.0/14",
		 "0.0.0.0/0 10.0.0.0/8 10.0.0.0/24 10.1.0.0/16 10.2.0.0/16",
		 "it is a mere fork"},
		{"10.0.0.0/24", "0.0.0.0/0 10.0.0.0/8 10.1.0.0/16 10.2.0.0/16",
		 "a leaf; its fork goes too"},
		{"10.0.0.0/8", "0.0.0.0/0 10.1.0.0/16 10.2.0.0/16",
		 "it had one child"},
		{"0.0.0.0/0", "10.1.0.0/16 10.2.0.0/16", "the root"},
		{"10.1.0.0/16", "10.2.0.0/16", "the root was a fork"},
		{"10.2.0.0/16", "", "the last"},
	};
	struct trie trie;
	char line[256];
	size_t i;

	(void)state;
	trie_init(&trie, AF_INET);
	put(&trie, "0.0.0.0/0", 1);
	put(&trie, "10.0.0.0/8", 2);
	put(&trie, "10.0.0.0/16", 3);
	put(&trie, "10.0.0.0/24", 4);
	put(&trie, "10.1.0.0/16", 5);
	put(&trie, "10.2.0.0/16", 6);
	for (i = 0; i < COUNT(cases); i++) {
		take(&trie, cases[i].gone);
		walk(&trie, "0.0.0.0/0", line);
		if (strcmp(line, cases[i].left) != 0)
			fail_msg("without %s: '%s' (%s)", cases[i].gone, line,
				 cases[i].why);
	}
	assert_int_equal(trie.n, 0);
	trie_done(&trie);
}

static void removed_nodes_are_used_again(void **state)
{
	struct ip_addr addr = {.family = AF_INET, .bytes = {10}};
	struct ip_prefix p;
	struct trie trie;
	int i;

	(void)state;
	trie_init(&trie, AF_INET);
	put(&trie, "192.0.2.0/24", 1);
	for (i = 0; i < 1000; i++) {
		addr.bytes[1] = (uint8_t)i;
		p = ip_prefix_host(&addr);
		*trie_insert(&trie, &p) = 2;
		trie_remove(&trie, &p);
	}
	assert_true(trie.n_nodes <= 3);
	trie_done(&trie);
}

/* Every prefix of one address, then of its complement: both branches full. */
static void deepest_trie_is_covered_and_walked(void **state)
{
	const struct ip_prefix all = ip_prefix_default(AF_INET6);
	struct ip_addr ends[2] = {{.family = AF_INET6}, {.family = AF_INET6}};
	uint32_t values[TRIE_DEPTH_MAX];
	struct ip_prefix p;
	struct trie_walk steps;
	struct trie trie;
	uint32_t value;
	uint8_t len;
	size_t end;
	size_t n;

	(void)state;
	memset(ends[1].bytes, 0xff, sizeof(ends[1].bytes));
	trie_init(&trie, AF_INET6);
	for (end = 0; end < 2; end++) {
		for (len = 0; len <= 128; len++) {
			p = ip_prefix_make(&ends[end], len);
			*trie_insert(&trie, &p) = len;
		}
		p = ip_prefix_host(&ends[end]);
		assert_int_equal(trie_cover(&trie, &p, values), TRIE_DEPTH_MAX);
		for (n = 0; n < TRIE_DEPTH_MAX; n++)
			assert_int_equal(values[n], n);
	}

	n = 0;
	trie_walk_start(&steps, &trie, &all);
	while (trie_walk_next(&steps, &p, &value)) {
		assert_int_equal(p.len, value);
		n++;
	}
	assert_int_equal(n, 2 * 129 - 1);
	trie_done(&trie);
}

/* --- against an array that is searched from end to end --- */

struct entry {
	struct ip_prefix prefix;
	uint32_t value;
};

VEC(entry_vec, struct entry);

/*
 * Prefixes that nest, fork and coincide often: few bits differ, at the start,
 * around the middle of the key and at the end.
 */
static struct ip_prefix roll_prefix(struct dice *dice, uint8_t family)
{
	const size_t n = ip_bits(family) / 8;
	struct ip_addr addr = {.family = family};
	uint8_t len;

	addr.bytes[0] = (uint8_t)(dice_roll(dice, 4) << 6);
	addr.bytes[n / 2 - 1] = (uint8_t)dice_roll(dice, 4);
	addr.bytes[n / 2] = (uint8_t)(dice_roll(dice, 2) << 7);
	addr.bytes[n - 1] = (uint8_t)dice_roll(dice, 4);
	if (dice_roll(dice, 3) == 0)
		len = (uint8_t)dice_roll(dice, ip_bits(family) + 1u);
	else
		len = (uint8_t)(dice_roll(dice, 5) * ip_bits(family) / 4);
	return ip_prefix_make(&addr, len);
}

static struct entry *naive_find(const struct entry_vec *naive,
				const struct ip_prefix *p)
{
	struct entry *entry;

	vec_foreach(naive, entry) {
		if (ip_prefix_equal(&entry->prefix, p))
			return entry;
	}
	return NULL;
}

static int entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;

	return ip_prefix_cmp(&x->prefix, &y->prefix);
}

static void naive_put(struct entry_vec *naive, const struct ip_prefix *p,
		      uint32_t value)
{
	const struct entry entry = {*p, value};
	struct entry *known = naive_find(naive, p);

	if (known)
		known->value = value;
	else
		vec_push(naive, entry);
	qsort(naive->items, naive->n, sizeof(*naive->items), entry_cmp);
}

static void naive_remove(struct entry_vec *naive, const struct ip_prefix *p)
{
	const struct entry *known = naive_find(naive, p);

	if (known)
		vec_remove(naive, (size_t)(known - naive->items));
}

static void compare_find(const struct trie *trie, const struct entry_vec *naive,
			 const struct ip_prefix *p)
{
	const struct entry *known = naive_find(naive, p);

	assert_int_equal(trie_find(trie, p), known ? known->value : TRIE_NONE);
}

/* Sorted entries that cover one prefix are sorted by length. */
static void compare_cover(const struct trie *trie,
			  const struct entry_vec *naive,
			  const struct ip_prefix *p)
{
	uint32_t values[TRIE_DEPTH_MAX];
	size_t n = trie_cover(trie, p, values);
	const struct entry *entry;
	size_t i = 0;

	vec_foreach(naive, entry) {
		if (!ip_prefix_covers(&entry->prefix, p))
			continue;
		assert_true(i < n);
		assert_int_equal(values[i++], entry->value);
	}
	assert_int_equal(i, n);
}

static void compare_walk(const struct trie *trie, const struct entry_vec *naive,
			 const struct ip_prefix *within)
{
	const struct entry *entry;
	struct trie_walk steps;
	struct ip_prefix p;
	uint32_t value;

	trie_walk_start(&steps, trie, within);
	vec_foreach(naive, entry) {
		if (!ip_prefix_covers(within, &entry->prefix))
			continue;
		assert_true(trie_walk_next(&steps, &p, &value));
		assert_true(ip_prefix_equal(&p, &entry->prefix));
		assert_int_equal(value, entry->value);
	}
	assert_false(trie_walk_next(&steps, &p, &value));
}

/* What a walk from behind @after finds is what comes later in order. */
static void compare_after(const struct trie *trie,
			  const struct entry_vec *naive,
			  const struct ip_prefix *after)
{
	const struct entry *entry;
	struct trie_walk steps;
	struct ip_prefix p;
	uint32_t value;

	trie_walk_after(&steps, trie, after);
	vec_foreach(naive, entry) {
		if (ip_prefix_cmp(&entry->prefix, after) <= 0)
			continue;
		assert_true(trie_walk_next(&steps, &p, &value));
		assert_true(ip_prefix_equal(&p, &entry->prefix));
		assert_int_equal(value, entry->value);
	}
	assert_false(trie_walk_next(&steps, &p, &value));
}

/* Each once, with its value and length; the order is nobody's business. */
static void compare_scan(const struct trie *trie, const struct entry_vec *naive)
{
	const struct trie_entry *entry;
	struct ip_prefix p;
	uint32_t at = 0;
	size_t n = 0;

	while ((entry = trie_scan(trie, &at, &p))) {
		n++;
		assert_int_equal(entry->len, p.len);
		assert_ptr_equal(entry, trie_entry(trie, &p));
		compare_find(trie, naive, &p);
	}
	assert_int_equal(n, naive->n);
}

static void run_world(struct dice *dice, uint8_t family)
{
	const struct ip_prefix all = ip_prefix_default(family);
	struct entry_vec naive = {0};
	struct ip_prefix p;
	struct trie trie;
	size_t peak = 0;
	uint32_t step;

	trie_init(&trie, family);
	for (step = 0; step < STEPS; step++) {
		p = roll_prefix(dice, family);
		if (dice_roll(dice, 5) < (step < STEPS / 2 ? 4 : 2)) {
			*trie_insert(&trie, &p) = step;
			naive_put(&naive, &p, step);
		} else {
			trie_remove(&trie, &p);
			naive_remove(&naive, &p);
		}
		peak = naive.n > peak ? naive.n : peak;
		assert_int_equal(trie.n, naive.n);

		p = roll_prefix(dice, family);
		compare_find(&trie, &naive, &p);
		compare_cover(&trie, &naive, &p);
		compare_walk(&trie, &naive, &p);
		compare_walk(&trie, &naive, &all);
		compare_after(&trie, &naive, &p);
		compare_scan(&trie, &naive);
	}
	/* No more forks than leaves, and none is left behind. */
	assert_true(trie.n_nodes <= 2 * peak);
	while (naive.n)
		trie_remove(&trie, &naive.items[--naive.n].prefix);
	assert_int_equal(trie.n, 0);
	assert_int_equal(trie.root, TRIE_NONE);
	trie_done(&trie);
	vec_done(&naive);
}

static void trie_answers_like_an_array(void **state)
{
	struct dice dice = {seed};
	int world;

	(void)state;
	for (world = 0; world < WORLDS; world++)
		run_world(&dice, world % 2 ? AF_INET6 : AF_INET);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_trie_finds_nothing),
		cmocka_unit_test(insert_tells_new_from_known),
		cmocka_unit_test(find_takes_no_neighbour),
		cmocka_unit_test(cover_is_shortest_first),
		cmocka_unit_test(walk_is_sorted_and_keeps_within),
		cmocka_unit_test(removing_leaves_the_others),
		cmocka_unit_test(removed_nodes_are_used_again),
		cmocka_unit_test(deepest_trie_is_covered_and_walked),
		cmocka_unit_test(trie_answers_like_an_array),
	};

	seed = dice_seed(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
