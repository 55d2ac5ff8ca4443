/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/status.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "answers/fate.h"
#include "answers/json.h"
#include "answers/pins.h"
#include "daemon.h"

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
			json_push_text(array, ip_addr_format(&it->addr, buf));
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
		json_add_int(rule, "priority", it->priority);
		json_add_text(rule, "from", ip_prefix_format(&it->src, buf));
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

	json_add_int(ret, "metric", (int64_t)cell->metric);
	for (size_t i = 0; i < cell->keep.n; i++) {
		const struct next_hop *hop = &set->hops.items[i];

		if (!cell->keep.items[i])
			continue;
		if (ip_addr_is_set(&hop->gateway))
			json_add_text(ret, "via",
				      ip_addr_format(&hop->gateway, buf));
		json_add_text(ret, "dev", link_name(engine, hop->ifindex));
		return;
	}
}

/* @ret: as for cell_pick(); the caller calls cell_done() */
static enum cell_fate pick_default(const struct engine *engine,
				   const struct subnet *subnet,
				   struct cell *ret)
{
	struct ip_prefix all = ip_prefix_default(subnet->prefix.addr.family);
	const struct view view = engine_view(engine);

	cell_pick(&view, subnet, rib_row(&engine->model.rib, &all), 0, ret);
	return cell_fate(&view, ret);
}

static struct json_object *default_of(const struct engine *engine,
				      const struct subnet *subnet)
{
	struct json_object *object = json_object_new_object();
	struct cell cell = {0};
	enum cell_fate fate = pick_default(engine, subnet, &cell);

	json_add_text(object, "kind", fate_names[fate]);
	if (cell.route)
		add_next_hop(engine, &cell, object);
	cell_done(&cell);
	return object;
}

struct json_object *status_subnet(const struct engine *engine, size_t i)
{
	const struct subnet *subnet = &engine->subnets.subnets.items[i];
	struct json_object *object = json_object_new_object();
	char buf[IP_TEXT_MAX];

	json_add_text(object, "link", link_name(engine, subnet->ifindex));
	json_add_text(object, "prefix", ip_prefix_format(&subnet->prefix, buf));
	json_object_object_add(object, "addresses", addresses_of(engine, i));
	json_add_bool(object, "managed", subnet->managed);
	json_add_bool(object, "uplink", subnet->uplink);
	if (subnet->table)
		json_add_int(object, "table", subnet->table);
	json_add_text(object, "model", subnet->strong ? "strong" : "weak");
	json_object_object_add(object, "rules", rules_of(engine, subnet));
	json_object_object_add(object, "default", default_of(engine, subnet));
	return object;
}

/* The managed ones first; each half in the set's own order. */
static struct json_object *subnets_json(const struct engine *engine)
{
	const struct subnet_vec *subnets = &engine->subnets.subnets;
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < subnets->n; i++)
		if (subnets->items[i].managed)
			json_object_array_add(array, status_subnet(engine, i));
	for (size_t i = 0; i < subnets->n; i++)
		if (!subnets->items[i].managed)
			json_object_array_add(array, status_subnet(engine, i));
	return array;
}

void status_handle_subnets(struct server_call *call,
			   struct json_object *parameters, void *data)
{
	const struct daemon *daemon = data;
	struct json_object *reply = json_object_new_object();

	(void)parameters;
	json_object_object_add(reply, "subnets", subnets_json(&daemon->engine));
	server_call_reply(call, reply);
}

/* --- the whole --- */

static const char *vpn_state(const struct engine *engine, uint8_t family)
{
	const struct view view = engine_view(engine);

	if (!plan_tunnel_find(&view, family).found)
		return "none";
	return engine->policy->vpn == VPN_YIELD ? "yield" : "override";
}

struct rib_table status_routes(const struct engine *engine)
{
	struct rib_table sum = {0};
	const struct rib_table *it;

	vec_foreach(&engine->model.rib.tables, it) {
		if (!policy_is_our_table(engine->policy, it->table))
			continue;
		sum.n4 += it->n4;
		sum.n6 += it->n6;
	}
	return sum;
}

__attribute__((format(printf, 2, 3))) static void
add_problem(struct json_object *array, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	json_push_text(array, line);
}

/* What is wrong with the way out of a subnet; NULL: nothing. */
static const char *default_problem(const struct engine *engine,
				   const struct subnet *subnet)
{
	static const char *const problems[CELL_FATES] = {
		[CELL_FATE_NONE] = "has no default route, and neither has any "
				   "other subnet; its packets find no route",
		[CELL_FATE_WEAK] = "has no usable default route of its own; "
				   "its packets leave through another subnet",
		[CELL_FATE_STRONG_DROP] =
			"has no usable default route of its own; "
			"its packets are dropped (strong)",
		[CELL_FATE_REJECT] =
			"drops its packets, because an unreachable, prohibit "
			"or blackhole default of table main has the lowest "
			"metric",
	};
	const struct attrset_store *attrs = &engine->model.rib.attrs;
	struct cell cell = {0};
	enum cell_fate fate = pick_default(engine, subnet, &cell);
	const char *problem = problems[fate];

	/* It only sends on to what is behind main: nothing, as a rule. */
	if (fate == CELL_FATE_REJECT &&
	    attrset_get(attrs, cell.route->attrs)->type == ATTRSET_THROW)
		problem = "finds no route for its packets, because a throw "
			  "default of table main has the lowest metric";
	cell_done(&cell);
	return problem;
}

