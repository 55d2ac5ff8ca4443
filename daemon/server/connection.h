/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connection - one client of the control socket, and its calls.
 *
 * Moves bytes, keeps the order of calls and answers, and implements the
 * server_call_*() functions of server.h. What concerns all of them together,
 * their number, their turns and the log, is in clients.h.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <ev.h>

#include "control/outbox.h"
#include "control/varlink.h"
#include "server/clients.h"

enum call_state {
	CALL_NONE,
	CALL_RUNNING,
	CALL_DEFERRED,
};

struct server_call {
	struct connection *client;
	enum call_state state;
	bool more;
	bool oneway;
	void (*cancel)(struct server_call *call, void *user);
	void (*step)(struct server_call *call, void *user); /* may be NULL */
	void *user;
};

struct connection {
	TAILQ_ENTRY(connection) entry;
	TAILQ_ENTRY(connection) turn_entry; /* while has_turn */
	bool has_turn;
	struct clients *clients;
	int fd;
	struct ucred peer;
	bool admin;

	ev_io readable;
	ev_io writable; /* active while output waits */
	ev_timer stall; /* active while output waits */

	struct varlink_reader input;
	struct outbox output;
	struct server_call call;

	bool eof;	 /* the peer sends no more: answer what came, close */
	bool last;	 /* close after this answer */
	bool doomed;	 /* free it at its turn; all else is a no-op */
	const char *why; /* of doomed; NULL: not worth a line */
};

/**
 * connection_new() - a client of @clients for a connected socket
 * @fd: ours from here on, unless this fails
 *
 * Return: NULL when out of memory.
 */
struct connection *connection_new(struct clients *clients, int fd,
				  const struct ucred *peer, bool admin);

/* From the loop only: runs the cancel callback, closes the connection. */
void connection_free(struct connection *client);

/* It has a turn: runs a call, goes a step on, or frees it. */
void connection_take_turn(struct connection *client);

/* No call in progress or waiting for a turn, and nothing to send. */
bool connection_is_idle(const struct connection *client);

#endif
