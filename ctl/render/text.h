/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text - lines for people: colour, columns, line breaks.
 *
 * Strings come from the daemon, and it has some of them from others (a link
 * may be named with any bytes): what could steer a terminal, or is no UTF-8, is
 * replaced by "?".
 */
#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stdio.h>

enum {
	TEXT_COLUMNS = 80
};

enum text_style {
	TEXT_PLAIN,
	TEXT_GOOD,
	TEXT_WARN,
	TEXT_BAD,
	TEXT_FAINT,
	TEXT_HEAD,
};

struct text {
	FILE *out;
	bool colour;
	bool piped; /* no terminal: lines to be searched should stay whole */
};

/* Colour on a terminal only, and never if NO_COLOR is set. */
struct text text_open(FILE *out);

/* How many columns @string takes. */
int text_width(const char *string);

/* Print @string, and blanks up to @width columns; more is not cut off. */
void text_put(const struct text *text, enum text_style style, int width,
	      const char *string);

/* The same, with the blanks before it. */
void text_put_right(const struct text *text, enum text_style style, int width,
		    const char *string);

/**
 * text_wrap() - print @string broken at blanks, and end the line
 * @column: where the cursor is; further lines start there, or near the margin
 *          if that is too far to the right
 *
 * A word that is too long for a line is broken anywhere.
 */
void text_wrap(const struct text *text, int column, const char *string);

void text_wrap_styled(const struct text *text, enum text_style style,
		      int column, const char *string);

/**
 * text_say() - a paragraph of its own, as printf() has it
 * @indent: of all its lines
 */
__attribute__((format(printf, 4, 5))) void text_say(const struct text *text,
						    enum text_style style,
						    int indent,
						    const char *format, ...);

#endif
