/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_slice.h"

#include <netinet/in.h>

/* Looked at at one go, where there is little to write. */
#define SLICE_ROWS 2048

static const uint8_t families[] = {AF_INET, AF_INET6};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

/* --- what is compared as a whole --- */

/* Return: how many of the family there shall be. */
static size_t plan_rules_of(const struct engine *engine, uint8_t family,
			    struct op_vec *ops)
{
	const struct view view = engine_view(engine);
	struct rule_vec want = {0};
	struct rule_vec have = {0};
	const struct rule *rule;
	size_t n;

	vec_foreach(&engine->model.rules, rule)
		if (rule->family == family)
			vec_push(&have, *rule);
	plan_rules_build(&view, family, &want);
	diff_rules(engine->policy, &have, &want, ops);
	n = want.n;
	vec_done(&want);
	vec_done(&have);
	return n;
}

void engine_plan_rules(const struct engine *engine, struct op_vec *ops)
{
	for (size_t i = 0; i < N_FAMILIES; i++)
		(void)plan_rules_of(engine, families[i], ops);
}

/* Of a round; what they depend on has not changed if it is not wide. */
static void plan_rules(struct engine *engine)
{
	struct op_vec *ops = &engine->batch.ops;
	size_t n = ops->n;

	/* Others' may have come amid a round. */
	if (engine->rules_agree && !engine->model.changes.rules)
		return;
	engine_plan_rules(engine, ops);
	engine->rules_agree = ops->n == n;
}

void engine_plan_neighbours(const struct engine *engine, struct op_vec *ops)
{
	const struct view view = engine_view(engine);
	struct neighbour_vec want = {0};
	size_t n = ops->n;

	plan_routers_build(&view, &want);
	diff_neighbours(engine->policy, &engine->model.neighbours, &want, ops);
	for (size_t i = n; i < ops->n; i++)
		if (!neighbour_vec_has(&engine->unkept,
				       &ops->items[i].neighbour))
			ops->items[n++] = ops->items[i];
	ops->n = n;
	vec_done(&want);
}

/* Of a round; in one that is not wide they depend on routes' hops alone. */
static void plan_neighbours(struct engine *engine)
{
	struct op_vec *ops = &engine->batch.ops;
	uint64_t changes = engine->model.rib.attrs.changes;
	size_t n = ops->n;

	if (engine->neighbours_agree && engine->neighbours_changes == changes &&
	    !engine->model.changes.neighbours)
		return;
	engine_plan_neighbours(engine, ops);
	engine->neighbours_agree = ops->n == n;
	engine->neighbours_changes = changes;
}

/* --- rows --- */

static bool is_named(const struct engine *engine, uint32_t table)
{
	const struct rule *rule;

	vec_foreach(&engine->model.rules, rule)
		if (rule->table == table)
			return true;
	return false;
}

/*
 * A new default catches what no longer prefix has caught yet. Where no packet
 * looks it is early all the same: the kernel's IPv4 trie is faster with it.
 */
static bool comes_too_early(const struct engine *engine, const struct op *op)
{
	return op->kind == OP_ROUTE_PUT && op->route.insert &&
	       op->route.prefix.len == 0 &&
	       is_named(engine, op->route.route.table);
}

/* One row of many. What goes has to wait, and so has what comes too early. */
static void plan_row(struct engine *engine, const struct ip_prefix *prefix,
		     bool is_early)
{
	struct engine_batch *batch = &engine->batch;
	struct op_vec *ops = &batch->ops;
	size_t begin = ops->n;
	size_t n = begin;
	bool has_late = false;
	bool has_gone = false;

	planned_diff(&batch->planned, prefix, ops);
	for (size_t i = begin; i < ops->n; i++) {
		const struct op *op = &ops->items[i];

		if (op->kind == OP_ROUTE_DELETE && !op->route.hidden)
			has_gone = true;
		else if (is_early && comes_too_early(engine, op))
			has_late = true;
		else
			ops->items[n++] = *op;
	}
	ops->n = n;
	if (has_late)
		vec_push(&batch->late, *prefix);
	else if (has_gone)
		vec_push(&batch->gone, *prefix);
	else if (n == begin)
		rib_forget_empty(batch->planned.rib, prefix);
}

/*
 * The rule for fe80::/10 leads to main and needs no routes of ours. Each IPv6
 * rule makes the kernel walk all its IPv6 routes: before many come, not after.
 * Where something failed it takes its turn: it may be this, and others wait for
 * what comes early.
 */
static void keep_early_rules(struct op_vec *ops, size_t begin)
{
	size_t n = begin;

	for (size_t i = begin; i < ops->n; i++)
		if (ops->items[i].kind == OP_RULE_ADD &&
		    ops->items[i].rule.table == ROUTE_TABLE_MAIN)
			ops->items[n++] = ops->items[i];
	ops->n = n;
}

/*
 * Where all rules go, be it that a full tunnel is yielded to, that must not
 * wait for routes, nor for one of them that fails.
 */
static void plan_yield(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	struct op_vec *ops = &batch->ops;

	for (size_t f = 0; f < N_FAMILIES && !engine->rules_agree; f++) {
		size_t n = ops->n;

		if (plan_rules_of(engine, families[f], ops) == 0)
			continue;
		if (batch->is_small || engine->failures)
			ops->n = n;
		else
			keep_early_rules(ops, n);
	}
	batch->pass = batch->is_small ? ENGINE_ALL : ENGINE_PUTS;
}

/*
 * A row that changed meanwhile is of another round, but what is shorter comes
 * in this one, as does the rule: in a new table that would catch the packets
 * that main has led by the row itself.
 */
