/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_pin_flows - which TCP connections there are that a pin may be for.
 *
 * The engine's inner half of engine_pins.c; nobody else includes this.
 */
#ifndef ENGINE_PIN_FLOWS_H
#define ENGINE_PIN_FLOWS_H

#include "engine/engine.h"

/**
 * engine_pin_flows_list() - the flows of some subnets
 * @tables: theirs
 * @flows:  empty; sorted then. After an error it is empty again
 *
 * What fails is tried once more.
 * Return: whether the flows of @tables are known now; else it is in the log.
 */
bool engine_pin_flows_list(struct engine *engine, uint64_t now_ms,
			   const struct table_vec *tables,
			   struct pin_flow_vec *flows);

#endif
