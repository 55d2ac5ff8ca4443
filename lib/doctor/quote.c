/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/quote.h"

#include <stdbool.h>
#include <string.h>

#include "core/text.h"

/* What means itself to every shell, wherever it stands in a word. */
static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789@%_+=:,./-";

static void put_word(struct text *text, const char *word, size_t len)
{
	if (strspn(word, plain) >= len) {
		text_put(text, "%.*s", (int)len, word);
		return;
	}
	text_put(text, "'");
	for (size_t i = 0; i < len; i++) {
		if (word[i] == '\'')
			text_put(text, "'\\''");
		else
			text_put(text, "%c", word[i]);
	}
	text_put(text, "'");
}

const char *quote_command(const char *words, char *ret)
{
	struct text text;

	text_init(&text, ret, QUOTE_COMMAND_MAX);
	for (;;) {
		size_t len = strcspn(words, " ");

		put_word(&text, words, len);
		words += len;
		if (!*words)
			return ret;
		words++;
		text_put(&text, " ");
	}
}

static const char *quote(const char *name, bool is_pattern, char *ret)
{
	struct text text;

	text_init(&text, ret, QUOTE_NAME_MAX);
	text_put(&text, "\"");
	for (; *name; name++) {
		/* A backslash of the pattern is two in a text of the config. */
		if (is_pattern && strchr("*?[\\", *name))
			text_put(&text, "\\\\");
		if (strchr("\"\\", *name))
			text_put(&text, "\\");
		text_put(&text, "%c", *name);
	}
	text_put(&text, "\"");
	return ret;
}

const char *quote_text(const char *name, char *ret)
{
	return quote(name, false, ret);
}

const char *quote_pattern(const char *name, char *ret)
{
	return quote(name, true, ret);
}
