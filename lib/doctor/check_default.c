/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A way out of this host that table main does not know: where two DHCP clients
 * run, the second one often cannot install its default route, or is told not
 * to. An entry of the config's `routes` stands in for it.
 */
#include <netinet/in.h>
#include <stdio.h>

#include "doctor/check.h"
#include "doctor/quote.h"

/* What is known of a router that the subnet could use. */
struct guess {
	struct ip_addr gateway; /* not set: nobody knows it */
	char why[FACT_PATH_MAX + 80];
	bool sure;    /* a default route, or a lease, says so */
	bool another; /* of several findings, not the first */
};

/* --- the router --- */

/* The first router among the hops that is on @subnet; NULL: none. */
static const struct next_hop *router_in(const struct view *view,
					const struct subnet *subnet,
					const struct attrset *set)
{
	const struct next_hop *hop;

	if (set->family != subnet->prefix.addr.family)
		return NULL;
	vec_foreach(&set->hops, hop)
		if (ip_addr_is_set(&hop->gateway) &&
		    hop->gateway.family == set->family &&
		    subnet_has_next_hop(view, subnet, set, hop).yes)
			return hop;
	return NULL;
}

/* Somebody else's table, that of rules made by hand for instance. */
static bool guess_by_other_table(const struct view *view,
				 const struct subnet *subnet, struct guess *ret)
{
	const struct row *row =
		check_default_row(view, subnet->prefix.addr.family);

	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct next_hop *hop =
			router_in(view, subnet, check_attrs(view, route));

		if (!hop || policy_is_our_table(view->policy, route->table))
			continue;
		ret->gateway = hop->gateway;
		ret->sure = true;
		(void)snprintf(ret->why, sizeof(ret->why), "Table %u has one.",
			       route->table);
		return true;
	}
	return false;
}

static bool guess_by_routes(const struct view *view,
			    const struct subnet *subnet, struct guess *ret)
{
	const struct attrset_store *attrs = &view->model->rib.attrs;

	for (uint32_t id = 0; id < attrs->n; id++) {
		const struct next_hop *hop;
		char text[IP_TEXT_MAX];

		if (!attrset_is_live(attrs, id))
			continue;
		hop = router_in(view, subnet, attrset_get(attrs, id));
		if (!hop)
			continue;
		ret->gateway = hop->gateway;
		(void)snprintf(ret->why, sizeof(ret->why),
			       "Other routes lead through %s on %s.",
			       ip_addr_format(&hop->gateway, text),
			       check_link_name(view, subnet->ifindex));
		return true;
	}
	return false;
}

/* A router that advertises the subnet's prefix serves it (RFC 8028). */
static bool guess_by_adverts(const struct view *view,
			     const struct subnet *subnet, struct guess *ret)
{
	const struct binding *it = subnet_claim(view, subnet, NULL);
	char text[IP_TEXT_MAX];

	if (!it)
		return false;
	ret->gateway = it->router;
	ret->sure = true;
	(void)snprintf(ret->why, sizeof(ret->why), "Router %s advertises it.",
		       ip_addr_format(&it->router, text));
	return true;
}

static struct guess guess_router(const struct view *view,
				 const struct facts *facts,
				 const struct subnet *subnet)
{
	const struct lease_facts *lease =
		facts_lease(facts, subnet->ifindex, &subnet->prefix);
	struct guess guess = {0};
	const struct subnet *it;

	if (lease) {
		guess.gateway = lease->router;
		guess.sure = true;
		(void)snprintf(guess.why, sizeof(guess.why),
			       "The DHCP lease in %s names a router.",
			       lease->file);
		return guess;
	}
	if (guess_by_adverts(view, subnet, &guess))
		return guess;
	if (guess_by_other_table(view, subnet, &guess) ||
	    guess_by_routes(view, subnet, &guess))
		return guess;
	/* The same prefix on another link is the same network, as a rule. */
	vec_foreach(&view->subnets->subnets, it)
		if (ip_prefix_equal(&it->prefix, &subnet->prefix) &&
		    guess_by_routes(view, it, &guess))
			break;
	return guess;
}

/* --- whether it is one --- */

static enum manage managed_by_config(const struct view *view,
				     const struct link *link)
{
	const struct policy_interface *entry =
		policy_interface_find(view->policy, link);

	return entry ? entry->manage : MANAGE_AUTO;
}

/* Whether a default route of @family leads over the link; 0: over any. */
static bool has_default_over(const struct view *view, uint8_t family,
			     uint32_t ifindex)
{
	const struct row *row = check_default_row(view, family);

	for (size_t i = 0; row && i < row->n; i++) {
		const struct next_hop *hop;

		if (!check_is_candidate(view, &row->routes[i]))
			continue;
		vec_foreach(&check_attrs(view, &row->routes[i])->hops, hop)
			if (!ifindex || hop->ifindex == ifindex)
				return true;
	}
	return false;
}

