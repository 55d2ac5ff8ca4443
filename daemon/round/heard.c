/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "round/heard.h"

#include <stdio.h>
#include <string.h>

#include <netinet/in.h>

#include "core/text.h"

static const char *link_name(const struct engine *engine, uint32_t ifindex)
{
	const struct link *link = model_link(&engine->model, ifindex);

	return link ? link->name : "?";
}

/* --- one line for each --- */

static void put_link(struct text *line, const struct engine *engine,
		     const struct kernel_event *event)
{
	const struct link *link = &event->link;
	const struct link *old = model_link(&engine->model, link->ifindex);

	if (event->deleted) {
		text_put(line, "link %s gone", old ? old->name : link->name);
		return;
	}
	text_put(line, "link %s %s", link->name, link->up ? "up" : "down");
	if (link->up && !link->carrier)
		text_put(line, ", no carrier");
	if (link->master)
		text_put(line, ", master %s", link_name(engine, link->master));
	if (!old)
		text_put(line, ", new");
	else if (strcmp(old->name, link->name) != 0)
		text_put(line, ", was %s", old->name);
}

static void put_address(struct text *line, const struct engine *engine,
			const struct kernel_event *event)
{
	const struct address *address = &event->address;
	char addr[IP_TEXT_MAX];

	text_put(line, "address %s/%u on %s",
		 ip_addr_format(&address->local, addr), address->prefix_len,
		 link_name(engine, address->ifindex));
	if (event->deleted)
		text_put(line, " gone");
	else if (address->dad_failed)
		text_put(line, ", a duplicate");
	else if (address->tentative)
		text_put(line, ", tentative");
	else if (address->deprecated)
		text_put(line, ", deprecated");
}

/* Who did it, where that was not the kernel itself. */
static void put_port(struct text *line, const struct kernel_event *event)
{
	if (event->port)
		text_put(line, " (port %u)", event->port);
}

static void put_route(struct text *line, const struct engine *engine,
		      const struct kernel_event *event)
{
	const struct model_route *route = &event->route;
	char words[ROUTE_TEXT_MAX];

	text_put(line, "route %s: ",
		 route_format(&route->prefix, &route->route, &route->set,
			      &engine->model.links, words));
	if (event->deleted)
		text_put(line, "gone");
	else
		text_put(line,
			 event->put == MODEL_REPLACE ? "replaced" : "added");
	put_port(line, event);
}

static void put_rule(struct text *line, const struct kernel_event *event)
{
	char words[RULE_TEXT_MAX];

	text_put(line, "rule %s %s: %s",
		 event->rule.family == AF_INET6 ? "-6" : "-4",
		 rule_format(&event->rule, words),
		 event->deleted ? "gone" : "added");
	put_port(line, event);
}

static void put_neighbour(struct text *line, const struct engine *engine,
			  const struct kernel_event *event)
{
	const struct neighbour *neighbour = &event->neighbour;
	const char *what = "answers";
	char addr[IP_TEXT_MAX];

	if (event->deleted)
		what = "gone";
	else if (neighbour->failed)
		what = "does not answer";
	else if (neighbour->unresolved)
		what = "asked";
	text_put(line, "neighbour %s on %s: %s",
		 ip_addr_format(&neighbour->addr, addr),
		 link_name(engine, neighbour->ifindex), what);
}

static void put_advert(struct text *line, const struct engine *engine,
		       const struct kernel_advert *advert)
{
	char router[IP_TEXT_MAX];
	char prefix[IP_TEXT_MAX];

	text_put(line, "router %s on %s: prefix %s",
		 ip_addr_format(&advert->router, router),
		 link_name(engine, advert->ifindex),
		 ip_prefix_format(&advert->prefix.prefix, prefix));
	if (advert->prefix.valid_s == 0)
		text_put(line, " ends");
	else if (advert->prefix.valid_s != RA_FOREVER)
		text_put(line, " for %u s", advert->prefix.valid_s);
}

const char *heard_line(const struct engine *engine,
		       const struct kernel_event *event, char *text)
{
	struct text line;

	text_init(&line, text, HEARD_TEXT_MAX);
	switch (event->kind) {
	case KERNEL_LINK:
		put_link(&line, engine, event);
		break;
	case KERNEL_ADDRESS:
		put_address(&line, engine, event);
		break;
	case KERNEL_ROUTE:
		put_route(&line, engine, event);
		break;
	case KERNEL_RULE:
		put_rule(&line, event);
		break;
	case KERNEL_NEIGHBOUR:
		put_neighbour(&line, engine, event);
		break;
	case KERNEL_NEXTHOP:
		text_put(&line, "nexthop %u %s", event->nexthop_id,
			 event->deleted ? "gone" : "changed");
		break;
	case KERNEL_ADVERT:
		put_advert(&line, engine, &event->advert);
		break;
	case KERNEL_LOST:
		text_put(&line, "messages were lost");
		break;
	case KERNEL_BAD:
		text_put(&line, "a message that makes no sense: %s",
			 event->bad);
		break;
	}
	return text;
}

