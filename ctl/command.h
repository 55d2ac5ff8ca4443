/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * command - what can be asked: one table.
 *
 * One command is one call: its row names the method, makes the parameters from
 * the command line, shows the answer and judges it. How a call runs is in
 * call.h; the few commands that are more, or no call at all, have a run() of
 * their own.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include <json-c/json.h>

#include "options.h"
#include "render/text.h"

/* One of render.h. */
typedef void render_fn(const struct text *text, struct json_object *reply,
		       struct json_object *previous);

enum replies {
	REPLIES_ONE,	 /* the method answers once */
	REPLIES_STREAM,	 /* each answer is shown as it comes */
	REPLIES_ENDLESS, /* the same, until somebody interrupts it */
	REPLIES_LAST,	 /* those before the last one say how far it is */
};

struct command {
	const char *name;
	const char *arguments; /* as the usage line shows them; NULL: none */
	const char *summary;
	const char *details; /* further lines of its help, or NULL */
	int arguments_min;
	int arguments_max;
	unsigned int takes; /* mask of enum option_bit */
	bool is_hidden;	    /* for programs, not in the list of commands */

	/* false: it was said what is wrong with the arguments. NULL: nothing
	 * can be, or the daemon knows better. */
	bool (*check)(const struct options *options);

	/* NULL: run() does it all. */
	const char *method;
	enum replies replies;
	/* A new object; NULL: the method has no parameters. */
	struct json_object *(*parameters)(const struct options *options);
	/* NULL: success needs no words, or has those of success. */
	render_fn *render;
	const char *success;
	/* The exit status that the last answer asks for; NULL: EXIT_FINE. */
	int (*verdict)(struct json_object *reply);

	/* The exit status. NULL: call_run(). */
	int (*run)(const struct command *command,
		   const struct options *options);
};

/* Ends with a NULL name. */
extern const struct command commands[];

/* NULL: there is none of that name. */
const struct command *command_find(const char *name);

/**
 * command_check() - do the options and arguments fit the command?
 *
 * Return: 0; -EINVAL after saying what is wrong on stderr.
 */
int command_check(const struct command *command, const struct options *options);

/* What shows its replies; NULL: nothing to show. */
render_fn *command_render(const struct command *command,
			  const struct options *options);

#endif
