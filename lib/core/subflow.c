/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/subflow.h"

#include "core/cell.h"

void subflow_choice_done(struct subflow_choice *choice)
{
	vec_done(&choice->candidates);
}

/* One question on its way through the steps. */
struct query {
	const struct view *view;
	const struct ip_addr *dst;
	const struct ip_addr_vec *used;
};

/* --- step 1 --- */

static bool is_same_way(const struct forward_candidate *a,
			const struct forward_candidate *b)
{
	return a->hop == b->hop && a->route.attrs == b->route.attrs &&
	       ip_prefix_equal(&a->prefix, &b->prefix) &&
	       route_key_cmp(&a->route, &b->route) == 0;
}

/* Whether packets of the subnet leave by it. */
static bool is_best(const struct forward *forward,
		    const struct forward_candidate *way)
{
	const struct forward_candidate *it;

	vec_foreach(&forward->best, it)
		if (is_same_way(it, way))
			return true;
	return false;
}

static enum subflow_verdict judge_way(const struct forward *forward,
				      const struct forward_candidate *way,
				      bool has_source)
{
	if (!way->usable)
		return SUBFLOW_UNUSABLE;
	if (!is_best(forward, way))
		return SUBFLOW_PASSED;
	return has_source ? SUBFLOW_LEFT : SUBFLOW_OFF;
}

/* The ways that are on one subnet. */
static void add_subnet(const struct query *query, const struct subnet *subnet,
		       struct subflow_candidate_vec *ret)
{
	struct subflow_candidate candidate = {.subnet = subnet};
	bool has_source =
		endpoint_of_subnet(query->view, subnet, &candidate.source) &&
		candidate.source.flags & ENDPOINT_SUBFLOW;
	const struct forward_candidate *it;
	struct forward forward = {0};

	forward_pick(query->view, subnet, query->dst, 0, &forward);
	vec_foreach(&forward.candidates, it) {
		if (it->reject || !it->on.yes)
			continue;
		candidate.way = *it;
		candidate.verdict = judge_way(&forward, it, has_source);
		vec_push(ret, candidate);
	}
	forward_done(&forward);
}

static bool is_known(const struct subflow_candidate_vec *candidates,
		     const struct forward_candidate *way)
{
	const struct subflow_candidate *it;

	vec_foreach(candidates, it)
		if (is_same_way(&it->way, way))
			return true;
	return false;
}

/* What matches and is on no subnet, for the story. */
static void add_rest(const struct query *query, const struct subnet *subnet,
		     struct subflow_candidate_vec *ret)
{
	const struct forward_candidate *it;
	struct forward forward = {0};

	forward_pick(query->view, subnet, query->dst, 0, &forward);
	vec_foreach(&forward.candidates, it)
		if (!is_known(ret, it))
			vec_push(
				ret,
				((struct subflow_candidate){
					.way = *it,
					.verdict = it->reject
							   ? SUBFLOW_REJECTED
							   : SUBFLOW_FOREIGN}));
	forward_done(&forward);
}

static int order(const void *a, const void *b)
{
	const struct subflow_candidate *x = a;
	const struct subflow_candidate *y = b;
	bool x_out = x->verdict > SUBFLOW_USED;
	bool y_out = y->verdict > SUBFLOW_USED;

	if (x_out != y_out)
		return x_out ? 1 : -1;
	if (x->way.metric != y->way.metric)
		return x->way.metric < y->way.metric ? -1 : 1;
	return ip_addr_cmp(&x->source.addr, &y->source.addr);
}

static void match(const struct query *query, struct subflow_candidate_vec *ret)
{
	const struct subnet_vec *subnets = &query->view->subnets->subnets;
	const struct subnet *it;

	vec_foreach(subnets, it)
		if (it->managed && it->prefix.addr.family == query->dst->family)
			add_subnet(query, it, ret);
	vec_foreach(subnets, it)
		if (it->managed && it->prefix.addr.family == query->dst->family)
			add_rest(query, it, ret);
	vec_sort(ret, order);
}

/* --- step 3 --- */

static const struct subnet *subnet_of(const struct view *view,
				      const struct ip_addr *addr)
{
	const struct subnet_address *it;

	vec_foreach(&view->subnets->addresses, it)
		if (ip_addr_equal(&it->addr, addr))
			return &view->subnets->subnets.items[it->subnet];
	return NULL;
}

