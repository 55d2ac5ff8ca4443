/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_apply - how ops reach the kernel and their outcome the model.
 *
 * The engine's inner half for output; nobody else includes this. A phase of
 * ops with a failure is the last one written: what follows it (a rule that
 * needs the routes, a route that may only go when its successor is there) waits
 * for the next round.
 */
#ifndef ENGINE_APPLY_H
#define ENGINE_APPLY_H

#include "engine/engine.h"

void engine_result_done(struct engine_result *result);

/**
 * engine_apply() - carry out the next ops of a phase; the model follows
 * @ops: ordered
 *
 * Return: whether there are more to be carried out.
 */
bool engine_apply(struct engine *engine, const struct op_vec *ops,
		  struct engine_result *ret);

/**
 * engine_send() - have threads carry out the next ops of the batch's slice
 *
 * Return: whether they do: they are many, or of a round of many rows, and it is
 * wanted.
 */
bool engine_send(struct engine *engine);

/**
 * engine_catch_up() - wait for what was sent; the model follows
 *
 * To be called before the kernel is listened to or read: what it says then is
 * newer.
 */
void engine_catch_up(struct engine *engine);

/** engine_drop_batch() - forget what is on its way, written or not */
void engine_drop_batch(struct engine *engine);

/**
 * engine_redo() - what came of the batch's slice; what failed or was not begun
 * is marked to be planned again, the latter at once if nothing failed
 */
void engine_redo(struct engine *engine, uint64_t now_ms);

/** engine_retry_later() - after a failure: 1 ms, 2 ms, ... 5 s */
void engine_retry_later(struct engine *engine, uint64_t now_ms);

#endif
