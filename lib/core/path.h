/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path - where the packets of a subnet to one destination go: so far, and by
 * the plan.
 *
 * A path is the attribute set of the entry that a subnet's table answers with.
 * Two paths are the same if their next hops are, whatever else the sets say: a
 * new MTU moves no flow.
 */
#ifndef PATH_H
#define PATH_H

#include "core/planned.h"

struct path {
	bool found;	/* the table has an entry that covers the destination */
	uint32_t attrs; /* id in the model's store; borrowed */
	uint8_t len;	/* of the entry's prefix */
};

/**
 * path_in_use() - by what the kernel has in @table
 * @dst: a host's prefix, or a whole prefix: then that of its addresses that no
 *	 longer prefix catches
 *
 * Entries that the kernel dropped since the last plan still count
 * (model.lost, sorted): flows were on them.
 */
struct path path_in_use(const struct model *model, uint32_t table,
			const struct ip_prefix *dst);

/** path_planned() - by the plan for dirty rows, for others by what is in use */
struct path path_planned(struct planned *planned, uint32_t table,
			 const struct ip_prefix *dst);

/** path_entry() - what @row says for @table, pins included; or NULL */
const struct route *path_entry(const struct row *row, uint32_t table);

/** path_want() - what a planned row wants for @table; or NULL */
const struct want *path_want(const struct planned *planned,
			     struct planned_row row, uint32_t table);

/** path_is_same() - the same next hops, or both none */
bool path_is_same(const struct attrset_store *attrs, const struct path *a,
		  const struct path *b);

/** path_is_congruent() - every next hop of @attrs is on @subnet; it has one */
bool path_is_congruent(const struct view *view, const struct subnet *subnet,
		       uint32_t attrs);

/**
 * path_available() - what of a path is there for @dst
 * @attrs: the path
 * @keep:  one flag for each of its next hops, at least PATH_HOPS_MAX: that a
 *	   usable candidate of main or the config leads there, for a prefix that
 *	   covers @dst
 *
 * Return: how many are; 0: the path is gone.
 */
size_t path_available(const struct view *view, uint32_t attrs,
		      const struct ip_addr *dst, bool *keep);

/** path_is_whole() - whether all of a path that counts is there for @dst */
bool path_is_whole(const struct view *view, uint32_t attrs,
		   const struct ip_addr *dst);

#define PATH_HOPS_MAX 256 /* of a longer multipath the rest does not count */

/**
 * path_through() - the candidate that leads to @dst through @hop, as a path
 *
 * Return: whether there is one that is usable; @ret_attrs: with one ref, the
 * caller's.
 */
bool path_through(const struct view *view, struct attrset_store *attrs,
		  const struct ip_addr *dst, const struct next_hop *hop,
		  uint32_t *ret_attrs);

#endif
