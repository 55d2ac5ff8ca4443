/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How route messages enter the model.
 *
 * The kernel does not always say what it did (docs/kernel-notes.md): an IPv4
 * replace among several equal keys does not name the one replaced; IPv6 merges
 * and splits siblings. Where a message could mean two things, -EAGAIN asks the
 * caller to read the table again instead of guessing.
 */
#include <errno.h>
#include <netinet/in.h>

#include "core/model.h"

/* Gone by somebody else's doing. */
static void remove_entry(struct model *model, const struct ip_prefix *prefix,
			 size_t at)
{
	const struct row *row = rib_row(&model->rib, prefix);

	model_note_lost(model, prefix, &row->routes[at]);
	rib_remove_at(&model->rib, prefix, at);
}

/* By somebody else: the kernel puts the new one where the old one stood. */
static void replace_entry(struct model *model, const struct model_route *in,
			  size_t at)
{
	const struct row *row = rib_row(&model->rib, &in->prefix);
	struct attrset_store *attrs = &model->rib.attrs;
	struct route entry = in->route;

	model_note_lost(model, &in->prefix, &row->routes[at]);
	entry.attrs = attrset_intern(attrs, &in->set);
	rib_replace(&model->rib, &in->prefix, at, &entry);
	attrset_unref(attrs, entry.attrs);
}

struct match {
	size_t first; /* index of the first entry with the key */
	size_t n;     /* how many have it */
	size_t equal; /* index of the one that fits, or SIZE_MAX */
};

static bool same_source(const struct attrset *a, const struct attrset *b)
{
	return a->src.addr.family == b->src.addr.family &&
	       (!a->src.addr.family || ip_prefix_equal(&a->src, &b->src));
}

/* IPv6 tells siblings apart by their hops, IPv4 by everything. */
static bool is_same_entry(uint8_t family, const struct attrset *a,
			  const struct attrset *b)
{
	return family == AF_INET6 ? attrset_same_hops(a, b)
				  : attrset_equal(a, b);
}

static struct match find(const struct model *model,
			 const struct model_route *in)
{
	const struct row *row = rib_row(&model->rib, &in->prefix);
	struct match match = {.equal = SIZE_MAX};

	for (size_t i = 0; row && i < row->n; i++) {
		const struct route *route = &row->routes[i];
		const struct attrset *set =
			attrset_get(&model->rib.attrs, route->attrs);

		if (route_key_cmp(route, &in->route) != 0 ||
		    !same_source(set, &in->set))
			continue;
		if (match.n == 0)
			match.first = i;
		match.n++;
		if (match.equal == SIZE_MAX &&
		    is_same_entry(in->prefix.addr.family, set, &in->set))
			match.equal = i;
	}
	return match;
}

static void deadline_push(struct deadline_vec *deadlines, uint64_t at_ms,
			  const struct ip_prefix *prefix)
{
	struct deadline deadline = {.at_ms = at_ms, .prefix = *prefix};
	size_t at = deadlines->n;

	while (at > 0 && deadlines->items[at - 1].at_ms > at_ms)
		at--;
	vec_insert(deadlines, at, deadline);
}

/* A leaving route of the same key makes room for its successor. */
static void drop_leaving(struct model *model, const struct model_route *in,
			 const struct match *keep)
{
	const struct row *row = rib_row(&model->rib, &in->prefix);

	for (size_t i = row ? row->n : 0; i-- > 0;) {
		const struct route *route = &row->routes[i];

		if (i == keep->equal || !(route->flags & ROUTE_LEAVING) ||
		    route_key_cmp(route, &in->route) != 0)
			continue;
		rib_remove_at(&model->rib, &in->prefix, i);
		row = rib_row(&model->rib, &in->prefix);
		if (!row)
			return;
	}
}

