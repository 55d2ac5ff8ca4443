/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_text - configs for tests: texts, and folders with files.
 */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include "daemon/config/config.h"

#define CONFIG_DIR_MAX 64

/* A text with exactly one error. */
struct config_bad {
	const char *text;
	unsigned int line;
	const char *part; /* of the message */
	const char *why;
};

/** config_bad_check() - fail unless each of @n texts gives its error alone */
void config_bad_check(const struct config_bad *cases, size_t n);

/** config_text_load() - config_load() of a file that reads @text */
int config_text_load(const char *text, struct config *ret,
		     struct config_error_vec *errors);

/** config_dir_make() - a new folder under /tmp; its name into @dir */
void config_dir_make(char dir[CONFIG_DIR_MAX]);

/** config_dir_write() - a file in it; or one that is no text */
void config_dir_write(const char *dir, const char *name, const char *text);
void config_dir_write_bytes(const char *dir, const char *name,
			    const char *bytes, size_t len);

/** config_dir_load() - config_load() of file @name in it */
int config_dir_load(const char *dir, const char *name, struct config *ret,
		    struct config_error_vec *errors);

/** config_dir_remove() - the folder and the files in it */
void config_dir_remove(const char *dir);

#endif
