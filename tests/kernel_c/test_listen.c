/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_listen() on the live kernel: what others do is heard, what we do is
 * not, loss is told, and an idle host is silent.
 */
#include "kernel/kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <netlink/socket.h>

#include "kernel/encode.h"
#include "kernel/sockets.h"
#include "tests/kernel_c/ear.h"
#include "tests/kernel_c/netns.h"

static struct op rule_op(uint32_t priority)
{
	struct op op = {.kind = OP_RULE_ADD};

	op.rule = (struct rule){
		.family = AF_INET,
		.priority = priority,
		.src = ip_prefix_default(AF_INET),
		.dst = ip_prefix_default(AF_INET),
		.table = EAR_TABLE,
		.action = RULE_ACTION_LOOKUP,
		.protocol = EAR_PROTOCOL,
		.iif_lo = true,
		.suppress_len = -1,
	};
	return op;
}

static void own_writes_are_not_heard(void **state)
{
	struct ear *ear = *state;
	struct op ops[2] = {ear_route(ear, 1), rule_op(7109)};

	ear_apply(ear, ear->kernel, ops, 2);
	ear_must_hear(ear, "");
	/* Others who undo it are heard. */
	netns_ip("rule del priority 7109\nroute del 10.0.0.1 table 7100");
	ear_must_hear(ear, "-rule7109 -10.0.0.1/32 ");
}

static void what_others_do_is_heard(void **state)
{
	struct ear *ear = *state;

	netns_ip("link set d1 alias x");
	ear_must_hear(ear, "+d1 ");
	netns_ip("address add 192.0.2.7/32 dev d1");
	ear_must_hear(ear, "+192.0.2.7 ");
	netns_ip("route add 203.0.113.0/24 via 192.0.2.1");
	ear_must_hear(ear, "+203.0.113.0/24 ");
	netns_ip("route add 203.0.113.0/24 via 192.0.2.1 table 50");
	ear_must_hear(ear, "");
	netns_ip("route add default via 192.0.2.1 table 50");
	ear_must_hear(ear, "+0.0.0.0/0 ");
	netns_ip("rule add priority 99 to 203.0.113.9 lookup 50");
	ear_must_hear(ear, "+rule99 ");
	netns_ip("nexthop add id 7 via 192.0.2.1 dev d1\nnexthop del id 7");
	ear_must_hear(ear, "+nhid7 -nhid7 ");
	netns_ip6("route add 2001:db8:9::/48 via fe80::1 dev d1\n"
		  "route del 2001:db8:9::/48");
	ear_must_hear(ear, "+2001:db8:9::/48 -2001:db8:9::/48 ");
	netns_ip("rule del priority 99\n"
		 "route flush table 50\n"
		 "route del 203.0.113.0/24\n"
		 "address del 192.0.2.7/32 dev d1");
	ear_listen(ear);
	assert_int_equal(ear->n[KERNEL_ROUTE], 2);
}

static void neighbours_are_heard_when_they_matter(void **state)
{
	struct ear *ear = *state;

	netns_ip("neigh replace 192.0.2.8 dev d1 lladdr 2:0:0:0:0:1 nud stale\n"
		 "neigh replace 192.0.2.9 dev d1 lladdr 2:0:0:0:0:1 nud stale "
		 "protocol 109");
	ear_must_hear(ear, "");
	netns_ip("neigh add 192.0.2.10 dev d1 lladdr 2:0:0:0:0:1");
	ear_must_hear(ear, "+192.0.2.10 "); /* permanent: hands off */
	netns_ip("neigh change 192.0.2.8 dev d1 nud failed");
	ear_must_hear(ear, "!192.0.2.8 ");
	netns_ip("neigh del 192.0.2.8 dev d1");
	ear_must_hear(ear, "");
	/* One of ours; the kernel lets it fail first. */
	netns_ip("neigh del 192.0.2.9 dev d1");
	ear_must_hear(ear, "!192.0.2.9 !192.0.2.9 ");

	assert_int_equal(kernel_watch_recovery(ear->kernel, true), 0);
	netns_ip("neigh replace 192.0.2.8 dev d1 lladdr 2:0:0:0:0:1 nud stale");
	ear_must_hear(ear, "+192.0.2.8 ");
	netns_ip("neigh del 192.0.2.8 dev d1");
	ear_must_hear(ear, "!192.0.2.8 !192.0.2.8 ");
	assert_int_equal(kernel_watch_recovery(ear->kernel, false), 0);
	netns_ip("neigh replace 192.0.2.8 dev d1 lladdr 2:0:0:0:0:1 nud stale");
	ear_must_hear(ear, "");
	netns_ip("neigh del 192.0.2.8 dev d1");
	ear_listen(ear);
}

