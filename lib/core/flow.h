/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow - one TCP connection of this host, as the kernel's sock_diag tells it.
 */
#ifndef FLOW_H
#define FLOW_H

#include "core/ip.h"
#include "core/vec.h"

struct flow {
	/*
	 * Of one family. Those of an IPv6 socket with IPv4-mapped addresses are
	 * IPv4: so its packets are.
	 */
	struct ip_addr src;
	struct ip_addr dst;
	uint16_t sport; /* in the host's order; 0 in some ends of flows */
	uint16_t dport;
	/*
	 * TCP_ESTABLISHED, ...; TCP_CLOSE of one that ended; TCP_TIME_WAIT also
	 * of one in FIN_WAIT2 that nobody has open any more.
	 */
	uint8_t state;
	uint64_t cookie; /* of the socket; never used again till a reboot */
	/*
	 * Of the socket's file; 0: it has none any more. Grows with the age of
	 * the host, so of two flows the lower one is mostly the older.
	 */
	uint32_t inode;
	uint32_t oif; /* the link it is bound to; 0: none */
	/*
	 * Two retransmissions, or two probes, in a row were not answered: the
	 * path carries nothing. Any answer ends it.
	 */
	bool stalled;
	/* A subflow of an MPTCP connection; only if this was asked for. */
	bool mptcp;
	uint32_t token_local; /* which connection it belongs to, on this host */
	uint32_t token_remote; /* 0 on subflows that a peer began (6.18) */
	uint8_t id_local;      /* of the addresses, within the connection */
	uint8_t id_remote;
	uint32_t subflow_flags;	 /* MPTCP_SUBFLOW_FLAG_ of <linux/mptcp.h> */
	uint64_t bytes_acked;	 /* sent, and confirmed */
	uint64_t bytes_received; /* both only if asked for, as above */
};

VEC(flow_vec, struct flow);

#define FLOW_SOURCES_MAX 64
#define FLOW_DESTS_MAX	 64

/* Which flows are asked for: borrowed. */
struct flow_query {
	const struct ip_prefix *sources; /* from any of these; both families */
	size_t n_sources;		 /* 1 to FLOW_SOURCES_MAX */
	const struct ip_prefix *dests;	 /* and to any of these */
	size_t n_dests; /* at most FLOW_DESTS_MAX; 0: wherever to */
	bool opening;	/* those in SYN_SENT and SYN_RECV as well */
	bool detailed;	/* MPTCP and byte counts; costs a tenth more */
};

typedef void flow_fn(const struct flow *flow, void *data);

/** flow_is_opening() - in SYN_SENT or SYN_RECV */
bool flow_is_opening(const struct flow *flow);

#endif
