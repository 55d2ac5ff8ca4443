/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/messages.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <netlink/attr.h>

const struct decode_context messages_context = {
	.table_first = 7100,
	.table_last = 7999,
	.now_ms = 1000500,
};

static void append(struct nl_msg *msg, void *bytes, size_t len)
{
	int r = nlmsg_append(msg, bytes, len, NLMSG_ALIGNTO);

	assert_int_equal(r, 0);
}

struct nl_msg *message_begin(int type, int flags, void *body, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(msg);
	assert_non_null(nlmsg_put(msg, MESSAGES_PORT, 1, type, 0, flags));
	append(msg, body, len);
	return msg;
}

struct nl_msg *message_begin_route(uint8_t family, uint8_t dst_len)
{
	struct rtmsg info = {
		.rtm_family = family,
		.rtm_dst_len = dst_len,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_type = RTN_UNICAST,
	};

	return message_begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, &info,
			     sizeof(info));
}

struct rtmsg *message_route_body(struct nl_msg *msg)
{
	return nlmsg_data(nlmsg_hdr(msg));
}

struct nl_msg *message_begin_link(uint8_t family, unsigned int flags,
				  const char *name)
{
	struct ifinfomsg info = {
		.ifi_family = family,
		.ifi_index = 5,
		.ifi_flags = flags,
	};
	struct nl_msg *msg = message_begin(RTM_NEWLINK, 0, &info, sizeof(info));

	if (name)
		message_add_text(msg, IFLA_IFNAME, name);
	return msg;
}

struct nl_msg *message_begin_rule(uint8_t src_len, uint8_t tos, uint32_t flags)
{
	struct fib_rule_hdr info = {
		.family = AF_INET,
		.src_len = src_len,
		.tos = tos,
		.table = RT_TABLE_COMPAT,
		.action = FR_ACT_TO_TBL,
		.flags = flags,
	};
	struct nl_msg *msg = message_begin(RTM_NEWRULE, 0, &info, sizeof(info));

	message_add_u32(msg, FRA_PRIORITY, 7109);
	message_add_u32(msg, FRA_TABLE, 7100);
	message_add_u32(msg, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	message_add_u8(msg, FRA_PROTOCOL, 109);
	return msg;
}

void message_add(struct nl_msg *msg, int type, const void *bytes, size_t len)
{
	assert_int_equal(nla_put(msg, type, (int)len, bytes), 0);
}

void message_add_addr(struct nl_msg *msg, int type, const char *text)
{
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(text, &addr), 0);
	message_add(msg, type, addr.bytes, ip_bits(addr.family) / 8);
}

void message_add_u32(struct nl_msg *msg, int type, uint32_t value)
{
	message_add(msg, type, &value, sizeof(value));
}

void message_add_u8(struct nl_msg *msg, int type, uint8_t value)
{
	message_add(msg, type, &value, sizeof(value));
}

void message_add_text(struct nl_msg *msg, int type, const char *text)
{
	message_add(msg, type, text, strlen(text) + 1);
}

void message_add_via(struct nl_msg *msg, const char *text)
{
	uint8_t bytes[18] = {0};
	struct ip_addr addr;
	struct rtvia via;

	assert_int_equal(ip_addr_parse(text, &addr), 0);
	via.rtvia_family = addr.family;
	memcpy(bytes, &via, sizeof(via));
	memcpy(bytes + sizeof(via), addr.bytes, sizeof(addr.bytes));
	message_add(msg, RTA_VIA, bytes,
		    sizeof(via) + ip_bits(addr.family) / 8);
}

uint32_t message_add_leg(struct nl_msg *msg, uint32_t ifindex, uint8_t flags,
			 uint8_t hops)
{
	struct rtnexthop rtnh = {
		.rtnh_len = sizeof(rtnh),
		.rtnh_flags = flags,
		.rtnh_hops = hops,
		.rtnh_ifindex = (int)ifindex,
	};
	uint32_t leg = nlmsg_hdr(msg)->nlmsg_len;

	append(msg, &rtnh, sizeof(rtnh));
	return leg;
}

void message_end_leg(struct nl_msg *msg, uint32_t leg)
{
	struct rtnexthop *rtnh =
		(struct rtnexthop *)((uint8_t *)nlmsg_hdr(msg) + leg);

	rtnh->rtnh_len = (unsigned short)(nlmsg_hdr(msg)->nlmsg_len - leg);
}

bool message_decode(struct nl_msg *msg, const struct decode_context *within,
		    struct kernel_event *ret)
{
	bool said = decode_message(nlmsg_hdr(msg), within, ret);

	nlmsg_free(msg);
	return said;
}

void message_decode_as(struct nl_msg *msg, enum kernel_event_kind kind,
		       struct kernel_event *ret)
{
	if (!message_decode(msg, &messages_context, ret))
		fail_msg("nothing was decoded");
	if (ret->kind == KERNEL_BAD && kind != KERNEL_BAD)
		fail_msg("bad: %s", ret->bad);
	assert_int_equal(ret->kind, kind);
}

void message_says_nothing(struct nl_msg *msg)
{
	struct kernel_event event;

	assert_false(message_decode(msg, &messages_context, &event));
}

void assert_addr(const struct ip_addr *got, const char *want)
{
	char text[IP_TEXT_MAX];

	assert_string_equal(ip_addr_format(got, text), want);
}

void assert_prefix(const struct ip_prefix *got, const char *want)
{
	char text[IP_TEXT_MAX];

	assert_string_equal(ip_prefix_format(got, text), want);
}
