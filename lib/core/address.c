/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/address.h"

int address_cmp(const struct address *a, const struct address *b)
{
	int order;

	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	order = ip_addr_cmp(&a->local, &b->local);
	if (order)
		return order;
	order = ip_addr_cmp(&a->peer, &b->peer);
	if (order)
		return order;
	return (int)a->prefix_len - (int)b->prefix_len;
}
