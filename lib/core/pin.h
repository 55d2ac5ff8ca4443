/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pin - existing flows keep their path.
 *
 * Draft section 4.1: a connection that began through one NAT must go on through
 * it though routes change. A pin is a host route in a subnet's table that keeps
 * the flows from that subnet to one destination on the path they use. It is one
 * for all of them: one path per subnet and destination.
 *
 *	path  a host route over @attrs: flows go on there while the plan already
 *	      leads new destinations elsewhere
 *	hold  `unreachable`: the path is gone for the moment; flows wait for it
 *	      instead of crossing another NAT, till @until_ms
 *	away  nothing in the table: the wait was in vain, or there was none, and
 *	      flows follow the plan; those that live go home when @attrs returns
 *
 * The decision is pin_decide(), a pure function of a few facts; who collects
 * these is pin_build.h's business.
 */
#ifndef PIN_H
#define PIN_H

#include "core/attrset.h"
#include "core/ip.h"

enum pin_kind {
	PIN_NONE, /* no pin; only in decisions */
	PIN_PATH,
	PIN_HOLD,
	PIN_AWAY,
};

#define PIN_KINDS (PIN_AWAY + 1)

/* Why flows do not simply follow the plan. */
enum pin_why {
	PIN_WHY_ROUTE,	  /* another route became the better one */
	PIN_WHY_LONGER,	  /* a longer prefix appeared */
	PIN_WHY_START,	  /* they began before we first managed the subnet */
	PIN_WHY_LOST,	  /* their path is gone */
	PIN_WHY_RETURNED, /* their path is back, though not the plan's */
};

#define PIN_WHYS (PIN_WHY_RETURNED + 1)

/* Why flows had to move to another path. */
enum pin_moved {
	PIN_MOVED_NOT,
	PIN_MOVED_STALLED,   /* the path was there but carried nothing */
	PIN_MOVED_LOST,	     /* the path is gone, and holding is off */
	PIN_MOVED_WEAK,	     /* so, and it was not of their subnet anyway */
	PIN_MOVED_HOLD_OVER, /* it did not return in time */
	PIN_MOVED_CAP,	     /* there are as many pins as there may be */
	PIN_MOVED_ASKED,     /* somebody asked for it (unpin) */
};

#define PIN_MOVEDS (PIN_MOVED_ASKED + 1)

struct pin {
	/* Key, in sort order. */
	struct ip_addr dst;
	uint32_t table; /* of the subnet that the flows come from */
	/* Value. */
	enum pin_kind kind;
	enum pin_why why;
	uint32_t attrs;	   /* the flows' path: id in the rib's store, a ref */
	uint32_t flows;	   /* when they were counted last; AWAY: displaced */
	uint32_t stalled;  /* of these */
	uint64_t since_ms; /* of this kind */
	uint64_t until_ms; /* HOLD: when it is over; else 0 */
	bool asked;	   /* somebody wants it gone */
};

VEC(pin_vec, struct pin);

/* A flow that lost its path: told from those that began later by its cookie. */
struct pin_member {
	uint64_t cookie; /* key */
	struct ip_addr dst;
	uint32_t table;
};

VEC(pin_member_vec, struct pin_member);

struct pin_set {
	struct pin_vec pins;	       /* sorted by the key, unique */
	struct pin_member_vec members; /* of HOLD and AWAY; sorted, unique */
	size_t count[PIN_KINDS];       /* pins of each kind */
};

/** pin_set_done() - frees; gives the refs back to @attrs; may run twice */
void pin_set_done(struct pin_set *set, struct attrset_store *attrs);

/** pin_laid() - how many are in a table: PATH and HOLD */
static inline size_t pin_laid(const struct pin_set *set)
{
	return set->count[PIN_PATH] + set->count[PIN_HOLD];
}

/** pin_cmp() - by destination and table */
int pin_cmp(const struct pin *a, const struct pin *b);

/** pin_find() - the pin of @table for @dst, or NULL; borrowed */
struct pin *pin_find(const struct pin_set *set, const struct ip_addr *dst,
		     uint32_t table);

/** pin_first_in() - index of the first pin inside @prefix, or behind it */
size_t pin_first_in(const struct pin_set *set, const struct ip_prefix *prefix);

/**
 * pin_put() - add @pin, or put it in the place of the one with its key
 * @pin: takes its own ref to @pin->attrs
 */
void pin_put(struct pin_set *set, struct attrset_store *attrs,
	     const struct pin *pin);

/**
 * pin_merge() - put and remove many at once
 * @news: sorted, unique; PIN_NONE: the pin of that key goes, if there is one.
 *	  Their refs are taken over
 */
void pin_merge(struct pin_set *set, struct attrset_store *attrs,
	       const struct pin_vec *news);

/** pin_remove() - no effect where there is none */
void pin_remove(struct pin_set *set, struct attrset_store *attrs,
		const struct ip_addr *dst, uint32_t table);

/** pin_is_member() - whether the flow @cookie was displaced */
bool pin_is_member(const struct pin_set *set, uint64_t cookie);

/** pin_add_member() - one more; cheap where cookies come in order */
void pin_add_member(struct pin_set *set, const struct pin_member *member);

/** pin_set_members() - take the items of @members, in any order */
void pin_set_members(struct pin_set *set, struct pin_member_vec *members);

/**
 * pin_set_take() - take what belongs to @table out of @set
 * @ret, @ret_members: appended, sorted; each pin's ref passes on to who asks
 */
void pin_set_take(struct pin_set *set, uint32_t table, struct pin_vec *ret,
		  struct pin_member_vec *ret_members);

/**
 * pin_set_give() - add what pin_set_take() gave, as belonging to @table
 * @pins, @members: taken over, refs too; empty afterwards
 */
void pin_set_give(struct pin_set *set, struct attrset_store *attrs,
		  uint32_t table, struct pin_vec *pins,
		  struct pin_member_vec *members);

/** pin_next_ms() - when the first hold is over; 0: there is none */
uint64_t pin_next_ms(const struct pin_set *set);

/* --- the decision --- */

/*
 * One subnet and one destination, about to be planned anew. Two paths matter:
 * "home", that of the pin there is, and "old", the one in use where none is
 * laid (PIN_NONE and PIN_AWAY).
 */
struct pin_facts {
	enum pin_kind kind; /* of the pin there is */
	bool asked;
	bool hold_over; /* HOLD: its time has passed */
	bool may_hold;	/* hold_ms is not 0 */
	bool first;	/* the subnet was not managed so far */
	bool longer;	/* the plan's prefix is longer than the old path's */
	/* A path is there: a usable next hop of a route that covers it. */
	bool home_available;
	bool home_is_plan; /* the plan leads there anyway */
	bool home_congruent;
	bool old_available;
	bool old_is_plan;
	bool old_congruent;
	bool plan_rejects; /* the plan drops: it crosses no NAT */
	/* Flows: those of the pin (displaced ones), those that began since. */
	uint32_t flows;
	uint32_t stalled;
	uint32_t later;
	uint32_t later_stalled;
};

enum pin_path {
	PIN_PATH_HOME,
	PIN_PATH_OLD,
};

struct pin_answer {
	enum pin_kind kind; /* of the pin that shall be there */
	enum pin_path path; /* what it keeps; for PIN_NONE of no meaning */
	enum pin_why why;
	enum pin_moved moved; /* of flows that go elsewhere by this */
};

/**
 * pin_decide() - what becomes of the pin
 *
 * Source: draft section 4.1; docs/pins.md has the reasons.
 */
struct pin_answer pin_decide(const struct pin_facts *facts);

#endif
