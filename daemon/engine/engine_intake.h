/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_intake - what events (engine_listen.c) and dumps (engine_read.c) have
 * in common: how one object of the kernel enters the model.
 */
#ifndef ENGINE_INTAKE_H
#define ENGINE_INTAKE_H

#include "engine/engine.h"

/* One dump or one round of events on its way into the model. */
struct intake {
	struct engine *engine;
	uint64_t now_ms;
	bool is_dump;
	bool defaults_only;		  /* of a foreign table */
	struct rule_vec *rules;		  /* dump of rules */
	struct neighbour_vec *neighbours; /* dump of neighbours */
};

/** engine_take() - one object; a kernel_event_fn, @data: struct intake */
void engine_take(const struct kernel_event *event, void *data);

/** engine_add_table() - a table of our range was seen or given out */
void engine_add_table(struct engine *engine, uint32_t table);

#endif
