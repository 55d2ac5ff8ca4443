/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host of random bytes: its plan is sound, and the kernel under it sends each
 * packet where the draft's procedure says. The first byte says what is asked.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/property/agree.h"

enum {
	INPUT_MAX = 1024
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dice dice = {.bytes = data + 1, .n_bytes = size ? size - 1 : 0};
	struct line_vec lines = {0};
	struct world world = {0};
	host_fails *fails;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	fails = data[0] & 1 ? agree_is_broken : agree_disagrees;
	host_roll(&dice, &lines);
	if (fails(&lines, &world)) {
		host_print(&lines);
		(void)fprintf(stderr, "%s\n", world.why);
		abort();
	}
	vec_done(&lines);
	return 0;
}
