/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A path manager in user space on the real kernel: both ends of each connection
 * are in this namespace, so events of both are heard.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "kernel/mptcp_listener.h"
#include "kernel/mptcp_subflow.h"
#include "kernel/sysctl.h"
#include "tests/kernel_c/netns.h"
#include "tests/kernel_c/pair.h"

#define PORT	7001
#define WAIT_MS 5000

VEC(event_vec, struct mptcp_event);

/* One connection, and all that is heard meanwhile. */
struct host {
	struct mptcp *mptcp;
	struct mptcp_listener *listener;
	struct event_vec events;
	int listening;
	int client;
	int server;
	uint32_t client_token;
	uint32_t server_token;
};

/* --- sockets --- */

static void connect_to(struct host *host, const char *dst)
{
	assert_int_equal(listen(host->listening, 8), 0);
	assert_int_equal(pair_reach(host->client, dst, PORT), 0);
	host->server = accept(host->listening, NULL, NULL);
	assert_true(host->server >= 0);
}

/* The peer has confirmed MPTCP once data was acknowledged. */
static void exchange(const struct host *host)
{
	char byte = 'x';

	assert_int_equal(write(host->client, &byte, 1), 1);
	assert_int_equal(read(host->server, &byte, 1), 1);
	assert_int_equal(write(host->server, &byte, 1), 1);
	assert_int_equal(read(host->client, &byte, 1), 1);
}

/* --- events --- */

static void keep(const struct mptcp_event *event, void *data)
{
	struct event_vec *events = data;

	vec_push(events, *event);
}

static const struct mptcp_event *find(const struct host *host, uint32_t token,
				      enum mptcp_event_kind kind)
{
	const struct mptcp_event *it;

	vec_foreach(&host->events, it)
		if (it->kind == kind && (!token || it->token == token))
			return it;
	return NULL;
}

static void hear_more(struct host *host)
{
	struct pollfd poll_fd = {mptcp_listener_fd(host->listener), POLLIN, 0};

	if (poll(&poll_fd, 1, WAIT_MS) != 1)
		fail_msg("nothing more is heard");
	assert_true(mptcp_listener_receive(host->listener, 100, keep,
					   &host->events) >= 0);
}

static const struct mptcp_event *wait_for(struct host *host, uint32_t token,
					  enum mptcp_event_kind kind)
{
	while (!find(host, token, kind))
		hear_more(host);
	return find(host, token, kind);
}

static void check_addr(const struct ip_addr *addr, const char *want)
{
	char text[IP_TEXT_MAX];

	assert_string_equal(ip_addr_format(addr, text), want);
}

static struct ip_addr addr_of(const char *text)
{
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(text, &addr), 0);
	return addr;
}

/* --- a connection --- */

static void learn_tokens(struct host *host)
{
	const struct mptcp_event *it;

	while (!host->client_token || !host->server_token) {
		hear_more(host);
		vec_foreach(&host->events, it) {
			if (it->kind != MPTCP_READY)
				continue;
			if (it->passive)
				host->server_token = it->token;
			else
				host->client_token = it->token;
		}
	}
}

static void begin(struct host *host, const char *src, const char *dst,
		  const char *bind_to)
{
	memset(host, 0, sizeof(*host));
	assert_int_equal(mptcp_open(&host->mptcp), 0);
	assert_int_equal(mptcp_listener_open(&host->listener), 0);
	host->listening = pair_bound(bind_to, PORT, IPPROTO_MPTCP);
	host->client = pair_bound(src, 0, IPPROTO_MPTCP);
	connect_to(host, dst);
	exchange(host);
	learn_tokens(host);
	vec_clear(&host->events);
}

static void begin_v4(struct host *host)
{
	begin(host, "192.0.2.7", "192.0.2.99", "192.0.2.99");
}

static void end(struct host *host)
{
	(void)close(host->client);
	(void)close(host->server);
	(void)close(host->listening);
	mptcp_listener_free(host->listener);
	mptcp_free(host->mptcp);
	vec_done(&host->events);
}

/* --- tests --- */

