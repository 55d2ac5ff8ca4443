/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/scene.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "tests/unit/scene_text.h"

#define SCOPE_LINK 253
#define SCOPE_HOST 254

/* --- links and addresses --- */

static int link_line(struct scene *scene, struct words *words)
{
	struct link link = {0};

	if (words_number(words, &link.ifindex))
		return -EINVAL;
	(void)snprintf(link.name, sizeof(link.name), "%s", words_next(words));
	link.up = words_take(words, "up");
	if (!link.up && !words_take(words, "down"))
		return -EINVAL;
	link.carrier = link.up && !words_take(words, "no-carrier");
	if (words_take(words, "master") && words_number(words, &link.master))
		return -EINVAL;
	if (words_take(words, "lower") && words_number(words, &link.lower))
		return -EINVAL;
	link.vlan = words_take(words, "vlan");
	link.vrf = words_take(words, "vrf");
	link.loopback = words_take(words, "loopback");
	link.no_ipv6 = words_take(words, "no-ipv6");
	if (words_left(words))
		return -EINVAL;
	(void)model_put_link(&scene->model, &link);
	return 0;
}

static int del_link(struct scene *scene, struct words *words)
{
	uint32_t ifindex;

	if (words_number(words, &ifindex))
		return -EINVAL;
	(void)model_remove_link(&scene->model, ifindex);
	return 0;
}

static int addr_scope(struct words *words, void *into)
{
	struct address *address = into;

	address->scope = 0;
	if (words_take(words, "link"))
		address->scope = SCOPE_LINK;
	else if (words_take(words, "host"))
		address->scope = SCOPE_HOST;
	else if (!words_take(words, "global"))
		return -EINVAL;
	return 0;
}

static int addr_dev(struct words *words, void *into)
{
	struct address *address = into;

	return words_dev(words, &address->ifindex);
}

static int addr_secondary(struct words *words, void *into)
{
	struct address *address = into;

	(void)words;
	address->temporary = true;
	return 0;
}

static int addr_tentative(struct words *words, void *into)
{
	struct address *address = into;

	(void)words;
	address->tentative = true;
	return 0;
}

static int addr_dadfailed(struct words *words, void *into)
{
	struct address *address = into;

	(void)words;
	address->dad_failed = true;
	return 0;
}

static int addr_deprecated(struct words *words, void *into)
{
	struct address *address = into;

	(void)words;
	address->deprecated = true;
	return 0;
}

static const struct keyword addr_words[] = {
	{"dev", addr_dev},
	{"scope", addr_scope},
	{"secondary", addr_secondary},
	{"tentative", addr_tentative},
	{"dadfailed", addr_dadfailed},
	{"deprecated", addr_deprecated},
	{NULL, NULL},
};

static int addr_read(struct words *words, struct address *ret)
{
	struct address address = {0};

	if (words->n > words->at + 1 &&
	    strcmp(words->items[words->at + 1], "peer") == 0) {
		if (words_addr(words, &address.local))
			return -EINVAL;
		(void)words_next(words);
		if (words_addr_len(words, &address.peer, &address.prefix_len))
			return -EINVAL;
	} else {
		if (words_addr_len(words, &address.local, &address.prefix_len))
			return -EINVAL;
		address.peer = address.local;
	}
	if (ip_addr_is_loopback(&address.local))
		address.scope = SCOPE_HOST;
	else if (ip_addr_is_link_local(&address.local))
		address.scope = SCOPE_LINK;
	if (words_read(words, addr_words, &address) || !address.ifindex)
		return -EINVAL;
	*ret = address;
	return 0;
}

static int addr_line(struct scene *scene, struct words *words)
{
	struct address address;

	if (addr_read(words, &address))
		return -EINVAL;
	(void)model_put_address(&scene->model, &address);
	return 0;
}

static int del_addr(struct scene *scene, struct words *words)
{
	struct address address;

	if (addr_read(words, &address))
		return -EINVAL;
	(void)model_remove_address(&scene->model, &address);
	return 0;
}

