/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All routes by prefix: the order in a row, what counts as a change, and which
 * rows are dirty. Random changes: test_rib_list.c.
 */
#include "core/rib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix value;

	if (ip_prefix_parse(text, &value))
		fail_msg("not a prefix: %s", text);
	return value;
}

/* The @id tells sets apart; nothing else in them matters here. */
static struct attrset make_set(uint32_t id)
{
	struct attrset set;

	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	set.nh_id = id;
	return set;
}

static bool put(struct rib *rib, const char *text, const struct route *route,
		uint32_t set_id, enum rib_place place)
{
	const struct attrset set = make_set(set_id);
	const struct ip_prefix p = prefix(text);

	return rib_put(rib, &p, route, &set, place);
}

static const struct row *find_row(const struct rib *rib, const char *text)
{
	const struct ip_prefix p = prefix(text);

	return rib_row(rib, &p);
}

static uint32_t set_at(const struct rib *rib, const char *text, size_t i)
{
	const struct row *row = find_row(rib, text);

	assert_non_null(row);
	assert_true(i < row->n);
	return attrset_get(&rib->attrs, row->routes[i].attrs)->nh_id;
}

static void take(struct rib *rib, const char *text, size_t i)
{
	const struct ip_prefix p = prefix(text);

	rib_remove_at(rib, &p, i);
}

static void empty_rib_has_no_rows(void **state)
{
	struct rib rib;

	(void)state;
	rib_init(&rib);
	assert_null(find_row(&rib, "0.0.0.0/0"));
	assert_null(find_row(&rib, "::/0"));
	assert_int_equal(rib_count(&rib, AF_INET), 0);
	assert_int_equal(rib_count(&rib, AF_INET6), 0);
	rib_clean(&rib);
	rib_done(&rib);
	rib_done(&rib);
}

static void families_have_their_own_tries(void **state)
{
	const struct route route = {.table = 254};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	put(&rib, "0.0.0.0/0", &route, 4, RIB_APPEND);
	put(&rib, "::/0", &route, 6, RIB_APPEND);
	put(&rib, "::1/128", &route, 7, RIB_APPEND);
	assert_int_equal(set_at(&rib, "0.0.0.0/0", 0), 4);
	assert_int_equal(set_at(&rib, "::/0", 0), 6);
	assert_int_equal(rib_count(&rib, AF_INET), 1);
	assert_int_equal(rib_count(&rib, AF_INET6), 2);
	assert_ptr_equal(rib_trie(&rib, AF_INET), &rib.v4);
	assert_ptr_equal(rib_trie(&rib, AF_INET6), &rib.v6);
	rib_done(&rib);
}

static void entries_stand_in_key_order(void **state)
{
	static const struct route routes[] = {
		{.table = 7100, .metric = 5},
		{.table = 254, .metric = 200},
		{.table = 254, .tos = 16, .metric = 100},
		{.table = 0, .metric = 300},
		{.table = 254, .metric = 100},
	};
	static const uint32_t sorted[] = {3, 4, 1, 2, 0};
	struct rib rib;
	uint32_t i;

	(void)state;
	rib_init(&rib);
	for (i = 0; i < 5; i++)
		put(&rib, "192.0.2.0/24", &routes[i], i, RIB_APPEND);
	assert_int_equal(find_row(&rib, "192.0.2.0/24")->n, 5);
	for (i = 0; i < 5; i++)
		assert_int_equal(set_at(&rib, "192.0.2.0/24", i), sorted[i]);
	rib_done(&rib);
}

static void equal_keys_stand_in_the_kernels_order(void **state)
{
	static const struct {
		enum rib_place place;
		uint32_t set_id;
		const char *left; /* sets of the row */
		const char *why;
	} steps[] = {
		{RIB_APPEND, 1, " 900 1 901", "the only one"},
		{RIB_APPEND, 2, " 900 1 2 901", "behind"},
		{RIB_PREPEND, 3, " 900 3 1 2 901", "before"},
		{RIB_PREPEND, 2, " 900 3 1 2 901", "there already"},
		{RIB_APPEND, 3, " 900 3 1 2 901", "there already"},
	};
	const struct route below = {.table = 254, .metric = 99};
	const struct route route = {.table = 254, .metric = 100};
	const struct route above = {.table = 254, .metric = 101};
	struct rib rib;
	const struct row *row;
	char left[64];
	size_t step;
	size_t i;

	(void)state;
	rib_init(&rib);
	put(&rib, "192.0.2.0/24", &above, 901, RIB_APPEND);
	put(&rib, "192.0.2.0/24", &below, 900, RIB_APPEND);
	for (step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
		put(&rib, "192.0.2.0/24", &route, steps[step].set_id,
		    steps[step].place);
		left[0] = '\0';
		row = find_row(&rib, "192.0.2.0/24");
		for (i = 0; i < row->n; i++)
			(void)sprintf(left + strlen(left), " %u",
				      set_at(&rib, "192.0.2.0/24", i));
		if (strcmp(left, steps[step].left) != 0)
			fail_msg("step %zu:%s (%s)", step, left,
				 steps[step].why);
	}
	rib_done(&rib);
}

