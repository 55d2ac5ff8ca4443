/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets - what the kernel_*.c files share.
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include <netlink/msg.h>

#include "kernel/decode.h"
#include "kernel/kernel.h"
#include "kernel/nl_sock.h"

struct kernel {
	struct kernel_config config;
	struct nl_sock *listener;
	struct nl_sock *asker;
	bool recovery; /* see kernel_watch_recovery() */
	/*
	 * An answer was not read to its end: what is left must be thrown away
	 * before the next question.
	 */
	bool unfinished;
	uint32_t sequence;  /* of the last message sent */
	struct nl_msg *msg; /* the message being written */
	void *buffer;	    /* NL_SOCK_BUFFER bytes for what is received */
	struct batch *batch;
	struct aside *aside;
};

/** batch_new() - what kernel_apply() works with */
struct batch *batch_new(struct kernel *kernel);
void batch_free(struct batch *batch);

/** aside_new() - what kernel_apply_begin() works with; no thread runs yet */
struct aside *aside_new(struct kernel *kernel);
void aside_free(struct aside *aside);

/** aside_port() - of socket number @i that it writes by; 0: there is none */
uint32_t aside_port(const struct aside *aside, size_t i);

/** sockets_attach() - the listener's filter, as things are now; 0 or -errno */
int sockets_attach(struct kernel *kernel);

/**
 * sockets_fail() - op number @op of @ops ended with @error
 * @why: as of struct kernel_failure; NULL: nothing is known
 * @failures: appended unless that is as good as success; sorted by op, and
 *	      nearly always they come so
 */
void sockets_fail(const struct op *ops, size_t op, int error, const char *why,
		  struct kernel_failure_vec *failures);

/* A batch is what goes out with one call. */
#define BATCH_MESSAGES 100
#define BATCH_BYTES    32768

/** sockets_context() - for decoding now; @table: of a dump, or 0 */
struct decode_context sockets_context(const struct kernel *kernel,
				      uint32_t table);

/**
 * sockets_ready() - throw away what is left of an earlier, failed exchange
 *
 * To be called before a question; the exchange then counts as unfinished until
 * the caller has read all of the answer and says otherwise.
 */
void sockets_ready(struct kernel *kernel);

/** sockets_send() - send kernel->msg as the next question */
int sockets_send(struct kernel *kernel);

/**
 * sockets_receive() - the next datagram of an answer
 *
 * Return: its length in kernel->buffer; -ETIMEDOUT; or -errno.
 */
int sockets_receive(struct kernel *kernel);

/**
 * sockets_error() - the errno in an NLMSG_ERROR message (0: an ack)
 * @ret_why: @size bytes for the kernel's own text, may be empty; NULL: none
 */
int sockets_error(const struct nlmsghdr *hdr, char *ret_why, size_t size);

#endif
