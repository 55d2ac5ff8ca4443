/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain - the arguments of that command.
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdbool.h>

#include <json-c/json.h>

#include "options.h"

/* AF_INET or AF_INET6; AF_UNSPEC: no address. */
int explain_family(const char *word);

/* IPv4 in the form of IPv6, as ss(8) shows it; says so. No packet has that. */
bool explain_is_mapped(const char *command, const char *word);

/*
 * Addresses, of one family, and options that go together; else false, after
 * saying what is wrong.
 */
bool explain_check(const struct options *options);

/* A new object. */
struct json_object *explain_parameters(const struct options *options);

#endif
