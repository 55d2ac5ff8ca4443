/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/pin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <netinet/in.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- the decision --- */

static const char *const kinds[] = {
	[PIN_NONE] = "none",
	[PIN_PATH] = "path",
	[PIN_HOLD] = "hold",
	[PIN_AWAY] = "away",
};

struct decision {
	const char *why;
	struct pin_facts facts;
	enum pin_kind kind;
	enum pin_path path;
	enum pin_why reason;
	enum pin_moved moved;
};

// clang-format off
/* What holds in most cases, of flows that have no pin. */
#define ON_OLD .old_available = true, .old_congruent = true, .may_hold = true
#define LOST .old_available = false, .old_congruent = true, .may_hold = true
/* And of those that have one. */
#define PINNED .kind = PIN_PATH, .home_available = true, \
	.home_congruent = true, .may_hold = true
#define HELD .kind = PIN_HOLD, .home_congruent = true, .may_hold = true
#define AWAY .kind = PIN_AWAY, .home_congruent = true, .may_hold = true

static const struct decision decisions[] = {
	/* Flows without a pin. */
	{"nothing changes for them",
	 {ON_OLD, .later = 3, .old_is_plan = true},
	 PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"there are none", {ON_OLD}, PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"a better metric appears, or the on-subnet route returns after weak "
	 "fallback, or the other of two routers becomes the better one",
	 {ON_OLD, .later = 3},
	 PIN_PATH, PIN_PATH_OLD, PIN_WHY_ROUTE, PIN_MOVED_NOT},
	{"a longer prefix, or a route for just this destination, appears",
	 {ON_OLD, .later = 3, .longer = true},
	 PIN_PATH, PIN_PATH_OLD, PIN_WHY_LONGER, PIN_MOVED_NOT},
	{"they were there before us",
	 {ON_OLD, .later = 3, .first = true, .longer = true},
	 PIN_PATH, PIN_PATH_OLD, PIN_WHY_START, PIN_MOVED_NOT},
	{"some of them are stalled",
	 {ON_OLD, .later = 3, .later_stalled = 2},
	 PIN_PATH, PIN_PATH_OLD, PIN_WHY_ROUTE, PIN_MOVED_NOT},
	{"all are stalled: the path is dead whatever its route says",
	 {ON_OLD, .later = 3, .later_stalled = 3},
	 PIN_NONE, 0, 0, PIN_MOVED_STALLED},
	{"the weak path is there: flows that began on it stay on it",
	 {.old_available = true, .may_hold = true, .later = 1},
	 PIN_PATH, PIN_PATH_OLD, PIN_WHY_ROUTE, PIN_MOVED_NOT},
	{"strong: the path is there, and the plan drops",
	 {ON_OLD, .later = 1, .plan_rejects = true},
	 PIN_PATH, PIN_PATH_OLD, PIN_WHY_ROUTE, PIN_MOVED_NOT},
	{"the path goes",
	 {LOST, .later = 2},
	 PIN_HOLD, PIN_PATH_OLD, PIN_WHY_LOST, PIN_MOVED_NOT},
	{"the path goes, flows already in trouble",
	 {LOST, .later = 2, .later_stalled = 2},
	 PIN_HOLD, PIN_PATH_OLD, PIN_WHY_LOST, PIN_MOVED_NOT},
	{"the path goes, and holding is off",
	 {.old_congruent = true, .later = 2},
	 PIN_AWAY, PIN_PATH_OLD, PIN_WHY_LOST, PIN_MOVED_LOST},
	{"the path goes, strong: the plan drops, which holds them too",
	 {LOST, .later = 2, .plan_rejects = true},
	 PIN_AWAY, PIN_PATH_OLD, PIN_WHY_LOST, PIN_MOVED_NOT},
	{"a weak path goes: it was no home",
	 {.may_hold = true, .later = 2},
	 PIN_NONE, 0, 0, PIN_MOVED_WEAK},

	/* A pinned path. */
	{"goes on", {PINNED, .flows = 2},
	 PIN_PATH, PIN_PATH_HOME, PIN_WHY_ROUTE, PIN_MOVED_NOT},
	{"its last flow has ended", {PINNED},
	 PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"the plan leads there again", {PINNED, .flows = 2,
					.home_is_plan = true},
	 PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"carries nothing any more",
	 {PINNED, .flows = 2, .stalled = 2},
	 PIN_NONE, 0, 0, PIN_MOVED_STALLED},
	{"carries something", {PINNED, .flows = 2, .stalled = 1},
	 PIN_PATH, PIN_PATH_HOME, PIN_WHY_ROUTE, PIN_MOVED_NOT},
	{"goes",
	 {.kind = PIN_PATH, .home_congruent = true, .may_hold = true,
	  .flows = 2},
	 PIN_HOLD, PIN_PATH_HOME, PIN_WHY_LOST, PIN_MOVED_NOT},
	{"goes, and holding is off",
	 {.kind = PIN_PATH, .home_congruent = true, .flows = 2},
	 PIN_AWAY, PIN_PATH_HOME, PIN_WHY_LOST, PIN_MOVED_LOST},
	{"goes, and was weak",
	 {.kind = PIN_PATH, .may_hold = true, .flows = 2},
	 PIN_NONE, 0, 0, PIN_MOVED_WEAK},
	{"somebody wants it gone", {PINNED, .flows = 2, .asked = true},
	 PIN_NONE, 0, 0, PIN_MOVED_ASKED},

	/* A hold. */
	{"waits", {HELD, .flows = 2},
	 PIN_HOLD, PIN_PATH_HOME, PIN_WHY_LOST, PIN_MOVED_NOT},
	{"waits for stalled flows as well: they must stall",
	 {HELD, .flows = 2, .stalled = 2},
	 PIN_HOLD, PIN_PATH_HOME, PIN_WHY_LOST, PIN_MOVED_NOT},
	{"the path returns in time, and is the plan's",
	 {HELD, .flows = 2, .home_available = true, .home_is_plan = true},
	 PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"the path returns in time, another one is better",
	 {HELD, .flows = 2, .home_available = true},
	 PIN_PATH, PIN_PATH_HOME, PIN_WHY_RETURNED, PIN_MOVED_NOT},
	{"it returns in the very moment the wait is over",
	 {HELD, .flows = 2, .home_available = true, .hold_over = true},
	 PIN_PATH, PIN_PATH_HOME, PIN_WHY_RETURNED, PIN_MOVED_NOT},
	{"the path does not return",
	 {HELD, .flows = 2, .hold_over = true},
	 PIN_AWAY, PIN_PATH_HOME, PIN_WHY_LOST, PIN_MOVED_HOLD_OVER},
	{"its flows have ended", {HELD}, PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"somebody wants it gone", {HELD, .flows = 1, .asked = true},
	 PIN_NONE, 0, 0, PIN_MOVED_ASKED},

	/* Displaced flows. */
	{"are away", {AWAY, .flows = 1, .old_is_plan = true},
	 PIN_AWAY, PIN_PATH_HOME, PIN_WHY_LOST, PIN_MOVED_NOT},
	{"have ended", {AWAY, .old_is_plan = true},
	 PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"go home with the plan",
	 {AWAY, .flows = 1, .home_available = true, .home_is_plan = true,
	  .old_available = true},
	 PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"go home, though another path is the better one",
	 {AWAY, .flows = 1, .home_available = true, .old_available = true,
	  .old_is_plan = true},
	 PIN_PATH, PIN_PATH_HOME, PIN_WHY_RETURNED, PIN_MOVED_NOT},
	{"go home, stalled as they are: here nothing comes through for them",
	 {AWAY, .flows = 1, .stalled = 1, .home_available = true,
	  .home_is_plan = true, .old_available = true},
	 PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"must not take those along that began here and are well",
	 {AWAY, .flows = 1, .later = 2, .home_available = true,
	  .home_is_plan = true, .old_available = true},
	 PIN_PATH, PIN_PATH_OLD, PIN_WHY_ROUTE, PIN_MOVED_NOT},
	{"take those along that began here and are stalled",
	 {AWAY, .flows = 1, .later = 2, .later_stalled = 2,
	  .home_available = true, .home_is_plan = true, .old_available = true},
	 PIN_NONE, 0, 0, PIN_MOVED_NOT},
	{"stay away while others are well here, and home is only second",
	 {AWAY, .flows = 1, .later = 1, .home_available = true,
	  .old_available = true, .old_is_plan = true},
	 PIN_AWAY, PIN_PATH_HOME, PIN_WHY_LOST, PIN_MOVED_NOT},
	{"are still away when the path they are on goes too",
	 {AWAY, .flows = 1, .later = 1},
	 PIN_AWAY, PIN_PATH_HOME, PIN_WHY_LOST, PIN_MOVED_WEAK},
	{"have ended, and others began on a path that another now replaces",
	 {AWAY, .later = 1, .old_available = true},
	 PIN_PATH, PIN_PATH_OLD, PIN_WHY_ROUTE, PIN_MOVED_NOT},
	{"are home: the plan has led there for a while",
	 {AWAY, .flows = 1, .later = 1, .home_available = true,
	  .home_is_plan = true, .old_available = true, .old_is_plan = true},
	 PIN_NONE, 0, 0, PIN_MOVED_NOT},
};
// clang-format on

