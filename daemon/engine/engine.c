/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "engine/engine_advert.h"
#include "engine/engine_apply.h"
#include "engine/engine_read.h"
#include "log.h"

void engine_init(struct engine *engine, struct kernel *kernel,
		 const struct policy *policy)
{
	memset(engine, 0, sizeof(*engine));
	engine->kernel = kernel;
	engine->policy = policy;
	model_init(&engine->model);
	engine->read_all = true;
}

void engine_done(struct engine *engine)
{
	vec_done(&engine->tables);
	vec_done(&engine->rereads);
	vec_done(&engine->routers);
	vec_done(&engine->later);
	vec_done(&engine->undone);
	vec_done(&engine->refused);
	engine_drop_batch(engine);
	engine_pins_done(engine);
	repair_done(&engine->repair);
	subnet_set_done(&engine->subnets);
	model_done(&engine->model);
}

void engine_set_policy(struct engine *engine, const struct policy *policy)
{
	engine->policy = policy;
	engine->policy_changed = true;
	/* Other tables may concern us now. */
	engine->read_all = true;
}

struct view engine_view(const struct engine *engine)
{
	return (struct view){&engine->model, engine->policy, &engine->subnets,
			     &engine->pins.set};
}

uint64_t engine_ops_written(const struct engine *engine)
{
	uint64_t n = 0;

	for (size_t kind = 0; kind < OP_KINDS; kind++)
		n += engine->counters.ops[kind];
	return n;
}

/* Written at one go: some milliseconds, for others to get a turn. */
#define SLICE_OPS 1024

/* Enough to empty the socket; a storm must not keep us from writing. */
#define LISTEN_ROUNDS 16

/* --- what is due --- */

bool engine_is_pending(const struct engine *engine, uint64_t now_ms)
{
	const struct model *model = &engine->model;
	uint64_t next = engine_next(engine);

	if (engine->batch.active || (next && next <= now_ms))
		return true;
	if (engine->read_failed)
		return false; /* not before retry_ms */
	return engine->read_all || engine->read_rules || engine->rereads.n ||
	       engine->policy_changed || model->changes.links ||
	       model->changes.addresses || model->changes.rules ||
	       model->changes.neighbours || model->changes.bindings ||
	       model->rib.dirty.n;
}

uint64_t engine_next(const struct engine *engine)
{
	uint64_t next = model_next_deadline(&engine->model);
	uint64_t repair = repair_next(&engine->repair);
	uint64_t pins = engine_pins_next(engine);

	if (pins && (!next || pins < next))
		next = pins;
	if (engine->later_ms && (!next || engine->later_ms < next))
		next = engine->later_ms;
	/* While something fails, repairs wait for the next try too. */
	if (engine->retry_ms)
		repair = engine->retry_ms;
	if (repair && (!next || repair < next))
		next = repair;
	return next;
}

bool engine_is_steady(const struct engine *engine, uint64_t now_ms)
{
	return !engine->retry_ms && !engine->later_ms &&
	       engine->model.leaving.n == 0 &&
	       repair_next(&engine->repair) == 0 &&
	       !engine_is_pending(engine, now_ms);
}

/* --- subnets and their tables --- */

static void touch_all(struct engine *engine, uint8_t family)
{
	struct ip_prefix all = ip_prefix_default(family);
	struct prefix_vec prefixes = {0};
	const struct ip_prefix *it;
	struct ip_prefix prefix;
	struct trie_walk walk;
	uint32_t at;

	trie_walk_start(&walk, rib_trie(&engine->model.rib, family), &all);
	while (trie_walk_next(&walk, &prefix, &at))
		vec_push(&prefixes, prefix);
	vec_foreach(&prefixes, it)
		rib_touch(&engine->model.rib, it);
	/* A strong table's last resort needs no route of main. */
	rib_touch(&engine->model.rib, &all);
	vec_done(&prefixes);
}

static void log_subnets(const struct engine *engine,
			const struct subnet_set *before)
{
	const struct subnet *it;

	vec_foreach(&engine->subnets.subnets, it) {
		const struct subnet *old =
			subnet_find(before, &it->prefix, it->ifindex);
		const struct link *link =
			model_link(&engine->model, it->ifindex);
		char text[IP_TEXT_MAX];

		if (it->managed && it->table &&
		    (!old || old->table != it->table))
			log_notice("subnet %s link=%s: managed, table=%u",
				   ip_prefix_format(&it->prefix, text),
				   link ? link->name : "?", it->table);
	}
	vec_foreach(&before->subnets, it) {
		const struct subnet *now =
			subnet_find(&engine->subnets, &it->prefix, it->ifindex);
		char text[IP_TEXT_MAX];

		if (it->managed && (!now || !now->managed))
			log_notice("subnet %s: no longer managed, table %u "
				   "is given up",
				   ip_prefix_format(&it->prefix, text),
				   it->table);
	}
}

static bool is_given(const struct engine *engine, uint32_t table)
{
	const struct subnet *it;

	vec_foreach(&engine->subnets.subnets, it)
		if (it->table == table)
			return true;
	return false;
}

