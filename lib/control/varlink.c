/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/varlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/utf8.h"

enum {
	READER_STEP = 512
};

/* The text of a JSON string, or NULL if it is none or holds a NUL. */
static const char *plain_string(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	if (strlen(text) != (size_t)json_object_get_string_len(value))
		return NULL;
	return text;
}

/* Take the optional member @key, of @type; null counts as missing. */
static int get_member(struct json_object *object, const char *key,
		      enum json_type type, struct json_object **ret)
{
	struct json_object *value = NULL;

	(void)json_object_object_get_ex(object, key, &value);
	if (value && !json_object_is_type(value, type))
		return -EPROTO;

	*ret = value;
	return 0;
}

static int get_flag(struct json_object *object, const char *key, bool *ret)
{
	struct json_object *value;
	int err = get_member(object, key, json_type_boolean, &value);

	if (err)
		return err;
	*ret = value && json_object_get_boolean(value);
	return 0;
}

/* An interface, a dot, a member: a bare word names no method and no error. */
static bool is_qualified(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name && dot[1] != '\0';
}

static int get_name(struct json_object *object, const char *key,
		    const char **ret)
{
	struct json_object *value;
	const char *name;
	int err = get_member(object, key, json_type_string, &value);

	if (err)
		return err;
	if (!value) {
		*ret = NULL;
		return 0;
	}
	name = plain_string(value);
	if (!name || !is_qualified(name))
		return -EPROTO;
	*ret = name;
	return 0;
}

static int parse_json(const char *text, size_t len, struct json_object **ret)
{
	struct json_tokener *tokener;
	struct json_object *object;
	enum json_tokener_error error;
	size_t parsed;

	/* A newline before the NUL is what people's own tools send. */
	while (len > 0 && strchr(" \t\r\n", text[len - 1]))
		len--;
	/* The library takes overlong forms and surrogates for text. */
	if (!utf8_is_valid(text, len))
		return -EBADMSG;

	tokener = json_tokener_new_ex(VARLINK_DEPTH_MAX);
	if (!tokener)
		return -ENOMEM;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
						JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int)len);
	error = json_tokener_get_error(tokener);
	parsed = json_tokener_get_parse_end(tokener);
	json_tokener_free(tokener);

	if (error != json_tokener_success || parsed != len ||
	    !json_object_is_type(object, json_type_object)) {
		json_object_put(object);
		return -EBADMSG;
	}
	*ret = object;
	return 0;
}

/* Make room for @len bytes behind the end. */
static int reader_reserve(struct varlink_reader *reader, size_t len)
{
	size_t used = reader->end - reader->start;
	size_t want = READER_STEP;
	char *data;

	if (reader->start > 0) {
		memmove(reader->data, reader->data + reader->start, used);
		reader->scanned -= reader->start;
		reader->end = used;
		reader->start = 0;
	}
	if (reader->allocated >= used + len)
		return 0;

	while (want < used + len)
		want *= 2;
	if (want > reader->max)
		want = reader->max;
	data = realloc(reader->data, want);
	if (!data)
		return -ENOMEM;
	reader->data = data;
	reader->allocated = want;
	return 0;
}

void varlink_reader_init(struct varlink_reader *reader, size_t max)
{
	*reader = (struct varlink_reader){.max = max};
}

void varlink_reader_done(struct varlink_reader *reader)
{
	free(reader->data);
	*reader = (struct varlink_reader){.max = reader->max};
}

size_t varlink_reader_room(const struct varlink_reader *reader)
{
	return reader->max - (reader->end - reader->start);
}

bool varlink_reader_pending(const struct varlink_reader *reader)
{
	return reader->end > reader->start;
}

int varlink_reader_feed(struct varlink_reader *reader, const void *bytes,
			size_t len)
{
	int err;

	if (len > varlink_reader_room(reader))
		return -ENOBUFS;
	if (len == 0)
		return 0;

	err = reader_reserve(reader, len);
	if (err)
		return err;
	memcpy(reader->data + reader->end, bytes, len);
	reader->end += len;
	return 0;
}

int varlink_reader_next(struct varlink_reader *reader, struct json_object **ret)
{
	const char *start;
	const char *nul;
	int err;

	if (reader->end == reader->start)
		return -EAGAIN;

	start = reader->data + reader->start;
	nul = memchr(reader->data + reader->scanned, '\0',
		     reader->end - reader->scanned);
	if (!nul) {
		reader->scanned = reader->end;
		return varlink_reader_room(reader) == 0 ? -EMSGSIZE : -EAGAIN;
	}

	err = parse_json(start, (size_t)(nul - start), ret);
	reader->start += (size_t)(nul - start) + 1;
	reader->scanned = reader->start;
	if (reader->start == reader->end)
		varlink_reader_done(reader);
	return err;
}

