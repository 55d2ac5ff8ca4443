/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	SEND_TIMEOUT_S = 5,
	/* Far more than any answer: the daemon is trusted, but not blindly. */
	REPLY_MAX = 64 * 1024 * 1024,
	READ_CHUNK = 16 * 1024,
};

struct client {
	int fd;
	struct varlink_reader input;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int connect_socket(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = SEND_TIMEOUT_S};
	int len;

	len = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (len < 0 || (size_t)len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	/* Also limits connect(), which waits while the queue is full. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return 0;
}

int client_open(const char *path, struct client **ret)
{
	struct client *client = calloc(1, sizeof(*client));
	int err;

	if (!client)
		return -ENOMEM;
	varlink_reader_init(&client->input, REPLY_MAX);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = client->fd < 0 ? -errno : connect_socket(client->fd, path);
	if (err) {
		client_free(client);
		return err;
	}
	*ret = client;
	return 0;
}

void client_free(struct client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		(void)close(client->fd);
	varlink_reader_done(&client->input);
	free(client);
}

int client_fd(const struct client *client)
{
	return client->fd;
}

static int send_all(int fd, const char *bytes, size_t len)
{
	ssize_t sent;

	while (len > 0) {
		sent = send(fd, bytes, len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		bytes += sent;
		len -= (size_t)sent;
	}
	return 0;
}

int client_send(struct client *client, const struct varlink_call *call)
{
	struct json_object *message = varlink_call_new(call);
	char *bytes = NULL;
	size_t len = 0;
	int err = -ENOMEM;

	if (message)
		err = varlink_pack(message, &bytes, &len);
	json_object_put(message);
	if (err)
		return err;
	err = send_all(client->fd, bytes, len);
	free(bytes);
	return err;
}

/* Wait for bytes and take some of them. */
static int receive_some(struct client *client, int64_t until_ms)
{
	struct pollfd wait = {.fd = client->fd, .events = POLLIN};
	int64_t left_ms = until_ms - now_ms();
	char chunk[READ_CHUNK];
	ssize_t len;
	int ready;

	ready = poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0);
	if (ready < 0)
		return errno == EINTR ? 0 : -errno;
	if (ready == 0)
		return -ETIMEDOUT;

	len = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (len < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (len == 0)
		return -ECONNRESET;
	if ((size_t)len > varlink_reader_room(&client->input))
		return -EMSGSIZE;
	return varlink_reader_feed(&client->input, chunk, (size_t)len);
}

int client_receive(struct client *client, int timeout_ms,
		   struct varlink_reply *ret_reply, struct json_object **ret)
{
	int64_t until_ms = now_ms() + timeout_ms;
	struct json_object *message = NULL;
	int err;

	while ((err = varlink_reader_next(&client->input, &message)) ==
	       -EAGAIN) {
		err = receive_some(client, until_ms);
		if (err)
			return err;
	}
	if (err)
		return err;

	err = varlink_reply_parse(message, ret_reply);
	if (err) {
		json_object_put(message);
		return err;
	}
	*ret = message;
	return 0;
}
