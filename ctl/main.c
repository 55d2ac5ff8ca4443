/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * multihomectl - ask the daemon, and show what it says.
 *
 * One command is one call: its row in the table names the method, makes the
 * parameters from the command line and shows the answer.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "control/interface.h"
#include "render.h"
#include "text.h"

enum exit_code {
	EXIT_FINE = 0,
	EXIT_BAD_NEWS = 1,
	EXIT_USAGE = 2,
	EXIT_NO_DAEMON = 3,
};

enum {
	ANSWER_MS = 30000,	/* how long the daemon may think */
	GRACE_MS = 10000,	/* for its own timeout to reach us */
	WAIT_MS = 30000,	/* how long wait waits by default */
	WAIT_MAX_S = 24 * 3600, /* what the daemon accepts */
};

struct options {
	const char *socket;
	bool json;
	bool has_timeout;
	int timeout_ms;
};

struct command {
	const char *name;
	const char *help;
	const char *method;
	bool takes_timeout;
	/* A new object; NULL: the method has no parameters. */
	struct json_object *(*parameters)(const struct options *options);
	/* NULL: success needs no words. */
	void (*render)(const struct text *text, struct json_object *reply);
};

static struct json_object *wait_parameters(const struct options *options)
{
	struct json_object *parameters = json_object_new_object();

	if (parameters)
		json_object_object_add(
			parameters, "timeout_ms",
			json_object_new_int(options->timeout_ms));
	return parameters;
}

static const struct command commands[] = {
	{"status", "what the host does now (the default)", INTERFACE_STATUS,
	 false, NULL, render_status},
	{"wait", "wait until the kernel has what the daemon wants",
	 INTERFACE_WAIT, true, wait_parameters, NULL},
	{"reload", "read the configuration again", INTERFACE_RELOAD, false,
	 NULL, NULL},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	size_t i;

	(void)fputs("usage: multihomectl [OPTIONS] [COMMAND]\n\ncommands:\n",
		    out);
	for (i = 0; i < COMMANDS; i++)
		(void)fprintf(out, "  %-17s %s\n", commands[i].name,
			      commands[i].help);
	(void)fputs("  help              this text\n"
		    "\n"
		    "options:\n"
		    "  -s, --socket PATH the daemon's control socket\n"
		    "                    (" INTERFACE_SOCKET ")\n"
		    "  --json            the answer as JSON\n"
		    "  --timeout SECONDS for wait: how long (30)\n"
		    "  -h, --help        this text\n"
		    "  --version         this program's version\n"
		    "\n"
		    "exit status: 0 fine, 1 bad news, 2 usage, 3 no daemon\n",
		    out);
}

static const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int usage_hint(void)
{
	(void)fputs("multihomectl: try 'multihomectl --help'\n", stderr);
	return EXIT_USAGE;
}

static int usage(const char *what, const char *value)
{
	(void)fprintf(stderr, "multihomectl: %s%s\n", what, value);
	return usage_hint();
}

