/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode_mptcp - what the MPTCP path manager answers, to values.
 */
#ifndef DECODE_MPTCP_H
#define DECODE_MPTCP_H

#include "kernel/message.h"
#include "kernel/mptcp.h"

/* @hdr: a message whose length is within what was received. Both return 0 or
 * -EBADMSG (@ret untouched). */
int decode_endpoint(const struct nlmsghdr *hdr, struct endpoint *ret);
int decode_limits(const struct nlmsghdr *hdr, struct mptcp_limits *ret);

#endif
