/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config_source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config_scan.h"

#define BYTES_MAX     (4u << 20) /* ten thousand routes take 700 KiB */
#define FILES_MAX     100
#define INCLUDES_DEEP 10

void config_complain(struct config_error_vec *errors, unsigned int line,
		     const char *format, ...)
{
	struct config_error error = {.line = line};
	size_t at = errors->n;
	va_list args;

	if (errors->n > CONFIG_ERRORS_MAX)
		return;
	if (errors->n == CONFIG_ERRORS_MAX) {
		(void)snprintf(error.message, sizeof(error.message),
			       "more errors follow");
		vec_push(errors, error);
		return;
	}

	va_start(args, format);
	(void)vsnprintf(error.message, sizeof(error.message), format, args);
	va_end(args);
	while (at > 0 && errors->items[at - 1].line > line)
		at--;
	vec_insert(errors, at, error);
}

/* --- reading files --- */

static int read_all(int fd, size_t max, struct char_vec *text)
{
	char part[16384];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0) {
		ssize_t i;

		if (text->n + (size_t)n > max)
			return -EFBIG;
		if (memchr(part, '\0', (size_t)n))
			return -EILSEQ;
		for (i = 0; i < n; i++)
			vec_push(text, part[i]);
	}
	if (n < 0)
		return -errno;
	vec_push(text, '\0');
	text->n--;
	return 0;
}

