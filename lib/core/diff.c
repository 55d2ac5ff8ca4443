/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/diff.h"

#include <netinet/in.h>

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

static void push_put(const struct ip_prefix *prefix, const struct route *route,
		     bool insert, struct op_vec *ops)
{
	struct op op = {.kind = OP_ROUTE_PUT};

	op.route.prefix = *prefix;
	op.route.route = *route;
	op.route.insert = insert;
	vec_push(ops, op);
}

/* IPv4 keeps several of one key, of which the first counts. */
static bool is_hidden(const struct ip_prefix *prefix, const struct row *row,
		      size_t at)
{
	if (prefix->addr.family != AF_INET)
		return false;
	for (size_t i = 0; i < at; i++)
		if (route_key_cmp(&row->routes[i], &row->routes[at]) == 0)
			return true;
	return false;
}

static void push_delete(const struct ip_prefix *prefix, const struct row *row,
			size_t at, struct op_vec *ops)
{
	struct op op = {.kind = OP_ROUTE_DELETE};

	op.route.prefix = *prefix;
	op.route.route = row->routes[at];
	op.route.hidden = is_hidden(prefix, row, at);
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
	push_put(prefix, &put, insert, ops);
}

static bool is_wanted(const struct view *view, const struct want_vec *want,
		      const struct row *row, size_t at)
{
	const struct attrset_store *attrs = &view->model->rib.attrs;
	const struct want *it;

	vec_foreach(want, it) {
		size_t first = 0;

		if (!has_key(attrs, &row->routes[at], it))
			continue;
		/* Of several entries of one key, the first one counts. */
		while (!has_key(attrs, &row->routes[first], it))
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
			push_delete(prefix, row, i, ops);
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
	STEP_HIDDEN,
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
		return op->route.hidden ? STEP_HIDDEN : STEP_ROUTE_DELETE;
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

/* What an op is sorted by, most of it in one number. */
struct rank {
	uint64_t first;
	const struct op *op;
};

VEC(rank_vec, struct rank);

/* Table by table: within one of them the order counts, and the kernel is
 * faster where one follows the other. More specific first, or last. */
static uint64_t route_rank(const struct op *op, bool specific_last)
{
	uint8_t len = op->route.prefix.len;
	uint8_t tos = op->route.route.tos;

	if (!specific_last) {
		len = (uint8_t)~len;
		tos = (uint8_t)~tos;
	}
	return (uint64_t)op->route.route.table << 16 | (uint64_t)len << 8 | tos;
}

static struct rank rank_of(const struct op *op)
{
	enum step step = step_of(op);
	struct rank rank = {(uint64_t)step << 56, op};

	switch (step) {
	case STEP_HOST:
	case STEP_INSERT:
	case STEP_REPLACE:
		rank.first |= route_rank(op, false);
		break;
	case STEP_HIDDEN:
	case STEP_ROUTE_DELETE:
		rank.first |= route_rank(op, true);
		break;
	case STEP_RULE_ADD:
	case STEP_RULE_DELETE:
	case STEP_NEIGHBOUR:
		break;
	}
	return rank;
}

static int rank_order(const void *a, const void *b)
{
	const struct rank *m = a;
	const struct rank *n = b;
	const struct op *x = m->op;
	const struct op *y = n->op;
	int order;

	if (m->first != n->first)
		return m->first < n->first ? -1 : 1;
	switch (step_of(x)) {
	case STEP_HIDDEN:
	case STEP_HOST:
	case STEP_INSERT:
	case STEP_REPLACE:
	case STEP_ROUTE_DELETE:
		break;
	case STEP_RULE_ADD:
		return rule_cmp(&x->rule, &y->rule);
	case STEP_RULE_DELETE:
		/* The rule for fe80::/10 comes first and goes last. */
		return rule_cmp(&y->rule, &x->rule);
	case STEP_NEIGHBOUR:
		return neighbour_cmp(&x->neighbour, &y->neighbour);
	}
	order = ip_prefix_cmp(&x->route.prefix, &y->route.prefix);
	if (order != 0)
		return order;
	return route_key_cmp(&x->route.route, &y->route.route);
}

/* How many ops have a rank of this first number, and where they go. */
struct shelf {
	uint64_t first;
	size_t n;
	size_t next;
};

VEC(shelf_vec, struct shelf);

static int shelf_order(const void *a, const void *b)
{
	const struct shelf *x = a;
	const struct shelf *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

#define SHELVES_MAX 64 /* else it is no use */

static struct shelf *shelf_of(struct shelf_vec *shelves, uint64_t first)
{
	const struct shelf new = {.first = first};

	for (size_t i = 0; i < shelves->n; i++)
		if (shelves->items[i].first == first)
			return &shelves->items[i];
	if (shelves->n == SHELVES_MAX)
		return NULL;
	vec_push(shelves, new);
	return &shelves->items[shelves->n - 1];
}

/* Return: whether there are few enough. */
static bool count_shelves(const struct rank_vec *ranks,
			  struct shelf_vec *shelves)
{
	struct shelf *shelf;
	const struct rank *it;
	size_t next = 0;

	vec_foreach(ranks, it) {
		shelf = shelf_of(shelves, it->first);
		if (!shelf)
			return false;
		shelf->n++;
	}
	vec_sort(shelves, shelf_order);
	vec_foreach(shelves, shelf) {
		shelf->next = next;
		next += shelf->n;
	}
	return true;
}

/*
 * Of many ops there are few tables and lengths: these are told apart first, and
 * what is left is in order as a rule.
 */
static void shelve(struct rank_vec *ranks)
{
	struct shelf_vec shelves = {0};
	struct rank_vec sorted = {0};
	const struct rank *it;

	if (ranks->n && count_shelves(ranks, &shelves)) {
		sorted.items = xgrow(NULL, ranks->n, sizeof(*sorted.items));
		sorted.n = ranks->n;
		sorted.cap = ranks->n;
		vec_foreach(ranks, it)
			sorted.items[shelf_of(&shelves, it->first)->next++] =
				*it;
		vec_done(ranks);
		*ranks = sorted;
	}
	vec_done(&shelves);
}

/* As those of a single row are. */
static bool is_sorted(const struct op_vec *ops)
{
	for (size_t i = 1; i < ops->n; i++) {
		const struct rank before = rank_of(&ops->items[i - 1]);
		const struct rank rank = rank_of(&ops->items[i]);

		if (rank_order(&before, &rank) > 0)
			return false;
	}
	return true;
}

static void sort_ops(struct op_vec *ops)
{
	struct rank_vec ranks = {0};
	struct op_vec sorted = {0};
	const struct op *op;

	if (is_sorted(ops))
		return;
	vec_foreach(ops, op)
		vec_push(&ranks, rank_of(op));
	shelve(&ranks);
	vec_sort(&ranks, rank_order);
	for (size_t i = 0; i < ranks.n; i++)
		vec_push(&sorted, *ranks.items[i].op);
	vec_done(&ranks);
	vec_done(ops);
	*ops = sorted;
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

	sort_ops(ops);
	for (size_t phase = 0; phase < DIFF_PHASES; phase++) {
		while (i < ops->n && step_of(&ops->items[i]) <= last[phase])
			i++;
		phase_end[phase] = i;
	}
}
