/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/pins.h"

#include <stdlib.h>

#include "answers/json.h"
#include "control/field.h"
#include "control/interface.h"
#include "core/xalloc.h"
#include "daemon.h"

#define STEP_PINS 200 /* in one reply */

const char *const pins_kinds[PIN_AWAY + 1] = {
	[PIN_NONE] = "none",
	[PIN_PATH] = "path",
	[PIN_HOLD] = "hold",
	[PIN_AWAY] = "away",
};

static const char *const whys[PIN_WHYS] = {
	[PIN_WHY_ROUTE] = "another route became the better one",
	[PIN_WHY_LONGER] = "a longer prefix appeared",
	[PIN_WHY_START] = "they began before the daemon",
	[PIN_WHY_LOST] = "their path is gone",
	[PIN_WHY_RETURNED] = "their path is back, though another is better",
};

size_t pins_count(const struct engine *engine, enum pin_kind kind)
{
	return engine->pins.set.count[kind];
}

static const struct subnet *subnet_of(const struct view *view, uint32_t table)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it)
		if (it->table == table)
			return it;
	return NULL;
}

static const char *name_of(const struct view *view, uint32_t ifindex)
{
	const struct link *link = model_link(view->model, ifindex);

	return link ? link->name : "?";
}

static struct json_object *hops_of(const struct view *view,
				   const struct pin *pin)
{
	const struct attrset *set =
		attrset_get(&view->model->rib.attrs, pin->attrs);
	struct json_object *array = json_object_new_array();
	const struct next_hop *hop;
	char text[IP_TEXT_MAX];

	vec_foreach(&set->hops, hop) {
		struct json_object *object = json_object_new_object();

		if (ip_addr_is_set(&hop->gateway))
			json_add_text(object, "via",
				      ip_addr_format(&hop->gateway, text));
		json_add_text(object, "dev", name_of(view, hop->ifindex));
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *pins_json(const struct view *view, const struct pin *pin,
			      uint64_t now_ms)
{
	const struct subnet *subnet = subnet_of(view, pin->table);
	struct json_object *object = json_object_new_object();
	char text[IP_TEXT_MAX];

	json_add_text(object, "destination", ip_addr_format(&pin->dst, text));
	json_add_text(object, "link",
		      subnet ? name_of(view, subnet->ifindex) : "?");
	json_add_text(object, "prefix",
		      subnet ? ip_prefix_format(&subnet->prefix, text) : "?");
	json_add_int(object, "table", pin->table);
	json_add_text(object, "kind", pins_kinds[pin->kind]);
	json_object_object_add(object, "next_hops", hops_of(view, pin));
	json_add_text(object, "why", whys[pin->why]);
	json_add_int(object, "flows", pin->flows);
	json_add_int(object, "stalled", pin->stalled);
	json_add_double(object, "seconds",
			now_ms > pin->since_ms
				? (double)(now_ms - pin->since_ms) / 1000
				: 0);
	if (pin->kind == PIN_HOLD)
		json_add_double(object, "seconds_left",
				pin->until_ms > now_ms
					? (double)(pin->until_ms - now_ms) /
						  1000
					: 0);
	return object;
}

/* --- Pins: many, so some at a time --- */

struct pins_job {
	struct engine *engine;
	struct ip_addr dst; /* behind this one; not set: from the first on */
	uint32_t table;
};

static void cancel(struct server_call *call, void *user)
{
	(void)call;
	free(user);
}

/* Pins come and go between two steps: what is behind the last one told. */
static size_t first_of(const struct pins_job *job)
{
	const struct pin_set *set = &job->engine->pins.set;
	const struct pin last = {.dst = job->dst, .table = job->table};
	const struct ip_prefix host = ip_prefix_host(&job->dst);
	size_t at = 0;

	if (ip_addr_is_set(&job->dst))
		at = pin_first_in(set, &host);
	while (at < set->pins.n && ip_addr_is_set(&job->dst) &&
	       pin_cmp(&set->pins.items[at], &last) <= 0)
		at++;
	return at;
}

static void step(struct server_call *call, void *user)
{
	struct pins_job *job = user;
	const struct pin_set *set = &job->engine->pins.set;
	const struct view view = engine_view(job->engine);
	struct json_object *reply = json_object_new_object();
	struct json_object *array = json_object_new_array();
	uint64_t now_ms = daemon_now();
	size_t at = first_of(job);
	size_t end =
		at + STEP_PINS < set->pins.n ? at + STEP_PINS : set->pins.n;

	for (; at < end; at++) {
		const struct pin *pin = &set->pins.items[at];

		json_object_array_add(array, pins_json(&view, pin, now_ms));
		job->dst = pin->dst;
		job->table = pin->table;
	}
	json_object_object_add(reply, "pins", array);
	if (at < set->pins.n) {
		server_call_continue(call, reply);
		return;
	}
	server_call_reply(call, reply);
	free(job);
}

void pins_handle(struct server_call *call, struct json_object *parameters,
		 void *data)
{
	struct daemon *daemon = data;
	struct pins_job *job;

	(void)parameters;
	if (!server_call_more(call)) {
		server_call_error(call, INTERFACE_ERROR_EXPECTED_MORE, NULL);
		return;
	}
	job = xalloc(sizeof(*job));
	job->engine = &daemon->engine;
	server_call_defer(call, cancel, job);
	server_call_step(call, step);
}

/* --- Unpin --- */

void pins_handle_unpin(struct server_call *call, struct json_object *parameters,
		       void *data)
{
	const char *text = field_text(parameters, "destination", NULL);
	struct daemon *daemon = data;
	struct json_object *reply;
	struct ip_addr dst = {0};

	if (text && ip_addr_parse(text, &dst) != 0) {
		server_call_invalid(call, "destination");
		return;
	}
	reply = json_object_new_object();
	json_add_int(reply, "pins",
		     (int64_t)engine_pins_unpin(&daemon->engine, &dst));
	server_call_reply(call, reply);
}
