/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/limits.h"

#include "log.h"

static bool is_equal(const struct mptcp_limits *a, const struct mptcp_limits *b)
{
	return a->subflows == b->subflows && a->accepted == b->accepted;
}

bool limits_raise(struct limits *limits, struct mptcp *mptcp, uint32_t want)
{
	struct mptcp_limits have;
	struct mptcp_limits set;

	if (mptcp_get_limits(mptcp, &have))
		return false;
	set = have;
	if (set.subflows < want)
		set.subflows = want;
	if (set.accepted < want)
		set.accepted = want;
	if (is_equal(&set, &have))
		return false;
	if (mptcp_set_limits(mptcp, &set)) {
		log_warn("mptcp: the limits cannot be raised: %u subflows and "
			 "%u announced addresses at most",
			 have.subflows, have.accepted);
		return false;
	}
	if (!limits->raised)
		limits->before = have;
	limits->set = set;
	limits->raised = true;
	return true;
}

void limits_lower(struct limits *limits, struct mptcp *mptcp)
{
	struct mptcp_limits have;

	if (!limits->raised)
		return;
	limits->raised = false;
	/* Only what is as we left it. */
	if (mptcp_get_limits(mptcp, &have) || !is_equal(&have, &limits->set))
		return;
	if (mptcp_set_limits(mptcp, &limits->before))
		log_warn("mptcp: the limits could not be put back");
}
