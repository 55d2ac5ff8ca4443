/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server_host - a server on a loop, and clients of it, for the tests.
 *
 * All in one process, on a Unix socket in a directory of its own. Nothing
 * sleeps: a client that waits runs the loop, and the test fails after
 * DEADLINE_S.
 */
#ifndef SERVER_HOST_H
#define SERVER_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include <ev.h>
#include <json-c/json.h>

#include "server/server.h"

#define DEADLINE_S 10.0

enum {
	REPLY_MAX = 1 << 16,
	CALLS_MAX = 16,
	/* More than a socket's buffers hold. */
	BIG = 2 * 1024 * 1024,
};

#define STATUS "{\"method\":\"io.multihomed.Status\"}"
#define WAIT   "{\"method\":\"io.multihomed.Wait\"}"
#define RELOAD "{\"method\":\"io.multihomed.Reload\"}"

/* The one server, its calls, and what it logged. */
struct server_host {
	struct ev_loop *loop;
	ev_timer tick; /* so that a round of the loop always ends */
	struct server *server;
	char dir[64];
	char path[96]; /* of the socket: run/io.multihomed in dir */

	struct server_call *calls[CALLS_MAX]; /* of Wait, NULL: cancelled */
	unsigned int deferred;		      /* calls of Wait */
	unsigned int cancelled;
	unsigned int handled; /* other calls */
	char log[8192];	      /* lines of "<level>text" */
};

extern struct server_host host;

/*
 * What the server has: Status answers with the number of calls handled, Wait
 * defers, test.Echo answers its parameters, test.Reload is for admins and
 * test.Wrong does not answer.
 */
extern const struct server_method server_host_methods[];

/* Before and after each test. */
int server_host_setup(void **state);
int server_host_teardown(void **state);

#define server_host_test(name)                                                 \
	cmocka_unit_test_setup_teardown(name, server_host_setup,               \
					server_host_teardown)

/* A configuration with the path and the log, all else default. */
struct server_config server_host_config(void);

/* Start with that configuration, or the default one for NULL. */
void server_host_start(const struct server_config *config);

/* One round of the loop; false when the test has taken too long. */
bool server_host_turn(ev_tstamp since);

/* Run the loop until the value, or the number of clients, is the wanted. */
void wait_for(const unsigned int *value, unsigned int want);
void wait_for_clients(unsigned int want);

void expect_logged(const char *part);

/* A blocking connection, or a negative errno. */
int client_connect(void);

/* A connection that the server has taken. */
int client_new(void);

void client_send_bytes(int fd, const void *bytes, size_t len);

/* The text and its NUL. */
void client_send(int fd, const char *text);

/*
 * The next message, run the loop until it is there; NULL when the server hung
 * up. Valid until the next call.
 */
const char *client_read(int fd);

/* The next message is this one. */
void expect(int fd, const char *want);

/* There is no message, the server hung up; closes @fd. */
void expect_hangup(int fd);

/* {"text": "xxx..."} with that many. */
struct json_object *big_object(size_t len);

#endif
