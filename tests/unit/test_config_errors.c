/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bad values are told, and that they do no harm. */
#include "tests/unit/config_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void single_settings_are_checked(void **state)
{
	static const struct config_bad cases[] = {
		{"model = \"weeak\";", 1,
		 "model: expected \"weak\" or \"strong\", not \"weeak\"",
		 "the valid ones are listed"},
		{"\n\nvpn = \"\";", 3, "\"yield\" or \"override\", not \"\"",
		 "nothing is no choice"},
		{"log_level = \"all\";", 1,
		 "\"error\", \"warning\", \"notice\", \"info\" or \"debug\"",
		 "many choices"},
		{"model = 1;", 1, "model: expected a string, not an integer",
		 "a choice is a string"},
		{"model = { };", 1, "expected a string, not a group",
		 "a group"},
		{"ignore_linkdown = 1;", 1,
		 "ignore_linkdown: expected true or false, not an integer",
		 "C's idea of true"},
		{"ignore_linkdown = \"true\";", 1, "not a string", "quoted"},
		{"pinning = { scope = \"udp\"; };", 1,
		 "pinning.scope: expected \"tcp\", \"mptcp\" or \"off\", not "
		 "\"udp\"",
		 "not a choice"},
		{"pinning = { hold_ms = 600001; };", 1,
		 "pinning.hold_ms: expected 0 to 600000, not 600001",
		 "too long"},
		{"pinning = { max = 0; };", 1,
		 "pinning.max: expected 1 to 1000000, not 0", "off is a scope"},
		{"pinning = \"off\";", 1, "expected a group { ... }",
		 "not a text"},
		{"mptcp = { path_manager = \"user\"; };", 1,
		 "mptcp.path_manager: expected \"kernel\", \"userspace\" or "
		 "\"off\", not \"user\"",
		 "half a word"},
		{"mptcp = { subflows = 9; };", 1,
		 "mptcp.subflows: expected 0 to 8, not 9", "the kernel's own"},
		{"interfaces = ( { match = \"a\"; mptcp = \"on\"; } );", 1,
		 "interfaces[0].mptcp: expected \"subflow\", \"backup\", "
		 "\"fullmesh\", \"signal\" or \"off\", not \"on\"",
		 "on for what?"},
		{"settle_ms = -1;", 1, "settle_ms: expected 0 to 60000, not -1",
		 "negative"},
		{"settle_ms = 60001;", 1, "not 60001", "too large"},
		{"settle_ms = \"200\";", 1, "expected an integer, not a string",
		 "quoted"},
		{"settle_ms = 0.2;", 1, "an integer, not a decimal number",
		 "seconds, perhaps"},
		{"settle_ms = true;", 1, "not true or false", "a boolean"},
		{"settle_ms = ( 1 );", 1, "not a list", "a list"},
		{"settle_ms = [ 1 ];", 1, "not an array", "an array"},
		{"settle_ms = 4294967496;", 1, "not 4294967496",
		 "200 in its lowest 32 bits"},
		{"settle_ms = 0x1000000c8;", 1, "number is too large",
		 "the same in hexadecimal"},
		{"settle_ms = 99999999999999999999;", 1, "number is too large",
		 "more than 64 bits"},
		{"protocol = 4;", 1, "protocol: expected 5 to 255, not 4",
		 "static is for people"},
		{"protocol = 256;", 1, "not 256", "it is a byte"},
		{"rule_priority = 0;", 1, "rule_priority: expected 1 to 32565",
		 "before table local"},
		{"rule_priority = 32566;", 1, "not 32566",
		 "the last of ours would be behind main"},
	};

	(void)state;
	config_bad_check(cases, COUNT(cases));
}

