/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manager_state - parts of one connection; for the manager's own files.
 */
#ifndef MANAGER_STATE_H
#define MANAGER_STATE_H

#include "core/manager.h"

/** connection_subflow() - between @ends; port 0 stands for any; NULL: none */
struct managed_subflow *connection_subflow(struct managed_connection *of,
					   const struct mptcp_ends *ends);

/** connection_remove_subflow() - @subflow: one of @of's; gone afterwards */
void connection_remove_subflow(struct managed_connection *of,
			       const struct managed_subflow *subflow);

/** connection_failed() - NULL: it did not fail */
struct failed_way *connection_failed(struct managed_connection *of,
				     const struct ip_addr *src,
				     const struct ip_addr *dst);

/**
 * connection_fail() - it is tried again, later each time
 * @error: errno; 0: nobody knows
 */
void connection_fail(struct managed_connection *connection,
		     const struct mptcp_ends *ends, int error, uint64_t now_ms);

/** connection_forgive() - it did not fail after all */
void connection_forgive(struct managed_connection *connection,
			const struct mptcp_ends *ends);

/** connection_number() - of an address; it gets one; NULL: none is left */
struct numbered_address *
connection_number(struct managed_connection *connection,
		  const struct ip_addr *addr);

/** connection_set_number() - of an address, as the kernel has it
 *
 * Another address that was to have it has none then.
 */
void connection_set_number(struct managed_connection *connection,
			   const struct ip_addr *addr, uint8_t id);

/**
 * connection_told() - what came of announcing or withdrawing an address
 *
 * If it failed, it is tried again, later each time.
 */
void connection_told(struct managed_connection *connection,
		     const struct manager_action *action, int error,
		     uint64_t now_ms);

/**
 * connection_set_peer() - an address of the peer
 * @port: 0: that of the first subflow
 *
 * The last word counts, but its first address stays number 0. One too many is
 * left out.
 */
void connection_set_peer(struct managed_connection *connection, uint8_t id,
			 const struct ip_addr *addr, uint16_t port);

/** connection_unset_peer() - an address of the peer that it withdrew */
void connection_unset_peer(struct managed_connection *connection, uint8_t id);

/** manager_begin() - the connection @token; if there is none, a bare new one */
struct managed_connection *manager_begin(struct manager *manager,
					 uint32_t token,
					 const struct mptcp_ends *first,
					 bool passive);

/** manager_forget() - @token may be unknown */
void manager_forget(struct manager *manager, uint32_t token);

#endif
