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

/** netns_enter() - once per process; false: not allowed here */
bool netns_enter(void);

/** netns_ip() - lines for `ip -batch -`; the test fails if one is refused */
void netns_ip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** netns_ip6() - the same for `ip -6 -batch -` */
void netns_ip6(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** netns_sysctl() - write /proc/sys/net/@name */
void netns_sysctl(const char *name, const char *value);

#endif
