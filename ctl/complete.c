/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "complete.h"

#include <string.h>

#include "call.h"
#include "complain.h"
#include "control/field.h"
#include "control/interface.h"
#include "exit.h"
#include "help.h"
#include "output.h"

enum {
	/* Nobody waits longer for a key. */
	COMPLETE_MS = 1000
};

static const char harmless[] = "abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789._:/@%+=,-";

static const char *word_of(struct json_object *reply, size_t i, const char *key)
{
	const char *word = field_text(field_at(reply, "subnets", i), key, "");

	return word[strspn(word, harmless)] == '\0' ? word : "";
}

static bool is_repeated(struct json_object *reply, size_t i, const char *key)
{
	const char *word = word_of(reply, i, key);

	while (i-- > 0)
		if (strcmp(word_of(reply, i, key), word) == 0)
			return true;
	return false;
}

static void put_words(struct json_object *reply, const char *key)
{
	const char *word;
	size_t i;

	for (i = 0; i < field_count(reply, "subnets"); i++) {
		word = word_of(reply, i, key);
		if (*word != '\0' && !is_repeated(reply, i, key))
			(void)puts(word);
	}
}

static int put_subnet_words(const struct options *options, const char *key)
{
	const struct varlink_call call = {.method = INTERFACE_SUBNETS};
	struct client *client = NULL;
	struct answer answer = {0};
	int code = EXIT_NO_DAEMON;

	if (client_open(options->socket, &client) < 0)
		return EXIT_NO_DAEMON;
	if (call_ask(client, &call, COMPLETE_MS, &answer) == 0) {
		put_words(answer.reply.parameters, key);
		code = answer.reply.error ? EXIT_BAD_NEWS : EXIT_FINE;
	}
	answer_done(&answer);
	client_free(client);
	return code;
}

/* The destinations of the first reply: nobody reads more of them. */
static int put_pin_words(const struct options *options)
{
	const struct varlink_call call = {.method = INTERFACE_PINS,
					  .more = true};
	struct client *client = NULL;
	struct answer answer = {0};
	size_t i;
	int code = EXIT_NO_DAEMON;

	if (client_open(options->socket, &client) < 0)
		return EXIT_NO_DAEMON;
	if (call_ask(client, &call, COMPLETE_MS, &answer) == 0) {
		for (i = 0; i < field_count(answer.reply.parameters, "pins");
		     i++)
			(void)puts(field_text(
				field_at(answer.reply.parameters, "pins", i),
				"destination", ""));
		code = answer.reply.error ? EXIT_BAD_NEWS : EXIT_FINE;
	}
	answer_done(&answer);
	client_free(client);
	return code;
}

static int put_command_words(void)
{
	const struct command *command;

	for (command = commands; command->name; command++)
		if (!command->is_hidden)
			(void)puts(command->name);
	return EXIT_FINE;
}

int complete_run(const struct command *command, const struct options *options)
{
	const char *kind = options->arguments[0];
	int code = EXIT_USAGE;

	if (strcmp(kind, "links") == 0) {
		code = put_subnet_words(options, "link");
	} else if (strcmp(kind, "subnets") == 0) {
		code = put_subnet_words(options, "prefix");
	} else if (strcmp(kind, "pins") == 0) {
		code = put_pin_words(options);
	} else if (strcmp(kind, "commands") == 0) {
		code = put_command_words();
	} else {
		complain("complete: no such kind of words: %s", kind);
		help_usage(command, stderr);
	}
	return output_flush() ? EXIT_BAD_NEWS : code;
}
