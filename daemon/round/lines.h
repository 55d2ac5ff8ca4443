/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lines - lines of text for people, the first LINES_MAX of them.
 *
 * What comes after these is only counted: whoever watches a storm wants to know
 * how it began and how large it is.
 */
#ifndef LINES_H
#define LINES_H

#include <stdbool.h>

#include "core/vec.h"

#define LINES_MAX 100

VEC(line_vec, char *);

/* Zeroed is empty; owns the texts. */
struct lines {
	struct line_vec kept;
	size_t more; /* came after these */
};

/** lines_is_full() - whether the next one will only be counted: spare its text
 */
bool lines_is_full(const struct lines *lines);

/** lines_add() - append a copy of @text; NULL will do when they are full */
void lines_add(struct lines *lines, const char *text);

/** lines_clear() - empty, for use again; lines_done() also frees */
void lines_clear(struct lines *lines);
void lines_done(struct lines *lines);

#endif
