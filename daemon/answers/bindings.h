/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bindings - which router serves which prefix: the method Bindings.
 */
#ifndef BINDINGS_H
#define BINDINGS_H

#include "engine/engine.h"

struct json_object;
struct server_call;

/** bindings_build() - the parameters of a reply; a new object */
struct json_object *bindings_build(const struct engine *engine, bool hears,
				   uint64_t now_ms);

/* The method. */
void bindings_handle(struct server_call *call, struct json_object *parameters,
		     void *data);

#endif
