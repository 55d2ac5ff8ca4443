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

static void run_ip(const char *command, const char *format, va_list args)
{
	FILE *ip = popen(command, "w");

	if (!ip || vfprintf(ip, format, args) < 0 || fputc('\n', ip) == EOF)
		fail_msg("cannot run %s", command);
	if (pclose(ip) != 0)
		fail_msg("%s refused: %s", command, format);
}

void netns_ip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	run_ip("ip -batch -", format, args);
	va_end(args);
}

void netns_ip6(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	run_ip("ip -6 -batch -", format, args);
	va_end(args);
}

void netns_sysctl(const char *name, const char *value)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	if (!write_file(path, value))
		fail_msg("cannot write %s", path);
}
