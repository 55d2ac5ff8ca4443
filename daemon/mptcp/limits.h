/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits - how many subflows the kernel lets a connection have.
 *
 * Raised where they are lower than wanted, and put back if nobody changed them
 * in between: at the end, and before less is wanted than they were raised to.
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
 * limits_want() - at least @want subflows and announced addresses
 *
 * Return: whether @limits changed: to be written down, then limits_raise().
 */
bool limits_want(struct limits *limits, struct mptcp *mptcp, uint32_t want);

/** limits_raise() - Return: false: the kernel refused, which was logged */
bool limits_raise(const struct limits *limits, struct mptcp *mptcp);

/**
 * limits_relax() - back to what they were, if @want would not raise them as far
 *
 * Return: whether they are no longer raised: to be written down. Only then
 * limits_want() may raise them anew; a crash in between is no harm.
 */
bool limits_relax(struct limits *limits, struct mptcp *mptcp, uint32_t want);

/**
 * limits_lower() - back to what they were before
 *
 * Return: 0, or -errno, which was logged: they are still raised.
 */
int limits_lower(struct limits *limits, struct mptcp *mptcp);

#endif
