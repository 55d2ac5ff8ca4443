/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of monitor, from the JSON of a reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "render/render.h"

/* The lines for that JSON; free with free(). */
static char *page_of(const char *json, bool colour)
{
	struct json_object *reply = json_tokener_parse(json);
	struct text text = {.colour = colour};
	char *page = NULL;
	size_t len = 0;

	text.out = open_memstream(&page, &len);
	assert_non_null(text.out);
	render_monitor(&text, reply, NULL);
	assert_int_equal(fclose(text.out), 0);
	json_object_put(reply);
	return page;
}

static const struct {
	const char *json;
	const char *want;
	const char *why;
} rounds[] = {
	{"{\"time\":3723.0625,\"cause\":\"kernel\","
	 "\"heard\":[\"link eth1 up, no carrier\",\"lost\"],"
	 "\"heard_more\":0,"
	 "\"planned\":[\"10.2.0.0/24 on eth1: weak now\"],"
	 "\"prefixes\":1,"
	 "\"wrote\":[\"a\",\"b\",\"c\"],\"wrote_more\":0,"
	 "\"failed\":[],\"milliseconds\":0.214}",
	 "01:02:03.062 heard   link eth1 up, no carrier\n"
	 "01:02:03.062 heard   lost\n"
	 "01:02:03.062 planned 10.2.0.0/24 on eth1: weak now\n"
	 "01:02:03.062 wrote   a\n"
	 "01:02:03.062 wrote   b\n"
	 "01:02:03.062 wrote   c\n"
	 "01:02:03.062 done    heard 2, planned 1 prefix, wrote 3, "
	 "0.21 ms (kernel)\n",
	 "as a rule"},
	{"{\"time\":86399.9999,\"cause\":\"config\",\"heard\":[],"
	 "\"heard_more\":0,\"planned\":[],\"prefixes\":12345,"
	 "\"wrote\":[\"x\"],\"wrote_more\":12344,"
	 "\"failed\":[\"y: No such device\"],\"milliseconds\":250}",
	 "23:59:59.999 wrote   x\n"
	 "23:59:59.999 wrote   and 12344 more\n"
	 "23:59:59.999 failed  y: No such device\n"
	 "23:59:59.999 done    heard 0, planned 12345 prefixes, "
	 "wrote 12345, failed 1,\n"
	 "                     250.00 ms (config)\n",
	 "much, and a failure"},
	{"{\"time\":0,\"cause\":\"start\",\"prefixes\":0,"
	 "\"wrote\":[\"route replace 2001:db8:1234:5678::/64 via "
	 "fe80::1 dev eth0 metric 1024 table 7100\"]}",
	 "00:00:00.000 wrote   route replace 2001:db8:1234:5678::/64 "
	 "via fe80::1 dev eth0\n"
	 "                     metric 1024 table 7100\n"
	 "00:00:00.000 done    heard 0, planned 0 prefixes, wrote 1, "
	 "0.00 ms (start)\n",
	 "a long line is broken, not cut"},
	{"{\"time\":0,\"cause\":\"timer\","
	 "\"heard\":[\"link \\u001b[31m up\"]}",
	 "00:00:00.000 heard   link ?[31m up\n"
	 "00:00:00.000 done    heard 1, planned 0 prefixes, wrote 0, "
	 "0.00 ms (timer)\n",
	 "control characters"},
	{"{\"time\":\"x\",\"cause\":\"new\",\"heard\":[null],"
	 "\"wrote\":{}}",
	 "00:00:00.000 heard   ?\n"
	 "00:00:00.000 done    heard 1, planned 0 prefixes, wrote 0, "
	 "0.00 ms (new)\n",
	 "what a newer daemon may send"},
	{"null",
	 "00:00:00.000 done    heard 0, planned 0 prefixes, wrote 0, "
	 "0.00 ms (?)\n",
	 "nothing"},
};

static void a_round_is_told_line_by_line(void **state)
{
	char *page;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++) {
		page = page_of(rounds[i].json, false);
		if (strcmp(page, rounds[i].want) != 0)
			fail_msg("%s:\n%s", rounds[i].why, page);
		free(page);
	}
}

static void failures_are_red(void **state)
{
	char *page = page_of("{\"failed\":[\"x\"]}", true);

	(void)state;
	assert_non_null(strstr(page, "\x1b[1;31mfailed\x1b[0m"));
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_is_told_line_by_line),
		cmocka_unit_test(failures_are_red),
	};

	/* The lines show the local time of day. */
	(void)setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
