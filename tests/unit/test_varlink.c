/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of the control socket, from any cut of the stream and from people
 * who wish us ill; and the interface text against its tables.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/field.h"
#include "control/interface.h"
#include "control/varlink.h"

/* Text with its NUL, as the peer would send it. */
static void feed(struct varlink_reader *reader, const char *text)
{
	assert_int_equal(varlink_reader_feed(reader, text, strlen(text) + 1),
			 0);
}

/* Parse one message that must be fine JSON. */
static struct json_object *message_of(const char *text)
{
	struct varlink_reader reader;
	struct json_object *message = NULL;

	varlink_reader_init(&reader, VARLINK_MESSAGE_MAX);
	feed(&reader, text);
	assert_int_equal(varlink_reader_next(&reader, &message), 0);
	varlink_reader_done(&reader);
	return message;
}

static void assert_method(struct json_object *message, const char *method)
{
	assert_string_equal(field_text(message, "method", ""), method);
	json_object_put(message);
}

static void reader_joins_bytes_that_come_one_by_one(void **state)
{
	static const char text[] = "{\"method\":\"a.B\"}";
	struct varlink_reader reader;
	struct json_object *message = NULL;
	size_t i;

	(void)state;
	varlink_reader_init(&reader, 1024);
	for (i = 0; i < sizeof(text); i++) {
		assert_int_equal(varlink_reader_next(&reader, &message),
				 -EAGAIN);
		assert_int_equal(varlink_reader_feed(&reader, text + i, 1), 0);
		assert_true(varlink_reader_pending(&reader));
	}
	assert_int_equal(varlink_reader_next(&reader, &message), 0);
	assert_method(message, "a.B");
	assert_false(varlink_reader_pending(&reader));
	assert_null(reader.data);
}

static void reader_splits_what_came_in_one_read(void **state)
{
	static const char text[] =
		"{\"method\":\"a.A\"}\0{\"method\":\"a.B\"}\0{\"met";
	struct varlink_reader reader;
	struct json_object *message = NULL;

	(void)state;
	varlink_reader_init(&reader, 1024);
	assert_int_equal(varlink_reader_feed(&reader, text, sizeof(text) - 1),
			 0);
	assert_int_equal(varlink_reader_next(&reader, &message), 0);
	assert_method(message, "a.A");
	assert_int_equal(varlink_reader_next(&reader, &message), 0);
	assert_method(message, "a.B");
	assert_int_equal(varlink_reader_next(&reader, &message), -EAGAIN);
	feed(&reader, "hod\":\"a.C\"}\n");
	assert_int_equal(varlink_reader_next(&reader, &message), 0);
	assert_method(message, "a.C");
	varlink_reader_done(&reader);
	varlink_reader_done(&reader);
}

static void reader_never_holds_more_than_its_limit(void **state)
{
	struct varlink_reader reader;
	struct json_object *message = NULL;
	char junk[64];

	(void)state;
	memset(junk, 'x', sizeof(junk));
	varlink_reader_init(&reader, sizeof(junk));
	assert_int_equal(varlink_reader_feed(&reader, junk, 1), 0);
	assert_int_equal(varlink_reader_feed(&reader, junk, sizeof(junk)),
			 -ENOBUFS);
	assert_int_equal(varlink_reader_room(&reader), sizeof(junk) - 1);
	assert_int_equal(varlink_reader_feed(&reader, junk, sizeof(junk) - 1),
			 0);
	assert_int_equal(varlink_reader_room(&reader), 0);
	assert_true(reader.allocated <= sizeof(junk));
	assert_int_equal(varlink_reader_next(&reader, &message), -EMSGSIZE);
	varlink_reader_done(&reader);
}

