/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "round/round.h"

#include <stdio.h>

/* What goes on for longer without a pause is told as several changes. */
#define CHANGE_SPAN_MS 5000

/* --- what the engine reports --- */

/* In a storm of routes, the others' defaults do not change. */
static bool may_change_outlook(const struct kernel_event *event)
{
	return event->kind != KERNEL_ROUTE || event->route.prefix.len == 0;
}

static void on_heard(const struct engine *engine,
		     const struct kernel_event *event, void *data)
{
	struct round *round = data;
	char text[HEARD_TEXT_MAX];

	round->n_heard++;
	if (change_heard(&round->change, engine, event))
		round->look_again |= may_change_outlook(event);
	if (!round->is_listening)
		return;
	if (lines_is_full(&round->heard))
		lines_add(&round->heard, NULL);
	else
		lines_add(&round->heard, heard_line(engine, event, text));
}

/* A default route of ours, or a rule, says how a subnet fares. */
static bool is_telling(const struct op *op)
{
	if (op->kind == OP_ROUTE_PUT || op->kind == OP_ROUTE_DELETE)
		return op->route.prefix.len == 0;
	return op->kind == OP_RULE_ADD || op->kind == OP_RULE_DELETE;
}

static void on_wrote(const struct engine *engine, const struct op *op,
		     void *data)
{
	struct round *round = data;
	char text[OP_TEXT_MAX];

	round->n_wrote++;
	round->change.ops[op->kind]++;
	round->look_again |= is_telling(op);
	if (!round->is_listening)
		return;
	if (lines_is_full(&round->wrote))
		lines_add(&round->wrote, NULL);
	else
		lines_add(&round->wrote, op_format(op, &engine->model.rib.attrs,
						   &engine->model.links, text));
}

static void on_failed(const struct engine *engine, const struct op *op,
		      const struct kernel_failure *failure, void *data)
{
	struct round *round = data;
	char op_text[OP_TEXT_MAX];
	char text[OP_TEXT_MAX + 192];

	round->n_failed++;
	round->change.failed++;
	round->look_again |= is_telling(op);
	if (!round->is_listening || lines_is_full(&round->failed))
		return;
	(void)snprintf(text, sizeof(text), "%s: %s%s%s",
		       op_format(op, &engine->model.rib.attrs,
				 &engine->model.links, op_text),
		       strerror(-failure->error), failure->why[0] ? ", " : "",
		       failure->why);
	lines_add(&round->failed, text);
}

static void on_subnets(const struct engine *engine,
		       const struct subnet_set *before, void *data)
{
	struct round *round = data;

	(void)engine;
	(void)before;
	round->look_again = true;
}

/* --- begin --- */

static void clear(struct round *round)
{
	round->n_heard = 0;
	round->n_wrote = 0;
	round->n_failed = 0;
	round->is_config = false;
	lines_clear(&round->heard);
	lines_clear(&round->planned);
	lines_clear(&round->wrote);
	lines_clear(&round->failed);
}

void round_init(struct round *round, struct engine *engine, uint64_t now_us)
{
	memset(round, 0, sizeof(*round));
	round->woke_us = now_us;
	change_led(&round->change, "the daemon started");
	engine->observer = (struct engine_observer){
		.heard = on_heard,
		.wrote = on_wrote,
		.failed = on_failed,
		.subnets = on_subnets,
		.data = round,
	};
}

void round_done(struct round *round)
{
	lines_done(&round->heard);
	lines_done(&round->planned);
	lines_done(&round->wrote);
	lines_done(&round->failed);
	outlook_done(&round->outlook);
}

void round_begin(struct round *round, uint64_t now_us)
{
	clear(round);
	round->woke_us = now_us;
}

void round_led(struct round *round, const char *why)
{
	round->is_config = true;
	change_led(&round->change, why);
}

/* --- end --- */

static void on_note(const struct outlook_note *note, void *data)
{
	struct round *round = data;
	char text[sizeof(*note) + 16];

	change_note(&round->change, note);
	if (lines_is_full(&round->planned))
		return;
	(void)snprintf(text, sizeof(text), "%s: %s%s%s%s", note->subject,
		       note->is, note->was[0] ? " (was " : "", note->was,
		       note->was[0] ? ")" : "");
	lines_add(&round->planned, text);
}

static enum round_cause cause_of(const struct round *round)
{
	if (!round->is_started)
		return ROUND_START;
	if (round->is_config)
		return ROUND_CONFIG;
	return round->n_heard ? ROUND_KERNEL : ROUND_TIMER;
}

/* Steady: whatever comes next is another story. */
static void end_change(struct round *round, const struct engine *engine,
		       uint64_t now_ms)
{
	struct change *change = &round->change;

	if (!change->since_ms)
		return;
	if (round->n_wrote) {
		change->at_ms = now_ms;
		change_copy(&round->last, change);
	}
	if (engine_is_steady(engine, now_ms) ||
	    now_ms - change->since_ms > CHANGE_SPAN_MS)
		change_clear(change);
}

bool round_end(struct round *round, const struct engine *engine,
	       uint64_t now_us)
{
	uint64_t rows = engine->counters.rows;
	bool something;

	/* By the clock: what expired does not say. */
	if (round->look_again || (round->n_heard == 0 && rows != round->rows))
		outlook_update(&round->outlook, engine, on_note, round);
	round->look_again = false;
	round->cause = cause_of(round);
	round->is_started = true;
	round->prefixes = rows - round->rows;
	round->rows = rows;
	round->took_us = now_us - round->woke_us;
	something = round->n_heard || round->n_wrote || round->n_failed ||
		    round->planned.kept.n || round->prefixes;
	if (round->n_heard && round->n_wrote)
		histogram_add(&round->event_to_kernel, round->took_us);
	if (!round->change.since_ms && (something || round->is_config))
		round->change.since_ms = now_us / 1000;
	end_change(round, engine, now_us / 1000);
	return something;
}
