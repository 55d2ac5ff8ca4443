/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address - a local address on a link.
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "core/ip.h"
#include "core/vec.h"

struct address {
	/* Key, in sort order. */
	uint32_t ifindex;
	struct ip_addr local; /* IFA_LOCAL; IPv6 without one: IFA_ADDRESS */
	/* IPv4: of the key. IPv6: of the value, as a link has an address once,
	   and its peer may be changed. */
	struct ip_addr peer; /* IFA_ADDRESS; equal to local: no peer */
	uint8_t prefix_len;  /* of the peer's prefix where there is one */
	/* Value. */
	uint8_t scope;	 /* RT_SCOPE_ value; 253 is link */
	bool tentative;	 /* duplicate address detection not done yet */
	bool dad_failed; /* never usable */
	bool deprecated;
	bool temporary; /* RFC 8981, or IPv4 secondary */
};

VEC(address_vec, struct address); /* sorted by the key, unique */

/** address_cmp() - by the key */
int address_cmp(const struct address *a, const struct address *b);

/** address_same() - whether key and value are the same */
bool address_same(const struct address *a, const struct address *b);

#endif
