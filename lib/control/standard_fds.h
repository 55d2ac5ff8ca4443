/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standard_fds - file descriptors 0, 1 and 2 are never sockets.
 *
 * A program that is started with one of them closed gets its number for the
 * next thing it opens, and would print into a socket.
 */
#ifndef STANDARD_FDS_H
#define STANDARD_FDS_H

/**
 * standard_fds_open() - fill those that are closed
 *
 * With /dev/null, the wrong way round: reading and writing fail as they would
 * have. For the begin of main().
 *
 * Return: 0, or -errno: there is no /dev/null, and it is not safe to go on.
 */
int standard_fds_open(void);

#endif
