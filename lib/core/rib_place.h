/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rib_place - what the rib*.c files share; nobody else includes this.
 */
#ifndef RIB_PLACE_H
#define RIB_PLACE_H

#include "core/rib.h"

struct trie *rib_trie_of(struct rib *rib, const struct ip_prefix *prefix);

/** rib_find_place() - where the row of @prefix is, or NULL */
struct trie_entry *rib_find_place(const struct rib *rib,
				  const struct ip_prefix *prefix);

/** rib_make_place() - the same; made, with an empty row, if it is missing */
struct trie_entry *rib_make_place(struct rib *rib,
				  const struct ip_prefix *prefix);

/** rib_mark_dirty() - put it into @rib->dirty, once */
void rib_mark_dirty(struct rib *rib, struct trie_entry *place,
		    const struct ip_prefix *prefix);

#endif
