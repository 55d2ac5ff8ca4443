/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of MPTCP connections, as the kernel words them. */
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

#define TOKEN 0xfedcba98U

/* One attribute: a number of so many bytes, or an address. */
struct part {
	int type; /* 0: none */
	uint32_t value;
	size_t len;
	const char *addr;
};

enum {
	PARTS = 12
};

#define U8(type, value)                                                        \
	{                                                                      \
		(type), (value), 1, NULL                                       \
	}
#define U16(type, value)                                                       \
	{                                                                      \
		(type), (value), 2, NULL                                       \
	}
#define U32(type, value)                                                       \
	{                                                                      \
		(type), (value), 4, NULL                                       \
	}
#define ADDR(type, text)                                                       \
	{                                                                      \
		(type), 0, 0, (text)                                           \
	}
#define SHORT(type, len)                                                       \
	{                                                                      \
		(type), 0, (len), NULL                                         \
	}

static void put(struct nl_msg *msg, const struct part *part)
{
	uint8_t bytes[16] = {0};
	uint8_t u8 = (uint8_t)part->value;
	bool is_port = part->type == MPTCP_ATTR_SPORT ||
		       part->type == MPTCP_ATTR_DPORT;
	uint16_t u16 =
		is_port ? htons((uint16_t)part->value) : (uint16_t)part->value;
	bool is_v6 = part->addr && strchr(part->addr, ':');
	int r;

	if (part->addr) {
		assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET,
					   part->addr, bytes),
				 1);
		r = nla_put(msg, part->type, is_v6 ? 16 : 4, bytes);
	} else if (part->len == 1) {
		r = nla_put(msg, part->type, 1, &u8);
	} else if (part->len == 2) {
		r = nla_put(msg, part->type, 2, &u16);
	} else if (part->len == 4) {
		r = nla_put(msg, part->type, 4, &part->value);
	} else {
		r = nla_put(msg, part->type, (int)part->len, bytes);
	}
	assert_int_equal(r, 0);
}

static struct nl_msg *event_message(uint8_t command, const struct part *parts)
{
	struct genlmsghdr body = {.cmd = command, .version = 1};
	struct nl_msg *msg = nlmsg_alloc_simple(32, 0);

	assert_non_null(msg);
	assert_int_equal(nlmsg_append(msg, &body, sizeof(body), NLMSG_ALIGNTO),
			 0);
	for (size_t i = 0; i < PARTS && parts[i].type; i++)
		put(msg, &parts[i]);
	return msg;
}

static int decode(uint8_t command, const struct part *parts,
		  struct mptcp_event *ret)
{
	struct nl_msg *msg = event_message(command, parts);
	int r = decode_mptcp_event(nlmsg_hdr(msg), ret);

	nlmsg_free(msg);
	return r;
}

/* --- what is told --- */

#define ENDS_V4                                                                \
	ADDR(MPTCP_ATTR_SADDR4, "192.0.2.1"),                                  \
		ADDR(MPTCP_ATTR_DADDR4, "203.0.113.9"),                        \
		U16(MPTCP_ATTR_SPORT, 40000), U16(MPTCP_ATTR_DPORT, 443)

static const char *event_text(const struct mptcp_event *event, char *ret)
{
	static const char *const kinds[] = {
		[MPTCP_OPENED] = "opened",
		[MPTCP_READY] = "ready",
		[MPTCP_ENDED] = "ended",
		[MPTCP_PEER_ANNOUNCED] = "announced",
		[MPTCP_PEER_WITHDREW] = "withdrew",
		[MPTCP_SUBFLOW_OPENED] = "joined",
		[MPTCP_SUBFLOW_CLOSED] = "closed",
		[MPTCP_SUBFLOW_CHANGED] = "changed",
		[MPTCP_OTHER] = "other",
	};
	char src[IP_TEXT_MAX] = "-";
	char dst[IP_TEXT_MAX] = "-";

	if (ip_addr_is_set(&event->ends.src))
		ip_addr_format(&event->ends.src, src);
	if (ip_addr_is_set(&event->ends.dst))
		ip_addr_format(&event->ends.dst, dst);
	(void)sprintf(ret, "%s %x %s %u %s %u #%u #%u%s%s%s %u",
		      kinds[event->kind], event->token, src, event->ends.sport,
		      dst, event->ends.dport, event->id_local, event->id_remote,
		      event->backup ? " backup" : "",
		      event->passive ? " passive" : "",
		      event->denies_first ? " denies" : "", event->error);
	return ret;
}

