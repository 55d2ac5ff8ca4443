/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One round: what is due, planned and written, a slice at a time.
 *
 * A few rows are one slice. Of many, each slice plans some rows and writes what
 * is new or changed there; when all of these are through come the rules, and
 * only then what goes, so that the order of diff_order() holds for the whole.
 */
#include <errno.h>
#include <netinet/in.h>

#include "engine/engine_advert.h"
#include "engine/engine_apply.h"
#include "engine/engine_read.h"
#include "engine/engine_slice.h"
#include "engine/engine_subnets.h"
#include "log.h"

/* A storm must neither keep us from writing nor others from being served. */
#define LISTEN_ROUNDS 2

#define WATCH_RETRY_MS 1000

static const uint8_t families[] = {AF_INET, AF_INET6};
#define N_FAMILIES (sizeof(families) / sizeof(families[0]))

/* --- what is due --- */

/*
 * What the kernel refused may be fine now that links or addresses changed, or,
 * some time later, routes.
 */
static void forget_refusals(struct engine *engine, uint64_t now_ms)
{
	struct attrset_store *attrs = &engine->model.rib.attrs;

	bool is_due = engine->refused_ms && now_ms >= engine->refused_ms;
	bool is_other = engine->model.changes.links ||
			engine->model.changes.addresses ||
			engine->policy_changed;

	if (is_other)
		vec_clear(&engine->unkept);
	if (engine->refused.n && !is_other && !is_due)
		return;
	engine->refused_ms = 0;
	if (engine->refused.n == 0)
		return;
	for (size_t i = 0; i < engine->refused.n; i++) {
		attrset_refuse(attrs, engine->refused.items[i], false);
		attrset_unref(attrs, engine->refused.items[i]);
	}
	vec_clear(&engine->refused);
	engine_touch_all(engine, AF_INET);
	engine_touch_all(engine, AF_INET6);
}

/* What was held back is looked at again once its time has come. */
static void release_repairs(struct engine *engine, uint64_t now_ms)
{
	const struct repair_entry *it;

	if (!repair_is_due(&engine->repair, now_ms))
		return;
	if (engine->repair.many_entries) {
		engine_touch_all(engine, AF_INET);
		engine_touch_all(engine, AF_INET6);
	}
	vec_foreach(&engine->repair.entries, it)
		rib_touch(&engine->model.rib, &it->prefix);
}

/* Something came that must not wait for the rest of many rows. */
static bool is_urgent(const struct engine *engine)
{
	const struct model_changes *changes = &engine->model.changes;

	if (engine->policy_changed || engine->read_rules || changes->links ||
	    changes->addresses || changes->neighbours || changes->bindings)
		return true;
	for (size_t i = 0; i < N_FAMILIES; i++) {
		struct ip_prefix all = ip_prefix_default(families[i]);

		if (rib_is_dirty(&engine->model.rib, &all))
			return true;
	}
	return false;
}

/* Valid neighbours are news only while a router is not. */
static void watch_recovery(struct engine *engine, uint64_t now_ms)
{
	const struct neighbour *it;
	bool wanted = false;

	vec_foreach(&engine->model.neighbours, it)
		wanted = wanted || it->failed;
	if (wanted == engine->watching_recovery)
		return;
	if (kernel_watch_recovery(engine->kernel, wanted) == 0)
		engine->watching_recovery = wanted;
	else
		engine->retry_ms = now_ms + WATCH_RETRY_MS;
	/* One may have become valid before the filter let it through. */
	if (wanted)
		engine_read_neighbours(engine, now_ms);
}

/* Which of them are usable: of new ones it may have been said before. */
static void look_at_routers(struct engine *engine, uint64_t now_ms,
			    bool is_wide)
{
	uint64_t changes = engine->model.rib.attrs.changes;

	if (is_wide || changes != engine->others_changes)
		engine_watch_routers(engine, now_ms);
	engine->others_changes = changes;
	watch_recovery(engine, now_ms);
}

/*
 * All that decides about a plan, and which rows are to be planned. Return: for
 * batch.is_wide.
 */
static bool prepare(struct engine *engine, uint64_t now_ms,
		    struct planned *planned)
{
	struct view view;
	bool is_wide;

