/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/kernel_c/pair.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "tests/kernel_c/netns.h"

/* The usual limit is 1024. */
static void allow_files(rlim_t n)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < n)
		limit.rlim_cur = n;
	if (limit.rlim_max < n)
		limit.rlim_max = n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

int pair_network(void **state)
{
	(void)state;
	allow_files(PAIR_FILES);
	netns_ip("link set lo up\n"
		 "addr add 192.0.2.7/24 dev lo\n"
		 "addr add 192.0.2.99/24 dev lo\n"
		 "addr add 198.51.100.7/24 dev lo\n"
		 "addr add 198.51.100.99/24 dev lo\n"
		 "route add 203.0.113.0/24 dev lo");
	netns_ip6("addr add 2001:db8::7/64 dev lo\n"
		  "addr add 2001:db8::99/64 dev lo");
	netns_settle();
	return 0;
}

/* --- connections --- */

static struct sockaddr_storage address(const char *text, uint16_t port,
				       socklen_t *ret_len)
{
	struct sockaddr_storage storage = {0};
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&storage;
	struct sockaddr_in *in = (struct sockaddr_in *)&storage;

	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		*ret_len = sizeof(*in6);
	} else {
		assert_int_equal(inet_pton(AF_INET, text, &in->sin_addr), 1);
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		*ret_len = sizeof(*in);
	}
	return storage;
}

static int opened(const struct sockaddr_storage *own, int protocol)
{
	const int on = 1;
	int fd = socket(own->ss_family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return fd;
}

int pair_bound(const char *text, uint16_t port, int protocol)
{
	socklen_t len;
	struct sockaddr_storage own = address(text, port, &len);
	int fd = opened(&own, protocol);

	if (bind(fd, (struct sockaddr *)&own, len) != 0)
		fail_msg("bind to %s: %m", text);
	return fd;
}

int pair_reach(int fd, const char *text, uint16_t port)
{
	socklen_t len;
	struct sockaddr_storage to = address(text, port, &len);

	if (connect(fd, (struct sockaddr *)&to, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		fail_msg("connect to %s: %m", text);
	return -errno;
}

struct pair pair_make(const char *src, const char *dst, uint16_t port,
		      int protocol)
{
	socklen_t len;
	struct sockaddr_storage to = address(dst, port, &len);
	struct pair pair;

	pair.listener = pair_bound(dst, port, protocol);
	assert_int_equal(listen(pair.listener, 8), 0);
	pair.client =
		src ? pair_bound(src, 0, protocol) : opened(&to, protocol);
	assert_int_equal(pair_reach(pair.client, dst, port), 0);
	pair.server = accept(pair.listener, NULL, NULL);
	assert_true(pair.server >= 0);
	return pair;
}

void pair_end(struct pair *pair)
{
	(void)close(pair->client);
	(void)close(pair->server);
	(void)close(pair->listener);
}

void pair_abort(int fd)
{
	const struct linger at_once = {.l_onoff = 1};

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once,
				    sizeof(at_once)),
			 0);
	(void)close(fd);
}

/* --- lists --- */

void pair_keep(const struct flow *flow, void *data)
{
	struct flow_vec *flows = data;

	vec_push(flows, *flow);
}

struct flow_vec pair_list(const char *const *sources, size_t n, bool detailed)
{
	struct ip_prefix prefixes[FLOW_SOURCES_MAX];
	const struct flow_query query = {
		.sources = prefixes, .n_sources = n, .detailed = detailed};
	struct flow_socket *socket;
	struct flow_vec flows = {0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(ip_prefix_parse(sources[i], &prefixes[i]), 0);
	assert_int_equal(flow_socket_open(&socket), 0);
	assert_int_equal(flow_socket_list(socket, &query, pair_keep, &flows),
			 0);
	flow_socket_free(socket);
	return flows;
}

struct flow_vec pair_list_one(const char *source)
{
	return pair_list(&source, 1, false);
}

size_t pair_count(const char *source)
{
	struct flow_vec flows = pair_list_one(source);
	size_t n = flows.n;

	vec_done(&flows);
	return n;
}
