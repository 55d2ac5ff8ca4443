/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/encode.h"

#include <errno.h>

#include <linux/fib_rules.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

int encode_begin(struct nl_msg *msg, int type, int flags, void *body,
		 size_t body_len)
{
	/* The message is used again and again; it grows from its end. */
	nlmsg_hdr(msg)->nlmsg_len = NLMSG_HDRLEN;
	if (!nlmsg_put(msg, 0, 0, type, 0, flags | NLM_F_REQUEST))
		return -EMSGSIZE;
	if (nlmsg_append(msg, body, body_len, NLMSG_ALIGNTO))
		return -EMSGSIZE;
	return 0;
}

int encode_addr(struct nl_msg *msg, int type, const struct ip_addr *addr)
{
	if (nla_put(msg, type, ip_bits(addr->family) / 8, addr->bytes))
		return -EMSGSIZE;
	return 0;
}

/* The header holds small numbers only; the attribute holds any. */
static uint8_t table_byte(uint32_t table)
{
	return table < 256 ? (uint8_t)table : RT_TABLE_UNSPEC;
}

/* --- routes --- */

/* Netlink attributes as the kernel once sent them. */
static int put_bytes(struct nl_msg *msg, const struct attrset *set, size_t at,
		     size_t len)
{
	if (len == 0)
		return 0;
	if (nlmsg_append(msg, set->extra.items + at, len, NLMSG_ALIGNTO))
		return -EMSGSIZE;
	return 0;
}

static int put_gateway(struct nl_msg *msg, uint8_t family,
		       const struct ip_addr *gateway)
{
	uint8_t bytes[sizeof(struct rtvia) + sizeof(gateway->bytes)];
	struct rtvia via = {.rtvia_family = gateway->family};
	int len;

	if (!ip_addr_is_set(gateway))
		return 0;
	if (gateway->family == family)
		return encode_addr(msg, RTA_GATEWAY, gateway);

	len = ip_bits(gateway->family) / 8;
	memcpy(bytes, &via, sizeof(via));
	memcpy(bytes + sizeof(via), gateway->bytes, (size_t)len);
	if (nla_put(msg, RTA_VIA, (int)sizeof(via) + len, bytes))
		return -EMSGSIZE;
	return 0;
}

/* For one hop alone the attributes stand at top level. */
static int put_hop(struct nl_msg *msg, const struct attrset *set)
{
	const struct next_hop *hop = &set->hops.items[0];

	if (nla_put_u32(msg, RTA_OIF, hop->ifindex))
		return -EMSGSIZE;
	if (put_gateway(msg, set->family, &hop->gateway))
		return -EMSGSIZE;
	return put_bytes(msg, set, hop->extra_at, hop->extra_len);
}

static int put_leg(struct nl_msg *msg, const struct attrset *set,
		   const struct next_hop *hop)
{
	struct rtnexthop rtnh = {
		.rtnh_flags = hop->flags,
		.rtnh_hops = hop->weight,
		.rtnh_ifindex = (int)hop->ifindex,
	};
	uint32_t at = nlmsg_hdr(msg)->nlmsg_len;

	if (nlmsg_append(msg, &rtnh, sizeof(rtnh), NLMSG_ALIGNTO))
		return -EMSGSIZE;
	if (put_gateway(msg, set->family, &hop->gateway) ||
	    put_bytes(msg, set, hop->extra_at, hop->extra_len))
		return -EMSGSIZE;

	rtnh.rtnh_len = (unsigned short)(nlmsg_hdr(msg)->nlmsg_len - at);
	memcpy((uint8_t *)nlmsg_hdr(msg) + at, &rtnh, sizeof(rtnh));
	return 0;
}

static int put_legs(struct nl_msg *msg, const struct attrset *set)
{
	const struct next_hop *hop;
	struct nlattr *nest;

	nest = nla_nest_start(msg, RTA_MULTIPATH);
	if (!nest)
		return -EMSGSIZE;
	vec_foreach(&set->hops, hop) {
		if (put_leg(msg, set, hop))
			return -EMSGSIZE;
	}
	if (nla_nest_end(msg, nest))
		return -EMSGSIZE;
	return 0;
}

