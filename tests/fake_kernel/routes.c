/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both families keep entries of one table, prefix and metric in a row, but
 * treat them differently: IPv4 tells entries apart by everything and may have
 * several, IPv6 joins those with gateways into one with several next hops.
 */
#include <errno.h>
#include <netinet/in.h>

#include "tests/fake_kernel/machine.h"

#define PROTOCOL_RA 9 /* RTPROT_RA: such routes are never joined */

static struct rib *rib_of(struct fake *fake)
{
	return &fake->model.rib;
}

static const struct attrset *set_of(const struct fake *fake,
				    const struct route *route)
{
	return attrset_get(&fake->model.rib.attrs, route->attrs);
}

static void tell_route(struct fake *fake, const struct machine_route *in,
		       const struct route *route, bool deleted,
		       enum model_put put)
{
	struct kernel_event event = {
		.kind = KERNEL_ROUTE,
		.deleted = deleted,
		.port = in->port,
		.put = put,
		.route = {.prefix = in->prefix, .route = *route},
	};

	machine_tell(fake, &event, route->attrs);
}

/* --- finding --- */

/* Entries of one key in a row. */
struct match {
	size_t first; /* SIZE_MAX: none */
	size_t same;  /* that says the very same; SIZE_MAX: none */
	size_t kind;  /* IPv6: the first of the same kind; SIZE_MAX: none */
};

static bool same_source(const struct attrset *a, const struct attrset *b)
{
	return a->src.addr.family == b->src.addr.family &&
	       (!a->src.addr.family || ip_prefix_equal(&a->src, &b->src));
}

static bool has_gateway(const struct attrset *set)
{
	return set->hops.n > 0 && ip_addr_is_set(&set->hops.items[0].gateway);
}

static struct match find(const struct fake *fake,
			 const struct machine_route *in)
{
	const struct row *row = rib_row(&fake->model.rib, &in->prefix);
	struct match match = {SIZE_MAX, SIZE_MAX, SIZE_MAX};

	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct attrset *set = set_of(fake, route);

		if (route_key_cmp(route, &in->route) != 0 ||
		    !same_source(set, in->set))
			continue;
		if (match.first == SIZE_MAX)
			match.first = i;
		if (match.kind == SIZE_MAX &&
		    has_gateway(set) == has_gateway(in->set))
			match.kind = i;
		if (match.same == SIZE_MAX && attrset_equal(set, in->set) &&
		    route->protocol == in->route.protocol)
			match.same = i;
	}
	return match;
}

/* --- putting --- */

/* Enters it; what is told of it may stand in another order (@said). */
static void enter_said(struct fake *fake, const struct machine_route *in,
		       const struct attrset *said, enum rib_place place,
		       enum model_put put)
{
	struct rib *rib = rib_of(fake);
	struct route told = in->route;

	(void)rib_put(rib, &in->prefix, &in->route, in->set, place);
	told.attrs = attrset_intern(&rib->attrs, said);
	tell_route(fake, in, &told, false, put);
	attrset_unref(&rib->attrs, told.attrs);
	rib_clean(rib);
}

static void enter(struct fake *fake, const struct machine_route *in,
		  enum rib_place place, enum model_put put)
{
	enter_said(fake, in, in->set, place, put);
}

static void replace(struct fake *fake, const struct machine_route *in,
		    size_t old)
{
	rib_remove_at(rib_of(fake), &in->prefix, old);
	enter(fake, in, RIB_PREPEND, MODEL_REPLACE);
}

static int put4(struct fake *fake, const struct machine_route *in)
{
	struct match match = find(fake, in);

	if (match.first == SIZE_MAX) {
		enter(fake, in, RIB_APPEND, MODEL_APPEND);
		return 0;
	}
	if (in->how == MACHINE_ADD)
		return -EEXIST;
	if (match.same != SIZE_MAX)
		return in->how == MACHINE_REPLACE && match.same == match.first
			       ? 0
			       : -EEXIST;
	if (in->how == MACHINE_REPLACE)
		replace(fake, in, match.first);
	else if (in->how == MACHINE_APPEND)
		enter(fake, in, RIB_APPEND, MODEL_APPEND);
	else
		enter(fake, in, RIB_PREPEND, MODEL_PREPEND);
	return 0;
}

