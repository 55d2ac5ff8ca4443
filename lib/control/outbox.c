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

int outbox_take(struct outbox *outbox, char *bytes, size_t len)
{
	size_t used = outbox_len(outbox);
	char *data;

	/* Nearly always: a whole reply, and nothing before it. */
	if (used == 0) {
		outbox_done(outbox);
		outbox->data = bytes;
		outbox->end = len;
		return 0;
	}

	memmove(outbox->data, outbox->data + outbox->start, used);
	outbox->start = 0;
	outbox->end = used;
	data = realloc(outbox->data, used + len);
	if (data) {
		memcpy(data + used, bytes, len);
		outbox->data = data;
		outbox->end = used + len;
	}
	free(bytes);
	return data ? 0 : -ENOMEM;
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
