/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/planned.h"

#include <netinet/in.h>

#include "core/pin_lay.h"
#include "core/pin_spot.h"

#define SLOTS_MIN 8 /* most rounds are about a route or two */

void planned_begin(struct planned *planned, const struct view *view,
		   struct rib *rib)
{
	*planned = (struct planned){.view = *view, .rib = rib};
}

static void release(struct planned *planned, const struct planned_kind *kind)
{
	if (kind->is_planned && kind->id != ROW_NONE)
		row_unref(&planned->rib->rows, &planned->rib->attrs, kind->id);
}

void planned_done(struct planned *planned)
{
	const struct planned_kind *kind;

	if (!planned->rib)
		return;
	vec_foreach(&planned->kinds, kind)
		release(planned, kind);
	for (size_t i = 0; i < PLANNED_DEFAULTS; i++)
		release(planned, &planned->defaults[i]);
	plan_row_done(&planned->rib->attrs, &planned->wants);
	vec_done(&planned->kinds);
	vec_done(&planned->slots);
	vec_done(&planned->wants);
	vec_done(&planned->patterns);
	*planned = (struct planned){0};
}

/* --- kinds --- */

static uint32_t row_id(const struct planned *planned,
		       const struct ip_prefix *prefix)
{
	uint32_t id =
		trie_find(rib_trie(planned->rib, prefix->addr.family), prefix);

	return id == TRIE_NONE ? ROW_NONE : id;
}

static struct planned_kind *default_kind(struct planned *planned,
					 const struct ip_prefix *prefix,
					 uint32_t id)
{
	struct planned_kind *kind =
		&planned->defaults[prefix->addr.family == AF_INET6];

	/* Its old plan's wants keep their refs till the end. */
	if (kind->is_planned && kind->id != id) {
		release(planned, kind);
		*kind = (struct planned_kind){0};
	}
	return kind;
}

/* Where @id is, or would be. */
static uint32_t *slot_of(struct planned *planned, uint32_t id)
{
	size_t mask = planned->slots.n - 1;
	size_t at = (id * 0x9e3779b1U) >> 7 & mask;
	uint32_t *slot = &planned->slots.items[at];

	while (*slot && planned->kinds.items[*slot - 1].id != id) {
		at = (at + 1) & mask;
		slot = &planned->slots.items[at];
	}
	return slot;
}

/* At most half of them are ever taken. */
static void grow_slots(struct planned *planned)
{
	size_t n = planned->slots.n ? 2 * planned->slots.n : SLOTS_MIN;

	vec_clear(&planned->slots);
	vec_reserve(&planned->slots, n);
	while (planned->slots.n < n)
		vec_push(&planned->slots, 0);
	for (size_t i = 0; i < planned->kinds.n; i++)
		*slot_of(planned, planned->kinds.items[i].id) = (uint32_t)i + 1;
}

static struct planned_kind *kind_of(struct planned *planned,
				    const struct ip_prefix *prefix, uint32_t id)
{
	const struct planned_kind fresh = {.id = id};
	uint32_t *slot;

	if (prefix->len == 0)
		return default_kind(planned, prefix, id);
	if (2 * planned->kinds.n >= planned->slots.n)
		grow_slots(planned);
	slot = slot_of(planned, id);
	if (!*slot) {
		vec_push(&planned->kinds, fresh);
		*slot = (uint32_t)planned->kinds.n;
	}
	return &planned->kinds.items[*slot - 1];
}

static void plan(struct planned *planned, const struct ip_prefix *prefix,
		 uint32_t id, struct planned_kind *kind)
{
	struct rib *rib = planned->rib;
	size_t first = planned->wants.n;

	/* The row is not moved by that: attributes are interned, not rows. */
	plan_row_build(&planned->view, prefix,
		       id == ROW_NONE ? NULL : rib_row_at(rib, id), &rib->attrs,
		       &planned->wants);
	kind->id = id;
	kind->row = (struct planned_row){first, planned->wants.n - first};
	if (id != ROW_NONE)
		row_ref(&rib->rows, id);
	kind->is_planned = true;
}

/* NULL: the prefix gets no cells, or it has no row. */
static struct planned_kind *planned_kind(struct planned *planned,
					 const struct ip_prefix *prefix)
{
	uint32_t id = row_id(planned, prefix);
	struct planned_kind *kind;

	if (id == ROW_NONE && prefix->len > 0)
		return NULL;
	kind = kind_of(planned, prefix, id);
	if (!kind->is_planned)
		plan(planned, prefix, id, kind);
	return kind;
}

struct planned_row planned_row(struct planned *planned,
			       const struct ip_prefix *prefix)
{
	const struct planned_kind *kind =
		cell_wanted_at(prefix) ? planned_kind(planned, prefix) : NULL;

	return kind ? kind->row : (struct planned_row){0};
}

/* --- what is to be done --- */

static void compare(struct planned *planned, const struct ip_prefix *prefix,
		    const struct want_vec *wants, struct op_vec *ops)
{
	diff_row(&planned->view, prefix, rib_row(planned->rib, prefix), wants,
		 ops);
}

