/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin_spot - what the pin_*.c files share; nobody else includes this.
 */
#ifndef PIN_SPOT_H
#define PIN_SPOT_H

#include "core/pin_build.h"

/* Flows from one subnet to one destination: a run of the sorted flows. */
struct pin_spot {
	const struct pin_flow *flows; /* NULL: none */
	size_t n;
};

/** pin_spot_cmp() - by destination and table */
int pin_spot_cmp(const struct pin_flow *a, const struct pin_flow *b);

/** pin_spot_find() - @flows: sorted */
struct pin_spot pin_spot_find(const struct pin_flow_vec *flows,
			      const struct ip_addr *dst, uint32_t table);

/** pin_is_listed() - whether the flow of @member is among @flows: sorted */
bool pin_is_listed(const struct pin_flow_vec *flows,
		   const struct pin_member *member);

/**
 * pin_legs_used() - the legs of a path that flows are on by now
 * @attrs: the path; what their table has for them
 * @used:  one flag for each of its legs, all of them false
 *
 * Return: how many are set; 0: it cannot be told.
 */
size_t pin_legs_used(const struct pin_input *input, const struct pin_spot *spot,
		     uint32_t attrs, bool *used);

static inline bool pin_is_host(const struct ip_prefix *prefix)
{
	return prefix->len == ip_bits(prefix->addr.family);
}

/** pin_is_laid() - whether a table has an entry for it */
static inline bool pin_is_laid(enum pin_kind kind)
{
	return kind == PIN_PATH || kind == PIN_HOLD;
}

#endif
