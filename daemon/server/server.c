/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "server/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>

#include <ev.h>

#include "control/interface.h"
#include "control/listener.h"
#include "control/varlink.h"
#include "server/clients.h"

enum {
	CLIENTS_MAX = 256,
	MESSAGE_MAX = 64 * 1024,
	QUEUE_MAX = 4 * 1024 * 1024,
	STALL_MS = 10000,
	ACCEPT_BURST = 16, /* then the rest of the loop gets its turn */
	NAME_MAX_SHOWN = 128,
};

#define ACCEPT_PAUSE_S 1.0 /* when no file descriptor is left */

struct server {
	struct clients clients;
	const struct server_method *methods;
	void *data;
	char *version;

	struct listener listener;
	ev_io acceptable;
	ev_timer resume; /* accept again */
};

static void call_error_about(struct server_call *call, const char *name,
			     const char *key, const char *value)
{
	struct json_object *parameters = json_object_new_object();

	if (parameters)
		json_object_object_add(parameters, key,
				       json_object_new_string(value));
	server_call_error(call, name, parameters);
}

void server_call_invalid(struct server_call *call, const char *parameter)
{
	call_error_about(call, INTERFACE_ERROR_INVALID, "parameter", parameter);
}

static void get_info(struct server_call *call, struct json_object *parameters,
		     void *data)
{
	struct server *server = data;

	(void)parameters;
	server_call_reply(call, interface_info(server->version));
}

static void get_description(struct server_call *call,
			    struct json_object *parameters, void *data)
{
	struct json_object *name = NULL;
	struct json_object *reply;
	const char *text;

	(void)data;
	(void)json_object_object_get_ex(parameters, "interface", &name);
	text = interface_description(json_object_get_string(name));
	if (!text) {
		call_error_about(call, INTERFACE_ERROR_NO_INTERFACE,
				 "interface", json_object_get_string(name));
		return;
	}
	reply = json_object_new_object();
	if (reply)
		json_object_object_add(reply, "description",
				       json_object_new_string(text));
	server_call_reply(call, reply);
}

static const struct server_method service_methods[] = {
	{INTERFACE_GET_INFO, false, get_info},
	{INTERFACE_GET_DESCRIPTION, false, get_description},
	{NULL, false, NULL},
};

static const struct server_method *
method_find(const struct server_method *methods, const char *name)
{
	for (; methods->name; methods++)
		if (strcmp(methods->name, name) == 0)
			return methods;
	return NULL;
}

static void refuse_unknown(struct server_call *call, const char *method)
{
	char interface[NAME_MAX_SHOWN];
	const char *dot = strrchr(method, '.');

	(void)snprintf(interface, sizeof(interface), "%.*s",
		       (int)(dot - method), method);
	if (interface_method_find(method))
		call_error_about(call, INTERFACE_ERROR_NOT_BUILT, "method",
				 method);
	else if (interface_description(interface))
		call_error_about(call, INTERFACE_ERROR_NO_METHOD, "method",
				 method);
	else
		call_error_about(call, INTERFACE_ERROR_NO_INTERFACE,
				 "interface", interface);
}

/* Is the caller allowed, and does it ask for something that makes sense? */
static bool may_call(struct server_call *call,
		     const struct server_method *method,
		     struct json_object *parameters)
{
	const struct interface_method *described;
	const char *bad = NULL;

	if (method->needs_admin && !clients_is_admin(call)) {
		clients_log(call, LOG_NOTICE, "may not call ", method->name);
		server_call_error(call, INTERFACE_ERROR_PERMISSION, NULL);
		return false;
	}
	described = interface_method_find(method->name);
	if (described)
		bad = varlink_check(described->params, parameters);
	if (bad) {
		server_call_invalid(call, bad);
		return false;
	}
	return true;
}

static void dispatch(struct server_call *call, const struct varlink_call *asked,
		     void *user)
{
	struct server *server = user;
	const struct server_method *method;
	struct json_object *parameters;
	void *data = server;

	method = method_find(service_methods, asked->method);
	if (!method) {
		method = method_find(server->methods, asked->method);
		data = server->data;
	}
	if (!method) {
		refuse_unknown(call, asked->method);
		return;
	}
	if (!may_call(call, method, asked->parameters))
		return;

	if (asked->parameters)
		parameters = json_object_get(asked->parameters);
	else
		parameters = json_object_new_object();
	method->handle(call, parameters, data);
	json_object_put(parameters);
}

