/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A path manager and a kernel that does what it likes, at random: links come
 * and go, commands fail, subflows end, peers announce. Whatever happens, a few
 * things must hold, and when all is well again nothing more is to be done.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/dice.h"
#include "tests/unit/manager_story.h"

enum {
	WALKS = 200,
	STEPS = 300,
	TOKENS = 3,
	LINKS = 3,
	PEERS = 4,
	SUBFLOWS = 4, /* of the config */
};

static uint64_t seed;

static const char *const peers[PEERS] = {"203.0.113.9", "198.51.100.9",
					 "192.0.2.9", "2001:db8:b::9"};

/* A number that an address once had. */
struct given {
	uint32_t token;
	struct ip_addr addr;
	uint8_t id;
};

VEC(given_vec, struct given);

struct walk {
	struct story story;
	struct dice dice;
	struct given_vec given;
	bool begun[TOKENS + 1];
	bool down[LINKS];
	bool is_calm; /* all commands are carried out */
	uint16_t next_port;
};

#define HOST                                                                   \
	"link 2 l0 up\nlink 3 l1 up\nlink 4 l2 up\n"                           \
	"addr 10.0.0.2/24 dev l0\naddr 10.1.0.2/24 dev l1\n"                   \
	"addr 10.2.0.2/24 dev l2\naddr 2001:db8:1::2/64 dev l1\n"              \
	"route 0.0.0.0/0 via 10.0.0.1 dev l0 metric 100\n"                     \
	"route 0.0.0.0/0 via 10.1.0.1 dev l1 metric 200\n"                     \
	"route 0.0.0.0/0 via 10.2.0.1 dev l2 metric 300\n"                     \
	"route 192.0.2.0/24 via 10.2.0.1 dev l2\n"                             \
	"route ::/0 via 2001:db8:1::1 dev l1 metric 100\n"

static uint32_t roll(struct walk *walk, uint32_t sides)
{
	return dice_roll(&walk->dice, sides);
}

/* --- what must hold --- */

static bool is_same_way(const struct managed_subflow *a,
			const struct managed_subflow *b)
{
	return ip_addr_equal(&a->ends.src, &b->ends.src) &&
	       ip_addr_equal(&a->ends.dst, &b->ends.dst);
}

static void check_connection(const struct managed_connection *connection)
{
	const struct managed_subflow_vec *subflows = &connection->subflows;
	const struct numbered_address_vec *own = &connection->own;
	size_t i;
	size_t j;

	assert_true(subflows->n <= SUBFLOWS + 1);
	for (i = 0; i < subflows->n; i++)
		for (j = 0; j < i; j++)
			assert_false(is_same_way(&subflows->items[i],
						 &subflows->items[j]));
	for (i = 0; i < own->n; i++)
		for (j = 0; j < i; j++)
			assert_true(own->items[i].id != own->items[j].id &&
				    !ip_addr_equal(&own->items[i].addr,
						   &own->items[j].addr));
}

static void check_number(struct walk *walk, const struct manager_action *action)
{
	const struct given given = {action->token, action->ends.src,
				    action->id_local};
	const struct given *it;

	vec_foreach(&walk->given, it) {
		if (it->token != given.token)
			continue;
		assert_true(ip_addr_equal(&it->addr, &given.addr) ==
			    (it->id == given.id));
		if (it->id == given.id)
			return;
	}
	vec_push(&walk->given, given);
}

static void check_action(struct walk *walk, const struct manager_action *action)
{
	const struct managed_connection *connection =
		manager_find(&walk->story.manager, action->token);

	assert_non_null(connection);
	assert_true(connection->ready && !connection->ignored);
	assert_false(action->what == MANAGER_OPEN && connection->passive);
	check_number(walk, action);
}

/* --- the kernel --- */

static struct managed_connection *any_connection(struct walk *walk)
{
	return manager_find(&walk->story.manager, 1 + roll(walk, TOKENS));
}

static void tell_subflow(struct walk *walk, uint32_t token,
			 const struct managed_subflow *subflow,
			 enum mptcp_event_kind kind)
{
	struct mptcp_event event = {
		.kind = kind,
		.token = token,
		.ends = subflow->ends,
		.id_local = subflow->id_local,
		.error = (uint8_t)(roll(walk, 2) ? ECONNREFUSED : 0),
	};

	if (!event.ends.sport)
		event.ends.sport = walk->next_port++;
	manager_hear(&walk->story.manager, &event, walk->story.now_ms);
}

/* One subflow goes on, by itself or because it was told to. */
static void settle_subflow(struct walk *walk,
			   struct managed_connection *connection, size_t at)
{
	const struct managed_subflow subflow = connection->subflows.items[at];

	if (subflow.opening && (walk->is_calm || roll(walk, 3)))
		tell_subflow(walk, connection->token, &subflow,
			     MPTCP_SUBFLOW_OPENED);
	else if (subflow.opening || subflow.closing ||
		 (!walk->is_calm && !roll(walk, 4)))
		tell_subflow(walk, connection->token, &subflow,
			     MPTCP_SUBFLOW_CLOSED);
}

static void settle(struct walk *walk)
{
	struct managed_connection *connection = any_connection(walk);

	if (connection && connection->subflows.n)
		settle_subflow(walk, connection,
			       roll(walk, (uint32_t)connection->subflows.n));
}

