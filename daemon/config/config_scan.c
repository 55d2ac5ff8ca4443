/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config_scan.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <strings.h>

#include "core/text.h"

#define BRACKETS_DEEP 16  /* our keys need 4 */
#define NAMES_MAX     256 /* in one group; we know 12 at most */
#define WORD_MAX      64  /* longer ones are cut in messages */

void config_scan_init(struct config_scan *scan, struct config_source *source,
		      struct config_error_vec *errors)
{
	struct config_bracket whole = {0};

	*scan = (struct config_scan){
		.source = source,
		.errors = errors,
		.line = 1,
	};
	vec_push(&scan->open, whole);
}

void config_scan_done(struct config_scan *scan)
{
	vec_done(&scan->open);
	vec_done(&scan->names);
}

void config_scan_emit(struct config_scan *scan, char c)
{
	vec_push(&scan->source->text, c);
	if (c == '\n')
		scan->line++;
}

/* '\0' behind the end. */
static char peek(const struct config_input *input, size_t ahead)
{
	size_t at = input->at + ahead;

	if (at >= input->text.n)
		return '\0';
	return input->text.items[at];
}

static void copy(struct config_scan *scan, struct config_input *input, size_t n)
{
	while (n-- > 0) {
		char c = input->text.items[input->at++];

		if (c == '\n')
			input->line++;
		config_scan_emit(scan, c);
	}
}

static const struct config_bracket *innermost(const struct config_scan *scan)
{
	return &scan->open.items[scan->open.n - 1];
}

static bool is_in_list(const struct config_scan *scan)
{
	char closing = innermost(scan)->closing;

	return closing == ')' || closing == ']';
}

/* Whether libconfig would take a value here. */
static bool is_value_place(const struct config_scan *scan)
{
	if (scan->last == '=' || scan->last == ':')
		return true;
	return is_in_list(scan) && strchr("([,", scan->last);
}

/* Return: whether a comment was there; it is left out, its newlines are not. */
static bool skip_comment(struct config_scan *scan, struct config_input *input)
{
	const char *text = input->text.items + input->at;
	const char *end;

	if (text[0] == '#' || (text[0] == '/' && text[1] == '/')) {
		input->at += strcspn(text, "\n");
		return true;
	}
	if (text[0] != '/' || text[1] != '*')
		return false;

	end = strstr(text + 2, "*/");
	if (!end) {
		config_complain(scan->errors, scan->line,
				"a comment is never closed: expected */");
		scan->stop = true;
		return true;
	}
	for (; text < end; text++, input->at++) {
		if (*text == '\n') {
			input->line++;
			config_scan_emit(scan, '\n');
		}
	}
	input->at += 2;
	config_scan_emit(scan, ' '); /* a comment parts words */
	return true;
}

static void scan_string(struct config_scan *scan, struct config_input *input)
{
	size_t n = 1;
	char c;

	while ((c = peek(input, n)) != '"') {
		char next = peek(input, n + 1);

		if (c == '\0' || c == '\n') {
			config_complain(scan->errors, scan->line,
					"a string is not closed on its line");
			scan->stop = true;
			return;
		}
		n += c == '\\' && (next == '"' || next == '\\') ? 2 : 1;
	}
	n++;

	if (!is_value_place(scan))
		config_complain(scan->errors, scan->line,
				"unexpected string %.*s: is a separator "
				"missing before it?",
				(int)(n < WORD_MAX ? n : WORD_MAX),
				input->text.items + input->at);
	else if (is_in_list(scan))
		vec_push(&scan->source->list_strings, scan->line);
	copy(scan, input, n);
	scan->last = '"';
}

static bool is_bool(const char *word)
{
	return strcasecmp(word, "true") == 0 || strcasecmp(word, "false") == 0;
}

static bool is_number(const char *word)
{
	char *end;

	if (isalpha((unsigned char)word[0]))
		return false; /* not "nan" */
	(void)strtod(word, &end);
	return end != word && strspn(end, "L") == strlen(end);
}

