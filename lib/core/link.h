/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link - network interfaces and what of them matters to routing.
 *
 * A link is known by its ifindex; the name can change and is used only to match
 * what people wrote in the config and to print.
 */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "core/vec.h"

#define LINK_NAME_MAX 16 /* IFNAMSIZ */

struct link {
	uint32_t ifindex; /* key */
	char name[LINK_NAME_MAX];
	uint32_t master; /* ifindex of the bridge, bond or VRF; 0: none */
	uint32_t lower;	 /* ifindex of the link whose carrier it has; 0: none */
	bool vlan;	 /* goes down with its lower link, too */
	bool up;	 /* IFF_UP */
	bool carrier;	 /* IFF_LOWER_UP */
	bool loopback;	 /* IFF_LOOPBACK */
	bool vrf;	 /* is itself a VRF device */
	bool no_ipv6;	 /* switched off: no IPv6 router can be asked for */
};

VEC(link_vec, struct link); /* sorted by ifindex, unique */

#endif
