/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Router advertisements on the live kernel, by both ways they come to us: the
 * raw socket hears each, the kernel passes on the prefixes of those which it
 * processes itself.
 */
#include "kernel/ra_socket.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/sysctl.h"
#include "tests/kernel_c/ear.h"
#include "tests/kernel_c/netns.h"
#include "tests/kernel_c/wire.h"
#include "tests/unit/advert_bytes.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define WAIT_MS	     5000

static const struct wire_packet from_p1 = {
	.link = "p1",
	.source = "fe80::1",
	.hop_limit = 255,
};

static void assert_addr(const struct ip_addr *got, const char *want)
{
	char text[IP_TEXT_MAX];

	assert_string_equal(ip_addr_format(got, text), want);
}

static void send_prefix(const struct wire_packet *packet, const char *prefix)
{
	struct advert_bytes bytes;

	advert_begin(&bytes, 0);
	advert_add_prefix(&bytes, prefix, 600);
	wire_send(packet, bytes.at, bytes.n);
}

static bool has_input(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, WAIT_MS) == 1;
}

/* --- the raw socket --- */

static int receive(struct ra_socket *sock, struct ra_heard *ret)
{
	if (!has_input(ra_socket_fd(sock)))
		fail_msg("nothing was heard");
	return ra_socket_receive(sock, ret);
}

/* The next that is heard must be of @router over @link, with @prefix. */
static void must_receive(struct ra_socket *sock, const char *link,
			 const char *router, const char *prefix)
{
	char text[IP_TEXT_MAX];
	struct ra_heard heard;
	int r = receive(sock, &heard);

	if (r != 1)
		fail_msg("%d: %s", r, r == -EBADMSG ? heard.why : "no message");
	assert_null(heard.why);
	assert_int_equal(heard.ifindex, if_nametoindex(link));
	assert_addr(&heard.router, router);
	assert_int_equal(heard.ra.n_prefixes, 1);
	assert_string_equal(
		ip_prefix_format(&heard.ra.prefixes[0].prefix, text), prefix);
	assert_int_equal(heard.ra.prefixes[0].valid_s, 600);
}

static void must_be_silent(struct ra_socket *sock)
{
	struct ra_heard heard;

	assert_int_equal(ra_socket_receive(sock, &heard), 0);
}

static void advertisements_are_heard(void **state)
{
	struct wire_packet from_p2 = from_p1;
	struct ra_socket *sock = *state;

	must_be_silent(sock);
	send_prefix(&from_p1, "2001:db8:1::/64");
	must_receive(sock, "d1", "fe80::1", "2001:db8:1::/64");
	from_p2.link = "p2";
	from_p2.source = "fe80::2:2";
	send_prefix(&from_p2, "2001:db8:2::/64");
	must_receive(sock, "d2", "fe80::2:2", "2001:db8:2::/64");
	must_be_silent(sock);
}

static void many_prefixes_are_heard_in_one(void **state)
{
	struct ra_socket *sock = *state;
	struct advert_bytes bytes;
	struct ra_heard heard;
	char text[IP_TEXT_MAX];

	advert_begin(&bytes, 1800);
	for (int i = 1; i <= 40; i++) {
		(void)snprintf(text, sizeof(text), "2001:db8:0:%x::/64", i);
		advert_add_prefix(&bytes, text, 600);
	}
	wire_send(&from_p1, bytes.at, bytes.n);
	assert_int_equal(receive(sock, &heard), 1);
	assert_int_equal(heard.ra.n_prefixes, 40);
	assert_int_equal(heard.ra.router_lifetime_s, 1800);
}