/* A number that long: nobody needs to know which one it is. */
static bool is_cut(const char *word)
{
	return strlen(word) == WORD_MAX - 1;
}

/* libconfig would keep the lowest 32 bits, and say nothing. */
static bool is_long_hex(const char *word)
{
	if (word[0] != '0' || (word[1] != 'x' && word[1] != 'X'))
		return false;
	word += 2;
	word += strspn(word, "0");
	return strspn(word, "0123456789abcdefABCDEF") > 8;
}

/* The same for a decimal number, unless an L follows it. */
static bool is_wide_decimal(const char *word)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(word, &end, 10);
	return !*end && !errno && (value < INT_MIN || value > INT_MAX);
}

static bool is_too_wide(const char *word)
{
	char *end;

	errno = 0;
	(void)strtoll(word, &end, 10);
	if (errno && strspn(end, "L") == strlen(end))
		return true;
	return is_long_hex(word) || (is_number(word) && is_cut(word));
}

/* @word: as for a message; the whole word has just been copied. */
static void end_value(struct config_scan *scan, const char *word)
{
	if (is_too_wide(word))
		config_complain(scan->errors, scan->line,
				"%s: the number is too large", word);
	else if (!is_bool(word) && !is_number(word))
		config_complain(scan->errors, scan->line,
				"a text needs quotes: \"%s\"", word);
	else if (is_wide_decimal(word))
		config_scan_emit(scan, 'L');
}

const char *config_scan_name(const char *name)
{
	size_t digits = *name == '*' ? strspn(name + 1, "0123456789") : 0;

	if (digits == 0 || name[digits + 1] != '*')
		return name;
	return name + digits + 2;
}

/*
 * So that libconfig takes it: @name is the last thing in the joined text.
 *
 * Return: how many bytes stand before it now.
 */
static size_t make_unique(struct config_scan *scan,
			  const struct config_name *name)
{
	char mark[32];
	size_t i;

	(void)snprintf(mark, sizeof(mark), "*%zu*", scan->mild);
	for (i = 0; mark[i]; i++)
		vec_insert(&scan->source->text, name->at + i, mark[i]);
	return i;
}

/* "interfaces[0].match", as errors in values have it. */
static const char *format_path(const struct config_scan *scan, const char *name,
			       char *ret, size_t size)
{
	const struct config_bracket *open = scan->open.items;
	struct text path;

	text_init(&path, ret, size);
	for (size_t i = 1; i < scan->open.n; i++) {
		if (open[i].name.len)
			text_put(&path, "%s%.*s", path.len ? "." : "",
				 (int)(open[i].name.len < 40 ? open[i].name.len
							     : 40),
				 scan->source->text.items + open[i].name.at);
		else
			text_put(&path, "[%zu]", open[i - 1].index);
	}
	text_put(&path, "%s%s", path.len ? "." : "", name);
	return ret;
}

static void complain_twice(struct config_scan *scan, const char *word,
			   unsigned int first)
{
	unsigned int line = scan->line;
	char name[256];
	const char *file = config_source_at(scan->source, &line);
	const char *first_file = config_source_at(scan->source, &first);

	(void)format_path(scan, word, name, sizeof(name));
	if (file == first_file)
		config_complain(scan->errors, scan->line,
				"%s: set twice, first on line %u", name, first);
	else
		config_complain(scan->errors, scan->line,
				"%s: set twice, first in %.100s:%u", name,
				first_file, first);
	scan->mild++;
	/* One of these after the other makes libconfig slow. */
	scan->stop = scan->errors->n > CONFIG_ERRORS_MAX;
}

/* Return: the name of the innermost group that reads like @name, or NULL. */
static const struct config_name *name_find(const struct config_scan *scan,
					   const struct config_name *name)
{
	const char *text = scan->source->text.items;
	size_t i;

	for (i = innermost(scan)->names; i < scan->names.n; i++) {
		const struct config_name *other = &scan->names.items[i];

		if (other->len == name->len &&
		    memcmp(text + other->at, text + name->at, name->len) == 0)
			return other;
	}
	return NULL;
}

