/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clients - who is connected to the control socket.
 *
 * The server's inner part: it keeps the limits, whose turn it is, and who must
 * go. It does not know which methods exist: it hands each call to one function.
 * A single one is in connection.h.
 *
 * A client that has something to do queues for a turn: to run one call, to go
 * one step on, to be freed. In each round of the loop as many turns are taken
 * as fit into a millisecond, those of root and the daemon's own user first, so
 * that a crowd of clients delays the daemon's own work by that and no more.
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

struct connection;
struct varlink_call;

TAILQ_HEAD(connection_list, connection);

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
	struct connection_list list;	 /* quiet longest first */
	struct connection_list turns[2]; /* who has a turn: admins, others */
	ev_timer turn;			 /* active while somebody has one */
	unsigned int count;
	size_t queued;		/* bytes that all clients have yet to read */
	double log_since;	/* on the monotonic clock */
	unsigned int log_lines; /* since then */
};

/* Everything of @clients but what the owner sets. */
void clients_init(struct clients *clients);

/* Cancel all calls, close all connections; may run twice. */
void clients_done(struct clients *clients);

/**
 * clients_add() - a new connection
 * @fd: a connected Unix socket, ours from here on, on error too
 *
 * When there is no room, the client that was quiet longest goes, of others
 * before admins; when all are busy, one that is not admin goes for an admin.
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

/* @client has something to do: in one of the loop's next rounds. */
void clients_turn(struct connection *client);

/* @client has no turn any more. */
void clients_turn_over(struct connection *client);

/* Somebody has one. */
bool clients_have_turns(const struct clients *clients);

/* @client is not quiet. */
void clients_heard(struct connection *client);

/* The peer is root or the daemon's own user. */
bool clients_is_admin(const struct server_call *call);

/* Log a line about the call's client; limited in number. */
void clients_log(const struct server_call *call, int level, const char *what,
		 const char *detail);

/* The same about a peer that may be no client yet. */
void clients_log_peer(struct clients *clients, const struct ucred *peer,
		      int level, const char *what, const char *detail);

#endif
