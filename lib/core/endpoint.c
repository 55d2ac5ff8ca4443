/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/endpoint.h"

#include "core/plan.h"

/* A subnet that can have one, and how good its way out is. */
struct offer {
	uint64_t metric;
	struct endpoint endpoint;
};

VEC(offer_vec, struct offer);

const struct endpoint *endpoint_find(const struct endpoint_vec *endpoints,
				     const struct ip_addr *addr)
{
	const struct endpoint *it;

	vec_foreach(endpoints, it)
		if (ip_addr_equal(&it->addr, addr))
			return it;
	return NULL;
}

const struct endpoint *endpoint_find_added(const struct endpoint_vec *endpoints,
					   const struct ip_addr *addr)
{
	const struct endpoint *it = endpoint_find(endpoints, addr);

	return it && !(it->flags & ENDPOINT_IMPLICIT) ? it : NULL;
}

static const struct address *address_of(const struct model *model,
					const struct subnet_address *which)
{
	const struct address *it;

	vec_foreach(&model->addresses, it)
		if (it->ifindex == which->ifindex &&
		    ip_addr_equal(&it->local, &which->addr))
			return it;
	return NULL;
}

/*
 * Lower is better: those that stay before those that are replaced, and before
 * those that may move to another host (a VIP, as keepalived adds them).
 */
static int rank_of(const struct address *address)
{
	bool is_host = address->prefix_len == ip_bits(address->local.family);

	return 4 * address->deprecated + 2 * address->temporary + is_host;
}

/* NULL: it is not usable, or is the source of another subnet. */
static const struct address *usable_address(const struct view *view,
					    const struct subnet_address *it)
{
	const struct subnet *home = &view->subnets->subnets.items[it->subnet];
	const struct address *address = address_of(view->model, it);

	if (!address || address->tentative || address->dad_failed)
		return NULL;
	/* An address on two links is one subnet's only. */
	return subnet_of_source(view->subnets, &it->addr) == home ? address
								  : NULL;
}

/*
 * The best of a subnet's addresses; NULL: none is usable.
 * @among: only those that are among these; NULL: all
 */
static const struct address *best_address(const struct view *view,
					  const struct subnet *subnet,
					  const struct endpoint_vec *among)
{
	size_t i = (size_t)(subnet - view->subnets->subnets.items);
	const struct address *best = NULL;
	const struct subnet_address *it;

	vec_foreach(&view->subnets->addresses, it) {
		const struct address *address = NULL;

		if (it->subnet == i &&
		    (!among || endpoint_find(among, &it->addr)))
			address = usable_address(view, it);
		if (address && (!best || rank_of(address) < rank_of(best)))
			best = address;
		if (best && rank_of(best) == 0)
			break; /* as good as can be: mostly the first */
	}
	return best;
}

/* Another one than ours closes its subflows: only if ours is to be replaced. */
static const struct address *pick_address(const struct view *view,
					  const struct subnet *subnet,
					  const struct endpoint_vec *ours)
{
	const struct address *own =
		ours ? best_address(view, subnet, ours) : NULL;
	const struct address *best;

	if (own && !own->deprecated && !own->temporary)
		return own;
	best = best_address(view, subnet, NULL);
	return own && rank_of(own) <= rank_of(best) ? own : best;
}

static bool has_rule(const struct view *view, const struct subnet *subnet)
{
	const struct rule *it;

	vec_foreach(&view->model->rules, it)
		if (it->table == subnet->table &&
		    it->family == subnet->prefix.addr.family &&
		    it->protocol == view->policy->protocol)
			return true;
	return false;
}

static bool has_usable_hop(const struct view *view, const struct cell *cell)
{
	const struct attrset *set =
		attrset_get(&view->model->rib.attrs, cell->route->attrs);

	for (size_t i = 0; i < set->hops.n; i++)
		if (cell->keep.items[i] &&
		    model_is_usable(view->model, &set->hops.items[i]))
			return true;
	return false;
}

