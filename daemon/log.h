/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - lines for people, to stderr.
 *
 * Under systemd each line begins with its level ("<4>") for the journal;
 * otherwise with the level's name. Levels are syslog(3)'s, by reader: ERR
 * someone must act, WARNING degraded and we cope, NOTICE state changed, INFO
 * one summary per reconcile, DEBUG each op and event.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

/** log_set_level() - lines above @level are not written; LOG_INFO at start */
void log_set_level(int level);

/** log_is_on() - to spare the work for lines nobody reads */
bool log_is_on(int level);

__attribute__((format(printf, 2, 3))) void log_line(int level, const char *fmt,
						    ...);

/**
 * log_limited() - at most one line per @kind and 10 s, of LOG_KIND_PLAN and
 * LOG_KIND_PINS 50, of LOG_KIND_ENDPOINT 8; says how many were left out with
 * the next one
 */
enum log_kind {
	LOG_KIND_BAD_MESSAGE,
	LOG_KIND_FAILED_OP,
	LOG_KIND_REFUSED,
	LOG_KIND_MEDDLING,
	LOG_KIND_LOST,
	LOG_KIND_NO_THREAD,
	LOG_KIND_FOREIGN_ROUTE,
	LOG_KIND_BINDINGS_FULL,
	LOG_KIND_BAD_ADVERT,
	LOG_KIND_UNASKED,
	LOG_KIND_STATE_FILE,
	LOG_KIND_LISTING,
	LOG_KIND_ENDPOINT,
	LOG_KIND_PLAN,
	LOG_KIND_PINS,
	LOG_KINDS,
};

__attribute__((format(printf, 4, 5))) void log_limited(enum log_kind kind,
						       uint64_t now_ms,
						       int level,
						       const char *fmt, ...);

#define log_err(...)	log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_DEBUG, __VA_ARGS__)

#endif
