/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render - the daemon's answers as text, from the JSON only.
 *
 * What --json prints and what is shown here come from the same reply, so that
 * they cannot differ. A member that is missing is left out.
 */
#ifndef RENDER_H
#define RENDER_H

#include <json-c/json.h>

#include "text.h"

/* Parameters of a reply to Status; may be NULL. */
void render_status(const struct text *text, struct json_object *status);

/* Parameters of the error ConfigInvalid; may be NULL. */
void render_config_errors(const struct text *text, struct json_object *errors);

#endif
