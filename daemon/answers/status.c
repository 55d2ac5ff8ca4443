/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/status.h"

#include <json-c/json.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static struct json_object *text(const char *string)
{
	return json_object_new_string(string);
}

static const char *link_name(const struct engine *engine, uint32_t ifindex)
{
	const struct link *link = model_link(&engine->model, ifindex);

	return link ? link->name : "?";
}

/* --- one subnet --- */

static struct json_object *addresses_of(const struct engine *engine,
					size_t subnet)
{
	struct json_object *array = json_object_new_array();
	const struct subnet_address *it;
	char buf[IP_TEXT_MAX];

	vec_foreach(&engine->subnets.addresses, it)
		if (it->subnet == subnet)
			json_object_array_add(
				array, text(ip_addr_format(&it->addr, buf)));
	return array;
}

static struct json_object *rules_of(const struct engine *engine,
				    const struct subnet *subnet)
{
	struct json_object *array = json_object_new_array();
	const struct rule *it;
	char buf[IP_TEXT_MAX];

	vec_foreach(&engine->model.rules, it) {
		struct json_object *rule;

		if (it->protocol != engine->policy->protocol ||
		    it->family != subnet->prefix.addr.family ||
		    !subnet->table || it->table != subnet->table)
			continue;
		rule = json_object_new_object();
		json_object_object_add(rule, "priority",
				       json_object_new_int64(it->priority));
		json_object_object_add(rule, "from",
				       text(ip_prefix_format(&it->src, buf)));
		json_object_array_add(array, rule);
	}
	return array;
}

static void add_next_hop(const struct engine *engine, const struct cell *cell,
			 struct json_object *ret)
{
	const struct attrset *set =
		attrset_get(&engine->model.rib.attrs, cell->route->attrs);
	char buf[IP_TEXT_MAX];

	json_object_object_add(ret, "metric",
			       json_object_new_int64((int64_t)cell->metric));
	for (size_t i = 0; i < cell->keep.n; i++) {
		const struct next_hop *hop = &set->hops.items[i];

		if (!cell->keep.items[i])
			continue;
		if (ip_addr_is_set(&hop->gateway))
			json_object_object_add(
				ret, "via",
				text(ip_addr_format(&hop->gateway, buf)));
		json_object_object_add(ret, "dev",
				       text(link_name(engine, hop->ifindex)));
		return;
	}
}

static struct json_object *default_of(const struct engine *engine,
				      const struct subnet *subnet)
{
	static const char *const kinds[] = {
		[CELL_NONE] = "none",
		[CELL_CONGRUENT] = "congruent",
		[CELL_WEAK] = "weak",
		[CELL_STRONG] = "unreachable",
	};
	struct ip_prefix all = ip_prefix_default(subnet->prefix.addr.family);
	const struct view view = engine_view(engine);
	struct json_object *object = json_object_new_object();
	struct cell cell = {0};

	cell_pick(&view, subnet, rib_row(&engine->model.rib, &all), 0, &cell);
	json_object_object_add(object, "kind", text(kinds[cell.kind]));
	if (cell.route)
		add_next_hop(engine, &cell, object);
	cell_done(&cell);
	return object;
}

static struct json_object *subnet_json(const struct engine *engine, size_t i)
{
	const struct subnet *subnet = &engine->subnets.subnets.items[i];
	struct json_object *object = json_object_new_object();
	char buf[IP_TEXT_MAX];

	json_object_object_add(object, "link",
			       text(link_name(engine, subnet->ifindex)));
	json_object_object_add(object, "prefix",
			       text(ip_prefix_format(&subnet->prefix, buf)));
	json_object_object_add(object, "addresses", addresses_of(engine, i));
	json_object_object_add(object, "managed",
			       json_object_new_boolean(subnet->managed));
	json_object_object_add(object, "uplink",
			       json_object_new_boolean(subnet->uplink));
	if (subnet->table)
		json_object_object_add(object, "table",
				       json_object_new_int64(subnet->table));
	json_object_object_add(object, "model",
			       text(subnet->strong ? "strong" : "weak"));
	json_object_object_add(object, "rules", rules_of(engine, subnet));
	json_object_object_add(object, "default", default_of(engine, subnet));
	return object;
}

/* --- the whole --- */

static const char *vpn_state(const struct engine *engine, uint8_t family)
{
	const struct view view = engine_view(engine);

	if (!plan_tunnel_find(&view, family).found)
		return "none";
	return engine->policy->vpn == VPN_YIELD ? "yield" : "override";
}

