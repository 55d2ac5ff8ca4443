/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removing all that is ours.
 */
#include "engine/engine.h"

#include <errno.h>
#include <netinet/in.h>

#include "engine/engine_apply.h"
#include "engine/engine_read.h"

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
