/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subflow - from which address an MPTCP connection opens its next subflow, and
 * which subflows that the peer opens are kept.
 *
 * The draft's section 5, word for word, over the same view of routing as the
 * tables: a source that is picked leaves through the very next hop for which it
 * was picked. Pure, and slow on purpose, as forward.h is.
 */
#ifndef SUBFLOW_H
#define SUBFLOW_H

#include "core/endpoint.h"
#include "core/forward.h"

VEC(ip_addr_vec, struct ip_addr);

/* What became of one way to the destination. */
enum subflow_verdict {
	SUBFLOW_CHOSEN, /* step 5: the lowest metric of those that remain */
	SUBFLOW_LEFT,	/* step 5: it remains, its metric is higher */
	SUBFLOW_USED,	/* step 3: on the subnet of an address in use */
	/* Before step 3: no subflow can leave by it. */
	SUBFLOW_PASSED,	  /* packets of the subnet have a better next hop */
	SUBFLOW_UNUSABLE, /* no carrier, or the router is dead */
	SUBFLOW_OFF,	  /* its subnet has no address for MPTCP */
	SUBFLOW_FOREIGN,  /* it is on no managed subnet */
	SUBFLOW_REJECTED, /* no next hop: a reject route */
};

struct subflow_candidate {
	struct forward_candidate way;
	const struct subnet
		*subnet;	/* that it is on; NULL: on none; borrowed */
	struct endpoint source; /* its address there, and flags */
	enum subflow_verdict verdict;
};

VEC(subflow_candidate_vec, struct subflow_candidate);

/* The step of section 5.1 that decided. */
enum subflow_step {
	SUBFLOW_NO_ROUTE = 2,
	SUBFLOW_NONE_LEFT = 4,
	SUBFLOW_PICKED = 5,
};

struct subflow_choice {
	enum subflow_step step;
	/* By metric, then by address; those that nothing can leave by last. */
	struct subflow_candidate_vec candidates;
	struct endpoint source; /* SUBFLOW_PICKED: bind to it */
};

void subflow_choice_done(struct subflow_choice *choice);

/**
 * subflow_pick() - the source of a connection's next subflow to @dst
 * @used: local addresses of its subflows to this very address; may be empty
 * @ret:  zeroed by the caller, freed with subflow_choice_done()
 *
 * Source: draft section 5.1, steps 1 to 5. Next hops that are not usable do not
 * count. A next hop that is on a subnet, but by which packets of that subnet do
 * not leave, is no new path.
 */
void subflow_pick(const struct view *view, const struct ip_addr *dst,
		  const struct ip_addr_vec *used, struct subflow_choice *ret);

/**
 * subflow_is_congruent() - whether packets from @src to @dst leave through a
 * usable next hop on the subnet of @src
 */
bool subflow_is_congruent(const struct view *view, const struct ip_addr *src,
			  const struct ip_addr *dst);

/**
 * subflow_gets_out() - whether packets leave through any usable next hop
 *
 * Of a source that is not managed only its address is known.
 */
bool subflow_gets_out(const struct view *view, const struct ip_addr *src,
		      const struct ip_addr *dst);

/* What to do with a subflow that the peer has opened. */
enum subflow_answer {
	SUBFLOW_ACCEPT,	      /* it is congruent, or the config wants it */
	SUBFLOW_REJECT,	      /* and the connection has one that is */
	SUBFLOW_ACCEPT_ALONE, /* no other is either: one from the right source
			       * shall follow */
};

/**
 * subflow_judge() - source: draft section 5.2
 * @congruent:	     the new one is
 * @other_congruent: the connection has another one that is, and is active
 * @reject:	     the config's mptcp.reject_incongruent
 */
enum subflow_answer subflow_judge(bool congruent, bool other_congruent,
				  bool reject);

#endif
