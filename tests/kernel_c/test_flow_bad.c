/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of sock_diag that cannot be read to their end. The kernel gives none,
 * so the decoder is one of our own; and the error that stands at the end of an
 * answer where there is no tcp_diag is put there.
 */
#include "kernel/decode_flow.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>

#include "kernel/flow_socket.h"
#include "tests/kernel_c/netns.h"
#include "tests/kernel_c/pair.h"

enum {
	FLOWS = 1000, /* some datagrams */
};

static size_t n_decoded;
static size_t bad_one; /* which one is, from 1; 0: none */
static int end_error;  /* what stands at the end; 0: as it is */

/* In place of the library's. */
int decode_flow(const struct nlmsghdr *hdr, struct flow *ret)
{
	(void)hdr;
	if (++n_decoded == bad_one)
		return -EBADMSG;
	*ret = (struct flow){.state = TCP_ESTABLISHED};
	return 0;
}

/* In place of the C library's. */
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t n = syscall(SYS_recvmsg, fd, message, flags);
	struct nlmsghdr *hdr = message->msg_iov[0].iov_base;
	uint32_t left = n > 0 ? (uint32_t)n : 0;

	for (; end_error && NLMSG_OK(hdr, left); hdr = NLMSG_NEXT(hdr, left))
		if (hdr->nlmsg_type == NLMSG_DONE)
			memcpy(NLMSG_DATA(hdr), &end_error, sizeof(end_error));
	return n;
}

static int list(struct flow_socket *socket, size_t bad, size_t *ret_n)
{
	struct ip_prefix source;
	const struct flow_query query = {.sources = &source, .n_sources = 1};
	struct flow_vec flows = {0};
	int error;

	n_decoded = 0;
	bad_one = bad;
	assert_int_equal(ip_prefix_parse("192.0.2.7/32", &source), 0);
	error = flow_socket_list(socket, &query, pair_keep, &flows);
	*ret_n = flows.n;
	vec_done(&flows);
	return error;
}

static void a_bad_message_spoils_one_answer_only(void **state)
{
	static const size_t bad[] = {1, 2, FLOWS / 2, FLOWS};
	int listener = pair_bound("192.0.2.99", 7001, 0);
	struct flow_socket *socket;
	static int fds[2 * FLOWS];
	size_t n;

	(void)state;
	assert_int_equal(listen(listener, 8), 0);
	for (size_t i = 0; i < FLOWS; i++) {
		fds[2 * i] = pair_bound("192.0.2.7", 0, 0);
		assert_int_equal(pair_reach(fds[2 * i], "192.0.2.99", 7001), 0);
		fds[2 * i + 1] = accept(listener, NULL, NULL);
		assert_true(fds[2 * i + 1] >= 0);
	}
	assert_int_equal(flow_socket_open(&socket), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(list(socket, bad[i], &n), -EBADMSG);
		assert_int_equal(n, bad[i] - 1);
		assert_int_equal(list(socket, 0, &n), 0);
		assert_int_equal(n, FLOWS);
	}
	flow_socket_free(socket);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		(void)close(fds[i]);
	(void)close(listener);
}

/* No file is to be had for the moment. */
static void it_asks_again_when_it_can(void **state)
{
	struct pair pair = pair_make("192.0.2.7", "192.0.2.99", 7001, 0);
	struct flow_socket *socket;
	struct rlimit before;
	struct rlimit none;
	size_t n;

	(void)state;
	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(list(socket, 0, &n), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(list(socket, 1, &n), -EBADMSG);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_true(list(socket, 0, &n) < 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(list(socket, 0, &n), 0);
	assert_int_equal(n, 1);
	flow_socket_free(socket);
	pair_end(&pair);
}

/* What was listed until then is not all. */
static void an_error_at_the_end_is_told(void **state)
{
	struct pair pair = pair_make("192.0.2.7", "192.0.2.99", 7001, 0);
	struct flow_socket *socket;
	size_t n;

	(void)state;
	assert_int_equal(flow_socket_open(&socket), 0);
	for (int i = 0; i < 2; i++) {
		end_error = -ENOENT;
		assert_int_equal(list(socket, 0, &n), -ENOENT);
		end_error = 0;
		assert_int_equal(list(socket, 0, &n), 0);
		assert_int_equal(n, 1);
	}
	flow_socket_free(socket);
	pair_end(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_message_spoils_one_answer_only),
		cmocka_unit_test(it_asks_again_when_it_can),
		cmocka_unit_test(an_error_at_the_end_is_told),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, pair_network, NULL);
}
