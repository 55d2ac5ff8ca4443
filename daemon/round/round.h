/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * round - what one round of work was: what came in, what it changed, what was
 * written, and how long that took.
 *
 * A round begins when the daemon wakes up and ends when it has written what was
 * due. The engine reports to it (struct engine_observer); the owner says when
 * the one ends and the next begins. Texts are made only while somebody listens,
 * so that a storm of events costs a few additions each.
 */
#ifndef ROUND_H
#define ROUND_H

#include "round/change.h"
#include "round/histogram.h"
#include "round/lines.h"

enum round_cause {
	ROUND_START,
	ROUND_KERNEL, /* its messages */
	ROUND_CONFIG, /* another configuration */
	ROUND_TIMER,  /* a settle time or a retry was due */
};

struct round {
	bool is_listening; /* the owner's: somebody wants the lines */

	/* Of this round; complete when round_end() returns. */
	enum round_cause cause;
	size_t n_heard;
	size_t n_wrote;
	size_t n_failed;
	uint64_t prefixes; /* planned again */
	uint64_t took_us;  /* from waking up to the end of the last write */
	struct lines heard;
	struct lines planned; /* whether somebody listens or not */
	struct lines wrote;
	struct lines failed;

	/* Over many rounds. */
	struct change change; /* grows; see change.h */
	struct change last;   /* the last one that wrote; at_ms 0: none */
	struct outlook outlook;
	struct histogram event_to_kernel;

	/* Private. */
	bool is_config;
	bool is_started; /* the round of the start is over */
	bool look_again; /* the outlook may have changed */
	uint64_t woke_us;
	uint64_t rows; /* counters.rows when the round began */
};

/** round_init() - the round of the start; sets @engine's observer */
void round_init(struct round *round, struct engine *engine, uint64_t now_us);
void round_done(struct round *round);

/** round_begin() - the daemon woke up: forget the round before */
void round_begin(struct round *round, uint64_t now_us);

/** round_led() - another configuration: @why as a clause, for people */
void round_led(struct round *round, const char *why);

/**
 * round_end() - what was due is written
 *
 * Return: whether there is anything to tell.
 */
bool round_end(struct round *round, const struct engine *engine,
	       uint64_t now_us);

#endif
