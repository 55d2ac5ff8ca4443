/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel does not have of our tables, as far as the model shows it.
 */
#include <netinet/in.h>

#include "doctor/check.h"

#define ROOM		1000 /* table numbers to suggest */
#define KERNEL_LAST	255  /* the highest of the kernel's own tables */
#define ELSEWHERE_FIRST 7100 /* the default of the config */

/* More numbers than now; the config takes none of the kernel's own tables. */
static void suggest(const struct policy *policy, uint32_t *ret_first,
		    uint32_t *ret_last)
{
	*ret_first = policy->table_first;
	*ret_last = policy->table_last;
	if (*ret_first <= KERNEL_LAST) {
		*ret_first = ELSEWHERE_FIRST;
		*ret_last = ELSEWHERE_FIRST + ROOM;
	} else if (*ret_last <= UINT32_MAX - ROOM) {
		*ret_last += ROOM;
	} else {
		*ret_last = UINT32_MAX;
		*ret_first -= *ret_first > KERNEL_LAST + ROOM ? ROOM : 0;
	}
}

void check_no_table(const struct view *view, const struct facts *facts,
		    struct finding_vec *ret)
{
	const struct policy *policy = view->policy;
	const struct subnet *it;
	uint32_t first;
	uint32_t last;

	suggest(policy, &first, &last);

	vec_foreach(&view->subnets->subnets, it) {
		struct finding *finding;
		char prefix[IP_TEXT_MAX];

		if (!it->managed || it->table)
			continue;
		finding = finding_add(ret, SEVERITY_ERROR, "%s",
				      check_link_name(view, it->ifindex));
		finding_what(finding,
			     "%s on %s has no routing table: all numbers from "
			     "%u to %u are taken.",
			     ip_prefix_format(&it->prefix, prefix),
			     check_link_name(view, it->ifindex),
			     policy->table_first, policy->table_last);
		finding_breaks(finding,
			       "Packets from %s leave by the lowest metric of "
			       "table main.",
			       prefix);
		finding_fix(finding, "%s: tables = { first = %u; last = %u; };",
			    facts->config, first, last);
		finding_fix(finding, "multihomectl reload");
	}
}

static bool same_hops(const struct attrset *a, const struct attrset *b)
{
	if (a->family != b->family || a->hops.n != b->hops.n)
		return false;
	for (size_t i = 0; i < a->hops.n; i++)
		if (a->hops.items[i].ifindex != b->hops.items[i].ifindex ||
		    !ip_addr_equal(&a->hops.items[i].gateway,
				   &b->hops.items[i].gateway))
			return false;
	return true;
}

/* The first route of main that such a copy was made of; NULL: none is left. */
static const struct route *original_of(const struct view *view,
				       const struct attrset *refused,
				       struct ip_prefix *ret_prefix)
{
	const struct rib *rib = &view->model->rib;
	struct ip_prefix all = ip_prefix_default(refused->family);
	struct trie_walk walk;
	uint32_t at;

	trie_walk_start(&walk, rib_trie(rib, refused->family), &all);
	while (trie_walk_next(&walk, ret_prefix, &at)) {
		const struct row *row = rib_row_at(rib, at);

		for (size_t i = 0; i < row->n; i++)
			if (check_is_candidate(view, &row->routes[i]) &&
			    same_hops(check_attrs(view, &row->routes[i]),
				      refused))
				return &row->routes[i];
	}
	return NULL;
}

void check_refused_routes(const struct view *view, const struct facts *facts,
			  struct finding_vec *ret)
{
	const struct attrset_store *attrs = &view->model->rib.attrs;

	(void)facts;
	for (uint32_t id = 0; id < attrs->n; id++) {
		const struct route *route;
		struct finding *finding;
		struct ip_prefix prefix;
		char text[ROUTE_TEXT_MAX];
		char dst[IP_TEXT_MAX];

		if (!attrset_is_live(attrs, id) ||
		    !attrset_is_given_up(attrset_get(attrs, id)))
			continue;
		route = original_of(view, attrset_get(attrs, id), &prefix);
		if (!route)
			continue;
		(void)route_format(&prefix, route, check_attrs(view, route),
				   &view->model->links, text);
		finding = finding_add(ret, SEVERITY_WARNING, "%s",
				      ip_prefix_format(&prefix, dst));
		finding_what(finding,
			     "The kernel takes no copy of the route \"%.300s\" "
			     "into our tables (the log says why), and would "
			     "not take the route itself again.",
			     text);
		finding_breaks(finding,
			       "Packets to %s follow table main whatever their "
			       "source (weak), or are dropped (strong).",
			       dst);
		finding_fix_command(finding, "ip %s route del %.400s",
				    prefix.addr.family == AF_INET ? "-4" : "-6",
				    text);
	}
}