static void add_subnet_problem(const struct engine *engine,
			       const struct subnet *subnet,
			       struct json_object *ret)
{
	const char *problem;
	char buf[IP_TEXT_MAX];

	if (!subnet->managed)
		return;
	if (!subnet->table)
		add_problem(ret, "%s: no table number is free",
			    ip_prefix_format(&subnet->prefix, buf));
	problem = default_problem(engine, subnet);
	if (problem)
		add_problem(ret, "%s on %s %s",
			    ip_prefix_format(&subnet->prefix, buf),
			    link_name(engine, subnet->ifindex), problem);
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
			   attrset_is_given_up(attrset_get(attrs, id));
	if (refused)
		add_problem(array,
			    "the kernel takes no copy of %zu kind%s of route; "
			    "see the log",
			    refused, refused == 1 ? "" : "s");
	if (engine->read_error)
		add_problem(array,
			    "reading from the kernel fails (%s) and is tried "
			    "again; until then nothing is done",
			    strerror(-engine->read_error));
	else if (engine->retry_ms)
		add_problem(array, "some changes failed and are tried again "
				   "(see the log)");
	if (repair_next(&engine->repair) > now_ms)
		add_problem(array,
			    "somebody keeps changing our rules or routes; "
			    "last it %s",
			    engine->repair.what);
	return array;
}

/* The wall clock is reckoned back from now: it may have been set since. */
static struct json_object *last_change(const struct change *change,
				       uint64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	double ago = (double)(now_ms - change->at_ms) / 1000;
	struct timespec now;
	char what[CHANGE_TEXT_MAX];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	json_add_double(object, "time",
			(double)now.tv_sec + (double)now.tv_nsec / 1e9 - ago);
	json_add_double(object, "seconds_ago", ago);
	json_add_text(object, "what", change_format(change, what));
	return object;
}

static struct json_object *trial_json(const struct trial *trial,
				      uint64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	uint64_t until = trial_next(trial);
	uint64_t left = until > now_ms ? until - now_ms : 0;

	json_add_double(object, "seconds_left", (double)left / 1000);
	return object;
}

static struct json_object *vpn_json(const struct engine *engine)
{
	struct json_object *object = json_object_new_object();

	json_add_text(object, "ipv4", vpn_state(engine, AF_INET));
	json_add_text(object, "ipv6", vpn_state(engine, AF_INET6));
	return object;
}

static struct json_object *routes_json(const struct engine *engine)
{
	struct json_object *object = json_object_new_object();
	const struct rib_table routes = status_routes(engine);

	json_add_int(object, "ipv4", (int64_t)routes.n4);
	json_add_int(object, "ipv6", (int64_t)routes.n6);
	return object;
}

static struct json_object *pins_of(const struct engine *engine)
{
	static const enum pin_kind kinds[] = {PIN_PATH, PIN_HOLD, PIN_AWAY};
	struct json_object *object = json_object_new_object();

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		json_add_int(object, pins_kinds[kinds[i]],
			     (int64_t)pins_count(engine, kinds[i]));
	return object;
}

struct json_object *status_build(const struct daemon *daemon)
{
	const struct engine *engine = &daemon->engine;
	bool strong = engine->policy->model == HOST_MODEL_STRONG;
	struct json_object *object = json_object_new_object();
	uint64_t now_ms = daemon_now();

	json_add_text(object, "version", MULTIHOMED_VERSION);
	json_add_int(object, "pid", getpid());
	json_add_double(object, "uptime",
			(double)(now_ms - daemon->started_ms) / 1000);
	json_add_text(object, "model", strong ? "strong" : "weak");
	json_add_bool(object, "steady", engine_is_steady(engine, now_ms));
	json_object_object_add(object, "subnets", subnets_json(engine));
	json_object_object_add(object, "vpn", vpn_json(engine));
	json_object_object_add(object, "routes", routes_json(engine));
	json_object_object_add(object, "pins", pins_of(engine));
	json_add_int(object, "ops", (int64_t)engine_ops_written(engine));
	if (daemon->round.last.at_ms)
		json_object_object_add(
			object, "last_change",
			last_change(&daemon->round.last, now_ms));
	if (trial_next(&daemon->trial))
		json_object_object_add(object, "trial",
				       trial_json(&daemon->trial, now_ms));
	json_object_object_add(object, "problems", problems(engine, now_ms));
	return object;
}

void status_handle(struct server_call *call, struct json_object *parameters,
		   void *data)
{
	(void)parameters;
	server_call_reply(call, status_build(data));
}
