/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The next hops that the longest matching prefix has, and why each does or does
 * not fit the source.
 */
#include "answers/explain_story.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "answers/json.h"

#define WHY_MAX 192

/* --- words --- */

struct words {
	const char *yes;
	const char *no;
};

/* By the line of docs/model.md, "On-subnet". */
static const struct words line_words[] = {
	{"no next hop: it competes by its metric", NULL},
	{"the configuration binds it to this subnet's prefix",
	 "the configuration binds it to other prefixes"},
	{NULL, "its link is another one"},
	{"the gateway lies inside this subnet",
	 "the gateway lies inside another subnet of the link"},
	{"a link-local router that may serve any prefix",
	 "another router of the link is bound to this subnet's prefix"},
	{"the gateway is outside every subnet of the link",
	 "the route prefers a source of another subnet"},
	{"no gateway: the link itself", NULL},
	{"no gateway, and its link has no managed subnet: fits every source",
	 NULL},
};

const char *story_type_name(uint8_t type)
{
	switch (type) {
	case ATTRSET_UNICAST:
		return "unicast";
	case ATTRSET_LOCAL:
		return "local";
	case ATTRSET_BLACKHOLE:
		return "blackhole";
	case ATTRSET_UNREACHABLE:
		return "unreachable";
	case ATTRSET_PROHIBIT:
		return "prohibit";
	case ATTRSET_THROW:
		return "throw";
	default:
		return "other";
	}
}

const char *story_link_name(const struct story *story, uint32_t ifindex)
{
	const struct link *link = model_link(story->view->model, ifindex);

	return link ? link->name : "?";
}

void story_add_hop(const struct story *story, const struct next_hop *hop,
		   struct json_object *ret)
{
	char text[IP_TEXT_MAX];

	if (ip_addr_is_set(&hop->gateway))
		json_add_text(ret, "via", ip_addr_format(&hop->gateway, text));
	if (hop->ifindex)
		json_add_text(ret, "dev", story_link_name(story, hop->ifindex));
}

void story_add_note(const struct story *story, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	json_push_text(story->notes, line);
}

/* --- candidates --- */

const struct attrset *story_set(const struct story *story,
				const struct forward_candidate *it)
{
	return attrset_get(&story->view->model->rib.attrs, it->route.attrs);
}

const struct next_hop *story_hop(const struct story *story,
				 const struct forward_candidate *it)
{
	return it->reject ? NULL : &story_set(story, it)->hops.items[it->hop];
}

static bool is_chosen(const struct story *story,
		      const struct forward_candidate *candidate)
{
	const struct forward_candidate *it;

	vec_foreach(&story->forward.best, it)
		if (it->hop == candidate->hop &&
		    it->route.attrs == candidate->route.attrs &&
		    route_key_cmp(&it->route, &candidate->route) == 0)
			return true;
	return false;
}

static bool is_for(const struct story *story, const struct policy_binding *it,
		   const struct next_hop *hop)
{
	return it->prefix.addr.family == story->subnet->prefix.addr.family &&
	       (!ip_addr_is_set(&it->router) ||
		ip_addr_equal(&it->router, &hop->gateway)) &&
	       (!it->dev[0] ||
		strcmp(it->dev, story_link_name(story, hop->ifindex)) == 0);
}

/* The config's binding that decided line 1; NULL: it is not to be found. */
static const struct policy_binding *
config_binding(const struct story *story, const struct next_hop *hop, bool yes)
{
	const struct ip_prefix *prefix = &story->subnet->prefix;
	const struct policy_binding *it;

	vec_foreach(&story->view->policy->bindings, it)
		if (is_for(story, it, hop) &&
		    ip_prefix_overlaps(&it->prefix, prefix) == yes)
			return it;
	return NULL;
}

