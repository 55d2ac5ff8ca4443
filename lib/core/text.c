/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char cut_mark[] = "...";

void text_init(struct text *text, char *buf, size_t size)
{
	*text = (struct text){.buf = buf, .size = size};
	buf[0] = '\0';
}

void text_put(struct text *text, const char *format, ...)
{
	size_t room = text->size - text->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->buf + text->len, room, format, args);
	va_end(args);

	if (n >= 0 && (size_t)n < room) {
		text->len += (size_t)n;
		return;
	}
	text->len = text->size - 1;
	memcpy(text->buf + text->size - sizeof(cut_mark), cut_mark,
	       sizeof(cut_mark));
}
