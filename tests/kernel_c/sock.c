/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/kernel_c/sock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

struct sockaddr_storage sock_address(const char *text, uint16_t port,
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

int sock_bound(const char *text, uint16_t port, int protocol)
{
	const int on = 1;
	socklen_t len;
	struct sockaddr_storage own = sock_address(text, port, &len);
	int fd = socket(own.ss_family, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&own, len) != 0)
		fail_msg("bind to %s: %m", text);
	return fd;
}

void sock_reach(int fd, const char *text, uint16_t port)
{
	socklen_t len;
	struct sockaddr_storage to = sock_address(text, port, &len);

	if (connect(fd, (struct sockaddr *)&to, len) != 0)
		fail_msg("connect to %s: %m", text);
}

static bool is_usable(const char *text)
{
	socklen_t len;
	struct sockaddr_storage own = sock_address(text, SOCK_PORT, &len);
	int fd = socket(own.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char byte = 'x';
	bool yes = bind(fd, (struct sockaddr *)&own, len) == 0 &&
		   connect(fd, (struct sockaddr *)&own, len) == 0 &&
		   send(fd, &byte, 1, 0) == 1 &&
		   recv(fd, &byte, 1, MSG_DONTWAIT) == 1;

	(void)close(fd);
	return yes;
}

void sock_wait_for(const char *text)
{
	int tries = 0;

	while (!is_usable(text)) {
		assert_true(tries++ < 5000);
		(void)usleep(1000);
	}
}
