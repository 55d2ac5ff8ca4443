/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server/clients.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "control/outbox.h"
#include "control/varlink.h"

enum {
	QUEUES = 8, /* all queues together: so many full ones */
	READ_CHUNK = 16 * 1024,
	LOG_BURST = 20, /* lines about clients in one period */
	LOG_LINE_MAX = 256,
};

#define LOG_PERIOD_S 10.0

enum call_state {
	CALL_NONE,
	CALL_RUNNING,
	CALL_DEFERRED,
};

struct server_call {
	struct client *client;
	enum call_state state;
	bool more;
	bool oneway;
	void (*cancel)(struct server_call *call, void *user);
	void (*step)(struct server_call *call, void *user); /* may be NULL */
	void *user;
};

struct client {
	TAILQ_ENTRY(client) entry;
	struct clients *clients;
	int fd;
	struct ucred peer;
	bool admin;

	ev_io readable;
	ev_io writable; /* active while output waits */
	ev_timer stall; /* active while output waits */
	ev_timer turn;	/* go on in the loop's next round */

	struct varlink_reader input;
	struct outbox output;
	struct server_call call;

	bool eof;	 /* the peer sends no more: answer what came, close */
	bool last;	 /* close after this answer */
	bool doomed;	 /* free it at its turn; all else is a no-op */
	const char *why; /* of doomed; NULL: not worth a line */
};

/* Whoever may connect must not be able to fill the log. */
static bool may_log(struct clients *clients)
{
	ev_tstamp now = ev_now(clients->loop);

	if (now - clients->log_since > LOG_PERIOD_S) {
		clients->log_since = now;
		clients->log_lines = 0;
	}
	return clients->log && ++clients->log_lines <= LOG_BURST;
}

