/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6.h>
#include <linux/neighbour.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "tests/unit/messages.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct nl_msg *sample_link(void)
{
	struct nl_msg *msg = message_begin_link(AF_UNSPEC, IFF_UP, "eth0");
	struct nlattr *nest = nla_nest_start(msg, IFLA_LINKINFO);
	const int32_t settings[DEVCONF_DISABLE_IPV6 + 1] = {0};
	struct nlattr *six;

	message_add_text(msg, IFLA_INFO_KIND, "vrf");
	nla_nest_end(msg, nest);
	message_add_u32(msg, IFLA_MASTER, 77);
	nest = nla_nest_start(msg, IFLA_AF_SPEC);
	six = nla_nest_start(msg, AF_INET6);
	message_add(msg, IFLA_INET6_CONF, settings, sizeof(settings));
	nla_nest_end(msg, six);
	nla_nest_end(msg, nest);
	return msg;
}

static struct nl_msg *sample_address(void)
{
	struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_index = 6};
	struct nl_msg *msg = message_begin(RTM_NEWADDR, 0, &info, sizeof(info));

	message_add_addr(msg, IFA_LOCAL, "192.0.2.7");
	message_add_addr(msg, IFA_ADDRESS, "192.0.2.7");
	message_add_u32(msg, IFA_FLAGS, 0);
	return msg;
}

static struct nl_msg *sample_rule(void)
{
	struct nl_msg *msg = message_begin_rule(24, 0, 0);

	message_add_addr(msg, FRA_SRC, "192.0.2.0");
	message_add_u32(msg, FRA_FWMARK, 7);
	message_add_u32(msg, FRA_FWMASK, 7);
	message_add_text(msg, FRA_IIFNAME, "a name too long");
	return msg;
}

static struct nl_msg *sample_neighbour(void)
{
	struct ndmsg info = {
		.ndm_family = AF_INET6,
		.ndm_ifindex = 4,
		.ndm_state = NUD_FAILED,
	};
	struct nl_msg *msg =
		message_begin(RTM_NEWNEIGH, 0, &info, sizeof(info));

	message_add_addr(msg, NDA_DST, "fe80::1");
	message_add_u32(msg, NDA_FLAGS_EXT, 1);
	message_add_u8(msg, NDA_PROTOCOL, 109);
	return msg;
}

static struct nl_msg *sample_nexthop(void)
{
	struct nhmsg info = {.nh_family = AF_INET};
	struct nl_msg *msg =
		message_begin(RTM_NEWNEXTHOP, 0, &info, sizeof(info));

	message_add_u32(msg, NHA_ID, 7);
	return msg;
}

static struct nl_msg *sample_route(void)
{
	struct nl_msg *msg = message_begin_route(AF_INET, 24);
	struct rta_cacheinfo cache = {.rta_expires = 7};

	message_route_body(msg)->rtm_src_len = 24;
	message_add_addr(msg, RTA_DST, "203.0.113.0");
	message_add_addr(msg, RTA_SRC, "192.0.2.0");
	message_add_addr(msg, RTA_PREFSRC, "192.0.2.7");
	message_add_u32(msg, RTA_TABLE, 7100);
	message_add_u32(msg, RTA_PRIORITY, 7);
	message_add_u32(msg, RTA_OIF, 7);
	message_add_u32(msg, RTA_NH_ID, 7);
	message_add_u8(msg, RTA_PREF, 1);
	message_add(msg, RTA_CACHEINFO, &cache, sizeof(cache));
	message_add_via(msg, "fe80::1");
	return msg;
}

static struct nl_msg *sample_multipath(void)
{
	struct nl_msg *msg = message_begin_route(AF_INET, 0);
	struct nlattr *nest = nla_nest_start(msg, RTA_MULTIPATH);
	uint32_t leg;

	leg = message_add_leg(msg, 9, 0, 4);
	message_add_addr(msg, RTA_GATEWAY, "192.0.2.1");
	message_end_leg(msg, leg);
	leg = message_add_leg(msg, 8, 0, 255);
	message_add_via(msg, "fe80::1");
	message_end_leg(msg, leg);
	nla_nest_end(msg, nest);
	return msg;
}

static const struct {
	struct nl_msg *(*make)(void);
	int body_len; /* of the family's own header */
	int text;     /* the attribute that is as long as it likes; 0: none */
} samples[] = {
	{sample_link, sizeof(struct ifinfomsg), IFLA_IFNAME},
	{sample_address, sizeof(struct ifaddrmsg), 0},
	{sample_rule, sizeof(struct fib_rule_hdr), FRA_IIFNAME},
	{sample_neighbour, sizeof(struct ndmsg), 0},
	{sample_nexthop, sizeof(struct nhmsg), 0},
	{sample_route, sizeof(struct rtmsg), 0},
	{sample_multipath, sizeof(struct rtmsg), 0},
};

