/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/flow_memory.h"

#include <assert.h>

void flow_memory_done(struct flow_memory *memory)
{
	memory->known = false;
	vec_done(&memory->sources);
	vec_done(&memory->dests);
}

void flow_memory_forget(struct flow_memory *memory)
{
	memory->known = false;
	vec_clear(&memory->sources);
	vec_clear(&memory->dests);
}

void flow_memory_begin(struct flow_memory *memory, uint64_t begun)
{
	flow_memory_forget(memory);
	memory->begun = begun;
}

void flow_memory_add_source(struct flow_memory *memory,
			    const struct ip_prefix *source)
{
	vec_push(&memory->sources, *source);
}

void flow_memory_add(struct flow_memory *memory, const struct flow *flow)
{
	/* One more says that there were too many. */
	if (memory->dests.n <= FLOW_MEMORY_MAX)
		vec_push(&memory->dests, ip_prefix_host(&flow->dst));
}

static int prefix_order(const void *a, const void *b)
{
	return ip_prefix_cmp(a, b);
}

bool flow_memory_end(struct flow_memory *memory)
{
	struct prefix_vec *dests = &memory->dests;
	size_t n = 0;

	if (dests->n > FLOW_MEMORY_MAX) {
		flow_memory_forget(memory);
		return false;
	}
	vec_sort(dests, prefix_order);
	for (size_t i = 0; i < dests->n; i++)
		if (n == 0 ||
		    !ip_prefix_equal(&dests->items[n - 1], &dests->items[i]))
			dests->items[n++] = dests->items[i];
	dests->n = n;
	memory->known = true;
	return true;
}

bool flow_memory_has_source(const struct flow_memory *memory,
			    const struct ip_prefix *source)
{
	const struct ip_prefix *it;

	vec_foreach(&memory->sources, it)
		if (ip_prefix_covers(it, source))
			return true;
	return false;
}

bool flow_memory_leads_into(const struct flow_memory *memory,
			    const struct ip_prefix *prefix)
{
	const struct prefix_vec *dests = &memory->dests;
	size_t low = 0;
	size_t high = dests->n;

	assert(memory->known);
	/* The first host that is not before the prefix: inside, or none is. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (ip_prefix_cmp(&dests->items[mid], prefix) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low < dests->n && ip_prefix_covers(prefix, &dests->items[low]);
}
