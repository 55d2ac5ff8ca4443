/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/table.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers/fate.h"
#include "answers/json.h"
#include "answers/pins.h"
#include "control/field.h"
#include "control/interface.h"
#include "core/pin_lay.h"
#include "core/xalloc.h"
#include "daemon.h"

enum {
	STEP_PREFIXES = 1000, /* looked at in one step */
	STEP_ENTRIES = 200,   /* sent in one reply */
};

/* --- which subnets --- */

static bool has_address(const struct view *view, size_t subnet,
			const struct ip_addr *addr)
{
	const struct subnet_address *it;

	vec_foreach(&view->subnets->addresses, it)
		if (it->subnet == subnet && ip_addr_equal(&it->addr, addr))
			return true;
	return false;
}

static bool is_meant(const struct view *view, size_t i, const char *name)
{
	const struct subnet *subnet = &view->subnets->subnets.items[i];
	const struct link *link = model_link(view->model, subnet->ifindex);
	struct ip_prefix prefix;
	struct ip_addr addr;
	char number[16];

	if (!name || (link && strcmp(link->name, name) == 0))
		return true;
	if (ip_prefix_parse(name, &prefix) == 0)
		return ip_prefix_equal(&prefix, &subnet->prefix);
	if (ip_addr_parse(name, &addr) == 0)
		return has_address(view, i, &addr);
	(void)snprintf(number, sizeof(number), "%u", subnet->table);
	return strcmp(name, number) == 0;
}

void table_find(const struct view *view, const char *name,
		struct table_subnet_vec *ret)
{
	for (size_t i = 0; i < view->subnets->subnets.n; i++) {
		const struct subnet *it = &view->subnets->subnets.items[i];

		if (it->managed && it->table && is_meant(view, i, name))
			vec_push(ret, *it);
	}
}

/* --- one entry --- */

static const char *const types[] = {
	[ATTRSET_UNICAST] = "unicast",	       [ATTRSET_LOCAL] = "local",
	[ATTRSET_BLACKHOLE] = "blackhole",     [ATTRSET_THROW] = "throw",
	[ATTRSET_UNREACHABLE] = "unreachable", [ATTRSET_PROHIBIT] = "prohibit",
};

/* One entry of a table: wanted, there, or both. */
struct entry {
	struct engine *engine;
	const struct subnet *subnet;
	const struct ip_prefix *prefix;
	const struct row *row; /* NULL: none */
	struct route route;    /* as it is, or else as it is wanted */
	const char *state;
	const struct pin *pin; /* it is one; or NULL */
};

static void add_hops(const struct entry *entry, const struct attrset *set,
		     struct json_object *ret)
{
	struct json_object *array = json_object_new_array();
	const struct next_hop *hop;
	char text[IP_TEXT_MAX];

	vec_foreach(&set->hops, hop) {
		const struct link *link =
			model_link(&entry->engine->model, hop->ifindex);
		struct json_object *object = json_object_new_object();

		if (ip_addr_is_set(&hop->gateway))
			json_add_text(object, "via",
				      ip_addr_format(&hop->gateway, text));
		json_add_text(object, "dev", link ? link->name : "?");
		json_object_array_add(array, object);
	}
	json_object_object_add(ret, "next_hops", array);
}

/* Why it is there. */
static void add_kind(const struct entry *entry, struct json_object *ret)
{
	const struct view view = engine_view(entry->engine);
	struct cell cell = {0};

	if (entry->route.metric == PLAN_TAIL_METRIC) {
		json_add_text(ret, "kind", fate_names[CELL_FATE_STRONG_DROP]);
		return;
	}
	cell_pick(&view, entry->subnet, entry->row, entry->route.tos, &cell);
	json_add_text(ret, "kind", fate_names[cell_fate(&view, &cell)]);
	if (cell.route)
		json_add_int(ret, "metric", (int64_t)cell.metric);
	cell_done(&cell);
}

