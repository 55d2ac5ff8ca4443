/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claim - that one daemon routes a network namespace, and who it is.
 *
 * The lock beside the control socket does not tell of a daemon with another
 * socket. A name among the abstract Unix sockets does: there is one such space
 * per network namespace, and a name goes with the process that holds it
 * (unix(7)). Who finds it taken connects, and the kernel says to whom.
 *
 * Anybody may take a name. So whoever holds it counts only if it could change
 * routes: as root, as our own user, or with CAP_NET_ADMIN.
 */
#ifndef CLAIM_H
#define CLAIM_H

#include <sys/types.h>

/**
 * claim_take() - be the one of this network namespace
 *
 * Takes two seconds at most: where the name is taken and too many others wait
 * for an answer already; a fifth of one where nobody listens at it.
 * @holder: written when another holds the claim: its pid, 0 if that is of
 *          another pid namespace
 *
 * Return: a file descriptor that holds it till it is closed, readable when
 * claim_answer() is due; -EBUSY when another daemon has it; -EPERM when the
 * name is taken by somebody who could not change a route, who is not worth
 * stopping for; or what the kernel said.
 */
int claim_take(pid_t *holder);

/**
 * claim_answer() - one who asked at @fd who we are: now it knows
 *
 * Return: 0, also when nobody asks; or -errno: who asks waits on.
 */
int claim_answer(int fd);

#endif
