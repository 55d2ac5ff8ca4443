/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode.h"

#include <assert.h>

#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

static_assert(LINK_NAME_MAX == IFNAMSIZ, "link.h mirrors the kernel");

/* The states in which the kernel sends to the neighbour (its NUD_VALID). */
#define NUD_VALID                                                              \
	(NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE |   \
	 NUD_DELAY)

typedef bool decode_fn(const struct message *message,
		       const struct decode_context *context,
		       struct kernel_event *ret);

bool decode_bad(struct kernel_event *ret, const char *why)
{
	ret->kind = KERNEL_BAD;
	ret->bad = why;
	return true;
}

static bool is_ip(uint8_t family)
{
	return family == AF_INET || family == AF_INET6;
}

/* Kinds that have the carrier of the link they lie on; a tunnel has not. */
static bool is_stacked(const char *kind)
{
	static const char *const kinds[] = {"vlan",   "macvlan", "macvtap",
					    "ipvlan", "ipvtap",	 "macsec"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kind, kinds[i]) == 0)
			return true;
	return false;
}

static int decode_kind(const struct message *message, struct link *ret)
{
	const struct nlattr *linkinfo = message->attr[IFLA_LINKINFO];
	const struct nlattr *table[MESSAGE_ATTRS];
	char kind[32] = "";
	int r;

	if (!linkinfo)
		return 0;
	r = message_index(nla_data(linkinfo), nla_len(linkinfo), table);
	if (r)
		return r;
	r = attr_text(table[IFLA_INFO_KIND], kind, sizeof(kind));
	if (r)
		return r;
	ret->vrf = strcmp(kind, "vrf") == 0;
	ret->vlan = strcmp(kind, "vlan") == 0;
	/* The index is another namespace's where that is named. */
	if (is_stacked(kind) && !message->attr[IFLA_LINK_NETNSID])
		return attr_u32(message->attr[IFLA_LINK], &ret->lower);
	return 0;
}

/*
 * The families a link has, each with what of its settings is told. Below an MTU
 * of 1280 there is no IPv6 at all.
 */
static int decode_families(const struct message *message, struct link *ret)
{
	const struct nlattr *families = message->attr[IFLA_AF_SPEC];
	const struct nlattr *table[MESSAGE_ATTRS];
	const struct nlattr *settings;
	int32_t off;
	int r;

	if (!families)
		return 0;
	r = message_index(nla_data(families), nla_len(families), table);
	if (r)
		return r;
	ret->no_ipv6 = !table[AF_INET6];
	if (ret->no_ipv6)
		return 0;
	r = message_index(nla_data(table[AF_INET6]), nla_len(table[AF_INET6]),
			  table);
	if (r)
		return r;
	settings = table[IFLA_INET6_CONF];
	if (!settings ||
	    nla_len(settings) < (DEVCONF_DISABLE_IPV6 + 1) * (int)sizeof(off))
		return 0;
	memcpy(&off,
	       (const uint8_t *)nla_data(settings) +
		       DEVCONF_DISABLE_IPV6 * sizeof(off),
	       sizeof(off));
	ret->no_ipv6 = off != 0;
	return 0;
}

static bool decode_link(const struct message *message,
			const struct decode_context *context,
			struct kernel_event *ret)
{
	const struct ifinfomsg *info = message->body;
	struct link link = {.ifindex = (uint32_t)info->ifi_index};

	(void)context;
	/* A bridge tells of its ports in messages of its own family. */
	if (info->ifi_family != AF_UNSPEC)
		return false;
	/* Wireless events look like link messages, but lack master and kind. */
	if (message->attr[IFLA_WIRELESS])
		return false;
	if (info->ifi_index <= 0)
		return decode_bad(ret, "link without an index");
	if (attr_text(message->attr[IFLA_IFNAME], link.name,
		      sizeof(link.name)) ||
	    attr_u32(message->attr[IFLA_MASTER], &link.master) ||
	    decode_kind(message, &link) || decode_families(message, &link))
		return decode_bad(ret, "link attribute of wrong length");
	if (!ret->deleted && link.name[0] == '\0')
		return decode_bad(ret, "link without a name");

	link.up = info->ifi_flags & IFF_UP;
	link.carrier = info->ifi_flags & IFF_LOWER_UP;
	link.loopback = info->ifi_flags & IFF_LOOPBACK;
	ret->kind = KERNEL_LINK;
	ret->link = link;
	return true;
}

static bool decode_address(const struct message *message,
			   const struct decode_context *context,
			   struct kernel_event *ret)
{
	const struct ifaddrmsg *info = message->body;
	struct address address = {0};
	uint32_t flags = info->ifa_flags;

	(void)context;
	if (!is_ip(info->ifa_family))
		return false;
	if (attr_u32(message->attr[IFA_FLAGS], &flags) ||
	    attr_addr(message->attr[IFA_ADDRESS], info->ifa_family,
		      &address.peer) ||
	    attr_addr(message->attr[IFA_LOCAL], info->ifa_family,
		      &address.local))
		return decode_bad(ret, "address attribute of wrong length");
	if (!ip_addr_is_set(&address.local))
		address.local = address.peer;
	if (!ip_addr_is_set(&address.peer))
		address.peer = address.local;
	if (!ip_addr_is_set(&address.local))
		return decode_bad(ret, "address message without an address");
	if (info->ifa_prefixlen > ip_bits(info->ifa_family))
		return decode_bad(ret, "address with an overlong prefix");
	if (info->ifa_index == 0)
		return decode_bad(ret, "address without a link");