/* The limit is a promise: a message of exactly that length passes. */
static void reader_takes_the_longest_message(void **state)
{
	struct varlink_reader reader;
	struct json_object *message = NULL;
	char text[64];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"method\":\"a.B\"}", strlen("{\"method\":\"a.B\"}"));
	text[sizeof(text) - 1] = '\0';
	varlink_reader_init(&reader, sizeof(text));
	feed(&reader, text);
	assert_int_equal(varlink_reader_next(&reader, &message), 0);
	assert_method(message, "a.B");
}

/* Take all that is there: append the results to @got. */
static size_t drain(struct varlink_reader *reader, int *got, size_t count)
{
	struct json_object *message;

	do {
		assert_true(count < 8);
		message = NULL;
		got[count] = varlink_reader_next(reader, &message);
		json_object_put(message);
	} while (got[count++] != -EAGAIN);
	return count - 1;
}

static void reader_survives_any_cut(void **state)
{
	static const char text[] = "{\"method\":\"a.A\"}\0{}\0[]\0"
				   "{\"method\":\"a.B\",\"parameters\":{}}";
	static const int want[] = {0, 0, -EBADMSG, 0};
	struct varlink_reader reader;
	size_t count;
	size_t first;
	int got[8];

	(void)state;
	for (first = 0; first <= sizeof(text); first++) {
		varlink_reader_init(&reader, sizeof(text));
		assert_int_equal(varlink_reader_feed(&reader, text, first), 0);
		count = drain(&reader, got, 0);
		assert_int_equal(varlink_reader_feed(&reader, text + first,
						     sizeof(text) - first),
				 0);
		count = drain(&reader, got, count);
		assert_int_equal(count, 4);
		assert_memory_equal(got, want, sizeof(want));
		varlink_reader_done(&reader);
	}
}

static void reader_rejects_nonsense(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{"", "nothing at all"},
		{" \n", "only white space"},
		{"hello", "no JSON"},
		{"null", "null is no object"},
		{"3", "a number is no object"},
		{"\"a.B\"", "a string is no object"},
		{"[{}]", "an array is no object"},
		{"{\"method\":\"a.B\"", "cut short"},
		{"{\"method\":\"a.B\"}}", "one brace too many"},
		{"{}{}", "two objects in one message"},
		{"{'method':'a.B'}", "single quotes"},
		{"{\"method\":\"a.B\",}", "trailing comma"},
		{"{\"method\":\"\xc3(\"}", "not UTF-8"},
		{"{\"method\":\"a.\xc0\xaf\"}", "an overlong form"},
		{"{\"method\":\"a.\xed\xa0\x80\"}", "a surrogate"},
		{"{\"method\":\"a.\xf4\x90\x80\x80\"}", "above U+10FFFF"},
		{"{/**/}", "comment"},
	};
	struct varlink_reader reader;
	struct json_object *message = NULL;
	size_t i;

	(void)state;
	varlink_reader_init(&reader, 1024);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		feed(&reader, cases[i].text);
		if (varlink_reader_next(&reader, &message) != -EBADMSG)
			fail_msg("accepted '%s' (%s)", cases[i].text,
				 cases[i].why);
	}
	feed(&reader, "{\"method\":\"a.B\"}");
	assert_int_equal(varlink_reader_next(&reader, &message), 0);
	assert_method(message, "a.B");
}

/* A message with @depth arrays in each other. */
static int read_nested(size_t depth)
{
	static char text[VARLINK_MESSAGE_MAX];
	struct varlink_reader reader;
	struct json_object *message = NULL;
	int err;

	memset(text, 0, sizeof(text));
	(void)snprintf(text, sizeof(text), "{\"a\":");
	memset(text + strlen(text), '[', depth);
	memset(text + strlen(text), ']', depth);
	text[strlen(text)] = '}';
	varlink_reader_init(&reader, sizeof(text));
	feed(&reader, text);
	err = varlink_reader_next(&reader, &message);
	json_object_put(message);
	varlink_reader_done(&reader);
	return err;
}