static bool has_leg(const struct attrset *set, const struct next_hop *leg)
{
	const struct next_hop *hop;

	vec_foreach(&set->hops, hop)
		if (hop->ifindex == leg->ifindex &&
		    ip_addr_equal(&hop->gateway, &leg->gateway))
			return true;
	return false;
}

static void add_hop(struct attrset *set, const struct attrset *from,
		    const struct next_hop *hop)
{
	attrset_add_hop(set, hop,
			hop->extra_len ? from->extra.items + hop->extra_at
				       : NULL,
			hop->extra_len);
}

static void add_hops(struct attrset *set, const struct attrset *from)
{
	const struct next_hop *hop;

	vec_foreach(&from->hops, hop)
		add_hop(set, from, hop);
}

/* What @like says of the route as a whole, without its hops. */
static void init_like(struct attrset *set, const struct attrset *like)
{
	attrset_init(set, like->family, like->type);
	set->scope = like->scope;
	set->pref = like->pref;
	set->src = like->src;
	set->prefsrc = like->prefsrc;
	attrset_add_route_extra(set, like->extra.items, like->route_extra_len);
}

/*
 * The hops of both in one entry; what else it says is the older one's. Behind
 * the others, but it is told as if it were the first.
 */
static int join(struct fake *fake, const struct machine_route *in, size_t at)
{
	const struct route old = rib_row(rib_of(fake), &in->prefix)->routes[at];
	const struct attrset *other = set_of(fake, &old);
	struct machine_route joined = *in;
	struct attrset said;
	struct attrset set;

	if (has_leg(other, &in->set->hops.items[0]))
		return -EEXIST;
	init_like(&set, other);
	add_hops(&set, other);
	add_hops(&set, in->set);
	init_like(&said, other);
	add_hops(&said, in->set);
	add_hops(&said, other);
	joined.set = &set;
	joined.route = old;
	rib_remove_at(rib_of(fake), &in->prefix, at);
	enter_said(fake, &joined, &said, RIB_PREPEND, MODEL_APPEND);
	attrset_done(&set);
	attrset_done(&said);
	return 0;
}

static int put6(struct fake *fake, const struct machine_route *in)
{
	struct match match = find(fake, in);

	if (match.first == SIZE_MAX) {
		enter(fake, in, RIB_APPEND, MODEL_APPEND);
		return 0;
	}
	if (in->how == MACHINE_ADD)
		return -EEXIST;
	if (in->how == MACHINE_REPLACE) {
		replace(fake, in,
			match.kind == SIZE_MAX ? match.first : match.kind);
		return 0;
	}
	if (has_gateway(in->set) && match.kind != SIZE_MAX &&
	    in->set->nh_id == 0 && in->route.protocol != PROTOCOL_RA)
		return join(fake, in, match.kind);
	if (match.same != SIZE_MAX)
		return -EEXIST;
	enter(fake, in, RIB_APPEND, MODEL_APPEND);
	return 0;
}

int machine_put_route(struct fake *fake, const struct machine_route *in,
		      const char **ret_why)
{
	const char *why = NULL;
	int error = machine_check_route(fake, in, &why);

	if (!error)
		error = in->prefix.addr.family == AF_INET ? put4(fake, in)
							  : put6(fake, in);
	if (ret_why)
		*ret_why = why;
	return error;
}

/* --- removing --- */

static void remove_at(struct fake *fake, const struct machine_route *in,
		      size_t at, bool told)
{
	struct rib *rib = rib_of(fake);

	if (told)
		tell_route(fake, in, &rib_row(rib, &in->prefix)->routes[at],
			   true, MODEL_APPEND);
	rib_remove_at(rib, &in->prefix, at);
}

/* IPv6: one leg of several goes, and is told as a route of its own. */
static void remove_leg(struct fake *fake, const struct machine_route *in,
		       size_t at, const struct next_hop *leg)
{
	struct rib *rib = rib_of(fake);
	struct route old = rib_row(rib, &in->prefix)->routes[at];
	const struct attrset *set = set_of(fake, &old);
	const struct next_hop *hop;
	struct attrset rest;
	struct attrset gone;

	init_like(&rest, set);
	init_like(&gone, set);
	vec_foreach(&set->hops, hop) {
		bool is_it = hop->ifindex == leg->ifindex &&
			     ip_addr_equal(&hop->gateway, &leg->gateway);

		add_hop(is_it ? &gone : &rest, set, hop);
	}
	rib_remove_at(rib, &in->prefix, at);
	if (rest.hops.n)
		(void)rib_put(rib, &in->prefix, &old, &rest, RIB_PREPEND);
	old.attrs = attrset_intern(&rib->attrs, &gone);
	tell_route(fake, in, &old, true, MODEL_APPEND);
	attrset_unref(&rib->attrs, old.attrs);
	attrset_done(&rest);
	attrset_done(&gone);
}

