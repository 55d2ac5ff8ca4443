/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow_counts - what the kernel counts of this network namespace's TCP sockets.
 *
 * Files of /proc that take some microseconds each, where a list takes
 * milliseconds: the kernel walks a table for the sockets of the whole machine
 * for one, even if that is empty.
 */
#ifndef FLOW_COUNTS_H
#define FLOW_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

/* -1: not open yet. */
struct flow_counts {
	int sockets; /* of IPv4 */
	int sockets6;
	int events;
};

void flow_counts_init(struct flow_counts *counts);
void flow_counts_done(struct flow_counts *counts);

/**
 * flow_counts_any() - whether there is any TCP socket
 *
 * Of whatever state, so that a yes says little; also if it cannot be told.
 */
bool flow_counts_any(struct flow_counts *counts);

/**
 * flow_counts_begun() - how many connections have begun here since the boot
 *
 * From either side, and also those that came to nothing: ActiveOpens and
 * PassiveOpens of RFC 4022 together. A socket that starts to connect is counted
 * after it can be listed, one that the peer began before (6.18). Not counted is
 * what is brought back with TCP_REPAIR, as by CRIU.
 *
 * Return: whether the kernel says (@ret untouched if not).
 */
bool flow_counts_begun(struct flow_counts *counts, uint64_t *ret);

/** flow_counts_parse() - the same number in the text of /proc/net/snmp */
bool flow_counts_parse(const char *text, uint64_t *ret);

#endif
