/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status - what the daemon knows, as the JSON of the control interface.
 */
#ifndef STATUS_H
#define STATUS_H

#include "engine/engine.h"

struct json_object;

/**
 * status_build() - the parameters of a reply to Status
 *
 * The shape is in lib/control/interface.c. Return: a new object.
 */
struct json_object *status_build(const struct engine *engine, uint64_t now_ms);

#endif
