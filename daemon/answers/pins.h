/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pins - which flows are kept on their path, held, or away from it.
 */
#ifndef PINS_H
#define PINS_H

#include "engine/engine.h"

struct json_object;
struct server_call;

/** pins_json() - one of them as the interface's type Pin; a new object */
struct json_object *pins_json(const struct view *view, const struct pin *pin,
			      uint64_t now_ms);

/* Names of kinds, as in the interface. */
extern const char *const pins_kinds[PIN_AWAY + 1];

/** pins_count() - how many there are of @kind */
size_t pins_count(const struct engine *engine, enum pin_kind kind);

/* The methods. */
void pins_handle(struct server_call *call, struct json_object *parameters,
		 void *data);
void pins_handle_unpin(struct server_call *call, struct json_object *parameters,
		       void *data);

#endif
