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
 * @ret:    appended: prefixes whose routes differ, unless a message that says so
 *	    was just on its way
 *
 * Return: 0, or -errno: main could not be read.
 */
int unheard_find(struct engine *engine, uint64_t now_ms,
		 struct prefix_vec *ret);

#endif
