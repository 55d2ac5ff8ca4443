/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/diff.h"

/* --- routes --- */

static bool is_ours(const struct policy *policy, const struct route *route)
{
	return route->protocol == policy->protocol &&
	       route->table != ROUTE_TABLE_CONFIG &&
	       route->table != ROUTE_TABLE_MAIN &&
	       route->table != ROUTE_TABLE_LOCAL;
}

/* An IPv6 entry with a source prefix is another one to the kernel. */
static bool has_key(const struct attrset_store *attrs,
		    const struct route *route, const struct want *want)
{
	return route->table == want->table && route->tos == want->tos &&
	       route->metric == want->metric &&
	       !attrset_get(attrs, route->attrs)->src.addr.family;
}

static void push_route(enum op_kind kind, const struct ip_prefix *prefix,
		       const struct route *route, bool insert,
		       struct op_vec *ops)
{
	struct op op = {.kind = kind};

	op.route.prefix = *prefix;
	op.route.route = *route;
	op.route.insert = insert;
	vec_push(ops, op);
}

/* One wanted entry: nothing to do if the first of its key is just that. */
static void diff_want(const struct view *view, const struct ip_prefix *prefix,
		      const struct row *row, const struct want *want,
		      struct op_vec *ops)
{
	const struct policy *policy = view->policy;
	struct route put = {
		.table = want->table,
		.tos = want->tos,
		.metric = want->metric,
		.protocol = policy->protocol,
		.attrs = want->attrs,
	};
	bool insert = true;

	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *have = &row->routes[i];

		if (have->table == want->table && have->tos == want->tos &&
		    is_ours(policy, have))
			insert = false;
		if (!has_key(&view->model->rib.attrs, have, want))
			continue;
		if (have->attrs == want->attrs && is_ours(policy, have))
			return;
		/* Altered, or somebody else's: replaced where it stands. */
		insert = false;
		break;
	}
	push_route(OP_ROUTE_PUT, prefix, &put, insert, ops);
}

static bool is_wanted(const struct view *view, const struct want_vec *want,
		      const struct row *row, size_t at)
{
	const struct attrset_store *attrs = &view->model->rib.attrs;
	const struct want *it;

	vec_foreach(want, it) {
		size_t first = 0;

		/* Of several entries of one key, the first one counts. */
		while (first < row->n &&
		       !has_key(attrs, &row->routes[first], it))
			first++;
		if (first == at)
			return true;
	}
	return false;
}

void diff_row(const struct view *view, const struct ip_prefix *prefix,
	      const struct row *row, const struct want_vec *want,
	      struct op_vec *ops)
{
	const struct want *it;

	vec_foreach(want, it)
		diff_want(view, prefix, row, it, ops);
	for (size_t i = 0; row && i < row->n; i++)
		if (is_ours(view->policy, &row->routes[i]) &&
		    !is_wanted(view, want, row, i))
			push_route(OP_ROUTE_DELETE, prefix, &row->routes[i],
				   false, ops);
}

/* --- rules --- */

static void push_rule(enum op_kind kind, const struct rule *rule,
		      struct op_vec *ops)
{
	struct op op = {.kind = kind};

	op.rule = *rule;
	vec_push(ops, op);
}

void diff_rules(const struct policy *policy, const struct rule_vec *have,
		const struct rule_vec *want, struct op_vec *ops)
{
	size_t w = 0;

	for (size_t h = 0; h < have->n; h++) {
		const struct rule *rule = &have->items[h];

		/* One that we could not have made is not ours to remove. */
		if (rule->protocol != policy->protocol || !rule_is_plain(rule))
			continue;
		while (w < want->n && rule_cmp(&want->items[w], rule) < 0)
			push_rule(OP_RULE_ADD, &want->items[w++], ops);
		if (w < want->n && rule_cmp(&want->items[w], rule) == 0)
			w++;
		else
			push_rule(OP_RULE_DELETE, rule, ops);
	}
	while (w < want->n)
		push_rule(OP_RULE_ADD, &want->items[w++], ops);
}

/* --- neighbours --- */

static int neighbour_cmp(const struct neighbour *a, const struct neighbour *b)
{
	if (a->ifindex != b->ifindex)
		return a->ifindex < b->ifindex ? -1 : 1;
	return ip_addr_cmp(&a->addr, &b->addr);
}