static void tables_and_control_are_checked(void **state)
{
	static const struct config_bad cases[] = {
		{"tables = 7100;", 1, "tables: expected a group { ... }",
		 "a number"},
		{"tables = { first = 0; };", 1,
		 "tables.first: expected 1 to 4294967295, not 0",
		 "there is no table 0"},
		{"tables = { last = 4294967296; };", 1, "not 4294967296",
		 "33 bits"},
		{"tables = { first = 7200; last = 7100; };", 1,
		 "tables: expected first to be less than last", "reversed"},
		{"tables = { first = 7200; last = 7200; };", 1,
		 "less than last", "one table is no use"},
		{"tables = { first = 8000; };", 1, "not 8000 and 7999",
		 "last has its default"},
		{"tables = { first = 200; last = 300; };", 1,
		 "the kernel's own tables 252 to 255", "main is inside"},
		{"tables = { first = 255; last = 300; };", 1, "252 to 255",
		 "local at its edge"},
		{"tables = { first = 200; last = 252; };", 1, "252 to 255",
		 "the other edge"},
		{"control = { socket = \"run/s\"; };", 1,
		 "control.socket: expected an absolute path", "relative"},
		{"control = { socket = \"\"; };", 1, "absolute path", "empty"},
		{"control = { socket = \"/run/\"; };", 1, "absolute path",
		 "a folder"},
		{"control = { socket = \"/3456789012345678901234567890123456"
		 "7890123456789012345678901234567890123456789012345678901234567"
		 "890123456789\"; };",
		 1, "at most 103 characters, not 108", "with .new behind it"},
		{"control = { socket = 5; };", 1,
		 "control.socket: expected a string, not an integer",
		 "a number"},
		{"control = { group = 100; };", 1,
		 "control.group: expected a string, not an integer",
		 "numbers are not for people"},
		{"control = { group = \"\"; };", 1,
		 "control.group: expected the name of a group of users",
		 "empty"},
		{"control = { group = \"a:b\"; };", 1, "not \"a:b\"",
		 "group(5) could not have it"},
		{"control = { group = \"-a\"; };", 1, "not \"-a\"",
		 "an option"},
		{"control = {\n group = \"a\\nb\"; };", 2, "not \"a?b\"",
		 "a newline, not to be printed"},
	};

	(void)state;
	config_bad_check(cases, COUNT(cases));
}

static void interfaces_are_checked(void **state)
{
	static const struct config_bad cases[] = {
		{"interfaces = { match = \"a\"; };", 1,
		 "interfaces: expected a list ( { ... }, ... ), not a group",
		 "one entry, not in a list"},
		{"interfaces = ( \"eth0\" );", 1,
		 "interfaces[0]: expected a group { ... }, not a string",
		 "a name alone"},
		{"interfaces = [ 1 ];", 1, "not an integer", "an array"},
		{"interfaces = (\n{ manage = \"never\"; } );", 2,
		 "interfaces[0]: match is missing", "for which link?"},
		{"interfaces = ( { match = 5; } );", 1, "expected a string",
		 "a number"},
		{"interfaces = ( { match = \"\"; } );", 1,
		 "interfaces[0].match: expected the name of a link", "empty"},
		{"interfaces = ( { match = "
		 "\"12345678901234567890123456789012\";"
		 " } );",
		 1, "at most 31 characters, not 32", "too long"},
		{"interfaces = ( { match = \"a\"; manage = \"yes\"; } );", 1,
		 "interfaces[0].manage: expected \"auto\", \"always\" or "
		 "\"never\", not \"yes\"",
		 "no such choice"},
		{"interfaces = ( { match = \"a\"; metric_add = -5; } );", 1,
		 "interfaces[0].metric_add: expected 0 to 4294967295, not -5",
		 "negative"},
		{"interfaces = ( { match = \"a\"; },\n{ match = \"a\"; } );", 2,
		 "interfaces[1].match: expected something new",
		 "the second would never apply"},
	};

	(void)state;
	config_bad_check(cases, COUNT(cases));
}