static bool is_meant(const struct fake *fake, const struct machine_route *in,
		     const struct route *route)
{
	const struct attrset *set = set_of(fake, route);
	const struct next_hop *hop;

	if (route_key_cmp(route, &in->route) != 0)
		return false;
	if (!in->any_protocol && route->protocol != in->route.protocol)
		return false;
	if (in->any_attrs)
		return !set->src.addr.family;
	if (!same_source(set, in->set) || set->type != in->set->type)
		return false;
	vec_foreach(&in->set->hops, hop)
		if (!has_leg(set, hop))
			return false;
	return in->prefix.addr.family == AF_INET6 ||
	       set->hops.n == in->set->hops.n;
}

/* Return: its place, or SIZE_MAX. */
static size_t find_meant(struct fake *fake, const struct machine_route *in)
{
	const struct row *row = rib_row(rib_of(fake), &in->prefix);

	for (size_t i = 0; row && i < row->n; i++)
		if (is_meant(fake, in, &row->routes[i]))
			return i;
	return SIZE_MAX;
}

int machine_delete_route(struct fake *fake, const struct machine_route *in)
{
	size_t at = find_meant(fake, in);
	const struct next_hop *leg;

	if (at == SIZE_MAX)
		return -ESRCH;
	if (in->any_attrs || in->prefix.addr.family == AF_INET ||
	    in->set->hops.n == 0)
		remove_at(fake, in, at, true);
	else
		vec_foreach(&in->set->hops, leg)
			remove_leg(fake, in, at, leg);
	rib_clean(rib_of(fake));
	return 0;
}

/* --- what goes of itself --- */

typedef bool doomed_fn(const struct fake *fake, const struct route *route,
		       const struct attrset *set, const void *about);

/* Every route of @family that is doomed. */
struct doom {
	uint8_t family;
	bool told;
	bool main; /* those of table main; else: all others */
	doomed_fn *is_doomed;
	const void *about;
};

static void doom_row(struct fake *fake, const struct doom *doom,
		     const struct ip_prefix *prefix)
{
	struct machine_route in = {.prefix = *prefix};
	const struct row *row = rib_row(rib_of(fake), prefix);

	for (size_t i = row ? row->n : 0; row && i-- > 0;) {
		const struct route *route = &row->routes[i];

		if ((route->table == ROUTE_TABLE_MAIN) != doom->main ||
		    !doom->is_doomed(fake, route, set_of(fake, route),
				     doom->about))
			continue;
		remove_at(fake, &in, i, doom->told);
		row = rib_row(rib_of(fake), prefix);
	}
}

static void collect(struct fake *fake, uint8_t family, struct prefix_vec *ret)
{
	struct ip_prefix all = ip_prefix_default(family);
	struct ip_prefix prefix;
	struct trie_walk walk;
	uint32_t at;

	trie_walk_start(&walk, rib_trie(rib_of(fake), family), &all);
	while (trie_walk_next(&walk, &prefix, &at))
		vec_push(ret, prefix);
}

/* The kernel comes to table main after most others. */
static void remove_doomed(struct fake *fake, struct doom doom)
{
	struct prefix_vec prefixes = {0};
	const struct ip_prefix *it;

	collect(fake, doom.family, &prefixes);
	for (int pass = 0; pass < 2; pass++) {
		doom.main = pass == 1;
		vec_foreach(&prefixes, it)
			doom_row(fake, &doom, it);
	}
	vec_done(&prefixes);
	rib_clean(rib_of(fake));
}

/* One leg that is up keeps a route; @about: of which family it is. */
static bool is_dead(const struct fake *fake, const struct route *route,
		    const struct attrset *set, const void *about)
{
	const uint8_t *family = about;
	const struct next_hop *hop;

	(void)route;
	vec_foreach(&set->hops, hop)
		if (machine_carries(fake, hop->ifindex, *family))
			return false;
	return set->hops.n > 0;
}

