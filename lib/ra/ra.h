/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ra - what a router advertisement says of routers and prefixes.
 *
 * Pure: bytes from the network in, values out; every length is checked, and the
 * number of prefixes is bounded. Source: RFC 4861 sections 4.2, 4.6 and 6.1.2,
 * RFC 4191 for routes and preferences.
 */
#ifndef RA_H
#define RA_H

#include "core/ip.h"

#define RA_FOREVER	UINT32_MAX /* an infinite lifetime, in seconds */
#define RA_PREFIXES_MAX 64	   /* of one message; the rest is left out */

/* A prefix information option, whatever its L and A bits. */
struct ra_prefix {
	struct ip_prefix prefix;
	uint32_t valid_s; /* 0: the prefix ends; RA_FOREVER: it never does */
};

struct ra {
	uint16_t router_lifetime_s; /* 0: not, or no longer, a default router */
	struct ra_prefix prefixes[RA_PREFIXES_MAX]; /* as they came */
	size_t n_prefixes;
	bool cut; /* there were more than that */
	/*
	 * Over all that can change a route without a message of the kernel: the
	 * router's lifetime, preference and hop limit, the MTU, and route
	 * information options in any order. Equal messages have equal digests.
	 * Lifetimes count in steps of an eighth at most (nought, infinite and
	 * all below 16 s exactly): one that is counted down in real time is
	 * news eight times on its way to half of it, not with every message.
	 * Prefixes do not count.
	 */
	uint64_t routes_digest;
};

/**
 * ra_parse() - an ICMPv6 message of type 134
 * @bytes: from the ICMPv6 type on
 *
 * What the caller checks: hop limit 255 and a link-local source (RFC 4861,
 * 6.1.2). Options of unknown types are skipped; a prefix that is link-local,
 * multicast or shorter than 8 bits is left out, and so is one of which
 * ra_parse_prefix() says -EBADMSG: its bytes are wrong, not the message's.
 *
 * Return: 0; -EBADMSG: too short, an option of length zero or beyond the end,
 * another type or code (@ret is undefined then).
 */
int ra_parse(const uint8_t *bytes, size_t len, struct ra *ret);

/**
 * ra_parse_prefix() - one prefix information option
 * @bytes: from the option's type on, as the kernel hands it over
 *	   (RTM_NEWNDUSEROPT)
 *
 * A length above that of RFC 4861, 4.6.2 is fine; the rest is not looked at.
 *
 * Return: 0; -ENOENT: an option of another type, or a prefix that is left out
 * (see ra_parse()); -EBADMSG: too short, or more than 128 bits.
 */
int ra_parse_prefix(const uint8_t *bytes, size_t len, struct ra_prefix *ret);

#endif
