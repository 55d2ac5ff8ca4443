/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_slice - what of a round is planned next.
 *
 * The engine's inner half for rounds of many rows; nobody else includes this.
 * Each slice plans some rows, with what is new or changed there; when all of
 * these are through come the rules, and only then what goes. In any round, a
 * family's rules go first where it is to have none.
 */
#ifndef ENGINE_SLICE_H
#define ENGINE_SLICE_H

#include "engine/engine.h"

/* Written at one go: some milliseconds, for others to get a turn. */
#define ENGINE_SLICE_OPS 1000

/** engine_plan_rules() - all of them against those that there are */
void engine_plan_rules(const struct engine *engine, struct op_vec *ops);

/** engine_plan_neighbours() - entries of routers, in the same way */
void engine_plan_neighbours(const struct engine *engine, struct op_vec *ops);

/** engine_slice_plan() - the batch's next ops, if its next rows need any */
void engine_slice_plan(struct engine *engine);

/**
 * engine_slice_give_back() - what is left belongs to the next round, which
 * begins at once
 */
void engine_slice_give_back(struct engine *engine);

/** engine_slice_put_off() - what is left waits for the next try */
void engine_slice_put_off(struct engine *engine);

#endif
