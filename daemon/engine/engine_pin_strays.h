/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_pin_strays - pins of subnets that are gone for the moment.
 *
 * An address that goes takes its subnet along, but not its sockets: when it
 * returns (a lease that was renewed late, a service that was restarted) their
 * flows go on, and the subnet may have another table then. So pins wait for
 * their subnet, by its prefix and link, and as long as TCP tries.
 */
#ifndef ENGINE_PIN_STRAYS_H
#define ENGINE_PIN_STRAYS_H

#include "core/pin.h"
#include "core/subnet.h"

struct engine;

/* Of one subnet. */
struct engine_stray {
	struct subnet home;  /* as it was */
	struct pin_vec pins; /* of its table then; a ref each */
	struct pin_member_vec members;
	uint64_t until_ms;
};

VEC(engine_stray_vec, struct engine_stray); /* the longest gone first */

/**
 * engine_strays_collect() - pins whose subnet is gone, or is managed no more,
 * wait for it; those that have waited too long go
 */
void engine_strays_collect(struct engine *engine, uint64_t now_ms);

/** engine_strays_next() - when the first has waited too long; 0: none waits */
uint64_t engine_strays_next(const struct engine *engine);

/**
 * engine_strays_return() - @subnet was given a table: its pins are that table's
 *
 * Also where it only gets another number. Their rows are dirty then.
 */
void engine_strays_return(struct engine *engine, const struct subnet *subnet);

/** engine_strays_done() - none waits any more */
void engine_strays_done(struct engine *engine);

#endif
