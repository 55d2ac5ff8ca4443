/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor - the method Monitor: each round of work to whoever listens.
 */
#ifndef MONITOR_H
#define MONITOR_H

struct daemon;
struct json_object;
struct server_call;

/** monitor_handle() - a client begins to listen; @data: struct daemon */
void monitor_handle(struct server_call *call, struct json_object *parameters,
		    void *data);

/** monitor_tell() - the round that just ended, to all that listen */
void monitor_tell(struct daemon *daemon);

#endif
