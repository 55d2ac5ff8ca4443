/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/rib_place.h"

#include <assert.h>
#include <sys/socket.h>

/* The entries of one key within a row. */
struct span {
	size_t begin;
	size_t end;
};

/* --- a row to be changed --- */

/* Fills rib->draft with the row of @place. */
static struct route_vec *begin_draft(struct rib *rib,
				     const struct trie_entry *place)
{
	const struct row *row = row_get(&rib->rows, place->value);

	vec_clear(&rib->draft);
	for (size_t i = 0; i < row->n; i++)
		vec_push(&rib->draft, row->routes[i]);
	return &rib->draft;
}

static void end_draft(struct rib *rib, struct trie_entry *place,
		      const struct ip_prefix *prefix)
{
	uint32_t old = place->value;

	place->value = row_intern(&rib->rows, &rib->attrs, rib->draft.items,
				  rib->draft.n);
	row_note_place(&rib->rows, place->value,
		       trie_place(rib_trie_of(rib, prefix), place));
	row_unref(&rib->rows, &rib->attrs, old);
}

static void set_at(struct rib *rib, struct trie_entry *place,
		   const struct ip_prefix *prefix, size_t i,
		   const struct route *route)
{
	begin_draft(rib, place)->items[i] = *route;
	end_draft(rib, place, prefix);
}

static bool insert_at(struct rib *rib, struct trie_entry *place,
		      const struct ip_prefix *prefix, size_t i,
		      const struct route *route)
{
	struct route_vec *draft = begin_draft(rib, place);

	if (draft->n == ROW_MAX)
		return false;
	vec_insert(draft, i, *route);
	end_draft(rib, place, prefix);
	return true;
}

/* How many entries have a key that compares to @key with less than @order. */
static size_t count_below(const struct row *row, const struct route *key,
			  int order)
{
	size_t begin = 0;
	size_t end = row->n;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;

		if (route_key_cmp(&row->routes[middle], key) < order)
			begin = middle + 1;
		else
			end = middle;
	}
	return begin;
}

static struct span span_of(const struct row *row, const struct route *key)
{
	return (struct span){
		.begin = count_below(row, key, 0),
		.end = count_below(row, key, 1),
	};
}

/* Index of the entry of @span with these attributes, or its end. */
static size_t find_equal(const struct row *row, struct span span,
			 uint32_t attrs)
{
	size_t i = span.begin;

	while (i < span.end && row->routes[i].attrs != attrs)
		i++;
	return i;
}

/* --- entries of each table --- */

/* Where @table is in @tables, or would be. */
static size_t table_at(const struct rib_table_vec *tables, uint32_t table)
{
	size_t begin = 0;
	size_t end = tables->n;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;

		if (tables->items[middle].table < table)
			begin = middle + 1;
		else
			end = middle;
	}
	return begin;
}

static void count_in(struct rib *rib, const struct ip_prefix *prefix,
		     uint32_t table)
{
	const struct rib_table none = {.table = table};
	size_t at = table_at(&rib->tables, table);
	struct rib_table *it;

	if (at == rib->tables.n || rib->tables.items[at].table != table)
		vec_insert(&rib->tables, at, none);
	it = &rib->tables.items[at];
	if (prefix->addr.family == AF_INET)
		it->n4++;
	else
		it->n6++;
}

static void count_out(struct rib *rib, const struct ip_prefix *prefix,
		      uint32_t table)
{
	size_t at = table_at(&rib->tables, table);
	struct rib_table *it = &rib->tables.items[at];

	if (prefix->addr.family == AF_INET)
		it->n4--;
	else
		it->n6--;
	if (it->n4 == 0 && it->n6 == 0)
		vec_remove(&rib->tables, at);
}

const struct rib_table *rib_table(const struct rib *rib, uint32_t table)
{
	size_t at = table_at(&rib->tables, table);

	if (at == rib->tables.n || rib->tables.items[at].table != table)
		return NULL;
	return &rib->tables.items[at];
}

/* --- the whole --- */

