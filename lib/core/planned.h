/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * planned - the rows of one round: what is wanted of each, and what is to be
 * done.
 *
 * A plan depends on what a row holds, not on its prefix (but for the
 * default's), and most rows of a large table hold the same. So both are found
 * out once for each kind of row, and only when somebody asks. The view must
 * stay as it is till planned_done(); rows may change: they are of another kind
 * then.
 */
#ifndef PLANNED_H
#define PLANNED_H

#include "core/diff.h"

/* What is wanted of one row: a run of planned.wants. */
struct planned_row {
	size_t first;
	size_t n;
};

/* What is known of a kind of row. */
struct planned_kind {
	uint32_t id; /* of the row, with a ref; ROW_NONE: there is no row */
	bool is_planned;
	bool is_compared;
	struct planned_row row;
	size_t first_op; /* a run of planned.patterns: their prefix is open */
	size_t n_ops;
};

VEC(planned_kind_vec, struct planned_kind);
VEC(planned_slot_vec, uint32_t);

#define PLANNED_DEFAULTS 2 /* those of IPv4 and IPv6 */

/* Zeroed is empty, and planned_begin() must be called before anything else. */
struct planned {
	struct view view;
	struct rib *rib;	       /* of the view's model */
	struct planned_kind_vec kinds; /* that were asked for */
	/* By a hash of their ids: 1 + index of kinds, or 0; a power of two. */
	struct planned_slot_vec slots;
	/* Theirs ends in a last resort that no other row has. */
	struct planned_kind defaults[PLANNED_DEFAULTS];
	struct want_vec wants;	/* each holds a ref */
	struct op_vec patterns; /* their attributes: wants' or rows' */
};

/** planned_begin() - for the rows of @view, whose model has @rib */
void planned_begin(struct planned *planned, const struct view *view,
		   struct rib *rib);

/** planned_done() - give back the refs and free; may run twice */
void planned_done(struct planned *planned);

/** planned_row() - what is wanted of the row of @prefix, without pins */
struct planned_row planned_row(struct planned *planned,
			       const struct ip_prefix *prefix);

/** planned_is_same() - whether the kernel has that already, pins apart */
bool planned_is_same(struct planned *planned, const struct ip_prefix *prefix);

/**
 * planned_diff() - what is to be done at @prefix, the view's pins laid over it
 * @ops: appended; they borrow attribute ids till planned_done()
 */
void planned_diff(struct planned *planned, const struct ip_prefix *prefix,
		  struct op_vec *ops);

/**
 * planned_order() - the order in which many rows are worked off: hosts, where
 * pins are; defaults; then the longest prefix first (see diff_order())
 */
void planned_order(struct prefix_vec *rows);

/** planned_is_first() - hosts and defaults, which come before the rest there */
bool planned_is_first(const struct ip_prefix *prefix);

/**
 * planned_order_back() - the order in which entries go: the shortest first
 *
 * Those of one length in none: the kernel's IPv4 trie is ten times slower when
 * a large table is emptied from one end.
 */
void planned_order_back(struct prefix_vec *rows);

#endif