void machine_drop_dead(struct fake *fake)
{
	static const uint8_t v4 = AF_INET;
	static const uint8_t v6 = AF_INET6;

	remove_doomed(fake, (struct doom){.family = v4,
					  .told = false,
					  .is_doomed = is_dead,
					  .about = &v4});
	remove_doomed(fake, (struct doom){.family = v6,
					  .told = true,
					  .is_doomed = is_dead,
					  .about = &v6});
}

static void strip_legs(struct fake *fake, const struct ip_prefix *prefix,
		       uint32_t ifindex)
{
	struct machine_route in = {.prefix = *prefix};
	const struct row *row = rib_row(rib_of(fake), prefix);

	for (size_t i = 0; row && i < row->n; i++) {
		const struct attrset *set = set_of(fake, &row->routes[i]);
		const struct next_hop *hop = NULL;

		for (size_t h = 0; h < set->hops.n; h++)
			if (set->hops.items[h].ifindex == ifindex)
				hop = &set->hops.items[h];
		if (hop)
			remove_leg(fake, &in, i,
				   &(struct next_hop){.ifindex = ifindex,
						      .gateway = hop->gateway});
		row = rib_row(rib_of(fake), prefix);
	}
}

void machine_drop_legs6(struct fake *fake, uint32_t ifindex)
{
	struct prefix_vec prefixes = {0};
	const struct ip_prefix *it;

	collect(fake, AF_INET6, &prefixes);
	vec_foreach(&prefixes, it)
		strip_legs(fake, it, ifindex);
	vec_done(&prefixes);
	rib_clean(rib_of(fake));
}

static bool is_over(const struct fake *fake, const struct route *route,
		    const struct attrset *set, const void *about)
{
	const uint32_t *ifindex = about;
	const struct next_hop *hop;

	(void)fake;
	(void)route;
	vec_foreach(&set->hops, hop)
		if (hop->ifindex == *ifindex)
			return true;
	return false;
}

void machine_drop_link4(struct fake *fake, uint32_t ifindex)
{
	remove_doomed(fake, (struct doom){.family = AF_INET,
					  .told = false,
					  .is_doomed = is_over,
					  .about = &ifindex});
}

/* Copies in other tables stay, with a source that is no more. */
static bool is_from(const struct fake *fake, const struct route *route,
		    const struct attrset *set, const void *about)
{
	(void)fake;
	return route->table == ROUTE_TABLE_MAIN &&
	       ip_addr_equal(&set->prefsrc, about);
}

/* IPv6 takes the source out of the route, and says nothing. */
static void strip_row(struct fake *fake, const struct ip_prefix *prefix,
		      const struct ip_addr *addr)
{
	struct rib *rib = rib_of(fake);
	const struct row *row = rib_row(rib, prefix);

	for (size_t i = 0; row && i < row->n; i++) {
		const struct attrset *set = set_of(fake, &row->routes[i]);
		struct route route = row->routes[i];
		struct attrset changed = *set;
		uint32_t id;

		if (!ip_addr_equal(&set->prefsrc, addr))
			continue;
		changed.prefsrc = (struct ip_addr){0};
		id = attrset_intern(&rib->attrs, &changed);
		route.attrs = id;
		rib_set(rib, prefix, i, &route);
		attrset_unref(&rib->attrs, id);
		row = rib_row(rib, prefix);
	}
}

void machine_drop_source(struct fake *fake, const struct ip_addr *addr)
{
	struct prefix_vec prefixes = {0};
	const struct ip_prefix *it;

	if (addr->family == AF_INET) {
		remove_doomed(fake, (struct doom){.family = AF_INET,
						  .told = true,
						  .is_doomed = is_from,
						  .about = addr});
		return;
	}
	collect(fake, AF_INET6, &prefixes);
	vec_foreach(&prefixes, it)
		strip_row(fake, it, addr);
	vec_done(&prefixes);
}

static bool is_through(const struct fake *fake, const struct route *route,
		       const struct attrset *set, const void *about)
{
	const uint32_t *id = about;

	(void)fake;
	(void)route;
	return set->nh_id == *id;
}

void machine_drop_nexthop(struct fake *fake, uint32_t id)
{
	remove_doomed(fake, (struct doom){.family = AF_INET,
					  .told = false,
					  .is_doomed = is_through,
					  .about = &id});
	remove_doomed(fake, (struct doom){.family = AF_INET6,
					  .told = true,
					  .is_doomed = is_through,
					  .about = &id});
}
