/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <netlink/attr.h>

#include "tests/unit/advert_bytes.h"
#include "tests/unit/messages.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* As the kernel sends it: of link 5, from a router's advertisement. */
static const struct nduseroptmsg from_router = {
	.nduseropt_family = AF_INET6,
	.nduseropt_ifindex = 5,
	.nduseropt_icmp_type = 134,
};

/* One option behind the header; @router NULL: without its address. */
static struct nl_msg *make(struct nduseroptmsg info, const uint8_t *option,
			   size_t size, const char *router)
{
	uint8_t body[sizeof(info) + 256];
	struct nl_msg *msg;

	info.nduseropt_opts_len = (unsigned short)size;
	memcpy(body, &info, sizeof(info));
	memcpy(body + sizeof(info), option, size);
	msg = message_begin(RTM_NEWNDUSEROPT, 0, body, sizeof(info) + size);
	nlmsg_hdr(msg)->nlmsg_pid = 0;
	if (router)
		message_add_addr(msg, NDUSEROPT_SRCADDR, router);
	return msg;
}

static struct nl_msg *make_prefix(struct nduseroptmsg info, const char *prefix,
				  const char *router)
{
	struct advert_bytes bytes;

	advert_begin(&bytes, 1800);
	return make(info, advert_add_prefix(&bytes, prefix, 600), 32, router);
}

static void a_prefix_is_decoded(void **state)
{
	struct kernel_event event;

	(void)state;
	message_decode_as(
		make_prefix(from_router, "2001:db8:1::77/64", "fe80::1"),
		KERNEL_ADVERT, &event);
	assert_false(event.deleted);
	assert_int_equal(event.port, 0);
	assert_int_equal(event.advert.ifindex, 5);
	assert_addr(&event.advert.router, "fe80::1");
	assert_prefix(&event.advert.prefix.prefix, "2001:db8:1::/64");
	assert_int_equal(event.advert.prefix.valid_s, 600);
}

static void what_is_no_prefix_says_nothing(void **state)
{
	static const struct {
		const char *why;
		size_t size;
		uint8_t option[4]; /* zeros follow */
	} cases[] = {
		{"resolvers", 24, {25, 3}},
		{"search list", 16, {31, 2}},
		{"captive portal", 16, {37, 2}},
		{"NAT64 prefix", 16, {38, 2}},
		{"a route", 24, {24, 3, 64}},
		{"nothing", 0, {0}},
		{"half an option", 1, {3}},
		{"a prefix too short for one", 8, {3, 1, 64}},
		{"an option of length zero", 32, {3, 0, 64}},
		{"an option beyond the end", 32, {3, 5, 64}},
		{"more bits than there are", 32, {3, 4, 129}},
		{"a prefix of no length", 32, {3, 4, 0}},
		{"a size of no whole words", 31, {3, 4, 64}},
	};
	struct kernel_event event;
	uint8_t option[32];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		memset(option, 0, sizeof(option));
		memcpy(option, cases[i].option, sizeof(cases[i].option));
		if (message_decode(
			    make(from_router, option, cases[i].size, "fe80::1"),
			    &messages_context, &event))
			fail_msg("said something: %s", cases[i].why);
	}
	message_says_nothing(make_prefix(from_router, "fe80::/64", "fe80::1"));
}

static void others_than_a_router_are_not_believed(void **state)
{
	struct nduseroptmsg info = from_router;
	struct nl_msg *msg;

	(void)state;
	message_says_nothing(
		make_prefix(from_router, "2001:db8:1::/64", "2001:db8::1"));
	message_says_nothing(make_prefix(from_router, "2001:db8:1::/64", NULL));
	message_says_nothing(make_prefix(from_router, "2001:db8:1::/64", "::"));
	info.nduseropt_icmp_type = 137; /* a redirect has options, too */
	message_says_nothing(make_prefix(info, "2001:db8:1::/64", "fe80::1"));
	info = from_router;
	info.nduseropt_icmp_code = 1;
	message_says_nothing(make_prefix(info, "2001:db8:1::/64", "fe80::1"));
	info = from_router;
	info.nduseropt_family = AF_INET;
	message_says_nothing(make_prefix(info, "2001:db8:1::/64", "fe80::1"));

	msg = make_prefix(from_router, "2001:db8:1::/64", "fe80::1");
	nlmsg_hdr(msg)->nlmsg_pid = MESSAGES_PORT;
	message_says_nothing(msg);
}

static void what_the_kernel_would_not_say_is_bad(void **state)
{
	struct nduseroptmsg info = from_router;
	struct kernel_event event;
	struct nl_msg *msg;

	(void)state;
	info.nduseropt_ifindex = 0;
	message_decode_as(make_prefix(info, "2001:db8:1::/64", "fe80::1"),
			  KERNEL_BAD, &event);
	msg = make_prefix(from_router, "2001:db8:1::/64", NULL);
	message_add(msg, NDUSEROPT_SRCADDR, "\xfe\x80\0\1", 4);
	message_decode_as(msg, KERNEL_BAD, &event);
	assert_string_equal(event.bad, "router address of wrong length");
}

/* Whatever its lengths say: an event or nothing, and nothing read behind it. */
static void lengths_are_not_believed(void **state)
{
	struct nl_msg *msg =
		make_prefix(from_router, "2001:db8:1::/64", "fe80::1");
	size_t whole = nlmsg_hdr(msg)->nlmsg_len;
	struct nlmsghdr *exact;
	struct kernel_event event;
	bool said;

	(void)state;
	for (size_t len = NLMSG_HDRLEN; len <= whole; len++) {
		exact = malloc(len);
		assert_non_null(exact);
		memcpy(exact, nlmsg_hdr(msg), len);
		exact->nlmsg_len = (uint32_t)len;
		said = decode_message(exact, &messages_context, &event);
		/* Without the options: bad. Then: without a router. */
		if (len < NLMSG_HDRLEN + sizeof(from_router) + 32)
			assert_true(said && event.kind == KERNEL_BAD);
		else
			assert_true(!said || event.kind == KERNEL_BAD ||
				    len == whole);
		free(exact);
	}
	((struct nduseroptmsg *)nlmsg_data(nlmsg_hdr(msg)))
		->nduseropt_opts_len = UINT16_MAX;
	message_decode_as(msg, KERNEL_BAD, &event);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_is_decoded),
		cmocka_unit_test(what_is_no_prefix_says_nothing),
		cmocka_unit_test(others_than_a_router_are_not_believed),
		cmocka_unit_test(what_the_kernel_would_not_say_is_bad),
		cmocka_unit_test(lengths_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
