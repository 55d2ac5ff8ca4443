/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl_sock - netlink sockets: set-up, sending, receiving.
 *
 * libnl makes the sockets; the bytes are received here, into a buffer of the
 * caller's, because nl_recv() allocates and peeks for each datagram. Only what
 * the kernel itself sent is passed on.
 */
#ifndef NL_SOCK_H
#define NL_SOCK_H

#include <stdbool.h>

#include <netlink/netlink.h>

/* The kernel fills dump datagrams up to 32 KB; events are smaller. */
#define NL_SOCK_BUFFER 65536

/**
 * nl_sock_open() - a close-on-exec, bound netlink socket
 * @protocol: NETLINK_ROUTE or another one
 *
 * With strict checking of requests and with the kernel's words for errors.
 * Return: 0 or -errno.
 */
int nl_sock_open(int protocol, struct nl_sock **ret);

/** nl_sock_free() - close; NULL is legal */
void nl_sock_free(struct nl_sock *sock);

/**
 * nl_sock_resolve() - the number of a generic netlink family, or of its group
 * @group: NULL: of the family itself
 *
 * Return: the number; -ENOENT: this kernel has none; or -errno: it could not be
 * asked.
 */
int nl_sock_resolve(struct nl_sock *sock, const char *family,
		    const char *group);

/** nl_sock_set_receive_timeout() - how long nl_sock_receive() waits */
int nl_sock_set_receive_timeout(struct nl_sock *sock, unsigned int timeout_s);

/** nl_sock_set_buffer() - how much may wait to be received, in bytes */
int nl_sock_set_buffer(struct nl_sock *sock, int bytes);

/**
 * nl_sock_listen() - non-blocking, room for a burst, member of @groups
 * @groups: RTNLGRP_ values, 0 ends the list
 */
int nl_sock_listen(struct nl_sock *sock, const int *groups);

/** nl_sock_send() - @bytes to the kernel; 0 or -errno */
int nl_sock_send(struct nl_sock *sock, const void *bytes, size_t len);

/**
 * nl_sock_receive() - one datagram
 * @buffer: NL_SOCK_BUFFER bytes, aligned for any type
 * @wait:   until something comes or the time is up
 *
 * Return: its length; 0: nothing there (or the time is up); -ENOBUFS: messages
 * were lost, by overrun or because one was larger than the buffer; -errno.
 */
int nl_sock_receive(struct nl_sock *sock, void *buffer, bool wait);

#endif
