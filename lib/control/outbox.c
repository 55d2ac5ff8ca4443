/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

size_t outbox_len(const struct outbox *outbox)
{
	return outbox->end - outbox->start;
}

/* Room for @len bytes behind the end; what was sent already makes place. */
static int reserve(struct outbox *outbox, size_t len)
{
	size_t used = outbox_len(outbox);
	size_t size = outbox->size;
	char *data;

	if (outbox->size - outbox->end >= len)
		return 0;
	if (outbox->start > 0)
		memmove(outbox->data, outbox->data + outbox->start, used);
	outbox->start = 0;
	outbox->end = used;
	if (size - used >= len)
		return 0;
	/* Twice as much each time: a long queue is not copied for each reply */
	size = used + len > 2 * size ? used + len : 2 * size;
	data = realloc(outbox->data, size);
	if (!data)
		return -ENOMEM;
	outbox->data = data;
	outbox->size = size;
	return 0;
}

int outbox_take(struct outbox *outbox, char *bytes, size_t len)
{
	int err;

	/* Nearly always: a whole reply, and nothing before it. */
	if (outbox_len(outbox) == 0) {
		outbox_done(outbox);
		outbox->data = bytes;
		outbox->size = len;
		outbox->end = len;
		return 0;
	}
	err = reserve(outbox, len);
	if (!err) {
		memcpy(outbox->data + outbox->end, bytes, len);
		outbox->end += len;
	}
	free(bytes);
	return err;
}

int outbox_send(struct outbox *outbox, int fd)
{
	ssize_t sent;

	while (outbox_len(outbox) > 0) {
		sent = send(fd, outbox->data + outbox->start,
			    outbox_len(outbox), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
		outbox->start += (size_t)sent;
	}
	outbox_done(outbox);
	return 0;
}

void outbox_done(struct outbox *outbox)
{
	free(outbox->data);
	*outbox = (struct outbox){0};
}