/* --- routes, rules, neighbours --- */

static int put_route(struct scene *scene, struct words *words,
		     enum model_put how)
{
	struct model_route route;
	uint64_t until_ms;
	int err;

	err = scene_text_route(words, &until_ms, &route);
	if (err)
		return err;
	err = model_put_route(&scene->model, &route, how);
	attrset_done(&route.set);
	return err;
}

static int route_line(struct scene *scene, struct words *words)
{
	return put_route(scene, words, MODEL_APPEND);
}

static int prepend_line(struct scene *scene, struct words *words)
{
	if (!words_take(words, "route"))
		return -EINVAL;
	return put_route(scene, words, MODEL_PREPEND);
}

static int replace_line(struct scene *scene, struct words *words)
{
	if (!words_take(words, "route"))
		return -EINVAL;
	return put_route(scene, words, MODEL_REPLACE);
}

static int del_route(struct scene *scene, struct words *words)
{
	struct model_route route;
	uint64_t until_ms;
	int err;

	err = scene_text_route(words, &until_ms, &route);
	if (err)
		return err;
	err = model_remove_route(&scene->model, &route, until_ms);
	attrset_done(&route.set);
	return err;
}

static int rule_line(struct scene *scene, struct words *words)
{
	struct rule rule;

	if (scene_text_rule(words, &rule))
		return -EINVAL;
	model_add_rule(&scene->model, &rule);
	return 0;
}

static int del_rule(struct scene *scene, struct words *words)
{
	struct rule rule;

	if (scene_text_rule(words, &rule))
		return -EINVAL;
	model_remove_rule(&scene->model, &rule);
	return 0;
}

static int neigh_read(struct words *words, struct neighbour *ret)
{
	struct neighbour neighbour = {0};
	uint32_t protocol = 0;

	if (words_addr(words, &neighbour.addr) || !words_take(words, "dev") ||
	    words_dev(words, &neighbour.ifindex))
		return -EINVAL;
	neighbour.failed = words_take(words, "failed");
	neighbour.permanent = words_take(words, "permanent");
	neighbour.managed = words_take(words, "managed");
	if (words_take(words, "proto") && words_number(words, &protocol))
		return -EINVAL;
	neighbour.protocol = (uint8_t)protocol;
	if (words_left(words))
		return -EINVAL;
	*ret = neighbour;
	return 0;
}

static int neigh_line(struct scene *scene, struct words *words)
{
	struct neighbour neighbour;

	if (neigh_read(words, &neighbour))
		return -EINVAL;
	(void)model_put_neighbour(&scene->model, &neighbour);
	return 0;
}

static int del_neigh(struct scene *scene, struct words *words)
{
	struct neighbour neighbour;

	if (neigh_read(words, &neighbour))
		return -EINVAL;
	(void)model_remove_neighbour(&scene->model, neighbour.ifindex,
				     &neighbour.addr);
	return 0;
}

/* --- policy --- */

static int model_word(struct words *words, enum host_model *ret)
{
	if (words_take(words, "strong"))
		*ret = HOST_MODEL_STRONG;
	else if (words_take(words, "weak"))
		*ret = HOST_MODEL_WEAK;
	else
		return -EINVAL;
	return 0;
}

