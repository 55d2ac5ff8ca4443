/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sock_diag messages, one behind the other as in a datagram. Whatever comes
 * must be refused or be a flow that makes sense, and be the same twice.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/msg.h>

#include "kernel/decode_flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct nlmsghdr *hdr)
{
	struct flow flow;
	struct flow again;
	int r;

	/* Whatever was there before must not matter. */
	memset(&flow, 0x55, sizeof(flow));
	memset(&again, 0xaa, sizeof(again));
	r = decode_flow(hdr, &flow);
	assert(r == 0 || r == -EBADMSG);
	assert(decode_flow(hdr, &again) == r);
	if (r)
		return;
	assert(flow.src.family == AF_INET || flow.src.family == AF_INET6);
	assert(flow.dst.family == flow.src.family);
	assert(ip_addr_equal(&flow.src, &again.src));
	assert(flow.cookie == again.cookie && flow.inode == again.inode);
	assert(flow.token_local == again.token_local);
	assert(flow.bytes_acked == again.bytes_acked);
	assert(flow.mptcp || (!flow.token_local && !flow.subflow_flags));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1); /* no byte too many */
	const struct nlmsghdr *hdr = (const struct nlmsghdr *)bytes;
	int len = (int)size;

	assert(bytes);
	memcpy(bytes, data, size);
	for (; size < INT32_MAX && nlmsg_ok(hdr, len);
	     hdr = nlmsg_next((struct nlmsghdr *)hdr, &len))
		check(hdr);
	free(bytes);
	return 0;
}
