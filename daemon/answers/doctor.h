/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor - the method Doctor: what on this host spoils routing by source.
 *
 * The facts are read when it is asked for (daemon/facts/facts.h), the judgement
 * is lib/doctor's.
 */
#ifndef ANSWERS_DOCTOR_H
#define ANSWERS_DOCTOR_H

struct json_object;
struct server_call;

/** doctor_handle() - @data: the struct daemon */
void doctor_handle(struct server_call *call, struct json_object *parameters,
		   void *data);

#endif
