/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xalloc - allocation that cannot fail.
 *
 * Out of memory aborts, here and nowhere else: the kernel holds all state that
 * matters, so a restart is the way back. Sizes that come from outside are
 * limited by whoever reads them.
 */
#ifndef XALLOC_H
#define XALLOC_H

#include <stddef.h>

/** xalloc() - @size zeroed bytes; free() releases them; never NULL */
void *xalloc(size_t size);

/** xgrow() - realloc() to @n elements of @size bytes; new bytes are not set */
void *xgrow(void *old, size_t n, size_t size);

#endif
