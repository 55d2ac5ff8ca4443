/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_near - which name may have been meant.
 */
#ifndef CONFIG_NEAR_H
#define CONFIG_NEAR_H

#include <stdbool.h>

/**
 * config_distance() - edits from @a to @b
 *
 * An edit inserts, deletes or replaces one character, or swaps two neighbours;
 * upper and lower case are one. Only the first 32 characters count.
 */
unsigned int config_distance(const char *a, const char *b);

/**
 * config_is_near() - whether somebody who wrote @written can have meant @name
 *
 * At most one edit per three characters, or @written is a part of @name.
 */
bool config_is_near(const char *written, const char *name);

#endif
