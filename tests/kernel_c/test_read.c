/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_read() on the live kernel: all that was asked for and nothing else,
 * whatever happened before or goes on meanwhile.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/rtnetlink.h>

#include "kernel/encode.h"
#include "kernel/sockets.h"
#include "tests/kernel_c/ear.h"
#include "tests/kernel_c/netns.h"

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
		  .protocol = EAR_PROTOCOL},
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
		ear_must_read(ear, &cases[i].what, cases[i].want);
	}
	ear_must_read(ear, &by_link, "+10.3.0.0/16 ");

	ear_forget(ear);
	by_link = (struct kernel_read){.what = KERNEL_LINK};
	assert_int_equal(kernel_read(ear->kernel, &by_link, ear_hear, ear), 0);
	assert_int_equal(ear->n[KERNEL_LINK], 5);
	/* One alone, and one that is not there. */
	by_link.ifindex = if_nametoindex("d2");
	assert_int_equal(kernel_read(ear->kernel, &by_link, ear_hear, ear), 0);
	assert_int_equal(ear->n[KERNEL_LINK], 6);
	by_link.ifindex = 9999;
	assert_int_equal(kernel_read(ear->kernel, &by_link, ear_hear, ear), 0);
	assert_int_equal(ear->n[KERNEL_LINK], 6);
	netns_ip("route flush table 60");
}

/* As IPv6 is with ipv6.disable=1, which only a boot can bring about. */
static void a_family_without_rules_is_told(void **state)
{
	const struct kernel_read what = {.what = KERNEL_RULE,
					 .family = AF_MPLS};
	struct ear *ear = *state;

	ear_forget(ear);
	assert_int_equal(kernel_read(ear->kernel, &what, ear_hear, ear),
			 -EAFNOSUPPORT);
	assert_int_equal(ear->n[KERNEL_RULE], 0);
}

/* As after a time-out: something was asked, and nobody read the answer. */
static void leave_behind(struct kernel *kernel, int flags)
{
	struct rtmsg info = {.rtm_family = AF_INET};
	struct nlmsghdr *hdr = nlmsg_hdr(kernel->msg);
	int r;

	/* No dump: an error, which would look like the end of the next one. */
	if (!(flags & NLM_F_DUMP))
		info.rtm_dst_len = 33;
	r = encode_begin(kernel->msg, RTM_GETROUTE, flags, &info, sizeof(info));
	assert_int_equal(r, 0);
	hdr->nlmsg_seq = ++kernel->asker.sequence;
	assert_int_equal(nl_sock_send(kernel->asker.sock, hdr, hdr->nlmsg_len),
			 0);
}

static void an_answer_left_behind_is_skipped(void **state)
{
	struct kernel_read what = {.what = KERNEL_RULE, .family = AF_INET};
	struct ear *ear = *state;
	struct op op = ear_route(ear, 1);
	struct kernel_question question = {0};
	struct kernel_answer answer;

	assert_int_equal(ip_addr_parse("192.0.2.9", &question.dst), 0);
	leave_behind(ear->kernel, 0);
	ear_must_read(ear, &what, "+rule0 +rule32766 +rule32767 ");
	leave_behind(ear->kernel, NLM_F_DUMP);
	ear_apply(ear, ear->kernel, &op, 1);
	op.kind = OP_ROUTE_DELETE;
	leave_behind(ear->kernel, 0);
	ear_apply(ear, ear->kernel, &op, 1);
	leave_behind(ear->kernel, NLM_F_DUMP);
	assert_int_equal(kernel_settle(ear->kernel), 0);
	leave_behind(ear->kernel, 0);
	assert_int_equal(kernel_ask(ear->kernel, &question, &answer), 0);
	assert_int_equal(answer.error, 0);
	assert_int_equal(answer.hop.ifindex, if_nametoindex("d1"));
}

#define MANY 150000

/* Most of a dump was left behind, too much to be read by the way. */
static void a_dump_left_behind_is_thrown_away(void **state)
{
	const struct kernel_read what = {.what = KERNEL_RULE,
					 .family = AF_INET};
	struct op *ops = xalloc(MANY * sizeof(*ops));
	struct ear *ear = *state;
	uint32_t i;

	for (i = 0; i < MANY; i++)
		ops[i] = ear_route(ear, i);
	ear_apply(ear, ear->kernel, ops, MANY);
	leave_behind(ear->kernel, NLM_F_DUMP);
	ear->kernel->asker.unfinished = true;
	ear_must_read(ear, &what, "+rule0 +rule32766 +rule32767 ");
	netns_ip("link set d1 down"); /* the quickest way to be rid of them */
	free(ops);
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

/* Who cannot open its sockets says what there is too little of. */
static void no_descriptor_is_no_input_error(void **state)
{
	const struct kernel_config config = {
		.table_first = 7100, .table_last = 7200, .protocol = 109};
	struct kernel *kernel;
	struct rlimit before;
	struct rlimit none;
	int next = dup(STDERR_FILENO);

	(void)state;
	assert_true(next >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)next;
	(void)close(next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(kernel_open(&config, &kernel), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
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
		TEST(dumps_hold_what_was_asked_for),
		TEST(a_family_without_rules_is_told),
		TEST(an_answer_left_behind_is_skipped),
		TEST(interrupted_dumps_are_passed_on_once),
		TEST(a_dump_left_behind_is_thrown_away),
		TEST(no_descriptor_is_no_input_error),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
