/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits - how many subflows the kernel lets a connection have.
 *
 * Raised where they are lower than wanted, and put back at the end if nobody
 * changed them in between.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include "kernel/mptcp.h"

struct limits {
	bool raised; /* by us; else the rest means nothing */
	struct mptcp_limits before;
	struct mptcp_limits set;
};

/**
 * limits_raise() - to at least @want subflows and announced addresses
 *
 * Return: whether @limits changed. What the kernel refuses is logged.
 */
bool limits_raise(struct limits *limits, struct mptcp *mptcp, uint32_t want);

/** limits_lower() - back to what they were before */
void limits_lower(struct limits *limits, struct mptcp *mptcp);

#endif
