/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "complain.h"
#include "control/interface.h"

enum {
	TIMEOUT_MS = 30000,
	DAY_S = 24 * 3600, /* what the daemon accepts */
	TOS_MAX = 255,
	TOS_ECN = 3,
	ROWS_MAX = 16,
};

const struct option_row option_rows[] = {
	{"socket", "PATH", "the daemon's control socket", 0, 's'},
	{"json", NULL, "the answer as JSON; of a stream, one object a line", 0,
	 0},
	{"help", NULL, "this text, or more about a command", 0, 'h'},
	{"version", NULL, "this program's version", 0, 0},
	{"dev", "LINK", "explain: for a socket that is bound to LINK",
	 OPTION_DEV, 0},
	{"tos", "N", "explain: for packets with that TOS byte", OPTION_TOS, 0},
	{"without", "LINK", "explain: as if LINK were down", OPTION_WITHOUT, 0},
	{"mptcp", NULL, "explain: and from where another subflow would leave",
	 OPTION_MPTCP, 0},
	{"prometheus", NULL, "metrics: the older text format 0.0.4",
	 OPTION_PROMETHEUS, 0},
	{"try", "SECONDS", "reload: for that long, unless confirmed",
	 OPTION_TRY, 0},
	{"timeout", "SECONDS", "wait: how long at most (30)", OPTION_TIMEOUT,
	 0},
	{NULL, NULL, NULL, 0, 0},
};

static bool parse_seconds(const char *value, int *ret_ms)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end != '\0' || isnan(seconds) || seconds < 0 ||
	    seconds > DAY_S)
		return false;
	*ret_ms = (int)(seconds * 1000);
	return true;
}

/* Decimal, or hexadecimal as ip(8) writes a TOS. */
static bool parse_number(const char *value, int min, int max, int *ret)
{
	bool is_hex = strncmp(value, "0x", 2) == 0;
	char *end;
	long number;

	/* strtol() skips blanks and takes a sign. */
	if (value[0] < '0' || value[0] > '9')
		return false;
	errno = 0;
	number = strtol(value, &end, is_hex ? 16 : 10);
	if (errno || *end != '\0' || number < min || number > max)
		return false;
	*ret = (int)number;
	return true;
}

static int take_tos(const char *value, struct options *options)
{
	if (!parse_number(value, 0, TOS_MAX, &options->tos))
		complain_usage("--tos: no number from 0 to 255: %s", value);
	else if (options->tos & TOS_ECN)
		complain_usage("--tos: no multiple of 4: %s (the two lowest "
			       "bits are those of ECN)",
			       value);
	else
		return 0;
	return -EINVAL;
}

static int take_try(const char *value, struct options *options)
{
	if (parse_number(value, 1, DAY_S, &options->try_seconds))
		return 0;
	complain_usage("--try: no number of seconds from 1 to 86400: %s",
		       value);
	return -EINVAL;
}

static int take_timeout(const char *value, struct options *options)
{
	if (parse_seconds(value, &options->timeout_ms))
		return 0;
	complain_usage("--timeout: no number of seconds up to a day: %s",
		       value);
	return -EINVAL;
}

static int take_special(unsigned int bit, const char *value,
			struct options *options)
{
	options->given |= bit;
	switch ((enum option_bit)bit) {
	case OPTION_DEV:
		options->dev = value;
		return 0;
	case OPTION_WITHOUT:
		options->without = value;
		return 0;
	case OPTION_MPTCP:
	case OPTION_PROMETHEUS:
		return 0;
	case OPTION_TOS:
		return take_tos(value, options);
	case OPTION_TRY:
		return take_try(value, options);
	case OPTION_TIMEOUT:
		return take_timeout(value, options);
	}
	return -EINVAL;
}

static int take_option(const struct option_row *row, const char *value,
		       struct options *options)
{
	if (row->bit)
		return take_special(row->bit, value, options);
	if (strcmp(row->name, "socket") == 0)
		options->socket = value;
	else if (strcmp(row->name, "json") == 0)
		options->json = true;
	else if (strcmp(row->name, "help") == 0)
		options->help = true;
	else
		options->version = true;
	return 0;
}

/* The row getopt_long() found, by its number or its letter. */
static const struct option_row *row_find(int found)
{
	const struct option_row *row;

	for (row = option_rows; row->name; row++)
		if (found == row->letter ||
		    found == UINT8_MAX + 1 + (int)(row - option_rows))
			return row;
	return NULL;
}

static void make_names(struct option *names)
{
	int i;

	for (i = 0; option_rows[i].name; i++) {
		names[i].name = option_rows[i].name;
		names[i].has_arg = option_rows[i].argument != NULL;
		names[i].val = UINT8_MAX + 1 + i;
	}
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct options options = {
		.socket = INTERFACE_SOCKET,
		.timeout_ms = TIMEOUT_MS,
		.command = "status",
	};
	struct option names[ROWS_MAX] = {0};
	const struct option_row *row;
	int found;

	_Static_assert(sizeof(option_rows) / sizeof(option_rows[0]) <= ROWS_MAX,
		       "names has no room");
	make_names(names);
	/* 0: begin anew, whoever called it before. */
	optind = 0;
	while ((found = getopt_long(argc, argv, "s:h", names, NULL)) != -1) {
		row = row_find(found);
		if (!row) {
			/* getopt has said what is wrong. */
			complain_hint();
			return -EINVAL;
		}
		if (take_option(row, optarg, &options) < 0)
			return -EINVAL;
	}
	options.names_command = optind < argc;
	if (options.names_command)
		options.command = argv[optind++];
	options.arguments = argv + optind;
	options.argument_count = argc - optind;
	*ret = options;
	return 0;
}
