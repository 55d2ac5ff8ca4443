/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * what_if - the host as it would be after a change that was not made.
 *
 * A copy of the model, less what does not concern one destination, with the
 * change in it; the same pure functions then decide from it. What was asked
 * about is not touched.
 */
#ifndef WHAT_IF_H
#define WHAT_IF_H

#include "core/subnet.h"

struct what_if {
	const struct policy *policy; /* borrowed */
	struct model model;	     /* of routes, only those that match @dst */
	struct subnet_set subnets;
};

/**
 * what_if_link_down() - as if link @ifindex were down, for packets to @dst
 * @ret: freed with what_if_done()
 *
 * As the kernel does it: routes over the link are gone, multipath routes lose
 * that hop, IPv6 loses the link's addresses, IPv4 keeps them. Subnets that are
 * managed stay managed. VLANs on it go down too; macvlans and the like, and
 * bridges and bonds without another live port, lose their carrier.
 */
void what_if_link_down(const struct view *view, uint32_t ifindex,
		       const struct ip_addr *dst, struct what_if *ret);
void what_if_done(struct what_if *what_if);

/** what_if_view() - to decide from */
struct view what_if_view(const struct what_if *what_if);

#endif
