/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "complain.h"
#include "exit.h"
#include "render/text.h"

enum {
	LINE_MAX_BYTES = 256
};

static void put_json(struct json_object *object, int flags)
{
	/* An empty object has two lines in json-c's pretty form. */
	if (!object || (json_object_is_type(object, json_type_object) &&
			json_object_object_length(object) == 0))
		(void)puts("{}");
	else
		(void)puts(json_object_to_json_string_ext(
			object, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void output_json(struct json_object *object)
{
	put_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

void output_json_line(struct json_object *object)
{
	put_json(object, JSON_C_TO_STRING_PLAIN);
}

bool output_is_unread(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

int output_flush(void)
{
	int err;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	err = -errno;
	/* An earlier write may have been the one that found the pipe closed. */
	if (err == -EPIPE || output_is_unread())
		return -EPIPE;
	/* Of an earlier write nobody knows why it failed. */
	if (err)
		complain("cannot write: %s", strerror(-err));
	else
		complain("cannot write all of it (is the disk full?)");
	return err ? err : -EIO;
}

int output_end(int code)
{
	int err = output_flush();

	return err && err != -EPIPE ? EXIT_BAD_NEWS : code;
}

static void fill(const struct output_line *line, int width)
{
	if (width > 0)
		(void)fprintf(line->out, "%*s", width, "");
}

void output_line_show(struct output_line *line, const char *format, ...)
{
	char bytes[LINE_MAX_BYTES];
	va_list arguments;
	int width;

	va_start(arguments, format);
	(void)vsnprintf(bytes, sizeof(bytes), format, arguments);
	va_end(arguments);

	width = text_width(bytes);
	(void)fprintf(line->out, "\r%s", bytes);
	/* Blanks, not an escape sequence: some terminals know none. */
	fill(line, line->width - width);
	(void)fflush(line->out);
	line->width = width;
}

void output_line_clear(struct output_line *line)
{
	if (line->width == 0)
		return;
	(void)fputc('\r', line->out);
	fill(line, line->width);
	(void)fputc('\r', line->out);
	(void)fflush(line->out);
	line->width = 0;
}
