/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * repair - what others do to our rules and routes, and when to put it back.
 *
 * The first few times at once; if somebody deletes again and again, later and
 * later (up to half a minute), and the log says whom to suspect. So two daemons
 * at war cost little, and the one that is right wins in the end.
 *
 *	calm     nothing was meddled with lately: repairs are not delayed
 *	alert    repaired within the last 10 s: still at once, but counted
 *	holding  too often: repairs wait until hold_ms
 */
#ifndef REPAIR_H
#define REPAIR_H

#include "core/op.h"

/* An entry of one of our tables. */
struct repair_entry {
	uint32_t table;
	struct ip_prefix prefix;
};

VEC(repair_entry_vec, struct repair_entry);

struct repair {
	/* Meddled with, not put back yet; unique. */
	struct repair_entry_vec entries;
	bool many_entries;     /* too many to list: all of them */
	struct rule_vec rules; /* of ours that were deleted; unique */
	uint64_t noted;	       /* times that anything was, ever */
	uint32_t port;	       /* netlink port of the last one who did it */
	char what[128];	       /* what was done last, for the log */
	unsigned int rounds;   /* repairs in short sequence */
	uint64_t last_ms;      /* when the last repair was; 0: never */
	uint64_t hold_ms;      /* not before; 0: at once */
};

/** repair_done() - frees; may run twice */
void repair_done(struct repair *repair);

/** repair_note_route() / repair_note_rule() - somebody at @port changed ours */
void repair_note_route(struct repair *repair, const struct repair_entry *entry,
		       bool deleted, uint32_t port);
void repair_note_rule(struct repair *repair, const struct rule *rule,
		      uint32_t port);

/** repair_next() - when what is noted may be put back; 1: now; 0: nothing */
uint64_t repair_next(const struct repair *repair);

/** repair_is_due() - something was meddled with and may be put back now */
bool repair_is_due(const struct repair *repair, uint64_t now_ms);

/** repair_holds() - whether @op would put back what must wait at @now_ms */
bool repair_holds(const struct repair *repair, const struct op *op,
		  uint64_t now_ms);

/**
 * repair_finish() - what was due has been put back
 * @is_whole: false: more was noted meanwhile, which stays so
 *
 * Logs it with the suspect's name, and reckons when the next may be. What is
 * held stays noted. Return: whether anything was due.
 */
bool repair_finish(struct repair *repair, uint64_t now_ms, bool is_whole);

#endif