/* Whether a default route of its own leads out; and its metric. */
static bool leads_out(const struct view *view, const struct subnet *subnet,
		      uint64_t *ret_metric)
{
	const struct ip_prefix all =
		ip_prefix_default(subnet->prefix.addr.family);
	struct cell cell = {0};
	bool yes;

	cell_pick(view, subnet, rib_row(&view->model->rib, &all), 0, &cell);
	yes = cell_fate(view, &cell) == CELL_FATE_CONGRUENT &&
	      has_usable_hop(view, &cell);
	*ret_metric = cell.metric;
	cell_done(&cell);
	return yes;
}

/* What the config says of the subnet's link. 0: no endpoint. */
static uint8_t flags_of(const struct view *view, const struct subnet *subnet)
{
	static const uint8_t flags[] = {
		[MPTCP_LINK_SUBFLOW] = ENDPOINT_SUBFLOW,
		[MPTCP_LINK_BACKUP] = ENDPOINT_SUBFLOW | ENDPOINT_BACKUP,
		[MPTCP_LINK_FULLMESH] = ENDPOINT_SUBFLOW | ENDPOINT_FULLMESH,
		[MPTCP_LINK_SIGNAL] = ENDPOINT_SIGNAL,
		[MPTCP_LINK_OFF] = 0,
	};
	const struct link *link = model_link(view->model, subnet->ifindex);
	const struct policy_interface *entry =
		link ? policy_interface_find(view->policy, link) : NULL;
	enum mptcp_link how = entry ? entry->mptcp : MPTCP_LINK_SUBFLOW;
	uint8_t ret = flags[how];

	/* The kernel does not take the two together. */
	if (view->policy->mptcp.announce && ret && !(ret & ENDPOINT_FULLMESH))
		ret |= ENDPOINT_SIGNAL;
	return ret;
}

/* Whether it is to have a rule; who deletes it does so for a moment only. */
static bool is_ruled(const struct view *view, const struct subnet *subnet)
{
	return subnet->managed && subnet->table &&
	       !plan_yields(view, subnet->prefix.addr.family);
}

static bool is_in_place(const struct view *view, const struct subnet *subnet)
{
	return is_ruled(view, subnet) && has_rule(view, subnet);
}

static bool pick_endpoint(const struct view *view, const struct subnet *subnet,
			  const struct endpoint_vec *ours, struct endpoint *ret)
{
	struct endpoint endpoint = {.flags = flags_of(view, subnet)};
	const struct address *address;

	if (!endpoint.flags || !is_in_place(view, subnet))
		return false;
	address = pick_address(view, subnet, ours);
	if (!address)
		return false;
	endpoint.addr = address->local;
	*ret = endpoint;
	return true;
}

bool endpoint_of_subnet(const struct view *view, const struct subnet *subnet,
			struct endpoint *ret)
{
	return pick_endpoint(view, subnet, NULL, ret);
}

static int offer_order(const void *a, const void *b)
{
	const struct offer *x = a;
	const struct offer *y = b;

	if (x->metric != y->metric)
		return x->metric < y->metric ? -1 : 1;
	return ip_addr_cmp(&x->endpoint.addr, &y->endpoint.addr);
}

void endpoint_build(const struct view *view, const struct endpoint_vec *ours,
		    struct endpoint_vec *ret)
{
	struct offer_vec offers = {0};
	const struct subnet *subnet;

	vec_foreach(&view->subnets->subnets, subnet) {
		struct offer offer = {0};

		if (pick_endpoint(view, subnet, ours, &offer.endpoint) &&
		    leads_out(view, subnet, &offer.metric))
			vec_push(&offers, offer);
	}
	vec_sort(&offers, offer_order);
	for (size_t i = 0; i < offers.n && i < ENDPOINTS_MAX; i++)
		vec_push(ret, offers.items[i].endpoint);
	vec_done(&offers);
}

enum endpoint_fate endpoint_judge(const struct view *view,
				  const struct endpoint_vec *wanted,
				  const struct endpoint *ours)
{
	const struct subnet *subnet =
		subnet_of_source(view->subnets, &ours->addr);

	if (endpoint_find(wanted, &ours->addr))
		return ENDPOINT_STAYS;
	if (!subnet || !model_has_address(view->model, &ours->addr) ||
	    !is_ruled(view, subnet) || !flags_of(view, subnet))
		return ENDPOINT_GOES;
	return ENDPOINT_WAITS;
}
