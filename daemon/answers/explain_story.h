/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_story - what the parts of the reply to Explain share.
 *
 * explain_story.c tells the whole, explain_candidates.c the part about the next
 * hops; nobody else includes this.
 */
#ifndef EXPLAIN_STORY_H
#define EXPLAIN_STORY_H

#include "answers/explain.h"
#include "core/forward.h"

/* All that the story is told from. */
struct story {
	const struct view *view;
	const struct explain_question *question;
	const struct explain_kernel *kernel;
	const struct subnet *subnet; /* of the source, managed or not; NULL */
	bool managed;
	bool local;	 /* table local answers, before any of ours */
	bool down;	 /* all that was chosen is over links that are down */
	bool others;	 /* nothing of ours, but other rules lead there */
	bool sourceless; /* the kernel's answer counts, and has no source */
	bool guessed;	 /* of a socket bound to a link: from the tables */
	bool yields;	 /* our rules of the family are withdrawn */
	struct forward forward;
	const struct pin *pin; /* that is laid for the destination; or NULL */
	struct json_object *notes; /* borrowed from the reply */
};

const char *story_type_name(uint8_t type);
const char *story_link_name(const struct story *story, uint32_t ifindex);

/** story_add_hop() - the members via and dev, as far as there are any */
void story_add_hop(const struct story *story, const struct next_hop *hop,
		   struct json_object *ret);

__attribute__((format(printf, 2, 3))) void
story_add_note(const struct story *story, const char *format, ...);

/** story_hop() - of a candidate; NULL: a reject route has none */
const struct next_hop *story_hop(const struct story *story,
				 const struct forward_candidate *it);
const struct attrset *story_set(const struct story *story,
				const struct forward_candidate *it);

/** story_add_subflow() - the member subflow */
void story_add_subflow(const struct story *story, struct json_object *ret);

/**
 * story_bound_hop() - what a socket bound to the question's link leaves by
 *
 * As the kernel does for such an IPv6 socket: the longest prefix with a hop
 * over the link, in the table of the source's subnet, else in table main.
 * Return: borrowed, or NULL: there is none, as far as we know.
 */
const struct next_hop *story_bound_hop(const struct story *story);

/** story_add_candidates() - the member candidates, and notes on them */
void story_add_candidates(const struct story *story, struct json_object *ret);

#endif
