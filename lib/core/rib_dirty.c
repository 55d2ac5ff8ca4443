/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places of rows, and which of them are to be planned again.
 */
#include <sys/socket.h>

#include "core/rib_place.h"

/* A longer list of dirty rows is not kept: at start every row is in it once. */
#define DIRTY_KEEP 4096

struct trie *rib_trie_of(struct rib *rib, const struct ip_prefix *prefix)
{
	return prefix->addr.family == AF_INET ? &rib->v4 : &rib->v6;
}

struct trie_entry *rib_find_place(const struct rib *rib,
				  const struct ip_prefix *prefix)
{
	return trie_entry(rib_trie(rib, prefix->addr.family), prefix);
}

struct trie_entry *rib_make_place(struct rib *rib,
				  const struct ip_prefix *prefix)
{
	struct trie_entry *place = trie_enter(rib_trie_of(rib, prefix), prefix);

	if (place->value == TRIE_NONE)
		place->value = row_intern(&rib->rows, &rib->attrs, NULL, 0);
	return place;
}

void rib_mark_dirty(struct rib *rib, struct trie_entry *place,
		    const struct ip_prefix *prefix)
{
	if (place->mark & rib->dirty_marks)
		return;
	place->mark |= rib->new_mark;
	vec_push(&rib->dirty, *prefix);
}

void rib_touch(struct rib *rib, const struct ip_prefix *prefix)
{
	rib_mark_dirty(rib, rib_make_place(rib, prefix), prefix);
}

void rib_touch_all(struct rib *rib, uint8_t family)
{
	struct trie_entry *place;
	struct ip_prefix prefix;
	uint32_t at = 0;

	while ((place = trie_scan(rib_trie(rib, family), &at, &prefix)))
		rib_mark_dirty(rib, place, &prefix);
}

/* --- by what they say --- */

/* Which kinds of rows are meant. */
struct touched_kinds {
	VEC(, bool) fit;	 /* by id */
	struct prefix_vec known; /* the only prefix of each */
	bool all_known;
};

static void find_kinds(const struct rib *rib, uint8_t family, rib_kind_fn *fits,
		       const void *data, struct touched_kinds *ret)
{
	ret->all_known = true;
	for (uint32_t id = 0; id < rib->rows.n; id++) {
		bool fit = row_is_live(&rib->rows, id) &&
			   fits(rib, rib_row_at(rib, id), data);
		const struct trie_entry *place;
		struct ip_prefix prefix;

		vec_push(&ret->fit, fit);
		if (!fit || !ret->all_known)
			continue;
		place = trie_at(rib_trie(rib, family),
				row_place(&rib->rows, id), &prefix);
		ret->all_known = place && place->value == id;
		if (ret->all_known)
			vec_push(&ret->known, prefix);
	}
}

void rib_touch_kinds(struct rib *rib, uint8_t family, rib_kind_fn *fits,
		     const void *data)
{
	struct touched_kinds kinds = {0};
	const struct ip_prefix *it;
	struct trie_entry *place;
	struct ip_prefix prefix;
	uint32_t at = 0;

	find_kinds(rib, family, fits, data, &kinds);
	if (kinds.all_known)
		vec_foreach(&kinds.known, it)
			rib_touch(rib, it);
	else
		while ((place = trie_scan(rib_trie(rib, family), &at, &prefix)))
			if (kinds.fit.items[place->value])
				rib_mark_dirty(rib, place, &prefix);
	vec_done(&kinds.fit);
	vec_done(&kinds.known);
}

/* --- what is to be planned --- */

bool rib_is_dirty(const struct rib *rib, const struct ip_prefix *prefix)
{
	const struct trie_entry *place = rib_find_place(rib, prefix);

	return place && place->mark & rib->dirty_marks;
}

static void forget_row(struct rib *rib, struct trie_entry *place,
		       const struct ip_prefix *prefix)
{
	row_unref(&rib->rows, &rib->attrs, place->value);
	trie_remove(rib_trie_of(rib, prefix), prefix);
}

void rib_forget_empty(struct rib *rib, const struct ip_prefix *prefix)
{
	struct trie_entry *place = rib_find_place(rib, prefix);

	if (place && !place->mark && row_get(&rib->rows, place->value)->n == 0)
		forget_row(rib, place, prefix);
}

void rib_take(struct rib *rib, struct prefix_vec *ret)
{
	const struct ip_prefix *prefix;

	if (ret->n == 0) {
		vec_done(ret);
		*ret = rib->dirty;
		rib->dirty = (struct prefix_vec){0};
	}
	vec_foreach(&rib->dirty, prefix)
		vec_push(ret, *prefix);
	vec_clear(&rib->dirty);
	/* Rows keep their marks; another mark is the new one. */
	rib->due_marks = rib->dirty_marks;
	for (rib->new_mark = 1; rib->new_mark & rib->due_marks;)
		rib->new_mark = (uint8_t)(rib->new_mark << 1);
	rib->dirty_marks = rib->new_mark;
}

bool rib_is_due(struct rib *rib, const struct ip_prefix *prefix)
{
	struct trie_entry *place = rib_find_place(rib, prefix);
	bool is_due;

	if (!place)
		return false;
	is_due = place->mark & rib->due_marks &&
		 !(place->mark & rib->dirty_marks);
	place->mark &= (uint8_t)~rib->due_marks;
	return is_due;
}

/* One mark is enough for all of them: there are no more than eight. */
static void merge_marks(struct rib *rib)
{
	const struct ip_prefix *prefix;

	vec_foreach(&rib->dirty, prefix) {
		struct trie_entry *place = rib_find_place(rib, prefix);

		/* One that stood there twice may be gone already. */
		if (place)
			place->mark = rib->new_mark;
	}
	rib->dirty_marks = rib->new_mark;
}

void rib_give_back(struct rib *rib, struct prefix_vec *rows, size_t from)
{
	/* One that is dirty again stands there, one planned is done with. */
	for (size_t i = from; i < rows->n; i++) {
		const struct trie_entry *place =
			rib_find_place(rib, &rows->items[i]);

		if (place && place->mark & rib->due_marks &&
		    !(place->mark & rib->dirty_marks))
			vec_push(&rib->dirty, rows->items[i]);
	}
	vec_done(rows);
	rib->dirty_marks |= rib->due_marks;
	rib->due_marks = 0;
	if (rib->dirty_marks == UINT8_MAX)
		merge_marks(rib);
}

void rib_clean(struct rib *rib)
{
	const struct ip_prefix *prefix;

	vec_foreach(&rib->dirty, prefix) {
		struct trie_entry *place = rib_find_place(rib, prefix);

		if (!place)
			continue; /* it stood here twice */
		place->mark &= (uint8_t)~rib->dirty_marks;
		rib_forget_empty(rib, prefix);
	}
	rib->dirty_marks = rib->new_mark;
	if (rib->dirty.cap > DIRTY_KEEP)
		vec_done(&rib->dirty);
	vec_clear(&rib->dirty);
}
