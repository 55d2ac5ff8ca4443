/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same address, or the same prefix, on two links.
 */
#include <stdio.h>

#include "doctor/check.h"
#include "doctor/quote.h"

#define SCOPE_LINK 253 /* RT_SCOPE_LINK */

/* Borrowed addresses of tunnels and VIPs on lo are meant to be there twice. */
static bool counts(const struct view *view, const struct address *address)
{
	const struct link *link = model_link(view->model, address->ifindex);

	return link && !link->loopback && address->scope < SCOPE_LINK &&
	       !address->dad_failed &&
	       !ip_addr_is_link_local(&address->local) &&
	       address->prefix_len < ip_bits(address->local.family) &&
	       ip_addr_equal(&address->local, &address->peer);
}

void check_address_twice(const struct view *view, const struct facts *facts,
			 struct finding_vec *ret)
{
	const struct address_vec *all = &view->model->addresses;

	(void)facts;
	for (size_t i = 0; i < all->n; i++) {
		const struct address *one = &all->items[i];
		char addr[IP_TEXT_MAX];

		(void)ip_addr_format(&one->local, addr);
		for (size_t j = i + 1; j < all->n; j++) {
			const struct address *other = &all->items[j];
			const char *link =
				check_link_name(view, other->ifindex);
			struct finding *finding;

			if (one->ifindex == other->ifindex ||
			    !ip_addr_equal(&one->local, &other->local) ||
			    !counts(view, one) || !counts(view, other))
				continue;
			finding =
				finding_add(ret, SEVERITY_WARNING, "%s", addr);
			finding_what(finding, "%s is on %s and on %s.", addr,
				     check_link_name(view, one->ifindex), link);
			finding_breaks(finding,
				       "A source address belongs to one "
				       "subnet: its packets leave by one of "
				       "the two links only, also those that "
				       "answer what came by the other.");
			finding_fix_command(finding, "ip addr del %s/%u dev %s",
					    addr, other->prefix_len, link);
		}
	}
}

static bool is_left_alone(const struct view *view, const struct subnet *subnet)
{
	const struct link *link = model_link(view->model, subnet->ifindex);
	const struct policy_interface *entry;

	if (!link || link->loopback || !link->carrier)
		return true;
	entry = policy_interface_find(view->policy, link);
	return entry && entry->manage == MANAGE_NEVER;
}

void check_prefix_twice(const struct view *view, const struct facts *facts,
			struct finding_vec *ret)
{
	const struct subnet *one;
	const struct subnet *other;

	vec_foreach(&view->subnets->subnets, one) {
		const char *link = check_link_name(view, one->ifindex);
		struct finding *finding;
		char prefix[IP_TEXT_MAX];
		char entry[2 * QUOTE_NAME_MAX];
		char match[QUOTE_NAME_MAX];

		if (one->managed || is_left_alone(view, one))
			continue;
		vec_foreach(&view->subnets->subnets, other)
			if (other->managed &&
			    ip_prefix_equal(&one->prefix, &other->prefix))
				break;
		if (other ==
		    view->subnets->subnets.items + view->subnets->subnets.n)
			continue;
		finding = finding_add(ret, SEVERITY_WARNING, "%s", link);
		finding_what(finding,
			     "%s is on %s, which is managed, and on %s, which "
			     "is not.",
			     ip_prefix_format(&one->prefix, prefix),
			     check_link_name(view, other->ifindex), link);
		finding_breaks(finding,
			       "Packets from the address of %s follow table "
			       "main, which has one of the two links for %s.",
			       link, prefix);
		(void)snprintf(entry, sizeof(entry),
			       "{ match = %s; manage = \"always\"; }",
			       quote_pattern(link, match));
		finding_fix_list(finding, facts, "interfaces", entry,
				 view->policy->interfaces.n > 0);
		finding_fix(finding, "multihomectl reload");
	}
}