/* Tables that are nobody's any more and empty need not be read again. */
static void prune_tables(struct engine *engine)
{
	for (size_t i = engine->tables.n; i-- > 0;) {
		uint32_t table = engine->tables.items[i];

		if (!is_given(engine, table) &&
		    !subnet_table_is_taken(&engine->subnets, &engine->model,
					   table))
			vec_remove(&engine->tables, i);
	}
}

/* A number that nobody else's routes or rules use; 0: there is none left. */
static uint32_t free_table(struct engine *engine)
{
	uint32_t table = engine->policy->table_first;

	for (;; table++) {
		if (!subnet_table_is_taken(&engine->subnets, &engine->model,
					   table) &&
		    engine_read_table(engine, table) == 0 &&
		    !subnet_table_is_taken(&engine->subnets, &engine->model,
					   table))
			return table;
		if (table == engine->policy->table_last)
			return 0;
	}
}

static void give_tables(struct engine *engine)
{
	struct subnet *it;

	vec_foreach(&engine->subnets.subnets, it) {
		char text[IP_TEXT_MAX];

		if (!it->managed || it->table)
			continue;
		it->table = free_table(engine);
		if (it->table)
			engine_pins_managed(engine, it);
		else
			log_err("subnet %s: no table number is free in "
				"%u-%u; it is not managed",
				ip_prefix_format(&it->prefix, text),
				engine->policy->table_first,
				engine->policy->table_last);
	}
}

/* A row that changed can make a subnet an uplink: then look at all of them. */
static bool subnets_may_change(const struct engine *engine)
{
	const struct model_changes *changes = &engine->model.changes;
	const struct view view = engine_view(engine);
	const struct subnet *it;

	if (changes->links || changes->addresses || changes->bindings ||
	    engine->policy_changed)
		return true;
	if (engine->model.rib.dirty.n == 0)
		return false;
	vec_foreach(&engine->subnets.subnets, it)
		if (!it->uplink && subnet_is_uplink(&view, it))
			return true;
	return false;
}

/* Bindings and metric_add go by a link's name, and a name is new or gone. */
static bool names_matter(const struct engine *engine)
{
	return engine->model.changes.names &&
	       (engine->policy->bindings.n || engine->policy->interfaces.n);
}

static void build_subnets(struct engine *engine,
			  const struct subnet_set *before)
{
	memset(&engine->subnets, 0, sizeof(engine->subnets));
	subnet_set_build(&engine->model, engine->policy, before,
			 &engine->subnets);
}

/* What an earlier life of ours managed, found by its rules. */
static void recover_subnets(struct engine *engine)
{
	struct subnet_set found;

	engine->recovered = true;
	subnet_recover_tables(&engine->subnets, &engine->model, engine->policy);
	/* Once more: that more of them are managed changes other things. */
	found = engine->subnets;
	build_subnets(engine, &found);
	subnet_set_done(&found);
}

static void update_subnets(struct engine *engine)
{
	struct subnet_set before = engine->subnets;

	if (!subnets_may_change(engine))
		return;
	if (engine->policy->routes.n || engine->policy_changed)
		model_set_config_routes(&engine->model, engine->policy);
	build_subnets(engine, &before);
	if (!engine->recovered)
		recover_subnets(engine);
	give_tables(engine);
	if (engine->policy_changed || names_matter(engine) ||
	    !subnet_set_equal(&before, &engine->subnets)) {
		log_subnets(engine, &before);
		if (engine->observer.subnets)
			engine->observer.subnets(engine, &before,
						 engine->observer.data);
		touch_all(engine, AF_INET);
		touch_all(engine, AF_INET6);
	}
	subnet_set_done(&before);
}

/* --- planning --- */

/* What the kernel refused may be fine now that links or addresses changed. */
static void forget_refusals(struct engine *engine)
{
	struct attrset_store *attrs = &engine->model.rib.attrs;

	if (engine->refused.n == 0 ||
	    (!engine->model.changes.links && !engine->model.changes.addresses &&
	     !engine->policy_changed))
		return;
	for (size_t i = 0; i < engine->refused.n; i++) {
		attrset_refuse(attrs, engine->refused.items[i], false);
		attrset_unref(attrs, engine->refused.items[i]);
	}
	vec_clear(&engine->refused);
	touch_all(engine, AF_INET);
	touch_all(engine, AF_INET6);
}

static void plan_rows(struct engine *engine, struct planned *planned)
{
	const struct view view = engine_view(engine);
	struct rib *rib = &engine->model.rib;
	const struct ip_prefix *it;

	pin_touch(&engine->model, &engine->pins.set);
	vec_foreach(&rib->dirty, it)
		planned_add(&view, it, &rib->attrs, planned);
	planned_sort(planned);
}

/* What is wanted, with the pins laid over it, against what the kernel has. */
static void diff_rows(struct engine *engine, struct planned *planned,
		      struct op_vec *ops)
{
	const struct view view = engine_view(engine);
	struct rib *rib = &engine->model.rib;
	struct pin_layer layer = {&engine->pins.set, &rib->attrs, planned, 0};
	struct want_vec wants = {0};

