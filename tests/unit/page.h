/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * page - what one of the render functions makes of a reply.
 *
 * A test writes the reply as JSON and the whole page as it must look: the pages
 * are the documentation of what people read.
 */
#ifndef PAGE_H
#define PAGE_H

#include <stdbool.h>

#include <json-c/json.h>

#include "render/text.h"

typedef void page_fn(const struct text *text, struct json_object *reply,
		     struct json_object *previous);

/* The page for @json, which must be JSON; free with free(). */
char *page_of(page_fn *render, const char *json, bool colour);

/* Several replies to one call, each knowing the one before it. */
char *page_of_stream(page_fn *render, const char *const *replies, size_t n);

/*
 * Fails if a line is longer than 80 columns; @skip: how those lines start that
 * may be; NULL: none may.
 */
void page_check_width(const char *page, const char *skip);

/*
 * Fails unless the page is @page, in black and white and without the colours,
 * and no line of it is too long or ends in blanks.
 */
void page_check(page_fn *render, const char *json, const char *page,
		const char *skip);

/*
 * Fails unless the page of every reply that makes no sense is one that fits and
 * does not steer the terminal: @json with each of its members missing, of
 * another type, empty, very long and full of control characters.
 */
void page_check_nonsense(page_fn *render, const char *json, const char *skip);

#endif
