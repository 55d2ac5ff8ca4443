/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fake kernel's own side: what is heard when, what fails when.
 * That it does what Linux does is for tests/engine/test_kernels.c.
 */
#include "tests/fake_kernel/fake_kernel.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

static const struct kernel_config config = {
	.table_first = 7100,
	.table_last = 7999,
	.protocol = 109,
};

struct desk {
	struct fake *fake;
	struct kernel *kernel;
	char said[256]; /* a letter for each event; small: it was a deletion */
};

static int desk_open(void **state)
{
	static struct desk desk;

	desk = (struct desk){.fake = fake_new()};
	fake_lines(desk.fake, "link add d1 type dummy\n"
			      "link set d1 up\n"
			      "address add 192.0.2.2/24 dev d1");
	*state = &desk;
	return kernel_open(&config, &desk.kernel);
}

static int desk_close(void **state)
{
	struct desk *desk = *state;

	kernel_free(desk->kernel);
	fake_free(desk->fake);
	return 0;
}

static void hear(const struct kernel_event *event, void *data)
{
	static const char letters[KERNEL_EVENTS] = {
		[KERNEL_LINK] = 'L',	  [KERNEL_ADDRESS] = 'A',
		[KERNEL_ROUTE] = 'R',	  [KERNEL_RULE] = 'U',
		[KERNEL_NEIGHBOUR] = 'N', [KERNEL_NEXTHOP] = 'X',
		[KERNEL_LOST] = '!',
	};
	struct desk *desk = data;
	size_t len = strlen(desk->said);

	assert_true(len + 1 < sizeof(desk->said));
	desk->said[len] = letters[event->kind];
	if (event->deleted)
		desk->said[len] |= 0x20;
}

static void must_hear(struct desk *desk, const char *want)
{
	memset(desk->said, 0, sizeof(desk->said));
	while (kernel_listen(desk->kernel, 100, hear, desk) > 0)
		;
	assert_string_equal(desk->said, want);
}

