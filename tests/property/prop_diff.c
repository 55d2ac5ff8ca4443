/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On random hosts that change at random, the ops of a diff lead from what the
 * kernel has to the plan, and no packet ever gets an answer on the way that is
 * neither the one before nor the one after.
 *
 *   prop_diff [SEED [HOSTS]]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

#include "tests/property/change.h"

#define HOSTS 1500

static uint64_t first_seed;
static size_t n_hosts = HOSTS;
static size_t n_ops;
static size_t n_packets;

static bool complain(struct change *change, const char *why,
		     const struct op *op)
{
	char text[OP_TEXT_MAX] = "";

	if (op)
		(void)op_format(op, &change->scene.model.rib.attrs,
				&change->scene.model.links, text);
	(void)snprintf(change->why, sizeof(change->why), "%.190s: %.200s", why,
		       text);
	return false;
}

/* --- what a packet meets on the way --- */

/* Whether a packet fares alike; why it is dropped does not matter to it. */
static bool same_answer(const struct change *change,
			const struct kernel_entry *a,
			const struct kernel_entry *b)
{
	const struct attrset_store *attrs = &change->scene.model.rib.attrs;
	const struct attrset *x = a ? attrset_get(attrs, a->attrs) : NULL;
	const struct attrset *y = b ? attrset_get(attrs, b->attrs) : NULL;
	bool x_drops = !x || attrset_is_reject(x);
	bool y_drops = !y || attrset_is_reject(y);

	if (x_drops || y_drops)
		return x_drops == y_drops;
	if (x->hops.n != y->hops.n)
		return false;
	for (size_t i = 0; i < x->hops.n; i++)
		if (x->hops.items[i].ifindex != y->hops.items[i].ifindex ||
		    !ip_addr_equal(&x->hops.items[i].gateway,
				   &y->hops.items[i].gateway))
			return false;
	return true;
}

/* Which packets an op can concern at all. */
static bool concerns(const struct op *op, const struct packet *packet)
{
	switch (op->kind) {
	case OP_ROUTE_PUT:
	case OP_ROUTE_DELETE:
		return ip_prefix_has(&op->route.prefix, &packet->dst);
	case OP_RULE_ADD:
	case OP_RULE_DELETE:
		return ip_prefix_has(&op->rule.src, &packet->src) &&
		       ip_prefix_has(&op->rule.dst, &packet->dst);
	case OP_NEIGHBOUR_PUT:
	case OP_NEIGHBOUR_DELETE:
		break;
	}
	return false;
}

static const struct rule *next_rule(const struct kernel *kernel,
				    const struct packet *packet, size_t *at)
{
	while (*at < kernel->rules.n) {
		const struct rule *rule = &kernel->rules.items[(*at)++];

		if (rule->priority != RULE_PRIORITY_MAIN &&
		    ip_prefix_has(&rule->src, &packet->src) &&
		    ip_prefix_has(&rule->dst, &packet->dst))
			return rule;
	}
	return NULL;
}

/*
 * Whether @packet is looked up in the same tables, in the same order, before
 * main's turn: where the first one throws, the next one counts.
 */
static bool same_tables(const struct kernel *a, const struct kernel *b,
			const struct packet *packet)
{
	const struct rule *x;
	const struct rule *y;
	size_t at[2] = {0};

	do {
		x = next_rule(a, packet, &at[0]);
		y = next_rule(b, packet, &at[1]);
	} while (x && y && x->table == y->table);
	return !x && !y;
}

/* Whether @kernel would do with @packet what is done with it now. */
static bool does_so(const struct change *change, const struct kernel *kernel,
		    const struct packet *packet)
{
	const struct attrset_store *attrs = &change->scene.model.rib.attrs;

	return same_answer(change,
			   kernel_lookup(&change->now, attrs, packet, NULL),
			   kernel_lookup(kernel, attrs, packet, NULL));
}

/*
 * A source that moves from one table to another, while both change, may for a
 * moment see the new content of the old one or the old content of the new one:
 * the order of ops serves the sources that stay.
 */
static bool moved_so(const struct change *change, const struct packet *packet)
{
	return !same_tables(&change->before, &change->after, packet) &&
	       (does_so(change, &change->moved[0], packet) ||
		does_so(change, &change->moved[1], packet));
}

