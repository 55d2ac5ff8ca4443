/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/config_keys.h"

#include <ctype.h>
#include <netinet/in.h>
#include <syslog.h>

/* The kernel's own tables: compat, default, main, local. */
#define KERNEL_TABLE_FIRST 252
#define KERNEL_TABLE_LAST  255

/* Ours must all come before the rule for table main. */
#define RULE_PRIORITY_MAX (32765 - POLICY_PRIORITIES)

#define PROTOCOL_MIN 5 /* below: the kernel, and what people type */

static const struct config_choice models[] = {
	{"weak", HOST_MODEL_WEAK},
	{"strong", HOST_MODEL_STRONG},
	{NULL, 0},
};

static const struct config_choice vpn_modes[] = {
	{"yield", VPN_YIELD},
	{"override", VPN_OVERRIDE},
	{NULL, 0},
};

static const struct config_choice pin_scopes[] = {
	{"tcp", PIN_SCOPE_TCP},
	{"mptcp", PIN_SCOPE_MPTCP},
	{"off", PIN_SCOPE_OFF},
	{NULL, 0},
};

static const struct config_choice path_managers[] = {
	{"kernel", PATH_MANAGER_KERNEL},
	{"userspace", PATH_MANAGER_USERSPACE},
	{"off", PATH_MANAGER_OFF},
	{NULL, 0},
};

static const struct config_choice mptcp_links[] = {
	{"subflow", MPTCP_LINK_SUBFLOW},   {"backup", MPTCP_LINK_BACKUP},
	{"fullmesh", MPTCP_LINK_FULLMESH}, {"signal", MPTCP_LINK_SIGNAL},
	{"off", MPTCP_LINK_OFF},	   {NULL, 0},
};

static const struct config_choice manages[] = {
	{"auto", MANAGE_AUTO},
	{"always", MANAGE_ALWAYS},
	{"never", MANAGE_NEVER},
	{NULL, 0},
};