static const struct {
	const char *what;
	const char *why;
	struct wire_packet packet;
	size_t len;   /* 0: all of it */
	size_t at;    /* a byte that is another one; 0: none is */
	uint8_t byte; /* that one */
} refused[] = {
	{"a router that is off the link",
	 "its hop limit is not 255",
	 {"p1", "fe80::1", 64, false, false},
	 0,
	 0,
	 0},
	{"a router one hop away",
	 "its hop limit is not 255",
	 {"p1", "fe80::1", 254, false, false},
	 0,
	 0,
	 0},
	{"a global source",
	 "its source is not link-local",
	 {"p1", "2001:db8:1::1", 255, false, false},
	 0,
	 0,
	 0},
	{"a source that is no address",
	 "its source is not link-local",
	 {"p1", "::", 255, false, false},
	 0,
	 0,
	 0},
	{"fragments",
	 "it came in fragments",
	 {"p1", "fe80::1", 255, false, true},
	 0,
	 0,
	 0},
	{"another code",
	 "its bytes make no sense",
	 {"p1", "fe80::1", 255, false, false},
	 0,
	 1,
	 1},
	{"an option of length zero",
	 "its bytes make no sense",
	 {"p1", "fe80::1", 255, false, false},
	 0,
	 17,
	 0},
	{"an option beyond the end",
	 "its bytes make no sense",
	 {"p1", "fe80::1", 255, false, false},
	 0,
	 17,
	 5},
	{"half an option",
	 "its bytes make no sense",
	 {"p1", "fe80::1", 255, false, false},
	 40,
	 0,
	 0},
	{"half a header",
	 "its bytes make no sense",
	 {"p1", "fe80::1", 255, false, false},
	 8,
	 0,
	 0},
};

static void what_a_host_must_ignore_is_refused(void **state)
{
	struct ra_socket *sock = *state;
	struct advert_bytes bytes;
	struct ra_heard heard;
	int r;

	for (size_t i = 0; i < COUNT(refused); i++) {
		advert_begin(&bytes, 0);
		advert_add_prefix(&bytes, "2001:db8:1::/64", 600);
		if (refused[i].at)
			bytes.at[refused[i].at] = refused[i].byte;
		wire_send(&refused[i].packet, bytes.at,
			  refused[i].len ? refused[i].len : bytes.n);
		r = receive(sock, &heard);
		if (r != -EBADMSG)
			fail_msg("%d: %s", r, refused[i].what);
		assert_string_equal(heard.why, refused[i].why);
		assert_int_equal(heard.ifindex, if_nametoindex("d1"));
		assert_addr(&heard.router, refused[i].packet.source);
	}
	/* And it goes on. */
	send_prefix(&from_p1, "2001:db8:1::/64");
	must_receive(sock, "d1", "fe80::1", "2001:db8:1::/64");
}

static void what_is_none_is_not_heard(void **state)
{
	static const uint8_t types[] = {128, 129, 133, 135, 136, 137};
	struct wire_packet packet = from_p1;
	struct ra_socket *sock = *state;
	struct advert_bytes bytes;

	for (size_t i = 0; i < COUNT(types); i++) {
		advert_begin(&bytes, 0);
		bytes.at[0] = types[i];
		wire_send(&from_p1, bytes.at, bytes.n);
	}
	packet.bad_checksum = true;
	send_prefix(&packet, "2001:db8:7::/64");
	send_prefix(&from_p1, "2001:db8:1::/64");
	must_receive(sock, "d1", "fe80::1", "2001:db8:1::/64");
	must_be_silent(sock);
}

#define FLOOD 5000

static void a_flood_takes_no_more_room_than_it_may(void **state)
{
	struct ra_socket *sock = *state;
	struct ra_heard heard;
	size_t n = 0;

	for (int i = 0; i < FLOOD; i++)
		send_prefix(&from_p1, "2001:db8:1::/64");
	assert_true(has_input(ra_socket_fd(sock)));
	while (ra_socket_receive(sock, &heard) == 1)
		n++;
	print_message("%zu of %d are kept\n", n, FLOOD);
	assert_true(n >= 100 && n < 1000);
	send_prefix(&from_p1, "2001:db8:1::/64");
	must_receive(sock, "d1", "fe80::1", "2001:db8:1::/64");
}

/* --- what the kernel passes on --- */

/* What kernel_listen() told. */
struct told {
	size_t messages;
	size_t n;
	struct kernel_advert first;
};

static void take(const struct kernel_event *event, void *data)
{
	struct told *told = data;

	assert_int_not_equal(event->kind, KERNEL_BAD);
	if (event->kind != KERNEL_ADVERT)
		return;
	if (told->n++ == 0)
		told->first = event->advert;
}