/* An entry that is there already: only its bookkeeping can be new. */
static void refresh(struct model *model, const struct model_route *in,
		    size_t at)
{
	const struct row *row = rib_row(&model->rib, &in->prefix);
	struct route old = row->routes[at];
	struct route new = old;
	bool came_back = old.flags & ROUTE_LEAVING;

	if (in->route.expires_s != old.expires_s || came_back)
		model_note_expiry(model, &in->route);
	new.expires_s = in->route.expires_s;
	new.protocol = in->route.protocol;
	new.flags = 0;
	if (route_equal(&old, &new))
		return;
	rib_set(&model->rib, &in->prefix, at, &new);
	if (old.protocol != new.protocol)
		rib_touch(&model->rib, &in->prefix);
}

/*
 * Whether other entries of the key are known in a read that does not show them.
 * IPv6 link-local prefixes, which every link has, are nobody's to choose.
 */
static bool is_order_unknown(const struct model *model,
			     const struct model_route *in)
{
	const struct row *row;

	if (!model->reading_ifindex ||
	    (in->prefix.addr.family == AF_INET6 &&
	     ip_addr_is_link_local(&in->prefix.addr)))
		return false;
	row = rib_row(&model->rib, &in->prefix);
	for (size_t i = 0; row && i < row->n; i++)
		if (route_key_cmp(&row->routes[i], &in->route) == 0 &&
		    !(row->routes[i].flags & (ROUTE_STALE | ROUTE_LEAVING)))
			return true;
	return false;
}

/* Of its key, those before it were seen in this read, those behind were not. */
static bool is_in_order(const struct row *row, size_t at)
{
	for (size_t i = 0; i < row->n; i++) {
		bool is_stale = row->routes[i].flags & ROUTE_STALE;

		if (i != at && is_stale == (i < at) &&
		    route_key_cmp(&row->routes[i], &row->routes[at]) == 0)
			return false;
	}
	return true;
}

/*
 * Seen in a read: behind those seen before, as the kernel has them. What stands
 * there already is left alone, so that a read that brings no news is none.
 */
static void reorder(struct model *model, const struct model_route *in,
		    size_t at)
{
	const struct row *row = rib_row(&model->rib, &in->prefix);
	struct route moved = row->routes[at];

	if (!(moved.flags & ROUTE_STALE) || is_in_order(row, at))
		return;
	attrset_ref(&model->rib.attrs, moved.attrs);
	rib_remove_at(&model->rib, &in->prefix, at);
	moved.flags = 0;
	moved.expires_s = in->route.expires_s;
	moved.protocol = in->route.protocol;
	rib_put_interned(&model->rib, &in->prefix, &moved, RIB_APPEND);
	attrset_unref(&model->rib.attrs, moved.attrs);
}

/* Whether the legs of @part are all among those of @whole. */
static bool is_part(const struct attrset *part, const struct attrset *whole)
{
	const struct next_hop *hop;
	const struct next_hop *other;

	vec_foreach(&part->hops, hop) {
		bool found = false;

		vec_foreach(&whole->hops, other)
			found |= hop->ifindex == other->ifindex &&
				 ip_addr_equal(&hop->gateway, &other->gateway);
		if (!found)
			return false;
	}
	return true;
}

/* Where a route goes that is not there yet; -EAGAIN: it is not clear. */
static int place(const struct model *model, const struct model_route *in,
		 enum model_put how, const struct match *match)
{
	const struct row *row = rib_row(&model->rib, &in->prefix);
	const struct attrset *old;

	if (model->reading_all)
		return RIB_APPEND;
	if (how == MODEL_REPLACE && match->n > 0)
		return -EAGAIN;
	if (how == MODEL_PREPEND)
		return RIB_PREPEND;
	if (in->prefix.addr.family != AF_INET6 || match->n == 0 ||
	    in->set.hops.n < 2)
		return RIB_APPEND;
	/*
	 * IPv6: a sibling joined. The message has the whole set, but in an
	 * order and with metrics of its own; only a dump has the kernel's.
	 */
	old = attrset_get(&model->rib.attrs, row->routes[match->first].attrs);
	return old->hops.n && is_part(old, &in->set) ? -EAGAIN : RIB_APPEND;
}

