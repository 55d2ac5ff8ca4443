/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode_mptcp - what the MPTCP path manager answers and tells, to
 * values.
 */
#ifndef DECODE_MPTCP_H
#define DECODE_MPTCP_H

#include "core/mptcp_event.h"
#include "kernel/message.h"
#include "kernel/mptcp.h"

/* @hdr: a message whose length is within what was received. All return 0 or
 * -EBADMSG (@ret untouched). */
int decode_endpoint(const struct nlmsghdr *hdr, struct endpoint *ret);
int decode_limits(const struct nlmsghdr *hdr, struct mptcp_limits *ret);
int decode_mptcp_event(const struct nlmsghdr *hdr, struct mptcp_event *ret);

#endif
