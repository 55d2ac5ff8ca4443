/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json - adding members to the objects of replies.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

static inline void json_add_text(struct json_object *object, const char *key,
				 const char *value)
{
	json_object_object_add(object, key, json_object_new_string(value));
}

static inline void json_add_int(struct json_object *object, const char *key,
				int64_t value)
{
	json_object_object_add(object, key, json_object_new_int64(value));
}

static inline void json_add_bool(struct json_object *object, const char *key,
				 bool value)
{
	json_object_object_add(object, key, json_object_new_boolean(value));
}

static inline void json_add_double(struct json_object *object, const char *key,
				   double value)
{
	json_object_object_add(object, key, json_object_new_double(value));
}

static inline void json_push_text(struct json_object *array, const char *value)
{
	json_object_array_add(array, json_object_new_string(value));
}

#endif