static void print_json(struct json_object *object)
{
	(void)puts(json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
				JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* The daemon did not answer. */
static int complain(const struct options *options, int err)
{
	const char *hint = "";

	if (err == -ENOENT || err == -ECONNREFUSED)
		hint = " (is multihomed running?)";
	else if (err == -EACCES)
		hint = " (for root and the socket's group only)";
	else if (err == -ECONNRESET)
		hint = " (the daemon hung up)";
	else if (err == -ETIMEDOUT)
		hint = " (the daemon does not answer)";
	else if (err == -EBADMSG || err == -EPROTO)
		hint = " (this is no Varlink service)";
	(void)fprintf(stderr, "multihomectl: %s: %s%s\n", options->socket,
		      strerror(-err), hint);
	return EXIT_NO_DAEMON;
}

/* The daemon answered with an error. */
static int show_error(const struct command *command,
		      const struct varlink_reply *reply)
{
	const struct interface_error *known =
		interface_error_find(reply->error);
	struct text text = text_open(stderr);

	text_put(&text, TEXT_BAD, 0, command->name);
	text_put(&text, TEXT_PLAIN, 0, ": ");
	text_put(&text, TEXT_PLAIN, 0, known ? known->help : reply->error);
	if (strcmp(reply->error, INTERFACE_ERROR_CONFIG_INVALID) == 0) {
		(void)fputs(", the old one stays:\n", stderr);
		render_config_errors(&text, reply->parameters);
		return EXIT_BAD_NEWS;
	}
	if (reply->parameters &&
	    json_object_object_length(reply->parameters) > 0) {
		text_put(&text, TEXT_PLAIN, 0, " ");
		text_put(&text, TEXT_PLAIN, 0,
			 json_object_to_json_string_ext(
				 reply->parameters,
				 JSON_C_TO_STRING_SPACED |
					 JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	(void)fputc('\n', stderr);
	return EXIT_BAD_NEWS;
}

static int show_reply(const struct options *options,
		      const struct command *command,
		      const struct varlink_reply *reply,
		      struct json_object *message)
{
	struct text text = text_open(stdout);

	if (reply->error) {
		if (options->json)
			print_json(message);
		return show_error(command, reply);
	}
	if (options->json) {
		if (reply->parameters)
			print_json(reply->parameters);
		else
			(void)puts("{}");
	} else if (command->render) {
		command->render(&text, reply->parameters);
	}
	return EXIT_FINE;
}

static int ask(struct client *client, const struct options *options,
	       const struct command *command)
{
	struct varlink_call call = {.method = command->method};
	struct varlink_reply reply = {0};
	struct json_object *message = NULL;
	int timeout_ms = ANSWER_MS;
	int code;
	int err;

	if (command->takes_timeout)
		timeout_ms = options->timeout_ms + GRACE_MS;
	if (command->parameters)
		call.parameters = command->parameters(options);
	err = client_send(client, &call);
	json_object_put(call.parameters);
	if (!err)
		err = client_receive(client, timeout_ms, &reply, &message);
	if (err)
		return complain(options, err);

	code = show_reply(options, command, &reply, message);
	json_object_put(message);
	return code;
}

static int run(const struct options *options, const struct command *command)
{
	struct client *client = NULL;
	int code;
	int err;

	err = client_open(options->socket, &client);
	if (err)
		return complain(options, err);
	code = ask(client, options, command);
	client_free(client);

	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)fprintf(stderr, "multihomectl: cannot write: %s\n",
			      strerror(errno));
		return EXIT_BAD_NEWS;
	}
	return code;
}

static bool parse_timeout(const char *value, struct options *options)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end != '\0' || isnan(seconds) || seconds < 0 ||
	    seconds > WAIT_MAX_S)
		return false;
	options->has_timeout = true;
	options->timeout_ms = (int)(seconds * 1000);
	return true;
}

/* Return: true to go on; else the program ends with @ret_code. */
static bool take_option(int option, struct options *options, int *ret_code)
{
	*ret_code = EXIT_FINE;
	switch (option) {
	case 's':
		options->socket = optarg;
		return true;
	case 'j':
		options->json = true;
		return true;
	case 't':
		if (parse_timeout(optarg, options))
			return true;
		*ret_code = usage("no number of seconds up to a day: ", optarg);
		return false;
	case 'h':
		print_help(stdout);
		return false;
	case 'V':
		(void)puts("multihomectl " MULTIHOMED_VERSION);
		return false;
	default:
		/* getopt has said what is wrong. */
		*ret_code = usage_hint();
		return false;
	}
}

static int take_command(int argc, char **argv, const struct options *options)
{
	const char *name = optind < argc ? argv[optind] : "status";
	const struct command *command = command_find(name);

	if (strcmp(name, "help") == 0) {
		print_help(stdout);
		return EXIT_FINE;
	}
	if (!command)
		return usage("no such command: ", name);
	if (optind + 1 < argc)
		return usage("too many arguments: ", argv[optind + 1]);
	if (options->has_timeout && !command->takes_timeout)
		return usage("--timeout is not for ", name);
	return run(options, command);
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"timeout", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	struct options options = {
		.socket = INTERFACE_SOCKET,
		.timeout_ms = WAIT_MS,
	};
	int option;
	int code;

	while ((option = getopt_long(argc, argv, "s:h", names, NULL)) != -1)
		if (!take_option(option, &options, &code))
			return code;
	return take_command(argc, argv, &options);
}
