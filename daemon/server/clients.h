/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clients - who is connected to the control socket, and their calls.
 *
 * The server's inner part: it moves bytes, keeps the limits and the order of
 * calls and answers, and implements the server_call_*() functions of server.h.
 * It does not know which methods exist: it hands each call to one function.
 *
 * A client is freed from the loop only, at its own turn or when its place is
 * needed, so that no function that answers a call can pull it away from under
 * its caller.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <ev.h>

#include "server/server.h"

struct client;
struct varlink_call;

TAILQ_HEAD(client_list, client);

struct clients {
	/* Set by the owner before the first client. */
	struct ev_loop *loop;
	unsigned int max;
	size_t message_max;
	size_t queue_max;
	unsigned int stall_ms;
	void (*log)(int level, const char *text); /* may be NULL */
	/* Answers @call, or defers it; @asked is borrowed for the call. */
	void (*dispatch)(struct server_call *call,
			 const struct varlink_call *asked, void *data);
	void *data; /* for dispatch */

	/* Private. */
	struct client_list list; /* quiet longest first */
	unsigned int count;
	size_t queued; /* bytes that all clients have yet to read */
	ev_tstamp log_since;
	unsigned int log_lines; /* since log_since */
};

/* Everything of @clients but what the owner sets. */
void clients_init(struct clients *clients);

/* Cancel all calls, close all connections; may run twice. */
void clients_done(struct clients *clients);

/**
 * clients_add() - a new connection
 * @fd: a connected Unix socket, ours from here on, on error too
 *
 * When there is no room, the client that was quiet longest goes; when all are
 * busy, one that is not admin goes for an admin.
 *
 * Return: 0; -EUSERS when there is no room; -ENOMEM; or what the kernel said
 * about the peer. Errors have been logged.
 */
int clients_add(struct clients *clients, int fd);

/**
 * clients_evict() - close one connection to get a file descriptor back
 * @for_admin: a busy client that is not admin may go too
 *
 * Return: false when none may go.
 */
bool clients_evict(struct clients *clients, bool for_admin);

/* The peer is root or the daemon's own user. */
bool clients_is_admin(const struct server_call *call);

/* Log a line about the call's client; limited in number. */
void clients_log(const struct server_call *call, int level, const char *what,
		 const char *detail);

#endif
