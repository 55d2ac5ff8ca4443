/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
		.colour = isatty(fileno(out)) && (!no_color || !*no_color) &&
			  (!term || strcmp(term, "dumb") != 0),
	};
}

/* A byte that goes on with a UTF-8 character takes no column of its own. */
static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Bytes at the start of @s that form one control character; 0: none. */
static size_t control_len(const char *s)
{
	unsigned char first = (unsigned char)s[0];

	if (first < 0x20 || first == 0x7f)
		return 1;
	/* U+0080 to U+009F: some terminals obey them like escapes. */
	if (first == 0xc2 && (unsigned char)s[1] < 0xa0)
		return s[1] == '\0' ? 1 : 2;
	return 0;
}

static void put_safely(FILE *out, const char *string, size_t len)
{
	size_t at = 0;
	size_t control;

	while (at < len) {
		control = control_len(string + at);
		(void)fputc(control > 0 ? '?' : string[at], out);
		at += control > 0 ? control : 1;
	}
}

static int width_of(const char *string, size_t len)
{
	int width = 0;
	size_t at = 0;
	size_t control;

	while (at < len) {
		control = control_len(string + at);
		if (control > 0 || !is_continuation(string[at]))
			width++;
		at += control > 0 ? control : 1;
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

static void put_styled(const struct text *text, enum text_style style,
		       const char *string)
{
	bool colour = text->colour && style != TEXT_PLAIN;

	if (colour)
		(void)fputs(styles[style], text->out);
	put_safely(text->out, string, strlen(string));
	if (colour)
		(void)fputs(STYLE_END, text->out);
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

void text_wrap(const struct text *text, int column, const char *string)
{
	int at = column;
	size_t len;
	int width;

	while (*string != '\0') {
		len = strcspn(string, " \n");
		width = width_of(string, len);
		if (at > column && at + 1 + width > TEXT_COLUMNS) {
			(void)fputc('\n', text->out);
			put_blanks(text, column);
			at = column;
		} else if (at > column) {
			(void)fputc(' ', text->out);
			at++;
		}
		put_safely(text->out, string, len);
		at += width;
		string += len;
		string += strspn(string, " \n");
	}
	(void)fputc('\n', text->out);
}
