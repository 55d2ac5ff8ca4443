/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client - one connection to the daemon, blocking with time limits.
 *
 * It moves messages; what they mean is for others.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "control/varlink.h"

struct client;

/**
 * client_open() - connect
 * @path: of the socket
 * @ret:  free with client_free()
 *
 * Return: 0; -ENAMETOOLONG; -ETIMEDOUT when the daemon takes no clients for
 * some seconds; or what the kernel said (-ENOENT and -ECONNREFUSED: no daemon;
 * -EACCES: not for this user).
 */
int client_open(const char *path, struct client **ret);

void client_free(struct client *client);

/**
 * client_send() - send a call
 *
 * Return: 0; -ENOMEM; or what the kernel said.
 */
int client_send(struct client *client, const struct varlink_call *call);

/* For poll(): readable when client_receive() has something to do. */
int client_fd(const struct client *client);

/**
 * client_receive() - the next reply
 * @timeout_ms: how long to wait for it; 0: not at all
 * @ret_reply:  points into the message
 * @ret:        the message; free with json_object_put()
 *
 * Return: 0; -ETIMEDOUT; -ECONNRESET when the daemon hung up; -EBADMSG,
 * -EMSGSIZE or -EPROTO when it sent nonsense; -ENOMEM.
 */
int client_receive(struct client *client, int timeout_ms,
		   struct varlink_reply *ret_reply, struct json_object **ret);

#endif
