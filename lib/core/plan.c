/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/plan.h"

#include <netinet/in.h>

#define TABLE_DEFAULT 253 /* RT_TABLE_DEFAULT */

/* --- one row --- */

uint32_t plan_intern_reject(struct attrset_store *attrs, uint8_t family,
			    enum attrset_type type)
{
	struct attrset set;
	uint32_t id;

	attrset_init(&set, family, (uint8_t)type);
	id = attrset_intern(attrs, &set);
	attrset_done(&set);
	return id;
}

/*
 * The kernel knows a gateway for an address of ours by table local, but before
 * that it looks in the route's own table: there our connected copy makes it a
 * router. A nexthop object was looked up once, in main.
 */
static bool has_on_link(const struct model *model, const struct attrset *set)
{
	const struct next_hop *hop;

	vec_foreach(&set->hops, hop)
		if (model_is_on_link(model, hop))
			return true;
	return false;
}

static void put_on_link(const struct model *model, struct attrset *set)
{
	bool has_gateway = false;
	struct next_hop *hop;

	vec_foreach(&set->hops, hop) {
		if (model_is_on_link(model, hop)) {
			hop->gateway = (struct ip_addr){0};
			hop->flags &= (uint8_t)~NEXT_HOP_ONLINK;
		}
		has_gateway |= ip_addr_is_set(&hop->gateway);
	}
	if (!has_gateway)
		set->scope = ROUTE_SCOPE_LINK;
}

/* The id of what a copy of the cell's winner says; one ref for the caller. */
static uint32_t intern_copy(const struct model *model,
			    struct attrset_store *attrs,
			    const struct cell *cell)
{
	const struct attrset *set = attrset_get(attrs, cell->route->attrs);
	bool on_link = has_on_link(model, set);
	bool whole = !set->nh_id && !set->src.addr.family &&
		     !ip_addr_is_set(&set->prefsrc) && !on_link;
	struct attrset copy;
	uint32_t id;

	for (size_t i = 0; i < cell->keep.n; i++)
		whole = whole && cell->keep.items[i];
	if (whole) {
		attrset_ref(attrs, cell->route->attrs);
		return cell->route->attrs;
	}
	attrset_copy_for_table(set, cell->keep.items, &copy);
	if (on_link)
		put_on_link(model, &copy);
	id = attrset_intern(attrs, &copy);
	attrset_done(&copy);
	return id;
}

/*
 * The same next hops without the kernel's check that a gateway lies in a
 * connected prefix. Main keeps a route whose gateway lost its prefix, and still
 * forwards by it, but nobody can add such a route anew without "onlink". Takes
 * over the ref to @id.
 */
static uint32_t intern_onlink(struct attrset_store *attrs, uint32_t id)
{
	const struct attrset *set = attrset_get(attrs, id);
	struct attrset copy;
	bool keep[256];
	size_t n = set->hops.n;
	uint32_t ret;

	if (n == 0 || n > sizeof(keep))
		return id;
	memset(keep, true, sizeof(keep));
	attrset_copy_for_table(set, keep, &copy);
	for (size_t i = 0; i < n; i++)
		if (ip_addr_is_set(&copy.hops.items[i].gateway))
			copy.hops.items[i].flags |= NEXT_HOP_ONLINK;
	ret = attrset_intern(attrs, &copy);
	attrset_done(&copy);
	attrset_unref(attrs, id);
	return ret;
}

uint32_t plan_intern_as_taken(struct attrset_store *attrs, uint32_t id)
{
	attrset_ref(attrs, id);
	return attrset_get(attrs, id)->refused ? intern_onlink(attrs, id) : id;
}

static bool has_onlink(const struct attrset *set)
{
	const struct next_hop *hop;

	vec_foreach(&set->hops, hop)
		if (hop->flags & NEXT_HOP_ONLINK)
			return true;
	return false;
}

/*
 * Whether the table holds the onlink form of @id already: an earlier life of
 * ours found that the kernel takes no other, and it forwards alike.
 */
