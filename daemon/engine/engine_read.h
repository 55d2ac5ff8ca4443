/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_read - how kernel events and dumps enter the model.
 *
 * The engine's inner half for input; but for unheard.c, which reads main to see
 * whether it brings news, nobody else includes this. Where an event
 * does not tell the whole story (the kernel removes IPv4 routes of a link
 * without a word), what it concerns is put down to be read again.
 */
#ifndef ENGINE_READ_H
#define ENGINE_READ_H

#include "engine/engine.h"

/**
 * engine_read_pending() - read again whatever is marked
 *
 * Return: 0, or -errno: what could not be read stays marked.
 */
int engine_read_pending(struct engine *engine, uint64_t now_ms);

/** engine_read_table() - both families of @table into the model */
int engine_read_table(struct engine *engine, uint32_t table);

/**
 * engine_lost() - the kernel dropped messages for us
 *
 * Everything is read again: at once, or when some time has passed since the
 * last time, by how much there was to read.
 */
void engine_lost(struct engine *engine, uint64_t now_ms);

/** engine_resync_is_due() - everything is to be read again, and may be now */
bool engine_resync_is_due(const struct engine *engine, uint64_t now_ms);

/**
 * engine_read_neighbours() - those of routers
 *
 * A failure keeps nothing else waiting: it is logged, and tried again later.
 */
void engine_read_neighbours(struct engine *engine, uint64_t now_ms);

/**
 * engine_watch_routers() - read neighbours if there is a new router among those
 * that we do not keep resolved
 *
 * The model keeps what is told of routers only: that one failed may have been
 * told when nobody knew that it is one.
 */
void engine_watch_routers(struct engine *engine, uint64_t now_ms);

/** engine_mark_link() - put down that the routes over @ifindex be read again */
void engine_mark_link(struct engine *engine, uint32_t ifindex);

/** engine_mark_routes() - the same for one table; @ifindex 0: over any link */
void engine_mark_routes(struct engine *engine, uint8_t family, uint32_t table,
			uint32_t ifindex);

#endif
