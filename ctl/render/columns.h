/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * columns - rows of aligned cells within 80 columns.
 *
 * A cell that is longer than its column is not cut: the cells behind it go on
 * in the next line, each under its own heading. So every row can be read and
 * copied, and the others keep their places.
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stddef.h>

#include "render/text.h"

enum {
	COLUMNS_MAX = 8,
	COLUMNS_GAP = 2, /* between two columns */
};

struct column {
	const char *head; /* "": none */
	/* Its share of the line where the longest cells do not all fit. */
	int width;
	bool is_right; /* numbers */
	bool wraps;    /* the last one may: it takes what is left */
};

struct columns {
	const struct column *columns;
	size_t n; /* up to COLUMNS_MAX */
	int indent;
	int width[COLUMNS_MAX];
};

struct column_cell {
	const char *string; /* borrowed; "" leaves the place empty */
	enum text_style style;
};

/* Widths that depend on no row: for tables that come bit by bit. */
struct columns columns_fixed(const struct column *columns, size_t n,
			     int indent);

/* Widths for the heads alone; columns_fit() each row, then columns_settle(). */
struct columns columns_start(const struct column *columns, size_t n,
			     int indent);

/* Make room for a row; @cells: as many as there are columns. */
void columns_fit(struct columns *columns, const struct column_cell *cells);

/* Give room back if the line has become too long. */
void columns_settle(struct columns *columns);

void columns_put_heads(const struct text *text, const struct columns *columns);

/* @cells: as many as there are columns. */
void columns_put(const struct text *text, const struct columns *columns,
		 const struct column_cell *cells);

#endif
