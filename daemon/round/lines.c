/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "round/lines.h"

bool lines_is_full(const struct lines *lines)
{
	return lines->kept.n >= LINES_MAX;
}

void lines_add(struct lines *lines, const char *text)
{
	size_t size;
	char *copy;

	if (lines_is_full(lines)) {
		lines->more++;
		return;
	}
	size = strlen(text) + 1;
	copy = xalloc(size);
	memcpy(copy, text, size);
	vec_push(&lines->kept, copy);
}

void lines_clear(struct lines *lines)
{
	char **it;

	vec_foreach(&lines->kept, it)
		free(*it);
	vec_clear(&lines->kept);
	lines->more = 0;
}

void lines_done(struct lines *lines)
{
	lines_clear(lines);
	vec_done(&lines->kept);
}
