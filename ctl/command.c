/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "complain.h"
#include "complete.h"
#include "control/interface.h"
#include "explain.h"
#include "help.h"
#include "render/metrics.h"
#include "render/render.h"
#include "trial.h"
#include "verdict.h"

enum {
	TOKEN_DIGITS = 8,
};

/* Of a script whose variable is empty: to the daemon, none asked for any. */
static bool argument_is_good(const struct options *options, const char *what)
{
	if (options->argument_count == 0 || *options->arguments[0] != '\0')
		return true;
	complain("%s: %s is empty", options->command, what);
	return false;
}

static struct json_object *argument_as(const struct options *options,
				       const char *key)
{
	struct json_object *parameters = json_object_new_object();

	if (options->argument_count > 0)
		json_object_object_add(
			parameters, key,
			json_object_new_string(options->arguments[0]));
	return parameters;
}

static bool table_check(const struct options *options)
{
	return argument_is_good(options, "the name of the subnet");
}

static struct json_object *table_parameters(const struct options *options)
{
	return argument_as(options, "subnet");
}

static bool unpin_check(const struct options *options)
{
	if (!argument_is_good(options, "the destination"))
		return false;
	if (options->argument_count == 0)
		return true;
	if (explain_is_mapped("unpin", options->arguments[0]))
		return false;
	if (explain_family(options->arguments[0]) != AF_UNSPEC)
		return true;
	complain("unpin: '%s' is no address", options->arguments[0]);
	return false;
}

static struct json_object *unpin_parameters(const struct options *options)
{
	return argument_as(options, "destination");
}

/* As the daemon and the kernel's tools have it. */
static bool mptcp_check(const struct options *options)
{
	const char *token =
		options->argument_count > 0 ? options->arguments[0] : "1";
	size_t digits = strspn(token, "0123456789abcdefABCDEF");

	if (digits > 0 && digits <= TOKEN_DIGITS && token[digits] == '\0' &&
	    strspn(token, "0") < digits)
		return true;
	complain("mptcp: '%s' is no token: eight hexadecimal digits", token);
	return false;
}

static struct json_object *mptcp_parameters(const struct options *options)
{
	return argument_as(options, "token");
}

static struct json_object *wait_parameters(const struct options *options)
{
	struct json_object *parameters = json_object_new_object();

	json_object_object_add(parameters, "timeout_ms",
			       json_object_new_int(options->timeout_ms));
	return parameters;
}

static struct json_object *keep_parameters(const struct options *options)
{
	struct json_object *parameters = json_object_new_object();
	bool keep = strcmp(options->command, "confirm") == 0;

	json_object_object_add(parameters, "keep",
			       json_object_new_boolean(keep));
	return parameters;
}

