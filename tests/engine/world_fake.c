/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/engine/world_fake.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct fake *fake;

struct fake *world_fake(void)
{
	return fake;
}

void world_many(uint8_t family, const char *verb, unsigned int from,
		unsigned int n, const char *rest)
{
	const bool is_v6 = family == AF_INET6;
	const unsigned int lens[] = {is_v6 ? 63 : 25, is_v6 ? 64 : 24};
	char line[128];

	for (unsigned int i = from; i < from + n; i++) {
		(void)snprintf(line, sizeof(line),
			       is_v6 ? "route %s 2001:db8:%x:%x::/%u %s"
				     : "route %s 10.%u.%u.0/%u %s",
			       verb, i >> 8, i & 255, lens[i % 8 > 0], rest);
		world_do(line);
	}
}

bool world_enter(void)
{
	return true;
}

void world_ground_new(void)
{
	fake = fake_new();
	fake_lines(fake, "link add d1 type veth peer name p1\n"
			 "link add d2 type veth peer name p2\n"
			 "link set p1 up\n"
			 "link set p2 up\n"
			 "link set d1 up\n"
			 "link set d2 up\n"
			 "address add 192.0.2.2/24 dev d1\n"
			 "address add 198.51.100.2/24 dev d2\n"
			 "address add 2001:db8:1::2/64 dev d1\n"
			 "address add 2001:db8:2::2/64 dev d2");
}

void world_ground_done(void)
{
	fake_free(fake);
	fake = NULL;
}

void world_ground_do(const char *lines)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");
		char line[512];
		int error;

		(void)snprintf(line, sizeof(line), "%.*s", (int)len, lines);
		error = fake_do(fake, FAKE_SOMEBODY, line);
		if (error)
			fail_msg("%s: %s", strerror(-error), line);
		lines += len + (lines[len] == '\n');
	}
}