static int mptcp_word(struct words *words, enum mptcp_link *ret)
{
	static const char *const names[] = {
		[MPTCP_LINK_SUBFLOW] = "subflow",
		[MPTCP_LINK_BACKUP] = "backup",
		[MPTCP_LINK_FULLMESH] = "fullmesh",
		[MPTCP_LINK_SIGNAL] = "signal",
		[MPTCP_LINK_OFF] = "off",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (words_take(words, names[i])) {
			*ret = (enum mptcp_link)i;
			return 0;
		}
	return -EINVAL;
}

static int policy_interface(struct scene *scene, struct words *words)
{
	struct policy_interface entry = {0};

	(void)snprintf(entry.match, sizeof(entry.match), "%s",
		       words_next(words));
	if (words_take(words, "always"))
		entry.manage = MANAGE_ALWAYS;
	else if (words_take(words, "never"))
		entry.manage = MANAGE_NEVER;
	entry.has_model = model_word(words, &entry.model) == 0;
	if (words_take(words, "metric_add") &&
	    words_number(words, &entry.metric_add))
		return -EINVAL;
	if (words_take(words, "mptcp") && mptcp_word(words, &entry.mptcp))
		return -EINVAL;
	vec_push(&scene->policy.interfaces, entry);
	return 0;
}

static int policy_route(struct scene *scene, struct words *words)
{
	struct policy_route entry = {0};

	if (words_prefix(words, &entry.to) ||
	    (words_take(words, "via") && words_addr(words, &entry.via)) ||
	    !words_take(words, "dev"))
		return -EINVAL;
	(void)snprintf(entry.dev, sizeof(entry.dev), "%s", words_next(words));
	if (words_take(words, "metric") && words_number(words, &entry.metric))
		return -EINVAL;
	vec_push(&scene->policy.routes, entry);
	return 0;
}

static int manager_word(struct words *words, enum path_manager *ret)
{
	if (words_take(words, "kernel"))
		*ret = PATH_MANAGER_KERNEL;
	else if (words_take(words, "userspace"))
		*ret = PATH_MANAGER_USERSPACE;
	else if (words_take(words, "off"))
		*ret = PATH_MANAGER_OFF;
	else
		return -EINVAL;
	return 0;
}

static int policy_line(struct scene *scene, struct words *words)
{
	int err = -EINVAL;

	if (words_take(words, "model")) {
		err = model_word(words, &scene->policy.model);
	} else if (words_take(words, "interface")) {
		err = policy_interface(scene, words);
	} else if (words_take(words, "route")) {
		err = policy_route(scene, words);
	} else if (words_take(words, "path_manager")) {
		err = manager_word(words, &scene->policy.mptcp.path_manager);
	} else if (words_take(words, "vpn")) {
		scene->policy.vpn = words_take(words, "override") ? VPN_OVERRIDE
								  : VPN_YIELD;
		err = scene->policy.vpn == VPN_YIELD &&
				      !words_take(words, "yield")
			      ? -EINVAL
			      : 0;
	}
	return err || words_left(words) ? -EINVAL : 0;
}

static int binding_line(struct scene *scene, struct words *words)
{
	struct policy_binding entry = {0};

	if (words_take(words, "router") && words_addr(words, &entry.router))
		return -EINVAL;
	if (words_take(words, "dev"))
		(void)snprintf(entry.dev, sizeof(entry.dev), "%s",
			       words_next(words));
	if (!words_take(words, "prefix") || words_prefix(words, &entry.prefix))
		return -EINVAL;
	vec_push(&scene->policy.bindings, entry);
	return words_left(words) ? -EINVAL : 0;
}

/* --- what routers advertise --- */

static int advert_of(struct words *words, struct binding *ret)
{
	if (words_addr(words, &ret->router) || !words_take(words, "dev"))
		return -EINVAL;
	return words_dev(words, &ret->ifindex);
}

static int advert_line(struct scene *scene, struct words *words)
{
	struct binding binding = {.prefix_until_ms = BINDING_FOREVER,
				  .router_until_ms = BINDING_FOREVER};
	uint32_t until_ms;
	bool full;

	if (advert_of(words, &binding) || !words_take(words, "prefix") ||
	    words_prefix(words, &binding.prefix))
		return -EINVAL;
	if (words_take(words, "until")) {
		if (words_number(words, &until_ms))
			return -EINVAL;
		binding.prefix_until_ms = until_ms;
	}
	if (words_left(words))
		return -EINVAL;
	(void)model_put_binding(&scene->model, &binding, 1, &full);
	return 0;
}

static int del_advert(struct scene *scene, struct words *words)
{
	struct binding binding = {0};

	if (advert_of(words, &binding) || words_left(words))
		return -EINVAL;
	(void)model_set_router(&scene->model, binding.ifindex, &binding.router,
			       0, 1);
	return 0;
}

/* --- lines --- */

static int clock_line(struct scene *scene, struct words *words)
{
	uint32_t now_ms;

	if (words_number(words, &now_ms))
		return -EINVAL;
	model_settle(&scene->model, now_ms);
	model_expire(&scene->model, now_ms);
	model_expire_bindings(&scene->model, now_ms);
	return 0;
}

static const struct {
	const char *name;
	int (*enter)(struct scene *scene, struct words *words);
	int (*take_back)(struct scene *scene, struct words *words);
} verbs[] = {
	{"link", link_line, del_link},	     {"addr", addr_line, del_addr},
	{"route", route_line, del_route},    {"rule", rule_line, del_rule},
	{"neigh", neigh_line, del_neigh},    {"policy", policy_line, NULL},
	{"binding", binding_line, NULL},     {"clock", clock_line, NULL},
	{"advert", advert_line, del_advert}, {"prepend", prepend_line, NULL},
	{"replace", replace_line, NULL},
};

int scene_line(struct scene *scene, const char *line)
{
	struct words words;
	bool del;

	if (words_split(&words, &scene->model, line))
		return -EINVAL;
	if (!words_left(&words))
		return 0;
	del = words_take(&words, "del");
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!words_take(&words, verbs[i].name))
			continue;
		if (!del)
			return verbs[i].enter(scene, &words);
		return verbs[i].take_back ? verbs[i].take_back(scene, &words)
					  : -EINVAL;
	}
	return -EINVAL;
}

