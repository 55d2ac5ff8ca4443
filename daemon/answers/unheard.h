/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unheard - what changed in table main without a message to us.
 */
#ifndef UNHEARD_H
#define UNHEARD_H

#include "engine/engine.h"

#define UNHEARD_MAX 1000 /* that are told */

/**
 * unheard_find() - read main and see whether it brings news
 * @engine: nothing is pending; afterwards what was found is, so that the next
 *	engine_run() mends what follows from it
 * @ret:    appended: prefixes that get cells and whose routes differ, unless a
 *	    message that says so was just on its way
 *
 * A large table takes its time, and everybody else waits: so main is read for
 * a twentieth of the time at most, whoever asks however often.
 *
 * Return: 0; -EAGAIN: it was read a moment ago; or another -errno: it could not
 * be read.
 */
int unheard_find(struct engine *engine, uint64_t now_ms,
		 struct prefix_vec *ret);

#endif
