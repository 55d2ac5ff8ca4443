/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render - the daemon's answers as text, from the JSON only.
 *
 * What --json prints and what is shown here come from the same reply, so that
 * they cannot differ. A member that is missing or of another type is left out;
 * whatever the reply, the lines fit 80 columns (commands to be copied do not
 * count) and nothing in them steers the terminal.
 *
 * Each render_x() prints one reply to the method of that name:
 * @reply:    its parameters; may be NULL
 * @previous: the parameters of the reply before, where a call is answered by
 *            several; NULL: this is the first
 */
#ifndef RENDER_H
#define RENDER_H

#include <json-c/json.h>

#include "render/text.h"

void render_status(const struct text *text, struct json_object *reply,
		   struct json_object *previous);

void render_subnets(const struct text *text, struct json_object *reply,
		    struct json_object *previous);

/* A heading where the subnet is not the one of @previous. */
void render_table(const struct text *text, struct json_object *reply,
		  struct json_object *previous);

void render_bindings(const struct text *text, struct json_object *reply,
		     struct json_object *previous);

/* A heading before the first of several replies. */
void render_pins(const struct text *text, struct json_object *reply,
		 struct json_object *previous);

void render_mptcp(const struct text *text, struct json_object *reply,
		  struct json_object *previous);

void render_unpin(const struct text *text, struct json_object *reply,
		  struct json_object *previous);

void render_explain(const struct text *text, struct json_object *reply,
		    struct json_object *previous);

/* Of the last reply; those before it only say how far it is. */
void render_verify(const struct text *text, struct json_object *reply,
		   struct json_object *previous);

void render_doctor(const struct text *text, struct json_object *reply,
		   struct json_object *previous);

void render_monitor(const struct text *text, struct json_object *reply,
		    struct json_object *previous);

void render_metrics(const struct text *text, struct json_object *reply,
		    struct json_object *previous);

/*
 * Parameters of the error ConfigInvalid; may be NULL. One line each, as long
 * as it is, in the form that editors know from compilers.
 */
void render_config_errors(const struct text *text, struct json_object *errors);

#endif
