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

/* Return: whether it is known what came of them. */
static bool apply_some(struct engine *engine, const struct op_vec *ops,
		       size_t end, struct engine_result *ret)
{
	struct kernel_failure_vec failures = {0};
	size_t begin = ret->begun;
	size_t next = 0;
	int error;

	error = kernel_apply(engine->kernel, ops->items + begin, end - begin,
			     &engine->model.rib.attrs, &failures);
	if (error) {
		/* Who knows what was done: start from what the kernel says. */
		log_limited(LOG_KIND_LOST, ret->now_ms, LOG_WARNING,
			    "writing to the kernel: %s; reading everything "
			    "again",
			    strerror(-error));
		engine->read_all = true;
		engine->read_failed = true; /* not before the next try */
		ret->failed = true;
		vec_done(&failures);
		return false;
	}
	for (size_t i = begin; i < end; i++) {
		if (next < failures.n && failures.items[next].op == i - begin) {
			struct kernel_failure failure = failures.items[next++];

			failure.op = i;
			vec_push(&ret->failures, failure);
			continue;
		}
		enter(engine, &ops->items[i]);
		ret->written++;
	}
	ret->begun = end;
	vec_done(&failures);
	return true;
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

bool engine_apply(struct engine *engine, const struct op_vec *ops,
		  struct engine_result *ret)
{
	size_t phase = 0;
	size_t end;

	while (phase < DIFF_PHASES && ret->end[phase] <= ret->begun)
		phase++;
	if (phase == DIFF_PHASES)
		return false;
	end = ret->end[phase];
	if (end > ret->begun + APPLY_OPS)
		end = ret->begun + APPLY_OPS;
	/* What was unknown is read again first. */
	if (!apply_some(engine, ops, end, ret))
		return false;
	ret->failed |= has_failed(ops, ret);
	if (is_refused_all(ret))
		ret->error = -EPERM;
	if (end < ret->end[phase])
		return true;
	return end < ops->n && (!ret->failed || ret->go_on);
}

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

/* --- removing all of it --- */

/* Carried out at one go: not all of them need be there at the same time. */
#define FLUSH_OPS 1024

/* Carries out @ops and empties it. Return: the first -errno, or 0. */
static int flush_ops(struct engine *engine, struct op_vec *ops)
{
	struct engine_result result = {.go_on = true};
	int error = 0;

	diff_order(ops, result.end);
	while (engine_apply(engine, ops, &result))
		;
	if (result.failed || result.failures.n)
		error = result.failures.n ? result.failures.items[0].error
					  : -EIO;
	engine_result_done(&result);
	vec_clear(ops);
	return error;
}

static int flush_routes(struct engine *engine, uint8_t family)
{
	const struct view view = engine_view(engine);
	const struct rib *rib = &engine->model.rib;
	const struct want_vec none = {0};
	struct prefix_vec rows = {0};
	struct op_vec ops = {0};
	struct ip_prefix prefix;
	uint32_t at = 0;
	int first = 0;

	while (trie_scan(rib_trie(rib, family), &at, &prefix))
		vec_push(&rows, prefix);
	planned_order_back(&rows);
	for (size_t i = 0; i < rows.n; i++) {
		int error = 0;

		diff_row(&view, &rows.items[i], rib_row(rib, &rows.items[i]),
			 &none, &ops);
		if (ops.n >= FLUSH_OPS || i == rows.n - 1)
			error = flush_ops(engine, &ops);
		first = first ? first : error;
	}
	vec_done(&rows);
	vec_done(&ops);
	return first;
}

static int flush_all(struct engine *engine, uint64_t now_ms)
{
	const struct rule_vec no_rules = {0};
	const struct neighbour_vec no_neighbours = {0};
	struct op_vec ops = {0};
	int errors[4];
	int error = 0;

	diff_rules(engine->policy, &engine->model.rules, &no_rules, &ops);
	errors[0] = flush_ops(engine, &ops);
	errors[1] = flush_routes(engine, AF_INET);
	errors[2] = flush_routes(engine, AF_INET6);
	/* Even what we were told that it was refused. */
	engine_read_neighbours(engine, now_ms);
	diff_neighbours(engine->policy, &engine->model.neighbours,
			&no_neighbours, &ops);
	errors[3] = flush_ops(engine, &ops);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		error = error ? error : errors[i];
	rib_clean(&engine->model.rib);
	vec_done(&ops);
	return error;
}

int engine_flush(struct engine *engine, uint64_t now_ms)
{
	int error = 0;

	engine_drop_batch(engine);
	/* What was never read is not gone. */
	if (engine->read_all || engine->read_failed)
		error = engine_read(engine, now_ms);
	error = error ? error : flush_all(engine, now_ms);
	/* What failed may be a passing want, or an answer that was lost. */
	if (error && engine_read(engine, now_ms) == 0)
		error = flush_all(engine, now_ms);
	return error;
}
