/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoint - which addresses the kernel's MPTCP path manager is to use.
 *
 * Draft section 5: subflows along the paths that routing offers. One address of
 * each uplink that has a usable default route of its own is an endpoint, in the
 * order of these routes' metrics. An endpoint never names a link: such a one
 * passes by the subnet's table.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "core/subnet.h"

#define ENDPOINTS_MAX 8 /* MPTCP_PM_ADDR_MAX of the kernel */

enum endpoint_flag {		/* as the kernel has them */
	ENDPOINT_SIGNAL = 1,	/* announced to the peer */
	ENDPOINT_SUBFLOW = 2,	/* subflows are opened from it */
	ENDPOINT_BACKUP = 4,	/* used when no other path is left */
	ENDPOINT_FULLMESH = 8,	/* to each address of the peer */
	ENDPOINT_IMPLICIT = 16, /* the kernel made it, for a join by itself */
};

struct endpoint {
	struct ip_addr addr;
	uint8_t id;	  /* the kernel's; 0: none yet */
	uint8_t flags;	  /* enum endpoint_flag, and others' */
	uint32_t ifindex; /* bound to a link; 0: none, as all of ours */
};

VEC(endpoint_vec, struct endpoint);

/** endpoint_find() - by address; NULL: none */
const struct endpoint *endpoint_find(const struct endpoint_vec *endpoints,
				     const struct ip_addr *addr);

/** endpoint_find_added() - the same, but none that is implicit
 *
 * Those are nobody's: who adds an endpoint of the address replaces it.
 */
const struct endpoint *endpoint_find_added(const struct endpoint_vec *endpoints,
					   const struct ip_addr *addr);

/**
 * endpoint_of_subnet() - the address from which a subnet's subflows leave
 * @ret: without an id; its flags are what the config says of the link
 *
 * Whether a route leads out is not looked at.
 * Return: false: there is none: its link is off for MPTCP, a tunnel is yielded
 * to, no rule leads to its table yet, or no address is usable yet (DAD).
 */
bool endpoint_of_subnet(const struct view *view, const struct subnet *subnet,
			struct endpoint *ret);

/**
 * endpoint_build() - those that are wanted
 * @ours: those there are already: an address that is as good as another one of
 *	  its subnet stays; NULL: none
 * @ret:  appended: the best metric first, at most ENDPOINTS_MAX, without ids
 *
 * Of subnets that have one, and whose default route leads out.
 */
void endpoint_build(const struct view *view, const struct endpoint_vec *ours,
		    struct endpoint_vec *ret);

/* Why an endpoint of ours may have to go. */
enum endpoint_fate {
	ENDPOINT_STAYS, /* it is wanted */
	ENDPOINT_WAITS, /* its path is gone: it may come back in a moment */
	ENDPOINT_GOES,	/* its address or its table is gone, or a tunnel is */
};

/**
 * endpoint_judge() - what becomes of one of ours
 * @wanted: as of endpoint_build()
 */
enum endpoint_fate endpoint_judge(const struct view *view,
				  const struct endpoint_vec *wanted,
				  const struct endpoint *ours);

#endif
