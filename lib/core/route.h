/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * route - one entry of a routing table, less its prefix.
 *
 * The prefix is the place in the rib (rib.h) where the entry hangs. Small on
 * purpose: a host may hold a million of these per table.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "core/attrset.h"

#define ROUTE_TABLE_CONFIG 0 /* candidates that the config adds */
#define ROUTE_TABLE_MAIN   254
#define ROUTE_TABLE_LOCAL  255

#define ROUTE_PROTOCOL_RA 9 /* RTPROT_RA */

#define ROUTE_SCOPE_LINK 253 /* RT_SCOPE_LINK */

#define ROUTE_EXPIRES_NEVER 0

struct route {
	/* Key, in sort order. Equal keys stand in the kernel's own order. */
	uint32_t table;
	uint8_t tos; /* IPv4 only */
	uint32_t metric;
	/* Value. */
	uint8_t protocol;
	uint8_t flags;	    /* enum route_flag */
	uint32_t attrs;	    /* id in the rib's attrset store */
	uint32_t expires_s; /* on the caller's clock; ROUTE_EXPIRES_NEVER */
};

enum route_flag {
	ROUTE_STALE = 1,   /* not seen again yet in a read that is under way */
	ROUTE_LEAVING = 2, /* gone from main, kept for the settle time */
};

VEC(route_vec, struct route);
VEC(table_vec, uint32_t); /* table numbers; unique */

bool table_vec_has(const struct table_vec *tables, uint32_t table);

/** route_key_cmp() - by table, tos, metric */
int route_key_cmp(const struct route *a, const struct route *b);

/** route_equal() - key and value; attributes by their ids */
bool route_equal(const struct route *a, const struct route *b);

#define ROUTE_TEXT_MAX 512

/**
 * route_format() - as `ip route` would be given it, without verb and newline
 * @names:  links, to name devices; a device not in it is written "if7"
 * @text:   at least ROUTE_TEXT_MAX bytes; an overlong text ends in "..."
 *
 * "203.0.113.0/24 via 192.0.2.1 dev eth0 proto 109 metric 100 table 7100".
 * Attributes kept as bytes: metrics (mtu lock 1400, advmss ...) are written in
 * ip(8)'s words, those without words as "attr 22 (12 bytes)". Several hops come
 * with their weights, a nexthop object stands for its hops, and a scope is said
 * where ip(8) would assume another. "table config" (ROUTE_TABLE_CONFIG) is for
 * people only.
 */
struct link_vec;
const char *route_format(const struct ip_prefix *prefix,
			 const struct route *route, const struct attrset *set,
			 const struct link_vec *names, char *text);

#endif
