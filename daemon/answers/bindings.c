/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/bindings.h"

#include "answers/json.h"
#include "daemon.h"

static struct json_object *configured(const struct policy_binding *binding)
{
	struct json_object *object = json_object_new_object();
	char text[IP_TEXT_MAX];

	if (ip_addr_is_set(&binding->router))
		json_add_text(object, "router",
			      ip_addr_format(&binding->router, text));
	if (binding->dev[0])
		json_add_text(object, "dev", binding->dev);
	json_add_text(object, "prefix",
		      ip_prefix_format(&binding->prefix, text));
	json_add_text(object, "origin", "config");
	return object;
}

static struct json_object *learned(const struct engine *engine,
				   const struct binding *binding,
				   uint64_t now_ms)
{
	struct json_object *object = json_object_new_object();
	const struct link *link = model_link(&engine->model, binding->ifindex);
	uint64_t until_ms = binding_until(binding);
	char text[IP_TEXT_MAX];

	json_add_text(object, "router", ip_addr_format(&binding->router, text));
	json_add_text(object, "dev", link ? link->name : "?");
	json_add_text(object, "prefix",
		      ip_prefix_format(&binding->prefix, text));
	json_add_text(object, "origin", "learned");
	if (until_ms != BINDING_FOREVER)
		json_add_double(object, "seconds_left",
				until_ms > now_ms
					? (double)(until_ms - now_ms) / 1000
					: 0);
	return object;
}

struct json_object *bindings_build(const struct engine *engine, bool hears,
				   uint64_t now_ms)
{
	struct json_object *reply = json_object_new_object();
	struct json_object *array = json_object_new_array();
	const struct policy_binding *entry;
	const struct binding *it;

	vec_foreach(&engine->policy->bindings, entry)
		json_object_array_add(array, configured(entry));
	vec_foreach(&engine->model.bindings, it)
		json_object_array_add(array, learned(engine, it, now_ms));
	json_add_bool(reply, "hears", hears);
	json_object_object_add(reply, "bindings", array);
	return reply;
}

void bindings_handle(struct server_call *call, struct json_object *parameters,
		     void *data)
{
	const struct daemon *daemon = data;

	(void)parameters;
	server_call_reply(call, bindings_build(&daemon->engine,
					       daemon->adverts.socket != NULL,
					       daemon_now()));
}
