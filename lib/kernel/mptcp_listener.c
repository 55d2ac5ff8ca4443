/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/mptcp_listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/mptcp.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include "core/xalloc.h"
#include "kernel/decode_mptcp.h"
#include "kernel/nl_sock.h"

struct mptcp_listener {
	struct nl_sock *sock;
	int group;
	void *buffer; /* NL_SOCK_BUFFER bytes */
};

/* On a socket of its own: the other one is full of events soon. */
static int find_group(int *ret)
{
	struct nl_sock *sock = NULL;
	int error = nl_sock_open(NETLINK_GENERIC, &sock);
	int group;

	if (error)
		return error;
	group = nl_sock_resolve(sock, MPTCP_PM_NAME, MPTCP_PM_EV_GRP_NAME);
	nl_sock_free(sock);
	if (group < 0)
		return group;
	*ret = group;
	return 0;
}

static int start(struct mptcp_listener *listener)
{
	int groups[2] = {0};
	int error = find_group(&groups[0]);

	if (error)
		return error;
	listener->group = groups[0];
	error = nl_sock_open(NETLINK_GENERIC, &listener->sock);
	return error ? error : nl_sock_listen(listener->sock, groups);
}

int mptcp_listener_open(struct mptcp_listener **ret)
{
	struct mptcp_listener *listener = xalloc(sizeof(*listener));
	int error = start(listener);

	if (error) {
		mptcp_listener_free(listener);
		return error;
	}
	listener->buffer = xalloc(NL_SOCK_BUFFER);
	*ret = listener;
	return 0;
}

void mptcp_listener_free(struct mptcp_listener *listener)
{
	if (!listener)
		return;
	nl_sock_free(listener->sock);
	free(listener->buffer);
	free(listener);
}

int mptcp_listener_fd(const struct mptcp_listener *listener)
{
	return nl_socket_get_fd(listener->sock);
}

int mptcp_listener_receive(struct mptcp_listener *listener, size_t max,
			   mptcp_event_fn *fn, void *data)
{
	size_t n = 0;

	while (n < max) {
		const struct nlmsghdr *hdr = listener->buffer;
		struct mptcp_event event;
		int len = nl_sock_receive(listener->sock, listener->buffer,
					  false);

		if (len < 0)
			return len;
		if (len == 0)
			break;
		for (; nlmsg_ok(hdr, len);
		     hdr = nlmsg_next((struct nlmsghdr *)hdr, &len)) {
			n++;
			if (decode_mptcp_event(hdr, &event) == 0)
				fn(&event, data);
		}
	}
	return (int)n;
}

/* The kernel shows the first 32 groups of each socket. */
size_t mptcp_listener_others(const struct mptcp_listener *listener,
			     uint32_t *ret, size_t max)
{
	uint32_t self = listener ? nl_socket_get_local_port(listener->sock) : 0;
	int group = listener ? listener->group : 0;
	char line[256];
	FILE *file;
	size_t n = 0;

	if (!listener && find_group(&group))
		return 0;
	file = fopen("/proc/thread-self/net/netlink", "re");
	while (file && group <= 32 && fgets(line, sizeof(line), file)) {
		int protocol;
		uint32_t port;
		uint32_t groups;

		if (sscanf(line, "%*s %d %u %x", &protocol, &port, &groups) !=
			    3 ||
		    protocol != NETLINK_GENERIC || port == self ||
		    !(groups & 1U << (group - 1)))
			continue;
		if (n < max)
			ret[n] = port;
		n++;
	}
	if (file)
		(void)fclose(file);
	return n;
}