void rib_init(struct rib *rib)
{
	*rib = (struct rib){0};
	trie_init(&rib->v4, AF_INET);
	trie_init(&rib->v6, AF_INET6);
	attrset_store_init(&rib->attrs);
	row_store_init(&rib->rows);
	rib->new_mark = 1;
	rib->dirty_marks = rib->new_mark;
}

void rib_done(struct rib *rib)
{
	row_store_done(&rib->rows);
	vec_done(&rib->draft);
	vec_done(&rib->dirty);
	vec_done(&rib->tables);
	trie_done(&rib->v4);
	trie_done(&rib->v6);
	attrset_store_done(&rib->attrs);
}

const struct row *rib_row_at(const struct rib *rib, uint32_t value)
{
	return row_get(&rib->rows, value);
}

const struct row *rib_row(const struct rib *rib, const struct ip_prefix *prefix)
{
	const struct trie_entry *place = rib_find_place(rib, prefix);

	return place ? rib_row_at(rib, place->value) : NULL;
}

const struct trie *rib_trie(const struct rib *rib, uint8_t family)
{
	return family == AF_INET ? &rib->v4 : &rib->v6;
}

bool rib_put(struct rib *rib, const struct ip_prefix *prefix,
	     const struct route *route, const struct attrset *set,
	     enum rib_place place)
{
	struct route entry = *route;
	bool changed;

	entry.attrs = attrset_intern(&rib->attrs, set);
	changed = rib_put_interned(rib, prefix, &entry, place);
	attrset_unref(&rib->attrs, entry.attrs);
	return changed;
}

bool rib_put_interned(struct rib *rib, const struct ip_prefix *prefix,
		      const struct route *route, enum rib_place place)
{
	struct trie_entry *at = rib_make_place(rib, prefix);
	const struct row *row = row_get(&rib->rows, at->value);
	struct span span = span_of(row, route);
	size_t equal = find_equal(row, span, route->attrs);
	bool changed = true;

	if (equal < span.end) {
		const struct route *old = &row->routes[equal];

		changed = old->protocol != route->protocol ||
			  ((old->flags ^ route->flags) & ROUTE_LEAVING);
		if (!route_equal(old, route))
			set_at(rib, at, prefix, equal, route);
	} else {
		changed = insert_at(
			rib, at, prefix,
			place == RIB_PREPEND ? span.begin : span.end, route);
		if (changed)
			count_in(rib, prefix, route->table);
	}
	if (changed)
		rib_mark_dirty(rib, at, prefix);
	return changed;
}

static void remove_at(struct rib *rib, struct trie_entry *place,
		      const struct ip_prefix *prefix, size_t i)
{
	struct route_vec *draft = begin_draft(rib, place);

	count_out(rib, prefix, draft->items[i].table);
	vec_remove(draft, i);
	end_draft(rib, place, prefix);
}

void rib_remove_at(struct rib *rib, const struct ip_prefix *prefix, size_t i)
{
	struct trie_entry *place = rib_find_place(rib, prefix);

	remove_at(rib, place, prefix, i);
	rib_mark_dirty(rib, place, prefix);
}

void rib_replace(struct rib *rib, const struct ip_prefix *prefix, size_t i,
		 const struct route *route)
{
	struct trie_entry *place = rib_find_place(rib, prefix);

	set_at(rib, place, prefix, i, route);
	rib_mark_dirty(rib, place, prefix);
}

void rib_set(struct rib *rib, const struct ip_prefix *prefix, size_t i,
	     const struct route *route)
{
	set_at(rib, rib_find_place(rib, prefix), prefix, i, route);
}

/* --- wholesale --- */

/* A kind of row that was there before an edit. */
struct kind {
	bool held;   /* with a ref, so that its number is not given out anew */
	uint32_t to; /* what it has become, with a ref; ROW_NONE: not asked */
};

VEC(kind_vec, struct kind);

/* Most rows are as they were: these are not put together anew. */
static uint32_t edit_row(struct rib *rib, uint32_t id,
			 bool (*fn)(struct route *route, void *data),
			 void *data)
{
	const struct row *row = row_get(&rib->rows, id);
	struct route route;
	size_t i = 0;

	for (; i < row->n; i++) {
		route = row->routes[i];
		if (fn(&route, data))
			break;
	}
	if (i == row->n) {
		row_ref(&rib->rows, id);
		return id;
	}
	vec_clear(&rib->draft);
	for (size_t k = 0; k < row->n; k++)
		vec_push(&rib->draft, row->routes[k]);
	rib->draft.items[i] = route;
	while (++i < row->n)
		(void)fn(&rib->draft.items[i], data);
	return row_intern(&rib->rows, &rib->attrs, rib->draft.items,
			  rib->draft.n);
}

