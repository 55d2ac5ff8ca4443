/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/probe.h"

#include <netinet/in.h>
#include <string.h>

/* The next address up (@step 1) or down (-1); false where there is none. */
static bool neighbour_of(const struct ip_addr *addr, int step,
			 struct ip_addr *ret)
{
	uint8_t overflow = step > 0 ? 0 : UINT8_MAX;
	struct ip_addr next = *addr;

	for (size_t i = ip_bits(addr->family) / 8; i-- > 0;) {
		next.bytes[i] = (uint8_t)(next.bytes[i] + step);
		if (next.bytes[i] != overflow) {
			*ret = next;
			return true;
		}
	}
	return false;
}

static bool is_limited_broadcast(const struct ip_addr *addr)
{
	static const uint8_t ones[4] = {255, 255, 255, 255};

	return addr->family == AF_INET && memcmp(addr->bytes, ones, 4) == 0;
}

static bool is_routed(const struct ip_addr *addr)
{
	if (ip_addr_is_any(addr) || ip_addr_is_loopback(addr) ||
	    ip_addr_is_multicast(addr) || is_limited_broadcast(addr))
		return false;
	return addr->family == AF_INET || !ip_addr_is_link_local(addr);
}

size_t probe_addresses(const struct ip_prefix *prefix,
		       struct ip_addr ret[PROBE_MAX])
{
	const struct ip_addr first = prefix->addr;
	const struct ip_addr last = ip_prefix_last(prefix);
	struct ip_addr all[PROBE_MAX];
	size_t n_all = 0;
	size_t n = 0;

	n_all += neighbour_of(&first, -1, &all[n_all]);
	all[n_all++] = first;
	if (!ip_addr_equal(&first, &last))
		all[n_all++] = last;
	n_all += neighbour_of(&last, 1, &all[n_all]);

	for (size_t i = 0; i < n_all; i++)
		if (is_routed(&all[i]))
			ret[n++] = all[i];
	return n;
}
