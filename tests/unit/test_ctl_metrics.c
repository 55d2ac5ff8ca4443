/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The metrics in the two text formats, from the JSON of a reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "render/metrics.h"

/* The page for that JSON; free with free(). */
static char *page_of(const char *json, render_fn *render)
{
	struct json_object *reply = json_tokener_parse(json);
	struct text text = {0};
	char *page = NULL;
	size_t len = 0;

	text.out = open_memstream(&page, &len);
	assert_non_null(text.out);
	render(&text, reply, NULL);
	assert_int_equal(fclose(text.out), 0);
	json_object_put(reply);
	return page;
}

static void assert_page(const char *json, render_fn *render, const char *want)
{
	char *page = page_of(json, render);

	assert_string_equal(page, want);
	free(page);
}

static const char all_types[] =
	"{\"metrics\":["
	"{\"name\":\"m_ops\",\"type\":\"counter\",\"unit\":\"\","
	"\"help\":\"Ops, by kind.\",\"samples\":["
	"{\"suffix\":\"_total\",\"labels\":{\"kind\":\"add\"},\"value\":7},"
	"{\"suffix\":\"_total\",\"labels\":{\"kind\":\"del\"},\"value\":0},"
	"{\"suffix\":\"_created\",\"labels\":{},\"value\":1.5}]},"
	"{\"name\":\"m_age_seconds\",\"type\":\"gauge\",\"unit\":\"seconds\","
	"\"help\":\"Age.\",\"samples\":["
	"{\"suffix\":\"\",\"labels\":{},\"value\":0.25}]},"
	"{\"name\":\"m_build\",\"type\":\"info\",\"unit\":\"\","
	"\"help\":\"What it is.\",\"samples\":["
	"{\"suffix\":\"_info\",\"labels\":{\"version\":\"0.1\"},"
	"\"value\":1}]},"
	"{\"name\":\"m_wait_seconds\",\"type\":\"histogram\","
	"\"unit\":\"seconds\",\"help\":\"Wait.\",\"samples\":["
	"{\"suffix\":\"_bucket\",\"labels\":{\"le\":\"0.5\"},\"value\":3},"
	"{\"suffix\":\"_bucket\",\"labels\":{\"le\":\"+Inf\"},\"value\":4},"
	"{\"suffix\":\"_count\",\"labels\":{},\"value\":4},"
	"{\"suffix\":\"_sum\",\"labels\":{},\"value\":0.1}]}]}";

static void openmetrics_has_all_types(void **state)
{
	(void)state;
	assert_page(all_types, render_metrics,
		    "# TYPE m_ops counter\n"
		    "# HELP m_ops Ops, by kind.\n"
		    "m_ops_total{kind=\"add\"} 7\n"
		    "m_ops_total{kind=\"del\"} 0\n"
		    "m_ops_created 1.5\n"
		    "# TYPE m_age_seconds gauge\n"
		    "# UNIT m_age_seconds seconds\n"
		    "# HELP m_age_seconds Age.\n"
		    "m_age_seconds 0.25\n"
		    "# TYPE m_build info\n"
		    "# HELP m_build What it is.\n"
		    "m_build_info{version=\"0.1\"} 1\n"
		    "# TYPE m_wait_seconds histogram\n"
		    "# UNIT m_wait_seconds seconds\n"
		    "# HELP m_wait_seconds Wait.\n"
		    "m_wait_seconds_bucket{le=\"0.5\"} 3\n"
		    "m_wait_seconds_bucket{le=\"+Inf\"} 4\n"
		    "m_wait_seconds_count 4\n"
		    "m_wait_seconds_sum 0.1\n"
		    "# EOF\n");
}

static void the_older_format_has_what_it_knows(void **state)
{
	(void)state;
	assert_page(all_types, render_metrics_prometheus,
		    "# TYPE m_ops_total counter\n"
		    "# HELP m_ops_total Ops, by kind.\n"
		    "m_ops_total{kind=\"add\"} 7\n"
		    "m_ops_total{kind=\"del\"} 0\n"
		    "# TYPE m_age_seconds gauge\n"
		    "# HELP m_age_seconds Age.\n"
		    "m_age_seconds 0.25\n"
		    "# TYPE m_build_info gauge\n"
		    "# HELP m_build_info What it is.\n"
		    "m_build_info{version=\"0.1\"} 1\n"
		    "# TYPE m_wait_seconds histogram\n"
		    "# HELP m_wait_seconds Wait.\n"
		    "m_wait_seconds_bucket{le=\"0.5\"} 3\n"
		    "m_wait_seconds_bucket{le=\"+Inf\"} 4\n"
		    "m_wait_seconds_count 4\n"
		    "m_wait_seconds_sum 0.1\n");
}