static void hold_kinds(struct rib *rib, struct kind_vec *ret)
{
	for (uint32_t id = 0; id < rib->rows.n; id++) {
		struct kind kind = {row_is_live(&rib->rows, id), ROW_NONE};

		if (kind.held)
			row_ref(&rib->rows, id);
		vec_push(ret, kind);
	}
}

static void release_kinds(struct rib *rib, struct kind_vec *kinds)
{
	for (uint32_t id = 0; id < kinds->n; id++) {
		if (kinds->items[id].to != ROW_NONE)
			row_unref(&rib->rows, &rib->attrs, kinds->items[id].to);
		if (kinds->items[id].held)
			row_unref(&rib->rows, &rib->attrs, id);
	}
	vec_done(kinds);
}

void rib_edit(struct rib *rib, uint8_t family,
	      bool (*fn)(struct route *route, void *data), void *data)
{
	struct kind_vec kinds = {0};
	struct trie_entry *place;
	struct ip_prefix prefix;
	uint32_t at = 0;

	hold_kinds(rib, &kinds);
	while ((place = trie_scan(rib_trie(rib, family), &at, &prefix))) {
		uint32_t old = place->value;
		struct kind *kind;

		assert(kinds.items && old < kinds.n); /* each has a kind */
		kind = &kinds.items[old];
		if (kind->to == ROW_NONE)
			kind->to = edit_row(rib, old, fn, data);
		if (kind->to == old)
			continue;
		place->value = kind->to;
		row_ref(&rib->rows, kind->to);
		row_unref(&rib->rows, &rib->attrs, old);
	}
	release_kinds(rib, &kinds);
}

/* --- our own doing --- */

static bool has_source(const struct rib *rib, const struct route *route)
{
	return attrset_get(&rib->attrs, route->attrs)->src.addr.family;
}

/* Takes the entry that a put of the key replaces out of rib->draft. */
static void drop_replaced(struct rib *rib, const struct ip_prefix *prefix,
			  struct span *span)
{
	struct route_vec *draft = &rib->draft;
	size_t at = span->begin;

	while (at < span->end && has_source(rib, &draft->items[at]))
		at++;
	if (at == span->end)
		return;
	count_out(rib, prefix, draft->items[at].table);
	vec_remove(draft, at);
	span->end--;
}

void rib_write(struct rib *rib, const struct ip_prefix *prefix,
	       const struct route *route)
{
	struct trie_entry *place = rib_make_place(rib, prefix);
	struct span span = span_of(row_get(&rib->rows, place->value), route);
	struct route_vec *draft = begin_draft(rib, place);
	struct row left;
	size_t equal;

	drop_replaced(rib, prefix, &span);
	left = (struct row){draft->items, (uint16_t)draft->n};
	equal = find_equal(&left, span, route->attrs);
	if (equal < span.end) {
		draft->items[equal] = *route;
	} else if (draft->n < ROW_MAX) {
		vec_insert(draft, span.begin, *route);
		count_in(rib, prefix, route->table);
	}
	end_draft(rib, place, prefix);
}

void rib_erase(struct rib *rib, const struct ip_prefix *prefix,
	       const struct route *route)
{
	struct trie_entry *place = rib_find_place(rib, prefix);
	const struct row *row;
	struct span span;
	size_t at;

	if (!place)
		return;
	row = row_get(&rib->rows, place->value);
	span = span_of(row, route);
	at = find_equal(row, span, route->attrs);
	if (at == span.end || row->routes[at].protocol != route->protocol)
		return;
	remove_at(rib, place, prefix, at);
	rib_forget_empty(rib, prefix);
}

size_t rib_count(const struct rib *rib, uint8_t family)
{
	return rib_trie(rib, family)->n;
}
