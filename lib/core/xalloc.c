/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/xalloc.h"

#include <stdint.h>
#include <stdlib.h>

void *xalloc(size_t size)
{
	void *bytes = calloc(1, size ? size : 1);

	if (!bytes)
		abort();
	return bytes;
}

void *xgrow(void *old, size_t n, size_t size)
{
	void *bytes;

	if (size && n > SIZE_MAX / size)
		abort();

	/* realloc() to nothing may free and return NULL. */
	bytes = realloc(old, n && size ? n * size : 1);
	if (!bytes)
		abort();
	return bytes;
}
