/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options - the command line as values.
 *
 * Options stand before or behind the command. What each is for is in one table,
 * which the help is printed from too. Whether an option fits the command is for
 * command_check().
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

/* Options that belong to some of the commands; a set of them is a mask. */
enum option_bit {
	OPTION_DEV = 1 << 0,
	OPTION_TOS = 1 << 1,
	OPTION_WITHOUT = 1 << 2,
	OPTION_PROMETHEUS = 1 << 3,
	OPTION_TRY = 1 << 4,
	OPTION_TIMEOUT = 1 << 5,
	OPTION_MPTCP = 1 << 6,
};

struct option_row {
	const char *name;     /* without the dashes */
	const char *argument; /* NULL: takes none */
	const char *help;
	unsigned int bit; /* enum option_bit; 0: for every command */
	int letter;	  /* 0: none */
};

/* Ends with a NULL name. */
extern const struct option_row option_rows[];

/* All text is borrowed from argv. */
struct options {
	const char *socket;
	bool json;
	bool help;
	bool version;

	unsigned int given; /* mask of enum option_bit */
	const char *dev;
	const char *without;
	int tos;
	int try_seconds;
	int timeout_ms;

	const char *command; /* "status" when none was given */
	bool names_command;  /* one was given */
	char **arguments;    /* of the command */
	int argument_count;
};

/**
 * options_parse() - read the command line
 * @argv: put in another order, options first
 *
 * Return: 0; -EINVAL when something is wrong, which was then said on stderr.
 */
int options_parse(int argc, char **argv, struct options *ret);

#endif
