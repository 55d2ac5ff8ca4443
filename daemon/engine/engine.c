/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine.h"

#include "engine/engine_apply.h"

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
	vec_done(&engine->resync);
	vec_done(&engine->routers);
	vec_done(&engine->later);
	vec_done(&engine->unkept);
	vec_done(&engine->others);
	vec_done(&engine->undone);
	vec_done(&engine->refused);
	vec_done(&engine->ipv6_links);
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

/* --- what is due --- */

bool engine_is_pending(const struct engine *engine, uint64_t now_ms)
{
	const struct model *model = &engine->model;
	uint64_t next = engine_next(engine);

	if (engine->batch.active || (next && next <= now_ms))
		return true;
	if (engine->read_failed)
		return false; /* not before retry_ms */
	return engine->read_all || engine->read_rules || engine->read_ipv6 ||
	       engine->ipv6_links.n || engine->rereads.n || engine->resync.n ||
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
	uint64_t resync = engine->resync_ms;

	/* A round begins by reading, whatever it is for. */
	if (engine->read_failed && engine->retry_ms)
		return engine->retry_ms;
	if (pins && (!next || pins < next))
		next = pins;
	if (engine->later_ms && (!next || engine->later_ms < next))
		next = engine->later_ms;
	if (engine->refused_ms && (!next || engine->refused_ms < next))
		next = engine->refused_ms;
	/* While something fails, these wait for the next try too. */
	if (engine->retry_ms) {
		repair = engine->retry_ms;
		resync = resync ? engine->retry_ms : 0;
	}
	if (resync && (!next || resync < next))
		next = resync;
	if (repair && (!next || repair < next))
		next = repair;
	return next;
}

bool engine_is_steady(const struct engine *engine, uint64_t now_ms)
{
	return !engine->read_failed && !engine->retry_ms && !engine->later_ms &&
	       !engine->resync_ms && engine->model.leaving.n == 0 &&
	       repair_next(&engine->repair) == 0 &&
	       !engine_is_pending(engine, now_ms);
}
