/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attrset - everything about a route that decides how packets are forwarded.
 *
 * What is not in here is the key (prefix, table, tos, metric) and what concerns
 * only bookkeeping (protocol, expiry); see route.h. Attributes we do not know
 * are kept as the bytes the kernel sent, so a copy of a route loses nothing.
 * Equal sets are stored once: two routes forward alike exactly if their ids are
 * equal, and a table of a million routes holds a handful of sets.
 */
#ifndef ATTRSET_H
#define ATTRSET_H

#include "core/ip.h"
#include "core/vec.h"

/* Values as in <linux/rtnetlink.h> (checked at compile time in lib/kernel). */
enum attrset_type {
	ATTRSET_UNICAST = 1,
	ATTRSET_LOCAL = 2,
	ATTRSET_BLACKHOLE = 6,
	ATTRSET_UNREACHABLE = 7,
	ATTRSET_PROHIBIT = 8,
	ATTRSET_THROW = 9,
};

#define NEXT_HOP_ONLINK 4 /* RTNH_F_ONLINK */

VEC(byte_vec, uint8_t);

/* A gateway on a link, or a link alone. */
struct next_hop {
	uint32_t ifindex;
	struct ip_addr gateway; /* not set: none; other family: RTA_VIA */
	uint8_t flags;		/* NEXT_HOP_ONLINK or 0 */
	uint8_t weight;		/* rtnh_hops, the weight less one */
	/*
	 * Attributes of this hop alone (encap, realm), as netlink bytes: part
	 * of attrset.extra, from @extra_at, @extra_len long.
	 */
	uint32_t extra_at;
	uint32_t extra_len;
};

VEC(next_hop_vec, struct next_hop);

struct attrset {
	uint8_t family; /* of the prefix */
	uint8_t type;	/* enum attrset_type, or another RTN_ value */
	uint8_t scope;	/* rtm_scope */
	uint8_t pref;	/* IPv6 router preference as on the wire: 1 high, */
			/* 0 medium, 3 low (RFC 4191, 2.1) */
	uint32_t nh_id; /* nexthop object the hops come from; 0: none */
	struct ip_prefix src;	  /* RTA_SRC; family 0: none */
	struct ip_addr prefsrc;	  /* RTA_PREFSRC; not set: none */
	struct next_hop_vec hops; /* as the kernel orders them; empty: reject */
	/* Netlink attributes of the route, then those of each hop. */
	struct byte_vec extra;
	uint32_t route_extra_len; /* how much of @extra is the route's own */
	bool refused; /* the kernel took no copy; not part of equality */
};

/** attrset_init() - empty, of @family and @type; attrset_done() frees it */
void attrset_init(struct attrset *set, uint8_t family, uint8_t type);
void attrset_done(struct attrset *set);

/**
 * attrset_add_route_extra() - append netlink bytes that concern the whole route
 *
 * All of these come before the first attrset_add_hop().
 */
void attrset_add_route_extra(struct attrset *set, const void *bytes,
			     size_t len);

/** attrset_add_hop() - append @hop with its own netlink bytes (may be none) */
void attrset_add_hop(struct attrset *set, const struct next_hop *hop,
		     const void *bytes, size_t len);

bool attrset_equal(const struct attrset *a, const struct attrset *b);

/** attrset_same_hops() - of one type, the same gateways on the same links */
bool attrset_same_hops(const struct attrset *a, const struct attrset *b);

/** attrset_is_reject() - blackhole, unreachable, prohibit or throw */
bool attrset_is_reject(const struct attrset *set);

/**
 * attrset_is_given_up() - refused, and there is no other form to try
 *
 * A refused copy is tried with "onlink" first: only the mark on that form, or
 * on one without gateways, is the last word.
 */
bool attrset_is_given_up(const struct attrset *set);

/**
 * attrset_copy_for_table() - what a copy of a route in one of our tables says
 * @set:   the route's attributes
 * @keep:  one flag for each of its hops: whether it stays
 * @ret:   initialised here; the caller frees it
 *
 * Prefsrc and source prefix are dropped: the source is chosen already. The hops
 * of a nexthop object are written out: a copy that named it would change with
 * it before we know. One that its group holds twice stands there once, with
 * both weights. A single remaining hop loses its weight.
 */
void attrset_copy_for_table(const struct attrset *set, const bool *keep,
			    struct attrset *ret);

/* --- the store --- */

struct attrset_store {
	struct attrset_entry *entries; /* by id */
	uint32_t n;
	uint32_t cap;
	uint32_t free;	   /* first unused entry; UINT32_MAX: none */
	uint32_t *buckets; /* hash heads, a power of two of them */
	uint32_t n_buckets;
	uint32_t used;
	uint64_t changes; /* times that a set came or went, ever */
};

VEC(attr_id_vec, uint32_t);

void attrset_store_init(struct attrset_store *store);
void attrset_store_done(struct attrset_store *store);

/**
 * attrset_intern() - id of a set equal to @set, with one more ref
 *
 * If it is new it is copied, less the refused mark: that belongs to the id, and
 * goes with its last ref.
 */
uint32_t attrset_intern(struct attrset_store *store, const struct attrset *set);
void attrset_ref(struct attrset_store *store, uint32_t id);
void attrset_unref(struct attrset_store *store, uint32_t id);

/** attrset_get() - of a live @id; borrowed until the next attrset_intern() */
const struct attrset *attrset_get(const struct attrset_store *store,
				  uint32_t id);

/** attrset_is_live() - whether @id (below store->n) is in use: for walks */
bool attrset_is_live(const struct attrset_store *store, uint32_t id);

/** attrset_refuse() - set or clear the refused mark of @id */
void attrset_refuse(struct attrset_store *store, uint32_t id, bool refused);

#endif