/*
 * Take one client.
 *
 * Return: 0; -EAGAIN when nobody waits; or why nobody can be taken. The kernel
 * looks for a free descriptor first: -EMFILE does not say that anybody waits.
 */
static int accept_one(struct server *server)
{
	int fd = accept4(server->listener.fd, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0) {
		(void)clients_add(&server->clients, fd);
		return 0;
	}
	return errno == EINTR || errno == ECONNABORTED ? 0 : -errno;
}

/* Somebody waits and cannot be taken: without a pause the loop would spin. */
static void accept_later(struct server *server)
{
	struct ev_loop *loop = server->clients.loop;

	ev_io_stop(loop, &server->acceptable);
	ev_timer_set(&server->resume, ACCEPT_PAUSE_S, 0.);
	ev_timer_start(loop, &server->resume);
}

static void on_acceptable(struct ev_loop *loop, ev_io *watcher, int events)
{
	struct server *server = watcher->data;
	int err = accept_one(server);
	int i;

	(void)loop;
	(void)events;
	if (err && err != -EAGAIN) {
		if (clients_evict(&server->clients, false))
			err = accept_one(server);
		if (err && err != -EAGAIN)
			accept_later(server);
		return;
	}
	for (i = 1; i < ACCEPT_BURST && !err; i++)
		err = accept_one(server);
}

static void on_resume(struct ev_loop *loop, ev_timer *watcher, int events)
{
	struct server *server = watcher->data;

	(void)events;
	ev_io_start(loop, &server->acceptable);
}

static void report(const struct server_config *config, int level,
		   const char *what, const char *detail)
{
	char text[2 * LISTENER_WHY_MAX];

	if (!config->log)
		return;
	(void)snprintf(text, sizeof(text), "%s%s", what, detail);
	config->log(level, text);
}

static int start_listening(struct server *server,
			   const struct server_config *config)
{
	struct listener_result result;
	int err;

	err = listener_open(config->path, config->group,
			    config->group_is_default, &result,
			    &server->listener);
	if (err) {
		report(config, LOG_ERR, "control socket: ", result.error);
		return err;
	}
	if (result.warning[0] != '\0')
		report(config, LOG_WARNING,
		       "control socket: for its owner only: ", result.warning);

	ev_io_set(&server->acceptable, server->listener.fd, EV_READ);
	ev_io_start(server->clients.loop, &server->acceptable);
	return 0;
}

static size_t or_default(size_t value, size_t fallback)
{
	return value > 0 ? value : fallback;
}

int server_new(struct ev_loop *loop, const struct server_config *config,
	       const struct server_method *methods, void *data,
	       struct server **ret)
{
	struct server *server = calloc(1, sizeof(*server));
	int err;

	if (!server)
		return -ENOMEM;
	server->methods = methods;
	server->data = data;
	server->listener.fd = -1;
	server->listener.lock_fd = -1;
	server->clients = (struct clients){
		.loop = loop,
		.max = (unsigned int)or_default(config->clients_max,
						CLIENTS_MAX),
		.message_max = or_default(config->message_max, MESSAGE_MAX),
		.queue_max = or_default(config->queue_max, QUEUE_MAX),
		.stall_ms =
			(unsigned int)or_default(config->stall_ms, STALL_MS),
		.log = config->log,
		.dispatch = dispatch,
		.data = server,
	};
	clients_init(&server->clients);
	ev_init(&server->acceptable, on_acceptable);
	ev_timer_init(&server->resume, on_resume, 0., 0.);
	server->acceptable.data = server;
	server->resume.data = server;

	server->version = strdup(config->version ? config->version : "");
	err = server->version ? start_listening(server, config) : -ENOMEM;
	if (err) {
		server_free(server);
		return err;
	}
	*ret = server;
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	ev_io_stop(server->clients.loop, &server->acceptable);
	ev_timer_stop(server->clients.loop, &server->resume);
	clients_done(&server->clients);
	listener_close(&server->listener);
	free(server->version);
	free(server);
}

unsigned int server_clients(const struct server *server)
{
	return server->clients.count;
}

bool server_is_asked(const struct server *server)
{
	return clients_have_turns(&server->clients);
}
