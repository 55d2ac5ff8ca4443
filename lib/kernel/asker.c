/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/asker.h"

#include <errno.h>
#include <stdio.h>

#include <netlink/attr.h>
#include <netlink/socket.h>

#include "kernel/message.h"
#include "kernel/nl_sock.h"

#define ANSWER_TIMEOUT_S 5
/* A batch of which every message fails has as many answers. */
#define ANSWER_BUFFER (1024 * 1024)

/* Of an answer left behind: a dump of everything is some 100 000 datagrams. */
#define LEFTOVER_MAX 1000000

int asker_open(struct asker *asker, void *buffer)
{
	int r;

	*asker = (struct asker){.buffer = buffer};
	r = nl_sock_open(NETLINK_ROUTE, &asker->sock);
	if (!r)
		r = nl_sock_set_buffer(asker->sock, ANSWER_BUFFER);
	if (!r)
		r = nl_sock_set_receive_timeout(asker->sock, ANSWER_TIMEOUT_S);
	return r;
}

void asker_close(struct asker *asker)
{
	nl_sock_free(asker->sock);
	asker->sock = NULL;
}

uint32_t asker_port(const struct asker *asker)
{
	return nl_socket_get_local_port(asker->sock);
}

static void throw_away(struct asker *asker)
{
	for (size_t i = 0; i < LEFTOVER_MAX; i++)
		if (nl_sock_receive(asker->sock, asker->buffer, false) == 0)
			return;
}

int asker_send(struct asker *asker, const void *bytes, size_t len)
{
	if (asker->unfinished)
		throw_away(asker);
	asker->unfinished = true;
	return nl_sock_send(asker->sock, bytes, len);
}

int asker_ask(struct asker *asker, struct nl_msg *msg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);

	hdr->nlmsg_seq = ++asker->sequence;
	return asker_send(asker, hdr, hdr->nlmsg_len);
}

int asker_receive(struct asker *asker)
{
	int len = nl_sock_receive(asker->sock, asker->buffer, true);

	return len == 0 ? -ETIMEDOUT : len;
}

static void read_why(const struct nlmsghdr *hdr, char *ret_why, size_t size)
{
	const struct nlattr *text;
	struct message message;

	/*
	 * Without the cap the request stands before the attributes; kernels
	 * that have the text but not the cap do not exist.
	 */
	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    !(hdr->nlmsg_flags & NLM_F_CAPPED) ||
	    message_parse(hdr, sizeof(struct nlmsgerr), &message))
		return;
	text = message.attr[NLMSGERR_ATTR_MSG];
	if (text)
		(void)snprintf(ret_why, size, "%.*s", nla_len(text),
			       (const char *)nla_data(text));
}

int asker_error(const struct nlmsghdr *hdr, char *ret_why, size_t size)
{
	const struct nlmsgerr *error = nlmsg_data(hdr);

	if (ret_why)
		ret_why[0] = '\0';
	if (!nlmsg_valid_hdr(hdr, sizeof(*error)) || error->error > 0)
		return -EBADMSG;
	if (ret_why)
		read_why(hdr, ret_why, size);
	return error->error;
}