/* Beside a nexthop object its hops written out are refused. */
static int put_hops(struct nl_msg *msg, const struct attrset *set)
{
	if (set->nh_id)
		return nla_put_u32(msg, RTA_NH_ID, set->nh_id) ? -EMSGSIZE : 0;
	if (set->hops.n == 0)
		return 0;
	return set->hops.n == 1 ? put_hop(msg, set) : put_legs(msg, set);
}

static int put_attrs(struct nl_msg *msg, const struct attrset *set)
{
	if (set->src.addr.family && encode_addr(msg, RTA_SRC, &set->src.addr))
		return -EMSGSIZE;
	if (ip_addr_is_set(&set->prefsrc) &&
	    encode_addr(msg, RTA_PREFSRC, &set->prefsrc))
		return -EMSGSIZE;
	if (set->pref && nla_put_u8(msg, RTA_PREF, set->pref))
		return -EMSGSIZE;
	if (put_bytes(msg, set, 0, set->route_extra_len))
		return -EMSGSIZE;
	return put_hops(msg, set);
}

static int put_key(struct nl_msg *msg, const struct ip_prefix *prefix,
		   const struct route *route)
{
	if (prefix->len && encode_addr(msg, RTA_DST, &prefix->addr))
		return -EMSGSIZE;
	if (nla_put_u32(msg, RTA_TABLE, route->table))
		return -EMSGSIZE;
	if (route->metric && nla_put_u32(msg, RTA_PRIORITY, route->metric))
		return -EMSGSIZE;
	return 0;
}

static struct rtmsg route_header(const struct op *op)
{
	return (struct rtmsg){
		.rtm_family = op->route.prefix.addr.family,
		.rtm_dst_len = op->route.prefix.len,
		.rtm_tos = op->route.route.tos,
		.rtm_table = table_byte(op->route.route.table),
		.rtm_protocol = op->route.route.protocol,
	};
}

static int encode_route_put(const struct op *op,
			    const struct attrset_store *attrs,
			    struct nl_msg *msg)
{
	const struct attrset *set = attrset_get(attrs, op->route.route.attrs);
	struct rtmsg info = route_header(op);
	int r;

	if (!attrset_is_reject(set) && set->hops.n == 0 && !set->nh_id)
		return -EOPNOTSUPP;

	info.rtm_type = set->type;
	info.rtm_scope = set->scope;
	info.rtm_src_len = set->src.len;
	/* A blackhole object makes the route one; to say so too is refused. */
	if (set->nh_id)
		info.rtm_type = RTN_UNICAST;
	else if (set->hops.n == 1)
		info.rtm_flags = set->hops.items[0].flags;
	r = encode_begin(msg, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &info,
			 sizeof(info));
	if (r)
		return r;
	r = put_key(msg, &op->route.prefix, &op->route.route);
	if (r)
		return r;
	return put_attrs(msg, set);
}

void encode_move(struct nlmsghdr *hdr, const struct ip_prefix *prefix)
{
	struct rtmsg *info = nlmsg_data(hdr);
	/* The destination comes first: see put_key(). */
	struct nlattr *dst = nlmsg_attrdata(hdr, sizeof(*info));

	info->rtm_dst_len = prefix->len;
	memcpy(nla_data(dst), prefix->addr.bytes, (size_t)nla_len(dst));
}

/*
 * Metric and protocol are compared if given, so only ours can be meant. Of
 * several of one key IPv4 takes the first that fits, so one that stands behind
 * another is told by its attributes.
 */
static int encode_route_delete(const struct op *op,
			       const struct attrset_store *attrs,
			       struct nl_msg *msg)
{
	const struct attrset *set = attrset_get(attrs, op->route.route.attrs);
	struct rtmsg info = route_header(op);
	int r;

