/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

static int order(const void *a, const void *b)
{
	const struct flow *x = a;
	const struct flow *y = b;
	int diff;

	if (x->token_local != y->token_local)
		return x->token_local < y->token_local ? -1 : 1;
	diff = ip_addr_cmp(&x->src, &y->src);
	if (!diff)
		diff = ip_addr_cmp(&x->dst, &y->dst);
	if (!diff)
		diff = (int)x->sport - (int)y->sport;
	return diff ? diff : (int)x->dport - (int)y->dport;
}

void connection_sort(struct flow_vec *flows)
{
	size_t kept = 0;

	for (size_t i = 0; i < flows->n; i++)
		if (flows->items[i].mptcp)
			flows->items[kept++] = flows->items[i];
	flows->n = kept;
	vec_sort(flows, order);
}

size_t connection_end(const struct flow_vec *flows, size_t first)
{
	size_t end = first;

	while (end < flows->n &&
	       flows->items[end].token_local == flows->items[first].token_local)
		end++;
	return end;
}

bool connection_is_open(const struct flow *subflow)
{
	return subflow->state == TCP_ESTABLISHED ||
	       subflow->state == TCP_CLOSE_WAIT;
}

bool connection_depends_on(const struct flow_vec *flows,
			   const struct ip_addr *source)
{
	size_t end;

	for (size_t first = 0; first < flows->n; first = end) {
		bool from_source = false;
		bool from_elsewhere = false;

		end = connection_end(flows, first);
		for (size_t i = first; i < end; i++) {
			const struct flow *it = &flows->items[i];

			if (!connection_is_open(it))
				continue;
			if (ip_addr_equal(&it->src, source))
				from_source = true;
			else
				from_elsewhere = true;
		}
		if (from_source && !from_elsewhere)
			return true;
	}
	return false;
}
