/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world_fake - the fake kernel under a world, for tests that only it can pass.
 */
#ifndef WORLD_FAKE_H
#define WORLD_FAKE_H

#include "tests/engine/world.h"
#include "tests/fake_kernel/fake_kernel.h"

/** world_fake() - between world_make() and world_unmake() */
struct fake *world_fake(void);

/**
 * world_many() - `route @verb PREFIX @rest`, with prefixes of 10.0.0.0/8 or
 * 2001:db8::/32, by their numbers and not all of a length
 */
void world_many(uint8_t family, const char *verb, unsigned int from,
		unsigned int n, const char *rest);

#endif
