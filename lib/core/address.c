/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/address.h"

#include <sys/socket.h>

int address_cmp(const struct address *a, const struct address *b)
{
	int order;

	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	order = ip_addr_cmp(&a->local, &b->local);
	if (order || a->local.family == AF_INET6)
		return order;
	order = ip_addr_cmp(&a->peer, &b->peer);
	if (order)
		return order;
	return (int)a->prefix_len - (int)b->prefix_len;
}

bool address_same(const struct address *a, const struct address *b)
{
	return address_cmp(a, b) == 0 && ip_addr_equal(&a->peer, &b->peer) &&
	       a->prefix_len == b->prefix_len && a->scope == b->scope &&
	       a->tentative == b->tentative && a->dad_failed == b->dad_failed &&
	       a->deprecated == b->deprecated && a->temporary == b->temporary;
}
