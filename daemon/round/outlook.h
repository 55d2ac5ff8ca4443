/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * outlook - where the packets of each managed subnet leave, as people see it:
 * the next hop of its default route, and whether it fits.
 *
 * Kept from one round of work to the next, so that what a round changed can be
 * said in a few words. A subnet's other prefixes are not looked at.
 */
#ifndef OUTLOOK_H
#define OUTLOOK_H

#include "engine/engine.h"

struct outlook_entry {
	/* Key, in sort order: as subnets are sorted. */
	struct ip_prefix prefix;
	uint32_t ifindex;
	/* Value. */
	char link[LINK_NAME_MAX]; /* its name when last looked at */
	uint32_t table;		  /* 0: no number is free */
	bool strong;
	enum cell_fate fate; /* by the default */
	struct next_hop hop; /* the first one; ifindex 0: none */
	size_t n_hops;
};

VEC(outlook_entry_vec, struct outlook_entry); /* sorted, unique */

/* Zeroed is that of a host without managed subnets. */
struct outlook {
	struct outlook_entry_vec entries;
	bool yields4; /* rules of the family are withdrawn for a tunnel */
	bool yields6;
};

/* One difference: "10.2.0.0/24 on eth1", "weak now", "congruent". */
struct outlook_note {
	char subject[96];
	char is[96];
	char was[96]; /* may be empty */
};

typedef void outlook_fn(const struct outlook_note *note, void *data);

/** outlook_done() - frees; may run twice */
void outlook_done(struct outlook *outlook);

/** outlook_update() - look again; @fn is called for each difference */
void outlook_update(struct outlook *outlook, const struct engine *engine,
		    outlook_fn *fn, void *data);

#endif
