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

struct engine_result {
	uint64_t now_ms; /* in: for the log */
	bool go_on;	 /* in: a failure does not end it */
	size_t written;	 /* ops that are in effect */
	size_t begun;	 /* ops that were given to the kernel */
	bool failed;	 /* some op was not carried out */
	int error;	 /* -EPERM: the kernel lets us write nothing */
	struct kernel_failure_vec failures; /* op: index into all ops */
};

void engine_result_done(struct engine_result *result);

/** engine_apply() - order @ops and carry them out; the model follows */
void engine_apply(struct engine *engine, struct op_vec *ops,
		  struct engine_result *ret);

/** engine_redo() - mark what failed, or was not begun, to be planned again */
void engine_redo(struct engine *engine, uint64_t now_ms,
		 const struct op_vec *ops, const struct engine_result *result);

/** engine_retry_later() - after a failure: 1 ms, 2 ms, ... 5 s */
void engine_retry_later(struct engine *engine, uint64_t now_ms);

#endif
