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

#include "page.h"
#include "render/render.h"

/* What else a reply has, for tests that look at something else. */
#define REST                                                                   \
	"'version':'0.1.0','pid':7,'uptime':266400.5,"                         \
	"'model':'weak','vpn':{'ipv4':'none','ipv6':'none'},"                  \
	"'routes':{'ipv4':12,'ipv6':4},'ops':34512"

#define ETH0                                                                   \
	"{'link':'eth0','prefix':'10.1.0.0/24','managed':true,"                \
	"'table':7100,'rules':[{}],'default':{'kind':'congruent',"             \
	"'via':'10.1.0.1','dev':'eth0','metric':100}}"

#define ETH1                                                                   \
	"{'link':'eth1','prefix':'10.2.0.0/24','managed':true,"                \
	"'table':7101,'rules':[{}],'default':{'kind':'congruent',"             \
	"'via':'10.2.0.1','dev':'eth1','metric':200}}"

#define BRIDGE                                                                 \
	"{'link':'br0','prefix':'172.17.0.0/16','managed':false,"              \
	"'rules':[],'default':{'kind':'none'}}"

static void shows_that_all_is_well(void **state)
{
	(void)state;
	page_check(render_status,
		   "{" REST ",'steady':true,'problems':[],"
		   "'subnets':[" ETH0 "," ETH1 "],"
		   "'last_change':{'time':1767366180,'seconds_ago':12.4,"
		   "'what':'eth1 came up: 12 routes and 1 rule written'}}",
		   "multihomed 0.1.0: steady, no problems, weak model\n"
		   "\n"
		   "LINK  SUBNET       STATE      TABLE  NEXT HOP  METRIC\n"
		   "eth0  10.1.0.0/24  congruent   7100  10.1.0.1     100\n"
		   "eth1  10.2.0.0/24  congruent   7101  10.2.0.1     200\n"
		   "\n"
		   "Last change 12 s ago: eth1 came up: 12 routes and 1 rule "
		   "written\n"
		   "Up for 3 days: 12 IPv4 and 4 IPv6 routes in our tables, "
		   "34,512 changes written\n"
		   "congruent: packets leave through a router of their own "
		   "subnet\n",
		   NULL);
}

/* Everything that can be wrong, above what is right. */
static void shows_what_is_wrong_first(void **state)
{
	(void)state;
	page_check(
		render_status,
		"{" REST ",'steady':false,'subnets':[" BRIDGE "," ETH0 ","
		"{'link':'eth1','prefix':'10.2.0.0/24',"
		"'managed':true,'table':7101,'rules':[{}],'default':{"
		"'kind':'weak','via':'10.1.0.1','dev':'eth0',"
		"'metric':100}},"
		"{'link':'wwan0','prefix':'100.64.3.7/32',"
		"'managed':true,'table':7102,'rules':[{}],'default':{"
		"'kind':'strong_drop'}},"
		"{'link':'eth2','prefix':'10.3.0.0/24',"
		"'managed':true,'table':7103,'rules':[],'default':{"
		"'kind':'congruent','dev':'eth2','metric':0}},"
		"{'link':'eth3','prefix':'10.4.0.0/24',"
		"'managed':true,'table':7104,'rules':[{}],'default':{"
		"'kind':'none'}}],"
		"'trial':{'seconds_left':42.3},"
		"'problems':['10.2.0.0/24 on eth1 has no usable default "
		"route of its own; its packets leave through another "
		"subnet','second']}",
		"multihomed 0.1.0: busy (changes are due), 2 problems, weak "
		"model\n"
		"! 10.2.0.0/24 on eth1 has no usable default route of its own; "
		"its packets leave\n"
		"  through another subnet\n"
		"! second\n"
		"A new configuration is on trial: 42 s left, then the old one "
		"returns;\n"
		"'multihomectl confirm' keeps it.\n"
		"\n"
		"LINK   SUBNET         STATE        TABLE  NEXT HOP           "
		"METRIC\n"
		"eth0   10.1.0.0/24    congruent     7100  10.1.0.1           "
		"   100\n"
		"eth1   10.2.0.0/24    weak          7101  10.1.0.1 dev eth0  "
		"   100\n"
		"wwan0  100.64.3.7/32  strong-drop   7102  -\n"
		"eth2   10.3.0.0/24    no rules      7103  dev eth2           "
		"     0\n"
		"eth3   10.4.0.0/24    no default    7104  -\n"
		"br0    172.17.0.0/16  not managed      -  -\n"
		"\n"
		"Up for 3 days: 12 IPv4 and 4 IPv6 routes in our tables, "
		"34,512 changes written\n"
		"congruent: packets leave through a router of their own "
		"subnet\n"
		"weak: no router fits this source: packets leave by the lowest "
		"metric\n"
		"strong-drop: no router fits this source: packets are dropped "
		"(strong model)\n"
		"no default: nothing leads to the Internet\n"
		"no rules: our rules are not in place: other rules and table "
		"main decide\n"
		"not managed: no uplink, or left alone by the config: table "
		"main decides\n",
		NULL);
}

