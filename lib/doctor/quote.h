/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quote - names in the fixes of findings, so that these can be copied.
 *
 * The kernel takes nearly everything as the name of a link: only blanks,
 * slashes and colons it refuses. A shell, the config and its patterns see more
 * in such names than was meant.
 */
#ifndef QUOTE_H
#define QUOTE_H

#define QUOTE_COMMAND_MAX 700 /* a command with its quotes */
#define QUOTE_NAME_MAX	  100 /* a link's name with its quotes */

/**
 * quote_command() - a command, each word as a shell has to be given it
 * @words: parted by single blanks
 * @ret:   QUOTE_COMMAND_MAX bytes; what does not fit is cut. Return: @ret.
 */
const char *quote_command(const char *words, char *ret);

/**
 * quote_text() - a name as a text of the config, with its double quotes
 * @ret: QUOTE_NAME_MAX bytes. Return: @ret.
 */
const char *quote_text(const char *name, char *ret);

/** quote_pattern() - the same for a pattern that matches @name only */
const char *quote_pattern(const char *name, char *ret);

#endif
