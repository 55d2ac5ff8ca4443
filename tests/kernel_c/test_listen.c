/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_listen() on the live kernel: what others do is heard, what we do is
 * not, loss is told, and an idle host is silent.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>
#include <netlink/socket.h>

#include "kernel/encode.h"
#include "kernel/sockets.h"
#include "tests/kernel_c/netns.h"

#define OURS  7100
#define OWNER 109

static const struct kernel_config config = {
	.table_first = OURS,
	.table_last = OURS + 9,
	.protocol = OWNER,
};

/* What was heard, as words; and how many events of each kind. */
struct ear {
	struct kernel *kernel;
	struct attrset_store store;
	char said[1024];
	size_t n[KERNEL_BAD + 1];
};

static int ear_open(void **state)
{
	static struct ear ear;

	ear = (struct ear){0};
	attrset_store_init(&ear.store);
	*state = &ear;
	return kernel_open(&config, &ear.kernel);
}

static int ear_close(void **state)
{
	struct ear *ear = *state;

	kernel_free(ear->kernel);
	attrset_store_done(&ear->store);
	return 0;
}

static void say(struct ear *ear, const char *sign, const char *word)
{
	size_t len = strlen(ear->said);

	(void)snprintf(ear->said + len, sizeof(ear->said) - len, "%s%s ", sign,
		       word);
}

static void hear(const struct kernel_event *event, void *data)
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
	case KERNEL_LOST:
		say(ear, "", "lost");
		break;
	case KERNEL_BAD:
		fail_msg("bad: %s", event->bad);
	}
}

/* All that is queued; the kernel queues before it answers whoever asked. */
static void listen_all(struct ear *ear)
{
	int n;

	ear->said[0] = '\0';
	memset(ear->n, 0, sizeof(ear->n));
	do {
		n = kernel_listen(ear->kernel, 7, hear, ear);
		assert_true(n >= 0 && n <= 7);
	} while (n > 0);
}

static void assert_heard(struct ear *ear, const char *want)
{
	listen_all(ear);
	assert_string_equal(ear->said, want);
}

static struct op put(struct ear *ear, uint32_t i)
{
	const struct next_hop hop = {.ifindex = if_nametoindex("d1")};
	struct op op = {
		.kind = OP_ROUTE_PUT,
		.route.route = {.table = OURS, .metric = 9, .protocol = OWNER},
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

static struct op rule_op(uint32_t priority)
{
	struct op op = {.kind = OP_RULE_ADD};

