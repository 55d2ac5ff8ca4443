/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connections - MPTCP connections of this host, for the reply to Mptcp.
 *
 * Whoever manages them: the kernel lists their subflows. What was tried and
 * failed is known only of those that this daemon manages.
 */
#ifndef ANSWERS_CONNECTIONS_H
#define ANSWERS_CONNECTIONS_H

#include <stdint.h>

struct daemon;
struct json_object;

#define CONNECTIONS_MAX 100 /* in one reply */

/**
 * connections_add() - members connections and connections_total
 * @token: of the one that is asked for; 0: the first CONNECTIONS_MAX
 *
 * And unknown_token, where no connection has it.
 */
void connections_add(const struct daemon *daemon, uint32_t token,
		     struct json_object *reply);

#endif
