/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_pins - flows keep their path while the plan changes under them.
 *
 * Part of the engine's round: pins are decided between the plan of the rows and
 * the diff, from the flows that are listed just then, as nobody tells of a new
 * one. Of flows that no change concerns only their destinations are kept in
 * mind, and where there are not too many (flow_memory.h).
 *
 * Pins end with their flows: the owner passes on what it hears of closed
 * sockets, and where that leaves nothing, or from time to time, flows are
 * counted anew.
 */
#ifndef ENGINE_PINS_H
#define ENGINE_PINS_H

#include "core/flow_memory.h"
#include "core/pin_build.h"
#include "engine/engine_pin_strays.h"

struct engine;

/* Where flows come from. */
struct engine_flows {
	/*
	 * Calls @fn for each TCP connection that @query is about, whose
	 * .detailed is the owner's business. NULL: flows are not known, and
	 * nothing is pinned.
	 * Return: 0 or -errno; some may have been passed on already.
	 */
	int (*list)(void *data, const struct flow_query *query, flow_fn *fn,
		    void *fn_data);
	/*
	 * Whether there may be any of these connections at all: asked before
	 * it is found out which of them would move. NULL: there may be.
	 */
	bool (*any)(void *data);
	/*
	 * How many have begun so far, in whatever way: while it stays there are
	 * no others than before. Return: whether it can be told; NULL: never.
	 */
	bool (*begun)(void *data, uint64_t *ret);
	void *data;
};

/* Since the start. */
struct engine_pins_counters {
	uint64_t listings; /* of flows */
	uint64_t added;
	uint64_t held;
	uint64_t dropped;
	uint64_t saved; /* flows that kept their path */
	uint64_t moved[PIN_MOVEDS];
};

/* Whether the kernel says on which leg of an IPv4 multipath route a flow is. */
enum engine_legs {
	ENGINE_LEGS_UNASKED, /* in this round */
	ENGINE_LEGS_TOLD,
	ENGINE_LEGS_HIDDEN,
};

struct engine_pins {
	struct engine_flows flows; /* set by the owner */
	struct pin_set set;
	struct pin_vec restored;   /* not in the set yet; a ref each */
	struct table_vec first;	   /* given out, and no rule leads there yet */
	struct subnet_vec managed; /* ever, in this life; by link and prefix */
	uint64_t next_ms;	   /* when the first hold is over; 0: none */
	uint64_t audit_ms;	   /* when flows are counted; 0: never */
	struct prefix_vec sources; /* of subnets with pins, after each round */
	struct subnet_vec homes;   /* these */
	struct engine_stray_vec strays;
	struct flow_memory memory;
	uint64_t memory_ms; /* before that no list is to be remembered */
	bool asked;	    /* some are to be let go */
	enum engine_legs legs;
	bool full;	  /* the cap was reached, and it was said */
	uint64_t version; /* grows with every change of a kind */
	struct engine_pins_counters counters;
};

void engine_pins_done(struct engine *engine);

/**
 * engine_pins_managed() - @subnet was given a table
 *
 * The first time, flows are on paths that are not ours. Later, say after a
 * reload, they have been elsewhere for a while only: they go home.
 */
void engine_pins_managed(struct engine *engine, const struct subnet *subnet);

/** engine_pins_next() - when there is work by the clock; 0: never */
uint64_t engine_pins_next(const struct engine *engine);

/** engine_pins_due() - count flows if it is time; mark what must be done */
void engine_pins_due(struct engine *engine, uint64_t now_ms);

/**
 * engine_pins_decide() - bring the pins up to date with a plan
 * @planned: the dirty rows, sorted; rows of new pins are added
 */
void engine_pins_decide(struct engine *engine, uint64_t now_ms,
			struct planned *planned);

/**
 * engine_pins_flow_ended() - a socket from @src to @dst is gone
 * @src: 0.0.0.0 or :: of one that was aborted; then any pin may be meant
 */
void engine_pins_flow_ended(struct engine *engine, const struct ip_addr *src,
			    const struct ip_addr *dst, uint64_t now_ms);

/** engine_pins_flows_lost() - some may have ended unheard */
void engine_pins_flows_lost(struct engine *engine, uint64_t now_ms);

/**
 * engine_pins_unpin() - let flows follow the plan
 * @dst: not set: all of them
 *
 * Return: how many pins, holds included, it concerns.
 */
size_t engine_pins_unpin(struct engine *engine, const struct ip_addr *dst);

/**
 * engine_pins_restore() - a flow that waits or is away, from an earlier life
 * @pin:    its pin, without attrs; the same for each of its flows
 * @hop:    the pin's path
 * @member: the flow
 *
 * All of them, before the first run; then engine_pins_restored().
 */
void engine_pins_restore(struct engine *engine, const struct pin *pin,
			 const struct next_hop *hop,
			 const struct pin_member *member);

/** engine_pins_restored() - that was the last one */
void engine_pins_restored(struct engine *engine);

#endif
