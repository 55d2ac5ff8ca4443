/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text - a line of text, put together word by word in a buffer of fixed size.
 *
 * Nothing is ever written behind the buffer: what does not fit is cut off, and
 * the text then ends in "...".
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

struct text {
	char *buf; /* borrowed; NUL-terminated at all times */
	size_t size;
	size_t len;
};

/** text_init() - empty text in @buf, which has at least 4 bytes */
void text_init(struct text *text, char *buf, size_t size);

/** text_put() - append, as printf() would print it */
__attribute__((format(printf, 2, 3))) void text_put(struct text *text,
						    const char *format, ...);

#endif