static void ignore(const struct kernel_event *event, void *data)
{
	(void)event;
	(void)data;
}

/* How many messages get into the socket when a route of @table comes. */
static int messages_of(struct ear *ear, bool v6, uint32_t table)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "route add %s dev d1 table %u",
		       v6 ? "2001:db8:9::/48" : "203.0.113.0/24", table);
	if (v6)
		netns_ip6("%s", text);
	else
		netns_ip("%s", text);
	return kernel_listen(ear->kernel, 100, ignore, NULL);
}

static void forget(struct ear *ear, uint32_t table)
{
	char text[128];

	(void)snprintf(text, sizeof(text),
		       "route del 203.0.113.0/24 dev d1 table %u", table);
	netns_ip("%s", text);
	(void)snprintf(text, sizeof(text),
		       "route del 2001:db8:9::/48 dev d1 table %u", table);
	netns_ip6("%s", text);
	(void)kernel_listen(ear->kernel, 100, ignore, NULL);
}

/* They are not even queued: a busy foreign table costs us nothing. */
static void routes_of_foreign_tables_stay_outside(void **state)
{
	static const struct {
		uint32_t first;
		uint32_t last;
		uint32_t table;
		bool heard;
		const char *why;
	} cases[] = {
		{7100, 7999, 254, true, "main"},
		{7100, 7999, 250, false, "a foreign one below 256"},
		{7100, 7999, 252, false, "the number that means an attribute"},
		{7100, 7999, 7099, false, "before ours"},
		{7100, 7999, 7100, true, "the first of ours"},
		{7100, 7999, 7999, true, "the last of ours"},
		{7100, 7999, 8000, false, "behind ours"},
		{7100, 7999, 0x11bbc, false, "like ours in the lower bytes"},
		{40, 252, 40, true, "the first of small ones"},
		{40, 252, 39, false, "before the first of small ones"},
		{40, 252, 252, true, "the last of small ones"},
		{0x12345678, 0x12345679, 0x12345678, true, "four bytes"},
		{0x12345678, 0x12345679, 0x12345677, false, "four bytes"},
		{0x12345678, 0x12345679, 0x12355678, false, "byte 2"},
		{0x12345678, 0x12345679, 0x13345678, false, "byte 3"},
		{0x80000000, 0xfffffffe, 0xfffffffe, true, "the highest bit"},
		{0x80000000, 0xfffffffe, 7100, false, "the highest bit"},
	};
	struct kernel_config config = ear_config;
	struct ear *ear = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		config.table_first = cases[i].first;
		config.table_last = cases[i].last;
		kernel_configure(ear->kernel, &config);
		for (int v6 = 0; v6 < 2; v6++)
			if (messages_of(ear, v6, cases[i].table) !=
			    (int)cases[i].heard)
				fail_msg("table %u, IPv%d: %s", cases[i].table,
					 v6 ? 6 : 4, cases[i].why);
		forget(ear, cases[i].table);
	}
	kernel_configure(ear->kernel, &ear_config);
	ear_listen(ear);
}