void scene_read(struct scene *scene, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		int err = scene_line(scene, text);

		if (err) {
			(void)fprintf(stderr, "scene: %s: %.*s\n",
				      strerror(-err), (int)len, text);
			abort();
		}
		text += len + (text[len] == '\n');
	}
}

/* --- as a whole --- */

void scene_init(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	model_init(&scene->model);
	policy_init(&scene->policy);
}

void scene_done(struct scene *scene)
{
	subnet_set_done(&scene->subnets);
	policy_done(&scene->policy);
	model_done(&scene->model);
}

void scene_manage(struct scene *scene)
{
	struct subnet_set subnets = {0};
	struct subnet *subnet;
	uint32_t table = scene->policy.table_first;

	model_set_config_routes(&scene->model, &scene->policy);
	subnet_set_build(&scene->model, &scene->policy, &scene->subnets,
			 &subnets);
	subnet_set_done(&scene->subnets);
	scene->subnets = subnets;
	vec_foreach(&scene->subnets.subnets, subnet) {
		if (!subnet->managed || subnet->table)
			continue;
		while (subnet_table_is_taken(&scene->subnets, &scene->model,
					     table))
			table++;
		subnet->table = table;
	}
}

void scene_make(struct scene *scene, const char *text)
{
	scene_init(scene);
	scene_read(scene, text);
	scene_manage(scene);
}

struct view scene_view(const struct scene *scene)
{
	return (struct view){
		.model = &scene->model,
		.policy = &scene->policy,
		.subnets = &scene->subnets,
	};
}

struct ip_addr scene_addr(const char *text)
{
	struct ip_addr addr;

	if (ip_addr_parse(text, &addr)) {
		(void)fprintf(stderr, "scene: no address: %s\n", text);
		abort();
	}
	return addr;
}

struct ip_prefix scene_prefix(const char *text)
{
	struct ip_prefix prefix;

	if (ip_prefix_parse(text, &prefix)) {
		(void)fprintf(stderr, "scene: no prefix: %s\n", text);
		abort();
	}
	return prefix;
}

const struct subnet *scene_subnet(const struct scene *scene, const char *prefix,
				  const char *dev)
{
	struct ip_prefix key = scene_prefix(prefix);
	const struct link *link = model_link_by_name(&scene->model, dev);
	const struct subnet *subnet =
		link ? subnet_find(&scene->subnets, &key, link->ifindex) : NULL;

	if (!subnet) {
		(void)fprintf(stderr, "scene: no subnet %s on %s\n", prefix,
			      dev);
		abort();
	}
	return subnet;
}
