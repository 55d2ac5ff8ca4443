/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/nl_sock.h"

#include <errno.h>

#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/socket.h>

/* Some 20 000 route messages; more is read again after a loss. */
#define LISTEN_BUFFER (8 * 1024 * 1024)

static const struct {
	int libnl;
	int error;
} errors[] = {
	{NLE_NOMEM, ENOMEM},	 {NLE_PERM, EPERM},
	{NLE_EXIST, EADDRINUSE}, {NLE_AF_NOSUPPORT, EAFNOSUPPORT},
	{NLE_NOACCESS, EACCES},	 {NLE_PROTO_MISMATCH, EPROTONOSUPPORT},
};

/* @error: what errno says; libnl has no code for some of its values. */
static int errno_of(int libnl, int error)
{
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].libnl == libnl || errors[i].libnl == -libnl)
			return -errors[i].error;
	}
	return error ? -error : -EIO;
}

static int set_option(struct nl_sock *sock, int level, int option, int value)
{
	if (setsockopt(nl_socket_get_fd(sock), level, option, &value,
		       sizeof(value)) < 0)
		return -errno;
	return 0;
}

int nl_sock_open(int protocol, struct nl_sock **ret)
{
	struct nl_sock *sock = nl_socket_alloc();
	int error;
	int r;

	if (!sock)
		return -ENOMEM;
	errno = 0;
	r = nl_connect(sock, protocol);
	if (r) {
		error = errno_of(r, errno);
		nl_sock_free(sock);
		return error;
	}
	/* Kernels without these (before 4.20) are served without them. */
	(void)set_option(sock, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1);
	(void)set_option(sock, SOL_NETLINK, NETLINK_EXT_ACK, 1);
	(void)set_option(sock, SOL_NETLINK, NETLINK_CAP_ACK, 1);
	*ret = sock;
	return 0;
}

void nl_sock_free(struct nl_sock *sock)
{
	if (sock)
		nl_socket_free(sock);
}

/* libnl says of whatever fails that there is no such thing; errno knows. */
int nl_sock_resolve(struct nl_sock *sock, const char *family, const char *group)
{
	int number;

	errno = 0;
	number = group ? genl_ctrl_resolve_grp(sock, family, group)
		       : genl_ctrl_resolve(sock, family);
	if (number >= 0)
		return number;
	return errno ? -errno : -ENOENT;
}

int nl_sock_set_receive_timeout(struct nl_sock *sock, unsigned int timeout_s)
{
	struct timeval timeout = {.tv_sec = timeout_s};

	if (setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO,
		       &timeout, sizeof(timeout)) < 0)
		return -errno;
	return 0;
}

int nl_sock_set_buffer(struct nl_sock *sock, int bytes)
{
	/* Without the right to exceed the system's limit, what it allows. */
	if (set_option(sock, SOL_SOCKET, SO_RCVBUFFORCE, bytes) == 0)
		return 0;
	return set_option(sock, SOL_SOCKET, SO_RCVBUF, bytes);
}

int nl_sock_listen(struct nl_sock *sock, const int *groups)
{
	int r;

	r = nl_sock_set_buffer(sock, LISTEN_BUFFER);
	if (r)
		return r;
	r = nl_socket_set_nonblocking(sock);
	if (r)
		return errno_of(r, 0);
	for (; *groups; groups++) {
		r = set_option(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			       *groups);
		if (r)
			return r;
	}
	return 0;
}

int nl_sock_send(struct nl_sock *sock, const void *bytes, size_t len)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};
	ssize_t n;

	do {
		n = sendto(nl_socket_get_fd(sock), bytes, len, 0,
			   (struct sockaddr *)&to, sizeof(to));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EMSGSIZE;
}

/* Return: as nl_sock_receive(), but also -EINTR and -EPERM: look again. */
static int receive_once(struct nl_sock *sock, void *buffer, bool wait)
{
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = buffer, .iov_len = NL_SOCK_BUFFER};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	n = recvmsg(nl_socket_get_fd(sock), &msg, wait ? 0 : MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (from.nl_pid != 0)
		return -EPERM;
	if (msg.msg_flags & MSG_TRUNC)
		return -ENOBUFS;
	return (int)n;
}

int nl_sock_receive(struct nl_sock *sock, void *buffer, bool wait)
{
	int n;

	do {
		n = receive_once(sock, buffer, wait);
	} while (n == -EINTR || n == -EPERM);
	return n;
}