/* @word: as for a message; the whole name has just been copied. */
static void note_name(struct config_scan *scan, const char *word, size_t len)
{
	struct config_name name = {
		.at = scan->source->text.n - len,
		.len = len,
		.line = scan->line,
	};
	const struct config_name *first;

	if (is_bool(word) || is_number(word))
		return; /* a syntax error, which libconfig will find */
	if (config_scan_name(word) != word)
		config_complain(scan->errors, scan->line, "%s: unknown key",
				word);
	first = name_find(scan, &name);
	if (first) {
		complain_twice(scan, word, first->line);
		scan->name = name;
		scan->name.at += make_unique(scan, &name);
		return;
	}
	if (scan->names.n - innermost(scan)->names == NAMES_MAX) {
		config_complain(scan->errors, scan->line,
				"more than %d settings in one group",
				NAMES_MAX);
		scan->stop = true;
		return;
	}
	vec_push(&scan->names, name);
	scan->name = name;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_*+-.", c));
}

static void scan_word(struct config_scan *scan, struct config_input *input)
{
	char word[WORD_MAX];
	size_t n = 0;

	while (is_word_char(peek(input, n)))
		n++;
	(void)snprintf(word, sizeof(word), "%.*s",
		       (int)(n < WORD_MAX ? n : WORD_MAX),
		       input->text.items + input->at);
	copy(scan, input, n);
	if (is_value_place(scan))
		end_value(scan, word);
	else
		note_name(scan, word, n);
	scan->last = 'w';
}

static void open_bracket(struct config_scan *scan, char closing)
{
	struct config_bracket bracket = {
		.closing = closing,
		.line = scan->line,
		.names = scan->names.n,
	};

	if (!is_in_list(scan))
		bracket.name = scan->name;

	if (scan->open.n > BRACKETS_DEEP) {
		config_complain(scan->errors, scan->line,
				"brackets are nested more than %d deep",
				BRACKETS_DEEP);
		scan->stop = true;
		return;
	}
	vec_push(&scan->open, bracket);
}

static void close_bracket(struct config_scan *scan, char c)
{
	const struct config_bracket *last = innermost(scan);

	if (last->closing == c) {
		scan->names.n = last->names;
		scan->open.n--;
		return;
	}
	if (last->closing)
		config_complain(scan->errors, scan->line,
				"expected '%c', not '%c'", last->closing, c);
	else
		config_complain(scan->errors, scan->line, "'%c' closes nothing",
				c);
	scan->stop = true;
}

static void scan_mark(struct config_scan *scan, struct config_input *input)
{
	static const char opening[] = "({[";
	static const char closing[] = ")}]";
	char c = peek(input, 0);
	const char *bracket = strchr(opening, c);

	if (bracket)
		open_bracket(scan, closing[bracket - opening]);
	else if (strchr(closing, c))
		close_bracket(scan, c);
	else if (c == ',' && is_in_list(scan))
		scan->open.items[scan->open.n - 1].index++;
	copy(scan, input, 1);
	scan->last = c;
}

void config_scan_next(struct config_scan *scan, struct config_input *input)
{
	char c = peek(input, 0);

	if (skip_comment(scan, input))
		return;
	if (isspace((unsigned char)c))
		copy(scan, input, 1);
	else if (c == '"')
		scan_string(scan, input);
	else if (is_word_char(c))
		scan_word(scan, input);
	else
		scan_mark(scan, input);
}

void config_scan_end(struct config_scan *scan)
{
	const struct config_bracket *last = innermost(scan);

	if (!scan->stop && last->closing)
		config_complain(scan->errors, last->line,
				"a bracket is never closed: expected '%c'",
				last->closing);
}
