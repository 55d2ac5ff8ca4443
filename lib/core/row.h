/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * row - what all tables have for one prefix, whichever prefix that is.
 *
 * Most prefixes of a large table are routed alike, so equal rows are stored
 * once, and a prefix costs the number of its row. A row never changes: another
 * one takes its place.
 */
#ifndef ROW_H
#define ROW_H

#include "core/route.h"

#define ROW_NONE UINT32_MAX
#define ROW_MAX	 UINT16_MAX /* entries of one row */

struct row {
	/* Sorted by route_key_cmp(), equal keys in the kernel's order. */
	const struct route *routes;
	uint16_t n;
};

struct row_store {
	struct row_entry *entries; /* by id */
	uint32_t n;
	uint32_t cap;
	uint32_t free;	   /* first unused entry; ROW_NONE: none */
	uint32_t *buckets; /* hash heads, a power of two of them */
	uint32_t n_buckets;
	uint32_t used;
};

void row_store_init(struct row_store *store);

/** row_store_done() - frees; refs to attributes are not given back */
void row_store_done(struct row_store *store);

/**
 * row_intern() - id of the row of these entries, with one more ref
 * @attrs:  where the entries' ids are from; a new row has a ref of its own each
 * @routes: in order, at most ROW_MAX; copied
 */
uint32_t row_intern(struct row_store *store, struct attrset_store *attrs,
		    const struct route *routes, size_t n);
void row_ref(struct row_store *store, uint32_t id);
void row_unref(struct row_store *store, struct attrset_store *attrs,
	       uint32_t id);

/** row_get() - of a live @id; borrowed until the next row_intern() */
const struct row *row_get(const struct row_store *store, uint32_t id);

/** row_note_place() - @place is one of those who have a ref; for row_place() */
void row_note_place(struct row_store *store, uint32_t id, uint32_t place);

/**
 * row_place() - who has the only ref of @id, if that is the one noted last
 *
 * Return: ROW_NONE: it is one of several. Else it may still be somebody else.
 */
uint32_t row_place(const struct row_store *store, uint32_t id);

/** row_is_live() - whether @id (below store->n) is in use: for walks */
bool row_is_live(const struct row_store *store, uint32_t id);

#endif
