/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attempt - something that may be refused for a moment, and is tried again.
 *
 * After 1 s, 2 s, 4 s and so on to about 4 minutes; not where the kernel does
 * not have it (-ENOENT). Zeroed, it was not tried yet.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

struct attempt {
	int error; /* of the last one; 0: it succeeded, or there was none */
	unsigned int failures; /* in a row */
	uint64_t next_ms;      /* when there is another one; 0: never */
};

/**
 * attempt_note() - what came of it
 *
 * Return: whether that is worth a line: the last one came to something else.
 */
bool attempt_note(struct attempt *attempt, int error, uint64_t now_ms);

/** attempt_is_due() - whether it is the time for one, the first one too */
bool attempt_is_due(const struct attempt *attempt, uint64_t now_ms);

#endif