static bool is_on_subnet_of(const struct view *view,
			    const struct subflow_candidate *candidate,
			    const struct ip_addr *addr)
{
	const struct subnet *subnet = subnet_of(view, addr);
	const struct attrset *set = attrset_get(&view->model->rib.attrs,
						candidate->way.route.attrs);

	return subnet &&
	       (subnet == candidate->subnet ||
		subnet_has_next_hop(view, subnet, set,
				    &set->hops.items[candidate->way.hop])
			.yes);
}

static bool is_used(const struct query *query,
		    const struct subflow_candidate *candidate)
{
	const struct ip_addr *it;

	vec_foreach(query->used, it)
		if (ip_addr_equal(it, &candidate->source.addr) ||
		    is_on_subnet_of(query->view, candidate, it))
			return true;
	return false;
}

/* --- all of them --- */

static bool has_way(const struct subflow_candidate_vec *candidates)
{
	return candidates->n && candidates->items[0].verdict <= SUBFLOW_USED;
}

void subflow_pick(const struct view *view, const struct ip_addr *dst,
		  const struct ip_addr_vec *used, struct subflow_choice *ret)
{
	const struct query query = {view, dst, used};
	const struct ip_prefix host = ip_prefix_host(dst);
	struct subflow_candidate *it;

	ret->step = SUBFLOW_NO_ROUTE;
	/* Tables local and main alone lead there, whatever the source. */
	if (!cell_wanted_at(&host) || model_has_address(view->model, dst))
		return;

	/* Step 1: the routes that match with the longest prefix. */
	match(&query, &ret->candidates);

	/* Step 2: none matches; another destination may be tried. */
	if (!has_way(&ret->candidates))
		return;

	/* Step 3: not those on the subnet of an address that is used. */
	vec_foreach(&ret->candidates, it)
		if (it->verdict == SUBFLOW_LEFT && is_used(&query, it))
			it->verdict = SUBFLOW_USED;

	/* Step 4: none remains; another destination may be tried. */
	ret->step = SUBFLOW_NONE_LEFT;
	vec_foreach(&ret->candidates, it)
		if (it->verdict == SUBFLOW_LEFT)
			break;
	if (it == ret->candidates.items + ret->candidates.n)
		return;

	/* Step 5: the lowest metric; the address on that next hop's subnet. */
	ret->step = SUBFLOW_PICKED;
	it->verdict = SUBFLOW_CHOSEN;
	ret->source = it->source;
}

bool subflow_is_congruent(const struct view *view, const struct ip_addr *src,
			  const struct ip_addr *dst)
{
	const struct subnet *subnet = subnet_of_source(view->subnets, src);
	struct forward forward = {0};
	bool yes;

	if (!subnet || src->family != dst->family)
		return false;
	forward_pick(view, subnet, dst, 0, &forward);
	yes = forward.rule == FORWARD_CONGRUENT && forward.best.n &&
	      !forward.best.items[0].reject && forward.best.items[0].usable;
	forward_done(&forward);
	return yes;
}

bool subflow_gets_out(const struct view *view, const struct ip_addr *src,
		      const struct ip_addr *dst)
{
	const struct subnet *subnet = subnet_of_source(view->subnets, src);
	struct forward forward = {0};
	bool yes;

	if (!subnet || src->family != dst->family)
		return model_has_address(view->model, src);
	forward_pick(view, subnet, dst, 0, &forward);
	yes = forward.best.n && !forward.best.items[0].reject &&
	      forward.best.items[0].usable;
	forward_done(&forward);
	return yes;
}

enum subflow_answer subflow_judge(bool congruent, bool other_congruent,
				  bool reject)
{
	/* Congruent routing: nothing stands against it. */
	if (congruent)
		return SUBFLOW_ACCEPT;
	/* Incongruent, and the connection works acceptably without it. */
	if (other_congruent)
		return reject ? SUBFLOW_REJECT : SUBFLOW_ACCEPT;
	/* No congruent one: accept, and attempt one from the right source. */
	return SUBFLOW_ACCEPT_ALONE;
}