int varlink_call_parse(struct json_object *message, struct varlink_call *ret)
{
	struct varlink_call call = {0};
	bool upgrade = false;
	int err;

	err = get_name(message, "method", &call.method);
	if (!err)
		err = get_member(message, "parameters", json_type_object,
				 &call.parameters);
	if (!err)
		err = get_flag(message, "more", &call.more);
	if (!err)
		err = get_flag(message, "oneway", &call.oneway);
	if (!err)
		err = get_flag(message, "upgrade", &upgrade);
	if (err)
		return err;
	if (!call.method || (call.more && call.oneway))
		return -EPROTO;
	if (upgrade)
		return -ENOTSUP;

	*ret = call;
	return 0;
}

int varlink_reply_parse(struct json_object *message, struct varlink_reply *ret)
{
	struct varlink_reply reply = {0};
	int err;

	err = get_name(message, "error", &reply.error);
	if (!err)
		err = get_member(message, "parameters", json_type_object,
				 &reply.parameters);
	if (!err)
		err = get_flag(message, "continues", &reply.continues);
	if (err)
		return err;
	if (reply.error && reply.continues)
		return -EPROTO;

	*ret = reply;
	return 0;
}

static void add_flag(struct json_object *message, const char *key, bool set)
{
	if (set)
		json_object_object_add(message, key,
				       json_object_new_boolean(true));
}

static void add_name(struct json_object *message, const char *key,
		     const char *name)
{
	if (name)
		json_object_object_add(message, key,
				       json_object_new_string(name));
}

static void add_parameters(struct json_object *message,
			   struct json_object *parameters)
{
	if (parameters)
		json_object_object_add(message, "parameters",
				       json_object_get(parameters));
}

struct json_object *varlink_call_new(const struct varlink_call *call)
{
	struct json_object *message = json_object_new_object();

	if (!message)
		return NULL;
	add_name(message, "method", call->method);
	add_parameters(message, call->parameters);
	add_flag(message, "more", call->more);
	add_flag(message, "oneway", call->oneway);
	return message;
}

struct json_object *varlink_reply_new(const struct varlink_reply *reply)
{
	struct json_object *message = json_object_new_object();

	if (!message)
		return NULL;
	add_name(message, "error", reply->error);
	add_parameters(message, reply->parameters);
	add_flag(message, "continues", reply->continues);
	return message;
}

int varlink_pack(struct json_object *message, char **ret_bytes, size_t *ret_len)
{
	const char *text;
	size_t len;
	char *bytes;

	text = json_object_to_json_string_length(
		message,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	if (!text)
		return -ENOMEM;
	bytes = malloc(len + 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, text, len + 1);
	utf8_mend(bytes);

	*ret_bytes = bytes;
	*ret_len = len + 1;
	return 0;
}

static bool param_fits(const struct varlink_param *param,
		       struct json_object *value)
{
	int64_t number;

	if (!value)
		return param->optional;
	if (!json_object_is_type(value, param->type))
		return false;
	if (param->type == json_type_string)
		return plain_string(value) != NULL;
	if (param->type != json_type_int)
		return true;
	number = json_object_get_int64(value);
	return number >= param->min && number <= param->max;
}

static bool is_param(const struct varlink_param *params, const char *name)
{
	for (; params->name; params++)
		if (strcmp(params->name, name) == 0)
			return true;
	return false;
}

const char *varlink_check(const struct varlink_param *params,
			  struct json_object *parameters)
{
	const struct varlink_param *param;
	struct json_object_iterator at;
	struct json_object_iterator end;
	struct json_object *value;

	for (param = params; param->name; param++) {
		value = NULL;
		(void)json_object_object_get_ex(parameters, param->name,
						&value);
		if (!param_fits(param, value))
			return param->name;
	}
	if (!parameters)
		return NULL;

	end = json_object_iter_end(parameters);
	for (at = json_object_iter_begin(parameters);
	     !json_object_iter_equal(&at, &end); json_object_iter_next(&at))
		if (!is_param(params, json_object_iter_peek_name(&at)))
			return json_object_iter_peek_name(&at);
	return NULL;
}
