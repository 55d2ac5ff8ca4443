/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/trie.h"

#include <endian.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"

/* An address as a number: the first bit on the wire is the highest of @hi. */
struct key {
	uint64_t hi;
	uint64_t lo;
};

struct trie_node {
	struct key key;		 /* bits behind the length are zero */
	struct trie_entry entry; /* its length is more than the parent's */
	uint32_t child[2]; /* by the bit behind the length; TRIE_NONE: none */
};

/* The nodes on the way to @key, all of which cover it, the last one ends there.
 */
struct trie_finger {
	struct key key;
	size_t depth; /* 0: no way is known */
	uint32_t at[TRIE_DEPTH_MAX];
	uint8_t len[TRIE_DEPTH_MAX]; /* of each */
};

_Static_assert(sizeof(struct trie_node) == 32, "a million of these are 32 MB");

static uint64_t load64(const uint8_t *bytes)
{
	uint64_t number;

	memcpy(&number, bytes, sizeof(number));
	return be64toh(number);
}

static void store64(uint64_t number, uint8_t *bytes)
{
	number = htobe64(number);
	memcpy(bytes, &number, sizeof(number));
}

static struct key key_of(const struct ip_prefix *prefix)
{
	return (struct key){.hi = load64(prefix->addr.bytes),
			    .lo = load64(prefix->addr.bytes + 8)};
}

static uint64_t top_bits(uint64_t number, unsigned int n)
{
	return n ? number >> (64 - n) << (64 - n) : 0;
}

/* The first @len bits of @key. */
static struct key key_cut(struct key key, unsigned int len)
{
	return (struct key){
		.hi = top_bits(key.hi, len < 64 ? len : 64),
		.lo = top_bits(key.lo, len < 64 ? 0 : len - 64),
	};
}

static unsigned int key_bit(struct key key, unsigned int i)
{
	uint64_t moved = i < 64 ? key.hi >> (63 - i) : key.lo >> (127 - i);

	return (unsigned int)(moved & 1);
}

/* How many leading bits two keys share. */
static unsigned int key_shared(struct key a, struct key b)
{
	if (a.hi != b.hi)
		return (unsigned int)__builtin_clzll(a.hi ^ b.hi);
	if (a.lo != b.lo)
		return 64 + (unsigned int)__builtin_clzll(a.lo ^ b.lo);
	return 128;
}

/* Room for the two nodes that an insert may need, so that none moves then. */
static void reserve(struct trie *trie)
{
	if (trie->cap - trie->n_nodes >= 2)
		return;
	if (!trie->finger)
		trie->finger = xalloc(sizeof(*trie->finger));
	trie->cap = trie->cap ? 2 * trie->cap : 16;
	trie->nodes = xgrow(trie->nodes, trie->cap, sizeof(*trie->nodes));
}

static uint32_t node_new(struct trie *trie, struct key key, unsigned int len)
{
	uint32_t at = trie->free;

	if (at == TRIE_NONE)
		at = trie->n_nodes++;
	else
		trie->free = trie->nodes[at].child[0];

	trie->nodes[at] = (struct trie_node){
		.key = key,
		.entry = {.value = TRIE_NONE, .len = (uint8_t)len},
		.child = {TRIE_NONE, TRIE_NONE},
	};
	return at;
}

/* A node without value that holds the first @len bits of @below. */
static uint32_t node_above(struct trie *trie, uint32_t below, unsigned int len)
{
	struct key key = trie->nodes[below].key;
	uint32_t at = node_new(trie, key_cut(key, len), len);

	trie->nodes[at].child[key_bit(key, len)] = below;
	return at;
}

/* Takes the node at @link out if it neither has a value nor forks. */
static void splice(struct trie *trie, uint32_t *link)
{
	uint32_t at = *link;
	struct trie_node *node = &trie->nodes[at];

	if (node->entry.value != TRIE_NONE)
		return;
	if (node->child[0] != TRIE_NONE && node->child[1] != TRIE_NONE)
		return;

	*link = node->child[node->child[0] == TRIE_NONE];
	node->child[0] = trie->free;
	trie->free = at;
}

/*
 * The first node of at least @len bits on the way to @key. Bits between a node
 * and its child are not compared on the way: whoever calls compares once, here.
 */
static uint32_t descend(const struct trie *trie, struct key key,
			unsigned int len)
{
	uint32_t at = trie->root;

	while (at != TRIE_NONE && trie->nodes[at].entry.len < len)
		at = trie->nodes[at]
			     .child[key_bit(key, trie->nodes[at].entry.len)];
	if (at == TRIE_NONE || key_shared(trie->nodes[at].key, key) < len)
		return TRIE_NONE;
	return at;
}

