/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow_memory - where the connections of this host lead.
 *
 * Nobody tells of a connection that begins, but the kernel counts them. While
 * that number stays, there are none but those that a list found, and where
 * none of these leads, a change of routes moves none. So a list, which takes
 * the kernel milliseconds, is not made for each change, but for each that comes
 * after a new connection.
 */
#ifndef FLOW_MEMORY_H
#define FLOW_MEMORY_H

#include "core/flow.h"
#include "core/rib.h"

#define FLOW_MEMORY_MAX 1024 /* where there are more flows none is remembered */

/* Zeroed: nothing is known. */
struct flow_memory {
	bool known;		   /* what follows is complete */
	uint64_t begun;		   /* the kernel's count before the list */
	struct prefix_vec sources; /* whose flows these are */
	struct prefix_vec dests;   /* hosts; sorted, unique when it is known */
};

void flow_memory_done(struct flow_memory *memory);

/** flow_memory_forget() - nothing is known any more */
void flow_memory_forget(struct flow_memory *memory);

/**
 * flow_memory_begin() - a list is made, and all of it is to be remembered
 * @begun: read before it
 */
void flow_memory_begin(struct flow_memory *memory, uint64_t begun);

/** flow_memory_add_source() - flows from there are listed */
void flow_memory_add_source(struct flow_memory *memory,
			    const struct ip_prefix *source);

/** flow_memory_add() - one of them; those that are opening belong to it */
void flow_memory_add(struct flow_memory *memory, const struct flow *flow);

/**
 * flow_memory_end() - the list is complete
 *
 * Return: whether it is remembered; else there were too many.
 */
bool flow_memory_end(struct flow_memory *memory);

/** flow_memory_has_source() - whether flows from all of @source were listed */
bool flow_memory_has_source(const struct flow_memory *memory,
			    const struct ip_prefix *source);

/** flow_memory_leads_into() - whether any leads there; only if it is known */
bool flow_memory_leads_into(const struct flow_memory *memory,
			    const struct ip_prefix *prefix);

#endif