/* In memory of exactly its size, so that reading behind it is noticed. */
static void decode_exact(const void *bytes, size_t len, int *ret_kind)
{
	struct nlmsghdr *hdr = malloc(len);
	struct kernel_event event;

	assert_non_null(hdr);
	memcpy(hdr, bytes, len);
	hdr->nlmsg_len = (uint32_t)len;
	*ret_kind = -1;
	if (decode_message(hdr, &messages_context, &event)) {
		*ret_kind = (int)event.kind;
		if (event.kind == KERNEL_BAD)
			assert_non_null(event.bad);
		decode_done(&event);
	}
	free(hdr);
}

static void truncated_messages_are_read_safely(void **state)
{
	struct nl_msg *msg;
	size_t len;
	size_t i;
	int kind;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		msg = samples[i].make();
		for (len = NLMSG_HDRLEN; len < nlmsg_hdr(msg)->nlmsg_len; len++)
			decode_exact(nlmsg_hdr(msg), len, &kind);
		decode_exact(nlmsg_hdr(msg), len, &kind);
		if (kind == KERNEL_BAD || kind == -1)
			fail_msg("sample %zu is no sample", i);
		/* Without its own header no message says anything. */
		decode_exact(nlmsg_hdr(msg), NLMSG_HDRLEN + 4, &kind);
		assert_int_equal(kind, KERNEL_BAD);
		nlmsg_free(msg);
	}
}

/* Each attribute in turn is one byte shorter than it must be. */
static void shorten_each(struct nlmsghdr *hdr, size_t sample)
{
	const int body_len = samples[sample].body_len;
	struct nlattr *attr;
	int left;
	int kind;

	nla_for_each_attr(attr, nlmsg_attrdata(hdr, body_len),
			  nlmsg_attrlen(hdr, body_len), left) {
		if (nla_type(attr) == samples[sample].text)
			continue;
		attr->nla_len--;
		decode_exact(hdr, hdr->nlmsg_len, &kind);
		attr->nla_len++;
		if (kind != KERNEL_BAD)
			fail_msg("sample %zu, attribute %d", sample,
				 nla_type(attr));
	}
}

static void wrong_attribute_lengths_are_bad(void **state)
{
	struct nl_msg *msg;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(samples); i++) {
		msg = samples[i].make();
		shorten_each(nlmsg_hdr(msg), i);
		nlmsg_free(msg);
	}
}

static void senseless_values_are_bad(void **state)
{
	struct ifaddrmsg address = {.ifa_family = AF_INET, .ifa_index = 6};
	struct ifinfomsg link = {.ifi_index = 5};
	struct kernel_event event;
	struct nl_msg *msg;

	(void)state;
	msg = message_begin_route(AF_INET, 33);
	message_add_addr(msg, RTA_DST, "203.0.113.0");
	message_decode_as(msg, KERNEL_BAD, &event);
	message_decode_as(message_begin_route(AF_INET, 24), KERNEL_BAD,
			  &event); /* no dst */
	message_decode_as(message_begin_route(AF_INET, 0), KERNEL_BAD,
			  &event); /* no hop */
	msg = message_begin_route(AF_INET, 0);
	message_add_addr(msg, RTA_GATEWAY, "192.0.2.1"); /* on no link */
	message_decode_as(msg, KERNEL_BAD, &event);
	msg = message_begin_route(AF_INET, 0);
	message_add_u32(msg, RTA_OIF, 3);
	message_add_via(msg, "fe80::1");
	((uint8_t *)nlmsg_tail(nlmsg_hdr(msg)))[-20] = 99; /* its family */
	message_decode_as(msg, KERNEL_BAD, &event);

	message_decode_as(
		message_begin(RTM_NEWADDR, 0, &address, sizeof(address)),
		KERNEL_BAD, &event);
	address.ifa_prefixlen = 33;
	msg = message_begin(RTM_NEWADDR, 0, &address, sizeof(address));
	message_add_addr(msg, IFA_LOCAL, "192.0.2.7");
	message_decode_as(msg, KERNEL_BAD, &event);
	message_decode_as(message_begin(RTM_NEWLINK, 0, &link, sizeof(link)),
			  KERNEL_BAD, &event); /* no name */
	link.ifi_index = -1;
	message_decode_as(message_begin(RTM_NEWLINK, 0, &link, sizeof(link)),
			  KERNEL_BAD, &event);
	msg = message_begin_link(AF_UNSPEC, 0, "a name of 16 long");
	message_decode_as(msg, KERNEL_BAD, &event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncated_messages_are_read_safely),
		cmocka_unit_test(wrong_attribute_lengths_are_bad),
		cmocka_unit_test(senseless_values_are_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
