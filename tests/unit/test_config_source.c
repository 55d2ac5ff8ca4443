/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The config as a text: syntax, files and lines. */
#include "tests/unit/config_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void syntax_is_checked(void **state)
{
	static const struct config_bad cases[] = {
		{"model = weak;", 1, "a text needs quotes: \"weak\"", "a word"},
		{"settle_ms = 5;\nvia = 10.2.0.1;", 2,
		 "a text needs quotes: \"10.2.0.1\"", "an address"},
		{"model = \"weak;\nvpn = \"yield\";\n", 1,
		 "a string is not closed on its line", "a quote is missing"},
		{"model = \"weak\\\";\n", 1, "not closed",
		 "the quote is escaped"},
		{"model = \"weak\\\\\" \"x\";\n", 1, "unexpected string \"x\"",
		 "the backslash is escaped, not the quote"},
		{"log_level \"info\";", 1, "unexpected string \"info\"",
		 "no equals sign"},
		{"/* model = \"weak\";\n", 1, "a comment is never closed",
		 "to the end"},
		{"tables = {\n first = 300;\n", 1,
		 "a bracket is never closed: expected '}'",
		 "line of the start"},
		{"routes = ( { to = \"::/0\" );", 1, "expected '}', not ')'",
		 "crossed"},
		{"model = \"weak\"; };", 1, "'}' closes nothing",
		 "one too many"},
		{"model = \"weak\";\nmodel = \"weak\";", 2,
		 "model: set twice, first on line 1", "the same value, even"},
		{"tables = { first = 300;\nfirst = 300; };", 2,
		 "tables.first: set twice, first on line 1", "in a group"},
		{"interfaces = ( { match = \"a\"; },\n"
		 "{ match = \"b\"; match = \"b\"; } );",
		 2, "interfaces[1].match: set twice, first on line 2",
		 "in a list"},
		{"settle_ms = = 5; \t\n", 1,
		 "syntax error here or just before: settle_ms = = 5;",
		 "libconfig's own words"},
		{"settle_ms = 5\t\x1b;", 1, "before: settle_ms = 5\t?;",
		 "what one does not see"},
		{"settle/* nothing */_ms = 5;", 1, "syntax error",
		 "a comment parts words"},
		{"settle_ms =", 1, "syntax error at the end", "no value"},
		{"\nsettle_ms =\n \n\n# nothing\n", 2,
		 "syntax error at the end", "no value in the last line"},
		{"settle_ms = 5 %", 1, "syntax error", "a stray character"},
		{"routes = [ 1, true ];", 1, "mismatched element type in array",
		 "libconfig's own words"},
		{"@include nothing", 1, "expected a line @include \"FILE\"",
		 "no quotes"},
		{"@include \"nothing", 1, "expected a line @include",
		 "not closed"},
		{"@included \"a\"", 1, "expected a line @include", "no blank"},
		{"settle_ms = 5; @include \"a\"", 1, "expected a line @include",
		 "not first on its line"},
		{"a = ((((((((((((((((( 1 )))))))))))))))));", 1,
		 "nested more than 16 deep", "17 deep"},
	};

	(void)state;
	config_bad_check(cases, COUNT(cases));
}

static void errors_stand_in_the_order_of_lines(void **state)
{
	struct config_error_vec errors = {0};
	struct config config;

	(void)state;
	assert_int_equal(config_text_load("tables = {\nfirst = many;\n",
					  &config, &errors),
			 -EINVAL);
	assert_int_equal(errors.n, 2);
	assert_int_equal(errors.items[0].line, 1); /* seen at the end only */
	assert_int_equal(errors.items[1].line, 2);
	vec_done(&errors);
}

static void includes_are_relative_to_their_file(void **state)
{
	struct config_error_vec errors = {0};
	struct config config;
	char dir[CONFIG_DIR_MAX];
	char text[128];

	(void)state;
	config_dir_make(dir);
	config_dir_write(dir, "main",
			 "model = \"strong\";\n"
			 " @include \"lists\" settle_ms = 3;\n"
			 "# @include \"missing\"\n"
			 "/*\n@include \"missing\"\n*/\n"
			 "control = {\n@include \"control\"\n};");
	config_dir_write(dir, "lists",
			 "interfaces = ( { match = \"a\"; }\n"
			 "@include\t\"more\"\n);\n");
	config_dir_write(dir, "more", ", { match = \"b\"; }");
	(void)snprintf(text, sizeof(text), "@include \"%s/deep\"", dir);
	config_dir_write(dir, "control", text);
	config_dir_write(dir, "deep", "group = \"adm\"");
	assert_int_equal(config_dir_load(dir, "main", &config, &errors), 0);
	assert_int_equal(config.policy.model, HOST_MODEL_STRONG);
	assert_int_equal(config.policy.interfaces.n, 2);
	assert_int_equal(config.policy.settle_ms, 3);
	assert_string_equal(config.group, "adm");
	config_done(&config);
	config_dir_remove(dir);
}

