/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void text_is_empty_at_first(void **state)
{
	char buf[8] = "old";
	struct text text;

	(void)state;
	text_init(&text, buf, sizeof(buf));
	assert_string_equal(buf, "");
	text_put(&text, "%s", "");
	assert_string_equal(buf, "");
}

static void text_is_put_together(void **state)
{
	char buf[32];
	struct text text;

	(void)state;
	text_init(&text, buf, sizeof(buf));
	text_put(&text, "mtu");
	text_put(&text, " %s %d", "lock", 1400);
	assert_string_equal(buf, "mtu lock 1400");
	assert_int_equal(text.len, strlen(buf));
}

static void text_that_just_fits_is_whole(void **state)
{
	char buf[8];
	struct text text;

	(void)state;
	text_init(&text, buf, sizeof(buf));
	text_put(&text, "abc");
	text_put(&text, "defg");
	assert_string_equal(buf, "abcdefg");
	text_put(&text, "%s", "");
	assert_string_equal(buf, "abcdefg");
}

static void text_that_does_not_fit_ends_in_dots(void **state)
{
	struct {
		char buf[8];
		char behind;
	} room = {.behind = 'x'};
	struct text text;

	(void)state;
	text_init(&text, room.buf, sizeof(room.buf));
	text_put(&text, "abc");
	text_put(&text, "defgh");
	assert_string_equal(room.buf, "abcd...");
	text_put(&text, "i");
	text_put(&text, "%s", "");
	assert_string_equal(room.buf, "abcd...");
	assert_int_equal(room.behind, 'x');

	/* The room was used up to the last. */
	text_init(&text, room.buf, sizeof(room.buf));
	text_put(&text, "abcdefg");
	text_put(&text, "h");
	assert_string_equal(room.buf, "abcd...");
}

static void smallest_buffer_has_room_for_the_dots(void **state)
{
	char buf[4];
	struct text text;

	(void)state;
	text_init(&text, buf, sizeof(buf));
	text_put(&text, "abcd");
	assert_string_equal(buf, "...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_empty_at_first),
		cmocka_unit_test(text_is_put_together),
		cmocka_unit_test(text_that_just_fits_is_whole),
		cmocka_unit_test(text_that_does_not_fit_ends_in_dots),
		cmocka_unit_test(smallest_buffer_has_room_for_the_dots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
