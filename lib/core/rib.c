/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/rib.h"

#include <sys/socket.h>

/* A longer list of dirty rows is not kept: at start every row is in it once. */
#define DIRTY_KEEP 4096

/* The entries of one key within a row. */
struct span {
	size_t begin;
	size_t end;
};

static struct trie *trie_of(struct rib *rib, const struct ip_prefix *prefix)
{
	return prefix->addr.family == AF_INET ? &rib->v4 : &rib->v6;
}

static struct row *find_row(const struct rib *rib,
			    const struct ip_prefix *prefix)
{
	uint32_t at = trie_find(rib_trie(rib, prefix->addr.family), prefix);

	return at == TRIE_NONE ? NULL : &rib->rows.items[at];
}

static uint32_t row_new(struct rib *rib)
{
	static const struct row empty;

	if (rib->free_rows.n)
		return rib->free_rows.items[--rib->free_rows.n];
	vec_push(&rib->rows, empty);
	return (uint32_t)(rib->rows.n - 1);
}

static struct row *make_row(struct rib *rib, const struct ip_prefix *prefix)
{
	uint32_t *at = trie_insert(trie_of(rib, prefix), prefix);

	if (*at == TRIE_NONE)
		*at = row_new(rib);
	return &rib->rows.items[*at];
}

static void mark_dirty(struct rib *rib, struct row *row,
		       const struct ip_prefix *prefix)
{
	if (row->dirty)
		return;
	row->dirty = true;
	vec_push(&rib->dirty, *prefix);
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

/* The entry of @span with these attributes, or NULL. */
static struct route *find_equal(const struct row *row, struct span span,
				uint32_t attrs)
{
	size_t i;

	for (i = span.begin; i < span.end; i++) {
		if (row->routes[i].attrs == attrs)
			return &row->routes[i];
	}
	return NULL;
}

static bool insert_at(struct row *row, size_t at, const struct route *route)
{
	if (row->n == UINT16_MAX)
		return false;
	if (row->n == row->cap) {
		unsigned int cap = row->cap ? 2u * row->cap : 1;

		row->cap = cap < UINT16_MAX ? (uint16_t)cap : UINT16_MAX;
		row->routes =
			xgrow(row->routes, row->cap, sizeof(*row->routes));
	}
	memmove(row->routes + at + 1, row->routes + at,
		(row->n - at) * sizeof(*row->routes));
	row->routes[at] = *route;
	row->n++;
	return true;
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
}

void rib_done(struct rib *rib)
{
	struct row *row;

	vec_foreach(&rib->rows, row)
		free(row->routes);
	vec_done(&rib->rows);
	vec_done(&rib->free_rows);
	vec_done(&rib->dirty);
	vec_done(&rib->tables);
	trie_done(&rib->v4);
	trie_done(&rib->v6);
	attrset_store_done(&rib->attrs);
}

const struct row *rib_row(const struct rib *rib, const struct ip_prefix *prefix)
{
	return find_row(rib, prefix);
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
	struct row *row = make_row(rib, prefix);
	struct span span = span_of(row, route);
	struct route *old = find_equal(row, span, route->attrs);
	bool changed = true;

	if (old) {
		changed = old->protocol != route->protocol ||
			  ((old->flags ^ route->flags) & ROUTE_LEAVING);
		*old = *route;
	} else if (place == RIB_REPLACE && span.begin < span.end) {
		old = &row->routes[span.begin];
		attrset_ref(&rib->attrs, route->attrs);
		attrset_unref(&rib->attrs, old->attrs);
		*old = *route;
	} else {
		size_t at = place == RIB_PREPEND ? span.begin : span.end;

		changed = insert_at(row, at, route);
		if (changed) {
			attrset_ref(&rib->attrs, route->attrs);
			count_in(rib, prefix, route->table);
		}
	}
	if (changed)
		mark_dirty(rib, row, prefix);
	return changed;
}

void rib_remove_at(struct rib *rib, const struct ip_prefix *prefix, size_t i)
{
	struct row *row = find_row(rib, prefix);

	attrset_unref(&rib->attrs, row->routes[i].attrs);
	count_out(rib, prefix, row->routes[i].table);
	row->n--;
	memmove(row->routes + i, row->routes + i + 1,
		(row->n - i) * sizeof(*row->routes));
	mark_dirty(rib, row, prefix);
}

struct route *rib_route(struct rib *rib, const struct ip_prefix *prefix,
			size_t i)
{
	return &find_row(rib, prefix)->routes[i];
}

void rib_touch(struct rib *rib, const struct ip_prefix *prefix)
{
	mark_dirty(rib, make_row(rib, prefix), prefix);
}

static void forget_row(struct rib *rib, const struct ip_prefix *prefix)
{
	struct trie *trie = trie_of(rib, prefix);
	uint32_t at = trie_find(trie, prefix);

	free(rib->rows.items[at].routes);
	rib->rows.items[at] = (struct row){0};
	trie_remove(trie, prefix);
	vec_push(&rib->free_rows, at);
}

void rib_clean(struct rib *rib)
{
	const struct ip_prefix *prefix;

	vec_foreach(&rib->dirty, prefix) {
		struct row *row = find_row(rib, prefix);

		row->dirty = false;
		if (row->n == 0)
			forget_row(rib, prefix);
	}
	if (rib->dirty.cap > DIRTY_KEEP)
		vec_done(&rib->dirty);
	vec_clear(&rib->dirty);
}

size_t rib_count(const struct rib *rib, uint8_t family)
{
	return rib_trie(rib, family)->n;
}