static const struct {
	uint8_t command;
	struct part parts[PARTS];
	const char *want;
	const char *why;
} told[] = {
	{MPTCP_EVENT_CREATED,
	 {U32(MPTCP_ATTR_TOKEN, TOKEN), U8(MPTCP_ATTR_SERVER_SIDE, 0),
	  U16(MPTCP_ATTR_FAMILY, AF_INET), ENDS_V4},
	 "opened fedcba98 192.0.2.1 40000 203.0.113.9 443 #0 #0 0",
	 "ports are in the network's order"},
	{MPTCP_EVENT_ESTABLISHED,
	 {U32(MPTCP_ATTR_TOKEN, TOKEN), U8(MPTCP_ATTR_SERVER_SIDE, 1), ENDS_V4},
	 "ready fedcba98 192.0.2.1 40000 203.0.113.9 443 #0 #0 passive 0",
	 "a server, as older kernels say"},
	{MPTCP_EVENT_ESTABLISHED,
	 {U32(MPTCP_ATTR_TOKEN, TOKEN), U16(MPTCP_ATTR_FLAGS, 2), ENDS_V4},
	 "ready fedcba98 192.0.2.1 40000 203.0.113.9 443 #0 #0 passive 0",
	 "a server, as newer ones say"},
	{MPTCP_EVENT_ESTABLISHED,
	 {U32(MPTCP_ATTR_TOKEN, TOKEN), U16(MPTCP_ATTR_FLAGS, 1), ENDS_V4},
	 "ready fedcba98 192.0.2.1 40000 203.0.113.9 443 #0 #0 denies 0",
	 "the peer's C flag"},
	{MPTCP_EVENT_CREATED,
	 {U32(MPTCP_ATTR_TOKEN, TOKEN), U16(MPTCP_ATTR_FLAGS, 4), ENDS_V4},
	 "opened fedcba98 192.0.2.1 40000 203.0.113.9 443 #0 #0 0",
	 "a flag to come"},
	{MPTCP_EVENT_ESTABLISHED,
	 {U32(MPTCP_ATTR_TOKEN, 1), ADDR(MPTCP_ATTR_SADDR6, "::ffff:192.0.2.1"),
	  ADDR(MPTCP_ATTR_DADDR6, "::ffff:203.0.113.9")},
	 "ready 1 192.0.2.1 0 203.0.113.9 0 #0 #0 0",
	 "mapped: it is IPv4"},
	{MPTCP_EVENT_ESTABLISHED,
	 {U32(MPTCP_ATTR_TOKEN, 1), ADDR(MPTCP_ATTR_SADDR4, "192.0.2.1"),
	  ADDR(MPTCP_ATTR_DADDR6, "::ffff:203.0.113.9")},
	 "ready 1 192.0.2.1 0 203.0.113.9 0 #0 #0 0",
	 "one of them mapped"},
	{MPTCP_EVENT_SUB_ESTABLISHED,
	 {U32(MPTCP_ATTR_TOKEN, 1), U8(MPTCP_ATTR_LOC_ID, 3),
	  U8(MPTCP_ATTR_REM_ID, 255), U8(MPTCP_ATTR_BACKUP, 1),
	  ADDR(MPTCP_ATTR_SADDR6, "2001:db8::1"),
	  ADDR(MPTCP_ATTR_DADDR6, "2001:db8::9"), U16(MPTCP_ATTR_SPORT, 1),
	  U32(MPTCP_ATTR_IF_IDX, 2)},
	 "joined 1 2001:db8::1 1 2001:db8::9 0 #3 #255 backup 0",
	 "IPv6"},
	{MPTCP_EVENT_SUB_CLOSED,
	 {U32(MPTCP_ATTR_TOKEN, 1), U8(MPTCP_ATTR_ERROR, 110),
	  U32(MPTCP_ATTR_RESET_REASON, 6), U32(MPTCP_ATTR_RESET_FLAGS, 1),
	  ENDS_V4},
	 "closed 1 192.0.2.1 40000 203.0.113.9 443 #0 #0 110",
	 "ETIMEDOUT"},
	{MPTCP_EVENT_SUB_PRIORITY,
	 {U32(MPTCP_ATTR_TOKEN, 1), U8(MPTCP_ATTR_BACKUP, 0), ENDS_V4},
	 "changed 1 192.0.2.1 40000 203.0.113.9 443 #0 #0 0",
	 "no backup"},
	{MPTCP_EVENT_ANNOUNCED,
	 {U32(MPTCP_ATTR_TOKEN, 1), U8(MPTCP_ATTR_REM_ID, 7),
	  U16(MPTCP_ATTR_DPORT, 80), ADDR(MPTCP_ATTR_DADDR6, "2001:db8::9")},
	 "announced 1 - 0 2001:db8::9 80 #0 #7 0",
	 "no source"},
	{MPTCP_EVENT_REMOVED,
	 {U32(MPTCP_ATTR_TOKEN, 1), U8(MPTCP_ATTR_REM_ID, 7)},
	 "withdrew 1 - 0 - 0 #0 #7 0",
	 "no address"},
	{MPTCP_EVENT_CLOSED,
	 {U32(MPTCP_ATTR_TOKEN, 0)},
	 "ended 0 - 0 - 0 #0 #0 0",
	 "any token"},
	{15, /* a listener, of newer headers */
	 {ADDR(MPTCP_ATTR_SADDR4, "192.0.2.1"), U16(MPTCP_ATTR_SPORT, 0)},
	 "other 0 192.0.2.1 0 - 0 #0 #0 0",
	 "without a token"},
	{250, {{0}}, "other 0 - 0 - 0 #0 #0 0", "of a kernel to come"},
};