static void pins_are_decided_by_the_facts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(decisions); i++) {
		const struct decision *it = &decisions[i];
		struct pin_answer answer = pin_decide(&it->facts);

		if (answer.kind != it->kind || answer.moved != it->moved)
			fail_msg("%s %s: %s, moved %d", kinds[it->facts.kind],
				 it->why, kinds[answer.kind], answer.moved);
		if (it->kind != PIN_NONE &&
		    (answer.path != it->path || answer.why != it->reason))
			fail_msg("%s %s: path %d, why %d",
				 kinds[it->facts.kind], it->why, answer.path,
				 answer.why);
	}
}

/* Every combination of facts: what must never be answered. */
static void no_facts_lead_astray(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 1U << 18; bits++) {
		struct pin_facts facts = {
			.kind = (enum pin_kind)(bits & 3),
			.hold_over = bits >> 2 & 1,
			.may_hold = bits >> 3 & 1,
			.first = bits >> 4 & 1,
			.longer = bits >> 5 & 1,
			.home_available = bits >> 6 & 1,
			.home_is_plan = bits >> 7 & 1,
			.home_congruent = bits >> 8 & 1,
			.old_available = bits >> 9 & 1,
			.old_is_plan = bits >> 10 & 1,
			.old_congruent = bits >> 11 & 1,
			.plan_rejects = bits >> 12 & 1,
			.flows = bits >> 13 & 1,
			.later = bits >> 14 & 1,
			.asked = bits >> 17 & 1,
		};
		struct pin_answer answer;
		bool is_home;

		facts.stalled = facts.flows && bits >> 15 & 1;
		facts.later_stalled = facts.later && bits >> 16 & 1;
		answer = pin_decide(&facts);
		is_home = answer.path == PIN_PATH_HOME;
		if (answer.kind == PIN_NONE)
			continue;
		if (facts.asked || facts.flows + facts.later == 0)
			fail_msg("%x: a pin for nobody", bits);
		if (is_home && facts.kind == PIN_NONE)
			fail_msg("%x: home of no pin", bits);
		if (answer.kind == PIN_PATH &&
		    !(is_home ? facts.home_available : facts.old_available))
			fail_msg("%x: pinned to what is not there", bits);
		if (answer.kind == PIN_HOLD && !facts.may_hold &&
		    facts.kind != PIN_HOLD)
			fail_msg("%x: held though holding is off", bits);
	}
}

