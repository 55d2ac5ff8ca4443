/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sock - sockets of either family, by text. Whatever goes wrong fails the test.
 */
#ifndef TESTS_KERNEL_C_SOCK_H
#define TESTS_KERNEL_C_SOCK_H

#include <stdint.h>
#include <sys/socket.h>

#include <netinet/in.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define SOCK_PORT 7001

struct sockaddr_storage sock_address(const char *text, uint16_t port,
				     socklen_t *ret_len);

/** sock_bound() - a stream socket; @protocol: 0 or IPPROTO_MPTCP */
int sock_bound(const char *text, uint16_t port, int protocol);

/** sock_reach() - connect it */
void sock_reach(int fd, const char *text, uint16_t port);

/**
 * sock_wait_for() - until packets to an address of lo arrive
 *
 * The kernel makes the route to a new IPv6 address in its own time. Before that
 * its prefix leads to lo, and what comes out there has nowhere to go.
 */
void sock_wait_for(const char *text);

#endif
