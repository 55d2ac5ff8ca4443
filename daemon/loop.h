/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop - what the daemon waits for, and the work between two waits.
 *
 * Watchers only take in what came; all that is due then is done in one place,
 * before the loop sleeps again.
 */
#ifndef LOOP_H
#define LOOP_H

#include "daemon.h"

/** loop_start_signals() - before all else: none may end a start half way */
void loop_start_signals(struct daemon *daemon);

/** loop_start_watchers() - of all that daemon.c has opened */
void loop_start_watchers(struct daemon *daemon);

#endif