/* --- the set --- */

static struct ip_addr addr(const char *text)
{
	struct ip_addr ret;

	assert_int_equal(ip_addr_parse(text, &ret), 0);
	return ret;
}

static struct pin pin_to(const char *dst, uint32_t table, enum pin_kind kind,
			 uint32_t attrs)
{
	return (struct pin){
		.dst = addr(dst),
		.table = table,
		.kind = kind,
		.attrs = attrs,
		.until_ms = kind == PIN_HOLD ? table : 0,
	};
}

/* Return: the id of the only set in the store, with a ref. */
static uint32_t store_one(struct attrset_store *attrs)
{
	struct attrset one;
	uint32_t id;

	attrset_store_init(attrs);
	attrset_init(&one, AF_INET, ATTRSET_UNICAST);
	id = attrset_intern(attrs, &one);
	attrset_done(&one);
	return id;
}

static void the_set_keeps_order_and_refs(void **state)
{
	struct attrset_store attrs;
	struct pin_set set = {0};
	struct ip_prefix prefix;
	struct ip_addr gone = addr("192.0.2.9");
	uint32_t id;

	(void)state;
	id = store_one(&attrs);
	{
		const struct pin pins[] = {
			pin_to("192.0.2.9", 7101, PIN_HOLD, id),
			pin_to("2001:db8::1", 7102, PIN_PATH, id),
			pin_to("192.0.2.9", 7100, PIN_PATH, id),
			pin_to("192.0.2.1", 7100, PIN_AWAY, id),
			pin_to("192.0.2.9", 7100, PIN_HOLD, id),
		};

		for (size_t i = 0; i < COUNT(pins); i++)
			pin_put(&set, &attrs, &pins[i]);
	}
	attrset_unref(&attrs, id);
	assert_int_equal(set.pins.n, 4);
	assert_int_equal(pin_laid(&set), 3);
	for (size_t i = 1; i < set.pins.n; i++)
		assert_true(pin_cmp(&set.pins.items[i - 1],
				    &set.pins.items[i]) < 0);
	assert_int_equal(pin_find(&set, &gone, 7100)->kind, PIN_HOLD);
	assert_null(pin_find(&set, &gone, 7102));
	assert_int_equal(pin_next_ms(&set), 7100);
	assert_int_equal(ip_prefix_parse("192.0.2.8/29", &prefix), 0);
	assert_int_equal(pin_first_in(&set, &prefix), 1);
	pin_remove(&set, &attrs, &gone, 7100);
	pin_remove(&set, &attrs, &gone, 7100);
	assert_int_equal(pin_laid(&set), 2);
	assert_true(attrset_is_live(&attrs, id));
	pin_set_done(&set, &attrs);
	assert_false(attrset_is_live(&attrs, id));
	attrset_store_done(&attrs);
}

