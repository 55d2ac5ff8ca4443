/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics - figures in the text formats that monitoring systems read.
 *
 * render_metrics() of render.h prints OpenMetrics 1.0. The daemon names, types
 * and counts; this is about form alone: what the form does not allow in a name
 * becomes "_", and control characters in a value become "?".
 *
 * Source: OpenMetrics 1.0.0 (draft-richih-opsawg-openmetrics-00), and
 * Prometheus' text-based exposition format 0.0.4.
 */
#ifndef RENDER_METRICS_H
#define RENDER_METRICS_H

#include "render/render.h"

/*
 * Format 0.0.4: a counter's family is named as its samples are, there are no
 * units, no info type and no end marker.
 */
void render_metrics_prometheus(const struct text *text,
			       struct json_object *reply,
			       struct json_object *previous);

#endif
