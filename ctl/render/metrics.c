/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/metrics.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "control/field.h"

enum format {
	FORMAT_OPENMETRICS,
	FORMAT_PROMETHEUS,
};

/*
 * What the older format makes of a type. Where it names the suffix, that is
 * part of the family's name.
 */
static const struct type {
	const char *name;
	const char *older;
	const char *suffix;
} types[] = {
	{"counter", "counter", "_total"}, {"gauge", "gauge", ""},
	{"histogram", "histogram", ""},	  {"info", "gauge", "_info"},
	{"unknown", "untyped", ""},
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static const struct type *type_find(const char *name)
{
	size_t i;

	for (i = 0; i < TYPES - 1; i++)
		if (strcmp(types[i].name, name) == 0)
			break;
	return &types[i];
}

/* Letters, digits after the first, and what @more has. */
static void put_name(FILE *out, const char *name, const char *more)
{
	const char *at;
	bool fits;

	for (at = name; *at != '\0'; at++) {
		fits = isalpha((unsigned char)*at) || strchr(more, *at) ||
		       (at > name && isdigit((unsigned char)*at));
		(void)fputc(fits ? *at : '_', out);
	}
}

static void put_metric_name(FILE *out, const char *name)
{
	put_name(out, name, "_:");
}

/* Backslash and line feed are escaped everywhere, quotes where asked for. */
static void put_escaped(FILE *out, const char *value, bool quotes)
{
	const char *at;
	unsigned char byte;

	for (at = value; *at != '\0'; at++) {
		byte = (unsigned char)*at;
		if (byte == '\n')
			(void)fputs("\\n", out);
		else if (byte == '\\' || (byte == '"' && quotes))
			(void)fprintf(out, "\\%c", byte);
		else
			(void)fputc(byte < 0x20 || byte == 0x7f ? '?' : byte,
				    out);
	}
}

/* As short as it can be without becoming another number. */
static void put_number(FILE *out, double value)
{
	char number[32];

	if (isnan(value)) {
		(void)fputs("NaN", out);
		return;
	}
	if (isinf(value)) {
		(void)fputs(value > 0 ? "+Inf" : "-Inf", out);
		return;
	}
	(void)snprintf(number, sizeof(number), "%.15g", value);
	if (strtod(number, NULL) < value || strtod(number, NULL) > value)
		(void)snprintf(number, sizeof(number), "%.17g", value);
	(void)fputs(number, out);
}

static void put_label(FILE *out, const char *name, struct json_object *value)
{
	put_name(out, name, "_");
	(void)fputs("=\"", out);
	put_escaped(out, value ? json_object_get_string(value) : "", true);
	(void)fputc('"', out);
}

static void put_labels(FILE *out, struct json_object *labels)
{
	struct json_object_iterator at;
	struct json_object_iterator end;
	const char *before = "{";

	if (!labels || json_object_object_length(labels) == 0)
		return;
	at = json_object_iter_begin(labels);
	end = json_object_iter_end(labels);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		(void)fputs(before, out);
		put_label(out, json_object_iter_peek_name(&at),
			  json_object_iter_peek_value(&at));
		before = ",";
	}
	(void)fputc('}', out);
}

static void put_sample(FILE *out, const char *family,
		       struct json_object *sample)
{
	put_metric_name(out, family);
	put_metric_name(out, field_text(sample, "suffix", ""));
	put_labels(out, field_get(sample, "labels", json_type_object));
	(void)fputc(' ', out);
	put_number(out, field_double(sample, "value", NAN));
	(void)fputc('\n', out);
}

/* "# WORD family value" */
static void put_about(FILE *out, const char *word, const char *family,
		      const char *suffix)
{
	(void)fprintf(out, "# %s ", word);
	put_metric_name(out, family);
	(void)fprintf(out, "%s ", suffix);
}

/* A name ends with its unit; one that does not may not state it. */
static bool has_unit(const char *family, const char *unit)
{
	size_t unit_len = strlen(unit);
	size_t len = strlen(family);

	return unit_len > 0 && len > unit_len + 1 &&
	       family[len - unit_len - 1] == '_' &&
	       strcmp(family + len - unit_len, unit) == 0;
}

static void put_head(FILE *out, struct json_object *metric, enum format format)
{
	const struct type *type = type_find(field_text(metric, "type", ""));
	bool is_open = format == FORMAT_OPENMETRICS;
	const char *name = field_text(metric, "name", "");
	const char *unit = field_text(metric, "unit", "");
	const char *suffix = is_open ? "" : type->suffix;

	put_about(out, "TYPE", name, suffix);
	(void)fprintf(out, "%s\n", is_open ? type->name : type->older);
	if (is_open && has_unit(name, unit)) {
		put_about(out, "UNIT", name, "");
		(void)fprintf(out, "%s\n", unit);
	}
	put_about(out, "HELP", name, suffix);
	put_escaped(out, field_text(metric, "help", ""), is_open);
	(void)fputc('\n', out);
}

/* When a counter began is a family of its own there, and nobody's need. */
static bool is_known(struct json_object *sample, enum format format)
{
	return format == FORMAT_OPENMETRICS ||
	       strcmp(field_text(sample, "suffix", ""), "_created") != 0;
}

static void put_metric(FILE *out, struct json_object *metric,
		       enum format format)
{
	const char *name = field_text(metric, "name", "");
	struct json_object *sample;
	size_t i;

	if (*name == '\0')
		return;
	put_head(out, metric, format);
	for (i = 0; i < field_count(metric, "samples"); i++) {
		sample = field_at(metric, "samples", i);
		if (is_known(sample, format))
			put_sample(out, name, sample);
	}
}

static void put_metrics(FILE *out, struct json_object *reply,
			enum format format)
{
	size_t i;

	for (i = 0; i < field_count(reply, "metrics"); i++)
		put_metric(out, field_at(reply, "metrics", i), format);
	if (format == FORMAT_OPENMETRICS)
		(void)fputs("# EOF\n", out);
}

void render_metrics(const struct text *text, struct json_object *reply,
		    struct json_object *previous)
{
	(void)previous;
	put_metrics(text->out, reply, FORMAT_OPENMETRICS);
}

void render_metrics_prometheus(const struct text *text,
			       struct json_object *reply,
			       struct json_object *previous)
{
	(void)previous;
	put_metrics(text->out, reply, FORMAT_PROMETHEUS);
}
