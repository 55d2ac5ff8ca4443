/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin_lay - pins over what is wanted of a row.
 */
#ifndef PIN_LAY_H
#define PIN_LAY_H

#include "core/pin.h"
#include "core/plan.h"

struct pin_layer {
	const struct pin_set *set;
	struct attrset_store *attrs;
	struct want_vec *refs; /* gets the refs of what is new */
};

/**
 * pin_lay() - lay the pins over what is wanted of the row of @prefix
 * @row: sorted; stays so; holds no refs
 */
void pin_lay(const struct pin_layer *layer, const struct ip_prefix *prefix,
	     struct want_vec *row);

#endif