static void settle_all(struct walk *walk)
{
	struct managed_connection *it;

	vec_foreach(&walk->story.manager.connections, it)
		for (size_t i = it->subflows.n; i-- > 0;)
			settle_subflow(walk, it, i);
}

/* 0, or what a command may answer; EINVAL of some that never obey. */
static int answer(struct walk *walk, const struct manager_action *action)
{
	static const int errors[] = {-EHOSTUNREACH, -EADDRNOTAVAIL, -EPERM,
				     -ESRCH, -ENOMEM};

	if (action->token == TOKENS)
		return -EINVAL;
	if (walk->is_calm || roll(walk, 3))
		return 0;
	/* Of one that is to be closed only ESRCH would say that it is gone. */
	return errors[roll(walk, 5)];
}

static size_t plan(struct walk *walk)
{
	const struct view view = scene_view(&walk->story.scene);
	struct manager_action_vec actions = {0};
	struct managed_connection *connection;
	const struct manager_action *it;
	size_t n;

	manager_plan(&walk->story.manager, &view, walk->story.now_ms, &actions);
	vec_foreach(&actions, it)
		check_action(walk, it);
	vec_foreach(&actions, it)
		manager_done(&walk->story.manager, it, answer(walk, it),
			     walk->story.now_ms);
	vec_foreach(&walk->story.manager.connections, connection)
		check_connection(connection);
	n = actions.n;
	vec_done(&actions);
	return n;
}

/* --- steps --- */

static void begin(struct walk *walk)
{
	uint32_t token = 1 + roll(walk, TOKENS);
	uint32_t link = roll(walk, LINKS);
	char rest[64];
	char line[96];

	if (walk->begun[token])
		return;
	walk->begun[token] = true;
	(void)snprintf(rest, sizeof(rest), "%u 10.%u.0.2 %s%s", token, link,
		       peers[roll(walk, 3)], roll(walk, 3) ? "" : " passive");
	(void)snprintf(line, sizeof(line), "opened %s", rest);
	story_tell(&walk->story, line);
	(void)snprintf(line, sizeof(line), "ready %s", rest);
	if (roll(walk, 4))
		story_tell(&walk->story, line);
}

static void end(struct walk *walk)
{
	struct managed_connection *connection = any_connection(walk);
	size_t kept = 0;
	struct given *it;
	uint32_t token;
	char line[32];

	if (!connection || roll(walk, 8))
		return;
	token = connection->token;
	(void)snprintf(line, sizeof(line), "ended %u", token);
	story_tell(&walk->story, line);
	walk->begun[token] = false;
	vec_foreach(&walk->given, it)
		if (it->token != token)
			walk->given.items[kept++] = *it;
	walk->given.n = kept;
}

static void announce(struct walk *walk)
{
	char line[96];

	if (roll(walk, 3))
		(void)snprintf(line, sizeof(line), "announced %u %u %s",
			       1 + roll(walk, TOKENS), 1 + roll(walk, 5),
			       peers[roll(walk, PEERS)]);
	else
		(void)snprintf(line, sizeof(line), "withdrew %u %u",
			       1 + roll(walk, TOKENS), roll(walk, 6));
	story_tell(&walk->story, line);
}

static void set_link(struct walk *walk, uint32_t link, bool down)
{
	char line[64];

	walk->down[link] = down;
	(void)snprintf(line, sizeof(line), "link %u l%u up%s", link + 2, link,
		       down ? " no-carrier" : "");
	story_tell(&walk->story, line);
}

static void flip_link(struct walk *walk)
{
	uint32_t link = roll(walk, LINKS);

	set_link(walk, link, !walk->down[link]);
}

static void wait(struct walk *walk)
{
	uint64_t next = manager_next(&walk->story.manager);

	if (next > walk->story.now_ms && roll(walk, 2))
		walk->story.now_ms = next;
	else
		walk->story.now_ms += roll(walk, 3000);
}

static void step(struct walk *walk)
{
	static void (*const steps[])(struct walk * walk) = {
		begin,	   settle, settle,   settle, settle, wait,
		flip_link, wait,   announce, end,    begin,
	};

	steps[roll(walk, sizeof(steps) / sizeof(steps[0]))](walk);
	(void)plan(walk);
}

/* Everything up, every command carried out: it comes to rest. */
static void calm_down(struct walk *walk)
{
	size_t rounds = 0;

	walk->is_calm = true;
	for (uint32_t link = 0; link < LINKS; link++)
		set_link(walk, link, false);
	while (rounds++ < 200) {
		size_t n = plan(walk);

		settle_all(walk);
		if (manager_next(&walk->story.manager) > walk->story.now_ms)
			walk->story.now_ms = manager_next(&walk->story.manager);
		else if (!n && !plan(walk))
			break;
	}
	assert_true(rounds < 200);
	assert_int_equal(manager_next(&walk->story.manager), 0);
	manager_touch(&walk->story.manager);
	assert_int_equal(plan(walk), 0);
}

static void walks_keep_their_promises(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < WALKS; i++) {
		struct walk walk = {
			.dice = {seed + i},
			.next_port = 2000,
		};

		story_begin(&walk.story, HOST);
		walk.story.scene.policy.mptcp.subflows = SUBFLOWS;
		walk.story.scene.policy.mptcp.announce = roll(&walk, 2);
		for (int at = 0; at < STEPS; at++)
			step(&walk);
		calm_down(&walk);
		vec_done(&walk.given);
		story_end(&walk.story);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_keep_their_promises),
	};

	seed = dice_seed(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