static bool cite_config(const struct story *story,
			const struct forward_candidate *it, char *why)
{
	const struct policy_binding *entry =
		config_binding(story, story_hop(story, it), it->on.yes);
	char text[IP_TEXT_MAX];

	if (entry)
		(void)snprintf(why, WHY_MAX,
			       "the configuration binds it to %s%s",
			       ip_prefix_format(&entry->prefix, text),
			       it->on.yes ? "" : ", not to this subnet");
	return entry;
}

static bool cite_advert(const struct story *story,
			const struct forward_candidate *it, char *why)
{
	const struct next_hop *hop = story_hop(story, it);
	const struct binding *binding = subnet_claim(
		story->view, story->subnet, it->on.yes ? &hop->gateway : NULL);
	char router[IP_TEXT_MAX];
	char text[IP_TEXT_MAX];

	if (binding)
		(void)snprintf(why, WHY_MAX, "%s advertises %s",
			       ip_addr_format(&binding->router, router),
			       ip_prefix_format(&binding->prefix, text));
	return binding;
}

static const char *why_on_subnet(const struct story *story,
				 const struct forward_candidate *it, char *text)
{
	const struct words *words = &line_words[it->on.line];
	const char *why = it->on.yes || it->reject ? words->yes : words->no;

	if (!story->subnet)
		return "the source is of no subnet";
	if ((it->on.line == 1 && cite_config(story, it, text)) ||
	    (it->on.line == 4 && cite_advert(story, it, text)))
		return text;
	return why ? why : "?";
}

static struct json_object *candidate_json(const struct story *story,
					  const struct forward_candidate *it)
{
	struct json_object *object = json_object_new_object();
	const struct next_hop *hop = story_hop(story, it);
	bool config = it->route.table == ROUTE_TABLE_CONFIG;
	char text[IP_TEXT_MAX];
	char why[WHY_MAX];

	json_add_text(object, "prefix", ip_prefix_format(&it->prefix, text));
	json_add_text(object, "type",
		      story_type_name(story_set(story, it)->type));
	if (hop)
		story_add_hop(story, hop, object);
	json_add_int(object, "metric", (int64_t)it->metric);
	json_add_text(object, "origin", config ? "config" : "main");
	json_add_bool(object, "usable", it->reject || it->usable);
	json_add_bool(object, "on_subnet", it->on.yes);
	json_add_int(object, "line", it->on.line);
	json_add_text(object, "why", why_on_subnet(story, it, why));
	json_add_bool(object, "chosen",
		      story->managed && !story->local && is_chosen(story, it));
	return object;
}

static void note_unusable(const struct story *story,
			  const struct forward_candidate *it)
{
	const struct next_hop *hop = story_hop(story, it);
	const struct link *link;
	char text[IP_TEXT_MAX];

	if (!hop || it->usable)
		return;
	link = model_link(story->view->model, hop->ifindex);
	if (!link || !link->up)
		story_add_note(story, "not usable: link %s is down",
			       story_link_name(story, hop->ifindex));
	else if (!link->carrier)
		story_add_note(story, "not usable: link %s has no carrier",
			       link->name);
	else if (hop->gateway.family == AF_INET6 && link->no_ipv6)
		story_add_note(story,
			       "not usable: IPv6 is switched off on link %s",
			       link->name);
	else
		story_add_note(story,
			       "not usable: %s on %s does not answer (its "
			       "neighbour entry has failed)",
			       ip_addr_format(&hop->gateway, text), link->name);
}

void story_add_candidates(const struct story *story, struct json_object *ret)
{
	struct json_object *array = json_object_new_array();
	const struct forward_candidate *it;

	vec_foreach(&story->forward.candidates, it) {
		json_object_array_add(array, candidate_json(story, it));
		note_unusable(story, it);
		if (it->route.flags & ROUTE_LEAVING)
			story_add_note(story,
				       "a route of main was deleted a moment "
				       "ago and stays for the settle time");
	}
	json_object_object_add(ret, "candidates", array);
}
