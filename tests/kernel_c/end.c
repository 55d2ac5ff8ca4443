/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/kernel_c/end.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/rib.h"
#include "tests/kernel_c/pair.h"

bool end_watch(struct flow_socket *socket, const char *sources)
{
	struct prefix_vec watched = {0};
	struct ip_prefix prefix;
	char word[IP_TEXT_MAX];
	int len;
	int r;

	while (sscanf(sources, "%63s%n", word, &len) == 1) {
		assert_int_equal(ip_prefix_parse(word, &prefix), 0);
		vec_push(&watched, prefix);
		sources += len;
	}
	r = flow_socket_watch(socket, watched.items, watched.n);
	vec_done(&watched);
	assert_in_range(r, 0, 1);
	return r == 1;
}

uint64_t end_cookie(int fd)
{
	uint64_t cookie;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len),
			 0);
	return cookie;
}

struct flow end_wait(struct flow_socket *socket, uint64_t cookie)
{
	struct pollfd told = {flow_socket_fd(socket), POLLIN, 0};
	struct flow_vec ended = {0};
	struct flow ret = {0};
	const struct flow *flow;

	while (ret.cookie != cookie) {
		assert_int_equal(poll(&told, 1, END_WAIT_MS), 1);
		vec_clear(&ended);
		assert_true(flow_socket_listen(socket, 1, pair_keep, &ended) >
			    0);
		vec_foreach(&ended, flow)
			if (flow->cookie == cookie)
				ret = *flow;
	}
	vec_done(&ended);
	return ret;
}
