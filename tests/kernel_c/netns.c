/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/kernel_c/netns.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	(void)close(fd);
	return ok;
}

static bool become_root(void)
{
	char map[64];

	(void)snprintf(map, sizeof(map), "0 %u 1", (unsigned int)getuid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
	       write_file("/proc/self/uid_map", map);
}

bool netns_enter(void)
{
	return unshare(CLONE_NEWNET) == 0 || become_root();
}

/* Frees @lines. */
static void run_ip(const char *command, char *lines, int len)
{
	FILE *ip;

	if (len < 0)
		fail_msg("no memory for the lines of %s", command);
	ip = popen(command, "w");
	if (!ip || fprintf(ip, "%s\n", lines) < 0)
		fail_msg("cannot run %s", command);
	if (pclose(ip) != 0)
		fail_msg("%s refused: %s", command, lines);
	free(lines);
}

void netns_ip(const char *format, ...)
{
	char *lines = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&lines, format, args);
	va_end(args);
	run_ip("ip -batch -", lines, len);
}

void netns_ip6(const char *format, ...)
{
	char *lines = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&lines, format, args);
	va_end(args);
	run_ip("ip -6 -batch -", lines, len);
}

static bool prints_nothing(const char *command)
{
	FILE *output = popen(command, "r");
	bool nothing;

	if (!output)
		fail_msg("cannot run %s", command);
	nothing = fgetc(output) == EOF;
	(void)pclose(output);
	return nothing;
}

/* The kernel finishes some things in its own time. */
static void wait_until_nothing(const char *command)
{
	int tries;

	for (tries = 0; tries < 5000; tries++) {
		if (prints_nothing(command))
			return;
		(void)usleep(1000);
	}
	fail_msg("still says something: %s", command);
}

void netns_settle(void)
{
	wait_until_nothing("ip -6 -o address show tentative");
	/* Whatever still tells of the above holds the lock this one needs. */
	netns_ip("link set lo up");
}

void netns_links(void)
{
	netns_ip("link add d1 type veth peer name p1\n"
		 "link add d2 type veth peer name p2\n"
		 "link set d1 addrgenmode none\n"
		 "link set d2 addrgenmode none\n"
		 "link set p1 addrgenmode none\n"
		 "link set p2 addrgenmode none\n"
		 "link set lo up\n"
		 "link set p1 up\n"
		 "link set p2 up\n"
		 "link set d1 up\n"
		 "link set d2 up");
	wait_until_nothing("ip -o link show | grep -v LOOPBACK |"
			   " grep -v 'state UP'");
	/* Not nodad: such an address does not show that it is unsettled. */
	if (!write_file("/proc/sys/net/ipv6/conf/d1/accept_dad", "0") ||
	    !write_file("/proc/sys/net/ipv6/conf/d2/accept_dad", "0"))
		fail_msg("cannot write sysctls");
	netns_ip("address add 192.0.2.2/24 dev d1\n"
		 "address add 198.51.100.2/24 dev d2\n"
		 "address add 2001:db8:1::2/64 dev d1\n"
		 "address add 2001:db8:2::2/64 dev d2");
	netns_settle();
}
