/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * varlink - the messages of the control socket, as bytes and as values.
 *
 * A message is one JSON object and a NUL byte. This module cuts a byte stream
 * into messages, takes calls and replies apart, and puts them together. It has
 * no sockets, no loop and no idea which methods exist; the other end may send
 * whatever it likes and gets an error code for it. Memory is bounded by the
 * limit given to varlink_reader_init().
 *
 * Source: https://varlink.org/Method-Call
 */
#ifndef VARLINK_H
#define VARLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

enum {
	VARLINK_MESSAGE_MAX = 1 << 20, /* bytes, the NUL included */
	VARLINK_DEPTH_MAX = 32,	       /* nested arrays and objects */
};

/*
 * Bytes received and not yet taken as messages. All private; holds no memory
 * while it is empty.
 */
struct varlink_reader {
	char *data;
	size_t allocated;
	size_t start;	/* first byte not taken */
	size_t end;	/* behind the last byte received */
	size_t scanned; /* no NUL in [start, scanned) */
	size_t max;	/* end - start never exceeds it */
};

/* Pointers are borrowed from the message. */
struct varlink_call {
	const char *method;		/* has a dot inside */
	struct json_object *parameters; /* an object, or NULL */
	bool more;
	bool oneway;
};

struct varlink_reply {
	const char *error;		/* NULL: success */
	struct json_object *parameters; /* an object, or NULL */
	bool continues;
};

/* One parameter of a method; a table of them ends with a NULL name. */
struct varlink_param {
	const char *name;
	enum json_type type;
	bool optional; /* may be missing or null */
	int64_t min;   /* both inclusive, for json_type_int only */
	int64_t max;
};

/**
 * varlink_reader_init() - an empty reader
 * @max: bytes it may hold, and so the longest message with its NUL
 */
void varlink_reader_init(struct varlink_reader *reader, size_t max);

/* Free the buffer; may run twice. */
void varlink_reader_done(struct varlink_reader *reader);

/* How many bytes may be fed now. */
size_t varlink_reader_room(const struct varlink_reader *reader);

/* Bytes are waiting, be it a whole message or a part of one. */
bool varlink_reader_pending(const struct varlink_reader *reader);

/**
 * varlink_reader_feed() - append received bytes
 * @len: at most varlink_reader_room()
 *
 * Return: 0; -ENOBUFS when @len exceeds the room; -ENOMEM. On error nothing
 * was taken.
 */
int varlink_reader_feed(struct varlink_reader *reader, const void *bytes,
			size_t len);

/**
 * varlink_reader_next() - take the next message
 * @ret: a JSON object; free with json_object_put()
 *
 * Return: 0; -EAGAIN when no message is complete; -EMSGSIZE when none ever will
 * be because the reader is full; -EBADMSG when the message is not one JSON
 * object in UTF-8, or is nested too deep (it is skipped, but a peer that does
 * this is not worth listening to); -ENOMEM.
 */
int varlink_reader_next(struct varlink_reader *reader,
			struct json_object **ret);

/**
 * varlink_call_parse() - what a message calls
 *
 * Return: 0; -EPROTO when it is not a call; -ENOTSUP when it asks for a
 * connection upgrade (@ret is not written; the method is valid).
 */
int varlink_call_parse(struct json_object *message, struct varlink_call *ret);

/**
 * varlink_reply_parse() - what a message answers
 *
 * Return: 0; -EPROTO when it is not a reply.
 */
int varlink_reply_parse(struct json_object *message, struct varlink_reply *ret);

/**
 * varlink_call_new() - a message that calls
 * @call: borrowed; its parameters gain a reference
 *
 * Return: the message, or NULL when out of memory. The same for the others.
 */
struct json_object *varlink_call_new(const struct varlink_call *call);
struct json_object *varlink_reply_new(const struct varlink_reply *reply);

/**
 * varlink_pack() - a message as bytes
 * @ret_bytes: with the NUL; free with free()
 * @ret_len:   the NUL included
 *
 * Bytes that are not UTF-8 become question marks: the names of links may hold
 * any, and one such name must not make the whole message unreadable.
 *
 * Return: 0 or -ENOMEM.
 */
int varlink_pack(struct json_object *message, char **ret_bytes,
		 size_t *ret_len);

/**
 * varlink_check() - do these parameters fit the method?
 * @params:     ends with a NULL name
 * @parameters: an object, or NULL for none
 *
 * Return: NULL, or the name of the first parameter that is missing, unknown, of
 * the wrong type or out of range; borrowed from the arguments.
 */
const char *varlink_check(const struct varlink_param *params,
			  struct json_object *parameters);

#endif