	op.rule = (struct rule){
		.family = AF_INET,
		.priority = priority,
		.src = ip_prefix_default(AF_INET),
		.dst = ip_prefix_default(AF_INET),
		.table = OURS,
		.action = RULE_ACTION_LOOKUP,
		.protocol = OWNER,
		.iif_lo = true,
		.suppress_len = -1,
	};
	return op;
}

static void apply(struct kernel *kernel, struct ear *ear, const struct op *ops,
		  size_t n)
{
	struct kernel_failure_vec failures = {0};

	assert_int_equal(kernel_apply(kernel, ops, n, &ear->store, &failures),
			 0);
	assert_int_equal(failures.n, 0);
}

static void own_writes_are_not_heard(void **state)
{
	struct ear *ear = *state;
	struct op ops[2] = {put(ear, 1), rule_op(7109)};

	apply(ear->kernel, ear, ops, 2);
	assert_heard(ear, "");
	/* Others who undo it are heard. */
	netns_ip("rule del priority 7109\nroute del 10.0.0.1 table 7100");
	assert_heard(ear, "-rule7109 -10.0.0.1/32 ");
}

static void what_others_do_is_heard(void **state)
{
	struct ear *ear = *state;

	netns_ip("link set d1 alias x");
	assert_heard(ear, "+d1 ");
	netns_ip("address add 192.0.2.7/32 dev d1");
	assert_heard(ear, "+192.0.2.7 ");
	netns_ip("route add 203.0.113.0/24 via 192.0.2.1");
	assert_heard(ear, "+203.0.113.0/24 ");
	netns_ip("route add 203.0.113.0/24 via 192.0.2.1 table 50");
	assert_heard(ear, "");
	netns_ip("route add default via 192.0.2.1 table 50");
	assert_heard(ear, "+0.0.0.0/0 ");
	netns_ip("rule add priority 99 to 203.0.113.9 lookup 50");
	assert_heard(ear, "+rule99 ");
	netns_ip("nexthop add id 7 via 192.0.2.1 dev d1\nnexthop del id 7");
	assert_heard(ear, "+nhid7 -nhid7 ");
	netns_ip6("route add 2001:db8:9::/48 via fe80::1 dev d1\n"
		  "route del 2001:db8:9::/48");
	assert_heard(ear, "+2001:db8:9::/48 -2001:db8:9::/48 ");
	netns_ip("rule del priority 99\n"
		 "route flush table 50\n"
		 "route del 203.0.113.0/24\n"
		 "address del 192.0.2.7/32 dev d1");
	listen_all(ear);
	assert_int_equal(ear->n[KERNEL_ROUTE], 2);
}

static void neighbours_are_heard_when_they_matter(void **state)
{
	struct ear *ear = *state;

	netns_ip("neigh replace 192.0.2.8 dev d1 lladdr 2:0:0:0:0:1 nud stale\n"
		 "neigh replace 192.0.2.9 dev d1 lladdr 2:0:0:0:0:1 nud stale "
		 "protocol 109");
	assert_heard(ear, "");
	netns_ip("neigh change 192.0.2.8 dev d1 nud failed");
	assert_heard(ear, "!192.0.2.8 ");
	netns_ip("neigh del 192.0.2.8 dev d1");
	assert_heard(ear, "");
	/* One of ours; the kernel lets it fail first. */
	netns_ip("neigh del 192.0.2.9 dev d1");
	assert_heard(ear, "!192.0.2.9 !192.0.2.9 ");

	assert_int_equal(kernel_watch_recovery(ear->kernel, true), 0);
	netns_ip("neigh replace 192.0.2.8 dev d1 lladdr 2:0:0:0:0:1 nud stale");
	assert_heard(ear, "+192.0.2.8 ");
	netns_ip("neigh del 192.0.2.8 dev d1");
	assert_heard(ear, "!192.0.2.8 !192.0.2.8 ");
	assert_int_equal(kernel_watch_recovery(ear->kernel, false), 0);
	netns_ip("neigh replace 192.0.2.8 dev d1 lladdr 2:0:0:0:0:1 nud stale");
	assert_heard(ear, "");
	netns_ip("neigh del 192.0.2.8 dev d1");
	listen_all(ear);
}

static void another_protocol_is_another_owner(void **state)
{
	struct kernel_config changed = config;
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
	assert_heard(ear, "!192.0.2.8 !192.0.2.8 "
			  "+203.0.113.0/24 -203.0.113.0/24 ");
}

/* As after a time-out: something was asked, and nobody read the answer. */
static void leave_behind(struct kernel *kernel, int flags)
{
	struct rtmsg info = {.rtm_family = AF_INET};
	struct nlmsghdr *hdr = nlmsg_hdr(kernel->msg);
	int r;

	r = encode_begin(kernel->msg, RTM_GETROUTE, flags, &info, sizeof(info));
	assert_int_equal(r, 0);
	hdr->nlmsg_seq = ++kernel->sequence;
	assert_int_equal(nl_sock_send(kernel->asker, hdr, hdr->nlmsg_len), 0);
}

#define BURST 60000

/* More than the socket holds, by somebody else. */
static void loss_is_told_and_survived(void **state)
{
	struct kernel_read what = {
		.what = KERNEL_ROUTE,
		.family = AF_INET,
		.table = OURS,
	};
	struct op *ops = xalloc(BURST * sizeof(*ops));
	struct ear *ear = *state;
	struct kernel *other;
	uint32_t i;

	assert_int_equal(kernel_open(&config, &other), 0);
	for (i = 0; i < BURST; i++)
		ops[i] = put(ear, i);
	apply(other, ear, ops, BURST);
	listen_all(ear);
	assert_int_equal(ear->n[KERNEL_LOST], 1);
	assert_in_range(ear->n[KERNEL_ROUTE], 1, BURST - 1);

	memset(ear->n, 0, sizeof(ear->n));
	assert_int_equal(kernel_read(ear->kernel, &what, hear, ear), 0);
	assert_int_equal(ear->n[KERNEL_ROUTE], BURST);
	/* Most of a dump was left behind. */
	leave_behind(ear->kernel, NLM_F_DUMP);
	ear->kernel->unfinished = true;
	assert_int_equal(kernel_read(ear->kernel, &what, hear, ear), 0);
	assert_int_equal(ear->n[KERNEL_ROUTE], 2 * BURST);
	/* From here on it hears again. */
	ops[0].kind = OP_ROUTE_DELETE;
	apply(other, ear, ops, 1);
	assert_heard(ear, "-10.0.0.0/32 ");
	netns_ip("route flush table 7100");
	kernel_free(other);
	free(ops);
}

static void dumps_hold_what_was_asked_for(void **state)
{
	static const struct {
		struct kernel_read what;
		const char *want;
	} cases[] = {
		{{.what = KERNEL_ADDRESS, .family = AF_INET},
		 "+127.0.0.1 +192.0.2.2 +198.51.100.2 "},
		{{.what = KERNEL_ROUTE, .family = AF_INET, .table = 60},
		 "+10.1.0.0/16 +10.2.0.0/16 +10.3.0.0/16 "},
		{{.what = KERNEL_ROUTE,
		  .family = AF_INET,
		  .table = 60,
		  .protocol = OWNER},
		 "+10.2.0.0/16 "},
		{{.what = KERNEL_ROUTE, .family = AF_INET, .table = 61}, ""},
		{{.what = KERNEL_ROUTE,
		  .family = AF_INET,
		  .table = 60,
		  .ifindex = 9999},
		 ""},
		{{.what = KERNEL_RULE, .family = AF_INET6},
		 "+rule0 +rule32766 "},
	};
	struct kernel_read by_link = {
		.what = KERNEL_ROUTE,
		.family = AF_INET,
		.table = 60,
		.ifindex = if_nametoindex("d2"),
	};
	struct ear *ear = *state;
	size_t i;

	netns_ip("route add 10.1.0.0/16 via 192.0.2.1 table 60\n"
		 "route add 10.2.0.0/16 via 192.0.2.1 table 60 proto 109\n"
		 "route add 10.3.0.0/16 table 60 nexthop via 192.0.2.1 "
		 "nexthop via 198.51.100.1");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ear->said[0] = '\0';
		assert_int_equal(
			kernel_read(ear->kernel, &cases[i].what, hear, ear), 0);
		assert_string_equal(ear->said, cases[i].want);
	}
	ear->said[0] = '\0';
	assert_int_equal(kernel_read(ear->kernel, &by_link, hear, ear), 0);
	assert_string_equal(ear->said, "+10.3.0.0/16 ");

