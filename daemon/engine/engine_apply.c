/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_apply.h"

#include <errno.h>
#include <netinet/in.h>

#include "core/backoff.h"
#include "engine/engine_read.h"
#include "log.h"

#define RETRY_MIN_MS 1
#define RETRY_MAX_MS 5000 /* between two tries */
#define TRIES_MAX    3	  /* then the kernel's "not now" is a "no" */

#define APPLY_OPS 100 /* at one go; each may take the kernel its time */

void engine_result_done(struct engine_result *result)
{
	vec_done(&result->failures);
}

void engine_drop_batch(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;

	engine_catch_up(engine);
	planned_done(&batch->planned);
	vec_done(&batch->rows);
	vec_done(&batch->late);
	vec_done(&batch->gone);
	vec_done(&batch->ops);
	engine_result_done(&batch->result);
	memset(batch, 0, sizeof(*batch));
}

void engine_retry_later(struct engine *engine, uint64_t now_ms)
{
	engine->failures++;
	engine->retry_ms = now_ms + backoff_ms(RETRY_MIN_MS, RETRY_MAX_MS,
					       engine->failures);
}

static void enter(struct engine *engine, const struct op *op)
{
	const struct model_changes changes = engine->model.changes;

	/* Before it is entered: that may free what it refers to. */
	if (log_is_on(LOG_DEBUG)) {
		char text[OP_TEXT_MAX];

		log_debug("%s", op_format(op, &engine->model.rib.attrs,
					  &engine->model.links, text));
	}
	if (engine->observer.wrote)
		engine->observer.wrote(engine, op, engine->observer.data);
	engine->counters.ops[op->kind]++;
	op_enter(&engine->model, op);
	/* Our own doing is no news. */
	engine->model.changes = changes;
}

/* --- failures --- */

/* Return: whether something simpler can be put in its place. */
static bool refuse(struct engine *engine, uint64_t now_ms, const struct op *op,
		   const struct kernel_failure *failure)
{
	struct attrset_store *attrs = &engine->model.rib.attrs;
	uint32_t id = op->route.route.attrs;
	char text[OP_TEXT_MAX];

	if (attrset_is_reject(attrset_get(attrs, id)))
		return false;
	if (attrset_get(attrs, id)->refused)
		return true;
	attrset_refuse(attrs, id, true);
	attrset_ref(attrs, id); /* the mark goes with the last ref */
	vec_push(&engine->refused, id);
	log_limited(LOG_KIND_REFUSED, now_ms, LOG_WARNING,
		    "the kernel takes no copy of a route as it is (%s%s%s): %s",
		    strerror(-failure->error), failure->why[0] ? ", " : "",
		    failure->why,
		    op_format(op, attrs, &engine->model.links, text));
	return true;
}

/* Our picture is old: have what the op depends on read again. */
static void read_what_failed(struct engine *engine, const struct op *op)
{
	const struct attrset *set;
	const struct next_hop *hop;

	if (op->kind == OP_RULE_ADD || op->kind == OP_RULE_DELETE)
		engine->read_rules = true;
	if (op->kind != OP_ROUTE_PUT && op->kind != OP_ROUTE_DELETE)
		return;
	engine->read_ipv6 = true;
	set = attrset_get(&engine->model.rib.attrs, op->route.route.attrs);
	vec_foreach(&set->hops, hop)
		engine_mark_link(engine, hop->ifindex);
}

static void log_failure(struct engine *engine, uint64_t now_ms,
			const struct op *op,
			const struct kernel_failure *failure)
{
	char text[OP_TEXT_MAX];

	log_limited(LOG_KIND_FAILED_OP, now_ms, LOG_WARNING, "%s: %s%s%s",
		    op_format(op, &engine->model.rib.attrs,
			      &engine->model.links, text),
		    strerror(-failure->error), failure->why[0] ? ", " : "",
		    failure->why);
}

/* Return: whether the op is to be planned again at once. */
static bool judge(struct engine *engine, uint64_t now_ms, const struct op *op,
		  const struct kernel_failure *failure)
{
	enum kernel_error_class class =
		kernel_error_class(op->kind, failure->error);

	if (op->kind == OP_NEIGHBOUR_PUT || op->kind == OP_NEIGHBOUR_DELETE) {
		/* It is not kept resolved then; nothing else is lost. */
		if (class != KERNEL_ERROR_REFUSED)
			return false;
		vec_push(&engine->unkept, op->neighbour);
		engine->read_ipv6 |= op->neighbour.addr.family == AF_INET6;
		return false;
	}
	if (class == KERNEL_ERROR_RESYNC)
		read_what_failed(engine, op);
	if (op->kind != OP_ROUTE_PUT || failure->error == -EPERM ||
	    class == KERNEL_ERROR_LATER)
		return false;
	if (class == KERNEL_ERROR_RESYNC && engine->failures < TRIES_MAX)
		return false;
	return refuse(engine, now_ms, op, failure);
}

