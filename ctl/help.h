/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * help - what the command table and the option table say, as text.
 */
#ifndef HELP_H
#define HELP_H

#include <stdio.h>

#include "command.h"

/* All commands and options. */
void help_print(FILE *out);

/* The usage line of one command. */
void help_usage(const struct command *command, FILE *out);

/* All about one command. */
void help_command(const struct command *command, FILE *out);

/* The command help. */
int help_run(const struct command *command, const struct options *options);

#endif
