/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns - a network namespace of the test's own.
 *
 * The calling process moves into a fresh namespace, which ends with it. Needs
 * root or unprivileged user namespaces.
 */
#ifndef TESTS_KERNEL_C_NETNS_H
#define TESTS_KERNEL_C_NETNS_H

#include <stdbool.h>

#define NETNS_SKIP 77 /* exit status: not tested, for meson */

/** netns_enter() - once per process; false: not allowed here */
bool netns_enter(void);

/** netns_ip() - lines for `ip -batch -`; the test fails if one is refused */
void netns_ip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** netns_ip6() - the same for `ip -6 -batch -` */
void netns_ip6(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * netns_settle() - until IPv6 addresses are in use
 *
 * The kernel does that in its own time, after it has taken them, even on lo.
 */
void netns_settle(void);

/**
 * netns_links() - d1 and d2, each with an IPv4 and an IPv6 subnet
 *
 * All is up and settled: the kernel has no more to say about it.
 */
void netns_links(void);

#endif
