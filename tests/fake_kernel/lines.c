/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ip(8)'s words. Routes and rules are read as those of scenes are.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "tests/fake_kernel/machine.h"
#include "tests/unit/scene_text.h"

#define MAC_LEN 6

/* A line on its way. */
struct line {
	struct fake *fake;
	uint32_t port;
	struct words words;
	bool names_protocol;
};

/* --- links --- */

static int link_add(struct line *line)
{
	struct words *words = &line->words;
	const char *name = words_next(words);
	const char *peer = NULL;

	if (!words_take(words, "type"))
		return -EINVAL;
	if (words_take(words, "veth")) {
		if (!words_take(words, "peer") || !words_take(words, "name"))
			return -EINVAL;
		peer = words_next(words);
	} else if (!words_take(words, "dummy")) {
		return -EINVAL;
	}
	return words_left(words) ? -EINVAL
				 : machine_add_link(line->fake, name, peer);
}

static int link_set(struct line *line)
{
	struct words *words = &line->words;
	uint32_t ifindex;
	bool up;

	if (words_dev(words, &ifindex))
		return -ENODEV;
	if (words_take(words, "ipv6")) {
		up = words_take(words, "on");
		if ((!up && !words_take(words, "off")) || words_left(words))
			return -EINVAL;
		return machine_set_ipv6(line->fake, ifindex, up);
	}
	up = words_take(words, "up");
	if ((!up && !words_take(words, "down")) || words_left(words))
		return -EINVAL;
	return machine_set_link(line->fake, ifindex, up);
}

static int link_del(struct line *line)
{
	uint32_t ifindex;

	if (words_dev(&line->words, &ifindex))
		return -ENODEV;
	return machine_remove_link(line->fake, ifindex);
}

/* --- addresses --- */

/* Without a length it is that of one address. */
static int read_addr_len(struct words *words, struct ip_addr *ret,
			 uint8_t *ret_len)
{
	if (words_left(words) && strchr(words->items[words->at], '/'))
		return words_addr_len(words, ret, ret_len);
	if (words_addr(words, ret))
		return -EINVAL;
	*ret_len = ip_bits(ret->family);
	return 0;
}

static int read_address(struct words *words, struct address *ret)
{
	if (read_addr_len(words, &ret->local, &ret->prefix_len))
		return -EINVAL;
	ret->peer = ret->local;
	if (words_take(words, "peer") &&
	    read_addr_len(words, &ret->peer, &ret->prefix_len))
		return -EINVAL;
	if (!words_take(words, "dev") || words_dev(words, &ret->ifindex) ||
	    words_left(words))
		return -EINVAL;
	if (ip_addr_is_link_local(&ret->local) && ret->local.family == AF_INET6)
		ret->scope = MACHINE_LINK;
	return 0;
}

static int address_add(struct line *line)
{
	struct address address = {0};

	if (read_address(&line->words, &address))
		return -EINVAL;
	return machine_add_address(line->fake, line->port, &address);
}

static int address_del(struct line *line)
{
	struct address address = {0};

	if (read_address(&line->words, &address))
		return -EINVAL;
	return machine_remove_address(line->fake, line->port, &address);
}

/* --- routes --- */

static const struct next_hop *find_nexthop(const struct fake *fake, uint32_t id)
{
	for (size_t i = 0; i < fake->nexthops.n; i++)
		if (fake->nexthops.items[i].id == id)
			return &fake->nexthops.items[i].hop;
	return NULL;
}

static int put_or_delete(struct line *line, const struct machine_route *in,
			 bool del)
{
	return del ? machine_delete_route(line->fake, in)
		   : machine_put_route(line->fake, in, NULL);
}

static int change_route(struct line *line, enum machine_how how, bool del)
{
	struct machine_route change = {
		.how = how,
		.port = line->port,
		.any_protocol = !line->names_protocol,
	};
	const struct next_hop *hop;
	struct model_route route;
	uint64_t ignored;
	int error;

	if (scene_text_route(&line->words, &ignored, &route))
		return -EINVAL;
	change.prefix = route.prefix;
	change.route = route.route;
	change.set = &route.set;
	hop = find_nexthop(line->fake, route.set.nh_id);
	if (hop && route.set.hops.n == 0)
		attrset_add_hop(&route.set, hop, NULL, 0);
	error = route.set.nh_id && !hop ? -EINVAL
					: put_or_delete(line, &change, del);
	attrset_done(&route.set);
	return error;
}

static int route_add(struct line *line)
{
	return change_route(line, MACHINE_ADD, false);
}

static int route_append(struct line *line)
{
	return change_route(line, MACHINE_APPEND, false);
}

static int route_prepend(struct line *line)
{
	return change_route(line, MACHINE_PREPEND, false);
}

static int route_replace(struct line *line)
{
	return change_route(line, MACHINE_REPLACE, false);
}

static int route_del(struct line *line)
{
	return change_route(line, MACHINE_ADD, true);
}

/* --- rules --- */

static int rule_add(struct line *line)
{
	struct rule rule;

	if (!words_take(&line->words, "priority") ||
	    scene_text_rule(&line->words, &rule))
		return -EINVAL;
	return machine_add_rule(line->fake, line->port, &rule, true);
}

static int rule_del(struct line *line)
{
	struct rule rule;

	if (!words_take(&line->words, "priority") ||
	    scene_text_rule(&line->words, &rule))
		return -EINVAL;
	return machine_remove_rule(line->fake, line->port, &rule);
}

