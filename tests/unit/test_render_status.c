/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status page: what it says, and that it fits whatever the daemon sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "render.h"

static const char two_uplinks[] =
	"{\"version\":\"0.1.0\",\"pid\":7,\"model\":\"weak\",\"steady\":true,"
	"\"subnets\":["
	"{\"link\":\"br0\",\"prefix\":\"172.17.0.0/16\",\"managed\":false,"
	"\"table\":null,\"rules\":[],\"default\":{\"kind\":\"none\"}},"
	"{\"link\":\"eth0\",\"prefix\":\"10.1.0.0/24\",\"managed\":true,"
	"\"table\":7100,\"rules\":[{}],\"default\":{\"kind\":\"congruent\","
	"\"via\":\"10.1.0.1\",\"dev\":\"eth0\",\"metric\":100}},"
	"{\"link\":\"eth1\",\"prefix\":\"10.2.0.0/24\",\"managed\":true,"
	"\"table\":7101,\"rules\":[{}],\"default\":{\"kind\":\"weak\","
	"\"via\":\"10.1.0.1\",\"dev\":\"eth0\",\"metric\":100}}],"
	"\"vpn\":{\"ipv4\":\"yield\",\"ipv6\":\"none\"},"
	"\"routes\":{\"ipv4\":12,\"ipv6\":4},\"ops\":345,"
	"\"last_change\":{\"seconds_ago\":12.4,\"what\":\"eth1 came up\"},"
	"\"problems\":[\"rp_filter on eth1 is strict (1) while packets of "
	"10.2.0.0/24 leave through eth0: answers will be dropped\"]}";

static const char two_uplinks_page[] =
	"multihomed 0.1.0 (pid 7): steady, 1 problem, weak model\n"
	"! rp_filter on eth1 is strict (1) while packets of 10.2.0.0/24 "
	"leave through\n"
	"  eth0: answers will be dropped\n"
	"IPv4 full tunnel: our rules are withdrawn while it is up\n"
	"\n"
	"LINK  SUBNET         STATE        TABLE  DEFAULT\n"
	"eth0  10.1.0.0/24    congruent     7100  via 10.1.0.1 metric 100\n"
	"eth1  10.2.0.0/24    weak          7101  via 10.1.0.1 dev eth0 "
	"metric 100\n"
	"br0   172.17.0.0/16  not managed      -  -\n"
	"weak: no router fits this source: packets leave by the lowest "
	"metric\n"
	"\n"
	"last change 12 s ago: eth1 came up\n"
	"12 IPv4 and 4 IPv6 routes in our tables, 345 changes written since "
	"the start\n";

/* The page for that JSON; free with free(). */
static char *page_of(const char *json, bool colour)
{
	struct json_object *status = json_tokener_parse(json);
	struct text text = {.colour = colour};
	char *page = NULL;
	size_t len = 0;

	text.out = open_memstream(&page, &len);
	assert_non_null(text.out);
	render_status(&text, status);
	assert_int_equal(fclose(text.out), 0);
	json_object_put(status);
	return page;
}

static void shows_two_uplinks(void **state)
{
	char *page = page_of(two_uplinks, false);

	(void)state;
	assert_string_equal(page, two_uplinks_page);
	free(page);
}

/* Take away the colours, and it is the same page. */
static void colours_change_nothing_else(void **state)
{
	char *page = page_of(two_uplinks, true);
	char *from = page;
	char *to = page;

	(void)state;
	assert_non_null(strstr(page, "\x1b[33mweak\x1b[0m"));
	while (*from != '\0') {
		if (*from == '\x1b')
			from += strcspn(from, "m") + 1;
		else
			*to++ = *from++;
	}
	*to = '\0';
	assert_string_equal(page, two_uplinks_page);
	free(page);
}

static void assert_fits(const char *page)
{
	size_t len;

	for (; *page != '\0'; page += len + 1) {
		len = strcspn(page, "\n");
		if (len > TEXT_COLUMNS)
			fail_msg("%zu columns: %.*s", len, (int)len, page);
	}
}

static void fits_80_columns_with_the_longest_names(void **state)
{
	static const char json[] =
		"{\"subnets\":[{\"link\":\"enp0s31f6.4000a\",\"managed\":true,"
		"\"prefix\":\"2001:db8:1234:5678:9abc:def0:1234:5678/128\","
		"\"table\":4294967295,\"rules\":[{}],\"default\":{"
		"\"kind\":\"unreachable\",\"dev\":\"wwp0s20u1i12.1\","
		"\"via\":\"2001:db8:1234:5678:9abc:def0:1234:5678\"}}]}";
	char *page = page_of(json, false);

	(void)state;
	assert_non_null(strstr(page, "\n    table 4294967295 default via "
				     "2001:db8:1234:5678:9abc:def0:1234:5678 "
				     "dev\n    wwp0s20u1i12.1\n"));
	assert_fits(page);
	free(page);
}

static void lets_no_name_steer_the_terminal(void **state)
{
	static const char json[] =
		"{\"version\":\"\\u001b[2J\",\"subnets\":[{\"link\":\"a\\nb\","
		"\"prefix\":\"\\u009b5m\\u007f\"}],\"problems\":[\"x\\u0007\"]"
		"}";
	char *page = page_of(json, false);

	(void)state;
	assert_null(strpbrk(page, "\x1b\x07\x7f\x9b"));
	assert_non_null(strstr(page, "multihomed ?[2J (pid 0)"));
	assert_non_null(strstr(page, "\na?b   ?5m?"));
	free(page);
}

static void survives_answers_that_make_no_sense(void **state)
{
	static const char *const cases[] = {
		"null",
		"{}",
		"{\"subnets\":7,\"problems\":{},\"vpn\":[],\"routes\":[]}",
		"{\"subnets\":[null,3,{\"default\":7,\"rules\":{}}]}",
		"{\"problems\":[null,4,{\"a\":1},\"\"]}",
		"{\"last_change\":{\"seconds_ago\":\"x\",\"what\":3}}",
		"{\"last_change\":{\"seconds_ago\":-1e308}}",
	};
	char *page;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		page = page_of(cases[i], false);
		assert_true(strncmp(page, "multihomed ", 11) == 0);
		assert_fits(page);
		free(page);
	}
}

static void says_times_as_people_do(void **state)
{
	static const struct {
		const char *seconds;
		const char *text;
	} cases[] = {
		{"0.2", "just now"},	      {"1", "1 s ago"},
		{"119", "119 s ago"},	      {"120", "2 min ago"},
		{"7200", "2 h ago"},	      {"172800", "2 days ago"},
		{"31536000", "365 days ago"},
	};
	char json[128];
	char line[128];
	char *page;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(json, sizeof(json),
			       "{\"last_change\":{\"seconds_ago\":%s,"
			       "\"what\":\"x\"}}",
			       cases[i].seconds);
		(void)snprintf(line, sizeof(line), "last change %s: x\n",
			       cases[i].text);
		page = page_of(json, false);
		assert_non_null(strstr(page, line));
		free(page);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_two_uplinks),
		cmocka_unit_test(colours_change_nothing_else),
		cmocka_unit_test(fits_80_columns_with_the_longest_names),
		cmocka_unit_test(lets_no_name_steer_the_terminal),
		cmocka_unit_test(survives_answers_that_make_no_sense),
		cmocka_unit_test(says_times_as_people_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