static void reader_limits_the_nesting(void **state)
{
	(void)state;
	assert_int_equal(read_nested(VARLINK_DEPTH_MAX - 2), 0);
	assert_int_equal(read_nested(VARLINK_DEPTH_MAX), -EBADMSG);
	assert_int_equal(read_nested(500000), -EBADMSG);
}

static void call_parses_to_what_was_built(void **state)
{
	struct json_object *parameters = json_object_new_object();
	struct varlink_call call = {"a.b.C", parameters, true, false};
	struct varlink_call parsed = {0};
	struct json_object *message;

	(void)state;
	json_object_object_add(parameters, "x", json_object_new_int(7));
	message = varlink_call_new(&call);
	assert_int_equal(varlink_call_parse(message, &parsed), 0);
	assert_string_equal(parsed.method, "a.b.C");
	assert_int_equal(field_int(parsed.parameters, "x", 0), 7);
	assert_true(parsed.more);
	assert_false(parsed.oneway);
	json_object_put(message);
	json_object_put(parameters);
}

static void call_rejects_what_is_no_call(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *why;
	} cases[] = {
		{"{}", -EPROTO, "no method"},
		{"{\"method\":null}", -EPROTO, "null method"},
		{"{\"method\":7}", -EPROTO, "method is a number"},
		{"{\"method\":\"Status\"}", -EPROTO, "no interface"},
		{"{\"method\":\".Status\"}", -EPROTO, "empty interface"},
		{"{\"method\":\"a.\"}", -EPROTO, "empty member"},
		{"{\"method\":\"a.B\\u0000c\"}", -EPROTO, "NUL in the name"},
		{"{\"method\":\"a.B\",\"parameters\":[]}", -EPROTO, "array"},
		{"{\"method\":\"a.B\",\"parameters\":\"x\"}", -EPROTO, "text"},
		{"{\"method\":\"a.B\",\"more\":1}", -EPROTO, "more is 1"},
		{"{\"method\":\"a.B\",\"oneway\":\"y\"}", -EPROTO, "a string"},
		{"{\"method\":\"a.B\",\"more\":true,\"oneway\":true}", -EPROTO,
		 "several answers and none"},
		{"{\"method\":\"a.B\",\"upgrade\":true}", -ENOTSUP, "upgrade"},
		{"{\"method\":\"a.B\",\"upgrade\":false}", 0, "no upgrade"},
		{"{\"method\":\"a.B\",\"parameters\":null}", 0, "null is none"},
		{"{\"method\":\"a.B\",\"more\":null}", 0, "null is false"},
	};
	struct varlink_call call = {0};
	struct json_object *message;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message = message_of(cases[i].text);
		if (varlink_call_parse(message, &call) != cases[i].err)
			fail_msg("'%s' (%s)", cases[i].text, cases[i].why);
		json_object_put(message);
	}
}

static void reply_parses_to_what_was_built(void **state)
{
	static const struct varlink_reply cases[] = {
		{.error = NULL, .continues = false},
		{.error = NULL, .continues = true},
		{.error = "a.b.Error", .continues = false},
	};
	struct varlink_reply parsed;
	struct json_object *message;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message = varlink_reply_new(&cases[i]);
		assert_int_equal(varlink_reply_parse(message, &parsed), 0);
		assert_int_equal(parsed.continues, cases[i].continues);
		assert_null(parsed.parameters);
		if (cases[i].error)
			assert_string_equal(parsed.error, cases[i].error);
		else
			assert_null(parsed.error);
		json_object_put(message);
	}
}

static void reply_rejects_what_is_no_reply(void **state)
{
	static const char *const cases[] = {
		"{\"error\":7}",
		"{\"error\":\"Bare\"}",
		"{\"parameters\":[]}",
		"{\"continues\":\"yes\"}",
		"{\"error\":\"a.B\",\"continues\":true}",
	};
	struct varlink_reply reply;
	struct json_object *message;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message = message_of(cases[i]);
		if (varlink_reply_parse(message, &reply) != -EPROTO)
			fail_msg("accepted '%s'", cases[i]);
		json_object_put(message);
	}
}