static void a_byte_order_mark_is_not_seen(void **state)
{
	struct config_error_vec errors = {0};
	struct config config;
	char dir[CONFIG_DIR_MAX];

	(void)state;
	config_dir_make(dir);
	config_dir_write(dir, "main", "\xef\xbb\xbf@include \"part\"\n");
	config_dir_write(dir, "part", "\xef\xbb\xbfmodel = \"strong\";");
	config_dir_write(dir, "mark", "\xef\xbb\xbf");
	assert_int_equal(config_dir_load(dir, "main", &config, &errors), 0);
	assert_int_equal(config.policy.model, HOST_MODEL_STRONG);
	config_done(&config);
	assert_int_equal(config_dir_load(dir, "mark", &config, &errors), 0);
	config_done(&config);
	config_dir_remove(dir);
}

static void settings_in_two_files_are_set_twice(void **state)
{
	struct config_error_vec errors = {0};
	struct config config;
	char dir[CONFIG_DIR_MAX];
	char message[128];

	(void)state;
	config_dir_make(dir);
	config_dir_write(dir, "main", "@include \"part\"\nvpn = \"yield\";");
	config_dir_write(dir, "part", "\n\nvpn = \"yield\";");
	assert_int_equal(config_dir_load(dir, "main", &config, &errors),
			 -EINVAL);
	assert_int_equal(errors.n, 1);
	assert_int_equal(errors.items[0].line, 2);
	(void)snprintf(message, sizeof(message),
		       "vpn: set twice, first in %s/part:3", dir);
	assert_string_equal(errors.items[0].message, message);
	vec_done(&errors);
	config_dir_remove(dir);
}

static void a_second_setting_hides_no_other_error(void **state)
{
	static const struct {
		unsigned int line;
		const char *message;
	} expected[] = {
		{2, "model: set twice, first on line 1"},
		{3, "model: set twice, first on line 1"},
		{3, "model: expected \"weak\" or \"strong\", not \"x\""},
		{4, "modell: unknown key: did you mean model?"},
		{5, "settle_ms: expected 0 to 60000, not 70000"},
	};
	struct config_error_vec errors = {0};
	struct config config;

	(void)state;
	assert_int_equal(config_text_load("model = \"weak\";\n"
					  "model = \"strong\";\n"
					  "model = \"x\";\n"
					  "modell = 5;\n"
					  "settle_ms = 70000;\n",
					  &config, &errors),
			 -EINVAL);
	assert_int_equal(errors.n, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_int_equal(errors.items[i].line, expected[i].line);
		assert_string_equal(errors.items[i].message,
				    expected[i].message);
	}
	vec_clear(&errors);
	assert_int_equal(config_text_load("a = ( ( 1, 2 ), ( ( 3 ), { b = { "
					  "c = 1; c = 2; }; } ) );",
					  &config, &errors),
			 -EINVAL);
	assert_string_equal(errors.items[0].message,
			    "a[1][1].b.c: set twice, first on line 1");
	vec_clear(&errors);
	assert_int_equal(config_text_load("*1*model = 5;", &config, &errors),
			 -EINVAL);
	assert_string_equal(errors.items[0].message, "*1*model: unknown key");
	vec_done(&errors);
}

/* In a time that does not grow with their square. */
static void settings_without_end_are_no_burden(void **state)
{
	static const char line[] = "a=1\n";
	const size_t n = 1u << 19;
	struct config_error_vec errors = {0};
	char *text = malloc(n * 4 + 1);
	struct config config;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		memcpy(text + i * 4, line, sizeof(line));
	assert_int_equal(config_text_load(text, &config, &errors), -EINVAL);
	assert_int_equal(errors.n, CONFIG_ERRORS_MAX + 1);
	vec_done(&errors);
	free(text);
}

static void groups_and_names_have_limits(void **state)
{
	struct config_error_vec errors = {0};
	struct config config;
	char text[8192] = "";
	size_t n = 0;
	size_t i;

	(void)state;
	for (i = 1; i <= 300; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "a%zu = 1\n",
				      i);
	assert_int_equal(config_text_load(text, &config, &errors), -EINVAL);
	assert_int_equal(errors.n, 1);
	assert_int_equal(errors.items[0].line, 257);
	assert_non_null(strstr(errors.items[0].message, "more than 256"));

	(void)snprintf(text, sizeof(text), "\n@include \"%0300d\"", 0);
	vec_clear(&errors);
	assert_int_equal(config_text_load(text, &config, &errors), -EINVAL);
	assert_int_equal(errors.n, 1);
	assert_int_equal(errors.items[0].line, 2);
	assert_non_null(strstr(errors.items[0].message, "longer than 255"));
	vec_done(&errors);
}

