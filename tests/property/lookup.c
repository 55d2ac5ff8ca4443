/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/property/lookup.h"

#include <assert.h>
#include <netinet/in.h>

static void put_rule(struct kernel *kernel, const struct rule *rule)
{
	size_t at = kernel->rules.n;

	while (at > 0 && kernel->rules.items[at - 1].priority > rule->priority)
		at--;
	vec_insert(&kernel->rules, at, *rule);
}

/* The two rules that the kernel always has. */
static void put_main_rule(struct kernel *kernel, uint8_t family)
{
	struct rule rule = {
		.family = family,
		.priority = RULE_PRIORITY_MAIN,
		.src = ip_prefix_default(family),
		.dst = ip_prefix_default(family),
		.table = ROUTE_TABLE_MAIN,
		.action = RULE_ACTION_LOOKUP,
		.suppress_len = -1,
	};

	put_rule(kernel, &rule);
}

static void read_row(struct kernel *kernel, const struct model *model,
		     const struct ip_prefix *prefix, const struct row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		const struct route *route = &row->routes[i];
		struct kernel_entry entry = {
			.prefix = *prefix,
			.table = route->table,
			.tos = route->tos,
			.metric = route->metric,
			.attrs = route->attrs,
		};

		if (route->flags & ROUTE_LEAVING ||
		    route->table == ROUTE_TABLE_CONFIG)
			continue;
		entry.src = attrset_get(&model->rib.attrs, route->attrs)->src;
		vec_push(&kernel->entries, entry);
	}
}

void kernel_read(struct kernel *kernel, const struct model *model)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	const struct rule *rule;

	for (size_t i = 0; i < 2; i++) {
		struct ip_prefix all = ip_prefix_default(families[i]);
		struct ip_prefix prefix;
		struct trie_walk walk;
		uint32_t at;

		put_main_rule(kernel, families[i]);
		trie_walk_start(&walk, rib_trie(&model->rib, families[i]),
				&all);
		while (trie_walk_next(&walk, &prefix, &at))
			read_row(kernel, model, &prefix,
				 rib_row_at(&model->rib, at));
	}
	vec_foreach(&model->rules, rule)
		put_rule(kernel, rule);
}

void kernel_done(struct kernel *kernel)
{
	vec_done(&kernel->entries);
	vec_done(&kernel->rules);
}

void kernel_copy(const struct kernel *kernel, struct kernel *ret)
{
	const struct kernel_entry *entry;
	const struct rule *rule;

	vec_foreach(&kernel->entries, entry)
		vec_push(&ret->entries, *entry);
	vec_foreach(&kernel->rules, rule)
		vec_push(&ret->rules, *rule);
}

/* A delete names the entry in full; a put meets the first of its key. */
static struct kernel_entry *find_entry(struct kernel *kernel,
				       const struct op *op)
{
	bool exact = op->kind == OP_ROUTE_DELETE;

	struct kernel_entry *entry;

	vec_foreach(&kernel->entries, entry)
		if (entry->table == op->route.route.table &&
		    entry->tos == op->route.route.tos &&
		    entry->metric == op->route.route.metric &&
		    (!exact || entry->attrs == op->route.route.attrs) &&
		    ip_prefix_equal(&entry->prefix, &op->route.prefix))
			return entry;
	return NULL;
}

static void put_entry(struct kernel *kernel, const struct op *op)
{
	struct kernel_entry *old = find_entry(kernel, op);
	struct kernel_entry entry = {
		.prefix = op->route.prefix,
		.table = op->route.route.table,
		.tos = op->route.route.tos,
		.metric = op->route.route.metric,
		.attrs = op->route.route.attrs,
	};

	if (old)
		*old = entry;
	else
		vec_push(&kernel->entries, entry);
}

static void remove_rule(struct kernel *kernel, const struct rule *rule)
{
	for (size_t i = 0; i < kernel->rules.n; i++) {
		if (rule_cmp(&kernel->rules.items[i], rule) != 0)
			continue;
		vec_remove(&kernel->rules, i);
		return;
	}
}

void kernel_apply(struct kernel *kernel, const struct op *op)
{
	const struct kernel_entry *entry;

	switch (op->kind) {
	case OP_ROUTE_PUT:
		put_entry(kernel, op);
		break;
	case OP_ROUTE_DELETE:
		entry = find_entry(kernel, op);
		if (entry)
			vec_remove(&kernel->entries,
				   (size_t)(entry - kernel->entries.items));
		break;
	case OP_RULE_ADD:
		put_rule(kernel, &op->rule);
		break;
	case OP_RULE_DELETE:
		remove_rule(kernel, &op->rule);
		break;
	case OP_NEIGHBOUR_PUT:
	case OP_NEIGHBOUR_DELETE:
		break;
	}
}

static bool rule_fits(const struct rule *rule, const struct packet *packet)
{
	/* The generator makes no foreign rules with other selectors. */
	assert(!rule->fwmark && !rule->invert && !rule->selective);
	return rule->action == RULE_ACTION_LOOKUP &&
	       rule->family == packet->dst.family && !rule->other_iif &&
	       ip_prefix_has(&rule->src, &packet->src) &&
	       ip_prefix_has(&rule->dst, &packet->dst);
}

static bool entry_fits(const struct kernel_entry *entry,
		       const struct packet *packet)
{
	return ip_prefix_has(&entry->prefix, &packet->dst) &&
	       (!entry->tos || entry->tos == packet->tos) &&
	       (!entry->src.addr.family ||
		ip_prefix_has(&entry->src, &packet->src));
}

static uint8_t src_len(const struct kernel_entry *entry)
{
	return entry->src.addr.family ? entry->src.len : 0;
}

/* Whether the kernel takes @a rather than @b, which it met before. */
static bool is_better(const struct kernel_entry *a,
		      const struct kernel_entry *b)
{
	if (a->prefix.len != b->prefix.len)
		return a->prefix.len > b->prefix.len;
	if (src_len(a) != src_len(b))
		return src_len(a) > src_len(b);
	if (a->tos != b->tos)
		return a->tos > b->tos;
	return a->metric < b->metric;
}

static const struct kernel_entry *table_lookup(const struct kernel *kernel,
					       uint32_t table,
					       const struct packet *packet)
{
	const struct kernel_entry *best = NULL;
	const struct kernel_entry *entry;

	vec_foreach(&kernel->entries, entry)
		if (entry->table == table && entry_fits(entry, packet) &&
		    (!best || is_better(entry, best)))
			best = entry;
	return best;
}

const struct kernel_entry *kernel_lookup(const struct kernel *kernel,
					 const struct attrset_store *attrs,
					 const struct packet *packet,
					 const struct rule **ret_rule)
{
	const struct rule *rule;

	if (ret_rule)
		*ret_rule = NULL;
	vec_foreach(&kernel->rules, rule) {
		const struct kernel_entry *entry;

		if (!rule_fits(rule, packet))
			continue;
		entry = table_lookup(kernel, rule->table, packet);
		if (!entry ||
		    attrset_get(attrs, entry->attrs)->type == ATTRSET_THROW)
			continue;
		if (ret_rule)
			*ret_rule = rule;
		return entry;
	}
	return NULL;
}