static bool packet_fares_well(struct change *change, const struct op *op,
			      const struct packet *packet)
{
	char text[2][IP_TEXT_MAX];
	char why[200];

	if (packet->src.family != packet->dst.family || !concerns(op, packet))
		return true;
	n_packets++;
	if (does_so(change, &change->before, packet) ||
	    does_so(change, &change->after, packet))
		return true;
	if (moved_so(change, packet))
		return true;
	(void)snprintf(why, sizeof(why),
		       "%s -> %s tos 0x%02x goes neither the old nor the new "
		       "way after op",
		       ip_addr_format(&packet->src, text[0]),
		       ip_addr_format(&packet->dst, text[1]), packet->tos);
	return complain(change, why, op);
}

static bool source_fares_well(struct change *change, const struct op *op,
			      const struct ip_addr *src)
{
	static const uint8_t tos[] = {0, 0x10};
	const struct ip_addr *dst;

	vec_foreach(&change->dsts, dst) {
		for (size_t i = 0; i < 2; i++) {
			struct packet packet = {*src, *dst, tos[i]};

			if (!packet_fares_well(change, op, &packet))
				return false;
		}
	}
	return true;
}

static bool packets_fare_well(struct change *change, const struct op *op)
{
	const struct ip_addr *src;

	vec_foreach(&change->srcs, src)
		if (!source_fares_well(change, op, src))
			return false;
	return true;
}

/* --- ops --- */

static bool is_our_route(const struct change *change, const struct op *op)
{
	const struct row *row =
		rib_row(&change->scene.model.rib, &op->route.prefix);

	for (size_t i = 0; row && i < row->n; i++)
		if (route_key_cmp(&row->routes[i], &op->route.route) == 0)
			return row->routes[i].protocol ==
			       change->scene.policy.protocol;
	return false;
}

static bool op_is_decent(struct change *change, const struct op *op)
{
	const struct policy *policy = &change->scene.policy;

	switch (op->kind) {
	case OP_ROUTE_DELETE:
		if (!is_our_route(change, op))
			return complain(change, "deletes a foreign route", op);
		break;
	case OP_RULE_DELETE:
		if (op->rule.protocol != policy->protocol)
			return complain(change, "deletes a foreign rule", op);
		break;
	case OP_ROUTE_PUT:
		if (!policy_is_our_table(policy, op->route.route.table) ||
		    op->route.route.protocol != policy->protocol)
			return complain(change, "puts outside our tables", op);
		break;
	case OP_RULE_ADD:
		if (op->rule.protocol != policy->protocol)
			return complain(change, "adds an unmarked rule", op);
		break;
	case OP_NEIGHBOUR_PUT:
	case OP_NEIGHBOUR_DELETE:
		break;
	}
	return true;
}

/* A rule that is added when its table ought to have routes, but has none yet.
 */
static bool table_is_filled(struct change *change, const struct op *op)
{
	const struct scene_row *row;
	const struct kernel_entry *entry;
	const struct want *want;
	bool wanted = false;
	bool filled = false;

	if (op->kind != OP_RULE_ADD || op->rule.table == ROUTE_TABLE_MAIN)
		return true;
	vec_foreach(&change->plan.rows, row)
		vec_foreach(&row->wants, want)
			wanted |= want->table == op->rule.table;
	vec_foreach(&change->now.entries, entry)
		filled |= entry->table == op->rule.table;
	if (wanted && !filled)
		return complain(change, "a rule before its routes", op);
	return true;
}

static bool ops_go_well(struct change *change)
{
	const struct op *op;

	vec_foreach(&change->ops, op) {
		n_ops++;
		if (!op_is_decent(change, op))
			return false;
		kernel_apply(&change->now, op);
		if (!table_is_filled(change, op) ||
		    !packets_fare_well(change, op))
			return false;
	}
	return true;
}

/* --- the end --- */

static bool is_there(const struct change *change,
		     const struct ip_prefix *prefix, const struct want *want)
{
	const struct row *row = rib_row(&change->scene.model.rib, prefix);

	for (size_t i = 0; row && i < row->n; i++)
		if (row->routes[i].table == want->table &&
		    row->routes[i].tos == want->tos &&
		    row->routes[i].metric == want->metric)
			return row->routes[i].attrs == want->attrs &&
			       row->routes[i].protocol ==
				       change->scene.policy.protocol;
	return false;
}

static size_t count_ours(const struct change *change)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	const struct rib *rib = &change->scene.model.rib;
	size_t n = 0;

	for (size_t f = 0; f < 2; f++) {
		const struct trie *trie = rib_trie(rib, families[f]);
		const struct trie_entry *place;
		struct ip_prefix prefix;
		uint32_t at = 0;

		while ((place = trie_scan(trie, &at, &prefix))) {
			const struct row *row = rib_row_at(rib, place->value);

			for (size_t r = 0; r < row->n; r++)
				n += row->routes[r].protocol ==
				     change->scene.policy.protocol;
		}
	}
	return n;
}

