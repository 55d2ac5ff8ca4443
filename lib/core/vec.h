/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vec - growing arrays.
 *
 * VEC(struct op) op_vec declares `struct op_vec { struct op *items; size_t n,
 * cap; }`. A zeroed vec is empty and legal. The vec owns its storage; whoever
 * declares one calls vec_done(), which leaves it empty again. Pointers to items
 * live until the next push.
 */
#ifndef VEC_H
#define VEC_H

#include <stdlib.h>
#include <string.h>

#include "core/xalloc.h"

#define VEC(name, type)                                                        \
	struct name {                                                          \
		type *items;                                                   \
		size_t n;                                                      \
		size_t cap;                                                    \
	}

/* The only place that allocates. */
static inline void *vec_room(void *items, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return items;
	*cap = *cap ? 2 * *cap : 4;
	return xgrow(items, *cap, size);
}

/* Makes room for one more. */
#define vec_grow(v)                                                            \
	((v)->items =                                                          \
		 vec_room((v)->items, (v)->n, &(v)->cap, sizeof(*(v)->items)))

/* Makes room for @want in all, at one go. */
#define vec_reserve(v, want)                                                   \
	do {                                                                   \
		if ((v)->cap < (want)) {                                       \
			(v)->cap = (want);                                     \
			(v)->items = xgrow((v)->items, (v)->cap,               \
					   sizeof(*(v)->items));               \
		}                                                              \
	} while (0)

#define vec_push(v, item) (vec_grow(v), (void)((v)->items[(v)->n++] = (item)))

/* Inserts before index @at, keeping the order of the rest. */
#define vec_insert(v, at, item)                                                \
	do {                                                                   \
		size_t at_ = (at);                                             \
		vec_grow(v);                                                   \
		memmove((v)->items + at_ + 1, (v)->items + at_,                \
			((v)->n - at_) * sizeof(*(v)->items));                 \
		(v)->items[at_] = (item);                                      \
		(v)->n++;                                                      \
	} while (0)

/* Removes index @at, keeping the order of the rest. */
#define vec_remove(v, at)                                                      \
	do {                                                                   \
		size_t at_ = (at);                                             \
		(v)->n--;                                                      \
		memmove((v)->items + at_, (v)->items + at_ + 1,                \
			((v)->n - at_) * sizeof(*(v)->items));                 \
	} while (0)

/*
 * vec_sort() - as qsort(), but what is in order already costs one look only.
 * @cmp: int (*)(const void *, const void *)
 */
#define vec_sort(v, cmp)                                                       \
	vec_sort_items((v)->items, (v)->n, sizeof(*(v)->items), (cmp))

static inline void vec_sort_items(void *items, size_t n, size_t size,
				  int (*cmp)(const void *, const void *))
{
	size_t i = 1;

	while (i < n && cmp((char *)items + (i - 1) * size,
			    (char *)items + i * size) <= 0)
		i++;
	if (i < n)
		qsort(items, n, size, cmp);
}

#define vec_clear(v) ((v)->n = 0)

#define vec_done(v)                                                            \
	do {                                                                   \
		free((v)->items);                                              \
		(v)->items = NULL;                                             \
		(v)->n = 0;                                                    \
		(v)->cap = 0;                                                  \
	} while (0)

/* Written so that an empty vec (items == NULL) forms no pointer. */
#define vec_foreach(v, it)                                                     \
	for ((it) = (v)->items; (it) && (it) < (v)->items + (v)->n; (it)++)

#endif
