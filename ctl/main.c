/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * multihomectl - ask the daemon, and show what it says.
 */
#include <signal.h>
#include <stdio.h>

#include "call.h"
#include "complain.h"
#include "control/standard_fds.h"
#include "exit.h"
#include "help.h"
#include "output.h"

static int show_help(const struct options *options,
		     const struct command *command)
{
	if (options->version)
		(void)puts("multihomectl " MULTIHOMED_VERSION);
	else if (command && options->names_command)
		help_command(command, stdout);
	else
		help_print(stdout);
	return output_end(EXIT_FINE);
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct options options;

	if (standard_fds_open() < 0)
		return EXIT_USAGE;
	/* A pager that ends is no accident: output_flush() sees it. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (options_parse(argc, argv, &options) < 0)
		return EXIT_USAGE;

	command = command_find(options.command);
	if (options.version || options.help)
		return show_help(&options, command);
	if (!command) {
		complain_usage("no such command: %s", options.command);
		return EXIT_USAGE;
	}
	if (command_check(command, &options) < 0)
		return EXIT_USAGE;
	if (command->run)
		return command->run(command, &options);
	return call_run(command, &options);
}
