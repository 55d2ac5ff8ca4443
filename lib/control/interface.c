/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/interface.h"

#include <string.h>

enum {
	DAY_MS = 24 * 60 * 60 * 1000
};

/* docs/io.multihomed.varlink, as bytes: a literal may not be that long. */
static const char multihomed_text[] = {
#include "io.multihomed.varlink.inc"
	0,
};

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

static const struct varlink_param table_params[] = {
	{"subnet", json_type_string, true, 0, 0},
	{.name = NULL},
};

static const struct varlink_param explain_params[] = {
	{"source", json_type_string, true, 0, 0},
	{"destination", json_type_string, false, 0, 0},
	{"dev", json_type_string, true, 0, 0},
	{"tos", json_type_int, true, 0, UINT8_MAX},
	{"without", json_type_string, true, 0, 0},
	{"mptcp", json_type_boolean, true, 0, 0},
	{.name = NULL},
};

static const struct varlink_param mptcp_params[] = {
	{"token", json_type_string, true, 0, 0},
	{.name = NULL},
};

static const struct varlink_param unpin_params[] = {
	{"destination", json_type_string, true, 0, 0},
	{.name = NULL},
};

static const struct varlink_param wait_params[] = {
	{"timeout_ms", json_type_int, true, 0, DAY_MS},
	{.name = NULL},
};

static const struct varlink_param reload_params[] = {
	{"try_seconds", json_type_int, true, 1, DAY_MS / 1000},
	{.name = NULL},
};

static const struct varlink_param confirm_params[] = {
	{"keep", json_type_boolean, true, 0, 0},
	{.name = NULL},
};

static const struct varlink_param description_params[] = {
	{"interface", json_type_string, false, 0, 0},
	{.name = NULL},
};

const struct interface_method interface_methods[] = {
	{INTERFACE_STATUS, no_params},
	{INTERFACE_SUBNETS, no_params},
	{INTERFACE_TABLE, table_params},
	{INTERFACE_BINDINGS, no_params},
	{INTERFACE_PINS, no_params},
	{INTERFACE_UNPIN, unpin_params},
	{INTERFACE_MPTCP, mptcp_params},
	{INTERFACE_EXPLAIN, explain_params},
	{INTERFACE_VERIFY, no_params},
	{INTERFACE_DOCTOR, no_params},
	{INTERFACE_MONITOR, no_params},
	{INTERFACE_METRICS, no_params},
	{INTERFACE_WAIT, wait_params},
	{INTERFACE_RELOAD, reload_params},
	{INTERFACE_CONFIRM, confirm_params},
	{INTERFACE_GET_INFO, no_params},
	{INTERFACE_GET_DESCRIPTION, description_params},
	{NULL, NULL},
};

const struct interface_error interface_errors[] = {
	{INTERFACE_ERROR_TIMEOUT, "the time was over first"},
	{INTERFACE_ERROR_CONFIG_INVALID, "the configuration has errors"},
	{INTERFACE_ERROR_NO_SUBNET, "no managed subnet fits"},
	{INTERFACE_ERROR_NO_LINK, "there is no link of that name"},
	{INTERFACE_ERROR_NO_TRIAL, "no configuration is on trial"},
	{INTERFACE_ERROR_KERNEL, "the kernel could not be asked"},
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
