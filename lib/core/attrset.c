/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/attrset.h"

#define ENTRY_NONE    UINT32_MAX
#define FIRST_ENTRIES 16 /* a power of two, as the buckets are */

struct attrset_entry {
	struct attrset set;
	uint32_t refs; /* 0: unused */
	uint32_t hash;
	uint32_t next; /* in the bucket, or in the list of unused entries */
};

static void append_bytes(struct attrset *set, const void *bytes, size_t len)
{
	const uint8_t *byte = bytes;
	size_t i;

	for (i = 0; i < len; i++)
		vec_push(&set->extra, byte[i]);
}

void attrset_init(struct attrset *set, uint8_t family, uint8_t type)
{
	*set = (struct attrset){.family = family, .type = type};
}

void attrset_done(struct attrset *set)
{
	vec_done(&set->hops);
	vec_done(&set->extra);
}

void attrset_add_route_extra(struct attrset *set, const void *bytes, size_t len)
{
	append_bytes(set, bytes, len);
	set->route_extra_len = (uint32_t)set->extra.n;
}

void attrset_add_hop(struct attrset *set, const struct next_hop *hop,
		     const void *bytes, size_t len)
{
	struct next_hop added = *hop;

	added.extra_at = (uint32_t)set->extra.n;
	added.extra_len = (uint32_t)len;
	append_bytes(set, bytes, len);
	vec_push(&set->hops, added);
}

/* Where a hop's bytes stand follows from all lengths and the total. */
static bool hop_equal(const struct next_hop *a, const struct next_hop *b)
{
	return a->ifindex == b->ifindex &&
	       ip_addr_equal(&a->gateway, &b->gateway) &&
	       a->flags == b->flags && a->weight == b->weight &&
	       a->extra_len == b->extra_len;
}

static bool hops_equal(const struct next_hop_vec *a,
		       const struct next_hop_vec *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		if (!hop_equal(&a->items[i], &b->items[i]))
			return false;
	}
	return true;
}

static bool bytes_equal(const struct byte_vec *a, const struct byte_vec *b)
{
	return a->n == b->n &&
	       (a->n == 0 || memcmp(a->items, b->items, a->n) == 0);
}

bool attrset_equal(const struct attrset *a, const struct attrset *b)
{
	return a->family == b->family && a->type == b->type &&
	       a->scope == b->scope && a->pref == b->pref &&
	       a->nh_id == b->nh_id && ip_prefix_equal(&a->src, &b->src) &&
	       ip_addr_equal(&a->prefsrc, &b->prefsrc) &&
	       hops_equal(&a->hops, &b->hops) &&
	       bytes_equal(&a->extra, &b->extra);
}

bool attrset_same_hops(const struct attrset *a, const struct attrset *b)
{
	if (a->hops.n != b->hops.n || a->type != b->type)
		return false;
	for (size_t i = 0; i < a->hops.n; i++) {
		const struct next_hop *x = &a->hops.items[i];
		const struct next_hop *y = &b->hops.items[i];

		if (x->ifindex != y->ifindex ||
		    !ip_addr_equal(&x->gateway, &y->gateway))
			return false;
	}
	return true;
}

bool attrset_is_reject(const struct attrset *set)
{
	return set->type >= ATTRSET_BLACKHOLE && set->type <= ATTRSET_THROW;
}

bool attrset_is_given_up(const struct attrset *set)
{
	const struct next_hop *hop;

	if (!set->refused)
		return false;
	vec_foreach(&set->hops, hop)
		if (ip_addr_is_set(&hop->gateway) &&
		    !(hop->flags & NEXT_HOP_ONLINK))
			return false;
	return true;
}

/* Copies @set less its hops; what it owns is copied as far as the route's. */
static void copy_route_part(const struct attrset *set, struct attrset *ret)
{
	*ret = *set;
	ret->hops = (struct next_hop_vec){0};
	ret->extra = (struct byte_vec){0};
	ret->route_extra_len = 0;
	ret->refused = false;
	attrset_add_route_extra(ret, set->extra.items, set->route_extra_len);
}

static const uint8_t *hop_bytes(const struct attrset *set,
				const struct next_hop *hop)
{
	return hop->extra_len ? set->extra.items + hop->extra_at : NULL;
}

/* The hop of @set that is @hop, which has these bytes, but for its weight. */
static struct next_hop *find_hop(const struct attrset *set,
				 const struct next_hop *hop,
				 const uint8_t *bytes)
{
	struct next_hop *it;

	vec_foreach(&set->hops, it) {
		struct next_hop like = *hop;

		like.weight = it->weight;
		if (hop_equal(it, &like) &&
		    (it->extra_len == 0 ||
		     memcmp(hop_bytes(set, it), bytes, it->extra_len) == 0))
			return it;
	}
	return NULL;
}

/* A group may hold a hop twice, which IPv6 does not take from a route. */
static void copy_hop(const struct attrset *set, size_t i, struct attrset *ret)
{
	const struct next_hop *hop = &set->hops.items[i];
	const uint8_t *bytes = hop_bytes(set, hop);
	struct next_hop *twin = set->nh_id ? find_hop(ret, hop, bytes) : NULL;
	unsigned int weight;

	if (!twin) {
		attrset_add_hop(ret, hop, bytes, hop->extra_len);
		return;
	}
	weight = twin->weight + hop->weight + 1u;
	twin->weight = weight < UINT8_MAX ? (uint8_t)weight : UINT8_MAX;
}

void attrset_copy_for_table(const struct attrset *set, const bool *keep,
			    struct attrset *ret)
{
	size_t i;

	copy_route_part(set, ret);
	for (i = 0; i < set->hops.n; i++) {
		if (keep[i])
			copy_hop(set, i, ret);
	}