static void pack_makes_any_bytes_readable(void **state)
{
	static const struct {
		const char *text;
		const char *want;
		const char *why;
	} cases[] = {
		{"eth0", "eth0", "plain"},
		{"", "", "empty"},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
		 "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "2, 3 and 4 bytes"},
		{"\xff\xfe", "??", "no lead bytes"},
		{"a\x80z", "a?z", "a lone follower"},
		{"\xc3", "?", "cut at the end"},
		{"\xe2\x82", "??", "cut at the end of three"},
		{"\xc0\xaf", "??", "overlong slash"},
		{"\xed\xa0\x80", "???", "a surrogate"},
		{"\xf4\x90\x80\x80", "????", "above the last code point"},
		{"\x1b[2J\"\\", "\x1b[2J\"\\", "escaped by JSON"},
	};
	struct varlink_reader reader;
	struct json_object *message = NULL;
	char *bytes;
	size_t len;
	size_t i;

	(void)state;
	varlink_reader_init(&reader, 4096);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		message = json_object_new_object();
		json_object_object_add(message, "link",
				       json_object_new_string(cases[i].text));
		assert_int_equal(varlink_pack(message, &bytes, &len), 0);
		json_object_put(message);
		assert_int_equal(len, strlen(bytes) + 1);
		assert_int_equal(varlink_reader_feed(&reader, bytes, len), 0);
		free(bytes);
		assert_int_equal(varlink_reader_next(&reader, &message), 0);
		if (strcmp(field_text(message, "link", ""), cases[i].want) != 0)
			fail_msg("%s", cases[i].why);
		json_object_put(message);
	}
}

static void check_names_the_bad_parameter(void **state)
{
	static const struct varlink_param params[] = {
		{"name", json_type_string, false, 0, 0},
		{"ms", json_type_int, true, 0, 100},
		{NULL, json_type_null, false, 0, 0},
	};
	static const struct {
		const char *text;
		const char *bad;
	} cases[] = {
		{"{\"name\":\"x\"}", NULL},
		{"{\"name\":\"x\",\"ms\":null}", NULL},
		{"{\"name\":\"x\",\"ms\":0}", NULL},
		{"{\"name\":\"x\",\"ms\":100}", NULL},
		{"{}", "name"},
		{"{\"name\":null}", "name"},
		{"{\"name\":7}", "name"},
		{"{\"name\":\"x\\u0000y\"}", "name"},
		{"{\"name\":\"x\",\"ms\":-1}", "ms"},
		{"{\"name\":\"x\",\"ms\":101}", "ms"},
		{"{\"name\":\"x\",\"ms\":1e1}", "ms"},
		{"{\"name\":\"x\",\"ms\":99999999999999999999}", "ms"},
		{"{\"name\":\"x\",\"ms\":\"5\"}", "ms"},
		{"{\"name\":\"x\",\"timeout\":5}", "timeout"},
	};
	struct json_object *object;
	const char *bad;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		object = message_of(cases[i].text);
		bad = varlink_check(params, object);
		if (!bad != !cases[i].bad ||
		    (bad && strcmp(bad, cases[i].bad) != 0))
			fail_msg("'%s': %s", cases[i].text, bad ? bad : "fine");
		json_object_put(object);
	}
	assert_string_equal(varlink_check(params, NULL), "name");
	assert_null(varlink_check(params + 1, NULL));
}

static void fields_of_another_type_read_as_missing(void **state)
{
	struct json_object *object =
		message_of("{\"text\":\"x\",\"int\":7,\"double\":1.5,"
			   "\"bool\":true,\"array\":[1],\"null\":null}");

	(void)state;
	assert_string_equal(field_text(object, "text", "-"), "x");
	assert_string_equal(field_text(object, "int", "-"), "-");
	assert_null(field_text(object, "null", NULL));
	assert_int_equal(field_int(object, "int", 0), 7);
	assert_int_equal(field_int(object, "double", 3), 3);
	assert_true(field_double(object, "double", 0) > 1.4);
	assert_true(field_double(object, "int", 0) > 6.9);
	assert_true(field_bool(object, "bool", false));
	assert_true(field_bool(object, "int", true));
	assert_int_equal(field_count(object, "array"), 1);
	assert_non_null(field_at(object, "array", 0));
	assert_null(field_at(object, "array", 1));
	assert_int_equal(field_count(object, "text"), 0);
	assert_string_equal(field_text(NULL, "text", "-"), "-");
	json_object_put(object);
}