static void push_neighbour(enum op_kind kind, const struct neighbour *it,
			   struct op_vec *ops)
{
	struct op op = {.kind = kind};

	op.neighbour = *it;
	vec_push(ops, op);
}

void diff_neighbours(const struct policy *policy,
		     const struct neighbour_vec *have,
		     const struct neighbour_vec *want, struct op_vec *ops)
{
	size_t w = 0;

	for (size_t h = 0; h < have->n; h++) {
		const struct neighbour *it = &have->items[h];

		while (w < want->n && neighbour_cmp(&want->items[w], it) < 0)
			push_neighbour(OP_NEIGHBOUR_PUT, &want->items[w++],
				       ops);
		if (w < want->n && neighbour_cmp(&want->items[w], it) == 0) {
			if (!it->managed && !it->permanent)
				push_neighbour(OP_NEIGHBOUR_PUT,
					       &want->items[w], ops);
			w++;
		} else if (it->protocol == policy->protocol && !it->permanent) {
			push_neighbour(OP_NEIGHBOUR_DELETE, it, ops);
		}
	}
	while (w < want->n)
		push_neighbour(OP_NEIGHBOUR_PUT, &want->items[w++], ops);
}

/* --- order --- */

enum step {
	STEP_HOST,
	STEP_INSERT,
	STEP_REPLACE,
	STEP_RULE_ADD,
	STEP_RULE_DELETE,
	STEP_ROUTE_DELETE,
	STEP_NEIGHBOUR,
};

static bool is_host(const struct ip_prefix *prefix)
{
	return prefix->len == ip_bits(prefix->addr.family);
}

static enum step step_of(const struct op *op)
{
	switch (op->kind) {
	case OP_ROUTE_PUT:
		if (op->route.insert && is_host(&op->route.prefix))
			return STEP_HOST;
		return op->route.insert ? STEP_INSERT : STEP_REPLACE;
	case OP_ROUTE_DELETE:
		return STEP_ROUTE_DELETE;
	case OP_RULE_ADD:
		return STEP_RULE_ADD;
	case OP_RULE_DELETE:
		return STEP_RULE_DELETE;
	case OP_NEIGHBOUR_PUT:
	case OP_NEIGHBOUR_DELETE:
		return STEP_NEIGHBOUR;
	}
	return STEP_NEIGHBOUR;
}

/* More specific first: a longer prefix, then a TOS row before the plain one. */
static int specific_cmp(const struct op *a, const struct op *b)
{
	if (a->route.prefix.len != b->route.prefix.len)
		return a->route.prefix.len > b->route.prefix.len ? -1 : 1;
	if (a->route.route.tos != b->route.route.tos)
		return a->route.route.tos > b->route.route.tos ? -1 : 1;
	return ip_prefix_cmp(&a->route.prefix, &b->route.prefix);
}

static int op_order(const void *a, const void *b)
{
	const struct op *x = a;
	const struct op *y = b;
	enum step step = step_of(x);
	int order = (step > step_of(y)) - (step < step_of(y));

	if (order != 0)
		return order;
	switch (step) {
	case STEP_HOST:
	case STEP_INSERT:
	case STEP_REPLACE:
		order = specific_cmp(x, y);
		break;
	case STEP_ROUTE_DELETE:
		order = specific_cmp(y, x);
		break;
	case STEP_RULE_ADD:
		return rule_cmp(&x->rule, &y->rule);
	case STEP_RULE_DELETE:
		/* The rule for fe80::/10 comes first and goes last. */
		return rule_cmp(&y->rule, &x->rule);
	case STEP_NEIGHBOUR:
		return neighbour_cmp(&x->neighbour, &y->neighbour);
	}
	if (order != 0)
		return order;
	return route_key_cmp(&x->route.route, &y->route.route);
}

void diff_order(struct op_vec *ops, size_t phase_end[DIFF_PHASES])
{
	static const enum step last[DIFF_PHASES] = {
		STEP_HOST,
		STEP_REPLACE,
		STEP_RULE_DELETE,
		STEP_NEIGHBOUR,
	};
	size_t i = 0;

	vec_sort(ops, op_order);
	for (size_t phase = 0; phase < DIFF_PHASES; phase++) {
		while (i < ops->n && step_of(&ops->items[i]) <= last[phase])
			i++;
		phase_end[phase] = i;
	}
}
