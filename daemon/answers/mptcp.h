/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mptcp - the kernel's endpoints, ours and others', and its limits.
 */
#ifndef ANSWERS_MPTCP_H
#define ANSWERS_MPTCP_H

struct json_object;
struct server_call;

/* The method. */
void mptcp_handle(struct server_call *call, struct json_object *parameters,
		  void *data);

#endif
