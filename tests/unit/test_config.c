/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a good config gives, and what is read at all. */
#include "tests/unit/config_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <syslog.h>

#include <cmocka.h>

#include "daemon/config/config_near.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void load(const char *text, struct config *ret)
{
	struct config_error_vec errors = {0};

	if (config_text_load(text, ret, &errors) < 0)
		fail_msg("line %u of '%s': %s", errors.items[0].line, text,
			 errors.items[0].message);
	assert_int_equal(errors.n, 0);
	vec_done(&errors);
}

static void assert_addr(const struct ip_addr *addr, const char *text)
{
	char buf[IP_TEXT_MAX];

	assert_string_equal(ip_addr_format(addr, buf), text);
}

static void assert_prefix(const struct ip_prefix *prefix, const char *text)
{
	char buf[IP_TEXT_MAX];

	assert_string_equal(ip_prefix_format(prefix, buf), text);
}

static void assert_defaults(const struct config *config)
{
	const struct policy *policy = &config->policy;

	assert_int_equal(policy->model, HOST_MODEL_WEAK);
	assert_int_equal(policy->vpn, VPN_YIELD);
	assert_int_equal(policy->table_first, 7100);
	assert_int_equal(policy->table_last, 7999);
	assert_int_equal(policy->rule_priority, 7100);
	assert_int_equal(policy->protocol, 109);
	assert_int_equal(policy->settle_ms, 200);
	assert_int_equal(policy->mptcp.path_manager, PATH_MANAGER_KERNEL);
	assert_int_equal(policy->mptcp.subflows, 8);
	assert_false(policy->mptcp.announce);
	assert_true(policy->mptcp.reject_incongruent);
	assert_int_equal(policy->pinning.scope, PIN_SCOPE_TCP);
	assert_int_equal(policy->pinning.hold_ms, 5000);
	assert_int_equal(policy->pinning.max, 100000);
	assert_false(policy->ignore_linkdown);
	assert_int_equal(policy->interfaces.n, 0);
	assert_int_equal(policy->routes.n, 0);
	assert_int_equal(policy->bindings.n, 0);
	assert_string_equal(config->socket, "/run/multihomed/io.multihomed");
	assert_string_equal(config->group, "multihomed");
	assert_int_equal(config->log_level, LOG_INFO);
}

/* --- values --- */

static void nothing_means_the_defaults(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"# a comment without a newline",
		"// the same\n/* and\nthe same */",
		"tables = { }; control = { }; interfaces = ();",
		"routes = []; bindings = ();",
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(texts); i++) {
		struct config config;

		load(texts[i], &config);
		assert_defaults(&config);
		assert_false(config.group_is_set);
		config_done(&config);
	}
}

static void single_settings_are_read(void **state)
{
	struct config config;

	(void)state;
	load("model = \"strong\"; tables = { first = 300; last = 301; };\n"
	     "rule_priority = 32565, protocol : 255\n"
	     "settle_ms = 0; vpn = \"override\"; ignore_linkdown = TRUE;\n"
	     "mptcp = { path_manager = \"off\"; subflows = 3; "
	     "announce = true; reject_incongruent = false; };\n"
	     "pinning = { scope = \"mptcp\"; hold_ms = 0; max = 7; };\n"
	     "control = { socket = \"/tmp/s\"; group = \"adm\"; };\n"
	     "log_level = \"debug\"\n",
	     &config);
	assert_int_equal(config.policy.model, HOST_MODEL_STRONG);
	assert_int_equal(config.policy.table_first, 300);
	assert_int_equal(config.policy.table_last, 301);
	assert_int_equal(config.policy.rule_priority, 32565);
	assert_int_equal(config.policy.protocol, 255);
	assert_int_equal(config.policy.settle_ms, 0);
	assert_int_equal(config.policy.vpn, VPN_OVERRIDE);
	assert_true(config.policy.ignore_linkdown);
	assert_int_equal(config.policy.mptcp.path_manager, PATH_MANAGER_OFF);
	assert_int_equal(config.policy.mptcp.subflows, 3);
	assert_true(config.policy.mptcp.announce);
	assert_false(config.policy.mptcp.reject_incongruent);
	assert_int_equal(config.policy.pinning.scope, PIN_SCOPE_MPTCP);
	assert_int_equal(config.policy.pinning.hold_ms, 0);
	assert_int_equal(config.policy.pinning.max, 7);
	assert_string_equal(config.socket, "/tmp/s");
	assert_string_equal(config.group, "adm");
	assert_true(config.group_is_set);
	assert_int_equal(config.log_level, LOG_DEBUG);
	config_done(&config);
}

