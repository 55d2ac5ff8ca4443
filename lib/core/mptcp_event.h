/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mptcp_event - what the kernel tells of MPTCP connections, as values.
 *
 * <linux/mptcp.h> has the kernel's own list. What an event does not carry is
 * zero. IPv4-mapped addresses are IPv4: so the packets are.
 */
#ifndef MPTCP_EVENT_H
#define MPTCP_EVENT_H

#include "core/ip.h"

enum mptcp_event_kind {
	MPTCP_OPENED, /* CREATED: token, ends, passive, denies_first */
	MPTCP_READY,  /* ESTABLISHED: the same; it can have more subflows */
	MPTCP_ENDED,  /* CLOSED: token; perhaps of one that never was told */
	MPTCP_PEER_ANNOUNCED,  /* token, ends.dst, ends.dport, id_remote */
	MPTCP_PEER_WITHDREW,   /* token, id_remote */
	MPTCP_SUBFLOW_OPENED,  /* token, ends, ids, backup */
	MPTCP_SUBFLOW_CLOSED,  /* the same, and error */
	MPTCP_SUBFLOW_CHANGED, /* the same: backup */
	MPTCP_OTHER,
};

/* Between which sockets a subflow runs. */
struct mptcp_ends {
	struct ip_addr src; /* this host's */
	struct ip_addr dst;
	uint16_t sport; /* in the host's order */
	uint16_t dport;
};

struct mptcp_event {
	enum mptcp_event_kind kind;
	uint32_t token;
	struct mptcp_ends ends;
	uint8_t id_local;
	uint8_t id_remote;
	bool backup;
	bool passive;	   /* the peer opened the connection */
	bool denies_first; /* it takes no joins to its first address */
	uint8_t error;	   /* errno of a subflow that failed; 0: none */
};

#endif
