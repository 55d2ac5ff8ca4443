/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table - what a subnet's table holds, entry by entry: the method Table.
 *
 * Some prefixes at a time, so that a million of them neither hold up the loop
 * nor wait in a queue; routes may change in between.
 */
#ifndef TABLE_H
#define TABLE_H

#include "engine/engine.h"

struct json_object;
struct server_call;

/* The managed subnets that a table is asked of. */
VEC(table_subnet_vec, struct subnet);

/**
 * table_find() - the managed subnets that @name means
 * @name: a prefix, an address of this host, a link's name, a table's number;
 *	  NULL: all of them
 * @ret:  appended
 */
void table_find(const struct view *view, const char *name,
		struct table_subnet_vec *ret);

/**
 * table_entries() - the entries of @subnet's table for one prefix
 * @engine: its store takes up attribute sets for the moment
 * @ret:    a JSON array, appended to
 */
void table_entries(struct engine *engine, const struct subnet *subnet,
		   const struct ip_prefix *prefix, struct json_object *ret);

/* The method. */
void table_handle(struct server_call *call, struct json_object *parameters,
		  void *data);

#endif