static void peer_log(struct clients *clients, const struct ucred *peer,
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

static void client_turn(struct client *client)
{
	/* A timer of 0: the loop looks at all its sockets before it. */
	ev_timer_stop(client->clients->loop, &client->turn);
	ev_timer_set(&client->turn, 0., 0.);
	ev_timer_start(client->clients->loop, &client->turn);
}

static void client_doom(struct client *client, const char *why)
{
	struct ev_loop *loop = client->clients->loop;

	if (client->doomed)
		return;
	client->doomed = true;
	client->why = why;
	ev_io_stop(loop, &client->readable);
	ev_io_stop(loop, &client->writable);
	ev_timer_stop(loop, &client->stall);
	client_turn(client);
}

/* From the loop only: runs the cancel callback. */
static void client_free(struct client *client)
{
	struct clients *clients = client->clients;
	struct server_call *call = &client->call;

	ev_io_stop(clients->loop, &client->readable);
	ev_io_stop(clients->loop, &client->writable);
	ev_timer_stop(clients->loop, &client->stall);
	ev_timer_stop(clients->loop, &client->turn);
	if (client->why)
		peer_log(clients, &client->peer, LOG_INFO,
			 "dropped: ", client->why);
	if (call->state == CALL_DEFERRED) {
		call->state = CALL_NONE;
		call->cancel(call, call->user);
	}

	TAILQ_REMOVE(&clients->list, client, entry);
	clients->count--;
	clients->queued -= outbox_len(&client->output);
	outbox_done(&client->output);
	varlink_reader_done(&client->input);
	(void)close(client->fd);
	free(client);
}

/* Send what the peer takes, and wait for it to take the rest. */
static void client_flush(struct client *client)
{
	struct ev_loop *loop = client->clients->loop;
	size_t before = outbox_len(&client->output);
	size_t after;
	int err;

	err = outbox_send(&client->output, client->fd);
	after = outbox_len(&client->output);
	client->clients->queued -= before - after;
	if (err && err != -EAGAIN) {
		client_doom(client, NULL);
		return;
	}
	if (after == 0) {
		ev_io_stop(loop, &client->writable);
		ev_timer_stop(loop, &client->stall);
		return;
	}
	ev_io_start(loop, &client->writable);
	if (after < before || !ev_is_active(&client->stall))
		ev_timer_again(loop, &client->stall);
}

static void client_send(struct client *client,
			const struct varlink_reply *reply)
{
	struct clients *clients = client->clients;
	struct json_object *message = varlink_reply_new(reply);
	size_t waiting = outbox_len(&client->output);
	char *bytes;
	size_t len;
	int err = -ENOMEM;

	if (message)
		err = varlink_pack(message, &bytes, &len);
	json_object_put(message);
	if (err) {
		client_doom(client, "out of memory");
		return;
	}
	if (waiting + len > clients->queue_max ||
	    clients->queued + len > QUEUES * clients->queue_max) {
		free(bytes);
		client_doom(client, waiting > 0 ? "does not read fast enough"
						: "its answer is too long");
		return;
	}
	if (outbox_take(&client->output, bytes, len)) {
		client_doom(client, "out of memory");
		return;
	}
	clients->queued += len;
	/* With bytes already waiting, the socket is full anyhow. */
	if (waiting == 0)
		client_flush(client);
}

/* Takes the parameters. */
static void call_send(struct server_call *call, struct varlink_reply reply)
{
	assert(call->state != CALL_NONE);
	/* Optional by the book, but some clients expect it always. */
	if (!reply.parameters)
		reply.parameters = json_object_new_object();
	if (!call->oneway && !call->client->doomed)
		client_send(call->client, &reply);
	json_object_put(reply.parameters);
}

static void call_end(struct server_call *call)
{
	struct client *client = call->client;

	call->state = CALL_NONE;
	if (varlink_reader_pending(&client->input) || client->eof ||
	    client->last)
		client_turn(client);
}

void server_call_defer(struct server_call *call,
		       void (*cancel)(struct server_call *call, void *user),
		       void *user)
{
	assert(call->state == CALL_RUNNING && cancel);
	call->state = CALL_DEFERRED;
	call->cancel = cancel;
	call->user = user;
}

void server_call_step(struct server_call *call,
		      void (*step)(struct server_call *call, void *user))
{
	assert(call->state == CALL_DEFERRED);
	call->step = step;
	client_turn(call->client);
}

void server_call_reply(struct server_call *call, struct json_object *parameters)
{
	call_send(call, (struct varlink_reply){.parameters = parameters});
	call_end(call);
}

void server_call_continue(struct server_call *call,
			  struct json_object *parameters)
{
	assert(call->more);
	call_send(call, (struct varlink_reply){.parameters = parameters,
					       .continues = true});
}

void server_call_error(struct server_call *call, const char *name,
		       struct json_object *parameters)
{
	call_send(call, (struct varlink_reply){.error = name,
					       .parameters = parameters});
	call_end(call);
}

bool server_call_more(const struct server_call *call)
{
	return call->more;
}

bool clients_is_admin(const struct server_call *call)
{
	return call->client->admin;
}

void clients_log(const struct server_call *call, int level, const char *what,
		 const char *detail)
{
	peer_log(call->client->clients, &call->client->peer, level, what,
		 detail);
}

static void client_dispatch(struct client *client, struct json_object *message)
{
	struct clients *clients = client->clients;
	struct varlink_call asked = {0};
	int err = varlink_call_parse(message, &asked);

	if (err == -EPROTO) {
		client_doom(client, "sent a message that is no call");
		return;
	}
	client->call = (struct server_call){
		.client = client,
		.state = CALL_RUNNING,
		.more = asked.more,
		.oneway = asked.oneway,
	};
	if (err == -ENOTSUP) {
		/* It would go on in another protocol now. */
		client->last = true;
		server_call_invalid(&client->call, "upgrade");
		return;
	}
	clients->dispatch(&client->call, &asked, clients->data);

	if (client->call.state == CALL_RUNNING) {
		client->call.state = CALL_NONE;
		client_doom(client, "its call was not answered (a bug)");
	}
}

/* What to do about a client that cannot have its next call run now. */
static void client_wait(struct client *client)
{
	if (client->call.state != CALL_DEFERRED)
		return;
	/* Who sends no more may still read what is being worked out. */
	if (client->eof && !client->call.step)
		client_doom(client, NULL);
	else if (varlink_reader_room(&client->input) == 0)
		/* Unless we read, we would not notice that it is gone. */
		client_doom(client, "too many calls behind one that waits");
}

static void client_next(struct client *client)
{
	struct json_object *message;
	int err = varlink_reader_next(&client->input, &message);

	if (client->last || (err == -EAGAIN && client->eof)) {
		client_doom(client, NULL);
	} else if (err == -EMSGSIZE) {
		client_doom(client, "sent a message that is too long");
	} else if (err == -EBADMSG) {
		client_doom(client, "sent a message that is no JSON object");
	} else if (err == -ENOMEM) {
		client_doom(client, "out of memory");
	}
	if (err)
		return;

	if (!client->doomed)
		client_dispatch(client, message);
	json_object_put(message);
}

static void client_step(struct client *client)
{
	struct server_call *call = &client->call;

	call->step(call, call->user);
	if (call->state == CALL_DEFERRED && !client->doomed)
		client_turn(client);
}

/* At most one call: others of the loop may have more urgent things to do. */
static void client_advance(struct client *client)
{
	struct ev_loop *loop = client->clients->loop;

	if (client->call.state != CALL_NONE || outbox_len(&client->output) > 0)
		client_wait(client);
	else
		client_next(client);
	if (client->doomed)
		return;

	if (client->eof || varlink_reader_room(&client->input) == 0)
		ev_io_stop(loop, &client->readable);
	else
		ev_io_start(loop, &client->readable);
}

static bool may_step(const struct client *client)
{
	return client->call.state == CALL_DEFERRED && client->call.step &&
	       outbox_len(&client->output) == 0;
}

static void on_turn(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct client *client = watcher->data;

	(void)loop;
	(void)events;
	if (client->doomed)
		client_free(client);
	else if (may_step(client))
		client_step(client);
	else
		client_advance(client);
}

static void on_stall(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)events;
	client_doom(watcher->data, "does not read its answer");
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct client *client = watcher->data;

	(void)loop;
	(void)events;
	client_flush(client);
	if (client->doomed || outbox_len(&client->output) > 0)
		return;
	if (may_step(client))
		client_turn(client);
	else
		client_advance(client);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct client *client = watcher->data;
	struct clients *clients = client->clients;
	size_t room = varlink_reader_room(&client->input);
	char chunk[READ_CHUNK];
	ssize_t len;

	(void)loop;
	(void)events;
	len = recv(client->fd, chunk, room < READ_CHUNK ? room : READ_CHUNK,
		   MSG_DONTWAIT);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len < 0 ||
	    varlink_reader_feed(&client->input, chunk, (size_t)len)) {
		client_doom(client, NULL);
		return;
	}
	client->eof = len == 0;
	TAILQ_REMOVE(&clients->list, client, entry);
	TAILQ_INSERT_TAIL(&clients->list, client, entry);
	client_advance(client);
}