	for (size_t i = 0; i < planned->rows.n; i++) {
		const struct planned_row row = planned->rows.items[i];

		vec_clear(&wants);
		for (size_t w = 0; w < row.n; w++)
			vec_push(&wants, planned->wants.items[row.first + w]);
		pin_lay(&layer, &row.prefix, &wants);
		diff_row(&view, &row.prefix, rib_row(rib, &row.prefix), &wants,
			 ops);
	}
	vec_done(&wants);
}

static void plan_rules(const struct engine *engine, struct op_vec *ops)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	const struct view view = engine_view(engine);

	for (size_t i = 0; i < sizeof(families); i++) {
		struct rule_vec want = {0};
		struct rule_vec have = {0};
		const struct rule *rule;

		vec_foreach(&engine->model.rules, rule)
			if (rule->family == families[i])
				vec_push(&have, *rule);
		plan_rules_build(&view, families[i], &want);
		diff_rules(engine->policy, &have, &want, ops);
		vec_done(&want);
		vec_done(&have);
	}
}

static void plan_neighbours(const struct engine *engine, struct op_vec *ops)
{
	const struct view view = engine_view(engine);
	struct neighbour_vec want = {0};

	if (engine->no_managed)
		return;
	plan_routers_build(&view, &want);
	diff_neighbours(engine->policy, &engine->model.neighbours, &want, ops);
	vec_done(&want);
}

/* What somebody keeps deleting is put back later; all else goes on. */
static void hold_back(const struct repair *repair, uint64_t now_ms,
		      struct op_vec *ops)
{
	size_t n = 0;

	for (size_t i = 0; i < ops->n; i++)
		if (!repair_holds(repair, &ops->items[i], now_ms))
			ops->items[n++] = ops->items[i];
	ops->n = n;
}

/* What was held back is looked at again once its time has come. */
static void release_repairs(struct engine *engine, uint64_t now_ms)
{
	const struct repair_entry *it;

	if (!repair_is_due(&engine->repair, now_ms))
		return;
	if (engine->repair.many_entries) {
		touch_all(engine, AF_INET);
		touch_all(engine, AF_INET6);
	}
	vec_foreach(&engine->repair.entries, it)
		rib_touch(&engine->model.rib, &it->prefix);
}

void engine_plan(struct engine *engine, uint64_t now_ms, struct op_vec *ops,
		 struct planned *planned)
{
	forget_refusals(engine);
	update_subnets(engine);
	release_repairs(engine, now_ms);
	engine_pins_due(engine, now_ms);
	plan_rows(engine, planned);
	engine_pins_decide(engine, now_ms, planned);
	diff_rows(engine, planned, ops);
	plan_rules(engine, ops);
	plan_neighbours(engine, ops);
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

/* Valid neighbours are news only while a router is not. */
static void watch_recovery(struct engine *engine)
{
	const struct neighbour *it;
	bool wanted = false;

	vec_foreach(&engine->model.neighbours, it)
		wanted = wanted || it->failed;
	if (wanted == engine->watching_recovery)
		return;
	if (kernel_watch_recovery(engine->kernel, wanted) == 0)
		engine->watching_recovery = wanted;
	/* One may have become valid before the filter let it through. */
	if (wanted)
		engine_read_neighbours(engine);
}

static void clear_changes(struct engine *engine)
{
	memset(&engine->model.changes, 0, sizeof(engine->model.changes));
	rib_clean(&engine->model.rib);
}

/* In every round: a rule must not come while its table lacks a route. */
static void release_undone(struct engine *engine)
{
	const struct ip_prefix *it;

	engine->retry_ms = 0;
	vec_foreach(&engine->undone, it)
		rib_touch(&engine->model.rib, it);
	vec_clear(&engine->undone);
}

static int begin_batch(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;

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
	watch_recovery(engine);
	engine_plan(engine, now_ms, &batch->ops, &batch->planned);
	engine->policy_changed = false;
	engine->counters.rows += engine->model.rib.dirty.n;
	batch->result.now_ms = now_ms;
	diff_order(&batch->ops, batch->result.end);
	batch->active = true;
	if (engine->before_write.call)
		engine->before_write.call(engine, engine->before_write.data);
	return 0;
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

static int finish_batch(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;
	int error = batch->result.error;

	batch->active = false;
	clear_changes(engine);
	touch_released(engine);
	engine_redo(engine, now_ms, &batch->ops, &batch->result);
	if (batch->result.written) {
		engine->counters.runs++;
		log_run(engine, batch->result.written, now_ms);
		prune_tables(engine);
		/* Routers that only went with these ops: look once more. */
		engine->model.changes.neighbours = true;
	}
	if (!batch->result.failed && repair_finish(&engine->repair, now_ms))
		engine->counters.repairs++;
	engine_drop_batch(engine);
	return error;
}

bool engine_is_busy(const struct engine *engine)
{
	return engine->batch.active;
}

int engine_run(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;

	if (!batch->active && begin_batch(engine, now_ms))
		return 0;
	if (engine_apply(engine, &batch->ops, SLICE_OPS, &batch->result))
		return 0;
	return finish_batch(engine, now_ms);
}
