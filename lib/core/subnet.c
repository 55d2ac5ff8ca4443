/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/subnet.h"

#include <netinet/in.h>

#define SCOPE_LINK 253 /* RT_SCOPE_LINK */

void subnet_set_done(struct subnet_set *set)
{
	vec_done(&set->subnets);
	vec_done(&set->addresses);
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

const struct subnet *subnet_of_source(const struct subnet_set *set,
				      const struct ip_addr *addr)
{
	const struct subnet_address *it;
	const struct subnet *best = NULL;

	vec_foreach(&set->addresses, it) {
		const struct subnet *home = &set->subnets.items[it->subnet];

		if (home->managed && ip_addr_equal(&it->addr, addr) &&
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
	const struct link *link = model_link(model, address->ifindex);
	const struct link *master;

	if (!link || address->dad_failed || address->scope >= SCOPE_LINK ||
	    ip_addr_is_loopback(&address->local) ||
	    (address->local.family == AF_INET6 &&
	     ip_addr_is_link_local(&address->local)))
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
	if (set->addresses.n == 0)
		return;
	qsort(set->addresses.items, set->addresses.n,
	      sizeof(*set->addresses.items), address_order);
	for (size_t i = 0; i < set->addresses.n; i++)
		if (i == 0 || address_order(&set->addresses.items[n - 1],
					    &set->addresses.items[i]) != 0)
			set->addresses.items[n++] = set->addresses.items[i];
	set->addresses.n = n;
}

static bool is_own(const struct subnet_set *set, size_t subnet,
		   const struct ip_addr *addr)
{
	const struct subnet_address *it;

	vec_foreach(&set->addresses, it)
		if (it->subnet == subnet && ip_addr_equal(&it->addr, addr))
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

/* --- tables --- */

/*
 * What @addr is on and has no table yet: an uplink, or the longest, whose the
 * address would be. The number is that of all.
 */
static struct subnet *home_without_table(struct subnet_set *set,
					 const struct ip_addr *addr,
					 size_t *ret_n)
{
	const struct subnet *uplink = subnet_of_source(set, addr);
	const struct subnet_address *it;
	struct subnet *found = NULL;
	size_t n = 0;

	vec_foreach(&set->addresses, it) {
		struct subnet *home = &set->subnets.items[it->subnet];

		if (!ip_addr_equal(&it->addr, addr))
			continue;
		n++;
		if (home->table || (found && found == uplink))
			continue;
		if (!found || home == uplink ||
		    home->prefix.len > found->prefix.len)
			found = home;
	}
	*ret_n = n;
	return found;
}

/*
 * What has @prefix: an uplink before others, which may have come by it since.
 * NULL: nothing, or several uplinks.
 */
static struct subnet *subnet_of_prefix(struct subnet_set *set,
				       const struct ip_prefix *prefix)
{
	struct subnet *found = NULL;
	struct subnet *it;

	vec_foreach(&set->subnets, it) {
		if (!ip_prefix_equal(&it->prefix, prefix))
			continue;
		if (found && found->managed && it->managed)
			return NULL;
		if (!found || it->managed)
			found = it;
	}
	return found;
}

/*
 * A rule for one address can be of any subnet that has it.
 * @sure: not by an address that is on several links
 */
static struct subnet *subnet_of_rule(struct subnet_set *set,
				     const struct rule *rule, bool sure)
{
	struct subnet *it;
	size_t n;

	if (rule->src.len != ip_bits(rule->family))
		return subnet_of_prefix(set, &rule->src);
	it = home_without_table(set, &rule->src.addr, &n);
	return n > 1 && sure ? NULL : it;
}

static void recover_table(struct subnet_set *set, const struct model *model,
			  const struct policy *policy, const struct rule *rule,
			  bool sure)
{
	const struct policy_interface *entry;
	const struct subnet *other;
	struct subnet *subnet;

	if (rule->protocol != policy->protocol || rule->src.len == 0 ||
	    !policy_is_our_table(policy, rule->table))
		return;
	subnet = subnet_of_rule(set, rule, sure);
	if (!subnet || subnet->table)
		return;
	vec_foreach(&set->subnets, other)
		if (other->table == rule->table)
			return;
	entry = policy_interface_find(policy,
				      model_link(model, subnet->ifindex));
	if (entry && entry->manage == MANAGE_NEVER)
		return;
	/* It was one in an earlier life of ours. */
	subnet->uplink = true;
	subnet->managed = true;
	subnet->table = rule->table;
}

void subnet_recover_tables(struct subnet_set *set, const struct model *model,
			   const struct policy *policy)
{
	const struct rule *rule;

	/* An address that is on two links is whose that is left over. */
	vec_foreach(&model->rules, rule)
		recover_table(set, model, policy, rule, true);
	vec_foreach(&model->rules, rule)
		recover_table(set, model, policy, rule, false);
}

bool subnet_table_is_taken(const struct subnet_set *set,
			   const struct model *model, uint32_t table)
{
	const struct subnet *subnet;
	const struct rule *rule;

	vec_foreach(&set->subnets, subnet)
		if (subnet->table == table)
			return true;
	vec_foreach(&model->rules, rule)
		if (rule->table == table)
			return true;
	return rib_table(&model->rib, table) != NULL;
}
