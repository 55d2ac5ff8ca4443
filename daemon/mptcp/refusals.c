/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/refusals.h"

#include "core/backoff.h"

#define RETRY_MS     10000
#define RETRY_MAX_MS 640000

static struct refusal *find(const struct refusal_vec *refusals,
			    const struct ip_addr *addr)
{
	struct refusal *it;

	vec_foreach(refusals, it)
		if (ip_addr_equal(&it->addr, addr))
			return it;
	return NULL;
}

uint64_t refusals_note(struct refusal_vec *refusals, const struct ip_addr *addr,
		       uint64_t now_ms)
{
	struct refusal *it = find(refusals, addr);

	if (!it) {
		vec_push(refusals, ((struct refusal){.addr = *addr}));
		it = &refusals->items[refusals->n - 1];
	}
	it->failures++;
	it->next_ms = now_ms + backoff_ms(RETRY_MS, RETRY_MAX_MS, it->failures);
	return it->next_ms;
}

void refusals_forget(struct refusal_vec *refusals, const struct ip_addr *addr)
{
	const struct refusal *it = find(refusals, addr);

	if (it)
		vec_remove(refusals, (size_t)(it - refusals->items));
}

uint64_t refusals_leave_out(struct refusal_vec *refusals,
			    struct endpoint_vec *wanted, uint64_t now_ms)
{
	uint64_t next_ms = 0;

	for (size_t i = refusals->n; i-- > 0;)
		if (!endpoint_find(wanted, &refusals->items[i].addr))
			vec_remove(refusals, i);
	for (size_t i = wanted->n; i-- > 0;) {
		const struct refusal *it =
			find(refusals, &wanted->items[i].addr);

		if (!it || it->next_ms <= now_ms)
			continue;
		if (!next_ms || it->next_ms < next_ms)
			next_ms = it->next_ms;
		vec_remove(wanted, i);
	}
	return next_ms;
}
