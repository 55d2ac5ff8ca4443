/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server - the control socket on the daemon's event loop.
 *
 * Accepts clients, reads Varlink calls, hands each to the handler its method
 * table names, and sends the replies. It knows nothing of routing.
 *
 * What makes it easy to rely on:
 * - It never blocks. Every queue has a limit; a client that does not read, or
 *   sends nonsense, loses its connection and nobody else notices.
 * - A client has at most one call in progress; pipelined calls wait for their
 *   turn. All clients together get about a millisecond of each round of the
 *   loop (one call at least), root and the daemon's own user first.
 * - Handlers and cancel callbacks run from the loop only, never from inside a
 *   server_call_*() function: it is safe to walk a list of calls and answer
 *   each of them.
 * - An idle client costs a file descriptor and a small struct, no wake-ups.
 *   For want of room, the one that was quiet longest makes place, others
 *   before root.
 *
 * A call is in one of these states:
 *   running   the handler is on the stack; it may answer, or defer
 *   deferred  the handler returned; the call ends by server_call_reply(), by
 *             server_call_error(), or by the cancel callback, whichever comes
 *             first, and the pointer is dead from then on
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct ev_loop;
struct json_object;
struct server;
struct server_call;

struct server_config {
	/* Where the socket is; the lock file is this name with ".lock". */
	const char *path;
	/* Who may connect beside the owner; NULL: nobody. */
	const char *group;
	/* A missing group costs a warning, not the start. */
	bool group_is_default;
	/* What GetInfo says. */
	const char *version;
	/* Syslog levels, one line without newline; NULL: silent. */
	void (*log)(int level, const char *text);

	/* Limits; 0 means the default. */
	unsigned int clients_max; /* 256 */
	size_t message_max;	  /* bytes of one call, 64 KiB */
	size_t queue_max;	  /* unsent bytes of one client, 4 MiB */
	unsigned int stall_ms;	  /* unsent and not read for so long, 10 s */
};

struct server_method {
	const char *name; /* with the interface: INTERFACE_STATUS */
	/* Only for uid 0 and the daemon's own uid. */
	bool needs_admin;
	/*
	 * @parameters: an object, never NULL, checked against the interface
	 *	where interface_method_find() knows @name; borrowed for the
	 *	call
	 *
	 * Either answers before it returns, or calls server_call_defer() and
	 * answers later.
	 */
	void (*handle)(struct server_call *call, struct json_object *parameters,
		       void *data);
};

/**
 * server_new() - create the socket and start to listen
 * @loop:    the event loop, borrowed for the server's life
 * @config:  borrowed for the call
 * @methods: borrowed for the server's life; ends with a NULL name. The methods
 *	of org.varlink.service are built in
 * @data:    passed to every handler
 * @ret:     free with server_free()
 *
 * The socket appears under its name only when it is complete (owner, group,
 * mode 0660, listening); a socket left behind by a dead daemon is replaced. Its
 * directory is created (0755) if missing, the parents of that are not.
 *
 * Every error has been logged when this returns.
 *
 * Return: 0; -EBUSY when another daemon holds the lock; -ESRCH when the
 * configured group does not exist; -ENOTSOCK when @path is something else than
 * a socket; -ENAMETOOLONG; or what the kernel said.
 */
int server_new(struct ev_loop *loop, const struct server_config *config,
	       const struct server_method *methods, void *data,
	       struct server **ret);

/**
 * server_free() - cancel deferred calls, close everything, remove the socket
 * @server: may be NULL
 *
 * Not from a handler or a cancel callback.
 */
void server_free(struct server *server);

/* How many clients are connected. */
unsigned int server_clients(const struct server *server);

/* Somebody's call was read; it is run in the next round of the loop. */
bool server_is_asked(const struct server *server);

/**
 * server_call_defer() - this call will be answered later
 * @call:   running
 * @cancel: called at most once, when the client goes away or the server ends
 *	before the call was answered; @call must not be touched in it, only
 *	forgotten
 * @user:   passed to @cancel
 */
void server_call_defer(struct server_call *call,
		       void (*cancel)(struct server_call *call, void *user),
		       void *user);

/**
 * server_call_step() - this call's answer is worked out bit by bit
 * @call: deferred
 * @step: called from the loop, again and again until the call is answered,
 *	whenever nothing is left to send; gets what @user of
 *	server_call_defer() was
 *
 * Steps and calls take turns with the loop's other watchers, so a step may take
 * some milliseconds. It sends with server_call_continue(), or just
 * works; a client that reads slowly slows it down and nobody else.
 */
void server_call_step(struct server_call *call,
		      void (*step)(struct server_call *call, void *user));

/**
 * server_call_reply() - answer and end the call
 * @call:       running or deferred; dead afterwards
 * @parameters: an object, ours from here on; NULL: no parameters
 */
void server_call_reply(struct server_call *call,
		       struct json_object *parameters);

/**
 * server_call_continue() - one of several answers
 * @call:       server_call_more() must be true; lives on
 * @parameters: an object, ours from here on; NULL: no parameters
 *
 * When the client does not read fast enough it is dropped, and the cancel
 * callback follows from the loop.
 */
void server_call_continue(struct server_call *call,
			  struct json_object *parameters);

/**
 * server_call_error() - answer with an error and end the call
 * @call:       running or deferred; dead afterwards
 * @name:       with the interface: INTERFACE_ERROR_TIMEOUT
 * @parameters: an object, ours from here on; NULL: no parameters
 */
void server_call_error(struct server_call *call, const char *name,
		       struct json_object *parameters);

/* The same for org.varlink.service.InvalidParameter. */
void server_call_invalid(struct server_call *call, const char *parameter);

/* The client asked for several answers. */
bool server_call_more(const struct server_call *call);

#endif
