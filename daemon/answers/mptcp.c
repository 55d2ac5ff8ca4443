/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answers/mptcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "answers/connections.h"
#include "answers/json.h"
#include "control/field.h"
#include "control/interface.h"
#include "daemon.h"
#include "mptcp/ours.h"

#define OTHERS_MAX 8
#define HEX	   "0123456789abcdefABCDEF"

static const char *const managers[] = {
	[PATH_MANAGER_KERNEL] = "kernel",
	[PATH_MANAGER_USERSPACE] = "userspace",
	[PATH_MANAGER_OFF] = "off",
};

static const struct {
	uint8_t flag;
	const char *name;
} flag_names[] = {
	{ENDPOINT_SUBFLOW, "subflow"},	 {ENDPOINT_SIGNAL, "signal"},
	{ENDPOINT_BACKUP, "backup"},	 {ENDPOINT_FULLMESH, "fullmesh"},
	{ENDPOINT_IMPLICIT, "implicit"},
};

static struct json_object *flags_of(const struct endpoint *endpoint)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
		if (endpoint->flags & flag_names[i].flag)
			json_push_text(array, flag_names[i].name);
	return array;
}

/* Of the address's subnet, or the one it is bound to. */
static const char *link_of(const struct engine *engine,
			   const struct endpoint *endpoint)
{
	const struct address *it;
	uint32_t ifindex = endpoint->ifindex;
	const struct link *link;

	vec_foreach(&engine->model.addresses, it)
		if (!ifindex && ip_addr_equal(&it->local, &endpoint->addr))
			ifindex = it->ifindex;
	link = model_link(&engine->model, ifindex);
	return link ? link->name : NULL;
}

static struct json_object *endpoint_json(const struct daemon *daemon,
					 const struct endpoint *endpoint)
{
	const struct own_endpoint *own =
		ours_find(&daemon->endpoints, endpoint);
	uint64_t hold_ms = daemon->config.policy.pinning.hold_ms;
	struct json_object *object = json_object_new_object();
	const char *link = link_of(&daemon->engine, endpoint);
	uint64_t now_ms = daemon_now();
	char text[IP_TEXT_MAX];

	json_add_text(object, "address", ip_addr_format(&endpoint->addr, text));
	json_add_int(object, "id", endpoint->id);
	json_object_object_add(object, "flags", flags_of(endpoint));
	if (link)
		json_add_text(object, "link", link);
	json_add_bool(object, "bound", endpoint->ifindex != 0);
	json_add_bool(object, "ours", own != NULL);
	if (own && own->kept)
		json_add_bool(object, "kept", true);
	else if (own && own->lost_ms)
		json_add_double(
			object, "seconds_left",
			own->lost_ms + hold_ms > now_ms
				? (double)(own->lost_ms + hold_ms - now_ms) /
					  1000
				: 0);
	return object;
}

static struct json_object *endpoints_json(const struct daemon *daemon,
					  const struct endpoint_vec *all)
{
	struct json_object *array = json_object_new_array();
	const struct endpoint *it;

	vec_foreach(all, it)
		json_object_array_add(array, endpoint_json(daemon, it));
	return array;
}

/* Addresses that should have one and have none. */
static struct json_object *missing_json(const struct daemon *daemon,
					const struct endpoint_vec *all)
{
	struct json_object *array = json_object_new_array();
	struct endpoint_vec wanted = {0};
	const struct endpoint *it;
	char text[IP_TEXT_MAX];

	/* Where the kernel cannot be asked, nobody knows. */
	if (daemon->endpoints.mptcp &&
	    daemon->engine.policy->mptcp.path_manager == PATH_MANAGER_KERNEL)
		endpoints_wanted(&daemon->endpoints, &daemon->engine, &wanted);
	vec_foreach(&wanted, it)
		if (!endpoint_find_added(all, &it->addr))
			json_push_text(array, ip_addr_format(&it->addr, text));
	vec_done(&wanted);
	return array;
}

/* Return: 0 or -errno. What could not be listed is not told as none. */
static int add_kernel(const struct daemon *daemon, struct json_object *reply)
{
	struct mptcp *mptcp = daemon->endpoints.mptcp;
	struct endpoint_vec all = {0};
	struct mptcp_limits limits;
	struct json_object *object;
	int error = 0;

	if (mptcp && mptcp_get_limits(mptcp, &limits) == 0) {
		object = json_object_new_object();
		json_add_int(object, "subflows", limits.subflows);
		json_add_int(object, "accepted", limits.accepted);
		json_object_object_add(reply, "limits", object);
	}
	if (mptcp)
		error = mptcp_list(mptcp, &all);
	json_object_object_add(reply, "endpoints",
			       endpoints_json(daemon, &all));
	json_object_object_add(reply, "missing",
			       error ? json_object_new_array()
				     : missing_json(daemon, &all));
	vec_done(&all);
	return error;
}

/* Who else listens to the kernel's events: another path manager, mostly. */
static void add_others(const struct daemon *daemon, struct json_object *reply)
{
	struct json_object *array = json_object_new_array();
	uint32_t ports[OTHERS_MAX] = {0};
	size_t n = mptcp_listener_others(daemon->userspace.listener, ports,
					 OTHERS_MAX);

	for (size_t i = 0; i < n && i < OTHERS_MAX; i++)
		json_object_array_add(array, json_object_new_int64(ports[i]));
	json_object_object_add(reply, "others", array);
}

static const char *name_of(int error)
{
	const char *name = strerrorname_np(-error);

	return name ? name : "?";
}

/* Eight digits, as the kernel's tools have it. */
static bool parse_token(const char *text, uint32_t *ret)
{
	unsigned long value;
	char *end;

	if (strlen(text) > 8 || strspn(text, HEX) != strlen(text))
		return false;
	value = strtoul(text, &end, 16);
	if (end == text || value == 0)
		return false;
	*ret = (uint32_t)value;
	return true;
}

void mptcp_handle(struct server_call *call, struct json_object *parameters,
		  void *data)
{
	const struct daemon *daemon = data;
	const struct policy_mptcp *policy = &daemon->config.policy.mptcp;
	const char *text = field_text(parameters, "token", NULL);
	int error = daemon->endpoints.opening.error;
	struct json_object *reply;
	uint32_t token = 0;
	int unlisted;

	if (text && !parse_token(text, &token)) {
		server_call_invalid(call, "token");
		return;
	}
	reply = json_object_new_object();
	json_add_bool(reply, "available", error != -ENOENT);
	json_add_text(reply, "path_manager", managers[policy->path_manager]);
	if (policy->path_manager == PATH_MANAGER_USERSPACE)
		json_add_bool(reply, "manages",
			      userspace_fd(&daemon->userspace) >= 0);
	add_others(daemon, reply);
	unlisted = add_kernel(daemon, reply);
	error = error ? error : unlisted;
	if (error && error != -ENOENT)
		json_add_text(reply, "kernel_error", name_of(error));
	connections_add(daemon, token, reply);
	server_call_reply(call, reply);
}
