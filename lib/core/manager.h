/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manager - a path manager in user space: what it knows of each MPTCP
 * connection, and what it does next.
 *
 * Pure. Events go in with manager_hear() and decide nothing; manager_plan()
 * says what to do, by the draft's section 5 (subflow.h), as actions; what came
 * of each goes in with manager_done(). Time is in ms on a clock that never goes
 * back.
 *
 * A subflow, as far as this host knows:
 *
 *	opening  its SYN was sent; failed if nothing is heard for 5 minutes
 *	open     the kernel says so
 *	lost     open, and its path is gone since lost_ms: it waits for
 *	         hold_ms, then it is closed if the connection has another open
 *	         one, so that a fresh one is opened as soon as the path is back
 *	closing  told to close, again after 1 s if that failed; gone when the
 *	         kernel says so
 *
 * A way, that is source and destination, on which a subflow failed is tried
 * again after 1 s, 2 s, 4 s and so on, and at once when it was without a path
 * and has one again. One that was open for MANAGER_STABLE_MS did not fail. To
 * announce or withdraw an address is tried again after the same times.
 */
#ifndef MANAGER_H
#define MANAGER_H

#include "core/flow.h"
#include "core/mptcp_event.h"
#include "core/subflow.h"

#define MANAGER_RETRY_MS     1000
#define MANAGER_RETRY_MAX_MS 256000
#define MANAGER_STABLE_MS    30000
#define MANAGER_OPENING_MS   300000

struct managed_subflow {
	struct mptcp_ends ends; /* sport 0: opening, not known yet */
	uint8_t id_local;
	uint8_t id_remote;
	bool backup;
	bool wants_backup; /* it was opened as one */
	bool opening;
	bool closing;
	bool by_peer;
	bool judged;	   /* section 5.2 was asked */
	bool had_path;	   /* it has been congruent */
	uint64_t lost_ms;  /* 0: its path is there, or never was */
	uint64_t open_ms;  /* since when it is open, or opening */
	uint64_t close_ms; /* when to tell it to close again; 0: it was told */
};

/* An address of the peer; its first one has id 0. */
struct peer_address {
	uint8_t id;
	struct ip_addr addr;
	uint16_t port;
	/* The kernel has no subflows to it: an AF_INET socket's are IPv4. */
	bool refused;
};

/* An address of ours, and its number all along the connection. */
struct numbered_address {
	uint8_t id;
	struct ip_addr addr;
	bool announced; /* as the peer knows, or is about to */
	/* To announce or withdraw it failed: how often in a row, and when it is
	 * tried again; it may not be wanted any more then. */
	unsigned int failures;
	uint64_t next_ms; /* 0: it did not fail */
};

/* Where a subflow failed. */
struct failed_way {
	struct ip_addr src;
	struct ip_addr dst;
	unsigned int failures; /* in a row */
	uint64_t next_ms;      /* when it is tried again */
	int error;     /* errno; 0: the peer closed it, or nobody knows */
	bool has_path; /* when it was looked at last */
};

VEC(managed_subflow_vec, struct managed_subflow);
VEC(peer_address_vec, struct peer_address);
VEC(numbered_address_vec, struct numbered_address);
VEC(failed_way_vec, struct failed_way);

struct managed_connection {
	uint32_t token;
	bool passive;	   /* the peer opened it */
	bool denies_first; /* the peer takes no joins to its first address */
	bool ready;	   /* further subflows can be opened */
	bool obeys;	   /* a command was carried out */
	bool ignored;	   /* another path manager has it */
	bool changed;	   /* since it was planned */
	struct mptcp_ends first;
	struct managed_subflow_vec subflows; /* in the order of their begin */
	struct peer_address_vec peer;
	struct numbered_address_vec own;
	struct failed_way_vec failed;
	uint64_t next_ms; /* when there is work by the clock; 0: none */
};

VEC(managed_connection_vec, struct managed_connection);

struct manager {
	struct managed_connection_vec connections; /* by token */
};

void manager_done_all(struct manager *manager);

/**
 * manager_may_join() - whether subflows can be opened to an address of the peer
 * @peer: one of @connection's
 *
 * Source: RFC 8684, section 3.1, the flag C, for the first one.
 */
bool manager_may_join(const struct managed_connection *connection,
		      const struct peer_address *peer);

/** manager_find() - NULL: there is none */
struct managed_connection *manager_find(const struct manager *manager,
					uint32_t token);

/* --- what comes in --- */

/** manager_hear() - an event; of unknown connections as well */
void manager_hear(struct manager *manager, const struct mptcp_event *event,
		  uint64_t now_ms);

/** manager_recover() - connections of an earlier life
 * @subflows: all of this host's, as connection_sort() has them
 *
 * What is known already stays; what has no subflow here any more goes, and what
 * is ending is left out. What the peer announced before is not known again.
 */
void manager_recover(struct manager *manager, const struct flow_vec *subflows);

/**
 * manager_number() - addresses that have an id on a connection
 *
 * What a subflow shows already stays.
 */
void manager_number(struct managed_connection *connection,
		    const struct endpoint_vec *known);

/** manager_touch() - routing changed: every connection is to be looked at */
void manager_touch(struct manager *manager);

/**
 * manager_touch_rows() - routes of some prefixes changed, and nothing else
 * @rows: those prefixes, none of them a default; of very many, every connection
 *	is to be looked at
 */
void manager_touch_rows(struct manager *manager, const struct prefix_vec *rows);

/* --- what goes out --- */

enum manager_do {
	MANAGER_OPEN,	  /* a subflow */
	MANAGER_CLOSE,	  /* one */
	MANAGER_MARK,	  /* one as a backup, where the kernel forgot */
	MANAGER_ANNOUNCE, /* ends.src, to the peer */
	MANAGER_WITHDRAW, /* ends.src, from it */
};

struct manager_action {
	enum manager_do what;
	uint32_t token;
	struct mptcp_ends ends;
	uint8_t id_local;
	bool backup;
	bool rejects;	 /* MANAGER_CLOSE: of one that the peer opened */
	const char *why; /* for the log; static */
};

VEC(manager_action_vec, struct manager_action);

/**
 * manager_plan() - what is due
 * @ret: appended; each is to be carried out, then told with manager_done()
 */
void manager_plan(struct manager *manager, const struct view *view,
		  uint64_t now_ms, struct manager_action_vec *ret);

/** manager_done() - what came of an action; @error: 0 or -errno */
void manager_done(struct manager *manager, const struct manager_action *action,
		  int error, uint64_t now_ms);

/** manager_next() - when there is work by the clock; 0: none */
uint64_t manager_next(const struct manager *manager);

#endif