static void another_protocol_is_another_owner(void **state)
{
	struct kernel_config changed = ear_config;
	struct ear *ear = *state;

	/* Not any number: without a mark it must not be taken for one. */
	changed.protocol = RTM_DELNEIGH;
	changed.table_first = 60;
	changed.table_last = 60;
	kernel_configure(ear->kernel, &changed);
	netns_ip("neigh replace 192.0.2.8 dev d1 lladdr 2:0:0:0:0:1 nud stale "
		 "protocol 29\n"
		 "neigh del 192.0.2.8 dev d1\n"
		 "neigh add 192.0.2.9 dev d1 nud none\n"
		 "neigh del 192.0.2.9 dev d1\n"
		 "route add 203.0.113.0/24 via 192.0.2.1 table 60\n"
		 "route add 203.0.113.0/24 via 192.0.2.1 table 7100\n"
		 "route flush table 60\n"
		 "route flush table 7100");
	ear_must_hear(ear, "!192.0.2.8 !192.0.2.8 "
			   "+203.0.113.0/24 -203.0.113.0/24 ");
}

#define BURST 60000

/* More than the socket holds, by somebody else. */
static void loss_is_told_and_survived(void **state)
{
	struct kernel_read what = {
		.what = KERNEL_ROUTE,
		.family = AF_INET,
		.table = EAR_TABLE,
	};
	struct op *ops = xalloc(BURST * sizeof(*ops));
	struct ear *ear = *state;
	struct kernel *other;
	uint32_t i;

	assert_int_equal(kernel_open(&ear_config, &other), 0);
	for (i = 0; i < BURST; i++)
		ops[i] = ear_route(ear, i);
	ear_apply(ear, other, ops, BURST);
	ear_listen(ear);
	assert_int_equal(ear->n[KERNEL_LOST], 1);
	assert_in_range(ear->n[KERNEL_ROUTE], 1, BURST - 1);

	ear_forget(ear);
	assert_int_equal(kernel_read(ear->kernel, &what, ear_hear, ear), 0);
	assert_int_equal(ear->n[KERNEL_ROUTE], BURST);
	/* From here on it hears again. */
	ops[0].kind = OP_ROUTE_DELETE;
	ear_apply(ear, other, ops, 1);
	ear_must_hear(ear, "-10.0.0.0/32 ");
	netns_ip("route flush table 7100");
	kernel_free(other);
	free(ops);
}

/* Anybody with the right to may write to our sockets. */
static void other_processes_are_not_believed(void **state)
{
	struct ear *ear = *state;
	struct sockaddr_nl to = {
		.nl_family = AF_NETLINK,
		.nl_pid = nl_socket_get_local_port(ear->kernel->listener),
	};
	struct rtmsg info = {
		.rtm_family = AF_INET,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_type = RTN_UNREACHABLE,
	};
	struct nl_msg *msg = ear->kernel->msg;
	struct nl_sock *forger;
	ssize_t sent;

	assert_int_equal(nl_sock_open(NETLINK_ROUTE, &forger), 0);
	assert_int_equal(
		encode_begin(msg, RTM_NEWROUTE, 0, &info, sizeof(info)), 0);
	sent = sendto(nl_socket_get_fd(forger), nlmsg_hdr(msg),
		      nlmsg_hdr(msg)->nlmsg_len, 0, (struct sockaddr *)&to,
		      sizeof(to));
	assert_int_equal(sent, nlmsg_hdr(msg)->nlmsg_len);
	ear_must_hear(ear, "");
	nl_sock_free(forger);
}

static int make_network(void **state)
{
	(void)state;
	netns_links();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ear_open, ear_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(own_writes_are_not_heard),
		TEST(what_others_do_is_heard),
		TEST(neighbours_are_heard_when_they_matter),
		TEST(routes_of_foreign_tables_stay_outside),
		TEST(another_protocol_is_another_owner),
		TEST(loss_is_told_and_survived),
		TEST(other_processes_are_not_believed),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