/* Does @text hold "@keyword @name(", whatever the white space? */
static bool describes(const char *text, const char *keyword, const char *name)
{
	char line[128];
	const char *found;

	(void)snprintf(line, sizeof(line), "\n%s %s", keyword, name);
	found = strstr(text, line);
	return found && (found[strlen(line)] == '(' ||
			 strncmp(found + strlen(line), " (", 2) == 0);
}

static size_t count_lines(const char *text, const char *keyword)
{
	size_t count = 0;

	while ((text = strstr(text, keyword))) {
		count++;
		text++;
	}
	return count;
}

/* The description of the interface that @name belongs to. */
static const char *text_of(const char *name)
{
	char interface[128];

	(void)snprintf(interface, sizeof(interface), "%.*s",
		       (int)(strrchr(name, '.') - name), name);
	return interface_description(interface);
}

static void tables_and_text_describe_the_same(void **state)
{
	const char *own = interface_description(INTERFACE_NAME);
	const char *service = interface_description(INTERFACE_SERVICE);
	const struct varlink_param *param;
	size_t methods = 0;
	size_t errors = 0;
	char field[64];

	(void)state;
	for (; interface_methods[methods].name; methods++) {
		const char *name = interface_methods[methods].name;
		const char *text = text_of(name);

		assert_ptr_equal(interface_method_find(name),
				 &interface_methods[methods]);
		assert_non_null(text);
		assert_true(describes(text, "method", strrchr(name, '.') + 1));
		for (param = interface_methods[methods].params; param->name;
		     param++) {
			(void)snprintf(field, sizeof(field),
				       "%s: ", param->name);
			assert_non_null(strstr(text, field));
		}
	}
	for (; interface_errors[errors].name; errors++) {
		const char *name = interface_errors[errors].name;

		assert_ptr_equal(interface_error_find(name),
				 &interface_errors[errors]);
		assert_non_null(text_of(name));
		assert_true(describes(text_of(name), "error",
				      strrchr(name, '.') + 1));
	}
	assert_int_equal(methods, count_lines(own, "\nmethod ") +
					  count_lines(service, "\nmethod "));
	assert_int_equal(errors, count_lines(own, "\nerror ") +
					 count_lines(service, "\nerror "));
	assert_null(interface_method_find("io.multihomed.Nothing"));
	assert_null(interface_error_find("io.multihomed.Nothing"));
	assert_null(interface_description("io.nobody"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reader_joins_bytes_that_come_one_by_one),
		cmocka_unit_test(reader_splits_what_came_in_one_read),
		cmocka_unit_test(reader_never_holds_more_than_its_limit),
		cmocka_unit_test(reader_takes_the_longest_message),
		cmocka_unit_test(reader_survives_any_cut),
		cmocka_unit_test(reader_rejects_nonsense),
		cmocka_unit_test(reader_limits_the_nesting),
		cmocka_unit_test(call_parses_to_what_was_built),
		cmocka_unit_test(call_rejects_what_is_no_call),
		cmocka_unit_test(reply_parses_to_what_was_built),
		cmocka_unit_test(reply_rejects_what_is_no_reply),
		cmocka_unit_test(pack_makes_any_bytes_readable),
		cmocka_unit_test(check_names_the_bad_parameter),
		cmocka_unit_test(fields_of_another_type_read_as_missing),
		cmocka_unit_test(tables_and_text_describe_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
