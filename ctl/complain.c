/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "complain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/interface.h"
#include "exit.h"
#include "render/render.h"
#include "render/text.h"

enum {
	LINE_MAX_BYTES = 1024
};

static const struct {
	int err;
	const char *words;
} hints[] = {
	{-ENOENT, "is multihomed running?"},
	{-ECONNREFUSED, "is multihomed running?"},
	{-EACCES, "for root and the socket's group only"},
	{-ECONNRESET, "the daemon hung up"},
	{-EPIPE, "the daemon hung up"},
	{-ETIMEDOUT, "the daemon does not answer"},
	{-EBADMSG, "this is no Varlink service"},
	{-EPROTO, "this is no Varlink service"},
};

#define HINTS (sizeof(hints) / sizeof(hints[0]))

static void put_line(const char *format, va_list arguments)
{
	struct text text = text_open(stderr);
	char line[LINE_MAX_BYTES];

	(void)vsnprintf(line, sizeof(line), format, arguments);
	text_put(&text, TEXT_PLAIN, 0, "multihomectl: ");
	text_put(&text, TEXT_PLAIN, 0, line);
	(void)fputc('\n', stderr);
}

void complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put_line(format, arguments);
	va_end(arguments);
}

void complain_hint(void)
{
	complain("try 'multihomectl --help'");
}

void complain_usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put_line(format, arguments);
	va_end(arguments);
	complain_hint();
}

int complain_daemon(const char *socket, int err)
{
	size_t i;

	for (i = 0; i < HINTS && hints[i].err != err; i++)
		continue;
	if (i < HINTS)
		complain("%s: %s (%s)", socket, strerror(-err), hints[i].words);
	else
		complain("%s: %s", socket, strerror(-err));
	return EXIT_NO_DAEMON;
}

/* What the error is about: its only parameter where that is a word. */
static const char *about(struct json_object *parameters)
{
	struct json_object_iterator first;
	struct json_object *value;
	int count;

	if (!parameters)
		return NULL;
	count = json_object_object_length(parameters);
	if (count == 0)
		return NULL;
	first = json_object_iter_begin(parameters);
	value = json_object_iter_peek_value(&first);
	if (count == 1 && json_object_is_type(value, json_type_string))
		return json_object_get_string(value);
	return json_object_to_json_string_ext(
		parameters,
		JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* What is wrong; @what: about() it, or NULL. */
static const char *words_of(const char *error, const char *what)
{
	const struct interface_error *known = interface_error_find(error);

	/* Where none was asked for, there is none to fit. */
	if (strcmp(error, INTERFACE_ERROR_NO_SUBNET) == 0 && what &&
	    *what == '\0')
		return "no subnet is managed";
	return known ? known->help : error;
}

int complain_error(const char *name, const struct varlink_reply *reply)
{
	bool is_config =
		strcmp(reply->error, INTERFACE_ERROR_CONFIG_INVALID) == 0;
	const char *what = is_config ? NULL : about(reply->parameters);
	struct text text = text_open(stderr);

	text_put(&text, TEXT_BAD, 0, name);
	text_put(&text, TEXT_PLAIN, 0, ": ");
	text_put(&text, TEXT_PLAIN, 0, words_of(reply->error, what));
	if (is_config)
		text_put(&text, TEXT_PLAIN, 0, ", the old one stays:");
	if (what && *what != '\0') {
		text_put(&text, TEXT_PLAIN, 0, ": ");
		text_put(&text, TEXT_PLAIN, 0, what);
	}
	(void)fputc('\n', stderr);
	if (is_config)
		render_config_errors(&text, reply->parameters);
	return EXIT_BAD_NEWS;
}
