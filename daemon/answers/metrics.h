/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics - the daemon's counters and gauges, named as OpenMetrics wants it.
 */
#ifndef METRICS_H
#define METRICS_H

struct daemon;
struct json_object;
struct server_call;

/** metrics_build() - the parameters of a reply to Metrics; a new object */
struct json_object *metrics_build(const struct daemon *daemon);

/** metrics_handle() - answers Metrics; @data: struct daemon */
void metrics_handle(struct server_call *call, struct json_object *parameters,
		    void *data);

#endif