static void interfaces_keep_their_order(void **state)
{
	struct policy_interface_vec *all;
	struct config config;

	(void)state;
	load("interfaces = (\n"
	     "  { match = \"docker*\"; manage = \"never\"; },\n"
	     "  { match = \"wwan*\"; model = \"weak\"; metric_add = 500; },\n"
	     "  { match = \"eth0\"; manage = \"always\"; "
	     "mptcp = \"backup\"; } );\n"
	     "model = \"strong\"; # a name of its own\n",
	     &config);
	all = &config.policy.interfaces;
	assert_int_equal(all->n, 3);
	assert_string_equal(all->items[0].match, "docker*");
	assert_int_equal(all->items[0].manage, MANAGE_NEVER);
	assert_false(all->items[0].has_model);
	assert_int_equal(all->items[0].mptcp, MPTCP_LINK_SUBFLOW);
	assert_int_equal(all->items[2].mptcp, MPTCP_LINK_BACKUP);
	assert_int_equal(all->items[0].metric_add, 0);
	assert_string_equal(all->items[1].match, "wwan*");
	assert_int_equal(all->items[1].manage, MANAGE_AUTO);
	assert_true(all->items[1].has_model);
	assert_int_equal(all->items[1].model, HOST_MODEL_WEAK);
	assert_int_equal(all->items[1].metric_add, 500);
	assert_int_equal(all->items[2].manage, MANAGE_ALWAYS);
	config_done(&config);
}

