/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verdict.h"

#include <string.h>

#include "control/field.h"
#include "exit.h"

int verdict_explain(struct json_object *reply)
{
	return field_bool(reply, "agrees", true) ? EXIT_FINE : EXIT_BAD_NEWS;
}

int verdict_verify(struct json_object *reply)
{
	return field_int(reply, "found", 0) > 0 ? EXIT_BAD_NEWS : EXIT_FINE;
}

int verdict_doctor(struct json_object *reply)
{
	const char *severity;
	size_t i;

	for (i = 0; i < field_count(reply, "findings"); i++) {
		severity = field_text(field_at(reply, "findings", i),
				      "severity", "");
		if (strcmp(severity, "hint") != 0)
			return EXIT_BAD_NEWS;
	}
	return EXIT_FINE;
}

int verdict_mptcp(struct json_object *reply)
{
	return field_text(reply, "unknown_token", NULL) ? EXIT_BAD_NEWS
							: EXIT_FINE;
}
