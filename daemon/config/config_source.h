/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_source - the text of the config: a file and all that it includes.
 *
 * libconfig gets one text from here, without comments and includes, in which
 * strings, brackets and names are known to be sound. Left alone, libconfig 1.5
 * ends the process when an included file is a directory, waits for ever on a
 * pipe, cuts numbers to 32 bits, leaks on a misplaced string, and
 * says no more than "syntax error". What a value means is not decided here.
 *
 * Lines are counted in the joined text; errors carry such lines until
 * config_source_locate() tells which line of which file each one was.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include "config/config.h"

struct config_file {
	char name[256];
};

/* From joined line @at on, lines are those of @file from @line on. */
struct config_stretch {
	unsigned int at;
	size_t file; /* index into files */
	unsigned int line;
};

VEC(config_file_vec, struct config_file);
VEC(config_stretch_vec, struct config_stretch);
VEC(char_vec, char);
VEC(line_vec, unsigned int);

struct config_source {
	struct char_vec text; /* NUL-terminated, the NUL not counted in n */
	struct config_file_vec files;
	struct config_stretch_vec
		stretches; /* by at; the last of equals counts */
	/*
	 * Where each string that is an element of a list or array stands, in
	 * order: libconfig gives it the line of what follows it.
	 */
	struct line_vec list_strings;
};

/**
 * config_source_read() - read @path and what it includes
 * @ret:    initialised here; the caller calls config_source_done() always
 * @errors: appended, with joined lines; 0: a file as a whole
 *
 * Only regular files are read, never more than 4 MiB in 100 files. A relative
 * name in an @include is relative to the file that it stands in.
 *
 * Return: 0 when libconfig can read the text, though there may be errors (names
 * that are set twice), -ENOENT when @path does not exist (one error), -EINVAL.
 */
int config_source_read(const char *path, struct config_source *ret,
		       struct config_error_vec *errors);
void config_source_done(struct config_source *source);

/**
 * config_source_at() - the file that joined line @line is from
 * @line: becomes the line of that file
 *
 * Return: borrowed from @source; "" if it is from none.
 */
const char *config_source_at(const struct config_source *source,
			     unsigned int *line);

/** config_source_locate() - put files and their lines into @errors */
void config_source_locate(const struct config_source *source,
			  struct config_error_vec *errors);

/** config_source_last() - the last joined line that is not blank; 1: none */
unsigned int config_source_last(const struct config_source *source);

/** config_source_line() - what joined line @line says, cut to @size, in @text
 */
const char *config_source_line(const struct config_source *source,
			       unsigned int line, char *text, size_t size);

/**
 * config_complain() - add an error, in the order of lines
 *
 * Of the hundredth and all further ones only the fact is kept.
 */
__attribute__((format(printf, 3, 4))) void
config_complain(struct config_error_vec *errors, unsigned int line,
		const char *format, ...);

#endif