static void events_are_decoded(void **state)
{
	struct mptcp_event event;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		memset(&event, 0x55, sizeof(event));
		if (decode(told[i].command, told[i].parts, &event))
			fail_msg("refused: %s", told[i].why);
		if (strcmp(event_text(&event, text), told[i].want) != 0)
			fail_msg("%s: '%s'", told[i].why, text);
	}
}

/* --- what is not --- */

#define GOOD U32(MPTCP_ATTR_TOKEN, 1), ENDS_V4

static const struct {
	uint8_t command;
	struct part parts[PARTS];
	const char *why;
} spoilt[] = {
	{MPTCP_EVENT_CREATED, {ENDS_V4}, "no token"},
	{MPTCP_EVENT_CLOSED, {{0}}, "no token"},
	{MPTCP_EVENT_CREATED, {U32(MPTCP_ATTR_TOKEN, 1)}, "no addresses"},
	{MPTCP_EVENT_ESTABLISHED,
	 {U32(MPTCP_ATTR_TOKEN, 1), ADDR(MPTCP_ATTR_SADDR4, "192.0.2.1")},
	 "no destination"},
	{MPTCP_EVENT_SUB_CLOSED,
	 {U32(MPTCP_ATTR_TOKEN, 1), ADDR(MPTCP_ATTR_DADDR4, "192.0.2.1")},
	 "no source"},
	{MPTCP_EVENT_SUB_ESTABLISHED,
	 {U32(MPTCP_ATTR_TOKEN, 1), ADDR(MPTCP_ATTR_SADDR4, "192.0.2.1"),
	  ADDR(MPTCP_ATTR_DADDR6, "2001:db8::9")},
	 "of two families"},
	{MPTCP_EVENT_ANNOUNCED,
	 {U32(MPTCP_ATTR_TOKEN, 1), U8(MPTCP_ATTR_REM_ID, 7)},
	 "announced what?"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_TOKEN, 3)}, "token"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_LOC_ID, 2)}, "local id"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_REM_ID, 0)}, "remote id"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_ERROR, 4)}, "error"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_BACKUP, 4)}, "backup"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_SERVER_SIDE, 2)}, "side"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_FLAGS, 4)}, "flags"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_SPORT, 1)}, "port"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_DPORT, 4)}, "port"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_SADDR4, 3)}, "IPv4"},
	{MPTCP_EVENT_CREATED, {GOOD, SHORT(MPTCP_ATTR_DADDR6, 4)}, "IPv6"},
	{250, {SHORT(MPTCP_ATTR_TOKEN, 5)}, "whoever it is from"},
};

static void spoilt_events_are_refused(void **state)
{
	struct mptcp_event event = {.id_local = 99};

	(void)state;
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++) {
		if (decode(spoilt[i].command, spoilt[i].parts, &event) !=
		    -EBADMSG)
			fail_msg("taken: %s", spoilt[i].why);
		assert_int_equal(event.id_local, 99);
	}
}

/* Every length that is too short for the whole. */
static void cut_events_are_refused_or_lack_something(void **state)
{
	struct nl_msg *msg = event_message(told[0].command, told[0].parts);
	uint32_t whole = nlmsg_hdr(msg)->nlmsg_len;
	struct mptcp_event event;

	(void)state;
	for (uint32_t len = NLMSG_HDRLEN; len < whole; len++) {
		int r;

		nlmsg_hdr(msg)->nlmsg_len = len;
		r = decode_mptcp_event(nlmsg_hdr(msg), &event);
		if (r == 0)
			assert_true(ip_addr_is_set(&event.ends.dst));
		else
			assert_int_equal(r, -EBADMSG);
	}
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_decoded),
		cmocka_unit_test(spoilt_events_are_refused),
		cmocka_unit_test(cut_events_are_refused_or_lack_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
