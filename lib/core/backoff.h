/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backoff - how long to wait before what failed is tried again.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

/**
 * backoff_ms() - twice as long each time
 * @first_ms: the first wait; not 0
 * @max_ms:   the longest; at least @first_ms
 * @failures: in a row, at least 1
 */
static inline uint64_t backoff_ms(uint64_t first_ms, uint64_t max_ms,
				  unsigned int failures)
{
	uint64_t ms = first_ms;

	while (--failures && ms < max_ms)
		ms *= 2;
	return ms < max_ms ? ms : max_ms;
}

#endif
