/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode_flow.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct inet_diag_msg diag(uint8_t family, const char *src,
				 const char *dst)
{
	struct inet_diag_msg msg = {
		.idiag_family = family,
		.idiag_state = 1,
		.id.idiag_sport = htons(4711),
		.id.idiag_dport = htons(443),
		.id.idiag_cookie = {7, 1},
		.idiag_inode = 99,
	};

	assert_int_equal(inet_pton(family, src, msg.id.idiag_src), 1);
	assert_int_equal(inet_pton(family, dst, msg.id.idiag_dst), 1);
	return msg;
}

static struct nl_msg *message_of(const struct inet_diag_msg *body)
{
	struct nl_msg *msg = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY, 0);

	assert_non_null(msg);
	assert_int_equal(
		nlmsg_append(msg, (void *)body, sizeof(*body), NLMSG_ALIGNTO),
		0);
	return msg;
}

static struct flow decoded(struct nl_msg *msg)
{
	struct flow flow;

	memset(&flow, 0x55, sizeof(flow));
	assert_int_equal(decode_flow(nlmsg_hdr(msg), &flow), 0);
	nlmsg_free(msg);
	return flow;
}

static void ends_are_of_one_family(void **state)
{
	static const struct {
		uint8_t family;
		const char *src;
		const char *dst;
		const char *want_src;
		const char *why;
	} cases[] = {
		{AF_INET, "192.0.2.1", "198.51.100.1", "192.0.2.1", "IPv4"},
		{AF_INET6, "2001:db8::1", "2001:db8::2", "2001:db8::1", "IPv6"},
		{AF_INET6, "::ffff:192.0.2.1", "::ffff:198.51.100.1",
		 "192.0.2.1", "mapped"},
		{AF_INET6, "::", "::ffff:198.51.100.1", "0.0.0.0",
		 "mapped, and aborted"},
		{AF_INET6, "::ffff:192.0.2.1", "2001:db8::2",
		 "::ffff:192.0.2.1", "half mapped is not"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct inet_diag_msg body =
			diag(cases[i].family, cases[i].src, cases[i].dst);
		struct flow flow = decoded(message_of(&body));
		char text[IP_TEXT_MAX];

		assert_string_equal(ip_addr_format(&flow.src, text),
				    cases[i].want_src);
		assert_int_equal(flow.src.family, flow.dst.family);
	}
}

static void the_header_is_all_there(void **state)
{
	struct inet_diag_msg body = diag(AF_INET, "192.0.2.1", "192.0.2.2");
	struct flow flow;

	(void)state;
	body.id.idiag_if = 5;
	flow = decoded(message_of(&body));
	assert_int_equal(flow.sport, 4711);
	assert_int_equal(flow.dport, 443);
	assert_int_equal(flow.state, 1);
	assert_int_equal(flow.cookie, (1ULL << 32) + 7);
	assert_int_equal(flow.inode, 99);
	assert_int_equal(flow.oif, 5);
	assert_false(flow.stalled);
	assert_false(flow.mptcp);
	assert_int_equal(flow.bytes_acked, 0);
}

static void two_unanswered_tries_are_a_stall(void **state)
{
	struct inet_diag_msg body = diag(AF_INET, "192.0.2.1", "192.0.2.2");

	(void)state;
	for (uint8_t tries = 0; tries < 5; tries++) {
		body.idiag_retrans = tries;
		assert_int_equal(decoded(message_of(&body)).stalled,
				 tries >= 2);
	}
}

static void what_only_waits_is_in_time_wait(void **state)
{
	struct inet_diag_msg body = diag(AF_INET, "192.0.2.1", "192.0.2.2");

	(void)state;
	body.idiag_state = TCP_FIN_WAIT2;
	for (uint8_t timer = 0; timer < 5; timer++) {
		body.idiag_timer = timer;
		assert_int_equal(decoded(message_of(&body)).state,
				 timer == 3 ? TCP_TIME_WAIT : TCP_FIN_WAIT2);
	}
}

static void add_subflow(struct nl_msg *msg)
{
	struct nlattr *ulp = nla_nest_start(msg, INET_DIAG_ULP_INFO);
	struct nlattr *mptcp;

	nla_put_string(msg, INET_ULP_INFO_NAME, "mptcp");
	mptcp = nla_nest_start(msg, INET_ULP_INFO_MPTCP);
	nla_put_u32(msg, MPTCP_SUBFLOW_ATTR_TOKEN_REM, 0x11111111);
	nla_put_u32(msg, MPTCP_SUBFLOW_ATTR_TOKEN_LOC, 0x22222222);
	nla_put_u32(msg, MPTCP_SUBFLOW_ATTR_FLAGS, 5);
	nla_put_u8(msg, MPTCP_SUBFLOW_ATTR_ID_REM, 3);
	nla_put_u8(msg, MPTCP_SUBFLOW_ATTR_ID_LOC, 4);
	nla_nest_end(msg, mptcp);
	nla_nest_end(msg, ulp);
}

static void a_subflow_names_its_connection(void **state)
{
	struct inet_diag_msg body = diag(AF_INET, "192.0.2.1", "192.0.2.2");
	struct nl_msg *msg = message_of(&body);
	uint64_t info[30] = {[15] = 1000, [16] = 2000};
	struct flow flow;

	(void)state;
	add_subflow(msg);
	nla_put(msg, INET_DIAG_INFO, sizeof(info), info);
	flow = decoded(msg);
	assert_true(flow.mptcp);
	assert_int_equal(flow.token_remote, 0x11111111);
	assert_int_equal(flow.token_local, 0x22222222);
	assert_int_equal(flow.subflow_flags, 5);
	assert_int_equal(flow.id_remote, 3);
	assert_int_equal(flow.id_local, 4);
	assert_int_equal(flow.bytes_acked, 1000);
	assert_int_equal(flow.bytes_received, 2000);
}

static void an_older_kernel_tells_less(void **state)
{
	struct inet_diag_msg body = diag(AF_INET, "192.0.2.1", "192.0.2.2");
	struct nl_msg *msg = message_of(&body);
	uint64_t info[16] = {[15] = 1000};
	struct flow flow;

	(void)state;
	nla_put(msg, INET_DIAG_INFO, sizeof(info), info);
	flow = decoded(msg);
	assert_int_equal(flow.bytes_acked, 0);
}

static void nonsense_is_refused(void **state)
{
	struct inet_diag_msg body = diag(AF_INET, "192.0.2.1", "192.0.2.2");
	struct nl_msg *msg = message_of(&body);
	struct flow flow = {.inode = 77};
	struct nlattr *ulp;

	(void)state;
	nlmsg_hdr(msg)->nlmsg_len -= 4;
	assert_int_equal(decode_flow(nlmsg_hdr(msg), &flow), -EBADMSG);
	nlmsg_free(msg);
	body.idiag_family = AF_UNIX;
	msg = message_of(&body);
	assert_int_equal(decode_flow(nlmsg_hdr(msg), &flow), -EBADMSG);
	nlmsg_free(msg);
	body.idiag_family = AF_INET;
	msg = message_of(&body);
	ulp = nla_nest_start(msg, INET_DIAG_ULP_INFO);
	nla_put_u16(msg, INET_ULP_INFO_MPTCP, 5);
	nla_nest_end(msg, ulp);
	assert_int_equal(decode_flow(nlmsg_hdr(msg), &flow), -EBADMSG);
	nlmsg_free(msg);
	assert_int_equal(flow.inode, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_of_one_family),
		cmocka_unit_test(the_header_is_all_there),
		cmocka_unit_test(two_unanswered_tries_are_a_stall),
		cmocka_unit_test(what_only_waits_is_in_time_wait),
		cmocka_unit_test(a_subflow_names_its_connection),
		cmocka_unit_test(an_older_kernel_tells_less),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
