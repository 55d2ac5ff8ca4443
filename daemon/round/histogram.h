/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * histogram - how many times something took how long.
 *
 * Buckets from 50 us to 10 s, three to a decade; what took longer is in the
 * sum and the count only.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 17

/* Zeroed is empty. */
struct histogram {
	uint64_t buckets[HISTOGRAM_BUCKETS]; /* each without those below */
	uint64_t count;
	uint64_t sum_us;
};

/** histogram_add() - one that took @us microseconds */
void histogram_add(struct histogram *histogram, uint64_t us);

/** histogram_bound() - of bucket @i, in seconds, as OpenMetrics writes it */
const char *histogram_bound(unsigned int i);

#endif
