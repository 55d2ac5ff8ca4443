/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server/connection.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <syslog.h>
#include <unistd.h>

enum {
	QUEUES = 8, /* all queues together: so many full ones */
	READ_CHUNK = 16 * 1024,
};

static void connection_doom(struct connection *client, const char *why)
{
	struct ev_loop *loop = client->clients->loop;

	if (client->doomed)
		return;
	client->doomed = true;
	client->why = why;
	ev_io_stop(loop, &client->readable);
	ev_io_stop(loop, &client->writable);
	ev_timer_stop(loop, &client->stall);
	client->clients->queued -= outbox_len(&client->output);
	outbox_done(&client->output);
	clients_turn(client);
}

void connection_free(struct connection *client)
{
	struct clients *clients = client->clients;
	struct server_call *call = &client->call;

	ev_io_stop(clients->loop, &client->readable);
	ev_io_stop(clients->loop, &client->writable);
	ev_timer_stop(clients->loop, &client->stall);
	clients_turn_over(client);
	if (client->why)
		clients_log_peer(clients, &client->peer, LOG_INFO,
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
static void connection_flush(struct connection *client)
{
	struct ev_loop *loop = client->clients->loop;
	size_t before = outbox_len(&client->output);
	size_t after;
	int err;

	err = outbox_send(&client->output, client->fd);
	after = outbox_len(&client->output);
	client->clients->queued -= before - after;
	if (err && err != -EAGAIN) {
		connection_doom(client, NULL);
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

/* Who has most to read, of others before admins; NULL: nobody has anything. */
static struct connection *find_slowest(const struct clients *clients)
{
	struct connection *slowest = NULL;
	struct connection *it;

	TAILQ_FOREACH(it, &clients->list, entry)
	{
		size_t len = outbox_len(&it->output);

		if (len == 0 || (slowest && it->admin && !slowest->admin))
			continue;
		if (!slowest || (slowest->admin && !it->admin) ||
		    len > outbox_len(&slowest->output))
			slowest = it;
	}
	return slowest;
}

/* Who lets answers pile up goes, not who comes next. */
static bool make_room(struct clients *clients, size_t len)
{
	struct connection *slowest;

	while (clients->queued + len > QUEUES * clients->queue_max) {
		slowest = find_slowest(clients);
		if (!slowest)
			return false;
		connection_doom(slowest, "does not read, and all queues are "
					 "full");
	}
	return true;
}

static void connection_send(struct connection *client,
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
		connection_doom(client, "out of memory");
		return;
	}
	if (waiting + len > clients->queue_max || !make_room(clients, len)) {
		free(bytes);
		connection_doom(client, waiting > 0
						? "does not read fast enough"
						: "its answer is too long");
		return;
	}
	if (client->doomed) {
		free(bytes);
		return;
	}
	if (outbox_take(&client->output, bytes, len)) {
		connection_doom(client, "out of memory");
		return;
	}
	clients->queued += len;
	/* With bytes already waiting, the socket is full anyhow. */
	if (waiting == 0)
		connection_flush(client);
}

/* Takes the parameters. */
static void call_send(struct server_call *call, struct varlink_reply reply)
{
	assert(call->state != CALL_NONE);
	/* Optional by the book, but some clients expect it always. */
	if (!reply.parameters)
		reply.parameters = json_object_new_object();
	if (!call->oneway && !call->client->doomed)
		connection_send(call->client, &reply);
	json_object_put(reply.parameters);
}

static void call_end(struct server_call *call)
{
	struct connection *client = call->client;

	call->state = CALL_NONE;
	if (varlink_reader_pending(&client->input) || client->eof ||
	    client->last)
		clients_turn(client);
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
	clients_turn(call->client);
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

static void connection_dispatch(struct connection *client,
				struct json_object *message)
{
	struct clients *clients = client->clients;
	struct varlink_call asked = {0};
	int err = varlink_call_parse(message, &asked);

	clients_heard(client);
	if (err == -EPROTO) {
		connection_doom(client, "sent a message that is no call");
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
		connection_doom(client, "its call was not answered (a bug)");
	}
}

/* What to do about a client that cannot have its next call run now. */
static void connection_wait(struct connection *client)
{
	if (client->call.state != CALL_DEFERRED)
		return;
	/* Who sends no more may still read the answer, but not for ever. */
	if (client->eof && client->call.more && !client->call.step)
		connection_doom(client, NULL);
	else if (varlink_reader_room(&client->input) == 0)
		/* Unless we read, we would not notice that it is gone. */
		connection_doom(client, "too many calls behind one that waits");
}

static void connection_next(struct connection *client)
{
	struct json_object *message;
	int err = varlink_reader_next(&client->input, &message);

	if (client->last || (err == -EAGAIN && client->eof)) {
		connection_doom(client, NULL);
	} else if (err == -EMSGSIZE) {
		connection_doom(client, "sent a message that is too long");
	} else if (err == -EBADMSG) {
		connection_doom(client,
				"sent a message that is no JSON object");
	} else if (err == -ENOMEM) {
		connection_doom(client, "out of memory");
	}
	if (err)
		return;

	if (!client->doomed)
		connection_dispatch(client, message);
	json_object_put(message);
}

static void connection_step(struct connection *client)
{
	struct server_call *call = &client->call;

	call->step(call, call->user);
	if (call->state == CALL_DEFERRED && !client->doomed)
		clients_turn(client);
}

/* At most one call: others of the loop may have more urgent things to do. */
static void connection_advance(struct connection *client)
{
	struct ev_loop *loop = client->clients->loop;

	if (client->call.state != CALL_NONE || outbox_len(&client->output) > 0)
		connection_wait(client);
	else
		connection_next(client);
	if (client->doomed)
		return;

	if (client->eof || varlink_reader_room(&client->input) == 0)
		ev_io_stop(loop, &client->readable);
	else
		ev_io_start(loop, &client->readable);
}

static bool may_step(const struct connection *client)
{
	return client->call.state == CALL_DEFERRED && client->call.step &&
	       outbox_len(&client->output) == 0;
}

void connection_take_turn(struct connection *client)
{
	clients_turn_over(client);
	if (client->doomed)
		connection_free(client);
	else if (may_step(client))
		connection_step(client);
	else
		connection_advance(client);
}

static void on_stall(struct ev_loop *loop, ev_timer *watcher, int events)
{
	(void)loop;
	(void)events;
	connection_doom(watcher->data, "does not read its answer");
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct connection *client = watcher->data;

	(void)loop;
	(void)events;
	connection_flush(client);
	if (outbox_len(&client->output) == 0)
		clients_turn(client);
}

/* Who only sends no more (a shell pipe does) may still read its answers. */
static bool is_gone(int fd)
{
	struct pollfd pollfd = {.fd = fd};

	return poll(&pollfd, 1, 0) > 0 &&
	       (pollfd.revents & (POLLHUP | POLLERR));
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct connection *client = watcher->data;
	size_t room = varlink_reader_room(&client->input);
	char chunk[READ_CHUNK];
	ssize_t len;

	(void)events;
	len = recv(client->fd, chunk, room < READ_CHUNK ? room : READ_CHUNK,
		   MSG_DONTWAIT);
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len < 0 || (len == 0 && is_gone(client->fd)) ||
	    varlink_reader_feed(&client->input, chunk, (size_t)len)) {
		connection_doom(client, NULL);
		return;
	}
	client->eof = len == 0;
	if (client->eof || varlink_reader_room(&client->input) == 0)
		ev_io_stop(loop, watcher);
	clients_heard(client);
	clients_turn(client);
}

struct connection *connection_new(struct clients *clients, int fd,
				  const struct ucred *peer, bool admin)
{
	struct connection *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->clients = clients;
	client->fd = fd;
	client->peer = *peer;
	client->admin = admin;
	varlink_reader_init(&client->input, clients->message_max);

	ev_io_init(&client->readable, on_readable, fd, EV_READ);
	ev_io_init(&client->writable, on_writable, fd, EV_WRITE);
	ev_timer_init(&client->stall, on_stall, 0., clients->stall_ms / 1000.);
	client->readable.data = client;
	client->writable.data = client;
	client->stall.data = client;
	ev_io_start(clients->loop, &client->readable);
	return client;
}

bool connection_is_idle(const struct connection *client)
{
	/* Who waits for a turn has a call to be run. */
	return client->call.state == CALL_NONE && !client->has_turn &&
	       outbox_len(&client->output) == 0;
}