const struct command commands[] = {
	{
		.name = "status",
		.summary = "what the host does now (the default)",
		.method = INTERFACE_STATUS,
		.render = render_status,
	},
	{
		.name = "subnets",
		.summary = "each subnet with addresses, rules, table, default",
		.method = INTERFACE_SUBNETS,
		.render = render_subnets,
	},
	{
		.name = "table",
		.arguments = "[SUBNET]",
		.summary = "what the tables of the subnets hold",
		.details =
			"SUBNET is a prefix, an address of this host, the name "
			"of a link or the\n"
			"number of a table; without it all managed subnets are "
			"shown. An entry that\n"
			"is not in the kernel as it is wanted is marked.\n",
		.arguments_max = 1,
		.check = table_check,
		.method = INTERFACE_TABLE,
		.replies = REPLIES_STREAM,
		.parameters = table_parameters,
		.render = render_table,
	},
	{
		.name = "bindings",
		.summary = "which router serves which prefix",
		.details = "As routers advertise it (IPv6), and as the "
			   "configuration says, which counts\n"
			   "more. It decides which router an IPv6 source may "
			   "use.\n",
		.method = INTERFACE_BINDINGS,
		.render = render_bindings,
	},
	{
		.name = "pins",
		.summary = "which running connections keep their path",
		.details = "And which wait for a path that is gone, or lost "
			   "it.\n",
		.method = INTERFACE_PINS,
		.replies = REPLIES_STREAM,
		.render = render_pins,
	},
	{
		.name = "unpin",
		.arguments = "[DST]",
		.summary = "let running connections follow the routes",
		.details = "Those to the address DST, or all of them. Behind a "
			   "NAT they break.\n",
		.arguments_max = 1,
		.check = unpin_check,
		.method = INTERFACE_UNPIN,
		.parameters = unpin_parameters,
		.render = render_unpin,
	},
	{
		.name = "mptcp",
		.arguments = "[TOKEN]",
		.summary = "MPTCP connections, subflows and endpoints",
		.details = "Of the connection with that token, or of the first "
			   "hundred. Exit status 1:\nno connection has it.\n",
		.arguments_max = 1,
		.check = mptcp_check,
		.method = INTERFACE_MPTCP,
		.parameters = mptcp_parameters,
		.render = render_mptcp,
		.verdict = verdict_mptcp,
	},
	{
		.name = "explain",
		.arguments = "[SRC] DST",
		.summary = "why a packet goes where it goes",
		.details =
			"SRC and DST are addresses; without SRC the kernel "
			"chooses one, as it does for\n"
			"a socket that is not bound. With --without it tells "
			"what would happen if that\n"
			"link went down; with --mptcp, from where a further "
			"subflow would leave.\nExit status 1: the kernel's own "
			"answer is another one.\n",
		.arguments_min = 1,
		.arguments_max = 2,
		.takes =
			OPTION_DEV | OPTION_TOS | OPTION_WITHOUT | OPTION_MPTCP,
		.check = explain_check,
		.method = INTERFACE_EXPLAIN,
		.parameters = explain_parameters,
		.render = render_explain,
		.verdict = verdict_explain,
	},
	{
		.name = "verify",
		.summary = "compare the kernel's answers with the rules",
		.details =
			"Asks the kernel about every managed subnet and every "
			"prefix: the first and the\n"
			"last address inside and the two just outside. Exit "
			"status 1: some answers are\n"
			"not what the rules say.\n",
		.method = INTERFACE_VERIFY,
		.replies = REPLIES_LAST,
		.render = render_verify,
		.verdict = verdict_verify,
	},
	{
		.name = "doctor",
		.summary = "what spoils routing by source, and how to mend it",
		.details = "Exit status 1: there is an error or a warning; "
			   "hints do not count.\n",
		.method = INTERFACE_DOCTOR,
		.render = render_doctor,
		.verdict = verdict_doctor,
	},
	{
		.name = "monitor",
		.summary = "what comes in, changes and is written, as it "
			   "happens",
		.details = "Goes on until it is interrupted.\n",
		.method = INTERFACE_MONITOR,
		.replies = REPLIES_ENDLESS,
		.render = render_monitor,
	},
	{
		.name = "metrics",
		.summary = "figures for a monitoring system (OpenMetrics)",
		.details =
			"OpenMetrics text 1.0. With --prometheus in the older "
			"format 0.0.4, which\n"
			"promtool and the textfile collector of node_exporter "
			"read.\n",
		.takes = OPTION_PROMETHEUS,
		.method = INTERFACE_METRICS,
		.render = render_metrics,
	},
	{
		.name = "reload",
		.summary = "read the configuration again",
		.details =
			"On any error the old configuration stays. With --try "
			"the old one returns after\n"
			"SECONDS unless the new one is confirmed: by Enter "
			"where this is a terminal, or\n"
			"by 'multihomectl confirm'. Exit status 1: the old one "
			"stays or is back.\n",
		.takes = OPTION_TRY,
		.method = INTERFACE_RELOAD,
		.run = trial_reload,
	},
	{
		.name = "confirm",
		.summary = "keep the configuration that is on trial",
		.method = INTERFACE_CONFIRM,
		.parameters = keep_parameters,
		.success = "The new configuration stays.",
	},
	{
		.name = "undo",
		.summary = "end the trial, back to the old configuration",
		.method = INTERFACE_CONFIRM,
		.parameters = keep_parameters,
		.success = "The old configuration is back.",
	},
	{
		.name = "wait",
		.summary = "wait until the kernel has what the daemon wants",
		.details = "Exit status 1: the time was over first.\n",
		.takes = OPTION_TIMEOUT,
		.method = INTERFACE_WAIT,
		.parameters = wait_parameters,
	},
	{
		.name = "help",
		.arguments = "[COMMAND]",
		.summary = "this text, or more about a command",
		.arguments_max = 1,
		.run = help_run,
	},
	{
		/* Words for the completion of a shell. */
		.name = "complete",
		.arguments = "links|subnets|pins|commands",
		.summary = "words of one kind, one on a line",
		.arguments_min = 1,
		.arguments_max = 1,
		.is_hidden = true,
		.run = complete_run,
	},
	{.name = NULL},
};

const struct command *command_find(const char *name)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

/* An option that was given and is not the command's; NULL: none. */
static const char *stray_option(const struct command *command,
				const struct options *options)
{
	const struct option_row *row;

	for (row = option_rows; row->name; row++)
		if (row->bit & options->given & ~command->takes)
			return row->name;
	return NULL;
}

static bool fits(const struct command *command, const struct options *options)
{
	const char *stray = stray_option(command, options);

	if (stray) {
		complain("--%s is not for %s", stray, command->name);
		return false;
	}
	if (options->argument_count > command->arguments_max) {
		complain("%s: too many arguments: %s", command->name,
			 options->arguments[command->arguments_max]);
		return false;
	}
	if (options->argument_count < command->arguments_min) {
		complain("%s: an argument is missing", command->name);
		return false;
	}
	if (options->json && options->given & OPTION_PROMETHEUS) {
		complain("%s: either --json or --prometheus", command->name);
		return false;
	}
	return !command->check || command->check(options);
}

int command_check(const struct command *command, const struct options *options)
{
	if (fits(command, options))
		return 0;
	help_usage(command, stderr);
	return -EINVAL;
}

render_fn *command_render(const struct command *command,
			  const struct options *options)
{
	if (options->given & OPTION_PROMETHEUS)
		return render_metrics_prometheus;
	return command->render;
}
