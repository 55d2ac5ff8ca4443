/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * follow - wait for the daemon, and for what may come before its reply: a
 * signal, a key, or the end of whoever reads our output.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "call.h"

enum {
	FOLLOW_FOR_EVER = -1
};

enum follow_kind {
	FOLLOW_REPLY,
	FOLLOW_SIGNAL, /* value: its number */
	FOLLOW_KEY,    /* value: the byte; FOLLOW_HANGUP: no terminal left */
	FOLLOW_UNREAD, /* nobody reads stdout any more */
	FOLLOW_TIME,   /* nothing happened in time */
};

enum {
	FOLLOW_HANGUP = -1
};

struct follow_event {
	enum follow_kind kind;
	int value;
	struct answer answer; /* of FOLLOW_REPLY; free with answer_done() */
};

/* What to wait for. */
struct follow {
	struct client *client; /* borrowed */
	int signal_fd;	       /* of follow_signals(); -1: none */
	int key_fd;	       /* a terminal, borrowed; -1: none */
	bool watches_output;
};

/**
 * follow_signals() - signals are events from now on, and do nothing else
 * @signals: ends with 0
 *
 * Return: for signal_fd; or a negative errno, which is good for signal_fd too:
 * the signals then do what they did.
 */
int follow_signals(const int *signals);

/* Close signal_fd; the signals stay blocked. */
void follow_done(struct follow *follow);

/**
 * follow_next() - the next event
 * @timeout_ms: how long to wait; FOLLOW_FOR_EVER
 *
 * A signal goes before a key, and a key before a reply: a flood of replies
 * hides nothing.
 *
 * Return: 0; or what client_receive() returns.
 */
int follow_next(const struct follow *follow, int timeout_ms,
		struct follow_event *ret);

#endif