/* --- how well it explains --- */

static enum heard_rank rank_link(const struct engine *engine,
				 const struct kernel_event *event)
{
	const struct link *new = &event->link;
	const struct link *old = model_link(&engine->model, new->ifindex);

	if (event->deleted)
		return old ? HEARD_LINK : HEARD_NOTHING;
	if (old && old->up == new->up && old->carrier == new->carrier &&
	    old->master == new->master &&strcmp(old->name, new->name) == 0)
		return HEARD_NOTHING;
	return HEARD_LINK;
}

static int cmp_addresses(const void *a, const void *b)
{
	return address_cmp(a, b);
}

static const struct address *find_address(const struct engine *engine,
					  const struct address *address)
{
	const struct address_vec *all = &engine->model.addresses;

	if (all->n == 0)
		return NULL;
	return bsearch(address, all->items, all->n, sizeof(*address),
		       cmp_addresses);
}

/* A lifetime that begins anew is no news. */
static enum heard_rank rank_address(const struct engine *engine,
				    const struct kernel_event *event)
{
	const struct address *new = &event->address;
	const struct address *old = find_address(engine, new);

	if (event->deleted)
		return old ? HEARD_ADDRESS : HEARD_NOTHING;
	return old && address_same(old, new) ? HEARD_NOTHING : HEARD_ADDRESS;
}

/* A LAN has many hosts that do not answer; only routers matter. */
static bool is_router(const struct engine *engine,
		      const struct neighbour *neighbour)
{
	const struct attrset_store *attrs = &engine->model.rib.attrs;
	const struct next_hop *hop;

	for (uint32_t id = 0; id < attrs->n; id++) {
		if (!attrset_is_live(attrs, id))
			continue;
		vec_foreach(&attrset_get(attrs, id)->hops, hop)
			if (hop->ifindex == neighbour->ifindex &&
			    ip_addr_equal(&hop->gateway, &neighbour->addr))
				return true;
	}
	return false;
}

static enum heard_rank rank_neighbour(const struct engine *engine,
				      const struct kernel_event *event)
{
	const struct neighbour *new = &event->neighbour;
	const struct neighbour *old =
		model_neighbour(&engine->model, new->ifindex, &new->addr);
	bool had_failed = old && old->failed;

	if (new->unresolved)
		return HEARD_NOTHING;
	if (had_failed == (new->failed && !event->deleted))
		return HEARD_NOTHING;
	return is_router(engine, new) ? HEARD_NEIGHBOUR : HEARD_NOTHING;
}

/* One that only refreshes what is known is no news. */
static enum heard_rank rank_advert(const struct engine *engine,
				   const struct kernel_advert *advert)
{
	bool ends = advert->prefix.valid_s == 0;
	const struct binding *it;

	vec_foreach(&engine->model.bindings, it)
		if (it->ifindex == advert->ifindex &&
		    ip_addr_equal(&it->router, &advert->router) &&
		    ip_prefix_equal(&it->prefix, &advert->prefix.prefix))
			return ends ? HEARD_ADVERT : HEARD_NOTHING;
	return ends ? HEARD_NOTHING : HEARD_ADVERT;
}

enum heard_rank heard_rank(const struct engine *engine,
			   const struct kernel_event *event)
{
	switch (event->kind) {
	case KERNEL_LINK:
		return rank_link(engine, event);
	case KERNEL_ADDRESS:
		return rank_address(engine, event);
	case KERNEL_ROUTE:
		if (!policy_is_our_table(engine->policy,
					 event->route.route.table))
			return HEARD_ROUTE;
		return event->port ? HEARD_RULE : HEARD_COPY;
	case KERNEL_RULE:
		return HEARD_RULE;
	case KERNEL_NEIGHBOUR:
		return rank_neighbour(engine, event);
	case KERNEL_NEXTHOP:
		return HEARD_NEXTHOP;
	case KERNEL_LOST:
		return HEARD_LOST;
	case KERNEL_ADVERT:
		return rank_advert(engine, &event->advert);
	case KERNEL_BAD:
		return HEARD_NOTHING;
	}
	return HEARD_NOTHING;
}

/* --- as a clause --- */

static void tell_link(struct text *line, const struct engine *engine,
		      const struct kernel_event *event)
{
	const struct link *new = &event->link;
	const struct link *old = model_link(&engine->model, new->ifindex);

	if (event->deleted)
		text_put(line, "%s is gone", old ? old->name : new->name);
	else if (!old)
		text_put(line, "%s is new", new->name);
	else if (strcmp(old->name, new->name) != 0)
		text_put(line, "%s is called %s now", old->name, new->name);
	else if (old->up != new->up)
		text_put(line, "%s %s", new->name,
			 new->up ? "came up" : "went down");
	else if (old->carrier != new->carrier)
		text_put(line, "%s %s", new->name,
			 new->carrier ? "has carrier again"
				      : "lost its carrier");
	else
		text_put(line, "%s has another master", new->name);
}

