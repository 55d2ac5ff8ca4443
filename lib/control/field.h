/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * field - one member of a JSON object that somebody else wrote.
 *
 * A member that is missing, null or of another type reads as the fallback, so
 * a client and a daemon of different age understand each other as far as they
 * can. @object may be NULL or no object at all: everything is missing then.
 */
#ifndef FIELD_H
#define FIELD_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

/* Borrowed from @object; @fallback may be NULL. */
const char *field_text(struct json_object *object, const char *key,
		       const char *fallback);

int64_t field_int(struct json_object *object, const char *key,
		  int64_t fallback);

/* A number with or without a fraction. */
double field_double(struct json_object *object, const char *key,
		    double fallback);

bool field_bool(struct json_object *object, const char *key, bool fallback);

/* Borrowed from @object; NULL when there is no such member of @type. */
struct json_object *field_get(struct json_object *object, const char *key,
			      enum json_type type);

/* The array's elements; 0 when there is no such array. */
size_t field_count(struct json_object *object, const char *key);

/* Element @i of the array, borrowed; NULL when there is none. */
struct json_object *field_at(struct json_object *object, const char *key,
			     size_t i);

#endif
