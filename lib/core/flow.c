/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/flow.h"

#include <netinet/tcp.h>

bool flow_is_opening(const struct flow *flow)
{
	return flow->state == TCP_SYN_SENT || flow->state == TCP_SYN_RECV;
}
