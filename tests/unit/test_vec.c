/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

VEC(int_vec, int);

static void zeroed_vec_is_empty(void **state)
{
	struct int_vec vec = {0};
	const int *it;

	(void)state;
	vec_foreach(&vec, it)
		fail_msg("an empty vec has an item");
	vec_clear(&vec);
	vec_done(&vec);
	vec_done(&vec);
	assert_int_equal(vec.n, 0);
}

static void push_keeps_all_items_in_order(void **state)
{
	struct int_vec vec = {0};
	const int *it;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		vec_push(&vec, i);
	assert_int_equal(vec.n, 1000);
	i = 0;
	vec_foreach(&vec, it)
		assert_int_equal(*it, i++);
	assert_int_equal(i, 1000);
	vec_done(&vec);
}

static void insert_and_remove_keep_the_rest_in_order(void **state)
{
	struct int_vec vec = {0};

	(void)state;
	vec_insert(&vec, 0, 3);
	vec_insert(&vec, 0, 1);
	vec_insert(&vec, 1, 2);
	vec_insert(&vec, vec.n, 4);
	vec_insert(&vec, vec.n, 5);
	assert_int_equal(vec.n, 5);
	assert_memory_equal(vec.items, ((int[]){1, 2, 3, 4, 5}),
			    5 * sizeof(int));

	vec_remove(&vec, 4);
	vec_remove(&vec, 0);
	vec_remove(&vec, 1);
	assert_int_equal(vec.n, 2);
	assert_memory_equal(vec.items, ((int[]){2, 4}), 2 * sizeof(int));
	vec_done(&vec);
}

static void cleared_vec_keeps_its_room(void **state)
{
	struct int_vec vec = {0};
	const int *items;

	(void)state;
	vec_push(&vec, 1);
	items = vec.items;
	vec_clear(&vec);
	vec_push(&vec, 2);
	assert_ptr_equal(vec.items, items);
	assert_int_equal(vec.n, 1);
	assert_int_equal(vec.items[0], 2);
	vec_done(&vec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeroed_vec_is_empty),
		cmocka_unit_test(push_keeps_all_items_in_order),
		cmocka_unit_test(insert_and_remove_keep_the_rest_in_order),
		cmocka_unit_test(cleared_vec_keeps_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