	ret->src = (struct ip_prefix){0};
	ret->prefsrc = (struct ip_addr){0};
	ret->nh_id = 0;
	/* The kernel forgets the weight too. */
	if (ret->hops.n == 1)
		ret->hops.items[0].weight = 0;
}

/* --- the store --- */

static uint32_t mix(uint32_t hash, uint32_t word)
{
	hash = (hash ^ word) * 0x9e3779b1u;
	return hash ^ hash >> 15;
}

static uint32_t hash_bytes(uint32_t hash, const uint8_t *bytes, size_t len)
{
	uint32_t word;
	size_t i;

	for (i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		hash = mix(hash, word);
	}
	for (; i < len; i++)
		hash = mix(hash, bytes[i]);
	return hash;
}

static uint32_t hash_addr(uint32_t hash, const struct ip_addr *addr)
{
	if (!ip_addr_is_set(addr))
		return mix(hash, 0);
	return hash_bytes(mix(hash, addr->family), addr->bytes,
			  sizeof(addr->bytes));
}

static uint32_t hash_set(const struct attrset *set)
{
	const struct next_hop *hop;
	uint32_t hash = mix(set->nh_id, set->src.len);

	hash = mix(hash, (uint32_t)set->family | (uint32_t)set->type << 8 |
				 (uint32_t)set->scope << 16 |
				 (uint32_t)set->pref << 24);
	hash = hash_addr(hash, &set->src.addr);
	hash = hash_addr(hash, &set->prefsrc);
	vec_foreach(&set->hops, hop) {
		hash = mix(hash, hop->ifindex);
		hash = hash_addr(hash, &hop->gateway);
		hash = mix(hash, hop->weight);
	}
	return hash_bytes(hash, set->extra.items, set->extra.n);
}

static uint32_t *bucket_of(const struct attrset_store *store, uint32_t hash)
{
	return &store->buckets[hash & (store->n_buckets - 1)];
}

static uint32_t find_equal(const struct attrset_store *store,
			   const struct attrset *set, uint32_t hash)
{
	uint32_t id = store->n_buckets ? *bucket_of(store, hash) : ENTRY_NONE;

	while (id != ENTRY_NONE) {
		const struct attrset_entry *entry = &store->entries[id];

		if (entry->hash == hash && attrset_equal(&entry->set, set))
			break;
		id = entry->next;
	}
	return id;
}

static void enter_bucket(struct attrset_store *store, uint32_t id)
{
	uint32_t *bucket = bucket_of(store, store->entries[id].hash);

	store->entries[id].next = *bucket;
	*bucket = id;
}

static void leave_bucket(struct attrset_store *store, uint32_t id)
{
	uint32_t *link = bucket_of(store, store->entries[id].hash);

	while (*link != id)
		link = &store->entries[*link].next;
	*link = store->entries[id].next;
}

/* More entries and as many buckets; only done when no entry is unused. */
static void grow(struct attrset_store *store)
{
	uint32_t i;

	store->cap = store->cap ? 2 * store->cap : FIRST_ENTRIES;
	store->entries =
		xgrow(store->entries, store->cap, sizeof(*store->entries));
	store->n_buckets = store->cap;
	store->buckets = xgrow(store->buckets, store->n_buckets,
			       sizeof(*store->buckets));
	for (i = 0; i < store->n_buckets; i++)
		store->buckets[i] = ENTRY_NONE;
	for (i = 0; i < store->n; i++)
		enter_bucket(store, i);
}

static uint32_t entry_new(struct attrset_store *store)
{
	uint32_t id = store->free;

	if (id != ENTRY_NONE) {
		store->free = store->entries[id].next;
		return id;
	}
	if (store->n == store->cap)
		grow(store);
	return store->n++;
}

void attrset_store_init(struct attrset_store *store)
{
	*store = (struct attrset_store){.free = ENTRY_NONE};
}

void attrset_store_done(struct attrset_store *store)
{
	uint32_t i;

	for (i = 0; i < store->n; i++)
		attrset_done(&store->entries[i].set);
	free(store->entries);
	free(store->buckets);
	attrset_store_init(store);
}

uint32_t attrset_intern(struct attrset_store *store, const struct attrset *set)
{
	uint32_t hash = hash_set(set);
	uint32_t id = find_equal(store, set, hash);
	struct attrset_entry *entry;
	size_t i;

	if (id != ENTRY_NONE) {
		store->entries[id].refs++;
		return id;
	}

	id = entry_new(store);
	entry = &store->entries[id];
	entry->hash = hash;
	entry->refs = 1;
	copy_route_part(set, &entry->set);
	for (i = 0; i < set->hops.n; i++)
		copy_hop(set, i, &entry->set);
	enter_bucket(store, id);
	store->used++;
	store->changes++;
	return id;
}

void attrset_ref(struct attrset_store *store, uint32_t id)
{
	store->entries[id].refs++;
}

void attrset_unref(struct attrset_store *store, uint32_t id)
{
	struct attrset_entry *entry = &store->entries[id];

	if (--entry->refs > 0)
		return;
	leave_bucket(store, id);
	attrset_done(&entry->set);
	entry->next = store->free;
	store->free = id;
	store->used--;
	store->changes++;
}

const struct attrset *attrset_get(const struct attrset_store *store,
				  uint32_t id)
{
	return &store->entries[id].set;
}

bool attrset_is_live(const struct attrset_store *store, uint32_t id)
{
	return store->entries[id].refs > 0;
}

void attrset_refuse(struct attrset_store *store, uint32_t id, bool refused)
{
	store->entries[id].set.refused = refused;
}
