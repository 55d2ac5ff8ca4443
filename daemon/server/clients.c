/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server/clients.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "server/connection.h"

enum {
	LOG_BURST = 20, /* lines about clients in one period */
	LOG_LINE_MAX = 256,
};

#define LOG_PERIOD_S 10.0
#define TURNS_S	     0.001 /* of one round of the loop, for all clients */

/* Seconds, whatever is done to the wall clock; libev tells that one. */
static double clock_s(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- the log --- */

/* Whoever may connect must not be able to fill the log. */
static bool may_log(struct clients *clients)
{
	double now = clock_s();

	if (now - clients->log_since > LOG_PERIOD_S) {
		clients->log_since = now;
		clients->log_lines = 0;
	}
	return clients->log && ++clients->log_lines <= LOG_BURST;
}

void clients_log_peer(struct clients *clients, const struct ucred *peer,
		      int level, const char *what, const char *detail)
{
	char text[LOG_LINE_MAX];

	if (!may_log(clients))
		return;
	(void)snprintf(text, sizeof(text),
		       "control client pid=%d uid=%u: %s%s%s", (int)peer->pid,
		       (unsigned int)peer->uid, what, detail,
		       clients->log_lines == LOG_BURST
			       ? " (the next such lines are left out)"
			       : "");
	clients->log(level, text);
}

bool clients_is_admin(const struct server_call *call)
{
	return call->client->admin;
}

void clients_log(const struct server_call *call, int level, const char *what,
		 const char *detail)
{
	clients_log_peer(call->client->clients, &call->client->peer, level,
			 what, detail);
}

/* --- turns --- */

static struct connection_list *turns_of(const struct connection *client)
{
	return &client->clients->turns[client->admin ? 0 : 1];
}

void clients_turn(struct connection *client)
{
	struct clients *clients = client->clients;

	if (client->has_turn)
		return;
	client->has_turn = true;
	TAILQ_INSERT_TAIL(turns_of(client), client, turn_entry);
	if (ev_is_active(&clients->turn))
		return;
	/* A timer of 0: the loop looks at all its sockets before it. */
	ev_timer_set(&clients->turn, 0., 0.);
	ev_timer_start(clients->loop, &clients->turn);
}

void clients_turn_over(struct connection *client)
{
	if (client->has_turn)
		TAILQ_REMOVE(turns_of(client), client, turn_entry);
	client->has_turn = false;
}

bool clients_have_turns(const struct clients *clients)
{
	return ev_is_active(&clients->turn);
}

static struct connection *next_turn(const struct clients *clients)
{
	struct connection *client = TAILQ_FIRST(&clients->turns[0]);

	return client ? client : TAILQ_FIRST(&clients->turns[1]);
}

static void on_turn(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct clients *clients = watcher->data;
	double end = clock_s() + TURNS_S;
	struct connection *client = next_turn(clients);

	(void)events;
	while (client) {
		connection_take_turn(client);
		client = next_turn(clients);
		if (clock_s() >= end)
			break;
	}
	if (client && !ev_is_active(&clients->turn)) {
		ev_timer_set(&clients->turn, 0., 0.);
		ev_timer_start(loop, &clients->turn);
	}
}

/* --- places --- */

void clients_heard(struct connection *client)
{
	struct clients *clients = client->clients;

	TAILQ_REMOVE(&clients->list, client, entry);
	TAILQ_INSERT_TAIL(&clients->list, client, entry);
}

/* The one that was quiet longest among those that may go; NULL: none. */
static struct connection *find_place(const struct clients *clients,
				     bool for_admin)
{
	struct connection *client;
	struct connection *idle_admin = NULL;
	struct connection *busy = NULL;

	TAILQ_FOREACH(client, &clients->list, entry)
	{
		if (connection_is_idle(client) && !client->admin)
			return client;
		if (connection_is_idle(client) && !idle_admin)
			idle_admin = client;
		if (!client->admin && !busy)
			busy = client;
	}
	if (idle_admin)
		return idle_admin;
	return for_admin ? busy : NULL;
}

bool clients_evict(struct clients *clients, bool for_admin)
{
	struct connection *client = find_place(clients, for_admin);

	if (!client)
		return false;
	if (!client->doomed)
		client->why = "its place is needed";
	connection_free(client);
	return true;
}

static bool is_admin(const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}

/* Who is it, and is there room? */
static int admit(struct clients *clients, int fd, struct ucred *ret)
{
	socklen_t len = sizeof(*ret);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &len) < 0)
		return -errno;
	if (clients->count < clients->max)
		return 0;
	if (clients_evict(clients, is_admin(ret)))
		return 0;
	clients_log_peer(clients, ret, LOG_WARNING,
			 "refused: ", "all places are taken and busy");
	return -EUSERS;
}

int clients_add(struct clients *clients, int fd)
{
	struct ucred peer = {0};
	struct connection *client = NULL;
	int err;

	err = admit(clients, fd, &peer);
	if (!err) {
		client = connection_new(clients, fd, &peer, is_admin(&peer));
		err = client ? 0 : -ENOMEM;
	}
	if (err) {
		(void)close(fd);
		return err;
	}
	TAILQ_INSERT_TAIL(&clients->list, client, entry);
	clients->count++;
	/* Its first call is mostly there already. */
	ev_feed_event(clients->loop, &client->readable, EV_READ);
	return 0;
}

void clients_init(struct clients *clients)
{
	TAILQ_INIT(&clients->list);
	TAILQ_INIT(&clients->turns[0]);
	TAILQ_INIT(&clients->turns[1]);
	ev_timer_init(&clients->turn, on_turn, 0., 0.);
	clients->turn.data = clients;
	clients->count = 0;
	clients->queued = 0;
	clients->log_since = 0;
	clients->log_lines = 0;
}

void clients_done(struct clients *clients)
{
	struct connection *client;
	struct connection *next;

	for (client = TAILQ_FIRST(&clients->list); client; client = next) {
		next = TAILQ_NEXT(client, entry);
		connection_free(client);
	}
	ev_timer_stop(clients->loop, &clients->turn);
}
