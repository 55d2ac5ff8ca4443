/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct json_object *parse(const char *json)
{
	struct json_object *reply = json_tokener_parse(json);

	if (!reply && strcmp(json, "null") != 0)
		fail_msg("no JSON: %s", json);
	return reply;
}

static char *draw(page_fn *render, struct json_object *reply, bool colour)
{
	struct text text = {.colour = colour};
	char *page = NULL;
	size_t len = 0;

	text.out = open_memstream(&page, &len);
	assert_non_null(text.out);
	render(&text, reply, NULL);
	assert_int_equal(fclose(text.out), 0);
	return page;
}

char *page_of(page_fn *render, const char *json, bool colour)
{
	struct json_object *reply = parse(json);
	char *page = draw(render, reply, colour);

	json_object_put(reply);
	return page;
}

char *page_of_stream(page_fn *render, const char *const *replies, size_t n)
{
	struct text text = {.colour = false};
	struct json_object *previous = NULL;
	struct json_object *reply;
	char *page = NULL;
	size_t len = 0;
	size_t i;

	text.out = open_memstream(&page, &len);
	assert_non_null(text.out);
	for (i = 0; i < n; i++) {
		reply = parse(replies[i]);
		render(&text, reply, previous);
		json_object_put(previous);
		previous = reply;
	}
	json_object_put(previous);
	assert_int_equal(fclose(text.out), 0);
	return page;
}

static void drop_colours(char *page)
{
	const char *from = page;
	char *to = page;

	while (*from != '\0') {
		if (*from == '\x1b')
			from += strcspn(from, "m") + 1;
		else
			*to++ = *from++;
	}
	*to = '\0';
}

void page_check_width(const char *page, const char *skip)
{
	char line[4096];
	size_t len;

	for (; *page != '\0'; page += len + (page[len] == '\n')) {
		len = strcspn(page, "\n");
		(void)snprintf(line, sizeof(line), "%.*s", (int)len, page);
		if (skip && strncmp(line, skip, strlen(skip)) == 0)
			continue;
		if (text_width(line) > TEXT_COLUMNS)
			fail_msg("%d columns: %s", text_width(line), line);
	}
}

void page_check(page_fn *render, const char *json, const char *page,
		const char *skip)
{
	char *plain = page_of(render, json, false);
	char *coloured = page_of(render, json, true);

	assert_string_equal(plain, page);
	assert_null(strstr(page, " \n"));
	page_check_width(page, skip);
	drop_colours(coloured);
	assert_string_equal(coloured, page);
	free(plain);
	free(coloured);
}

/* --- nonsense --- */

/* A name with an escape, a C1 control, half a character and much else. */
#define HOSTILE	  "\\u001b[2J\\u009b5m\\u007f\\n\\u202e\\u0007"
#define LONG_20	  "abcdefghij abcdefghi"
#define LONG_WORD "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"

static const char *const substitutes[] = {
	"null",
	"7",
	"-1",
	"9223372036854775807",
	"1e308",
	"-1e308",
	"true",
	"\"\"",
	"\" \"",
	"\"x\"",
	"[]",
	"[null]",
	"[7,\"x\",{},[]]",
	"{}",
	"\"" HOSTILE "\"",
	"[\"" HOSTILE "\"]",
	"\"" LONG_20 LONG_20 LONG_20 LONG_20 LONG_20 LONG_20 LONG_20 "\"",
	"\"" LONG_WORD LONG_WORD LONG_WORD LONG_WORD LONG_WORD LONG_WORD "\"",
	"[\"" LONG_WORD LONG_WORD LONG_WORD LONG_WORD LONG_WORD "\"]",
};

struct nonsense {
	page_fn *render;
	const char *skip;
	struct json_object *whole;
};

static void check_once(const struct nonsense *nonsense)
{
	char *page = draw(nonsense->render, nonsense->whole, false);

	if (strpbrk(page, "\x1b\x07\x7f\r\t"))
		fail_msg("control character: %s", page);
	if (strstr(page, "\xc2\x9b") || strstr(page, "\xe2\x80\xae"))
		fail_msg("control character: %s", page);
	page_check_width(page, nonsense->skip);
	free(page);
}

/* Put each substitute where the member is, then the member again. */
static void check_member(const struct nonsense *nonsense,
			 struct json_object *object, const char *key)
{
	struct json_object *value = NULL;
	size_t i;

	(void)json_object_object_get_ex(object, key, &value);
	value = json_object_get(value);
	for (i = 0; i < sizeof(substitutes) / sizeof(substitutes[0]); i++) {
		json_object_object_add(object, key, parse(substitutes[i]));
		check_once(nonsense);
	}
	json_object_object_del(object, key);
	check_once(nonsense);
	json_object_object_add(object, key, value);
}

enum {
	OBJECTS_MAX = 64,
	KEYS_MAX = 32,
};

struct objects {
	struct json_object *items[OBJECTS_MAX]; /* borrowed */
	size_t n;
};

/* @value and all objects in it. */
static void collect(struct json_object *value, struct objects *ret)
{
	struct json_object_iter member;
	size_t i;

	if (json_object_is_type(value, json_type_array))
		for (i = 0; i < json_object_array_length(value); i++)
			collect(json_object_array_get_idx(value, i), ret);
	if (!json_object_is_type(value, json_type_object))
		return;
	assert_true(ret->n < OBJECTS_MAX);
	ret->items[ret->n++] = value;
	json_object_object_foreachC(value, member) collect(member.val, ret);
}

static void check_object(const struct nonsense *nonsense,
			 struct json_object *object)
{
	struct json_object_iter member;
	char *keys[KEYS_MAX];
	size_t n = 0;
	size_t i;

	json_object_object_foreachC(object, member)
	{
		assert_true(n < KEYS_MAX);
		keys[n++] = strdup(member.key);
	}
	for (i = 0; i < n; i++) {
		check_member(nonsense, object, keys[i]);
		free(keys[i]);
	}
}

void page_check_nonsense(page_fn *render, const char *json, const char *skip)
{
	struct nonsense nonsense = {
		.render = render,
		.skip = skip,
		.whole = parse(json),
	};
	struct nonsense only = {.render = render, .skip = skip};
	struct objects objects = {0};
	size_t i;

	for (i = 0; i < sizeof(substitutes) / sizeof(substitutes[0]); i++) {
		only.whole = parse(substitutes[i]);
		check_once(&only);
		json_object_put(only.whole);
	}
	check_once(&nonsense);
	collect(nonsense.whole, &objects);
	for (i = 0; i < objects.n; i++)
		check_object(&nonsense, objects.items[i]);
	json_object_put(nonsense.whole);
}