/* How much of the finger's way leads to @key as well. */
static size_t finger_shared(const struct trie_finger *finger, struct key key,
			    unsigned int len)
{
	unsigned int shared = key_shared(finger->key, key);
	size_t depth = finger->depth;

	if (shared > len)
		shared = len;
	while (depth > 0 && finger->len[depth - 1] > shared)
		depth--;
	return depth;
}

static void finger_push(struct trie_finger *finger, const struct trie *trie,
			uint32_t at)
{
	finger->at[finger->depth] = at;
	finger->len[finger->depth++] = trie->nodes[at].entry.len;
}

/* The node of exactly @prefix, which may be a mere fork; or TRIE_NONE. */
static uint32_t find_node(const struct trie *trie,
			  const struct ip_prefix *prefix)
{
	const struct key key = key_of(prefix);
	struct trie_finger *finger = trie->finger;
	size_t known;
	uint32_t at;

	if (!finger)
		return TRIE_NONE;
	known = finger_shared(finger, key, prefix->len);
	finger->depth = known;
	at = trie->root;
	if (known) {
		at = finger->at[--finger->depth];
		if (finger->len[finger->depth] == prefix->len) {
			finger->depth++;
			return at;
		}
	}
	while (at != TRIE_NONE && trie->nodes[at].entry.len < prefix->len) {
		finger_push(finger, trie, at);
		at = trie->nodes[at]
			     .child[key_bit(key, trie->nodes[at].entry.len)];
	}
	/* Bits in between were not compared on the way: once, here. */
	if (at == TRIE_NONE || trie->nodes[at].entry.len != prefix->len ||
	    key_shared(trie->nodes[at].key, key) < prefix->len) {
		finger->depth = known;
		return TRIE_NONE;
	}
	finger_push(finger, trie, at);
	finger->key = key;
	return at;
}

void trie_init(struct trie *trie, uint8_t family)
{
	*trie = (struct trie){
		.family = family, .free = TRIE_NONE, .root = TRIE_NONE};
}

void trie_done(struct trie *trie)
{
	free(trie->nodes);
	free(trie->finger);
	trie_init(trie, trie->family);
}

/* Where the next node on the way to @key is named. */
static uint32_t *next_link(struct trie *trie, struct key key)
{
	const struct trie_finger *finger = trie->finger;
	struct trie_node *node;

	if (finger->depth == 0)
		return &trie->root;
	node = &trie->nodes[finger->at[finger->depth - 1]];
	return &node->child[key_bit(key, node->entry.len)];
}

static uint32_t make_node(struct trie *trie, const struct ip_prefix *prefix)
{
	struct key key = key_of(prefix);
	struct trie_finger *finger;
	uint32_t *link;

	reserve(trie);
	finger = trie->finger;
	finger->depth = finger_shared(finger, key, prefix->len);
	while (finger->depth == 0 ||
	       finger->len[finger->depth - 1] < prefix->len) {
		unsigned int shared;

		link = next_link(trie, key);
		if (*link == TRIE_NONE)
			*link = node_new(trie, key, prefix->len);
		shared = key_shared(trie->nodes[*link].key, key);
		if (shared > prefix->len)
			shared = prefix->len;
		if (shared < trie->nodes[*link].entry.len)
			*link = node_above(trie, *link, shared);
		finger_push(finger, trie, *link);
	}
	finger->key = key;
	return finger->at[finger->depth - 1];
}

struct trie_entry *trie_enter(struct trie *trie, const struct ip_prefix *prefix)
{
	uint32_t at = make_node(trie, prefix);
	struct trie_entry *entry = &trie->nodes[at].entry;

	if (entry->value == TRIE_NONE) {
		trie->n++;
		entry->mark = 0;
	}
	return entry;
}

uint32_t *trie_insert(struct trie *trie, const struct ip_prefix *prefix)
{
	return &trie_enter(trie, prefix)->value;
}

void trie_remove(struct trie *trie, const struct ip_prefix *prefix)
{
	struct key key = key_of(prefix);
	uint32_t *up = NULL;
	uint32_t *link = &trie->root;
	struct trie_node *node;

	if (trie_find(trie, prefix) == TRIE_NONE)
		return;

	node = &trie->nodes[*link];
	while (node->entry.len < prefix->len) {
		up = link;
		link = &node->child[key_bit(key, node->entry.len)];
		node = &trie->nodes[*link];
	}
	node->entry.value = TRIE_NONE;
	trie->n--;
	trie->finger->depth = 0;

	/* A fork that lost one of its two ways is not needed either. */
	splice(trie, link);
	if (up)
		splice(trie, up);
}

struct trie_entry *trie_entry(const struct trie *trie,
			      const struct ip_prefix *prefix)
{
	uint32_t at = find_node(trie, prefix);

	if (at == TRIE_NONE || trie->nodes[at].entry.value == TRIE_NONE)
		return NULL;
	return &trie->nodes[at].entry;
}