static void destinations_of_routes_are_checked(void **state)
{
	static const struct config_bad cases[] = {
		{"routes = ( { dev = \"a\"; } );", 1,
		 "routes[0]: to is missing", "where to?"},
		{"routes = ( { to = \"10.0.0.0/8\"; via = \"10.0.0.1\"; } );",
		 1, "routes[0]: dev is missing", "over which link?"},
		{"routes = ( {\nto = \"default\"; dev = \"a\"; } );", 2,
		 "routes[0].to: expected \"0.0.0.0/0\" or \"::/0\"",
		 "default of which family?"},
		{"routes = ( { to = 10; dev = \"a\"; } );", 1,
		 "routes[0].to: expected a string", "numbers"},
		{"routes = ( { to = \"10.0.0.1/8\"; dev = \"a\"; } );", 1,
		 "did you mean \"10.0.0.0/8\"?", "host bits"},
		{"routes = ( { to = \"2001:db8::1/64\"; dev = \"a\"; } );", 1,
		 "did you mean \"2001:db8::/64\"?", "host bits, IPv6"},
		{"routes = ( { to = \"10.0.0.1\"; dev = \"a\"; } );", 1,
		 "expected a prefix with its length", "no length"},
		{"routes = ( { to = \"10.0.0.0/33\"; dev = \"a\"; } );", 1,
		 "expected a prefix with its length", "a length above 32"},
		{"routes = ( { to = \"10.0.0.0/\"; dev = \"a\"; } );", 1,
		 "expected a prefix with its length", "an empty length"},
		{"routes = ( { to = \"any\"; dev = \"a\"; } );", 1,
		 "not \"any\"", "iptables' word"},
		{"routes = ( { to = \"224.0.0.0/8\"; dev = \"a\"; } );", 1,
		 "not \"224.0.0.0/8\", multicast", "gets no routes"},
		{"routes = ( { to = \"fe80::/64\"; dev = \"a\"; } );", 1,
		 "link-local", "the same"},
		{"routes = ( { to = \"127.0.0.0/8\"; dev = \"a\"; } );", 1,
		 "loopback", "the same"},
		{"routes = ( { to = \"::ffff:192.0.2.0/120\"; dev = \"a\"; } "
		 ");",
		 1, "IPv4 in the form of IPv6", "no packet has that"},
	};

	(void)state;
	config_bad_check(cases, COUNT(cases));
}

static void next_hops_of_routes_are_checked(void **state)
{
	static const struct config_bad cases[] = {
		{"routes = ( { to = \"::/0\";\nvia = \"10.0.0.1\"; dev = "
		 "\"a\"; "
		 "} );",
		 2, "routes[0].via: expected an IPv6 address",
		 "IPv6 through an IPv4 router"},
		{"routes = ( { to = \"default\"; dev = \"a\"; via = \"r1\"; } "
		 ");",
		 1,
		 "routes[0].via: expected the address of a router, not \"r1\"",
		 "names are not looked up"},
		{"routes = ( { to = \"default\"; dev = \"a\"; "
		 "via = \"224.0.0.1\"; } );",
		 1, "a multicast address", "no router"},
		{"routes = ( { to = \"default\"; dev = \"a\"; via = \"::1\"; } "
		 ");",
		 1, "a loopback address", "no router"},
		{"routes = ( { to = \"default\"; dev = \"a\"; "
		 "via = \"::ffff:192.0.2.1\"; } );",
		 1, "not \"::ffff:192.0.2.1\", IPv4 in the form of IPv6",
		 "no router"},
		{"routes = ( { to = \"default\"; dev = \"a\"; "
		 "via = \"0.0.0.0\"; } );",
		 1, "the unspecified address", "no router"},
		{"routes = ( { to = \"default\"; dev = \"a\"; "
		 "via = \"255.255.255.255\"; } );",
		 1, "the broadcast address", "no router"},
		{"routes = ( { to = \"default\"; dev = \"a\"; "
		 "via = \"fe80::1%a\"; } );",
		 1, "its link stands in dev", "a scoped address"},
		{"routes = ( { to = \"::/0\"; dev = \"\"; } );", 1,
		 "routes[0].dev: expected the name of a link, not \"\"",
		 "empty"},
		{"routes = ( { to = \"::/0\"; dev = \"1234567890123456\"; } );",
		 1, "at most 15 characters, not 16", "IFNAMSIZ is 16"},
		{"routes = ( { to = \"::/0\"; dev = \"eth 0\"; } );", 1,
		 "not \"eth 0\"", "the kernel takes no blanks"},
		{"routes = ( { to = \"::/0\"; dev = \"a/b\"; } );", 1,
		 "not \"a/b\"", "nor slashes"},
		{"routes = ( { to = \"::/0\"; dev = \"..\"; } );", 1,
		 "not \"..\"", "nor this"},
		{"routes = ( { to = \"::/0\"; dev = \"a\"; metric = 5.5; } );",
		 1, "routes[0].metric: expected an integer", "no fractions"},
	};

	(void)state;
	config_bad_check(cases, COUNT(cases));
}