static bool is_idle(const struct client *client)
{
	return client->call.state == CALL_NONE &&
	       outbox_len(&client->output) == 0;
}

bool clients_evict(struct clients *clients, bool for_admin)
{
	struct client *client;
	struct client *busy = NULL;

	TAILQ_FOREACH(client, &clients->list, entry)
	{
		if (is_idle(client))
			break;
		if (!busy && !client->admin)
			busy = client;
	}
	if (!client && for_admin)
		client = busy;
	if (!client)
		return false;
	if (!client->doomed)
		client->why = "its place is needed";
	client_free(client);
	return true;
}

static bool is_admin(const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}

/* Who is it, and is there room? */
static int client_admit(struct clients *clients, int fd, struct ucred *ret)
{
	socklen_t len = sizeof(*ret);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &len) < 0)
		return -errno;
	if (clients->count < clients->max)
		return 0;
	if (clients_evict(clients, is_admin(ret)))
		return 0;
	peer_log(clients, ret, LOG_WARNING,
		 "refused: ", "all places are taken and busy");
	return -EUSERS;
}

int clients_add(struct clients *clients, int fd)
{
	struct ucred peer = {0};
	struct client *client = NULL;
	int err;

	err = client_admit(clients, fd, &peer);
	if (!err) {
		client = calloc(1, sizeof(*client));
		err = client ? 0 : -ENOMEM;
	}
	if (err) {
		(void)close(fd);
		return err;
	}

	client->clients = clients;
	client->fd = fd;
	client->peer = peer;
	client->admin = is_admin(&peer);
	varlink_reader_init(&client->input, clients->message_max);

	ev_io_init(&client->readable, on_readable, fd, EV_READ);
	ev_io_init(&client->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&client->stall, on_stall, 0., clients->stall_ms / 1000.);
	ev_timer_init(&client->turn, on_turn, 0., 0.);
	client->readable.data = client;
	client->writable.data = client;
	client->stall.data = client;
	client->turn.data = client;
	ev_io_start(clients->loop, &client->readable);

	TAILQ_INSERT_TAIL(&clients->list, client, entry);
	clients->count++;
	return 0;
}

void clients_init(struct clients *clients)
{
	TAILQ_INIT(&clients->list);
	clients->count = 0;
	clients->queued = 0;
	clients->log_since = 0;
	clients->log_lines = 0;
}

void clients_done(struct clients *clients)
{
	struct client *client;
	struct client *next;

	for (client = TAILQ_FIRST(&clients->list); client; client = next) {
		next = TAILQ_NEXT(client, entry);
		client_free(client);
	}
}
