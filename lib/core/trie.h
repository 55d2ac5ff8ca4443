/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trie - prefixes of one family to a number each, path-compressed.
 *
 * Finds exactly, finds every prefix that covers an address, walks in order;
 * the cost of each is the depth (at most 33 or 129 nodes), never the number of
 * prefixes. Nodes live in one array and name each other by index, so a million
 * of them cost no allocation each. The value is a number of the caller's, an
 * index into an array as a rule.
 */
#ifndef TRIE_H
#define TRIE_H

#include "core/ip.h"

#define TRIE_NONE      UINT32_MAX /* "no value"; never stored */
#define TRIE_DEPTH_MAX 129	  /* prefixes that can cover one address */

struct trie_node;

/* What a prefix stands for. */
struct trie_entry {
	uint32_t value; /* TRIE_NONE: a mere fork, then it has two children */
	uint8_t mark;	/* the caller's; 0 when it is new */
	uint8_t len;	/* of the prefix; not to be changed */
};

struct trie {
	uint8_t family;
	struct trie_node *nodes;
	uint32_t n_nodes;
	uint32_t cap;
	uint32_t free; /* first of the unused nodes, linked; TRIE_NONE: none */
	uint32_t root; /* TRIE_NONE: empty */
	/*
	 * The way to what was found last: most searches are for what is near.
	 * Those in a const trie write it too; NULL: there was no node yet.
	 */
	struct trie_finger *finger;
	size_t n; /* prefixes that have a value */
};

void trie_init(struct trie *trie, uint8_t family);
void trie_done(struct trie *trie);

/**
 * trie_insert() - the place of @prefix's value, made if missing
 *
 * Return: where the value is; TRIE_NONE in it means that the prefix is new, and
 * the caller must store a value before any other call. Valid until the next
 * trie_insert().
 */
uint32_t *trie_insert(struct trie *trie, const struct ip_prefix *prefix);

/** trie_enter() - the same, with the mark beside the value */
struct trie_entry *trie_enter(struct trie *trie,
			      const struct ip_prefix *prefix);

/**
 * trie_entry() - of exactly @prefix, or NULL
 *
 * Valid until the next trie_insert() or trie_enter().
 */
struct trie_entry *trie_entry(const struct trie *trie,
			      const struct ip_prefix *prefix);

/** trie_remove() - forget @prefix; no effect if it is not there */
void trie_remove(struct trie *trie, const struct ip_prefix *prefix);

/** trie_find() - value of exactly @prefix, or TRIE_NONE */
uint32_t trie_find(const struct trie *trie, const struct ip_prefix *prefix);

/**
 * trie_cover() - values of all prefixes that cover @prefix, itself included
 * @ret: shortest prefix first; room for TRIE_DEPTH_MAX
 *
 * Return: how many. The last one is the longest match.
 */
size_t trie_cover(const struct trie *trie, const struct ip_prefix *prefix,
		  uint32_t *ret);

/** trie_cover_len() - the same, with the prefixes' lengths; as much room */
size_t trie_cover_len(const struct trie *trie, const struct ip_prefix *prefix,
		      uint32_t *ret, uint8_t *ret_len);

/* A walk over all prefixes covered by one, in ip_prefix_cmp() order. */
struct trie_walk {
	const struct trie *trie;
	uint32_t stack[TRIE_DEPTH_MAX + 1];
	size_t depth;
};

/** trie_walk_start() - over what @within covers; the default: everything */
void trie_walk_start(struct trie_walk *walk, const struct trie *trie,
		     const struct ip_prefix *within);

/**
 * trie_walk_after() - over what comes behind @after, which need not be there
 *
 * So a walk that was broken off goes on though the trie has changed since.
 */
void trie_walk_after(struct trie_walk *walk, const struct trie *trie,
		     const struct ip_prefix *after);

/**
 * trie_walk_next() - the next prefix and its value
 *
 * The trie may not change during a walk; values may. Return: false at the end.
 */
bool trie_walk_next(struct trie_walk *walk, struct ip_prefix *ret_prefix,
		    uint32_t *ret_value);

/**
 * trie_scan() - the next of all prefixes, in no order: faster than a walk
 * @at: where to go on; 0 to begin with
 *
 * New prefixes may be entered meanwhile; whether these come is not sure.
 * Return: NULL at the end.
 */
struct trie_entry *trie_scan(const struct trie *trie, uint32_t *at,
			     struct ip_prefix *ret_prefix);

/** trie_place() - a number for @entry, which is there; till it is removed */
uint32_t trie_place(const struct trie *trie, const struct trie_entry *entry);

/**
 * trie_at() - what is at that place now, whatever was there before
 *
 * Return: NULL: no prefix.
 */
struct trie_entry *trie_at(const struct trie *trie, uint32_t place,
			   struct ip_prefix *ret_prefix);

#endif
