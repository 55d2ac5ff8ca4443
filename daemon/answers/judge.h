/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge - is the kernel's answer for one packet what the draft's rules say?
 *
 * Pure. explain shows the judgement of one packet, verify goes through all.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "core/forward.h"
#include "core/pin.h"
#include "kernel/kernel.h"

enum judgement {
	JUDGE_AGREES,
	JUDGE_LOCAL, /* table local answered: no table of ours is asked */
	JUDGE_DISAGREES,
};

/* One packet: what the rules say and what the kernel says. */
struct judge_case {
	const struct ip_addr *src;
	const struct ip_addr *dst;
	const struct subnet *subnet; /* managed, of the packet's source */
	const struct forward *forward;
	const struct kernel_answer *answer;
	/* Of an unbound IPv6 socket: the rule of its source has no say. */
	bool sourceless;
};

/**
 * judge_leaves_to_others() - nothing of ours leads there, and nothing keeps the
 * packet from the rules that come after ours
 */
bool judge_leaves_to_others(const struct view *view,
			    const struct judge_case *it);

/**
 * judge_packet() - compare
 *
 * The next hop must be one of the answer's, and the table the subnet's own: a
 * right next hop out of table main is luck, but for a lookup without a source.
 * Where nothing matches in the weak
 * model (rule 2), rules behind ours may know better. Where no candidate is
 * usable, any answer out of the subnet's table will do, and without carrier one
 * of table main (weak): the kernel may pass over dead next hops (docs/model.md,
 * "What is not in our hands"). Where the
 * view has a pin for the destination, that counts instead of the rules.
 */
enum judgement judge_packet(const struct view *view,
			    const struct judge_case *it);

#define JUDGE_TEXT_MAX 256

/* All into @text, at least JUDGE_TEXT_MAX bytes; Return: @text. */

/** judge_want() - "via 10.1.0.1 dev eth0, table 7100", "dropped (strong)" */
const char *judge_want(const struct view *view, const struct judge_case *it,
		       char *text);

/** judge_have() - "via 10.1.0.1 dev eth0, table main", "EHOSTUNREACH" */
const char *judge_have(const struct view *view, const struct judge_case *it,
		       char *text);

/** judge_hint() - why the kernel may have answered so, and what to do */
const char *judge_hint(const struct view *view, const struct judge_case *it,
		       char *text);

/**
 * judge_rule() - the rule by which a packet from @src to @dst got @answer
 * @src: may be unset
 *
 * Return: borrowed from the view, or NULL: none that we know of, or one before
 * it may have taken the packet, which looks at more than we keep.
 */
const struct rule *judge_rule(const struct view *view,
			      const struct ip_addr *src,
			      const struct ip_addr *dst,
			      const struct kernel_answer *answer);

#endif
