/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict - the exit status that an answer asks for.
 *
 * EXIT_BAD_NEWS where somebody should look, else EXIT_FINE. @reply may be NULL.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <json-c/json.h>

/* The kernel's answer is not the one of the rules. */
int verdict_explain(struct json_object *reply);

/* There are disagreements. */
int verdict_verify(struct json_object *reply);

/* There is an error or a warning. */
int verdict_doctor(struct json_object *reply);

/* Nobody has the token that was asked for. */
int verdict_mptcp(struct json_object *reply);

#endif
