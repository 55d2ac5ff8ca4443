/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode_mptcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>

#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <netlink/attr.h>

#define FLAG_PASSIVE 2 /* newer than the headers of Debian 12 */
#define FLAG_DENIES  MPTCP_PM_EV_FLAG_DENY_JOIN_ID0

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

/* --- events --- */

static enum mptcp_event_kind kind_of(uint8_t command)
{
	static const struct {
		uint8_t command;
		enum mptcp_event_kind kind;
	} kinds[] = {
		{MPTCP_EVENT_CREATED, MPTCP_OPENED},
		{MPTCP_EVENT_ESTABLISHED, MPTCP_READY},
		{MPTCP_EVENT_CLOSED, MPTCP_ENDED},
		{MPTCP_EVENT_ANNOUNCED, MPTCP_PEER_ANNOUNCED},
		{MPTCP_EVENT_REMOVED, MPTCP_PEER_WITHDREW},
		{MPTCP_EVENT_SUB_ESTABLISHED, MPTCP_SUBFLOW_OPENED},
		{MPTCP_EVENT_SUB_CLOSED, MPTCP_SUBFLOW_CLOSED},
		{MPTCP_EVENT_SUB_PRIORITY, MPTCP_SUBFLOW_CHANGED},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].command == command)
			return kinds[i].kind;
	return MPTCP_OTHER;
}

/* An address of either family, IPv4 out of its IPv6 form. */
static int decode_end(const struct nlattr *v4, const struct nlattr *v6,
		      struct ip_addr *ret)
{
	struct ip_addr addr = {0};

	if (attr_addr(v4, AF_INET, &addr) || attr_addr(v6, AF_INET6, &addr))
		return -EBADMSG;
	if (ip_addr_is_mapped(&addr))
		addr = ip_addr_make(AF_INET, addr.bytes + 12);
	*ret = addr;
	return 0;
}

/* Unlike most of netlink, in the network's order. */
static int decode_port(const struct nlattr *attr, uint16_t *ret)
{
	uint16_t value;

	if (!attr)
		return 0;
	if (nla_len(attr) != sizeof(value))
		return -EBADMSG;
	memcpy(&value, nla_data(attr), sizeof(value));
	*ret = ntohs(value);
	return 0;
}

static int decode_flag(const struct nlattr *attr, bool *ret)
{
	uint8_t value = 0;

	if (attr_u8(attr, &value))
		return -EBADMSG;
	*ret = *ret || value != 0;
	return 0;
}

/* Who opened it is told by an attribute, or by a flag of newer kernels. */
static int decode_flags(const struct message *message, struct mptcp_event *ret)
{
	const struct nlattr *flags = message->attr[MPTCP_ATTR_FLAGS];
	uint16_t value = 0;

	if (flags && nla_len(flags) != sizeof(value))
		return -EBADMSG;
	if (flags)
		memcpy(&value, nla_data(flags), sizeof(value));
	ret->denies_first = value & FLAG_DENIES;
	ret->passive = value & FLAG_PASSIVE;
	return decode_flag(message->attr[MPTCP_ATTR_SERVER_SIDE],
			   &ret->passive);
}

static int decode_ends(const struct message *message, struct mptcp_ends *ret)
{
	if (decode_end(message->attr[MPTCP_ATTR_SADDR4],
		       message->attr[MPTCP_ATTR_SADDR6], &ret->src) ||
	    decode_end(message->attr[MPTCP_ATTR_DADDR4],
		       message->attr[MPTCP_ATTR_DADDR6], &ret->dst) ||
	    decode_port(message->attr[MPTCP_ATTR_SPORT], &ret->sport) ||
	    decode_port(message->attr[MPTCP_ATTR_DPORT], &ret->dport))
		return -EBADMSG;
	return 0;
}

static bool has_what_it_needs(const struct mptcp_event *event)
{
	switch (event->kind) {
	case MPTCP_OPENED:
	case MPTCP_READY:
	case MPTCP_SUBFLOW_OPENED:
	case MPTCP_SUBFLOW_CLOSED:
	case MPTCP_SUBFLOW_CHANGED:
		return ip_addr_is_set(&event->ends.src) &&
		       event->ends.src.family == event->ends.dst.family;
	case MPTCP_PEER_ANNOUNCED:
		return ip_addr_is_set(&event->ends.dst);
	case MPTCP_PEER_WITHDREW:
	case MPTCP_ENDED:
	case MPTCP_OTHER:
		return true;
	}
	return false;
}

int decode_mptcp_event(const struct nlmsghdr *hdr, struct mptcp_event *ret)
{
	struct mptcp_event event = {0};
	const struct genlmsghdr *body;
	struct message message;

	if (message_parse(hdr, GENL_HDRLEN, &message))
		return -EBADMSG;
	body = message.body;
	event.kind = kind_of(body->cmd);
	if (attr_u32(message.attr[MPTCP_ATTR_TOKEN], &event.token) ||
	    attr_u8(message.attr[MPTCP_ATTR_LOC_ID], &event.id_local) ||
	    attr_u8(message.attr[MPTCP_ATTR_REM_ID], &event.id_remote) ||
	    attr_u8(message.attr[MPTCP_ATTR_ERROR], &event.error) ||
	    decode_flag(message.attr[MPTCP_ATTR_BACKUP], &event.backup) ||
	    decode_flags(&message, &event) ||
	    decode_ends(&message, &event.ends))
		return -EBADMSG;
	if (event.kind != MPTCP_OTHER &&
	    (!message.attr[MPTCP_ATTR_TOKEN] || !has_what_it_needs(&event)))
		return -EBADMSG;
	*ret = event;
	return 0;
}
