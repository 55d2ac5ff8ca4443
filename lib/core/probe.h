/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe - which destinations tell whether a prefix is routed as it should be.
 *
 * A wrong entry for a prefix shows at its first and its last address; one that
 * is too long, too short or missing shows just outside.
 */
#ifndef PROBE_H
#define PROBE_H

#include "core/ip.h"

#define PROBE_MAX 4

/**
 * probe_addresses() - the edges of @prefix, inside and outside
 * @ret: in ascending order, unique
 *
 * Left out is what no routing table decides about: the unspecified address,
 * loopback, multicast, IPv6 link-local and the IPv4 limited broadcast.
 *
 * Return: how many, at most PROBE_MAX; 0 is possible.
 */
size_t probe_addresses(const struct ip_prefix *prefix,
		       struct ip_addr ret[PROBE_MAX]);

#endif
