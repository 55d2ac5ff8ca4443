/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/subnet.h"

#include <netinet/in.h>

#define SCOPE_LINK 253 /* RT_SCOPE_LINK */

void subnet_set_done(struct subnet_set *set)
{
	vec_done(&set->subnets);
	vec_done(&set->addresses);
	vec_done(&set->sources);
}

int subnet_cmp(const struct subnet *a, const struct subnet *b)
{
	int order = ip_prefix_cmp(&a->prefix, &b->prefix);

	if (order != 0)
		return order;
	return (a->ifindex > b->ifindex) - (a->ifindex < b->ifindex);
}

/* Index of the one with that key, or where it belongs. */
static size_t place_of(const struct subnet_set *set, const struct subnet *key)
{
	size_t low = 0;
	size_t high = set->subnets.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (subnet_cmp(&set->subnets.items[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_at(const struct subnet_set *set, size_t at,
		  const struct subnet *key)
{
	return at < set->subnets.n &&
	       subnet_cmp(&set->subnets.items[at], key) == 0;
}

const struct subnet *subnet_find(const struct subnet_set *set,
				 const struct ip_prefix *prefix,
				 uint32_t ifindex)
{
	const struct subnet key = {.prefix = *prefix, .ifindex = ifindex};
	size_t at = place_of(set, &key);

	return is_at(set, at, &key) ? &set->subnets.items[at] : NULL;
}

static bool same_subnet(const struct subnet *a, const struct subnet *b)
{
	return subnet_cmp(a, b) == 0 && a->uplink == b->uplink &&
	       a->managed == b->managed && a->strong == b->strong &&
	       a->exact == b->exact && a->table == b->table;
}

bool subnet_set_equal(const struct subnet_set *a, const struct subnet_set *b)
{
	if (a->subnets.n != b->subnets.n || a->addresses.n != b->addresses.n)
		return false;
	for (size_t i = 0; i < a->subnets.n; i++)
		if (!same_subnet(&a->subnets.items[i], &b->subnets.items[i]))
			return false;
	for (size_t i = 0; i < a->addresses.n; i++) {
		const struct subnet_address *x = &a->addresses.items[i];
		const struct subnet_address *y = &b->addresses.items[i];

		if (!ip_addr_equal(&x->addr, &y->addr) ||
		    x->ifindex != y->ifindex || x->subnet != y->subnet)
			return false;
	}
	return true;
}

/* Those of @addr stand together in set->sources: the first of them, if any. */
static size_t first_source(const struct subnet_set *set,
			   const struct ip_addr *addr)
{
	size_t low = 0;
	size_t high = set->sources.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (ip_addr_cmp(&set->sources.items[mid].addr, addr) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool is_source_at(const struct subnet_set *set, size_t at,
			 const struct ip_addr *addr)
{
	return at < set->sources.n &&
	       ip_addr_equal(&set->sources.items[at].addr, addr);
}

const struct subnet *subnet_of_source(const struct subnet_set *set,
				      const struct ip_addr *addr)
{
	const struct subnet *best = NULL;

	for (size_t at = first_source(set, addr); is_source_at(set, at, addr);
	     at++) {
		const struct subnet *home =
			&set->subnets.items[set->sources.items[at].subnet];

		if (home->managed &&
		    (!best || home->prefix.len > best->prefix.len))
			best = home;
	}
	return best;
}

bool subnet_link_is_local(const struct subnet_set *set, uint32_t ifindex)
{
	const struct subnet *it;

	vec_foreach(&set->subnets, it)
		if (it->managed && it->ifindex == ifindex)
			return false;
	return true;
}

/* --- building --- */

/* Addresses that make, or belong to, a subnet. */
static bool counts(const struct model *model, const struct address *address)
{
	const struct link *link;
	const struct link *master;

	if (address->dad_failed || address->scope >= SCOPE_LINK ||
	    ip_addr_is_loopback(&address->local) ||
	    (address->local.family == AF_INET6 &&
	     ip_addr_is_link_local(&address->local)))
		return false;
	link = model_link(model, address->ifindex);
	if (!link)
		return false;
	master = model_link(model, link->master);
	return !link->vrf && !(master && master->vrf);
}

static bool is_single(const struct address *address)
{
	return address->prefix_len == ip_bits(address->local.family) ||
	       !ip_addr_equal(&address->local, &address->peer);
}

static bool is_on_loopback(const struct model *model,
			   const struct address *address)
{
	return model_link(model, address->ifindex)->loopback;
}

/*
 * The subnet that @address makes if it belongs to no other. A /128 as DHCPv6
 * gives it lies in the prefix that a router of its link advertises.
 */
static struct ip_prefix own_prefix(const struct model *model,
				   const struct address *address)
{
	struct ip_prefix prefix;

	if (!is_single(address))
		return ip_prefix_make(&address->local, address->prefix_len);
	if (ip_addr_equal(&address->local, &address->peer) &&
	    binding_prefix_of(&model->bindings, address->ifindex,
			      &address->local, &prefix))
		return prefix;
	return ip_prefix_host(&address->local);
}

static void add_subnet(const struct model *model, struct subnet_set *set,
		       const struct address *address)
{
	struct subnet subnet = {
		.prefix = own_prefix(model, address),
		.ifindex = address->ifindex,
	};

	size_t at = place_of(set, &subnet);

	if (!is_at(set, at, &subnet))
		vec_insert(&set->subnets, at, subnet);
}

const struct subnet *subnet_longest_on_link(const struct subnet_set *set,
					    uint32_t ifindex,
					    const struct ip_addr *addr)
{
	const struct subnet *best = NULL;
	const struct subnet *it;

	vec_foreach(&set->subnets, it)
		if (it->ifindex == ifindex &&
		    ip_prefix_has(&it->prefix, addr) &&
		    (!best || it->prefix.len > best->prefix.len))
			best = it;
	return best;
}

/* A VIP: a /32 or /128 inside a wider subnet of its own link makes none. */
static void add_all_subnets(const struct model *model, struct subnet_set *set)
{
	const struct address *it;

	vec_foreach(&model->addresses, it)
		if (counts(model, it) && !is_single(it))
			add_subnet(model, set, it);
	vec_foreach(&model->addresses, it)
		if (counts(model, it) && is_single(it) &&
		    !is_on_loopback(model, it) &&
		    !subnet_longest_on_link(set, it->ifindex, &it->local))
			add_subnet(model, set, it);
}

/* Of one that is no more: another prefix beside it is another subnet. */
static bool was_of_uplink(const struct view *view, const struct subnet_set *old,
			  const struct subnet_address *address)
{
	const struct subnet_address *it;

	vec_foreach(&old->addresses, it) {
		const struct subnet *home = &old->subnets.items[it->subnet];

		if (home->uplink && home->ifindex == address->ifindex &&
		    it->ifindex == address->ifindex &&
		    ip_addr_equal(&it->addr, &address->addr) &&
		    !subnet_find(view->subnets, &home->prefix, home->ifindex))
			return true;
	}
	return false;
}

/*
 * Whether an address of the subnet was an uplink's before: that of a /128 is in
 * another subnet as soon as its router advertises its prefix, or does no more.
 */
static bool was_uplink(const struct view *view, const struct subnet_set *old,
		       const struct subnet *subnet)
{
	size_t index = (size_t)(subnet - view->subnets->subnets.items);
	const struct subnet_address *it;

	vec_foreach(&view->subnets->addresses, it)
		if (it->subnet == index && it->ifindex == subnet->ifindex &&
		    was_of_uplink(view, old, it))
			return true;
	return false;
}

static void apply_policy(const struct view *view, const struct subnet_set *old,
			 const struct attr_id_vec *routed,
			 struct subnet *subnet)
{
	const struct link *link = model_link(view->model, subnet->ifindex);
	const struct policy_interface *entry =
		policy_interface_find(view->policy, link);
	const struct subnet *before =
		subnet_find(old, &subnet->prefix, subnet->ifindex);
	enum host_model host_model = view->policy->model;
	enum manage manage = MANAGE_AUTO;

	if (link->loopback)
		manage = MANAGE_NEVER;
	if (entry) {
		manage = entry->manage;
		if (entry->has_model)
			host_model = entry->model;
	}
	subnet->strong = host_model == HOST_MODEL_STRONG;
	subnet->uplink = (before && before->uplink) ||
			 subnet_is_uplink(view, subnet, routed) ||
			 (!before && was_uplink(view, old, subnet));
	subnet->managed = manage == MANAGE_ALWAYS ||
			  (manage == MANAGE_AUTO && subnet->uplink);
	if (before && subnet->managed &&
	    policy_is_our_table(view->policy, before->table))
		subnet->table = before->table;
}

/* The only managed subnet that has @addr inside; NULL: none or several. */
static const struct subnet *only_managed(const struct subnet_set *set,
					 const struct ip_addr *addr)
{
	const struct subnet *found = NULL;
	const struct subnet *it;

	vec_foreach(&set->subnets, it) {
		if (!it->managed || !ip_prefix_has(&it->prefix, addr))
			continue;
		if (found)
			return NULL;
		found = it;
	}
	return found;
}

static const struct subnet *home_of(const struct model *model,
				    const struct subnet_set *set,
				    const struct address *address)
{
	struct ip_prefix own = own_prefix(model, address);

	if (!is_single(address))
		return subnet_find(set, &own, address->ifindex);
	if (is_on_loopback(model, address))
		return only_managed(set, &address->local);
	return subnet_longest_on_link(set, address->ifindex, &address->local);
}

static int address_order(const void *a, const void *b)
{
	const struct subnet_address *x = a;
	const struct subnet_address *y = b;

	if (x->subnet != y->subnet)
		return x->subnet < y->subnet ? -1 : 1;
	return ip_addr_cmp(&x->addr, &y->addr);
}

static int source_order(const void *a, const void *b)
{
	const struct subnet_address *x = a;
	const struct subnet_address *y = b;
	int order = ip_addr_cmp(&x->addr, &y->addr);

	if (order != 0)
		return order;
	return (x->subnet > y->subnet) - (x->subnet < y->subnet);
}

static void sort_sources(struct subnet_set *set)
{
	const struct subnet_address *it;

	vec_clear(&set->sources);
	vec_foreach(&set->addresses, it)
		vec_push(&set->sources, *it);
	vec_sort(&set->sources, source_order);
}

static void add_addresses(const struct model *model, struct subnet_set *set)
{
	const struct address *it;
	size_t n = 0;

	vec_clear(&set->addresses);
	vec_foreach(&model->addresses, it) {
		const struct subnet *home =
			counts(model, it) ? home_of(model, set, it) : NULL;
		struct subnet_address entry = {.addr = it->local,
					       .ifindex = it->ifindex};

		if (!home)
			continue;
		entry.subnet = (size_t)(home - set->subnets.items);
		vec_push(&set->addresses, entry);
	}
	vec_sort(&set->addresses, address_order);
	for (size_t i = 0; i < set->addresses.n; i++)
		if (i == 0 || address_order(&set->addresses.items[n - 1],
					    &set->addresses.items[i]) != 0)
			set->addresses.items[n++] = set->addresses.items[i];
	set->addresses.n = n;
	sort_sources(set);
}

static bool is_own(const struct subnet_set *set, size_t subnet,
		   const struct ip_addr *addr)
{
	for (size_t at = first_source(set, addr); is_source_at(set, at, addr);
	     at++)
		if (set->sources.items[at].subnet == subnet)
			return true;
	return false;
}

/* Whether some local address inside the prefix belongs elsewhere. */
static bool is_shared(const struct model *model, const struct subnet_set *set,
		      size_t subnet)
{
	const struct ip_prefix *prefix = &set->subnets.items[subnet].prefix;
	const struct subnet_address *own;
	const struct subnet *other;
	const struct address *it;

	/* The same address on two links is on both their subnets. */
	vec_foreach(&set->subnets, other)
		if (other != &set->subnets.items[subnet] &&
		    ip_prefix_equal(&other->prefix, prefix))
			return true;
	vec_foreach(&set->addresses, own) {
		if (own->subnet != subnet)
			continue;
		other = subnet_of_source(set, &own->addr);
		if (other && other != &set->subnets.items[subnet])
			return true;
	}
	vec_foreach(&model->addresses, it)
		if (!it->dad_failed && ip_prefix_has(prefix, &it->local) &&
		    !is_own(set, subnet, &it->local))
			return true;
	return false;
}

void subnet_set_build(const struct model *model, const struct policy *policy,
		      const struct subnet_set *before, struct subnet_set *ret)
{
	const struct view view = {model, policy, ret, NULL};
	struct attr_id_vec routed = {0};
	struct subnet *it;

	subnet_find_routed(model, &routed);
	add_all_subnets(model, ret);
	add_addresses(model, ret); /* which address is whose decides uplinks */
	vec_foreach(&ret->subnets, it)
		apply_policy(&view, before, &routed, it);
	add_addresses(model, ret); /* once more: lo's go to managed ones */
	for (size_t i = 0; i < ret->subnets.n; i++)
		ret->subnets.items[i].exact = ret->subnets.items[i].managed &&
					      is_shared(model, ret, i);
	vec_done(&routed);
}