static bool is_readable(const struct desk *desk)
{
	struct pollfd fd = {.fd = kernel_fd(desk->kernel), .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static struct op rule_op(uint32_t priority)
{
	struct op op = {
		.kind = OP_RULE_ADD,
		.rule = {.family = AF_INET,
			 .priority = priority,
			 .src = ip_prefix_default(AF_INET),
			 .dst = ip_prefix_default(AF_INET),
			 .table = 7100,
			 .action = RULE_ACTION_LOOKUP,
			 .protocol = 109,
			 .suppress_len = -1},
	};

	return op;
}

/* Return: how many of the ops failed. */
static size_t apply(struct desk *desk, const struct op *ops, size_t n)
{
	struct kernel_failure_vec failures = {0};
	struct attrset_store store;
	size_t failed;

	attrset_store_init(&store);
	assert_int_equal(kernel_apply(desk->kernel, ops, n, &store, &failures),
			 0);
	failed = failures.n;
	vec_done(&failures);
	attrset_store_done(&store);
	return failed;
}

/* --- what is heard --- */

static void others_are_heard_and_one_self_is_not(void **state)
{
	struct desk *desk = *state;
	struct op op = rule_op(99);

	assert_int_equal(apply(desk, &op, 1), 0);
	must_hear(desk, "");
	fake_lines(desk->fake, "rule add priority 98 from 10.0.0.0/8 lookup 9\n"
			       "rule del priority 98 from 10.0.0.0/8 lookup 9");
	must_hear(desk, "Uu");
}

static void input_is_there_while_something_is_queued(void **state)
{
	struct desk *desk = *state;

	assert_false(is_readable(desk));
	fake_lines(desk->fake, "route add 10.0.0.0/8 dev d1\n"
			       "route add 10.0.0.0/9 dev d1\n"
			       "route add 10.0.0.0/10 dev d1");
	assert_true(is_readable(desk));
	assert_int_equal(kernel_listen(desk->kernel, 2, hear, desk), 2);
	assert_true(is_readable(desk));
	assert_int_equal(kernel_listen(desk->kernel, 2, hear, desk), 1);
	assert_false(is_readable(desk));
	assert_int_equal(kernel_listen(desk->kernel, 2, hear, desk), 0);
}

static void foreign_tables_are_heard_by_their_default(void **state)
{
	struct desk *desk = *state;

	fake_lines(desk->fake, "route add 10.0.0.0/8 dev d1 table 99");
	must_hear(desk, "");
	fake_lines(desk->fake, "route add 0.0.0.0/0 dev d1 table 99\n"
			       "route add 10.0.0.0/8 dev d1 table 7100");
	must_hear(desk, "RR");
}

static void what_is_hidden_is_never_heard(void **state)
{
	struct desk *desk = *state;

	fake_set_news(desk->fake, FAKE_HIDE);
	fake_lines(desk->fake, "link set d1 down");
	fake_set_news(desk->fake, FAKE_TELL);
	must_hear(desk, "");
	fake_lines(desk->fake, "link set d1 up");
	must_hear(desk, "LR");
}

static void what_is_delayed_is_heard_in_its_order(void **state)
{
	struct desk *desk = *state;

	fake_set_news(desk->fake, FAKE_DELAY);
	fake_lines(desk->fake, "route add 10.0.0.0/8 dev d1\n"
			       "address add 10.0.0.1/24 dev d1\n"
			       "route del 10.0.0.0/8 dev d1");
	must_hear(desk, "");
	fake_set_news(desk->fake, FAKE_TELL);
	fake_lines(desk->fake, "rule add priority 98 from 10.0.0.0/8 lookup 9");
	must_hear(desk, "U");
	fake_release(desk->fake);
	must_hear(desk, "RARr");
	fake_set_news(desk->fake, FAKE_DELAY);
	fake_lines(desk->fake, "route add 10.0.0.0/8 dev d1");
	assert_int_equal(kernel_settle(desk->kernel), 0);
	must_hear(desk, "R");
}

static void a_loss_is_told_before_what_is_left(void **state)
{
	struct desk *desk = *state;

	fake_lines(desk->fake, "route add 10.0.0.0/8 dev d1");
	fake_lose(desk->fake);
	fake_lines(desk->fake, "rule add priority 98 from 10.0.0.0/8 lookup 9");
	assert_true(is_readable(desk));
	must_hear(desk, "!U");
	fake_set_queue(desk->fake, 2);
	fake_lines(desk->fake, "route add 10.0.0.0/9 dev d1\n"
			       "rule add priority 97 from 10.0.0.0/8 lookup 9\n"
			       "route add 10.0.0.0/10 dev d1");
	must_hear(desk, "!RU");
	must_hear(desk, "");
}

static void valid_neighbours_are_heard_when_wanted(void **state)
{
	struct desk *desk = *state;
	const char *const lines =
		"neigh replace 192.0.2.1 dev d1 nud failed\n"
		"neigh replace 192.0.2.1 dev d1 lladdr 02:00:00:00:00:01 "
		"nud reachable\n";

	fake_lines(desk->fake, lines);
	must_hear(desk, "N");
	assert_int_equal(kernel_watch_recovery(desk->kernel, true), 0);
	fake_lines(desk->fake, lines);
	must_hear(desk, "NN");
}

/* --- faults and counts --- */

static void the_nth_op_fails_and_the_others_do_not(void **state)
{
	struct desk *desk = *state;
	const struct fake_fault fault = {
		.call = FAKE_OP, .nth = 3, .error = -EBUSY, .times = 2};
	const struct op ops[6] = {rule_op(1), rule_op(2), rule_op(3),
				  rule_op(4), rule_op(5), rule_op(6)};

	fake_fail(desk->fake, &fault);
	assert_int_equal(apply(desk, ops, 6), 2);
	assert_int_equal(fake_faults_hit(desk->fake), 2);
	assert_int_equal(fake_ops(desk->fake, OP_RULE_ADD), 4);
	assert_int_equal(fake_calls(desk->fake, FAKE_OP), 6);
	assert_int_equal(fake_calls(desk->fake, FAKE_APPLY), 1);
	/* The four are there already, the two come now. */
	assert_int_equal(apply(desk, ops, 6), 0);
	assert_int_equal(fake_ops(desk->fake, OP_RULE_ADD), 6);
}

static void only_ops_of_a_kind_are_counted(void **state)
{
	struct desk *desk = *state;
	const struct fake_fault fault = {.call = FAKE_OP,
					 .nth = 1,
					 .error = -EBUSY,
					 .kinds = 1U << OP_RULE_DELETE};
	struct op ops[2] = {rule_op(1), rule_op(1)};

	ops[1].kind = OP_RULE_DELETE;
	fake_fail(desk->fake, &fault);
	assert_int_equal(apply(desk, ops, 2), 1);
	assert_int_equal(fake_ops(desk->fake, OP_RULE_ADD), 1);
	assert_int_equal(fake_ops(desk->fake, OP_RULE_DELETE), 0);
}

static void who_was_quicker_did_it(void **state)
{
	struct desk *desk = *state;
	const struct fake_fault fault = {
		.call = FAKE_OP, .nth = 1, .error = -ENOENT};
	struct op op = rule_op(1);

	assert_int_equal(apply(desk, &op, 1), 0);
	op.kind = OP_RULE_DELETE;
	fake_fail(desk->fake, &fault);
	assert_int_equal(apply(desk, &op, 1), 0);
	assert_int_equal(fake_faults_hit(desk->fake), 1);
	op.kind = OP_RULE_ADD;
	assert_int_equal(apply(desk, &op, 1), 0);
	assert_int_equal(fake_ops(desk->fake, OP_RULE_ADD), 2);
}

static void a_call_fails_after_some_of_its_work(void **state)
{
	struct desk *desk = *state;
	const struct fake_fault cut = {
		.call = FAKE_APPLY, .nth = 1, .error = -ETIMEDOUT, .done = 2};
	const struct fake_fault torn = {
		.call = FAKE_READ, .nth = 2, .error = -EINTR, .done = 1};
	const struct kernel_read links = {.what = KERNEL_LINK};
	const struct op ops[3] = {rule_op(1), rule_op(2), rule_op(3)};
	struct kernel_failure_vec failures = {0};

	fake_fail(desk->fake, &cut);
	assert_int_equal(kernel_apply(desk->kernel, ops, 3, NULL, &failures),
			 -ETIMEDOUT);
	assert_int_equal(failures.n, 0);
	assert_int_equal(fake_ops(desk->fake, OP_RULE_ADD), 2);
	fake_fail(desk->fake, &torn);
	assert_int_equal(kernel_read(desk->kernel, &links, hear, desk), 0);
	assert_string_equal(desk->said, "LL");
	assert_int_equal(kernel_read(desk->kernel, &links, hear, desk), -EINTR);
	assert_string_equal(desk->said, "LLL");
	assert_int_equal(kernel_read(desk->kernel, &links, hear, desk), 0);
	vec_done(&failures);
}

static void every_call_can_fail(void **state)
{
	struct desk *desk = *state;
	struct kernel_question question = {0};
	struct kernel_answer answer;
	struct kernel_mac mac;
	struct kernel *other;

	assert_int_equal(ip_addr_parse("192.0.2.9", &question.dst), 0);
	for (int i = 0; i < FAKE_CALLS; i++) {
		const struct fake_fault fault = {
			.call = (enum fake_call)i, .nth = 1, .error = -ENOMEM};

		fake_fail(desk->fake, &fault);
	}
	assert_int_equal(kernel_open(&config, &other), -ENOMEM);
	assert_int_equal(kernel_listen(desk->kernel, 1, hear, desk), -ENOMEM);
	assert_int_equal(kernel_ask(desk->kernel, &question, &answer), -ENOMEM);
	assert_int_equal(
		kernel_ask_neighbour(desk->kernel, 2, &question.dst, &mac),
		-ENOMEM);
	assert_int_equal(kernel_settle(desk->kernel), -ENOMEM);
	assert_int_equal(kernel_watch_recovery(desk->kernel, true), -ENOMEM);
	assert_int_equal(fake_faults_hit(desk->fake), 6);
	fake_mend(desk->fake);
	assert_int_equal(apply(desk, &(struct op){0}, 0), 0);
	assert_int_equal(kernel_ask(desk->kernel, &question, &answer), 0);
	assert_int_equal(answer.hop.ifindex, 2);
	assert_int_equal(fake_calls(desk->fake, FAKE_ASK), 2);
}

static void a_neighbour_has_a_link_layer_address(void **state)
{
	struct desk *desk = *state;
	struct ip_addr addr;
	struct kernel_mac mac;

	assert_int_equal(ip_addr_parse("192.0.2.1", &addr), 0);
	assert_int_equal(kernel_ask_neighbour(desk->kernel, 2, &addr, &mac),
			 -ENOENT);
	fake_lines(desk->fake, "neigh replace 192.0.2.1 dev d1 "
			       "lladdr 02:00:00:00:00:1f nud stale");
	assert_int_equal(kernel_ask_neighbour(desk->kernel, 2, &addr, &mac), 0);
	assert_int_equal(mac.len, 6);
	assert_int_equal(mac.bytes[5], 0x1f);
}

static void lines_it_cannot_read_are_refused(void **state)
{
	static const char *const lines[] = {
		"link add d9",
		"link set d9 up",
		"link set d1 sideways",
		"address add 10.0.0.1/33 dev d1",
		"address add 10.0.0.1/24",
		"route add 10.0.0.0/8",
		"route take 10.0.0.0/8 dev d1",
		"rule add from 10.0.0.0/8 lookup 9",
		"neigh replace 192.0.2.1 dev d1",
		"nexthop del id 9",
		"address del 10.0.0.1/24 dev d1",
		"route del 10.0.0.0/8 dev d1",
	};
	struct desk *desk = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (fake_do(desk->fake, 0, lines[i]) >= 0)
			fail_msg("taken: %s", lines[i]);
	must_hear(desk, "");
	assert_int_equal(fake_do(desk->fake, 0, "# nothing"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(others_are_heard_and_one_self_is_not),
		TEST(input_is_there_while_something_is_queued),
		TEST(foreign_tables_are_heard_by_their_default),
		TEST(what_is_hidden_is_never_heard),
		TEST(what_is_delayed_is_heard_in_its_order),
		TEST(a_loss_is_told_before_what_is_left),
		TEST(valid_neighbours_are_heard_when_wanted),
		TEST(the_nth_op_fails_and_the_others_do_not),
		TEST(only_ops_of_a_kind_are_counted),
		TEST(who_was_quicker_did_it),
		TEST(a_call_fails_after_some_of_its_work),
		TEST(every_call_can_fail),
		TEST(a_neighbour_has_a_link_layer_address),
		TEST(lines_it_cannot_read_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
