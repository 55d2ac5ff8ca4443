/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "help.h"

#include <string.h>

#include "complain.h"
#include "control/interface.h"
#include "exit.h"
#include "output.h"
#include "render/text.h"

enum {
	COLUMN = 21, /* where explanations begin, behind two blanks */
	USAGE_INDENT = 7,
};

/* "--tos N", or "-s, --socket PATH". */
static void put_option(const struct option_row *row, FILE *out)
{
	char words[64];

	(void)snprintf(words, sizeof(words), "%s--%s%s%s",
		       row->letter == 's'   ? "-s, "
		       : row->letter == 'h' ? "-h, "
					    : "",
		       row->name, row->argument ? " " : "",
		       row->argument ? row->argument : "");
	(void)fprintf(out, "  %-*s%s\n", COLUMN, words, row->help);
}

static void put_options(unsigned int mask, FILE *out)
{
	const struct option_row *row;

	for (row = option_rows; row->name; row++)
		if (row->bit & mask)
			put_option(row, out);
}

void help_print(FILE *out)
{
	const struct command *command;
	const struct option_row *row;
	char words[64];

	(void)fputs("usage: multihomectl [-s SOCKET] [--json] [COMMAND]\n"
		    "\n"
		    "commands:\n",
		    out);
	for (command = commands; command->name; command++) {
		if (command->is_hidden)
			continue;
		(void)snprintf(words, sizeof(words), "%s %s", command->name,
			       command->arguments ? command->arguments : "");
		(void)fprintf(out, "  %-*s%s\n", COLUMN, words,
			      command->summary);
	}

	(void)fputs("\noptions:\n", out);
	for (row = option_rows; row->name; row++)
		if (!row->bit)
			put_option(row, out);
	(void)fputs("\noptions of one command:\n", out);
	put_options(~0U, out);

	(void)fputs("\n"
		    "exit status:\n"
		    "  0  fine\n"
		    "  1  bad news: verify or doctor found something, the "
		    "kernel does not do what\n"
		    "     explain says, a trial was not confirmed, or the "
		    "daemon refused\n"
		    "  2  wrong usage\n"
		    "  3  no daemon, or it does not answer\n"
		    "\n"
		    "The control socket is " INTERFACE_SOCKET " by default.\n",
		    out);
}

void help_usage(const struct command *command, FILE *out)
{
	const struct option_row *row;
	char words[64];
	int place;

	place = fprintf(out, "usage: multihomectl %s%s%s", command->name,
			command->arguments ? " " : "",
			command->arguments ? command->arguments : "");
	for (row = option_rows; row->name; row++) {
		if (!(row->bit & command->takes))
			continue;
		(void)snprintf(words, sizeof(words), " [--%s%s%s]", row->name,
			       row->argument ? " " : "",
			       row->argument ? row->argument : "");
		if (place + (int)strlen(words) > TEXT_COLUMNS)
			place = fprintf(out, "\n%*s", USAGE_INDENT, "");
		place += fprintf(out, "%s", words);
	}
	(void)fputc('\n', out);
}

void help_command(const struct command *command, FILE *out)
{
	help_usage(command, out);
	(void)fprintf(out, "\n%s\n", command->summary);
	if (command->details)
		(void)fprintf(out, "\n%s", command->details);
	if (command->takes) {
		(void)fputs("\noptions:\n", out);
		put_options(command->takes, out);
	}
}

int help_run(const struct command *command, const struct options *options)
{
	const char *name = options->arguments[0];
	const struct command *about;

	(void)command;
	if (options->argument_count == 0) {
		help_print(stdout);
	} else {
		about = command_find(name);
		if (!about) {
			complain_usage("no such command: %s", name);
			return EXIT_USAGE;
		}
		help_command(about, stdout);
	}
	return output_end(EXIT_FINE);
}
