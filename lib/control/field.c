/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/field.h"

struct json_object *field_get(struct json_object *object, const char *key,
			      enum json_type type)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object))
		return NULL;
	(void)json_object_object_get_ex(object, key, &value);
	return json_object_is_type(value, type) ? value : NULL;
}

const char *field_text(struct json_object *object, const char *key,
		       const char *fallback)
{
	struct json_object *value = field_get(object, key, json_type_string);

	return value ? json_object_get_string(value) : fallback;
}

int64_t field_int(struct json_object *object, const char *key, int64_t fallback)
{
	struct json_object *value = field_get(object, key, json_type_int);

	return value ? json_object_get_int64(value) : fallback;
}

double field_double(struct json_object *object, const char *key,
		    double fallback)
{
	struct json_object *value = field_get(object, key, json_type_double);

	if (!value)
		value = field_get(object, key, json_type_int);
	return value ? json_object_get_double(value) : fallback;
}

bool field_bool(struct json_object *object, const char *key, bool fallback)
{
	struct json_object *value = field_get(object, key, json_type_boolean);

	return value ? json_object_get_boolean(value) : fallback;
}

size_t field_count(struct json_object *object, const char *key)
{
	struct json_object *array = field_get(object, key, json_type_array);

	return array ? json_object_array_length(array) : 0;
}

struct json_object *field_at(struct json_object *object, const char *key,
			     size_t i)
{
	struct json_object *array = field_get(object, key, json_type_array);

	return array ? json_object_array_get_idx(array, i) : NULL;
}