/* --- neighbours --- */

static int read_mac(struct words *words, struct kernel_mac *ret)
{
	unsigned int bytes[MAC_LEN];

	if (sscanf(words_next(words), "%x:%x:%x:%x:%x:%x", &bytes[0], &bytes[1],
		   &bytes[2], &bytes[3], &bytes[4], &bytes[5]) != MAC_LEN)
		return -EINVAL;
	ret->len = MAC_LEN;
	for (size_t i = 0; i < MAC_LEN; i++)
		ret->bytes[i] = (uint8_t)bytes[i];
	return 0;
}

static int read_neighbour_key(struct words *words, struct neighbour *ret)
{
	if (words_addr(words, &ret->addr) || !words_take(words, "dev") ||
	    words_dev(words, &ret->ifindex))
		return -EINVAL;
	return 0;
}

/* Whoever but the kernel changes an entry makes it an ordinary one. */
static int neigh_replace(struct line *line)
{
	struct words *words = &line->words;
	struct machine_neighbour put = {0};
	const struct machine_neighbour *old;
	const char *nud;

	if (read_neighbour_key(words, &put.entry))
		return -EINVAL;
	old = machine_neighbour(line->fake, put.entry.ifindex, &put.entry.addr);
	if (old)
		put = *old;
	if (words_take(words, "lladdr") && read_mac(words, &put.mac))
		return -EINVAL;
	if (!words_take(words, "nud"))
		return -EINVAL;
	nud = words_next(words);
	put.entry.failed = strcmp(nud, "failed") == 0;
	put.entry.permanent = strcmp(nud, "permanent") == 0;
	put.entry.unresolved = strcmp(nud, "incomplete") == 0;
	put.entry.managed &= line->port == 0;
	if (put.entry.failed || put.entry.unresolved)
		put.mac.len = 0;
	machine_put_neighbour(line->fake, line->port, &put);
	return 0;
}

static int neigh_del(struct line *line)
{
	struct neighbour key = {0};

	if (read_neighbour_key(&line->words, &key))
		return -EINVAL;
	return machine_remove_neighbour(line->fake, line->port, key.ifindex,
					&key.addr);
}

/* --- nexthop objects --- */

static void tell_nexthop(const struct line *line, uint32_t id, bool deleted)
{
	struct kernel_event event = {
		.kind = KERNEL_NEXTHOP,
		.deleted = deleted,
		.port = line->port,
		.nexthop_id = id,
	};

	machine_tell(line->fake, &event, MACHINE_NO_ATTRS);
}

static int nexthop_add(struct line *line)
{
	struct words *words = &line->words;
	struct machine_nexthop object = {0};

	if (!words_take(words, "id") || words_number(words, &object.id) ||
	    !words_take(words, "via") ||
	    words_addr(words, &object.hop.gateway) ||
	    !words_take(words, "dev") ||
	    words_dev(words, &object.hop.ifindex) || words_left(words))
		return -EINVAL;
	if (find_nexthop(line->fake, object.id))
		return -EEXIST;
	vec_push(&line->fake->nexthops, object);
	tell_nexthop(line, object.id, false);
	return 0;
}

static int nexthop_del(struct line *line)
{
	struct words *words = &line->words;
	struct fake *fake = line->fake;
	uint32_t id;

	if (!words_take(words, "id") || words_number(words, &id) ||
	    !find_nexthop(fake, id))
		return -EINVAL;
	for (size_t i = fake->nexthops.n; i-- > 0;)
		if (fake->nexthops.items[i].id == id)
			vec_remove(&fake->nexthops, i);
	tell_nexthop(line, id, true);
	machine_drop_nexthop(fake, id);
	return 0;
}

/* --- lines --- */

static const struct {
	const char *noun;
	const char *verb;
	int (*act)(struct line *line);
} acts[] = {
	{"link", "add", link_add},
	{"link", "set", link_set},
	{"link", "del", link_del},
	{"address", "add", address_add},
	{"address", "del", address_del},
	{"route", "add", route_add},
	{"route", "append", route_append},
	{"route", "prepend", route_prepend},
	{"route", "replace", route_replace},
	{"route", "del", route_del},
	{"rule", "add", rule_add},
	{"rule", "del", rule_del},
	{"neigh", "replace", neigh_replace},
	{"neigh", "del", neigh_del},
	{"nexthop", "add", nexthop_add},
	{"nexthop", "del", nexthop_del},
};

int fake_do(struct fake *fake, uint32_t port, const char *line)
{
	struct line it = {.fake = fake, .port = port};
	char rest[512];
	bool six = strncmp(line, "-6 ", 3) == 0;

	/* Scenes say the family behind; ip(8) says it in front. */
	if (snprintf(rest, sizeof(rest), "%.*s%s",
		     (int)strcspn(line + (six ? 3 : 0), "#"),
		     line + (six ? 3 : 0),
		     six ? " inet6" : "") >= (int)sizeof(rest) ||
	    words_split(&it.words, &fake->model, rest))
		return -EINVAL;
	if (!words_left(&it.words))
		return 0;
	it.names_protocol = strstr(rest, " proto ") != NULL;
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		struct words *words = &it.words;

		words->at = 0;
		if (words_take(words, acts[i].noun) &&
		    words_take(words, acts[i].verb))
			return acts[i].act(&it);
	}
	return -EINVAL;
}