	forget_refusals(engine, now_ms);
	is_wide = engine_update_subnets(engine);
	release_repairs(engine, now_ms);
	is_wide |= is_urgent(engine) || engine->model.changes.rules;
	look_at_routers(engine, now_ms, is_wide);
	is_wide |= engine->model.changes.neighbours;
	engine_pins_due(engine, now_ms);
	view = engine_view(engine);
	planned_begin(planned, &view, &engine->model.rib);
	pin_touch(&engine->model, &engine->pins.set);
	engine_pins_decide(engine, now_ms, planned);
	return is_wide;
}

/* --- ops --- */

/* What somebody keeps deleting is put back later; all else goes on. */
static void hold_back(const struct repair *repair, uint64_t now_ms,
		      struct op_vec *ops)
{
	size_t n = 0;

	if (now_ms >= repair->hold_ms)
		return;
	for (size_t i = 0; i < ops->n; i++)
		if (!repair_holds(repair, &ops->items[i], now_ms))
			ops->items[n++] = ops->items[i];
	ops->n = n;
}

void engine_plan(struct engine *engine, uint64_t now_ms, struct op_vec *ops,
		 struct planned *planned)
{
	const struct ip_prefix *it;

	(void)prepare(engine, now_ms, planned);
	vec_foreach(&engine->model.rib.dirty, it)
		planned_diff(planned, it, ops);
	engine_plan_rules(engine, ops);
	engine_plan_neighbours(engine, ops);
	hold_back(&engine->repair, now_ms, ops);
}

/* --- one reconcile --- */

static void log_run(const struct engine *engine, size_t n_ops, uint64_t now_ms)
{
	size_t managed = 0;
	const struct subnet *it;

	vec_foreach(&engine->subnets.subnets, it)
		managed += it->managed;
	log_limited(LOG_KIND_PLAN, now_ms, LOG_INFO,
		    "plan %llu: subnets=%zu prefixes=%zu ops=%zu",
		    (unsigned long long)engine->counters.runs, managed,
		    rib_count(&engine->model.rib, AF_INET) +
			    rib_count(&engine->model.rib, AF_INET6),
		    n_ops);
}

/* In every round: a rule must not come while its table lacks some of its
 * routes. */
static void release_undone(struct engine *engine)
{
	const struct ip_prefix *it;

	engine->retry_ms = 0;
	vec_foreach(&engine->undone, it)
		rib_touch(&engine->model.rib, it);
	vec_clear(&engine->undone);
}

/* Whether all of it goes into one slice. */
static bool is_small(const struct engine *engine, size_t rows)
{
	const struct subnet *it;
	size_t tables = 1;

	vec_foreach(&engine->subnets.subnets, it)
		tables += it->managed;
	return rows * tables <= ENGINE_SLICE_OPS;
}

static void call_before_write(const struct engine *engine)
{
	if (engine->before_write.call)
		engine->before_write.call(engine, engine->before_write.data);
}

static void begin_batch(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;

	batch->is_wide = prepare(engine, now_ms, &batch->planned);
	engine->counters.wide += batch->is_wide;
	engine->rules_agree &= !batch->is_wide;
	engine->neighbours_agree &= !batch->is_wide;
	rib_take(&engine->model.rib, &batch->rows);
	engine->counters.rows += batch->rows.n;
	engine->policy_changed = false;
	memset(&engine->model.changes, 0, sizeof(engine->model.changes));
	batch->is_repair = repair_is_due(&engine->repair, now_ms);
	batch->noted = engine->repair.noted;
	batch->attr_changes = engine->model.rib.attrs.changes;
	batch->is_small = is_small(engine, batch->rows.n);
	if (!batch->is_small)
		planned_order(&batch->rows);
	batch->pass = ENGINE_YIELD;
	batch->active = true;
	batch->is_bad = batch->retry =
		engine->lacks_table || engine->read_neighbours;
	call_before_write(engine);
}

static int begin_round(struct engine *engine, uint64_t now_ms)
{
	engine->counters.rounds++;
	for (int i = 0; i < LISTEN_ROUNDS && engine_listen(engine, now_ms); i++)
		;
	release_undone(engine);
	engine_advert_due(engine, now_ms);
	if (engine_read_pending(engine, now_ms) < 0) {
		engine_retry_later(engine, now_ms);
		return -EAGAIN;
	}
	model_settle(&engine->model, now_ms);
	model_expire_bindings(&engine->model, now_ms);
	begin_batch(engine, now_ms);
	return 0;
}

