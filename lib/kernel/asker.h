/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * asker - an rtnetlink socket for questions, used synchronously.
 *
 * rtnetlink answers within the call, so nothing blocks for longer than the
 * kernel itself needs. What is left of an answer that was not read to its end
 * is thrown away before the next question.
 */
#ifndef ASKER_H
#define ASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netlink/msg.h>

struct asker {
	struct nl_sock *sock;
	void *buffer;	   /* NL_SOCK_BUFFER bytes for answers; borrowed */
	uint32_t sequence; /* of the last message */
	bool unfinished;   /* an answer was not read to its end */
};

/** asker_open() - 0 or -errno; asker_close() it in either case */
int asker_open(struct asker *asker, void *buffer);
void asker_close(struct asker *asker);

/** asker_port() - nlmsg_pid of what others hear of its work */
uint32_t asker_port(const struct asker *asker);

/**
 * asker_send() - a question, or several, numbered by the caller
 *
 * The exchange counts as unfinished until the caller has read all of the answer
 * and says otherwise. Return: 0 or -errno.
 */
int asker_send(struct asker *asker, const void *bytes, size_t len);

/** asker_ask() - @msg as the next question; as asker_send() */
int asker_ask(struct asker *asker, struct nl_msg *msg);

/**
 * asker_receive() - the next datagram of an answer
 *
 * Return: its length in asker->buffer; -ETIMEDOUT; or -errno.
 */
int asker_receive(struct asker *asker);

/**
 * asker_error() - the errno in an NLMSG_ERROR message (0: an ack)
 * @ret_why: @size bytes for the kernel's own text, may be empty; NULL: none
 */
int asker_error(const struct nlmsghdr *hdr, char *ret_why, size_t size);

#endif