static void a_connection_is_told_from_its_begin_to_its_end(void **state)
{
	static const struct {
		const char *src;
		const char *dst;
		const char *bind_to;
		const char *src_text;
		const char *dst_text;
	} cases[] = {
		{"192.0.2.7", "192.0.2.99", "192.0.2.99", "192.0.2.7",
		 "192.0.2.99"},
		{"2001:db8::7", "2001:db8::99", "::", "2001:db8::7",
		 "2001:db8::99"},
		{"::ffff:192.0.2.7", "::ffff:192.0.2.99", "::", "192.0.2.7",
		 "192.0.2.99"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mptcp_event *event;
		struct host host = {0};

		assert_int_equal(mptcp_open(&host.mptcp), 0);
		assert_int_equal(mptcp_listener_open(&host.listener), 0);
		host.listening =
			pair_bound(cases[i].bind_to, PORT, IPPROTO_MPTCP);
		host.client = pair_bound(cases[i].src, 0, IPPROTO_MPTCP);
		connect_to(&host, cases[i].dst);
		exchange(&host);
		learn_tokens(&host);
		event = find(&host, host.client_token, MPTCP_READY);
		check_addr(&event->ends.src, cases[i].src_text);
		check_addr(&event->ends.dst, cases[i].dst_text);
		assert_int_equal(event->ends.dport, PORT);
		assert_int_not_equal(event->ends.sport, 0);
		event = find(&host, host.server_token, MPTCP_OPENED);
		assert_true(event->passive);
		assert_int_equal(event->ends.sport, PORT);
		(void)close(host.client);
		(void)close(host.server);
		wait_for(&host, host.client_token, MPTCP_ENDED);
		wait_for(&host, host.server_token, MPTCP_ENDED);
		host.client = -1;
		host.server = -1;
		end(&host);
	}
}

static struct mptcp_ends create(struct host *host, const char *src,
				const char *dst, uint8_t id)
{
	const struct mptcp_subflow subflow = {
		.token = host->client_token,
		.ends = {.src = addr_of(src),
			 .dst = addr_of(dst),
			 .dport = PORT},
		.id_local = id,
	};
	const struct mptcp_event *event;

	vec_clear(&host->events);
	assert_int_equal(mptcp_subflow_create(host->mptcp, &subflow), 0);
	event = wait_for(host, host->client_token, MPTCP_SUBFLOW_OPENED);
	check_addr(&event->ends.src, src);
	check_addr(&event->ends.dst, dst);
	assert_int_equal(event->id_local, id);
	assert_int_equal(event->ends.dport, PORT);
	return event->ends;
}

static void subflows_are_created_and_destroyed(void **state)
{
	struct mptcp_ends ends;
	struct host host;

	(void)state;
	begin_v4(&host);
	ends = create(&host, "192.0.2.8", "192.0.2.99", 5);
	assert_int_not_equal(ends.sport, 0);
	assert_int_equal(
		mptcp_subflow_destroy(host.mptcp, host.client_token, &ends), 0);
	wait_for(&host, host.client_token, MPTCP_SUBFLOW_CLOSED);
	assert_int_equal(
		mptcp_subflow_destroy(host.mptcp, host.client_token, &ends),
		-ESRCH);
	/* The address keeps its number; with another one it is refused. */
	(void)create(&host, "192.0.2.8", "192.0.2.99", 5);
	assert_int_equal(
		mptcp_subflow_create(
			host.mptcp,
			&(struct mptcp_subflow){.token = host.client_token,
						.ends = ends,
						.id_local = 6}),
		-EINVAL);
	end(&host);
}

/* The peer hears of it. */
static void subflows_are_marked_as_backups(void **state)
{
	const struct mptcp_event *event;
	struct mptcp_ends ends;
	struct host host;

	(void)state;
	begin_v4(&host);
	ends = create(&host, "192.0.2.8", "192.0.2.99", 5);
	wait_for(&host, host.server_token, MPTCP_SUBFLOW_OPENED);
	for (int backup = 1; backup >= 0; backup--) {
		vec_clear(&host.events);
		assert_int_equal(mptcp_subflow_mark(host.mptcp,
						    host.client_token, &ends,
						    backup),
				 0);
		event = wait_for(&host, host.server_token,
				 MPTCP_SUBFLOW_CHANGED);
		assert_int_equal(event->backup, backup);
		check_addr(&event->ends.dst, "192.0.2.8");
	}
	ends.src = addr_of("192.0.2.77");
	assert_int_not_equal(
		mptcp_subflow_mark(host.mptcp, host.client_token, &ends, true),
		0);
	end(&host);
}

static uint16_t own_port(int fd)
{
	struct sockaddr_in6 own = {0};
	socklen_t len = sizeof(own);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	return ntohs(own.sin6_port);
}

/* IPv4 of IPv6 sockets, at both ends: so most servers listen. */
static void mapped_subflows_are_created_and_destroyed(void **state)
{
	const struct mptcp_event *event;
	struct mptcp_ends first = {0};
	struct mptcp_ends ends;
	struct host host;

	(void)state;
	begin(&host, "::ffff:192.0.2.7", "::ffff:192.0.2.99", "::");
	ends = create(&host, "192.0.2.8", "192.0.2.99", 5);
	event = wait_for(&host, host.server_token, MPTCP_SUBFLOW_OPENED);
	check_addr(&event->ends.src, "192.0.2.99");
	assert_int_equal(mptcp_subflow_destroy(host.mptcp, host.server_token,
					       &event->ends),
			 0);
	wait_for(&host, host.client_token, MPTCP_SUBFLOW_CLOSED);
	ends = create(&host, "192.0.2.8", "192.0.2.99", 5);
	assert_int_equal(
		mptcp_subflow_destroy(host.mptcp, host.client_token, &ends), 0);
	/* The first one, an IPv6 socket at either end. */
	ends = create(&host, "192.0.2.8", "192.0.2.99", 5);
	first.src = addr_of("192.0.2.7");
	first.dst = ends.dst;
	first.sport = own_port(host.client);
	first.dport = PORT;
	assert_int_equal(
		mptcp_subflow_destroy(host.mptcp, host.client_token, &first),
		0);
	end(&host);
}

static void addresses_are_announced_and_withdrawn(void **state)
{
	static const char *const addrs[] = {"192.0.2.8", "2001:db8::8"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct ip_addr addr = addr_of(addrs[i]);
		const struct mptcp_event *event;
		struct host host;

		begin_v4(&host);
		assert_int_equal(
			mptcp_announce(host.mptcp, host.server_token, &addr, 9),
			0);
		event = wait_for(&host, host.client_token,
				 MPTCP_PEER_ANNOUNCED);
		check_addr(&event->ends.dst, addrs[i]);
		assert_int_equal(event->id_remote, 9);
		assert_int_equal(event->ends.dport, PORT);
		assert_int_equal(
			mptcp_withdraw(host.mptcp, host.server_token, 9), 0);
		event = wait_for(&host, host.client_token, MPTCP_PEER_WITHDREW);
		assert_int_equal(event->id_remote, 9);
		assert_int_equal(
			mptcp_withdraw(host.mptcp, host.server_token, 9),
			-EINVAL);
		end(&host);
	}
}

static void numbers_are_listed(void **state)
{
	struct endpoint_vec known = {0};
	const struct ip_addr addr = addr_of("2001:db8::8");
	struct host host;
	int error;

	(void)state;
	begin_v4(&host);
	(void)create(&host, "192.0.2.8", "192.0.2.99", 5);
	assert_int_equal(
		mptcp_announce(host.mptcp, host.client_token, &addr, 9), 0);
	error = mptcp_list_local(host.mptcp, host.client_token, &known);
	if (error == -EINVAL || error == -EOPNOTSUPP) {
		end(&host);
		skip();
	}
	assert_int_equal(error, 0);
	assert_int_equal(known.n, 2);
	check_addr(&known.items[0].addr, "192.0.2.8");
	assert_int_equal(known.items[0].id, 5);
	check_addr(&known.items[1].addr, "2001:db8::8");
	assert_int_equal(known.items[1].id, 9);
	vec_done(&known);
	end(&host);
}

/* Older kernels (before 6.16) have only pm_type. */
static int set_manager(const char *word, const char *number)
{
	int error = sysctl_write_word("mptcp/path_manager", word);

	return error ? sysctl_write_word("mptcp/pm_type", number) : 0;
}

static void refuse_all(struct host *host, uint32_t token)
{
	const struct mptcp_subflow subflow = {
		.token = token,
		.ends = {.src = addr_of("192.0.2.8"),
			 .dst = addr_of("192.0.2.99"),
			 .sport = 1,
			 .dport = 2},
		.id_local = 5,
	};
	struct endpoint_vec known = {0};
	int error;

	assert_int_equal(mptcp_subflow_create(host->mptcp, &subflow), -EINVAL);
	assert_int_equal(
		mptcp_subflow_destroy(host->mptcp, token, &subflow.ends),
		-EINVAL);
	assert_int_equal(
		mptcp_announce(host->mptcp, token, &subflow.ends.src, 5),
		-EINVAL);
	assert_int_equal(mptcp_withdraw(host->mptcp, token, 5), -EINVAL);
	error = mptcp_list_local(host->mptcp, token, &known);
	assert_true(error == -EINVAL || error == -EOPNOTSUPP);
	assert_int_equal(known.n, 0);
}

static void what_is_not_ours_is_refused(void **state)
{
	struct host host;

	(void)state;
	begin_v4(&host);
	refuse_all(&host, host.client_token ^ 1);
	end(&host);
	assert_int_equal(set_manager("kernel", "0"), 0);
	begin_v4(&host);
	refuse_all(&host, host.client_token);
	end(&host);
	assert_int_equal(set_manager("userspace", "1"), 0);
}

static void other_listeners_are_seen(void **state)
{
	struct mptcp_listener *ours = NULL;
	struct mptcp_listener *other = NULL;
	uint32_t ports[2] = {0};
	uint32_t again[2] = {0};

	(void)state;
	assert_int_equal(mptcp_listener_open(&ours), 0);
	assert_int_equal(mptcp_listener_others(ours, ports, 2), 0);
	assert_int_equal(mptcp_listener_open(&other), 0);
	if (mptcp_listener_others(ours, ports, 2) == 0) {
		/* The group's number is beyond what the kernel shows. */
		mptcp_listener_free(ours);
		mptcp_listener_free(other);
		skip();
	}
	assert_int_equal(mptcp_listener_others(ours, ports, 2), 1);
	assert_int_equal(mptcp_listener_others(other, again, 2), 1);
	assert_int_not_equal(ports[0], 0);
	assert_int_not_equal(ports[0], again[0]);
	assert_int_equal(mptcp_listener_others(ours, ports + 1, 0), 1);
	assert_int_equal(ports[1], 0);
	mptcp_listener_free(other);
	assert_int_equal(mptcp_listener_others(ours, ports, 2), 0);
	mptcp_listener_free(ours);
	mptcp_listener_free(NULL);
}

static int make_network(void **state)
{
	(void)state;
	netns_ip("link set lo up\n"
		 "addr add 192.0.2.7/24 dev lo\n"
		 "addr add 192.0.2.8/24 dev lo\n"
		 "addr add 192.0.2.99/24 dev lo");
	netns_ip6("addr add 2001:db8::7/64 dev lo\n"
		  "addr add 2001:db8::8/64 dev lo\n"
		  "addr add 2001:db8::99/64 dev lo");
	netns_settle();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_connection_is_told_from_its_begin_to_its_end),
		cmocka_unit_test(subflows_are_created_and_destroyed),
		cmocka_unit_test(subflows_are_marked_as_backups),
		cmocka_unit_test(mapped_subflows_are_created_and_destroyed),
		cmocka_unit_test(addresses_are_announced_and_withdrawn),
		cmocka_unit_test(numbers_are_listed),
		cmocka_unit_test(what_is_not_ours_is_refused),
		cmocka_unit_test(other_listeners_are_seen),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	if (set_manager("userspace", "1"))
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
