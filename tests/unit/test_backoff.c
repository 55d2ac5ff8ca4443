/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/backoff.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void each_wait_is_twice_the_last(void **state)
{
	static const struct {
		uint64_t first_ms;
		uint64_t max_ms;
		unsigned int failures;
		uint64_t wait_ms;
	} cases[] = {
		{1000, 256000, 1, 1000},
		{1000, 256000, 2, 2000},
		{1000, 256000, 9, 256000},
		{1000, 256000, 10, 256000},
		{20, 30000, 11, 20480},
		{20, 30000, 12, 30000}, /* no power of two times 20 */
		{1, 5000, 13, 4096},
		{1, 5000, 14, 5000},
		{1, 5000, UINT_MAX, 5000},
		{7, 7, 3, 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(backoff_ms(cases[i].first_ms, cases[i].max_ms,
					    cases[i].failures),
				 cases[i].wait_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wait_is_twice_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
