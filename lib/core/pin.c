/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/pin.h"

#include <assert.h>

/* --- the set --- */

void pin_set_done(struct pin_set *set, struct attrset_store *attrs)
{
	const struct pin *pin;

	vec_foreach(&set->pins, pin)
		attrset_unref(attrs, pin->attrs);
	vec_done(&set->pins);
	vec_done(&set->members);
	memset(set->count, 0, sizeof(set->count));
}

static int key_cmp(const struct pin *pin, const struct ip_addr *dst,
		   uint32_t table)
{
	int order = ip_addr_cmp(&pin->dst, dst);

	if (order != 0)
		return order;
	return (pin->table > table) - (pin->table < table);
}

int pin_cmp(const struct pin *a, const struct pin *b)
{
	return key_cmp(a, &b->dst, b->table);
}

/* Index of the first pin that is not before the key. */
static size_t place_of(const struct pin_set *set, const struct ip_addr *dst,
		       uint32_t table)
{
	size_t low = 0;
	size_t high = set->pins.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (key_cmp(&set->pins.items[mid], dst, table) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct pin *pin_find(const struct pin_set *set, const struct ip_addr *dst,
		     uint32_t table)
{
	size_t at = place_of(set, dst, table);

	if (at == set->pins.n || key_cmp(&set->pins.items[at], dst, table) != 0)
		return NULL;
	return &set->pins.items[at];
}

size_t pin_first_in(const struct pin_set *set, const struct ip_prefix *prefix)
{
	return place_of(set, &prefix->addr, 0);
}

void pin_put(struct pin_set *set, struct attrset_store *attrs,
	     const struct pin *pin)
{
	size_t at = place_of(set, &pin->dst, pin->table);

	assert(pin->kind != PIN_NONE);
	attrset_ref(attrs, pin->attrs);
	set->count[pin->kind]++;
	if (at < set->pins.n && pin_cmp(&set->pins.items[at], pin) == 0) {
		struct pin *old = &set->pins.items[at];

		set->count[old->kind]--;
		attrset_unref(attrs, old->attrs);
		*old = *pin;
		return;
	}
	vec_insert(&set->pins, at, *pin);
}

void pin_merge(struct pin_set *set, struct attrset_store *attrs,
	       const struct pin_vec *news)
{
	struct pin_vec merged = {0};
	const struct pin *new;
	size_t i = 0;

	vec_foreach(news, new) {
		while (i < set->pins.n && pin_cmp(&set->pins.items[i], new) < 0)
			vec_push(&merged, set->pins.items[i++]);
		if (i < set->pins.n && pin_cmp(&set->pins.items[i], new) == 0) {
			set->count[set->pins.items[i].kind]--;
			attrset_unref(attrs, set->pins.items[i++].attrs);
		}
		if (new->kind == PIN_NONE)
			continue;
		set->count[new->kind]++;
		vec_push(&merged, *new);
	}
	while (i < set->pins.n)
		vec_push(&merged, set->pins.items[i++]);
	vec_done(&set->pins);
	set->pins = merged;
}

void pin_remove(struct pin_set *set, struct attrset_store *attrs,
		const struct ip_addr *dst, uint32_t table)
{
	size_t at = place_of(set, dst, table);

	if (at == set->pins.n || key_cmp(&set->pins.items[at], dst, table) != 0)
		return;
	set->count[set->pins.items[at].kind]--;
	attrset_unref(attrs, set->pins.items[at].attrs);
	vec_remove(&set->pins, at);
}

static int member_cmp(const void *a, const void *b)
{
	const struct pin_member *x = a;
	const struct pin_member *y = b;

	return (x->cookie > y->cookie) - (x->cookie < y->cookie);
}

bool pin_is_member(const struct pin_set *set, uint64_t cookie)
{
	const struct pin_member key = {.cookie = cookie};

	return set->members.n &&
	       bsearch(&key, set->members.items, set->members.n, sizeof(key),
		       member_cmp);
}

void pin_add_member(struct pin_set *set, const struct pin_member *member)
{
	size_t at = set->members.n;

	while (at > 0 && set->members.items[at - 1].cookie > member->cookie)
		at--;
	if (at > 0 && set->members.items[at - 1].cookie == member->cookie)
		return;
	vec_insert(&set->members, at, *member);
}

void pin_set_members(struct pin_set *set, struct pin_member_vec *members)
{
	vec_done(&set->members);
	set->members = *members;
	memset(members, 0, sizeof(*members));
	if (set->members.n)
		qsort(set->members.items, set->members.n,
		      sizeof(*set->members.items), member_cmp);
}

void pin_set_take(struct pin_set *set, uint32_t table, struct pin_vec *ret,
		  struct pin_member_vec *ret_members)
{
	const struct pin_member *member;
	const struct pin *pin;
	size_t n = 0;

	vec_foreach(&set->pins, pin) {
		if (pin->table != table) {
			set->pins.items[n++] = *pin;
			continue;
		}
		set->count[pin->kind]--;
		vec_push(ret, *pin);
	}
	set->pins.n = n;
	n = 0;
	vec_foreach(&set->members, member) {
		if (member->table != table)
			set->members.items[n++] = *member;
		else
			vec_push(ret_members, *member);
	}
	set->members.n = n;
}

void pin_set_give(struct pin_set *set, struct attrset_store *attrs,
		  uint32_t table, struct pin_vec *pins,
		  struct pin_member_vec *members)
{
	struct pin_member *member;
	struct pin *pin;

	vec_foreach(pins, pin)
		pin->table = table;
	pin_merge(set, attrs, pins);
	vec_done(pins);
	vec_foreach(members, member) {
		member->table = table;
		pin_add_member(set, member);
	}
	vec_done(members);
}

uint64_t pin_next_ms(const struct pin_set *set)
{
	uint64_t next = 0;
	const struct pin *pin;

	vec_foreach(&set->pins, pin)
		if (pin->kind == PIN_HOLD && (!next || pin->until_ms < next))
			next = pin->until_ms;
	return next;
}

/* --- the decision --- */

static struct pin_answer keep(enum pin_kind kind, enum pin_path path,
			      enum pin_why why)
{
	return (struct pin_answer){kind, path, why, PIN_MOVED_NOT};
}

static struct pin_answer drop(enum pin_moved moved)
{
	return (struct pin_answer){.kind = PIN_NONE, .moved = moved};
}

/* Where the plan drops, flows wait without a hold: nothing comes through. */
static struct pin_answer wait_for(enum pin_path path,
				  const struct pin_facts *facts)
{
	struct pin_answer answer = keep(PIN_HOLD, path, PIN_WHY_LOST);

	if (facts->may_hold && !facts->plan_rejects)
		return answer;
	answer.kind = PIN_AWAY;
	if (!facts->plan_rejects)
		answer.moved = PIN_MOVED_LOST;
	return answer;
}

/* A pinned path: it stays while it is there, is needed and carries anything. */
static struct pin_answer decide_path(const struct pin_facts *facts)
{
	if (facts->flows == 0 || facts->home_is_plan)
		return drop(PIN_MOVED_NOT);
	/* A path that is gone is waited for: its flows have stalled by now. */
	if (facts->home_available) {
		/* Where the plan drops there is nothing to move to. */
		if (facts->stalled == facts->flows && !facts->plan_rejects)
			return drop(PIN_MOVED_STALLED);
		return keep(PIN_PATH, PIN_PATH_HOME, PIN_WHY_ROUTE);
	}
	if (!facts->home_congruent)
		return drop(PIN_MOVED_WEAK);
	return wait_for(PIN_PATH_HOME, facts);
}

/* A wait: it ends when the path is back, or when its time has passed. */
static struct pin_answer decide_hold(const struct pin_facts *facts)
{
	if (facts->flows == 0)
		return drop(PIN_MOVED_NOT);
	if (facts->home_available)
		return facts->home_is_plan ? drop(PIN_MOVED_NOT)
					   : keep(PIN_PATH, PIN_PATH_HOME,
						  PIN_WHY_RETURNED);
	if (facts->hold_over) {
		struct pin_answer away =
			keep(PIN_AWAY, PIN_PATH_HOME, PIN_WHY_LOST);

		away.moved = PIN_MOVED_HOLD_OVER;
		return away;
	}
	return keep(PIN_HOLD, PIN_PATH_HOME, PIN_WHY_LOST);
}

/* No pin is laid, and flows are on the path that was the plan's so far. */
static struct pin_answer decide_flows(const struct pin_facts *facts,
				      uint32_t flows, uint32_t stalled)
{
	enum pin_why why = facts->longer ? PIN_WHY_LONGER : PIN_WHY_ROUTE;

	if (facts->old_is_plan || flows == 0)
		return drop(PIN_MOVED_NOT);
	/* A path of another subnet is no home to come back to. */
	if (!facts->old_available && !facts->old_congruent)
		return drop(PIN_MOVED_WEAK);
	if (!facts->old_available)
		return wait_for(PIN_PATH_OLD, facts);
	/* What carries nothing is not kept where nothing comes through. */
	if (stalled == flows && !facts->plan_rejects)
		return drop(PIN_MOVED_STALLED);
	return keep(PIN_PATH, PIN_PATH_OLD, facts->first ? PIN_WHY_START : why);
}

/*
 * Displaced flows: they go home, but not at the cost of those that began where
 * they are now and are well.
 */
static struct pin_answer decide_away(const struct pin_facts *facts)
{
	struct pin_answer stay = keep(PIN_AWAY, PIN_PATH_HOME, PIN_WHY_LOST);
	bool others_are_well = facts->later > facts->later_stalled;
	struct pin_answer answer =
		decide_flows(facts, facts->later, facts->later_stalled);

	if (facts->home_available && facts->home_is_plan && facts->old_is_plan)
		return drop(PIN_MOVED_NOT); /* they are home */
	if (facts->flows == 0 || (others_are_well && answer.kind != PIN_NONE))
		return answer;
	if (!facts->home_available || others_are_well) {
		stay.moved = answer.moved;
		return stay;
	}
	if (facts->home_is_plan)
		return drop(PIN_MOVED_NOT);
	return keep(PIN_PATH, PIN_PATH_HOME, PIN_WHY_RETURNED);
}

struct pin_answer pin_decide(const struct pin_facts *facts)
{
	if (facts->asked)
		return drop(PIN_MOVED_ASKED);
	switch (facts->kind) {
	case PIN_NONE:
		return decide_flows(facts, facts->flows + facts->later,
				    facts->stalled + facts->later_stalled);
	case PIN_PATH:
		return decide_path(facts);
	case PIN_HOLD:
		return decide_hold(facts);
	case PIN_AWAY:
		return decide_away(facts);
	}
	return drop(PIN_MOVED_NOT);
}