static void push_entry(const struct entry *entry, struct json_object *array)
{
	const struct model *model = &entry->engine->model;
	const struct attrset *set =
		attrset_get(&model->rib.attrs, entry->route.attrs);
	struct json_object *object = json_object_new_object();
	const char *type = NULL;
	char text[ROUTE_TEXT_MAX];

	if (set->type < sizeof(types) / sizeof(types[0]))
		type = types[set->type];
	json_add_text(object, "prefix", ip_prefix_format(entry->prefix, text));
	if (entry->route.tos)
		json_add_int(object, "tos", entry->route.tos);
	if (entry->pin)
		json_add_text(object, "pin", pins_kinds[entry->pin->kind]);
	add_kind(entry, object);
	json_add_text(object, "type", type ? type : "other");
	add_hops(entry, set, object);
	json_add_text(object, "state", entry->state);
	json_add_text(object, "route",
		      route_format(entry->prefix, &entry->route, set,
				   &model->links, text));
	json_object_array_add(array, object);
}

/* --- one prefix --- */

static bool is_same_place(const struct route *route, const struct want *want)
{
	return route->table == want->table && route->tos == want->tos &&
	       route->metric == want->metric;
}

static const struct route *find_have(const struct row *row,
				     const struct want *want)
{
	for (uint16_t i = 0; row && i < row->n; i++)
		if (is_same_place(&row->routes[i], want))
			return &row->routes[i];
	return NULL;
}

/* The pin that is laid over the prefix; NULL: none. */
static const struct pin *pin_at(const struct entry *entry)
{
	const struct ip_prefix *prefix = entry->prefix;
	const struct pin *pin;

	if (prefix->len != ip_bits(prefix->addr.family))
		return NULL;
	pin = pin_find(&entry->engine->pins.set, &prefix->addr,
		       entry->subnet->table);
	return pin && pin->kind != PIN_AWAY ? pin : NULL;
}

static void push_wanted(struct entry *entry, const struct want *want,
			struct json_object *array)
{
	const struct route *have = find_have(entry->row, want);
	const uint8_t protocol = entry->engine->policy->protocol;

	entry->pin = want->tos == 0 ? pin_at(entry) : NULL;
	entry->state = "missing";
	entry->route = (struct route){
		.table = want->table,
		.tos = want->tos,
		.metric = want->metric,
		.protocol = protocol,
		.attrs = want->attrs,
	};
	if (have) {
		entry->state =
			have->attrs == want->attrs && have->protocol == protocol
				? "in_place"
				: "differs";
		entry->route = *have;
	}
	push_entry(entry, array);
}

static bool is_wanted(const struct want_vec *wants, const struct route *route)
{
	const struct want *it;

	vec_foreach(wants, it)
		if (is_same_place(route, it))
			return true;
	return false;
}

/* What is there and not wanted. */
static void push_others(struct entry *entry, const struct want_vec *wants,
			struct json_object *array)
{
	const uint8_t protocol = entry->engine->policy->protocol;

	for (uint16_t i = 0; entry->row && i < entry->row->n; i++) {
		const struct route *route = &entry->row->routes[i];

		if (route->table != entry->subnet->table ||
		    is_wanted(wants, route))
			continue;
		entry->pin = NULL;
		entry->state =
			route->protocol == protocol ? "surplus" : "foreign";
		entry->route = *route;
		push_entry(entry, array);
	}
}

void table_entries(struct engine *engine, const struct subnet *subnet,
		   const struct ip_prefix *prefix, struct json_object *ret)
{
	const struct view view = engine_view(engine);
	struct rib *rib = &engine->model.rib;
	struct entry entry = {
		.engine = engine,
		.subnet = subnet,
		.prefix = prefix,
		.row = rib_row(rib, prefix),
	};
	struct planned planned;
	struct planned_row row;
	struct want_vec wants = {0};
	const struct want *it;

	planned_begin(&planned, &view, rib);
	row = planned_row(&planned, prefix);
	for (size_t i = row.first; i < row.first + row.n; i++)
		vec_push(&wants, planned.wants.items[i]);
	pin_lay(&(const struct pin_layer){&engine->pins.set, &rib->attrs,
					  &planned.wants},
		prefix, &wants);
	vec_foreach(&wants, it)
		if (it->table == subnet->table)
			push_wanted(&entry, it, ret);
	push_others(&entry, &wants, ret);
	planned_done(&planned);
	vec_done(&wants);
}

