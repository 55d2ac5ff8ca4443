/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/kernel_c/ear.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

const struct kernel_config ear_config = {
	.table_first = EAR_TABLE,
	.table_last = EAR_TABLE + 9,
	.protocol = EAR_PROTOCOL,
};

int ear_open(void **state)
{
	static struct ear ear;

	ear = (struct ear){0};
	attrset_store_init(&ear.store);
	*state = &ear;
	return kernel_open(&ear_config, &ear.kernel);
}

int ear_close(void **state)
{
	struct ear *ear = *state;

	kernel_free(ear->kernel);
	attrset_store_done(&ear->store);
	return 0;
}

void ear_forget(struct ear *ear)
{
	ear->said[0] = '\0';
	memset(ear->n, 0, sizeof(ear->n));
}

static void say(struct ear *ear, const char *sign, const char *word)
{
	size_t len = strlen(ear->said);

	(void)snprintf(ear->said + len, sizeof(ear->said) - len, "%s%s ", sign,
		       word);
}

void ear_hear(const struct kernel_event *event, void *data)
{
	const char *sign = event->deleted ? "-" : "+";
	struct ear *ear = data;
	char text[IP_TEXT_MAX];

	ear->n[event->kind]++;
	switch (event->kind) {
	case KERNEL_LINK:
		say(ear, sign, event->link.name);
		break;
	case KERNEL_ADDRESS:
		say(ear, sign, ip_addr_format(&event->address.local, text));
		break;
	case KERNEL_ROUTE:
		say(ear, sign, ip_prefix_format(&event->route.prefix, text));
		break;
	case KERNEL_RULE:
		(void)snprintf(text, sizeof(text), "rule%u",
			       event->rule.priority);
		say(ear, sign, text);
		break;
	case KERNEL_NEIGHBOUR:
		say(ear, event->neighbour.failed ? "!" : sign,
		    ip_addr_format(&event->neighbour.addr, text));
		break;
	case KERNEL_NEXTHOP:
		(void)snprintf(text, sizeof(text), "nhid%u", event->nexthop_id);
		say(ear, sign, text);
		break;
	case KERNEL_ADVERT:
		say(ear, "ra:",
		    ip_prefix_format(&event->advert.prefix.prefix, text));
		break;
	case KERNEL_LOST:
		say(ear, "", "lost");
		break;
	case KERNEL_BAD:
		fail_msg("bad: %s", event->bad);
	}
}

/* All that is queued; the kernel queues before it answers whoever asked. */
void ear_listen(struct ear *ear)
{
	int n;

	ear_forget(ear);
	do {
		n = kernel_listen(ear->kernel, 7, ear_hear, ear);
		assert_true(n >= 0 && n <= 7);
	} while (n > 0);
}

void ear_must_hear(struct ear *ear, const char *want)
{
	ear_listen(ear);
	assert_string_equal(ear->said, want);
}

void ear_must_read(struct ear *ear, const struct kernel_read *what,
		   const char *want)
{
	ear_forget(ear);
	assert_int_equal(kernel_read(ear->kernel, what, ear_hear, ear), 0);
	assert_string_equal(ear->said, want);
}

void ear_apply(struct ear *ear, struct kernel *kernel, const struct op *ops,
	       size_t n)
{
	struct kernel_failure_vec failures = {0};

	assert_int_equal(kernel_apply(kernel, ops, n, &ear->store, &failures),
			 0);
	assert_int_equal(failures.n, 0);
}

struct op ear_route(struct ear *ear, uint32_t i)
{
	const struct next_hop hop = {.ifindex = if_nametoindex("d1")};
	struct op op = {
		.kind = OP_ROUTE_PUT,
		.route.route = {.table = EAR_TABLE,
				.metric = 9,
				.protocol = EAR_PROTOCOL},
	};
	struct ip_addr addr = {
		.family = AF_INET,
		.bytes = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
			  (uint8_t)i},
	};
	struct attrset set;

	attrset_init(&set, AF_INET, ATTRSET_UNICAST);
	attrset_add_hop(&set, &hop, NULL, 0);
	op.route.prefix = ip_prefix_make(&addr, 32);
	op.route.route.attrs = attrset_intern(&ear->store, &set);
	attrset_done(&set);
	return op;
}
