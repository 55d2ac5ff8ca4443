/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the control socket's methods do.
 */
#include <json-c/json.h>

#include "answers/bindings.h"
#include "answers/doctor.h"
#include "answers/explain.h"
#include "answers/metrics.h"
#include "answers/monitor.h"
#include "answers/mptcp.h"
#include "answers/pins.h"
#include "answers/status.h"
#include "answers/table.h"
#include "answers/verify.h"
#include "control/interface.h"
#include "daemon.h"
#include "log.h"

/* --- Wait --- */

static void forget_waiter(struct server_call *call, void *user)
{
	struct daemon *daemon = user;

	for (size_t i = daemon->waiters.n; i-- > 0;)
		if (daemon->waiters.items[i].call == call)
			vec_remove(&daemon->waiters, i);
}

static void handle_wait(struct server_call *call,
			struct json_object *parameters, void *data)
{
	struct daemon *daemon = data;
	struct waiter waiter = {.call = call};
	struct json_object *timeout = NULL;

	if (json_object_object_get_ex(parameters, "timeout_ms", &timeout) &&
	    timeout) {
		int64_t ms = json_object_get_int64(timeout);

		if (ms < 0) {
			server_call_invalid(call, "timeout_ms");
			return;
		}
		waiter.until_ms = daemon_now() + (uint64_t)ms;
	}
	server_call_defer(call, forget_waiter, daemon);
	vec_push(&daemon->waiters, waiter);
}

void daemon_answer_waiters(struct daemon *daemon, uint64_t now_ms,
			   bool has_heard)
{
	bool steady = has_heard && engine_is_steady(&daemon->engine, now_ms);

	for (size_t i = daemon->waiters.n; i-- > 0;) {
		const struct waiter waiter = daemon->waiters.items[i];
		bool late = waiter.until_ms && waiter.until_ms <= now_ms;

		if (!steady && !late)
			continue;
		vec_remove(&daemon->waiters, i);
		if (steady)
			server_call_reply(waiter.call, NULL);
		else
			server_call_error(waiter.call, INTERFACE_ERROR_TIMEOUT,
					  NULL);
	}
}

uint64_t daemon_next_waiter(const struct daemon *daemon)
{
	const struct waiter *it;
	uint64_t next = 0;

	vec_foreach(&daemon->waiters, it)
		if (it->until_ms && (!next || it->until_ms < next))
			next = it->until_ms;
	return next;
}

/* --- Reload --- */

static struct json_object *errors_json(const struct config_error_vec *errors)
{
	struct json_object *parameters = json_object_new_object();
	struct json_object *array = json_object_new_array();
	const struct config_error *it;

	vec_foreach(errors, it) {
		struct json_object *error = json_object_new_object();

		json_object_object_add(error, "file",
				       json_object_new_string(it->file));
		json_object_object_add(error, "line",
				       json_object_new_int64(it->line));
		json_object_object_add(error, "message",
				       json_object_new_string(it->message));
		json_object_array_add(array, error);
	}
	json_object_object_add(parameters, "errors", array);
	return parameters;
}

static void handle_reload(struct server_call *call,
			  struct json_object *parameters, void *data)
{
	struct daemon *daemon = data;
	struct config_error_vec errors = {0};
	struct json_object *seconds = NULL;

	(void)json_object_object_get_ex(parameters, "try_seconds", &seconds);
	if (trial_reload(daemon, (unsigned int)json_object_get_int(seconds),
			 &errors) == 0) {
		server_call_reply(call, NULL);
	} else {
		log_err("reload: %zu error%s; the configuration stays as it "
			"was",
			errors.n, errors.n == 1 ? "" : "s");
		server_call_error(call, INTERFACE_ERROR_CONFIG_INVALID,
				  errors_json(&errors));
	}
	vec_done(&errors);
}

static void handle_confirm(struct server_call *call,
			   struct json_object *parameters, void *data)
{
	struct json_object *value = NULL;
	bool keep = true;

	if (json_object_object_get_ex(parameters, "keep", &value) && value)
		keep = json_object_get_boolean(value);
	if (trial_confirm(data, keep) < 0)
		server_call_error(call, INTERFACE_ERROR_NO_TRIAL, NULL);
	else
		server_call_reply(call, NULL);
}

const struct server_method daemon_methods[] = {
	{INTERFACE_STATUS, false, status_handle},
	{INTERFACE_SUBNETS, false, status_handle_subnets},
	{INTERFACE_TABLE, false, table_handle},
	{INTERFACE_BINDINGS, false, bindings_handle},
	{INTERFACE_PINS, false, pins_handle},
	{INTERFACE_MPTCP, false, mptcp_handle},
	{INTERFACE_EXPLAIN, false, explain_handle},
	{INTERFACE_VERIFY, false, verify_handle},
	{INTERFACE_DOCTOR, false, doctor_handle},
	{INTERFACE_MONITOR, false, monitor_handle},
	{INTERFACE_METRICS, false, metrics_handle},
	{INTERFACE_WAIT, false, handle_wait},
	{INTERFACE_RELOAD, true, handle_reload},
	{INTERFACE_CONFIRM, true, handle_confirm},
	{INTERFACE_UNPIN, true, pins_handle_unpin},
	{NULL, false, NULL},
};