static bool is_onlink_now(struct attrset_store *attrs, const struct row *row,
			  uint32_t table, uint32_t id)
{
	uint32_t onlink;
	bool found = false;

	for (size_t i = 0; i < row->n && !found; i++) {
		const struct route *it = &row->routes[i];

		/* Before it is made: in most tables it is not. */
		found = it->table == table && it->attrs != id &&
			has_onlink(attrset_get(attrs, it->attrs));
	}
	if (!found || attrset_is_reject(attrset_get(attrs, id)))
		return false;
	attrset_ref(attrs, id);
	onlink = intern_onlink(attrs, id);
	found = false;
	for (size_t i = 0; i < row->n && !found; i++)
		found = row->routes[i].table == table &&
			row->routes[i].attrs == onlink;
	attrset_unref(attrs, onlink);
	return found;
}

/*
 * Whether main's own lookup of the row ends in `throw` too, whatever its TOS or
 * source. Only then may our table say so: the lookup goes on in main, where a
 * route that the draft's rules passed over could otherwise catch the packet.
 */
static bool main_throws(const struct attrset_store *attrs,
			const struct row *row)
{
	for (size_t i = 0; i < row->n; i++)
		if (row->routes[i].table == ROUTE_TABLE_MAIN &&
		    attrset_get(attrs, row->routes[i].attrs)->type !=
			    ATTRSET_THROW)
			return false;
	return true;
}

/* A candidate of the config only: main would send by a shorter prefix. */
static bool main_has_none(const struct row *row)
{
	for (size_t i = 0; i < row->n; i++)
		if (row->routes[i].table == ROUTE_TABLE_MAIN)
			return false;
	return true;
}

static uint32_t intern_cell(const struct view *view,
			    const struct subnet *subnet, const struct row *row,
			    const struct cell *cell,
			    struct attrset_store *attrs)
{
	uint8_t family = subnet->prefix.addr.family;
	uint32_t id;

	if (cell->kind == CELL_STRONG)
		return plan_intern_reject(attrs, family, ATTRSET_UNREACHABLE);
	id = intern_copy(view->model, attrs, cell);
	if (attrset_get(attrs, id)->refused ||
	    is_onlink_now(attrs, row, subnet->table, id))
		id = intern_onlink(attrs, id);
	if (attrset_get(attrs, id)->type == ATTRSET_THROW &&
	    !main_throws(attrs, row)) {
		attrset_unref(attrs, id);
		return plan_intern_reject(attrs, family, ATTRSET_UNREACHABLE);
	}
	if (!attrset_get(attrs, id)->refused)
		return id;
	/* Main has the route itself, so a weak subnet can leave it to main. */
	attrset_unref(attrs, id);
	return plan_intern_reject(attrs, family,
				  subnet->strong || main_has_none(row)
					  ? ATTRSET_UNREACHABLE
					  : ATTRSET_THROW);
}

/* TOS values besides 0 that the row's candidates have. */
static size_t other_tos(const struct row *row, uint8_t ret[256])
{
	bool seen[256] = {true};
	size_t n = 0;

	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];

		if ((route->table != ROUTE_TABLE_MAIN &&
		     route->table != ROUTE_TABLE_CONFIG) ||
		    seen[route->tos])
			continue;
		seen[route->tos] = true;
		ret[n++] = route->tos;
	}
	return n;
}

static void subnet_wants(const struct view *view, const struct subnet *subnet,
			 const struct row *row, struct attrset_store *attrs,
			 struct want_vec *ret)
{
	struct cell plain = {0};
	struct cell cell = {0};
	struct want want = {.table = subnet->table, .metric = PLAN_METRIC};
	uint8_t tos[256];
	size_t n = other_tos(row, tos);