/* --- carrying out --- */

/* Who knows what was done: start from what the kernel says. */
static void give_up(struct engine *engine, int error, struct engine_result *ret)
{
	log_limited(LOG_KIND_LOST, ret->now_ms, LOG_WARNING,
		    "writing to the kernel: %s; reading everything again",
		    strerror(-error));
	engine->read_all = true;
	engine->read_failed = true; /* not before the next try */
	ret->failed = true;
}

/* @failures: of the ops from ret->begun up to @end, all of them begun */
static void take_outcome(struct engine *engine, const struct op_vec *ops,
			 size_t end, const struct kernel_failure_vec *failures,
			 struct engine_result *ret)
{
	size_t begin = ret->begun;
	size_t next = 0;

	for (size_t i = begin; i < end; i++) {
		if (next < failures->n &&
		    failures->items[next].op == i - begin) {
			struct kernel_failure failure = failures->items[next++];

			failure.op = i;
			vec_push(&ret->failures, failure);
			continue;
		}
		enter(engine, &ops->items[i]);
		ret->written++;
	}
	ret->begun = end;
}

/* Return: whether it is known what came of them. */
static bool apply_some(struct engine *engine, const struct op_vec *ops,
		       size_t end, struct engine_result *ret)
{
	struct kernel_failure_vec failures = {0};
	int error;

	error = kernel_apply(engine->kernel, ops->items + ret->begun,
			     end - ret->begun, &engine->model.rib.attrs,
			     &failures);
	if (error)
		give_up(engine, error, ret);
	else
		take_outcome(engine, ops, end, &failures, ret);
	vec_done(&failures);
	return error == 0;
}

/* A neighbour we may not keep is no reason to stop. */
static bool has_failed(const struct op_vec *ops,
		       const struct engine_result *result)
{
	for (size_t i = 0; i < result->failures.n; i++) {
		enum op_kind kind =
			ops->items[result->failures.items[i].op].kind;

		if (kind != OP_NEIGHBOUR_PUT && kind != OP_NEIGHBOUR_DELETE)
			return true;
	}
	return false;
}

static bool is_refused_all(const struct engine_result *result)
{
	return result->written == 0 && result->failures.n &&
	       result->failures.items[0].error == -EPERM;
}

/* Of the phase that is next; ret->begun: there is none. */
static size_t phase_end(const struct engine_result *ret)
{
	for (size_t i = 0; i < DIFF_PHASES; i++)
		if (ret->end[i] > ret->begun)
			return ret->end[i];
	return ret->begun;
}

/*
 * After some ops of a phase up to @end. Return: whether there are more to be
 * carried out.
 */
static bool goes_on(const struct op_vec *ops, size_t end,
		    struct engine_result *ret)
{
	ret->failed |= has_failed(ops, ret);
	if (is_refused_all(ret))
		ret->error = -EPERM;
	if (ret->begun < end)
		return true;
	return end < ops->n && (!ret->failed || ret->go_on);
}

bool engine_apply(struct engine *engine, const struct op_vec *ops,
		  struct engine_result *ret)
{
	size_t end = phase_end(ret);
	size_t some = end;

	if (end == ret->begun)
		return false;
	if (some > ret->begun + APPLY_OPS)
		some = ret->begun + APPLY_OPS;
	/* What was unknown is read again first. */
	return apply_some(engine, ops, some, ret) && goes_on(ops, end, ret);
}

/* --- having it carried out --- */

/* A few ops of many may have to wait as long: for others, or as a rule that
 * makes the kernel walk all its routes. */
bool engine_send(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	size_t begin = batch->result.begun;
	size_t end = phase_end(&batch->result);
	int error;

	if (engine->turn.aside_ms == 0 || end == begin ||
	    (batch->is_small && end - begin <= APPLY_OPS))
		return false;
	error = kernel_apply_begin(engine->kernel, batch->ops.items + begin,
				   end - begin, &engine->model.rib.attrs,
				   engine->turn.aside_ms);
	if (error) {
		log_limited(LOG_KIND_NO_THREAD, batch->result.now_ms,
			    LOG_NOTICE,
			    "no thread to write routes (%s): who asks may have "
			    "to wait for it",
			    strerror(-error));
		return false;
	}
	batch->sent_end = end;
	batch->slice = SLICE_SENT;
	return true;
}

/*
 * Those that were begun come first, else in order. Return: how many they are.
 * @ops: @n of them; @begun: of each
 */
static size_t begun_first(struct op *ops, size_t n, const bool *begun,
			  struct kernel_failure_vec *failures)
{
	struct op *sorted = xgrow(NULL, n, sizeof(*sorted));
	struct kernel_failure *failure = failures->items;
	size_t n_begun = 0;
	size_t rest = 0;

