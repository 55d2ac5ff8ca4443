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
 * privilege_has_net_admin() - whether CAP_NET_ADMIN is in effect
 * @pid: of whom; 0: of this process
 *
 * Of a process in a user namespace: in that. Whether the network namespace is
 * of it too, only the kernel's answer to a change says.
 */
bool privilege_has_net_admin(pid_t pid);

#endif
