/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * change - what was written to the kernel and what led to it, in one sentence.
 *
 * It grows from round to round: what the kernel said may be acted on only when
 * a settle time is over, and neighbour entries follow the routes in a round of
 * their own. Whoever owns it begins a new one when the daemon has become
 * steady.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "round/heard.h"
#include "round/outlook.h"

#define CHANGE_NOTES	3 /* the rest is counted */
#define CHANGE_TEXT_MAX 1024

/* Zeroed: nothing yet. */
struct change {
	/* What led to it: the best explanation, and how many as good. */
	enum heard_rank rank;
	size_t n_causes;
	bool is_route;
	struct heard_route route; /* if it is one */

	size_t ops[OP_KINDS];
	size_t failed;
	size_t n_notes;
	uint64_t since_ms; /* when the first of all this was; 0: nothing */
	uint64_t at_ms;	   /* the last write; 0: none */

	/* Words, of which most changes have none. */
	char cause[256];			 /* unless it is a route */
	struct outlook_note notes[CHANGE_NOTES]; /* the first @n_notes */
};

/**
 * change_heard() - an event that may explain it; before it is in the model
 *
 * Return: whether it is news at all.
 */
bool change_heard(struct change *change, const struct engine *engine,
		  const struct kernel_event *event);

/** change_led() - what led to it, where it was not the kernel */
void change_led(struct change *change, const char *cause);

/** change_copy() - the same as an assignment, but for words it does not have */
void change_copy(struct change *to, const struct change *from);

/** change_clear() - nothing yet */
void change_clear(struct change *change);

/** change_note() - what it did to a subnet */
void change_note(struct change *change, const struct outlook_note *note);

/**
 * change_format() - of one that wrote something: "eth1 lost its carrier: 12
 * routes written; 10.2.0.0/24 on eth1 is weak now"
 * @text: at least CHANGE_TEXT_MAX bytes. Return: @text.
 */
const char *change_format(const struct change *change, char *text);

#endif
