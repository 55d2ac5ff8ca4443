/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode_mptcp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

static struct nl_msg *begin(void)
{
	struct genlmsghdr body = {.cmd = MPTCP_PM_CMD_GET_ADDR, .version = 1};
	struct nl_msg *msg = nlmsg_alloc_simple(32, 0);

	assert_non_null(msg);
	assert_int_equal(nlmsg_append(msg, &body, sizeof(body), NLMSG_ALIGNTO),
			 0);
	return msg;
}

/* What a test leaves out or spoils. */
struct parts {
	int family; /* 0: no address */
	size_t len; /* of it; 0: as it should be */
	uint8_t id; /* 0: none */
};

static struct nl_msg *endpoint_message(const struct parts *parts)
{
	bool is_v4 = parts->family == AF_INET;
	struct nl_msg *msg = begin();
	struct nlattr *nested = nla_nest_start(msg, MPTCP_PM_ATTR_ADDR);
	uint8_t bytes[16] = {0};
	size_t len = parts->len ? parts->len : (is_v4 ? 4 : 16);

	assert_int_equal(inet_pton(is_v4 ? AF_INET : AF_INET6,
				   is_v4 ? "192.0.2.1" : "2001:db8::1", bytes),
			 1);
	if (parts->family)
		nla_put(msg,
			is_v4 ? MPTCP_PM_ADDR_ATTR_ADDR4
			      : MPTCP_PM_ADDR_ATTR_ADDR6,
			(int)len, bytes);
	if (parts->id)
		nla_put_u8(msg, MPTCP_PM_ADDR_ATTR_ID, parts->id);
	nla_put_u32(msg, MPTCP_PM_ADDR_ATTR_FLAGS, 6);
	nla_put_u32(msg, MPTCP_PM_ADDR_ATTR_IF_IDX, 4);
	nla_nest_end(msg, nested);
	return msg;
}

static void endpoints_are_decoded(void **state)
{
	static const struct {
		struct parts parts;
		const char *text;
	} cases[] = {
		{{AF_INET, 0, 7}, "192.0.2.1"},
		{{AF_INET6, 0, 255}, "2001:db8::1"},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct nl_msg *msg = endpoint_message(&cases[i].parts);
		struct endpoint endpoint;
		char text[IP_TEXT_MAX];

		memset(&endpoint, 0x55, sizeof(endpoint));
		assert_int_equal(decode_endpoint(nlmsg_hdr(msg), &endpoint), 0);
		assert_string_equal(ip_addr_format(&endpoint.addr, text),
				    cases[i].text);
		assert_int_equal(endpoint.id, cases[i].parts.id);
		assert_int_equal(endpoint.flags,
				 ENDPOINT_SUBFLOW | ENDPOINT_BACKUP);
		assert_int_equal(endpoint.ifindex, 4);
		nlmsg_free(msg);
	}
}

static void spoilt_endpoints_are_refused(void **state)
{
	static const struct {
		struct parts parts;
		const char *why;
	} cases[] = {
		{{AF_INET, 0, 0}, "no id"},
		{{0, 0, 7}, "no address"},
		{{AF_INET, 3, 7}, "too short"},
		{{AF_INET6, 4, 7}, "of the other family"},
	};
	struct endpoint endpoint = {.id = 99};
	struct nl_msg *msg;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		msg = endpoint_message(&cases[i].parts);
		if (decode_endpoint(nlmsg_hdr(msg), &endpoint) != -EBADMSG)
			fail_msg("taken: %s", cases[i].why);
		nlmsg_free(msg);
	}
	msg = begin();
	assert_int_equal(decode_endpoint(nlmsg_hdr(msg), &endpoint), -EBADMSG);
	nlmsg_free(msg);
	assert_int_equal(endpoint.id, 99);
}

static void limits_need_both(void **state)
{
	struct mptcp_limits limits = {0};
	struct nl_msg *msg = begin();

	(void)state;
	nla_put_u32(msg, MPTCP_PM_ATTR_SUBFLOWS, 2);
	assert_int_equal(decode_limits(nlmsg_hdr(msg), &limits), -EBADMSG);
	nla_put_u32(msg, MPTCP_PM_ATTR_RCV_ADD_ADDRS, 5);
	assert_int_equal(decode_limits(nlmsg_hdr(msg), &limits), 0);
	assert_int_equal(limits.subflows, 2);
	assert_int_equal(limits.accepted, 5);
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_are_decoded),
		cmocka_unit_test(spoilt_endpoints_are_refused),
		cmocka_unit_test(limits_need_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