static int64_t count_routes(const struct engine *engine, uint8_t family)
{
	struct ip_prefix all = ip_prefix_default(family);
	const struct rib *rib = &engine->model.rib;
	struct ip_prefix prefix;
	struct trie_walk walk;
	int64_t n = 0;
	uint32_t at;

	trie_walk_start(&walk, rib_trie(rib, family), &all);
	while (trie_walk_next(&walk, &prefix, &at))
		for (size_t i = 0; i < rib->rows.items[at].n; i++)
			n += policy_is_our_table(
				engine->policy,
				rib->rows.items[at].routes[i].table);
	return n;
}

__attribute__((format(printf, 2, 3))) static void
add_problem(struct json_object *array, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	json_object_array_add(array, text(line));
}

static void add_subnet_problem(const struct engine *engine,
			       const struct subnet *subnet,
			       struct json_object *ret)
{
	struct json_object *object;
	const char *kind;
	char buf[IP_TEXT_MAX];

	if (!subnet->managed)
		return;
	if (!subnet->table)
		add_problem(ret, "%s: no table number is free",
			    ip_prefix_format(&subnet->prefix, buf));
	object = default_of(engine, subnet);
	kind = json_object_get_string(json_object_object_get(object, "kind"));
	if (strcmp(kind, "weak") == 0)
		add_problem(ret,
			    "%s on %s has no usable default route of its own; "
			    "its packets leave through another subnet",
			    ip_prefix_format(&subnet->prefix, buf),
			    link_name(engine, subnet->ifindex));
	else if (strcmp(kind, "unreachable") == 0)
		add_problem(ret,
			    "%s on %s has no usable default route of its own; "
			    "its packets are dropped (strong)",
			    ip_prefix_format(&subnet->prefix, buf),
			    link_name(engine, subnet->ifindex));
	json_object_put(object);
}

static struct json_object *problems(const struct engine *engine,
				    uint64_t now_ms)
{
	const struct attrset_store *attrs = &engine->model.rib.attrs;
	struct json_object *array = json_object_new_array();
	const struct subnet *it;
	size_t refused = 0;

	vec_foreach(&engine->subnets.subnets, it)
		add_subnet_problem(engine, it, array);
	for (uint32_t id = 0; id < attrs->n; id++)
		refused += attrset_is_live(attrs, id) &&
			   attrset_get(attrs, id)->refused;
	if (refused)
		add_problem(array,
			    "the kernel takes no copy of %zu kind%s of route; "
			    "see the log",
			    refused, refused == 1 ? "" : "s");
	if (engine->retry_ms)
		add_problem(array, "some changes failed and are tried again "
				   "(see the log)");
	if (repair_next(&engine->repair) > now_ms)
		add_problem(array,
			    "somebody keeps changing our rules or routes; "
			    "last it %s",
			    engine->repair.what);
	return array;
}

static struct json_object *last_change(const struct engine *engine,
				       uint64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	double ago = (double)(now_ms - engine->last_change_ms) / 1000;

	json_object_object_add(object, "seconds_ago",
			       json_object_new_double(ago));
	json_object_object_add(object, "what", text(engine->last_change));
	return object;
}

static struct json_object *pair(struct json_object *ipv4,
				struct json_object *ipv6)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "ipv4", ipv4);
	json_object_object_add(object, "ipv6", ipv6);
	return object;
}

struct json_object *status_build(const struct engine *engine, uint64_t now_ms)
{
	bool strong = engine->policy->model == HOST_MODEL_STRONG;
	struct json_object *object = json_object_new_object();
	struct json_object *subnets = json_object_new_array();

	for (size_t i = 0; i < engine->subnets.subnets.n; i++)
		json_object_array_add(subnets, subnet_json(engine, i));
	json_object_object_add(object, "version", text(MULTIHOMED_VERSION));
	json_object_object_add(object, "pid", json_object_new_int(getpid()));
	json_object_object_add(object, "model",
			       text(strong ? "strong" : "weak"));
	json_object_object_add(
		object, "steady",
		json_object_new_boolean(engine_is_steady(engine, now_ms)));
	json_object_object_add(object, "subnets", subnets);
	json_object_object_add(object, "vpn",
			       pair(text(vpn_state(engine, AF_INET)),
				    text(vpn_state(engine, AF_INET6))));
	json_object_object_add(
		object, "routes",
		pair(json_object_new_int64(count_routes(engine, AF_INET)),
		     json_object_new_int64(count_routes(engine, AF_INET6))));
	json_object_object_add(
		object, "ops",
		json_object_new_int64((int64_t)engine_ops_written(engine)));
	if (engine->last_change_ms)
		json_object_object_add(object, "last_change",
				       last_change(engine, now_ms));
	json_object_object_add(object, "problems", problems(engine, now_ms));
	return object;
}
