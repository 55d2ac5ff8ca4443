/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decode_flow - sock_diag's messages about TCP sockets to values.
 */
#ifndef DECODE_FLOW_H
#define DECODE_FLOW_H

#include "core/flow.h"
#include "kernel/message.h"

/**
 * decode_flow() - one socket, or the end of one
 * @hdr: a message whose length is within what was received
 *
 * Return: 0, or -EBADMSG (@ret untouched).
 */
int decode_flow(const struct nlmsghdr *hdr, struct flow *ret);

#endif
