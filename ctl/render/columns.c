/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/columns.h"

enum {
	HANG = 4, /* indent of a cell that fits nowhere else */
};

static int min_int(int a, int b)
{
	return a < b ? a : b;
}

struct columns columns_fixed(const struct column *columns, size_t n, int indent)
{
	struct columns ret = {.columns = columns, .n = n, .indent = indent};
	size_t i;

	for (i = 0; i < n; i++)
		ret.width[i] = columns[i].width;
	return ret;
}

struct columns columns_start(const struct column *columns, size_t n, int indent)
{
	struct columns ret = {.columns = columns, .n = n, .indent = indent};
	size_t i;

	for (i = 0; i < n; i++)
		ret.width[i] = text_width(columns[i].head);
	return ret;
}

void columns_fit(struct columns *columns, const struct column_cell *cells)
{
	int width;
	size_t i;

	for (i = 0; i < columns->n; i++) {
		width = text_width(cells[i].string);
		/* A column that wraps asks for no more than its share. */
		if (columns->columns[i].wraps)
			width = min_int(width, columns->columns[i].width);
		if (width > columns->width[i])
			columns->width[i] = width;
	}
}

void columns_settle(struct columns *columns)
{
	int left = TEXT_COLUMNS - columns->indent;
	int wanted[COLUMNS_MAX];
	int more;
	size_t i;

	for (i = 0; i < columns->n; i++) {
		wanted[i] = columns->width[i];
		columns->width[i] =
			min_int(wanted[i], columns->columns[i].width);
		left -= columns->width[i] + (i > 0 ? COLUMNS_GAP : 0);
	}
	/* What some do not use of their share is for those who want more. */
	for (i = 0; i < columns->n; i++) {
		more = wanted[i] - columns->width[i];
		if (more > left)
			continue;
		columns->width[i] += more;
		left -= more;
	}
}

static int column_place(const struct columns *columns, size_t column)
{
	int place = columns->indent;
	size_t i;

	for (i = 0; i < column; i++)
		place += columns->width[i] + COLUMNS_GAP;
	return place;
}

static void new_line(const struct text *text, int *at)
{
	if (*at > 0)
		(void)fputc('\n', text->out);
	*at = 0;
}

/* @at: where the cursor is; 0: at the start of a line. */
static void put_cell(const struct text *text, const struct columns *columns,
		     const struct column_cell *cell, size_t i, int *at)
{
	const struct column *column = &columns->columns[i];
	int place = column_place(columns, i);
	int width = text_width(cell->string);

	if (width == 0)
		return;
	/* A long number grows to the left, where there may be room. */
	if (column->is_right)
		place += columns->width[i] - width;
	if (place < columns->indent)
		place = columns->indent;
	if (*at > 0 && place < *at + COLUMNS_GAP)
		new_line(text, at);
	if (place + width > TEXT_COLUMNS && !column->wraps) {
		new_line(text, at);
		place = columns->indent + HANG;
	}
	text_put(text, TEXT_PLAIN, place - *at, "");
	if (place + width > TEXT_COLUMNS) {
		text_wrap_styled(text, cell->style, place, cell->string);
		*at = 0;
		return;
	}
	text_put(text, cell->style, 0, cell->string);
	*at = place + width;
}

void columns_put_heads(const struct text *text, const struct columns *columns)
{
	struct column_cell cells[COLUMNS_MAX] = {0};
	size_t i;

	for (i = 0; i < columns->n; i++)
		cells[i] = (struct column_cell){columns->columns[i].head,
						TEXT_HEAD};
	columns_put(text, columns, cells);
}

void columns_put(const struct text *text, const struct columns *columns,
		 const struct column_cell *cells)
{
	int at = 0;
	size_t i;

	for (i = 0; i < columns->n; i++)
		put_cell(text, columns, &cells[i], i, &at);
	new_line(text, &at);
}
