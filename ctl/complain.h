/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * complain - what goes wrong, in words on stderr.
 *
 * Stdout is for answers alone: a script that reads them is not disturbed.
 * Bytes that could steer a terminal are replaced.
 */
#ifndef COMPLAIN_H
#define COMPLAIN_H

#include "control/varlink.h"

/* "multihomectl: ", the text and a newline. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* Where to read on. */
void complain_hint(void);

/* Both. */
__attribute__((format(printf, 1, 2))) void complain_usage(const char *format,
							  ...);

/**
 * complain_daemon() - there was no answer
 * @socket: its path
 * @err:    what client_open(), client_send() or client_receive() returned
 *
 * Return: EXIT_NO_DAEMON.
 */
int complain_daemon(const char *socket, int err);

/**
 * complain_error() - the answer is an error
 * @name:  of the command
 * @reply: its error is set
 *
 * Return: EXIT_BAD_NEWS.
 */
int complain_error(const char *name, const struct varlink_reply *reply);

#endif