	cell_pick(view, subnet, row, 0, &plain);
	if (plain.kind != CELL_NONE) {
		want.attrs = intern_cell(view, subnet, row, &plain, attrs);
		vec_push(ret, want);
	}
	for (size_t i = 0; i < n; i++) {
		cell_pick(view, subnet, row, tos[i], &cell);
		/* The kernel prefers a TOS row whatever its metric. */
		if (cell.kind == CELL_NONE || (cell.kind != CELL_CONGRUENT &&
					       plain.kind == CELL_CONGRUENT))
			continue;
		want.tos = tos[i];
		want.attrs = intern_cell(view, subnet, row, &cell, attrs);
		vec_push(ret, want);
	}
	cell_done(&plain);
	cell_done(&cell);
}

int plan_want_cmp(const struct want *x, const struct want *y)
{
	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->tos != y->tos)
		return x->tos < y->tos ? -1 : 1;
	return (x->metric > y->metric) - (x->metric < y->metric);
}

static int want_order(const void *a, const void *b)
{
	return plan_want_cmp(a, b);
}

static bool row_is_empty(const struct row *row)
{
	return !row || row->n == 0;
}

void plan_row_build(const struct view *view, const struct ip_prefix *prefix,
		    const struct row *row, struct attrset_store *attrs,
		    struct want_vec *ret)
{
	uint8_t family = prefix->addr.family;
	const struct subnet *subnet;
	size_t before = ret->n;

	/* Without candidates there is only a strong table's last resort. */
	if ((row_is_empty(row) && prefix->len > 0) || !cell_wanted_at(prefix))
		return;
	vec_foreach(&view->subnets->subnets, subnet) {
		struct want tail = {.table = subnet->table,
				    .metric = PLAN_TAIL_METRIC};

		if (!subnet->managed || !subnet->table ||
		    subnet->prefix.addr.family != family)
			continue;
		subnet_wants(view, subnet, row, attrs, ret);
		/* Fail closed: it stays when the kernel flushes the rest. */
		if (subnet->strong && prefix->len == 0) {
			tail.attrs = plan_intern_reject(attrs, family,
							ATTRSET_UNREACHABLE);
			vec_push(ret, tail);
		}
	}
	if (ret->n != before)
		vec_sort_items(ret->items + before, ret->n - before,
			       sizeof(*ret->items), want_order);
}

void plan_row_done(struct attrset_store *attrs, struct want_vec *wants)
{
	const struct want *want;

	vec_foreach(wants, want)
		attrset_unref(attrs, want->attrs);
	vec_clear(wants);
}

/* --- tunnels --- */

bool plan_rule_may_tunnel(const struct policy *policy, const struct rule *rule)
{
	if (rule->protocol == policy->protocol ||
	    rule->action != RULE_ACTION_LOOKUP ||
	    rule->priority >= RULE_PRIORITY_MAIN || rule->suppress_len >= 0)
		return false;
	if (rule->table == ROUTE_TABLE_MAIN ||
	    rule->table == ROUTE_TABLE_LOCAL || rule->table == TABLE_DEFAULT)
		return false;
	if (rule->src.len || rule->dst.len || rule->other_iif || rule->oif ||
	    rule->selective)
		return false;
	/* "not fwmark 51820" catches the unmarked; "fwmark 5" does not. */
	if (rule->invert)
		return (rule->fwmark & rule->fwmask) != 0;
	return (rule->fwmark & rule->fwmask) == 0;
}

/*
 * An unreachable default is one as well: a tunnel's kill switch. Only `throw`
 * lets the lookup go on. A number of our range may be a tunnel's: whose table
 * it is the routes in it say.
 */
static bool has_default(const struct view *view, uint8_t family, uint32_t table)
{
	const struct rib *rib = &view->model->rib;
	struct ip_prefix all = ip_prefix_default(family);
	const struct row *row = rib_row(rib, &all);

	for (size_t i = 0; row && i < row->n; i++)
		if (row->routes[i].table == table &&
		    row->routes[i].protocol != view->policy->protocol &&
		    attrset_get(&rib->attrs, row->routes[i].attrs)->type !=
			    ATTRSET_THROW)
			return true;
	return false;
}

