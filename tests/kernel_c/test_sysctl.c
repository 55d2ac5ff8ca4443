/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/sysctl.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/kernel_c/netns.h"

static void what_is_written_is_read(void **state)
{
	static const struct {
		uint8_t family;
		const char *link;
		const char *name;
		int value;
	} cases[] = {
		{AF_INET, "d1", "rp_filter", 2},
		{AF_INET, "d1", "ignore_routes_with_linkdown", 1},
		{AF_INET6, "d1", "accept_ra", 0},
		{AF_INET6, "d.1", "accept_ra", 2},
		{AF_INET, ".up", "rp_filter", 1},
		{AF_INET6, "d1", "ndisc_tclass", 255},
	};
	int value;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(sysctl_write_link(cases[i].family,
						   cases[i].link, cases[i].name,
						   cases[i].value),
				 0);
		assert_int_equal(sysctl_read_link(cases[i].family,
						  cases[i].link, cases[i].name,
						  &value),
				 0);
		assert_int_equal(value, cases[i].value);
	}
}

static void what_cannot_be_is_an_error(void **state)
{
	static const struct {
		const char *link;
		const char *name;
		int error;
		const char *why;
	} cases[] = {
		{"d7", "rp_filter", -ENOENT, "no such link"},
		{"d1", "no_such_thing", -ENOENT, "no such setting"},
		{"..", "rp_filter", -EINVAL, "not a name"},
		{".", "rp_filter", -EINVAL, "not a name"},
		{"../../../kernel", "pid_max", -EINVAL, "not a name"},
		{"d1", "../d2/rp_filter", -EINVAL, "not a name"},
		{"d1", "", -EISDIR, "no name"},
	};
	int value = 77;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = sysctl_read_link(AF_INET, cases[i].link, cases[i].name,
				     &value);
		if (r != cases[i].error)
			fail_msg("%d for %s", r, cases[i].why);
		assert_int_equal(value, 77);
		r = sysctl_write_link(AF_INET, cases[i].link, cases[i].name, 1);
		if (r != cases[i].error)
			fail_msg("writing: %d for %s", r, cases[i].why);
	}
}

/* The namespace's own, and a word on every kernel. */
#define WORD "ipv4/tcp_congestion_control"

static void words_are_written_and_read(void **state)
{
	char word[32];
	char again[32];

	(void)state;
	assert_int_equal(sysctl_read_word(WORD, word, sizeof(word)), 0);
	assert_true(strlen(word) > 0);
	assert_null(strpbrk(word, " \t\n"));
	assert_int_equal(sysctl_write_word(WORD, "reno"), 0);
	assert_int_equal(sysctl_read_word(WORD, again, sizeof(again)), 0);
	assert_string_equal(again, "reno");
	assert_int_equal(sysctl_write_word(WORD, word), 0);
	/* The first one of several; numbers are words too. */
	assert_int_equal(
		sysctl_write_word("ipv4/ip_local_port_range", "20000 30000"),
		0);
	assert_int_equal(sysctl_read_word("ipv4/ip_local_port_range", word,
					  sizeof(word)),
			 0);
	assert_string_equal(word, "20000");
}

static void words_that_cannot_be_are_errors(void **state)
{
	static const struct {
		const char *key;
		int error;
		const char *why;
	} cases[] = {
		{"ipv4/no_such_thing", -ENOENT, "no such setting"},
		{"ipv4", -EISDIR, "a directory"},
		{"ipv4/a_name_that_is_longer_than_any_path_of_a_setting_may_be_"
		 "because_its_buffer_has_one_hundred_and_twenty_eight_bytes_",
		 -ENAMETOOLONG, "too long"},
	};
	char word[8] = "as is";
	int r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = sysctl_read_word(cases[i].key, word, sizeof(word));
		if (r != cases[i].error)
			fail_msg("%d for %s", r, cases[i].why);
		assert_string_equal(word, "as is");
		r = sysctl_write_word(cases[i].key, "x");
		if (r != cases[i].error)
			fail_msg("writing: %d for %s", r, cases[i].why);
	}
	assert_true(sysctl_write_word(WORD, "no_such_word") < 0);
}

/* Half a word is another word. */
static void words_that_do_not_fit_are_not_cut(void **state)
{
	char word[5] = "as";

	(void)state;
	assert_int_equal(sysctl_write_word(WORD, "reno"), 0);
	assert_int_equal(sysctl_read_word(WORD, word, sizeof(word)), 0);
	assert_string_equal(word, "reno");
	assert_int_equal(sysctl_read_word(WORD, word, 4), -ERANGE);
	assert_int_equal(sysctl_read_word(WORD, word, 1), -ERANGE);
	assert_string_equal(word, "reno");
}

static int make_network(void **state)
{
	(void)state;
	netns_ip("link add d1 type veth peer name d.1\n"
		 "link add .up type veth peer name d2");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(what_cannot_be_is_an_error),
		cmocka_unit_test(words_are_written_and_read),
		cmocka_unit_test(words_that_cannot_be_are_errors),
		cmocka_unit_test(words_that_do_not_fit_are_not_cut),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