	info.rtm_scope = RT_SCOPE_NOWHERE; /* any */
	info.rtm_src_len = set->src.len;
	if (op->route.hidden && !set->nh_id)
		info.rtm_type = set->type;
	r = encode_begin(msg, RTM_DELROUTE, 0, &info, sizeof(info));
	if (r)
		return r;
	r = put_key(msg, &op->route.prefix, &op->route.route);
	if (r)
		return r;
	if (op->route.hidden)
		return put_attrs(msg, set);
	return set->src.addr.family ? encode_addr(msg, RTA_SRC, &set->src.addr)
				    : 0;
}

/* --- rules --- */

static int encode_rule(const struct rule *rule, int type, int flags,
		       struct nl_msg *msg)
{
	struct fib_rule_hdr info = {
		.family = rule->family,
		.src_len = rule->src.len,
		.dst_len = rule->dst.len,
		.table = table_byte(rule->table),
		.action = rule->action,
	};
	int r;

	if (rule->other_iif || rule->oif || rule->selective || rule->invert ||
	    rule->fwmark || rule->fwmask || rule->suppress_len >= 0)
		return -EOPNOTSUPP;

	r = encode_begin(msg, type, flags, &info, sizeof(info));
	if (r)
		return r;
	if (rule->src.len && encode_addr(msg, FRA_SRC, &rule->src.addr))
		return -EMSGSIZE;
	if (rule->dst.len && encode_addr(msg, FRA_DST, &rule->dst.addr))
		return -EMSGSIZE;
	if (rule->iif_lo && nla_put_string(msg, FRA_IIFNAME, "lo"))
		return -EMSGSIZE;
	if (nla_put_u32(msg, FRA_PRIORITY, rule->priority) ||
	    nla_put_u32(msg, FRA_TABLE, rule->table) ||
	    nla_put_u8(msg, FRA_PROTOCOL, rule->protocol))
		return -EMSGSIZE;
	return 0;
}

/* --- neighbours --- */

static int encode_neighbour_put(const struct neighbour *neighbour,
				uint8_t protocol, struct nl_msg *msg)
{
	struct ndmsg info = {
		.ndm_family = neighbour->addr.family,
		.ndm_ifindex = (int)neighbour->ifindex,
		.ndm_flags = NTF_EXT_LEARNED,
	};
	int r;

	r = encode_begin(msg, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &info,
			 sizeof(info));
	if (r)
		return r;
	if (encode_addr(msg, NDA_DST, &neighbour->addr) ||
	    nla_put_u32(msg, NDA_FLAGS_EXT, NTF_EXT_MANAGED) ||
	    nla_put_u8(msg, NDA_PROTOCOL, protocol))
		return -EMSGSIZE;
	return 0;
}

static int encode_neighbour_delete(const struct neighbour *neighbour,
				   struct nl_msg *msg)
{
	struct ndmsg info = {
		.ndm_family = neighbour->addr.family,
		.ndm_ifindex = (int)neighbour->ifindex,
	};
	int r;

	r = encode_begin(msg, RTM_DELNEIGH, 0, &info, sizeof(info));
	if (r)
		return r;
	return encode_addr(msg, NDA_DST, &neighbour->addr);
}

int encode_op(const struct op *op, const struct attrset_store *attrs,
	      uint8_t protocol, struct nl_msg *msg)
{
	switch (op->kind) {
	case OP_ROUTE_PUT:
		return encode_route_put(op, attrs, msg);
	case OP_ROUTE_DELETE:
		return encode_route_delete(op, attrs, msg);
	case OP_RULE_ADD:
		return encode_rule(&op->rule, RTM_NEWRULE,
				   NLM_F_CREATE | NLM_F_EXCL, msg);
	case OP_RULE_DELETE:
		return encode_rule(&op->rule, RTM_DELRULE, 0, msg);
	case OP_NEIGHBOUR_PUT:
		return encode_neighbour_put(&op->neighbour, protocol, msg);
	case OP_NEIGHBOUR_DELETE:
		return encode_neighbour_delete(&op->neighbour, msg);
	}
	return -EOPNOTSUPP;
}