/* What a read found with other attributes, if it is not of this read itself. */
static void forget_stale(struct model *model, const struct model_route *in,
			 size_t at)
{
	const struct row *row = rib_row(&model->rib, &in->prefix);

	if (row->routes[at].flags & ROUTE_STALE)
		remove_entry(model, &in->prefix, at);
}

int model_put_route(struct model *model, const struct model_route *in,
		    enum model_put how)
{
	struct match match;
	int where;

	if (!rib_row(&model->rib, &in->prefix)) {
		rib_put(&model->rib, &in->prefix, &in->route, &in->set,
			RIB_APPEND);
		model_note_expiry(model, &in->route);
		return 0;
	}
	match = find(model, in);
	if (match.equal != SIZE_MAX) {
		const struct row *row = rib_row(&model->rib, &in->prefix);
		const struct attrset *set = attrset_get(
			&model->rib.attrs, row->routes[match.equal].attrs);

		if (attrset_equal(set, &in->set)) {
			bool unknown = is_order_unknown(model, in);

			if (match.n > 1 && !unknown)
				reorder(model, in, match.equal);
			match = find(model, in);
			refresh(model, in, match.equal);
			return match.n > 1 && unknown ? -EAGAIN : 0;
		}
		/* IPv6, same hops, other attributes. */
		if (match.n > 1 && !model->reading_all)
			return -EAGAIN;
		how = MODEL_REPLACE;
		if (match.n > 1) {
			forget_stale(model, in, match.equal);
			how = MODEL_APPEND;
		}
	}
	drop_leaving(model, in, &match);
	match = find(model, in);
	if (is_order_unknown(model, in))
		return -EAGAIN;
	if (how == MODEL_REPLACE && match.n == 1) {
		replace_entry(model, in, match.first);
	} else {
		where = place(model, in, how, &match);
		if (where < 0)
			return where;
		rib_put(&model->rib, &in->prefix, &in->route, &in->set,
			(enum rib_place)where);
	}
	model_note_expiry(model, &in->route);
	return 0;
}

/* Only a gateway route on links that are up may be away for a moment. */
static bool may_leave(const struct model *model, const struct route *route)
{
	const struct attrset *set =
		attrset_get(&model->rib.attrs, route->attrs);
	const struct next_hop *hop;

	if (route->table != ROUTE_TABLE_MAIN || set->hops.n == 0)
		return false;
	vec_foreach(&set->hops, hop)
		if (!ip_addr_is_set(&hop->gateway) ||
		    !model_is_usable(model, hop))
			return false;
	return true;
}

/*
 * Whether an entry is of the type and over the hops that a message names. If
 * not, the message may be of a route that a read has shown to be gone already.
 */
static bool is_like(const struct model *model, const struct model_route *in,
		    size_t at)
{
	const struct row *row = rib_row(&model->rib, &in->prefix);
	const struct attrset *set =
		attrset_get(&model->rib.attrs, row->routes[at].attrs);

	return set->type == in->set.type && attrset_same_hops(set, &in->set);
}

int model_remove_route(struct model *model, const struct model_route *in,
		       uint64_t until_ms)
{
	struct match match = find(model, in);
	struct route route;
	size_t at = match.equal;

	if (match.n == 0)
		return 0;
	if (at == SIZE_MAX) {
		/* IPv4: the only one; its flags or expiry may read otherwise */
		if (match.n > 1 || in->prefix.addr.family == AF_INET6 ||
		    !is_like(model, in, match.first))
			return -EAGAIN;
		at = match.first;
	}
	route = rib_row(&model->rib, &in->prefix)->routes[at];
	if (until_ms && may_leave(model, &route)) {
		route.flags |= ROUTE_LEAVING;
		route.expires_s = (uint32_t)until_ms;
		rib_set(&model->rib, &in->prefix, at, &route);
		deadline_push(&model->leaving, until_ms, &in->prefix);
		return 0;
	}
	remove_entry(model, &in->prefix, at);
	return 0;
}

