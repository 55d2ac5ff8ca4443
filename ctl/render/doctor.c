/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What doctor found, the worst first. Commands stand on lines of their own and
 * are not broken, however long they are: they are there to be copied.
 */
#include "render/render.h"

#include <stdlib.h>
#include <string.h>

#include "control/field.h"
#include "render/phrase.h"

enum {
	INDENT = 2,
	FIX_INDENT = 6,
};

static const struct severity {
	const char *key;
	const char *noun;
	enum text_style style;
	const char *heading;
} severities[] = {
	{"error", "error", TEXT_BAD,
	 "Errors: packets are lost or leave by the wrong path."},
	{"warning", "warning", TEXT_WARN,
	 "Warnings: that will happen when something else does."},
	{"hint", "hint", TEXT_HEAD, "Hints: worth knowing."},
	{NULL, "other finding", TEXT_WARN,
	 "Other findings: this program does not know how bad they are."},
};

#define SEVERITIES (sizeof(severities) / sizeof(severities[0]))

static const struct severity *severity_of(struct json_object *finding)
{
	const char *key = field_text(finding, "severity", "");
	const struct severity *severity = severities;

	while (severity->key && strcmp(severity->key, key) != 0)
		severity++;
	return severity;
}

static int64_t count_of(struct json_object *reply,
			const struct severity *severity)
{
	int64_t count = 0;
	size_t i;

	for (i = 0; i < field_count(reply, "findings"); i++)
		if (severity_of(field_at(reply, "findings", i)) == severity)
			count++;
	return count;
}

static const char *text_at(struct json_object *object, const char *key,
			   size_t i)
{
	struct json_object *value = field_at(object, key, i);

	return value ? json_object_get_string(value) : "?";
}

/* A line feed ends a line here too; whatever else steers is replaced. */
static void put_fix(const struct text *text, const char *fix)
{
	char *copy = strdup(fix);
	char *rest = copy;
	char *line;

	while (rest && *rest) {
		line = strsep(&rest, "\n");
		text_put(text, TEXT_PLAIN, *line ? FIX_INDENT : 0, "");
		text_put(text, TEXT_PLAIN, 0, line);
		(void)fputc('\n', text->out);
	}
	free(copy);
}

static void put_finding(const struct text *text,
			const struct severity *severity,
			struct json_object *finding)
{
	const char *subject = field_text(finding, "subject", "");
	const char *breaks = field_text(finding, "breaks", "");
	size_t i;

	(void)fputc('\n', text->out);
	text_say(text, severity->style, 0, "%s%s%s",
		 field_text(finding, "id", "?"), *subject ? ": " : "", subject);
	text_say(text, TEXT_PLAIN, INDENT, "%s",
		 field_text(finding, "what", "?"));
	if (*breaks)
		text_say(text, TEXT_PLAIN, INDENT, "Effect: %s", breaks);
	if (field_count(finding, "fix") > 0)
		text_say(text, TEXT_PLAIN, INDENT, "To mend it:");
	for (i = 0; i < field_count(finding, "fix"); i++)
		put_fix(text, text_at(finding, "fix", i));
}

static void put_findings(const struct text *text, struct json_object *reply,
			 const struct severity *severity)
{
	struct json_object *finding;
	size_t i;

	if (count_of(reply, severity) == 0)
		return;
	(void)fputc('\n', text->out);
	text_wrap_styled(text, severity->style, 0, severity->heading);
	for (i = 0; i < field_count(reply, "findings"); i++) {
		finding = field_at(reply, "findings", i);
		if (severity_of(finding) == severity)
			put_finding(text, severity, finding);
	}
}

/* "12 checks: 1 error, 2 hints." */
static void put_summary(const struct text *text, struct json_object *reply)
{
	const char *separator = ": ";
	struct phrase count;
	int64_t found;
	size_t i;

	text_put(text, TEXT_HEAD, 0,
		 phrase_count((int64_t)field_count(reply, "checks"), "check",
			      &count));
	for (i = 0; i < SEVERITIES; i++) {
		found = count_of(reply, &severities[i]);
		if (found == 0)
			continue;
		text_put(text, TEXT_PLAIN, 0, separator);
		text_put(text, severities[i].style, 0,
			 phrase_count(found, severities[i].noun, &count));
		separator = ", ";
	}
	if (field_count(reply, "findings") == 0)
		text_put(text, TEXT_GOOD, 0, ", nothing found");
	(void)fputs(".\n", text->out);
}

/* What nothing was found by. */
static void put_checks(const struct text *text, struct json_object *reply)
{
	size_t count = field_count(reply, "checks");
	char *list = NULL;
	size_t len = 0;
	FILE *out;
	size_t i;

	if (count == 0 || field_count(reply, "findings") > 0)
		return;
	out = open_memstream(&list, &len);
	if (!out)
		return;
	for (i = 0; i < count; i++)
		(void)fprintf(out, "%s%s", i > 0 ? ", " : "",
			      text_at(reply, "checks", i));
	if (fclose(out) == 0)
		text_say(text, TEXT_FAINT, 0, "Checked: %s", list);
	free(list);
}

static void put_not_checked(const struct text *text, struct json_object *reply)
{
	size_t i;

	if (field_count(reply, "not_checked") == 0)
		return;
	(void)fputc('\n', text->out);
	text_wrap_styled(text, TEXT_WARN, 0, "Not looked at:");
	for (i = 0; i < field_count(reply, "not_checked"); i++)
		text_say(text, TEXT_PLAIN, INDENT, "%s",
			 text_at(reply, "not_checked", i));
}

void render_doctor(const struct text *text, struct json_object *reply,
		   struct json_object *previous)
{
	size_t i;

	(void)previous;
	put_summary(text, reply);
	put_checks(text, reply);
	for (i = 0; i < SEVERITIES; i++)
		put_findings(text, reply, &severities[i]);
	put_not_checked(text, reply);
}
