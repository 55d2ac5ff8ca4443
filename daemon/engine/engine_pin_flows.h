/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_pin_flows - which TCP connections there are that a pin may be for.
 *
 * A list costs the kernel some milliseconds, and one more microsecond for each
 * flow that it tells. So it is asked for those only that a plan may move, and
 * not at all where it is known that there are none of these.
 *
 * The engine's inner half of engine_pins.c; nobody else includes this.
 */
#ifndef ENGINE_PIN_FLOWS_H
#define ENGINE_PIN_FLOWS_H

#include "engine/engine.h"

/**
 * engine_pin_flows_any() - whether there may be flows to what is dirty
 *
 * Or any at all, where tables are to be led to for the first time.
 */
bool engine_pin_flows_any(const struct engine *engine);

/**
 * engine_pin_flows_moving() - the flows of some subnets to what is dirty
 * @tables: theirs
 * @flows:  empty; sorted then. There may be others among them. After an error
 *	    it is empty again
 *
 * All of the subnets' flows, where a table is to be led to for the first time.
 * What fails is tried once more.
 * Return: whether these flows are known now; else it is in the log.
 */
bool engine_pin_flows_moving(struct engine *engine, uint64_t now_ms,
			     const struct table_vec *tables,
			     struct pin_flow_vec *flows);

/** engine_pin_flows_pinned() - the same, of those to destinations with pins */
bool engine_pin_flows_pinned(struct engine *engine, uint64_t now_ms,
			     const struct table_vec *tables,
			     struct pin_flow_vec *flows);

#endif
