/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that say again what others said, read and written: they must mean
 * what they mean one by one.
 */
#include "kernel/repeat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "kernel/encode.h"
#include "tests/unit/messages.h"
#include "unit/dice.h"

#define MESSAGES 20000

static uint64_t seed;

/* Few of each, so that they repeat; some make no sense. */
static struct nl_msg *roll_route(struct dice *dice)
{
	static const char *const gateways[] = {"192.0.2.1", "192.0.2.2",
					       "198.51.100.1"};
	uint8_t len = (uint8_t)(dice_roll(dice, 4) ? 24 : dice_roll(dice, 34));
	struct nl_msg *msg = message_begin_route(AF_INET, len);
	char text[32];

	(void)snprintf(text, sizeof(text), "10.%u.%u.0", dice_roll(dice, 256),
		       dice_roll(dice, 256));
	if (dice_roll(dice, 30) == 0)
		nlmsg_hdr(msg)->nlmsg_type = RTM_DELROUTE;
	message_route_body(msg)->rtm_protocol =
		(uint8_t)(3 + dice_roll(dice, 2));
	if (dice_roll(dice, 2))
		message_add_u32(msg, RTA_TABLE, 254);
	if (dice_roll(dice, 20))
		message_add_addr(msg, RTA_DST, text);
	if (dice_roll(dice, 10) == 0)
		message_add_u32(msg, RTA_PRIORITY, dice_roll(dice, 3));
	if (dice_roll(dice, 50) == 0)
		message_add_u32(msg, RTA_NH_ID, 7);
	message_add_addr(msg, RTA_GATEWAY, gateways[dice_roll(dice, 3)]);
	message_add_u32(msg, RTA_OIF, 2 + dice_roll(dice, 3));
	return msg;
}

static void compare(const struct kernel_event *a, const struct kernel_event *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->deleted, b->deleted);
	assert_int_equal(a->port, b->port);
	if (a->kind != KERNEL_ROUTE)
		return;
	assert_int_equal(a->put, b->put);
	assert_true(ip_prefix_equal(&a->route.prefix, &b->route.prefix));
	assert_int_equal(a->route.prefix.len, b->route.prefix.len);
	assert_true(route_equal(&a->route.route, &b->route.route));
	assert_true(attrset_equal(&a->route.set, &b->route.set));
}

static void repeats_mean_what_they_say(void **state)
{
	struct repeat repeat = {0};
	struct dice dice = {seed};
	size_t said = 0;

	(void)state;
	for (int i = 0; i < MESSAGES; i++) {
		struct nl_msg *msg = roll_route(&dice);
		const struct kernel_event *event = repeat_decode(
			&repeat, nlmsg_hdr(msg), &messages_context);
		struct kernel_event alone;
		bool says = decode_message(nlmsg_hdr(msg), &messages_context,
					   &alone);

		assert_int_equal(event != NULL, says);
		if (says) {
			compare(event, &alone);
			decode_done(&alone);
			said++;
		}
		nlmsg_free(msg);
	}
	assert_true(said > MESSAGES / 2);
	repeat_done(&repeat);
	repeat_done(&repeat);
}

static struct op roll_op(struct dice *dice, uint32_t attrs)
{
	struct op op = {.kind = dice_roll(dice, 4) ? OP_ROUTE_PUT
						   : OP_ROUTE_DELETE};
	struct ip_addr addr = {.family = AF_INET};

	addr.bytes[0] = (uint8_t)(1 + dice_roll(dice, 200));
	addr.bytes[1] = (uint8_t)dice_roll(dice, 256);
	op.route.prefix =
		ip_prefix_make(&addr, (uint8_t)(1 + dice_roll(dice, 32)));
	op.route.route = (struct route){
		.table = 7100,
		.metric = 1024,
		.protocol = 109,
		.attrs = attrs,
	};
	return op;
}

/* As encode_op() would have it. */
static void moved_messages_are_those_of_their_prefix(void **state)
{
	const struct next_hop hop = {
		.ifindex = 3,
		.gateway = {AF_INET, {192, 0, 2, 1}},
	};
	struct nl_msg *moved = nlmsg_alloc_size(4096);
	struct nl_msg *alone = nlmsg_alloc_size(4096);
	struct attrset_store attrs;
	struct dice dice = {seed};
	struct attrset set;
	uint32_t id;

	(void)state;
	attrset_store_init(&attrs);
	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	attrset_add_hop(&set, &hop, NULL, 0);
	id = attrset_intern(&attrs, &set);
	for (int i = 0; i < 1000; i++) {
		struct op from = roll_op(&dice, id);
		struct op to = roll_op(&dice, id);

		to.kind = from.kind;
		assert_int_equal(encode_op(&from, &attrs, 109, moved), 0);
		assert_int_equal(encode_op(&to, &attrs, 109, alone), 0);
		encode_move(nlmsg_hdr(moved), &to.route.prefix);
		assert_int_equal(nlmsg_hdr(moved)->nlmsg_len,
				 nlmsg_hdr(alone)->nlmsg_len);
		assert_memory_equal(nlmsg_hdr(moved), nlmsg_hdr(alone),
				    nlmsg_hdr(alone)->nlmsg_len);
	}
	nlmsg_free(moved);
	nlmsg_free(alone);
	attrset_done(&set);
	attrset_store_done(&attrs);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(repeats_mean_what_they_say),
		cmocka_unit_test(moved_messages_are_those_of_their_prefix),
	};

	seed = dice_seed(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