static void tell_address(struct text *line, const struct engine *engine,
			 const struct kernel_event *event)
{
	const struct address *new = &event->address;
	char addr[IP_TEXT_MAX];

	text_put(line, "address %s/%u on %s ",
		 ip_addr_format(&new->local, addr), new->prefix_len,
		 link_name(engine, new->ifindex));
	if (event->deleted)
		text_put(line, "is gone");
	else if (!find_address(engine, new))
		text_put(line, "is new");
	else if (new->dad_failed)
		text_put(line, "is a duplicate");
	else if (new->deprecated)
		text_put(line, "is deprecated now");
	else
		text_put(line, "is in use now");
}

static void put_hops(struct text *line, const struct heard_route *it)
{
	char addr[IP_TEXT_MAX];

	if (it->hops == 0)
		return;
	if (ip_addr_is_set(&it->gateway))
		text_put(line, " via %s", ip_addr_format(&it->gateway, addr));
	text_put(line, " on %s", it->link);
	if (it->hops > 1)
		text_put(line, " and others");
}

void heard_route(const struct engine *engine, const struct kernel_event *event,
		 struct heard_route *ret)
{
	const struct model_route *route = &event->route;
	static const char unknown[sizeof(ret->link)] = "?";
	const struct next_hop *hop = route->set.hops.items;
	const struct link *link;
	bool inside = policy_is_our_table(engine->policy, route->route.table);

	*ret = (struct heard_route){
		.prefix = route->prefix,
		.hops = route->set.hops.n,
		.table = inside ? route->route.table : 0,
		.port = event->port,
		.ours = inside &&
			route->route.protocol == engine->policy->protocol,
		.deleted = event->deleted,
		.replaced = event->put == MODEL_REPLACE,
	};
	if (!hop)
		return;
	ret->gateway = hop->gateway;
	link = model_link(&engine->model, hop->ifindex);
	memcpy(ret->link, link ? link->name : unknown, sizeof(ret->link));
}

const char *heard_route_news(const struct heard_route *it, char *text,
			     size_t size)
{
	struct text line;
	char prefix[IP_TEXT_MAX];

	text_init(&line, text, size);
	text_put(&line, "%s route %s", it->ours ? "our" : "the",
		 it->prefix.len ? ip_prefix_format(&it->prefix, prefix)
				: "default");
	put_hops(&line, it);
	if (it->table)
		text_put(&line, " in table %u", it->table);
	if (it->deleted)
		text_put(&line, " was removed");
	else
		text_put(&line, it->replaced ? " was replaced" : " was added");
	if (it->table && it->port)
		text_put(&line, " by another program (port %u)", it->port);
	else if (it->table)
		text_put(&line, " by the kernel");
	return text;
}

static void tell_rule(struct text *line, const struct engine *engine,
		      const struct kernel_event *event)
{
	const struct rule *rule = &event->rule;
	char words[RULE_TEXT_MAX];
	char prefix[IP_TEXT_MAX];

	if (rule->protocol == engine->policy->protocol && rule->src.len)
		text_put(line, "our rule for %s",
			 ip_prefix_format(&rule->src, prefix));
	else
		text_put(line, "the rule \"%s\"", rule_format(rule, words));
	text_put(line, " was %s", event->deleted ? "removed" : "added");
	if (event->port)
		text_put(line, " by another program (port %u)", event->port);
}

static void tell_neighbour(struct text *line, const struct engine *engine,
			   const struct kernel_event *event)
{
	const struct neighbour *neighbour = &event->neighbour;
	char addr[IP_TEXT_MAX];

	text_put(line, "router %s on %s ",
		 ip_addr_format(&neighbour->addr, addr),
		 link_name(engine, neighbour->ifindex));
	if (event->deleted)
		text_put(line, "was forgotten");
	else
		text_put(line, neighbour->failed ? "does not answer"
						 : "answers again");
}

const char *heard_news(const struct engine *engine,
		       const struct kernel_event *event, char *text,
		       size_t size)
{
	struct heard_route route;
	struct text line;

	text_init(&line, text, size);
	switch (event->kind) {
	case KERNEL_LINK:
		tell_link(&line, engine, event);
		break;
	case KERNEL_ADDRESS:
		tell_address(&line, engine, event);
		break;
	case KERNEL_ROUTE:
		heard_route(engine, event, &route);
		return heard_route_news(&route, text, size);
	case KERNEL_RULE:
		tell_rule(&line, engine, event);
		break;
	case KERNEL_NEIGHBOUR:
		tell_neighbour(&line, engine, event);
		break;
	case KERNEL_NEXTHOP:
		text_put(&line, "nexthop object %u %s", event->nexthop_id,
			 event->deleted ? "is gone" : "changed");
		break;
	case KERNEL_ADVERT:
		put_advert(&line, engine, &event->advert);
		break;
	case KERNEL_LOST:
		text_put(&line, "messages of the kernel were lost");
		break;
	case KERNEL_BAD:
		text_put(&line, "a message of the kernel made no sense");
		break;
	}
	return text;
}