static int finish_round(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;
	uint64_t attr_changes = batch->attr_changes;
	size_t written = batch->written;
	int error = batch->error;

	if (!batch->is_bad)
		engine->failures = 0;
	else if (batch->retry || engine->read_all)
		engine_retry_later(engine, now_ms);
	if (batch->written) {
		engine->counters.runs++;
		log_run(engine, batch->written, now_ms);
		engine_prune_tables(engine);
	}
	/* What was noted meanwhile, or held back, was not put back yet. */
	if (batch->is_repair && !batch->failed &&
	    repair_finish(&engine->repair, now_ms,
			  batch->noted == engine->repair.noted))
		engine->counters.repairs++;
	engine_drop_batch(engine);
	/* Routers or a table that only went with these ops: look once more. */
	if (written && (attr_changes != engine->model.rib.attrs.changes ||
			engine_can_give_table(engine)))
		engine->model.changes.neighbours = true;
	return error;
}

/* Without its entry, a router that failed counts as usable again. */
static void touch_released(struct engine *engine)
{
	const struct engine_batch *batch = &engine->batch;

	for (size_t i = 0; i < batch->result.begun; i++) {
		const struct op *op = &batch->ops.items[i];

		if (op->kind == OP_NEIGHBOUR_DELETE && op->neighbour.failed)
			model_touch_gateway(&engine->model,
					    op->neighbour.ifindex,
					    &op->neighbour.addr);
	}
}

static bool has_rule_op(const struct op_vec *ops)
{
	const struct op *op;

	vec_foreach(ops, op)
		if (op->kind == OP_RULE_ADD || op->kind == OP_RULE_DELETE)
			return true;
	return false;
}

/* What waits for rules looks again, whatever led to the round. */
static void note_rules(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;

	if (batch->is_wide || !has_rule_op(&batch->ops))
		return;
	batch->is_wide = true;
	engine->counters.wide++;
	call_before_write(engine);
}

static void begin_slice(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;

	batch->result = (struct engine_result){.now_ms = now_ms};
	hold_back(&engine->repair, now_ms, &batch->ops);
	note_rules(engine);
	diff_order(&batch->ops, batch->result.end);
	batch->slice = SLICE_OPEN;
}

/* What of it was not begun is planned again. */
static void end_slice(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;
	const struct view view = engine_view(engine);
	size_t refused = engine->refused.n;

	batch->slice = SLICE_NONE;
	touch_released(engine);
	engine_redo(engine, now_ms);
	vec_clear(&batch->ops);
	engine_result_done(&batch->result);
	/* Other attributes will do for these now. */
	if (engine->refused.n != refused) {
		planned_done(&batch->planned);
		planned_begin(&batch->planned, &view, &engine->model.rib);
	}
}

static bool is_turn_over(const struct engine *engine)
{
	return engine->turn.is_over && engine->turn.is_over(engine->turn.data);
}

/* All of it, or what there is time for. */
static void write_slice(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;
	bool is_over = false;

	if (batch->slice == SLICE_NONE)
		begin_slice(engine, now_ms);
	while (batch->slice == SLICE_OPEN && !is_over) {
		if (engine_send(engine))
			return;
		if (!engine_apply(engine, &batch->ops, &batch->result))
			batch->slice = SLICE_WRITTEN;
		is_over = is_turn_over(engine);
	}
	if (batch->slice == SLICE_WRITTEN)
		end_slice(engine, now_ms);
}

/* Something does not wait for the rest of it. */
static void cut_short(struct engine *engine, uint64_t now_ms)
{
	if (engine->batch.slice != SLICE_NONE)
		end_slice(engine, now_ms);
	engine_slice_give_back(engine);
	(void)finish_round(engine, now_ms);
}

bool engine_is_busy(const struct engine *engine)
{
	return engine->batch.active;
}

int engine_run(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;

	engine_catch_up(engine);
	/* What was lost may be urgent as well. */
	if (batch->active &&
	    (is_urgent(engine) || engine_resync_is_due(engine, now_ms)))
		cut_short(engine, now_ms);
	if (!batch->active && begin_round(engine, now_ms))
		return 0;
	if (batch->slice == SLICE_NONE)
		engine_slice_plan(engine);
	if (batch->ops.n)
		write_slice(engine, now_ms);
	if (batch->slice != SLICE_NONE)
		return 0;
	if (batch->is_stopped)
		engine_slice_put_off(engine);
	return batch->pass == ENGINE_DONE ? finish_round(engine, now_ms) : 0;
}
