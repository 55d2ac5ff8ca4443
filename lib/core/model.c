/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/model.h"

#include <errno.h>
#include <netinet/in.h>

void model_init(struct model *model)
{
	memset(model, 0, sizeof(*model));
	rib_init(&model->rib);
}

void model_done(struct model *model)
{
	vec_done(&model->links);
	vec_done(&model->addresses);
	vec_done(&model->neighbours);
	vec_done(&model->rules);
	vec_done(&model->bindings);
	model_forget_lost(model);
	vec_done(&model->lost);
	vec_done(&model->leaving);
	rib_done(&model->rib);
}

/* --- links --- */

static size_t link_place(const struct model *model, uint32_t ifindex)
{
	size_t low = 0;
	size_t high = model->links.n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (model->links.items[mid].ifindex < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct link *model_link(const struct model *model, uint32_t ifindex)
{
	size_t at = link_place(model, ifindex);

	if (at == model->links.n || model->links.items[at].ifindex != ifindex)
		return NULL;
	return &model->links.items[at];
}

const struct link *model_link_by_name(const struct model *model,
				      const char *name)
{
	const struct link *link;

	vec_foreach(&model->links, link)
		if (strcmp(link->name, name) == 0)
			return link;
	return NULL;
}

static bool link_equal(const struct link *a, const struct link *b)
{
	return strcmp(a->name, b->name) == 0 && a->master == b->master &&
	       a->lower == b->lower && a->vlan == b->vlan && a->up == b->up &&
	       a->carrier == b->carrier && a->loopback == b->loopback &&
	       a->vrf == b->vrf && a->no_ipv6 == b->no_ipv6;
}

static void touch_link(struct model *model, uint32_t ifindex)
{
	model_touch_link(model, AF_INET, ifindex);
	model_touch_link(model, AF_INET6, ifindex);
}

/* The kernel drops a link's entries with its carrier, and says so to few. */
static void forget_neighbours(struct model *model, const struct link *link)
{
	for (size_t i = model->neighbours.n; i-- > 0;) {
		const struct neighbour *it = &model->neighbours.items[i];

		if (it->ifindex != link->ifindex || (link->up && it->permanent))
			continue;
		vec_remove(&model->neighbours, i);
		model->changes.neighbours = true;
	}
}

bool model_put_link(struct model *model, const struct link *link)
{
	size_t at = link_place(model, link->ifindex);
	bool usable_changed = true;
	bool renamed = true;

	if (at < model->links.n &&
	    model->links.items[at].ifindex == link->ifindex) {
		struct link *old = &model->links.items[at];

		if (link_equal(old, link))
			return false;
		usable_changed = old->up != link->up ||
				 old->carrier != link->carrier ||
				 old->no_ipv6 != link->no_ipv6;
		renamed = strcmp(old->name, link->name) != 0;
		*old = *link;
	} else {
		vec_insert(&model->links, at, *link);
	}
	model->changes.links = true;
	model->changes.names |= renamed;
	if (usable_changed) {
		touch_link(model, link->ifindex);
		if (!link->up || !link->carrier) {
			model_settle_link(model, link->ifindex);
			forget_neighbours(model, link);
		}
	}
	return true;
}

static void forget_addresses(struct model *model, uint32_t ifindex)
{
	for (size_t i = model->addresses.n; i-- > 0;) {
		const struct ip_addr addr = model->addresses.items[i].local;

		if (model->addresses.items[i].ifindex != ifindex)
			continue;
		vec_remove(&model->addresses, i);
		model_touch_own(model, &addr);
	}
}

bool model_remove_link(struct model *model, uint32_t ifindex)
{
	size_t at = link_place(model, ifindex);

	if (at == model->links.n || model->links.items[at].ifindex != ifindex)
		return false;
	vec_remove(&model->links, at);
	forget_addresses(model, ifindex);
	for (size_t i = model->neighbours.n; i-- > 0;)
		if (model->neighbours.items[i].ifindex == ifindex)
			vec_remove(&model->neighbours, i);
	if (binding_forget_link(&model->bindings, ifindex)) {
		model->changes.bindings = true;
		model->bindings_version++;
	}
	model->changes.links = true;
	model->changes.names = true;
	model->changes.addresses = true;
	model_settle_link(model, ifindex);
	touch_link(model, ifindex);
	return true;
}

/* --- addresses --- */

static size_t address_place(const struct model *model,
			    const struct address *address, bool *found)
{
	size_t low = 0;
	size_t high = model->addresses.n;

	*found = false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = address_cmp(&model->addresses.items[mid], address);

		if (order == 0)
			*found = true;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool model_has_address(const struct model *model, const struct ip_addr *addr)
{
	const struct address *it;

	vec_foreach(&model->addresses, it)
		if (ip_addr_equal(&it->local, addr))
			return true;
	return false;
}

bool model_is_on_link(const struct model *model, const struct next_hop *hop)
{
	return hop->gateway.family == AF_INET &&
	       model_has_address(model, &hop->gateway);
}

bool model_leads_by(const struct model *model, const struct next_hop *hop,
		    const struct next_hop *way)
{
	return hop->ifindex == way->ifindex &&
	       (ip_addr_equal(&hop->gateway, &way->gateway) ||
		(!ip_addr_is_set(&way->gateway) &&
		 model_is_on_link(model, hop)));
}

bool model_put_address(struct model *model, const struct address *address)
{
	bool found;
	size_t at = address_place(model, address, &found);

	if (found) {
		struct address *old = &model->addresses.items[at];

		if (address_same(old, address))
			return false;
		*old = *address;
	} else {
		vec_insert(&model->addresses, at, *address);
	}
	model->changes.addresses = true;
	model_touch_own(model, &address->local);
	return true;
}

bool model_remove_address(struct model *model, const struct address *address)
{
	bool found;
	size_t at = address_place(model, address, &found);

	if (!found)
		return false;
	vec_remove(&model->addresses, at);
	model->changes.addresses = true;
	model_touch_own(model, &address->local);
	model_settle_link(model, address->ifindex);
	return true;
}

/* --- rules --- */

static int rule_order(const void *a, const void *b)
{
	return rule_cmp(a, b);
}

static bool rules_equal(const struct model *model, uint8_t family,
			const struct rule_vec *rules)
{
	const struct rule *old;
	size_t i = 0;

	vec_foreach(&model->rules, old) {
		if (old->family != family)
			continue;
		if (i == rules->n || rule_cmp(old, &rules->items[i]) != 0)
			return false;
		i++;
	}
	return i == rules->n;
}

void model_set_rules(struct model *model, uint8_t family,
		     struct rule_vec *rules)
{
	struct rule_vec all = {0};
	const struct rule *rule;

	if (rules->n)
		qsort(rules->items, rules->n, sizeof(*rules->items),
		      rule_order);
	if (!rules_equal(model, family, rules)) {
		vec_foreach(&model->rules, rule)
			if (rule->family != family)
				vec_push(&all, *rule);
		vec_foreach(rules, rule)
			vec_push(&all, *rule);
		if (all.n)
			qsort(all.items, all.n, sizeof(*all.items), rule_order);
		vec_done(&model->rules);
		model->rules = all;
		model->changes.rules = true;
	}
	vec_done(rules);
}

void model_add_rule(struct model *model, const struct rule *rule)
{
	size_t at = 0;

	while (at < model->rules.n &&
	       rule_cmp(&model->rules.items[at], rule) < 0)
		at++;
	vec_insert(&model->rules, at, *rule);
	model->changes.rules = true;
}

void model_remove_rule(struct model *model, const struct rule *rule)
{
	for (size_t i = 0; i < model->rules.n; i++) {
		if (rule_cmp(&model->rules.items[i], rule) != 0)
			continue;
		vec_remove(&model->rules, i);
		model->changes.rules = true;
		return;
	}
}

/* --- neighbours --- */

static size_t neighbour_place(const struct model *model, uint32_t ifindex,
			      const struct ip_addr *addr)
{
	size_t low = 0;
	size_t high = model->neighbours.n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		const struct neighbour *it = &model->neighbours.items[mid];
		bool before = it->ifindex != ifindex
				      ? it->ifindex < ifindex
				      : ip_addr_cmp(&it->addr, addr) < 0;

		if (before)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct neighbour *model_neighbour(const struct model *model,
					uint32_t ifindex,
					const struct ip_addr *addr)
{
	size_t at = neighbour_place(model, ifindex, addr);
	const struct neighbour *it;

	if (at == model->neighbours.n)
		return NULL;
	it = &model->neighbours.items[at];
	if (it->ifindex != ifindex || !ip_addr_equal(&it->addr, addr))
		return NULL;
	return it;
}

bool neighbour_vec_has(const struct neighbour_vec *neighbours,
		       const struct neighbour *which)
{
	const struct neighbour *it;

	vec_foreach(neighbours, it)
		if (it->ifindex == which->ifindex &&
		    ip_addr_equal(&it->addr, &which->addr))
			return true;
	return false;
}

bool model_put_neighbour(struct model *model, const struct neighbour *neighbour)
{
	size_t at =
		neighbour_place(model, neighbour->ifindex, &neighbour->addr);
	const struct neighbour *old =
		model_neighbour(model, neighbour->ifindex, &neighbour->addr);
	bool failed_before = old && old->failed;
	bool kept = neighbour->managed || neighbour->permanent ||
		    neighbour->protocol;

	/* Of other entries, only a router that failed matters. */
	if (!kept && neighbour->failed)
		kept = model_uses_gateway(model, neighbour->ifindex,
					  &neighbour->addr);
	if (!old && !kept)
		return false;
	if (old && kept)
		model->neighbours.items[at] = *neighbour;
	else if (old)
		vec_remove(&model->neighbours, at);
	else
		vec_insert(&model->neighbours, at, *neighbour);
	if (failed_before == (kept && neighbour->failed))
		return false;
	model_touch_gateway(model, neighbour->ifindex, &neighbour->addr);
	if (neighbour->failed)
		model_settle_link(model, neighbour->ifindex);
	return true;
}

bool model_remove_neighbour(struct model *model, uint32_t ifindex,
			    const struct ip_addr *addr)
{
	const struct neighbour *old = model_neighbour(model, ifindex, addr);
	bool failed_before;

	if (!old)
		return false;
	failed_before = old->failed;
	vec_remove(&model->neighbours, neighbour_place(model, ifindex, addr));
	model->changes.neighbours = true;
	if (failed_before)
		model_touch_gateway(model, ifindex, addr);
	return true;
}

bool model_is_usable(const struct model *model, const struct next_hop *hop)
{
	const struct link *link = model_link(model, hop->ifindex);
	const struct neighbour *neighbour;

	if (!link || !link->up || !link->carrier)
		return false;
	if (!ip_addr_is_set(&hop->gateway))
		return true;
	if (hop->gateway.family == AF_INET6 && link->no_ipv6)
		return false;
	neighbour = model_neighbour(model, hop->ifindex, &hop->gateway);
	return !neighbour || !neighbour->failed;
}
