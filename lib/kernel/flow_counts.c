/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel/flow_counts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OF_US	   "/proc/thread-self/net/"
#define TEXT_BYTES 8192

void flow_counts_init(struct flow_counts *counts)
{
	*counts = (struct flow_counts){-1, -1, -1};
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

void flow_counts_done(struct flow_counts *counts)
{
	close_one(&counts->sockets);
	close_one(&counts->sockets6);
	close_one(&counts->events);
}

/* @text: TEXT_BYTES; terminated. Return: whether it could be read. */
static bool read_text(int *fd, const char *path, char *text)
{
	ssize_t n;

	if (*fd < 0)
		*fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return false;
	n = pread(*fd, text, TEXT_BYTES - 1, 0);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return true;
}

bool flow_counts_any(struct flow_counts *counts)
{
	char text[TEXT_BYTES];

	if (!read_text(&counts->sockets, OF_US "sockstat", text) ||
	    !strstr(text, "TCP: inuse 0 "))
		return true;
	errno = 0;
	if (read_text(&counts->sockets6, OF_US "sockstat6", text))
		return !strstr(text, "TCP6: inuse 0\n");
	/* With ipv6.disable=1 the second one is not there. */
	return counts->sockets6 >= 0 || errno != ENOENT;
}

/* --- connections that began --- */

/* The words of two lines, of which the first one names what is in the other. */
struct columns {
	const char *name;
	const char *value;
};

static const char *next_word(const char *at)
{
	at += strcspn(at, " \n");
	return *at == ' ' ? at + 1 : NULL;
}

static bool find_lines(const char *text, struct columns *ret)
{
	static const char start[] = "\nTcp: ";

	ret->name = strstr(text, start);
	ret->value = ret->name ? strstr(ret->name + 1, start) : NULL;
	if (!ret->value)
		return false;
	ret->name += strlen(start);
	ret->value += strlen(start);
	return true;
}

static bool is_named(const char *at, const char *name)
{
	size_t len = strlen(name);

	return strncmp(at, name, len) == 0 && at[len] == ' ';
}

static bool find_value(struct columns at, const char *name, uint64_t *ret)
{
	char *end;

	while (at.name && at.value && !is_named(at.name, name)) {
		at.name = next_word(at.name);
		at.value = next_word(at.value);
	}
	if (!at.name || !at.value || *at.value < '0' || *at.value > '9')
		return false;
	errno = 0;
	*ret = strtoull(at.value, &end, 10);
	return errno == 0 && *end == ' ';
}

bool flow_counts_parse(const char *text, uint64_t *ret)
{
	struct columns first;
	uint64_t active;
	uint64_t passive;

	if (!find_lines(text, &first) ||
	    !find_value(first, "ActiveOpens", &active) ||
	    !find_value(first, "PassiveOpens", &passive))
		return false;
	*ret = active + passive;
	return true;
}

bool flow_counts_begun(struct flow_counts *counts, uint64_t *ret)
{
	char text[TEXT_BYTES];

	return read_text(&counts->events, OF_US "snmp", text) &&
	       flow_counts_parse(text, ret);
}
