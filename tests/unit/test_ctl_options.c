/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line of multihomectl: what is taken, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "control/interface.h"
#include "help.h"
#include "options.h"
#include "verdict.h"

enum {
	WORDS_MAX = 8,
	LINE_BYTES = 128,
};

/* A command line as argv: getopt puts it in another order. */
struct line {
	char bytes[LINE_BYTES];
	char *argv[WORDS_MAX + 2];
	int argc;
};

static void split(const char *words, struct line *line)
{
	static char name[] = "multihomectl";
	char *at = NULL;
	char *word;

	*line = (struct line){.argv = {name}, .argc = 1};
	(void)snprintf(line->bytes, sizeof(line->bytes), "%s", words);
	for (word = strtok_r(line->bytes, " ", &at); word;
	     word = strtok_r(NULL, " ", &at)) {
		assert_true(line->argc <= WORDS_MAX);
		line->argv[line->argc++] = word;
	}
}

/* The parameters a command line asks with; "-" for none, "!" when refused. */
static void parameters_of(const char *words, char *ret, size_t size)
{
	const struct command *command;
	struct json_object *parameters;
	struct options options;
	struct line line;

	(void)snprintf(ret, size, "!");
	split(words, &line);
	if (options_parse(line.argc, line.argv, &options) < 0)
		return;
	command = command_find(options.command);
	if (!command || command_check(command, &options) < 0)
		return;
	(void)snprintf(ret, size, "-");
	if (!command->parameters)
		return;
	parameters = command->parameters(&options);
	(void)snprintf(ret, size, "%s",
		       json_object_to_json_string_ext(
			       parameters, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(parameters);
}

static const struct {
	const char *words;
	const char *parameters;
	const char *why;
} command_lines[] = {
	{"", "-", "status is the default"},
	{"status", "-", "or named"},
	{"--json status", "-", "an option before"},
	{"status --json", "-", "an option behind"},
	{"table", "{}", "all"},
	{"table 10.1.0.0/24", "{\"subnet\":\"10.1.0.0/24\"}", "one"},
	{"explain ::1", "{\"destination\":\"::1\"}", "no source"},
	{"explain 192.0.2.1 192.0.2.9",
	 "{\"source\":\"192.0.2.1\",\"destination\":\"192.0.2.9\"}", "both"},
	{"explain --tos 8 ::1 --dev a",
	 "{\"destination\":\"::1\",\"dev\":\"a\",\"tos\":8}",
	 "options on both sides"},
	{"explain ::1 --tos 0xfc",
	 "{\"destination\":\"::1\",\"tos\":"
	 "252}",
	 "as ip(8) writes it"},
	{"unpin", "{}", "all"},
	{"unpin 192.0.2.9", "{\"destination\":\"192.0.2.9\"}", "one"},
	{"mptcp", "{}", "all"},
	{"mptcp 0012abCD", "{\"token\":\"0012abCD\"}", "one"},
	{"explain ::1 --without eth1",
	 "{\"destination\":\"::1\",\"without\":\"eth1\"}", "what if"},
	{"explain -- ::1", "{\"destination\":\"::1\"}", "end of them"},
	{"confirm", "{\"keep\":true}", "the new one"},
	{"undo", "{\"keep\":false}", "the old one"},
	{"wait", "{\"timeout_ms\":30000}", "the default"},
	{"wait --timeout 0", "{\"timeout_ms\":0}", "now or never"},
	{"wait --timeout 86400", "{\"timeout_ms\":86400000}", "a day"},
	{"metrics --prometheus", "-", "the older form"},
	{"reload --try 86400", "-", "a day"},

	{"stat", "!", "no such command"},
	{"status now", "!", "it takes none"},
	{"table a b", "!", "one too many"},
	{"explain", "!", "no destination"},
	{"explain 192.0.2.1 192.0.2.2 192.0.2.3", "!", "three"},
	{"explain www.example.org", "!", "a name"},
	{"explain 192.0.2.1 eth0", "!", "a link"},
	{"explain 192.0.2.0/24", "!", "a prefix"},
	{"explain 10.1", "!", "the kernel's short form"},
	{"explain fe80::1%eth0", "!", "a scope"},
	{"explain 192.0.2.1 ::1", "!", "two families"},
	{"explain ::1 --tos 256", "!", "above a byte"},
	{"explain ::1 --tos -1", "!", "below 0"},
	{"explain ::1 --tos 0x", "!", "no digits"},
	{"explain ::1 --tos 1x", "!", "and more"},
	{"explain ::1 --tos 3", "!", "the bits of ECN"},
	{"explain ::1 --dev", "!", "no value"},
	{"explain ::1 --dev a --without b", "!", "one or the other"},
	{"unpin www.example.org", "!", "a name"},
	{"unpin 192.0.2.0/24", "!", "a prefix"},
	{"mptcp zz", "!", "no digits"},
	{"mptcp 123456789", "!", "too many digits"},
	{"mptcp 0", "!", "the kernel gives no such token"},
	{"status --dev eth0", "!", "another command's"},
	{"table --timeout 5", "!", "another command's"},
	{"reload --try 0", "!", "no time at all"},
	{"reload --try 86401", "!", "above a day"},
	{"reload --try 1.5", "!", "whole seconds"},
	{"wait --timeout nan", "!", "no number"},
	{"wait --timeout -1", "!", "below 0"},
	{"wait --timeout 86401", "!", "above a day"},
	{"wait --timeout 5s", "!", "and more"},
	{"metrics --prometheus --json", "!", "one form or the other"},
	{"--nonsense", "!", "no such option"},
};

static void command_lines_become_parameters(void **state)
{
	char parameters[LINE_BYTES];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(command_lines) / sizeof(command_lines[0]); i++) {
		parameters_of(command_lines[i].words, parameters,
			      sizeof(parameters));
		if (strcmp(parameters, command_lines[i].parameters) != 0)
			fail_msg("'%s' (%s): %s", command_lines[i].words,
				 command_lines[i].why, parameters);
	}
}

static void options_are_what_was_given(void **state)
{
	struct options options;
	struct line line;

	(void)state;
	split("-s /x reload --try 60", &line);
	assert_int_equal(options_parse(line.argc, line.argv, &options), 0);
	assert_string_equal(options.socket, "/x");
	assert_int_equal(options.given, OPTION_TRY);
	assert_int_equal(options.try_seconds, 60);
	assert_false(options.json);
	assert_true(options.names_command);

	split("--help", &line);
	assert_int_equal(options_parse(line.argc, line.argv, &options), 0);
	assert_string_equal(options.socket, INTERFACE_SOCKET);
	assert_string_equal(options.command, "status");
	assert_true(options.help);
	assert_false(options.names_command);
}

/* What the table says of a method is what the interface knows. */
static void commands_ask_for_methods_that_are(void **state)
{
	const struct interface_method *method;
	const struct command *command;
	struct json_object *parameters;
	static char word[] = "192.0.2.1";
	char *arguments[] = {word, word, NULL};
	struct options options = {.arguments = arguments};

	(void)state;
	for (command = commands; command->name; command++) {
		assert_ptr_equal(command_find(command->name), command);
		assert_true(command->method || command->run);
		if (!command->method)
			continue;
		method = interface_method_find(command->method);
		assert_non_null(method);
		if (!command->parameters)
			continue;
		options.command = command->name;
		options.given = command->takes;
		options.argument_count = command->arguments_max;
		parameters = command->parameters(&options);
		assert_null(varlink_check(method->params, parameters));
		json_object_put(parameters);
	}
}

/* The help names every command and option, and fits the screen. */
static void help_is_complete_and_narrow(void **state)
{
	const struct command *command;
	const struct option_row *row;
	char *page = NULL;
	char *rest;
	char *text;
	size_t len = 0;
	FILE *out = open_memstream(&page, &len);

	(void)state;
	assert_non_null(out);
	help_print(out);
	for (command = commands; command->name; command++)
		help_command(command, out);
	assert_int_equal(fclose(out), 0);

	for (command = commands; command->name; command++)
		assert_non_null(strstr(page, command->name));
	for (row = option_rows; row->name; row++)
		assert_non_null(strstr(page, row->name));
	for (text = strtok_r(page, "\n", &rest); text;
	     text = strtok_r(NULL, "\n", &rest))
		if (strlen(text) > TEXT_COLUMNS)
			fail_msg("wide: %s", text);
	free(page);
}

static void verdicts_of_odd_replies_are_fine(void **state)
{
	static const char *const replies[] = {
		"null",
		"{}",
		"[]",
		"{\"found\":\"many\",\"agrees\":1,\"findings\":7}",
		"{\"found\":0,\"agrees\":true,\"findings\":[]}",
	};
	struct json_object *reply;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		reply = json_tokener_parse(replies[i]);
		assert_int_equal(verdict_verify(reply), 0);
		assert_int_equal(verdict_explain(reply), 0);
		assert_int_equal(verdict_doctor(reply), 0);
		json_object_put(reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines_become_parameters),
		cmocka_unit_test(options_are_what_was_given),
		cmocka_unit_test(commands_ask_for_methods_that_are),
		cmocka_unit_test(help_is_complete_and_narrow),
		cmocka_unit_test(verdicts_of_odd_replies_are_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
