/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cell - what a subnet's table says for one prefix.
 *
 * The heart: rules 2 to 4 of the draft's section 4 for one subnet and one row
 * of the rib. Rule 1, the longest prefix, is the kernel's lookup in the table.
 */
#ifndef CELL_H
#define CELL_H

#include "core/subnet.h"

enum cell_kind {
	CELL_NONE,	/* no candidate: no entry */
	CELL_CONGRUENT, /* rule 4: an on-subnet candidate */
	CELL_WEAK,	/* rule 3: the lowest metric of all */
	CELL_STRONG,	/* rule 3, alternate: unreachable */
};

struct cell {
	enum cell_kind kind;
	/*
	 * CELL_CONGRUENT and CELL_WEAK: the winning entry of the row and which
	 * of its hops stay (none for a reject route).
	 */
	const struct route *route;
	uint64_t metric;  /* of the winner, with the link's metric_add */
	VEC(, bool) keep; /* one per hop of route's attribute set */
};

/* What becomes of the packets. */
enum cell_fate {
	CELL_FATE_NONE,	       /* no route */
	CELL_FATE_CONGRUENT,   /* through a next hop on the subnet */
	CELL_FATE_WEAK,	       /* through another one */
	CELL_FATE_STRONG_DROP, /* dropped, as the strong model asks */
	CELL_FATE_REJECT,      /* dropped, as a reject route of main says */
};

#define CELL_FATES (CELL_FATE_REJECT + 1)

/** cell_fate() - of packets that meet @cell of one of @view's rows */
enum cell_fate cell_fate(const struct view *view, const struct cell *cell);

/** cell_done() - frees what cell_pick() allocated; may run twice */
void cell_done(struct cell *cell);

/**
 * cell_wanted_at() - whether a prefix gets cells at all
 *
 * Not IPv6 link-local, multicast or loopback destinations: table local and the
 * rule for fe80::/10 answer for them.
 */
bool cell_wanted_at(const struct ip_prefix *prefix);

/**
 * cell_pick() - the cell of @subnet for the routes of @row with @tos
 * @row: may be NULL (no routes)
 * @ret: zeroed or used before; its storage is used again
 *
 * Source: draft section 4, rules 3 and 4.
 */
void cell_pick(const struct view *view, const struct subnet *subnet,
	       const struct row *row, uint8_t tos, struct cell *ret);

#endif
