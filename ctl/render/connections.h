/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections - the part of the answer to Mptcp that is about connections.
 */
#ifndef RENDER_CONNECTIONS_H
#define RENDER_CONNECTIONS_H

#include <json-c/json.h>

#include "render/text.h"

void connections_put(const struct text *text, struct json_object *reply);

#endif
