/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subnet - which subnets this host is on, which are managed, and whether a next
 * hop is on one of them.
 *
 * A subnet is a link and a prefix. The set is computed anew from model and
 * policy whenever one of them changes; what must outlive a change (that a
 * subnet was an uplink, its table number) is taken over from the set before.
 */
#ifndef SUBNET_H
#define SUBNET_H

#include "core/model.h"
#include "core/policy.h"

struct subnet {
	/* Key, in sort order: by family, prefix, link. */
	struct ip_prefix prefix;
	uint32_t ifindex;
	/* Value. */
	bool uplink;	/* is one, or was one and still has its address */
	bool managed;	/* we keep a table and rules for it */
	bool strong;	/* drop instead of leaving through a foreign subnet */
	bool exact;	/* one rule per own address, not one for the prefix */
	uint32_t table; /* 0: none yet, or not managed */
};

/* A local address and the subnet it belongs to. */
struct subnet_address {
	struct ip_addr addr;
	uint32_t ifindex; /* the link it is on (lo, for a DSR address) */
	size_t subnet;	  /* index into subnets */
};

VEC(subnet_vec, struct subnet);
VEC(subnet_address_vec, struct subnet_address);

struct subnet_set {
	struct subnet_vec subnets;	     /* sorted, unique */
	struct subnet_address_vec addresses; /* sorted by subnet, address; */
					     /* unique within a subnet */
	struct subnet_address_vec sources;   /* the same by address, subnet */
};

struct pin_set;

/* Everything a decision is made from; borrowed. */
struct view {
	const struct model *model;
	const struct policy *policy;
	const struct subnet_set *subnets;
	const struct pin_set *pins; /* NULL: none; the plan is made without */
};

/**
 * subnet_set_build() - the subnets of @model under @policy
 * @before: the set so far; empty at start
 * @ret:    zeroed by the caller; owned by the caller
 *
 * Newly managed subnets have table 0; see subnet_recover_tables().
 */
void subnet_set_build(const struct model *model, const struct policy *policy,
		      const struct subnet_set *before, struct subnet_set *ret);
void subnet_set_done(struct subnet_set *set);

/**
 * subnet_recover_tables() - table numbers from our own rules in the kernel
 *
 * For the start: a subnet whose prefix or address one of our rules looks up
 * gets that rule's table, and is managed (unless the policy says never).
 * Nothing else may have given out numbers yet.
 */
void subnet_recover_tables(struct subnet_set *set, const struct model *model,
			   const struct policy *policy);

/**
 * subnet_table_is_taken() - whether @table is another subnet's, or a rule of
 * anybody names it, or a route in the model is in it
 */
bool subnet_table_is_taken(const struct subnet_set *set,
			   const struct model *model, uint32_t table);

/**
 * subnet_find_routed() - attribute sets with a gateway
 * @ret: appended; ids of the model's store, good till it changes
 */
void subnet_find_routed(const struct model *model, struct attr_id_vec *ret);

/**
 * subnet_is_uplink() - whether @subnet is an uplink by the model as it is
 * @routed: from subnet_find_routed(): one look at all sets for all subnets
 *
 * An on-subnet default route, or an on-subnet candidate through a gateway.
 */
bool subnet_is_uplink(const struct view *view, const struct subnet *subnet,
		      const struct attr_id_vec *routed);

bool subnet_set_equal(const struct subnet_set *a, const struct subnet_set *b);

/** subnet_cmp() - by key */
int subnet_cmp(const struct subnet *a, const struct subnet *b);

/** subnet_find() - by key; NULL if there is none */
const struct subnet *subnet_find(const struct subnet_set *set,
				 const struct ip_prefix *prefix,
				 uint32_t ifindex);

/** subnet_longest_on_link() - the longest of a link that has @addr; or NULL */
const struct subnet *subnet_longest_on_link(const struct subnet_set *set,
					    uint32_t ifindex,
					    const struct ip_addr *addr);

/**
 * subnet_of_source() - the managed subnet whose address @addr is, or NULL
 *
 * An address on two links is the longer subnet's; of equals the first one's.
 */
const struct subnet *subnet_of_source(const struct subnet_set *set,
				      const struct ip_addr *addr);

/** subnet_link_is_local() - no managed subnet of either family on the link */
bool subnet_link_is_local(const struct subnet_set *set, uint32_t ifindex);

/**
 * subnet_claim() - the learned binding by which a router serves @subnet
 * @router: of the subnet's link; NULL: any of them
 *
 * Those of routers that the config binds do not count.
 * Return: borrowed, or NULL.
 */
const struct binding *subnet_claim(const struct view *view,
				   const struct subnet *subnet,
				   const struct ip_addr *router);

/* Whether a next hop is on a subnet, and which line said so. */
struct on_subnet {
	bool yes;
	uint8_t line; /* 1 to 6 of docs/model.md "on-subnet"; 7: local link */
};

/**
 * subnet_has_next_hop() - is @hop of a route with attributes @set on @subnet?
 *
 * Source: draft section 4 "next hop on the same IP subnet as the source
 * address", made precise for links, onlink gateways and IPv6 (RFC 8028).
 */
struct on_subnet subnet_has_next_hop(const struct view *view,
				     const struct subnet *subnet,
				     const struct attrset *set,
				     const struct next_hop *hop);

#endif
