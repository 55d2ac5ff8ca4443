/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ra_socket - router advertisements as they come from the network.
 *
 * Where networkd, NetworkManager or dhcpcd process them in the kernel's place,
 * the kernel says nothing of them (kernel.h, struct kernel_advert). A raw
 * ICMPv6 socket hears all of them, on every link of the network namespace.
 *
 * What a host must ignore (RFC 4861, 6.1.2; RFC 6980, 5) is refused here, with
 * the reason; checksums are the kernel's business. Whose advertisements are
 * believed, and what they mean, is not decided here.
 */
#ifndef RA_SOCKET_H
#define RA_SOCKET_H

#include "ra/ra.h"

struct ra_socket;

/* What was received. */
struct ra_heard {
	uint32_t ifindex; /* of the link it came over */
	struct ip_addr router;
	struct ra ra;	 /* undefined if it was refused */
	const char *why; /* it was refused; NULL: it was not */
};

/**
 * ra_socket_open() - for all links, those to come too
 *
 * Return: 0; -EPERM: no CAP_NET_RAW; -EAFNOSUPPORT: no IPv6; or -errno.
 */
int ra_socket_open(struct ra_socket **ret);
void ra_socket_free(struct ra_socket *sock);

/** ra_socket_fd() - to wait for input */
int ra_socket_fd(const struct ra_socket *sock);

/**
 * ra_socket_receive() - one message, without waiting
 * @ret: on -EBADMSG its ra is undefined, and the rest says as much as is known
 *
 * In a flood what does not fit in the socket's buffer (some hundred messages)
 * is lost without a word; routers repeat themselves.
 *
 * Return: 1: a message; 0: nothing is queued; -EBADMSG: one had to be ignored,
 * @ret->why says why; or another -errno.
 */
int ra_socket_receive(struct ra_socket *sock, struct ra_heard *ret);

/**
 * ra_socket_solicit() - ask the routers of a link (RFC 4861, 4.1 and 6.3.7)
 *
 * One message to all routers; how often, and after what delay, is the caller's.
 * The kernel chooses the source among the link's own addresses, link-local
 * first.
 *
 * Return: 0; -EADDRNOTAVAIL: the link has no IPv6 address that may be used yet;
 * -ENETUNREACH: it is gone, down or without carrier, or has IPv6 off; or
 * another -errno.
 */
int ra_socket_solicit(struct ra_socket *sock, uint32_t ifindex);

#endif
