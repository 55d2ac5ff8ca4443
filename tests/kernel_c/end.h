/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * end - to wait for the ends of connections that a flow_socket tells.
 *
 * What goes wrong fails the test.
 */
#ifndef TESTS_KERNEL_C_END_H
#define TESTS_KERNEL_C_END_H

#include <stdbool.h>

#include "kernel/flow_socket.h"

#define END_WAIT_MS 60000 /* the kernel tells in its own time */

/**
 * end_watch() - "192.0.2.0/24 2001:db8::/64"; none: nobody's
 *
 * Return: whether that is new; an error fails the test.
 */
bool end_watch(struct flow_socket *socket, const char *sources);

/** end_cookie() - of a socket */
uint64_t end_cookie(int fd);

/**
 * end_wait() - until the end of that socket is told
 *
 * Others may be told before, those of earlier tests among them.
 */
struct flow end_wait(struct flow_socket *socket, uint64_t cookie);

#endif
