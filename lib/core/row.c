/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/row.h"

#define FIRST_ENTRIES 16 /* a power of two, as the buckets are */

struct row_entry {
	struct row row;
	struct route *routes; /* the row's, to be freed */
	uint32_t refs;	      /* 0: unused */
	uint32_t hash;
	uint32_t next;	/* in the bucket, or in the list of unused entries */
	uint32_t place; /* noted last; ROW_NONE: none was */
};

static uint32_t mix(uint32_t hash, uint32_t word)
{
	hash = (hash ^ word) * 0x9e3779b1u;
	return hash ^ hash >> 15;
}

static uint32_t hash_routes(const struct route *routes, size_t n)
{
	uint32_t hash = (uint32_t)n;

	for (size_t i = 0; i < n; i++) {
		const struct route *it = &routes[i];

		hash = mix(hash, it->table);
		hash = mix(hash, it->metric);
		hash = mix(hash, it->attrs);
		hash = mix(hash, it->expires_s);
		hash = mix(hash, (uint32_t)it->tos |
					 (uint32_t)it->protocol << 8 |
					 (uint32_t)it->flags << 16);
	}
	return hash;
}

static bool routes_equal(const struct row *row, const struct route *routes,
			 size_t n)
{
	if (row->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!route_equal(&row->routes[i], &routes[i]))
			return false;
	return true;
}

static uint32_t *bucket_of(const struct row_store *store, uint32_t hash)
{
	return &store->buckets[hash & (store->n_buckets - 1)];
}

static uint32_t find_equal(const struct row_store *store,
			   const struct route *routes, size_t n, uint32_t hash)
{
	uint32_t id = store->n_buckets ? *bucket_of(store, hash) : ROW_NONE;

	while (id != ROW_NONE) {
		const struct row_entry *entry = &store->entries[id];

		if (entry->hash == hash && routes_equal(&entry->row, routes, n))
			break;
		id = entry->next;
	}
	return id;
}

static void enter_bucket(struct row_store *store, uint32_t id)
{
	uint32_t *bucket = bucket_of(store, store->entries[id].hash);

	store->entries[id].next = *bucket;
	*bucket = id;
}

static void leave_bucket(struct row_store *store, uint32_t id)
{
	uint32_t *link = bucket_of(store, store->entries[id].hash);

	while (*link != id)
		link = &store->entries[*link].next;
	*link = store->entries[id].next;
}

/* More entries and as many buckets; only done when no entry is unused. */
static void grow(struct row_store *store)
{
	store->cap = store->cap ? 2 * store->cap : FIRST_ENTRIES;
	store->entries =
		xgrow(store->entries, store->cap, sizeof(*store->entries));
	store->n_buckets = store->cap;
	store->buckets = xgrow(store->buckets, store->n_buckets,
			       sizeof(*store->buckets));
	for (uint32_t i = 0; i < store->n_buckets; i++)
		store->buckets[i] = ROW_NONE;
	for (uint32_t i = 0; i < store->n; i++)
		enter_bucket(store, i);
}

static uint32_t entry_new(struct row_store *store)
{
	uint32_t id = store->free;

	if (id != ROW_NONE) {
		store->free = store->entries[id].next;
		return id;
	}
	if (store->n == store->cap)
		grow(store);
	return store->n++;
}

void row_store_init(struct row_store *store)
{
	*store = (struct row_store){.free = ROW_NONE};
}

void row_store_done(struct row_store *store)
{
	for (uint32_t i = 0; i < store->n; i++)
		if (store->entries[i].refs)
			free(store->entries[i].routes);
	free(store->entries);
	free(store->buckets);
	row_store_init(store);
}

uint32_t row_intern(struct row_store *store, struct attrset_store *attrs,
		    const struct route *routes, size_t n)
{
	uint32_t hash = hash_routes(routes, n);
	uint32_t id = find_equal(store, routes, n, hash);
	struct row_entry *entry;

	if (id != ROW_NONE) {
		store->entries[id].refs++;
		return id;
	}
	id = entry_new(store);
	entry = &store->entries[id];
	*entry = (struct row_entry){.refs = 1, .hash = hash, .place = ROW_NONE};
	if (n) {
		entry->routes = xgrow(NULL, n, sizeof(*routes));
		memcpy(entry->routes, routes, n * sizeof(*routes));
	}
	entry->row = (struct row){entry->routes, (uint16_t)n};
	for (size_t i = 0; i < n; i++)
		attrset_ref(attrs, routes[i].attrs);
	enter_bucket(store, id);
	store->used++;
	return id;
}

void row_ref(struct row_store *store, uint32_t id)
{
	store->entries[id].refs++;
}

void row_unref(struct row_store *store, struct attrset_store *attrs,
	       uint32_t id)
{
	struct row_entry *entry = &store->entries[id];

	if (--entry->refs > 0)
		return;
	leave_bucket(store, id);
	for (size_t i = 0; i < entry->row.n; i++)
		attrset_unref(attrs, entry->routes[i].attrs);
	free(entry->routes);
	entry->routes = NULL;
	entry->row = (struct row){0};
	entry->next = store->free;
	store->free = id;
	store->used--;
}

const struct row *row_get(const struct row_store *store, uint32_t id)
{
	return &store->entries[id].row;
}

void row_note_place(struct row_store *store, uint32_t id, uint32_t place)
{
	store->entries[id].place = place;
}

uint32_t row_place(const struct row_store *store, uint32_t id)
{
	const struct row_entry *entry = &store->entries[id];

	return entry->refs == 1 ? entry->place : ROW_NONE;
}

bool row_is_live(const struct row_store *store, uint32_t id)
{
	return store->entries[id].refs > 0;
}
