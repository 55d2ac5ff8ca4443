/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * binding - which router serves which prefix, as router advertisements say.
 *
 * The draft's section 7: an IPv6 router has a link-local address, so a gateway
 * says nothing about its prefix; but it advertises the prefixes it serves (RFC
 * 8028). Only prefixes, routers and times are kept here, bound in number: what
 * was heard longest ago makes place. The config's bindings are in policy.h.
 */
#ifndef BINDING_H
#define BINDING_H

#include "core/ip.h"
#include "core/vec.h"

#define BINDING_FOREVER UINT64_MAX
#define BINDING_MAX	512 /* of one link */

struct binding {
	/* Key, in sort order. */
	uint32_t ifindex;
	struct ip_addr router; /* link-local */
	struct ip_prefix prefix;
	/* Value: times in ms, on a clock that never goes back. */
	uint64_t prefix_until_ms; /* BINDING_FOREVER: infinite */
	uint64_t router_until_ms; /* of the router; FOREVER: not known */
	uint64_t heard_ms;	  /* when it was advertised last */
};

VEC(binding_vec, struct binding); /* sorted by the key, unique */

/** binding_until() - when it ends: with its prefix or with its router */
uint64_t binding_until(const struct binding *binding);

/**
 * binding_put() - a router advertised a prefix
 * @ret_full: a binding of the link made place for it
 *
 * One whose time is up already is removed.
 *
 * Return: whether the set changed; new times for what is there change nothing.
 */
bool binding_put(struct binding_vec *bindings, const struct binding *binding,
		 uint64_t now_ms, bool *ret_full);

/**
 * binding_set_router() - how long a router is one
 * @until_ms: not later than now: it is none any more
 *
 * Return: whether the set changed.
 */
bool binding_set_router(struct binding_vec *bindings, uint32_t ifindex,
			const struct ip_addr *router, uint64_t until_ms,
			uint64_t now_ms);

/** binding_forget_link() - Return: whether the set changed */
bool binding_forget_link(struct binding_vec *bindings, uint32_t ifindex);

/** binding_next() - when the first of them ends; 0: none does */
uint64_t binding_next(const struct binding_vec *bindings);

/**
 * binding_prefix_of() - the longest advertised prefix of the link around @addr
 *
 * Return: whether there is one.
 */
bool binding_prefix_of(const struct binding_vec *bindings, uint32_t ifindex,
		       const struct ip_addr *addr, struct ip_prefix *ret);

#endif