static void put_tells_what_matters_to_a_plan(void **state)
{
	static const struct {
		struct route route;
		uint32_t set_id;
		bool changed;
		const char *why;
	} steps[] = {
		{{.table = 254, .protocol = 4}, 1, true, "new"},
		{{.table = 254, .protocol = 4}, 1, false, "the same again"},
		{{.table = 254, .protocol = 4, .expires_s = 9},
		 1,
		 false,
		 "expiry"},
		{{.table = 254, .protocol = 4, .flags = ROUTE_STALE},
		 1,
		 false,
		 "a mark of a read under way"},
		{{.table = 254, .protocol = 9}, 1, true, "another owner"},
		{{.table = 254, .protocol = 9, .flags = ROUTE_LEAVING},
		 1,
		 true,
		 "gone from main"},
		{{.table = 254, .protocol = 9}, 1, true, "back in main"},
		{{.table = 254, .protocol = 9}, 2, true, "other attributes"},
		{{.table = 7100, .protocol = 9}, 2, true, "another table"},
	};
	struct rib rib;
	size_t i;

	(void)state;
	rib_init(&rib);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (put(&rib, "::/0", &steps[i].route, steps[i].set_id,
			RIB_APPEND) != steps[i].changed)
			fail_msg("step %zu (%s)", i, steps[i].why);
		assert_int_equal(rib.dirty.n, steps[i].changed);
		rib_clean(&rib);
	}
	assert_int_equal(find_row(&rib, "::/0")->n, 3);
	rib_done(&rib);
}

static void replaced_where_it_stands(void **state)
{
	const struct ip_prefix p = prefix("::/0");
	const struct attrset set = make_set(4);
	struct route route = {.table = 254};
	struct rib rib;
	uint32_t old;

	(void)state;
	rib_init(&rib);
	put(&rib, "::/0", &route, 1, RIB_APPEND);
	put(&rib, "::/0", &route, 2, RIB_APPEND);
	rib_clean(&rib);
	old = find_row(&rib, "::/0")->routes[0].attrs;
	route.attrs = attrset_intern(&rib.attrs, &set);
	rib_replace(&rib, &p, 0, &route);
	attrset_unref(&rib.attrs, route.attrs);
	assert_int_equal(set_at(&rib, "::/0", 0), 4);
	assert_int_equal(set_at(&rib, "::/0", 1), 2);
	assert_int_equal(find_row(&rib, "::/0")->n, 2);
	assert_int_equal(rib_table(&rib, 254)->n6, 2);
	assert_false(attrset_is_live(&rib.attrs, old));
	assert_int_equal(rib.dirty.n, 1);
	rib_done(&rib);
}

static void update_in_place_takes_the_new_bookkeeping(void **state)
{
	struct route route = {.table = 254, .flags = ROUTE_STALE};
	const struct route *entry;
	struct rib rib;

	(void)state;
	rib_init(&rib);
	put(&rib, "::/0", &route, 1, RIB_APPEND);
	route.flags = 0;
	route.expires_s = 99;
	route.protocol = 9;
	put(&rib, "::/0", &route, 1, RIB_APPEND);
	entry = &find_row(&rib, "::/0")->routes[0];
	assert_int_equal(entry->flags, 0);
	assert_int_equal(entry->expires_s, 99);
	assert_int_equal(entry->protocol, 9);
	rib_done(&rib);
}

static void dirty_names_each_row_once(void **state)
{
	const struct ip_prefix p = prefix("192.0.2.0/24");
	struct route route = {.table = 254};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	put(&rib, "192.0.2.0/24", &route, 1, RIB_APPEND);
	route.metric = 1;
	put(&rib, "192.0.2.0/24", &route, 1, RIB_APPEND);
	rib_touch(&rib, &p);
	take(&rib, "192.0.2.0/24", 0);
	assert_int_equal(rib.dirty.n, 1);
	assert_true(ip_prefix_equal(&rib.dirty.items[0], &p));
	assert_true(rib_is_dirty(&rib, &p));

	rib_clean(&rib);
	assert_int_equal(rib.dirty.n, 0);
	assert_false(rib_is_dirty(&rib, &p));
	rib_touch(&rib, &p);
	assert_int_equal(rib.dirty.n, 1);
	rib_done(&rib);
}

static void empty_rows_last_until_cleaned(void **state)
{
	const struct ip_prefix p = prefix("192.0.2.0/24");
	const struct route route = {.table = 254};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	put(&rib, "192.0.2.0/24", &route, 1, RIB_APPEND);
	rib_clean(&rib);
	take(&rib, "192.0.2.0/24", 0);
	assert_int_equal(find_row(&rib, "192.0.2.0/24")->n, 0);
	assert_int_equal(rib_count(&rib, AF_INET), 1);
	rib_clean(&rib);
	assert_null(find_row(&rib, "192.0.2.0/24"));
	assert_int_equal(rib_count(&rib, AF_INET), 0);
	assert_int_equal(rib.attrs.used, 0);

	/* A row made for planning only goes the same way. */
	rib_touch(&rib, &p);
	assert_int_equal(find_row(&rib, "192.0.2.0/24")->n, 0);
	rib_clean(&rib);
	assert_null(find_row(&rib, "192.0.2.0/24"));
	assert_int_equal(rib.rows.used, 0);
	rib_done(&rib);
}

