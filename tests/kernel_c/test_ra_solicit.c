/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routers are asked as RFC 4861, 4.1 wants it; and who may not, or cannot, is
 * told so.
 */
#include "kernel/ra_socket.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/capability.h>

#include "kernel/sysctl.h"
#include "tests/kernel_c/netns.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define WAIT_MS	     5000

static void assert_addr(const struct ip_addr *got, const char *want)
{
	char text[IP_TEXT_MAX];

	assert_string_equal(ip_addr_format(got, text), want);
}

static bool has_input(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, WAIT_MS) == 1;
}

/* What p1 hears: solicitations, to whom, and with what hop limit. */
static int open_router(void)
{
	static const int options[] = {IPV6_RECVHOPLIMIT, IPV6_RECVPKTINFO};
	const struct ipv6_mreq routers = {
		.ipv6mr_multiaddr.s6_addr = {0xff, 0x02, [15] = 2},
		.ipv6mr_interface = if_nametoindex("p1"),
	};
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	struct icmp6_filter filter;
	const int on = 1;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "p1", 3),
			 0);
	assert_int_equal(setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter,
				    sizeof(filter)),
			 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &routers,
				    sizeof(routers)),
			 0);
	for (size_t i = 0; i < COUNT(options); i++)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, options[i], &on,
					    sizeof(on)),
				 0);
	return fd;
}

static void check_envelope(struct msghdr *msg)
{
	struct in6_pktinfo info;
	struct ip_addr to;
	int hop_limit = 0;

	for (struct cmsghdr *it = CMSG_FIRSTHDR(msg); it;
	     it = CMSG_NXTHDR(msg, it)) {
		if (it->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&hop_limit, CMSG_DATA(it), sizeof(hop_limit));
		} else if (it->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info, CMSG_DATA(it), sizeof(info));
			to = ip_addr_make(AF_INET6, &info.ipi6_addr);
			assert_addr(&to, "ff02::2");
		}
	}
	assert_int_equal(hop_limit, 255);
}

static void must_be_asked(int fd, const char *source)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[256];
	} control;
	struct sockaddr_in6 from = {0};
	uint8_t bytes[64];
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct ip_addr addr;

	if (!has_input(fd))
		fail_msg("nobody was asked");
	assert_int_equal(recvmsg(fd, &msg, 0), 8);
	assert_int_equal(bytes[0], ND_ROUTER_SOLICIT);
	assert_int_equal(bytes[1], 0);
	addr = ip_addr_make(AF_INET6, &from.sin6_addr);
	assert_addr(&addr, source);
	check_envelope(&msg);
}

static void routers_are_asked(void **state)
{
	struct ra_socket *sock = *state;
	uint32_t d1 = if_nametoindex("d1");
	int fd = open_router();
	struct ra_heard heard;

	/* What is assigned will do: RFC 4861, 4.1. */
	assert_int_equal(ra_socket_solicit(sock, d1), 0);
	must_be_asked(fd, "2001:db8:1::2");
	netns_ip("address add fe80::d1/64 dev d1 nodad");
	assert_int_equal(ra_socket_solicit(sock, d1), 0);
	must_be_asked(fd, "fe80::d1");
	/* We do not hear ourselves. */
	assert_int_equal(ra_socket_receive(sock, &heard), 0);
	netns_ip("address del fe80::d1/64 dev d1");
	(void)close(fd);
}

/*
 * The kernel tells IPv6 of a new carrier up to a second later. While it makes
 * the link's routes, one that is just going may take any link's address.
 */
static int solicit_with_carrier(struct ra_socket *sock, uint32_t ifindex)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int error = 0;

	for (int i = 0; i < 300 && error != -EADDRNOTAVAIL; i++) {
		error = ra_socket_solicit(sock, ifindex);
		if (error != -EADDRNOTAVAIL)
			(void)nanosleep(&pause, NULL);
	}
	return error;
}

static void who_cannot_be_asked_is_an_error(void **state)
{
	struct ra_socket *sock = *state;
	uint32_t d9;

	netns_ip("link add d9 type veth peer name p9\n"
		 "link set d9 addrgenmode none\n"
		 "link set d9 up");
	d9 = if_nametoindex("d9");
	/* No carrier; no address; IPv6 off; down; gone. */
	assert_int_equal(ra_socket_solicit(sock, d9), -ENETUNREACH);
	netns_ip("link set p9 up");
	assert_int_equal(solicit_with_carrier(sock, d9), -EADDRNOTAVAIL);
	assert_int_equal(sysctl_write_link(AF_INET6, "d9", "disable_ipv6", 1),
			 0);
	assert_int_equal(ra_socket_solicit(sock, d9), -ENETUNREACH);
	assert_int_equal(sysctl_write_link(AF_INET6, "d9", "disable_ipv6", 0),
			 0);
	assert_int_equal(ra_socket_solicit(sock, d9), -EADDRNOTAVAIL);
	netns_ip("link set d9 down");
	assert_int_equal(ra_socket_solicit(sock, d9), -ENETUNREACH);
	netns_ip("link del d9");
	assert_int_equal(ra_socket_solicit(sock, d9), -ENETUNREACH);
}

/* --- rights --- */

static void who_may_not_is_told(void **state)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = {0};
	struct ra_socket *sock;
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (syscall(SYS_capset, &header, none) != 0)
			_exit(2);
		_exit(ra_socket_open(&sock) == -EPERM ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	ra_socket_free(NULL);
}

static int make_network(void **state)
{
	netns_links();
	/* Or the kernel asks as well. */
	assert_int_equal(sysctl_write_link(AF_INET6, "d1", "accept_ra", 0), 0);
	return ra_socket_open((struct ra_socket **)state);
}

static int close_socket(void **state)
{
	ra_socket_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routers_are_asked),
		cmocka_unit_test(who_cannot_be_asked_is_an_error),
		cmocka_unit_test(who_may_not_is_told),
	};

	if (!netns_enter())
		return NETNS_SKIP;
	return cmocka_run_group_tests(tests, make_network, close_socket);
}