static void errors_name_the_included_file(void **state)
{
	static const struct {
		const char *file;
		unsigned int line;
		const char *part;
	} expected[] = {
		{"part", 3, "settle_ms: "}, {"deep", 1, "protocol: "},
		{"part", 5, "vpn: "},	    {"main", 4, "log_level: "},
		{"main", 6, "model: "},
	};
	struct config_error_vec errors = {0};
	struct config config;
	char dir[CONFIG_DIR_MAX];
	char path[128];
	size_t i;

	(void)state;
	config_dir_make(dir);
	config_dir_write(dir, "main",
			 "/* two\nlines */\n\n@include \"part\" "
			 "log_level = 1;\n/*\n*/model = 1;");
	config_dir_write(
		dir, "part",
		"\n// one\nsettle_ms = -1;\n@include \"deep\"\nvpn = 1;");
	config_dir_write(dir, "deep", "protocol = 1;");
	assert_int_equal(config_dir_load(dir, "main", &config, &errors),
			 -EINVAL);
	assert_int_equal(errors.n, COUNT(expected));
	for (i = 0; i < COUNT(expected); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir,
			       expected[i].file);
		assert_string_equal(errors.items[i].file, path);
		assert_int_equal(errors.items[i].line, expected[i].line);
		assert_non_null(
			strstr(errors.items[i].message, expected[i].part));
	}
	vec_done(&errors);
	config_dir_remove(dir);
}

/* Files that cannot be read, for some reason or other. */
static void make_bad_files(const char *dir)
{
	enum {
		LARGE = (4 << 20) + 1,
		HALF = 3 << 20
	};
	char *comment = malloc(LARGE);
	char pipe[128];

	assert_non_null(comment);
	memset(comment, '#', LARGE);
	config_dir_write_bytes(dir, "large", comment, LARGE);
	config_dir_write_bytes(dir, "half", comment, HALF);
	config_dir_write_bytes(dir, "nul", "# \0\n", 4);
	free(comment);
	(void)snprintf(pipe, sizeof(pipe), "%s/pipe", dir);
	assert_int_equal(mkfifo(pipe, 0600), 0);
}

static void unreadable_files_are_errors(void **state)
{
	static const struct {
		const char *text; /* NULL: the path itself is loaded */
		const char *path;
		unsigned int line;
		const char *part;
		const char *why;
	} cases[] = {
		{NULL, "missing", 0, "No such file", "no default path"},
		{NULL, ".", 0, "Is a directory", "a folder"},
		{NULL, "pipe", 0, "not a regular file", "would wait for ever"},
		{"\n@include \"missing\"", "main", 2, "No such file",
		 "an include must exist"},
		{"@include \".\"", "main", 1, "Is a directory",
		 "libconfig 1.5 ends the process here"},
		{"@include \"pipe\"", "main", 1, "not a regular file",
		 "would wait for ever"},
		{NULL, "nul", 0, "a NUL byte", "not a text"},
		{NULL, "large", 0, "larger than 4 MiB", "too large"},
		{"@include \"half\"\n@include \"half\"", "main", 2,
		 "larger than 4 MiB", "too large together"},
		{"@include \"main\"", "main", 1, "more than", "itself"},
		{"@include \"main\"\n@include \"main\"", "main", 1, "more than",
		 "itself twice"},
	};
	struct config_error_vec errors = {0};
	struct config config;
	char dir[CONFIG_DIR_MAX];
	size_t i;

	(void)state;
	config_dir_make(dir);
	make_bad_files(dir);
	for (i = 0; i < COUNT(cases); i++) {
		vec_clear(&errors);
		if (cases[i].text)
			config_dir_write(dir, "main", cases[i].text);
		assert_int_equal(
			config_dir_load(dir, cases[i].path, &config, &errors),
			-EINVAL);
		if (errors.n != 1 || errors.items[0].line != cases[i].line ||
		    strncmp(errors.items[0].file, dir, strlen(dir)) != 0 ||
		    !strstr(errors.items[0].message, cases[i].part))
			fail_msg("%s: %zu errors, %s:%u: %s", cases[i].why,
				 errors.n, errors.items[0].file,
				 errors.items[0].line, errors.items[0].message);
	}
	vec_done(&errors);
	config_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syntax_is_checked),
		cmocka_unit_test(errors_stand_in_the_order_of_lines),
		cmocka_unit_test(includes_are_relative_to_their_file),
		cmocka_unit_test(a_byte_order_mark_is_not_seen),
		cmocka_unit_test(settings_in_two_files_are_set_twice),
		cmocka_unit_test(a_second_setting_hides_no_other_error),
		cmocka_unit_test(settings_without_end_are_no_burden),
		cmocka_unit_test(groups_and_names_have_limits),
		cmocka_unit_test(errors_name_the_included_file),
		cmocka_unit_test(unreadable_files_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