static const struct config_choice log_levels[] = {
	{"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
	{"info", LOG_INFO}, {"debug", LOG_DEBUG},     {NULL, 0},
};

static bool has(const config_setting_t *group, const char *name)
{
	return config_setting_get_member(group, name) != NULL;
}

/* --- tables --- */

static const struct config_key table_keys[] = {
	{.name = "first",
	 .read = config_read_number,
	 CONFIG_FIELD(struct config, policy.table_first),
	 .min = 1,
	 .max = UINT32_MAX},
	{.name = "last",
	 .read = config_read_number,
	 CONFIG_FIELD(struct config, policy.table_last),
	 .min = 1,
	 .max = UINT32_MAX},
	{.name = NULL},
};

static void finish_tables(struct config_reader *reader,
			  const config_setting_t *setting, void *item)
{
	const struct config *config = item;
	uint32_t first = config->policy.table_first;
	uint32_t last = config->policy.table_last;

	if (first >= last)
		config_reject(reader, setting,
			      "expected first to be less than last, not %u "
			      "and %u",
			      first, last);
	else if (first <= KERNEL_TABLE_LAST && last >= KERNEL_TABLE_FIRST)
		config_reject(reader, setting,
			      "expected none of the kernel's own tables %d to "
			      "%d between %u and %u",
			      KERNEL_TABLE_FIRST, KERNEL_TABLE_LAST, first,
			      last);
}

static const struct config_group table_group = {
	.keys = table_keys,
	.finish = finish_tables,
};

/* --- interfaces --- */

static void read_match(struct config_reader *reader,
		       const struct config_key *key,
		       const config_setting_t *setting, void *ret)
{
	const char *text = config_text(reader, setting);

	if (!text)
		return;
	if (*text)
		(void)config_copy(reader, setting, key, ret);
	else
		config_reject(reader, setting,
			      "expected the name of a link, or a pattern, not "
			      "\"\"");
}

static const struct config_key interface_keys[] = {
	{.name = "match",
	 .read = read_match,
	 .required = true,
	 CONFIG_FIELD(struct policy_interface, match)},
	{.name = "manage",
	 .read = config_read_choice,
	 .choices = manages,
	 CONFIG_FIELD(struct policy_interface, manage)},
	{.name = "model",
	 .read = config_read_choice,
	 .choices = models,
	 CONFIG_FIELD(struct policy_interface, model)},
	{.name = "metric_add",
	 .read = config_read_number,
	 CONFIG_FIELD(struct policy_interface, metric_add),
	 .max = UINT32_MAX},
	{.name = "mptcp",
	 .read = config_read_choice,
	 .choices = mptcp_links,
	 CONFIG_FIELD(struct policy_interface, mptcp)},
	{.name = NULL},
};

static void finish_interface(struct config_reader *reader,
			     const config_setting_t *setting, void *item)
{
	struct policy_interface_vec *all = &reader->config->policy.interfaces;
	struct policy_interface *interface = item;
	const struct policy_interface *other;

	vec_foreach(all, other) {
		if (strcmp(other->match, interface->match) != 0)
			continue;
		config_reject(reader,
			      config_setting_get_member(setting, "match"),
			      "expected something new: an entry before has "
			      "\"%s\", and the first one applies",
			      interface->match);
		return;
	}
	interface->has_model = has(setting, "model");
	vec_push(all, *interface);
}

static const struct config_group interface_group = {
	.keys = interface_keys,
	.size = sizeof(struct policy_interface),
	.finish = finish_interface,
};

/* --- routes --- */

struct route_entry {
	struct policy_route route;
	bool is_default; /* of the family that via has */
};

/* @ret: the whole entry */
static void read_destination(struct config_reader *reader,
			     const struct config_key *key,
			     const config_setting_t *setting, void *ret)
{
	const char *text = config_text(reader, setting);
	struct route_entry *entry = ret;

	(void)key;
	if (!text)
		return;
	entry->is_default = strcmp(text, "default") == 0;
	if (!entry->is_default)
		(void)config_prefix(reader, setting, &entry->route.to);
}

static const struct config_key route_keys[] = {
	{.name = "to", .read = read_destination, .required = true},
	{.name = "via",
	 .read = config_read_router,
	 CONFIG_FIELD(struct route_entry, route.via)},
	{.name = "dev",
	 .read = config_read_dev,
	 .required = true,
	 CONFIG_FIELD(struct route_entry, route.dev)},
	{.name = "metric",
	 .read = config_read_number,
	 CONFIG_FIELD(struct route_entry, route.metric),
	 .max = UINT32_MAX},
	{.name = NULL},
};

/* IPv4 through an IPv6 router is a thing (RFC 5549), the reverse is not. */
static bool can_lead(const struct ip_addr *router,
		     const struct ip_prefix *prefix)
{
	return !ip_addr_is_set(router) || router->family == AF_INET6 ||
	       prefix->addr.family == AF_INET;
}

static void finish_route(struct config_reader *reader,
			 const config_setting_t *setting, void *item)
{
	struct route_entry *entry = item;
	struct policy_route *route = &entry->route;

	if (entry->is_default && !ip_addr_is_set(&route->via)) {
		config_reject(
			reader, config_setting_get_member(setting, "to"),
			"expected \"0.0.0.0/0\" or \"::/0\": without via, "
			"\"default\" does not tell which");
		return;
	}
	if (entry->is_default)
		route->to = ip_prefix_default(route->via.family);
	if (!can_lead(&route->via, &route->to)) {
		config_reject(reader, config_setting_get_member(setting, "via"),
			      "expected an IPv6 address, as in to");
		return;
	}
	vec_push(&reader->config->policy.routes, *route);
}

static const struct config_group route_group = {
	.keys = route_keys,
	.size = sizeof(struct route_entry),
	.finish = finish_route,
};

/* --- bindings --- */

/* The control socket's answer has them all, and may have 4 MiB. */
#define BINDING_PREFIXES_MAX 20000

/*
 * Adds a binding for each prefix, which has neither router nor dev until
 * finish_binding() gives it those of its entry.
 */
static void read_prefixes(struct config_reader *reader,
			  const struct config_key *key,
			  const config_setting_t *setting, void *ret)
{
	struct policy_binding_vec *all = &reader->config->policy.bindings;
	config_setting_t *element;
	unsigned int i;

	(void)key;
	(void)ret;
	if (config_setting_is_group(setting) ||
	    config_setting_length(setting) == 0) {
		config_reject(reader, setting,
			      "expected a list of one or more prefixes, as "
			      "( \"192.0.2.0/24\" )");
		return;
	}
	if (all->n + (size_t)config_setting_length(setting) >
	    BINDING_PREFIXES_MAX) {
		config_reject(reader, setting,
			      "expected at most %d prefixes in all entries",
			      BINDING_PREFIXES_MAX);
		return;
	}
	for (i = 0; (element = config_setting_get_elem(setting, i)); i++) {
		struct policy_binding binding = {0};

		if (config_prefix(reader, element, &binding.prefix) == 0)
			vec_push(all, binding);
	}
}

static const struct config_key binding_keys[] = {
	{.name = "router",
	 .read = config_read_router,
	 CONFIG_FIELD(struct policy_binding, router)},
	{.name = "dev",
	 .read = config_read_dev,
	 CONFIG_FIELD(struct policy_binding, dev)},
	{.name = "prefixes", .read = read_prefixes, .required = true},
	{.name = NULL},
};

static void finish_binding(struct config_reader *reader,
			   const config_setting_t *setting, void *item)
{
	struct policy_binding_vec *all = &reader->config->policy.bindings;
	const struct policy_binding *entry = item;
	const struct ip_addr *router = &entry->router;
	size_t i = all->n;

	if (!ip_addr_is_set(router) && !entry->dev[0]) {
		config_reject(reader, setting, "router or dev is missing");
		return;
	}
	if (ip_addr_is_link_local(router) && !entry->dev[0]) {
		config_reject(reader, setting,
			      "dev is missing: a link-local router is known "
			      "only together with its link");
		return;
	}
	while (i > 0 && !ip_addr_is_set(&all->items[i - 1].router) &&
	       !all->items[i - 1].dev[0]) {
		struct policy_binding *binding = &all->items[--i];

		if (!can_lead(router, &binding->prefix)) {
			config_reject(reader, setting,
				      "an IPv4 router cannot serve IPv6 "
				      "prefixes");
			return;
		}
		binding->router = *router;
		memcpy(binding->dev, entry->dev, sizeof(binding->dev));
	}
}

static const struct config_group binding_group = {
	.keys = binding_keys,
	.size = sizeof(struct policy_binding),
	.finish = finish_binding,
};

/* --- pinning --- */

static const struct config_key pinning_keys[] = {
	{.name = "scope",
	 .read = config_read_choice,
	 .choices = pin_scopes,
	 CONFIG_FIELD(struct config, policy.pinning.scope)},
	{.name = "hold_ms",
	 .read = config_read_number,
	 CONFIG_FIELD(struct config, policy.pinning.hold_ms),
	 .max = 600000},
	{.name = "max",
	 .read = config_read_number,
	 CONFIG_FIELD(struct config, policy.pinning.max),
	 .min = 1,
	 .max = 1000000},
	{.name = NULL},
};

static const struct config_group pinning_group = {.keys = pinning_keys};

/* --- mptcp --- */

static const struct config_key mptcp_keys[] = {
	{.name = "path_manager",
	 .read = config_read_choice,
	 .choices = path_managers,
	 CONFIG_FIELD(struct config, policy.mptcp.path_manager)},
	{.name = "subflows",
	 .read = config_read_number,
	 CONFIG_FIELD(struct config, policy.mptcp.subflows),
	 .max = 8},
	{.name = "announce",
	 .read = config_read_bool,
	 CONFIG_FIELD(struct config, policy.mptcp.announce)},
	{.name = "reject_incongruent",
	 .read = config_read_bool,
	 CONFIG_FIELD(struct config, policy.mptcp.reject_incongruent)},
	{.name = NULL},
};

static const struct config_group mptcp_group = {.keys = mptcp_keys};

/* --- control --- */

static void read_socket(struct config_reader *reader,
			const struct config_key *key,
			const config_setting_t *setting, void *ret)
{
	const char *text = config_text(reader, setting);
	char quoted[CONFIG_QUOTED_MAX];

	if (!text)
		return;
	if (text[0] == '/' && text[strlen(text) - 1] != '/')
		(void)config_copy(reader, setting, key, ret);
	else
		config_reject(reader, setting,
			      "expected an absolute path of a socket, not %s",
			      config_quote(text, quoted));
}

/* Whether it exists is asked when the socket is made. */
static void read_group_name(struct config_reader *reader,
			    const struct config_key *key,
			    const config_setting_t *setting, void *ret)
{
	const char *text = config_text(reader, setting);
	char quoted[CONFIG_QUOTED_MAX];
	const char *c;

	if (!text)
		return;
	for (c = text; *c; c++) {
		if (strchr(":,/", *c) || isspace((unsigned char)*c) ||
		    iscntrl((unsigned char)*c))
			break;
	}
	if (*c || c == text || *text == '-')
		config_reject(reader, setting,
			      "expected the name of a group of users, not %s",
			      config_quote(text, quoted));
	else
		(void)config_copy(reader, setting, key, ret);
}

static const struct config_key control_keys[] = {
	{.name = "socket",
	 .read = read_socket,
	 CONFIG_FIELD(struct config, socket)},
	{.name = "group",
	 .read = read_group_name,
	 CONFIG_FIELD(struct config, group)},
	{.name = NULL},
};

static void finish_control(struct config_reader *reader,
			   const config_setting_t *setting, void *item)
{
	struct config *config = item;

	(void)reader;
	config->group_is_set = has(setting, "group");
}

static const struct config_group control_group = {
	.keys = control_keys,
	.finish = finish_control,
};

/* --- the file --- */

static const struct config_key root_keys[] = {
	{.name = "model",
	 .read = config_read_choice,
	 .choices = models,
	 CONFIG_FIELD(struct config, policy.model)},
	{.name = "tables", .read = config_read_group, .group = &table_group},
	{.name = "rule_priority",
	 .read = config_read_number,
	 CONFIG_FIELD(struct config, policy.rule_priority),
	 .min = 1,
	 .max = RULE_PRIORITY_MAX},
	{.name = "protocol",
	 .read = config_read_number,
	 CONFIG_FIELD(struct config, policy.protocol),
	 .min = PROTOCOL_MIN,
	 .max = UINT8_MAX},
	{.name = "settle_ms",
	 .read = config_read_number,
	 CONFIG_FIELD(struct config, policy.settle_ms),
	 .max = 60000},
	{.name = "vpn",
	 .read = config_read_choice,
	 .choices = vpn_modes,
	 CONFIG_FIELD(struct config, policy.vpn)},
	{.name = "ignore_linkdown",
	 .read = config_read_bool,
	 CONFIG_FIELD(struct config, policy.ignore_linkdown)},
	{.name = "interfaces",
	 .read = config_read_list,
	 .group = &interface_group,
	 .max = 1000},
	{.name = "routes",
	 .read = config_read_list,
	 .group = &route_group,
	 .max = 50000},
	{.name = "bindings",
	 .read = config_read_list,
	 .group = &binding_group,
	 .max = 10000},
	{.name = "pinning", .read = config_read_group, .group = &pinning_group},
	{.name = "mptcp", .read = config_read_group, .group = &mptcp_group},
	{.name = "control", .read = config_read_group, .group = &control_group},
	{.name = "log_level",
	 .read = config_read_choice,
	 .choices = log_levels,
	 CONFIG_FIELD(struct config, log_level)},
	{.name = NULL},
};

static const struct config_group root_group = {.keys = root_keys};

void config_read_root(struct config_reader *reader,
		      const config_setting_t *root)
{
	static const struct config_key key = {.group = &root_group};

	config_read_group(reader, &key, root, reader->config);
}
