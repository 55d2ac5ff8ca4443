/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What follows from equal rows being one, and how our own writes enter.
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

static void equal_rows_are_one(void **state)
{
	const struct ip_prefix a = prefix("192.0.2.0/24");
	struct route route = {.table = 254};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	put(&rib, "192.0.2.0/24", &route, 1, RIB_APPEND);
	put(&rib, "198.51.100.0/24", &route, 1, RIB_APPEND);
	assert_int_equal(rib.rows.used, 1);
	assert_ptr_equal(find_row(&rib, "192.0.2.0/24"),
			 find_row(&rib, "198.51.100.0/24"));

	/* One of the two changes, and comes back. */
	route.metric = 5;
	put(&rib, "192.0.2.0/24", &route, 1, RIB_APPEND);
	assert_int_equal(rib.rows.used, 2);
	assert_int_equal(find_row(&rib, "198.51.100.0/24")->n, 1);
	rib_remove_at(&rib, &a, 1);
	assert_int_equal(rib.rows.used, 1);
	assert_int_equal(rib.attrs.used, 1);
	rib_done(&rib);
}

static void write_is_what_the_kernel_does(void **state)
{
	static const struct {
		uint32_t set_id;
		const char *left; /* sets of the row */
		const char *why;
	} steps[] = {
		{4, " 900 4 901", "there is none of the key"},
		{5, " 900 5 901", "instead of it"},
		{5, " 900 5 901", "there already"},
	};
	const struct ip_prefix p = prefix("192.0.2.0/24");
	const struct route below = {.table = 7100, .metric = 99};
	const struct route above = {.table = 7100, .metric = 101};
	struct route route = {.table = 7100, .metric = 100, .protocol = 109};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	put(&rib, "192.0.2.0/24", &above, 901, RIB_APPEND);
	put(&rib, "192.0.2.0/24", &below, 900, RIB_APPEND);
	rib_clean(&rib);
	for (size_t step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
		const struct attrset set = make_set(steps[step].set_id);
		const struct row *row;
		char left[64] = "";

		route.attrs = attrset_intern(&rib.attrs, &set);
		rib_write(&rib, &p, &route);
		attrset_unref(&rib.attrs, route.attrs);
		row = find_row(&rib, "192.0.2.0/24");
		for (size_t i = 0; i < row->n; i++)
			(void)sprintf(left + strlen(left), " %u",
				      set_at(&rib, "192.0.2.0/24", i));
		if (strcmp(left, steps[step].left) != 0)
			fail_msg("step %zu:%s (%s)", step, left,
				 steps[step].why);
	}
	route.protocol = 4;
	rib_erase(&rib, &p, &route);
	assert_int_equal(find_row(&rib, "192.0.2.0/24")->n, 3);
	route.protocol = 109;
	rib_erase(&rib, &p, &route);
	assert_int_equal(find_row(&rib, "192.0.2.0/24")->n, 2);
	assert_int_equal(rib.dirty.n, 0);
	rib_done(&rib);
}

/* The last entry goes with its row, but for one that is to be planned. */
static void erase_leaves_no_empty_row(void **state)
{
	const struct ip_prefix p = prefix("192.0.2.0/24");
	struct route route = {.table = 7100};
	struct rib rib;

	(void)state;
	for (int touched = 0; touched < 2; touched++) {
		rib_init(&rib);
		put(&rib, "192.0.2.0/24", &route, 1, RIB_APPEND);
		route.attrs = find_row(&rib, "192.0.2.0/24")->routes[0].attrs;
		rib_clean(&rib);
		if (touched)
			rib_touch(&rib, &p);
		rib_erase(&rib, &p, &route);
		assert_int_equal(find_row(&rib, "192.0.2.0/24") != NULL,
				 touched);
		rib_erase(&rib, &p, &route);
		rib_done(&rib);
	}
}

static bool make_stale(struct route *route, void *data)
{
	size_t *calls = data;

	(*calls)++;
	if (route->table != 254)
		return false;
	route->flags |= ROUTE_STALE;
	return true;
}

/* In the middle and at the end of a row, whose first entry stays as it is. */
static void edit_goes_through_the_whole_row(void **state)
{
	const struct route routes[] = {{.table = 7100},
				       {.table = 254},
				       {.table = 7101},
				       {.table = 254, .metric = 9}};
	const struct row *row;
	struct rib rib;
	size_t calls = 0;

	(void)state;
	rib_init(&rib);
	for (size_t i = 0; i < 4; i++)
		put(&rib, "192.0.2.0/24", &routes[i], 1, RIB_APPEND);
	rib_clean(&rib);
	rib_edit(&rib, AF_INET, make_stale, &calls);
	assert_int_equal(calls, 4);
	row = find_row(&rib, "192.0.2.0/24");
	assert_int_equal(row->n, 4);
	for (size_t i = 0; i < row->n; i++)
		assert_int_equal(row->routes[i].flags,
				 row->routes[i].table == 254 ? ROUTE_STALE : 0);
	assert_int_equal(rib.rows.used, 1);
	rib_done(&rib);
}