static void bindings_are_checked(void **state)
{
	static const struct config_bad cases[] = {
		{"bindings = ( { prefixes = ( \"::/0\" ); } );", 1,
		 "bindings[0]: router or dev is missing", "whose prefixes?"},
		{"bindings = ( { dev = \"a\"; } );", 1,
		 "bindings[0]: prefixes is missing", "which prefixes?"},
		{"bindings = ( { dev = \"a\"; prefixes = ( ); } );", 1,
		 "bindings[0].prefixes: expected a list of one or more",
		 "an empty list"},
		{"bindings = ( { dev = \"a\"; prefixes = \"::/0\"; } );", 1,
		 "expected a list of one or more", "not in a list"},
		{"bindings = ( { dev = \"a\"; prefixes = { a = 1; }; } );", 1,
		 "expected a list of one or more", "a group is no list"},
		{"bindings = ( { router = \"fe80::1\"; prefixes = ( \"::/0\" "
		 "); "
		 "} );",
		 1, "bindings[0]: dev is missing",
		 "link-local: on which link?"},
		{"bindings = ( { router = \"10.0.0.1\"; prefixes = ( \"::/0\" "
		 "); "
		 "} );",
		 1, "an IPv4 router cannot serve IPv6", "families"},
		{"bindings = ( { dev = \"a\"; prefixes = (\n\"::/0\",\n"
		 "\"10.0.0.0/99\" # a comment\n\n\n); } );",
		 3, "bindings[0].prefixes[1]: expected a prefix",
		 "the line of the string, not of what follows"},
		{"bindings = ( { dev = \"a\"; prefixes = [\n\"::/0\"\n,\n"
		 "\"::1/0\"\n]; } );",
		 4, "bindings[0].prefixes[1]: expected no host bits",
		 "the same in an array"},
		{"bindings = ( { dev = \"a\"; prefixes = ( 10 ); } );", 1,
		 "bindings[0].prefixes[0]: expected a string", "a number"},
	};

	(void)state;
	config_bad_check(cases, COUNT(cases));
}

static void unknown_keys_name_the_nearest(void **state)
{
	static const struct config_bad cases[] = {
		{"settel_ms = 5;", 1,
		 "settel_ms: unknown key: did you mean settle_ms?", "swapped"},
		{"Model = \"weak\";", 1, "did you mean model?", "upper case"},
		{"table = { };", 1, "did you mean tables?", "one is missing"},
		{"priority = 5;", 1, "did you mean rule_priority?", "a part"},
		{"routers = ( );", 1, "did you mean routes?", "nearest of two"},
		{"tables = { frist = 5; };", 1,
		 "tables.frist: unknown key: did you mean first?",
		 "in a group"},
		{"interfaces = ( { match = \"a\";\nmetric = 5; } );", 2,
		 "interfaces[0].metric: unknown key: did you mean metric_add?",
		 "in a list"},
		{"tables = { model = 5; };", 1,
		 "tables.model: unknown key: known are first, last",
		 "known elsewhere"},
		{"dns = { };", 1,
		 "dns: unknown key: known are model, tables, "
		 "rule_priority, "
		 "protocol, settle_ms, vpn, ignore_linkdown, interfaces, "
		 "routes, "
		 "bindings, pinning, mptcp, control, log_level",
		 "there is no such thing yet"},
		{"pinning = { hold = 5; };", 1,
		 "pinning.hold: unknown key: did you mean hold_ms?",
		 "a unit is missing"},
		{"interfaces = ( { match = \"a\"; dns = \"off\"; } );", 1,
		 "interfaces[0].dns: unknown key: known are match,",
		 "nor this, and it does not mean match"},
	};

	(void)state;
	config_bad_check(cases, COUNT(cases));
}

static void all_errors_are_found_in_order(void **state)
{
	static const struct {
		unsigned int line;
		const char *part;
	} expected[] = {
		{1, "model: "},
		{2, "settle_ms: "},
		{3, "routes[0].metric: "},
		{4, "routes[1]: dev is missing"},
		{4, "routes[1].to: "},
		{5, "bindings[0]: "},
		{8, "nonsense: "},
		{9, "tables: "},
	};
	struct config_error_vec errors = {0};
	struct config_error earlier = {.line = 77};
	struct config config;
	size_t i;

	(void)state;
	vec_push(&errors, earlier);
	assert_int_equal(
		config_text_load(
			"model = 5;\n"
			"settle_ms = \"x\";\n"
			"routes = ( { to = \"::/0\"; dev = \"a\"; metric = "
			"-1; },\n"
			"{ to = \"x\"; },\n"
			"{ to = \"::/0\"; dev = \"a\"; } ); bindings = ( {\n"
			"prefixes = (\n\"::/0\" ) } );\n"
			"nonsense = 7;\n"
			"tables = { first = 5; last = 4; };",
			&config, &errors),
		-EINVAL);
	assert_int_equal(errors.items[0].line, 77);
	assert_int_equal(errors.n, COUNT(expected) + 1);
	for (i = 0; i < COUNT(expected); i++) {
		const struct config_error *error = &errors.items[i + 1];

		if (error->line != expected[i].line ||
		    !strstr(error->message, expected[i].part))
			fail_msg("%s expected, line %u: %s", expected[i].part,
				 error->line, error->message);
	}
	vec_done(&errors);
}

