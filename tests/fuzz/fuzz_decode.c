/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel sends: the first byte says which table was asked for, a
 * buffer of rtnetlink messages follows. Whatever comes must be an event or
 * nothing; and a route or rule that we can write, we must read as we wrote it.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/msg.h>

#include "kernel/decode.h"
#include "kernel/encode.h"

enum {
	INPUT_MAX = 8192,
	MESSAGE_MAX = 65536
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes and reads @event; Return: false when that cannot be written. */
static bool repeat(const struct kernel_event *event, struct kernel_event *ret)
{
	const struct decode_context all = {.table_last = UINT32_MAX};
	struct nl_msg *msg = nlmsg_alloc_size(MESSAGE_MAX);
	struct attrset_store store;
	struct op op = {.kind = OP_RULE_ADD};
	bool written;

	assert(msg);
	attrset_store_init(&store);
	if (event->kind == KERNEL_ROUTE) {
		op.kind = OP_ROUTE_PUT;
		op.route.prefix = event->route.prefix;
		op.route.route = event->route.route;
		op.route.route.attrs =
			attrset_intern(&store, &event->route.set);
	} else {
		op.rule = event->rule;
	}
	written = encode_op(&op, &store, 109, msg) == 0;
	if (written && !decode_message(nlmsg_hdr(msg), &all, ret))
		abort();
	attrset_store_done(&store);
	nlmsg_free(msg);
	return written;
}

static void repeat_rule(const struct kernel_event *event)
{
	struct kernel_event again;

	if (!repeat(event, &again))
		return;
	assert(again.kind == KERNEL_RULE);
	assert(rule_cmp(&again.rule, &event->rule) == 0);
}

/*
 * Once written, a route is plain: one leg of a multipath stands at top level,
 * an object's hops are left out. From then on nothing may change.
 */
static void repeat_route(const struct kernel_event *event)
{
	struct kernel_event plain;
	struct kernel_event again;

	if (!repeat(event, &plain))
		return;
	assert(plain.kind == KERNEL_ROUTE);
	assert(ip_prefix_equal(&plain.route.prefix, &event->route.prefix));
	assert(route_key_cmp(&plain.route.route, &event->route.route) == 0);
	if (repeat(&plain, &again)) {
		assert(again.kind == KERNEL_ROUTE);
		assert(attrset_equal(&again.route.set, &plain.route.set));
		decode_done(&again);
	}
	decode_done(&plain);
}

static void take(const struct nlmsghdr *hdr,
		 const struct decode_context *context)
{
	struct kernel_answer answer;
	struct kernel_event event;

	(void)decode_answer(hdr, &answer);
	if (!decode_message(hdr, context, &event))
		return;
	if (event.kind == KERNEL_ROUTE)
		repeat_route(&event);
	if (event.kind == KERNEL_RULE)
		repeat_rule(&event);
	assert(event.kind != KERNEL_BAD || event.bad);
	decode_done(&event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_context context = {
		.table_first = 7100,
		.table_last = 7999,
		.now_ms = 1000,
	};
	struct nlmsghdr *buffer;
	struct nlmsghdr *hdr;
	int left;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	context.table = data[0];
	left = (int)(size - 1);
	buffer =
		malloc(size > 1 ? size - 1 : 1); /* aligned, no byte too many */
	assert(buffer);
	memcpy(buffer, data + 1, size - 1);
	for (hdr = buffer; nlmsg_ok(hdr, left); hdr = nlmsg_next(hdr, &left))
		take(hdr, &context);
	free(buffer);
	return 0;
}