	address.ifindex = info->ifa_index;
	address.prefix_len = info->ifa_prefixlen;
	address.scope = info->ifa_scope;
	/* An optimistic address may be used while it is tested. */
	address.tentative =
		(flags & IFA_F_TENTATIVE) && !(flags & IFA_F_OPTIMISTIC);
	address.dad_failed = flags & IFA_F_DADFAILED;
	address.deprecated = flags & IFA_F_DEPRECATED;
	address.temporary = flags & IFA_F_TEMPORARY;
	ret->kind = KERNEL_ADDRESS;
	ret->address = address;
	return true;
}

static bool decode_neighbour(const struct message *message,
			     const struct decode_context *context,
			     struct kernel_event *ret)
{
	const struct ndmsg *info = message->body;
	struct neighbour neighbour = {.ifindex = (uint32_t)info->ndm_ifindex};
	uint32_t flags_ext = 0;

	(void)context;
	if (!is_ip(info->ndm_family) || info->ndm_flags & NTF_PROXY)
		return false;
	if (attr_addr(message->attr[NDA_DST], info->ndm_family,
		      &neighbour.addr) ||
	    attr_u32(message->attr[NDA_FLAGS_EXT], &flags_ext) ||
	    attr_u8(message->attr[NDA_PROTOCOL], &neighbour.protocol))
		return decode_bad(ret, "neighbour attribute of wrong length");
	if (!ip_addr_is_set(&neighbour.addr))
		return decode_bad(ret, "neighbour without an address");
	if (info->ndm_ifindex <= 0)
		return decode_bad(ret, "neighbour without a link");
	/* INCOMPLETE and NONE: not known yet. */
	neighbour.unresolved =
		!ret->deleted && !(info->ndm_state & (NUD_VALID | NUD_FAILED));
	neighbour.failed = info->ndm_state & NUD_FAILED;
	neighbour.permanent = info->ndm_state & (NUD_PERMANENT | NUD_NOARP);
	neighbour.managed = flags_ext & NTF_EXT_MANAGED;
	ret->kind = KERNEL_NEIGHBOUR;
	ret->neighbour = neighbour;
	return true;
}

static bool decode_nexthop(const struct message *message,
			   const struct decode_context *context,
			   struct kernel_event *ret)
{
	uint32_t id = 0;

	(void)context;
	if (attr_u32(message->attr[NHA_ID], &id) || id == 0)
		return decode_bad(ret, "nexthop object without an id");

	ret->kind = KERNEL_NEXTHOP;
	ret->nexthop_id = id;
	return true;
}

static const struct {
	uint16_t type;
	bool deleted;
	uint8_t body_len;
	decode_fn *decode;
} decoders[] = {
	{RTM_NEWROUTE, false, sizeof(struct rtmsg), decode_route},
	{RTM_DELROUTE, true, sizeof(struct rtmsg), decode_route},
	{RTM_NEWLINK, false, sizeof(struct ifinfomsg), decode_link},
	{RTM_DELLINK, true, sizeof(struct ifinfomsg), decode_link},
	{RTM_NEWADDR, false, sizeof(struct ifaddrmsg), decode_address},
	{RTM_DELADDR, true, sizeof(struct ifaddrmsg), decode_address},
	{RTM_NEWRULE, false, sizeof(struct fib_rule_hdr), decode_rule},
	{RTM_DELRULE, true, sizeof(struct fib_rule_hdr), decode_rule},
	{RTM_NEWNEIGH, false, sizeof(struct ndmsg), decode_neighbour},
	{RTM_DELNEIGH, true, sizeof(struct ndmsg), decode_neighbour},
	{RTM_NEWNEXTHOP, false, sizeof(struct nhmsg), decode_nexthop},
	{RTM_DELNEXTHOP, true, sizeof(struct nhmsg), decode_nexthop},
	{RTM_NEWNDUSEROPT, false, sizeof(struct nduseroptmsg),
	 decode_nduseropt},
};

/* What stands before the attributes; @fixed: the family's own header. */
static size_t body_len(const struct nlmsghdr *hdr, size_t fixed)
{
	const struct nduseroptmsg *info = nlmsg_data(hdr);

	/* These come with options of neighbour discovery behind the header. */
	if (hdr->nlmsg_type == RTM_NEWNDUSEROPT &&
	    nlmsg_valid_hdr(hdr, (int)fixed))
		return fixed + info->nduseropt_opts_len;
	return fixed;
}

bool decode_message(const struct nlmsghdr *hdr,
		    const struct decode_context *context,
		    struct kernel_event *ret)
{
	struct message message;
	size_t i;

	for (i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++) {
		if (decoders[i].type == hdr->nlmsg_type)
			break;
	}
	if (i == sizeof(decoders) / sizeof(decoders[0]))
		return false;

	*ret = (struct kernel_event){
		.deleted = decoders[i].deleted,
		.port = hdr->nlmsg_pid,
	};
	if (message_parse(hdr, body_len(hdr, decoders[i].body_len), &message))
		return decode_bad(ret, "message of wrong length");
	return decoders[i].decode(&message, context, ret);
}

void decode_done(struct kernel_event *event)
{
	if (event->kind == KERNEL_ROUTE)
		attrset_done(&event->route.set);
}
