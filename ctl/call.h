/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * call - ask the daemon, and show what it answers.
 */
#ifndef CALL_H
#define CALL_H

#include "client.h"
#include "command.h"

enum {
	CALL_MS = 30000, /* how long the daemon may think */
};

/* One reply. Zeroed it is empty. */
struct answer {
	struct json_object *message;
	struct varlink_reply reply; /* points into the message */
};

/* Free it and make it empty. */
void answer_done(struct answer *answer);

/**
 * call_ask() - one call with one reply, which may be an error
 * @ret: free with answer_done()
 *
 * Return: 0, or what client_send() and client_receive() return.
 */
int call_ask(struct client *client, const struct varlink_call *call,
	     int timeout_ms, struct answer *ret);

/**
 * call_run() - a command of the table from its call to its exit status
 *
 * The answers go to stdout, complaints to stderr.
 */
int call_run(const struct command *command, const struct options *options);

#endif
