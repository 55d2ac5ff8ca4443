/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rib - all routes we know, by destination prefix.
 *
 * One row per prefix holds the entries of every table for it: main's, the
 * config's, ours. That is the shape of the plan (one prefix at a time), so a
 * change of one route needs one lookup and looks at one small array. Equal
 * rows are one (row.h): a prefix itself costs little more than its place in the
 * trie.
 */
#ifndef RIB_H
#define RIB_H

#include "core/row.h"
#include "core/trie.h"

VEC(prefix_vec, struct ip_prefix);

/* How many entries one table has. */
struct rib_table {
	uint32_t table; /* key */
	size_t n4;
	size_t n6;
};

VEC(rib_table_vec, struct rib_table); /* sorted, unique, none empty */

struct rib {
	struct trie v4;
	struct trie v6;
	struct row_store rows; /* the tries' values are ids of it */
	struct attrset_store attrs;
	struct route_vec draft;	 /* of a row that is being changed */
	struct prefix_vec dirty; /* rows whose candidates or copies changed */
	uint8_t dirty_marks;	 /* in the trie: it stands in @dirty */
	uint8_t due_marks;	 /* it was taken, see rib_take() */
	uint8_t new_mark;	 /* one of the first: for what comes next */
	struct rib_table_vec tables;
};

/* Where a new entry goes among those of an equal key (NLM_F_ flags). */
enum rib_place {
	RIB_APPEND,  /* behind them */
	RIB_PREPEND, /* before them */
};

void rib_init(struct rib *rib);
void rib_done(struct rib *rib);

/**
 * rib_row() - row of exactly @prefix, or NULL
 *
 * A row is borrowed, here and below, till the rib is changed.
 */
const struct row *rib_row(const struct rib *rib,
			  const struct ip_prefix *prefix);

/** rib_row_at() - the same by what a trie says */
const struct row *rib_row_at(const struct rib *rib, uint32_t value);

const struct trie *rib_trie(const struct rib *rib, uint8_t family);

/**
 * rib_put() - enter @route
 * @route:  route->attrs is ignored
 * @set:    its attributes; copied
 *
 * An entry of the same key and equal attributes is updated in place whatever
 * @place says, so that entering what is there already changes nothing. A full
 * row (65535 entries) takes no more and stays as it is.
 *
 * Return: whether anything that matters to a plan changed, the row is then in
 * @rib->dirty: any change but that of an expiry or of ROUTE_STALE.
 */
bool rib_put(struct rib *rib, const struct ip_prefix *prefix,
	     const struct route *route, const struct attrset *set,
	     enum rib_place place);

/**
 * rib_put_interned() - the same for attributes that have an id already
 */
bool rib_put_interned(struct rib *rib, const struct ip_prefix *prefix,
		      const struct route *route, enum rib_place place);

/** rib_remove_at() - remove entry @i, which is there; marks the row dirty */
void rib_remove_at(struct rib *rib, const struct ip_prefix *prefix, size_t i);

/**
 * rib_replace() - entry @i, which is there, becomes @route: of the same key
 * @route: with attributes that no other entry of this key has
 *
 * Marks the row dirty.
 */
void rib_replace(struct rib *rib, const struct ip_prefix *prefix, size_t i,
		 const struct route *route);

/**
 * rib_set() - entry @i, which is there, becomes @route: of the same key
 *
 * For what does not matter to a plan, or where the caller touches the row.
 */
void rib_set(struct rib *rib, const struct ip_prefix *prefix, size_t i,
	     const struct route *route);

/**
 * rib_edit() - the same wholesale: for every entry of a family
 * @fn: may change what is no part of the key, or the attributes; returns
 *	whether it did
 *
 * It is called for each kind of row, not for each prefix.
 */
void rib_edit(struct rib *rib, uint8_t family,
	      bool (*fn)(struct route *route, void *data), void *data);

/**
 * rib_write() - as the kernel enters a put of ours: instead of the first entry
 * of its key that has no source prefix, else before those of its key
 *
 * Our own doing: this and rib_erase() leave @rib->dirty as it is.
 */
void rib_write(struct rib *rib, const struct ip_prefix *prefix,
	       const struct route *route);

/** rib_erase() - the entry that equals @route, but for its bookkeeping */
void rib_erase(struct rib *rib, const struct ip_prefix *prefix,
	       const struct route *route);

/** rib_touch() - put the row of @prefix, made if missing, into @rib->dirty */
void rib_touch(struct rib *rib, const struct ip_prefix *prefix);

/** rib_touch_all() - the same for all rows of @family */
void rib_touch_all(struct rib *rib, uint8_t family);

/* Whether rows like that are meant. */
typedef bool rib_kind_fn(const struct rib *rib, const struct row *row,
			 const void *data);

/**
 * rib_touch_kinds() - the same for those that @fits says yes to
 *
 * It is asked once for all equal rows, those of the other family among them,
 * to which it is to say no. What only one prefix has is found without a look at
 * all of them.
 */
void rib_touch_kinds(struct rib *rib, uint8_t family, rib_kind_fn *fits,
		     const void *data);

/** rib_is_dirty() - whether it stands in @rib->dirty */
bool rib_is_dirty(const struct rib *rib, const struct ip_prefix *prefix);

/**
 * rib_take() - what is dirty is due now: the caller is to plan it
 * @ret: appended; each row of it is either planned, after a call of
 *	 rib_is_due(), or given back
 *
 * What changes from now on is dirty anew. Nothing may be taken before all that
 * was taken is done with.
 */
void rib_take(struct rib *rib, struct prefix_vec *ret);

/**
 * rib_is_due() - whether a row that was taken is to be planned: it is not if
 * that was done already, or if it has become dirty again since
 */
bool rib_is_due(struct rib *rib, const struct ip_prefix *prefix);

/** rib_forget_empty() - a row without entries, unless it is dirty or due */
void rib_forget_empty(struct rib *rib, const struct ip_prefix *prefix);

/** rib_give_back() - rows from @from on are dirty again; empties @rows */
void rib_give_back(struct rib *rib, struct prefix_vec *rows, size_t from);

/** rib_clean() - empty @rib->dirty; rows without entries are forgotten */
void rib_clean(struct rib *rib);

/** rib_count() - number of prefixes of @family */
size_t rib_count(const struct rib *rib, uint8_t family);

/** rib_table() - what @table holds; NULL: nothing */
const struct rib_table *rib_table(const struct rib *rib, uint32_t table);

#endif
