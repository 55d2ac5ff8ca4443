/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter - which messages the listening socket lets in.
 *
 * Runs in the kernel, before a message is queued, so that what we do not want
 * costs no wake-up and no room. Dropped are the echoes of our own writes, most
 * of what neighbour entries have to say (on an idle host with kept gateways
 * these change state every half minute), what of router advertisements is
 * no prefix, and routes of foreign tables, but for defaults.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <netlink/netlink.h>

#define FILTER_PORTS 3

struct filter {
	/* Whose echoes are dropped; 0: nobody's (the kernel's own pass). */
	uint32_t own_ports[FILTER_PORTS];
	uint8_t protocol;     /* neighbour entries marked so are ours */
	uint32_t table_first; /* routes of these tables pass, and main's */
	uint32_t table_last;
	bool recovery; /* neighbours that become valid or go are wanted */
};

/**
 * filter_attach() - in place of an earlier one, without a gap
 *
 * Neighbour messages that pass: entries that failed or became permanent;
 * deletions of our own ones; with @recovery also those that became valid, and
 * every deletion.
 * Return: 0 or -errno.
 */
int filter_attach(struct nl_sock *sock, const struct filter *filter);

#endif
