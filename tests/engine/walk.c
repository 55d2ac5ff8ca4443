/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/engine/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void walk_mark(const struct engine *engine, void *data)
{
	struct walk *walk = data;

	if (engine->batch.is_wide)
		manager_touch(&walk->manager);
	else
		manager_touch_rows(&walk->manager, &engine->batch.rows);
}

static void answer(struct walk *walk, const struct manager_action *action)
{
	struct mptcp_event event = {
		.token = action->token,
		.ends = action->ends,
		.id_local = action->id_local,
		.backup = action->backup,
	};

	manager_done(&walk->manager, action, 0, walk->world->now_ms);
	if (action->what == MANAGER_OPEN)
		event.kind = MPTCP_SUBFLOW_OPENED;
	else if (action->what == MANAGER_CLOSE)
		event.kind = MPTCP_SUBFLOW_CLOSED;
	else
		return;
	if (!event.ends.sport)
		event.ends.sport = 1000 + action->id_local;
	manager_hear(&walk->manager, &event, walk->world->now_ms);
}

size_t walk_act(struct walk *walk, bool print)
{
	const struct view view = engine_view(&walk->world->engine);
	struct manager_action_vec actions = {0};
	const struct manager_action *it;
	char src[IP_TEXT_MAX];
	char dst[IP_TEXT_MAX] = "";
	size_t n;

	manager_plan(&walk->manager, &view, walk->world->now_ms, &actions);
	vec_foreach(&actions, it) {
		if (print || walk->talk) {
			if (ip_addr_is_set(&it->ends.dst))
				ip_addr_format(&it->ends.dst, dst);
			print_error("  mptcp %u: %d %s > %s: %s\n", it->token,
				    it->what,
				    ip_addr_format(&it->ends.src, src), dst,
				    it->why);
		}
		answer(walk, it);
	}
	n = actions.n;
	vec_done(&actions);
	return n;
}

static void offer(struct walk *walk)
{
	const struct view view = engine_view(&walk->world->engine);
	struct endpoint_vec before = walk->offered;

	walk->looked = walk->world->engine.counters.wide;
	walk->offered = (struct endpoint_vec){0};
	endpoint_build(&view, &before, &walk->offered);
	vec_done(&before);
}

/* As the loop does it: on_prepare(). */
static void run(struct walk *walk)
{
	struct engine *engine = &walk->world->engine;

	world_run(walk->world);
	if (engine_is_pending(engine, walk->world->now_ms) ||
	    engine->read_failed)
		return;
	if (walk->looked != engine->counters.wide)
		offer(walk);
	for (int i = 0; i < 20 && walk_act(walk, false); i++)
		;
}

void walk_pass(struct walk *walk, uint64_t ms)
{
	struct world *world = walk->world;
	uint64_t until_ms = world->now_ms + ms;

	run(walk);
	for (;;) {
		uint64_t next = engine_next(&world->engine);
		uint64_t also = manager_next(&walk->manager);

		if (also && !world->engine.read_failed &&
		    (!next || also < next))
			next = also;
		if (!next || next > until_ms)
			break;
		world->now_ms = next > world->now_ms ? next : world->now_ms + 1;
		run(walk);
	}
	if (world->now_ms < until_ms)
		world->now_ms = until_ms;
	run(walk);
}