/* Till there are @want of them. */
static void listen_for(struct kernel *kernel, size_t want, struct told *ret)
{
	*ret = (struct told){0};
	do {
		if (!has_input(kernel_fd(kernel)))
			fail_msg("%zu prefixes, not %zu", ret->n, want);
		ret->messages += (size_t)kernel_listen(kernel, 99, take, ret);
	} while (ret->n < want);
	assert_int_equal(ret->n, want);
}

static void set(const char *name, int value)
{
	assert_int_equal(sysctl_write_link(AF_INET6, "d1", name, value), 0);
}

static void prefixes_are_passed_on_where_the_kernel_listens(void **state)
{
	struct ra_socket *sock = *state;
	struct advert_bytes bytes;
	struct kernel *kernel;
	struct told told;

	set("accept_ra", 1);
	assert_int_equal(kernel_open(&ear_config, &kernel), 0);
	advert_begin(&bytes, 1800);
	advert_add_prefix(&bytes, "2001:db8:1::/64", 600);
	/* Neither on-link nor for addresses: also with a router's claim. */
	advert_add_prefix(&bytes, "2001:db8:8::/56", 0)[3] = 0;
	advert_add_prefix(&bytes, "fe80::/64", 600);
	wire_send(&from_p1, bytes.at, bytes.n);
	listen_for(kernel, 2, &told);
	assert_int_equal(told.first.ifindex, if_nametoindex("d1"));
	assert_addr(&told.first.router, "fe80::1");
	assert_int_equal(told.first.prefix.valid_s, 600);

	/* Not here; but the raw socket hears both. */
	set("accept_ra", 0);
	send_prefix(&from_p1, "2001:db8:7::/64");
	set("accept_ra", 1);
	send_prefix(&from_p1, "2001:db8:9::/64");
	listen_for(kernel, 1, &told);
	assert_int_equal(told.first.prefix.prefix.addr.bytes[5], 9);
	kernel_free(kernel);
	(void)receive(sock, &(struct ra_heard){0});
	must_receive(sock, "d1", "fe80::1", "2001:db8:7::/64");
	must_receive(sock, "d1", "fe80::1", "2001:db8:9::/64");
	netns_ip6("route flush dev d1 proto ra");
}

/* The filter drops them: not even a wake-up. */
static void what_is_no_prefix_is_not_passed_on(void **state)
{
	static const uint8_t others[] = {25, 31, 37, 38};
	struct advert_bytes bytes;
	struct kernel *kernel;
	struct told told;

	(void)state;
	/* No addresses and routes: nothing else is told then. */
	set("accept_ra_pinfo", 0);
	set("accept_ra_defrtr", 0);
	assert_int_equal(kernel_open(&ear_config, &kernel), 0);
	advert_begin(&bytes, 0);
	for (size_t i = 0; i < COUNT(others); i++)
		advert_add(&bytes, others[i], 3)[7] = 60;
	wire_send(&from_p1, bytes.at, bytes.n);
	send_prefix(&from_p1, "2001:db8:9::/64");
	listen_for(kernel, 1, &told);
	assert_int_equal(told.messages, 1);
	kernel_free(kernel);
}

static int open_socket(void **state)
{
	return ra_socket_open((struct ra_socket **)state);
}

static int close_socket(void **state)
{
	ra_socket_free(*state);
	return 0;
}

static int make_network(void **state)
{
	(void)state;
	netns_links();
	/* Only where a test says otherwise. */
	set("accept_ra", 0);
	return sysctl_write_link(AF_INET6, "d2", "accept_ra", 0);
}

int main(void)
{
#define WITH_SOCKET(test)                                                      \
	cmocka_unit_test_setup_teardown(test, open_socket, close_socket)
	const struct CMUnitTest tests[] = {
		WITH_SOCKET(advertisements_are_heard),
		WITH_SOCKET(many_prefixes_are_heard_in_one),
		WITH_SOCKET(what_a_host_must_ignore_is_refused),
		WITH_SOCKET(what_is_none_is_not_heard),
		WITH_SOCKET(a_flood_takes_no_more_room_than_it_may),
		WITH_SOCKET(prefixes_are_passed_on_where_the_kernel_listens),
		WITH_SOCKET(what_is_no_prefix_is_not_passed_on),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, NULL);
}