	for (size_t i = 0; i < n; i++)
		n_begun += begun[i];
	rest = n_begun;
	n_begun = 0;
	for (size_t i = 0; i < n; i++) {
		if (!begun[i]) {
			sorted[rest++] = ops[i];
			continue;
		}
		if (failure && failure < failures->items + failures->n &&
		    failure->op == i)
			(failure++)->op = n_begun;
		sorted[n_begun++] = ops[i];
	}
	memcpy(ops, sorted, n * sizeof(*ops));
	free(sorted);
	return n_begun;
}

/* Return: whether there are more to be carried out. */
static bool collect(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;
	struct engine_result *ret = &batch->result;
	struct op *ops = batch->ops.items + ret->begun;
	size_t n = batch->sent_end - ret->begun;
	bool *begun = xgrow(NULL, n, sizeof(*begun));
	struct kernel_failure_vec failures = {0};
	int error = kernel_apply_end(engine->kernel, begun, &failures);

	if (error) {
		give_up(engine, error, ret);
	} else {
		n = begun_first(ops, n, begun, &failures);
		take_outcome(engine, &batch->ops, ret->begun + n, &failures,
			     ret);
	}
	vec_done(&failures);
	free(begun);
	return error == 0 && goes_on(&batch->ops, batch->sent_end, ret);
}

void engine_catch_up(struct engine *engine)
{
	struct engine_batch *batch = &engine->batch;

	if (batch->slice == SLICE_SENT)
		batch->slice = collect(engine) ? SLICE_OPEN : SLICE_WRITTEN;
}

bool engine_has_sent(const struct engine *engine)
{
	return engine->batch.slice == SLICE_SENT;
}

bool engine_waits(const struct engine *engine)
{
	return engine_has_sent(engine) && !kernel_apply_is_over(engine->kernel);
}

/* --- what is planned again --- */

static void redo_op(struct engine *engine, const struct op *op, bool again)
{
	if (op->kind != OP_ROUTE_PUT && op->kind != OP_ROUTE_DELETE)
		return; /* rules and neighbours are compared in every round */
	if (again)
		rib_touch(&engine->model.rib, &op->route.prefix);
	else
		vec_push(&engine->undone, op->route.prefix);
}

/* A neighbour's failure stops nothing, but "not now" is tried again. */
static bool is_worth_a_retry(const struct op_vec *ops,
			     const struct engine_result *result)
{
	for (size_t i = 0; i < result->failures.n; i++) {
		const struct kernel_failure *it = &result->failures.items[i];

		if (kernel_error_class(ops->items[it->op].kind, it->error) ==
		    KERNEL_ERROR_LATER)
			return true;
	}
	return false;
}

/* Return: whether the op is to be planned again at once. */
static bool redo_failed(struct engine *engine, uint64_t now_ms,
			const struct kernel_failure *failure)
{
	const struct op *op = &engine->batch.ops.items[failure->op];
	bool now;

	engine->counters.errors++;
	if (engine->observer.failed)
		engine->observer.failed(engine, op, failure,
					engine->observer.data);
	log_failure(engine, now_ms, op, failure);
	now = judge(engine, now_ms, op, failure);
	redo_op(engine, op, now);
	return now;
}

/* Without it flows would move with what comes in the slices behind. */
static bool has_failed_pin(const struct engine *engine,
			   const struct engine_result *result)
{
	const struct kernel_failure *it;

	vec_foreach(&result->failures, it) {
		const struct op *op = &engine->batch.ops.items[it->op];
		const struct ip_prefix *prefix = &op->route.prefix;

		if (op->kind == OP_ROUTE_PUT &&
		    prefix->len == ip_bits(prefix->addr.family) &&
		    pin_find(&engine->pins.set, &prefix->addr,
			     op->route.route.table) &&
		    kernel_error_class(op->kind, it->error) ==
			    KERNEL_ERROR_LATER)
			return true;
	}
	return false;
}

/* Not begun, because something failed or something else is urgent. */
static void redo_rest(struct engine *engine, bool again)
{
	const struct engine_batch *batch = &engine->batch;

	for (size_t i = batch->result.begun; i < batch->ops.n; i++)
		redo_op(engine, &batch->ops.items[i], again);
}

void engine_redo(struct engine *engine, uint64_t now_ms)
{
	struct engine_batch *batch = &engine->batch;
	const struct engine_result *result = &batch->result;
	const struct op_vec *ops = &batch->ops;
	bool again = false;
	bool later = false;

	for (size_t i = 0; i < result->failures.n; i++) {
		bool now =
			redo_failed(engine, now_ms, &result->failures.items[i]);

		again |= now;
		later |= !now;
	}
	batch->written += result->written;
	if (result->error)
		batch->error = result->error;
	batch->is_stopped = result->error || engine->read_failed ||
			    has_failed_pin(engine, result);
	if (!result->failed && !(later && is_worth_a_retry(ops, result))) {
		redo_rest(engine, true);
		return;
	}
	redo_rest(engine, again);
	if (again)
		engine->model.changes.rules = true;
	batch->failed |= result->failed;
	batch->is_bad = true;
	batch->retry |= later;
}
