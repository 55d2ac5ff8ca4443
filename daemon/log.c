/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QUIET_MS       10000
#define LINE_MAX_BYTES 1088 /* what is longer is cut */

static const char *const level_names[] = {
	"emerg", "alert", "crit", "error", "warning", "notice", "info", "debug",
};

static int log_level = LOG_INFO;

/* How many lines in QUIET_MS; 0: one. */
static const unsigned int bursts[LOG_KINDS] = {
	[LOG_KIND_ENDPOINT] = 8, /* as many as there can be */
	[LOG_KIND_PLAN] = 50,
	[LOG_KIND_PINS] = 50,
};

static struct {
	uint64_t next_ms;   /* when the count begins anew */
	unsigned int lines; /* since then */
	unsigned int left_out;
} limits[LOG_KINDS];

void log_set_level(int level)
{
	log_level = level;
}

bool log_is_on(int level)
{
	return level <= log_level;
}

static bool is_journal(void)
{
	static enum {
		UNKNOWN,
		NO,
		YES
	} known;

	if (known == UNKNOWN)
		known = getenv("JOURNAL_STREAM") ? YES : NO;
	return known == YES;
}

static void write_line(int level, const char *fmt, va_list args)
{
	char text[LINE_MAX_BYTES];
	size_t n;

	if (!log_is_on(level))
		return;
	if (is_journal())
		(void)snprintf(text, sizeof(text), "<%d>", level);
	else
		(void)snprintf(text, sizeof(text),
			       "multihomed: %s: ", level_names[level & 7]);
	n = strlen(text);
	(void)vsnprintf(text + n, sizeof(text) - n, fmt, args);
	n = strlen(text);
	if (n > sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n] = '\n';
	/* One write per line, so that lines of several writers do not mix. */
	(void)!write(STDERR_FILENO, text, n + 1);
}

void log_line(int level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_line(level, fmt, args);
	va_end(args);
}

static bool may_log(enum log_kind kind, uint64_t now_ms)
{
	if (now_ms >= limits[kind].next_ms) {
		limits[kind].next_ms = now_ms + QUIET_MS;
		limits[kind].lines = 0;
	}
	return limits[kind].lines++ == 0 || limits[kind].lines <= bursts[kind];
}

void log_limited(enum log_kind kind, uint64_t now_ms, int level,
		 const char *fmt, ...)
{
	va_list args;

	if (!may_log(kind, now_ms)) {
		limits[kind].left_out++;
		return;
	}
	va_start(args, fmt);
	write_line(level, fmt, args);
	va_end(args);
	if (limits[kind].left_out)
		log_line(level, "(%u more like the last line were left out)",
			 limits[kind].left_out);
	limits[kind].left_out = 0;
}