/* What is wanted against what there is. */
static void compare_row(struct planned *planned, const struct ip_prefix *prefix,
			struct op_vec *ops)
{
	const struct planned_row row = planned_row(planned, prefix);
	/* Borrowed: nothing is planned meanwhile. */
	const struct want_vec wants = {
		.items = row.n ? planned->wants.items + row.first : NULL,
		.n = row.n,
	};

	compare(planned, prefix, &wants, ops);
}

/* The same with pins laid over it. */
static void compare_pinned(struct planned *planned,
			   const struct ip_prefix *prefix, struct op_vec *ops)
{
	const struct planned_row row = planned_row(planned, prefix);
	const struct pin_layer layer = {planned->view.pins,
					&planned->rib->attrs, &planned->wants};
	struct want_vec wants = {0};

	for (size_t i = row.first; i < row.first + row.n; i++)
		vec_push(&wants, planned->wants.items[i]);
	pin_lay(&layer, prefix, &wants);
	compare(planned, prefix, &wants, ops);
	vec_done(&wants);
}

/* NULL: the prefix is one of its own. */
static struct planned_kind *compared_kind(struct planned *planned,
					  const struct ip_prefix *prefix)
{
	struct planned_kind *kind;

	if (!cell_wanted_at(prefix))
		return NULL;
	kind = planned_kind(planned, prefix);
	if (kind && !kind->is_compared) {
		kind->first_op = planned->patterns.n;
		compare_row(planned, prefix, &planned->patterns);
		kind->n_ops = planned->patterns.n - kind->first_op;
		kind->is_compared = true;
	}
	return kind;
}

static bool has_pins(const struct planned *planned,
		     const struct ip_prefix *prefix)
{
	const struct pin_set *pins = planned->view.pins;

	return pins && pins->pins.n && pin_is_host(prefix);
}

bool planned_is_same(struct planned *planned, const struct ip_prefix *prefix)
{
	const struct planned_kind *kind = compared_kind(planned, prefix);

	return kind && kind->n_ops == 0;
}

void planned_diff(struct planned *planned, const struct ip_prefix *prefix,
		  struct op_vec *ops)
{
	bool pinned = has_pins(planned, prefix);
	const struct planned_kind *kind =
		pinned ? NULL : compared_kind(planned, prefix);

	if (pinned)
		compare_pinned(planned, prefix, ops);
	else if (!kind)
		compare_row(planned, prefix, ops);
	for (size_t i = 0; kind && i < kind->n_ops; i++) {
		vec_push(ops, planned->patterns.items[kind->first_op + i]);
		ops->items[ops->n - 1].route.prefix = *prefix;
	}
}

/* --- order --- */

enum {
	CLASS_HOST,
	CLASS_DEFAULT,
	CLASS_LENGTH, /* from here on: by length, the longest first */
	CLASSES = CLASS_LENGTH + 129,
};

static size_t class_of(const struct ip_prefix *prefix)
{
	if (pin_is_host(prefix))
		return CLASS_HOST;
	if (prefix->len == 0)
		return CLASS_DEFAULT;
	return CLASS_LENGTH + 128 - (size_t)prefix->len;
}

bool planned_is_first(const struct ip_prefix *prefix)
{
	return class_of(prefix) < CLASS_LENGTH;
}

/* By @class, below CLASSES; what is equal stays in order. */
static void sort_by_class(struct prefix_vec *rows,
			  size_t (*class)(const struct ip_prefix *prefix))
{
	size_t next[CLASSES + 1] = {0};
	struct prefix_vec sorted = {0};
	const struct ip_prefix *it;

	if (rows->n == 0)
		return;
	vec_foreach(rows, it)
		next[class(it) + 1]++;
	for (size_t i = 1; i <= CLASSES; i++)
		next[i] += next[i - 1];
	sorted.items = xgrow(NULL, rows->n, sizeof(*sorted.items));
	sorted.n = rows->n;
	sorted.cap = rows->n;
	vec_foreach(rows, it)
		sorted.items[next[class(it)]++] = *it;
	vec_done(rows);
	*rows = sorted;
}

void planned_order(struct prefix_vec *rows)
{
	sort_by_class(rows, class_of);
}

static size_t length_of(const struct ip_prefix *prefix)
{
	return prefix->len;
}

static size_t gcd(size_t a, size_t b)
{
	while (b) {
		size_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* A walk with strides of about the golden section comes everywhere once. */
static void shuffle(struct prefix_vec *rows)
{
	struct prefix_vec mixed = {0};
	size_t stride = (size_t)((double)rows->n * 0.618) | 1;
	size_t at = 0;

	while (stride > 1 && gcd(stride, rows->n) != 1)
		stride -= 2;
	for (size_t i = 0; i < rows->n; i++) {
		vec_push(&mixed, rows->items[at]);
		at = (at + stride) % rows->n;
	}
	vec_done(rows);
	*rows = mixed;
}

void planned_order_back(struct prefix_vec *rows)
{
	shuffle(rows);
	sort_by_class(rows, length_of);
}