static void tells_what_a_tunnel_does(void **state)
{
	char *page =
		page_of(render_status,
			"{'vpn':{'ipv4':'yield','ipv6':'override'}}", false);

	(void)state;
	assert_non_null(strstr(
		page, "\nIPv4: a full tunnel takes all traffic; our rules are "
		      "withdrawn meanwhile.\n"));
	assert_non_null(strstr(page, "\nIPv6: a full tunnel is up; our rules "
				     "stay (vpn = "
				     "\"override\").\n"));
	free(page);
}

static void colours_the_states(void **state)
{
	char *page = page_of(render_status,
			     "{" REST ",'problems':['x'],'subnets':[" ETH0
			     "," BRIDGE "]}",
			     true);

	(void)state;
	assert_non_null(strstr(page, "\x1b[1;31m1 problem\x1b[0m"));
	assert_non_null(strstr(page, "\x1b[33mbusy (changes are due)\x1b[0m"));
	assert_non_null(strstr(page, "eth0  10.1.0.0/24    "
				     "\x1b[32mcongruent\x1b[0m"));
	assert_non_null(strstr(page, "\x1b[2mbr0\x1b[0m"));
	free(page);
}

/* A JSON reply with @managed and @unmanaged subnets; free with free(). */
static char *many_subnets(int managed, int unmanaged)
{
	char *json = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&json, &len);
	int i;

	assert_non_null(out);
	(void)fputs("{'subnets':[", out);
	for (i = 0; i < managed + unmanaged; i++)
		(void)fprintf(out,
			      "%s{'link':'l%d','prefix':'10.%d.0.0/16',"
			      "'managed':%s,'rules':[{}],'table':%d}",
			      i > 0 ? "," : "", i, i,
			      i < managed ? "true" : "false", 7100 + i);
	(void)fputs("]}", out);
	assert_int_equal(fclose(out), 0);
	return json;
}

static void only_counts_many_that_are_not_managed(void **state)
{
	static const struct {
		int managed;
		int unmanaged;
		const char *has;
		const char *has_not;
		const char *why;
	} cases[] = {
		{1, 10, "\nl10 ", "and 10 subnets", "ten are shown"},
		{1, 11, "\nand 11 subnets that are not managed", "\nl1 ",
		 "eleven are only counted"},
		{12, 0, "\nl11 ", "and ", "managed ones always are shown"},
		{0, 11, "\nNo subnet is managed", "LINK", "no empty table"},
		{0, 2, "\nl1 ", "and 2", "the few there are"},
	};
	char *json;
	char *page;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json = many_subnets(cases[i].managed, cases[i].unmanaged);
		page = page_of(render_status, json, false);
		if (!strstr(page, cases[i].has) ||
		    strstr(page, cases[i].has_not))
			fail_msg("%s: %s", cases[i].why, page);
		free(page);
		free(json);
	}
}

/* Each of the cells as long as it can be. */
static void keeps_its_columns_with_the_longest_names(void **state)
{
	(void)state;
	page_check(render_status,
		   "{" REST ",'steady':true,'subnets':["
		   "{'link':'enp0s31f6.4000a','managed':true,"
		   "'prefix':'2001:db8:1234:5678:9abc:def0:1234:5678/128',"
		   "'table':4294967295,'rules':[{}],'default':{"
		   "'kind':'strong_drop','dev':'wwp0s20u1i12.1',"
		   "'via':'2001:db8:1234:5678:9abc:def0:1234:5678',"
		   "'metric':4294967295}}," ETH0 "]}",
		   "multihomed 0.1.0: steady, no problems, weak model\n"
		   "\n"
		   "LINK             SUBNET              STATE        TABLE  "
		   "NEXT HOP         METRIC\n"
		   "enp0s31f6.4000a  2001:db8:1234:5678:9abc:def0:1234:5678/128"
		   "\n"
		   "                                     strong-drop\n"
		   "                                             4294967295\n"
		   "    2001:db8:1234:5678:9abc:def0:1234:5678 dev "
		   "wwp0s20u1i12.1         4294967295\n"
		   "eth0             10.1.0.0/24         congruent     7100  "
		   "10.1.0.1            100\n"
		   "\n"
		   "Up for 3 days: 12 IPv4 and 4 IPv6 routes in our tables, "
		   "34,512 changes written\n"
		   "congruent: packets leave through a router of their own "
		   "subnet\n"
		   "strong-drop: no router fits this source: packets are "
		   "dropped (strong model)\n",
		   NULL);
}

