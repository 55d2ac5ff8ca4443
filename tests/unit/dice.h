/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dice - random numbers that a seed repeats.
 *
 * A test that rolls prints its seed first; given as its argument, the same run
 * happens again.
 */
#ifndef DICE_H
#define DICE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct dice {
	uint64_t state;
};

/** dice_seed() - from the first argument, else from the clock; printed */
static inline uint64_t dice_seed(int argc, char **argv)
{
	uint64_t seed = (uint64_t)time(NULL);

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	printf("seed %llu\n", (unsigned long long)seed);
	return seed;
}

/** dice_roll() - 0 to @sides less one (splitmix64) */
static inline uint32_t dice_roll(struct dice *dice, uint32_t sides)
{
	uint64_t mixed = dice->state += 0x9e3779b97f4a7c15u;

	mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
	mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((mixed ^ mixed >> 31) % sides);
}

#endif
