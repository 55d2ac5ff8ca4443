/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * output - what goes to stdout, and a line that changes in place.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include <json-c/json.h>

/* Over several lines, for people too; NULL prints an empty object. */
void output_json(struct json_object *object);

/* On one line: one of a stream. */
void output_json_line(struct json_object *object);

/* Nobody will read what is written to stdout any more: a pager has ended. */
bool output_is_unread(void);

/**
 * output_flush() - hand over what was printed
 *
 * Return: 0; -EPIPE when nobody reads it; or another error, which was then said
 * on stderr.
 */
int output_flush(void);

/* The exit status: @code, unless what was printed is lost. */
int output_end(int code);

/* A line of a terminal that is written over; zeroed: nothing is shown. */
struct output_line {
	FILE *out;
	int width;
};

__attribute__((format(printf, 2, 3))) void
output_line_show(struct output_line *line, const char *format, ...);

/* The cursor is where the line began, and nothing is left of it. */
void output_line_clear(struct output_line *line);

#endif
