/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/engine/world.h"
#include "tests/kernel_c/netns.h"

#define LINES_MAX 4096
#define TRIES	  5000 /* of 1 ms */

bool world_enter(void)
{
	return netns_enter();
}

/* Each in a namespace of its own, which ends with its last socket. */
void world_ground_new(void)
{
	if (unshare(CLONE_NEWNET) != 0)
		fail_msg("no new namespace");
	netns_links();
}

void world_ground_done(void)
{
}

static bool has_no_line(const char *command)
{
	FILE *output = popen(command, "r");
	bool none;

	if (!output)
		fail_msg("cannot run %s", command);
	none = fgetc(output) == EOF;
	(void)pclose(output);
	return none;
}

/*
 * A link's state follows its carrier some time later, and then it is told; an
 * IPv6 address can be used some time after it is there.
 */
static bool is_settled(void)
{
	return has_no_line("ip -o link show up | grep -v LOOPBACK |"
			   " grep LOWER_UP | grep -v 'state UP'") &&
	       has_no_line("ip -o link show up | grep -v LOOPBACK |"
			   " grep -v LOWER_UP | grep 'state UP'") &&
	       has_no_line("ip -6 -o address show tentative");
}

static void settle(void)
{
	for (int tries = 0; tries < TRIES; tries++) {
		if (is_settled()) {
			/* Whoever still tells of it holds the lock for this. */
			netns_ip("link set lo up");
			return;
		}
		(void)usleep(1000);
	}
	fail_msg("the host does not settle");
}

static bool is_six(const char *line, size_t len)
{
	return strncmp(line, "-6 ", 3) == 0 ||
	       (memchr(line, ':', len) && strncmp(line, "neigh", 5) != 0);
}

void world_ground_do(const char *lines)
{
	bool takes_time = strstr(lines, "link ") || strstr(lines, "address ");

	while (*lines) {
		size_t len = strcspn(lines, "\n");
		char line[LINES_MAX];
		bool six = is_six(lines, len);
		size_t skip = six && lines[0] == '-' ? 3 : 0;

		(void)snprintf(line, sizeof(line), "%.*s", (int)(len - skip),
			       lines + skip);
		if (six)
			netns_ip6("%s", line);
		else
			netns_ip("%s", line);
		lines += len + (lines[len] == '\n');
	}
	if (takes_time)
		settle();
}