static void errors_leave_the_result_alone(void **state)
{
	struct config_error_vec errors = {0};
	struct config config;
	struct config before;

	(void)state;
	memset(&config, 0x5a, sizeof(config));
	memset(&before, 0x5a, sizeof(before));
	assert_int_equal(config_text_load("interfaces = ( { match = \"a\"; } );"
					  "model = 5;",
					  &config, &errors),
			 -EINVAL);
	assert_memory_equal(&config, &before, sizeof(config));
	vec_done(&errors);
}

static void errors_stop_at_a_limit(void **state)
{
	struct config_error_vec errors = {0};
	struct config config;
	char text[4096] = "interfaces = ( 0";
	size_t n = strlen(text);
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ",\n%zu",
				      i % 10);
	(void)snprintf(text + n, sizeof(text) - n, ");");
	/* One entry less than there are: the list as a whole is too long. */
	assert_int_equal(config_text_load(text, &config, &errors), -EINVAL);
	assert_int_equal(errors.n, 1);
	assert_non_null(strstr(errors.items[0].message,
			       "interfaces: expected at most 1000 entries, "
			       "not 1001"));

	text[strlen("interfaces = ( ")] = ' ';
	text[strlen("interfaces = (  ")] = ' '; /* the first comma */
	vec_clear(&errors);
	assert_int_equal(config_text_load(text, &config, &errors), -EINVAL);
	assert_int_equal(errors.n, CONFIG_ERRORS_MAX + 1);
	assert_int_equal(errors.items[0].line, 2);
	assert_int_equal(errors.items[99].line, 101);
	assert_string_equal(errors.items[100].message, "more errors follow");
	vec_done(&errors);
}

/* In one entry or in many: they are what takes room. */
static void prefixes_of_bindings_are_limited(void **state)
{
	enum {
		ALLOWED = 20000,
		BYTES = 512 * 1024
	};
	char *text = xalloc(BYTES);
	size_t n;

	(void)state;
	for (int more = 0; more < 2; more++) {
		struct config_error_vec errors = {0};
		struct config config;

		n = (size_t)snprintf(text, BYTES,
				     "bindings = ( { dev = \"a\"; prefixes = "
				     "( \"10.0.0.0/8\" ); },\n"
				     "{ dev = \"b\"; prefixes = ( "
				     "\"10.0.0.0/8\"");
		for (int i = 2; i < ALLOWED + more; i++)
			n += (size_t)snprintf(text + n, BYTES - n,
					      ", \"10.0.0.0/8\"");
		(void)snprintf(text + n, BYTES - n, " ); } );");
		assert_int_equal(config_text_load(text, &config, &errors),
				 more ? -EINVAL : 0);
		if (!more) {
			config_done(&config);
			continue;
		}
		assert_int_equal(errors.n, 1);
		assert_int_equal(errors.items[0].line, 2);
		assert_string_equal(errors.items[0].message,
				    "bindings[1].prefixes: expected at most "
				    "20000 prefixes in all entries");
		vec_done(&errors);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_settings_are_checked),
		cmocka_unit_test(tables_and_control_are_checked),
		cmocka_unit_test(interfaces_are_checked),
		cmocka_unit_test(destinations_of_routes_are_checked),
		cmocka_unit_test(next_hops_of_routes_are_checked),
		cmocka_unit_test(bindings_are_checked),
		cmocka_unit_test(unknown_keys_name_the_nearest),
		cmocka_unit_test(all_errors_are_found_in_order),
		cmocka_unit_test(errors_leave_the_result_alone),
		cmocka_unit_test(errors_stop_at_a_limit),
		cmocka_unit_test(prefixes_of_bindings_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
