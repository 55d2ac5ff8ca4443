/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket's bytes: the first one says in what pieces the rest
 * arrives. Whatever comes must be an error or a message; what we understand,
 * we must be able to say again.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/interface.h"
#include "control/varlink.h"

enum {
	MESSAGE_MAX = 4096
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Send @message through a reader of its own; free the result. */
static struct json_object *through_the_wire(struct json_object *message)
{
	struct varlink_reader reader;
	struct json_object *received = NULL;
	char *bytes = NULL;
	size_t len = 0;
	int err;

	err = varlink_pack(message, &bytes, &len);
	assert(err == 0 && bytes && bytes[len - 1] == '\0');
	varlink_reader_init(&reader, len);
	err = varlink_reader_feed(&reader, bytes, len);
	assert(err == 0);
	err = varlink_reader_next(&reader, &received);
	assert(err == 0 && !varlink_reader_pending(&reader));
	varlink_reader_done(&reader);
	free(bytes);
	return received;
}

static void repeat_call(const struct varlink_call *call)
{
	const struct interface_method *method;
	struct json_object *message = varlink_call_new(call);
	struct json_object *received = through_the_wire(message);
	struct varlink_call again = {0};
	int err = varlink_call_parse(received, &again);

	assert(err == 0);
	assert(same_text(again.method, call->method));
	assert(again.more == call->more && again.oneway == call->oneway);
	assert(!again.parameters == !call->parameters);

	for (method = interface_methods; method->name; method++)
		(void)varlink_check(method->params, call->parameters);
	json_object_put(received);
	json_object_put(message);
}

static void repeat_reply(const struct varlink_reply *reply)
{
	struct json_object *message = varlink_reply_new(reply);
	struct json_object *received = through_the_wire(message);
	struct varlink_reply again = {0};
	int err = varlink_reply_parse(received, &again);

	assert(err == 0);
	assert(same_text(again.error, reply->error));
	assert(again.continues == reply->continues);
	assert(!again.parameters == !reply->parameters);
	json_object_put(received);
	json_object_put(message);
}

static void understand(struct json_object *message)
{
	struct varlink_call call = {0};
	struct varlink_reply reply = {0};

	if (varlink_call_parse(message, &call) == 0)
		repeat_call(&call);
	if (varlink_reply_parse(message, &reply) == 0)
		repeat_reply(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct varlink_reader reader;
	struct json_object *message;
	size_t step = size > 0 && data[0] > 0 ? data[0] : MESSAGE_MAX;
	size_t at = 1;
	size_t len;
	int err;

	varlink_reader_init(&reader, MESSAGE_MAX);
	while (at < size) {
		len = size - at < step ? size - at : step;
		if (len > varlink_reader_room(&reader))
			len = varlink_reader_room(&reader);
		err = varlink_reader_feed(&reader, data + at, len);
		assert(err == 0 && reader.allocated <= MESSAGE_MAX);
		at += len;

		do {
			message = NULL;
			err = varlink_reader_next(&reader, &message);
			if (err == 0)
				understand(message);
			json_object_put(message);
		} while (err == 0 || err == -EBADMSG);
		if (err != -EAGAIN)
			break;
	}
	varlink_reader_done(&reader);
	return 0;
}
