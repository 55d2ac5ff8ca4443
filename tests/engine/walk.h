/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk - what happens to a host, at random, with those who wait for the engine
 * beside it: who offers endpoints, and who opens subflows of connections.
 */
#ifndef WALK_H
#define WALK_H

#include "core/endpoint.h"
#include "core/manager.h"
#include "tests/engine/world_fake.h"
#include "tests/unit/dice.h"

enum {
	WALK_FOREIGN_TABLE = 51820, /* some of the routes and rules are in it */
};

struct walk {
	struct world *world;
	struct dice dice;
	struct manager manager;
	uint64_t looked; /* counters.wide, at the last look at endpoints */
	struct endpoint_vec offered;
	bool talk;
	bool many;  /* routes */
	bool haste; /* turns of writing end early */
	bool pins;
};

static inline uint32_t walk_roll(struct walk *walk, uint32_t sides)
{
	return dice_roll(&walk->dice, sides);
}

/** walk_mark() - the engine's hook before it writes; @data: the walk */
void walk_mark(const struct engine *engine, void *data);

/** walk_act() - what connections are to do is done. Return: how much */
size_t walk_act(struct walk *walk, bool print);

/** walk_pass() - time, with all that is due in it */
void walk_pass(struct walk *walk, uint64_t ms);

/** walk_config() - of the kernel, for a policy */
struct kernel_config walk_config(const struct policy *policy);

/** walk_step() - something happens, and then perhaps some time passes */
void walk_step(struct walk *walk);

#endif