	memset(ear->n, 0, sizeof(ear->n));
	by_link = (struct kernel_read){.what = KERNEL_LINK};
	assert_int_equal(kernel_read(ear->kernel, &by_link, hear, ear), 0);
	assert_int_equal(ear->n[KERNEL_LINK], 5);
	netns_ip("route flush table 60");
}

#define LEAVING 250  /* addresses before those that stay */
#define STAYING 1000 /* some datagrams of them */

/* Each that leaves moves up those behind it, where a dump may be. */
static void remove_leaving(void)
{
	FILE *ip = popen("ip -batch -", "w");
	int i;

	for (i = 0; ip && i < LEAVING; i++) {
		(void)fprintf(ip, "address del 10.97.0.%d/32 dev d1\n", i);
		(void)fflush(ip);
		(void)usleep(2000);
	}
	_exit(ip && pclose(ip) == 0 ? 0 : 1);
}

static void count_staying(const struct kernel_event *event, void *data)
{
	const uint8_t *bytes = event->address.local.bytes;
	uint8_t *seen = data;

	if (bytes[0] == 10 && bytes[1] == 98)
		seen[bytes[2] * 256 + bytes[3]]++;
}

/* Others change addresses while a dump of many parts is under way. */
static void interrupted_dumps_are_passed_on_once(void **state)
{
	const struct kernel_read what = {.what = KERNEL_ADDRESS,
					 .family = AF_INET};
	char lines[(LEAVING + STAYING) * 40];
	uint8_t once[STAYING];
	uint8_t seen[STAYING];
	struct ear *ear = *state;
	size_t len = 0;
	int status = 0;
	pid_t child;
	int i;
	int r;

	for (i = 0; i < LEAVING + STAYING; i++)
		len += (size_t)snprintf(lines + len, sizeof(lines) - len,
					"address add 10.%d.%d.%d/32 dev d1\n",
					i < LEAVING ? 97 : 98,
					i < LEAVING ? 0 : (i - LEAVING) / 256,
					i < LEAVING ? i : (i - LEAVING) % 256);
	netns_ip("%s", lines);
	memset(once, 1, sizeof(once));
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		remove_leaving();
	do {
		memset(seen, 0, sizeof(seen));
		r = kernel_read(ear->kernel, &what, count_staying, seen);
		if (r != -EINTR) /* too many changes are no wrong answer */
			assert_int_equal(r, 0);
		if (r == 0)
			assert_memory_equal(seen, once, sizeof(once));
	} while (waitpid(child, &status, WNOHANG) == 0);
	assert_int_equal(status, 0);
	assert_int_equal(kernel_read(ear->kernel, &what, count_staying, seen),
			 0);
}

static void an_answer_left_behind_is_skipped(void **state)
{
	struct kernel_read what = {.what = KERNEL_RULE, .family = AF_INET};
	const struct ip_addr none = {0};
	struct ear *ear = *state;
	struct op op = put(ear, 1);
	struct kernel_answer answer;
	struct ip_addr dst;

	assert_int_equal(ip_addr_parse("192.0.2.9", &dst), 0);
	leave_behind(ear->kernel, 0);
	assert_int_equal(kernel_read(ear->kernel, &what, hear, ear), 0);
	assert_string_equal(ear->said, "+rule0 +rule32766 +rule32767 ");
	leave_behind(ear->kernel, NLM_F_DUMP);
	apply(ear->kernel, ear, &op, 1);
	op.kind = OP_ROUTE_DELETE;
	leave_behind(ear->kernel, 0);
	apply(ear->kernel, ear, &op, 1);
	leave_behind(ear->kernel, 0);
	assert_int_equal(kernel_ask(ear->kernel, &none, &dst, 0, &answer), 0);
	assert_int_equal(answer.error, 0);
	assert_int_equal(answer.hop.ifindex, if_nametoindex("d1"));
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

	assert_int_equal(nl_sock_open(&forger), 0);
	assert_int_equal(
		encode_begin(msg, RTM_NEWROUTE, 0, &info, sizeof(info)), 0);
	sent = sendto(nl_socket_get_fd(forger), nlmsg_hdr(msg),
		      nlmsg_hdr(msg)->nlmsg_len, 0, (struct sockaddr *)&to,
		      sizeof(to));
	assert_int_equal(sent, nlmsg_hdr(msg)->nlmsg_len);
	assert_heard(ear, "");
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
		TEST(another_protocol_is_another_owner),
		TEST(loss_is_told_and_survived),
		TEST(dumps_hold_what_was_asked_for),
		TEST(an_answer_left_behind_is_skipped),
		TEST(other_processes_are_not_believed),
		TEST(interrupted_dumps_are_passed_on_once),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