static void plan_changed_row(struct engine *engine,
			     const struct ip_prefix *prefix)
{
	struct engine_batch *batch = &engine->batch;
	struct op_vec *ops = &batch->ops;
	size_t n = ops->n;

	if (prefix->len == 0 || !rib_is_dirty(&engine->model.rib, prefix))
		return;
	planned_diff(&batch->planned, prefix, ops);
	for (size_t i = n; i < ops->n; i++) {
		const struct op *op = &ops->items[i];

		if (op->kind == OP_ROUTE_PUT && op->route.insert &&
		    !is_named(engine, op->route.route.table))
			ops->items[n++] = *op;
	}
	ops->n = n;
}

static void plan_small(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	const struct ip_prefix *it;

	vec_foreach(&batch->rows, it) {
		size_t before = batch->ops.n;

		if (!rib_is_due(&engine->model.rib, it)) {
			plan_changed_row(engine, it);
			continue;
		}
		planned_diff(&batch->planned, it, &batch->ops);
		if (batch->ops.n == before)
			rib_forget_empty(&engine->model.rib, it);
	}
	vec_clear(&batch->rows);
	plan_rules(engine);
	plan_neighbours(engine);
	batch->pass = ENGINE_DONE;
}

/*
 * What comes first in order, be it pins or defaults, is a slice of its own: a
 * default that changes would come last in one with new prefixes.
 */
static bool is_enough(const struct engine_batch *batch)
{
	const struct ip_prefix *next = &batch->rows.items[batch->next];

	if (batch->ops.n >= ENGINE_SLICE_OPS)
		return true;
	return batch->ops.n && batch->next && planned_is_first(next - 1) &&
	       !planned_is_first(next);
}

static void plan_puts(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	struct rib *rib = &engine->model.rib;

	for (size_t i = 0; i < SLICE_ROWS; i++) {
		const struct ip_prefix *it;

		if (batch->next == batch->rows.n) {
			vec_clear(&batch->rows);
			batch->next = 0;
			batch->pass = ENGINE_LATE;
			return;
		}
		if (is_enough(batch))
			return;
		it = &batch->rows.items[batch->next++];
		if (rib_is_due(rib, it))
			plan_row(engine, it, true);
		else
			plan_changed_row(engine, it);
	}
}

/* What goes of one row; what is to come there too is of another round. */
static void plan_gone(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	struct op_vec *ops = &batch->ops;

	while (ops->n < ENGINE_SLICE_OPS && batch->next < batch->gone.n) {
		const struct ip_prefix *it = &batch->gone.items[batch->next++];
		size_t n = ops->n;

		if (rib_is_dirty(&engine->model.rib, it))
			continue; /* it is planned again */
		planned_diff(&batch->planned, it, ops);
		for (size_t i = n; i < ops->n; i++)
			if (ops->items[i].kind == OP_ROUTE_DELETE)
				ops->items[n++] = ops->items[i];
		ops->n = n;
	}
	if (batch->next == batch->gone.n)
		batch->pass = ENGINE_NEIGHBOURS;
}

static void plan_late(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	const struct ip_prefix *it;

	vec_foreach(&batch->late, it)
		if (!rib_is_dirty(&engine->model.rib, it))
			plan_row(engine, it, false);
	vec_clear(&batch->late);
	batch->pass = ENGINE_RULES;
}

static void plan_pass(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;

	switch (batch->pass) {
	case ENGINE_ALL:
		plan_small(engine);
		break;
	case ENGINE_YIELD:
		plan_yield(engine);
		break;
	case ENGINE_PUTS:
		plan_puts(engine);
		break;
	case ENGINE_LATE:
		plan_late(engine);
		break;
	case ENGINE_RULES:
		plan_rules(engine);
		planned_order_back(&batch->gone);
		batch->pass = ENGINE_GONE;
		break;
	case ENGINE_GONE:
		plan_gone(engine);
		break;
	case ENGINE_NEIGHBOURS:
		plan_neighbours(engine);
		batch->pass = ENGINE_DONE;
		break;
	case ENGINE_DONE:
		break;
	}
}

/* --- a round that ends before its time --- */

static void end_puts(struct engine_batch *batch)
{
	batch->next = 0;
	batch->pass = ENGINE_DONE;
}

void engine_slice_give_back(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	struct rib *rib = &engine->model.rib;
	size_t gone = batch->pass == ENGINE_GONE ? batch->next : 0;
	const struct ip_prefix *it;

	if (batch->pass <= ENGINE_PUTS)
		rib_give_back(rib, &batch->rows, batch->next);
	for (; gone < batch->gone.n; gone++)
		rib_touch(rib, &batch->gone.items[gone]);
	vec_foreach(&batch->late, it)
		rib_touch(rib, it);
	end_puts(batch);
}

void engine_slice_put_off(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	size_t gone = batch->pass == ENGINE_GONE ? batch->next : 0;
	const struct ip_prefix *it;

	for (size_t i = batch->next;
	     batch->pass <= ENGINE_PUTS && i < batch->rows.n; i++)
		if (rib_is_due(&engine->model.rib, &batch->rows.items[i]))
			vec_push(&engine->undone, batch->rows.items[i]);
	for (; gone < batch->gone.n; gone++)
		vec_push(&engine->undone, batch->gone.items[gone]);
	vec_foreach(&batch->late, it)
		vec_push(&engine->undone, *it);
	end_puts(batch);
}

void engine_slice_plan(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	enum engine_pass pass;

	do {
		pass = batch->pass;
		/* What needs all of it to be there waits for the next try. */
		if (batch->failed && pass > ENGINE_PUTS)
			engine_slice_put_off(engine);
		else
			plan_pass(engine);
	} while (batch->ops.n == 0 && batch->pass != pass &&
		 batch->pass != ENGINE_DONE);
}
