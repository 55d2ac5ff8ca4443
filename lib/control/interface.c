/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/interface.h"

#include <string.h>

enum {
	DAY_MS = 24 * 60 * 60 * 1000
};

static const char multihomed_text[] =
	"# multihomed: source routing for hosts with more than one uplink.\n"
	"interface " INTERFACE_NAME "\n"
	"\n"
	"# weak: what fits no next hop leaves by the lowest metric;\n"
	"# strong: it is dropped.\n"
	"type Model (weak, strong)\n"
	"\n"
	"# What happens to a family while a full tunnel is up. none: there\n"
	"# is no such tunnel; yield: our rules are withdrawn; override: they\n"
	"# stay.\n"
	"type Vpn (none, yield, override)\n"
	"\n"
	"# congruent: the next hop is on the subnet; weak: it is not;\n"
	"# unreachable: dropped, as the strong model asks; none: no default.\n"
	"type Kind (congruent, weak, unreachable, none)\n"
	"\n"
	"# A policy rule that leads to the subnet's table.\n"
	"type Rule (priority: int, from: string)\n"
	"\n"
	"# Where packets to a destination without a route of its own go.\n"
	"type Default (kind: Kind, via: ?string, dev: ?string, metric: ?int)\n"
	"\n"
	"# A subnet is a link and a prefix. Those that are not managed have\n"
	"# no table and no rules.\n"
	"type Subnet (\n"
	"  link: string,\n"
	"  prefix: string,\n"
	"  addresses: []string,\n"
	"  managed: bool,\n"
	"  uplink: bool,\n"
	"  table: ?int,\n"
	"  model: Model,\n"
	"  rules: []Rule,\n"
	"  default: Default\n"
	")\n"
	"\n"
	"# What the daemon changed last.\n"
	"type Change (seconds_ago: float, what: string)\n"
	"\n"
	"# A mistake in the configuration; line 0: the file as a whole.\n"
	"type ConfigError (file: string, line: int, message: string)\n"
	"\n"
	"# The host as the daemon sees it. steady: the kernel has what the\n"
	"# plan wants. routes: how many are in our tables. ops: changes\n"
	"# written to the kernel since the start. problems: for people, one\n"
	"# sentence each.\n"
	"method Status() -> (\n"
	"  version: string,\n"
	"  pid: int,\n"
	"  model: Model,\n"
	"  steady: bool,\n"
	"  subnets: []Subnet,\n"
	"  vpn: (ipv4: Vpn, ipv6: Vpn),\n"
	"  routes: (ipv4: int, ipv6: int),\n"
	"  ops: int,\n"
	"  last_change: ?Change,\n"
	"  problems: []string\n"
	")\n"
	"\n"
	"# Answers when everything that the kernel held at the time of the\n"
	"# call is taken in and the daemon is steady; Timeout if that takes\n"
	"# longer than timeout_ms. Without timeout_ms it waits for as long as\n"
	"# it takes.\n"
	"method Wait(timeout_ms: ?int) -> ()\n"
	"\n"
	"# Read the configuration again. On any error the old one stays. For\n"
	"# root and the daemon's own user only.\n"
	"method Reload() -> ()\n"
	"\n"
	"# The time given was over first.\n"
	"error Timeout ()\n"
	"\n"
	"# The new configuration was not taken.\n"
	"error ConfigInvalid (errors: []ConfigError)\n";

static const char service_text[] =
	"# What every Varlink service answers.\n"
	"interface " INTERFACE_SERVICE "\n"
	"\n"
	"# Who this is, and the interfaces it has.\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"# The text that describes one interface.\n"
	"method GetInterfaceDescription(interface: string) ->\n"
	"  (description: string)\n"
	"\n"
	"# There is no such interface here.\n"
	"error InterfaceNotFound (interface: string)\n"
	"\n"
	"# The interface has no such method.\n"
	"error MethodNotFound (method: string)\n"
	"\n"
	"# The interface has the method, this service does not.\n"
	"error MethodNotImplemented (method: string)\n"
	"\n"
	"# This parameter is missing, unknown, of the wrong type or range.\n"
	"error InvalidParameter (parameter: string)\n"
	"\n"
	"# This user may not call this method.\n"
	"error PermissionDenied ()\n"
	"\n"
	"# This method has more than one answer, and the call did not ask for\n"
	"# more than one.\n"
	"error ExpectedMore ()\n";

static const struct varlink_param no_params[] = {
	{.name = NULL},
};

static const struct varlink_param wait_params[] = {
	{"timeout_ms", json_type_int, true, 0, DAY_MS},
	{.name = NULL},
};

static const struct varlink_param description_params[] = {
	{"interface", json_type_string, false, 0, 0},
	{.name = NULL},
};

const struct interface_method interface_methods[] = {
	{INTERFACE_STATUS, no_params},
	{INTERFACE_WAIT, wait_params},
	{INTERFACE_RELOAD, no_params},
	{INTERFACE_GET_INFO, no_params},
	{INTERFACE_GET_DESCRIPTION, description_params},
	{NULL, NULL},
};

const struct interface_error interface_errors[] = {
	{INTERFACE_ERROR_TIMEOUT, "the time was over first"},
	{INTERFACE_ERROR_CONFIG_INVALID, "the configuration has errors"},
	{INTERFACE_ERROR_NO_INTERFACE, "the daemon lacks the interface"},
	{INTERFACE_ERROR_NO_METHOD, "the daemon does not know the method"},
	{INTERFACE_ERROR_NOT_BUILT, "the daemon does not have the method"},
	{INTERFACE_ERROR_INVALID, "the daemon refuses the parameter"},
	{INTERFACE_ERROR_PERMISSION,
	 "only root and the daemon's own user may do this"},
	{INTERFACE_ERROR_EXPECTED_MORE, "the method answers more than once"},
	{NULL, NULL},
};

static const struct {
	const char *name;
	const char *text;
} interfaces[] = {
	{INTERFACE_SERVICE, service_text},
	{INTERFACE_NAME, multihomed_text},
};

#define INTERFACES (sizeof(interfaces) / sizeof(interfaces[0]))

const struct interface_method *interface_method_find(const char *name)
{
	const struct interface_method *method;

	for (method = interface_methods; method->name; method++)
		if (strcmp(method->name, name) == 0)
			return method;
	return NULL;
}

const struct interface_error *interface_error_find(const char *name)
{
	const struct interface_error *error;

	for (error = interface_errors; error->name; error++)
		if (strcmp(error->name, name) == 0)
			return error;
	return NULL;
}

const char *interface_description(const char *name)
{
	size_t i;

	for (i = 0; i < INTERFACES; i++)
		if (strcmp(interfaces[i].name, name) == 0)
			return interfaces[i].text;
	return NULL;
}

struct json_object *interface_info(const char *version)
{
	struct json_object *info = json_object_new_object();
	struct json_object *names = json_object_new_array();
	size_t i;

	if (!info || !names) {
		json_object_put(info);
		json_object_put(names);
		return NULL;
	}

	for (i = 0; i < INTERFACES; i++)
		json_object_array_add(
			names, json_object_new_string(interfaces[i].name));

	json_object_object_add(info, "vendor",
			       json_object_new_string("multihomed"));
	json_object_object_add(info, "product",
			       json_object_new_string("multihomed"));
	json_object_object_add(info, "version",
			       json_object_new_string(version));
	json_object_object_add(info, "url", json_object_new_string(""));
	json_object_object_add(info, "interfaces", names);
	return info;
}