struct tunnel plan_tunnel_find(const struct view *view, uint8_t family)
{
	struct tunnel tunnel = {0};
	const struct rule *rule;

	/* Sorted by priority within a family. */
	vec_foreach(&view->model->rules, rule) {
		if (rule->family != family ||
		    !plan_rule_may_tunnel(view->policy, rule) ||
		    !has_default(view, family, rule->table))
			continue;
		tunnel.found = true;
		tunnel.priority = rule->priority;
		tunnel.table = rule->table;
		break;
	}
	return tunnel;
}

bool plan_yields(const struct view *view, uint8_t family)
{
	return view->policy->vpn == VPN_YIELD &&
	       plan_tunnel_find(view, family).found;
}

/* --- rules --- */

/* Before a tunnel that is overridden, as far as there are lower priorities. */
static uint32_t rule_base(const struct view *view, uint8_t family)
{
	struct tunnel tunnel = plan_tunnel_find(view, family);
	uint32_t base = view->policy->rule_priority;

	if (!tunnel.found || tunnel.priority >= base + POLICY_PRIORITIES)
		return base;
	return tunnel.priority > POLICY_PRIORITIES
		       ? tunnel.priority - POLICY_PRIORITIES
		       : 1;
}

static struct rule make_rule(const struct view *view, uint8_t family)
{
	return (struct rule){
		.family = family,
		.src = ip_prefix_default(family),
		.dst = ip_prefix_default(family),
		.action = RULE_ACTION_LOOKUP,
		.protocol = view->policy->protocol,
		.iif_lo = true,
		.suppress_len = -1,
	};
}

static void add_source_rule(const struct view *view, uint32_t base,
			    const struct ip_prefix *src, uint32_t table,
			    struct rule_vec *ret)
{
	struct rule rule = make_rule(view, src->addr.family);

	/* A longer source is looked up first. */
	rule.priority = base + 1 + ip_bits(rule.family) - src->len;
	rule.src = *src;
	rule.table = table;
	vec_push(ret, rule);
}

static void add_subnet_rules(const struct view *view, uint32_t base,
			     size_t index, struct rule_vec *ret)
{
	const struct subnet *subnet = &view->subnets->subnets.items[index];
	const struct subnet_address *it;

	if (!subnet->exact)
		add_source_rule(view, base, &subnet->prefix, subnet->table,
				ret);
	vec_foreach(&view->subnets->addresses, it) {
		struct ip_prefix host = ip_prefix_host(&it->addr);

		/* An address on two links is one subnet's only. */
		if (it->subnet == index && subnet->exact &&
		    subnet_of_source(view->subnets, &it->addr) == subnet)
			add_source_rule(view, base, &host, subnet->table, ret);
	}
}

/*
 * A table's default would swallow link-local destinations of a global source;
 * main knows which link they are on.
 */
static void add_link_local_rule(const struct view *view, uint32_t base,
				struct rule_vec *ret)
{
	static const uint8_t bytes[16] = {0xfe, 0x80};
	struct rule rule = make_rule(view, AF_INET6);
	struct ip_addr addr = ip_addr_make(AF_INET6, bytes);

	rule.priority = base;
	rule.dst = ip_prefix_make(&addr, 10);
	rule.table = ROUTE_TABLE_MAIN;
	vec_push(ret, rule);
}

static int rule_order(const void *a, const void *b)
{
	return rule_cmp(a, b);
}

void plan_rules_build(const struct view *view, uint8_t family,
		      struct rule_vec *ret)
{
	uint32_t base = rule_base(view, family);
	size_t before = ret->n;

	if (plan_yields(view, family))
		return;
	for (size_t i = 0; i < view->subnets->subnets.n; i++) {
		const struct subnet *subnet = &view->subnets->subnets.items[i];

		if (subnet->managed && subnet->table &&
		    subnet->prefix.addr.family == family)
			add_subnet_rules(view, base, i, ret);
	}
	if (family == AF_INET6 && ret->n > before)
		add_link_local_rule(view, base, ret);
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), rule_order);
}
