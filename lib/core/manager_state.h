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

/** connection_failed() - NULL: it did not fail */
struct failed_way *connection_failed(struct managed_connection *of,
				     const struct ip_addr *src,
				     const struct ip_addr *dst);

/** connection_number() - of an address; it gets one; NULL: none is left */
struct numbered_address *
connection_number(struct managed_connection *connection,
		  const struct ip_addr *addr);

#endif
