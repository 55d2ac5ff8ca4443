/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privilege - whether this process may do what the daemon does.
 *
 * Asked at the start, so that who lacks a right is told at once and not when
 * the first route changes.
 */
#ifndef PRIVILEGE_H
#define PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * privilege_has_net_admin() - whether CAP_NET_ADMIN is in effect here
 *
 * In a user namespace: in that. Whether the network namespace is of it too,
 * only the kernel's answer to a change says.
 */
bool privilege_has_net_admin(void);

/**
 * privilege_was_given() - whether @pid runs with a CAP_NET_ADMIN it was given
 *
 * That is, with one that its children have, too (as by systemd's
 * AmbientCapabilities), in our user namespace. Not what anybody can have: in a
 * user namespace of one's own, or in a program that is setuid root. Who may not
 * be looked at has none.
 */
bool privilege_was_given(pid_t pid);

#endif