static int read_file(const char *path, size_t max, struct char_vec *text)
{
	/* O_NONBLOCK: to open a pipe must not mean to wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		r = -errno;
	else if (S_ISDIR(status.st_mode))
		r = -EISDIR;
	else if (!S_ISREG(status.st_mode))
		r = -ENOTSUP;
	else
		r = read_all(fd, max, text);
	(void)close(fd);
	return r;
}

static const char *why_unread(int error)
{
	switch (error) {
	case -ENOTSUP:
		return "not a regular file";
	case -EFBIG:
		return "the config is larger than 4 MiB";
	case -EILSEQ:
		return "not a text: it has a NUL byte";
	default:
		return strerror(-error);
	}
}

/* Some editors write one before a UTF-8 text, and show nothing of it. */
static void drop_byte_order_mark(struct char_vec *text)
{
	static const char mark[] = "\xef\xbb\xbf";
	const size_t len = sizeof(mark) - 1;

	if (text->n < len || memcmp(text->items, mark, len) != 0)
		return;
	/* With the NUL behind the text. */
	memmove(text->items, text->items + len, text->n - len + 1);
	text->n -= len;
}

/* @line: where to complain */
static int input_open(struct config_scan *scan, const char *path,
		      unsigned int line, struct config_input *ret)
{
	struct config_source *source = scan->source;
	struct config_input input = {.line = 1, .file = source->files.n};
	struct config_file file;
	int r = read_file(path, BYTES_MAX - scan->bytes, &input.text);

	if (r < 0) {
		config_complain(scan->errors, line, "cannot read %.120s: %s",
				path, why_unread(r));
		vec_done(&input.text);
		return r;
	}
	drop_byte_order_mark(&input.text);
	scan->bytes += input.text.n;
	(void)snprintf(file.name, sizeof(file.name), "%s", path);
	vec_push(&source->files, file);
	*ret = input;
	return 0;
}

/* --- includes --- */

static bool is_first_on_line(const struct config_input *input)
{
	const char *text = input->text.items;
	size_t at = input->at;

	while (at > 0 && isblank((unsigned char)text[at - 1]))
		at--;
	return at == 0 || text[at - 1] == '\n';
}

/*
 * The name in the @include that @input is at; @input is then behind it.
 *
 * Return: its length, borrowed from @input in @ret; 0: it is not well-formed.
 */
static size_t include_name(struct config_input *input, const char **ret)
{
	static const char word[] = "@include";
	const char *text = input->text.items + input->at;
	const char *name;
	size_t len;

	if (!is_first_on_line(input) ||
	    strncmp(text, word, sizeof(word) - 1) != 0)
		return 0;
	text += sizeof(word) - 1;
	name = text + strspn(text, " \t");
	if (name == text || *name != '"')
		return 0;
	name++;
	len = strcspn(name, "\"\n");
	if (name[len] != '"')
		return 0;
	input->at = (size_t)(name - input->text.items) + len + 1;
	*ret = name;
	return len;
}

/* A relative name is relative to the folder of the file that has it. */
static int include_path(struct config_scan *scan, struct config_input *input,
			struct config_file *ret)
{
	const char *from = scan->source->files.items[input->file].name;
	const char *slash = strrchr(from, '/');
	const char *name = "";
	size_t len = include_name(input, &name);
	int folder = 0;
	int n;

	if (len == 0) {
		config_complain(scan->errors, scan->line,
				"expected a line @include \"FILE\"");
		return -EINVAL;
	}
	if (name[0] != '/' && slash)
		folder = (int)(slash - from) + 1;
	n = snprintf(ret->name, sizeof(ret->name), "%.*s%.*s", folder, from,
		     (int)len, name);
	if (n < (int)sizeof(ret->name))
		return 0;
	config_complain(scan->errors, scan->line,
			"@include: the name is longer than 255 bytes");
	return -ENAMETOOLONG;
}

static int include_open(struct config_scan *scan, struct config_input *input,
			struct config_input *ret)
{
	struct config_file path;
	int r = include_path(scan, input, &path);

	if (r < 0)
		return r;
	if (input->depth == INCLUDES_DEEP ||
	    scan->source->files.n == FILES_MAX) {
		config_complain(scan->errors, scan->line,
				"@include: more than %d files, or %d deep",
				FILES_MAX, INCLUDES_DEEP);
		scan->stop = true;
		return -ELOOP;
	}
	r = input_open(scan, path.name, scan->line, ret);
	if (r == 0)
		ret->depth = input->depth + 1;
	return r;
}

/* --- the joined text --- */

static void begin_stretch(struct config_scan *scan,
			  const struct config_input *input)
{
	struct config_stretch stretch = {
		.at = scan->line,
		.file = input->file,
		.line = input->line,
	};

	vec_push(&scan->source->stretches, stretch);
}

static void end_file(struct config_scan *scan, struct config_input *input)
{
	vec_done(&input->text);
	config_scan_emit(scan, '\n');
}

/* @first: taken. Files that wait for one they include stand on a stack. */
static void join(struct config_scan *scan, const struct config_input *first)
{
	struct config_input stack[INCLUDES_DEEP + 1];
	size_t n = 1;

	stack[0] = *first;
	begin_stretch(scan, first);
	while (n > 0) {
		struct config_input *input = &stack[n - 1];

		if (scan->stop || input->at == input->text.n) {
			end_file(scan, input);
			n--;
			if (n > 0)
				begin_stretch(scan, &stack[n - 1]);
		} else if (input->text.items[input->at] != '@') {
			config_scan_next(scan, input);
		} else if (include_open(scan, input, &stack[n]) == 0) {
			begin_stretch(scan, &stack[n]);
			n++;
		} else {
			input->at +=
				strcspn(input->text.items + input->at, "\n");
		}
	}
}

int config_source_read(const char *path, struct config_source *ret,
		       struct config_error_vec *errors)
{
	struct config_scan scan;
	struct config_input first;
	size_t n_errors = errors->n;
	bool is_sound = false;
	int r;

	*ret = (struct config_source){0};
	config_scan_init(&scan, ret, errors);
	r = input_open(&scan, path, 0, &first);
	if (r == 0) {
		join(&scan, &first);
		config_scan_end(&scan);
		is_sound = errors->n - n_errors == scan.mild &&
			   errors->n <= CONFIG_ERRORS_MAX;
	}
	config_scan_done(&scan);
	vec_push(&ret->text, '\0');
	ret->text.n--;
	if (r == -ENOENT)
		return r;
	return is_sound ? 0 : -EINVAL;
}

void config_source_done(struct config_source *source)
{
	vec_done(&source->text);
	vec_done(&source->files);
	vec_done(&source->stretches);
	vec_done(&source->list_strings);
}

/* --- where things stand --- */

const char *config_source_at(const struct config_source *source,
			     unsigned int *line)
{
	size_t i = source->stretches.n;
	const struct config_stretch *stretch;

	while (i > 0 && source->stretches.items[i - 1].at > *line)
		i--;
	if (i == 0)
		return "";
	stretch = &source->stretches.items[i - 1];
	*line += stretch->line - stretch->at;
	return source->files.items[stretch->file].name;
}

void config_source_locate(const struct config_source *source,
			  struct config_error_vec *errors)
{
	struct config_error *error;

	vec_foreach(errors, error) {
		(void)snprintf(error->file, sizeof(error->file), "%s",
			       config_source_at(source, &error->line));
	}
}

unsigned int config_source_last(const struct config_source *source)
{
	const char *text = source->text.items;
	size_t n = source->text.n;
	unsigned int line = 1;

	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++)
		line += text[i] == '\n';
	return line;
}

const char *config_source_line(const struct config_source *source,
			       unsigned int line, char *text, size_t size)
{
	const char *at = source->text.items;
	size_t len;

	while (line-- > 1 && *at) {
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	at += strspn(at, " \t");
	len = strcspn(at, "\n");
	while (len > 0 && isspace((unsigned char)at[len - 1]))
		len--;
	(void)snprintf(text, size, "%.*s", (int)(len < size ? len : size), at);
	/* What an editor does not show is what was overlooked. */
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c) && *c != '\t')
			*c = '?';
	return text;
}