static void lets_no_name_steer_the_terminal(void **state)
{
	static const char json[] =
		"{'version':'\\u001b[2J','subnets':[{'link':'a\\nb',"
		"'prefix':'\\u009b5m\\u007f'}],'problems':['x\\u0007']"
		"}";
	char *page = page_of(render_status, json, false);

	(void)state;
	assert_null(strpbrk(page, "\x1b\x07\x7f\x9b"));
	assert_non_null(strstr(page, "multihomed ?[2J: busy"));
	assert_non_null(strstr(page, "\na?b   ?5m?"));
	free(page);
}

/* A link may have any bytes in its name, in UTF-8 or not. */
static void counts_characters_not_bytes(void **state)
{
	char *page =
		page_of(render_status,
			"{'subnets':[{'link':'k\xc3\xa4se','prefix':'a'},"
			"{'link':'\x9b"
			"31m\xc3','prefix':'b'},"
			"{'link':'\xe2\x80\xaex\xe0\x82\x9b','prefix':'c'}]}",
			false);

	(void)state;
	assert_non_null(strstr(page, "\nk\xc3\xa4se   a  "));
	assert_non_null(strstr(page, "\n?31m?  b  "));
	assert_non_null(strstr(page, "\n?x???  c  "));
	free(page);
}

static void survives_answers_that_make_no_sense(void **state)
{
	(void)state;
	page_check_nonsense(render_status,
			    "{" REST ",'steady':true,'subnets':[" ETH0
			    "," BRIDGE "],"
			    "'trial':{'seconds_left':3},"
			    "'last_change':{'time':1,'seconds_ago':2,'what':"
			    "'x'},'problems':['y']}",
			    NULL);
}

/* Times as people say them; "now" is 2026-01-02 15:03:00 UTC. */
static void says_times_as_people_do(void **state)
{
	static const struct {
		const char *seconds;
		const char *text;
		const char *why;
	} cases[] = {
		{"-5", "just now", "a clock that was set"},
		{"0.2", "just now", "less than a second"},
		{"1", "1 s ago", "seconds"},
		{"119", "119 s ago", "seconds to two minutes"},
		{"180", "3 min ago", "minutes"},
		{"3599", "60 min ago", "an hour is not over"},
		{"3600", "today at 14:03", "then the clock says more"},
		{"54180", "today at 00:00", "to midnight"},
		{"54181", "yesterday at 23:59", "before it"},
		{"140580", "yesterday at 00:00", "all of the day before"},
		{"140581", "on 2025-12-31 at 23:59", "then the date"},
		{"1e300", "ages ago", "nonsense"},
	};
	char json[192];
	char line[128];
	char *page;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(json, sizeof(json),
			       "{'last_change':{'time':%.17g,"
			       "'seconds_ago':%s,'what':'x'}}",
			       1767366180 - strtod(cases[i].seconds, NULL),
			       cases[i].seconds);
		(void)snprintf(line, sizeof(line), "Last change %s: x\n",
			       cases[i].text);
		page = page_of(render_status, json, false);
		if (!strstr(page, line))
			fail_msg("%s: wanted %s got %s", cases[i].why, line,
				 page);
		free(page);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shows_that_all_is_well),
		cmocka_unit_test(shows_what_is_wrong_first),
		cmocka_unit_test(tells_what_a_tunnel_does),
		cmocka_unit_test(colours_the_states),
		cmocka_unit_test(only_counts_many_that_are_not_managed),
		cmocka_unit_test(keeps_its_columns_with_the_longest_names),
		cmocka_unit_test(lets_no_name_steer_the_terminal),
		cmocka_unit_test(counts_characters_not_bytes),
		cmocka_unit_test(survives_answers_that_make_no_sense),
		cmocka_unit_test(says_times_as_people_do),
	};

	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
