/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * next_subflow - the part of the answer to Explain that is about the draft's
 * section 5.1.
 */
#ifndef NEXT_SUBFLOW_H
#define NEXT_SUBFLOW_H

#include <json-c/json.h>

#include "render/text.h"

/* Nothing where @reply has no such part. */
void next_subflow_put(const struct text *text, struct json_object *reply);

#endif
