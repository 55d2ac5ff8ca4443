/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diff - the ops that turn what the kernel has into what the plan wants, in an
 * order in which no packet ever takes a path that neither of them has.
 *
 * Only entries that carry our protocol are ever deleted. An entry of ours that
 * somebody altered is put back by an atomic replace.
 */
#ifndef DIFF_H
#define DIFF_H

#include "core/op.h"
#include "core/plan.h"

/**
 * diff_row() - ops for one prefix
 * @view: for the policy, and the attribute sets that @row refers to
 * @row:  what the kernel has (all tables); NULL: nothing
 * @want: sorted as plan_row_build() gives it
 * @ops:  appended; they name the wants' attribute ids without a ref
 */
void diff_row(const struct view *view, const struct ip_prefix *prefix,
	      const struct row *row, const struct want_vec *want,
	      struct op_vec *ops);

/**
 * diff_rules() - ops for the rules of one family
 * @have: all rules of the family, foreign ones too; sorted by rule_cmp()
 * @want: sorted, unique
 *
 * Of several copies of one of our rules the surplus is deleted.
 */
void diff_rules(const struct policy *policy, const struct rule_vec *have,
		const struct rule_vec *want, struct op_vec *ops);

/**
 * diff_neighbours() - managed entries for the routers in use, and no others
 * @have: the model's; entries that are permanent are left as they are
 * @want: sorted, unique
 */
void diff_neighbours(const struct policy *policy,
		     const struct neighbour_vec *have,
		     const struct neighbour_vec *want, struct op_vec *ops);

#define DIFF_PHASES 4

/**
 * diff_order() - sort @ops into the order in which they are carried out
 *
 * 0. entries that go and stand behind another of their key: no packet sees
 *    them, and the kernel puts no equal one in the place of the first;
 * 1. new host routes: pins are among them, and must be there before anything
 *    else changes;
 * 2. new prefixes, the longest first: else a packet that a longer prefix will
 *    catch would follow a shorter one for a moment;
 * 3. changed entries (each a replace);
 * 4. new rules, 5. rules that go, 6. entries that go, the shortest first, for
 *    the same reason; 7. neighbours.
 *
 * Routes go table by table within each: what one table says of a packet does
 * not depend on another, and the kernel is faster where its own table is warm.
 *
 * @phase_end: index behind the last op of 1, 3, 5 and 7: after each, the
 * kernel's answers are looked at before going on.
 */
void diff_order(struct op_vec *ops, size_t phase_end[DIFF_PHASES]);

#endif
