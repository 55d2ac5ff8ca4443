/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outbox - bytes that wait until the peer reads.
 *
 * Holds no memory while it is empty. The caller decides how much may wait.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stddef.h>

/* All private; zeroed is empty. */
struct outbox {
	char *data;
	size_t size;  /* bytes there is room for in @data */
	size_t start; /* first byte not sent */
	size_t end;   /* behind the last byte */
};

/* How many bytes wait. */
size_t outbox_len(const struct outbox *outbox);

/**
 * outbox_take() - append bytes
 * @bytes: from malloc(); ours from here on, on error too
 *
 * Return: 0 or -ENOMEM.
 */
int outbox_take(struct outbox *outbox, char *bytes, size_t len);

/**
 * outbox_send() - send what the peer takes now
 * @fd: a non-blocking socket
 *
 * Return: 0 when nothing is left; -EAGAIN when the peer must read first; or
 * what the kernel said (-EPIPE: the peer is gone; never a signal).
 */
int outbox_send(struct outbox *outbox, int fd);

/* Forget all; may run twice. */
void outbox_done(struct outbox *outbox);

#endif
