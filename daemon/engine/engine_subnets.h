/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_subnets - which subnets there are, and their table numbers.
 *
 * The engine's inner half between what was heard and a plan; nobody else
 * includes this.
 */
#ifndef ENGINE_SUBNETS_H
#define ENGINE_SUBNETS_H

#include "engine/engine.h"

/**
 * engine_update_subnets() - bring them up to date; may make all rows dirty
 *
 * Return: whether they were computed anew.
 */
bool engine_update_subnets(struct engine *engine);

/** engine_touch_all() - every row of @family is to be planned again */
void engine_touch_all(struct engine *engine, uint8_t family);

/** engine_prune_tables() - forget tables that are nobody's and empty */
void engine_prune_tables(struct engine *engine);

/**
 * engine_can_give_table() - whether a subnet waits for a table, and a number is
 * free as far as is known
 */
bool engine_can_give_table(const struct engine *engine);

#endif
