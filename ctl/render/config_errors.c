/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render/render.h"

#include "control/field.h"

/* As compilers write it: editors and people know how to read that. */
static void render_error(const struct text *text, struct json_object *error)
{
	int64_t line = field_int(error, "line", 0);
	char number[32] = "";

	if (line > 0)
		(void)snprintf(number, sizeof(number), ":%lld",
			       (long long)line);
	text_put(text, TEXT_HEAD, 0, field_text(error, "file", "?"));
	text_put(text, TEXT_HEAD, 0, number);
	text_put(text, TEXT_PLAIN, 0, ": ");
	text_put(text, TEXT_PLAIN, 0, field_text(error, "message", "?"));
	(void)fputc('\n', text->out);
}

void render_config_errors(const struct text *text, struct json_object *errors)
{
	size_t i;

	for (i = 0; i < field_count(errors, "errors"); i++)
		render_error(text, field_at(errors, "errors", i));
}