static void edit_asks_once_for_each_kind(void **state)
{
	static const char *const texts[] = {"192.0.2.0/24", "198.51.100.0/24",
					    "203.0.113.0/24"};
	const struct route main_route = {.table = 254};
	const struct route ours = {.table = 7100};
	struct rib rib;
	size_t calls = 0;

	(void)state;
	rib_init(&rib);
	for (size_t i = 0; i < 3; i++)
		put(&rib, texts[i], i < 2 ? &main_route : &ours, 1, RIB_APPEND);
	put(&rib, "::/0", &main_route, 1, RIB_APPEND);
	rib_clean(&rib);
	rib_edit(&rib, AF_INET, make_stale, &calls);
	assert_int_equal(calls, 2);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(find_row(&rib, texts[i])->routes[0].flags,
				 i < 2 ? ROUTE_STALE : 0);
	assert_int_equal(find_row(&rib, "::/0")->routes[0].flags, 0);
	assert_int_equal(rib.rows.used, 3);
	assert_int_equal(rib.dirty.n, 0);
	rib_done(&rib);
}

/* What is taken, what comes meanwhile, and what is given back. */
static void taken_rows_are_due_once(void **state)
{
	const struct ip_prefix a = prefix("192.0.2.0/24");
	const struct ip_prefix b = prefix("198.51.100.0/24");
	const struct ip_prefix c = prefix("203.0.113.0/24");
	struct prefix_vec taken = {0};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	/* More often than there are marks. */
	for (int turn = 0; turn < 20; turn++) {
		rib_touch(&rib, &a);
		rib_touch(&rib, &b);
		rib_take(&rib, &taken);
		assert_true(taken.n >= 2);
		assert_int_equal(rib.dirty.n, 0);
		assert_false(rib_is_dirty(&rib, &a));

		/* One becomes dirty again, another for the first time. */
		rib_touch(&rib, &b);
		rib_touch(&rib, &c);
		assert_true(rib_is_due(&rib, &a));
		assert_false(rib_is_due(&rib, &a));
		assert_false(rib_is_due(&rib, &b));
		rib_forget_empty(&rib, &a);
		assert_null(rib_row(&rib, &a));
		rib_forget_empty(&rib, &b);
		assert_non_null(rib_row(&rib, &b));

		rib_give_back(&rib, &taken, (size_t)turn % 3);
		assert_int_equal(taken.n, 0);
		assert_true(rib_is_dirty(&rib, &b));
		assert_true(rib_is_dirty(&rib, &c));
	}
	rib_take(&rib, &taken);
	(void)rib_is_due(&rib, &a);
	assert_true(rib_is_due(&rib, &b));
	assert_true(rib_is_due(&rib, &c));
	vec_done(&taken);
	rib_touch_all(&rib, AF_INET);
	assert_int_equal(rib.dirty.n, rib_count(&rib, AF_INET));
	rib_clean(&rib);
	assert_int_equal(rib_count(&rib, AF_INET), 0);
	rib_done(&rib);
}

/* A link that flaps, and a round that never comes to its end. */
static void rows_given_back_stand_there_once(void **state)
{
	static const char *const texts[] = {"192.0.2.0/24", "198.51.100.0/24",
					    "203.0.113.0/24"};
	const struct route route = {.table = 254};
	struct prefix_vec taken = {0};
	struct rib rib;

	(void)state;
	rib_init(&rib);
	for (size_t i = 0; i < 3; i++)
		put(&rib, texts[i], &route, 1, RIB_APPEND);
	for (size_t turn = 0; turn < 100; turn++) {
		rib_take(&rib, &taken);
		assert_int_equal(taken.n, 3);
		for (size_t i = 0; i < turn % 3; i++)
			assert_true(rib_is_due(&rib, &taken.items[i]));
		rib_touch_all(&rib, AF_INET);
		rib_give_back(&rib, &taken, turn % 3);
		assert_int_equal(rib.dirty.n, 3);
	}
	rib_done(&rib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_rows_are_one),
		cmocka_unit_test(write_is_what_the_kernel_does),
		cmocka_unit_test(erase_leaves_no_empty_row),
		cmocka_unit_test(edit_asks_once_for_each_kind),
		cmocka_unit_test(edit_goes_through_the_whole_row),
		cmocka_unit_test(taken_rows_are_due_once),
		cmocka_unit_test(rows_given_back_stand_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