/* As at start, when every row is dirty once. */
static void long_list_of_dirty_rows_is_not_kept(void **state)
{
	const struct route route = {.table = 254};
	const struct attrset set = make_set(1);
	struct ip_addr addr = {.family = AF_INET};
	struct ip_prefix p;
	struct rib rib;
	int i;

	(void)state;
	rib_init(&rib);
	for (i = 0; i < 10000; i++) {
		addr.bytes[2] = (uint8_t)(i >> 8);
		addr.bytes[3] = (uint8_t)i;
		p = ip_prefix_host(&addr);
		rib_put(&rib, &p, &route, &set, RIB_APPEND);
	}
	assert_int_equal(rib.dirty.n, 10000);
	rib_clean(&rib);
	assert_int_equal(rib.dirty.cap, 0);
	assert_int_equal(rib_count(&rib, AF_INET), 10000);
	assert_int_equal(rib.attrs.used, 1);
	rib_done(&rib);
}

static void route_can_be_marked_in_place(void **state)
{
	const struct ip_prefix p = prefix("::/0");
	struct route route = {.table = 254};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	put(&rib, "::/0", &route, 1, RIB_APPEND);
	rib_clean(&rib);
	route = find_row(&rib, "::/0")->routes[0];
	route.flags = ROUTE_STALE;
	rib_set(&rib, &p, 0, &route);
	assert_int_equal(find_row(&rib, "::/0")->routes[0].flags, ROUTE_STALE);
	assert_int_equal(rib.dirty.n, 0);
	rib_done(&rib);
}

static void interned_attributes_get_a_ref_of_their_own(void **state)
{
	const struct ip_prefix p = prefix("::/0");
	const struct attrset set = make_set(1);
	struct route route = {.table = 254};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	route.attrs = attrset_intern(&rib.attrs, &set);
	assert_true(rib_put_interned(&rib, &p, &route, RIB_APPEND));
	assert_false(rib_put_interned(&rib, &p, &route, RIB_APPEND));
	attrset_unref(&rib.attrs, route.attrs);
	assert_true(attrset_is_live(&rib.attrs, route.attrs));
	rib_remove_at(&rib, &p, 0);
	assert_false(attrset_is_live(&rib.attrs, route.attrs));
	rib_done(&rib);
}

/* As that many calls of rib_put() would leave it. */
static void fill_row(struct rib *rib, const char *text)
{
	const struct rib_table table = {.table = 254, .n6 = ROW_MAX};
	const struct attrset set = make_set(1);
	const struct ip_prefix p = prefix(text);
	uint32_t attrs = attrset_intern(&rib->attrs, &set);
	struct route_vec routes = {0};

	for (uint32_t i = 0; i < ROW_MAX; i++) {
		struct route route = {.table = 254, .metric = i};

		route.attrs = attrs;
		vec_push(&routes, route);
	}
	trie_enter(&rib->v6, &p)->value =
		row_intern(&rib->rows, &rib->attrs, routes.items, routes.n);
	vec_push(&rib->tables, table);
	attrset_unref(&rib->attrs, attrs);
	vec_done(&routes);
}

static void full_row_refuses_more(void **state)
{
	struct route route = {.table = 254};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	fill_row(&rib, "::/0");
	rib_clean(&rib);
	route.metric = UINT16_MAX;
	assert_false(put(&rib, "::/0", &route, 1, RIB_APPEND));
	assert_false(put(&rib, "::/0", &route, 2, RIB_PREPEND));
	assert_int_equal(rib.dirty.n, 0);
	assert_int_equal(rib.attrs.used, 1);
	assert_int_equal(find_row(&rib, "::/0")->n, UINT16_MAX);

	/* What needs no room still goes. */
	route.metric = 7;
	route.protocol = 4;
	assert_true(put(&rib, "::/0", &route, 1, RIB_APPEND));
	take(&rib, "::/0", 0);
	route.metric = UINT16_MAX;
	assert_true(put(&rib, "::/0", &route, 1, RIB_APPEND));
	rib_done(&rib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_rib_has_no_rows),
		cmocka_unit_test(families_have_their_own_tries),
		cmocka_unit_test(entries_stand_in_key_order),
		cmocka_unit_test(equal_keys_stand_in_the_kernels_order),
		cmocka_unit_test(put_tells_what_matters_to_a_plan),
		cmocka_unit_test(replaced_where_it_stands),
		cmocka_unit_test(update_in_place_takes_the_new_bookkeeping),
		cmocka_unit_test(dirty_names_each_row_once),
		cmocka_unit_test(empty_rows_last_until_cleaned),
		cmocka_unit_test(long_list_of_dirty_rows_is_not_kept),
		cmocka_unit_test(route_can_be_marked_in_place),
		cmocka_unit_test(interned_attributes_get_a_ref_of_their_own),
		cmocka_unit_test(full_row_refuses_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
