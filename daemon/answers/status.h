/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status - what the daemon knows, as the JSON of the control interface.
 */
#ifndef STATUS_H
#define STATUS_H

#include "engine/engine.h"

struct daemon;
struct json_object;
struct server_call;

/**
 * status_build() - the parameters of a reply to Status
 *
 * The shape is in docs/io.multihomed.varlink. Return: a new object.
 */
struct json_object *status_build(const struct daemon *daemon);

/** status_subnet() - one subnet, by its index; a new object */
struct json_object *status_subnet(const struct engine *engine, size_t i);

/** status_routes() - how many routes our tables have; .table is 0 */
struct rib_table status_routes(const struct engine *engine);

/** status_handle(), status_handle_subnets() - @data: struct daemon */
void status_handle(struct server_call *call, struct json_object *parameters,
		   void *data);
void status_handle_subnets(struct server_call *call,
			   struct json_object *parameters, void *data);

#endif
