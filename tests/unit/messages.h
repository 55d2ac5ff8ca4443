/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * messages - rtnetlink messages by hand, as the kernel would send them.
 *
 * Whatever goes wrong in here fails the test.
 */
#ifndef TESTS_UNIT_MESSAGES_H
#define TESTS_UNIT_MESSAGES_H

#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include "kernel/decode.h"

#define MESSAGES_PORT 4711 /* who is said to have asked */

/* Our tables are 7100 to 7999; the clock stands at 1000.5 s. */
extern const struct decode_context messages_context;

/** message_begin() - @body: the family's own header */
struct nl_msg *message_begin(int type, int flags, void *body, size_t len);

/** message_begin_route() - unicast in main, appended; without attributes */
struct nl_msg *message_begin_route(uint8_t family, uint8_t dst_len);
struct rtmsg *message_route_body(struct nl_msg *msg);

/** message_begin_link() - of index 5; @name NULL: without one */
struct nl_msg *message_begin_link(uint8_t family, unsigned int flags,
				  const char *name);

/** message_begin_rule() - ours: priority 7109, table 7100, protocol 109 */
struct nl_msg *message_begin_rule(uint8_t src_len, uint8_t tos, uint32_t flags);

void message_add_addr(struct nl_msg *msg, int type, const char *text);
void message_add_u32(struct nl_msg *msg, int type, uint32_t value);
void message_add_u8(struct nl_msg *msg, int type, uint8_t value);
void message_add_text(struct nl_msg *msg, int type, const char *text);
void message_add(struct nl_msg *msg, int type, const void *bytes, size_t len);
void message_add_via(struct nl_msg *msg, const char *text);

/** message_add_leg() - one hop of a multipath nest; Return: for end_leg() */
uint32_t message_add_leg(struct nl_msg *msg, uint32_t ifindex, uint8_t flags,
			 uint8_t hops);
/** message_end_leg() - what was added since belongs to the hop */
void message_end_leg(struct nl_msg *msg, uint32_t leg);

/** message_decode() - decode and free @msg; Return: whether it said anything */
bool message_decode(struct nl_msg *msg, const struct decode_context *within,
		    struct kernel_event *ret);

/** message_decode_as() - it must be an event of @kind */
void message_decode_as(struct nl_msg *msg, enum kernel_event_kind kind,
		       struct kernel_event *ret);

/** message_says_nothing() - it must be no event at all */
void message_says_nothing(struct nl_msg *msg);

void assert_addr(const struct ip_addr *got, const char *want);
void assert_prefix(const struct ip_prefix *got, const char *want);

#endif
