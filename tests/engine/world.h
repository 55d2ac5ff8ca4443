/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world - a host with two uplinks, and the engine at work on it.
 *
 * The suites that use nothing but this run twice: on the fake kernel
 * (world_fake.c) and in network namespaces of the real one (world_real.c). A
 * difference is a mistake in the fake.
 *
 * Links d1 and d2 are up, with 192.0.2.2/24 and 2001:db8:1::2/64, and
 * 198.51.100.2/24 and 2001:db8:2::2/64; the other ends of their cables are p1
 * and p2. There are no other routes than those that come with this.
 *
 * The engine's clock is a number that world_pass() moves; nobody sleeps.
 */
#ifndef WORLD_H
#define WORLD_H

#include "engine/engine.h"

struct world {
	struct policy policy;
	struct kernel *kernel; /* NULL: the engine does not run */
	struct engine engine;
	struct engine_observer observer; /* set before world_start() */
	struct flow_vec flows; /* that are listed when the engine asks */
	/* So many questions for them are answered; so many then break off. */
	unsigned int lists_good;
	unsigned int lists_bad;
	uint64_t begun;	 /* flows, as the kernel counts them */
	bool counts_bad; /* it does not say */
	uint64_t told;	 /* flows listed, all questions together */
	uint64_t now_ms;
	int error; /* of engine_run(), the last time */
};

#define WORLD_SKIP 77 /* exit status: not tested, for meson */

/** world_enter() - once, before all tests; false: not possible here */
bool world_enter(void);

/** world_make() / world_unmake() - set-up and teardown of a test */
int world_make(void **state);
int world_unmake(void **state);

/** world_do() - somebody changes the host: lines as of fake_do() */
void world_do(const char *lines);

/** world_start() - the engine begins, and works until it has no more to do */
void world_start(struct world *world);

/** world_open() - the same, but it has not begun to work */
void world_open(struct world *world);

/** world_stop() - it ends, and leaves everything in place */
void world_stop(struct world *world);

/** world_run() - it hears what there is to hear and works, at this time */
void world_run(struct world *world);

/** world_pass() - time goes by; the engine works whenever it asked for it */
void world_pass(struct world *world, uint64_t ms);

/** world_begin() - a flow begins; Return: its cookie */
uint64_t world_begin(struct world *world, const char *src, const char *dst);

/** world_flow() - a live one, by its cookie */
struct flow *world_flow(struct world *world, uint64_t cookie);

/** world_end() - it ends, and the engine is told */
void world_end(struct world *world, uint64_t cookie);

/** world_pin_kind() - of the first pin to @dst; PIN_NONE: there is none */
enum pin_kind world_pin_kind(const struct world *world, const char *dst);

/** world_written() - ops written since the engine began */
uint64_t world_written(const struct world *world);

/**
 * world_must_hold() - the kernel has these rules and routes of ours, no others
 * @lines: in any order
 * @but:   lines that come on top; with a '-' in front, lines that do not come
 *
 * "rule 7109 from 192.0.2.0/24 iif lo lookup 7100" and "7100 0.0.0.0/0 via
 * 192.0.2.1 dev d1": a table, then the route as ip(8) has it. What all of ours
 * have, metric and protocol, is left out.
 */
void world_must_hold(const struct world *world, const char *lines,
		     const char *but);

/** world_holds() - whether it does; differences are printed */
bool world_holds(const struct world *world, const char *lines);

/**
 * world_must_be_steady() - nothing is left to do, and the model is the kernel
 *
 * Reads everything again: that changes nothing, and leads to no write.
 */
void world_must_be_steady(struct world *world);

/* --- the two kernels --- */

/** world_ground_new() - a fresh host as above; the one before is gone */
void world_ground_new(void);
void world_ground_done(void);
void world_ground_do(const char *lines);

#endif
