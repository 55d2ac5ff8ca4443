/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of the MPTCP path manager, one behind the other as in a datagram.
 * Whatever comes must be refused, with nothing written, or make sense, and be
 * the same twice.
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/msg.h>

#include "kernel/decode_mptcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct nlmsghdr *hdr)
{
	struct endpoint endpoint;
	struct endpoint again;
	struct mptcp_limits limits = {17, 42};
	int r;

	/* Whatever was there before must not matter. */
	memset(&endpoint, 0x55, sizeof(endpoint));
	memset(&again, 0xaa, sizeof(again));
	r = decode_endpoint(hdr, &endpoint);
	assert(r == 0 || r == -EBADMSG);
	assert(decode_endpoint(hdr, &again) == r);
	if (r == 0) {
		assert(endpoint.addr.family == AF_INET ||
		       endpoint.addr.family == AF_INET6);
		assert(ip_addr_equal(&endpoint.addr, &again.addr));
		assert(endpoint.id == again.id);
		assert(endpoint.flags == again.flags);
	}
	r = decode_limits(hdr, &limits);
	assert(r == 0 || r == -EBADMSG);
	assert(r == 0 || (limits.subflows == 17 && limits.accepted == 42));
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
