/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scene_text - one line of a scene, word by word.
 */
#ifndef SCENE_TEXT_H
#define SCENE_TEXT_H

#include "core/model.h"

#define SCENE_WORDS_MAX 64

struct words {
	const struct model *model; /* whose links are named */
	char text[512];
	char *items[SCENE_WORDS_MAX];
	size_t n;
	size_t at; /* the next word */
};

/** words_split() - Return: 0, or -EINVAL for a line that is too long */
int words_split(struct words *words, const struct model *model,
		const char *line);

/** words_next() - the next word, "" when there is none */
const char *words_next(struct words *words);
bool words_left(const struct words *words);

/** words_take() - whether the next word is @word; then it is read */
bool words_take(struct words *words, const char *word);

/* Each reads one word. Return: 0, or -EINVAL. */
int words_number(struct words *words, uint32_t *ret);
int words_addr(struct words *words, struct ip_addr *ret);
int words_prefix(struct words *words, struct ip_prefix *ret);
int words_dev(struct words *words, uint32_t *ret);

/* An address with a length, host bits kept. */
int words_addr_len(struct words *words, struct ip_addr *ret, uint8_t *ret_len);

/* A keyword and what reads the words behind it into @into. */
struct keyword {
	const char *name;
	int (*read)(struct words *words, void *into);
};

/** words_read() - keywords of @table (ends with a NULL name) up to the end */
int words_read(struct words *words, const struct keyword *table, void *into);

/**
 * scene_text_route() - what stands behind "route"
 * @ret_until_ms: what stands behind "settle"; 0: nothing
 * @ret:          the caller calls attrset_done() on its set
 */
int scene_text_route(struct words *words, uint64_t *ret_until_ms,
		     struct model_route *ret);

/** scene_text_rule() - what stands behind "rule" */
int scene_text_rule(struct words *words, struct rule *ret);

#endif
