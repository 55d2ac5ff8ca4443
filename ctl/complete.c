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

static void put_subnets(struct json_object *reply, const char *key)
{
	const char *word;
	size_t i;

	for (i = 0; i < field_count(reply, "subnets"); i++) {
		word = word_of(reply, i, key);
		if (*word != '\0' && !is_repeated(reply, i, key))
			(void)puts(word);
	}
}

/* Of the first reply: nobody reads more of them. */
static void put_pins(struct json_object *reply, const char *key)
{
	size_t i;

	for (i = 0; i < field_count(reply, "pins"); i++)
		(void)puts(field_text(field_at(reply, "pins", i), key, ""));
}

/* Where words come from. */
struct source {
	const char *kind;
	const char *method;
	bool more;
	void (*put)(struct json_object *reply, const char *key);
	const char *key; /* the member that is the word */
};

static const struct source sources[] = {
	{"links", INTERFACE_SUBNETS, false, put_subnets, "link"},
	{"subnets", INTERFACE_SUBNETS, false, put_subnets, "prefix"},
	{"pins", INTERFACE_PINS, true, put_pins, "destination"},
};

static const struct source *find_source(const char *kind)
{
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (strcmp(sources[i].kind, kind) == 0)
			return &sources[i];
	return NULL;
}

static int put_words(const struct options *options, const struct source *source)
{
	const struct varlink_call call = {.method = source->method,
					  .more = source->more};
	struct client *client = NULL;
	struct answer answer = {0};
	int code = EXIT_NO_DAEMON;

	if (client_open(options->socket, &client) < 0)
		return EXIT_NO_DAEMON;
	if (call_ask(client, &call, COMPLETE_MS, &answer) == 0) {
		source->put(answer.reply.parameters, source->key);
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
	const struct source *source = find_source(kind);
	int code = EXIT_USAGE;

	if (source) {
		code = put_words(options, source);
	} else if (strcmp(kind, "commands") == 0) {
		code = put_command_words();
	} else {
		complain("complete: no such kind of words: %s", kind);
		help_usage(command, stderr);
	}
	return output_end(code);
}
