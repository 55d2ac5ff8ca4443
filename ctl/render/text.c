/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	/* Text in fewer columns than this is not read, it is spelled. */
	ROOM_MIN = 20,
	HANG = 4,
};

static const char *const styles[] = {
	[TEXT_PLAIN] = "",	  [TEXT_GOOD] = "\x1b[32m",
	[TEXT_WARN] = "\x1b[33m", [TEXT_BAD] = "\x1b[1;31m",
	[TEXT_FAINT] = "\x1b[2m", [TEXT_HEAD] = "\x1b[1m",
};

#define STYLE_END "\x1b[0m"

struct text text_open(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return (struct text){
		.out = out,
		.piped = !isatty(fileno(out)),
		.colour = isatty(fileno(out)) && (!no_color || !*no_color) &&
			  (!term || strcmp(term, "dumb") != 0),
	};
}

/* Characters that terminals obey instead of showing them. */
static bool is_steering(uint32_t character)
{
	static const struct {
		uint32_t first;
		uint32_t last;
	} ranges[] = {
		{0x00, 0x1f},	  {0x7f, 0x9f},
		{0x200e, 0x200f}, {0x2028, 0x202e}, /* lines, directions */
		{0x2066, 0x2069},
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	return false;
}

/* Bytes of a UTF-8 character that starts with @first; 0: none does. */
static size_t sequence_len(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/*
 * The character at the start of @s, which is not empty: how many bytes it has,
 * and whether it may be shown as it is.
 */
static size_t character_len(const char *s, bool *ret_is_safe)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = sequence_len((unsigned char)s[0]);
	uint32_t character = (unsigned char)s[0];
	size_t i;

	*ret_is_safe = false;
	if (len == 0)
		return 1;
	if (len > 1)
		character &= 0x7fU >> len;
	for (i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 1;
		character = character << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (character < least[len])
		return 1;
	*ret_is_safe = !is_steering(character);
	return len;
}

static void put_safely(FILE *out, const char *string, size_t len)
{
	size_t at = 0;
	size_t step;
	bool is_safe;

	while (at < len) {
		step = character_len(string + at, &is_safe);
		if (is_safe)
			(void)fwrite(string + at, 1, step, out);
		else
			(void)fputc('?', out);
		at += step;
	}
}

/* How many bytes of @string fit into @columns; at least one character. */
static size_t fitting(const char *string, size_t len, int columns)
{
	size_t at = 0;
	bool is_safe;

	while (at < len && (columns > 0 || at == 0)) {
		at += character_len(string + at, &is_safe);
		columns--;
	}
	return at;
}

static int width_of(const char *string, size_t len)
{
	size_t at = 0;
	int width = 0;
	bool is_safe;

	while (at < len) {
		at += character_len(string + at, &is_safe);
		width++;
	}
	return width;
}

int text_width(const char *string)
{
	return width_of(string, strlen(string));
}

static void put_blanks(const struct text *text, int count)
{
	(void)fprintf(text->out, "%*s", count > 0 ? count : 0, "");
}

static void style_begin(const struct text *text, enum text_style style)
{
	if (text->colour && style != TEXT_PLAIN)
		(void)fputs(styles[style], text->out);
}

static void style_end(const struct text *text, enum text_style style)
{
	if (text->colour && style != TEXT_PLAIN)
		(void)fputs(STYLE_END, text->out);
}

static void put_styled(const struct text *text, enum text_style style,
		       const char *string)
{
	if (*string == '\0')
		return;
	style_begin(text, style);
	put_safely(text->out, string, strlen(string));
	style_end(text, style);
}

void text_put(const struct text *text, enum text_style style, int width,
	      const char *string)
{
	put_styled(text, style, string);
	put_blanks(text, width - text_width(string));
}

void text_put_right(const struct text *text, enum text_style style, int width,
		    const char *string)
{
	put_blanks(text, width - text_width(string));
	put_styled(text, style, string);
}

/* The colour ends with the line: no pager, no log paints the margin. */
static int next_line(const struct text *text, enum text_style style, int column)
{
	style_end(text, style);
	(void)fputc('\n', text->out);
	put_blanks(text, column);
	style_begin(text, style);
	return column;
}

/* What is ended here and starts again there stays one word, for copying. */
static int put_long_word(const struct text *text, enum text_style style,
			 int column, const char *word, size_t len)
{
	size_t part = fitting(word, len, TEXT_COLUMNS - column);

	while (part < len) {
		put_safely(text->out, word, part);
		(void)next_line(text, style, column);
		word += part;
		len -= part;
		part = fitting(word, len, TEXT_COLUMNS - column);
	}
	put_safely(text->out, word, len);
	return column + width_of(word, len);
}

void text_wrap_styled(const struct text *text, enum text_style style,
		      int column, const char *string)
{
	int at = column;
	size_t len;
	int width;

	string += strspn(string, " \n");
	style_begin(text, style);
	if (*string != '\0' && TEXT_COLUMNS - column < ROOM_MIN) {
		column = HANG;
		at = next_line(text, style, column);
	}
	while (*string != '\0') {
		len = strcspn(string, " \n");
		width = width_of(string, len);
		if (at > column && at + 1 + width > TEXT_COLUMNS) {
			at = next_line(text, style, column);
		} else if (at > column) {
			(void)fputc(' ', text->out);
			at++;
		}
		if (at == column)
			at = put_long_word(text, style, column, string, len);
		else {
			put_safely(text->out, string, len);
			at += width;
		}
		string += len;
		string += strspn(string, " \n");
	}
	style_end(text, style);
	(void)fputc('\n', text->out);
}

void text_wrap(const struct text *text, int column, const char *string)
{
	text_wrap_styled(text, TEXT_PLAIN, column, string);
}

void text_say(const struct text *text, enum text_style style, int indent,
	      const char *format, ...)
{
	char *string = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&string, format, args);
	va_end(args);
	if (len < 0) {
		(void)fputs("multihomectl: out of memory\n", stderr);
		abort();
	}
	put_blanks(text, string[strspn(string, " \n")] ? indent : 0);
	text_wrap_styled(text, style, indent, string);
	free(string);
}