/* --- the method --- */

struct table_job {
	struct engine *engine;
	struct table_subnet_vec subnets;
	size_t at;    /* which subnet */
	bool started; /* @prefix was looked at */
	bool told;    /* the subnet had a reply */
	struct ip_prefix prefix;
};

static void job_free(struct table_job *job)
{
	vec_done(&job->subnets);
	free(job);
}

static void cancel(struct server_call *call, void *user)
{
	(void)call;
	job_free(user);
}

static struct json_object *reply_for(const struct table_job *job,
				     const struct subnet *subnet,
				     struct json_object *entries)
{
	const struct link *link =
		model_link(&job->engine->model, subnet->ifindex);
	struct json_object *reply = json_object_new_object();
	char text[IP_TEXT_MAX];

	json_add_text(reply, "link", link ? link->name : "?");
	json_add_text(reply, "prefix", ip_prefix_format(&subnet->prefix, text));
	json_add_int(reply, "table", subnet->table);
	json_object_object_add(reply, "entries", entries);
	return reply;
}

/* Return: whether the subnet's table goes on after this. */
static bool collect(struct table_job *job, const struct subnet *subnet,
		    struct json_object *entries)
{
	const uint8_t family = subnet->prefix.addr.family;
	const struct trie *trie = rib_trie(&job->engine->model.rib, family);
	const struct ip_prefix all = ip_prefix_default(family);
	struct trie_walk walk;
	uint32_t row;

	if (job->started)
		trie_walk_after(&walk, trie, &job->prefix);
	else
		trie_walk_start(&walk, trie, &all);
	job->started = true;
	for (int i = 0; i < STEP_PREFIXES; i++) {
		if (json_object_array_length(entries) >= STEP_ENTRIES)
			return true;
		if (!trie_walk_next(&walk, &job->prefix, &row))
			return false;
		table_entries(job->engine, subnet, &job->prefix, entries);
	}
	return true;
}

static void step(struct server_call *call, void *user)
{
	struct table_job *job = user;
	const struct subnet *subnet = &job->subnets.items[job->at];
	struct json_object *entries = json_object_new_array();
	bool goes_on = collect(job, subnet, entries);
	struct json_object *reply = NULL;

	if (json_object_array_length(entries) || (!goes_on && !job->told))
		reply = reply_for(job, subnet, entries);
	else
		json_object_put(entries);
	job->told = job->told || reply;
	if (!goes_on) {
		job->at++;
		job->started = false;
		job->told = false;
	}
	if (job->at < job->subnets.n) {
		if (reply)
			server_call_continue(call, reply);
		return;
	}
	if (!reply)
		reply = reply_for(job, subnet, json_object_new_array());
	server_call_reply(call, reply);
	job_free(job);
}

void table_handle(struct server_call *call, struct json_object *parameters,
		  void *data)
{
	struct daemon *daemon = data;
	const struct view view = engine_view(&daemon->engine);
	const char *name = field_text(parameters, "subnet", NULL);
	struct table_subnet_vec subnets = {0};
	struct json_object *error;
	struct table_job *job;

	if (!server_call_more(call)) {
		server_call_error(call, INTERFACE_ERROR_EXPECTED_MORE, NULL);
		return;
	}
	table_find(&view, name, &subnets);
	if (subnets.n == 0) {
		error = json_object_new_object();
		json_add_text(error, "subnet", name ? name : "");
		server_call_error(call, INTERFACE_ERROR_NO_SUBNET, error);
		return;
	}
	job = xalloc(sizeof(*job));
	job->engine = &daemon->engine;
	job->subnets = subnets;
	server_call_defer(call, cancel, job);
	server_call_step(call, step);
}