uint32_t trie_find(const struct trie *trie, const struct ip_prefix *prefix)
{
	const struct trie_entry *entry = trie_entry(trie, prefix);

	return entry ? entry->value : TRIE_NONE;
}

size_t trie_cover_len(const struct trie *trie, const struct ip_prefix *prefix,
		      uint32_t *ret, uint8_t *ret_len)
{
	struct key key = key_of(prefix);
	uint32_t at = trie->root;
	size_t n = 0;

	while (at != TRIE_NONE) {
		const struct trie_node *node = &trie->nodes[at];

		if (node->entry.len > prefix->len ||
		    key_shared(node->key, key) < node->entry.len)
			break;
		if (node->entry.value != TRIE_NONE) {
			ret_len[n] = node->entry.len;
			ret[n++] = node->entry.value;
		}
		if (node->entry.len == prefix->len)
			break;
		at = node->child[key_bit(key, node->entry.len)];
	}
	return n;
}

size_t trie_cover(const struct trie *trie, const struct ip_prefix *prefix,
		  uint32_t *ret)
{
	uint8_t len[TRIE_DEPTH_MAX];

	return trie_cover_len(trie, prefix, ret, len);
}

void trie_walk_start(struct trie_walk *walk, const struct trie *trie,
		     const struct ip_prefix *within)
{
	uint32_t top = descend(trie, key_of(within), within->len);

	walk->trie = trie;
	walk->depth = 0;
	if (top != TRIE_NONE)
		walk->stack[walk->depth++] = top;
}

/* The order of a walk: a prefix before those it covers. */
static bool comes_behind(const struct trie_node *node, struct key key,
			 unsigned int len)
{
	if (node->key.hi != key.hi)
		return node->key.hi > key.hi;
	if (node->key.lo != key.lo)
		return node->key.lo > key.lo;
	return node->entry.len > len;
}

void trie_walk_after(struct trie_walk *walk, const struct trie *trie,
		     const struct ip_prefix *after)
{
	struct key key = key_of(after);
	uint32_t at = trie->root;

	walk->trie = trie;
	walk->depth = 0;
	while (at != TRIE_NONE) {
		const struct trie_node *node = &trie->nodes[at];
		unsigned int way;

		if (comes_behind(node, key, after->len)) {
			walk->stack[walk->depth++] = at;
			return;
		}
		if (key_shared(node->key, key) < node->entry.len)
			return; /* all of it comes before */
		way = node->entry.len < after->len
			      ? key_bit(key, node->entry.len)
			      : 0;
		if (way == 0 && node->child[1] != TRIE_NONE)
			walk->stack[walk->depth++] = node->child[1];
		at = node->child[way];
	}
}

static void prefix_of(const struct trie *trie, const struct trie_node *node,
		      struct ip_prefix *ret)
{
	ret->addr.family = trie->family;
	store64(node->key.hi, ret->addr.bytes);
	store64(node->key.lo, ret->addr.bytes + 8);
	ret->len = node->entry.len;
}

bool trie_walk_next(struct trie_walk *walk, struct ip_prefix *ret_prefix,
		    uint32_t *ret_value)
{
	const struct trie_node *node;
	int i;

	do {
		if (walk->depth == 0)
			return false;
		node = &walk->trie->nodes[walk->stack[--walk->depth]];
		for (i = 1; i >= 0; i--) {
			if (node->child[i] != TRIE_NONE)
				walk->stack[walk->depth++] = node->child[i];
		}
	} while (node->entry.value == TRIE_NONE);

	prefix_of(walk->trie, node, ret_prefix);
	*ret_value = node->entry.value;
	return true;
}

struct trie_entry *trie_at(const struct trie *trie, uint32_t place,
			   struct ip_prefix *ret_prefix)
{
	struct trie_node *node;

	if (place >= trie->n_nodes)
		return NULL;
	node = &trie->nodes[place];
	/* Unused ones have no value either. */
	if (node->entry.value == TRIE_NONE)
		return NULL;
	prefix_of(trie, node, ret_prefix);
	return &node->entry;
}

struct trie_entry *trie_scan(const struct trie *trie, uint32_t *at,
			     struct ip_prefix *ret_prefix)
{
	struct trie_entry *entry = NULL;

	while (!entry && *at < trie->n_nodes)
		entry = trie_at(trie, (*at)++, ret_prefix);
	return entry;
}

uint32_t trie_place(const struct trie *trie, const struct trie_entry *entry)
{
	const char *node =
		(const char *)entry - offsetof(struct trie_node, entry);

	return (uint32_t)((size_t)(node - (const char *)trie->nodes) /
			  sizeof(struct trie_node));
}
