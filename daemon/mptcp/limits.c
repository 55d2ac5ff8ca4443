/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mptcp/limits.h"

#include "log.h"

static bool is_equal(const struct mptcp_limits *a, const struct mptcp_limits *b)
{
	return a->subflows == b->subflows && a->accepted == b->accepted;
}

/* @have, or what is missing of @want. */
static struct mptcp_limits at_least(const struct mptcp_limits *have,
				    uint32_t want)
{
	struct mptcp_limits set = *have;

	if (set.subflows < want)
		set.subflows = want;
	if (set.accepted < want)
		set.accepted = want;
	return set;
}

bool limits_want(struct limits *limits, struct mptcp *mptcp, uint32_t want)
{
	struct mptcp_limits have;
	struct mptcp_limits set;

	if (mptcp_get_limits(mptcp, &have))
		return false;
	set = at_least(&have, want);
	if (is_equal(&set, &have))
		return false;
	/* What somebody has made of them since is what they were before. */
	if (!limits->raised || !is_equal(&limits->set, &have))
		limits->before = have;
	limits->set = set;
	limits->raised = true;
	return true;
}

bool limits_raise(const struct limits *limits, struct mptcp *mptcp)
{
	if (mptcp_set_limits(mptcp, &limits->set) == 0)
		return true;
	log_warn("mptcp: the limits cannot be raised to %u subflows and %u "
		 "announced addresses",
		 limits->set.subflows, limits->set.accepted);
	return false;
}

int limits_lower(struct limits *limits, struct mptcp *mptcp)
{
	struct mptcp_limits have;
	int error;

	if (!limits->raised)
		return 0;
	error = mptcp_get_limits(mptcp, &have);
	/* Only what is as we left it. */
	if (!error && is_equal(&have, &limits->set))
		error = mptcp_set_limits(mptcp, &limits->before);
	if (error)
		log_warn("mptcp: the limits could not be put back: %s",
			 strerror(-error));
	limits->raised = error != 0;
	return error;
}

bool limits_relax(struct limits *limits, struct mptcp *mptcp, uint32_t want)
{
	const struct mptcp_limits set = at_least(&limits->before, want);

	if (!limits->raised || is_equal(&set, &limits->set))
		return false;
	return limits_lower(limits, mptcp) == 0;
}
