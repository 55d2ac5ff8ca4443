/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which router serves which prefix, and what is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"
#include "render/render.h"

static void rows_say_how_long(void **state)
{
	static const char reply[] =
		"{'hears':true,'bindings':[{'router':'fe80::1','dev':'eth0',"
		"'prefix':'2001:db8:1::/64','origin':'learned',"
		"'seconds_left':1740.2},{'router':'fe80::2','dev':'eth0',"
		"'prefix':'2001:db8:2::/64','origin':'learned'},{"
		"'router':'fe80::2','dev':'eth0','prefix':'fd00:2::/64',"
		"'origin':'learned','seconds_left':7},{'router':'fe80::2',"
		"'dev':'eth0','prefix':'fd00:3::/64','origin':'learned',"
		"'seconds_left':2592000}]}";
	static const char page[] =
		"ROUTER   LINK  PREFIX           ORIGIN   LEFT\n"
		"fe80::1  eth0  2001:db8:1::/64  learned  29 min\n"
		"fe80::2  eth0  2001:db8:2::/64  learned  for good\n"
		"fe80::2  eth0  fd00:2::/64      learned  7 s\n"
		"fe80::2  eth0  fd00:3::/64      learned  30 days\n";

	(void)state;
	page_check(render_bindings, reply, page, NULL);
}

/* The config's need neither a router nor a link, and both are said to be so. */
static void the_config_counts_more(void **state)
{
	static const char reply[] =
		"{'hears':true,'bindings':[{'router':'fe80::2','dev':'eth0',"
		"'prefix':'2001:db8:2::/48','origin':'config'},{'dev':'gre2',"
		"'prefix':'198.51.100.0/24','origin':'config'},{"
		"'router':'2001:db8:1::1','prefix':'2001:db8:1::/48',"
		"'origin':'config'},{'router':'fe80::1','dev':'eth0',"
		"'prefix':'2001:db8:1::/64','origin':'learned',"
		"'seconds_left':10000}]}";
	static const char page[] =
		"ROUTER         LINK  PREFIX           ORIGIN   LEFT\n"
		"fe80::2        eth0  2001:db8:2::/48  config   for good\n"
		"any            gre2  198.51.100.0/24  config   for good\n"
		"2001:db8:1::1  any   2001:db8:1::/48  config   for good\n"
		"fe80::1        eth0  2001:db8:1::/64  learned  3 h\n"
		"\n"
		"any router: all next hops over the link.\n"
		"any link: the router wherever it is.\n"
		"Where the configuration binds a router or a link, only tha"
		"t counts.\n";

	(void)state;
	page_check(render_bindings, reply, page, NULL);
}

static void long_rows_have_two_lines(void **state)
{
	static const char reply[] =
		"{'hears':true,'bindings':[{"
		"'router':'fe80::a8bb:ccff:fedd:eeff','dev':'eth0',"
		"'prefix':'2001:db8:1234:5678::/64','origin':'learned',"
		"'seconds_left':1799},{'router':'fe80::a8bb:ccff:fedd:eeff',"
		"'dev':'wwp0s20u1i12.10','prefix':'2001:db8:1234:5678::/64',"
		"'origin':'learned','seconds_left':1799},{"
		"'router':'2001:db8:1234:5678:9abc:def0:1234:5678',"
		"'dev':'enp130s0f1np1',"
		"'prefix':'2001:db8:1234:5678:9abc:def0:1234:5678/128',"
		"'origin':'config'}]}";
	static const char page[] =
		"ROUTER                     LINK      PREFIX               "
		"     ORIGIN   LEFT\n"
		"fe80::a8bb:ccff:fedd:eeff  eth0      2001:db8:1234:5678::/"
		"64   learned  30 min\n"
		"fe80::a8bb:ccff:fedd:eeff  wwp0s20u1i12.10\n"
		"                                     2001:db8:1234:5678::/"
		"64   learned  30 min\n"
		"2001:db8:1234:5678:9abc:def0:1234:5678\n"
		"                           enp130s0f1np1\n"
		"                                     2001:db8:1234:5678:9a"
		"bc:def0:1234:5678/128\n"
		"                                                          "
		"     config   for good\n"
		"\n"
		"Where the configuration binds a router or a link, only tha"
		"t counts.\n";

	(void)state;
	page_check(render_bindings, reply, page, NULL);
}

static void nothing_learned_is_said(void **state)
{
	static const char config[] =
		"{'hears':true,'bindings':[{'router':'fe80::2','dev':'eth0',"
		"'prefix':'2001:db8:2::/48','origin':'config'}]}";
	static const char page_of_config[] =
		"ROUTER   LINK  PREFIX           ORIGIN  LEFT\n"
		"fe80::2  eth0  2001:db8:2::/48  config  for good\n"
		"\n"
		"Nothing is learned: no router advertises a prefix now.\n"
		"An IPv6 prefix that no binding claims may use every router"
		" of its link.\n";
	static const char page_of_none[] =
		"Nothing is learned: no router advertises a prefix now.\n"
		"An IPv6 prefix that no binding claims may use every router"
		" of its link.\n";

	(void)state;
	page_check(render_bindings, config, page_of_config, NULL);
	page_check(render_bindings, "{'hears':true,'bindings':[]}",
		   page_of_none, NULL);
}

static void deafness_is_said(void **state)
{
	static const char reply[] =
		"{'hears':false,'bindings':[{'router':'fe80::1','dev':'eth0',"
		"'prefix':'2001:db8:1::/64','origin':'learned',"
		"'seconds_left':86400}]}";
	static const char page[] =
		"ROUTER   LINK  PREFIX           ORIGIN   LEFT\n"
		"fe80::1  eth0  2001:db8:1::/64  learned  24 h\n"
		"\n"
		"The daemon does not hear router advertisements itself (it "
		"lacks CAP_NET_RAW, or\n"
		"there is no IPv6): it learns what the kernel passes on (Li"
		"nux 6.5 and later),\n"
		"and nothing over links where systemd-networkd, NetworkMana"
		"ger or dhcpcd take\n"
		"them in the kernel's place.\n";
	static const char page_of_none[] =
		"Nothing is learned.\n"
		"An IPv6 prefix that no binding claims may use every router"
		" of its link.\n"
		"The daemon does not hear router advertisements itself (it "
		"lacks CAP_NET_RAW, or\n"
		"there is no IPv6): it learns what the kernel passes on (Li"
		"nux 6.5 and later),\n"
		"and nothing over links where systemd-networkd, NetworkMana"
		"ger or dhcpcd take\n"
		"them in the kernel's place.\n";

	(void)state;
	page_check(render_bindings, reply, page, NULL);
	page_check(render_bindings, "{'hears':false,'bindings':[]}",
		   page_of_none, NULL);
}

static void survives_answers_that_make_no_sense(void **state)
{
	static const char reply[] =
		"{'hears':false,'bindings':[{'router':'fe80::1','dev':'eth0',"
		"'prefix':'2001:db8:1::/64','origin':'learned',"
		"'seconds_left':86400.5},{'dev':'gre2',"
		"'prefix':'198.51.100.0/24','origin':'config'}]}";

	(void)state;
	page_check_nonsense(render_bindings, reply, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_say_how_long),
		cmocka_unit_test(the_config_counts_more),
		cmocka_unit_test(long_rows_have_two_lines),
		cmocka_unit_test(nothing_learned_is_said),
		cmocka_unit_test(deafness_is_said),
		cmocka_unit_test(survives_answers_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