static void many_are_merged_at_once(void **state)
{
	struct attrset_store attrs;
	struct pin_set set = {0};
	struct pin_vec news = {0};
	struct ip_addr at = addr("192.0.2.9");
	uint32_t id;

	(void)state;
	id = store_one(&attrs);
	{
		const struct pin there[] = {
			pin_to("192.0.2.1", 7100, PIN_PATH, id),
			pin_to("192.0.2.5", 7100, PIN_PATH, id),
			pin_to("192.0.2.9", 7100, PIN_HOLD, id),
		};
		const struct pin new[] = {
			pin_to("192.0.2.1", 7100, PIN_NONE, id),
			pin_to("192.0.2.4", 7100, PIN_PATH, id),
			pin_to("192.0.2.9", 7100, PIN_AWAY, id),
			pin_to("192.0.2.9", 7101, PIN_HOLD, id),
			pin_to("192.0.2.10", 7100, PIN_NONE, id),
		};

		for (size_t i = 0; i < COUNT(there); i++)
			pin_put(&set, &attrs, &there[i]);
		for (size_t i = 0; i < COUNT(new); i++) {
			if (new[i].kind != PIN_NONE)
				attrset_ref(&attrs, id);
			vec_push(&news, new[i]);
		}
	}
	pin_merge(&set, &attrs, &news);
	assert_int_equal(set.pins.n, 4);
	assert_int_equal(pin_laid(&set), 3);
	for (size_t i = 1; i < set.pins.n; i++)
		assert_true(pin_cmp(&set.pins.items[i - 1],
				    &set.pins.items[i]) < 0);
	assert_int_equal(pin_find(&set, &at, 7100)->kind, PIN_AWAY);
	assert_int_equal(pin_find(&set, &at, 7101)->kind, PIN_HOLD);
	pin_set_done(&set, &attrs);
	attrset_unref(&attrs, id);
	assert_false(attrset_is_live(&attrs, id));
	attrset_store_done(&attrs);
	vec_done(&news);
}

static void members_are_found_again(void **state)
{
	struct pin_member_vec members = {0};
	struct attrset_store attrs;
	struct pin_set set = {0};

	(void)state;
	attrset_store_init(&attrs);
	assert_false(pin_is_member(&set, 7));
	for (uint64_t cookie = 90; cookie > 10; cookie -= 10) {
		struct pin_member member = {.cookie = cookie};

		vec_push(&members, member);
	}
	pin_set_members(&set, &members);
	assert_int_equal(members.n, 0);
	assert_true(pin_is_member(&set, 20));
	assert_true(pin_is_member(&set, 90));
	assert_false(pin_is_member(&set, 10));
	assert_false(pin_is_member(&set, 25));
	pin_set_done(&set, &attrs);
	attrset_store_done(&attrs);
}

/* A subnet that goes, or has another number: all of it moves, nothing else. */
static void what_belongs_to_a_table_moves_to_another(void **state)
{
	struct pin_member_vec members = {0};
	struct pin_vec pins = {0};
	struct attrset_store attrs;
	struct pin_set set = {0};
	struct ip_addr dst = addr("192.0.2.9");
	uint32_t id;

	(void)state;
	id = store_one(&attrs);
	for (uint32_t table = 7100; table < 7103; table++) {
		struct pin pin = pin_to("192.0.2.9", table, PIN_HOLD, id);
		struct pin_member member = {table, dst, table};

		pin_put(&set, &attrs, &pin);
		pin_add_member(&set, &member);
	}
	attrset_unref(&attrs, id);
	pin_set_take(&set, 7101, &pins, &members);
	assert_int_equal(pins.n, 1);
	assert_int_equal(members.n, 1);
	assert_int_equal(set.pins.n, 2);
	assert_int_equal(pin_laid(&set), 2);
	assert_false(pin_is_member(&set, 7101));
	assert_null(pin_find(&set, &dst, 7101));
	pin_set_give(&set, &attrs, 7201, &pins, &members);
	assert_int_equal(pins.n + members.n, 0);
	assert_int_equal(pin_laid(&set), 3);
	assert_true(pin_is_member(&set, 7101));
	assert_int_equal(pin_find(&set, &dst, 7201)->kind, PIN_HOLD);
	pin_set_done(&set, &attrs);
	assert_false(attrset_is_live(&attrs, id));
	attrset_store_done(&attrs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_decided_by_the_facts),
		cmocka_unit_test(no_facts_lead_astray),
		cmocka_unit_test(the_set_keeps_order_and_refs),
		cmocka_unit_test(many_are_merged_at_once),
		cmocka_unit_test(members_are_found_again),
		cmocka_unit_test(what_belongs_to_a_table_moves_to_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