/* A gauge with one sample of that value and label, all of them text. */
static void assert_sample(const char *label, const char *value,
			  const char *want, const char *why)
{
	char json[256];
	char *page;

	(void)snprintf(json, sizeof(json),
		       "{\"metrics\":[{\"name\":\"m\",\"type\":\"gauge\","
		       "\"samples\":[{\"labels\":{%s},\"value\":%s}]}]}",
		       label, value);
	page = page_of(json, render_metrics);
	if (!strstr(page, want))
		fail_msg("%s: no '%s' in\n%s", why, want, page);
	free(page);
}

static void values_and_labels_are_written_exactly(void **state)
{
	static const struct {
		const char *label;
		const char *value;
		const char *want;
		const char *why;
	} cases[] = {
		{"", "0.1", "m 0.1\n", "no needless digits"},
		{"", "0.30000000000000004", "m 0.30000000000000004\n",
		 "none lost"},
		{"", "123456789012", "m 123456789012\n", "a large count"},
		{"", "-5", "m -5\n", "below zero"},
		{"", "1e-7", "m 1e-07\n", "a small one"},
		{"", "\"x\"", "m NaN\n", "no number"},
		{"", "NaN", "m NaN\n", "not a number"},
		{"", "-Infinity", "m -Inf\n", "no bounds"},
		{"\"a\":\"x\",\"b\":\"y\"", "1", "m{a=\"x\",b=\"y\"} 1\n",
		 "two labels"},
		{"\"a\":\"\"", "1", "m{a=\"\"} 1\n", "an empty one"},
		{"\"a\":\"\\\"\\\\\\n\"", "1", "m{a=\"\\\"\\\\\\n\"} 1\n",
		 "escapes"},
		{"\"a\":\"\\u001b[2J\\r\"", "1", "m{a=\"?[2J?\"} 1\n",
		 "control characters"},
		{"\"a\":\"\\u00e9\"", "1", "m{a=\"\xc3\xa9\"} 1\n", "UTF-8"},
		{"\"9a-b:c\":\"x\"", "1", "m{_a_b_c=\"x\"} 1\n", "a bad name"},
		{"\"a\":null", "1", "m{a=\"\"} 1\n", "no value"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_sample(cases[i].label, cases[i].value, cases[i].want,
			      cases[i].why);
}

static void help_is_escaped_as_each_format_asks(void **state)
{
	static const char json[] = "{\"metrics\":[{\"name\":\"m\","
				   "\"type\":\"gauge\",\"unit\":\"\","
				   "\"help\":\"a \\\"b\\\" \\\\ \\n c\"}]}";

	(void)state;
	assert_page(json, render_metrics,
		    "# TYPE m gauge\n"
		    "# HELP m a \\\"b\\\" \\\\ \\n c\n"
		    "# EOF\n");
	assert_page(json, render_metrics_prometheus,
		    "# TYPE m gauge\n"
		    "# HELP m a \"b\" \\\\ \\n c\n");
}

static void odd_replies_stay_in_form(void **state)
{
	static const struct {
		const char *json;
		const char *want;
		const char *why;
	} cases[] = {
		{"null", "# EOF\n", "nothing"},
		{"{\"metrics\":7}", "# EOF\n", "no list"},
		{"{\"metrics\":[7,null,{}]}", "# EOF\n", "no families"},
		{"{\"metrics\":[{\"name\":\"m x\",\"type\":\"blob\"}]}",
		 "# TYPE m_x unknown\n# HELP m_x \n# EOF\n", "bad words"},
		{"{\"metrics\":[{\"name\":\"m\",\"type\":\"gauge\","
		 "\"unit\":\"seconds\"}]}",
		 "# TYPE m gauge\n# HELP m \n# EOF\n",
		 "a unit that is not in the name"},
	};
	char *page;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		page = page_of(cases[i].json, render_metrics);
		if (strcmp(page, cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].why, page);
		free(page);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openmetrics_has_all_types),
		cmocka_unit_test(the_older_format_has_what_it_knows),
		cmocka_unit_test(values_and_labels_are_written_exactly),
		cmocka_unit_test(help_is_escaped_as_each_format_asks),
		cmocka_unit_test(odd_replies_stay_in_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
