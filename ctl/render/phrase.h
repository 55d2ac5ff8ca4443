/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * phrase - what several pages say in the same words.
 *
 * Most functions fill @ret and return its text, so that a call can stand among
 * the arguments of another. What is longer than the buffer is cut off.
 */
#ifndef PHRASE_H
#define PHRASE_H

#include <stdint.h>

#include <json-c/json.h>

#include "render/text.h"

enum {
	PHRASE_MAX = 256
};

struct phrase {
	char text[PHRASE_MAX];
};

/* What becomes of the packets of a subnet, or of those to one prefix. */
struct state {
	const char *kind; /* in replies */
	const char *name; /* for people */
	enum text_style style;
	const char *meaning; /* a sentence without its end */
};

enum {
	STATES = 8 /* the last one stands for what is not known */
};

/* In the order in which they are explained. */
extern const struct state states[STATES];

/* @kind: of the interface's type Kind; never NULL. */
const struct state *state_of_kind(const char *kind);

/* Of a Subnet, from whether it is managed, its rules and its default. */
const struct state *state_of_subnet(struct json_object *subnet);

/* "7", "2800", and from five digits on "28,000". */
const char *phrase_number(int64_t number, struct phrase *ret);

/* "1 problem", "2 problems". */
const char *phrase_count(int64_t count, const char *noun, struct phrase *ret);

/* "42 s", "3 min", "5 h", "2 days" */
const char *phrase_span(double seconds, struct phrase *ret);

/**
 * phrase_when() - a moment as people say it
 * @time:        seconds since 1970; 0: not known
 * @seconds_ago: before now
 *
 * "just now", "3 min ago", and after an hour the clock: "today at 14:03",
 * "yesterday at 14:03", "on 2025-05-03 at 14:03", all of local time.
 */
const char *phrase_when(double time, double seconds_ago, struct phrase *ret);

/**
 * phrase_next_hop() - "10.1.0.1 dev eth0", "dev ppp0", "-"
 * @hop:  anything that has via and dev
 * @link: a device that need not be named beside a router; NULL: none
 */
const char *phrase_next_hop(struct json_object *hop, const char *link,
			    struct phrase *ret);

/* The same for a sentence: "via 10.1.0.1 dev eth0", "dev ppp0", "-". */
const char *phrase_via(struct json_object *hop, struct phrase *ret);

/* "7100", and "main" where the kernel has a name for it. */
const char *phrase_table(int64_t table, struct phrase *ret);

/* "10.1.0.0/24 on eth0" of anything that has prefix and link. */
const char *phrase_subnet(struct json_object *subnet, struct phrase *ret);

/* "" where @sentence ends by itself, else ".". */
const char *phrase_stop(const char *sentence);

#endif
