/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/trie.h"

#include <stdlib.h>

#include "core/xalloc.h"

/* An address as a number: the first bit on the wire is the highest of @hi. */
struct key {
	uint64_t hi;
	uint64_t lo;
};

struct trie_node {
	struct key key; /* bits behind @len are zero */
	uint32_t value; /* TRIE_NONE: a mere fork, then it has two children */
	uint32_t child[2]; /* by the bit behind @len; TRIE_NONE: none */
	uint8_t len;	   /* more than the parent's */
};

_Static_assert(sizeof(struct trie_node) == 32, "a million of these are 32 MB");

static uint64_t load64(const uint8_t *bytes)
{
	uint64_t number = 0;
	size_t i;

	for (i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

static void store64(uint64_t number, uint8_t *bytes)
{
	size_t i;

	for (i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(number >> (56 - 8 * i));
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
		.value = TRIE_NONE,
		.child = {TRIE_NONE, TRIE_NONE},
		.len = (uint8_t)len,
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

	if (node->value != TRIE_NONE)
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

	while (at != TRIE_NONE && trie->nodes[at].len < len)
		at = trie->nodes[at].child[key_bit(key, trie->nodes[at].len)];
	if (at == TRIE_NONE || key_shared(trie->nodes[at].key, key) < len)
		return TRIE_NONE;
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
	trie_init(trie, trie->family);
}

uint32_t *trie_insert(struct trie *trie, const struct ip_prefix *prefix)
{
	struct key key = key_of(prefix);
	uint32_t *link = &trie->root;
	uint32_t *value;

	reserve(trie);
	while (*link != TRIE_NONE) {
		struct trie_node *node = &trie->nodes[*link];
		unsigned int shared = key_shared(node->key, key);

		if (shared > prefix->len)
			shared = prefix->len;
		if (shared < node->len) {
			*link = node_above(trie, *link, shared);
			node = &trie->nodes[*link];
		}
		if (node->len == prefix->len)
			break;
		link = &node->child[key_bit(key, node->len)];
	}
	if (*link == TRIE_NONE)
		*link = node_new(trie, key, prefix->len);

	value = &trie->nodes[*link].value;
	if (*value == TRIE_NONE)
		trie->n++;
	return value;
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
	while (node->len < prefix->len) {
		up = link;
		link = &node->child[key_bit(key, node->len)];
		node = &trie->nodes[*link];
	}
	node->value = TRIE_NONE;
	trie->n--;

	/* A fork that lost one of its two ways is not needed either. */
	splice(trie, link);
	if (up)
		splice(trie, up);
}

uint32_t trie_find(const struct trie *trie, const struct ip_prefix *prefix)
{
	uint32_t at = descend(trie, key_of(prefix), prefix->len);

	if (at == TRIE_NONE || trie->nodes[at].len != prefix->len)
		return TRIE_NONE;
	return trie->nodes[at].value;
}

size_t trie_cover_len(const struct trie *trie, const struct ip_prefix *prefix,
		      uint32_t *ret, uint8_t *ret_len)
{
	struct key key = key_of(prefix);
	uint32_t at = trie->root;
	size_t n = 0;

	while (at != TRIE_NONE) {
		const struct trie_node *node = &trie->nodes[at];

		if (node->len > prefix->len ||
		    key_shared(node->key, key) < node->len)
			break;
		if (node->value != TRIE_NONE) {
			ret_len[n] = node->len;
			ret[n++] = node->value;
		}
		if (node->len == prefix->len)
			break;
		at = node->child[key_bit(key, node->len)];
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
	return node->len > len;
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
		if (key_shared(node->key, key) < node->len)
			return; /* all of it comes before */
		way = node->len < after->len ? key_bit(key, node->len) : 0;
		if (way == 0 && node->child[1] != TRIE_NONE)
			walk->stack[walk->depth++] = node->child[1];
		at = node->child[way];
	}
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
	} while (node->value == TRIE_NONE);

	ret_prefix->addr.family = walk->trie->family;
	store64(node->key.hi, ret_prefix->addr.bytes);
	store64(node->key.lo, ret_prefix->addr.bytes + 8);
	ret_prefix->len = node->len;
	*ret_value = node->value;
	return true;
}