/* Subnets that nobody expects a way out of. */
static bool is_out_of_question(const struct view *view,
			       const struct subnet *subnet)
{
	const struct link *link = model_link(view->model, subnet->ifindex);

	return !link || !link->carrier || link->loopback ||
	       managed_by_config(view, link) == MANAGE_NEVER ||
	       subnet->prefix.len == ip_bits(subnet->prefix.addr.family) ||
	       check_is_unique_local(&subnet->prefix.addr);
}

static bool is_uplink_now(const struct view *view, const struct subnet *subnet)
{
	struct attr_id_vec routed = {0};
	bool is;

	subnet_find_routed(view->model, &routed);
	is = subnet_is_uplink(view, subnet, &routed);
	vec_done(&routed);
	return is;
}

static bool is_plainly_one(const struct view *view, const struct subnet *subnet,
			   const struct guess *guess)
{
	uint8_t other =
		subnet->prefix.addr.family == AF_INET ? AF_INET6 : AF_INET;
	const struct link *link = model_link(view->model, subnet->ifindex);

	return guess->sure || has_default_over(view, other, subnet->ifindex) ||
	       managed_by_config(view, link) == MANAGE_ALWAYS ||
	       (subnet->uplink && !is_uplink_now(view, subnet));
}

/* A link like those that uplinks have, on a host that has other ways out. */
static bool may_be_one(const struct view *view, const struct facts *facts,
		       const struct subnet *subnet)
{
	const struct link_facts *link = facts_link(facts, subnet->ifindex);

	return has_default_over(view, subnet->prefix.addr.family, 0) &&
	       (subnet->managed || (link && !link->local));
}

/* --- the finding --- */

static void say_what_breaks(const struct view *view,
			    const struct subnet *subnet,
			    struct finding *finding)
{
	char text[IP_TEXT_MAX];

	(void)ip_prefix_format(&subnet->prefix, text);
	if (subnet->managed && subnet->strong)
		finding_breaks(finding,
			       "Packets from %s to everything that has no "
			       "route on it are dropped (strong model).",
			       text);
	else if (has_default_over(view, subnet->prefix.addr.family, 0))
		finding_breaks(finding,
			       "Packets from %s leave through a router of "
			       "another subnet, whose provider may drop them.",
			       text);
	else
		finding_breaks(finding, "Packets from %s find no route.", text);
}

static void report(const struct view *view, const struct facts *facts,
		   const struct subnet *subnet, const struct guess *guess,
		   struct finding *finding)
{
	uint8_t family = subnet->prefix.addr.family;
	const char *link = check_link_name(view, subnet->ifindex);
	struct route_fix fix = {
		.to = ip_prefix_default(family),
		.via = guess->gateway,
		.dev = link,
		.metric = check_next_metric(view, family),
		.another = guess->another || view->policy->routes.n > 0,
	};
	char prefix[IP_TEXT_MAX];
	char dev[QUOTE_COMMAND_MAX];

	finding_what(finding,
		     "%s on %s has no default route of its own, in table main "
		     "or in the config.%s%s",
		     ip_prefix_format(&subnet->prefix, prefix), link,
		     guess->why[0] ? " " : "", guess->why);
	say_what_breaks(view, subnet, finding);
	finding_fix_route(finding, facts, &fix);
	if (ip_addr_is_set(&guess->gateway))
		return;
	(void)quote_command(link, dev);
	if (family == AF_INET)
		finding_fix(finding,
			    "ip neigh show dev %s # GATEWAY is one of them, if "
			    "there is a router: the DHCP lease or whoever runs "
			    "the network says which",
			    dev);
	else
		finding_fix(finding,
			    "ip -6 neigh show dev %s # GATEWAY is one marked "
			    "\"router\", if there is any",
			    dev);
}

/* Return: whether @subnet lacks a default, and @ret_severity is of that. */
static bool is_wanting(const struct view *view, const struct facts *facts,
		       const struct subnet *subnet, const struct guess *guess,
		       enum severity *ret_severity)
{
	if (is_plainly_one(view, subnet, guess)) {
		*ret_severity = SEVERITY_WARNING;
		return true;
	}
	*ret_severity = SEVERITY_HINT;
	return may_be_one(view, facts, subnet);
}

static void report_all(const struct view *view, const struct facts *facts,
		       enum severity which, size_t before,
		       struct finding_vec *ret)
{
	const struct subnet *it;

	vec_foreach(&view->subnets->subnets, it) {
		enum severity severity;
		struct guess guess;

		if (is_out_of_question(view, it) || check_own_default(view, it))
			continue;
		guess = guess_router(view, facts, it);
		if (!is_wanting(view, facts, it, &guess, &severity) ||
		    severity != which)
			continue;
		guess.another = ret->n > before;
		report(view, facts, it, &guess,
		       finding_add(ret, severity, "%s",
				   check_link_name(view, it->ifindex)));
	}
}

/* In the order in which they are read: each fix goes by the one before. */
void check_no_default(const struct view *view, const struct facts *facts,
		      struct finding_vec *ret)
{
	size_t before = ret->n;

	report_all(view, facts, SEVERITY_WARNING, before, ret);
	report_all(view, facts, SEVERITY_HINT, before, ret);
}
