/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forward - the draft's forwarding procedure, word for word, for one packet.
 *
 * Slow and literal on purpose: it looks at every route that matches, with
 * nothing precomputed. It is the oracle the plan is tested against and the
 * story that `multihomectl explain` tells; no packet depends on it.
 */
#ifndef FORWARD_H
#define FORWARD_H

#include "core/subnet.h"

/* One next hop of one matching route. */
struct forward_candidate {
	struct ip_prefix prefix;
	struct route route;
	size_t hop;	 /* index in the route's hops; 0 for a reject route */
	bool reject;	 /* no next hop */
	uint64_t metric; /* with the link's metric_add */
	bool usable;
	struct on_subnet on; /* of the packet's source subnet */
};

VEC(forward_candidate_vec, struct forward_candidate);

/* The rule of section 4 that decided. */
enum forward_rule {
	FORWARD_NO_ROUTE,  /* rule 2: drop */
	FORWARD_WEAK,	   /* rule 3: the lowest metric of all */
	FORWARD_STRONG,	   /* rule 3, alternate: drop */
	FORWARD_CONGRUENT, /* rule 4: the lowest metric on the subnet */
};

struct forward {
	enum forward_rule rule;
	/*
	 * What matched the longest prefix, in the row's order; for explain.
	 * @best is the answer: one next hop, or several of one multipath
	 * route, or one reject route, or nothing.
	 */
	struct forward_candidate_vec candidates;
	struct forward_candidate_vec best;
};

void forward_done(struct forward *forward);

/**
 * forward_pick() - how a packet with a source in @subnet leaves
 * @ret: zeroed by the caller, freed with forward_done()
 *
 * Source: draft section 4, rules 1 to 4; unusable next hops, reject routes, TOS
 * and source prefixes as docs/model.md says.
 */
void forward_pick(const struct view *view, const struct subnet *subnet,
		  const struct ip_addr *dst, uint8_t tos, struct forward *ret);

#endif