static void routes_are_read(void **state)
{
	static const struct {
		const char *entry;
		const char *route;
		const char *why;
	} cases[] = {
		{"to = \"default\"; via = \"10.2.0.1\"; metric = 200;",
		 "0.0.0.0/0 via 10.2.0.1 dev eth1 metric 200",
		 "default is IPv4 as via is"},
		{"to = \"default\"; via = \"fe80::1\";",
		 "::/0 via fe80::1 dev eth1 metric 0",
		 "default is IPv6 as via is"},
		{"via = \"10.2.0.1\"; to = \"default\";",
		 "0.0.0.0/0 via 10.2.0.1 dev eth1 metric 0", "in any order"},
		{"to = \"0.0.0.0/0\"; via = \"fe80::1\";",
		 "0.0.0.0/0 via fe80::1 dev eth1 metric 0",
		 "IPv4 through an IPv6 router"},
		{"to = \"192.0.2.0/24\";",
		 "192.0.2.0/24 via none dev eth1 metric 0",
		 "on the link itself"},
		{"to = \"2001:db8::/32\"; metric = 4294967295;",
		 "2001:db8::/32 via none dev eth1 metric 4294967295",
		 "the highest metric"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct config config;
		const struct policy_route *route;
		char to[IP_TEXT_MAX];
		char via[IP_TEXT_MAX];
		char text[256];

		(void)snprintf(text, sizeof(text),
			       "routes = ( { %s dev = \"eth1\"; } );",
			       cases[i].entry);
		load(text, &config);
		assert_int_equal(config.policy.routes.n, 1);
		route = &config.policy.routes.items[0];
		(void)snprintf(text, sizeof(text), "%s via %s dev %s metric %u",
			       ip_prefix_format(&route->to, to),
			       ip_addr_format(&route->via, via), route->dev,
			       route->metric);
		if (strcmp(text, cases[i].route) != 0)
			fail_msg("%s is read as %s (%s)", cases[i].entry, text,
				 cases[i].why);
		config_done(&config);
	}
}

static void bindings_become_one_per_prefix(void **state)
{
	const struct policy_binding *all;
	struct config config;

	(void)state;
	load("bindings = (\n"
	     "  { router = \"fe80::1\"; dev = \"eth0\";\n"
	     "    prefixes = ( \"2001:db8:1::/48\", \"192.0.2.0/24\" ); },\n"
	     "  { dev = \"gre2\"; prefixes = [ \"198.51.100.0/24\" ]; },\n"
	     "  { prefixes = ( \"::/0\" ); router = \"2001:db8::1\"; } );\n",
	     &config);
	all = config.policy.bindings.items;
	assert_int_equal(config.policy.bindings.n, 4);
	assert_addr(&all[0].router, "fe80::1");
	assert_string_equal(all[0].dev, "eth0");
	assert_prefix(&all[0].prefix, "2001:db8:1::/48");
	assert_addr(&all[1].router, "fe80::1");
	assert_string_equal(all[1].dev, "eth0");
	assert_prefix(&all[1].prefix, "192.0.2.0/24");
	assert_false(ip_addr_is_set(&all[2].router));
	assert_string_equal(all[2].dev, "gre2");
	assert_prefix(&all[2].prefix, "198.51.100.0/24");
	assert_addr(&all[3].router, "2001:db8::1");
	assert_string_equal(all[3].dev, "");
	assert_prefix(&all[3].prefix, "::/0");
	config_done(&config);
}

static void numbers_have_many_forms(void **state)
{
	static const struct {
		const char *number;
		uint32_t value;
		const char *why;
	} cases[] = {
		{"0", 0, "lowest"},
		{"+7", 7, "a sign"},
		{"2147483647", 2147483647, "all that fits an int"},
		{"2147483648", 2147483648, "libconfig 1.5 makes it negative"},
		{"4294967295", 4294967295, "the same"},
		{"4294967295L", 4294967295, "said to be long"},
		{"4294967295LL", 4294967295, "twice"},
		{"0xff", 255, "hexadecimal"},
		{"0xFFFFFFFF", 4294967295, "libconfig makes it negative"},
		{"0x00000000ffffffff", 4294967295, "zeros do not count"},
		{"0xffL", 255, "hexadecimal and long"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		struct config config;
		char text[128];

		(void)snprintf(text, sizeof(text),
			       "interfaces = ( { match = \"a\"; "
			       "metric_add = %s; } );",
			       cases[i].number);
		load(text, &config);
		if (config.policy.interfaces.items[0].metric_add !=
		    cases[i].value)
			fail_msg("%s gives %u (%s)", cases[i].number,
				 config.policy.interfaces.items[0].metric_add,
				 cases[i].why);
		config_done(&config);
	}
}

/* --- files --- */

static void without_a_file_the_defaults_count(void **state)
{
	struct config_error_vec errors = {0};
	struct config config;
	struct stat status;

	(void)state;
	if (stat(CONFIG_PATH_DEFAULT, &status) == 0)
		skip(); /* this machine has a config of its own */
	assert_int_equal(config_load(NULL, &config, &errors), 0);
	assert_int_equal(errors.n, 0);
	assert_defaults(&config);
	config_done(&config);
}

static void large_files_are_read(void **state)
{
	enum {
		ROUTES = 20000,
		LINE = 64
	};
	char *text = calloc(ROUTES + 2, LINE);
	struct config config;
	size_t n;
	int i;

	(void)state;
	assert_non_null(text);
	n = (size_t)snprintf(text, LINE, "routes = (\n");
	for (i = 0; i < ROUTES; i++)
		n += (size_t)snprintf(text + n, LINE,
				      "%s{ to = \"10.%d.%d.0/24\"; "
				      "dev = \"eth0\"; }\n",
				      i ? ", " : "", i / 256, i % 256);
	(void)snprintf(text + n, LINE, ");");
	load(text, &config);
	assert_int_equal(config.policy.routes.n, ROUTES);
	config_done(&config);
	free(text);
}

/* --- the file that is installed --- */

/*
 * Lines of conf/multihomed.conf that begin with @mark, without it, and as many
 * other lines as empty ones.
 */
static void marked_lines(const char *mark, char *ret, size_t size)
{
	FILE *file = fopen("conf/multihomed.conf", "re");
	size_t len = strlen(mark);
	size_t n = 0;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		bool is_marked = strncmp(line, mark, len) == 0 &&
				 (len > 1 || !strchr(" \n", line[len]));
		const char *text = is_marked ? line + len : "\n";

		assert_true(strlen(line) <= 81 && n + sizeof(line) < size);
		n += (size_t)snprintf(ret + n, size - n, "%s", text);
	}
	(void)fclose(file);
}

static void installed_file_changes_nothing(void **state)
{
	struct config_error_vec errors = {0};
	struct config config;

	(void)state;
	assert_int_equal(config_load("conf/multihomed.conf", &config, &errors),
			 0);
	assert_defaults(&config);
	assert_false(config.group_is_set);
	config_done(&config);
}

static void installed_file_shows_each_default(void **state)
{
	static const char *const keys[] = {
		"\nmodel = ",
		"\ntables = ",
		"\nrule_priority = ",
		"\nprotocol = ",
		"\nsettle_ms = ",
		"\nvpn = ",
		"\nignore_linkdown ",
		"\ninterfaces = ",
		"\nroutes = ",
		"\nbindings = ",
		"\ncontrol = ",
		"\nlog_level = ",
		"\nmptcp = ",
		"subflows = ",
		"announce = ",
		"\npinning = ",
		"scope = ",
		"hold_ms = ",
		"first = ",
		"last = ",
		"socket = ",
		"group = ",
		"reject_incongruent = ",
	};
	static char text[16384];
	struct config config;
	size_t i;

	(void)state;
	marked_lines("#", text, sizeof(text));
	for (i = 0; i < COUNT(keys); i++) {
		if (!strstr(text, keys[i]))
			fail_msg("no default is shown for '%s'", keys[i]);
	}
	load(text, &config);
	assert_defaults(&config);
	config_done(&config);
}

static void installed_file_has_good_examples(void **state)
{
	static char text[16384];
	struct config config;

	(void)state;
	marked_lines("#     ", text, sizeof(text));
	load(text, &config);
	assert_int_equal(config.policy.interfaces.n, 2);
	assert_int_equal(config.policy.routes.n, 2);
	assert_int_equal(config.policy.bindings.n, 3);
	config_done(&config);
}

/* --- names that are near --- */

static void distance_counts_edits(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		unsigned int edits;
		const char *why;
	} cases[] = {
		{"", "", 0, "nothing"},
		{"", "via", 3, "three inserted"},
		{"model", "model", 0, "the same"},
		{"Model", "mODEL", 0, "case does not count"},
		{"modle", "model", 1, "neighbours swapped"},
		{"mode", "model", 1, "one is missing"},
		{"moddel", "model", 1, "one too many"},
		{"modal", "model", 1, "one replaced"},
		{"kitten", "sitting", 3, "two replaced, one inserted"},
		{"settle-ms", "settle_ms", 1, "the wrong dash"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		if (config_distance(cases[i].a, cases[i].b) != cases[i].edits ||
		    config_distance(cases[i].b, cases[i].a) != cases[i].edits)
			fail_msg("%s to %s is %u (%s)", cases[i].a, cases[i].b,
				 config_distance(cases[i].a, cases[i].b),
				 cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_means_the_defaults),
		cmocka_unit_test(single_settings_are_read),
		cmocka_unit_test(interfaces_keep_their_order),
		cmocka_unit_test(routes_are_read),
		cmocka_unit_test(bindings_become_one_per_prefix),
		cmocka_unit_test(numbers_have_many_forms),
		cmocka_unit_test(without_a_file_the_defaults_count),
		cmocka_unit_test(large_files_are_read),
		cmocka_unit_test(installed_file_changes_nothing),
		cmocka_unit_test(installed_file_shows_each_default),
		cmocka_unit_test(installed_file_has_good_examples),
		cmocka_unit_test(distance_counts_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