static bool is_as_planned(struct change *change)
{
	const struct scene_row *row;
	const struct want *want;
	const struct rule *rule;
	size_t n_wants = 0;
	size_t n_rules = 0;

	vec_foreach(&change->plan.rows, row) {
		vec_foreach(&row->wants, want) {
			n_wants++;
			if (!is_there(change, &row->prefix, want))
				return complain(change, "a route is missing",
						NULL);
		}
	}
	if (count_ours(change) != n_wants)
		return complain(change, "a route is left over", NULL);
	vec_foreach(&change->scene.model.rules, rule)
		n_rules += rule->protocol == change->scene.policy.protocol;
	if (n_rules != change->plan.rules.n)
		return complain(change, "too many or too few rules", NULL);
	return true;
}

/*
 * Which routers are in use is read off the routes that are there, so theirs are
 * the only ops that may come a round later.
 */
static bool next_round_is_empty(struct change *change, bool neighbours_too)
{
	struct op_vec ops = {0};
	size_t phase_end[DIFF_PHASES];
	const struct op *op;
	bool ok = true;

	scene_ops(&change->scene, &change->plan, &ops, phase_end);
	vec_foreach(&ops, op) {
		bool neighbour = op->kind == OP_NEIGHBOUR_PUT ||
				 op->kind == OP_NEIGHBOUR_DELETE;

		if (!neighbour || neighbours_too)
			ok = complain(change, "one more round has an op", op);
		op_enter(&change->scene.model, op);
	}
	vec_done(&ops);
	return ok;
}

static void apply_ops(struct change *change)
{
	const struct op *op;

	vec_foreach(&change->ops, op)
		op_enter(&change->scene.model, op);
}

/*
 * Others may have put an entry before ours of the same key. The kernel does not
 * replace it by what is there already, so ours goes first and comes back.
 */
static void plan_again(struct change *change)
{
	size_t phase_end[DIFF_PHASES];

	scene_plan_done(&change->scene, &change->plan);
	vec_clear(&change->ops);
	change->plan = (struct scene_plan){0};
	scene_plan_build(&change->scene, &change->plan);
	scene_ops(&change->scene, &change->plan, &change->ops, phase_end);
}

static bool ends_well(struct change *change)
{
	apply_ops(change);
	if (change->meddle) {
		plan_again(change);
		apply_ops(change);
	}
	return is_as_planned(change) && next_round_is_empty(change, false) &&
	       next_round_is_empty(change, true);
}

static bool goes_wrong(const struct line_vec *lines, void *context)
{
	struct change *change = context;
	bool ok = true;

	if (change_build(lines, change))
		ok = ops_go_well(change) && ends_well(change);
	change_done(change);
	return !ok;
}

/* --- the tests --- */

static void try_host(uint64_t seed, bool meddle)
{
	struct dice dice = {.state = seed};
	struct line then = {.text = CHANGE_THEN};
	struct line_vec lines = {0};
	struct line_vec changes = {0};
	struct change change = {.meddle = meddle};
	const struct line *line;

	host_roll(&dice, &lines);
	host_change(&dice, &lines, &changes);
	vec_push(&lines, then);
	vec_foreach(&changes, line)
		if (!meddle)
			vec_push(&lines, *line);
	vec_done(&changes);

	if (goes_wrong(&lines, &change)) {
		host_shrink(&lines, goes_wrong, &change);
		(void)goes_wrong(&lines, &change);
		host_print(&lines);
		fail_msg("seed %llu: %s", (unsigned long long)seed, change.why);
	}
	vec_done(&lines);
}

static void try_hosts(bool meddle)
{
	n_ops = 0;
	n_packets = 0;
	for (size_t i = 0; i < n_hosts; i++)
		try_host(first_seed + i, meddle);
	print_message("# %zu ops, %zu packets\n", n_ops, n_packets);
	if (n_hosts >= HOSTS)
		assert_true(n_ops > 5 * n_hosts && n_packets > 50 * n_hosts);
}

static void packets_go_the_old_or_the_new_way(void **state)
{
	(void)state;
	try_hosts(false);
}

static void what_others_break_is_mended(void **state)
{
	(void)state;
	try_hosts(true);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_go_the_old_or_the_new_way),
		cmocka_unit_test(what_others_break_is_mended),
	};

	first_seed = (uint64_t)time(NULL) * 1000003U;
	if (argc > 1) {
		first_seed = strtoull(argv[1], NULL, 10);
		n_hosts = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	}
	print_message("# seed %llu, %zu hosts\n",
		      (unsigned long long)first_seed, n_hosts);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
