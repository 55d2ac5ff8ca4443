/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode_mptcp.h"

#include <errno.h>
#include <netinet/in.h>

#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <netlink/attr.h>

int decode_endpoint(const struct nlmsghdr *hdr, struct endpoint *ret)
{
	const struct nlattr *of[MESSAGE_ATTRS];
	struct endpoint endpoint = {0};
	const struct nlattr *nested;
	struct message message;
	uint32_t flags = 0;

	if (message_parse(hdr, GENL_HDRLEN, &message))
		return -EBADMSG;
	nested = message.attr[MPTCP_PM_ATTR_ADDR];
	if (!nested || message_index(nla_data(nested), nla_len(nested), of))
		return -EBADMSG;
	if (attr_addr(of[MPTCP_PM_ADDR_ATTR_ADDR4], AF_INET, &endpoint.addr) ||
	    attr_addr(of[MPTCP_PM_ADDR_ATTR_ADDR6], AF_INET6, &endpoint.addr) ||
	    attr_u8(of[MPTCP_PM_ADDR_ATTR_ID], &endpoint.id) ||
	    attr_u32(of[MPTCP_PM_ADDR_ATTR_FLAGS], &flags) ||
	    attr_u32(of[MPTCP_PM_ADDR_ATTR_IF_IDX], &endpoint.ifindex))
		return -EBADMSG;
	if (!ip_addr_is_set(&endpoint.addr) || endpoint.id == 0)
		return -EBADMSG;
	endpoint.flags = (uint8_t)flags;
	*ret = endpoint;
	return 0;
}

int decode_limits(const struct nlmsghdr *hdr, struct mptcp_limits *ret)
{
	struct mptcp_limits limits = {0};
	struct message message;

	if (message_parse(hdr, GENL_HDRLEN, &message) ||
	    !message.attr[MPTCP_PM_ATTR_SUBFLOWS] ||
	    !message.attr[MPTCP_PM_ATTR_RCV_ADD_ADDRS] ||
	    attr_u32(message.attr[MPTCP_PM_ATTR_SUBFLOWS], &limits.subflows) ||
	    attr_u32(message.attr[MPTCP_PM_ATTR_RCV_ADD_ADDRS],
		     &limits.accepted))
		return -EBADMSG;
	*ret = limits;
	return 0;
}