/* --- reading a table again --- */

static bool is_read(const struct model *model, const struct route *route,
		    uint32_t table, uint32_t ifindex)
{
	const struct attrset *set;
	const struct next_hop *hop;

	if (route->table != table)
		return false;
	if (!ifindex)
		return true;
	set = attrset_get(&model->rib.attrs, route->attrs);
	vec_foreach(&set->hops, hop)
		if (hop->ifindex == ifindex)
			return true;
	return false;
}

struct reading {
	const struct model *model;
	uint32_t table;
	uint32_t ifindex;
};

static bool mark_stale(struct route *route, void *data)
{
	const struct reading *reading = data;

	/* Leaving routes are gone from the kernel already. */
	if (route->flags & ROUTE_LEAVING ||
	    !is_read(reading->model, route, reading->table, reading->ifindex))
		return false;
	route->flags |= ROUTE_STALE;
	return true;
}

void model_read_begin(struct model *model, uint8_t family, uint32_t table,
		      uint32_t ifindex)
{
	struct reading reading = {model, table, ifindex};

	model->reading_ifindex = ifindex;
	model->reading_all = ifindex == 0;
	if (rib_table(&model->rib, table))
		rib_edit(&model->rib, family, mark_stale, &reading);
}

/* Whether a read of one link's routes says nothing of this one's end. */
static bool is_elsewhere_too(const struct model *model,
			     const struct route *route, uint32_t ifindex)
{
	const struct attrset *set =
		attrset_get(&model->rib.attrs, route->attrs);
	const struct next_hop *hop;

	vec_foreach(&set->hops, hop)
		if (ifindex && hop->ifindex != ifindex)
			return true;
	return false;
}

/* Return: whether something stays that only a read in full can tell. */
static bool sweep_row(struct model *model, const struct ip_prefix *prefix,
		      uint32_t table, uint32_t ifindex)
{
	const struct row *row = rib_row(&model->rib, prefix);
	struct route seen;
	bool unclear = false;

	for (size_t i = row ? row->n : 0; row && i-- > 0;) {
		if (row->routes[i].table != table ||
		    !(row->routes[i].flags & ROUTE_STALE))
			continue;
		if (is_elsewhere_too(model, &row->routes[i], ifindex)) {
			seen = row->routes[i];
			seen.flags = 0;
			rib_set(&model->rib, prefix, i, &seen);
			row = rib_row(&model->rib, prefix);
			unclear = true;
			continue;
		}
		remove_entry(model, prefix, i);
		row = rib_row(&model->rib, prefix);
	}
	return unclear;
}

static bool is_left_over(const struct row *row, uint32_t table)
{
	for (size_t i = 0; i < row->n; i++)
		if (row->routes[i].table == table &&
		    row->routes[i].flags & ROUTE_STALE)
			return true;
	return false;
}

void model_read_abort(struct model *model)
{
	model->reading_ifindex = 0;
	model->reading_all = false;
}

int model_read_end(struct model *model, uint8_t family, uint32_t table,
		   uint32_t ifindex)
{
	const struct trie *trie = rib_trie(&model->rib, family);
	const struct trie_entry *place;
	struct prefix_vec gone = {0};
	const struct ip_prefix *it;
	struct ip_prefix prefix;
	bool unclear = false;
	uint32_t at = 0;

	model->reading_ifindex = 0;
	model->reading_all = false;
	/* Not to be changed while it is looked through. */
	while (rib_table(&model->rib, table) &&
	       (place = trie_scan(trie, &at, &prefix)))
		if (is_left_over(rib_row_at(&model->rib, place->value), table))
			vec_push(&gone, prefix);
	vec_foreach(&gone, it)
		unclear |= sweep_row(model, it, table, ifindex);
	vec_done(&gone);
	return unclear ? -EAGAIN : 0;
}
