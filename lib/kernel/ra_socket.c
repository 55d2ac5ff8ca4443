/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/ra_socket.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/xalloc.h"

#define HOP_LIMIT      255	    /* nobody off the link can send this */
#define RECEIVE_BUFFER (256 * 1024) /* the kernel counts its own overhead too */
#define MESSAGE_MAX    65536	    /* more than any packet holds */

struct ra_socket {
	int fd;
	uint8_t bytes[MESSAGE_MAX];
};

/* What stands beside a message. */
struct envelope {
	uint32_t ifindex;
	int hop_limit; /* -1: not told */
	bool fragments;
};

static int set(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)) < 0)
		return -errno;
	return 0;
}

static int set_filter(int fd)
{
	struct icmp6_filter filter;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_ROUTER_ADVERT, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter,
		       sizeof(filter)) < 0)
		return -errno;
	return 0;
}

static int set_up(int fd)
{
	static const struct {
		int level;
		int option;
		int value;
	} options[] = {
		{SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER},
		{IPPROTO_IPV6, IPV6_RECVPKTINFO, 1},
		{IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1},
		{IPPROTO_IPV6, IPV6_RECVFRAGSIZE, 1},
		{IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOP_LIMIT},
		{IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0},
	};
	int r = set_filter(fd);

	for (size_t i = 0; !r && i < sizeof(options) / sizeof(options[0]); i++)
		r = set(fd, options[i].level, options[i].option,
			options[i].value);
	return r;
}

int ra_socket_open(struct ra_socket **ret)
{
	struct ra_socket *sock = xalloc(sizeof(*sock));
	int r;

	sock->fd = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			  IPPROTO_ICMPV6);
	r = sock->fd < 0 ? -errno : set_up(sock->fd);
	if (r) {
		ra_socket_free(sock);
		return r;
	}
	*ret = sock;
	return 0;
}

void ra_socket_free(struct ra_socket *sock)
{
	if (!sock)
		return;
	if (sock->fd >= 0)
		(void)close(sock->fd);
	free(sock);
}

int ra_socket_fd(const struct ra_socket *sock)
{
	return sock->fd;
}

/* --- receiving --- */

static void read_envelope(struct msghdr *msg, struct envelope *ret)
{
	struct in6_pktinfo info;
	struct cmsghdr *it;

	for (it = CMSG_FIRSTHDR(msg); it; it = CMSG_NXTHDR(msg, it)) {
		if (it->cmsg_level != IPPROTO_IPV6)
			continue;
		if (it->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info, CMSG_DATA(it), sizeof(info));
			ret->ifindex = info.ipi6_ifindex;
		} else if (it->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&ret->hop_limit, CMSG_DATA(it),
			       sizeof(ret->hop_limit));
		} else if (it->cmsg_type == IPV6_RECVFRAGSIZE) {
			/* There only if it came in fragments. */
			ret->fragments = true;
		}
	}
}

/* Return: its length; -EAGAIN: nothing is queued; or another -errno. */
static ssize_t receive(struct ra_socket *sock, struct sockaddr_in6 *from,
		       struct envelope *ret)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[256];
	} control;
	struct iovec iov = {.iov_base = sock->bytes, .iov_len = MESSAGE_MAX};
	struct msghdr msg = {
		.msg_name = from,
		.msg_namelen = sizeof(*from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	do {
		n = recvmsg(sock->fd, &msg, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	read_envelope(&msg, ret);
	return n;
}

/* RFC 4861, 6.1.2, in its order; NULL: nothing is wrong. */
static const char *refuse(const struct ra_heard *heard,
			  const struct envelope *envelope)
{
	if (!ip_addr_is_link_local(&heard->router))
		return "its source is not link-local";
	if (envelope->hop_limit != HOP_LIMIT)
		return "its hop limit is not 255";
	/* RFC 6980, 5: what inspects a link's frames does not see into them. */
	if (envelope->fragments)
		return "it came in fragments";
	if (envelope->ifindex == 0)
		return "its link is not known";
	return NULL;
}

int ra_socket_receive(struct ra_socket *sock, struct ra_heard *ret)
{
	struct sockaddr_in6 from = {0};
	struct envelope envelope = {.hop_limit = -1};
	ssize_t n = receive(sock, &from, &envelope);

	if (n < 0)
		return n == -EAGAIN ? 0 : (int)n;
	ret->ifindex = envelope.ifindex;
	ret->router = ip_addr_make(AF_INET6, &from.sin6_addr);
	ret->why = refuse(ret, &envelope);
	if (!ret->why && ra_parse(sock->bytes, (size_t)n, &ret->ra))
		ret->why = "its bytes make no sense";
	return ret->why ? -EBADMSG : 1;
}

/* --- asking --- */

int ra_socket_solicit(struct ra_socket *sock, uint32_t ifindex)
{
	/* The kernel puts in the checksum. */
	const struct nd_router_solicit ask = {
		.nd_rs_type = ND_ROUTER_SOLICIT,
	};
	const struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		/* ff02::2, all routers of the link */
		.sin6_addr.s6_addr = {0xff, 0x02, [15] = 2},
		.sin6_scope_id = ifindex,
	};
	ssize_t n;

	do {
		n = sendto(sock->fd, &ask, sizeof(ask), MSG_DONTWAIT,
			   (const struct sockaddr *)&to, sizeof(to));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}
