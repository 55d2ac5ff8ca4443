/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * row_text - a row of the model's routes in a few letters, for tables of cases.
 *
 *   1a        through the gateway whose last byte is 1, on link a
 *   0a        on link a, without a gateway
 *   3a2b      through two next hops
 *   x         no next hop: a reject
 *   1a 5      metric 5; 0 is left out
 *   1a src48  for sources in a prefix of that length
 *   1a!       leaving
 *
 * Between routes is ", "; they stand as in the row.
 */
#ifndef ROW_TEXT_H
#define ROW_TEXT_H

#include "core/model.h"

#define ROW_TEXT_MAX 400

/**
 * row_text() - the row of @prefix; "" where there is none
 * @ret: at least ROW_TEXT_MAX bytes. Return: @ret.
 */
const char *row_text(const struct model *model, const char *prefix, char *ret);

#endif
