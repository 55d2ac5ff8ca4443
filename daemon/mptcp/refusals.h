/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refusals - endpoints that the kernel did not take.
 *
 * Mostly it never will, whatever happens to routing: they are tried again after
 * 10 s, 20 s and so on to about 10 minutes, and not before. Who forgets them
 * all, as with a new config, tries at once.
 */
#ifndef REFUSALS_H
#define REFUSALS_H

#include "core/endpoint.h"

struct refusal {
	struct ip_addr addr;
	unsigned int failures; /* in a row */
	uint64_t next_ms;
};

VEC(refusal_vec, struct refusal);

/** refusals_note() - Return: when it is tried again */
uint64_t refusals_note(struct refusal_vec *refusals, const struct ip_addr *addr,
		       uint64_t now_ms);

/** refusals_forget() - it was taken; there may be none of @addr */
void refusals_forget(struct refusal_vec *refusals, const struct ip_addr *addr);

/**
 * refusals_leave_out() - of those that are wanted, the ones that wait
 *
 * Of what is not wanted any more nothing is kept.
 * Return: when the first of them is tried again; 0: none waits.
 */
uint64_t refusals_leave_out(struct refusal_vec *refusals,
			    struct endpoint_vec *wanted, uint64_t now_ms);

#endif
